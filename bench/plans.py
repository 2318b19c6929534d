"""What the archives hold: a season over one MGRS tile, and a smaller one over four tiles of two UTM zones."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from senard.simulation.acquisition import FULL_SIZE_PX, SimulatedAcquisition
from senard.simulation.footprint import footprint_of

FIRST_DAY, LAST_DAY = date(2024, 5, 1), date(2024, 7, 31)

_BORDER_DEG = 0.005
# The area ends 400 to 550 m inside the products, so that the buffers of their borders leave no gap at its rim.

_FIRST_TIME = datetime(2024, 5, 9, 10, 50, 31, tzinfo=UTC)
_STEP = timedelta(days=5)

_SKIES = (
    *((7, 0.30, False), (2, 0.45, False), (12, 0.40, False), (5, 0.60, True)),
    *((14, 0.25, False), (0, 0.70, False), (10, 0.50, False), (4, 0.35, True)),
    *((8, 0.55, False), (15, 0.40, False), (1, 0.80, False), (11, 0.45, False)),
    *((6, 0.30, False), (13, 0.65, True), (3, 0.50, False), (9, 0.75, False)),
)
# How many steps after the first time, share of the sky under cloud, haze. The first four, eight and sixteen are
# archives, each spread over the period; most dates win somewhere.


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """One archive, and the numbers of dates that are measured."""

    acquisitions: tuple[SimulatedAcquisition, ...]
    """All products, date by date: the first dates are the smaller archives."""

    dates: tuple[int, ...]
    """How many dates are measured, growing."""

    floor_dates: int
    """At how many of them the floor is measured."""

    floor_processes: tuple[int, ...]
    """In how many processes, one run for each: alone on the machine a process may decode faster than beside another."""

    area: BaseGeometry
    """Polygon, lon/lat, inside the products."""

    repeated: bool
    """Whether products hold a square of ground many times, which is how whole MGRS tiles are afforded."""

    window_offset_px: int
    """Row and column of the peers' window in the products of the first MGRS tile, pixels of 10 m."""

    window_px: int
    """Its side, pixels of 10 m."""

    @property
    def products_per_date(self) -> int:
        """One for each MGRS tile."""
        return len({one.mgrs_tile for one in self.acquisitions})


def plan(size: str) -> BenchPlan:
    """The archive of one size.

    Args:
        size: "full", "small", or "tiny", which warms up: numba compiles once per machine, not per mosaic.
    """
    return _PLANS[size]()


def _full() -> BenchPlan:
    """Sixteen dates of one whole MGRS tile: Toulouse, 43.6° N.

    A pixel of 10 m in EPSG:3857 is 7.2 m of ground there, so the mosaic has twice the pixels of the product.
    """
    acquisitions = tuple(_seen(sky, "31TCJ", FULL_SIZE_PX, (0, 0)) for sky in _SKIES)
    return BenchPlan(
        acquisitions=acquisitions,
        dates=(4, 8, 16),
        floor_dates=8,
        floor_processes=(2,),
        area=_inner(acquisitions[0]),
        repeated=True,
        window_offset_px=5120,  # whole internal tiles of 1024 px at 10 m and of 640 px at 20 m lie before it
        window_px=FULL_SIZE_PX // 2,
    )


_CROSSING = (6.0, 45.1)
# lon/lat where four MGRS tiles of UTM zones 31 and 32 overlap.

_FOUR_OFFSETS = {"31TGK": (0, 2694), "31TGL": (9150, 2694), "32TKQ": (0, 5484), "32TKR": (9150, 5484)}
# MGRS tile to (rows, columns) of its product's corner: all contain the crossing.


def _small() -> BenchPlan:
    """Four dates of four MGRS tiles in two UTM zones."""
    acquisitions = tuple(
        replace(_seen(sky, tile, 1830, offset), swath_centre=_CROSSING)
        for sky in _SKIES[:4]
        for tile, offset in _FOUR_OFFSETS.items()
    )
    return BenchPlan(
        acquisitions=acquisitions,
        dates=(2, 4),
        floor_dates=4,
        floor_processes=(2, 1),
        area=box(5.9, 44.98, 6.1, 45.17),
        repeated=False,
        window_offset_px=0,
        window_px=1830,
    )


def _tiny() -> BenchPlan:
    acquisitions = tuple(_seen(sky, "31TCJ", 366, (5304, 5304)) for sky in _SKIES[:2])
    return BenchPlan(
        acquisitions=acquisitions,
        dates=(2,),
        floor_dates=2,
        floor_processes=(2,),
        area=_inner(acquisitions[0]),
        repeated=False,
        window_offset_px=0,
        window_px=366,
    )


_PLANS = {"full": _full, "small": _small, "tiny": _tiny}

SIZES = tuple(_PLANS)
"""Names of all plans."""


def _seen(
    sky: tuple[int, float, bool], mgrs_tile: str, size_px: int, offset_px: tuple[int, int]
) -> SimulatedAcquisition:
    """One product; two satellites take turns."""
    steps, cloud_fraction, hazy = sky
    return SimulatedAcquisition(
        mgrs_tile=mgrs_tile,
        time=_FIRST_TIME + steps * _STEP,
        satellite=("S2A", "S2B")[steps % 2],
        size_px=size_px,
        offset_px=offset_px,
        seed=11,
        cloud_fraction=cloud_fraction,
        hazy=hazy,
    )


def _inner(acquisition: SimulatedAcquisition) -> BaseGeometry:
    """Its ground without the rim, lon/lat."""
    return footprint_of(acquisition).buffer(-_BORDER_DEG, join_style="mitre")
