"""What other tiles of the mosaic need of a product's image too."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from senard.algorithms.warp import Correspondence, Wins, locate, needed_squares, wins_of
from senard.io.geotiff import ScratchReader
from senard.io.jp2 import TiledImage
from senard.io.shared_tiles import Others
from senard.io.sources_file import SOURCES_RASTER
from senard.model.arrays import BoolArray
from senard.model.grid import Grid, Tile, Window

_SOURCE_GSD = 20
"""Pixel side of the source map, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strip:
    """Part of another tile's source map that lies near this tile."""

    grid: Grid
    wins: tuple[Wins, ...]


@dataclass(slots=True, kw_only=True)
class Sharing:
    """What one tile has in common with others."""

    folder: Path
    """Where decoded tiles lie, see `senard.io.shared_tiles`."""
    tile: Tile
    """This tile."""
    others: Sequence[tuple[Tile, Path]]
    """Other tiles of the mosaic, and the folder of the source map of each."""
    mixed: bool = False
    """Whether the second source of a pixel is read too."""
    _strips: dict[int, list[_Strip]] = field(default_factory=dict)
    """Width in pixels of the source map to what lies around this tile."""

    def needed_by_others(self, number: int, source: Grid, where: Correspondence, image: TiledImage) -> Others:
        """What other tiles need of a source's images.

        Args:
            number: the source.
            source: grid of the images.
            where: where the pixels of this tile lie in them.
            image: one of them.
        """
        factor = _SOURCE_GSD // source.gsd
        reach = -(-int(1.5 * max(image.block_shape) / _image_pixels(where)) // factor)
        if reach not in self._strips:
            self._strips[reach] = list(self._around(reach))
        count = np.zeros(image.blocks, dtype=np.uint8)
        squares = np.zeros(image.squares, dtype=np.bool_)
        for strip in self._strips[reach]:
            needed = _needed(strip, number, source, factor, image.square_shape)
            if needed is not None:
                count += image.blocks_with(needed)
                squares |= needed
        return Others(count=count, squares=squares)

    def _around(self, reach: int) -> "list[_Strip]":
        """Source maps of other tiles within some pixels of this one."""
        near, found = self.tile.grid(_SOURCE_GSD).padded(reach).bounds, list[_Strip]()
        for tile, folder in self.others:
            if tile.left < near.right and tile.right > near.left and tile.bottom < near.top and tile.top > near.bottom:
                window = Window(
                    row_start=max(0, int(tile.top - near.top) // _SOURCE_GSD),
                    row_stop=(tile.top - max(tile.bottom, int(near.bottom))) // _SOURCE_GSD,
                    col_start=max(0, int(near.left - tile.left) // _SOURCE_GSD),
                    col_stop=(min(tile.right, int(near.right)) - tile.left) // _SOURCE_GSD,
                )
                with ScratchReader(folder / SOURCES_RASTER) as reader:
                    maps = [reader.read(window, band) for band in ("source", *(["second"] if self.mixed else []))]
                found.append(
                    _Strip(
                        grid=tile.grid(_SOURCE_GSD).crop(window), wins=tuple(one for m in maps for one in wins_of(m))
                    )
                )
        return found


def _needed(strip: _Strip, number: int, source: Grid, factor: int, square: tuple[int, int]) -> BoolArray | None:
    """Squares that a source supplies to a strip; None for none."""
    own = [wins for wins in strip.wins if wins.number == number]
    if not own:
        return None
    where = locate(strip.grid.at(source.gsd), source)
    needed: BoolArray = np.logical_or.reduce([needed_squares(where, wins, factor, square) for wins in own])
    return needed


def _image_pixels(where: Correspondence) -> float:
    """Pixels of the image for each pixel of the output, about, at least a quarter."""
    steps = [np.abs(np.diff(nodes, axis=axis)) for nodes in (where.rows, where.cols) for axis in (0, 1)]
    return max(0.25, max(float(np.median(step)) for step in steps if step.size) / 32)
