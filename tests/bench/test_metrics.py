"""Figures of mosaics whose truth is known by hand."""

from dataclasses import replace

import numpy as np
import pytest

from bench.quality.metrics import Figures, auc, measure, near_spread
from bench.quality.mosaic import Mosaic
from bench.quality.season import Season
from tests.bench.hand_made import Seen, chosen, season_of

CLOUD, SHADOW, HAZE, SMOKE, SNOW = 1, 2, 4, 8, 16


def four_pixels() -> Season:
    """Four pixels in a row, seen twice: the second view is clean but for its last pixel."""
    return season_of(
        [
            Seen(dn=1100, sky=[CLOUD, HAZE | SHADOW, SMOKE, 0], ground=1000),
            Seen(dn=900, sky=[0, 0, 0, CLOUD | SNOW], ground=1000, scl=[4, 4, 9, 4], day=10),
        ],
        shape=(1, 4),
        target=1200,
    )


class TestContamination:
    """A delivered pixel is contaminated if its own date was."""

    def test_is_counted_by_cause(self) -> None:
        season = four_pixels()
        figures = measure(season, chosen(season, [[0, 0, 0, 0]]))
        assert figures.contaminated == 75
        assert figures.causes == {"cloud": 25, "shadow": 25, "haze": 25, "smoke": 25}

    def test_is_a_share_of_the_delivered(self) -> None:
        season = four_pixels()
        assert measure(season, chosen(season, [[0, -1, -1, 0]])).contaminated == 50

    def test_is_avoidable_where_another_view_was_clean(self) -> None:
        season = season_of([Seen(sky=[CLOUD, SMOKE]), Seen(sky=[HAZE, 0])], shape=(1, 2))
        figures = measure(season, chosen(season, [[0, 0]]))
        assert (figures.contaminated, figures.avoidable, figures.smoky_avoidable) == (100, 50, 50)

    def test_snow_is_apart(self) -> None:
        season = season_of([Seen(sky=[SNOW, SNOW]), Seen(sky=[0, SNOW])], shape=(1, 2))
        mosaic = replace(chosen(season, [[0, 0]]), flagged_snow=np.array([[1, 0]], dtype=np.int16))
        figures = measure(season, mosaic)
        assert (figures.contaminated, figures.snow, figures.snow_avoidable, figures.snow_unflagged) == (0, 100, 50, 50)


class TestCompleteness:
    """Complete is what delivers every pixel that any scene saw SCL-clear."""

    def test_counts_against_what_was_clear_anywhere(self) -> None:
        season = season_of([Seen(scl=[4, 9, 9, 4]), Seen(scl=[9, 7, 9, 9])], shape=(1, 4))
        figures = measure(season, chosen(season, [[0, -1, -1, 0]]))
        assert figures.complete == pytest.approx(100 * 2 / 3)
        assert figures.missing == 1
        assert figures.complete_all == 50

    def test_level_5_does_not_count(self) -> None:
        season = season_of([Seen()], shape=(1, 2))
        mosaic = replace(chosen(season, [[0, 0]]), level=np.array([[4, 5]], dtype=np.uint8))
        assert measure(season, mosaic).complete == 50


class TestErrors:
    """Errors are against what a clear sky would have shown."""

    def test_on_the_pixels_own_date(self) -> None:
        season = four_pixels()
        figures = measure(season, chosen(season, [[0, 1, 1, 1]]))
        assert figures.rmse["B02"] == 100
        assert figures.bias["B02"] == -50

    def test_on_the_target_date(self) -> None:
        season = four_pixels()
        figures = measure(season, chosen(season, [[0, 0, 0, 0]]))
        assert figures.rmse_target["B11"] == 100
        assert figures.rmse_target_mean == pytest.approx(100)


class TestWhatIsKnown:
    """Levels and cost say which pixels are contaminated."""

    @staticmethod
    def figures() -> Figures:
        season = season_of([Seen(sky=[CLOUD, 0, HAZE, 0])], shape=(1, 4))
        made = chosen(season, [[0, 0, 0, 0]])
        levels = np.array([[1, 1, 2, 1]], dtype=np.uint8)
        return measure(season, replace(made, level=levels, cost=np.array([[21.5, 21, 40, 22]], dtype=np.float32)))

    def test_by_level(self) -> None:
        figures = self.figures()
        assert figures.level_1 == 75
        assert figures.contaminated_1 == pytest.approx(100 / 3)
        assert figures.unflagged == 50

    def test_by_cost(self) -> None:
        assert self.figures().auc == 0.75

    @pytest.mark.parametrize(
        ("cost", "dirty", "expected"),
        [
            ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
            ([1, 2, 3, 4], [1, 1, 0, 0], 0.0),
            ([5, 5, 5, 5], [0, 1, 0, 1], 0.5),
            ([1, 2, 2, 3], [0, 0, 1, 1], 0.875),
        ],
    )
    def test_area_under_the_curve(self, cost: list[int], dirty: list[int], expected: float) -> None:
        assert auc(np.array(cost, dtype=np.float32), np.array(dirty, dtype=np.bool_)) == expected

    def test_says_nothing_where_all_is_clean(self) -> None:
        assert auc(np.array([1, 2], dtype=np.float32), np.zeros(2, dtype=np.bool_)) is None


class TestFaithful:
    """A spectrum is faithful if it equals one acquisition in all bands to 1 DN."""

    def test_to_one_digit(self) -> None:
        season = season_of([Seen(dn=1000)], shape=(1, 3))
        mosaic = chosen(season, [[0, 0, 0]])
        dn = mosaic.dn.copy()
        dn[3, 0, 1] += 1
        dn[3, 0, 2] += 2
        assert measure(season, replace(mosaic, dn=dn)).faithful == pytest.approx(100 * 2 / 3)


class TestDates:
    """The spread of dates is their interquartile range."""

    def test_over_the_square(self) -> None:
        season = season_of([Seen(day=day) for day in (0, 10, 20, 30, 40)], shape=(1, 5))
        figures = measure(season, chosen(season, [[0, 1, 2, 3, 4]]))
        assert figures.date_spread == 20
        assert figures.views_used == 5

    def test_near_by(self) -> None:
        source = np.zeros((10, 300), dtype=np.int16)
        source[:, 150:] = 1
        assert near_spread(np.array([0, 50]), source) == 0


def test_a_mosaic_without_pixels_has_figures() -> None:
    season = season_of([Seen()], shape=(1, 2))
    empty: Mosaic = chosen(season, [[-1, -1]])
    assert measure(season, empty).contaminated == 0
