"""The terrain model of an archive is that of the ground which its products show."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

from senard.errors import RequestError
from senard.io.given_raster import covers_on, heights_on, raster_digest
from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.simulation.ground import BRIGHT_ROOF, CLEAR_WATER, SALT
from senard.simulation.stack import VIEW_BANDS, view
from senard.simulation.terrain_model import MARGIN_M, true_light, true_shade, write_dem, write_landcover

MORNING = SimulatedAcquisition(
    mgrs_tile="33TWM",
    time=datetime(2024, 3, 5, 10, 0, 31, tzinfo=UTC),
    size_px=366,
    seed=32,
    regime=Regime.MOUNTAINS,
)


class TestWriteDem:
    """Heights reach beyond the products, as shade does."""

    def test_covers_the_products_and_what_shades_them(self, tmp_path: Path) -> None:
        path = write_dem([MORNING], tmp_path / "dem.tif")
        assert len(raster_digest(path, "--dem")) == 64
        wide = MORNING.grid.at(60).padded(MARGIN_M // 60)
        heights = heights_on(path, wide)
        assert np.isfinite(heights).all()
        assert np.ptp(heights) > 500
        with rasterio.open(path) as raster:
            assert raster.units == ("metre",)
            assert raster.tags()["SENARD_SIMULATED"] == "true"

    def test_is_of_one_ground(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="expected one seed and regime, found 2"):
            write_dem([MORNING, replace(MORNING, seed=7)], tmp_path / "dem.tif")


class TestTrueShade:
    """Relief shades more of a March morning than of a June noon."""

    def test_follows_the_sun(self) -> None:
        grid = MORNING.grid.at(60)
        summer = replace(MORNING, time=datetime(2024, 6, 20, 10, 0, 31, tzinfo=UTC))
        shares = [float(true_shade(one, grid).mean()) for one in (MORNING, summer)]
        assert 0 < shares[0] < 0.6
        assert shares[1] < shares[0]


class TestTrueLight:
    """Slopes are lit as what products show of them"""

    def test_is_what_a_lower_sun_changes(self) -> None:
        """The same day at noon and in the morning: what differs is light, the direction of the view aside."""
        noon = replace(MORNING, cloudless=True)
        grid, early = noon.grid.at(20), replace(noon, time=datetime(2024, 3, 5, 8, 30, 31, tzinfo=UTC))
        lights = [true_light(one, grid) for one in (noon, early)]
        shown = [view(one).ground[VIEW_BANDS.index("B11")].astype(float) for one in (noon, early)]
        lit = ~(true_shade(noon, grid) | true_shade(early, grid)) & (shown[0] > 300)
        change = (shown[1] / shown[0])[lit], (lights[1] / lights[0])[lit]
        assert np.corrcoef(change)[0, 1] > 0.9
        assert np.median(change[0] / change[1]) == pytest.approx(1, abs=0.15)


class TestWriteLandcover:
    """Covers have the codes of ESA WorldCover."""

    def test_translates_them(self, tmp_path: Path) -> None:
        grid = MORNING.grid.at(20)
        cover = np.full(grid.shape, CLEAR_WATER, dtype=np.uint8)
        cover[:60], cover[60:120] = BRIGHT_ROOF, SALT
        codes = covers_on(write_landcover(cover, grid, tmp_path / "cover.tif"), grid.at(60))
        assert codes[:20].tolist() == [[50] * 61] * 20
        assert (codes[20:40] == 60).all()
        assert (codes[40:] == 80).all()
