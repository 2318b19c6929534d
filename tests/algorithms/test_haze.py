"""Haze in one scene, judged by the scene alone."""

from dataclasses import replace

import numpy as np
import pytest

from senard.algorithms.haze import HAZE_CAP, HazeRasters, scene_haze
from senard.model.arrays import BoolArray, Float32Array

SIDE = 700
"""42 km of 60 m: four cells and a bit."""


def scene(seed: int = 0, side: int = SIDE) -> HazeRasters:
    """Forest and bare fields of 600 m, clear, with noise."""
    noise = np.random.default_rng(seed)
    rows, cols = np.indices((side, side)) // 10
    field = (rows * 7 + cols * 13) % 3 == 0
    bands = []
    for forest, bare in ((250, 700), (250, 1100), (3000, 2200)):
        bands.append(np.where(field, bare, forest) + noise.normal(0, 15, (side, side)))
    b02, b04, b8a = (np.rint(band).astype(np.uint16) for band in bands)
    nowhere = np.zeros((side, side), np.bool_)
    return HazeRasters(b02=b02, b04=b04, b8a=b8a, clear=~nowhere, cloud=nowhere, water=nowhere)


def hazed(clean: HazeRasters, light: float | Float32Array, where: BoolArray) -> HazeRasters:
    """Add the light of haze, DN in the blue, 0.7 of it in the red and 0.3 in the near infrared."""
    added = where * np.asarray(light, np.float32)
    return replace(
        clean,
        b02=(clean.b02 + added).astype(np.uint16),
        b04=(clean.b04 + 0.7 * added).astype(np.uint16),
        b8a=(clean.b8a + 0.3 * added).astype(np.uint16),
    )


def west(columns: int) -> BoolArray:
    """True in the first columns."""
    where = np.zeros((SIDE, SIDE), np.bool_)
    where[:, :columns] = True
    return where


class TestSceneHaze:
    """Haze brightens a pixel in the blue above the clearest of its kind."""

    def test_is_near_zero_over_clear_ground_of_any_brightness(self) -> None:
        assert np.abs(scene_haze(scene())).max() < 0.005

    @pytest.mark.parametrize("light", [200, 300])
    def test_is_what_haze_adds_to_the_transform(self, light: int) -> None:
        found = scene_haze(hazed(scene(), light, west(100)))
        assert np.median(found[:, 10:90]) == pytest.approx(light * 0.65 / 10000, abs=0.003)
        assert np.abs(found[:, 120:]).max() < 0.005

    def test_sees_haze_that_fills_the_window_around_a_pixel(self) -> None:
        # 24 km of haze: every window around the first columns lies inside it
        found = scene_haze(hazed(scene(), 300, west(400)))
        assert found[:, :380].min() > 0.012

    def test_sees_haze_of_which_more_is_here_than_clear_ground(self) -> None:
        assert scene_haze(hazed(scene(), 300, west(600)))[:, :580].min() > 0.012

    def test_takes_the_darker_ground_of_another_region_for_no_reason_to_see_haze(self) -> None:
        darker = hazed(scene(), -100, west(350))
        found = scene_haze(darker)
        assert np.abs(found[:, :150]).max() < 0.006

    def test_shows_no_edge_where_windows_meet(self) -> None:
        slope = np.linspace(0, 200, SIDE, dtype=np.float32)[None, :]
        found = scene_haze(hazed(scene(), slope, west(SIDE)))
        profile = np.median(found, axis=0)
        assert np.abs(np.diff(profile)).max() < 0.0005

    def test_reaches_into_the_clouds_beside_a_pixel_and_no_farther_than_the_cap(self) -> None:
        clean = scene()
        cloud = np.zeros_like(clean.clear)
        cloud[300:400, 300:400] = True
        cloudy = replace(hazed(clean, 4000, cloud), clear=~cloud, cloud=cloud)
        found = scene_haze(cloudy)
        assert found[350, 299] > 0.008 > found[350, 290]
        assert found.max() <= HAZE_CAP

    def test_does_not_average_shadows_in(self) -> None:
        clean = scene()
        shadow = np.zeros_like(clean.clear)
        shadow[300:400, 300:400] = True
        dark = replace(hazed(hazed(clean, 300, west(SIDE)), -150, shadow), clear=~shadow)
        found = scene_haze(replace(dark, clear=~shadow))
        assert np.abs(found[290:300, 300:400] - found[200:210, 300:400]).max() < 0.006

    def test_says_nothing_of_water_gaps_and_saturated_pixels(self) -> None:
        clean = scene()
        water = np.zeros_like(clean.clear)
        water[5, 5] = True
        clean.b02[6, 6], clean.b04[7, 7] = 0, 65535
        silent = np.isnan(scene_haze(replace(clean, water=water)))
        assert np.argwhere(silent).tolist() == [[5, 5], [6, 6], [7, 7]]

    def test_takes_bright_ground_for_clear_where_much_of_it_is(self) -> None:
        clean = scene()
        sand = np.zeros_like(clean.clear)
        sand[:50] = True
        noise = np.random.default_rng(5).normal(0, 15, sand.shape)
        b02, b04, b8a = (
            np.where(sand, level + noise, band).astype(np.uint16)
            for level, band in ((2600, clean.b02), (3600, clean.b04), (4200, clean.b8a))
        )
        assert np.abs(scene_haze(replace(clean, b02=b02, b04=b04, b8a=b8a))[:45]).max() < 0.005

    def test_calls_everything_bright_hazy_where_no_pixel_is_clear(self) -> None:
        clean = scene(side=60)
        found = scene_haze(replace(clean, clear=np.zeros_like(clean.clear)))
        assert np.allclose(found, np.minimum((clean.b02 - 0.5 * clean.b04) / 10000, HAZE_CAP), atol=0.0006)

    def test_is_the_same_every_time(self) -> None:
        hazy = hazed(scene(3), 200, west(333))
        assert np.array_equal(scene_haze(hazy), scene_haze(hazy))
