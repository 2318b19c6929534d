"""Seasons of a few pixels with chosen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from bench.quality.mosaic import Mosaic, compose
from bench.quality.season import Season
from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.simulation.stack import VIEW_BANDS, SimulatedView

FIRST = datetime(2024, 6, 15, 10, 2, 31, tzinfo=UTC)

Numbers = npt.ArrayLike


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One view: arrays broadcast over the season's shape; DN alike in all bands where one number is given."""

    dn: Numbers = 1000
    scl: Numbers = 4
    sky: Numbers = 0
    ground: Numbers | None = None
    day: int = 0


def season_of(views: Sequence[Seen], *, shape: tuple[int, int] = (1, 1), target: Numbers = 1000) -> Season:
    """A season of views, first day 15 June; the target date is the first day."""
    made = tuple(view_of(seen, shape) for seen in views)
    return Season(regime=Regime.TEMPERATE, seed=0, views=made, target=view_of(Seen(dn=target), shape))


def view_of(seen: Seen, shape: tuple[int, int]) -> SimulatedView:
    """One view."""
    coarse = (max(shape[0] // 3, 1), max(shape[1] // 3, 1))
    dn = spectra(seen.dn, shape)
    judge = {name: np.full(coarse, int(dn.max()), np.uint16) for name in ("B02", "B03", "B04", "B8A", "B11")}
    return SimulatedView(
        acquisition=SimulatedAcquisition(
            mgrs_tile="33TWM", time=FIRST + timedelta(days=seen.day), size_px=6 * coarse[0], offset_px=(3420, 2700)
        ),
        scl=layer(seen.scl, shape),
        cloud_probability=layer(0, shape),
        snow_probability=layer(0, shape),
        seen=dn,
        judge={**judge, "AOT": np.full(coarse, 100, np.uint16)},
        ground=dn if seen.ground is None else spectra(seen.ground, shape),
        sky=layer(seen.sky, shape),
        cover=layer(5, shape),
        sun_zenith=40.0,
        sun_azimuth=150.0,
    )


def layer(values: Numbers, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """(y, x) uint8."""
    return np.broadcast_to(np.asarray(values, dtype=np.uint8), shape).copy()


def spectra(values: Numbers, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    """(10, y, x) uint16 of one number, of (y, x), or of (10, y, x)."""
    return np.broadcast_to(np.asarray(values, dtype=np.uint16), (len(VIEW_BANDS), *shape)).copy()


def chosen(season: Season, source: Numbers) -> Mosaic:
    """A mosaic of these views."""
    indices = np.asarray(source, dtype=np.int16)
    return Mosaic(name="chosen", source=indices, dn=compose(season, indices))
