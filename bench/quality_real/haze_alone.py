"""The product's evidence of haze in one scene, alone, at the resolution of the kept files."""

import numpy as np

from bench.quality_real.kept import PIXEL_M, KeptScene
from senard.algorithms.haze import HazeRasters, scene_haze
from senard.model.arrays import Float32Array
from senard.model.sentinel2 import Scl

UNKNOWN = 0.006
"""Haze of a pixel of which nothing can be said (water): neither clean nor hazy."""


def by_scene_haze(scene: KeptScene) -> Float32Array:
    """Least haze first."""
    found = scene_haze(
        HazeRasters(
            b02=scene.dn["B02"],
            b04=scene.dn["B04"],
            b8a=scene.dn["B08"],
            clear=scene.clear,
            cloud=np.isin(scene.scl, (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.THIN_CIRRUS)) & scene.valid,
            water=(scene.scl == Scl.WATER) & (scene.dn["B08"] < 600),
        ),
        gsd=float(PIXEL_M),
    )
    return np.where(np.isnan(found), np.float32(UNKNOWN), found)
