"""Each peer does what its source does."""

import math

import numpy as np
import pytest

from bench.quality.peers.first_clear import first_clear
from bench.quality.peers.force_bap import AIR_HOT, SIGMA_DAYS, day_score, force_bap
from bench.quality.peers.openeo_bap import KERNEL_PX, SIGMA_PX, distance_score, openeo_bap
from bench.quality.peers.statistics import first_quartile, geomedian, medoid, scl_median
from senard.simulation.stack import VIEW_BANDS
from tests.bench.hand_made import Seen, season_of


def spectrum(**bands: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """(10, 1, 1) DN, 1000 where nothing is given."""
    values = [bands.get(name, 1000) for name in VIEW_BANDS]
    return np.array(values, dtype=np.uint16)[:, None, None]


class TestMedian:
    """The SCL median is the median of every band over what the classification calls clear."""

    def test_lies_between_the_middle_two(self) -> None:
        season = season_of([Seen(dn=value) for value in (400, 100, 300, 200)])
        assert (scl_median(season).dn == 250).all()

    def test_leaves_out_clouds_and_shadows(self) -> None:
        season = season_of([Seen(dn=100), Seen(dn=9000, scl=9), Seen(dn=20, scl=3), Seen(dn=200), Seen(dn=600, scl=7)])
        assert (scl_median(season).dn == 200).all()

    def test_names_the_observation_nearest_to_it(self) -> None:
        made = scl_median(season_of([Seen(dn=100), Seen(dn=240), Seen(dn=900), Seen(dn=300)]))
        assert made.synthetic
        assert made.source.tolist() == [[1]]  # 270 is as far from 300: the earlier one

    def test_is_nodata_where_nothing_was_clear(self) -> None:
        made = scl_median(season_of([Seen(scl=9), Seen(scl=0)]))
        assert made.source.tolist() == [[-1]]
        assert not made.dn.any()


class TestFirstQuartile:
    """The 25th percentile is that of the quarterly mosaics."""

    def test_is_linear_between_neighbours(self) -> None:
        assert (first_quartile(season_of([Seen(dn=value) for value in (100, 200, 300, 400)])).dn == 175).all()

    def test_keeps_dark_areas_and_snow_but_not_the_unclassified(self) -> None:
        views = [Seen(dn=100, scl=2), Seen(dn=500, scl=11), Seen(dn=10, scl=7), Seen(dn=10, scl=1)]
        assert (first_quartile(season_of(views)).dn == 200).all()


class TestGeomedian:
    """The geometric median is the spectrum of least summed distance."""

    def test_is_hardly_moved_by_one_outlier(self) -> None:
        views = [Seen(dn=value) for value in (1000, 1000, 1000, 1010, 9000)]
        assert np.abs(geomedian(season_of(views)).dn.astype(int) - 1000).max() <= 1


class TestMedoid:
    """The medoid is the observation nearest to the median of every band."""

    def test_is_an_observation(self) -> None:
        views = [
            Seen(dn=spectrum(B02=100, B04=900)),
            Seen(dn=spectrum(B02=500, B04=500)),
            Seen(dn=spectrum(B02=900, B04=100)),
        ]
        made = medoid(season_of(views))
        assert made.source.tolist() == [[1]]
        assert made.dn[VIEW_BANDS.index("B02"), 0, 0] == 500

    def test_counts_half_a_digit(self) -> None:
        # The median of 10, 11, 14, 20 is 12.5: 14 (1.5 away) and 11 (1.5 away) tie, and the first wins.
        assert medoid(season_of([Seen(dn=value) for value in (10, 14, 11, 20)])).source.tolist() == [[1]]

    def test_takes_neither_dark_areas_nor_the_unclassified(self) -> None:
        assert medoid(season_of([Seen(scl=2), Seen(scl=7), Seen(scl=11)])).source.tolist() == [[2]]


class TestFirstClear:
    """First clear fills from the clearest scene, then from the next."""

    def test_goes_on_where_the_clearest_is_not_clear(self) -> None:
        shape = (1, 12)
        cloudier, clearest = np.full(12, 4), np.full(12, 4)
        cloudier[:8], clearest[10] = 9, 8
        season = season_of([Seen(scl=cloudier), Seen(scl=clearest)], shape=shape)
        assert first_clear(season).source.tolist() == [[1] * 10 + [0, 1]]

    def test_stays_off_the_rim_of_the_data(self) -> None:
        scl = np.full(8, 4)
        scl[0] = 0
        assert first_clear(season_of([Seen(scl=scl)], shape=(1, 8))).source.tolist() == [[-1, -1, -1, 0, 0, 0, 0, 0]]


class TestOpeneoBap:
    """openEO's best pixel is the one farthest from clouds, on a clear day, near the middle of a month."""

    def test_distance_score_is_one_less_the_blurred_cloud(self) -> None:
        cloudy = np.zeros((301, 301), dtype=np.bool_)
        cloudy[150, 150] = True
        score = distance_score(cloudy)
        offsets = np.arange(KERNEL_PX) - KERNEL_PX // 2
        top = 1 / np.exp(-0.5 * (offsets / SIGMA_PX) ** 2).sum()
        assert score[150, 150] == pytest.approx(1 - top**2)
        assert score[150, 150 + KERNEL_PX // 2 + 1] == 1

    def test_prefers_what_is_far_from_clouds(self) -> None:
        near, far = np.full((1, 200), 4), np.full((1, 200), 4)
        near[0, 20:40] = 9
        far[0, 160:180] = 9
        made = openeo_bap(season_of([Seen(scl=near), Seen(scl=far)], shape=(1, 200)))
        assert made.source[0, 0] == 1
        assert made.source[0, -1] == 0

    def test_drops_a_winner_that_is_cloud(self) -> None:
        scl = np.full((1, 400), 4)
        scl[0, 10] = 8
        bad = np.full((1, 400), 9)
        made = openeo_bap(season_of([Seen(scl=scl), Seen(scl=bad)], shape=(1, 400)))
        assert made.source[0, 10] == -1
        assert made.source[0, 11] == 0

    def test_prefers_the_middle_of_a_month(self) -> None:
        assert openeo_bap(season_of([Seen(day=10), Seen(day=31)])).source.tolist() == [[1]]  # 25 June, 16 July


class TestForceBap:
    """FORCE's scores weigh date, distance to cloud and haze."""

    def test_date_score_is_a_bell_of_20_days(self) -> None:
        assert pytest.approx(19.8, abs=0.05) == SIGMA_DAYS
        assert day_score(0) == 0.99
        assert day_score(60) == pytest.approx(0.01)

    def test_drops_dates_farther_than_60_days(self) -> None:
        assert force_bap(season_of([Seen(day=61)])).source.tolist() == [[-1]]
        assert force_bap(season_of([Seen(day=59)])).source.tolist() == [[0]]

    def test_buffers_clouds_by_300_m(self) -> None:
        scl = np.full((1, 400), 4)
        scl[0, 0] = 9
        source = force_bap(season_of([Seen(scl=scl)], shape=(1, 400))).source[0]
        assert source[15] == -1
        # 320 m from the cloud the distance score is 0.019: it may be used.
        assert 1 / (1 + math.exp(-10 / 3000 * (320 - 1500))) > 0.01
        assert source[16] == 0

    def test_prefers_clear_air_to_haze_on_equal_days(self) -> None:
        hazy = spectrum(B02=1300, B04=1100)
        clear = spectrum(B02=300, B04=300)
        assert pytest.approx(-0.015) == 0.03 - 0.5 * 0.03 + AIR_HOT - 0.08
        assert force_bap(season_of([Seen(dn=hazy), Seen(dn=clear, day=1)])).source.tolist() == [[1]]

    def test_takes_the_darkest_swir_of_water(self) -> None:
        glint, calm = spectrum(B12=900, B08=950), spectrum(B12=40, B08=80)
        season = season_of([Seen(dn=glint, scl=6), Seen(dn=calm, scl=6, day=50)])
        assert force_bap(season).source.tolist() == [[1]]
