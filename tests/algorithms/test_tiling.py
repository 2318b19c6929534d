"""The mosaic's own grid: numbered tiles, and which pixels the area touches."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from senard.algorithms.tiling import aoi_mask, cut_lines, cut_tiles, project_area, touches
from senard.errors import RequestError
from senard.model.grid import Grid, Tile


def lon_lat(*, left: float, bottom: float, right: float, top: float, crs: str = "EPSG:3857") -> Polygon:
    """A rectangle of a projected CRS in lon/lat, its edges followed closely."""
    outline = shapely.segmentize(box(left, bottom, right, top), 500)
    to_lon_lat = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    return shapely.transform(outline, lambda xy: np.column_stack(to_lon_lat.transform(xy[:, 0], xy[:, 1])))


def edges(tile: Tile) -> tuple[int, int, int, int]:
    return tile.left, tile.bottom, tile.right, tile.top


def square(left: int, top: int, pixels: int, crs: str = "EPSG:3857") -> Grid:
    return Grid(crs=crs, left=float(left), top=float(top), gsd=20, width=pixels, height=pixels)


@st.composite
def areas(draw: st.DrawFn) -> BaseGeometry:
    """One to three triangles or rectangles, up to some hundred kilometres apart."""
    shapes = []
    lon, lat = draw(st.floats(-170, 165)), draw(st.floats(-60, 75))
    for _ in range(draw(st.integers(1, 3))):
        west, south = lon + draw(st.floats(0, 4)), lat + draw(st.floats(0, 2))
        width, height = draw(st.floats(0.002, 3)), draw(st.floats(0.002, 3))
        corners = [(west, south), (west + width, south), (west + width, south + height), (west, south + height)]
        shapes.append(Polygon(corners[: draw(st.integers(3, 4))]))
    return shapely.union_all(shapes)


class TestCutLines:
    """Tile edges along one axis are round numbers and leave no sliver."""

    def test_snap_outwards_to_whole_pixels_of_20_m(self) -> None:
        assert cut_lines(12_345.1, 23_456.7) == [12_340, 23_460]

    def test_cut_at_multiples_of_100_km(self) -> None:
        assert cut_lines(-150_000, 150_000) == [-150_000, -100_000, 0, 100_000, 150_000]

    def test_leave_out_a_line_nearer_than_10_km_to_a_bound(self) -> None:
        assert cut_lines(90_020, 309_980) == [90_020, 200_000, 309_980]

    def test_keep_a_line_10_km_from_a_bound(self) -> None:
        assert cut_lines(90_000, 310_000) == [90_000, 100_000, 200_000, 300_000, 310_000]

    def test_do_not_cut_at_a_bound_itself(self) -> None:
        assert cut_lines(100_000, 200_000) == [100_000, 200_000]

    @given(st.floats(-2e7, 2e7, allow_subnormal=False), st.floats(0.01, 2e6))
    def test_make_pieces_of_10_to_120_km(self, low: float, extent: float) -> None:
        lines = cut_lines(low, low + extent)
        pieces = np.diff(lines)
        assert all(line % 20 == 0 for line in lines)
        assert lines[0] <= low
        assert lines[-1] >= low + extent
        assert (pieces > 0).all()
        assert (pieces <= 120_000).all()
        assert len(pieces) == 1 or (pieces >= 10_000).all()


class TestCutTiles:
    """The tiles of a mosaic follow from area and grid alone."""

    def test_are_numbered_north_to_south_and_west_to_east(self) -> None:
        tiles = cut_tiles(lon_lat(left=250_010, bottom=5_950_010, right=449_990, top=6_149_990), "EPSG:3857")
        assert [tile.index for tile in tiles] == list(range(9))
        assert edges(tiles[0]) == (250_000, 6_100_000, 300_000, 6_150_000)
        assert edges(tiles[1]) == (300_000, 6_100_000, 400_000, 6_150_000)
        assert edges(tiles[4]) == (300_000, 6_000_000, 400_000, 6_100_000)
        assert edges(tiles[8]) == (400_000, 5_950_000, 450_000, 6_000_000)

    def test_leave_out_what_the_area_does_not_reach(self) -> None:
        corner = lon_lat(left=250_010, bottom=6_050_000, right=350_000, top=6_149_990)
        rest = lon_lat(left=350_000, bottom=5_950_010, right=449_990, top=6_050_000)
        tiles = cut_tiles(shapely.union(corner, rest), "EPSG:3857")
        assert (400_000, 6_100_000, 450_000, 6_150_000) not in map(edges, tiles)
        assert [tile.index for tile in tiles] == list(range(7))

    def test_need_one_pixel_of_20_m(self) -> None:
        with pytest.raises(RequestError, match="less than one pixel of 20 m"):
            cut_tiles(lon_lat(left=100, bottom=100, right=118, top=118), "EPSG:3857")

    def test_follow_the_curve_of_a_long_edge(self) -> None:
        # A parallel of latitude bulges north in LAEA Europe: between its ends 5 degrees apart it rises by kilometres.
        aoi = box(20, 60, 30, 61)
        top = max(tile.top for tile in cut_tiles(aoi, "EPSG:3035"))
        to_laea = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3035", always_xy=True)
        reached = max(to_laea.transform(lon, 61)[1] for lon in np.linspace(20, 30, 10_001))
        assert 0 <= top - reached < 20.1

    def test_put_the_part_west_of_the_antimeridian_first_in_each_row(self) -> None:
        aoi = shapely.union(box(179, -17, 180, -16), box(-180, -17, -179, -16))
        tiles = cut_tiles(aoi, "EPSG:3857")
        first_row = [edges(tile) for tile in tiles if tile.top == tiles[0].top]
        assert [left for left, *_ in first_row] == [19_926_180, 20_000_000, -20_037_500, -20_000_000]
        assert max(right for _, _, right, _ in first_row) == 20_037_500
        assert [tile.index for tile in tiles] == list(range(len(tiles)))

    def test_join_both_sides_of_the_antimeridian_in_a_utm_zone(self) -> None:
        aoi = shapely.union(box(179.9, -17, 180, -16.9), box(-180, -17, -179.9, -16.9))
        (tile,) = cut_tiles(aoi, "EPSG:32701")
        assert tile.right - tile.left < 23_000

    @pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:3035", "EPSG:3413"])
    def test_exist_in_other_grids_of_metres(self, crs: str) -> None:
        tiles = cut_tiles(box(14, 66, 15, 67), crs)
        assert all(tile.crs == crs for tile in tiles)
        assert sum((t.right - t.left) * (t.top - t.bottom) for t in tiles) > 44e3 * 111e3

    @pytest.mark.parametrize(
        ("crs", "message"),
        [
            ("EPSG:4326", "degree"),
            ("EPSG:2263", "foot"),
            ("EPSG:2053", "west"),
            ("EPSG:999999", "not a known CRS"),
            ("banana", "not a known CRS"),
        ],
    )
    def test_refuse_a_grid_that_is_not_metres_east_and_north(self, crs: str, message: str) -> None:
        with pytest.raises(RequestError, match=message):
            cut_tiles(box(14, 66, 15, 67), crs)

    def test_refuse_a_latitude_that_web_mercator_does_not_have(self) -> None:
        with pytest.raises(RequestError, match="EPSG:3413"):
            cut_tiles(box(14, 84, 15, 86), "EPSG:3857")

    @settings(max_examples=40, deadline=None)
    @given(areas(), st.sampled_from(["EPSG:3857", "EPSG:3035"]))
    def test_are_whole_pixels_without_overlap_and_hold_the_area(self, aoi: BaseGeometry, crs: str) -> None:
        tiles = cut_tiles(aoi, crs)
        area = project_area(aoi, crs)
        boxes = [box(*edges(tile)) for tile in tiles]
        union = shapely.union_all(boxes)
        assert all(edge % 20 == 0 for tile in tiles for edge in edges(tile))
        assert all(tile.right > tile.left and tile.top > tile.bottom for tile in tiles)
        assert union.area == sum(rectangle.area for rectangle in boxes)
        assert shapely.difference(area, union).area < 400 * (len(cut_lines(*area.bounds[::2])) + 9) ** 2
        assert all(shapely.intersection(area, rectangle).area >= 400 for rectangle in boxes)
        assert [(-t.top, t.left) for t in tiles] == sorted((-t.top, t.left) for t in tiles)
        assert all(tile.grid(10).bounds == tile.grid(20).bounds for tile in tiles)

    @settings(max_examples=20, deadline=None)
    @given(areas(), st.randoms())
    def test_do_not_depend_on_the_order_of_the_parts(self, aoi: BaseGeometry, random: object) -> None:
        parts = list(shapely.get_parts(aoi))
        random.shuffle(parts)  # type: ignore[attr-defined]
        assert cut_tiles(shapely.MultiPolygon(parts), "EPSG:3857") == cut_tiles(aoi, "EPSG:3857")


class TestAoiMask:
    """A pixel belongs to the mosaic where the area reaches into it."""

    def test_holds_every_pixel_that_is_partly_covered(self) -> None:
        area = box(110, 110, 150, 150)  # in a grid of 20 m: from the middle of column 5 to the middle of column 7
        touched = touches(area, square(0, 200, 10))
        expected = np.zeros((10, 10), dtype=bool)
        expected[2:5, 5:8] = True
        np.testing.assert_array_equal(touched, expected)

    def test_leaves_out_a_pixel_that_shares_only_an_edge(self) -> None:
        touched = touches(box(100, 100, 140, 140), square(0, 200, 10))
        assert touched.sum() == 4
        assert touched[3:5, 5:7].all()

    def test_sees_an_area_smaller_than_a_pixel(self) -> None:
        touched = touches(box(105, 105, 106, 106), square(0, 200, 10))
        assert np.argwhere(touched).tolist() == [[4, 5]]

    def test_leaves_a_hole_open(self) -> None:
        ring = shapely.difference(box(0, 0, 200, 200), box(55, 55, 145, 145))
        touched = touches(ring, square(0, 200, 10))
        assert not touched[3:7, 3:7].any()
        assert touched.sum() == 100 - 16

    def test_is_empty_where_the_area_is_elsewhere(self) -> None:
        assert not touches(box(1000, 1000, 1100, 1100), square(0, 200, 10)).any()

    def test_takes_lon_lat(self) -> None:
        aoi = lon_lat(left=1_000_110, bottom=6_000_110, right=1_000_150, top=6_000_150)
        assert aoi_mask(aoi, square(1_000_000, 6_000_200, 10)).sum() == 9

    @settings(max_examples=15, deadline=None)
    @given(
        st.lists(st.tuples(st.floats(0, 2000), st.floats(0, 2000)), min_size=3, max_size=7),
        st.integers(1, 100),
        st.integers(-40, 40),
    )
    def test_does_not_depend_on_the_block(self, corners: list[tuple[float, float]], size: int, shift: int) -> None:
        area = shapely.convex_hull(shapely.MultiPoint(corners))
        grid = square(20 * shift, 2000, 100)
        whole = touches(area, grid)
        for window in list(grid.blocks(size))[:60]:
            np.testing.assert_array_equal(touches(area, grid.crop(window)), whole[window.slices])

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)), min_size=3, max_size=9))
    def test_equals_asking_every_pixel(self, corners: list[tuple[float, float]]) -> None:
        area = shapely.make_valid(Polygon(corners))
        grid = square(0, 400, 20)
        left, top = np.meshgrid(np.arange(20) * 20, 400 - np.arange(20) * 20)
        shrunk = shapely.box(left + 0.001, top - 19.999, left + 19.999, top - 0.001)
        np.testing.assert_array_equal(touches(area, grid), shapely.intersects(area, shrunk))
