"""The floor under the job's cost: decode each needed JPEG 2000 tile once, read the small rasters, write the result.

`python -m bench.floor SPEC.json` runs it in processes of its own and writes the figures to the file that SPEC names.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.windows import Window as RasterWindow

from bench.minimum import NeededBand, needed_bands
from senard.io.safe import image_path, read_product
from senard.model.sentinel2 import JUDGE_BANDS

_SMALL = ("SCL_20", "CLDPRB_60", *(f"{band}_60" for band in JUDGE_BANDS))
"""What judging cannot do without, of every candidate scene."""

_ONE_THREAD = {"GDAL_NUM_THREADS": 1, "GDAL_PAM_ENABLED": False, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}

_COG: dict[str, Any] = {
    "BLOCKSIZE": 512,
    "COMPRESS": "DEFLATE",
    "LEVEL": 6,
    "PREDICTOR": 2,
    "BIGTIFF": "IF_SAFER",
    "STATISTICS": "YES",
    "NUM_THREADS": 1,
}
# The delivered files as docs/reference/product.md describes them. Statistics cost next to nothing.


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One part of the work, done by one process without a pause."""

    kind: str
    """"decode", "small" or "write"."""

    path: str
    """Image to decode, or file to write again."""

    band: NeededBand | None = None
    """Which internal tiles; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one piece took; what prepares it (opening arrays to write) lies outside the clock."""

    kind: str
    process: int
    seconds: float
    cpu_seconds: float
    """All threads of the process, s."""
    bytes_written: int = 0


def pieces(folder: Path, zips: Sequence[Path], needed: Sequence[NeededBand]) -> list[Piece]:
    """All the work, the largest pieces first."""
    made = [Piece(kind="write", path=str(path)) for path in _delivered(folder)]
    made += [Piece(kind="decode", path=band.path, band=band) for band in needed]
    for path in zips:
        product = read_product(path)
        made += [Piece(kind="small", path=image_path(product, key)) for key in _SMALL if key in product.images]
    return sorted(made, key=lambda piece: -_size(piece))


def _delivered(folder: Path) -> list[Path]:
    """Every raster of a product."""
    return sorted([*folder.glob("*_[12]0.tif"), *folder.glob("layers/*_QA_20.tif")])


def _size(piece: Piece) -> float:
    """About how long it takes: decoding runs at 8 million pixels per second, writing at 30 million."""
    if piece.band is not None:
        return len(piece.band.blocks) * float(np.prod(piece.band.block_shape)) / 8e6
    with rasterio.open(piece.path) as dataset:
        return float(dataset.width * dataset.height * dataset.count) / (30e6 if piece.kind == "write" else 8e6)


def do(piece: Piece) -> Cost:
    """Do one piece and say what it took."""
    with rasterio.Env(**_ONE_THREAD):
        if piece.kind == "write":
            return _write(Path(piece.path))
        return _timed(piece.kind, lambda: _decode(piece))


def _decode(piece: Piece) -> int:
    with rasterio.open(piece.path) as dataset:
        if piece.band is None:
            dataset.read(1)
            return 0
        height, width = piece.band.block_shape
        for row, col in piece.band.blocks:
            top, left = row * height, col * width
            size = (min(width, dataset.width - left), min(height, dataset.height - top))
            dataset.read(1, window=RasterWindow(left, top, *size))
    return 0


def _write(path: Path) -> Cost:
    """Write a delivered file again, from memory, beside itself."""
    again = path.with_name(f".again.{path.name}")
    overviews = "NEAREST" if path.stem.endswith("_20") else "AVERAGE"
    with rasterio.open(path) as delivered, rasterio.open("", "w", **{**delivered.profile, **_IN_MEMORY}) as memory:
        for number in range(1, delivered.count + 1):
            memory.write(delivered.read(number), number)
        memory.descriptions = delivered.descriptions

        def copy() -> int:
            rasterio.shutil.copy(memory, again, driver="COG", OVERVIEW_RESAMPLING=overviews, **_COG)
            return again.stat().st_size

        try:
            return _timed("write", copy)
        finally:
            again.unlink(missing_ok=True)


_IN_MEMORY: dict[str, Any] = {"driver": "MEM", "tiled": False, "compress": None, "blockxsize": None, "blockysize": None}


def _timed(kind: str, work: Callable[[], int]) -> Cost:
    started, cpu = time.perf_counter(), time.process_time()
    written = work()
    return Cost(
        kind=kind,
        process=multiprocessing.current_process().pid or 0,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu,
        bytes_written=written,
    )


def run_all(work: Sequence[Piece], processes: int) -> list[Cost]:
    """Do all pieces in some processes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return list(pool.map(do, work))


def summary(costs: Sequence[Cost]) -> dict[str, Any]:
    """Seconds by kind, and of the busiest process: what lies between the clocks is not counted."""
    kinds: dict[str, dict[str, float]] = {}
    busy: dict[int, float] = {}
    for cost in costs:
        kind = kinds.setdefault(cost.kind, {"pieces": 0, "seconds": 0.0, "cpu_seconds": 0.0})
        kind["pieces"] += 1
        kind["seconds"] += cost.seconds
        kind["cpu_seconds"] += cost.cpu_seconds
        busy[cost.process] = busy.get(cost.process, 0.0) + cost.seconds
    return {
        "kinds": kinds,
        "seconds": max(busy.values()),
        "cpu_seconds": sum(cost.cpu_seconds for cost in costs),
        "bytes_written": sum(cost.bytes_written for cost in costs),
    }


def main(spec: Path) -> None:
    """Measure the floor that a spec describes.

    Args:
        spec: JSON with `product` (folder), `zips` (product_id to zip), `processes` (list of numbers) and `out`.
    """
    asked = json.loads(spec.read_text(encoding="utf-8"))
    folder = Path(asked["product"])
    zips = {product_id: Path(path) for product_id, path in asked["zips"].items()}
    needed = needed_bands(folder, zips)
    work = pieces(folder, list(zips.values()), needed)
    record = {
        "needed_tiles": sum(len(band.blocks) for band in needed),
        "needed_tiles_per_mosaic_tile": sum(band.per_tile for band in needed),
        "delivered_bytes": sum(path.stat().st_size for path in _delivered(folder)),
        "runs": {str(count): summary(run_all(work, count)) for count in asked["processes"]},
        "pieces": [asdict(piece) for piece in work],
    }
    Path(asked["out"]).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
