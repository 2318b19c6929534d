"""Resampling from a product's grid to the mosaic's, against pyproj and a slow reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from senard.algorithms.radiometry import Harmonisation
from senard.algorithms.warp import (
    Correspondence,
    Missing,
    Wins,
    locate,
    mend,
    missing_pixels,
    needed_squares,
    squares_around,
    warp,
    wins_of,
)
from senard.algorithms.warp_kernels import CLIPPED, MENDED
from senard.model.grid import Grid, Window

PLAIN = Harmonisation(add_offset=0, quantification=10000)
ZONES = (
    ("EPSG:3857", "EPSG:32635", 25.0, 60.2),
    ("EPSG:3857", "EPSG:32634", 25.5, 60.2),
    ("EPSG:3857", "EPSG:32633", 18.0, 79.8),
    ("EPSG:3857", "EPSG:32733", 15.0, -55.0),
    ("EPSG:3857", "EPSG:32601", -179.9, -16.5),
    ("EPSG:3857", "EPSG:32631", 3.0, 0.0),
    ("EPSG:3035", "EPSG:32631", 4.0, 51.0),
    ("EPSG:32633", "EPSG:32632", 12.1, 47.0),
    ("EPSG:32633", "EPSG:32633", 12.1, 47.0),
)


def around(
    output_crs: str, source_crs: str, lon: float, lat: float, *, gsd: int = 10, size: int = 64
) -> tuple[Grid, Grid]:
    """An output grid of size x size pixels around a place, and a source grid that covers it."""
    x, y = Transformer.from_crs("EPSG:4326", output_crs, always_xy=True).transform(lon, lat)
    output = Grid(
        crs=output_crs, left=np.floor(x / 20) * 20.0, top=np.floor(y / 20) * 20.0, gsd=gsd, width=size, height=size
    )
    u, v = Transformer.from_crs("EPSG:4326", source_crs, always_xy=True).transform(lon, lat)
    left, top = np.floor(u / 60) * 60.0 - 1200.0, np.floor(v / 60) * 60.0 + 1200.0
    return output, Grid(crs=source_crs, left=left, top=top, gsd=gsd, width=size * 2 + 240, height=size * 2 + 240)


def places(where: Correspondence, output: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Image row and column of every output pixel's centre, from the nodes."""
    rows, cols = np.mgrid[0 : output.height, 0 : output.width]
    r, c = (rows - where.origin[0]) / 32, (cols - where.origin[1]) / 32
    i, j = r.astype(int), c.astype(int)
    found = []
    for nodes in (where.rows, where.cols):
        left = nodes[i, j] + (nodes[i + 1, j] - nodes[i, j]) * (r - i)
        right = nodes[i, j + 1] + (nodes[i + 1, j + 1] - nodes[i, j + 1]) * (r - i)
        found.append(left + (right - left) * (c - j))
    return found[0], found[1]


def exact_places(output: Grid, source: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The same, every pixel by pyproj."""
    rows, cols = np.mgrid[0 : output.height, 0 : output.width]
    x, y = output.left + (cols + 0.5) * output.gsd, output.top - (rows + 0.5) * output.gsd
    u, v = Transformer.from_crs(output.crs, source.crs, always_xy=True).transform(x, y)
    return (source.top - v) / source.gsd - 0.5, (u - source.left) / source.gsd - 0.5


def cubic_weight(distance: float) -> float:
    """Keys' cubic convolution, a = -0.5."""
    d = abs(distance)
    if d <= 1:
        return 1.5 * d**3 - 2.5 * d**2 + 1
    return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0


def reference(image: np.ndarray, y: float, x: float, offset: int) -> float | None:
    """Reflectance x 10000 at a place, None where the pixel under it holds no data."""

    def dn(row: int, col: int) -> int:
        return int(image[row, col]) if 0 <= row < image.shape[0] and 0 <= col < image.shape[1] else 0

    if dn(int(np.floor(y + 0.5)), int(np.floor(x + 0.5))) == 0:
        return None
    top, left = int(np.floor(y)), int(np.floor(x))
    taps = [(i, j) for i in range(top - 1, top + 3) for j in range(left - 1, left + 3)]
    if all(dn(i, j) for i, j in taps):
        return sum(cubic_weight(y - i) * cubic_weight(x - j) * max(dn(i, j) + offset, 1) for i, j in taps)
    near = [(i, j) for i in (top, top + 1) for j in (left, left + 1) if dn(i, j)]
    share = [(1 - abs(y - i)) * (1 - abs(x - j)) for i, j in near]
    return float(np.average([max(dn(i, j) + offset, 1) for i, j in near], weights=share))


def everywhere(output: Grid, number: int = 1) -> Wins:
    """The source wins all pixels of the tile."""
    factor = 20 // output.gsd
    return wins_of(np.full((output.height // factor, output.width // factor), number, np.uint16))[0]


def warped(image: np.ndarray, output: Grid, source: Grid, wins: Wins, harmonisation: Harmonisation) -> np.ndarray:
    """The output after one call of `warp`, from an empty one."""
    out, flags = np.zeros(output.shape, np.uint16), np.zeros(wins.sources.shape, np.uint8)
    warp(image, locate(output, source), wins, harmonisation, out, flags)
    return out


class TestLocate:
    """The place of an output pixel in the product"""

    @pytest.mark.parametrize("gsd", [10, 20])
    @pytest.mark.parametrize(("output_crs", "source_crs", "lon", "lat"), ZONES)
    def test_is_within_a_thousandth_of_a_pixel_of_the_exact_one(
        self, output_crs: str, source_crs: str, lon: float, lat: float, gsd: int
    ) -> None:
        output, source = around(output_crs, source_crs, lon, lat, gsd=gsd)
        found, exact = places(locate(output, source), output), exact_places(output, source)
        assert np.abs(np.subtract(found, exact)).max() < 0.001

    @settings(max_examples=40, deadline=None)
    @given(lon=st.floats(-179, 179), lat=st.floats(-72, 80), beyond=st.floats(-1.5, 1.5))
    def test_is_that_exact_anywhere_on_earth_and_beyond_the_zone(self, lon: float, lat: float, beyond: float) -> None:
        zone = int(np.clip((lon + beyond + 180) // 6 + 1, 1, 60))
        output, source = around("EPSG:3857", f"EPSG:{32600 + zone}", lon, lat, gsd=20)
        found, exact = places(locate(output, source), output), exact_places(output, source)
        assert np.abs(np.subtract(found, exact)).max() < 0.001

    @settings(max_examples=25, deadline=None)
    @given(row=st.integers(0, 60), col=st.integers(0, 60))
    def test_does_not_depend_on_the_window_that_is_computed(self, row: int, col: int) -> None:
        output, source = around("EPSG:3857", "EPSG:32634", 25.5, 60.2)
        window = Window(row_start=row, row_stop=64, col_start=col, col_stop=64)
        part = output.crop(window)
        for all_of_it, cut in zip(
            places(locate(output, source), output), places(locate(part, source), part), strict=True
        ):
            np.testing.assert_array_equal(all_of_it[window.slices], cut)

    def test_says_when_the_grids_are_one(self) -> None:
        output, source = around("EPSG:32633", "EPSG:32633", 12.1, 47.0)
        assert locate(output, source).aligned
        assert not locate(output, Grid(crs="EPSG:32632", left=0, top=0, gsd=10, width=9, height=9)).aligned
        shifted = Grid(crs="EPSG:32633", left=source.left + 5, top=source.top, gsd=10, width=9, height=9)
        assert not locate(output, shifted).aligned


class TestWarp:
    """A resampled image"""

    @settings(max_examples=30, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        zone=st.sampled_from(ZONES[:8]),
        gsd=st.sampled_from([10, 20]),
        offset=st.sampled_from([0, -1000]),
        holes=st.sampled_from([0.0, 0.02, 0.4]),
    )
    def test_equals_the_slow_reference(
        self, seed: int, zone: tuple[str, str, float, float], gsd: int, offset: int, holes: float
    ) -> None:
        random = np.random.default_rng(seed)
        output, source = around(*zone, gsd=gsd, size=12)
        image = random.integers(900, 20000, source.shape).astype(np.uint16)
        image[random.random(source.shape) < holes] = 0
        out = warped(image, output, source, everywhere(output), Harmonisation(add_offset=offset, quantification=10000))
        rows, cols = places(locate(output, source), output)
        for place in np.ndindex(output.shape):
            expected = reference(image, rows[place], cols[place], offset)
            if expected is None:
                assert out[place] == 0
            else:
                assert abs(float(out[place]) - np.clip(expected, 1, 65535)) <= 0.51

    def test_is_a_copy_where_the_grids_are_one(self) -> None:
        output, source = around("EPSG:32633", "EPSG:32633", 12.1, 47.0, size=16)
        image = np.random.default_rng(1).integers(1, 65535, source.shape).astype(np.uint16)
        row, col = round((source.top - output.top) / 10), round((output.left - source.left) / 10)
        np.testing.assert_array_equal(
            warped(image, output, source, everywhere(output), PLAIN), image[row : row + 16, col : col + 16]
        )

    def test_leaves_pixels_of_other_sources_alone(self) -> None:
        output, source = around(*ZONES[0], size=16)
        sources = np.random.default_rng(2).integers(0, 4, (8, 8)).astype(np.uint16)
        image = np.full(source.shape, 5000, np.uint16)
        out = np.full(output.shape, 7, np.uint16)
        second = next(wins for wins in wins_of(sources) if wins.number == 2)
        warp(image, locate(output, source), second, PLAIN, out, np.zeros((8, 8), np.uint8))
        np.testing.assert_array_equal(out, np.where(np.kron(sources, np.ones((2, 2))) == 2, 5000, 7))

    def test_does_not_depend_on_the_window_that_is_computed(self) -> None:
        output, source = around(*ZONES[1], size=64)
        image = np.random.default_rng(3).integers(1000, 9000, source.shape).astype(np.uint16)
        whole = warped(image, output, source, everywhere(output), PLAIN)
        window = Window(row_start=22, row_stop=58, col_start=34, col_stop=60)
        part = output.crop(window)
        np.testing.assert_array_equal(warped(image, part, source, everywhere(part), PLAIN), whole[window.slices])

    @pytest.mark.parametrize("zone", [ZONES[0], ZONES[8]])
    def test_is_the_same_from_all_baselines(self, zone: tuple[str, str, float, float]) -> None:
        output, source = around(*zone, size=32)
        ground = np.random.default_rng(4).integers(-300, 9000, source.shape)
        old = warped(np.maximum(ground, 1).astype(np.uint16), output, source, everywhere(output), PLAIN)
        new = (ground + 1000).astype(np.uint16)
        harmonisation = Harmonisation(add_offset=-1000, quantification=10000)
        assert np.abs(warped(new, output, source, everywhere(output), harmonisation).astype(int) - old).max() <= 1

    def test_counts_and_flags_what_it_clips(self) -> None:
        output, source = around("EPSG:32633", "EPSG:32633", 12.1, 47.0, size=4)
        image = np.full(source.shape, 3000, np.uint16)
        row, col = round((source.top - output.top) / 10), round((output.left - source.left) / 10)
        image[row, col] = 1000
        image[row + 3, col + 3] = 65000
        out, flags = np.zeros((4, 4), np.uint16), np.zeros((2, 2), np.uint8)
        harmonisation = Harmonisation(add_offset=1000, quantification=10000)
        counts = warp(image, locate(output, source), everywhere(output), harmonisation, out, flags)
        assert (counts.clipped_low, counts.clipped_high, counts.missing) == (0, 1, 0)
        assert (out[0, 0], out[3, 3]) == (2000, 65535)
        harmonisation = Harmonisation(add_offset=-1000, quantification=10000)
        flags[:] = 0
        counts = warp(image, locate(output, source), everywhere(output), harmonisation, out, flags)
        assert (counts.clipped_low, counts.clipped_high, counts.missing) == (1, 0, 0)
        assert (out[0, 0], out[0, 1]) == (1, 2000)
        np.testing.assert_array_equal(flags, [[CLIPPED, 0], [0, 0]])


class TestNeededSquares:
    """The squares to decode"""

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1), zone=st.sampled_from(ZONES), gsd=st.sampled_from([10, 20]))
    def test_are_exactly_those_that_the_kernel_touches(
        self, seed: int, zone: tuple[str, str, float, float], gsd: int
    ) -> None:
        random = np.random.default_rng(seed)
        output, source = around(*zone, gsd=gsd, size=24)
        factor = 20 // gsd
        sources = (random.random((24 // factor, 24 // factor)) < 0.05).astype(np.uint16)
        sources[-1, -1] = 1
        where = locate(output, source)
        rows, cols = places(where, output)
        touched = np.zeros((-(-source.height // 7), -(-source.width // 9)), bool)
        for row, col in np.argwhere(np.kron(sources, np.ones((factor, factor)))):
            y, x = rows[row, col], cols[row, col]
            if where.aligned:
                touched[round(y) // 7, round(x) // 9] = True
                continue
            for i in range(int(np.floor(y)) - 1, int(np.floor(y)) + 3):
                for j in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
                    if 0 <= i < source.height and 0 <= j < source.width:
                        touched[i // 7, j // 9] = True
        np.testing.assert_array_equal(needed_squares(where, wins_of(sources)[0], factor, (7, 9)), touched)


class TestMend:
    """A winner's pixel without data"""

    def missing(self, *places: tuple[float, float]) -> Missing:
        rows, cols = np.transpose(places)
        at = np.arange(len(places))
        return Missing(rows=at, cols=at, image_rows=rows.astype(float), image_cols=cols.astype(float))

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_takes_the_nearest_valid_pixel(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        image = np.where(random.random((30, 40)) < 0.02, random.integers(1, 60000, (30, 40)), 0).astype(np.uint16)
        image[15, 20] = 77
        places = [(random.uniform(0, 29), random.uniform(0, 39)) for _ in range(8)]
        out, flags = np.zeros((8, 8), np.uint16), np.zeros((8, 8), np.uint8)
        rest = mend(image, self.missing(*places), 60, PLAIN, out, flags)
        assert rest.rows.size == 0
        valid = np.argwhere(image)
        for n, place in enumerate(places):
            row, col = valid[np.argmin(((valid - place) ** 2).sum(axis=1))]
            assert out[n, n] == image[row, col]
        np.testing.assert_array_equal(np.diag(flags), MENDED)

    def test_stays_missing_where_none_lies_in_reach(self) -> None:
        image = np.zeros((50, 50), np.uint16)
        image[0, 0] = 9
        out, flags = np.zeros((2, 2), np.uint16), np.zeros((2, 2), np.uint8)
        rest = mend(image, self.missing((3, 0), (30, 30)), 8, PLAIN, out, flags)
        assert (out[0, 0], out[1, 1], rest.image_rows.tolist()) == (9, 0, [30.0])

    def test_is_found_after_warping(self) -> None:
        output, source = around(*ZONES[0], size=16)
        image = np.full(source.shape, 4000, np.uint16)
        where = locate(output, source)
        rows, cols = places(where, output)
        hole = round(rows[5, 6]), round(cols[5, 6])
        image[hole] = 0
        wins = everywhere(output)
        out, flags = np.zeros(output.shape, np.uint16), np.zeros((8, 8), np.uint8)
        count = warp(image, where, wins, PLAIN, out, flags).missing
        missing = missing_pixels(where, wins, out, count)
        assert count == missing.rows.size == (out == 0).sum() > 0
        assert out[5, 6] == 0
        assert mend(image, missing, 8, PLAIN, out, flags).rows.size == 0
        assert (out == 4000).all()
        assert flags[2, 3] == MENDED

    def test_needs_only_the_squares_around_it(self) -> None:
        near = squares_around(self.missing((10, 10)), 3, (30, 30), (10, 10))
        np.testing.assert_array_equal(near, [[True, True, False], [True, True, False], [False, False, False]])


class TestWinsOf:
    """The sources of a tile"""

    def test_are_listed_with_their_windows(self) -> None:
        sources = np.zeros((6, 8), np.uint16)
        sources[2, 3], sources[4, 1], sources[5, 7] = 3, 3, 1
        found = [(wins.number, wins.window, wins.pixels) for wins in wins_of(sources)]
        assert found == [
            (1, Window(row_start=5, row_stop=6, col_start=7, col_stop=8), 1),
            (3, Window(row_start=2, row_stop=5, col_start=1, col_stop=4), 2),
        ]

    def test_are_none_in_an_empty_tile(self) -> None:
        assert wins_of(np.zeros((4, 4), np.uint16)) == ()
