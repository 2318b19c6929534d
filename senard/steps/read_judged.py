"""What judging reads of one product, brought onto its grids of 20 m and 60 m."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from senard.algorithms.cloud_classes import ground_classes, with_cloud_classes, with_detected_clouds, without_clouds
from senard.algorithms.cloud_detector import detect_clouds
from senard.algorithms.masking import JudgeRasters, harmonised, legal_classes, looks_like_snow, may_be_snow
from senard.algorithms.nearest import resized
from senard.algorithms.reduction import area_means, without_dips, without_rim
from senard.errors import UnusableSceneError
from senard.io.cloud_masks import read_cloud_classes
from senard.io.jp2 import TiledImage, read_above_zero, read_image
from senard.io.safe import image_path
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.cloud_evidence import CloudEvidence
from senard.model.masks import AOT_UNITS
from senard.model.product import Sentinel2Product
from senard.model.sentinel2 import (
    BANDS,
    DETECT_BANDS,
    JUDGE_BANDS,
    JUDGE_BANDS_1C,
    MOSAIC_BANDS,
    NODATA_DN,
    ProductType,
)

REDUCED_M = 40
"""Pixels of 10 m and 20 m are read reduced to this, m: 60 m is no power of two of them, and 40 m has a sixteenth and a
quarter of their pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedImages:
    """What a product shows and says of itself."""

    rasters: JudgeRasters
    """On its 20 m grid."""

    bands: dict[str, UInt16Array]
    """JUDGE_BANDS, (y, x) at 60 m, harmonised DN; 0 is nodata."""

    aerosol: UInt16Array
    """(y, x) at 60 m, aerosol optical thickness x 1000; 0 where the product states none, which costs nothing."""


def read_judged(product: Sentinel2Product, evidence: Collection[CloudEvidence]) -> JudgedImages:
    """Read what judging needs.

    Args:
        product: from `read_product`.
        evidence: from what clouds are known; what the level of the product offers.

    Raises:
        UnusableSceneError: an image is missing, damaged or of another size.
        RequestError: the evidence wants a package that is not installed.
        TransientError: the disk does not answer.
    """
    level_1c = product.scene.product_type is ProductType.L1C
    return (_read_1c if level_1c else _read_2a)(product, evidence)


def _read_2a(product: Sentinel2Product, evidence: Collection[CloudEvidence]) -> JudgedImages:
    """L2A: bands of 60 m, and the product's own classification."""
    bands = {name: _band_60(product, name) for name in JUDGE_BANDS}
    shape = product.grids[20].shape
    has_data = np.logical_and.reduce([pixels != NODATA_DN for pixels in bands.values()])
    graded = CloudEvidence.PROBABILITY in evidence
    scl = legal_classes(_image(product, "SCL_20").astype(np.uint8))
    if CloudEvidence.SCL not in evidence:
        scl = without_clouds(scl)
    if CloudEvidence.CLASSI in evidence:
        scl = with_cloud_classes(scl, read_cloud_classes(product))
    rasters = JudgeRasters(
        scl=scl,
        observed=_observed(product, has_data),
        snow_spectrum=resized(_snow(product, bands), shape),
        snow_probability=_probability(product, "SNWPRB") if graded else None,
        cloud_probability=_probability(product, "CLDPRB") if graded else None,
    )
    return JudgedImages(rasters=rasters, bands=bands, aerosol=_aerosol(product))


def _read_1c(product: Sentinel2Product, evidence: Collection[CloudEvidence]) -> JudgedImages:
    """L1C: bands reduced to 60 m, classes by rules, clouds by the evidence; no aerosol is known."""
    detects = CloudEvidence.S2CLOUDLESS in evidence
    bands = {name: _reduced_60(product, name) for name in dict.fromkeys([*JUDGE_BANDS_1C, *DETECT_BANDS * detects])}
    judged = [bands[name] for name in JUDGE_BANDS_1C]
    shape = product.grids[20].shape
    scl, probability = ground_classes(bands), None
    if CloudEvidence.CLASSI in evidence:
        scl = with_cloud_classes(scl, read_cloud_classes(product))
    if detects:
        detected = detect_clouds(bands)
        scl = with_detected_clouds(scl, detected.cloudy)
        probability = resized(detected.probability, shape)
    has_data = np.logical_and.reduce([pixels != NODATA_DN for pixels in judged])
    rasters = JudgeRasters(
        scl=resized(scl, shape),
        observed=_observed(product, has_data),
        snow_spectrum=resized(looks_like_snow(bands["B02"], bands["B03"], bands["B8A"], bands["B11"]), shape),
        snow_probability=None,
        cloud_probability=probability,
    )
    aerosol = np.zeros(product.grids[60].shape, dtype=np.uint16)
    return JudgedImages(rasters=rasters, bands={name: bands[name] for name in JUDGE_BANDS}, aerosol=aerosol)


def _snow(product: Sentinel2Product, bands: Mapping[str, UInt16Array]) -> BoolArray:
    """Where the 60 m bands look like snow; green is decoded only where the others leave that open."""
    blue, nir, swir = bands["B02"], bands["B8A"], bands["B11"]
    unsure = may_be_snow(blue, nir, swir)
    if "B03_60" not in product.images or not unsure.any():
        return np.zeros(unsure.shape, dtype=np.bool_)
    with TiledImage(image_path(product, "B03_60")) as image:
        _require_shape(product, "B03_60", image.shape, overview=1)
        green = np.zeros(image.shape, dtype=np.uint16)
        image.read_squares(image.squares_with(unsure), green)
    return looks_like_snow(blue, _harmonised(product, "B03", green), nir, swir)


def _observed(product: Sentinel2Product, has_data: BoolArray) -> BoolArray:
    """True where every delivered band has data, on the 20 m grid.

    Where no judged band has a rim, no other has: of the delivered bands B02 sees a place first, B8A 2.06 s later, and
    only B12 0.03 s after that. So footprints, ten images, are decoded only where a rim crosses the product.

    Args:
        product: has footprints or none.
        has_data: (y, x) at 60 m, True where every judged band has data.
    """
    observed = resized(has_data, product.grids[20].shape)
    return observed if has_data.all() else observed & _inside_footprints(product)


def _inside_footprints(product: Sentinel2Product) -> BoolArray:
    """True where a detector saw every delivered band; products before baseline 04.00 hold polygons, not read here.

    Their rims are covered by SCL 0 and by the nodata of the 60 m bands.
    """
    shape = product.grids[20].shape
    inside = np.ones(shape, dtype=np.bool_)
    for gsd, names in MOSAIC_BANDS.items():
        for name in names:
            key = f"DETFOO_{name}"
            if product.images.get(key, "").endswith(".jp2"):
                # A 10 m footprint read at half resolution costs a quarter and is as exact as the 20 m mask needs.
                inside &= resized(read_above_zero(image_path(product, key), overview=20 // gsd), shape)
    return inside


def _probability(product: Sentinel2Product, name: str) -> UInt8Array | None:
    """A probability raster on the 20 m grid, percent, of 60 m where it can be had; None where the product has none."""
    for gsd in (60, 20):
        if f"{name}_{gsd}" in product.images:
            return resized(_image(product, f"{name}_{gsd}").astype(np.uint8), product.grids[20].shape)
    return None


def _band_60(product: Sentinel2Product, name: str) -> UInt16Array:
    """A band that the product has at 60 m, harmonised DN."""
    return _harmonised(product, name, _image(product, f"{name}_60").astype(np.uint16))


def _reduced_60(product: Sentinel2Product, name: str) -> UInt16Array:
    """A band of L1C at 60 m, harmonised DN: means of 40 m, which JPEG 2000 gives by its lower levels."""
    gsd = BANDS[name].gsd
    if gsd == 60:
        return _band_60(product, name)
    overview = REDUCED_M // gsd
    pixels = _image(product, f"{name}_{gsd}", overview=overview).astype(np.uint16)
    means = area_means(without_dips(pixels), product.grids[60].shape, step=60 / REDUCED_M, shift=(1 / overview - 1) / 2)
    return _harmonised(product, name, without_rim(means))


def _harmonised(product: Sentinel2Product, name: str, dn: UInt16Array) -> UInt16Array:
    """DN of any baseline as 10000 per unit of reflectance without offset."""
    return harmonised(dn, add_offset=product.add_offset.get(name, 0), quantification=product.quantification)


def _aerosol(product: Sentinel2Product) -> UInt16Array:
    """Aerosol optical thickness x 1000 at 60 m; 0 where the product has none, which costs nothing."""
    if "AOT_60" not in product.images:
        return np.zeros(product.grids[60].shape, dtype=np.uint16)
    return np.rint(_image(product, "AOT_60") * (AOT_UNITS / product.aot_quantification)).astype(np.uint16)


def _image(product: Sentinel2Product, key: str, *, overview: int = 1) -> UInt8Array | UInt16Array:
    """A whole image of the product, or one reduced, checked against the grid that its XML states."""
    if key not in product.images:
        raise UnusableSceneError(
            f"{product.scene.product_id}: expected the image {key}, found none. The product is not whole, or older "
            f"than the format that senard reads: fetch it again, or leave it out."
        )
    pixels = read_image(image_path(product, key), overview=overview)
    _require_shape(product, key, pixels.shape, overview=overview)
    return pixels


def _require_shape(product: Sentinel2Product, key: str, found: tuple[int, ...], *, overview: int) -> None:
    rows, cols = product.grids[int(key.rsplit("_", 1)[1])].shape
    if found != (-(-rows // overview), -(-cols // overview)):
        reduced = f" when every {overview}th is read" if overview > 1 else ""
        raise UnusableSceneError(
            f"{product.scene.product_id}: expected {key} with {rows} x {cols} pixels as the XML says, found "
            f"{found[0]} x {found[1]}{reduced}. Fetch the product again, or leave it out."
        )
