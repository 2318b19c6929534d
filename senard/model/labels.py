"""What delivered rasters say of themselves: bands, nodata, scale, and the tags of a file (product-spec §3 and §5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Self

from senard import __version__
from senard.model.grid import Tile
from senard.model.request import Brdf, Level, Method, MosaicRequest, Topography
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import BANDS, MOSAIC_BANDS, NODATA_DN, ProductType, Scl

METHODS = {**{method: method.value for method in Method}, Method.BEST: "one-scene-per-pixel"}
"""How pixels are made; by default all bands of a pixel are from the one scene that the source map names."""

NEAREST_DATES = "year, DOY and source name the observation nearest to the spectrum in the bands of 20 m"
"""What dates mean where spectra are blended from several."""

BRDF_TEXTS = {
    Brdf.NBAR: "nbar: c-factor (Ross-Thick, Li-Sparse; Roy et al. 2016, 2017) where the QA layer has flag 512"
}
"""What was done about the satellite's direction."""

TOPOGRAPHY_TEXTS = {Topography.C: "c: C-correction of slopes (Teillet et al. 1982) where the QA layer has flag 1024"}
"""What was done about the slope of the ground."""

REFLECTANCE_SCALE = 0.0001
"""Reflectance per delivered DN."""


def copernicus_notice(years: Iterable[int]) -> str:
    """The notice that Copernicus' terms ask for: "Contains modified Copernicus Sentinel data 2023, 2024"."""
    listed = ", ".join(str(year) for year in sorted(set(years)))
    return f"Contains modified Copernicus Sentinel data {listed}".rstrip()


class Colour(Enum):
    """Colour interpretation of a band, as GDAL writes it."""

    RED = "Red"
    GREEN = "Green"
    BLUE = "Blue"
    GRAY = "Gray"
    UNDEFINED = "Undefined"
    PALETTE = "Palette"


class Resampling(Enum):
    """How overviews are made."""

    AVERAGE = "average"
    """Mean of the valid pixels."""

    NEAREST = "nearest"
    """One of the pixels: averaging dates or classes would invent some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLabel:
    """One class of a band that holds classes."""

    value: int
    """Its number: 4."""

    name: str
    """What it is: "vegetation"."""

    colour: str
    """How it is shown, #rrggbb: "#00a000"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandLabel:
    """One band of a delivered raster."""

    name: str
    """Its description: "B04"."""

    unit: str = ""
    """Unit of the physical value: "1", "year"; empty for none."""

    scale: float = 1.0
    """Physical value per DN: 0.0001."""

    offset: float = 0.0
    """Physical value of DN 0."""

    colour: Colour = Colour.UNDEFINED
    """Colour interpretation."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """Band tags: {"WAVELENGTH_NM": "665"}."""

    classes: tuple[ClassLabel, ...] = ()
    """What its numbers stand for, from 0 on without a gap; empty for a band that measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterProfile:
    """All that delivered rasters of one kind have in common."""

    gsd: int
    """Pixel side, m: 10 or 20."""

    bands: tuple[BandLabel, ...]
    """In file order."""

    overviews: Resampling
    """How overviews are made."""

    nodata: int = NODATA_DN
    """Number of a pixel without data, in every band."""

    data_type: str = "UInt16"
    """Type of its numbers, as GDAL calls it: "UInt16", "Byte"."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bands, in file order."""
        return tuple(band.name for band in self.bands)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLabels:
    """What every file of a product says of the product."""

    product_id: str
    """Name of the product folder: "helsinki_20240401_20240930_5f2a91cc"."""

    request_sha256: str
    """Hex digest of the canonical request."""

    first_day: date
    """First day of the period."""

    last_day: date
    """Last day of the period, included."""

    product_type: ProductType
    """Processing level of the products."""

    levelling: Level
    """Between which scenes smooth differences of brightness were removed."""

    method: Method
    """What was made of the observations of a pixel."""

    brdf: Brdf
    """What became of the difference that the satellite's direction makes."""

    topography: Topography
    """What became of the difference that the slope of the ground makes."""

    feather_m: float
    """Distance from borders between dates within which they are mixed, m; 0 mixes nothing."""

    @classmethod
    def of(cls, request: MosaicRequest, kept: Sequence[Sentinel2Scene]) -> Self:
        """The labels of the product that a request and the scenes kept by its query make."""
        return cls(
            product_id=request.product_id([scene.product_id for scene in kept]),
            request_sha256=request.sha256,
            first_day=request.first_day,
            last_day=request.last_day,
            product_type=request.product_type,
            levelling=request.level,
            method=request.method,
            brdf=request.brdf,
            topography=request.topography,
            feather_m=request.feather_m,
        )

    def tags(self, tile: Tile, content: str, used: Sequence[Sentinel2Scene], *, simulated: bool) -> dict[str, str]:
        """Tags of one file.

        Args:
            tile: its tile.
            content: what the file is, for a person: "10 m".
            used: scenes that supply a pixel of the file.
            simulated: True if one of them was simulated; the word then stands in the tags.

        Returns:
            Name to text. No wall-clock time: TIFFTAG_DATETIME is the newest processing time of the scenes used.
        """
        years = [scene.acquisition_time.year for scene in used] or [self.first_day.year]
        tags = {
            "AREA_OR_POINT": "Area",
            "TIFFTAG_SOFTWARE": f"senard {__version__}",
            "TIFFTAG_COPYRIGHT": copernicus_notice(years) + (" (simulated)" if simulated else ""),
            "TIFFTAG_IMAGEDESCRIPTION": f"{self.product_id} tile {tile.index}, {content}",
            "SENARD_PRODUCT": self.product_id,
            "SENARD_TILE": str(tile.index),
            "SENARD_PERIOD": f"{self.first_day.isoformat()}/{self.last_day.isoformat()}",
            "SENARD_METHOD": METHODS[self.method],
            "SENARD_LEVELLING": self.levelling.value,
            "SENARD_REQUEST_SHA256": self.request_sha256,
            "SENARD_SCENES": str(len(used)),
            "SENARD_LEVEL": _LEVELS[self.product_type],
        }
        if used:
            newest = max(scene.processing_time for scene in used)
            tags["TIFFTAG_DATETIME"] = f"{newest:%Y:%m:%d %H:%M:%S}"
        if self.method.blends:
            tags["SENARD_DATES"] = NEAREST_DATES
        if self.brdf is not Brdf.NONE:
            tags["SENARD_BRDF"] = BRDF_TEXTS[self.brdf]
        if self.topography is not Topography.NONE:
            tags["SENARD_TOPOGRAPHY"] = TOPOGRAPHY_TEXTS[self.topography]
        if self.feather_m:
            tags["SENARD_FEATHER"] = (
                f"{self.feather_m:g} m: spectra blended from two dates where the QA layer has flag 8; year, DOY and "
                "source name the one with the larger share"
            )
        if simulated:
            tags["SENARD_SIMULATED"] = "made of simulated products, not of measurements"
        return tags


_LEVELS = {
    ProductType.L2A: "L2A bottom-of-atmosphere reflectance",
    ProductType.L2AP: "L2A (pilot) bottom-of-atmosphere reflectance",
    ProductType.L1C: "L1C top-of-atmosphere reflectance",
}

_COLOURS = {"B04": Colour.RED, "B03": Colour.GREEN, "B02": Colour.BLUE, "B05": Colour.GRAY}


def _reflectance(name: str) -> BandLabel:
    """The label of a reflectance band."""
    band = BANDS[name]
    return BandLabel(
        name=name,
        unit="1",
        scale=REFLECTANCE_SCALE,
        colour=_COLOURS.get(name, Colour.UNDEFINED),
        tags={
            "WAVELENGTH_NM": str(band.wavelength_nm),
            "BANDWIDTH_NM": str(band.bandwidth_nm),
            "COMMON_NAME": band.common_name,
        },
    )


YEAR = BandLabel(name="year", unit="year")
DOY = BandLabel(name="DOY", unit="day of year")

MOSAIC_PROFILES: dict[int, RasterProfile] = {
    10: RasterProfile(
        gsd=10, bands=tuple(_reflectance(name) for name in MOSAIC_BANDS[10]), overviews=Resampling.AVERAGE
    ),
    20: RasterProfile(
        gsd=20, bands=(*(_reflectance(name) for name in MOSAIC_BANDS[20]), YEAR, DOY), overviews=Resampling.NEAREST
    ),
}
"""The mosaic's files, by gsd in m."""

QUALITY_PROFILE = RasterProfile(
    gsd=20,
    bands=(
        BandLabel(name="source", colour=Colour.GRAY),
        BandLabel(name="clear"),
        BandLabel(name="level"),
        BandLabel(name="flags"),
    ),
    overviews=Resampling.NEAREST,
)
"""The QA layer."""

SCL_CLASSES: tuple[ClassLabel, ...] = tuple(
    ClassLabel(value=int(value), name=name, colour=colour)
    for value, name, colour in (
        (Scl.NO_DATA, "no data", "#000000"),
        (Scl.SATURATED_OR_DEFECTIVE, "saturated or defective", "#ff0000"),
        (Scl.DARK_AREA, "dark area", "#2f2f2f"),
        (Scl.CLOUD_SHADOW, "cloud shadow", "#643200"),
        (Scl.VEGETATION, "vegetation", "#00a000"),
        (Scl.NOT_VEGETATED, "not vegetated", "#ffe65a"),
        (Scl.WATER, "water", "#0000ff"),
        (Scl.UNCLASSIFIED, "unclassified", "#808080"),
        (Scl.CLOUD_MEDIUM, "cloud, medium probability", "#c0c0c0"),
        (Scl.CLOUD_HIGH, "cloud, high probability", "#ffffff"),
        (Scl.THIN_CIRRUS, "thin cirrus", "#64c8ff"),
        (Scl.SNOW, "snow", "#ff96ff"),
    )
)
"""Classes of the scene classification, in the colours that ESA shows them in."""

SCL_PROFILE = RasterProfile(
    gsd=20,
    bands=(
        BandLabel(
            name="SCL",
            colour=Colour.PALETTE,
            tags={f"CLASS_{label.value}": label.name for label in SCL_CLASSES},
            classes=SCL_CLASSES,
        ),
    ),
    overviews=Resampling.NEAREST,
    data_type="Byte",
)
"""The layer of scene classes."""

LAYER_PROFILES: dict[str, RasterProfile] = {"SCL": SCL_PROFILE}
"""Layers that are made on request, by name."""

FLAG_CLIPPED = 2
"""Bit of the QA band `flags`: a reflectance was clipped to the range of valid DN."""

FLAG_MENDED = 256
"""Bit of the QA band `flags`: the scene had no data there; the nearest valid pixel of the same scene was taken."""

FLAG_NADIR = 512
"""Bit of the QA band `flags`: brought to the view from straight above."""

FLAG_LEVEL_LIGHT = 1024
"""Bit of the QA band `flags`: brought to the light of level ground."""

FLAG_VALID = 32768
"""Bit of the QA band `flags`: set on every valid pixel."""
