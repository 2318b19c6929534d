"""What the ground usually looks like."""

import numpy as np
import pytest

from senard.algorithms.background import (
    KEPT,
    REFERENCES,
    Reservoir,
    background,
    background_day,
    offer,
)

SHAPE = (1, 1)
HOT, BLUE, DARK_RED = REFERENCES.index("hot"), REFERENCES.index("B02"), REFERENCES.index("dark_B04")


def filled(observations: list[tuple[int, float, tuple[int, int, int, int]]], kept: int = KEPT) -> Reservoir:
    """One pixel, offered (day, cost, DN of the judge bands) in turn."""
    reservoir = Reservoir.nothing(SHAPE, kept)
    for day, cost, dn in observations:
        judge = np.array(dn, dtype=np.uint16)[:, None, None]
        offer(reservoir, day, np.full(SHAPE, cost, dtype=np.float32), np.ones(SHAPE, dtype=np.bool_), judge)
    return reservoir


class TestReservoir:
    """A pixel keeps its best observations."""

    def test_keeps_the_cheapest_in_order(self) -> None:
        costs = [3.0, 1.0, 2.0, 0.5, 4.0]
        reservoir = filled([(day, cost, (day, 0, 0, 0)) for day, cost in enumerate(costs)], kept=3)
        assert reservoir.cost[0, 0].tolist() == [0.5, 1.0, 2.0]
        assert reservoir.day[0, 0].tolist() == [3, 1, 2]
        assert reservoir.dn[0, 0, :, 0].tolist() == [3, 1, 2]

    def test_counts_what_it_does_not_keep(self) -> None:
        assert filled([(day, 1.0, (1, 1, 1, 1)) for day in range(5)], kept=2).count[0, 0] == 5

    def test_keeps_the_earlier_of_two_equals_ahead(self) -> None:
        reservoir = filled([(4, 1.0, (1, 1, 1, 1)), (9, 1.0, (2, 2, 2, 2)), (11, 1.0, (3, 3, 3, 3))], kept=2)
        assert reservoir.day[0, 0].tolist() == [4, 9]

    def test_passes_over_what_is_not_allowed(self) -> None:
        reservoir = Reservoir.nothing(SHAPE)
        offer(
            reservoir,
            1,
            np.zeros(SHAPE, dtype=np.float32),
            np.zeros(SHAPE, dtype=np.bool_),
            np.ones((4, 1, 1), np.uint16),
        )
        assert reservoir.count[0, 0] == 0
        assert not np.isfinite(reservoir.cost).any()


class TestBackground:
    """Quantiles lean to the side that clouds cannot reach."""

    def test_is_unknown_where_nothing_was_seen(self) -> None:
        usual = background(Reservoir.nothing(SHAPE), 45, 90)
        assert np.isnan(usual.values).all()
        assert usual.count[0, 0] == 0

    def test_takes_a_low_quantile_of_the_haze_index_and_a_high_one_of_what_shade_darkens(self) -> None:
        seen = [(day, 0.0, (500 + 100 * day, 1000, 3000, 2000 + 100 * day)) for day in range(5)]
        values = background(filled(seen), 45, 90).values[:, 0, 0]
        assert values[HOT] == pytest.approx(40.0)  # quantile 0.10 of 0, 100 … 400
        assert values[BLUE] == pytest.approx(540.0)
        assert values[REFERENCES.index("dark_B11")] == pytest.approx(2260.0)  # quantile 0.65 of 2000 … 2400

    def test_goes_lower_where_there_are_many_observations(self) -> None:
        seen = [(day, 0.0, (500 + 100 * day, 1000, 3000, 2000)) for day in range(8)]
        assert background(filled(seen), 45, 90).values[HOT, 0, 0] == pytest.approx(35.0)  # 0.05 of 0 … 700

    def test_of_a_short_period_uses_all_dates(self) -> None:
        assert background(filled([(0, 0.0, (1, 1, 1, 1)), (99, 0.0, (1, 1, 1, 1))]), 50, 100).count[0, 0] == 2

    def test_of_a_long_period_uses_the_dates_around_the_day(self) -> None:
        seen = [(day, 0.0, (100 * (day > 100), 0, 3000, 2000)) for day in (0, 10, 20, 30, 40, 200, 210, 220)]
        early = background(filled(seen), background_day(20, 365), 365)
        assert early.count[0, 0] == 5
        assert early.values[HOT, 0, 0] == 0
        late = background(filled(seen), background_day(215, 365), 365)
        assert late.count[0, 0] == 5, "widened in time until five are found"
        assert late.distance_days[0, 0] > 100

    def test_is_shared_by_dates_that_are_near(self) -> None:
        assert background_day(31, 365) == background_day(43, 365) != background_day(47, 365)
        assert background_day(3, 60) == background_day(59, 60)
