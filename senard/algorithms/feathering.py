"""Borders between two dates made soft: near them a pixel is mixed with what the date beyond the border shows there.

Each of two dates keeps its side of the border and takes from the other one a share that falls from a half at the border
to nothing at a distance. Only pixels that both dates saw at level 1, and nearly alike, are mixed.
"""

from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np

from senard.algorithms.labelling import Candidates, Choice
from senard.model.arrays import BoolArray, Float64Array, Int16Array, Int64Array, UInt8Array, UInt16Array
from senard.model.sources import FLAG_SNOW, SHARE_UNITS

FEATHERED = 8
"""Bit of the flags raster: the pixel is mixed from two dates."""

LIKE_DN = 200
"""Dates that differ by this or more in a band are not mixed, DN: 0.02 reflectance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """With what each pixel may be mixed, (y, x) uint16 each; 0 where with nothing."""

    source: UInt16Array
    """Number of the second scene."""

    share: UInt16Array
    """Its share x SHARE_UNITS, at most a half."""


def reach_px(feather_m: float, gsd: int) -> int:
    """Pixels around a part of the grid whose choice its mixing depends on."""
    return int(np.ceil(feather_m / gsd))


def seconds(choice: Choice, candidates: Candidates, gsd: int, feather_m: float) -> Seconds:
    """Find for every pixel near a border the date beyond it.

    Args:
        choice: of every pixel.
        candidates: that it was chosen from.
        gsd: pixel side, m.
        feather_m: where the second's share ends, m of the grid, from the nearest pixel of its date on; above 0.

    Returns:
        Second and share. The date of the nearest pixel of another date is the second, the upper left of equals; none
        where either of the two has another level than 1, is snow, or differs in a judge band by LIKE_DN.
    """
    rows, cols, shares = _around(gsd, feather_m)
    source, share = np.zeros(choice.source.shape, np.uint16), np.zeros(choice.source.shape, np.uint16)
    places = (candidates.label, candidates.source, candidates.level, candidates.flags, candidates.dn)
    _find(choice.label, *places, rows, cols, shares, source, share)
    return Seconds(source=source, share=share)


@lru_cache(maxsize=4)
def _around(gsd: int, feather_m: float) -> tuple[Int64Array, Int64Array, UInt16Array]:
    """Rows and columns to the pixels within reach, the nearest first, and the share that each gives its date."""
    reach = reach_px(feather_m, gsd)
    rows, cols = (axis.ravel() for axis in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    gaps: Float64Array = gsd * np.hypot(*(np.maximum(np.abs(axis) - 0.5, 0.0) for axis in (rows, cols)))
    shares = np.rint(SHARE_UNITS * 0.5 * (1 - gaps / feather_m))
    order = np.lexsort((cols, rows, gaps))
    order = order[(shares[order] >= 1) & ((rows[order] != 0) | (cols[order] != 0))]
    return rows[order].astype(np.int64), cols[order].astype(np.int64), shares[order].astype(np.uint16)


@numba.njit(cache=True, nogil=True)
def _place_of(labels: Int16Array, label: int) -> int:
    """Where a date stands among the candidates of a pixel; -1 where it does not."""
    for place in range(labels.size):
        if labels[place] == label:
            return place
    return -1


@numba.njit(cache=True, nogil=True)
def _find(
    chosen: Int16Array,
    labels: Int16Array,
    sources: UInt16Array,
    levels: UInt8Array,
    flags: UInt8Array,
    dn: UInt16Array,
    rows: Int64Array,
    cols: Int64Array,
    shares: UInt16Array,
    second: UInt16Array,
    share: UInt16Array,
) -> None:
    """The loop of `seconds`."""
    height, width = chosen.shape
    for row in range(height):
        for col in range(width):
            label = chosen[row, col]
            if label < 0:
                continue
            for n in range(rows.size):
                r, c = row + rows[n], col + cols[n]
                if r < 0 or c < 0 or r >= height or c >= width or chosen[r, c] < 0 or chosen[r, c] == label:
                    continue
                own, other = _place_of(labels[row, col], label), _place_of(labels[row, col], chosen[r, c])
                if own < 0 or other < 0:
                    break
                like = levels[row, col, own] == 1 and levels[row, col, other] == 1
                like = like and ((flags[row, col, own] | flags[row, col, other]) & FLAG_SNOW) == 0
                for band in range(dn.shape[3]):
                    gap = np.int64(dn[row, col, own, band]) - np.int64(dn[row, col, other, band])
                    like = like and abs(gap) < LIKE_DN
                if like:
                    second[row, col] = sources[row, col, other]
                    share[row, col] = shares[n]
                break


def feathered(first: UInt16Array, second: UInt16Array, share: UInt16Array) -> tuple[UInt16Array, BoolArray]:
    """Mix what two dates show.

    Args:
        first: (band, y, x) uint16, delivered DN of the first; 0 is nodata.
        second: the same of the second.
        share: (y, x) uint16, share of the second x SHARE_UNITS, on the first's pixels or on coarser ones.

    Returns:
        Mixed DN, and on the pixels of `share` where they are mixed: where both have data and differ by less than
        LIKE_DN in every band of every pixel inside.
    """
    factor = first.shape[1] // share.shape[0]
    gaps = np.abs(first.astype(np.int32) - second).max(axis=0)
    like = (first > 0).all(axis=0) & (second > 0).all(axis=0) & (gaps < LIKE_DN)
    coarse = like.reshape(share.shape[0], factor, share.shape[1], factor).all(axis=(1, 3))
    mixed: BoolArray = coarse & (share > 0)
    weight = np.kron(np.where(mixed, share, 0).astype(np.int64), np.ones((factor, factor), np.int64))
    total = first * (SHARE_UNITS - weight) + second * weight
    return ((total + SHARE_UNITS // 2) // SHARE_UNITS).astype(np.uint16), mixed
