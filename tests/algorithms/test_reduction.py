"""Bands of L1C that JPEG 2000 gave reduced, at 60 m."""

from pathlib import Path

import numpy as np
import pytest

from senard.algorithms.reduction import area_means, without_dips, without_rim
from senard.io.jp2 import read_image
from senard.io.safe import image_path, read_product


class TestAreaMeans:
    """A pixel of 60 m is the mean of one and a half pixels of 40 m."""

    def test_counts_fractions_by_their_share(self) -> None:
        pixels = np.array([[30, 60, 90]], dtype=np.uint16).repeat(3, axis=0)
        assert area_means(pixels, (2, 2), step=1.5, shift=0).tolist() == [[40, 80], [40, 80]]

    def test_sets_right_where_the_samples_lie(self) -> None:
        ramp = np.arange(100, 2500, dtype=np.uint16)[np.newaxis].repeat(240, axis=0)  # pixels of 10 m
        samples = ramp[:60, ::4]  # a reduced image holds the first of four
        there = area_means(samples, (40, 40), step=1.5, shift=(1 / 4 - 1) / 2)
        exact = ramp[0, :240].reshape(40, 6).mean(axis=1)
        assert np.abs(there[5, 1:] - exact[1:]).max() <= 1
        assert np.abs(area_means(samples, (40, 40), step=1.5, shift=0)[5, 1:] - exact[1:]).min() >= 1

    def test_is_nodata_where_nodata_takes_part_and_not_beyond_the_edge(self) -> None:
        pixels = np.full((3, 4), 500, dtype=np.uint16)
        pixels[0, 0] = 0
        assert area_means(pixels, (2, 3), step=1.5, shift=-0.25).tolist() == [[0, 500, 500], [500, 500, 500]]

    @pytest.mark.parametrize(("key", "overview"), [("B04_10", 4), ("B11_20", 2)])
    def test_agrees_with_the_mean_of_all_pixels(self, both_levels: Path, key: str, overview: int) -> None:
        product = read_product(next(both_levels.glob("*_MSIL1C_*_N0511_*.zip")))
        whole = read_image(image_path(product, key)).astype(np.float64)
        side = 60 // int(key[4:])
        exact = whole.reshape(61, side, 61, side).mean(axis=(1, 3))
        reduced = read_image(image_path(product, key), overview=overview)
        errors = [
            float(np.sqrt(np.mean((area_means(reduced, (61, 61), step=1.5, shift=shift) - exact) ** 2)))
            for shift in ((1 / overview - 1) / 2, 0.0)
        ]
        assert errors[0] < 0.08 * exact.std()
        assert errors[0] < 0.6 * errors[1]


class TestNodata:
    """Nodata is told from dark pixels, and does not reach into what is read."""

    def test_is_an_area_and_no_dip(self) -> None:
        pixels = np.full((8, 8), 40, dtype=np.uint16)
        pixels[2, 5] = 0
        pixels[4:, :4] = 0
        found = without_dips(pixels)
        assert found[2, 5] == 1
        assert (found[4:, :4] == 0).all()

    def test_takes_two_pixels_of_60_m_along_its_rim(self) -> None:
        pixels = np.full((9, 9), 40, dtype=np.uint16)
        pixels[:, 8] = 0
        assert (without_rim(pixels) > 0).tolist() == [[True] * 6 + [False] * 3] * 9
