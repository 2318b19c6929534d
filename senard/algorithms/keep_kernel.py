"""Compiled loops that keep the best observations of every pixel; arrays are those of `labelling.Candidates`."""

import numpy as np
import numpy.typing as npt
from numba import njit

from senard.model.arrays import Float32Array, Int16Array, UInt8Array, UInt16Array
from senard.model.sources import COST_UNITS


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
    """Put an observation in its place among each pixel's candidates; a better rank turns all others out.

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
            new_rank = np.uint8(2 * ranks[new_level[r, c]] + (new_clear[r, c] == 0) + allowed[r, c] - 1)
            if new_rank > rank[row, col]:
                continue
            if new_rank < rank[row, col]:
                rank[row, col] = new_rank
                label[row, col, :] = -1
            value = new_cost[r, c]
            if label[row, col, kept - 1] >= 0 and cost[row, col, kept - 1] <= value:
                continue
            at = kept - 1
            while at > 0 and (label[row, col, at - 1] < 0 or cost[row, col, at - 1] > value):
                if label[row, col, at - 1] >= 0:
                    cost[row, col, at] = cost[row, col, at - 1]
                    label[row, col, at] = label[row, col, at - 1]
                    source[row, col, at] = source[row, col, at - 1]
                    own_cost[row, col, at] = own_cost[row, col, at - 1]
                    flags[row, col, at] = flags[row, col, at - 1]
                    level[row, col, at] = level[row, col, at - 1]
                    for band in range(4):
                        dn[row, col, at, band] = dn[row, col, at - 1, band]
                at -= 1
            own = (whole_cost[r, c] - moments[new_source[r, c]]) * np.float32(COST_UNITS)
            cost[row, col, at] = value
            label[row, col, at] = new_label
            source[row, col, at] = new_source[r, c]
            own_cost[row, col, at] = np.uint16(np.rint(min(max(own, np.float32(0)), np.float32(65535))))
            flags[row, col, at] = new_flags[r, c]
            level[row, col, at] = new_level[r, c]
            for band in range(4):
                dn[row, col, at, band] = new_judge[band, r, c]


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
                out_label[row, col] = label[row, col, k]
