"""Granules of one datatake become one observation on the mosaic's pixels."""

from dataclasses import replace

import numpy as np
import pytest

from senard.algorithms.granules import GranulePixels, Ground, coarser, preference, utm_zone_of
from senard.algorithms.nearest import nodes_of, pixel_numbers
from senard.model.grid import Grid, Window
from senard.model.masks import CLASS_VALID, MASK_BANDS_60

MOSAIC = Grid(crs="EPSG:32635", left=500_000.0, top=6_700_020.0, gsd=20, width=30, height=24)
PRODUCT = Grid(crs="EPSG:32635", left=499_980.0, top=6_700_080.0, gsd=20, width=60, height=60)


def granule(source: int, grid: Grid = PRODUCT, *, ground: Ground | None = None, scl: int = 4) -> GranulePixels:
    """All of its pixels, or what a part of the mosaic needs of them; rows and columns tell themselves apart."""
    window = Window(row_start=0, row_stop=grid.height, col_start=0, col_stop=grid.width)
    window = window if ground is None else ground.window(grid) or window
    rows, cols = np.mgrid[window.slices]
    mask = np.stack([np.full(rows.shape, scl | CLASS_VALID), rows, cols, rows * 0]).astype(np.uint8)
    large = coarser(window, 3)
    rows, cols = np.mgrid[large.slices]
    judge = np.stack([rows, cols, *[rows * 0 + 7] * (len(MASK_BANDS_60) - 2)]).astype(np.uint16)
    return GranulePixels(source=source, grid=grid, mask=mask, judge=judge)


class TestMerged:
    """A pixel of the mosaic is given the product's pixel that holds its centre, of the granule that suits it best."""

    def test_takes_the_pixel_of_20_m_and_that_of_60_m_around_it(self) -> None:
        ground = Ground(MOSAIC)
        seen = ground.merged([granule(3, ground=ground)])
        assert seen is not None
        assert (seen.source == 3).all()
        assert seen.mask[1, :, 0].tolist() == list(range(3, 27))
        assert seen.mask[2, 0].tolist() == list(range(1, 31))
        assert seen.judge[0, :, 0].tolist() == [row // 3 for row in range(3, 27)]
        assert seen.judge[1, 0].tolist() == [col // 3 for col in range(1, 31)]

    def test_takes_only_valid_pixels_and_the_first_of_equals(self) -> None:
        ground = Ground(MOSAIC)
        first, second = granule(1, ground=ground, scl=5), granule(2, ground=ground, scl=6)
        first.mask[0, :, 5] = 5
        seen = ground.merged([first, second])
        assert seen is not None
        assert (seen.source[:, 5] == 2).all()
        assert (np.delete(seen.source, 5, axis=1) == 1).all()
        assert ((seen.mask[0] & 15) == np.where(seen.source == 1, 5, 6)).all()

    def test_prefers_the_nearer_centre(self) -> None:
        far = replace(PRODUCT, left=PRODUCT.left - 400, top=PRODUCT.top + 400)
        ground = Ground(MOSAIC)
        seen = ground.merged([granule(1, far, ground=ground), granule(2, ground=ground)])
        assert seen is not None
        centre_far, centre = -MOSAIC.left + far.left + 600, PRODUCT.left + 600 - MOSAIC.left
        x = np.arange(30) * 20 + 10.0
        y = np.arange(24) * 20 + 10.0
        down_far, down = MOSAIC.top - far.top + 600, MOSAIC.top - PRODUCT.top + 600
        nearer = np.hypot(*np.meshgrid(x - centre, y - down)) < np.hypot(*np.meshgrid(x - centre_far, y - down_far))
        inside = np.zeros((24, 30), dtype=np.bool_)
        inside[: 1200 // 20 - 23, : 1200 // 20 - 21] = True  # as far as the first reaches
        assert np.array_equal(seen.source, np.where(nearer | ~inside, 2, 1))
        assert set(np.unique(seen.source)) == {1, 2}

    def test_sees_nothing_where_no_product_lies(self) -> None:
        ground = Ground(MOSAIC)
        assert ground.window(replace(PRODUCT, left=900_000.0)) is None
        assert ground.merged([]) is None


class TestPreference:
    """A granule suits the pixels of its own zone, then those near its centre."""

    def test_prefers_the_own_zone_to_the_nearer_centre(self) -> None:
        own = preference(500.0, 0.0, 24.1, 35, np.array([90_000.0, 0.0]))
        assert own < preference(500.0, 0.0, 24.1, 34, np.array([500.0, 0.0]))

    @pytest.mark.parametrize(("longitude", "own"), [(179.9, False), (180.1, True), (-179.9, True), (-180.1, False)])
    def test_knows_the_zone_on_both_sides_of_the_antimeridian(self, longitude: float, own: bool) -> None:
        assert (preference(0.0, 0.0, longitude, 1, np.zeros(2)) == 0) is own

    def test_reads_the_zone_from_the_products_crs(self) -> None:
        assert [utm_zone_of(crs) for crs in ("EPSG:32601", "EPSG:32660", "EPSG:32735")] == [1, 60, 35]


class TestPixelNumbers:
    """Numbers of pixels are the same wherever the mosaic is cut."""

    def test_of_a_part_are_those_of_the_whole(self) -> None:
        product = replace(PRODUCT, crs="EPSG:32636", left=170_000.0, top=6_715_000.0, width=600, height=900)
        window = Window(row_start=5, row_stop=20, col_start=11, col_stop=30)
        part = MOSAIC.crop(window)
        whole = pixel_numbers(nodes_of(MOSAIC, product.crs), MOSAIC.shape, product)
        cut = pixel_numbers(nodes_of(part, product.crs), part.shape, product)
        assert whole is not None
        assert cut is not None
        assert np.array_equal(whole.row[window.slices], cut.row)
        assert np.array_equal(whole.col[window.slices], cut.col)
        assert whole.window.holds(cut.window)
