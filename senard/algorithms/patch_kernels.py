"""Compiled loops of the labelling that give small patches away; arrays are those of `label_kernels`."""

import numpy as np
from numba import njit

from senard.algorithms.keep_kernel import secondary
from senard.algorithms.label_kernels import SIDES, Int8Array, border, place_of
from senard.model.arrays import BoolArray, Float32Array, Int16Array, Int64Array, UInt8Array, UInt16Array


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def mark_small(held: Int16Array, row_area: Int64Array, min_area: int, max_reach: int) -> UInt8Array:
    """1 for pixels in patches of one datatake below an area, and no wider or higher than `max_reach`."""
    height, width = held.shape
    small = np.zeros((height, width), dtype=np.uint8)
    seen = np.zeros((height, width), dtype=np.bool_)
    patch = np.empty(height * width, dtype=np.int64)
    for row in range(height):
        for col in range(width):
            if held[row, col] < 0 or seen[row, col]:
                continue
            size = _flood(held, seen, patch, row, col)
            area, low, high, first, last = np.int64(0), height, 0, width, 0
            for i in range(size):
                r, c = patch[i] // width, patch[i] % width
                area += row_area[r]
                low, high, first, last = min(low, r), max(high, r), min(first, c), max(last, c)
            if area < min_area and high - low < max_reach and last - first < max_reach:
                for i in range(size):
                    small[patch[i] // width, patch[i] % width] = 1
    return small


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _flood(held: Int16Array, seen: BoolArray, patch: Int64Array, row: int, col: int) -> int:
    """List the pixels of one patch (4-neighbours, breadth first) from its first pixel; returns their number."""
    height, width = held.shape
    wanted = held[row, col]
    patch[0] = row * width + col
    seen[row, col] = True
    head, size = 0, 1
    while head < size:
        y, x = patch[head] // width, patch[head] % width
        head += 1
        for down, right in SIDES:
            r, c = y + down, x + right
            if 0 <= r < height and 0 <= c < width and held[r, c] == wanted and not seen[r, c]:
                seen[r, c] = True
                patch[size] = r * width + c
                size += 1
    return size


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def absorb(
    place: Int8Array,
    held: Int16Array,
    small: UInt8Array,
    cost: Float32Array,
    label: Int16Array,
    dn: UInt16Array,
    most: float,
) -> Int8Array:
    """Give every small patch to the cheapest datatake of a neighbouring large patch that all its pixels can take.

    It may be one of a worse rank at some. A patch without such a neighbour stays, and so does one to whose pixels it
    would cost `most` or more. All patches decide on the same state, so their order does not matter.
    """
    height, width = place.shape
    out = place.copy()
    seen = small == 0
    patch = np.empty(height * width, dtype=np.int64)
    for row in range(height):
        for col in range(width):
            if seen[row, col]:
                continue
            size = _flood(held, seen, patch, row, col)
            now = 0.0
            for i in range(size):
                y, x = patch[i] // width, patch[i] % width
                now += cost[y, x, place[y, x]]
            least, best = np.inf, -1
            for i in range(size):
                y, x = patch[i] // width, patch[i] % width
                for down, right in SIDES:
                    r, c = y + down, x + right
                    if not (0 <= r < height and 0 <= c < width) or held[r, c] < 0 or small[r, c] == 1:
                        continue
                    other = int(held[r, c])
                    if other == best:
                        continue
                    energy = _patch_energy(place, held, cost, label, dn, patch, size, other, now + most)
                    if energy < least or (energy == least and other < best):
                        least, best = energy, other
            if best >= 0:
                for i in range(size):
                    y, x = patch[i] // width, patch[i] % width
                    out[y, x] = _any_place_of(label, y, x, best)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _any_place_of(label: Int16Array, row: int, col: int, wanted: int) -> int:
    """Where a pixel keeps a datatake, of whatever rank; -1 if it does not."""
    k = place_of(label, row, col, wanted)
    return k if k >= 0 else place_of(label, row, col, secondary(wanted))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _patch_energy(
    place: Int8Array,
    held: Int16Array,
    cost: Float32Array,
    label: Int16Array,
    dn: UInt16Array,
    patch: Int64Array,
    size: int,
    wanted: int,
    most: float,
) -> float:
    """Cost and borders of a patch if all of it took one datatake; inf if a pixel cannot, or if it costs `most`."""
    height, width = place.shape
    own = held[patch[0] // width, patch[0] % width]
    alone, borders = 0.0, 0.0
    for i in range(size):
        y, x = patch[i] // width, patch[i] % width
        k = _any_place_of(label, y, x, wanted)
        if k < 0:
            return np.inf
        alone += cost[y, x, k]
        for down, right in SIDES:
            r, c = y + down, x + right
            if 0 <= r < height and 0 <= c < width and held[r, c] >= 0:
                other = held[r, c]
                if other not in (own, wanted):
                    borders += float(border(label, dn, y, x, k, r, c, place[r, c]))
    return alone + borders if alone < most else np.inf
