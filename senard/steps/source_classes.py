"""What the products that supply a tile say of each pixel."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from senard.algorithms.nearest import PixelCoordinates, coordinates, needed_window, take_nearest
from senard.io.geotiff import read_scratch
from senard.io.mask_folder import RASTER_20
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.grid import Grid


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
