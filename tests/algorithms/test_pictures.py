"""Numbers to colours."""

import numpy as np
import pytest

from senard.algorithms.pictures import paint_classes, perceptual_ramp, pick_colours, stretch_colours
from senard.model.arrays import Float64Array, UInt8Array


def lightness(srgb: UInt8Array) -> Float64Array:
    """CIE L* of colours, computed independently of the ramp's own colour space."""
    share = srgb / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126729, 0.7151522, 0.0721750])
    return np.asarray(116 * np.cbrt(luminance) - 16)


class TestPerceptualRamp:
    """The ramp of dates reads the same in colour and in grey."""

    def test_never_loses_lightness_on_its_way(self) -> None:
        steps = np.diff(lightness(perceptual_ramp(32)))
        assert steps.min() > 0

    def test_gains_lightness_in_even_steps(self) -> None:
        steps = np.diff(lightness(perceptual_ramp(17)))
        assert steps.max() < 2 * steps.min()

    def test_reaches_from_dark_to_light(self) -> None:
        ends = lightness(perceptual_ramp())[[0, -1]]
        assert ends[0] < 25
        assert ends[1] > 85

    def test_has_no_two_equal_neighbours(self) -> None:
        assert (np.abs(np.diff(perceptual_ramp(128).astype(int), axis=0)).sum(axis=1) > 0).all()


class TestPickColours:
    """A share picks its place on the ramp."""

    def test_with_the_ends_for_what_lies_outside(self) -> None:
        ramp = perceptual_ramp(5)
        picked = pick_colours(np.array([-1.0, 0.0, 0.5, 1.0, 7.0]), ramp)
        assert picked.tolist() == ramp[[0, 0, 2, 4, 4]].tolist()


class TestStretchColours:
    """True colour shows reflectance 0 to 0.25."""

    @pytest.mark.parametrize(("dn", "grey"), [(1, 1), (625, 95), (1250, 155), (2500, 255), (9000, 255)])
    def test_brightens_the_dark_and_stops_at_white(self, dn: int, grey: int) -> None:
        # by hand: 255 * 0.25 ** (1 / 1.4) = 94.7 and 255 * 0.5 ** (1 / 1.4) = 155.4
        pixel = stretch_colours(np.full((3, 1, 1), dn, dtype=np.uint16), high_dn=2500)
        assert pixel[0, 0].tolist() == [grey, grey, grey, 255]

    def test_is_transparent_where_there_is_no_data(self) -> None:
        dn = np.zeros((3, 1, 2), dtype=np.uint16)
        dn[:, 0, 1] = (1, 2500, 625)
        assert stretch_colours(dn, high_dn=2500)[0].tolist() == [[0, 0, 0, 0], [1, 255, 95, 255]]


class TestPaintClasses:
    """A map of classes shows what it is told to show."""

    def test_and_leaves_the_rest_transparent(self) -> None:
        colours = np.array([[9, 9, 9], [10, 20, 30]], dtype=np.uint8)
        painted = paint_classes(np.array([[1, 1]], np.uint16), colours, shown=np.array([[True, False]]))
        assert painted[0].tolist() == [[10, 20, 30, 255], [0, 0, 0, 0]]
