"""Where shadows of clouds fall on ground that is not flat.

A scene's zone of shadow is drawn on level ground, and the height of its clouds voted for above the ground that they
darken: above the mean of the country around. On ground that lies higher than that the same ray ends sooner, in a valley
later (science: shadow geometry).
"""

import math

import numpy as np
from numba import njit

from senard.algorithms.ground import mean_around, reach_px, row_sections
from senard.algorithms.terrain import HIGHEST_SUN_ZENITH, REACH_M, Terrain
from senard.model.arrays import Float32Array, Float64Array, UInt16Array
from senard.model.grid import Grid

PLANE_SIGMA_M = 4000.0
"""The level that clouds were voted above is the mean height within this, m (standard deviation of the Gaussian):
blocks that vote have 9.6 km."""
LEAST_M = 150.0
"""Ground less high or low than this against that level is taken for level, m: the heights of clouds are given 200 m of
spread, and relief counts from 300 m on."""
PLANE_PX = 4
"""The level is worked out on pixels so many times as large."""


def plane_pad(grid: Grid) -> int:
    """Pixels of heights around a part of the mosaic that its level depends on."""
    return max(reach_px(section.pixel_m, PLANE_SIGMA_M) for section in row_sections(grid)) + 2 * PLANE_PX


def height_above_plane(heights: Float32Array, grid: Grid, pad: int) -> Float32Array:
    """How far ground lies above the mean height of the country around.

    Args:
        heights: (y + 2 pad, x + 2 pad) m; NaN is unknown.
        grid: the part without its surroundings, pixels of 60 m.
        pad: from `plane_pad`.

    Returns:
        (y, x) float32, m; negative in valleys, 0 where it is less than LEAST_M or not known.
    """
    wide = grid.padded(pad)
    step = PLANE_PX * grid.gsd
    top, left = math.ceil(-wide.top / step), math.ceil(wide.left / step)
    first_row, first_col = round(top * PLANE_PX + wide.top / grid.gsd), round(left * PLANE_PX - wide.left / grid.gsd)
    rows, cols = (heights.shape[0] - first_row) // PLANE_PX, (heights.shape[1] - first_col) // PLANE_PX
    cut = heights[first_row : first_row + rows * PLANE_PX, first_col : first_col + cols * PLANE_PX]
    known = np.isfinite(cut)
    shape = (rows, PLANE_PX, cols, PLANE_PX)
    count = known.reshape(shape).sum(axis=(1, 3))
    total = np.where(known, cut, 0).reshape(shape).sum(axis=(1, 3), dtype=np.float64)
    large = Grid(crs=grid.crs, left=float(left * step), top=float(-top * step), gsd=step, width=cols, height=rows)
    means = (total / np.maximum(count, 1)).astype(np.float32)
    plane, _ = mean_around(means, count > 0, large, PLANE_SIGMA_M)
    row = (np.arange(grid.height) + pad - first_row) // PLANE_PX
    col = (np.arange(grid.width) + pad - first_col) // PLANE_PX
    above = heights[pad:-pad, pad:-pad] - plane[np.ix_(row, col)]
    return np.where(np.abs(above) >= LEAST_M, above, np.float32(0)).astype(np.float32)


def farthest_m(above: Float32Array, sun: Float32Array) -> float:
    """How far a zone is moved at most, m.

    Args:
        above: (y, x) from `height_above_plane`.
        sun: (scenes + 1, 2) zenith and azimuth by source number, degrees.
    """
    slant = math.tan(math.radians(min(float(sun[:, 0].max()), HIGHEST_SUN_ZENITH)))
    return min(float(np.abs(above).max()) * slant, REACH_M)


def moved_zone(
    zone: UInt16Array, pad: int, above: Float32Array, source: UInt16Array, sun: Float32Array, terrain: Terrain
) -> UInt16Array:
    """The zone of shadow of one overflight on the ground as it is.

    Args:
        zone: (y + 2 pad, x + 2 pad) ZONE_ as it falls on level ground.
        pad: pixels around, at least `farthest_m` on the ground.
        above: (y, x) from `height_above_plane`.
        source: (y, x) number of the scene that saw each pixel; 0 is none.
        sun: (scenes + 1, 2) zenith and azimuth by source number, degrees.
        terrain: of this part of the mosaic.

    Returns:
        (y, x) uint16: of every pixel, what the ray through it would have met on level ground.
    """
    out = zone[pad:-pad, pad:-pad].copy()
    angles = np.deg2rad(np.minimum(sun.astype(np.float64), [[HIGHEST_SUN_ZENITH, np.inf]]))
    _move(zone, pad, above, source, angles, terrain.north, terrain.pixel_m, out)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _move(
    zone: UInt16Array,
    pad: int,
    above: Float32Array,
    source: UInt16Array,
    sun: Float64Array,
    north: Float32Array,
    pixel_m: Float32Array,
    out: UInt16Array,
) -> None:
    """Fill the zone of every pixel that does not lie on the level."""
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            number = source[row, col]
            if number == 0 or above[row, col] == 0:
                continue
            # a ray that ends on higher ground would have gone on, away from the sun
            way = above[row, col] * math.tan(sun[number, 0])
            way = min(max(way, -REACH_M), REACH_M) / pixel_m[row]
            azimuth = sun[number, 1] + north[row, col]
            down, right = way * math.cos(azimuth), -way * math.sin(azimuth)
            out[row, col] = zone[row + pad + round(down), col + pad + round(right)]
