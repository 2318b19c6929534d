"""What the products that supply a tile say of each pixel."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from senard.algorithms.nadir import has_no_factor
from senard.algorithms.nearest import PixelCoordinates, coordinates, needed_window, take_nearest
from senard.algorithms.slopes import keeps_light
from senard.algorithms.warp import wins_of
from senard.io.geotiff import read_scratch
from senard.io.mask_folder import RASTER_20, read_judgement
from senard.io.slopes_folder import read_light
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.land import LAND_GSD

OBLIQUE = 0x8000
"""Added to source numbers where a pixel keeps the view that it was seen in; there are fewer scenes than that."""

SLOPING = 0x4000
"""Added to source numbers where a pixel keeps the light that it was seen in."""

MARKS = OBLIQUE | SLOPING
"""Both."""

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


def mark_sloping(sources: UInt16Array, grid: Grid, masks: Mapping[int, Path], folder: Path) -> UInt16Array:
    """SLOPING where a pixel keeps its light: for its own source it is water, snow, cloud or shadow, turned away from
    the sun, or in the shade of relief, or the source has slopes that show nothing.

    Args:
        sources: (y, x) uint16, source numbers; 0 is none.
        grid: its pixels of 20 m.
        masks: source number to mask folder.
        folder: of `correct_slopes`.

    Returns:
        (y, x) uint16, SLOPING or 0.
    """
    marks = np.zeros_like(sources)
    grids = {wins.number: read_judgement(masks[wins.number]).grids[20] for wins in wins_of(sources)}
    for window in grid.blocks(BLOCK_PX):
        block, pixels = sources[window.slices], grid.crop(window)
        lit, steep = _lit_and_steep(block, pixels, folder)
        kept = keeps_light(classes_of_sources(block, pixels, grids, masks), steep) | ~lit
        marks[window.slices][kept & (block > 0)] = SLOPING
    return marks


def _lit_and_steep(source: UInt16Array, grid: Grid, folder: Path) -> BoolArray:
    """(2, y, x) pixels that the sun of their own source meets, and those too steep for water.

    Each lies in one pixel of 60 m, for tiles begin at multiples of 20 m.
    """
    rows = np.floor(-grid.top / LAND_GSD + (np.arange(grid.height) + 0.5) * grid.gsd / LAND_GSD).astype(np.intp)
    cols = np.floor(grid.left / LAND_GSD + (np.arange(grid.width) + 0.5) * grid.gsd / LAND_GSD).astype(np.intp)
    coarse = Grid(
        crs=grid.crs,
        left=float(cols[0] * LAND_GSD),
        top=float(-rows[0] * LAND_GSD),
        gsd=LAND_GSD,
        width=int(cols[-1] - cols[0]) + 1,
        height=int(rows[-1] - rows[0]) + 1,
    )
    found = np.zeros((2, *source.shape), dtype=np.bool_)
    for number in sorted(set(np.unique(source).tolist()) - {0}):
        layers = read_light(folder, number, coarse)
        if layers is not None:
            found |= (source == number) & (layers[1:] > 0)[:, (rows - rows[0])[:, None], cols - cols[0]]
    return found


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
