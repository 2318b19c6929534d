"""One simulated season over one square: the views that every method chooses from, and what is true of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from bench.quality.views import cached_view
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.sentinel2 import SCL_CLEAR, Scl
from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.simulation.plans import quality_plan
from senard.simulation.stack import SimulatedView

NumberT = TypeVar("NumberT", bound=np.generic)

TUNING_SEEDS = tuple(range(31, 45))
"""Seeds that parameters may be tuned on; their figures are never reported."""

REPORTED_SEEDS = (61, 62, 63, 64, 65, 66)
"""Seeds of the reported tables; nothing is tuned on them."""

SMALL_PX = 732
"""Side of the square of a small run, pixels of 10 m."""

CONTAMINATED = 0x0F
"""Bits of the true sky that make an observation contaminated: cloud, shadow, haze, smoke."""

UNJUDGED_PX = 240
"""Strip in the east and the south, towards the sun, where no figure counts: 4.8 km in pixels of 20 m.

What throws its shadow into it stands outside the square, where nobody sees it. Products are 110 km wide and overlap."""

CLOUDIEST = 95.0
"""Scenes at or above this cloud cover are left out for all methods, as the query does, percent."""


@dataclass(frozen=True, kw_only=True)
class Season:
    """Views of one square in order of time, on one grid of 20 m; arrays lie on disk and are read when touched."""

    regime: Regime
    """Which sky, ground and season."""

    seed: int
    """Which ground and weather."""

    views: tuple[SimulatedView, ...]
    """Kept views; a method's source is an index into them."""

    target: SimulatedView
    """The square on the target date without anything in the sky."""

    left_out: int = 0
    """Dates that were not kept for their cloud cover."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of 20 m."""
        rows, columns = self.views[0].scl.shape
        return rows, columns

    @property
    def days(self) -> tuple[date, ...]:
        """UTC day of each view."""
        return tuple(view.acquisition.time.date() for view in self.views)

    @property
    def target_day(self) -> date:
        """The day that the mosaic should look like."""
        return self.target.acquisition.time.date()

    @cached_property
    def scl(self) -> UInt8Array:
        """(time, y, x) scene classification."""
        return np.stack([view.scl for view in self.views])

    @cached_property
    def sky(self) -> UInt8Array:
        """(time, y, x) bits of the true sky; a gap has none."""
        return np.stack([view.sky for view in self.views])

    @cached_property
    def observed(self) -> BoolArray:
        """(time, y, x), True where a view has data in all bands."""
        known: BoolArray = np.stack([(view.scl != Scl.NO_DATA) & np.all(view.seen > 0, axis=0) for view in self.views])
        return known

    @cached_property
    def clean(self) -> BoolArray:
        """(time, y, x), True where a view has data under a sky that is truly clean."""
        clean: BoolArray = self.observed & ((self.sky & CONTAMINATED) == 0)
        return clean

    @cached_property
    def scl_clear(self) -> BoolArray:
        """(time, y, x), True where the classification says that the ground was seen (2, 4, 5, 6, 7)."""
        return self.observed & np.isin(self.scl, [int(value) for value in sorted(SCL_CLEAR)])

    def judged(self) -> "Season":
        """The part of the square that figures are taken from."""
        return replace(self, views=tuple(_judged_view(view) for view in self.views), target=_judged_view(self.target))

    def seen_rows(self, start: int, stop: int, bands: Sequence[int] | None = None) -> UInt16Array:
        """(time, band, rows, x) harmonised DN of some rows."""
        wanted = slice(None) if bands is None else list(bands)
        return np.stack([view.seen[:, start:stop][wanted] for view in self.views])


def load_season(
    regime: Regime, seed: int, *, small: bool = False, say: Callable[[str], None] = lambda _: None
) -> Season:
    """Views of one season, from the cache or freshly seen.

    Args:
        regime: which sky, ground and season.
        seed: which ground and weather.
        small: True cuts the square to SMALL_PX.
        say: told what is being seen.
    """
    plan = quality_plan(regime, seed)
    if small:
        plan = tuple(replace(one, size_px=SMALL_PX) for one in plan)
    views = []
    for number, acquisition in enumerate(plan, 1):
        say(f"view {number} of {len(plan)}")
        views.append(cached_view(acquisition))
    kept = tuple(view for view in views if cloud_cover(view.scl) < CLOUDIEST)
    target = cached_view(target_acquisition(plan))
    return Season(regime=regime, seed=seed, views=kept, target=target, left_out=len(views) - len(kept))


def target_acquisition(plan: Sequence[SimulatedAcquisition]) -> SimulatedAcquisition:
    """The middle day of a plan as the nearest overflight would see it under a clear sky."""
    first, last = plan[0].time.date().toordinal(), plan[-1].time.date().toordinal()
    middle = (first + last) // 2
    nearest = min(plan, key=lambda one: (abs(one.time.date().toordinal() - middle), one.time))
    time = datetime.combine(date.fromordinal(middle), nearest.time.timetz().replace(tzinfo=UTC))
    return replace(nearest, time=time, cloudless=True)


def judged_part(pixels: np.ndarray[Any, np.dtype[NumberT]]) -> np.ndarray[tuple[Any, ...], np.dtype[NumberT]]:
    """(…, y, x) pixels of the square without UNJUDGED_PX in the east and the south."""
    return pixels[..., :-UNJUDGED_PX, :-UNJUDGED_PX]


def _judged_view(view: SimulatedView) -> SimulatedView:
    return replace(
        view,
        scl=judged_part(view.scl),
        cloud_probability=judged_part(view.cloud_probability),
        snow_probability=judged_part(view.snow_probability),
        seen=judged_part(view.seen),
        ground=judged_part(view.ground),
        sky=judged_part(view.sky),
        cover=judged_part(view.cover),
    )


def cloud_cover(scl: UInt8Array) -> float:
    """CLOUDY_PIXEL_PERCENTAGE: cloud of medium and high probability and cirrus, percent of the pixels with data."""
    data = int((scl != Scl.NO_DATA).sum())
    cloudy = int(((scl >= Scl.CLOUD_MEDIUM) & (scl <= Scl.THIN_CIRRUS)).sum())
    return 100 * cloudy / data if data else 100.0
