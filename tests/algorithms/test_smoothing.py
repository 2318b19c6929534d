"""Gaussian neighbourhoods and distances."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from senard.algorithms.smoothing import distance_to, gaussian_kernel, smooth


class TestSmooth:
    """A smoothed pixel is the weighted mean of its neighbourhood."""

    def test_keeps_a_constant_and_the_sum_of_a_point(self) -> None:
        kernel = gaussian_kernel(3.0, radius=9)
        assert np.allclose(smooth(np.full((40, 50), 7, dtype=np.float32), kernel), 7, atol=1e-5)
        point = np.zeros((41, 41), dtype=np.float32)
        point[20, 20] = 1
        result = smooth(point, kernel)
        assert abs(result.sum() - 1) < 1e-5
        assert np.array_equal(result, result.T)

    @settings(max_examples=20, deadline=None)
    @given(seed=st.integers(0, 99), row=st.integers(0, 30), col=st.integers(0, 30))
    def test_gives_the_same_bits_wherever_the_raster_is_cut(self, seed: int, row: int, col: int) -> None:
        values = np.random.default_rng(seed).random((70, 75), dtype=np.float32)
        kernel = gaussian_kernel(2.3, radius=7)
        part = smooth(values[row : row + 33, col : col + 37], kernel)
        assert np.array_equal(smooth(values, kernel)[row + 7 : row + 26, col + 7 : col + 30], part[7:-7, 7:-7])

    @settings(max_examples=40, deadline=None)
    @given(seed=st.integers(0, 99), share=st.sampled_from([0.0, 0.0005, 0.01, 0.3, 1.0]), radius=st.integers(1, 40))
    def test_gives_the_same_bits_where_it_is_asked_for_some_pixels(self, seed: int, share: float, radius: int) -> None:
        values = np.random.default_rng(seed).random((37, 210), dtype=np.float32)
        wanted = np.random.default_rng(seed + 1).random(values.shape) < share
        kernel = gaussian_kernel(radius / 3, radius=radius)
        assert np.array_equal(smooth(values, kernel, at=wanted)[wanted], smooth(values, kernel)[wanted])


class TestDistance:
    """The distance is Euclidean, rounded, and ends at 255."""

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 999), share=st.sampled_from([0.0, 0.0001, 0.001, 0.02, 0.6]))
    def test_equals_the_exact_transform(self, seed: int, share: float) -> None:
        objects = np.random.default_rng(seed).random((90, 400)) < share
        expected = np.full(objects.shape, 255.0)
        if objects.any():
            expected = np.minimum(np.rint(ndimage.distance_transform_edt(~objects)), 255)
        assert np.array_equal(distance_to(objects), expected)
