"""What the products that supply a tile say of each pixel."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from senard.algorithms.nadir import has_no_factor
from senard.algorithms.nearest import PixelCoordinates, coordinates, needed_window, take_nearest
from senard.algorithms.warp import wins_of
from senard.io.geotiff import read_scratch
from senard.io.mask_folder import RASTER_20, read_judgement
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.grid import Grid

OBLIQUE = 0x8000
"""Added to source numbers where a pixel keeps the view that it was seen in; there are fewer scenes than that."""

BLOCK_PX = 1024
"""Side of the blocks that classes are read in, px of 20 m."""


def mark_oblique(sources: UInt16Array, grid: Grid, masks: Mapping[int, Path]) -> UInt16Array:
    """A source map with OBLIQUE added where the pixel is water or snow for its own source.

    Args:
        sources: (y, x) uint16, source numbers; 0 is none.
        grid: its pixels of 20 m.
        masks: source number to mask folder.
    """
    marked = sources.copy()
    grids = {wins.number: read_judgement(masks[wins.number]).grids[20] for wins in wins_of(sources)}
    for window in grid.blocks(BLOCK_PX):
        block = marked[window.slices]
        kept = has_no_factor(classes_of_sources(block, grid.crop(window), grids, masks))
        block[kept & (block > 0)] |= np.uint16(OBLIQUE)
    return marked


def classes_of_sources(
    source: UInt16Array, grid: Grid, grids: Mapping[int, Grid], masks: Mapping[int, Path]
) -> UInt8Array:
    """The band `class` of the mask folder of each pixel's own source: the pixel of the product that holds its centre.

    Args:
        source: (y, x) uint16, source numbers; 0 is none.
        grid: its pixels of 20 m.
        grids: source number to the product's own 20 m grid.
        masks: source number to mask folder.

    Returns:
        (y, x) uint8, bits as of `senard.model.masks`; 0 where there is no source.
    """
    classes = np.zeros(source.shape, dtype=np.uint8)
    known: dict[str, PixelCoordinates] = {}
    for number in sorted(set(np.unique(source).tolist()) - {0}):
        own = grids[number]
        if own.crs not in known:
            known[own.crs] = coordinates(grid, own.crs)
        window = needed_window(known[own.crs], own)
        if window is not None:
            bits = read_scratch(masks[number] / RASTER_20, window, ("class",))
            classes = np.where(source == number, take_nearest(bits, own.crop(window), known[own.crs])[0], classes)
    return classes
