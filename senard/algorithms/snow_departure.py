"""How far an observation of lasting snow departs from what its snow usually looks like.

Haze and cloud hardly brighten snow in the visible, but do in the SWIR, where snow is dark; shade darkens red and NIR.
The SWIR of snow rises with its age, too: the limit is far above what that does.
"""

import numpy as np

from senard.algorithms.background import Reservoir
from senard.algorithms.departure import DARK, HAZY, LEAST_DATES, SHADED, UNTESTED, Departure
from senard.algorithms.scoring import Scored
from senard.model.arrays import BoolArray, Float32Array, UInt16Array
from senard.model.sources import FLAG_BUFFER, FLAG_SNOW

VEIL_DN = np.float32(400.0)
"""Rise of the SWIR from which snow lies under haze or cloud, DN."""
LOW, HIGH = 0.25, 0.65
"""Quantiles of what is usual: of SWIR, which veils raise, and of red and NIR, which shade lowers."""


def lasting_snow(scored: Scored, permanent: BoolArray) -> BoolArray:
    """Where an observation shows snow that lies on nearly every date, away from clouds.

    Args:
        scored: (y, x) by its own scene.
        permanent: (y, x), True where snow always lies.
    """
    snowy = permanent & ((scored.flags & FLAG_SNOW) > 0) & ((scored.flags & FLAG_BUFFER) == 0) & (scored.level > 0)
    known: BoolArray = snowy & (scored.level < 5)
    return known


def compare_snow(found: Departure, judge: UInt16Array, where: BoolArray, usual: Reservoir) -> None:
    """Say of lasting snow how it departs from the best observations of it.

    Args:
        found: of the same observation, changed in place where there is such snow.
        judge: (bands, y, x) uint16, the first four are the judge bands.
        where: from `lasting_snow`.
        usual: the best observations of snow.
    """
    known = where & (np.minimum(usual.count, usual.cost.shape[2]) >= LEAST_DATES)
    found.verdict[where & ~known] |= UNTESTED
    if not known.any():
        return
    held = np.where(np.isfinite(usual.cost[known])[:, :, None], usual.dn[known].astype(np.float32), np.float32(np.nan))
    swir = np.nanquantile(held[:, :, 3], LOW, axis=1)
    bright = np.nanquantile(held[:, :, 1:3], HIGH, axis=1)
    veil = np.maximum((judge[3][known] - swir) / VEIL_DN, 0)
    missing = np.maximum(1 - _share(judge[1:3, known], bright), 0)
    found.haze[known], found.own_haze[known], found.dark[known] = veil, 0, missing
    found.verdict[known] |= np.where(veil > 1, HAZY, 0).astype(np.uint8)
    found.verdict[known] |= np.where(missing > 1 - DARK, SHADED, 0).astype(np.uint8)


def _share(seen: UInt16Array, usual: Float32Array) -> Float32Array:
    """Larger share of the usual brightness of red and NIR, (pixel,)."""
    shares = seen.astype(np.float32).T / np.maximum(usual, np.float32(1))
    return np.asarray(shares.max(axis=1), dtype=np.float32)
