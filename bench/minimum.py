"""Which internal JPEG 2000 tiles a finished mosaic needed at least, told from its delivered QA layers alone."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer

from senard.io.jp2 import TiledImage
from senard.io.safe import image_path, read_product
from senard.model.arrays import BoolArray, Float64Array, Int64Array, UInt16Array
from senard.model.grid import Grid
from senard.model.sentinel2 import MOSAIC_BANDS

_STRIP = 16
"""Rows that are looked at together, and distance of the points that pyproj transforms, pixels of 20 m. Between them the
transform is taken as linear: over 320 m of EPSG:3857 that is within 3 mm."""

_SOURCE_GSD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededBand:
    """What must be decoded of one band of one product."""

    path: str
    """GDAL-openable."""

    gsd: int
    """Pixel side, m."""

    blocks: tuple[tuple[int, int], ...]
    """(row, column) of every internal tile in which a winning pixel's centre lies."""

    block_shape: tuple[int, int]
    """(rows, columns) of an internal tile."""

    per_tile: int
    """Sum over the mosaic's tiles of the internal tiles needed by each: what tasks that share nothing need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """One product at one pixel size."""

    grid: Grid
    block_shape: tuple[int, int]
    seen: BoolArray
    """(block row, block column), True: needed."""


def needed_bands(folder: Path, zips: Mapping[str, Path]) -> list[NeededBand]:
    """Find what a mosaic needed.

    Args:
        folder: the product folder, holds scenes.csv and layers/<i>_QA_20.tif.
        zips: product_id to zip.
    """
    with (folder / "scenes.csv").open(encoding="utf-8", newline="") as file:
        numbers = {int(row["source"]): row["product_id"] for row in csv.DictReader(file) if row["used"] == "true"}
    made = []
    for number, product_id in sorted(numbers.items()):
        product = read_product(zips[product_id])
        for gsd, names in MOSAIC_BANDS.items():
            paths = [image_path(product, f"{name}_{gsd}") for name in names]
            block_shape = TiledImage(paths[0]).block_shape
            whole = _blank(product.grids[gsd], block_shape)
            per_tile = 0
            for layer in sorted(folder.glob("layers/*_QA_20.tif")):
                own = _blank(product.grids[gsd], block_shape)
                _mark(layer, number, own)
                per_tile += int(own.seen.sum())
                whole.seen[own.seen] = True
            blocks = tuple((int(row), int(col)) for row, col in np.argwhere(whole.seen))
            for path in paths if blocks else []:
                made.append(NeededBand(path=path, gsd=gsd, blocks=blocks, block_shape=block_shape, per_tile=per_tile))
    return made


def _blank(grid: Grid, block_shape: tuple[int, int]) -> _Image:
    """Nothing needed yet."""
    blocks = (-(-grid.height // block_shape[0]), -(-grid.width // block_shape[1]))
    return _Image(grid=grid, block_shape=block_shape, seen=np.zeros(blocks, dtype=np.bool_))


def _mark(layer: Path, number: int, image: _Image) -> None:
    """Mark the internal tiles in which the centres of a source's pixels lie, strip by strip of a QA layer."""
    with rasterio.open(layer) as dataset:
        sources: UInt16Array = dataset.read(1)
        transform, crs = dataset.transform, dataset.crs
    transformer = Transformer.from_crs(crs, image.grid.crs, always_xy=True)
    for row in range(0, sources.shape[0], _STRIP):
        wins = sources[row : row + _STRIP] == number
        cols = np.flatnonzero(wins.any(axis=0))
        if cols.size:
            first, last = int(cols[0]), int(cols[-1]) + 1
            left, top = transform.c + first * _SOURCE_GSD, transform.f - row * _SOURCE_GSD
            _mark_strip(wins[:, first:last], left, top, transformer, image)


def _mark_strip(wins: BoolArray, left: float, top: float, transformer: Transformer, image: _Image) -> None:
    """Mark the internal tiles of the winning pixels of one strip, whose upper left corner is (left, top)."""
    gsd = image.grid.gsd
    factor = _SOURCE_GSD // gsd
    fine = wins.repeat(factor, axis=0).repeat(factor, axis=1)
    x = left + gsd * (np.arange(fine.shape[1], dtype=np.float64) + 0.5)
    y = top - gsd * (np.arange(fine.shape[0], dtype=np.float64) + 0.5)
    east, north = _transformed(x, y, transformer)
    rows = _block((image.grid.top - north) / gsd, image.block_shape[0], image.seen.shape[0])
    cols = _block((east - image.grid.left) / gsd, image.block_shape[1], image.seen.shape[1])
    found = np.bincount((rows * image.seen.shape[1] + cols)[fine], minlength=image.seen.size)
    image.seen.ravel()[found > 0] = True


def _block(place: Float64Array, side: int, count: int) -> Int64Array:
    """Internal tile of a place in pixels; centres in the rim of the product belong to its last tile."""
    return np.clip(np.floor(place / side), 0, count - 1).astype(np.int64)


def _transformed(x: Float64Array, y: Float64Array, transformer: Transformer) -> tuple[Float64Array, Float64Array]:
    """(east, north), each (y, x): exact at points 320 m apart in the first and last row, linear between."""
    points = np.append(np.arange(x[0], x[-1], _STRIP * _SOURCE_GSD), x[-1])
    share = ((y - y[0]) / (y[-1] - y[0]) if y.size > 1 else np.zeros(1))[:, np.newaxis]
    upper = transformer.transform(points, np.full(points.size, y[0]))
    lower = transformer.transform(points, np.full(points.size, y[-1]))
    moved = [
        np.interp(x, points, high) * (1 - share) + np.interp(x, points, low) * share
        for high, low in zip(upper, lower, strict=True)
    ]
    return moved[0], moved[1]
