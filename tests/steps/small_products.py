"""Products of a few thousand pixels for tests of compositing: real JPEG 2000 images, no XML."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer

from senard.io.geotiff import write_scratch
from senard.model.grid import Grid, Tile
from senard.model.product import AngleGrid, Sentinel2Product
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import MOSAIC_BANDS, ProductType

INTERNAL_TILE = 128
"""Side of the internal JPEG 2000 tiles, px."""

Ground = Callable[[np.ndarray, np.ndarray, str], np.ndarray]
"""x and y in EPSG:3857 and a band to reflectance x 10000."""


@dataclass(frozen=True, kw_only=True)
class SmallProduct:
    """What a test says of a product."""

    day: datetime = datetime(2024, 5, 1, 10, 40, 21, tzinfo=UTC)
    crs: str = "EPSG:32635"
    offset: int = -1000
    simulated: bool = False
    processing_time: datetime = datetime(2024, 5, 2, tzinfo=UTC)


def scene(product: SmallProduct, number: int) -> Sentinel2Scene:
    """The scene of a product."""
    return Sentinel2Scene(
        product_id=f"S2B_MSIL2A_{product.day:%Y%m%dT%H%M%S}_N0510_R0{number:02}_T35VLG_{product.processing_time:%Y%m%dT%H%M%S}",
        product_type=ProductType.L2A,
        satellite="S2B",
        mgrs_tile="35VLG",
        acquisition_time=product.day,
        datatake_time=product.day - timedelta(seconds=30),
        processing_time=product.processing_time,
        baseline=510 if product.offset else 214,
        relative_orbit=number,
        datatake_id=f"GS2B_{product.day:%Y%m%dT%H%M%S}_00000{number}",
        datastrip_time=product.day,
        cloud_cover=0.0,
        footprint=None,
        location=Path("/nowhere"),
        size_bytes=0,
    )


def around(lon: float, lat: float, crs: str, gsd: int, size_m: int) -> Grid:
    """A grid of one CRS around a place."""
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    left, top = round((x - size_m / 2) / 60) * 60.0, round((y + size_m / 2) / 60) * 60.0
    return Grid(crs=crs, left=left, top=top, gsd=gsd, width=size_m // gsd, height=size_m // gsd)


def request(crs: str = "EPSG:3857") -> MosaicRequest:
    """Some request."""
    return MosaicRequest(
        name="small",
        aoi=shapely.box(24.9, 60.1, 25.1, 60.3),
        first_day=date(2024, 5, 1),
        last_day=date(2024, 7, 31),
        crs=crs,
    )


def tile(lon: float = 25.0, lat: float = 60.2, *, crs: str = "EPSG:3857", size_m: int = 3000, index: int = 0) -> Tile:
    """A small tile around a place."""
    grid = around(lon, lat, crs, 20, size_m)
    bounds = grid.bounds
    left, top = round(bounds.left / 20) * 20, round(bounds.top / 20) * 20
    return Tile(index=index, crs=crs, left=left, top=top, right=left + size_m, bottom=top - size_m)


def write_image(path: Path, pixels: np.ndarray) -> None:
    """A lossless JPEG 2000 image with small internal tiles."""
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"width": pixels.shape[1], "height": pixels.shape[0], "count": 1, "dtype": "uint16", "crs": "EPSG:32635"}
    lossless = {"QUALITY": "100", "REVERSIBLE": "YES", "YCBCR420": "NO", "RESOLUTIONS": "2"}
    blocks = {"BLOCKXSIZE": INTERNAL_TILE, "BLOCKYSIZE": INTERNAL_TILE}
    transform = Affine(10, 0, 0, 0, -10, 0)
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", transform=transform, **profile, **lossless, **blocks
    ) as dataset:
        dataset.write(pixels.astype(np.uint16), 1)


def pixels_of(grid: Grid, ground: Ground, band: str) -> np.ndarray:
    """Reflectance x 10000 of the ground at the centres of a grid's pixels."""
    rows, cols = np.mgrid[0 : grid.height, 0 : grid.width]
    x, y = grid.left + (cols + 0.5) * grid.gsd, grid.top - (rows + 0.5) * grid.gsd
    x, y = Transformer.from_crs(grid.crs, "EPSG:3857", always_xy=True).transform(x, y)
    return np.rint(ground(x, y, band))


class SmallArchive:
    """Products in the work folder's layout; `read` stands in for `read_product`."""

    def __init__(self, root: Path, *, lon: float = 25.0, lat: float = 60.2, size_m: int = 2400) -> None:
        self.root, self.lon, self.lat, self.size_m = root, lon, lat, size_m
        self.scenes: list[Sentinel2Scene] = []
        self.safes: dict[int, Path] = {}
        self._products: dict[Path, Sentinel2Product] = {}

    def add(
        self,
        product: SmallProduct,
        ground: Ground,
        *,
        bands: Sequence[str] = MOSAIC_BANDS[10],
        holes: Mapping[str, np.ndarray] | None = None,
    ) -> Sentinel2Product:
        """Write one product; `holes` are pixels of a band that hold DN 0."""
        number = len(self.scenes) + 1
        found = scene(product, number)
        folder = self.root / "safe" / found.product_id / "bands"
        safe = folder / f"{found.product_id}.SAFE"
        grids = {gsd: around(self.lon, self.lat, product.crs, gsd, self.size_m) for gsd in (10, 20)}
        images = {}
        for band in bands:
            gsd = 10 if band in MOSAIC_BANDS[10] else 20
            dn = np.maximum(pixels_of(grids[gsd], ground, band) - product.offset, 1)
            if holes and band in holes:
                dn[holes[band]] = 0
            images[f"{band}_{gsd}"] = f"{band}_{gsd}m.jp2"
            write_image(safe / f"{band}_{gsd}m.jp2", dn)
        nothing = AngleGrid(zenith=np.zeros((23, 23), np.float32), azimuth=np.zeros((23, 23), np.float32))
        self._products[safe] = Sentinel2Product(
            root=safe,
            scene=found,
            images=images,
            grids=grids,
            add_offset=dict.fromkeys(bands, product.offset),
            quantification=10000,
            aot_quantification=1000.0,
            sun=nothing,
            view=nothing,
            class_shares={},
            simulated=product.simulated,
        )
        self.scenes.append(found)
        self.safes[number] = folder
        return self._products[safe]

    def read(self, root: Path) -> Sentinel2Product:
        """In the place of `read_product`."""
        return self._products[root]

    def select(self, tile: Tile, sources: np.ndarray) -> Path:
        """A selection's folder with this source map."""
        folder = self.root / "sources" / str(tile.index)
        folder.mkdir(parents=True, exist_ok=True)
        bands = {
            "source": sources,
            "clear": np.where(sources, 3, 0),
            "level": np.where(sources, 1, 0),
            "flags": np.where(sources == 1, 64, 0),
            "cost": sources * 0,
        }
        arrays = {name: pixels.astype(np.uint16) for name, pixels in bands.items()}
        write_scratch(folder / "sources_20.tif", tile.grid(20), arrays)
        return folder
