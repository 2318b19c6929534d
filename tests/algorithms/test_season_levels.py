"""Overflights are drawn to what the ground usually looks like, within bounds and in visible bands alone."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from senard.algorithms.background import Background
from senard.algorithms.levelling import CELL_M, SAMPLE_M, Cells, Levels, band_correction
from senard.algorithms.season_levels import (
    CAP_DN,
    LIFT_DN,
    REACH_CELLS,
    Season,
    compare_with_usual,
    constant,
    surface,
)
from senard.model.arrays import BoolArray, UInt16Array
from senard.model.grid import Window
from senard.model.sentinel2 import MOSAIC_BANDS

EACH = CELL_M // SAMPLE_M
SIDE = 24
CELLS = Cells(window=Window(row_start=-3, row_stop=SIDE - 3, col_start=10, col_stop=10 + SIDE))
GROUND = np.array([500.0, 700.0, 3000.0, 2000.0], np.float32)


def usual(dates: int = 8) -> Background:
    """Ground that always looks the same."""
    shape = (SIDE * EACH, SIDE * EACH)
    layers = [GROUND[0] - GROUND[1] / 2 - LIFT_DN, GROUND[0], GROUND[1], *GROUND[1:]]
    values = np.stack([np.full(shape, value, np.float32) for value in layers])
    return Background(values=values, count=np.full(shape, dates, np.uint8), distance_days=np.zeros(shape, np.float32))


def seen(added: Sequence[float] = (0, 0, 0, 0)) -> UInt16Array:
    """The same ground on one day."""
    shape = (SIDE * EACH, SIDE * EACH)
    return np.stack([np.full(shape, value, np.uint16) for value in GROUND + np.array(added)])


def season(judge: UInt16Array, clear: BoolArray | None = None, *, dates: int = 8, size: int = SIDE) -> Season:
    """Compared in blocks of a size."""
    made = Season.nothing(CELLS)
    whole = usual(dates)
    clear = np.ones(judge.shape[1:], np.bool_) if clear is None else clear
    for block in CELLS.blocks(size):
        rows, cols = (slice(part.start * EACH, part.stop * EACH) for part in block.within(CELLS))
        part = replace(whole, values=whole.values[:, rows, cols], count=whole.count[rows, cols])
        compare_with_usual(made, block, judge[:, rows, cols], clear[rows, cols], part)
    return made


HAZY = (57.0, 38.0, 0.0, 0.0)
"""About what aerosol that adds 57 DN to blue adds to red."""


class TestSurface:
    """What an overflight lacks in blue"""

    def test_is_what_aerosol_added(self) -> None:
        found = surface(season(seen(HAZY)))
        assert found[8:-8, 8:-8] == pytest.approx(-57, abs=2)

    def test_is_bounded(self) -> None:
        assert np.abs(surface(season(seen((130, 20, 0, 0))))).max() == pytest.approx(CAP_DN)

    @pytest.mark.parametrize("band", range(4))
    def test_is_nothing_where_the_ground_changed(self, band: int) -> None:
        added = np.zeros(4)
        added[band] = 0.4 * GROUND[band]
        assert not surface(season(seen(added.tolist()))).any()

    def test_is_nothing_where_too_little_is_known(self) -> None:
        assert not surface(season(seen(HAZY), dates=2)).any()
        assert not surface(season(seen(HAZY), np.zeros(seen().shape[1:], np.bool_))).any()

    def test_fades_with_the_share_of_ground_that_has_not_changed(self) -> None:
        found = []
        for share in (0.2, 0.4, 0.6):
            judge = seen(HAZY)
            changed = np.random.default_rng(7).random(judge.shape[1:]) >= share
            judge[2][changed] = 1000
            found.append(float(surface(season(judge))[SIDE // 2, SIDE // 2]))
        assert found[0] == pytest.approx(0, abs=0.1)
        assert -50 < found[1] < -10
        assert found[2] == pytest.approx(-57, abs=3)

    def test_is_the_same_however_it_is_cut_into_blocks(self) -> None:
        random = np.random.default_rng(3)
        judge = (seen() + random.integers(0, 90, seen().shape)).astype(np.uint16)
        clear = random.random(judge.shape[1:]) < 0.7
        whole, cut = (surface(season(judge, clear, size=size)) for size in (SIDE, 5))
        assert whole.any()
        assert np.array_equal(whole, cut)

    def test_depends_on_ground_within_reach_alone(self) -> None:
        judge, other = seen(HAZY), seen(HAZY)
        other[0, : 5 * EACH] += 20
        inner = slice(5 + REACH_CELLS, None)
        assert np.array_equal(surface(season(judge))[inner], surface(season(other))[inner])

    def test_leaves_out_what_is_corrected_already(self) -> None:
        made = Season.nothing(CELLS)
        shape = seen().shape[1:]
        added = np.stack([np.full(CELLS.shape, value, np.float32) for value in (-57, -38, 0, 0)])
        everywhere = np.ones(shape, np.bool_)
        compare_with_usual(made, CELLS, seen(HAZY), everywhere, usual(), [(everywhere, added)])
        assert np.abs(surface(made)).max() < 0.01


class TestConstant:
    """One number for an overflight"""

    def test_is_the_mean_over_the_area(self) -> None:
        judge = seen(HAZY)
        judge[:2, :, : SIDE * EACH // 2] = seen()[:2, :, : SIDE * EACH // 2]
        area = np.ones(CELLS.shape, np.bool_)
        found = constant(season(judge), area)
        assert np.unique(found).size == 1
        assert found[0, 0] == pytest.approx(-57 / 2, abs=1.5)

    def test_is_nothing_where_nothing_is_known(self) -> None:
        assert not constant(season(seen(HAZY), dates=1), np.ones(CELLS.shape, np.bool_)).any()
        assert not constant(season(seen(HAZY)), np.zeros(CELLS.shape, np.bool_)).any()


class TestBands:
    """What is added to blue"""

    def test_is_added_to_green_and_red_by_as_much_less_as_aerosol_scatters_and_to_no_other_band(self) -> None:
        nothing = np.zeros((4, 2, 2), np.float32)
        levels = Levels(values=nothing, ground=nothing, season=np.full((2, 2), -60, np.float32))
        added = {band: band_correction(levels, band) for bands in MOSAIC_BANDS.values() for band in bands}
        assert not any(gain.any() for _, gain in added.values())
        offsets = {band: float(offset[0, 0]) for band, (offset, _) in added.items()}
        assert offsets["B02"] == pytest.approx(-60)
        assert offsets["B02"] < offsets["B03"] < offsets["B04"] < -30
        assert not any(offset for band, offset in offsets.items() if band not in {"B02", "B03", "B04"})
