"""What the judgement of one product holds: the rasters of a mask folder and the figures beside them."""

from dataclasses import dataclass

from senard.model.arrays import BoolArray
from senard.model.grid import Grid

SCL_BITS = 0x0F
"""Bits of the band `class` that hold the scene classification."""
CLASS_CORE = 0x10
"""Bit of the band `class`: core of a cloud or a shadow, after opening."""
CLASS_TERRASCOPE = 0x20
"""Bit of the band `class`: inside Terrascope's two-stage mask."""
CLASS_SNOW = 0x40
"""Bit of the band `class`: snow, its buffer of one pixel included."""
CLASS_VALID = 0x80
"""Bit of the band `class`: ground that the product observed, 2 px from any gap."""
FAR = 255
"""`distance` of a pixel farther than 254 units of 20 m from any cloud or shadow."""
CLEAR_SHARE_UNITS = 250
"""`clear_share` of a pixel around which all is clear."""
NO_PROBABILITY = 255
"""`cloud_probability` of a product that states none."""
HAZE_ZERO = 10_000
"""DN of `HAZE` where the scene shows no more haze than its clearest ground of the same greenness; 0 is unknown."""
ZONE_NONE = 0
"""`ZONE` where no shadow is to be expected."""
ZONE_POSSIBLE = 1
"""`ZONE` where a cloud of unknown height may cast its shadow."""
ZONE_LIKELY = 2
"""`ZONE` where the shadow of a cloud must fall whose height was found."""
AOT_UNITS = 1000
"""DN per unit of aerosol optical thickness in the 60 m raster."""

MASK_BANDS_20: tuple[str, ...] = ("class", "distance", "clear_share", "cloud_probability")
"""Bands of scene_20.tif, uint8, in file order."""
MASK_BANDS_60: tuple[str, ...] = ("B02", "B04", "B8A", "B11", "AOT", "HAZE", "ZONE")
"""Bands of scene_60.tif, uint16, in file order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudClasses:
    """MSK_CLASSI, or what older products state by polygons: (y, x) bool at 60 m."""

    opaque: BoolArray
    """True is opaque cloud."""

    cirrus: BoolArray
    """True is cirrus."""

    snow: BoolArray
    """True is snow or ice; nowhere in products before baseline 04.00, which do not tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneJudgement:
    """Figures of one judged product, scene.json of its mask folder."""

    product_id: str
    """Name of the SAFE without suffix."""

    crs: str
    """The product's own UTM: "EPSG:32631"."""

    left: float
    """x of the left edge, m."""

    top: float
    """y of the top edge, m."""

    width: int
    """Columns of 20 m."""

    height: int
    """Rows of 20 m."""

    width_60: int
    """Columns of 60 m."""

    height_60: int
    """Rows of 60 m."""

    sun_zenith: float
    """Mean over the product, degrees."""

    sun_azimuth: float
    """Mean over the product, degrees clockwise from north."""

    clear_share: float
    """Valid pixels that are SCL-clear (classes 2, 4, 5, 6, 7), share of the valid ones, 0-1."""

    valid_share: float
    """Valid pixels, share of all, 0-1."""

    simulated: bool
    """True if the product's own XML says that it was simulated."""

    @property
    def grids(self) -> dict[int, Grid]:
        """gsd in m, 20 and 60, to the grid of that raster."""
        sizes = {20: (self.width, self.height), 60: (self.width_60, self.height_60)}
        return {
            gsd: Grid(crs=self.crs, left=self.left, top=self.top, gsd=gsd, width=width, height=height)
            for gsd, (width, height) in sizes.items()
        }
