"""What a scene's 60 m bands add to its classification: haze beyond its clear ground, and where shadows must fall."""

from collections.abc import Mapping

import numpy as np

from senard.algorithms.haze import HazeRasters, scene_haze
from senard.algorithms.nearest import resized
from senard.algorithms.shadow_zone import Drift, shadow_zone
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.masks import CLASS_CORE, CLASS_VALID, HAZE_ZERO, SCL_BITS
from senard.model.sentinel2 import NODATA_DN, Scl


def scene_evidence(classes: UInt8Array, bands: Mapping[str, UInt16Array], drift: Drift) -> dict[str, UInt16Array]:
    """Evidence of one scene that needs no other date.

    Args:
        classes: (y, x) uint8 at 20 m, band `class` of the scene's mask.
        bands: B02, B04, B8A and B11, (y, x) uint16 at 60 m, harmonised DN; 0 is nodata.
        drift: way of the scene's shadows.

    Returns:
        HAZE and ZONE of MASK_BANDS_60, (y, x) uint16 at 60 m.
    """
    coarse = resized(classes, bands["B02"].shape)
    scl, core = coarse & SCL_BITS, (coarse & CLASS_CORE) > 0
    seen = ((coarse & CLASS_VALID) > 0) & np.logical_and.reduce([pixels > NODATA_DN for pixels in bands.values()])
    cloud = core & (scl != Scl.CLOUD_SHADOW)
    water = (scl == Scl.WATER) & (bands["B11"] < 900)
    snow = scl == Scl.SNOW
    ground = seen & ~cloud & ~water & ~snow
    zone = shadow_zone(cloud, ground, seen & ~cloud & water, bands["B8A"], bands["B11"], drift)
    rasters = HazeRasters(
        b02=bands["B02"], b04=bands["B04"], b8a=bands["B8A"], clear=ground & ~core, cloud=cloud, water=water
    )
    haze = scene_haze(rasters)
    known = ground & np.isfinite(haze)
    coded = np.clip(np.rint(np.where(known, haze, 0) * np.float32(10_000)) + HAZE_ZERO, 1, 65535)
    return {
        "HAZE": np.where(known, coded, 0).astype(np.uint16),
        "ZONE": zone.astype(np.uint16),
    }
