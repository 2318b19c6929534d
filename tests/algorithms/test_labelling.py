"""The choice among observations: level first, then calm patches."""

import numpy as np
import pytest
from scipy import ndimage

from senard.algorithms.keep_kernel import ONLY_SECONDARY
from senard.algorithms.label_kernels import border
from senard.algorithms.labelling import (
    Candidates,
    add_candidate,
    choose,
    halo_px,
    only_in_patches,
    smoothed_cost,
    usable,
)
from senard.algorithms.scoring import Observation, Scored
from senard.model.arrays import Float32Array, Int16Array, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.request import Fill
from senard.model.sources import FLAG_PERMANENT_SNOW, FLAG_SNOW

GRID = Grid(crs="EPSG:32635", left=500_000.0, top=6_700_000.0, gsd=20, width=80, height=60)


def seen(source: int, dn: int | UInt16Array = 1000) -> Observation:
    nothing = Observation.nothing(GRID.shape)
    nothing.source[:] = source
    nothing.judge[:4] = dn
    return nothing


def scored(cost: float | Float32Array, level: int | UInt8Array = 1) -> Scored:
    levels = np.broadcast_to(np.asarray(level, dtype=np.uint8), GRID.shape).copy()
    return Scored(
        level=levels,
        cost=np.broadcast_to(np.asarray(cost, dtype=np.float32), GRID.shape).copy(),
        flags=np.zeros(GRID.shape, dtype=np.uint8),
        clear=(levels < 5).astype(np.uint8),
    )


def chosen(*observations: tuple[Observation, Scored], smoothing: bool = True) -> UInt16Array:
    candidates = Candidates.nothing(GRID.shape)
    for label, (what, how) in enumerate(observations):
        cost = smoothed_cost(how, GRID) if smoothing else how.cost
        add_candidate(candidates, label, what, how, cost, usable(how, Fill.FLAG))
    return choose(candidates, GRID).source


class TestChoose:
    """The cheapest observation of the best level wins, in patches."""

    def test_never_gives_up_a_level_for_a_lower_cost(self) -> None:
        level = np.full(GRID.shape, 1, dtype=np.uint8)
        level[10:40, 10:30] = 4
        source = chosen((seen(1), scored(0.0, level)), (seen(2), scored(9.0, 1)))
        assert (source[level == 4] == 2).all()

    def test_takes_the_first_of_two_equals(self) -> None:
        assert (chosen((seen(1), scored(1.0)), (seen(2), scored(1.0))) == 1).all()

    def test_ignores_an_advantage_of_a_few_pixels(self) -> None:
        cost = np.full(GRID.shape, 1.0, dtype=np.float32)
        cost[30:33, 40:43] = 0.8
        assert (chosen((seen(1), scored(cost)), (seen(2), scored(0.9)), smoothing=False) == 2).all()

    def test_leaves_no_patch_below_two_hectares_that_a_neighbour_can_take(self) -> None:
        random = np.random.default_rng(4)
        layers = [ndimage.gaussian_filter(random.random(GRID.shape), 1.5).astype(np.float32) * 9 for _ in range(3)]
        source = chosen(*((seen(n + 1), scored(layer)) for n, layer in enumerate(layers)), smoothing=False)
        assert len(np.unique(source)) == 3
        for number in (1, 2, 3):
            patches, count = ndimage.label(source == number)
            sizes = ndimage.sum_labels(np.ones(GRID.shape), patches, range(1, count + 1))
            assert (sizes >= 50).all()  # 2 ha in pixels of 400 m2

    def test_has_no_whisker_one_pixel_wide(self) -> None:
        first, second = np.zeros(GRID.shape, dtype=np.float32), np.full(GRID.shape, 0.4, dtype=np.float32)
        first[:, 40:] = 0.8
        first[30, 40:60] = 0.0  # the western date is far better along a line into the east
        source = chosen((seen(1), scored(first)), (seen(2), scored(second)), smoothing=False)
        assert (source[:, 42:] == 2).all()
        assert (source[:, :38] == 1).all()

    def test_keeps_a_whisker_where_the_other_date_saw_no_ground(self) -> None:
        level = np.full(GRID.shape, 1, dtype=np.uint8)
        level[30, 40:60] = 5
        source = chosen((seen(1), scored(1.0)), (seen(2), scored(0.0, level)), smoothing=False)
        assert (source[30, 40:60] == 1).all()

    def test_puts_the_border_where_both_dates_look_the_same(self) -> None:
        west, east = np.zeros(GRID.shape, dtype=np.float32), np.zeros(GRID.shape, dtype=np.float32)
        west[:, 40:], east[:, :40] = 0.3, 0.3
        bright = np.full(GRID.shape, 1500, dtype=np.uint16)
        bright[:, 45] = 1000  # along this column the second date equals the first
        source = chosen((seen(1), scored(west)), (seen(2, bright), scored(east)), smoothing=False)
        without = chosen((seen(1), scored(west)), (seen(2), scored(east)), smoothing=False)
        assert (without[:, :40] == 1).all()
        assert (without[:, 40:] == 2).all()
        assert np.count_nonzero(source[:, 1:] != source[:, :-1]) <= GRID.height

    def test_keeps_no_more_than_the_best_six(self) -> None:
        observations = [(seen(n + 1), scored(10.0 - n)) for n in range(10)]
        assert (chosen(*observations) == 10).all()

    def test_is_nodata_where_nothing_may_be_used(self) -> None:
        assert not chosen((seen(1), scored(0.0, 5))).any()

    def test_is_the_same_where_it_is_final_if_its_margin_is_left_out(self) -> None:
        grid = Grid(crs="EPSG:32635", left=500_020.0, top=6_700_000.0, gsd=20, width=490, height=470)
        candidates, random = Candidates.nothing(grid.shape), np.random.default_rng(7)
        candidates.label[:] = random.permuted(np.broadcast_to(np.arange(6), candidates.label.shape), axis=2)
        candidates.cost[:] = np.sort(random.random(candidates.cost.shape), axis=2) / 4
        candidates.dn[:] = random.integers(900, 1000, candidates.dn.shape)
        candidates.source[:] = candidates.label + 1
        margin = halo_px(grid)
        whole, inner = choose(candidates, grid), choose(candidates, grid, margin=margin)
        final = (slice(margin, -margin), slice(margin, -margin))
        assert np.array_equal(whole.source[final], inner.source[final])
        assert not inner.source[0].any()


class TestMovingOn:
    """Candidates of ground that two blocks share are kept from one to the next."""

    def test_keeps_what_stays_and_takes_up_the_rest_anew(self) -> None:
        candidates = Candidates.nothing(GRID.shape)
        west = np.tile(np.arange(80, dtype=np.float32), (60, 1))
        everywhere = np.ones(GRID.shape, dtype=np.bool_)
        add_candidate(candidates, 0, seen(1), scored(west), west, everywhere)
        candidates.move_on(30)
        assert candidates.cost[0, :50, 0].tolist() == list(range(30, 80))
        assert (candidates.label[:, :50, 0] == 0).all()
        assert (candidates.label[:, 50:] == -1).all()

    def test_fills_the_rightmost_columns_from_an_observation_without_its_rim(self) -> None:
        west = np.tile(np.arange(80, dtype=np.float32), (60, 1))
        everywhere = np.ones(GRID.shape, dtype=np.bool_)
        part = Observation(source=seen(2).source[:, :38], mask=seen(2).mask[:, :, :38], judge=seen(2).judge[:, :, :38])
        rows = Candidates.nothing((GRID.height - 8, 50))
        how = Scored(**{name: getattr(scored(west), name)[:, :38] for name in ("level", "cost", "flags", "clear")})
        add_candidate(rows, 1, part, how, west[:, :38], everywhere[:, :38], pad=4)
        assert (rows.label[:, :20] == -1).all()
        assert rows.cost[0, 20:, 0].tolist() == list(range(4, 34))


class TestSmoothedCost:
    """The cost of a pixel is that of its neighbourhood on the ground."""

    def test_is_the_cost_itself_where_all_is_alike(self) -> None:
        assert np.allclose(smoothed_cost(scored(1.5), GRID), 1.5, atol=1e-4)

    def test_rises_beside_clouds_and_beside_gaps(self) -> None:
        level = np.full(GRID.shape, 1, dtype=np.uint8)
        level[:, 60:] = 5
        level[:, :20] = 0
        cost = smoothed_cost(scored(1.0, level), GRID)
        assert cost[30, 40] == pytest.approx(1.0, abs=0.01)
        assert cost[30, 59] == pytest.approx(1.0 + 20 * 0.5, rel=0.1)
        assert cost[30, 20] == pytest.approx(1.0 + 0.4 * 0.5, rel=0.1)


class TestHalo:
    """The halo covers the reach of every step."""

    def test_grows_as_pixels_of_web_mercator_shrink_on_the_ground(self) -> None:
        equator = Grid(crs="EPSG:3857", left=0.0, top=50_000.0, gsd=20, width=100, height=100)
        helsinki = Grid(crs="EPSG:3857", left=0.0, top=8_440_000.0, gsd=20, width=100, height=100)
        # smoothing 19 (pixels are a little below 20 m off the equator), cells 32 + 2 x 62, sweeps 12, trims 2, two
        # patches of 32, and 2
        assert halo_px(equator) == 255
        assert halo_px(equator) < halo_px(helsinki) <= 280
        assert halo_px(GRID) == 254


class TestSmallPatches:
    """A small patch becomes the date around it, even at a worse level, unless it gains much by its own."""

    PATCH = np.s_[30:34, 40:45]

    def around(self, level: int, *, cost: float = 0.0, flags: int = 0, fill: Fill = Fill.FLAG) -> UInt16Array:
        """The sources, where date 1 is best everywhere but in a patch of 20 pixels, where date 2 has level 1."""
        levels, costs = np.full(GRID.shape, 1, dtype=np.uint8), np.zeros(GRID.shape, dtype=np.float32)
        levels[self.PATCH], costs[self.PATCH] = level, cost
        first = scored(costs, levels)
        first.flags[self.PATCH] = flags
        observations = ((seen(1), first), (seen(2), scored(1.0)))
        candidates = Candidates.nothing(GRID.shape)
        for label, (what, how) in enumerate(observations):
            allowed = usable(how, fill).view(np.uint8)
            allowed[(allowed == 0) & only_in_patches(how, fill)] = ONLY_SECONDARY
            add_candidate(candidates, label, what, how, how.cost, allowed)
        choice = choose(candidates, GRID)
        np.testing.assert_array_equal(choice.label + 1, choice.source)
        return choice.source[self.PATCH]

    @pytest.mark.parametrize("level", [3, 4])
    def test_gives_way_at_a_worse_level(self, level: int) -> None:
        assert (self.around(level) == 1).all()

    def test_stays_where_it_gains_much(self) -> None:
        assert (self.around(4, cost=3.9) == 1).all()  # 20 pixels, 2.9 each
        assert (self.around(4, cost=4.1) == 2).all()

    def test_stays_where_the_date_around_it_sees_a_cloud(self) -> None:
        assert (self.around(5) == 2).all()

    def test_stays_on_snow_that_does_not_last(self) -> None:
        assert (self.around(4, flags=FLAG_SNOW) == 2).all()
        assert (self.around(4, flags=FLAG_SNOW | FLAG_PERMANENT_SNOW) == 1).all()

    def test_stays_where_only_the_best_may_be_used(self) -> None:
        assert (self.around(4, fill=Fill.STRICT) == 2).all()

    def test_finds_the_date_around_it_whatever_came_first(self) -> None:
        levels = np.full(GRID.shape, 1, dtype=np.uint8)
        levels[self.PATCH] = 4
        both = [(seen(1), scored(0.0, levels)), (seen(2), scored(1.0))]
        worse = [(seen(3 + n), scored(2.0 + n, 3)) for n in range(4)]
        for order in (both + worse, both[::-1] + worse, worse + both, worse[:2] + both[::-1] + worse[2:]):
            assert (chosen(*order, smoothing=False)[self.PATCH] == 1).all()


class TestBorder:
    """A border between two datatakes costs what one sees of it."""

    @staticmethod
    def two(left: tuple[int, int], right: tuple[int, int]) -> tuple[Int16Array, UInt16Array]:
        """Two pixels that both know datatakes 0 and 1: DN of each, in all four bands."""
        label = np.array([[[0, 1], [0, 1]]], dtype=np.int16)
        dn = np.zeros((1, 2, 2, 4), dtype=np.uint16)
        dn[0, 0, 0], dn[0, 0, 1], dn[0, 1, 0], dn[0, 1, 1] = left[0], left[1], right[0], right[1]
        return label, dn

    @pytest.mark.parametrize(("first", "second"), [(100, 300), (300, 100)])
    def test_is_the_step_whichever_of_the_two_is_brighter(self, first: int, second: int) -> None:
        label, dn = self.two((first, second), (first, second))
        # 200 DN in four bands on both sides: 1600 DN at 60 per 10 000
        assert border(label, dn, 0, 0, 0, 0, 1, 1) == pytest.approx(0.15 + 9.6)

    def test_is_next_to_nothing_where_both_show_the_same(self) -> None:
        label, dn = self.two((500, 500), (900, 900))
        assert border(label, dn, 0, 0, 0, 0, 1, 1) == pytest.approx(0.15)

    def test_costs_no_more_beyond_its_limit(self) -> None:
        label, dn = self.two((100, 9000), (9000, 100))
        assert border(label, dn, 0, 0, 0, 0, 1, 1) == pytest.approx(0.15 + 36.0)


class TestCells:
    """Cells remove islands that single pixels cannot: each of their pixels is among its own kind."""

    GRID = Grid(crs="EPSG:32635", left=600_000.0, top=6_600_000.0, gsd=20, width=64, height=64)
    ISLAND = np.s_[16:32, 16:32]

    def island(self, advantage: float) -> Candidates:
        """Datatake 0 everywhere but on an island, where datatake 1 is cheaper; they differ by 100 DN."""
        candidates = Candidates.nothing(self.GRID.shape, kept=2)
        candidates.rank[:] = 2
        candidates.level[:] = 1
        for place in range(2):
            candidates.label[:, :, place] = place
            candidates.source[:, :, place] = place + 1
            candidates.dn[:, :, place] = 1000 + 100 * place
        candidates.cost[:, :, 1] = 1.0
        candidates.cost[*self.ISLAND, 1] = advantage
        for values in (candidates.label, candidates.source, candidates.dn):
            values[self.ISLAND] = values[self.ISLAND][:, :, ::-1]
        return candidates

    def test_give_up_a_small_advantage_for_fewer_borders(self) -> None:
        assert (choose(self.island(0.01), self.GRID).source == 1).all()

    def test_keep_a_large_one(self) -> None:
        source = choose(self.island(20.0), self.GRID).source
        assert (source[self.ISLAND] == 2).all()
        assert (source == 2).sum() == 256
