"""A small mosaic as the tasks leave it before the last step: two tiles, three scenes, one of them broken."""

import atexit
import json
import shutil
import tempfile
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyproj
import rasterio
import shapely
from rasterio.transform import Affine

from senard.algorithms.tiling import aoi_mask, cut_tiles
from senard.io.geotiff import write_scratch
from senard.model.arrays import UInt16Array
from senard.model.grid import Grid, Tile
from senard.model.mosaic import MosaicParts
from senard.model.request import MosaicRequest
from senard.model.scene import QueriedScene, QueryResult, Sentinel2Scene
from senard.model.sentinel2 import ProductType
from senard.model.sources import SOURCE_BANDS

_KEPT = ExitStack()
atexit.register(_KEPT.close)

DAYS = (date(2024, 5, 4), date(2024, 6, 13), date(2024, 7, 28))


def scene(number: int, day: date, baseline: int = 510) -> Sentinel2Scene:
    time = datetime(day.year, day.month, day.day, 10, 46, 19, 24_000 * number, tzinfo=UTC)
    return Sentinel2Scene(
        product_id=f"S2B_MSIL2A_{time:%Y%m%dT%H%M%S}_N{baseline:04d}_R051_T31TCJ_{time:%Y%m%d}T133822",
        product_type=ProductType.L2A,
        satellite="S2B",
        mgrs_tile="31TCJ",
        acquisition_time=time,
        datatake_time=time,
        processing_time=time.replace(hour=13),
        baseline=baseline,
        relative_orbit=51,
        datatake_id=f"GS2B_{time:%Y%m%dT%H%M%S}_038000",
        datastrip_time=time,
        cloud_cover=12.5 * number,
        footprint=None,
        location=Path(f"/data/s2/{number}.zip"),
        size_bytes=0,
    )


def request(left: int = 88_000, width: int = 24_000) -> MosaicRequest:
    """A lens-shaped area around x = 100 km, y = 5 400 km of EPSG:3857, so that it is cut into two tiles."""
    lens = shapely.Point(left + width / 2, 5_415_000).buffer(width / 2)
    back = pyproj.Transformer.from_crs("EPSG:3857", "EPSG:4326", always_xy=True)
    aoi = shapely.transform(lens, lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1])))
    return MosaicRequest(
        name="lens", aoi=shapely.MultiPolygon([aoi]), first_day=date(2024, 5, 1), last_day=date(2024, 7, 31)
    )


def build_mosaic(root: Path, resolutions: tuple[int, ...] = (10, 20)) -> tuple[Path, MosaicParts]:
    """Write rasters and figures under `root`; returns the product folder and what the last step is given."""
    shutil.copytree(_made_once(resolutions), root, dirs_exist_ok=True)
    parts = parts_under(root)
    return root / "out" / parts.product_id, parts


@cache
def _made_once(resolutions: tuple[int, ...]) -> Path:
    """A folder from which every mosaic of these resolutions is copied; it goes when the process ends."""
    root = Path(_KEPT.enter_context(tempfile.TemporaryDirectory()))
    parts = parts_under(root)
    folder = root / "out" / parts.product_id
    (folder / "layers").mkdir(parents=True)
    for tile, place in zip(parts.tiles, parts.sources, strict=True):
        source = write_sources(place, tile, parts.request)
        for gsd in resolutions:
            write_mosaic_file(folder / f"{tile.index}_{gsd}.tif", tile.grid(gsd), source)
            counts = {"clipped_low": 3, "mended": 0, "jp2_tiles_decoded": 44}
            (root / "work" / f"{tile.index}_{gsd}.json").write_text(json.dumps(counts))
    write_verdicts(parts)
    return root


def parts_under(root: Path) -> MosaicParts:
    """What the last step is given of a mosaic whose files lie under `root`."""
    asked = request()
    scenes = tuple(scene(number, day) for number, day in enumerate(DAYS, 1))
    tiles = cut_tiles(asked.aoi, asked.crs)
    kept = [QueriedScene(product_id=one.product_id, kept=True, reason="", scene=one) for one in scenes]
    left_out = QueriedScene(product_id="S2A_CLOUDY", kept=False, reason="cloud cover 97.3 % >= 95 %", scene=None)
    return MosaicParts(
        request=asked,
        result=QueryResult(scenes=(*kept, left_out)),
        tiles=tiles,
        sources=tuple(root / "work" / "sources" / str(tile.index) for tile in tiles),
        masks=tuple(root / "work" / "masks" / one.product_id for one in scenes),
        composites=tuple(root / "work" / f"{tile.index}_{gsd}.json" for tile in tiles for gsd in (10, 20)),
    )


def write_verdicts(parts: MosaicParts) -> None:
    """Scenes 1 and 2 were judged, scene 3 is broken."""
    for number, folder in enumerate(parts.masks, 1):
        folder.mkdir(parents=True)
        if number < 3:
            (folder / "scene.json").write_text(json.dumps({"clear_share": 0.9 - 0.2 * number, "simulated": True}))
    reason = "3: expected a JPEG 2000 image, found 12 bytes. Delete /data/s2/archive/3.zip and fetch it again."
    verdict = {"product_id": parts.result.kept[2].product_id, "reason": reason}
    (parts.masks[2] / "unusable.json").write_text(json.dumps(verdict))


def write_sources(folder: Path, tile: Tile, asked: MosaicRequest) -> UInt16Array:
    """Scene 1 in waves, scene 2 elsewhere, a round gap; returns the source numbers."""
    grid = tile.grid(20)
    row, col = np.mgrid[: grid.height, : grid.width]
    x, y = grid.left + 20 * col, grid.top - 20 * row
    source = np.where(np.sin(x / 3000) + np.cos(y / 2500) > 0, 1, 2)
    source[np.hypot(x - 94_000, y - 5_420_000) < 1_500] = 0
    inside = aoi_mask(asked.aoi, grid)
    source = np.where(inside, source, 0).astype(np.uint16)
    clear = np.where(source > 0, 1 + (x // 5000) % 2, 0).astype(np.uint16)
    level = np.where(source > 0, np.where(y > 5_422_000, 4, 1), 0).astype(np.uint16)
    bands = [source, clear, level, np.zeros_like(source), np.zeros_like(source)]
    folder.mkdir(parents=True)
    write_scratch(folder / "sources_20.tif", grid, dict(zip(SOURCE_BANDS, bands, strict=True)))
    figures = {
        "pixels": {str(number): int((source == number).sum()) for number in (1, 2)},
        "clear_pixels": {},
        "aoi_pixels": int(inside.sum()),
        "valid_share": float((source > 0).sum() / inside.sum()),
        "levels": {str(number): int((level[inside] == number).sum()) for number in (0, 1, 4)},
    }
    (folder / "sources.json").write_text(json.dumps(figures))
    return source


def write_mosaic_file(path: Path, grid: Grid, source: UInt16Array) -> None:
    """Bands that rise from north-west to south-east, a little brighter where scene 2 supplies; 0 where none does."""
    pixels = np.kron(source, np.ones((20 // grid.gsd, 20 // grid.gsd), dtype=np.uint16))
    row, col = np.mgrid[: grid.height, : grid.width]
    ground = 300 + 1500 * (row + col) / sum(grid.shape) + 100 * pixels
    bands = [np.where(pixels > 0, ground * (1 + 0.2 * number), 0) for number in range(4 if grid.gsd == 10 else 8)]
    write_raster(path, grid, np.stack(bands).astype(np.uint16))


def write_raster(path: Path, grid: Grid, bands: UInt16Array) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(bands),
        dtype="uint16",
        nodata=0,
        width=grid.width,
        height=grid.height,
        crs=grid.crs,
        transform=Affine.from_gdal(*grid.geotransform),
        tiled=True,
        compress="DEFLATE",
        zlevel=1,
    ) as file:
        file.write(bands)
