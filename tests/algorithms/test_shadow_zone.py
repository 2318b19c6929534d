"""Where the shadows of a scene's clouds must fall."""

import numpy as np
import pytest

from senard.algorithms.shadow_zone import PIXEL_M, Drift, brightness, shadow_zone
from senard.model.arrays import BoolArray, UInt16Array
from senard.model.masks import ZONE_LIKELY, ZONE_NONE, ZONE_POSSIBLE

SIZE = 200
NO_WATER = np.zeros((SIZE, SIZE), dtype=np.bool_)


def nodes(value: float) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.full((4, 4), value, dtype=np.float32)


def drift(sun_zenith: float = 45.0, sun_azimuth: float = 180.0, view: float = 0.0, towards: float = 0.0) -> Drift:
    return Drift.of(nodes(sun_zenith), nodes(sun_azimuth), nodes(view), nodes(towards))


def clouds() -> BoolArray:
    """Three clouds of 12 x 12 pixels."""
    cloud = np.zeros((SIZE, SIZE), dtype=np.bool_)
    for row, col in ((120, 40), (140, 100), (110, 150)):
        cloud[row : row + 12, col : col + 12] = True
    return cloud


def scene(
    cloud: BoolArray, rows: int, cols: int, *, depth: float = 0.4, seed: int = 1
) -> tuple[BoolArray, UInt16Array]:
    """Ground of 0.3 with texture; shadows lie the clouds' shape moved by rows and columns."""
    texture = np.random.default_rng(seed).normal(1.0, 0.08, cloud.shape)
    shade = np.roll(cloud, (rows, cols), (0, 1))
    pixels = np.rint(3000 * texture * np.where(shade, 1 - depth, 1)).astype(np.uint16)
    return shade & ~cloud, pixels


class TestDrift:
    """Shadows lie away from the sun, clouds are seen away from the satellite."""

    def test_points_north_where_the_sun_stands_in_the_south(self) -> None:
        assert drift(45, 180).north == pytest.approx(1.0, abs=1e-6)
        assert drift(45, 180).east == pytest.approx(0.0, abs=1e-6)

    def test_points_west_where_the_sun_stands_in_the_east(self) -> None:
        assert drift(45, 90).east == pytest.approx(-1.0, abs=1e-6)

    def test_adds_the_way_back_from_where_the_cloud_is_seen(self) -> None:
        # the satellite in the east sees the cloud too far west
        assert drift(0, 180, view=45, towards=90).east == pytest.approx(1.0, abs=1e-6)


class TestShadowZone:
    """A height is believed where it puts the clouds' shapes onto dark ground."""

    def test_lies_on_the_shadows(self) -> None:
        cloud = clouds()
        shade, pixels = scene(cloud, -20, 0)  # 1200 m to the north: height 1200 m at 45 degrees
        zone = shadow_zone(cloud, ~cloud, NO_WATER, pixels, pixels, drift())
        assert (zone[shade] == ZONE_LIKELY).mean() > 0.99
        assert (zone == ZONE_LIKELY).sum() < 3 * shade.sum()

    def test_is_wide_and_unsure_where_no_height_is_believed(self) -> None:
        cloud = clouds()
        _, pixels = scene(cloud, -20, 0, depth=0.0)
        zone = shadow_zone(cloud, ~cloud, NO_WATER, pixels, pixels, drift())
        assert set(np.unique(zone).tolist()) == {ZONE_NONE, ZONE_POSSIBLE}
        rows = np.nonzero((zone == ZONE_POSSIBLE).any(axis=1))[0]
        # from 300 m (5 px) above the southernmost cloud to 2500 m (42 px) above the northernmost
        assert rows.min() == 110 - int(2500 // PIXEL_M)
        assert rows.max() < 152 - 5 + 1

    def test_is_empty_without_clouds_and_without_angles(self) -> None:
        cloud = clouds()
        _, pixels = scene(cloud, -20, 0)
        nothing = np.zeros_like(cloud)
        assert not shadow_zone(nothing, ~nothing, NO_WATER, pixels, pixels, drift()).any()
        assert not shadow_zone(cloud, ~cloud, NO_WATER, pixels, pixels, drift(sun_zenith=float("nan"))).any()

    def test_never_covers_clouds_or_what_was_not_seen(self) -> None:
        cloud = clouds()
        _, pixels = scene(cloud, -6, 0)
        unseen = np.zeros_like(cloud)
        unseen[:, 100:] = True
        zone = shadow_zone(cloud, ~cloud & ~unseen, NO_WATER, pixels, pixels, drift())
        assert not zone[cloud | unseen].any()
        assert zone.any()

    def test_goes_on_over_water_by_the_height_that_the_land_voted_for(self) -> None:
        cloud = clouds()
        shade, pixels = scene(cloud, -20, 0)
        water = np.zeros_like(cloud)
        water[:, 130:] = ~cloud[:, 130:]
        zone = shadow_zone(cloud, ~cloud & ~water, water, np.where(water, 150, pixels), pixels, drift())
        assert (shade & water).any()
        assert (zone[shade & water] == ZONE_LIKELY).mean() > 0.95


class TestBrightness:
    """Ground is dark or bright compared with its surroundings."""

    def test_is_one_on_even_ground_however_bright(self) -> None:
        ground = np.ones((80, 80), dtype=np.bool_)
        for dn in (300, 3000):
            level = brightness(ground, np.full((80, 80), dn, np.uint16), np.full((80, 80), 2 * dn, np.uint16))
            assert np.allclose(level, 1.0, atol=1e-4)

    def test_ignores_what_is_not_ground(self) -> None:
        ground = np.ones((80, 80), dtype=np.bool_)
        ground[30:50, 30:50] = False
        pixels = np.where(ground, 2000, 9000).astype(np.uint16)
        assert np.allclose(brightness(ground, pixels, pixels), 1.0, atol=1e-4)
