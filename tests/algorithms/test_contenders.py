"""What it costs to do without a scene."""

import numpy as np
import pytest

from senard.algorithms.contenders import (
    contenders_of,
    gathered,
    price_of_absence,
    sample_m2,
    sampled,
    supplied_m2,
    uncontended,
)
from senard.algorithms.labelling import Candidates
from senard.model.contenders import REGRET_CAP, Contenders
from senard.model.grid import Grid, Window

GRID = Grid(crs="EPSG:32635", left=400_000.0, top=6_600_000.0, gsd=20, width=64, height=48)
EVERYWHERE = np.ones(GRID.shape, dtype=np.bool_)
GROUND_M2 = 400.0 * 64 * 48


def seen(*costs: float, grid: Grid = GRID) -> Candidates:
    """Scenes 1, 2, 3 … with the same smoothed cost everywhere, in that order."""
    candidates = Candidates.nothing(grid.shape)
    for place, cost in enumerate(costs):
        candidates.label[:, :, place] = candidates.source[:, :, place] = place + 1
        candidates.cost[:, :, place] = cost
    return candidates


def contending(*costs: float) -> Contenders:
    """Who contends for the ground that they all saw."""
    return contenders_of(seen(*costs), sampled(GRID, EVERYWHERE), sample_m2(GRID))


class TestPriceOfAbsence:
    """To do without a scene costs"""

    def test_what_the_next_best_costs_more_on_the_ground_where_it_is_the_best(self) -> None:
        assert price_of_absence(contending(1.0, 1.25, 3.0), []) == {1: pytest.approx(0.25 * GROUND_M2)}

    def test_nothing_where_another_is_better(self) -> None:
        assert 2 not in price_of_absence(contending(1.0, 1.25), [])

    def test_more_once_the_one_that_stands_in_for_it_is_gone(self) -> None:
        twins = contending(1.0, 1.0, 3.0)
        assert price_of_absence(twins, []) == {1: pytest.approx(0)}
        assert price_of_absence(twins, [1]) == {2: pytest.approx(2 * GROUND_M2)}

    @pytest.mark.parametrize("costs", [(1.0,), (1.0, 1.0 + REGRET_CAP), (1.0, 99.0)])
    def test_a_capped_price_where_nobody_else_saw_the_ground_or_only_badly(self, costs: tuple[float, ...]) -> None:
        assert price_of_absence(contending(*costs), []) == {1: pytest.approx(REGRET_CAP * GROUND_M2)}

    def test_the_capped_price_where_nobody_is_known_to_take_its_place(self) -> None:
        alone = uncontended({7: 100.0, 9: 300.0})
        assert price_of_absence(alone, []) == {7: pytest.approx(100 * REGRET_CAP), 9: pytest.approx(300 * REGRET_CAP)}


class TestSuppliedGround:
    """A scene supplies"""

    def test_all_ground_for_which_it_is_the_best_and_is_not_named_for_any_other(self) -> None:
        candidates = seen(1.0, 1.5)
        candidates.source[:20, :, 0] = 3
        assert supplied_m2(contenders_of(candidates, EVERYWHERE, 400.0)) == {1: 400.0 * 64 * 28, 3: 400.0 * 64 * 20}

    def test_nothing_where_nobody_saw_anything(self) -> None:
        assert supplied_m2(contending()) == {}


class TestContenders:
    """Who contends for a mosaic"""

    def test_is_the_same_however_it_is_cut(self) -> None:
        candidates = seen(1.0, 1.5)
        candidates.source[:20, :, 0] = 3
        windows = [
            Window(row_start=top, row_stop=top + 24, col_start=left, col_stop=left + 32)
            for top in (0, 24)
            for left in (0, 32)
        ]
        cut = []
        for window in windows:
            rows, columns = slice(window.row_start, window.row_stop), slice(window.col_start, window.col_stop)
            part, grid = Candidates.nothing((24, 32)), GRID.crop(window)
            for name in ("label", "source", "cost"):
                getattr(part, name)[:] = getattr(candidates, name)[rows, columns]
            cut.append(contenders_of(part, sampled(grid, EVERYWHERE[rows, columns]), sample_m2(grid)))
        whole, joined = contenders_of(candidates, sampled(GRID, EVERYWHERE), sample_m2(GRID)), gathered(cut)
        assert len(whole.supplier) == 2
        for name in ("supplier", "regret", "area"):
            assert np.array_equal(getattr(whole, name), getattr(joined, name))

    def test_is_nobody_where_nothing_is_to_be_filled(self) -> None:
        assert not contenders_of(seen(1.0), sampled(GRID, ~EVERYWHERE), sample_m2(GRID)).area.size
        assert not gathered([]).area.size
