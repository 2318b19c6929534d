"""Reflectance brought to the view from straight above."""

import numpy as np
import pytest
from pyproj import Transformer

from senard.algorithms.nadir import (
    ANISOTROPY,
    NODE_STEP_M,
    factors_on,
    has_no_factor,
    li_sparse,
    nadir_factors,
    ross_thick,
)
from senard.model.grid import Grid
from senard.model.masks import CLASS_CORE, CLASS_SNOW, CLASS_VALID
from senard.model.product import AngleGrid
from senard.model.sentinel2 import DELIVERED_BANDS
from senard.simulation.geometry import ORBIT_HEIGHT_M, TRACK_TILT_DEG, brdf_kernels

KERNELS = (ross_thick, li_sparse)
SUN = np.deg2rad(np.array([25.0, 45.0, 65.0]))
VIEW = np.deg2rad(np.array([3.0, 8.0, 11.5]))
PRODUCT = Grid(crs="EPSG:32635", left=399_960.0, top=6_700_020.0, gsd=20, width=5490, height=5490)


def constant(zenith: float, azimuth: float) -> AngleGrid:
    return AngleGrid(zenith=np.full((23, 23), zenith, np.float32), azimuth=np.full((23, 23), azimuth, np.float32))


class TestKernels:
    """The kernels Ross-Thick and Li-Sparse-Reciprocal"""

    @pytest.mark.parametrize("kernel", KERNELS)
    def test_vanish_for_sun_and_satellite_straight_above(self, kernel) -> None:
        assert abs(kernel(np.zeros(1), np.zeros(1), np.zeros(1))) < 1e-12

    @pytest.mark.parametrize("kernel", KERNELS)
    def test_are_reciprocal(self, kernel) -> None:
        np.testing.assert_allclose(kernel(SUN, VIEW, VIEW), kernel(VIEW, SUN, VIEW), rtol=1e-12)

    @pytest.mark.parametrize("kernel", KERNELS)
    def test_are_highest_with_the_sun_behind_the_satellite(self, kernel) -> None:
        around = kernel(np.full(37, 0.7), np.full(37, 0.15), np.linspace(0, np.pi, 37))
        assert (np.diff(around) < 0).all()

    def test_have_the_values_of_the_formula_at_45_degrees(self) -> None:
        sun, above = np.array([np.pi / 4]), np.zeros(1)
        root = np.sqrt(0.5)
        assert ross_thick(sun, above, above)[0] == pytest.approx((np.pi / 4 * root + root) / (root + 1) - np.pi / 4)
        cover = 2 / (1 / root + 1)
        angle = np.arccos(cover)
        common = (angle - np.sin(angle) * np.cos(angle)) * (1 / root + 1) / np.pi
        assert li_sparse(sun, above, above)[0] == pytest.approx(common - 1 / root - 1 + (1 + root) / (2 * root))

    @pytest.mark.parametrize("across", [-140_000.0, -30_000.0, 90_000.0])
    def test_agree_with_those_that_simulated_ground_is_made_with(self, across: float) -> None:
        azimuth = np.deg2rad(np.array([120.0, 150.0, 190.0]))
        volume, surface = brdf_kernels(np.tan(SUN), azimuth, np.full(3, across))
        view = np.full(3, np.arctan(abs(across) / ORBIT_HEIGHT_M))
        towards = np.deg2rad(TRACK_TILT_DEG) + np.where(across > 0, -1, 1) * np.pi / 2
        np.testing.assert_allclose(ross_thick(SUN, view, azimuth - towards), volume, atol=1e-12)
        np.testing.assert_allclose(li_sparse(SUN, view, azimuth - towards), surface, atol=1e-12)


class TestFactors:
    """What a product is multiplied by"""

    def test_are_1_where_it_is_seen_from_straight_above(self) -> None:
        np.testing.assert_allclose(nadir_factors(constant(50, 160), constant(0, 110)), 1, atol=1e-12)

    def test_darken_the_side_that_the_sun_shines_on_and_brighten_the_other(self) -> None:
        towards, away = (nadir_factors(constant(40, 150), constant(9, azimuth))[:, 0, 0] for azimuth in (105, 285))
        assert (towards < 0.99).all()
        assert (away > 1.005).all()
        assert ((away / towards > 1.03) & (away / towards < 1.12)).all()

    def test_are_known_for_every_delivered_band(self) -> None:
        assert set(ANISOTROPY) == set(DELIVERED_BANDS)
        assert ANISOTROPY["B08"] == ANISOTROPY["B8A"]

    def test_are_unknown_where_an_angle_is(self) -> None:
        view = constant(5, 100)
        view.zenith[3, 4] = np.nan
        factors = nadir_factors(constant(40, 150), view)
        assert np.isnan(factors[:, 3, 4]).all()
        assert np.isnan(factors).sum() == len(DELIVERED_BANDS)

    def test_lie_between_those_of_the_nodes_around(self) -> None:
        nodes = np.random.default_rng(1).uniform(0.9, 1.1, (10, 23, 23))
        cells = Grid(crs="EPSG:3857", left=2_820_000.0, top=8_460_000.0, gsd=600, width=90, height=60)
        found = factors_on(cells, PRODUCT, nodes)
        x, y = cells.left + 600 * 40.5, cells.top - 600 * 30.5
        east, north = Transformer.from_crs("EPSG:3857", PRODUCT.crs, always_xy=True).transform(x, y)
        row, col = (PRODUCT.top - north) / NODE_STEP_M, (east - PRODUCT.left) / NODE_STEP_M
        i, j = int(row), int(col)
        weights = np.outer([1 - row + i, row - i], [1 - col + j, col - j])
        expected = (nodes[:, i : i + 2, j : j + 2] * weights).sum(axis=(1, 2))
        np.testing.assert_allclose(found[:, 30, 40], expected, atol=1e-6)

    def test_do_not_depend_on_the_cells_around(self) -> None:
        nodes = np.random.default_rng(2).uniform(0.9, 1.1, (10, 23, 23))
        wide = Grid(crs="EPSG:3857", left=2_820_000.0, top=8_460_000.0, gsd=600, width=300, height=250)
        narrow = Grid(crs="EPSG:3857", left=2_829_000.0, top=8_443_800.0, gsd=600, width=7, height=5)
        np.testing.assert_array_equal(
            factors_on(wide, PRODUCT, nodes)[:, 27:32, 15:22], factors_on(narrow, PRODUCT, nodes)
        )

    def test_leave_water_and_snow_as_they_are(self) -> None:
        classes = np.array([4, 5, 6, 7, 8, 11, 4 | CLASS_SNOW, 4 | CLASS_CORE], np.uint8)[None] | np.uint8(CLASS_VALID)
        assert has_no_factor(classes)[0].tolist() == [False, False, True, False, False, True, True, False]
