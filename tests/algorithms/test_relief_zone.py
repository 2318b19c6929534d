"""Shadows of clouds end sooner on high ground and later in valleys."""

import numpy as np
import pytest

from senard.algorithms.relief_zone import height_above_plane, moved_zone, plane_pad
from senard.algorithms.terrain import Terrain, reach_of
from senard.model.arrays import Float32Array
from senard.model.grid import Grid
from senard.model.masks import ZONE_LIKELY

GRID = Grid(crs="EPSG:32632", left=499_980.0, top=5_100_000.0, gsd=60, width=60, height=60)


def flat(height: float = 0.0, pad: int = 0) -> Float32Array:
    return np.full((60 + 2 * pad, 60 + 2 * pad), height, dtype=np.float32)


class TestHeightAbovePlane:
    """Ground counts as high or low against the country around it."""

    def test_is_nothing_on_a_high_plain_and_on_gentle_relief(self) -> None:
        pad = plane_pad(GRID)
        heights = flat(1500, pad)
        heights[::2] += 100
        assert not height_above_plane(heights, GRID, pad).any()

    def test_is_that_of_a_mountain_over_its_surroundings(self) -> None:
        pad = plane_pad(GRID)
        heights = flat(500, pad)
        heights[pad + 28 : pad + 32, pad + 28 : pad + 32] = 1300
        above = height_above_plane(heights, GRID, pad)
        assert above[28:32, 28:32] == pytest.approx(np.full((4, 4), 800), abs=5)
        assert np.count_nonzero(above) == 16

    def test_does_not_depend_on_what_lies_further_away_nor_on_the_cut(self) -> None:
        pad = plane_pad(GRID)
        random = np.random.default_rng(3)
        wide = (random.normal(0, 400, (62 + 2 * pad, 61 + 2 * pad))).astype(np.float32)
        wide[pad + 5] = np.nan
        here = height_above_plane(wide[: 60 + 2 * pad, : 60 + 2 * pad], GRID, pad)
        moved = Grid(
            crs=GRID.crs, left=GRID.left + 60, top=GRID.top - 120, gsd=60, width=GRID.width, height=GRID.height
        )
        there = height_above_plane(wide[2:, 1:], moved, pad)
        assert np.allclose(here[2:, 1:], there[:-2, :-1], atol=0.01)
        assert not here[5].any(), "where no height is known the ground is level"


class TestMovedZone:
    """A ray that ends on high ground would have gone on over level ground."""

    @pytest.mark.parametrize(("azimuth", "by"), [(180.0, (1, 0)), (0.0, (-1, 0)), (90.0, (0, 1)), (270.0, (0, -1))])
    @pytest.mark.parametrize("height", [600.0, -600.0])
    def test_lies_nearer_to_its_cloud_on_high_ground(self, azimuth: float, by: tuple[int, int], height: float) -> None:
        """Sun at 45 degrees, ground 600 m above the level: 600 m, ten pixels, towards the sun."""
        pad = reach_of(GRID)
        zone = np.zeros((60 + 2 * pad, 60 + 2 * pad), dtype=np.uint16)
        zone[pad + 28 : pad + 31, pad + 28 : pad + 31] = ZONE_LIKELY
        sun = np.array([[0, 0], [45, azimuth]], dtype=np.float32)
        terrain = Terrain.of(flat(0, pad), GRID, pad)
        moved = moved_zone(zone, pad, flat(height), np.ones(GRID.shape, np.uint16), sun, terrain)
        step = round(height / 60)
        expected = np.zeros(GRID.shape, dtype=np.uint16)
        rows, cols = (slice(28 + step * way, 31 + step * way) for way in by)
        expected[rows, cols] = ZONE_LIKELY
        assert np.array_equal(moved, expected)

    def test_stays_on_level_ground(self) -> None:
        pad = reach_of(GRID)
        zone = np.random.default_rng(1).integers(0, 3, (60 + 2 * pad, 60 + 2 * pad)).astype(np.uint16)
        sun = np.array([[0, 0], [45, 160]], dtype=np.float32)
        terrain = Terrain.of(flat(0, pad), GRID, pad)
        moved = moved_zone(zone, pad, flat(), np.ones(GRID.shape, np.uint16), sun, terrain)
        assert np.array_equal(moved, zone[pad:-pad, pad:-pad])
