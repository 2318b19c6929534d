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
FAINT_WEIGHT, FAINT_FROM = np.float32(2.0), np.float32(-0.4)
"""Cost of one unit of haze between FAINT_FROM and HAZE_FROM: too little to tell haze by, enough to prefer a date."""
OWN_WEIGHT, OWN_MOST = np.float32(2.0), np.float32(3.0)
"""Cost of one unit of `Departure.own_haze`, counted up to OWN_MOST: haze of every date no other date can tell."""
DIM_FROM, DIM_TO = np.float32(0.05), np.float32(0.12)
"""Missing light from which on a low haze index is no merit, and is none at all: shade lowers it, too."""
DARK_WEIGHT, DARK_FROM, DARK_MOST = np.float32(13.0), np.float32(0.04), np.float32(0.48)
"""Cost of a missing share of light beyond DARK_FROM, counted up to DARK_MOST beyond."""
ZONE_COST = np.float32(0.4)
"""Cost where a shadow must fall; half of it where one may."""


def refine(scored: Scored, found: Departure, grid: Grid, coarse: Grid) -> Scored:
    """Judge an observation anew from how it departs from the others.

    Args:
        scored: by its own scene alone, on `grid`.
        found: on `coarse`.
        grid: pixels of 20 m, or those of `coarse`, inside it.
        coarse: pixels of 60 m, or of any multiple of 20 m.

    Returns:
        level 1 becomes 3 where the observation is hazy or shaded, 2 where it could not be tested or a shadow is likely.
    """
    level, cost, flags = scored.level.copy(), scored.cost.copy(), scored.flags.copy()
    row, col = round((coarse.top - grid.top) / grid.gsd), round((grid.left - coarse.left) / grid.gsd)
    ratio = coarse.gsd // grid.gsd
    _refine(found.haze, found.own_haze, found.dark, found.verdict, found.zone, row, col, ratio, level, cost, flags)
    return replace(scored, level=level, cost=cost, flags=flags)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _refine(
    haze: Float32Array,
    own_haze: Float32Array,
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
    across = (np.arange(level.shape[1]) + first_col) // ratio  # dividing costs more than all else in the loop
    for row in range(level.shape[0]):
        r = (row + first_row) // ratio
        for col in range(level.shape[1]):
            if level[row, col] == 0:
                continue
            c = across[col]
            bits = verdict[r, c]
            if level[row, col] == 1:
                if bits & (HAZY | SHADED):
                    level[row, col] = 3
                elif bits & (UNTESTED | IN_ZONE):
                    level[row, col] = 2
            if bits & HAZY:
                flags[row, col] |= FLAG_HAZE
            veiled = min(max(haze[r, c] - HAZE_FROM, np.float32(0)), HAZE_MOST)
            faint = min(max(haze[r, c] - FAINT_FROM, np.float32(0)), HAZE_FROM - FAINT_FROM)
            dim = min(max((dark[r, c] - DIM_FROM) / (DIM_TO - DIM_FROM), np.float32(0)), np.float32(1))
            faint += dim * (HAZE_FROM - FAINT_FROM - faint)
            shaded = min(max(dark[r, c] - DARK_FROM, np.float32(0)), DARK_MOST)
            own = min(max(own_haze[r, c], np.float32(0)), OWN_MOST)
            cost[row, col] += HAZE_WEIGHT * veiled + FAINT_WEIGHT * faint + OWN_WEIGHT * own
            cost[row, col] += DARK_WEIGHT * shaded + ZONE_COST * np.float32(0.5) * zone[r, c]
