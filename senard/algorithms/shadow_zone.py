"""Where the shadows of a scene's clouds must fall: the sun tells the direction, darkness votes for the height.

The scene classification misses about half of all shadows. A cloud seen at a place, moved along the sun's rays by its
height, must lie on ground that is darker than its surroundings; of all heights the one with the darkest ground is
taken, block by block (science: shadow geometry). The zone is a suspicion, not a verdict: whether ground in it is dark
is for the multi-date test to say.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import ndimage

from senard.algorithms.morphology import dilated
from senard.algorithms.smoothing import gaussian_kernel, smooth
from senard.model.arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array, UInt16Array
from senard.model.masks import ZONE_LIKELY, ZONE_NONE, ZONE_POSSIBLE

PIXEL_M = 60.0
"""Side of the pixels that vote, m."""
BLOCK_PX = 160
"""Side of the blocks that agree on a height, px: 9.6 km."""
LOWEST_M, HIGHEST_M = 200.0, 8000.0
"""Heights of clouds above ground that are tried, m."""
SPREAD_M = 200.0
"""Clouds of a block lie within this of the height that was voted for, m."""
LEAST_CONTRAST = 0.05
"""A height is believed if ground in its shadows is darker than around by this share."""
SECOND_SHARE = 0.7
"""A second height is believed if its contrast is at least this share of the best one's: two layers of clouds."""
LEAST_PX = 100
"""A height is believed if so many pixels of ground lie in its shadows."""
UNSURE_M = (300.0, 2500.0)
"""Where no height is believed, shadows may fall from clouds of these heights, m."""
SURROUNDINGS_M = 3000.0
"""Ground is dark or bright compared with what lies within this distance, m (standard deviation of the Gaussian)."""

_COARSE = 4
"""The brightness of the surroundings is averaged over blocks of 4 x 4 pixels first."""
_STRIDE = 2
"""Every second row and column of the clouds votes: shadows are far larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a shadow lies from where its cloud is seen, per metre of the cloud's height."""

    east: Float32Array
    """(y, x) m per m, at nodes 5000 m apart from the upper left corner of the product."""

    north: Float32Array
    """(y, x) m per m, like `east`."""

    @classmethod
    def of(
        cls,
        sun_zenith: Float32Array,
        sun_azimuth: Float32Array,
        view_zenith: Float32Array,
        view_azimuth: Float32Array,
    ) -> "Drift":
        """From angles in degrees, (y, x) at the nodes: shadow away from the sun, cloud seen away from the satellite."""
        sun, view = np.tan(np.deg2rad(sun_zenith)), np.tan(np.deg2rad(view_zenith))
        to_sun, to_satellite = np.deg2rad(sun_azimuth), np.deg2rad(view_azimuth)
        east = view * np.sin(to_satellite) - sun * np.sin(to_sun)
        north = view * np.cos(to_satellite) - sun * np.cos(to_sun)
        return cls(east=east.astype(np.float32), north=north.astype(np.float32))


def shadow_zone(
    cloud: BoolArray, ground: BoolArray, water: BoolArray, b8a: UInt16Array, b11: UInt16Array, drift: Drift
) -> UInt8Array:
    """Where shadows of the clouds of one scene may fall.

    Args:
        cloud: (y, x) at 60 m, True where a cloud is seen.
        ground: (y, x), True on land that the product observed and that no cloud hides: it votes.
        water: (y, x), True on such water: too dark to vote, but shaded like land.
        b8a: (y, x) harmonised DN.
        b11: (y, x) harmonised DN.
        drift: of this scene.

    Returns:
        (y, x) uint8: ZONE_LIKELY where a height was voted for, ZONE_POSSIBLE where none was, ZONE_NONE elsewhere.
    """
    zone = np.full(cloud.shape, ZONE_NONE, dtype=np.uint8)
    if not cloud.any() or not np.isfinite(drift.east).all() or not np.isfinite(drift.north).all():
        return zone
    rows, cols = (-(-size // BLOCK_PX) for size in cloud.shape)
    east, north = (_at_blocks(values, rows, cols) for values in (drift.east, drift.north))
    reach = float(np.hypot(east, north).mean())
    if reach < 1e-3:
        return zone
    step = PIXEL_M / reach
    heights = np.arange(LOWEST_M, HIGHEST_M + step, step)
    bright = brightness(ground, b8a, b11)
    sums, counts = np.zeros((rows, cols, heights.size)), np.zeros((rows, cols, heights.size), dtype=np.int64)
    _vote(cloud, ground, bright, east, north, heights, sums, counts)
    around = _block_means(bright, ground, rows, cols)
    believed = _believed(_pooled(sums), _pooled(counts.astype(np.float64)), around, heights)
    shaded = ground | water
    _stamp(cloud, shaded, east, north, heights, believed, zone)
    likely = dilated(zone == ZONE_LIKELY) & shaded
    zone[likely] = ZONE_LIKELY
    return zone


def brightness(ground: BoolArray, b8a: UInt16Array, b11: UInt16Array) -> Float32Array:
    """NIR and SWIR of each pixel as a share of what its surroundings show: 1 is usual, 0.5 deep shadow.

    Args:
        ground: (y, x), True where to look.
        b8a: (y, x) harmonised DN.
        b11: (y, x) harmonised DN.

    Returns:
        (y, x) float32; 1 off the ground.
    """
    sigma = SURROUNDINGS_M / PIXEL_M / _COARSE
    kernel = gaussian_kernel(sigma, radius=math.ceil(2 * sigma))
    known = smooth(_coarse(ground.astype(np.float32)), kernel)
    result = np.zeros(ground.shape, dtype=np.float32)
    for band in (b8a, b11):
        seen = np.where(ground, band, 0).astype(np.float32)
        mean = (smooth(_coarse(seen), kernel) / np.maximum(known, np.float32(1e-6))).astype(np.float32)
        result += np.float32(0.5) * seen / np.maximum(_fine(mean, ground.shape), np.float32(1))
    return np.where(ground, np.minimum(result, np.float32(2)), np.float32(1))


def _at_blocks(nodes: Float32Array, rows: int, cols: int) -> Float64Array:
    """Values at the middle of each block, from the nearest node 5000 m apart."""
    places = [
        np.minimum(np.rint((np.arange(count) + 0.5) * BLOCK_PX * PIXEL_M / 5000.0), size - 1).astype(np.intp)
        for count, size in zip((rows, cols), nodes.shape, strict=True)
    ]
    return nodes[np.ix_(*places)].astype(np.float64)


def _coarse(values: Float32Array) -> Float32Array:
    """Means of blocks of _COARSE x _COARSE pixels; the edge goes on."""
    pad = [(0, -size % _COARSE) for size in values.shape]
    padded = np.pad(values, pad, mode="edge")
    rows, cols = padded.shape[0] // _COARSE, padded.shape[1] // _COARSE
    means: Float32Array = padded.reshape(rows, _COARSE, cols, _COARSE).mean(axis=(1, 3), dtype=np.float32)
    return means


def _fine(values: Float32Array, shape: tuple[int, ...]) -> Float32Array:
    """Every value _COARSE x _COARSE times, cut to a shape."""
    return np.repeat(np.repeat(values, _COARSE, axis=0), _COARSE, axis=1)[: shape[0], : shape[1]]


def _pooled(votes: Float64Array) -> Float64Array:
    """Votes of each block with half of those of its neighbours, a quarter at the corners."""
    weights = np.array([0.5, 1.0, 0.5])
    for axis in (0, 1):
        votes = ndimage.convolve1d(votes, weights, axis=axis, mode="constant")
    return votes


def _block_means(bright: Float32Array, ground: BoolArray, rows: int, cols: int) -> Float64Array:
    """Mean brightness of the ground in and around each block."""
    pad = [(0, count * BLOCK_PX - size) for count, size in zip((rows, cols), ground.shape, strict=True)]
    shape = (rows, BLOCK_PX, cols, BLOCK_PX)
    known = np.pad(ground, pad).reshape(shape).sum(axis=(1, 3)).astype(np.float64)
    total = np.pad(np.where(ground, bright, 0), pad).reshape(shape).sum(axis=(1, 3), dtype=np.float64)
    return _pooled(total[:, :, None])[:, :, 0] / np.maximum(_pooled(known[:, :, None])[:, :, 0], 1)


def _believed(sums: Float64Array, counts: Float64Array, around: Float64Array, heights: Float64Array) -> BoolArray:
    """(rows, cols, heights) True for the heights that a block's clouds have."""
    enough = counts * _STRIDE**2 >= LEAST_PX
    contrast = np.where(enough, around[:, :, None] - sums / np.maximum(counts, 1), 0.0)
    contrast = ndimage.uniform_filter1d(contrast, 3, axis=2, mode="nearest")
    best = contrast.max(axis=2, keepdims=True)
    peak = contrast == ndimage.maximum_filter1d(contrast, 9, axis=2, mode="nearest")
    chosen = peak & (contrast > LEAST_CONTRAST) & (contrast >= SECOND_SHARE * best)
    spread = 1 + 2 * max(1, round(SPREAD_M / (heights[1] - heights[0])))
    return np.asarray(ndimage.maximum_filter1d(chosen.astype(np.uint8), spread, axis=2, mode="constant") > 0)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _vote(
    cloud: BoolArray,
    ground: BoolArray,
    bright: Float32Array,
    east: Float64Array,
    north: Float64Array,
    heights: Float64Array,
    sums: Float64Array,
    counts: Int64Array,
) -> None:
    """Add up the brightness of the ground that each cloud pixel would shade at each height."""
    rows, cols = cloud.shape
    for row in range(0, rows, _STRIDE):
        for col in range(0, cols, _STRIDE):
            if not cloud[row, col]:
                continue
            block_row, block_col = row // BLOCK_PX, col // BLOCK_PX
            right = east[block_row, block_col] / PIXEL_M
            down = -north[block_row, block_col] / PIXEL_M
            for k in range(heights.size):
                r, c = row + round(down * heights[k]), col + round(right * heights[k])
                if r < 0 or c < 0 or r >= rows or c >= cols:
                    break
                if ground[r, c]:
                    sums[block_row, block_col, k] += bright[r, c]
                    counts[block_row, block_col, k] += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _stamp(
    cloud: BoolArray,
    ground: BoolArray,
    east: Float64Array,
    north: Float64Array,
    heights: Float64Array,
    believed: BoolArray,
    zone: UInt8Array,
) -> None:
    """Mark the ground that each cloud pixel shades from the heights that its block believes in."""
    rows, cols = cloud.shape
    for row in range(rows):
        for col in range(cols):
            if not cloud[row, col]:
                continue
            block_row, block_col = row // BLOCK_PX, col // BLOCK_PX
            right = east[block_row, block_col] / PIXEL_M
            down = -north[block_row, block_col] / PIXEL_M
            sure = False
            for k in range(heights.size):
                sure = sure or believed[block_row, block_col, k]
            for k in range(heights.size):
                unsure = not sure and heights[k] >= UNSURE_M[0] and heights[k] <= UNSURE_M[1]
                if not believed[block_row, block_col, k] and not unsure:
                    continue
                r, c = row + round(down * heights[k]), col + round(right * heights[k])
                if r < 0 or c < 0 or r >= rows or c >= cols:
                    break
                if ground[r, c]:
                    zone[r, c] = max(zone[r, c], ZONE_LIKELY if sure else ZONE_POSSIBLE)
