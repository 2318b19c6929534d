"""What an observation is worth."""

import numpy as np
import pytest

from senard.algorithms.scoring import (
    Moment,
    Observation,
    Scored,
    score,
)
from senard.model.masks import CLASS_CORE, CLASS_SNOW, CLASS_TERRASCOPE, CLASS_VALID, HAZE_ZERO, ZONE_NONE
from senard.model.request import Buffer

SHAPE = (1, 1)


def pixel(
    scl: int = 4, distance: int = 255, share: int = 250, probability: int = 255, aerosol: int = 0, bits: int = 0
) -> Observation:
    """One pixel, seen by scene 1."""
    seen = Observation.nothing(SHAPE)
    seen.source[:] = 1
    seen.mask[:] = np.array([scl | CLASS_VALID | bits, distance, share, probability])[:, None, None]
    seen.judge[:] = np.array([800, 900, 3000, 2000, aerosol, HAZE_ZERO, ZONE_NONE])[:, None, None]
    return seen


def scored(seen: Observation, buffer: Buffer = Buffer.THIN, moment: float = 0.0) -> Scored:
    return score(seen, np.array([0, moment], dtype=np.float32), buffer)


def cost(seen: Observation, moment: float = 0.0) -> float:
    return float(scored(seen, moment=moment).cost[0, 0])


class TestLevel:
    """The level says how far a pixel can be trusted."""

    @pytest.mark.parametrize(
        ("scl", "level", "clear"),
        [
            *((scl, 1, 1) for scl in (2, 4, 5, 6, 7)),
            *((scl, 4, 0) for scl in (1, 11)),
            *((scl, 5, 0) for scl in (3, 8, 9, 10)),
        ],
    )
    def test_follows_the_scene_classification(self, scl: int, level: int, clear: int) -> None:
        result = scored(pixel(scl=scl, bits=CLASS_CORE if scl in (3, 8, 9, 10) else 0))
        assert (result.level[0, 0], result.clear[0, 0]) == (level, clear)

    @pytest.mark.parametrize("scl", [3, 8, 10])
    def test_takes_specks_of_cloud_and_shadow_for_ground_that_costs_more(self, scl: int) -> None:
        result = scored(pixel(scl=scl))
        assert (result.level[0, 0], result.clear[0, 0]) == (1, 1)
        assert cost(pixel(scl=scl)) == pytest.approx(cost(pixel(scl=4)) + 0.3)

    def test_never_takes_dense_cloud_for_a_speck(self) -> None:
        assert scored(pixel(scl=9)).level[0, 0] == 5

    @pytest.mark.parametrize(
        ("buffer", "distance", "bits", "level"),
        [
            (Buffer.THIN, 1, 0, 4),
            (Buffer.THIN, 2, CLASS_TERRASCOPE, 1),
            (Buffer.PURE, 15, 0, 4),
            (Buffer.PURE, 16, CLASS_TERRASCOPE, 1),
            (Buffer.TERRASCOPE, 1, 0, 1),
            (Buffer.TERRASCOPE, 200, CLASS_TERRASCOPE, 4),
        ],
    )
    def test_is_4_inside_the_buffer_that_was_asked_for(
        self, buffer: Buffer, distance: int, bits: int, level: int
    ) -> None:
        result = scored(pixel(distance=distance, bits=bits), buffer)
        assert result.level[0, 0] == level
        assert result.flags[0, 0] == (128 if level == 4 else 0)

    def test_is_4_on_snow_and_says_so(self) -> None:
        result = scored(pixel(bits=CLASS_SNOW))
        assert (result.level[0, 0], result.flags[0, 0], result.clear[0, 0]) == (4, 16, 0)

    def test_is_4_where_a_band_is_saturated(self) -> None:
        seen = pixel()
        seen.judge[1] = 65535
        assert (scored(seen).level[0, 0], scored(seen).clear[0, 0]) == (4, 0)

    def test_is_0_where_nothing_was_seen(self) -> None:
        assert scored(Observation.nothing(SHAPE)).level[0, 0] == 0


class TestCost:
    """Every doubt costs, and only a doubt costs."""

    def test_is_nothing_far_from_clouds_in_a_clear_scene_on_the_target_day(self) -> None:
        assert cost(pixel()) == pytest.approx(0.0, abs=1e-6)

    def test_is_halved_1000_m_from_a_cloud(self) -> None:
        assert cost(pixel(distance=50)) == pytest.approx(0.25, abs=1e-4)
        assert cost(pixel(distance=2)) == pytest.approx(0.5, abs=0.01)

    @pytest.mark.parametrize(
        ("seen", "expected"),
        [
            (pixel(share=125), 0.3),
            (pixel(probability=40), 0.2),
            (pixel(aerosol=400), 0.1675),
            (pixel(aerosol=3000), 0.335),
            (pixel(scl=2), 0.3),
            (pixel(scl=7), 0.3),
        ],
        ids=["clear share", "cloud probability", "aerosol", "much aerosol", "dark", "unclassified"],
    )
    def test_adds_up_its_terms(self, seen: Observation, expected: float) -> None:
        assert cost(seen) == pytest.approx(expected, abs=1e-4)
        assert cost(seen, moment=0.25) == pytest.approx(expected + 0.25, abs=1e-4)

    def test_grows_with_the_square_of_the_days_and_with_low_sun(self) -> None:
        assert Moment(days_from_target=-15, half_period_days=15, sun_zenith=30).cost == pytest.approx(0.35)
        assert Moment(days_from_target=7.5, half_period_days=15, sun_zenith=40).cost == pytest.approx(0.0875)
        assert Moment(days_from_target=-15, half_period_days=15, sun_zenith=30, date_weight=2.0).cost == pytest.approx(
            2.0
        )
        assert Moment(days_from_target=0, half_period_days=15, sun_zenith=70).cost == pytest.approx(0.3)
