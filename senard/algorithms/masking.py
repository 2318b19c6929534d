"""What of one product is cloud, shadow, snow or valid ground, on its own 20 m grid (science: masks of one scene)."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit

from senard.algorithms.growing import grown
from senard.algorithms.morphology import dilated, eroded, opened
from senard.algorithms.smoothing import distance_to, gaussian_kernel, smooth
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.masks import (
    CLASS_CORE,
    CLASS_SNOW,
    CLASS_TERRASCOPE,
    CLASS_VALID,
    CLEAR_SHARE_UNITS,
    NO_PROBABILITY,
)
from senard.model.sentinel2 import NODATA_DN, SATURATED_DN, SCL_CLEAR, Scl

SNOW_NDSI = 0.4
"""(B03 - B11) / (B03 + B11) above which bright ground is snow."""
SNOW_MAX_B11 = 1600
"""Snow absorbs in the SWIR: B11 stays below 0.16, DN."""
SNOW_MIN_B03 = 1000
"""Snow is bright: B03 above 0.10, DN."""
SNOW_MIN_B8A = 1100
"""Water is dark in the NIR, snow is not: B8A above 0.11, DN."""
SNOW_BLUE = 1.8
"""Snow is about as bright in the blue as in the green, which `SNOW_NDSI` wants above 2.3 B11: B02 above 1.8 B11."""
SNOW_PROBABILITY = 50
"""Sen2Cor's snow probability above which a pixel is snow, percent."""
NODATA_BUFFER_PX = 2
"""Width of the rim of the swath that is not trusted, px of 20 m: bands and detectors end at different pixels."""
CLEAR_SHARE_SIGMA_M = 1200.0
"""Reach of the local clear share, m (standard deviation of the Gaussian)."""

_COARSE = 6
"""The clear share varies over 1200 m: averaging 6 x 6 pixels (120 m) first is cheap and changes at most 0.02."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRasters:
    """What a product says of its pixels, all on its 20 m grid, (y, x)."""

    scl: UInt8Array
    """Scene classification, 0-11."""

    observed: BoolArray
    """True inside every detector footprint and where every judge band has data at 60 m."""

    snow_spectrum: BoolArray
    """True where the 60 m bands look like snow, see `looks_like_snow`."""

    snow_probability: UInt8Array | None
    """Percent; None where the product has none."""

    cloud_probability: UInt8Array | None
    """Percent; None where the product has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneMask:
    """The judgement of one product: four layers on its 20 m grid, (y, x) uint8."""

    classes: UInt8Array
    """Low 4 bits SCL, above them the CLASS_ bits of senard.model.masks."""

    distance: UInt8Array
    """To the nearest core of cloud or shadow, units of 20 m; 255 = farther."""

    clear_share: UInt8Array
    """Local clear share x 250."""

    cloud_probability: UInt8Array
    """Percent; 255 = the product has none."""


def harmonised(dn: UInt16Array, *, add_offset: int, quantification: int) -> UInt16Array:
    """Bring DN of any baseline to 10000 DN per unit of reflectance without offset.

    Args:
        dn: any shape, DN of the product; 0 is nodata, 65535 is saturated.
        add_offset: the band's BOA_ADD_OFFSET, DN.
        quantification: DN per unit of reflectance.

    Returns:
        same shape; 0 where dn is 0, 65535 where dn is saturated, else 1-65535.
    """
    shifted = dn.astype(np.int32) + add_offset
    if quantification != 10000:
        shifted = np.rint(shifted * (10000 / quantification)).astype(np.int32)
    result = np.clip(shifted, 1, SATURATED_DN).astype(np.uint16)
    result[dn == SATURATED_DN] = SATURATED_DN
    result[dn == NODATA_DN] = NODATA_DN
    return result


def legal_classes(scl: UInt8Array) -> UInt8Array:
    """The classification with every number that names no class (12-255) turned into UNCLASSIFIED; itself if none is."""
    if scl.max(initial=0) <= Scl.SNOW:
        return scl
    return np.where(scl > Scl.SNOW, np.uint8(Scl.UNCLASSIFIED), scl)


def may_be_snow(b02: UInt16Array, b8a: UInt16Array, b11: UInt16Array) -> BoolArray:
    """Where only the green band can tell whether a spectrum is that of snow; everywhere else it is none.

    Args:
        b02: (y, x) harmonised DN; 0 is nodata.
        b8a: like b02.
        b11: like b02.
    """
    dark = (b11 > NODATA_DN) & (b11 < SNOW_MAX_B11)
    return dark & (b8a > SNOW_MIN_B8A) & (b02 > SNOW_BLUE * b11.astype(np.float32))


def looks_like_snow(b02: UInt16Array, b03: UInt16Array, b8a: UInt16Array, b11: UInt16Array) -> BoolArray:
    """Whether a spectrum is that of snow: bright, bright in the blue and the NIR too, dark in the SWIR.

    Args:
        b02: (y, x) harmonised DN; 0 is nodata.
        b03: like b02; asked only where `may_be_snow`.
        b8a: like b02.
        b11: like b02.

    Returns:
        (y, x), True is snow; False where there is no data.
    """
    green, swir = b03.astype(np.float32), b11.astype(np.float32)
    return may_be_snow(b02, b8a, b11) & (b03 > SNOW_MIN_B03) & ((green - swir) > SNOW_NDSI * (green + swir))


def cloud_or_shadow_core(scl: UInt8Array) -> BoolArray:
    """Where a pixel surely belongs to a cloud or a shadow: specks of fewer than 3 x 3 pixels are opened away.

    Dense cloud (9) stays whatever its size; medium cloud, cirrus (8, 10) and shadow (3) are where Sen2Cor flags single
    bright roofs and dark fields.
    """
    thin = opened(is_one_of(scl, (Scl.CLOUD_MEDIUM, Scl.THIN_CIRRUS)))
    return thin | opened(scl == Scl.CLOUD_SHADOW) | (scl == Scl.CLOUD_HIGH)


def is_one_of(scl: UInt8Array, classes: Collection[int]) -> BoolArray:
    """True where a pixel's class is one of these; np.isin takes thirty times as long."""
    table = np.zeros(256, dtype=np.uint8)
    table[[int(value) for value in classes]] = 1
    return _looked_up(np.ascontiguousarray(scl), table).view(np.bool_)


def terrascope_masked(scl: UInt8Array) -> BoolArray:
    """Terrascope's two-stage mask, whose buffer grows with the object: a lone roof gets none, a cloud gets 500 m.

    Stage 1: not in {2, 4, 5, 6, 7}, Gaussian of 17 px > 0.057. Stage 2: {3, 8, 9, 10, 11}, Gaussian of 77 px > 0.025.
    Both are eroded by 3 x 3 first; sigma is a sixth of the kernel.

    Source: Open-EO, to_scl_dilation_mask.
    """
    unclear = ~is_one_of(scl, SCL_CLEAR)
    cloudy = is_one_of(scl, (Scl.CLOUD_SHADOW, Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.THIN_CIRRUS, Scl.SNOW))
    return _grown(unclear, size=17, threshold=0.057) | _grown(cloudy, size=77, threshold=0.025)


def local_clear_share(clear: BoolArray, valid: BoolArray, *, sigma_px: float) -> UInt8Array:
    """Share of the valid ground around a pixel that is clear, x 250.

    Args:
        clear: (y, x), True where the ground was seen.
        valid: (y, x), True where the product has data.
        sigma_px: standard deviation of the Gaussian neighbourhood, px.

    Returns:
        (y, x) uint8, 0-250; 0 where nothing valid is near.
    """
    kernel = gaussian_kernel(sigma_px / _COARSE, radius=math.ceil(3 * sigma_px / _COARSE))
    seen = smooth(_block_mean(clear & valid), kernel)
    known = smooth(_block_mean(valid), kernel)
    share = np.divide(seen, known, out=np.zeros_like(seen), where=known > 1e-6)
    coded = np.rint(np.clip(share, 0, 1) * CLEAR_SHARE_UNITS).astype(np.uint8)
    return _repeated(coded, _COARSE, clear.shape)


def judge(rasters: JudgeRasters) -> SceneMask:
    """Judge every pixel of one product from what the product itself says.

    Args:
        rasters: the product on its 20 m grid.

    Returns:
        the four layers of its mask.
    """
    scl = legal_classes(rasters.scl)
    valid = rasters.observed & (scl != Scl.NO_DATA)
    valid = eroded(valid, reach=NODATA_BUFFER_PX, beyond=True)
    core = cloud_or_shadow_core(scl)
    terrascope = terrascope_masked(scl)
    snow = (scl == Scl.SNOW) | rasters.snow_spectrum
    if rasters.snow_probability is not None:
        snow |= (rasters.snow_probability > SNOW_PROBABILITY) & (rasters.snow_probability <= 100)
    bits = {CLASS_CORE: core, CLASS_TERRASCOPE: terrascope, CLASS_SNOW: dilated(snow), CLASS_VALID: valid}
    probability = rasters.cloud_probability
    return SceneMask(
        classes=_packed(scl, bits),
        distance=distance_to(core),
        clear_share=local_clear_share(~terrascope, valid, sigma_px=CLEAR_SHARE_SIGMA_M / 20),
        cloud_probability=np.full(scl.shape, NO_PROBABILITY, np.uint8) if probability is None else probability,
    )


def _grown(objects: BoolArray, *, size: int, threshold: float) -> BoolArray:
    """Objects eroded by 3 x 3, smoothed by a Gaussian kernel of `size` px and cut at a threshold."""
    inner = eroded(objects, beyond=True)
    return grown(inner, gaussian_kernel(size / 6, radius=size // 2), threshold)


def _packed(scl: UInt8Array, bits: Mapping[int, BoolArray]) -> UInt8Array:
    """Classes with bits set where they hold; each bit is a power of two."""
    classes = scl.copy()
    for bit, holds in bits.items():
        classes |= holds.view(np.uint8) * np.uint8(bit)
    return classes


def _block_mean(values: BoolArray) -> Float32Array:
    """Share of True in blocks of _COARSE x _COARSE pixels, (y', x') float32; edge blocks are padded with the edge."""
    return _shares(np.ascontiguousarray(values).view(np.uint8), _COARSE)


def _repeated(values: UInt8Array, factor: int, shape: tuple[int, ...]) -> UInt8Array:
    """Every value factor x factor times, cut to a shape."""
    return np.repeat(np.repeat(values, factor, axis=0), factor, axis=1)[: shape[0], : shape[1]]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _looked_up(values: UInt8Array, table: UInt8Array) -> UInt8Array:
    """Entry of a table for every pixel."""
    out = np.empty(values.shape, dtype=np.uint8)
    for row in range(values.shape[0]):
        for col in range(values.shape[1]):
            out[row, col] = table[values[row, col]]
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _shares(values: UInt8Array, side: int) -> Float32Array:
    """Share of 1 in blocks of side x side pixels; beyond the edges the edge pixels go on."""
    rows, cols = values.shape
    out = np.empty(((rows + side - 1) // side, (cols + side - 1) // side), dtype=np.float32)
    line = np.empty(cols, dtype=np.uint8)
    for block_row in range(out.shape[0]):
        line[:] = 0
        for row in range(block_row * side, (block_row + 1) * side):
            line += values[min(row, rows - 1)]
        for block_col in range(out.shape[1]):
            count = 0
            for col in range(block_col * side, (block_col + 1) * side):
                count += line[min(col, cols - 1)]
            out[block_row, block_col] = np.float32(count) / np.float32(side * side)
    return out
