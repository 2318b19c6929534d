"""Which internal JPEG 2000 tiles a finished mosaic needed at least, told from its delivered QA layers alone."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer

from senard.io.jp2 import TiledImage
from senard.io.safe import image_path, read_product
from senard.model.arrays import BoolArray, Float64Array, Int64Array, UInt16Array
from senard.model.grid import Grid
from senard.model.product import Sentinel2Product
from senard.model.sentinel2 import MOSAIC_BANDS

_STRIP = 16
"""Rows that are looked at together, and distance of the points that pyproj transforms, pixels of 20 m. Between them the
transform is taken as linear: over 320 m of EPSG:3857 that is within 3 mm."""

_SOURCE_GSD = 20

_OTHER_ZONE_M = 1e7
# Farther than any product is wide.


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

    def blank(self) -> "_Image":
        """The same with nothing needed."""
        return replace(self, seen=np.zeros_like(self.seen))


def needed_bands(folder: Path, zips: Mapping[str, Path]) -> list[NeededBand]:
    """Find what a mosaic needed.

    Args:
        folder: the product folder, holds scenes.csv and layers/<i>_QA_20.tif.
        zips: product_id to zip.
    """
    sources: dict[int, list[Sentinel2Product]] = {}
    with (folder / "scenes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["used"] == "true":
                sources.setdefault(int(row["source"]), []).append(read_product(zips[row["product_id"]]))
    layers = sorted(folder.glob("layers/*_QA_20.tif"))
    made: list[NeededBand] = []
    for number, products in sorted(sources.items()):
        for gsd, names in MOSAIC_BANDS.items():
            images = [_nothing_needed(product, f"{names[0]}_{gsd}", gsd) for product in products]
            per_tile = [0] * len(images)
            for layer in layers:
                own = [image.blank() for image in images]
                _mark(layer, number, own)
                for index, image in enumerate(own):
                    per_tile[index] += int(image.seen.sum())
                    images[index].seen[image.seen] = True
            for product, image, count in zip(products, images, per_tile, strict=True):
                made += _bands(product, image, count, names)
    return made


def _bands(product: Sentinel2Product, image: _Image, per_tile: int, names: Sequence[str]) -> Iterator[NeededBand]:
    """All bands of one pixel size of one product, if any pixel of it won."""
    gsd = image.grid.gsd
    blocks = tuple((int(row), int(col)) for row, col in np.argwhere(image.seen))
    for name in names if blocks else ():
        yield NeededBand(
            path=image_path(product, f"{name}_{gsd}"),
            gsd=gsd,
            blocks=blocks,
            block_shape=image.block_shape,
            per_tile=per_tile,
        )


def _nothing_needed(product: Sentinel2Product, key: str, gsd: int) -> _Image:
    grid, block_shape = product.grids[gsd], TiledImage(image_path(product, key)).block_shape
    blocks = (-(-grid.height // block_shape[0]), -(-grid.width // block_shape[1]))
    return _Image(grid=grid, block_shape=block_shape, seen=np.zeros(blocks, dtype=np.bool_))


def _mark(layer: Path, number: int, images: Sequence[_Image]) -> None:
    """Mark the internal tiles in which the centres of a source's pixels lie, strip by strip of a QA layer.

    Args:
        layer: the QA layer.
        number: the source.
        images: of all products of that overflight, changed in place.
    """
    with rasterio.open(layer) as dataset:
        sources: UInt16Array = dataset.read(1)
        transform, crs = dataset.transform, dataset.crs
    lonlat = Transformer.from_crs(crs, 4326, always_xy=True)
    transformers = [Transformer.from_crs(crs, image.grid.crs, always_xy=True) for image in images]
    for row in range(0, sources.shape[0], _STRIP):
        wins = sources[row : row + _STRIP] == number
        cols = np.flatnonzero(wins.any(axis=0))
        if not cols.size:
            continue
        first, last = int(cols[0]), int(cols[-1]) + 1
        factor = _SOURCE_GSD // images[0].grid.gsd
        fine = wins[:, first:last].repeat(factor, axis=0).repeat(factor, axis=1)
        x, y = (
            start + step * (np.arange(count, dtype=np.float64) + 0.5)
            for start, step, count in (
                (transform.c + first * _SOURCE_GSD, images[0].grid.gsd, fine.shape[1]),
                (transform.f - row * _SOURCE_GSD, -images[0].grid.gsd, fine.shape[0]),
            )
        )
        places = [_transformed(x, y, transformer) for transformer in transformers]
        nearest = _nearest(images, places, _transformed(x, y, lonlat)[0]) if len(images) > 1 else np.zeros_like(fine)
        for index, (image, place) in enumerate(zip(images, places, strict=True)):
            _mark_blocks(fine & (nearest == index), *place, image)


def _nearest(
    images: Sequence[_Image], places: Sequence[tuple[Float64Array, Float64Array]], longitude: Float64Array
) -> Int64Array:
    """(y, x) which product supplies each pixel: of the pixel's own UTM zone, then whose centre is nearer.

    Source: docs/explanation/how-pixels-are-chosen.md, on granules of one overflight that overlap.
    """
    zone = np.floor((longitude + 180) / 6).astype(np.int64) + 1
    ranks = []
    for image, (east, north) in zip(images, places, strict=True):
        bounds = image.grid.bounds
        away = np.hypot(east - (bounds.left + bounds.right) / 2, north - (bounds.bottom + bounds.top) / 2)
        away[zone != int(image.grid.crs[-2:])] += _OTHER_ZONE_M
        away[(east < bounds.left) | (east >= bounds.right) | (north <= bounds.bottom) | (north > bounds.top)] = np.inf
        ranks.append(away)
    nearest: Int64Array = np.argmin(ranks, axis=0)
    return nearest


def _mark_blocks(wins: BoolArray, east: Float64Array, north: Float64Array, image: _Image) -> None:
    """Mark the internal tiles of winning pixels."""
    gsd = image.grid.gsd
    rows = _block((image.grid.top - north) / gsd, image.block_shape[0], image.seen.shape[0])
    cols = _block((east - image.grid.left) / gsd, image.block_shape[1], image.seen.shape[1])
    found = np.bincount((rows * image.seen.shape[1] + cols)[wins], minlength=image.seen.size)
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
