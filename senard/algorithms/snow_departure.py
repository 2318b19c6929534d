"""How far an observation of lasting snow departs from what its snow usually looks like.

Haze and cloud hardly brighten snow in the visible, but do in the SWIR, where snow is dark; shade darkens red and NIR.
The SWIR of snow rises with its age, too: the limit is far above what that does.
"""

import numpy as np
from numba import njit

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
    cost, dn = usual.cost[known], usual.dn[known]
    swir = quantile(cost, dn, 3, LOW)
    bright = np.stack([quantile(cost, dn, band, HIGH) for band in (1, 2)], axis=1)
    veil = np.maximum((judge[3][known] - swir) / VEIL_DN, 0)
    missing = np.maximum(1 - _share(judge[1:3, known], bright), 0)
    found.haze[known], found.own_haze[known], found.dark[known] = veil, 0, missing
    found.verdict[known] |= np.where(veil > 1, HAZY, 0).astype(np.uint8)
    found.verdict[known] |= np.where(missing > 1 - DARK, SHADED, 0).astype(np.uint8)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def quantile(cost: Float32Array, dn: UInt16Array, band: int, share: float) -> Float32Array:
    """(pixel,) quantile of one band of the observations held, linear between neighbours, as numpy rounds it.

    numpy's own goes through the pixels one by one, 0.2 ms for each.
    """
    pixels, places = cost.shape
    out = np.empty(pixels, dtype=np.float32)
    line = np.empty(places, dtype=np.float32)
    for pixel in range(pixels):
        held = 0
        for k in range(places):
            if not np.isfinite(cost[pixel, k]):
                continue
            value = np.float32(dn[pixel, k, band])
            at = held
            while at > 0 and line[at - 1] > value:
                line[at] = line[at - 1]
                at -= 1
            line[at] = value
            held += 1
        place = (held - 1) * share
        below = int(place)
        low, high = line[below], line[min(below + 1, held - 1)]
        rest = place - below
        step = high - low
        out[pixel] = low + step * np.float32(rest) if rest < 0.5 else high - step * np.float32(1 - rest)
    return out


def _share(seen: UInt16Array, usual: Float32Array) -> Float32Array:
    """Larger share of the usual brightness of red and NIR, (pixel,)."""
    shares = seen.astype(np.float32).T / np.maximum(usual, np.float32(1))
    return np.asarray(shares.max(axis=1), dtype=np.float32)
