"""What becomes of snow: a last resort, ground like any other, or never delivered; where it always lies it is ground."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numba import njit

from senard.algorithms.scoring import Observation, Scored
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.masks import SCL_BITS
from senard.model.request import Snow
from senard.model.sentinel2 import SATURATED_DN, Scl
from senard.model.sources import FLAG_BUFFER, FLAG_HAZE, FLAG_PERMANENT_SNOW, FLAG_SNOW

PERMANENT_SHARE = 0.8
"""Share of the dates without cloud on which snow must lie to be permanent."""
LEAST_DATES = 3
"""Fewer dates without cloud do not tell."""

Levels = TypeVar("Levels", UInt8Array, UInt16Array)
"""Levels or flags, of one observation or of the choice."""

_PERMANENT_OR_DOUBTFUL = FLAG_PERMANENT_SNOW | FLAG_BUFFER | FLAG_HAZE


@dataclass(frozen=True, slots=True, kw_only=True)
class SnowCounts:
    """How often each pixel was seen, (y, x) uint16; filled date by date."""

    seen: UInt16Array
    """Dates without cloud or shadow."""

    snowy: UInt16Array
    """Those of them with snow."""

    @classmethod
    def nothing(cls, shape: tuple[int, int]) -> "SnowCounts":
        """No date yet."""
        return cls(seen=np.zeros(shape, dtype=np.uint16), snowy=np.zeros(shape, dtype=np.uint16))

    def add(self, scored: Scored) -> None:
        """Count one date.

        Args:
            scored: its judgement by its own scene.
        """
        seen = (scored.level > 0) & (scored.level < 5) & ((scored.flags & FLAG_BUFFER) == 0)
        np.add(self.seen, seen, out=self.seen, casting="unsafe")
        np.add(self.snowy, seen & ((scored.flags & FLAG_SNOW) > 0), out=self.snowy, casting="unsafe")

    @property
    def permanent(self) -> BoolArray:
        """(y, x), True where snow lies on nearly every date."""
        often: BoolArray = self.snowy >= PERMANENT_SHARE * self.seen
        return often & (self.seen >= LEAST_DATES)


def with_snow(scored: Scored, seen: Observation, snow: Snow, permanent: BoolArray, grid: Grid, coarse: Grid) -> Scored:
    """Judge the snow of one observation as it was asked for.

    Args:
        scored: with snow at level 4.
        seen: what it saw, on `grid`.
        snow: ALLOW makes it level 1, though haze over it cannot be told; AVOID leaves it at level 4, behind all ground
            without snow; MASK takes it for nodata.
        permanent: (y, x) on `coarse`.
        grid: pixels of 20 m, or those of `coarse`, inside it.
        coarse: pixels of 60 m, or of any multiple of 20 m.

    Returns:
        the same, and FLAG_PERMANENT_SNOW where it is permanent. What is saturated, beside a cloud or amid haze stays
        at level 4 in any case.
    """
    snowy = (scored.flags & FLAG_SNOW) > 0
    if not snowy.any():
        return scored
    if snow is Snow.MASK:
        return replace(scored, level=np.where(snowy, np.uint8(0), scored.level))
    level, flags, clear = scored.level.copy(), scored.flags.copy(), scored.clear.copy()
    row, col = round((coarse.top - grid.top) / grid.gsd), round((grid.left - coarse.left) / grid.gsd)
    places = (permanent, row, col, coarse.gsd // grid.gsd, snow is Snow.ALLOW)
    _judge_snow(seen.mask[0], seen.judge, *places, level, flags, clear)
    return replace(scored, level=level, flags=flags, clear=clear)


def reported_level(level: Levels, flags: Levels) -> Levels:
    """Levels as they are delivered: where snow always lies it is ground, level 2, though ground without came first.

    Args:
        level: (y, x) of the choice.
        flags: (y, x) FLAG_ bits of the choice.
    """
    reported = level.copy()
    reported[(level == 4) & ((flags & _PERMANENT_OR_DOUBTFUL) == FLAG_PERMANENT_SNOW)] = 2
    return reported


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _judge_snow(
    classes: UInt8Array,
    judge: UInt16Array,
    permanent: BoolArray,
    first_row: int,
    first_col: int,
    ratio: int,
    allowed: bool,
    level: UInt8Array,
    flags: UInt8Array,
    clear: UInt8Array,
) -> None:
    """Change level, flags and clear in place."""
    for row in range(level.shape[0]):
        for col in range(level.shape[1]):
            if not flags[row, col] & FLAG_SNOW:
                continue
            always = permanent[(row + first_row) // ratio, (col + first_col) // ratio]
            saturated = (classes[row, col] & SCL_BITS) == Scl.SATURATED_OR_DEFECTIVE
            for band in range(4):
                saturated = saturated or judge[band, row, col] == SATURATED_DN
            if always and not saturated:
                flags[row, col] |= FLAG_PERMANENT_SNOW
            doubtful = saturated or (flags[row, col] & (FLAG_BUFFER | FLAG_HAZE)) != 0
            if allowed and level[row, col] == 4 and not doubtful:
                level[row, col] = 1
                clear[row, col] = 1
