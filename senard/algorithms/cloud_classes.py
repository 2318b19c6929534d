"""MSK_CLASSI in terms of the scene classification, and classes of the ground for products that state none."""

from collections.abc import Mapping

import numpy as np

from senard.algorithms.masking import looks_like_snow
from senard.algorithms.nearest import resized
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.masks import CloudClasses
from senard.model.sentinel2 import NODATA_DN, Scl

VEGETATION_NDVI = 0.4
"""(B8A - B04) / (B8A + B04) above which ground is vegetation, as seen from above the air, which takes about 0.1 off."""
WATER_MAX_B11 = 900
"""Water absorbs in the SWIR: B11 below 0.09, DN, as where haze is measured."""
WATER_MAX_B8A = 1600
"""Water is dark in the near infrared too, glint and mud included: B8A below 0.16, DN."""


def with_cloud_classes(scl: UInt8Array, clouds: CloudClasses) -> UInt8Array:
    """A classification that takes over what MSK_CLASSI calls cloud, cirrus or snow.

    Args:
        scl: (y, x) uint8, 0-11, any grid of the same ground.
        clouds: the mask, at 60 m.

    Returns:
        (y, x) uint8. Where both call a pixel cloud, the denser one holds: 9 before 8 before 10; cloud comes before
        snow. Pixels without data and saturated ones stay what they are.
    """
    seen = scl > Scl.SATURATED_OR_DEFECTIVE
    dense, medium = scl == Scl.CLOUD_HIGH, scl == Scl.CLOUD_MEDIUM
    thin = scl == Scl.THIN_CIRRUS
    result = scl.copy()
    result[seen & ~dense & ~medium & ~thin & resized(clouds.snow, scl.shape)] = Scl.SNOW
    result[seen & ~dense & ~medium & resized(clouds.cirrus, scl.shape)] = Scl.THIN_CIRRUS
    result[seen & resized(clouds.opaque, scl.shape)] = Scl.CLOUD_HIGH
    return result


def without_clouds(scl: UInt8Array) -> UInt8Array:
    """A classification of which nobody asks where clouds are: 8, 9 and 10 count as UNCLASSIFIED, shadow stays."""
    cloudy = (scl == Scl.CLOUD_MEDIUM) | (scl == Scl.CLOUD_HIGH) | (scl == Scl.THIN_CIRRUS)
    return np.where(cloudy, np.uint8(Scl.UNCLASSIFIED), scl)


def with_detected_clouds(scl: UInt8Array, cloudy: BoolArray) -> UInt8Array:
    """A classification in which pixels that a detector calls cloud are CLOUD_HIGH.

    Args:
        scl: (y, x) uint8, 0-11.
        cloudy: (y', x') bool, another grid of the same ground.
    """
    return np.where((scl > Scl.SATURATED_OR_DEFECTIVE) & resized(cloudy, scl.shape), np.uint8(Scl.CLOUD_HIGH), scl)


def ground_classes(bands: Mapping[str, UInt16Array]) -> UInt8Array:
    """Classes of what is not cloud, by spectral rules that stand on their own: water, snow, vegetation, other ground.

    Shadow is not among them: seen from above the air shaded ground looks like dark forest or water. Where shadows fall
    is left to their geometry and to other dates.

    Args:
        bands: B02, B03, B04, B8A and B11, (y, x) uint16, harmonised DN of top-of-atmosphere reflectance; 0 is nodata.

    Returns:
        (y, x) uint8: 0, 4, 5, 6 or 11.
    """
    b02, b03, b04, b8a, b11 = (bands[name] for name in ("B02", "B03", "B04", "B8A", "B11"))
    near, red = b8a.astype(np.float32), b04.astype(np.float32)
    scl = np.full(b03.shape, Scl.NOT_VEGETATED, dtype=np.uint8)
    scl[near - red > VEGETATION_NDVI * (near + red)] = Scl.VEGETATION
    scl[(b8a < b03) & (b8a < WATER_MAX_B8A) & (b11 < WATER_MAX_B11)] = Scl.WATER
    scl[looks_like_snow(b02, b03, b8a, b11)] = Scl.SNOW
    scl[np.logical_or.reduce([plane == NODATA_DN for plane in (b03, b04, b8a, b11)])] = Scl.NO_DATA
    return scl
