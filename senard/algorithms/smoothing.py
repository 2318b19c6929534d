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


def smooth(values: Float32Array, kernel: Float32Array) -> Float32Array:
    """Weighted mean of each pixel's neighbourhood; beyond the edges the edge pixels go on.

    The terms of a pixel are always added in the same order, so a raster cut elsewhere gives the same bits wherever
    the whole neighbourhood lies inside.

    Args:
        values: (y, x) float32.
        kernel: see `gaussian_kernel`.

    Returns:
        (y, x) float32.
    """
    return _smooth(np.ascontiguousarray(values), kernel)


def distance_to(objects: BoolArray) -> UInt8Array:
    """Euclidean distance to the nearest True pixel, rounded, in pixels.

    Args:
        objects: (y, x), True where an object lies.

    Returns:
        (y, x) uint8, 0 on objects, diagonal neighbours 1; 255 means 255 or farther, or no object at all.
    """
    return _row_distance(_column_distance(np.ascontiguousarray(objects)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _smooth(values: Float32Array, kernel: Float32Array) -> Float32Array:
    """Smooth down the columns into one line, and that line along itself: all in vectors as long as a row."""
    rows, cols = values.shape
    reach = kernel.size - 1
    out = np.empty_like(values)
    line = np.empty(cols + 2 * reach, dtype=np.float32)
    middle = line[reach : reach + cols]
    for row in range(rows):
        for col in range(cols):
            middle[col] = kernel[0] * values[row, col]
        for offset in range(1, kernel.size):
            above, below = values[max(row - offset, 0)], values[min(row + offset, rows - 1)]
            weight = kernel[offset]
            for col in range(cols):
                middle[col] += weight * (above[col] + below[col])
        line[:reach] = middle[0]
        line[reach + cols :] = middle[cols - 1]
        smooth_row = out[row]
        for col in range(cols):
            smooth_row[col] = kernel[0] * middle[col]
        for offset in range(1, kernel.size):
            before, after = line[reach - offset : reach - offset + cols], line[reach + offset : reach + offset + cols]
            weight = kernel[offset]
            for col in range(cols):
                smooth_row[col] += weight * (before[col] + after[col])
    return out


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
