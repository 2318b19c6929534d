"""The calibration says how hard a sky is."""

import pytest

from bench.quality.calibration import calibrate
from tests.bench.hand_made import Seen, season_of

CLOUD, SHADOW, HAZE = 1, 2, 4


class TestOracle:
    """The oracle line is what no choice can do better."""

    def test_counts_pixels_that_no_view_saw_clean(self) -> None:
        season = season_of([Seen(sky=[CLOUD, HAZE, 0, 0]), Seen(sky=[SHADOW, 0, 0, CLOUD])], shape=(1, 4))
        assert calibrate(season).oracle == 25

    def test_leaves_out_pixels_that_no_view_saw_at_all(self) -> None:
        season = season_of([Seen(sky=[CLOUD, 0], scl=[4, 0])], shape=(1, 2))
        assert calibrate(season).oracle == 100


class TestCalibration:
    """Omission and commission of the classification are counted over all views."""

    def test_of_clouds(self) -> None:
        season = season_of([Seen(sky=CLOUD, scl=[9, 8, 10, 4], dn=3000, ground=1000)], shape=(1, 4))
        found = calibrate(season)
        assert (found.cloud_omission, found.thin_omission) == (25, 0)

    def test_of_thin_clouds(self) -> None:
        season = season_of([Seen(sky=CLOUD, scl=[9, 4], dn=[5000, 1799], ground=1000)], shape=(1, 2))
        assert calibrate(season).thin_omission == 100

    def test_of_shadows(self) -> None:
        season = season_of([Seen(sky=[SHADOW, SHADOW, SHADOW, SHADOW | CLOUD], scl=[3, 2, 4, 4])], shape=(1, 4))
        found = calibrate(season)
        assert found.shadow_omission == pytest.approx(200 / 3)
        assert found.shadow_dark == pytest.approx(100 / 3)

    def test_of_clean_land(self) -> None:
        season = season_of([Seen(sky=[0, 0, 0, CLOUD], scl=[4, 4, 8, 9])], shape=(1, 4))
        assert calibrate(season).commission == pytest.approx(100 / 3)

    def test_of_what_is_called_clear(self) -> None:
        season = season_of([Seen(sky=[0, HAZE, 0, CLOUD], scl=[4, 5, 7, 9])], shape=(1, 4))
        found = calibrate(season)
        assert found.clean_if_clear == pytest.approx(200 / 3)
        assert found.clean_if_sure == 50
        assert found.haze_omission == 100
