"""The loop of `warp` over cells of nodes, row by row in vectors: half the time of asking every pixel for itself.

A cell whose window of the image lies inside it, holds data and is nowhere dark needs no question at any pixel; all
others go to `warp_kernels.warp_any`. Terms are added in the same order in both, so the same bits come out.
"""

import numba
import numpy as np

from senard.algorithms.warp_kernels import CLIPPED, between, mark_part, warp_any, weights
from senard.model.arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array, UInt16Array

_WINDOW = 64
"""Side of the window of an image that a cell of nodes may touch, px: 32 x 32 pixels turned by 45 degrees."""


_LINE = 32
"""Most pixels of a row of a cell of nodes: their distance. A constant, which vectors want."""

_FEW = 4
"""A cell of nodes is computed whole if the source supplies at least one in this many of its pixels."""


@numba.njit(cache=True, nogil=True, inline="always")
def _along_row(nodes: Float64Array, i: int, j: int, down: float) -> tuple[float, float]:
    """Value at the left edge of a cell of nodes, and how much it grows to the right edge."""
    left = nodes[i, j] + (nodes[i + 1, j] - nodes[i, j]) * down
    return left, nodes[i, j + 1] + (nodes[i + 1, j + 1] - nodes[i, j + 1]) * down - left


@numba.njit(cache=True, nogil=True)
def _reach(nodes: Float64Array, i: int, j: int, span: tuple[float, float, float, float]) -> tuple[int, int]:
    """First and last image row (or column) that resampling in a part of a cell touches, and one more for rounding."""
    top, bottom, left, right = span
    upper, upper_step = _along_row(nodes, i, j, top)
    lower, lower_step = _along_row(nodes, i, j, bottom)
    a, b = upper + upper_step * left, upper + upper_step * right
    c, d = lower + lower_step * left, lower + lower_step * right
    low, high = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
    return int(np.floor(low)) - 2, int(np.floor(high)) + 3


@numba.njit(cache=True, nogil=True, inline="always")
def _span(
    bounds: tuple[int, int, int, int], i: int, j: int, origin_row: float, origin_col: float, per_step: float
) -> tuple[float, float, float, float]:
    """Places of the first and last row and column of a part of a cell, 0-1 from one node to the next."""
    return (
        (bounds[0] - origin_row) * per_step - i,
        (bounds[1] - 1 - origin_row) * per_step - i,
        (bounds[2] - origin_col) * per_step - j,
        (bounds[3] - 1 - origin_col) * per_step - j,
    )


@numba.njit(cache=True, nogil=True)
def _held(sources: UInt16Array, number: int, factor: int, bounds: tuple[int, int, int, int]) -> int:
    """Number of output pixels that a source supplies in a part of the output that whole pixels of the map make up."""
    count = 0
    for row in range(bounds[0] // factor, (bounds[1] - 1) // factor + 1):
        for value in sources[row, bounds[2] // factor : (bounds[3] - 1) // factor + 1]:
            count += value == number
    return count * factor * factor


@numba.njit(cache=True, nogil=True)
def _lifted(
    image: UInt16Array, top: int, bottom: int, left: int, right: int, floor_dn: float, window: Float64Array
) -> int:
    """Copy a window of an image, each DN at least floor_dn; returns the lowest DN."""
    lowest = np.uint16(65535)
    for row in range(top, bottom + 1):
        source, target = image[row, left : right + 1], window[row - top]
        for col in range(source.size):
            lowest = min(lowest, source[col])
            target[col] = max(float(source[col]), floor_dn)
    return int(lowest)


@numba.njit(cache=True, nogil=True)
def _cubic_line(
    window: Float64Array,
    places: Int64Array,
    down: Float64Array,
    right: Float64Array,
    taps: Float64Array,
    line: Float64Array,
) -> None:
    """Cubic convolution of a row of places: their 4 x 4 DN are gathered first, then weighted in long vectors."""
    flat = window.ravel()
    for n in range(line.size):
        place = places[n]
        for a in range(4):
            for b in range(4):
                taps[np.uintp((a * 4 + b) * _LINE + n)] = flat[np.uintp(place + a * _WINDOW + b)]
    for n in range(line.size):
        w, u = weights(down[n]), weights(right[n])
        c0 = w[0] * taps[n] + w[1] * taps[4 * _LINE + n] + w[2] * taps[8 * _LINE + n] + w[3] * taps[12 * _LINE + n]
        c1 = (
            w[0] * taps[_LINE + n]
            + w[1] * taps[5 * _LINE + n]
            + w[2] * taps[9 * _LINE + n]
            + w[3] * taps[13 * _LINE + n]
        )
        c2 = (
            w[0] * taps[2 * _LINE + n]
            + w[1] * taps[6 * _LINE + n]
            + w[2] * taps[10 * _LINE + n]
            + w[3] * taps[14 * _LINE + n]
        )
        c3 = (
            w[0] * taps[3 * _LINE + n]
            + w[1] * taps[7 * _LINE + n]
            + w[2] * taps[11 * _LINE + n]
            + w[3] * taps[15 * _LINE + n]
        )
        line[n] = u[0] * c0 + u[1] * c1 + u[2] * c2 + u[3] * c3


@numba.njit(cache=True, nogil=True)
def _nearest_line(
    window: Float64Array, places: Int64Array, down: Float64Array, right: Float64Array, line: Float64Array
) -> None:
    """The DN under each of a row of places, which are those of the upper left of 4 x 4 pixels."""
    flat, stride = window.ravel(), window.shape[1]
    for n in range(line.size):
        line[n] = flat[places[n] + (1 + int(down[n] >= 0.5)) * stride + 1 + int(right[n] >= 0.5)]


@numba.njit(cache=True, nogil=True)
def _put(
    line: Float64Array, sources: UInt16Array, number: int, r: int, c0: int, out: UInt16Array, flags: UInt8Array
) -> tuple[int, int]:
    """Round a row of values into the output where the source wins; count what was clipped low and high."""
    factor = out.shape[0] // sources.shape[0]
    low, high = 0, 0
    winners, target, marked = sources[r // factor], out[r], flags[r // factor]
    for map_col in range(c0 // factor, (c0 + line.size - 1) // factor + 1):
        if winners[map_col] != number:
            continue
        for c in range(max(map_col * factor, c0), min(map_col * factor + factor, c0 + line.size)):
            value = line[np.uintp(c - c0)]
            target[np.uintp(c)] = np.uint16(min(max(value, 1.0), 65535.0) + 0.5)
            if value < 0.5 or value > 65535.5:
                low += value < 0.5
                high += value > 65535.5
                marked[map_col] |= CLIPPED
    return low, high


@numba.njit(cache=True, nogil=True)
def _correct_line(
    line: Float64Array,
    r: int,
    c0: int,
    levels: tuple[Float32Array, Float32Array, float, float, float, float, float],
    slopes: tuple[Float32Array, float, float, float, float, float],
) -> None:
    """Add corrections to a row of values, then multiply them by slopes."""
    offset, gain, cell_row, cell_col, per_pixel, pixel_row, pixel_col = levels
    if offset.size > 0:
        y = (pixel_row + r + 0.5) * per_pixel
        for n in range(line.size):
            x = (pixel_col + (c0 + n) + 0.5) * per_pixel
            added = between(offset, cell_row, cell_col, y, x)
            line[n] += added + line[n] * between(gain, cell_row, cell_col, y, x)
    values, slope_row, slope_col, slope_per_pixel, slope_pixel_row, slope_pixel_col = slopes
    if values.size > 0:
        y = (slope_pixel_row + r + 0.5) * slope_per_pixel
        for n in range(line.size):
            x = (slope_pixel_col + (c0 + n) + 0.5) * slope_per_pixel
            line[n] *= between(values, slope_row, slope_col, y, x)


@numba.njit(cache=True, nogil=True)
def _warp_plain(
    window: Float64Array,
    corner: tuple[int, int],
    sources: UInt16Array,
    number: int,
    bounds: tuple[int, int, int, int],
    cell: tuple[int, int],
    rows: Float64Array,
    cols: Float64Array,
    origin: tuple[float, float],
    per_step: float,
    aligned: bool,
    change: tuple[float, float],
    levels: tuple[Float32Array, Float32Array, float, float, float, float, float],
    slopes: tuple[Float32Array, float, float, float, float, float],
    lines: Float64Array,
    taps: Float64Array,
    places: Int64Array,
    out: UInt16Array,
    flags: UInt8Array,
) -> tuple[int, int]:
    """As `warp_any`, where all pixels touched lie in the window, hold data and are not dark."""
    low, high = 0, 0
    size, c0 = bounds[3] - bounds[2], bounds[2]
    line, down, right, places = lines[0, :size], lines[1, :size], lines[2, :size], places[:size]
    for r in range(bounds[0], bounds[1]):
        below = (r - origin[0]) * per_step - cell[0]
        y_left, y_step = _along_row(rows, cell[0], cell[1], below)
        x_left, x_step = _along_row(cols, cell[0], cell[1], below)
        for n in range(size):
            beside = (c0 + n - origin[1]) * per_step - cell[1]
            y, x = y_left + y_step * beside, x_left + x_step * beside
            top, left = np.floor(y), np.floor(x)
            down[n], right[n] = y - top, x - left
            places[n] = (int(top) - 1 - corner[0]) * _WINDOW + (int(left) - 1 - corner[1])
        if aligned:
            _nearest_line(window, places, down, right, line)
        else:
            _cubic_line(window, places, down, right, taps, line)
        for n in range(size):
            line[n] = (line[n] + change[0]) * change[1]
        _correct_line(line, r, c0, levels, slopes)
        a, b = _put(line, sources, number, r, c0, out, flags)
        low, high = low + a, high + b
    return low, high


@numba.njit(cache=True, nogil=True)
def warp(
    image: UInt16Array,
    sources: UInt16Array,
    number: int,
    row_start: int,
    row_stop: int,
    col_start: int,
    col_stop: int,
    rows: Float64Array,
    cols: Float64Array,
    origin_row: float,
    origin_col: float,
    step: float,
    aligned: bool,
    offset: float,
    scale: float,
    level_offset: Float32Array,
    level_gain: Float32Array,
    cell_row: float,
    cell_col: float,
    per_pixel: float,
    pixel_row: float,
    pixel_col: float,
    slope: Float32Array,
    slope_row: float,
    slope_col: float,
    slope_per_pixel: float,
    slope_pixel_row: float,
    slope_pixel_col: float,
    out: UInt16Array,
    flags: UInt8Array,
) -> tuple[int, int, int]:
    """Resample an image where its scene wins; count what was clipped low, clipped high, left at 0.

    Cell after cell of nodes: where all is well in a cell, which its window of the image tells, pixels are not asked.
    """
    factor = out.shape[0] // sources.shape[0]
    height, width = image.shape
    floor_dn, per_step = 0.0 if aligned else 1.0 / scale - offset, 1.0 / step
    window, lines = np.empty((_WINDOW, _WINDOW), dtype=np.float64), np.empty((3, _LINE), dtype=np.float64)
    taps, places = np.empty(16 * _LINE, dtype=np.float64), np.empty(_LINE, dtype=np.int64)
    levels = (level_offset, level_gain, cell_row, cell_col, per_pixel, pixel_row, pixel_col)
    slopes = (slope, slope_row, slope_col, slope_per_pixel, slope_pixel_row, slope_pixel_col)
    low, high, missing = 0, 0, 0
    r1 = row_start * factor
    while r1 < row_stop * factor:
        r0, i = r1, int((r1 - origin_row) * per_step)
        r1 = min(int(np.ceil(origin_row + (i + 1) * step)), row_stop * factor)
        c1 = col_start * factor
        while c1 < col_stop * factor:
            c0, j = c1, int((c1 - origin_col) * per_step)
            c1 = min(int(np.ceil(origin_col + (j + 1) * step)), col_stop * factor)
            bounds = (r0, r1, c0, c1)
            held = _held(sources, number, factor, bounds)
            if held == 0:
                continue
            span = _span(bounds, i, j, origin_row, origin_col, per_step)
            top, bottom = _reach(rows, i, j, span)
            left, right = _reach(cols, i, j, span)
            plain = top >= 0 and left >= 0 and bottom < height and right < width
            plain = plain and bottom - top < _WINDOW and right - left < _WINDOW and _FEW * held >= (r1 - r0) * (c1 - c0)
            if plain:
                lowest = _lifted(image, top, bottom, left, right, floor_dn, window)
                plain = lowest > 0 and (lowest + offset) * scale >= 0.5
            if plain:
                a, b = _warp_plain(
                    window, (top, left), sources, number, bounds, (i, j), rows, cols, (origin_row, origin_col),
                    per_step, aligned, (offset, scale), levels, slopes, lines, taps, places, out, flags,
                )  # fmt: skip
                c = 0
            else:
                a, b, c = warp_any(
                    image, sources, number, bounds, rows, cols, origin_row, origin_col, step, aligned, offset, scale,
                    level_offset, level_gain, cell_row, cell_col, per_pixel, pixel_row, pixel_col, slope, slope_row,
                    slope_col, slope_per_pixel, slope_pixel_row, slope_pixel_col, out, flags,
                )  # fmt: skip
            low, high, missing = low + a, high + b, missing + c
    return low, high, missing


@numba.njit(cache=True, nogil=True)
def mark_squares(
    needed: BoolArray,
    sources: UInt16Array,
    number: int,
    row_start: int,
    row_stop: int,
    col_start: int,
    col_stop: int,
    factor: int,
    rows: Float64Array,
    cols: Float64Array,
    origin_row: float,
    origin_col: float,
    step: float,
    aligned: bool,
    height: int,
    width: int,
    square_height: int,
    square_width: int,
) -> None:
    """Mark the squares of an image that hold a pixel of the 4 x 4 (aligned: the one) around a winning output pixel.

    Cell after cell of nodes: one that touches a single square, or only marked ones, needs no question at any pixel.
    """
    per_step = 1.0 / step
    r1 = row_start * factor
    while r1 < row_stop * factor:
        r0, i = r1, int((r1 - origin_row) * per_step)
        r1 = min(int(np.ceil(origin_row + (i + 1) * step)), row_stop * factor)
        c1 = col_start * factor
        while c1 < col_stop * factor:
            c0, j = c1, int((c1 - origin_col) * per_step)
            c1 = min(int(np.ceil(origin_col + (j + 1) * step)), col_stop * factor)
            bounds = (r0, r1, c0, c1)
            if _held(sources, number, factor, bounds) == 0:
                continue
            span = _span(bounds, i, j, origin_row, origin_col, per_step)
            top, bottom = _reach(rows, i, j, span)
            left, right = _reach(cols, i, j, span)
            row, col = top // square_height, left // square_width
            inside = top >= 0 and left >= 0 and bottom < height and right < width
            if inside and bottom // square_height == row and right // square_width == col:
                needed[row, col] = True
                continue
            touched = needed[
                max(row, 0) : max(bottom, 0) // square_height + 1, max(col, 0) : max(right, 0) // square_width + 1
            ]
            if touched.all():
                continue
            mark_part(
                needed, sources, number, bounds, factor, rows, cols, origin_row, origin_col, step, aligned, height,
                width, square_height, square_width,
            )  # fmt: skip
