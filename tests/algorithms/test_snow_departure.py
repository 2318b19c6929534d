"""How lasting snow departs from what it usually looks like."""

import numpy as np
import pytest

from senard.algorithms.background import Reservoir, offer
from senard.algorithms.departure import HAZY, SHADED, UNTESTED, Departure
from senard.algorithms.scoring import Scored
from senard.algorithms.snow_departure import HIGH, LOW, compare_snow, lasting_snow, quantile
from senard.model.arrays import BoolArray, UInt16Array
from senard.model.sources import FLAG_BUFFER, FLAG_SNOW

SHAPE = (1, 1)
SNOW = (8500, 8600, 8200, 800)
HERE: BoolArray = np.ones(SHAPE, dtype=np.bool_)


def image(dn: tuple[int, int, int, int]) -> UInt16Array:
    return np.array(dn, dtype=np.uint16)[:, None, None]


def compared(dn: tuple[int, int, int, int], dates: int = 5) -> Departure:
    """An observation beside so many usual ones, two of which lay under haze."""
    usual = Reservoir.nothing(SHAPE)
    for day in range(dates):
        seen = (8400, 8400, 8000, 1900) if day < 2 else SNOW
        offer(usual, day, np.zeros(SHAPE, dtype=np.float32), HERE, image(seen))
    found = Departure(
        haze=np.full(SHAPE, 3.0, dtype=np.float32),
        own_haze=np.full(SHAPE, 3.0, dtype=np.float32),
        dark=np.full(SHAPE, 0.3, dtype=np.float32),
        verdict=np.zeros(SHAPE, dtype=np.uint8),
        zone=np.zeros(SHAPE, dtype=np.uint8),
    )
    compare_snow(found, image(dn), HERE, usual)
    return found


class TestCompareSnow:
    """Veils brighten snow in the SWIR, shade darkens it in red and NIR."""

    def test_finds_nothing_in_snow_as_usual_however_hazy_it_seems_to_be(self) -> None:
        found = compared((8300, 8500, 8000, 900))
        assert found.verdict[0, 0] == 0
        assert found.haze[0, 0] == pytest.approx(0.25)
        assert found.own_haze[0, 0] == 0
        assert found.dark[0, 0] < 0.05

    def test_finds_haze_and_cloud(self) -> None:
        assert compared((8400, 8400, 8000, 1900)).verdict[0, 0] == HAZY

    def test_finds_shade(self) -> None:
        found = compared((3400, 3000, 2400, 200))
        assert found.verdict[0, 0] == SHADED
        assert found.dark[0, 0] == pytest.approx(1 - 3000 / 8600, abs=0.02)

    def test_says_where_dates_are_too_few(self) -> None:
        found = compared((8400, 8400, 8000, 1900), dates=2)
        assert found.verdict[0, 0] == UNTESTED
        assert found.haze[0, 0] == 3.0


class TestLastingSnow:
    """Snow that lies on nearly every date, away from clouds."""

    @pytest.mark.parametrize(
        ("level", "flags", "permanent", "expected"),
        [
            (4, FLAG_SNOW, True, True),
            (4, FLAG_SNOW, False, False),
            (4, FLAG_SNOW | FLAG_BUFFER, True, False),
            (5, FLAG_SNOW, True, False),
            (1, 0, True, False),
            (0, FLAG_SNOW, True, False),
        ],
    )
    def test_is_neither_cloud_nor_beside_one(self, level: int, flags: int, permanent: bool, expected: bool) -> None:
        scored = Scored(
            level=np.full(SHAPE, level, dtype=np.uint8),
            cost=np.zeros(SHAPE, dtype=np.float32),
            flags=np.full(SHAPE, flags, dtype=np.uint8),
            clear=np.ones(SHAPE, dtype=np.uint8),
        )
        assert lasting_snow(scored, np.full(SHAPE, permanent)).item() is expected


class TestQuantile:
    """Quantiles of what is held are numpy's, bit for bit, at a thousandth of the cost."""

    @pytest.mark.parametrize("share", [LOW, HIGH])
    def test_is_that_of_numpy_without_the_empty_places(self, share: float) -> None:
        random = np.random.default_rng(3)
        dn = random.integers(0, 9000, (40, 8, 4)).astype(np.uint16)
        cost = np.where(np.arange(8) < random.integers(3, 9, (40, 1)), 1, np.inf).astype(np.float32)
        held = np.where(np.isfinite(cost), dn[:, :, 2], np.nan).astype(np.float32)
        assert np.array_equal(quantile(cost, dn, 2, share), np.nanquantile(held, share, axis=1))
