"""What other dates change in the judgement of an observation."""

import numpy as np
import pytest

from senard.algorithms.departure import HAZY, IN_ZONE, SHADED, UNTESTED, Departure
from senard.algorithms.refining import refine
from senard.algorithms.scoring import Scored
from senard.model.grid import Grid
from senard.model.sources import FLAG_BUFFER, FLAG_HAZE

FINE = Grid(crs="EPSG:32635", left=600_020.0, top=6_600_040.0, gsd=20, width=4, height=4)
COARSE = Grid(crs="EPSG:32635", left=600_000.0, top=6_600_060.0, gsd=60, width=2, height=2)


def scored(level: int) -> Scored:
    shape = FINE.shape
    return Scored(
        level=np.full(shape, level, dtype=np.uint8),
        cost=np.full(shape, 0.5, dtype=np.float32),
        flags=np.full(shape, FLAG_BUFFER, dtype=np.uint8),
        clear=np.ones(shape, dtype=np.uint8),
    )


def found(
    verdict: int = 0, *, haze: float = -1.0, own_haze: float = 0.0, dark: float = 0.0, zone: int = 0
) -> Departure:
    """The same everywhere."""
    shape = COARSE.shape
    return Departure(
        haze=np.full(shape, haze, dtype=np.float32),
        own_haze=np.full(shape, own_haze, dtype=np.float32),
        dark=np.full(shape, dark, dtype=np.float32),
        verdict=np.full(shape, verdict, dtype=np.uint8),
        zone=np.full(shape, zone, dtype=np.uint8),
    )


class TestLevel:
    """Only what its own scene calls clear can lose its level."""

    @pytest.mark.parametrize(
        ("verdict", "level"),
        [(0, 1), (HAZY, 3), (SHADED, 3), (UNTESTED, 2), (IN_ZONE, 2), (HAZY | UNTESTED, 3), (SHADED | IN_ZONE, 3)],
    )
    def test_of_clear_ground_follows_the_verdict(self, verdict: int, level: int) -> None:
        assert (refine(scored(1), found(verdict), FINE, COARSE).level == level).all()

    @pytest.mark.parametrize("level", [0, 4, 5])
    def test_of_anything_else_stays(self, level: int) -> None:
        assert (refine(scored(level), found(HAZY), FINE, COARSE).level == level).all()

    def test_of_the_input_is_left_alone(self) -> None:
        before = scored(1)
        refine(before, found(HAZY), FINE, COARSE)
        assert (before.level == 1).all()


class TestFlags:
    """Haze is flagged beside what was flagged before."""

    def test_tell_haze(self) -> None:
        assert (refine(scored(4), found(HAZY), FINE, COARSE).flags == FLAG_BUFFER | FLAG_HAZE).all()
        assert (refine(scored(1), found(SHADED), FINE, COARSE).flags == FLAG_BUFFER).all()


class TestCost:
    """Haze, shade and likely shadow cost before they reject."""

    def test_of_nothing_found_stays(self) -> None:
        assert (refine(scored(1), found(), FINE, COARSE).cost == np.float32(0.5)).all()

    def test_of_haze_grows_up_to_its_limit(self) -> None:
        costs = [
            refine(scored(1), found(haze=haze), FINE, COARSE).cost[0, 0] - 0.5 for haze in (-0.4, 0.05, 1.05, 50.0)
        ]
        assert costs == pytest.approx([0.0, 0.9, 8.9, 39.3], abs=1e-4)

    def test_of_haze_that_all_dates_share_is_what_its_own_scene_says(self) -> None:
        costs = [refine(scored(1), found(own_haze=own), FINE, COARSE).cost[0, 0] - 0.5 for own in (-1.0, 0.5, 9.0)]
        assert costs == pytest.approx([0.0, 1.0, 6.0], abs=1e-4)

    def test_knows_that_shade_lowers_the_haze_index(self) -> None:
        def cost(haze: float) -> np.float32:
            return refine(scored(1), found(haze=haze, dark=0.2), FINE, COARSE).cost[0, 0]

        assert cost(-0.4) == cost(0.05)

    def test_of_shade_grows_up_to_its_limit(self) -> None:
        costs = [refine(scored(1), found(dark=dark), FINE, COARSE).cost[0, 0] - 0.5 for dark in (0.04, 0.14, 0.9)]
        assert costs == pytest.approx([0.0, 1.3 + 0.9, 6.24 + 0.9], abs=1e-4)

    def test_of_a_zone_is_halved_where_the_height_is_unknown(self) -> None:
        costs = [refine(scored(1), found(zone=zone), FINE, COARSE).cost[0, 0] - 0.5 for zone in (1, 2)]
        assert costs == pytest.approx([0.2, 0.4])


class TestGrids:
    """A pixel of 20 m takes what the pixel of 60 m around it says."""

    def test_of_20_and_60_m_are_brought_together_by_their_places(self) -> None:
        haze = found()
        haze.verdict[1, 1] = HAZY
        level = refine(scored(1), haze, FINE, COARSE).level
        # FINE begins 20 m right of and 20 m below COARSE: two rows and columns lie in its first pixel
        expected = np.ones((4, 4), dtype=np.uint8)
        expected[2:, 2:] = 3
        assert np.array_equal(level, expected)
