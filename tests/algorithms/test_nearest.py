"""Nearest resampling of small rasters."""

import numpy as np
import pytest
from pyproj import Transformer

from senard.algorithms.nearest import coordinates, needed_window, resized, take_nearest
from senard.model.grid import Grid, Window

MOSAIC = Grid(crs="EPSG:3857", left=2700020.0, top=8500060.0, gsd=20, width=130, height=90)


class TestCoordinates:
    """Every pixel centre lies where PROJ puts it, whichever block it is computed in."""

    @pytest.mark.parametrize("crs", ["EPSG:32635", "EPSG:32634"])
    def test_are_within_a_hundredth_of_a_metre(self, crs: str) -> None:
        where = coordinates(MOSAIC, crs)
        x = MOSAIC.left + (np.arange(MOSAIC.width) + 0.5) * 20
        y = MOSAIC.top - (np.arange(MOSAIC.height) + 0.5) * 20
        exact = Transformer.from_crs(MOSAIC.crs, crs, always_xy=True).transform(*np.meshgrid(x, y))
        assert np.abs(where.x - exact[0]).max() < 0.01
        assert np.abs(where.y - exact[1]).max() < 0.01

    def test_have_the_same_bits_in_any_block(self) -> None:
        whole = coordinates(MOSAIC, "EPSG:32635")
        part = coordinates(MOSAIC.crop(Window(row_start=13, row_stop=60, col_start=37, col_stop=99)), "EPSG:32635")
        assert np.array_equal(whole.x[13:60, 37:99], part.x)
        assert np.array_equal(whole.y[13:60, 37:99], part.y)

    def test_pass_the_antimeridian_without_a_jump(self) -> None:
        grid = Grid(crs="EPSG:32601", left=235000.0, top=7300000.0, gsd=20, width=2000, height=20)
        longitude = coordinates(grid, "EPSG:4326").x
        steps = np.diff(longitude, axis=1)
        assert (np.minimum(np.abs(steps), np.abs(np.abs(steps) - 360)) < 0.001).all()


class TestTakeNearest:
    """A mosaic pixel takes the product's pixel that holds its centre."""

    GRID = Grid(crs="EPSG:3857", left=2700000.0, top=8500100.0, gsd=60, width=20, height=10)

    def test_copies_within_the_product_and_gives_0_outside(self) -> None:
        pixels = np.arange(1, 201, dtype=np.uint16).reshape(1, 10, 20)
        where = coordinates(MOSAIC, MOSAIC.crs)
        taken = take_nearest(pixels, self.GRID, where)[0]
        # the mosaic starts 20 m east and 40 m south of the product: its first pixel is 30 m, 50 m into the product's
        assert taken[0, 0] == 1
        assert taken[1, 0] == 21
        assert taken[0, 2] == 2
        assert (taken[:, 60:] == 0).all()

    def test_needs_only_the_window_that_the_mosaic_touches(self) -> None:
        where = coordinates(MOSAIC, MOSAIC.crs)
        window = needed_window(where, self.GRID)
        assert window == Window(row_start=0, row_stop=10, col_start=0, col_stop=20)
        far = Grid(crs="EPSG:3857", left=0.0, top=0.0, gsd=60, width=5, height=5)
        assert needed_window(where, far) is None


class TestResized:
    """Rasters of one product share their corner, whatever their pixel size."""

    def test_repeats_coarse_pixels_and_picks_fine_ones(self) -> None:
        coarse = np.array([[1, 2], [3, 4]], dtype=np.uint8)
        fine = resized(coarse, (6, 6))
        assert (fine[:3, :3] == 1).all()
        assert (fine[3:, 3:] == 4).all()
        assert np.array_equal(resized(fine, (2, 2)), coarse)
