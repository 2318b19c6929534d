"""Means over larger pixels of bands that JPEG 2000 gave reduced."""

import numpy as np

from senard.algorithms.morphology import dilated, eroded
from senard.model.arrays import Float64Array, UInt8Array, UInt16Array
from senard.model.sentinel2 import NODATA_DN

RIM_PX = 2
"""Width of the rim whose reduced values hold some nodata, px of 60 m: wavelets of four pixels of 10 m reach 60 m, and
where they do not reach zero another 60 m."""


def without_dips(pixels: UInt16Array) -> UInt16Array:
    """A reduced band in which only whole areas count as nodata: wavelets dip to 0 beside edges of the darkest water.

    Args:
        pixels: (y, x) DN of a reduced image.

    Returns:
        (y, x) uint16, DN; 1 instead of 0 where no 3 x 3 pixels are 0, the image's own edge counted as 0.
    """
    empty = pixels == NODATA_DN
    areas = dilated(eroded(empty, beyond=True))
    return np.where(empty & ~areas, np.uint16(1), pixels)


def without_rim(pixels: UInt16Array) -> UInt16Array:
    """A reduced band without the pixels beside nodata, into which nodata was mixed; the image's own edge stays."""
    known = eroded(pixels > NODATA_DN, reach=RIM_PX, beyond=True)
    return np.where(known, pixels, np.uint16(NODATA_DN))


def area_means(pixels: UInt8Array | UInt16Array, shape: tuple[int, int], *, step: float, shift: float) -> UInt16Array:
    """Means over the larger pixels of another grid, by shares of area.

    A JPEG 2000 image reduced n times holds samples of the first pixel of each 2ⁿ, not of their middle: the 5/3 and 9/7
    filters are centred on even pixels. `shift` sets that right.

    Args:
        pixels: (y, x) DN, 0 is nodata.
        shape: (rows, columns) of the result, whose upper left corner is that of the image.
        step: side of a result's pixel in pixels of the image: 1.5 for 40 m to 60 m.
        shift: how far right of and below its place in the array a pixel of the image lies, in its own pixels; negative
            is left of and above.

    Returns:
        (y, x) uint16, DN; 0 wherever nodata takes part.
    """
    known = pixels > NODATA_DN
    total = _area_sum(_area_sum(pixels.astype(np.float64), shape[0], step, shift).T, shape[1], step, shift).T
    share = _area_sum(_area_sum(known.astype(np.float64), shape[0], step, shift).T, shape[1], step, shift).T
    # an edge pixel may reach beyond the image: what lies there is neither data nor nodata
    whole = np.outer(*(_area_sum(np.ones((size, 1)), count, step, shift)[:, 0] for size, count in _axes(pixels, shape)))
    known_there = share > whole * (1 - 1e-9)
    means = np.clip(np.rint(total / np.maximum(whole, 1e-9)), 1, 65535)
    return np.where(known_there & (whole > 0), means, 0).astype(np.uint16)


def _axes(pixels: UInt8Array | UInt16Array, shape: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """(size of the image, size of the result) along both axes."""
    return (pixels.shape[0], shape[0]), (pixels.shape[1], shape[1])


def _area_sum(values: Float64Array, count: int, step: float, shift: float) -> Float64Array:
    """Sums along the first axis between places `step` apart, in pixels of the array: fractions count by their share."""
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    edges = np.clip(np.arange(count + 1) * step - shift, 0, values.shape[0])
    below = np.minimum(edges.astype(np.int64), values.shape[0] - 1)
    at = running[below] + (edges - below)[:, np.newaxis] * values[below]
    return np.diff(at, axis=0)
