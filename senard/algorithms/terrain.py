"""What relief does to light: slopes turned away from the sun, and the shadows that ridges cast.

A product's reflectance is corrected for the slope of the ground by dividing by the light that fell on it; where hardly
any did, what is left is diffuse light times a large number. Such an observation is no clear one, whatever its
classification says.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numba import njit
from pyproj import Transformer

from senard.algorithms.ground import row_sections
from senard.algorithms.scoring import Scored
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.grid import Grid

REACH_M = 6000.0
"""Ridges farther away than this cast no shadow, m: one of 1000 m does at a sun of 9.5 degrees."""
CLEARANCE_M = 3.0
"""Ground that rises above the way of the light by less than this hides nothing, m: errors of terrain models."""
DARK_COS = 0.1
"""Ground is turned away where the cosine of the sun's incidence is at most this."""
DIM_COS = (0.03, 0.2)
"""Between these cosines the cost of weak light falls from all of SHADE_COST to nothing (sen2like leaves ground below
0.2 uncorrected)."""
GENTLE = 0.03
"""Less steep ground is not turned away from any sun, m per m."""
SHADE_COST = np.float32(1.5)
"""Cost of shade."""
HIGHEST_SUN_ZENITH = 88.0
"""A lower sun is taken for one of this zenith, degrees."""
NORTH_CELL_M = 12_000
"""The direction of true north is that of the middle of cells of this side, anchored at the origin of the CRS, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """Heights around a part of the mosaic, and what follows from them for every sun."""

    heights: Float32Array
    """(y + 2 pad, x + 2 pad) m; NaN where they are not known: there the ground is flat and hides nothing."""

    slopes: Float32Array
    """(2, y, x) rise of the ground to the grid's east and north, m per m."""

    north: Float32Array
    """(y, x) direction of true north, radians clockwise from the grid's north."""

    pixel_m: Float32Array
    """(y,) side of a pixel on the ground, m."""

    pad: int
    """Pixels of heights around the part."""

    @classmethod
    def of(cls, heights: Float32Array, grid: Grid, pad: int) -> "Terrain":
        """From heights on a grid grown by `pad` pixels on all sides."""
        pixel_m = _pixel_sides(grid)
        return cls(heights=heights, slopes=_slopes(heights, pixel_m, pad), north=_north(grid), pixel_m=pixel_m, pad=pad)

    @property
    def is_unknown(self) -> bool:
        """Whether there is nothing to be done: no height is known."""
        return not np.isfinite(self.heights).any()


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How one overflight's sun lights a part of the mosaic, (y, x)."""

    shaded: BoolArray
    """True in the shade of relief, and where ground is turned away from the sun."""

    cost: Float32Array
    """What the lack of light costs, 0 to SHADE_COST."""


def reach_of(grid: Grid) -> int:
    """Pixels around a part of the mosaic that shade may come from.

    Args:
        grid: the part, pixels of detection.
    """
    return max(math.ceil(REACH_M / section.pixel_m) for section in row_sections(grid)) + 2


def light_of(terrain: Terrain, source: UInt16Array, sun: Float32Array) -> Light:
    """How relief lights what one overflight saw.

    Args:
        terrain: of this part of the mosaic.
        source: (y, x) number of the scene that saw each pixel; 0 is none.
        sun: (scenes + 1, 2) zenith and azimuth by source number, degrees, the azimuth clockwise from true north.

    Returns:
        the light, within the reach of REACH_M.
    """
    angles = np.deg2rad(np.minimum(sun.astype(np.float64), [[HIGHEST_SUN_ZENITH, np.inf]]))
    shaded = np.zeros(source.shape, dtype=np.bool_)
    cost = np.zeros(source.shape, dtype=np.float32)
    highest = float(np.nanmax(terrain.heights)) if np.isfinite(terrain.heights).any() else -np.inf
    fields = (terrain.heights, terrain.slopes, terrain.north, terrain.pixel_m)
    _light(source, angles, *fields, terrain.pad, highest, shaded, cost)
    return Light(shaded=shaded, cost=cost)


def dimmed(scored: Scored, light: Light, grid: Grid, coarse: Grid) -> Scored:
    """The judgement of an observation, knowing its light.

    Args:
        scored: its judgement, on `grid`.
        light: on `coarse`.
        grid: pixels of 20 m, or those of `coarse`, inside it.
        coarse: pixels of 60 m.

    Returns:
        levels 1 and 2 become 3 where it is shaded; weak light costs.
    """
    if not light.cost.any():
        return scored
    level, cost = scored.level.copy(), scored.cost.copy()
    row, col = round((coarse.top - grid.top) / grid.gsd), round((grid.left - coarse.left) / grid.gsd)
    _dim(light.shaded, light.cost, row, col, coarse.gsd // grid.gsd, level, cost)
    return replace(scored, level=level, cost=cost)


def _pixel_sides(grid: Grid) -> Float32Array:
    """Side of a pixel on the ground by row, m."""
    sections = row_sections(grid)
    sides = [np.full(section.row_stop - section.row_start, section.pixel_m) for section in sections]
    return np.concatenate(sides).astype(np.float32)


def _slopes(heights: Float32Array, pixel_m: Float32Array, pad: int) -> Float32Array:
    """Central differences over two pixels, smoothed across (Horn 1981); 0 where a neighbour is not known."""
    around = heights[pad - 1 : heights.shape[0] - pad + 1, pad - 1 : heights.shape[1] - pad + 1]
    across = around[:, 2:] - around[:, :-2]
    down = around[:-2] - around[2:]
    east = (across[:-2] + 2 * across[1:-1] + across[2:]) / (8 * pixel_m[:, None])
    north = (down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]) / (8 * pixel_m[:, None])
    both = np.stack([east, north]).astype(np.float32)
    return np.where(np.isfinite(both).all(axis=0), both, np.float32(0))


def _north(grid: Grid) -> Float32Array:
    """Direction of true north of every pixel, by cells."""
    cell_m = NORTH_CELL_M
    bounds = grid.bounds
    cols = np.floor((grid.left + (np.arange(grid.width) + 0.5) * grid.gsd) / cell_m).astype(np.int64)
    rows = np.floor((grid.top - (np.arange(grid.height) + 0.5) * grid.gsd) / cell_m).astype(np.int64)
    first_col, first_row = math.floor(bounds.left / cell_m), math.floor(bounds.bottom / cell_m)
    table = np.array(
        [
            [_north_at(grid.crs, col, row) for col in range(first_col, int(cols.max(initial=first_col)) + 1)]
            for row in range(first_row, int(rows.max(initial=first_row)) + 1)
        ],
        dtype=np.float32,
    )
    return table[np.ix_(rows - first_row, cols - first_col)]


@lru_cache(maxsize=65_536)
def _north_at(crs: str, col: int, row: int) -> float:
    """Direction of true north in the middle of one cell, radians clockwise from the grid's north."""
    there = _transformer(crs, "EPSG:4326").transform((col + 0.5) * NORTH_CELL_M, (row + 0.5) * NORTH_CELL_M)
    if not np.isfinite(there).all():
        return 0.0
    step = -0.001 if there[1] > 0 else 0.001  # towards the equator: never beyond a pole
    x, y = _transformer("EPSG:4326", crs).transform([there[0], there[0]], [there[1], there[1] + step])
    east, north = (x[1] - x[0]) / step, (y[1] - y[0]) / step
    return math.atan2(east, north) if math.isfinite(east) and math.isfinite(north) else 0.0


@lru_cache(maxsize=16)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _hidden(
    heights: Float32Array, row: int, col: int, down: float, right: float, rise: float, steps: int, highest: float
) -> bool:
    """Whether ground on the way to the sun rises above the light: one pixel a step, heights between four pixels."""
    ray = heights[row, col] + CLEARANCE_M
    if not np.isfinite(ray):
        return False
    for step in range(1, steps + 1):
        ray += rise
        if ray > highest:
            return False
        y, x = row + step * down, col + step * right
        top, left = math.floor(y), math.floor(x)
        below, beside = y - top, x - left
        upper = heights[top, left] + beside * (heights[top, left + 1] - heights[top, left])
        lower = heights[top + 1, left] + beside * (heights[top + 1, left + 1] - heights[top + 1, left])
        if upper + below * (lower - upper) > ray:  # never where one of them is not known
            return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _light(
    source: UInt16Array,
    sun: Float32Array,
    heights: Float32Array,
    slopes: Float32Array,
    north: Float32Array,
    pixel_m: Float32Array,
    pad: int,
    highest: float,
    shaded: BoolArray,
    cost: Float32Array,
) -> None:
    """Fill shade and cost of every pixel with a source."""
    for row in range(source.shape[0]):
        steps = int(REACH_M / pixel_m[row])
        for col in range(source.shape[1]):
            number = source[row, col]
            if number == 0:
                continue
            zenith, azimuth = sun[number, 0], sun[number, 1] + north[row, col]
            right, up = math.sin(azimuth), math.cos(azimuth)
            east, away = slopes[0, row, col], slopes[1, row, col]
            level = math.cos(zenith) - math.sin(zenith) * (east * right + away * up)
            cosine = level / math.sqrt(1.0 + east * east + away * away)
            flat = east * east + away * away < GENTLE * GENTLE  # a low sun over the plain is no shade
            dark = not flat and cosine <= DARK_COS
            if not dark:
                rise = pixel_m[row] / math.tan(zenith)
                dark = _hidden(heights, row + pad, col + pad, -up, right, rise, steps, highest)
                if dark:
                    cosine = 0.0
            shaded[row, col] = dark
            if dark or not flat:
                missing = (DIM_COS[1] - cosine) / (DIM_COS[1] - DIM_COS[0])
                cost[row, col] = SHADE_COST * np.float32(min(max(missing, 0.0), 1.0))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _dim(
    shaded: BoolArray,
    missing: Float32Array,
    first_row: int,
    first_col: int,
    ratio: int,
    level: UInt8Array,
    cost: Float32Array,
) -> None:
    """Change level and cost in place."""
    for row in range(level.shape[0]):
        for col in range(level.shape[1]):
            if level[row, col] == 0:
                continue
            r, c = (row + first_row) // ratio, (col + first_col) // ratio
            cost[row, col] += missing[r, c]
            if shaded[r, c] and level[row, col] <= 2:
                level[row, col] = 3
