"""The loops of `warp`: scalar, compiled, without arrays of their own, so that memory does not grow with the tile."""

import numba
import numpy as np

from senard.model.arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array, UInt16Array

CLIPPED = 1
"""Bit of the flags raster: a reflectance was clipped to the range of valid DN."""

MENDED = 2
"""Bit of the flags raster: the product had no data there; the nearest valid pixel of the same scene was taken."""


@numba.njit(cache=True, nogil=True)
def extents(sources: UInt16Array, count: int) -> Int64Array:
    """First row, row after the last, first column, column after the last, number of pixels of each source."""
    table = np.zeros((count, 5), dtype=np.int64)
    table[:, 0], table[:, 2] = sources.shape
    for row in range(sources.shape[0]):
        for col in range(sources.shape[1]):
            entry = table[sources[row, col]]
            entry[0] = min(entry[0], row)
            entry[1] = row + 1
            entry[2] = min(entry[2], col)
            entry[3] = max(entry[3], col + 1)
            entry[4] += 1
    return table


@numba.njit(cache=True, nogil=True, inline="always")
def _place(nodes: Float64Array, row: float, col: float) -> float:
    """Value between nodes, bilinear, rounded as in `warp`; row and column in nodes."""
    i, j = int(row), int(col)
    down, right = row - i, col - j
    at_left = nodes[i, j] + (nodes[i + 1, j] - nodes[i, j]) * down
    at_right = nodes[i, j + 1] + (nodes[i + 1, j + 1] - nodes[i, j + 1]) * down
    return at_left + (at_right - at_left) * right


@numba.njit(cache=True, nogil=True)
def mark_part(
    needed: BoolArray,
    sources: UInt16Array,
    number: int,
    bounds: tuple[int, int, int, int],
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
    """Mark the squares of an image that hold a pixel of the 4 x 4 (aligned: the one) around a part's winning pixels."""
    before, after = (0, 0) if aligned else (1, 2)
    half = 0.5 if aligned else 0.0
    inner_top = inner_left = inner_bottom = inner_right = 0
    for r in range(bounds[0], bounds[1]):
        for map_col in range(bounds[2] // factor, (bounds[3] - 1) // factor + 1):
            if sources[r // factor, map_col] != number:
                continue
            for c in range(max(map_col * factor, bounds[2]), min(map_col * factor + factor, bounds[3])):
                node_row, node_col = (r - origin_row) / step, (c - origin_col) / step
                y, x = _place(rows, node_row, node_col), _place(cols, node_row, node_col)
                top, left = int(np.floor(y + half)) - before, int(np.floor(x + half)) - before
                bottom, right = top + before + after, left + before + after
                if top >= inner_top and left >= inner_left and bottom < inner_bottom and right < inner_right:
                    continue  # wholly inside the square marked last
                if bottom < 0 or right < 0 or top >= height or left >= width:
                    continue
                i, k = max(top, 0) // square_height, min(bottom, height - 1) // square_height
                j, m = max(left, 0) // square_width, min(right, width - 1) // square_width
                needed[i, j] = needed[i, m] = needed[k, j] = needed[k, m] = True
                inner_top, inner_left = i * square_height, j * square_width
                inner_bottom, inner_right = inner_top + square_height, inner_left + square_width


@numba.njit(cache=True, nogil=True, inline="always")
def weights(t: float) -> tuple[float, float, float, float]:
    """Cubic convolution, a = -0.5, of the four pixels around a place t beyond the second one."""
    return (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )


@numba.njit(cache=True, nogil=True, inline="always")
def _column(d0: int, d1: int, d2: int, d3: int, w: tuple[float, float, float, float], floor_dn: float) -> float:
    """Weighted sum of four DN below one another, each at least floor_dn."""
    return (
        w[0] * max(float(d0), floor_dn)
        + w[1] * max(float(d1), floor_dn)
        + w[2] * max(float(d2), floor_dn)
        + w[3] * max(float(d3), floor_dn)
    )


@numba.njit(cache=True, nogil=True, inline="always")
def _cubic(image: UInt16Array, top: int, left: int, down: float, right: float, floor_dn: float) -> tuple[float, int]:
    """Cubic convolution of the 4 x 4 DN around a place, each at least floor_dn, and the lowest of them."""
    i0, j0 = np.uintp(top - 1), np.uintp(left - 1)
    i1, j1 = np.uintp(top), np.uintp(left)
    i2, j2 = np.uintp(top + 1), np.uintp(left + 1)
    i3, j3 = np.uintp(top + 2), np.uintp(left + 2)
    a0, a1, a2, a3 = image[i0, j0], image[i0, j1], image[i0, j2], image[i0, j3]
    b0, b1, b2, b3 = image[i1, j0], image[i1, j1], image[i1, j2], image[i1, j3]
    c0, c1, c2, c3 = image[i2, j0], image[i2, j1], image[i2, j2], image[i2, j3]
    d0, d1, d2, d3 = image[i3, j0], image[i3, j1], image[i3, j2], image[i3, j3]
    lowest = min(
        min(min(a0, b0), min(c0, d0)),
        min(min(a1, b1), min(c1, d1)),
        min(min(a2, b2), min(c2, d2)),
        min(min(a3, b3), min(c3, d3)),
    )
    w = weights(down)
    u = weights(right)
    value = (
        u[0] * _column(a0, b0, c0, d0, w, floor_dn)
        + u[1] * _column(a1, b1, c1, d1, w, floor_dn)
        + u[2] * _column(a2, b2, c2, d2, w, floor_dn)
        + u[3] * _column(a3, b3, c3, d3, w, floor_dn)
    )
    return value, lowest


@numba.njit(cache=True, nogil=True)
def _bilinear(image: UInt16Array, y: float, x: float, offset: float, scale: float) -> float:
    """Bilinear over those of the 2 x 2 pixels around a place that lie in the image and hold data."""
    top, left = int(np.floor(y)), int(np.floor(x))
    total, weight = 0.0, 0.0
    for i in range(max(top, 0), min(top + 2, image.shape[0])):
        for j in range(max(left, 0), min(left + 2, image.shape[1])):
            if image[i, j] > 0:
                share = (1.0 - abs(y - i)) * (1.0 - abs(x - j))
                total += share * max((float(image[i, j]) + offset) * scale, 1.0)
                weight += share
    return total / weight


@numba.njit(cache=True, nogil=True, inline="always")
def between(values: Float32Array, first_row: float, first_col: float, y: float, x: float) -> float:
    """Bilinear between the centres of cells; y and x in cells from the origin of the CRS; 0 beyond."""
    y, x = y - 0.5, x - 0.5
    i, j = int(np.floor(y)), int(np.floor(x))
    down, right = y - i, x - j
    i, j = i - int(first_row), j - int(first_col)
    if i < 0 or j < 0 or i + 1 >= values.shape[0] or j + 1 >= values.shape[1]:
        return 0.0
    upper = values[i, j] + (values[i, j + 1] - values[i, j]) * right
    lower = values[i + 1, j] + (values[i + 1, j + 1] - values[i + 1, j]) * right
    return upper + (lower - upper) * down


@numba.njit(cache=True, nogil=True)
def corrected(
    dn: UInt16Array,
    offset: Float32Array,
    gain: Float32Array,
    first_row: float,
    first_col: float,
    per_pixel: float,
    pixel_row: float,
    pixel_col: float,
    slope: Float32Array,
    slope_row: float,
    slope_col: float,
    slope_per_pixel: float,
    slope_pixel_row: float,
    slope_pixel_col: float,
    rows: Int64Array,
    cols: Int64Array,
) -> UInt16Array:
    """Delivered DN of given output pixels with their corrections and factors."""
    out = np.empty(rows.size, dtype=np.uint16)
    for n in range(rows.size):
        value = float(dn[n])
        if offset.size > 0:
            y, x = (pixel_row + rows[n] + 0.5) * per_pixel, (pixel_col + cols[n] + 0.5) * per_pixel
            value += between(offset, first_row, first_col, y, x) + value * between(gain, first_row, first_col, y, x)
        if slope.size > 0:
            y = (slope_pixel_row + rows[n] + 0.5) * slope_per_pixel
            x = (slope_pixel_col + cols[n] + 0.5) * slope_per_pixel
            value *= between(slope, slope_row, slope_col, y, x)
        out[n] = np.uint16(min(max(value, 1.0), 65535.0) + 0.5)
    return out


@numba.njit(cache=True, nogil=True)
def warp_any(
    image: UInt16Array,
    sources: UInt16Array,
    number: int,
    bounds: tuple[int, int, int, int],
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
    """Resample an image into a part of the output; count what was clipped low, clipped high, left at 0."""
    factor = out.shape[0] // sources.shape[0]
    height, width = image.shape
    floor_dn = 1.0 / scale - offset
    per_step = 1.0 / step
    low, high, missing = 0, 0, 0
    for r in range(bounds[0], bounds[1]):
        map_row = r // factor
        node_row = (r - origin_row) * per_step
        i = int(node_row)
        down = node_row - i
        last = -1
        y_left = y_step = x_left = x_step = 0.0
        for map_col in range(bounds[2] // factor, (bounds[3] - 1) // factor + 1):
            if sources[map_row, map_col] != number:
                continue
            for c in range(max(map_col * factor, bounds[2]), min(map_col * factor + factor, bounds[3])):
                node_col = (c - origin_col) * per_step
                j = int(node_col)
                if j != last:
                    last = j
                    y_left = rows[i, j] + (rows[i + 1, j] - rows[i, j]) * down
                    y_step = rows[i, j + 1] + (rows[i + 1, j + 1] - rows[i, j + 1]) * down - y_left
                    x_left = cols[i, j] + (cols[i + 1, j] - cols[i, j]) * down
                    x_step = cols[i, j + 1] + (cols[i + 1, j + 1] - cols[i, j + 1]) * down - x_left
                y = y_left + y_step * (node_col - j)
                x = x_left + x_step * (node_col - j)
                top, left = int(np.floor(y)), int(np.floor(x))
                near_row, near_col = top + int(y - top >= 0.5), left + int(x - left >= 0.5)
                if near_row < 0 or near_col < 0 or near_row >= height or near_col >= width:
                    missing += 1
                    continue
                centre = image[np.uintp(near_row), np.uintp(near_col)]
                if centre == 0:
                    missing += 1
                    continue
                value = (float(centre) + offset) * scale
                dark = value < 0.5
                if not aligned:
                    inside = top >= 1 and left >= 1 and top + 2 < height and left + 2 < width
                    lowest = 0
                    if inside:
                        value, lowest = _cubic(image, top, left, y - top, x - left, floor_dn)
                        value = (value + offset) * scale
                    if lowest == 0:
                        value = _bilinear(image, y, x, offset, scale)
                if level_offset.size > 0:
                    cell_y, cell_x = (pixel_row + r + 0.5) * per_pixel, (pixel_col + c + 0.5) * per_pixel
                    added = between(level_offset, cell_row, cell_col, cell_y, cell_x)
                    value += added + value * between(level_gain, cell_row, cell_col, cell_y, cell_x)
                if slope.size > 0:
                    slope_y = (slope_pixel_row + r + 0.5) * slope_per_pixel
                    slope_x = (slope_pixel_col + c + 0.5) * slope_per_pixel
                    value *= between(slope, slope_row, slope_col, slope_y, slope_x)
                if dark or value < 0.5:
                    low += 1
                    flags[map_row, map_col] |= CLIPPED
                elif value > 65535.5:
                    high += 1
                    flags[map_row, map_col] |= CLIPPED
                out[np.uintp(r), np.uintp(c)] = np.uint16(min(max(value, 1.0), 65535.0) + 0.5)
    return low, high, missing


@numba.njit(cache=True, nogil=True)
def list_missing(
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
    out: UInt16Array,
    count: int,
) -> tuple[Int64Array, Int64Array, Float64Array, Float64Array]:
    """Output row, output column, image row, image column of the winning output pixels that are 0."""
    factor = out.shape[0] // sources.shape[0]
    out_rows, out_cols = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    image_rows, image_cols = np.empty(count, dtype=np.float64), np.empty(count, dtype=np.float64)
    n = 0
    for r in range(row_start * factor, row_stop * factor):
        for c in range(col_start * factor, col_stop * factor):
            if sources[r // factor, c // factor] == number and out[r, c] == 0:
                node_row, node_col = (r - origin_row) / step, (c - origin_col) / step
                out_rows[n], out_cols[n] = r, c
                image_rows[n] = _place(rows, node_row, node_col)
                image_cols[n] = _place(cols, node_row, node_col)
                n += 1
    return out_rows, out_cols, image_rows, image_cols


@numba.njit(cache=True, nogil=True)
def mark_around(
    near: BoolArray,
    image_rows: Float64Array,
    image_cols: Float64Array,
    radius: int,
    height: int,
    width: int,
    square_height: int,
    square_width: int,
) -> None:
    """Mark the squares that hold a pixel within some rows and columns of given places."""
    for n in range(image_rows.size):
        row, col = int(np.floor(image_rows[n] + 0.5)), int(np.floor(image_cols[n] + 0.5))
        first_row, last_row = max(row - radius, 0) // square_height, min(row + radius, height - 1) // square_height
        first_col, last_col = max(col - radius, 0) // square_width, min(col + radius, width - 1) // square_width
        near[first_row : last_row + 1, first_col : last_col + 1] = True


@numba.njit(cache=True, nogil=True)
def nearest_valid(image: UInt16Array, image_rows: Float64Array, image_cols: Float64Array, radius: int) -> UInt16Array:
    """DN of the valid pixel nearest to each place, in squares that grow; 0 where none lies surely nearest in reach."""
    height, width = image.shape
    found = np.zeros(image_rows.size, dtype=np.uint16)
    for n in range(image_rows.size):
        y, x = image_rows[n], image_cols[n]
        row, col = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
        best, value = np.inf, np.uint16(0)
        for ring in range(radius + 1):
            if best < (ring - 0.5) ** 2:
                break
            for i in range(max(row - ring, 0), min(row + ring, height - 1) + 1):
                edge = i == row - ring or i == row + ring
                stride = 1 if edge or ring == 0 else 2 * ring
                for j in range(col - ring, col + ring + 1, stride):
                    if 0 <= j < width and image[i, j] > 0:
                        distance = (i - y) ** 2 + (j - x) ** 2
                        if distance < best:
                            best, value = distance, image[i, j]
        if best <= (radius + 0.5) ** 2:
            found[n] = value
    return found
