"""Squares moved over a raster: erosion, dilation, opening; a tenth of the time of a general structuring element."""

import numpy as np
from numba import njit

from senard.model.arrays import BoolArray, UInt8Array


def eroded(objects: BoolArray, *, reach: int = 1, beyond: bool = False) -> BoolArray:
    """Objects without their rim.

    Args:
        objects: (y, x), True where an object lies.
        reach: width of the rim, px; a corner counts like a side.
        beyond: whether what lies beyond the raster counts as object: then no rim is taken off at its edge.

    Returns:
        (y, x), True where the (2 reach + 1) x (2 reach + 1) pixels around a pixel are all True.
    """
    return _all_around(_bytes(objects), reach, beyond, 0).view(np.bool_)


def dilated(objects: BoolArray, *, reach: int = 1) -> BoolArray:
    """Objects with a rim added: True where any of the (2 reach + 1) x (2 reach + 1) pixels around a pixel is True."""
    return _all_around(_bytes(objects), reach, True, 1).view(np.bool_)


def opened(objects: BoolArray, *, reach: int = 1) -> BoolArray:
    """Objects without specks: what squares of (2 reach + 1) x (2 reach + 1) pixels cover that lie wholly inside."""
    return dilated(eroded(objects, reach=reach), reach=reach)


def _bytes(objects: BoolArray) -> UInt8Array:
    """The same memory as 0 and 1: loops over bytes are compiled into vectors, loops over truth values are not."""
    return np.ascontiguousarray(objects).view(np.uint8)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _all_around(values: UInt8Array, reach: int, beyond: bool, turned: int) -> UInt8Array:
    """1 where all around is 1; with `turned` 1, 0 where all around is 0 (what is beyond is given turned already)."""
    rows, cols = values.shape
    out = np.empty((rows, cols), dtype=np.uint8)
    flip, edge = np.uint8(turned), np.uint8(beyond)
    line = np.full(cols + 2 * reach, edge, dtype=np.uint8)
    inner = line[reach : reach + cols]
    for row in range(rows):
        if row >= reach and row + reach < rows:
            inner[:] = values[row] ^ flip
        else:
            inner[:] = (values[row] ^ flip) & edge
        for near in range(max(row - reach, 0), min(row + reach, rows - 1) + 1):
            if near != row:
                other = values[near]
                for col in range(cols):
                    inner[col] &= other[col] ^ flip
        target = out[row]
        target[:] = inner
        for shift in range(1, reach + 1):
            left, right = line[reach - shift : reach - shift + cols], line[reach + shift : reach + shift + cols]
            for col in range(cols):
                target[col] &= left[col] & right[col]
        for col in range(cols):
            target[col] ^= flip
    return out
