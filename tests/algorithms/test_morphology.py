"""Squares moved over a raster, and objects grown by a Gaussian neighbourhood."""

import numpy as np
import pytest
from scipy import ndimage

from senard.algorithms.growing import grown
from senard.algorithms.morphology import dilated, eroded, opened
from senard.algorithms.smoothing import gaussian_kernel, smooth
from senard.model.arrays import BoolArray

SQUARE = np.ones((3, 3), dtype=np.bool_)
SHAPES = ((1, 1), (2, 3), (3, 200), (70, 131))
SHARES = (0.2, 0.9, 0.99)


def scattered(shape: tuple[int, int], share: float) -> BoolArray:
    """Objects and holes by chance, some of them large."""
    rng = np.random.default_rng(5)
    large = np.kron(rng.random((4, 5)) < share, np.ones((20, 30), dtype=np.bool_))[: shape[0], : shape[1]]
    objects = rng.random(shape) < share
    objects[: large.shape[0], : large.shape[1]] |= large
    return objects


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("shape", SHAPES)
class TestSquares:
    """Erosion, dilation and opening by squares are what scipy's general ones are."""

    @pytest.mark.parametrize("beyond", [False, True])
    @pytest.mark.parametrize("reach", [1, 2])
    def test_erodes(self, shape: tuple[int, int], share: float, reach: int, *, beyond: bool) -> None:
        objects = scattered(shape, share)
        expected = ndimage.binary_erosion(objects, structure=SQUARE, iterations=reach, border_value=beyond)
        np.testing.assert_array_equal(eroded(objects, reach=reach, beyond=beyond), expected)

    @pytest.mark.parametrize("reach", [1, 2])
    def test_dilates(self, shape: tuple[int, int], share: float, reach: int) -> None:
        objects = ~scattered(shape, share)
        expected = ndimage.binary_dilation(objects, structure=SQUARE, iterations=reach)
        np.testing.assert_array_equal(dilated(objects, reach=reach), expected)

    def test_opens(self, shape: tuple[int, int], share: float) -> None:
        objects = scattered(shape, share)
        np.testing.assert_array_equal(opened(objects), ndimage.binary_opening(objects, structure=SQUARE))

    @pytest.mark.parametrize(("size", "threshold"), [(17, 0.057), (77, 0.025), (9, 0.5)])
    def test_grows_as_a_smoothed_raster_is_cut(
        self, shape: tuple[int, int], share: float, size: int, threshold: float
    ) -> None:
        objects, kernel = eroded(scattered(shape, share), beyond=True), gaussian_kernel(size / 6, radius=size // 2)
        expected = smooth(objects.astype(np.float32), kernel) > np.float32(threshold)
        np.testing.assert_array_equal(grown(objects, kernel, threshold), expected)


class TestSpecks:
    """A speck is what no square fits into."""

    def test_are_opened_away_and_squares_stay(self) -> None:
        objects = np.zeros((20, 20), dtype=np.bool_)
        objects[2:4, 2:9] = objects[10:13, 10:13] = True
        assert np.argwhere(opened(objects)).tolist() == [[r, c] for r in range(10, 13) for c in range(10, 13)]
