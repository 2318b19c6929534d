"""Granules of one overflight agree at low frequency."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senard.algorithms.levelling import (
    CELL_M,
    FADE_CELLS,
    IMPLAUSIBLE_DN,
    SAMPLE_M,
    Cells,
    Comparison,
    Levels,
    band_correction,
    cells_of,
    comparable,
    compare,
    corrections,
    low_pass,
    weight,
)
from senard.model.grid import Window
from senard.model.sentinel2 import JUDGE_BANDS

EACH = CELL_M // SAMPLE_M


def cells(row: int, col: int, height: int, width: int) -> Cells:
    return Cells(window=Window(row_start=row, row_stop=row + height, col_start=col, col_stop=col + width))


def compared(where: Cells, difference: float, ground: float = 1000.0, share: float = 1.0) -> Comparison:
    """Two granules that differ by the same in all bands, with this share of the pixels clear in both."""
    count = np.full(where.shape, EACH * EACH * share, np.float32)
    bands = np.ones((len(JUDGE_BANDS), *where.shape), np.float32) * count
    return Comparison(cells=where, count=count, difference=bands * difference, ground=bands * 2 * ground)


def levelled(frames: list[Cells], haze: list[float]) -> list[Levels]:
    """Corrections of granules that fill their frames and show the same ground under haze of their own."""
    pairs = {}
    for i in range(len(frames)):
        for j in range(i + 1, len(frames)):
            common = frames[i].common(frames[j])
            if common is not None:
                pairs[i, j] = low_pass(compared(common, haze[i] - haze[j]))
    inside = []
    for frame in frames:
        covered = np.zeros(frame.shape, dtype=np.bool_)
        covered[2:-2, 2:-2] = True  # a frame is wider than its granule
        inside.append(weight(covered))
    return corrections(frames, inside, pairs)


class TestLevelling:
    """Granules of one overflight"""

    @settings(max_examples=20, deadline=None)
    @given(haze=st.lists(st.floats(-45, 45), min_size=4, max_size=4))
    def test_agree_wherever_they_overlap_also_where_four_meet_at_a_corner(self, haze: list[float]) -> None:
        frames = [cells(row, col, 50, 50) for row in (-60, -26) for col in (400, 434)]
        found = levelled(frames, haze)
        for i, one in enumerate(frames):
            for j, other in enumerate(frames[i + 1 :], i + 1):
                common = one.common(other)
                assert common is not None
                inner = cells(common.window.row_start + 3, common.window.col_start + 3, 10, 10)
                left = haze[i] + found[i].values[(slice(None), *inner.within(one))]
                right = haze[j] + found[j].values[(slice(None), *inner.within(other))]
                assert np.abs(left - right).max() <= 3.01  # each of three differences keeps what may be rounding

    def test_agree_to_what_may_be_rounding(self) -> None:
        frames = [cells(0, 0, 50, 50), cells(34, 0, 50, 50)]
        one, other = levelled(frames, [60.0, 0.0])
        common = frames[0].common(frames[1])
        assert common is not None
        left = 60 + one.values[(slice(None), *common.within(frames[0]))]
        right = other.values[(slice(None), *common.within(frames[1]))]
        inner = (slice(None), slice(2, -2), slice(2, -2))
        np.testing.assert_allclose((left - right)[inner], 1, atol=0.01)

    def test_keep_their_pixels_where_they_are_alone(self) -> None:
        frames = [cells(0, 0, 50, 50), cells(34, 0, 50, 50)]
        one, other = levelled(frames, [60.0, 0.0])
        assert np.abs(one.values).max() > 40
        assert not one.values[:, :34].any()
        assert not other.values[:, 16:].any()

    def test_change_nowhere_by_a_jump(self) -> None:
        frames = [cells(0, 0, 50, 50), cells(34, 0, 50, 50)]
        values = levelled(frames, [60.0, 0.0])[0].values[0, :48, 25]  # down to the granule's own last cell
        assert np.abs(np.diff(values)).max() < 60 / 10

    def test_share_the_correction_between_them(self) -> None:
        frames = [cells(0, 0, 50, 50), cells(34, 0, 50, 50)]
        one, other = levelled(frames, [60.0, 0.0])
        assert one.values[0, 34:50, 25].mean() == pytest.approx(-other.values[0, :16, 25].mean(), abs=0.5)

    @pytest.mark.parametrize("difference", [0.0, 1.0, -1.0, IMPLAUSIBLE_DN + 1, -400.0, 3000.0])
    def test_stay_as_they_are_where_they_differ_by_rounding_or_by_more_than_aerosol(self, difference: float) -> None:
        assert not low_pass(compared(cells(0, 0, 30, 30), difference)).difference.any()

    def test_stay_as_they_are_where_a_single_band_differs_by_more_than_aerosol(self) -> None:
        comparison = compared(cells(0, 0, 30, 30), 50)
        comparison.difference[3] *= 8
        assert not low_pass(comparison).difference.any()

    def test_stay_as_they_are_where_hardly_a_pixel_was_clear_in_both(self) -> None:
        where = cells(0, 0, 30, 30)
        full, little = low_pass(compared(where, 60)), low_pass(compared(where, 60, share=0.005))
        middle = (0, 15, 15)
        assert full.difference[middle] == pytest.approx(59, abs=0.01)
        assert 0 < little.difference[middle] < 8

    def test_weigh_more_the_farther_their_edge_is(self) -> None:
        covered = np.zeros((60, 60), dtype=np.bool_)
        covered[5:55, 5:55] = True
        found = weight(covered)
        assert found[30, :8].tolist() == [0, 0, 0, 0, 1, 2, 3, 4]
        assert found[30, 30] == FADE_CELLS

    def test_are_compared_on_clear_ground_away_from_clouds_alone(self) -> None:
        mask = np.full((2, 1, 7), 255, np.uint8)
        mask[0, 0] = [0x84, 0x04, 0x89, 0x94, 0x84, 0xC4, 0x84]
        mask[1, 0, 4] = 1
        judge = np.full((5, 1, 7), 1000, np.uint16)
        judge[2, 0, 6] = 65535
        assert comparable(mask, judge).tolist() == [[True, False, False, False, False, False, False]]

    def test_are_compared_cell_by_cell_in_exact_sums(self) -> None:
        where = cells(-2, 7, 4, 4)
        comparison = Comparison.nothing(where)
        random = np.random.default_rng(0)
        first, second = random.integers(1, 65535, (2, 5, 20, 20)).astype(np.uint16)
        common = random.random((20, 20)) < 0.5
        compare(comparison, cells(-1, 8, 2, 2), first, second, common)
        exact = ((first.astype(np.int64) - second) * common)[1, :EACH, EACH:].sum()
        assert comparison.difference[1, 1, 2] == exact
        assert comparison.count.sum() == common.sum()
        assert not comparison.count[0].any()


class TestCells:
    """The lattice is anchored to the origin of the CRS."""

    def test_holds_a_rectangle_and_its_surroundings(self) -> None:
        found = cells_of(-10, 590, 1210, 1201, pad=1)
        assert found.window == Window(row_start=-4, row_stop=1, col_start=-2, col_stop=4)
        assert found.grid("EPSG:3857", 60).bounds.top == 2400
        assert [block.shape for block in found.blocks(4)] == [(4, 4), (4, 2), (1, 4), (1, 2)]


class TestBandCorrection:
    """A correction reaches every band as an error in aerosol would."""

    def levels(self, values: list[float], ground: list[float]) -> Levels:
        shape = (len(JUDGE_BANDS), 1, 1)
        return Levels(
            values=np.array(values, np.float32).reshape(shape), ground=np.array(ground, np.float32).reshape(shape)
        )

    def test_is_exact_on_mean_ground_in_the_judge_bands(self) -> None:
        values, ground = [66.0, 31.0, -100.0, -20.0], [400.0, 450.0, 3500.0, 1700.0]
        for number, band in enumerate(JUDGE_BANDS):
            offset, gain = band_correction(self.levels(values, ground), band)
            assert float(offset[0, 0] + gain[0, 0] * ground[number]) == pytest.approx(values[number], abs=0.01)

    def test_leaves_alone_what_needs_nothing(self) -> None:
        for band in ("B03", "B05", "B08", "B8A", "B12"):
            offset, gain = band_correction(self.levels([0.0] * 4, [400.0, 450.0, 3500.0, 1700.0]), band)
            assert not offset.any()
            assert not gain.any()

    @pytest.mark.parametrize(
        ("blue", "green", "red", "infrared"),
        [(-64.1, -34.5, -30.1, 58.6), (-57.2, -25.2, -24.8, 96.4), (-12.4, -4.5, -4.2, 21.6)],
    )
    def test_foretells_what_two_granules_of_slovenia_differ_by_in_green(
        self, blue: float, green: float, red: float, infrared: float
    ) -> None:
        # 33TWM and 33TWL of three dates in August 2023; green on ground of 660 DN.
        levels = self.levels([blue, red, infrared, infrared / 2], [400.0, 450.0, 3560.0, 1780.0])
        offset, gain = band_correction(levels, "B03")
        assert float(offset[0, 0] + gain[0, 0] * 660) == pytest.approx(green, abs=6)

    def test_takes_from_bright_ground_what_it_adds_to_dark_ground(self) -> None:
        levels = self.levels([60.0, 30.0, -100.0, -40.0], [400.0, 450.0, 3500.0, 1700.0])
        offset, gain = band_correction(levels, "B8A")
        assert abs(offset[0, 0]) < 10
        assert gain[0, 0] < -0.02

    def test_does_not_amplify_over_water(self) -> None:
        offset, gain = band_correction(self.levels([60.0, 60.0, 60.0, 60.0], [300.0, 200.0, 50.0, 20.0]), "B02")
        assert abs(gain[0, 0]) < 0.02
        assert offset[0, 0] == pytest.approx(60, abs=3)
