"""MSK_CLASSI in terms of the scene classification."""

import numpy as np

from senard.algorithms.cloud_classes import ground_classes, with_cloud_classes, with_detected_clouds, without_clouds
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.masks import CloudClasses
from senard.model.sentinel2 import Scl


def row(*values: int) -> UInt8Array:
    return np.array([values], dtype=np.uint8)


def true(*values: int) -> BoolArray:
    return np.array([values], dtype=np.bool_)


class TestWithCloudClasses:
    """What the mask calls cloud, cirrus or snow holds where the classification says nothing denser."""

    def test_puts_cloud_before_cirrus_before_snow(self) -> None:
        clouds = CloudClasses(opaque=true(1, 0, 0, 0), cirrus=true(1, 1, 0, 0), snow=true(1, 1, 1, 0))
        assert with_cloud_classes(row(4, 4, 4, 4), clouds).tolist() == [[9, 10, 11, 4]]

    def test_keeps_what_is_denser_and_what_is_no_ground(self) -> None:
        everywhere, nowhere = true(1, 1, 1, 1, 1), true(0, 0, 0, 0, 0)
        cirrus = CloudClasses(opaque=nowhere, cirrus=everywhere, snow=everywhere)
        assert with_cloud_classes(row(9, 8, 10, 0, 1), cirrus).tolist() == [[9, 8, 10, 0, 1]]
        opaque = CloudClasses(opaque=everywhere, cirrus=nowhere, snow=nowhere)
        assert with_cloud_classes(row(3, 8, 10, 0, 1), opaque).tolist() == [[9, 9, 9, 0, 1]]

    def test_covers_three_by_three_pixels_of_20_m(self) -> None:
        nowhere = np.zeros((2, 2), dtype=np.bool_)
        clouds = CloudClasses(opaque=np.array([[True, False], [False, False]]), cirrus=nowhere, snow=nowhere)
        found = with_cloud_classes(np.full((6, 6), 4, dtype=np.uint8), clouds)
        assert (found[:3, :3] == Scl.CLOUD_HIGH).all()
        assert (found == Scl.CLOUD_HIGH).sum() == 9


class TestOtherEvidence:
    """Evidence that is not asked for says nothing, a detector says cloud."""

    def test_leaves_shadow_snow_and_ground_of_the_classification(self) -> None:
        assert without_clouds(row(*range(12))).tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 11]]

    def test_calls_dense_what_was_detected_on_ground_that_was_seen(self) -> None:
        assert with_detected_clouds(row(0, 1, 4, 10), true(1, 1, 1, 0)).tolist() == [[0, 1, 9, 10]]


class TestGroundClasses:
    """Ground seen from above the air, reflectance in DN."""

    def spectrum(self, b03: int, b04: int, b8a: int, b11: int) -> int:
        bands = {"B02": b03, "B03": b03, "B04": b04, "B8A": b8a, "B11": b11}
        pixels: dict[str, UInt16Array] = {name: np.full((1, 1), dn, dtype=np.uint16) for name, dn in bands.items()}
        return int(ground_classes(pixels)[0, 0])

    def test_are_told_by_rules(self) -> None:
        assert self.spectrum(750, 550, 3200, 1600) == Scl.VEGETATION
        assert self.spectrum(1300, 1500, 2300, 3000) == Scl.NOT_VEGETATED
        assert self.spectrum(700, 450, 250, 60) == Scl.WATER
        assert self.spectrum(6000, 6100, 5600, 700) == Scl.SNOW
        assert self.spectrum(700, 450, 0, 60) == Scl.NO_DATA

    def test_do_not_take_shaded_ground_for_shadow(self) -> None:
        assert self.spectrum(500, 330, 900, 420) == Scl.VEGETATION
