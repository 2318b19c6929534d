"""Compiled loops of the labelling: move cells, relax the checkerboard, cut off whiskers.

Arrays are those of `labelling.Candidates`; `place` (y, x) int8 is the chosen place among a pixel's candidates, -1 none,
and `held` (y, x) int16 the datatake there, -1 none: what every loop asks for lies in one plane.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from senard.model.arrays import BoolArray, Float32Array, Int16Array, UInt16Array

Int8Array = npt.NDArray[np.int8]

BORDER = np.float32(0.15)
"""Price of any border between two datatakes, per pixel side."""
STEP_PER_DN = np.float32(60.0 / 10_000)
"""Price of a visible step: 60 per unit of reflectance, summed over the four judge bands and both sides, per DN."""
STEP_MAX_DN = 6000
"""Step above which a border costs no more, DN summed like that: 0.6."""

ROUNDING = 1e-6
"""Share by which sums of the same terms in another order differ at most, with a wide margin."""

MOST_AROUND = 24
"""Datatakes in and around a cell that are tried."""

WHISKER_PX = 3
"""A line one pixel wide holds 3 of the 9 pixels around each of its own."""
WHISKER_GROUND_PX = 5
"""The ground that a whisker lies on holds at least so many of the 9."""

SIDES = ((-1, 0), (0, -1), (0, 1), (1, 0))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def place_of(label: Int16Array, row: int, col: int, wanted: int) -> int:
    """Where a pixel keeps a datatake; -1 if it does not."""
    for k in range(label.shape[2]):
        if label[row, col, k] == wanted:
            return k
    return -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _step(dn: UInt16Array, row: int, col: int, k: int, other_row: int, other_col: int, other_k: int) -> np.int64:
    """Difference of two observations, DN summed over the judge bands."""
    step = np.int64(0)
    for band in range(4):
        # int() of an unsigned number stays unsigned in compiled code: a difference below 0 would wrap
        step += abs(np.int64(dn[row, col, k, band]) - np.int64(dn[other_row, other_col, other_k, band]))
    return step


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def border(
    label: Int16Array, dn: UInt16Array, row: int, col: int, k: int, other_row: int, other_col: int, other_k: int
) -> np.float32:
    """Price of the border between two neighbours that hold different datatakes.

    Both datatakes are compared at both pixels; where one pixel does not know the other's datatake, the comparison that
    exists counts twice; where none does, the two pixels are compared with each other.
    """
    there = place_of(label, row, col, label[other_row, other_col, other_k])
    here = place_of(label, other_row, other_col, label[row, col, k])
    step = np.int64(0)
    if there >= 0:
        step += _step(dn, row, col, k, row, col, there)
    if here >= 0:
        step += _step(dn, other_row, other_col, other_k, other_row, other_col, here)
    if there < 0 and here < 0:
        step += _step(dn, row, col, k, other_row, other_col, other_k)
    if there < 0 or here < 0:
        step *= 2
    return BORDER + STEP_PER_DN * np.float32(min(step, np.int64(STEP_MAX_DN)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _is_uniform(held: Int16Array, top: int, bottom: int, left: int, right: int) -> bool:
    """Whether a cell and the pixels beside it hold one datatake."""
    height, width = held.shape
    first = held[top, left]
    alike = True
    for row in range(max(top - 1, 0), min(bottom + 1, height)):
        inside = top <= row < bottom
        start, stop = (max(left - 1, 0), min(right + 1, width)) if inside else (left, right)
        for col in range(start, stop):
            alike &= held[row, col] == first
        if not alike:
            return False
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _labels_around(held: Int16Array, top: int, bottom: int, left: int, right: int, found: Int16Array) -> int:
    """Datatakes that a cell or the pixels beside it hold now; returns how many."""
    height, width = held.shape
    count = 0
    last = np.int16(-1)
    for row in range(max(top - 1, 0), min(bottom + 1, height)):
        for col in range(max(left - 1, 0), min(right + 1, width)):
            corner = (row < top or row >= bottom) and (col < left or col >= right)
            if corner or held[row, col] < 0 or held[row, col] == last:
                continue
            last = held[row, col]
            known = False
            for index in range(count):
                known = known or found[index] == last
            if not known and count < found.size:
                found[count] = last
                count += 1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _try_label(
    place: Int8Array,
    held: Int16Array,
    cost: Float32Array,
    label: Int16Array,
    cell: tuple[int, int, int, int],
    wanted: int,
    trial: Int16Array,
) -> float:
    """Fill places (0) and datatakes (1) of a cell: its pixels take a datatake where they can, none where it is -2.

    Returns what they cost without any borders.
    """
    top, bottom, left, right = cell
    total = 0.0
    for row in range(top, bottom):
        for col in range(left, right):
            k = place_of(label, row, col, wanted) if wanted >= 0 and place[row, col] >= 0 else -1
            here = k if k >= 0 else int(place[row, col])
            trial[0, row - top, col - left] = here
            trial[1, row - top, col - left] = wanted if k >= 0 else held[row, col]
            if here >= 0:
                total += cost[row, col, here]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _cell_energy(
    place: Int8Array,
    held: Int16Array,
    cost: Float32Array,
    label: Int16Array,
    dn: UInt16Array,
    cell: tuple[int, int, int, int],
    trial: Int16Array,
) -> float:
    """Energy of a cell whose pixels hold the places of `trial`, its borders with the pixels around it included."""
    height, width = held.shape
    top, bottom, left, right = cell
    energy = 0.0
    for row in range(top, bottom):
        for col in range(left, right):
            here, own = trial[0, row - top, col - left], trial[1, row - top, col - left]
            if here < 0:
                continue
            energy += cost[row, col, here]
            # above and to the left only what lies outside: inside, the other pixel counts the border
            if row == top and row > 0 and held[row - 1, col] >= 0 and held[row - 1, col] != own:
                energy += border(label, dn, row, col, here, row - 1, col, place[row - 1, col])
            if col == left and col > 0 and held[row, col - 1] >= 0 and held[row, col - 1] != own:
                energy += border(label, dn, row, col, here, row, col - 1, place[row, col - 1])
            if col + 1 < right:
                if trial[1, row - top, col + 1 - left] >= 0 and trial[1, row - top, col + 1 - left] != own:
                    energy += border(label, dn, row, col, here, row, col + 1, trial[0, row - top, col + 1 - left])
            elif col + 1 < width and held[row, col + 1] >= 0 and held[row, col + 1] != own:
                energy += border(label, dn, row, col, here, row, col + 1, place[row, col + 1])
            if row + 1 < bottom:
                if trial[1, row + 1 - top, col - left] >= 0 and trial[1, row + 1 - top, col - left] != own:
                    energy += border(label, dn, row, col, here, row + 1, col, trial[0, row + 1 - top, col - left])
            elif row + 1 < height and held[row + 1, col] >= 0 and held[row + 1, col] != own:
                energy += border(label, dn, row, col, here, row + 1, col, place[row + 1, col])
    return energy


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def relax_cells(
    place: Int8Array,
    held: Int16Array,
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
    height, width = held.shape
    trial = np.empty((2, cell, cell), dtype=np.int16)
    found = np.empty(MOST_AROUND, dtype=np.int16)
    for colour in range(2):
        for cell_row in range(first_row // cell, (first_row + height - 1) // cell + 1):
            top, bottom = max(cell_row * cell - first_row, 0), min((cell_row + 1) * cell - first_row, height)
            for cell_col in range(first_col // cell, (first_col + width - 1) // cell + 1):
                if (cell_row + cell_col) % 2 != colour:
                    continue
                left, right = max(cell_col * cell - first_col, 0), min((cell_col + 1) * cell - first_col, width)
                if _is_uniform(held, top, bottom, left, right):
                    continue
                count = _labels_around(held, top, bottom, left, right, found)
                if count < 2:
                    continue
                where = (top, bottom, left, right)
                _try_label(place, held, cost, label, where, -2, trial)
                least, best = _cell_energy(place, held, cost, label, dn, where, trial), -1
                for index in range(count):
                    alone = _try_label(place, held, cost, label, where, found[index], trial)
                    if alone > least + ROUNDING * (1.0 + abs(least)):
                        continue  # borders only add to that
                    energy = _cell_energy(place, held, cost, label, dn, where, trial)
                    if energy < least:
                        least, best = energy, index
                if best >= 0:
                    _try_label(place, held, cost, label, where, found[best], trial)
                    place[top:bottom, left:right] = trial[0, : bottom - top, : right - left]
                    held[top:bottom, left:right] = trial[1, : bottom - top, : right - left]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _is_calm(held: Int16Array, row: int, col: int) -> bool:
    """Whether the four neighbours of a pixel hold nothing but its own datatake."""
    height, width = held.shape
    own = held[row, col]
    calm = True
    for down, right in SIDES:
        r, c = row + down, col + right
        if 0 <= r < height and 0 <= c < width:
            calm &= held[r, c] == own or held[r, c] < 0
    return calm


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _pixel_energy(
    place: Int8Array,
    held: Int16Array,
    cost: Float32Array,
    label: Int16Array,
    dn: UInt16Array,
    row: int,
    col: int,
    k: int,
    least: np.float32,
) -> np.float32:
    """Energy of a pixel that takes place `k`; what reaches `least` is not added up any further, it can only grow."""
    height, width = held.shape
    own = label[row, col, k]
    energy = cost[row, col, k]
    for down, right in SIDES:
        r, c = row + down, col + right
        if energy < least and 0 <= r < height and 0 <= c < width and held[r, c] >= 0 and held[r, c] != own:
            energy += border(label, dn, row, col, k, r, c, place[r, c])
    return energy


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def relax(
    place: Int8Array,
    held: Int16Array,
    cost: Float32Array,
    label: Int16Array,
    dn: UInt16Array,
    parity: int,
    restless: BoolArray,
) -> bool:
    """One sweep: every pixel of one colour of the checkerboard takes its cheapest candidate, then the other colour.

    `parity` is that of the absolute number (row + column) of pixel (0, 0), so that colours do not depend on the block.
    Only pixels that are `restless` are asked: a pixel that has decided decides alike until a neighbour changes, which
    makes it restless again. Of two equals a pixel keeps what it holds, else it takes the first. Returns whether any
    pixel changed.
    """
    height, width, kept = label.shape
    changed = False
    for colour in range(2):
        for row in range(height):
            for col in range((row + colour + parity) % 2, width, 2):
                if not restless[row, col]:
                    continue
                restless[row, col] = False
                now = place[row, col]
                if now < 0 or label[row, col, 1] < 0 or (now == 0 and _is_calm(held, row, col)):
                    continue
                best = int(now)
                least = _pixel_energy(place, held, cost, label, dn, row, col, best, np.float32(np.inf))
                for k in range(kept):
                    if label[row, col, k] < 0 or cost[row, col, k] >= least:  # the next ones cost as much or more
                        break
                    if k != now:
                        energy = _pixel_energy(place, held, cost, label, dn, row, col, k, least)
                        if energy < least:
                            best, least = k, energy
                if best != now:
                    place[row, col], held[row, col] = best, label[row, col, best]
                    changed = True
                    for down, right in SIDES:
                        r, c = row + down, col + right
                        if 0 <= r < height and 0 <= c < width:
                            restless[r, c] = True
    return changed


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def trim(place: Int8Array, held: Int16Array, label: Int16Array) -> tuple[Int8Array, Int16Array]:
    """Cut off whiskers: a pixel that holds at most 3 of the 9 around it takes the datatake that holds 5 or more.

    Sweeps on four neighbours leave lines one pixel wide along rows and columns. All pixels decide on the same state. A
    pixel that cannot take that datatake stays, and so does one at the edge of the array. Returns `place` and `held`.
    """
    height, width = held.shape
    out, out_held = place.copy(), held.copy()
    for row in range(1, height - 1):
        for col in range(1, width - 1):
            own = held[row, col]
            if own < 0:
                continue
            mine = 0
            for r in range(row - 1, row + 2):
                for c in range(col - 1, col + 2):
                    mine += held[r, c] == own
            if mine > WHISKER_PX:
                continue
            most, best = 0, -1
            for k in range(label.shape[2]):
                wanted = label[row, col, k]
                if wanted < 0:
                    break
                count = 0
                for r in range(row - 1, row + 2):
                    for c in range(col - 1, col + 2):
                        count += held[r, c] == wanted
                if wanted != own and count > most:
                    most, best = count, k
            if most >= WHISKER_GROUND_PX:
                out[row, col], out_held[row, col] = best, label[row, col, best]
    return out, out_held
