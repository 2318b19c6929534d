"""What of one product is cloud, shadow, snow or valid ground."""

import numpy as np
import pytest

from senard.algorithms.masking import (
    JudgeRasters,
    SceneMask,
    cloud_or_shadow_core,
    harmonised,
    judge,
    legal_classes,
    local_clear_share,
    looks_like_snow,
    terrascope_masked,
)
from senard.model.arrays import UInt8Array
from senard.model.masks import CLASS_CORE, CLASS_SNOW, CLASS_VALID, SCL_BITS


def ground(size: int = 120) -> UInt8Array:
    return np.full((size, size), 4, dtype=np.uint8)


def judged(scl: UInt8Array, **changes: object) -> SceneMask:
    rasters: dict[str, object] = {
        "scl": scl,
        "observed": np.ones(scl.shape, dtype=np.bool_),
        "snow_spectrum": np.zeros(scl.shape, dtype=np.bool_),
        "snow_probability": None,
        "cloud_probability": None,
    }
    return judge(JudgeRasters(**(rasters | changes)))  # type: ignore[arg-type]


class TestHarmonised:
    """The same ground has the same DN whatever the baseline."""

    def test_takes_the_offset_off_and_keeps_nodata_and_saturation(self) -> None:
        dn = np.array([0, 500, 1000, 2500, 65535], dtype=np.uint16)
        assert harmonised(dn, add_offset=-1000, quantification=10000).tolist() == [0, 1, 1, 1500, 65535]

    def test_leaves_products_without_offset_alone(self) -> None:
        dn = np.array([0, 1, 1500, 65535], dtype=np.uint16)
        assert harmonised(dn, add_offset=0, quantification=10000).tolist() == [0, 1, 1500, 65535]


class TestCore:
    """A core is a cloud or a shadow, not a bright roof."""

    @pytest.mark.parametrize("speck", [3, 8, 10])
    def test_does_not_hold_specks_of_two_pixels(self, speck: int) -> None:
        scl = ground()
        scl[50:52, 50:52] = speck
        scl[80:83, 80:83] = speck
        core = cloud_or_shadow_core(scl)
        assert core.sum() == 9
        assert core[80:83, 80:83].all()

    def test_holds_dense_cloud_of_any_size(self) -> None:
        scl = ground()
        scl[50, 50] = 9
        assert cloud_or_shadow_core(scl).sum() == 1


class TestTerrascope:
    """The two-stage buffer grows with the object."""

    def test_leaves_a_lone_roof_and_reaches_25_pixels_around_a_large_cloud(self) -> None:
        scl = ground(300)
        scl[:, :100] = 9
        scl[150:152, 200:202] = 9
        masked = terrascope_masked(scl)
        # 1.96 sigma of 77 / 6 px = 25.1 px, less the eroded pixel
        assert masked[150].sum() in (123, 124, 125)
        assert not masked[:, 130:].any()


class TestSnow:
    """Snow is bright in the visible and the NIR, dark in the SWIR."""

    def test_is_told_from_water_and_from_bright_soil(self) -> None:
        snow, water, soil, nothing = (6800, 7000, 6500, 900), (1300, 1200, 600, 200), (2500, 3000, 4000, 4500), (0,) * 4
        algae = (600, 1400, 1300, 400)  # green, and bright in the NIR as leaves are
        spectra = zip(snow, water, soil, nothing, algae, strict=True)
        b02, b03, b8a, b11 = (np.array([column], dtype=np.uint16) for column in spectra)
        assert looks_like_snow(b02, b03, b8a, b11).tolist() == [[True, False, False, False, False]]

    def test_takes_one_pixel_around_it(self) -> None:
        scl = ground()
        scl[60, 60] = 11
        assert ((judged(scl).classes & CLASS_SNOW) > 0).sum() == 9


class TestClearShare:
    """The share of clear ground around a pixel."""

    def test_is_whole_without_clouds_half_at_the_edge_of_one_and_blind_to_nodata(self) -> None:
        clear = np.ones((600, 600), dtype=np.bool_)
        clear[:, 300:] = False
        valid = np.ones_like(clear)
        valid[:, :150] = False
        share = local_clear_share(clear, valid, sigma_px=30)
        assert share[300, 160] == 250
        assert 120 <= share[300, 299] <= 140
        assert share[300, 10] == 0

    def test_does_not_depend_on_a_size_that_6_does_not_divide(self) -> None:
        clear = np.ones((305, 601), dtype=np.bool_)
        assert (local_clear_share(clear, clear, sigma_px=60) == 250).all()


class TestJudge:
    """Every layer of a mask says what its name says."""

    def test_takes_numbers_that_name_no_class_as_unclassified(self) -> None:
        assert legal_classes(np.array([[0, 11, 12, 200]], dtype=np.uint8)).tolist() == [[0, 11, 7, 7]]

    def test_keeps_the_classification_in_the_low_bits(self) -> None:
        scl = np.arange(144, dtype=np.uint8).reshape(12, 12) % 12
        assert ((judged(scl).classes & SCL_BITS) == scl).all()

    def test_distrusts_two_pixels_around_any_gap_but_not_the_edge_of_the_tile(self) -> None:
        scl, observed = ground(), np.ones((120, 120), dtype=np.bool_)
        scl[:, 100:] = 0
        observed[50, 50] = False
        valid = (judged(scl, observed=observed).classes & CLASS_VALID) > 0
        assert valid[0, :98].all()
        assert not valid[:, 98:].any()
        assert (~valid[:, :98]).sum() == 25

    def test_measures_the_distance_from_the_core_in_pixels(self) -> None:
        scl = ground(700)
        scl[300, 10] = 9
        mask = judged(scl)
        assert mask.distance[300, 10] == 0
        assert mask.distance[301, 11] == 1
        assert mask.distance[304, 13] == 5
        assert mask.distance[300, 600] == 255
        assert ((mask.classes & CLASS_CORE) > 0).sum() == 1

    def test_says_255_where_the_product_has_no_cloud_probability(self) -> None:
        assert (judged(ground()).cloud_probability == 255).all()
        stated = np.full((120, 120), 40, dtype=np.uint8)
        assert (judged(ground(), cloud_probability=stated).cloud_probability == 40).all()
