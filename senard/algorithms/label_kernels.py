"""Compiled loops of the labelling: move cells, relax the checkerboard, give small patches away.

Arrays are those of `labelling.Candidates`; `place` (y, x) int8 is the chosen place among a pixel's candidates, -1 none.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from senard.model.arrays import BoolArray, Float32Array, Int16Array, UInt8Array, UInt16Array

Int8Array = npt.NDArray[np.int8]
Int64Array = npt.NDArray[np.int64]

BORDER = np.float32(0.05)
"""Price of any border between two datatakes, per pixel side."""
STEP_PER_DN = np.float32(20.0 / 10_000)
"""Price of a visible step: 20 per unit of reflectance, summed over the four judge bands and both sides, per DN."""
STEP_MAX_DN = 6000
"""Step above which a border costs no more, DN summed like that: 0.6."""

MOST_AROUND = 24
"""Datatakes in and around a cell that are tried."""

WHISKER_PX = 3
"""A line one pixel wide holds 3 of the 9 pixels around each of its own."""
WHISKER_GROUND_PX = 5
"""The ground that a whisker lies on holds at least so many of the 9."""

_SIDES = ((-1, 0), (0, -1), (0, 1), (1, 0))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _place_of(label: Int16Array, row: int, col: int, wanted: int) -> int:
    """Where a pixel keeps a datatake; -1 if it does not."""
    for k in range(label.shape[2]):
        if label[row, col, k] == wanted:
            return k
    return -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _border(
    label: Int16Array, dn: UInt16Array, row: int, col: int, k: int, other_row: int, other_col: int, other_k: int
) -> np.float32:
    """Price of the border between two neighbours that hold different datatakes.

    Both datatakes are compared at both pixels; where one pixel does not know the other's datatake, the comparison that
    exists counts twice; where none does, the two pixels are compared with each other.
    """
    there = _place_of(label, row, col, label[other_row, other_col, other_k])
    here = _place_of(label, other_row, other_col, label[row, col, k])
    step = np.int64(0)
    for band in range(4):
        # int() of an unsigned number stays unsigned in compiled code: a difference below 0 would wrap
        a, b = np.int64(dn[row, col, k, band]), np.int64(dn[other_row, other_col, other_k, band])
        if there >= 0:
            step += abs(a - np.int64(dn[row, col, there, band]))
        if here >= 0:
            step += abs(b - np.int64(dn[other_row, other_col, here, band]))
        if there < 0 and here < 0:
            step += abs(a - b)
    if there < 0 or here < 0:
        step *= 2
    return BORDER + STEP_PER_DN * np.float32(min(step, np.int64(STEP_MAX_DN)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _labels_around(
    place: Int8Array, label: Int16Array, top: int, bottom: int, left: int, right: int, found: Int16Array
) -> int:
    """Datatakes that a cell or the pixels beside it hold now; returns how many."""
    height, width, _ = label.shape
    count = 0
    for row in range(max(top - 1, 0), min(bottom + 1, height)):
        for col in range(max(left - 1, 0), min(right + 1, width)):
            corner = (row < top or row >= bottom) and (col < left or col >= right)
            if corner or place[row, col] < 0:
                continue
            held = label[row, col, place[row, col]]
            known = False
            for index in range(count):
                known = known or found[index] == held
            if not known and count < found.size:
                found[count] = held
                count += 1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _cell_energy(
    place: Int8Array,
    cost: Float32Array,
    label: Int16Array,
    dn: UInt16Array,
    top: int,
    bottom: int,
    left: int,
    right: int,
    trial: Int8Array,
) -> float:
    """Energy of a cell whose pixels hold the places of `trial`, its borders with the pixels around it included."""
    height, width, _ = label.shape
    energy = 0.0
    for row in range(top, bottom):
        for col in range(left, right):
            here = trial[row - top, col - left]
            if here < 0:
                continue
            energy += cost[row, col, here]
            for down, aside in _SIDES:
                r, c = row + down, col + aside
                if r < 0 or c < 0 or r >= height or c >= width or place[r, c] < 0:
                    continue
                inside = top <= r < bottom and left <= c < right
                if inside and (down < 0 or aside < 0):
                    continue  # the other pixel counts this border
                there = trial[r - top, c - left] if inside else place[r, c]
                if label[row, col, here] != label[r, c, there]:
                    energy += _border(label, dn, row, col, here, r, c, there)
    return energy


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def relax_cells(
    place: Int8Array,
    cost: Float32Array,
    label: Int16Array,
    dn: UInt16Array,
    cell: int,
    first_row: int,
    first_col: int,
) -> None:
    """One sweep over square cells: all pixels of a cell that can take one datatake take it, if that is cheaper.

    Single pixels cannot move a straight border, whatever lies behind it; cells can. `first_row` and `first_col` are the
    absolute numbers of pixel (0, 0): cells lie where they lie, whatever the block. Cells of one colour of the
    checkerboard come first.
    """
    height, width, _ = label.shape
    trial = np.empty((cell, cell), dtype=np.int8)
    best = np.empty((cell, cell), dtype=np.int8)
    held = np.empty(MOST_AROUND, dtype=np.int16)
    for colour in range(2):
        for cell_row in range(first_row // cell, (first_row + height - 1) // cell + 1):
            top, bottom = max(cell_row * cell - first_row, 0), min((cell_row + 1) * cell - first_row, height)
            for cell_col in range(first_col // cell, (first_col + width - 1) // cell + 1):
                if (cell_row + cell_col) % 2 != colour:
                    continue
                left, right = max(cell_col * cell - first_col, 0), min((cell_col + 1) * cell - first_col, width)
                count = _labels_around(place, label, top, bottom, left, right, held)
                if count < 2:
                    continue
                best[: bottom - top, : right - left] = place[top:bottom, left:right]
                least = _cell_energy(place, cost, label, dn, top, bottom, left, right, best)
                changed = False
                for index in range(count):
                    for row in range(top, bottom):
                        for col in range(left, right):
                            k = _place_of(label, row, col, held[index]) if place[row, col] >= 0 else -1
                            trial[row - top, col - left] = k if k >= 0 else place[row, col]
                    energy = _cell_energy(place, cost, label, dn, top, bottom, left, right, trial)
                    if energy < least:
                        least, changed = energy, True
                        best[:] = trial
                if changed:
                    place[top:bottom, left:right] = best[: bottom - top, : right - left]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def relax(place: Int8Array, cost: Float32Array, label: Int16Array, dn: UInt16Array, parity: int) -> bool:
    """One sweep: every pixel of one colour of the checkerboard takes its cheapest candidate, then the other colour.

    `parity` is that of the absolute number (row + column) of pixel (0, 0), so that colours do not depend on the block.
    Returns whether any pixel changed.
    """
    height, width, kept = label.shape
    changed = False
    for colour in range(2):
        for row in range(height):
            for col in range((row + colour + parity) % 2, width, 2):
                now = place[row, col]
                if now < 0 or label[row, col, 1] < 0:
                    continue
                calm = now == 0
                for down, right in _SIDES:
                    r, c = row + down, col + right
                    if calm and 0 <= r < height and 0 <= c < width and place[r, c] >= 0:
                        calm = label[r, c, place[r, c]] == label[row, col, now]
                if calm:
                    continue
                best, least = now, np.float32(np.inf)
                for k in range(kept):
                    if label[row, col, k] < 0:
                        break
                    energy = cost[row, col, k]
                    for down, right in _SIDES:
                        r, c = row + down, col + right
                        if 0 <= r < height and 0 <= c < width and place[r, c] >= 0:
                            other = place[r, c]
                            if label[r, c, other] != label[row, col, k]:
                                energy += _border(label, dn, row, col, k, r, c, other)
                    if energy < least or (energy == least and k == now):
                        best, least = k, energy
                if best != now:
                    place[row, col] = best
                    changed = True
    return changed


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def trim(place: Int8Array, label: Int16Array) -> Int8Array:
    """Cut off whiskers: a pixel that holds at most 3 of the 9 around it takes the datatake that holds 5 or more.

    Sweeps on four neighbours leave lines one pixel wide along rows and columns. All pixels decide on the same state. A
    pixel that cannot take that datatake stays, and so does one at the edge of the array.
    """
    height, width = place.shape
    out = place.copy()
    for row in range(1, height - 1):
        for col in range(1, width - 1):
            if place[row, col] < 0:
                continue
            own = label[row, col, place[row, col]]
            mine, most, best = 0, 0, own
            for k in range(label.shape[2]):
                wanted = label[row, col, k]
                if wanted < 0:
                    break
                count = 0
                for r in range(row - 1, row + 2):
                    for c in range(col - 1, col + 2):
                        if place[r, c] >= 0 and label[r, c, place[r, c]] == wanted:
                            count += 1
                if wanted == own:
                    mine = count
                elif count > most:
                    most, best = count, wanted
            if mine <= WHISKER_PX and most >= WHISKER_GROUND_PX:
                out[row, col] = _place_of(label, row, col, best)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def mark_small(place: Int8Array, label: Int16Array, row_area: Int64Array, min_area: int, max_reach: int) -> UInt8Array:
    """1 for pixels in patches of one datatake below an area, and no wider or higher than `max_reach`."""
    height, width = place.shape
    small = np.zeros((height, width), dtype=np.uint8)
    seen = np.zeros((height, width), dtype=np.bool_)
    patch = np.empty(height * width, dtype=np.int64)
    for row in range(height):
        for col in range(width):
            if place[row, col] < 0 or seen[row, col]:
                continue
            size = _flood(place, label, seen, patch, row, col)
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
def _flood(place: Int8Array, label: Int16Array, seen: BoolArray, patch: Int64Array, row: int, col: int) -> int:
    """List the pixels of one patch (4-neighbours, breadth first) from its first pixel; returns their number."""
    height, width = place.shape
    wanted = label[row, col, place[row, col]]
    patch[0] = row * width + col
    seen[row, col] = True
    head, size = 0, 1
    while head < size:
        y, x = patch[head] // width, patch[head] % width
        head += 1
        for down, right in _SIDES:
            r, c = y + down, x + right
            if not (0 <= r < height and 0 <= c < width) or seen[r, c] or place[r, c] < 0:
                continue
            if label[r, c, place[r, c]] == wanted:
                seen[r, c] = True
                patch[size] = r * width + c
                size += 1
    return size


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def absorb(place: Int8Array, small: UInt8Array, cost: Float32Array, label: Int16Array, dn: UInt16Array) -> Int8Array:
    """Give every small patch to the cheapest datatake of a neighbouring large patch that all its pixels can take.

    All patches decide on the same state, so their order does not matter. A patch without such a neighbour stays.
    """
    height, width = place.shape
    out = place.copy()
    seen = small == 0
    patch = np.empty(height * width, dtype=np.int64)
    for row in range(height):
        for col in range(width):
            if seen[row, col]:
                continue
            size = _flood(place, label, seen, patch, row, col)
            least, best = np.inf, -1
            for i in range(size):
                y, x = patch[i] // width, patch[i] % width
                for down, right in _SIDES:
                    r, c = y + down, x + right
                    if not (0 <= r < height and 0 <= c < width) or place[r, c] < 0 or small[r, c] == 1:
                        continue
                    other = int(label[r, c, place[r, c]])
                    if other == best:
                        continue
                    energy = _patch_energy(place, cost, label, dn, patch, size, other)
                    if energy < least or (energy == least and other < best):
                        least, best = energy, other
            if best >= 0:
                for i in range(size):
                    y, x = patch[i] // width, patch[i] % width
                    out[y, x] = _place_of(label, y, x, best)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _patch_energy(
    place: Int8Array,
    cost: Float32Array,
    label: Int16Array,
    dn: UInt16Array,
    patch: Int64Array,
    size: int,
    wanted: int,
) -> float:
    """Cost and borders of a patch if all of it took one datatake; inf if a pixel cannot."""
    height, width = place.shape
    own = label[patch[0] // width, patch[0] % width, place[patch[0] // width, patch[0] % width]]
    energy = 0.0
    for i in range(size):
        y, x = patch[i] // width, patch[i] % width
        k = _place_of(label, y, x, wanted)
        if k < 0:
            return np.inf
        energy += cost[y, x, k]
        for down, right in _SIDES:
            r, c = y + down, x + right
            if 0 <= r < height and 0 <= c < width and place[r, c] >= 0:
                other = label[r, c, place[r, c]]
                if other not in (own, wanted):
                    energy += _border(label, dn, y, x, k, r, c, place[r, c])
    return energy
