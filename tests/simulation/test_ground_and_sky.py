"""Ground and sky are continuous fields, and the classification errs as real ones do."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from pyproj import Transformer

from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.simulation.calibration import SkyTally
from senard.simulation.geometry import sun_angles
from senard.simulation.ground import CLEAR_WATER, SPECTRA, TURBID_WATER
from senard.simulation.plans import quality_plan
from senard.simulation.sensor import strips
from senard.simulation.stack import view
from senard.simulation.weather import weather_of

TIME = datetime(2024, 6, 15, 9, 50, 31, tzinfo=UTC)


class Scene:
    """All strips of an acquisition in one piece, at 20 m."""

    def __init__(self, acquisition: SimulatedAcquisition) -> None:
        made = list(strips(acquisition))
        self.grid = acquisition.grid.at(20)
        self.coarse = np.concatenate([strip.coarse for strip in made], axis=1)
        self.truth = np.concatenate([strip.truth for strip in made], axis=1).astype(float)
        self.sky = np.concatenate([strip.sky for strip in made])
        self.cover = np.concatenate([strip.cover for strip in made])


def acquisition(mgrs_tile: str, offset_px: tuple[int, int], size_px: int = 480) -> SimulatedAcquisition:
    return SimulatedAcquisition(
        mgrs_tile=mgrs_tile,
        time=TIME,
        size_px=size_px,
        offset_px=offset_px,
        seed=7,
        cloud_fraction=0.4,
        swath_centre=(24.5, 60.0),
    )


class TestContinuity:
    """Neighbouring squares, zones and strips show one world."""

    def test_two_squares_of_one_zone_agree_where_they_overlap(self) -> None:
        # 35VLG reaches 9.8 km into 35VLF: its row 9998 lies 4 px of 20 m below the upper edge of 35VLF.
        upper = Scene(acquisition("35VLG", (10140, 2700)))
        lower = Scene(acquisition("35VLF", (138, 2700)))
        shift = int(upper.grid.top - lower.grid.top) // 20
        assert abs(shift) < 10
        rows = slice(max(shift, 0), 240 + min(shift, 0))
        others = slice(max(-shift, 0), 240 + min(-shift, 0))
        assert np.abs(upper.truth[:, rows] - lower.truth[:, others]).max() <= 1
        assert (upper.sky[rows] == lower.sky[others]).mean() > 0.9999
        assert np.abs(upper.coarse[:, rows] - lower.coarse[:, others]).max() < 0.0005

    def test_two_zones_agree_to_the_width_of_a_pixel(self) -> None:
        west = Scene(acquisition("34VFM", (4260, 6600)))
        east = Scene(acquisition("35VLG", (4260, 3180)))
        cols, rows = np.meshgrid(np.arange(240), np.arange(240))
        x = west.grid.left + 20 * (cols + 0.5)
        y = west.grid.top - 20 * (rows + 0.5)
        u, v = Transformer.from_crs(west.grid.crs, east.grid.crs, always_xy=True).transform(x, y)
        c = np.floor((u - east.grid.left) / 20).astype(int)
        r = np.floor((east.grid.top - v) / 20).astype(int)
        inside = (c >= 0) & (c < 240) & (r >= 0) & (r < 240)
        assert inside.mean() > 0.3
        here, there = west.truth[:, inside], east.truth[:, r[inside], c[inside]]
        assert np.median(np.abs(here - there)) < 60
        assert np.corrcoef(here[5], there[5])[0, 1] > 0.85
        assert (west.sky[inside] == east.sky[r[inside], c[inside]]).mean() > 0.9

    def test_strips_join_without_a_trace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        one = Scene(acquisition("35VLG", (3420, 2700), size_px=288))
        monkeypatch.setattr("senard.simulation.sensor._STRIP_FLOATS", 12 * 288 * 96)
        many = Scene(acquisition("35VLG", (3420, 2700), size_px=288))
        assert np.abs(one.coarse - many.coarse).max() < 1e-5
        assert (one.sky == many.sky).mean() > 0.9999

    def test_all_products_of_a_datatake_share_their_weather(self) -> None:
        assert weather_of(acquisition("35VLG", (0, 0))) == weather_of(
            replace(acquisition("34VFM", (0, 0)), baseline=214, size_px=60)
        )


class TestGround:
    """The ground looks like the covers it is made of."""

    def test_has_at_least_ten_covers_in_a_square(self) -> None:
        covers = Scene(replace(acquisition("35VLG", (3420, 2700), size_px=1830), cloudless=True)).cover
        assert len(np.unique(covers)) >= 10

    def test_vegetation_is_green_and_water_dark(self) -> None:
        index = {name: k for k, name in enumerate(("B02", "B03", "B04"), start=1)}
        for cover in (CLEAR_WATER, TURBID_WATER):
            assert SPECTRA[cover, 10] < 0.01 < SPECTRA[cover, index["B02"]]
        assert SPECTRA.max() < 1
        assert SPECTRA.min() > 0

    def test_crops_change_between_spring_and_summer(self) -> None:
        spring = Scene(replace(acquisition("35VLG", (3420, 2700)), time=TIME.replace(month=4), cloudless=True))
        summer = Scene(replace(acquisition("35VLG", (3420, 2700)), cloudless=True))
        assert np.abs(summer.truth[3] - spring.truth[3]).mean() > 300


class TestSun:
    """The sun stands where the almanac has it."""

    @pytest.mark.real_data
    def test_agrees_with_the_angles_of_a_real_product(self) -> None:
        # S2A 31UFS, 2022-12-06 10:56:52, upper left corner: zenith 74.391, azimuth 171.267 in its MTD_TL.xml.
        lon, lat = Transformer.from_crs(32631, 4326, always_xy=True).transform(600000, 5700000)
        zenith, azimuth = sun_angles(datetime(2022, 12, 6, 10, 56, 52, tzinfo=UTC), np.asarray(lon), np.asarray(lat))
        assert abs(float(zenith) - 74.391) < 0.3
        assert abs(float(azimuth) - 171.267) < 0.3


@pytest.fixture(scope="module")
def tally() -> SkyTally:
    """Four temperate seasons."""
    counted = SkyTally()
    for seed in (31, 33, 36, 40):
        for each in quality_plan(Regime.TEMPERATE, seed):
            counted.add(view(replace(each, size_px=360)))
    return counted


class TestErrors:
    """Rules on the image give the error rates that real scene classifications have."""

    def test_cloud_is_missed_where_it_is_thin(self, tally: SkyTally) -> None:
        assert 10 < tally.cloud_missed.percent < 30
        assert 60 < tally.thin_missed.percent < 90

    def test_about_half_of_the_shade_goes_unseen(self, tally: SkyTally) -> None:
        assert 40 < tally.shadow_missed.percent < 70

    def test_roofs_and_sand_are_often_taken_for_cloud_and_other_land_seldom(self, tally: SkyTally) -> None:
        assert 30 < tally.bright_flagged.percent < 60
        assert 0.5 < tally.land_flagged.percent < 3.5

    def test_a_clear_class_is_a_promise_kept_two_times_in_three(self, tally: SkyTally) -> None:
        assert 58 < tally.clean.percent < 85  # 66 over fourteen seasons; four scatter by 5

    def test_haze_fades_with_the_distance_from_what_is_taken_for_cloud(self, tally: SkyTally) -> None:
        hazy = [ring.hazy.percent for ring in tally.rings]
        assert 40 < hazy[0] < 75
        assert hazy[0] > hazy[1] > max(hazy[2:])
        assert hazy[-1] < 30

    def test_says_so_in_a_table(self, tally: SkyTally) -> None:
        assert "| 150-300 m |" in tally.table()
