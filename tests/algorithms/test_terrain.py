"""Relief shades: ridges cast shadows as long as the sun is low, and slopes turn away from it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod, Transformer

from senard.algorithms.scoring import Scored
from senard.algorithms.terrain import REACH_M, Light, Terrain, dimmed, light_of, reach_of
from senard.model.arrays import BoolArray, Float32Array
from senard.model.grid import Grid

UTM = Grid(crs="EPSG:32632", left=498_000.0, top=5_100_000.0, gsd=60, width=100, height=100)
"""6 x 6 km around the middle meridian of zone 32, whose north is the grid's."""


def lit_by(heights: Float32Array, grid: Grid, zenith: float, azimuth: float) -> Light:
    """The light of one sun on heights that reach beyond the grid."""
    pad = (heights.shape[0] - grid.height) // 2
    sun = np.array([[0, 0], [zenith, azimuth]], dtype=np.float32)
    return light_of(Terrain.of(heights, grid, pad), np.ones(grid.shape, dtype=np.uint16), sun)


def wall(grid: Grid, height: float, *, row: bool) -> Float32Array:
    """A plain at 500 m with a wall one pixel thick through its middle, along a row or a column."""
    pad = reach_of(grid)
    heights = np.full((grid.height + 2 * pad, grid.width + 2 * pad), 500, dtype=np.float32)
    middle = pad + grid.height // 2
    heights[(middle, slice(None)) if row else (slice(None), middle)] += height
    return heights


def beyond_the_slopes(shaded: BoolArray, *, row: bool) -> tuple[int, int]:
    """Shaded pixels before and behind a wall (to the north and south, or west and east), its own sides included."""
    profile = shaded[:, 50] if row else shaded[50]
    return int(profile[:50].sum()), int(profile[51:].sum())


class TestCastShadow:
    """A ridge's shadow lies away from the sun and is its height times the tangent of the sun's zenith long."""

    @pytest.mark.parametrize(
        ("azimuth", "row", "behind"),
        [(180.0, True, 0), (0.0, True, 1), (90.0, False, 0), (270.0, False, 1)],
        ids=["sun in the south", "sun in the north", "sun in the east", "sun in the west"],
    )
    def test_lies_on_the_far_side(self, azimuth: float, row: bool, behind: int) -> None:
        sides = beyond_the_slopes(lit_by(wall(UTM, 400, row=row), UTM, 60.0, azimuth).shaded, row=row)
        # 400 m x tan 60 = 693 m, 11.5 pixels; its end goes between two pixels
        assert sides[behind] in {11, 12}
        assert sides[1 - behind] == 0

    def test_is_as_long_in_a_slanting_light(self) -> None:
        north, south = beyond_the_slopes(lit_by(wall(UTM, 400, row=True), UTM, 60.0, 180.0 + 60.0).shaded, row=True)
        assert north == pytest.approx(693 * math.cos(math.radians(60)) / 60, abs=1)
        assert south == 0

    def test_follows_true_north_where_the_grid_is_turned(self) -> None:
        grid = Grid(crs="EPSG:3035", left=2_700_000.0, top=3_000_000.0, gsd=60, width=100, height=100)
        there = Transformer.from_crs("EPSG:3035", "EPSG:4326", always_xy=True)
        lon, lat = there.transform([2_703_000.0] * 2, [2_997_000.0, 2_997_100.0])
        turned = Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])[0]
        assert turned < -10, "the grid's north lies west of true north there"
        along = lit_by(wall(grid, 400, row=True), grid, 60.0, 90.0 + turned).shaded
        assert not along[:, 50][[44, 46, 54, 56]].any(), "a sun along the wall"

    def test_counts_metres_on_the_ground(self) -> None:
        grid = Grid(crs="EPSG:3857", left=2_700_000.0, top=8_397_000.0, gsd=60, width=100, height=100)
        north, south = beyond_the_slopes(lit_by(wall(grid, 400, row=True), grid, 60.0, 180.0).shaded, row=True)
        assert north in {22, 23}, "at 60 degrees a pixel of EPSG:3857 has 30 m"
        assert south == 0

    def test_ends_at_its_reach(self) -> None:
        grid = replace(UTM, width=10, height=300)
        pad = reach_of(grid)
        heights = np.zeros((grid.height + 2 * pad, grid.width + 2 * pad), dtype=np.float32)
        heights[pad + 295 :] = 2000
        shaded = lit_by(heights, grid, 80.0, 180.0).shaded
        assert shaded[:295, 5].sum() == int(REACH_M / 60)

    def test_is_none_where_no_height_is_known(self) -> None:
        heights = wall(UTM, 400, row=True)
        heights[:, : heights.shape[1] // 2] = np.nan
        shaded = lit_by(heights, UTM, 60.0, 180.0).shaded
        assert not shaded[:, :50].any()
        assert shaded[40:50, 60].all()

    def test_is_the_same_whatever_part_of_the_country_is_looked_at(self) -> None:
        pad = reach_of(UTM)
        random = np.random.default_rng(5)
        country = np.cumsum(random.normal(0, 25, (100 + 2 * pad, 100 + 2 * pad)), axis=0).astype(np.float32)
        whole = lit_by(country, UTM, 65.0, 155.0)
        part = replace(UTM, left=UTM.left + 30 * 60, top=UTM.top - 20 * 60, width=40, height=50)
        cut = country[20 : 70 + 2 * pad, 30 : 70 + 2 * pad]
        light = lit_by(cut, part, 65.0, 155.0)
        assert np.array_equal(light.shaded, whole.shaded[20:70, 30:70])
        assert np.array_equal(light.cost, whole.cost[20:70, 30:70])
        assert 0.05 < whole.shaded.mean() < 0.95


class TestSlopes:
    """Ground is dark where it turns away from the sun."""

    @pytest.mark.parametrize("azimuth", [0.0, 45.0, 90.0, 180.0, 225.0, 315.0])
    @pytest.mark.parametrize(("slope_deg", "dark"), [(20.0, False), (34.0, True)])
    def test_by_the_cosine_of_incidence(self, azimuth: float, slope_deg: float, dark: bool) -> None:
        """A slope that faces away from a sun 30 degrees high: cosine 0.17 at 20 degrees, below 0 at 34."""
        pad = reach_of(UTM)
        y, x = np.mgrid[0 : 100 + 2 * pad, 0 : 100 + 2 * pad] * 60.0
        to_sun = math.radians(azimuth)
        heights = math.tan(math.radians(slope_deg)) * (x * math.sin(to_sun) - y * math.cos(to_sun))
        light = lit_by(heights.astype(np.float32), UTM, 60.0, azimuth)
        assert (light.shaded == dark).all()
        cosine = math.cos(math.radians(60 + slope_deg))
        expected = 1.5 if dark else 1.5 * (0.2 - cosine) / 0.17
        assert light.cost == pytest.approx(np.full(UTM.shape, expected), abs=0.01)

    def test_but_the_plain_is_never_dark_however_low_the_sun(self) -> None:
        light = lit_by(wall(UTM, 1.0, row=True), UTM, 84.0, 180.0)
        assert not light.shaded.any()
        assert not light.cost.any()


class TestDimmed:
    """Shade makes no observation better."""

    def test_ends_clear_levels_and_costs(self) -> None:
        level = np.array([[1, 2, 3], [4, 5, 0], [1, 1, 1]], dtype=np.uint8)
        zeros = np.zeros((3, 3), dtype=np.uint8)
        scored = Scored(level=level, cost=np.ones((3, 3), np.float32), flags=zeros, clear=zeros)
        coarse = Grid(crs="EPSG:32632", left=0.0, top=240.0, gsd=60, width=2, height=4)
        grid = Grid(crs="EPSG:32632", left=60.0, top=180.0, gsd=20, width=3, height=3)
        light = Light(shaded=np.zeros((4, 2), np.bool_), cost=np.zeros((4, 2), np.float32))
        assert dimmed(scored, light, grid, coarse) is scored
        light.shaded[1, 1], light.cost[1, 1] = True, 0.5
        found = dimmed(scored, light, grid, coarse)
        assert found.level.tolist() == [[3, 3, 3], [4, 5, 0], [3, 3, 3]]
        assert found.cost.tolist() == [[1.5, 1.5, 1.5], [1.5, 1.5, 1.0], [1.5, 1.5, 1.5]]
