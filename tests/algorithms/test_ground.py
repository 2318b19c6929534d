"""How large a pixel of the mosaic is on the ground."""

import math

import pytest
from pyproj import Geod, Transformer

from senard.algorithms.ground import row_sections
from senard.model.grid import Grid, Window


class TestRowSections:
    """Rows know their ground size from their place alone."""

    GRID = Grid(crs="EPSG:3857", left=2_700_000.0, top=8_400_060.0, gsd=20, width=10, height=20)

    def test_give_20_metres_divided_by_the_stretch_of_web_mercator(self) -> None:
        section = row_sections(self.GRID)[0]
        lower, upper = (
            Transformer.from_crs("EPSG:3857", "EPSG:4326", always_xy=True).transform(2_700_000, y)
            for y in (8_450_000, 8_451_000)
        )
        metres = Geod(ellps="WGS84").inv(*lower, *upper)[2]
        assert section.pixel_m == pytest.approx(20 * metres / 1000, rel=0.01)
        assert section.pixel_m == pytest.approx(20 * math.cos(math.radians(lower[1])), rel=1e-3)

    def test_are_cut_at_multiples_of_100_km_whatever_the_grid(self) -> None:
        assert [(one.row_start, one.row_stop) for one in row_sections(self.GRID)] == [(0, 3), (3, 20)]
        part = self.GRID.crop(Window(row_start=2, row_stop=9, col_start=0, col_stop=4))
        assert [(one.row_start, one.row_stop) for one in row_sections(part)] == [(0, 1), (1, 7)]
        assert [one.pixel_m for one in row_sections(part)] == [one.pixel_m for one in row_sections(self.GRID)]

    def test_go_through_the_equator(self) -> None:
        grid = Grid(crs="EPSG:3857", left=0.0, top=40.0, gsd=20, width=4, height=4)
        assert [(one.row_start, one.row_stop) for one in row_sections(grid)] == [(0, 2), (2, 4)]

    @pytest.mark.parametrize("crs", ["EPSG:32635", "EPSG:3035"])
    def test_take_metres_as_metres_in_true_projections(self, crs: str) -> None:
        grid = Grid(crs=crs, left=500_000.0, top=3_000_000.0, gsd=20, width=4, height=4)
        assert [one.pixel_m for one in row_sections(grid)] == [20.0]
