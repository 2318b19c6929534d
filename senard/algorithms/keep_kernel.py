"""Compiled loops that keep the best observations of every pixel; arrays are those of `labelling.Candidates`."""

import numpy as np
import numpy.typing as npt
from numba import njit

from senard.algorithms.scene_parts import RESERVE
from senard.model.arrays import Float32Array, Int16Array, UInt8Array, UInt16Array
from senard.model.sources import COST_UNITS, FLAG_PERMANENT_SNOW, FLAG_SNOW

ONLY_SECONDARY = 255
"""What `allowed` says of an observation that must not supply a pixel unless a small patch around it does."""

WORST_SECONDARY = 4
"""Worst level of an observation that small patches may take though a better one is there."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def secondary(label: int) -> int:
    """Number by which an observation that is not of the best rank is kept, and back: -2 for datatake 0, -3 for 1 …"""
    return -2 - label


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def insert(
    rank: UInt8Array,
    cost: Float32Array,
    label: Int16Array,
    source: UInt16Array,
    own_cost: UInt16Array,
    flags: UInt8Array,
    level: UInt8Array,
    dn: UInt16Array,
    new_label: int,
    pad: int,
    allowed: UInt8Array,
    ranks: UInt8Array,
    new_cost: Float32Array,
    new_source: UInt16Array,
    whole_cost: Float32Array,
    moments: Float32Array,
    new_flags: UInt8Array,
    new_level: UInt8Array,
    new_clear: UInt8Array,
    new_judge: UInt16Array,
) -> None:
    """Put an observation in its place among each pixel's candidates: those of the best rank first, each by its cost.

    The rank follows from level, `new_clear` and `allowed`, own_cost from `whole_cost` without what its moment costs.
    Without `pad` pixels along its edges the observation fills the rightmost columns.
    """
    kept = label.shape[2]
    height, width = allowed.shape[0] - 2 * pad, allowed.shape[1] - 2 * pad
    first = label.shape[1] - width
    for row in range(height):
        for col in range(first, first + width):
            r, c = row + pad, col - first + pad
            if not allowed[r, c]:
                continue
            new_rank = np.uint8(255)
            if allowed[r, c] != ONLY_SECONDARY:
                new_rank = np.uint8(2 * ranks[new_level[r, c]] + (new_clear[r, c] == 0) + allowed[r, c] - 1)
            value = new_cost[r, c]
            later = new_rank > rank[row, col] or new_rank == 255
            held_back = RESERVE <= new_rank < 255
            if later and (held_back or not _may_be_secondary(new_level[r, c], new_flags[r, c])):
                continue
            if new_rank < rank[row, col]:
                if label[row, col, 0] != -1:
                    _set_back(cost, label, source, own_cost, flags, level, dn, row, col, rank[row, col])
                rank[row, col] = new_rank
            at = 0
            while at < kept and label[row, col, at] >= 0 and (later or cost[row, col, at] <= value):
                at += 1
            while later and at < kept and label[row, col, at] < -1 and cost[row, col, at] <= value:
                at += 1
            if at == kept:
                continue
            for k in range(kept - 1, at, -1):
                if label[row, col, k - 1] != -1:
                    cost[row, col, k] = cost[row, col, k - 1]
                    label[row, col, k] = label[row, col, k - 1]
                    source[row, col, k] = source[row, col, k - 1]
                    own_cost[row, col, k] = own_cost[row, col, k - 1]
                    flags[row, col, k] = flags[row, col, k - 1]
                    level[row, col, k] = level[row, col, k - 1]
                    for band in range(4):
                        dn[row, col, k, band] = dn[row, col, k - 1, band]
            own = (whole_cost[r, c] - moments[new_source[r, c]]) * np.float32(COST_UNITS)
            cost[row, col, at] = value
            label[row, col, at] = secondary(new_label) if later else new_label
            source[row, col, at] = new_source[r, c]
            own_cost[row, col, at] = np.uint16(np.rint(min(max(own, np.float32(0)), np.float32(65535))))
            flags[row, col, at] = new_flags[r, c]
            level[row, col, at] = new_level[r, c]
            for band in range(4):
                dn[row, col, at, band] = new_judge[band, r, c]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _may_be_secondary(level: int, flags: int) -> bool:
    """Whether small patches may take an observation: no core of a cloud or shadow, and no snow that does not last."""
    return level <= WORST_SECONDARY and (flags & (FLAG_SNOW | FLAG_PERMANENT_SNOW)) != FLAG_SNOW


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _set_back(
    cost: Float32Array,
    label: Int16Array,
    source: UInt16Array,
    own_cost: UInt16Array,
    flags: UInt8Array,
    level: UInt8Array,
    dn: UInt16Array,
    row: int,
    col: int,
    rank: int,
) -> None:
    """Make all candidates of a pixel secondary, ordered by their cost; what was held back, or may not be, goes."""
    count = 0
    for k in range(label.shape[2]):
        found = label[row, col, k]
        if found == -1:
            break
        if found >= 0:
            if rank >= RESERVE or not _may_be_secondary(level[row, col, k], flags[row, col, k]):
                continue
            label[row, col, k] = secondary(found)
        _swap(cost, label, source, own_cost, flags, level, dn, row, col, k, count)
        for at in range(count, 0, -1):
            if cost[row, col, at - 1] <= cost[row, col, at]:
                break
            _swap(cost, label, source, own_cost, flags, level, dn, row, col, at, at - 1)
        count += 1
    label[row, col, count:] = -1


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _swap(
    cost: Float32Array,
    label: Int16Array,
    source: UInt16Array,
    own_cost: UInt16Array,
    flags: UInt8Array,
    level: UInt8Array,
    dn: UInt16Array,
    row: int,
    col: int,
    one: int,
    other: int,
) -> None:
    """Exchange two candidates of a pixel."""
    cost[row, col, one], cost[row, col, other] = cost[row, col, other], cost[row, col, one]
    label[row, col, one], label[row, col, other] = label[row, col, other], label[row, col, one]
    source[row, col, one], source[row, col, other] = source[row, col, other], source[row, col, one]
    own_cost[row, col, one], own_cost[row, col, other] = own_cost[row, col, other], own_cost[row, col, one]
    flags[row, col, one], flags[row, col, other] = flags[row, col, other], flags[row, col, one]
    level[row, col, one], level[row, col, other] = level[row, col, other], level[row, col, one]
    for band in range(4):
        dn[row, col, one, band], dn[row, col, other, band] = dn[row, col, other, band], dn[row, col, one, band]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def add_offsets(cost: Float32Array, level: UInt8Array, offsets: Float32Array, out: Float32Array) -> None:
    """Fill the cost of every pixel with that of its level added."""
    for row in range(cost.shape[0]):
        for col in range(cost.shape[1]):
            out[row, col] = cost[row, col] + offsets[level[row, col]]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def take_places(
    place: npt.NDArray[np.int8],
    source: UInt16Array,
    level: UInt8Array,
    flags: UInt8Array,
    own_cost: UInt16Array,
    label: Int16Array,
    out_source: UInt16Array,
    out_level: UInt16Array,
    out_flags: UInt16Array,
    out_cost: UInt16Array,
    out_label: Int16Array,
) -> None:
    """Fill what the candidates in the chosen places hold; pixels without one stay."""
    for row in range(place.shape[0]):
        for col in range(place.shape[1]):
            k = place[row, col]
            if k >= 0:
                out_source[row, col] = source[row, col, k]
                out_level[row, col] = level[row, col, k]
                out_flags[row, col] = flags[row, col, k]
                out_cost[row, col] = own_cost[row, col, k]
                found = label[row, col, k]
                out_label[row, col] = found if found >= 0 else secondary(found)
