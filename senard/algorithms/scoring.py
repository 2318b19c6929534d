"""What an observation is worth: quality level and cost of every pixel of one datatake (science: cost, levels).

Lower is better everywhere. Levels come first and the cost decides within a level:
1 clear; 2 clear, but in a zone of likely shadow or with too few dates to test (given by the multi-date test alone);
3 clear for its own product, but rejected by the multi-date test; 4 in the hard buffer of a cloud or shadow, saturated,
or snow; 5 core of a cloud, cirrus or shadow; specks that the opening removes are ground. This module judges from the
scene alone and gives 1, 4 and 5; a test over several dates refines `Scored` between `score` and the choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit

from senard.model.arrays import Float32Array, UInt8Array, UInt16Array
from senard.model.grid import Window
from senard.model.masks import (
    AOT_UNITS,
    CLASS_CORE,
    CLASS_SNOW,
    CLASS_TERRASCOPE,
    CLEAR_SHARE_UNITS,
    FAR,
    MASK_BANDS_60,
    NO_PROBABILITY,
    SCL_BITS,
)
from senard.model.request import DATE_WEIGHT, Buffer
from senard.model.sentinel2 import SATURATED_DN, Scl
from senard.model.sources import FLAG_BUFFER, FLAG_SNOW

DISTANCE_WEIGHT = 0.5
"""Cost beside a cloud."""
DISTANCE_REACH_M = 2000.0
"""Distance from cloud or shadow at which its cost is gone; it is halved at half of this, m."""
UNCLEAR_WEIGHT = 0.6
"""Cost where everything around is cloudy."""
AEROSOL_WEIGHT = 0.335
"""Cost at an optical thickness of AEROSOL_FULL and more."""
AEROSOL_FULL = 0.8
"""Optical thickness of aerosol that costs all of AEROSOL_WEIGHT."""
PROBABILITY_WEIGHT = 0.5
"""Cost of a cloud probability of 100 %."""
DOUBTFUL_CLASS_COST = 0.3
"""Cost of the classes DARK_AREA and UNCLASSIFIED, among which shadow and thin cloud hide, and of specks of shadow,
cirrus or cloud of medium probability: what is too small for the opening is mostly dark forest or a bright roof."""
LOW_SUN_WEIGHT = 0.2
"""Cost per 20 degrees of sun zenith beyond LOW_SUN_DEG."""
LOW_SUN_DEG = 40.0
"""Sun zenith up to which light costs nothing, degrees."""

BUFFER_PX: Mapping[Buffer, int] = {Buffer.THIN: 1, Buffer.TERRASCOPE: 0, Buffer.PURE: 15}
"""Hard buffer around a core of cloud or shadow, units of 20 m; Terrascope's has a bit of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one datatake saw on one part of the mosaic, its overlapping granules merged."""

    source: UInt16Array
    """(y, x) number of the granule's scene; 0 where nothing valid was seen."""

    mask: UInt8Array
    """(4, y, x) MASK_BANDS_20."""

    judge: UInt16Array
    """(7, y, x) MASK_BANDS_60."""

    @classmethod
    def nothing(cls, shape: tuple[int, int]) -> "Observation":
        """An observation that saw nothing yet."""
        return cls(
            source=np.zeros(shape, dtype=np.uint16),
            mask=np.zeros((4, *shape), dtype=np.uint8),
            judge=np.zeros((len(MASK_BANDS_60), *shape), dtype=np.uint16),
        )

    def part(self, window: Window) -> "Observation":
        """A window of it, as a copy."""
        where = window.slices
        return Observation(
            source=self.source[where].copy(),
            mask=np.ascontiguousarray(self.mask[:, *where]),
            judge=np.ascontiguousarray(self.judge[:, *where]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Judgement of one observation, (y, x) each."""

    level: UInt8Array
    """1-5; 0 where nothing valid was seen."""

    cost: Float32Array
    """Within the level, about 0-5; 1.0 is an anomaly that is just not acceptable."""

    flags: UInt8Array
    """FLAG_ bits of senard.model.sources."""

    clear: UInt8Array
    """1 where the scene classification says clear (2, 4, 5, 6, 7, or a speck of 3, 8, 10) and nothing is saturated or
    snow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What an observation costs for when it was taken."""

    days_from_target: float
    """Acquisition day minus target day, days."""

    half_period_days: float
    """Half the period, days."""

    sun_zenith: float
    """Mean over the granule, degrees."""

    date_weight: float = DATE_WEIGHT
    """Cost at either end of the period."""

    @property
    def cost(self) -> float:
        """Cost of date and low sun."""
        late = self.days_from_target / self.half_period_days
        low = max(0.0, self.sun_zenith - LOW_SUN_DEG) / 20
        return self.date_weight * late * late + LOW_SUN_WEIGHT * low


def score(seen: Observation, moments: Float32Array, buffer: Buffer) -> Scored:
    """Judge every pixel of one observation from its own scene alone.

    Args:
        seen: the datatake's granules, merged.
        moments: (scenes + 1,) float32, `Moment.cost` by source number.
        buffer: the hard buffer that was asked for.

    Returns:
        level, cost and flags.
    """
    shape = seen.source.shape
    level, flags, clear = (np.zeros(shape, dtype=np.uint8) for _ in range(3))
    cost = np.zeros(shape, dtype=np.float32)
    terrascope = CLASS_TERRASCOPE if buffer is Buffer.TERRASCOPE else 0
    buffer_px = -1 if buffer is Buffer.TERRASCOPE else BUFFER_PX[buffer]
    tables = (_CLASS_COST, _DISTANCE_COST, _SHARE_COST, _PROBABILITY_COST)
    _score(seen.source, seen.mask, seen.judge, moments, *tables, terrascope, buffer_px, level, cost, flags, clear)
    return Scored(level=level, cost=cost, flags=flags, clear=clear)


def _class_table() -> Float32Array:
    table = np.zeros(16, dtype=np.float32)
    specks = (Scl.CLOUD_SHADOW, Scl.CLOUD_MEDIUM, Scl.THIN_CIRRUS)
    table[[Scl.DARK_AREA, Scl.UNCLASSIFIED, *specks]] = DOUBTFUL_CLASS_COST
    return table


def _distance_table() -> Float32Array:
    """Logistic in the distance, as FORCE and others use it."""
    distance_m = np.arange(FAR + 1) * 20.0
    steepness = 10 / DISTANCE_REACH_M
    return (DISTANCE_WEIGHT / (1 + np.exp(steepness * (distance_m - DISTANCE_REACH_M / 2)))).astype(np.float32)


def _share_table() -> Float32Array:
    share = np.minimum(np.arange(256) / CLEAR_SHARE_UNITS, 1)
    return (UNCLEAR_WEIGHT * (1 - share)).astype(np.float32)


def _probability_table() -> Float32Array:
    """An unknown probability (255) costs nothing."""
    table = PROBABILITY_WEIGHT * np.minimum(np.arange(256) / 100, 1)
    table[NO_PROBABILITY] = 0
    return table.astype(np.float32)


_CLASS_COST = _class_table()
_DISTANCE_COST = _distance_table()
_SHARE_COST = _share_table()
_PROBABILITY_COST = _probability_table()
VICINITY_COSTS = (_DISTANCE_COST, _PROBABILITY_COST)
"""What the nearness of clouds and the product's own probability of cloud add to the cost: by `distance` and by
`cloud_probability` of MASK_BANDS_20."""

_AEROSOL_COST = np.float32(AEROSOL_WEIGHT / (AEROSOL_FULL * AOT_UNITS))
_AEROSOL_FULL = np.int64(AEROSOL_FULL * AOT_UNITS)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _score(
    source: UInt16Array,
    mask: UInt8Array,
    judge: UInt16Array,
    moments: Float32Array,
    class_cost: Float32Array,
    distance_cost: Float32Array,
    share_cost: Float32Array,
    probability_cost: Float32Array,
    terrascope: int,
    buffer_px: int,
    level: UInt8Array,
    cost: Float32Array,
    flags: UInt8Array,
    clear: UInt8Array,
) -> None:
    """Fill level, cost, flags and clear of every pixel with a source."""
    for row in range(source.shape[0]):
        for col in range(source.shape[1]):
            if source[row, col] == 0:
                continue
            bits = mask[0, row, col]
            scl = bits & SCL_BITS
            near = mask[1, row, col] <= buffer_px or (bits & terrascope) != 0
            snow = scl == Scl.SNOW or (bits & CLASS_SNOW) != 0
            saturated = scl == Scl.SATURATED_OR_DEFECTIVE
            for band in range(4):
                saturated = saturated or judge[band, row, col] == SATURATED_DN
            hidden = scl == Scl.CLOUD_SHADOW or scl == Scl.CLOUD_MEDIUM or scl == Scl.THIN_CIRRUS
            if scl == Scl.CLOUD_HIGH or (hidden and (bits & CLASS_CORE) != 0):
                level[row, col] = 5
            elif near or snow or saturated:
                level[row, col] = 4
            else:
                level[row, col] = 1
            clear[row, col] = level[row, col] != 5 and not snow and not saturated
            flags[row, col] = (FLAG_SNOW if snow else 0) | (FLAG_BUFFER if near else 0)
            value = moments[source[row, col]] + class_cost[scl] + distance_cost[mask[1, row, col]]
            value += share_cost[mask[2, row, col]] + probability_cost[mask[3, row, col]]
            cost[row, col] = value + np.float32(min(np.int64(judge[4, row, col]), _AEROSOL_FULL)) * _AEROSOL_COST
