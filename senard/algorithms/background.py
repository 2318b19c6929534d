"""What the ground of each pixel usually looks like: the best few observations, and quantiles of them.

Kept are the observations with the least cost that their own scenes call clear, a bounded number per pixel, so memory
does not depend on how many scenes there are. Quantiles lean to the side that clouds cannot reach: low for what haze
raises, high for what shade lowers (science: background).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from senard.model.arrays import BoolArray, Float32Array, Int16Array, Int64Array, UInt8Array, UInt16Array

KEPT = 8
"""Observations kept per pixel: as good as keeping all (docs/explanation/quality.md)."""
WINDOW_DAYS = 45
"""Observations within so many days of a date tell what it should look like."""
LEAST = 5
"""If fewer lie within the window, the nearest ones in time join them up to this number."""
WHOLE_DAYS = 100
"""A period up to this length is one window."""
STEP_DAYS = 15
"""Dates of a longer period share the background of the nearest of days so far apart."""
HOT_QUANTILE, HOT_QUANTILE_MANY = 0.10, 0.05
"""Of the haze index: lower where there are many observations."""
MANY = 8
"""Observations from which HOT_QUANTILE_MANY holds."""
DARK_QUANTILE = 0.65
"""Of red, NIR and SWIR, which shade lowers."""
DARK_BLUE_QUANTILE = 0.2
"""Of blue, for shade over water: haze over dark water raises it far more than the ground itself varies."""

REFERENCES = ("hot", "B02", "B04", "dark_B04", "dark_B8A", "dark_B11", "dark_B02", "B11")
"""Layers of `Background.values`, DN: haze index, blue and red as they are without haze; red, NIR, SWIR and blue as they
are without shade; SWIR as it is without cloud or glint."""

_BANDS_OF_LAYERS = (0, 1, 1, 2, 3, 0, 3)
# Place among the judge bands of every layer but the first.

_DARK_QUANTILES = (0.0, 0.0, DARK_QUANTILE, DARK_QUANTILE, DARK_QUANTILE, DARK_BLUE_QUANTILE, 0.0)
# Of every layer but the first; where it is 0, that of the haze index holds.


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservoir:
    """The best observations of every pixel, best first; filled one by one."""

    cost: Float32Array
    """(y, x, kept) cost by their own scenes; inf is an empty place."""

    day: Int16Array
    """(y, x, kept) days from the first day of the period."""

    dn: UInt16Array
    """(y, x, kept, 4) harmonised DN of the judge bands."""

    count: UInt16Array
    """(y, x) observations offered, kept or not."""

    @classmethod
    def nothing(cls, shape: tuple[int, int], kept: int = KEPT) -> "Reservoir":
        """No observation anywhere."""
        return cls(
            cost=np.full((*shape, kept), np.inf, dtype=np.float32),
            day=np.zeros((*shape, kept), dtype=np.int16),
            dn=np.zeros((*shape, kept, 4), dtype=np.uint16),
            count=np.zeros(shape, dtype=np.uint16),
        )

    @classmethod
    def beside(cls, parts: Sequence["Reservoir"]) -> "Reservoir":
        """Reservoirs of pieces of ground, from left to right, as one."""
        return cls(
            cost=np.concatenate([part.cost for part in parts], axis=1),
            day=np.concatenate([part.day for part in parts], axis=1),
            dn=np.concatenate([part.dn for part in parts], axis=1),
            count=np.concatenate([part.count for part in parts], axis=1),
        )

    def part(self, where: tuple[slice, slice]) -> "Reservoir":
        """Rows and columns of it, as a copy."""
        return Reservoir(
            cost=self.cost[where].copy(),
            day=self.day[where].copy(),
            dn=self.dn[where].copy(),
            count=self.count[where].copy(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the ground should look like around one date."""

    values: Float32Array
    """(REFERENCES, y, x) DN; NaN where nothing is known."""

    count: UInt8Array
    """(y, x) observations that it stems from."""

    distance_days: Float32Array
    """(y, x) days to the farthest of them."""


def offer(to: Reservoir, day: int, cost: Float32Array, allowed: BoolArray, judge: UInt16Array) -> None:
    """Keep an observation where it is among the best so far.

    Args:
        to: filled in place; offer in ascending order of date, the first of two equals stays ahead.
        day: days from the first day of the period.
        cost: (y, x) by its own scene.
        allowed: (y, x), True where its own scene calls it clear.
        judge: (bands, y, x) uint16, the first four are the judge bands.
    """
    _offer(to.cost, to.day, to.dn, to.count, day, cost, allowed, judge)


def background_day(day: int, period_days: int) -> int:
    """The day whose background a date is compared with: its own one is shared with its neighbours.

    Args:
        day: days from the first day of the period.
        period_days: length of the period.
    """
    if period_days <= WHOLE_DAYS:
        return period_days // 2
    return day // STEP_DAYS * STEP_DAYS + STEP_DAYS // 2


def background(kept: Reservoir, day: int, period_days: int) -> Background:
    """Quantiles of what was seen around a day.

    Args:
        kept: every observation was offered.
        day: from `background_day`.
        period_days: length of the period.

    Returns:
        the background on the pixels of `kept`.
    """
    shape = kept.count.shape
    values = np.full((len(REFERENCES), *shape), np.nan, dtype=np.float32)
    count = np.zeros(shape, dtype=np.uint8)
    distance = np.zeros(shape, dtype=np.float32)
    window = period_days if period_days <= WHOLE_DAYS else WINDOW_DAYS
    _quantiles(kept.cost, kept.day, kept.dn, day, window, values, count, distance)
    return Background(values=values, count=count, distance_days=distance)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _offer(
    kept_cost: Float32Array,
    kept_day: Int16Array,
    kept_dn: UInt16Array,
    count: UInt16Array,
    day: int,
    cost: Float32Array,
    allowed: BoolArray,
    judge: UInt16Array,
) -> None:
    """Put an observation in its place among those of each pixel."""
    rows, cols, kept = kept_cost.shape
    for row in range(rows):
        for col in range(cols):
            if not allowed[row, col]:
                continue
            count[row, col] += 1
            value = cost[row, col]
            if not kept_cost[row, col, kept - 1] > value:
                continue
            at = kept - 1
            while at > 0 and kept_cost[row, col, at - 1] > value:
                if kept_cost[row, col, at - 1] < np.inf:  # an empty place holds nothing to move
                    kept_cost[row, col, at] = kept_cost[row, col, at - 1]
                    kept_day[row, col, at] = kept_day[row, col, at - 1]
                    for band in range(4):
                        kept_dn[row, col, at, band] = kept_dn[row, col, at - 1, band]
                at -= 1
            kept_cost[row, col, at] = value
            kept_day[row, col, at] = day
            for band in range(4):
                kept_dn[row, col, at, band] = judge[band, row, col]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _quantile(values: Float32Array, count: int, share: float) -> np.float32:
    """Quantile of the first `count` values, linear between neighbours; sorts them."""
    for i in range(1, count):
        value = values[i]
        at = i
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value
    place = share * (count - 1)
    below = int(place)
    above = min(below + 1, count - 1)
    return np.float32(values[below] + (values[above] - values[below]) * np.float32(place - below))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _near_in_time(cost: Float32Array, day: Int16Array, wanted: int, window: int, index: Int64Array) -> int:
    """Places of the observations within the window, or of the nearest LEAST; returns how many."""
    found = 0
    for k in range(cost.size):
        if not np.isfinite(cost[k]):
            break
        at = found
        while at > 0 and abs(int(day[index[at - 1]]) - wanted) > abs(int(day[k]) - wanted):
            index[at] = index[at - 1]
            at -= 1
        index[at] = k
        found += 1
    inside = 0
    while inside < found and abs(int(day[index[inside]]) - wanted) <= window:
        inside += 1
    return max(inside, min(found, LEAST))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _quantiles(
    cost: Float32Array,
    day: Int16Array,
    dn: UInt16Array,
    wanted: int,
    window: int,
    values: Float32Array,
    count: UInt8Array,
    distance: Float32Array,
) -> None:
    """Fill the background of every pixel."""
    rows, cols, kept = cost.shape
    index = np.empty(kept, dtype=np.int64)
    line = np.empty(kept, dtype=np.float32)
    held = -1
    for row in range(rows):
        for col in range(cols):
            found = _near_in_time(cost[row, col], day[row, col], wanted, window, index)
            count[row, col] = found
            if found == 0:
                continue
            distance[row, col] = abs(int(day[row, col, index[found - 1]]) - wanted)
            low = HOT_QUANTILE_MANY if found >= MANY else HOT_QUANTILE
            for k in range(found):
                seen = dn[row, col, index[k]]
                line[k] = np.float32(seen[0]) - np.float32(0.5) * np.float32(seen[1])
            values[0, row, col] = _quantile(line, found, low)
            for layer in range(7):
                band = _BANDS_OF_LAYERS[layer]
                if band != held or layer == 0:  # else they are sorted already
                    for k in range(found):
                        line[k] = np.float32(dn[row, col, index[k], band])
                    held = band
                share = _DARK_QUANTILES[layer]
                values[layer + 1, row, col] = _quantile(line, found, share if share > 0 else low)
