"""Plans of archives: the sample of `make mosaic`, the tiny one of the tests, and seasons for measuring quality."""

import math
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.stats import beta
from shapely.geometry import box

from senard.model.sentinel2 import ProductType
from senard.simulation.acquisition import Half, Regime, SimulatedAcquisition
from senard.simulation.archive import ArchivePlan
from senard.simulation.footprint import footprint_of
from senard.simulation.geometry import EARTH_RADIUS_M, TRACK_TILT_DEG
from senard.simulation.weather import cloud_shape, haze_share

SAMPLE_SIZE_PX = 1830
"""Side of the sample's products, pixels of 10 m: 18.3 km."""

_SAMPLE_AREA = (23.83, 59.935, 24.20, 60.065)
# West, south, east, north. The border of UTM zones 34 and 35 (24° E) and a cut line of the mosaic's grid in EPSG:3857
# (y = 8 400 000 m, 60.001° N) cross in it.

_SAMPLE_OFFSETS = {"34VFM": (3420, 5580), "35VLG": (3420, 2700)}
# MGRS tile to (rows, columns) of its product's corner: both contain the crossing.

LAST_1C_BASELINE_2 = 209
"""L1C went from baseline 02.09 to 03.00 when L2A went from 02.14."""

_NEAR_EDGE = (21.43, 60.0)
# Point under the satellite whose swath ends at 24.1° E.

_OVERHEAD = (24.9, 60.0)

_CROSSING = (24.05, 60.0)
# A datatake split here is split inside the products.


def sample_plan(*, seed: int = 7) -> ArchivePlan:
    """The archive of `make mosaic`: two UTM zones, six dates and some trouble.

    Six dates of both tiles from three satellites, baselines 02.14, 03.01, 04.00 and 05.11; one date ends at the swath's
    edge, one has smoke, one is split between two datastrips; one product was processed again; one zip is broken; one
    product is overcast.

    Args:
        seed: which ground and weather.
    """
    dates = [
        _acquisition(datetime(2024, 5, 9, 9, 50, 31, tzinfo=UTC), "S2A", 511, 122, seed, 0.35),
        _acquisition(datetime(2024, 5, 24, 9, 40, 29, tzinfo=UTC), "S2B", 400, 36, seed, 0.55),
        _acquisition(datetime(2024, 6, 8, 9, 50, 31, tzinfo=UTC), "S2A", 214, 122, seed, 0.15),
        replace(
            _acquisition(datetime(2024, 6, 26, 9, 40, 41, tzinfo=UTC), "S2C", 511, 79, seed, 0.3),
            swath_centre=_NEAR_EDGE,
        ),
        replace(
            _acquisition(datetime(2024, 7, 11, 9, 50, 29, tzinfo=UTC), "S2B", 301, 122, seed, 0.4),
            swath_centre=_CROSSING,
        ),
        replace(_acquisition(datetime(2024, 7, 23, 9, 40, 31, tzinfo=UTC), "S2A", 511, 36, seed, 0.2), plumes=1),
    ]
    acquisitions = [on_tile(date, tile) for date in dates for tile in _SAMPLE_OFFSETS]
    whole = acquisitions[9]  # 35VLG of the fifth date: split in two
    halves = [
        replace(whole, half=Half.FIRST),
        replace(whole, half=Half.SECOND, processed=whole.processing_time + timedelta(minutes=95)),
    ]
    again = replace(acquisitions[5], baseline=500, processed=acquisitions[5].time + timedelta(days=200))
    broken = on_tile(_acquisition(datetime(2024, 6, 16, 9, 40, 29, tzinfo=UTC), "S2B", 511, 36, seed, 0.1), "35VLG")
    overcast = on_tile(_acquisition(datetime(2024, 7, 1, 9, 50, 29, tzinfo=UTC), "S2B", 511, 122, seed, 1.0), "34VFM")
    return ArchivePlan(
        acquisitions=(*acquisitions[:9], *halves, *acquisitions[10:], again, broken, overcast),
        truncated=(broken.product_id,),
        area=box(*_SAMPLE_AREA),
    )


def tiny_plan(*, seed: int = 7, size_px: int = 366) -> ArchivePlan:
    """A small archive for tests: one MGRS tile, four dates, baselines 02.14, 03.01, 04.00 and 05.11.

    Args:
        seed: which ground and weather.
        size_px: side of the products, pixels of 10 m, a multiple of 6.
    """
    dates = [
        _acquisition(datetime(2024, 6, 8, 9, 50, 31, tzinfo=UTC), "S2A", 214, 122, seed, 0.3),
        _acquisition(datetime(2024, 6, 18, 9, 50, 29, tzinfo=UTC), "S2B", 301, 122, seed, 0.5),
        _acquisition(datetime(2024, 6, 26, 9, 40, 41, tzinfo=UTC), "S2C", 400, 36, seed, 0.2),
        _acquisition(datetime(2024, 7, 11, 9, 50, 31, tzinfo=UTC), "S2A", 511, 122, seed, 0.4),
    ]
    acquisitions = tuple(replace(on_tile(date, "35VLG"), size_px=size_px) for date in dates)
    return ArchivePlan(acquisitions=acquisitions, area=footprint_of(acquisitions[0]).buffer(-0.002))


def level_1c_of(acquisition: SimulatedAcquisition) -> SimulatedAcquisition:
    """The L1C product that an L2A product was made from: the same datatake and ground, processed an hour earlier."""
    baseline = acquisition.baseline
    return replace(
        acquisition,
        product_type=ProductType.L1C,
        baseline=min(baseline, LAST_1C_BASELINE_2) if baseline < 300 else baseline,
        processed=acquisition.processing_time - timedelta(hours=1),
    )


def with_levels(plan: ArchivePlan, product_types: frozenset[ProductType]) -> ArchivePlan:
    """The same overflights as L1C, as L2A, or as both.

    Args:
        plan: an archive of L2A products.
        product_types: which of L1C and L2A it shall hold.
    """
    acquisitions: list[SimulatedAcquisition] = []
    truncated = []
    for acquisition in plan.acquisitions:
        made = [level_1c_of(acquisition)] if ProductType.L1C in product_types else []
        made += [acquisition] if ProductType.L2A in product_types else []
        acquisitions += made
        if acquisition.product_id in plan.truncated:
            truncated += [one.product_id for one in made]
    return replace(plan, acquisitions=tuple(acquisitions), truncated=tuple(truncated))


def _acquisition(
    time: datetime, satellite: str, baseline: int, orbit: int, seed: int, cloud_fraction: float
) -> SimulatedAcquisition:
    return SimulatedAcquisition(
        mgrs_tile="35VLG",
        time=time,
        satellite=satellite,
        baseline=baseline,
        relative_orbit=orbit,
        size_px=SAMPLE_SIZE_PX,
        seed=seed,
        regime=Regime.TEMPERATE,
        cloud_fraction=cloud_fraction,
        swath_centre=_OVERHEAD,
    )


def on_tile(acquisition: SimulatedAcquisition, mgrs_tile: str) -> SimulatedAcquisition:
    """The same overflight on one of the sample's two tiles."""
    return replace(acquisition, mgrs_tile=mgrs_tile, offset_px=_SAMPLE_OFFSETS[mgrs_tile])


_QUALITY_TILES = {
    Regime.FIRE: "33SVB",
    Regime.COAST: "33SVB",
    Regime.CITY_DESERT: "33SVB",
    Regime.IRRIGATED: "33SVB",
}
# MGRS tiles of the quality plans: at 38° N where the sun should stand high, else 33TWM at 47° N.

_QUALITY_SEASONS = {
    Regime.SNOW: (datetime(2024, 1, 12, tzinfo=UTC), 120),
    Regime.MOUNTAINS: (datetime(2024, 3, 5, tzinfo=UTC), 230),
    Regime.IRRIGATED: (datetime(2024, 4, 15, tzinfo=UTC), 150),
}
# First day and length, days; from 4 May over 130 days elsewhere.

_QUALITY_DATES = {Regime.DRY: 18, Regime.TEMPERATE: 24, Regime.CLOUDY: 36, Regime.VERY_CLOUDY: 36}
# Dates of a season; 20 elsewhere.

_QUALITY_ORBITS = ((122, 110_000.0), (22, -110_000.0))
# Relative orbit, and how far east of the track the square lies, m: near the two edges of the swath.

_QUALITY_BASELINES = (511, 301, 400, 214)


def quality_plan(regime: Regime, seed: int) -> tuple[SimulatedAcquisition, ...]:
    """The dates of one season over one square of 18.3 km, for measuring how well pixels are chosen.

    Two orbits see the square from the east and from the west, two satellites in turn; baselines are mixed.

    Args:
        regime: which sky, ground and season.
        seed: which ground and weather.
    """
    number = _QUALITY_DATES.get(regime, 20)
    first, days = _QUALITY_SEASONS.get(regime, (datetime(2024, 5, 4, tzinfo=UTC), 130))
    acquisitions = []
    weather = _representative_weather(regime, number, seed)
    for index, (cloud_fraction, hazy) in enumerate(weather):
        orbit, east_m = _QUALITY_ORBITS[index % 2]
        time = first + timedelta(days=round(index * days / number), hours=10, minutes=2 + 9 * (index % 2), seconds=31)
        plain = SimulatedAcquisition(
            mgrs_tile=_QUALITY_TILES.get(regime, "33TWM"),
            time=time,
            satellite=("S2A", "S2B")[index // 2 % 2],
            baseline=_QUALITY_BASELINES[index % 4],
            relative_orbit=orbit,
            size_px=SAMPLE_SIZE_PX,
            offset_px=(3420, 2700),
            seed=seed,
            regime=regime,
            cloud_fraction=cloud_fraction,
            hazy=hazy,
        )
        acquisitions.append(replace(plain, swath_centre=_track_point(plain.centre, east_m)))
    return tuple(acquisitions)


def _representative_weather(regime: Regime, dates: int, seed: int) -> list[tuple[float, bool]]:
    """Share of cloud and whether there is haze, for every date of a season that is typical of its regime.

    Drawn date by date, seasons of one regime differ as much as regimes do: one of six has haze on nearly every clear
    date, and decides the mean of three. Here each share of cloud is drawn from its own part of the distribution, and
    as many dates are hazy as are to be expected, give or take one; which dates they are is left to chance.
    """
    rng = np.random.default_rng((zlib.crc32(regime.value.encode()), seed))
    shares = beta.ppf((rng.permutation(dates) + rng.random(dates)) / dates, *cloud_shape(regime))
    order = np.argsort(shares)
    begun = (seed % 3 + rng.random()) / 3
    expected = np.cumsum([haze_share(regime, float(shares[index])) for index in order]) + begun
    hazy = np.zeros(dates, dtype=np.bool_)
    hazy[order] = np.diff(np.floor(expected), prepend=0.0) > 0
    return [(float(share), bool(haze)) for share, haze in zip(shares, hazy, strict=True)]


def _track_point(centre: tuple[float, float], east_m: float) -> tuple[float, float]:
    """(lon, lat) of the point under the satellite from which a place lies so far east, degrees."""
    lon, lat = centre
    tilt = math.radians(TRACK_TILT_DEG)
    return lon - math.degrees(east_m / (EARTH_RADIUS_M * math.cos(math.radians(lat)) * math.cos(tilt))), lat
