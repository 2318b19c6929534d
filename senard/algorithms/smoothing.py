"""Gaussian neighbourhoods and distances, bit for bit the same wherever a raster is cut."""

import math

import numpy as np
from numba import njit

from senard.model.arrays import BoolArray, Float32Array, UInt8Array
from senard.model.masks import FAR


def gaussian_kernel(sigma_px: float, *, radius: int) -> Float32Array:
    """One half of a Gaussian of unit sum over 2 radius + 1 pixels.

    Args:
        sigma_px: standard deviation, px.
        radius: reach, px.

    Returns:
        (radius + 1,) float32: weight of the pixel itself, of its neighbours at 1 px, 2 px …
    """
    weights = [math.exp(-0.5 * (offset / sigma_px) ** 2) for offset in range(radius + 1)]
    total = weights[0] + 2 * sum(weights[1:])
    return np.array([weight / total for weight in weights], dtype=np.float32)


def smooth(values: Float32Array, kernel: Float32Array, *, at: BoolArray | None = None) -> Float32Array:
    """Weighted mean of each pixel's neighbourhood; beyond the edges the edge pixels go on.

    The terms of a pixel are always added in the same order, so a raster cut elsewhere gives the same bits wherever
    the whole neighbourhood lies inside.

    Args:
        values: (y, x) float32.
        kernel: see `gaussian_kernel`.
        at: (y, x), True where the mean is wanted; None: everywhere.

    Returns:
        (y, x) float32; 0 or the mean where it is not wanted.
    """
    out = np.zeros(values.shape, dtype=np.float32)
    line = np.empty(values.shape[1] + 2 * (kernel.size - 1), dtype=np.float32)
    if at is None:
        _smooth(np.ascontiguousarray(values), kernel, line, out)
    else:
        _smooth_at(np.ascontiguousarray(values), kernel, at, line, out)
    return out


def distance_to(objects: BoolArray) -> UInt8Array:
    """Euclidean distance to the nearest True pixel, rounded, in pixels.

    Args:
        objects: (y, x), True where an object lies.

    Returns:
        (y, x) uint8, 0 on objects, diagonal neighbours 1; 255 means 255 or farther, or no object at all.
    """
    return _row_distance(_column_distance(np.ascontiguousarray(objects)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _smooth(values: Float32Array, kernel: Float32Array, line: Float32Array, out: Float32Array) -> None:
    """Smooth every row."""
    for row in range(values.shape[0]):
        _smooth_stretch(values, kernel, row, 0, values.shape[1], line, out)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _smooth_at(
    values: Float32Array, kernel: Float32Array, at: BoolArray, line: Float32Array, out: Float32Array
) -> None:
    """Smooth each row between pixels that are wanted; those whose neighbourhoods meet are done together."""
    rows, cols = values.shape
    for row in range(rows):
        start, stop = -1, -1
        for col in range(cols):
            if at[row, col]:
                if start >= 0 and col - stop >= 2 * kernel.size:
                    _smooth_stretch(values, kernel, row, start, stop, line, out)
                    start = -1
                start, stop = (col if start < 0 else start), col + 1
        if start >= 0:
            _smooth_stretch(values, kernel, row, start, stop, line, out)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _smooth_stretch(
    values: Float32Array, kernel: Float32Array, row: int, start: int, stop: int, line: Float32Array, out: Float32Array
) -> None:
    """Smooth down the columns into one line, and that line along itself: all in vectors as long as the stretch."""
    rows, cols = values.shape
    reach = kernel.size - 1
    left, right = max(start - reach, 0), min(stop + reach, cols)
    middle = line[reach + left : reach + right]
    for col in range(left, right):
        middle[col - left] = kernel[0] * values[row, col]
    for offset in range(1, kernel.size):
        above, below = values[max(row - offset, 0), left:right], values[min(row + offset, rows - 1), left:right]
        weight = kernel[offset]
        for col in range(right - left):
            middle[col] += weight * (above[col] + below[col])
    line[:reach] = middle[0]  # read only where the stretch reaches the edge
    line[reach + cols :] = middle[right - left - 1]
    own, smooth_row = line[reach + start : reach + stop], out[row, start:stop]
    for col in range(stop - start):
        smooth_row[col] = kernel[0] * own[col]
    for offset in range(1, kernel.size):
        before = line[reach + start - offset : reach + stop - offset]
        after = line[reach + start + offset : reach + stop + offset]
        weight = kernel[offset]
        for col in range(stop - start):
            smooth_row[col] += weight * (before[col] + after[col])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _column_distance(objects: BoolArray) -> UInt8Array:
    """Distance to the nearest object in the same column, px, at most 255."""
    rows, cols = objects.shape
    out = np.empty((rows, cols), dtype=np.uint8)
    for col in range(cols):
        out[0, col] = 0 if objects[0, col] else FAR
    for row in range(1, rows):
        for col in range(cols):
            out[row, col] = 0 if objects[row, col] else min(int(out[row - 1, col]) + 1, FAR)
    for row in range(rows - 2, -1, -1):
        for col in range(cols):
            out[row, col] = min(int(out[row, col]), int(out[row + 1, col]) + 1)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _row_distance(vertical: UInt8Array) -> UInt8Array:
    """Lower envelope of the parabolas that the column distances of one row span."""
    rows, cols = vertical.shape
    out = np.full((rows, cols), FAR, dtype=np.uint8)
    vertex = np.empty(cols, dtype=np.int64)
    start = np.empty(cols + 1, dtype=np.float64)
    for row in range(rows):
        count = 0
        for col in range(cols):
            height = int(vertical[row, col])
            if height >= FAR:
                continue
            level = height * height + col * col
            while count > 0:
                last = vertex[count - 1]
                other = int(vertical[row, last])
                crossing = (level - (other * other + last * last)) / (2.0 * (col - last))
                if crossing > start[count - 1]:
                    break
                count -= 1
            start[count] = crossing if count > 0 else -1.0e9
            vertex[count] = col
            count += 1
        piece = 0
        for col in range(cols):
            if count == 0:
                break
            while piece + 1 < count and start[piece + 1] < col:
                piece += 1
            across = int(col - vertex[piece])
            height = int(vertical[row, vertex[piece]])
            out[row, col] = min(int(np.sqrt(np.float64(across * across + height * height)) + 0.5), FAR)
    return out
