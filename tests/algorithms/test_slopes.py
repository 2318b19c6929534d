"""Slopes brought to the light of level ground."""

import math

import numpy as np
import pytest

from senard.algorithms.levelling import Cells
from senard.algorithms.slopes import (
    FACTORS,
    LIGHT_UNITS,
    SlopeSums,
    band_share,
    direct_shares,
    factors_of,
    keeps_light,
    slope_light,
    sun_direction,
)
from senard.algorithms.terrain import Terrain, reach_of
from senard.model.arrays import BoolArray, Float32Array, UInt16Array
from senard.model.grid import Grid, Window
from senard.model.masks import CLASS_CORE, CLASS_SNOW, CLASS_VALID
from senard.model.product import AngleGrid
from senard.model.sentinel2 import DELIVERED_BANDS, JUDGE_BANDS, Scl

GRID = Grid(crs="EPSG:32632", left=498_000.0, top=5_400_000.0, gsd=60, width=40, height=40)
"""On the meridian of the zone: the grid's north is true north."""
SHARES = {"B02": 0.35, "B04": 0.6, "B8A": 0.8, "B11": 0.9}


def tilted(east: float, north: float) -> Terrain:
    """A plane that rises so many m per m to the east and north."""
    pad = reach_of(GRID)
    rows, cols = np.mgrid[: GRID.height + 2 * pad, : GRID.width + 2 * pad]
    return Terrain.of((60.0 * (east * cols - north * rows)).astype(np.float32), GRID, pad)


def sun(zenith: float, azimuth: float) -> Float32Array:
    """The same sun everywhere."""
    angles = AngleGrid(zenith=np.full(GRID.shape, zenith, np.float32), azimuth=np.full(GRID.shape, azimuth, np.float32))
    return sun_direction(angles).astype(np.float32)


CELLS = Cells(window=Window(row_start=-6, row_stop=4, col_start=7, col_stop=17))
"""100 cells of 600 m, 100 x 100 pixels."""
FOREST = np.array([250.0, 300.0, 3000.0, 1500.0])[:, None, None]
ROCK = np.array([1200.0, 1600.0, 2400.0, 2800.0])[:, None, None]


def lights(spread: float = 0.25) -> UInt16Array:
    """Light on hills of 300 m."""
    rows, cols = np.mgrid[:100, :100]
    hills = np.sin(2 * np.pi * (rows + 3) / 5.7) * np.cos(2 * np.pi * cols / 7.3 - rows / 40)
    return np.rint(LIGHT_UNITS * (1 + spread * 2 * hills)).astype(np.uint16)


def scene(light: UInt16Array, level: np.ndarray, shares: dict[str, float] = SHARES) -> UInt16Array:
    """(4, y, x) DN of ground that shows `level` on level ground, with noise of 5 %."""
    noise = np.random.default_rng(1).normal(1, 0.05, (4, *light.shape))
    shown = [1 + shares[band] * (light / LIGHT_UNITS - 1) for band in JUDGE_BANDS]
    return np.rint(level * shown * noise).astype(np.uint16)


def fitted(judge: UInt16Array, light: UInt16Array, told: BoolArray | None = None) -> dict[str, float]:
    sums = SlopeSums.nothing(CELLS)
    sums.add(CELLS, judge, light, np.ones(light.shape, bool) if told is None else told)
    return direct_shares([sums])


class TestSlopeLight:
    """Light on slopes"""

    @pytest.mark.parametrize("azimuth", [180.0, 135.0])
    def test_is_that_of_the_angle_between_sun_and_slope(self, azimuth: float) -> None:
        """A slope of 20 degrees that faces south: the angle follows from spherical trigonometry."""
        slope, zenith = math.radians(20), math.radians(50)
        terrain = tilted(0.0, math.tan(slope))
        found = slope_light(terrain, sun(50, azimuth), (50.0, azimuth))
        aside = math.cos(math.radians(180 - azimuth))
        cosine = math.cos(zenith) * math.cos(slope) + math.sin(zenith) * math.sin(slope) * aside
        np.testing.assert_allclose(found.light / LIGHT_UNITS, cosine / math.cos(zenith), atol=5e-4)
        assert found.lit.all()

    def test_is_one_on_level_ground_and_where_heights_are_not_known(self) -> None:
        pad = reach_of(GRID)
        unknown = Terrain.of(np.full((GRID.height + 2 * pad, GRID.width + 2 * pad), np.nan, np.float32), GRID, pad)
        for terrain in (tilted(0.0, 0.0), unknown):
            found = slope_light(terrain, sun(60, 160), (60.0, 160.0))
            assert (found.light == LIGHT_UNITS).all()
            assert found.lit.all()

    def test_is_too_little_to_correct_below_a_cosine_of_a_fifth(self) -> None:
        """Away from a sun 30 degrees high: 15 degrees of slope leave a cosine of 0.26, 20 degrees 0.17."""
        gentle, steep = (
            slope_light(tilted(0.0, -math.tan(math.radians(slope))), sun(60, 180), (60.0, 180.0)) for slope in (15, 20)
        )
        assert gentle.lit.all()
        assert not steep.lit.any()
        np.testing.assert_array_equal(steep.light, round(0.2 / 0.5 * LIGHT_UNITS))

    def test_is_too_little_in_the_shade_of_a_ridge(self) -> None:
        pad = reach_of(GRID)
        heights = np.zeros((GRID.height + 2 * pad, GRID.width + 2 * pad), np.float32)
        heights[pad + 30 : pad + 32] = 600
        found = slope_light(Terrain.of(heights, GRID, pad), sun(45, 180), (45.0, 180.0))
        assert not found.lit[21:28].any(), "600 m of shade to the north"
        assert found.lit[:18].all()
        assert found.lit[35:].all()


class TestDirectShares:
    """The share of direct light"""

    def test_is_found_from_what_slopes_show(self) -> None:
        light = lights()
        assert fitted(scene(light, FOREST), light) == pytest.approx(SHARES, abs=0.02)

    def test_does_not_mind_that_brighter_ground_lies_where_more_light_falls(self) -> None:
        """Forest in dark valleys, rock on sunny heights: over all of it red would rise beyond the light."""
        light = lights(0.1).astype(float)
        light[50:] += 2500
        light = np.rint(light).astype(np.uint16)
        level = np.repeat(FOREST, 100, axis=1)
        level[:, 50:] = ROCK
        judge = scene(light, level)
        rise, level_dn = np.polyfit(light.ravel() / LIGHT_UNITS - 1, judge[1].ravel(), 1)
        assert rise / level_dn > 1.5
        assert fitted(judge, light) == pytest.approx(SHARES, abs=0.04)

    def test_does_not_mind_what_a_mask_has_left(self) -> None:
        light = lights()
        judge = scene(light, FOREST)
        judge[:, 20:40, 30:70] = np.array([4000, 4200, 5200, 3000], np.uint16)[:, None, None]
        assert fitted(judge, light) == pytest.approx(SHARES, abs=0.04)

    def test_is_nothing_where_slopes_were_corrected_before_or_too_much(self) -> None:
        light = lights()
        shares = {"B02": -0.3, "B04": 0.0, "B8A": -0.1, "B11": 0.5}
        found = fitted(scene(light, FOREST, shares), light)
        assert found == pytest.approx({"B02": 0.0, "B04": 0.0, "B8A": 0.0, "B11": 0.5}, abs=0.02)
        assert found["B02"] == found["B8A"] == 0.0

    def test_is_nothing_where_there_is_too_little_relief_or_ground(self) -> None:
        flat, hilly = lights(0.02), lights()
        few = np.zeros(hilly.shape, bool)
        few[:10, :90] = few[10:20] = True
        nothing = dict.fromkeys(JUDGE_BANDS, 0.0)
        assert fitted(scene(flat, FOREST), flat) == nothing
        assert fitted(scene(hilly, FOREST), hilly, few) == nothing
        few[:10, 90:] = True
        assert fitted(scene(hilly, FOREST), hilly, few) != nothing

    def test_does_not_depend_on_how_pixels_come(self) -> None:
        light = lights()
        judge, sums = scene(light, ROCK), SlopeSums.nothing(CELLS)
        first = np.random.default_rng(5).random(light.shape) < 0.5
        for part in (first, ~first):
            for block in reversed(list(CELLS.blocks(4))):
                rows, cols = (slice(10 * one.start, 10 * one.stop) for one in block.within(CELLS))
                sums.add(block, judge[:, rows, cols], light[rows, cols], part[rows, cols])
        assert direct_shares([sums]) == fitted(judge, light)

    def test_is_one_for_all_scenes_of_an_overflight(self) -> None:
        light, sums = lights(), [SlopeSums.nothing(CELLS) for _ in range(3)]
        for one, ground in zip(sums, (FOREST, ROCK, FOREST), strict=True):
            one.add(CELLS, scene(light, ground), light, np.ones(light.shape, bool))
        assert direct_shares(sums) == pytest.approx(SHARES, abs=0.02)

    def test_lies_between_those_of_the_neighbours_in_other_bands(self) -> None:
        found = {band: band_share(SHARES, band) for band in DELIVERED_BANDS}
        assert {band: found[band] for band in JUDGE_BANDS} == SHARES
        assert SHARES["B02"] < found["B03"] < SHARES["B04"] < found["B05"] < found["B06"] < found["B07"]
        assert found["B07"] < found["B08"] < SHARES["B8A"]
        assert found["B12"] == SHARES["B11"]


class TestFactorsOf:
    """Factors"""

    @pytest.mark.parametrize("share", [0.3, 0.8, 1.0])
    def test_make_slopes_towards_and_away_from_the_sun_equal(self, share: float) -> None:
        light = np.array([[6000, 10_000, 14_000]], np.uint16)
        seen = 3000 * (1 + share * (light / LIGHT_UNITS - 1))
        np.testing.assert_allclose(seen * factors_of(light, share), 3000, rtol=1e-5)

    def test_are_those_of_the_c_correction(self) -> None:
        """c = b / m of a regression on the cosine of incidence."""
        level, share = math.cos(math.radians(40)), 0.7
        c = level * (1 - share) / share
        cosines = np.array([[0.3, 0.6, 0.9]])
        light = np.rint(cosines / level * LIGHT_UNITS).astype(np.uint16)
        np.testing.assert_allclose(factors_of(light, share), (level + c) / (cosines + c), rtol=2e-4)

    def test_are_bounded(self) -> None:
        assert factors_of(np.array([[0, 65535]], np.uint16), 1.0).tolist() == [[FACTORS[1], np.float32(FACTORS[0])]]

    def test_are_one_without_direct_light_and_on_level_ground(self) -> None:
        assert (factors_of(np.array([[2000, 30_000]], np.uint16), 0.0) == 1).all()
        assert factors_of(np.array([[LIGHT_UNITS]], np.uint16), 0.83) == 1


class TestKeepsLight:
    """What is not lit as the ground"""

    def test_stays_as_it_is(self) -> None:
        classes, level = np.arange(12, dtype=np.uint8) | np.uint8(CLASS_VALID), np.zeros(12, bool)
        kept = {Scl.NO_DATA, Scl.SATURATED_OR_DEFECTIVE, Scl.WATER, Scl.SNOW}
        assert {Scl(value) for value in np.flatnonzero(keeps_light(classes, level))} == kept
        assert keeps_light(classes | np.uint8(CLASS_SNOW), level).all()

    def test_is_a_cloud_or_a_shadow_only_in_its_core(self) -> None:
        classes = np.array([Scl.CLOUD_SHADOW, Scl.CLOUD_HIGH], np.uint8) | np.uint8(CLASS_VALID)
        assert not keeps_light(classes, np.zeros(2, bool)).any()
        assert keeps_light(classes | np.uint8(CLASS_CORE), np.zeros(2, bool)).all()

    def test_is_no_water_where_ground_is_steep(self) -> None:
        classes = np.full(2, int(Scl.WATER) | CLASS_VALID, np.uint8)
        assert keeps_light(classes, np.array([False, True])).tolist() == [True, False]
