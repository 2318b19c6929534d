"""What other dates say about an observation: levels 2 and 3, and the cost of haze, shade and likely shadow."""

from dataclasses import replace

import numpy as np
from numba import njit

from senard.algorithms.departure import HAZY, IN_ZONE, SHADED, UNTESTED, Departure
from senard.algorithms.scoring import Scored
from senard.model.arrays import Float32Array, UInt8Array
from senard.model.grid import Grid
from senard.model.sources import FLAG_HAZE

HAZE_WEIGHT, HAZE_FROM, HAZE_MOST = np.float32(8.0), np.float32(0.05), np.float32(4.8)
"""Cost of one unit of `Departure.haze` beyond HAZE_FROM, counted up to HAZE_MOST units beyond."""
DARK_WEIGHT, DARK_FROM, DARK_MOST = np.float32(13.0), np.float32(0.04), np.float32(0.48)
"""Cost of a missing share of light beyond DARK_FROM, counted up to DARK_MOST beyond."""
ZONE_COST = np.float32(0.4)
"""Cost where a shadow must fall; half of it where one may."""


def refine(scored: Scored, found: Departure, grid: Grid, coarse: Grid) -> Scored:
    """Judge an observation anew from how it departs from the others.

    Args:
        scored: by its own scene alone, on `grid`.
        found: on `coarse`.
        grid: pixels of 20 m, inside `coarse`.
        coarse: pixels of 60 m, or of any multiple of 20 m.

    Returns:
        level 1 becomes 3 where the observation is hazy or shaded, 2 where it could not be tested or a shadow is likely.
    """
    level, cost, flags = scored.level.copy(), scored.cost.copy(), scored.flags.copy()
    row, col = round((coarse.top - grid.top) / 20), round((grid.left - coarse.left) / 20)
    ratio = coarse.gsd // grid.gsd
    _refine(found.haze, found.dark, found.verdict, found.zone, row, col, ratio, level, cost, flags)
    return replace(scored, level=level, cost=cost, flags=flags)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _refine(
    haze: Float32Array,
    dark: Float32Array,
    verdict: UInt8Array,
    zone: UInt8Array,
    first_row: int,
    first_col: int,
    ratio: int,
    level: UInt8Array,
    cost: Float32Array,
    flags: UInt8Array,
) -> None:
    """Change level, cost and flags in place."""
    for row in range(level.shape[0]):
        for col in range(level.shape[1]):
            if level[row, col] == 0:
                continue
            r, c = (row + first_row) // ratio, (col + first_col) // ratio
            bits = verdict[r, c]
            if level[row, col] == 1:
                if bits & (HAZY | SHADED):
                    level[row, col] = 3
                elif bits & (UNTESTED | IN_ZONE):
                    level[row, col] = 2
            if bits & HAZY:
                flags[row, col] |= FLAG_HAZE
            veiled = min(max(haze[r, c] - HAZE_FROM, np.float32(0)), HAZE_MOST)
            shaded = min(max(dark[r, c] - DARK_FROM, np.float32(0)), DARK_MOST)
            cost[row, col] += HAZE_WEIGHT * veiled + DARK_WEIGHT * shaded + ZONE_COST * np.float32(0.5) * zone[r, c]
