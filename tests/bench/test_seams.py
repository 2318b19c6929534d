"""The seam index counts what changes of source show, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from bench.quality.seams import seams_of
from senard.simulation.stack import VIEW_BANDS
from tests.bench.hand_made import Seen, chosen, season_of

CLOUD = 1


class TestSeamIndex:
    """SVI is the sum of steps at changes of source per delivered pixel, 1e-4."""

    def test_is_nothing_in_one_date_whatever_the_ground(self) -> None:
        season = season_of([Seen(dn=[100, 5000, 100, 5000])], shape=(1, 4))
        seams = seams_of(season, chosen(season, [[0, 0, 0, 0]]))
        assert (seams.svi, seams.changes) == (0, 0)

    def test_is_the_difference_of_two_dates_where_they_meet(self) -> None:
        # The pair is pixels 1 and 2: |a - b| is 40 and 60 there, mean 50, over four pixels.
        season = season_of([Seen(dn=[1000, 1040, 1060, 1000]), Seen(dn=1000)], shape=(1, 4))
        seams = seams_of(season, chosen(season, [[0, 0, 1, 1]]))
        assert seams.svi == pytest.approx(50 / 4)
        assert seams.changes == pytest.approx(100 / 3)
        assert seams.steps == {"B04": 50, "B08": 50}

    def test_counts_down_the_columns_too(self) -> None:
        season = season_of([Seen(dn=1100), Seen(dn=1000)], shape=(2, 2))
        assert seams_of(season, chosen(season, [[0, 0], [1, 1]])).svi == pytest.approx(200 / 4)

    def test_is_the_mean_of_four_bands(self) -> None:
        dn = np.full((10, 1, 2), 1000)
        dn[VIEW_BANDS.index("B02")] = 1400
        season = season_of([Seen(dn=dn), Seen(dn=1000)], shape=(1, 2))
        assert seams_of(season, chosen(season, [[0, 1]])).svi == pytest.approx(100 / 2)

    def test_does_not_take_a_cloud_for_a_seam(self) -> None:
        season = season_of([Seen(dn=6000, sky=CLOUD, ground=1000), Seen(dn=1000)], shape=(1, 2))
        assert seams_of(season, chosen(season, [[0, 1]])).svi == 0

    def test_is_measured_after_levelling(self) -> None:
        season = season_of([Seen(dn=1100), Seen(dn=1000)], shape=(1, 2))
        levelled = replace(chosen(season, [[0, 1]]), corrections={0: np.full((10, 1, 2), -100, dtype=np.int16)})
        assert seams_of(season, levelled).svi == 0
        assert seams_of(season, levelled).svi_ground == pytest.approx(50)

    def test_takes_the_known_place_where_a_view_ends(self) -> None:
        season = season_of([Seen(dn=[1100, 0], scl=[4, 0]), Seen(dn=1000)], shape=(1, 2))
        assert seams_of(season, chosen(season, [[0, 1]])).svi == pytest.approx(100 / 2)

    def test_leaves_out_pairs_with_a_gap(self) -> None:
        season = season_of([Seen(dn=1100), Seen(dn=1000)], shape=(1, 3))
        assert seams_of(season, chosen(season, [[0, -1, 1]])).svi == 0
