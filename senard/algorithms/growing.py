"""Objects grown by a Gaussian neighbourhood: bit for bit what smoothing a whole raster and cutting it gives.

Where a neighbourhood is all object or all ground the sum is known beforehand, and a row is smoothed across as soon as
it is smoothed down: neither raster of sums nor a turned one is kept, a sixth of the memory.
"""

import numpy as np
from numba import njit

from senard.model.arrays import BoolArray, Float32Array, Int64Array, UInt8Array

_TILE = 64
"""Pixels of a row that are looked at together."""


def grown(objects: BoolArray, kernel: Float32Array, threshold: float) -> BoolArray:
    """Where the weighted share of objects around a pixel is above a threshold.

    Args:
        objects: (y, x), True where an object lies; beyond the edges the edge pixels go on.
        kernel: see `senard.algorithms.smoothing.gaussian_kernel`.
        threshold: weight of the objects around, 0-1.

    Returns:
        (y, x), as `smooth(objects, kernel) > threshold` gives it.
    """
    values = np.ascontiguousarray(objects).view(np.uint8)
    counts = _filled_rows(values)
    return _grown(values, counts, kernel, np.float32(threshold)).view(np.bool_)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _filled_rows(values: UInt8Array) -> Int64Array:
    """(2, rows + 1, tiles): rows above, counted from the first, in which a tile holds any object, and any ground."""
    rows, cols = values.shape
    tiles = (cols + _TILE - 1) // _TILE
    counts = np.zeros((2, rows + 1, tiles), dtype=np.int64)
    for row in range(rows):
        for tile in range(tiles):
            part = values[row, tile * _TILE : min((tile + 1) * _TILE, cols)]
            some, every = np.uint8(0), np.uint8(1)
            for value in part:
                some |= value
                every &= value
            counts[0, row + 1, tile] = counts[0, row, tile] + np.int64(some)
            counts[1, row + 1, tile] = counts[1, row, tile] + np.int64(1 - every)
    return counts


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _full(kernel: Float32Array, value: np.float32) -> np.float32:
    """Sum over a neighbourhood of one value, added in the order of all others."""
    total = kernel[0] * value
    for offset in range(1, kernel.size):
        total += kernel[offset] * (value + value)
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _down(
    values: UInt8Array, counts: Int64Array, kernel: Float32Array, row: int, sums: Float32Array, kind: UInt8Array
) -> None:
    """Sums down the columns of one row; kind of a tile: 0 all zero, 1 all full, 2 mixed."""
    rows, cols = values.shape
    reach = kernel.size - 1
    top, bottom = max(row - reach, 0), min(row + reach, rows - 1) + 1
    full = _full(kernel, np.float32(1))
    for tile in range(kind.size):
        start, stop = tile * _TILE, min((tile + 1) * _TILE, cols)
        part = sums[start:stop]
        if counts[0, bottom, tile] == counts[0, top, tile]:
            kind[tile] = 0
            part[:] = np.float32(0)
            continue
        if counts[1, bottom, tile] == counts[1, top, tile]:
            kind[tile] = 1
            part[:] = full
            continue
        kind[tile] = 2
        here = values[row, start:stop]
        for col in range(part.size):
            part[col] = kernel[0] * np.float32(here[col])
        for offset in range(1, kernel.size):
            above, below = values[max(row - offset, 0), start:stop], values[min(row + offset, rows - 1), start:stop]
            weight = kernel[offset]
            for col in range(part.size):
                part[col] += weight * np.float32(np.uint8(above[col] + below[col]))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _grown(values: UInt8Array, counts: Int64Array, kernel: Float32Array, threshold: np.float32) -> UInt8Array:
    """Row after row: sums down, sums across, cut."""
    rows, cols = values.shape
    reach = kernel.size - 1
    out = np.zeros((rows, cols), dtype=np.uint8)
    kind = np.empty(counts.shape[2], dtype=np.uint8)
    line = np.empty(cols + 2 * reach, dtype=np.float32)
    sums = line[reach : reach + cols]
    total = np.empty(_TILE, dtype=np.float32)
    saturated = np.uint8(_full(kernel, _full(kernel, np.float32(1))) > threshold)
    for row in range(rows):
        _down(values, counts, kernel, row, sums, kind)
        line[:reach] = sums[0]
        line[reach + cols :] = sums[cols - 1]
        for tile in range(kind.size):
            start, stop = tile * _TILE, min((tile + 1) * _TILE, cols)
            around = kind[max(start - reach, 0) // _TILE : min(stop - 1 + reach, cols - 1) // _TILE + 1]
            if around[0] != 2 and (around == around[0]).all():
                if around[0] == 1:
                    out[row, start:stop] = saturated
                continue
            part, size = total[: stop - start], stop - start
            here = sums[start:stop]
            for col in range(size):
                part[col] = kernel[0] * here[col]
            for offset in range(1, kernel.size):
                left = line[start + reach - offset : stop + reach - offset]
                right = line[start + reach + offset : stop + reach + offset]
                weight = kernel[offset]
                for col in range(size):
                    part[col] += weight * (left[col] + right[col])
            for col in range(size):
                out[row, start + col] = part[col] > threshold
    return out
