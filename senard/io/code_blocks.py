"""Compiled loops over the packets of a JPEG 2000 tile: keep the code blocks that some pixels need, leave out the rest.

A packet holds what one precinct of one resolution contributes: a header of single bits, which says for each code block
whether it is there, how many of its bit planes are empty, how many coding passes and how many bytes it has, and then
those bytes. Nothing is decoded here; headers are written anew for the code blocks that stay.

Numbers of a tile travel as one tuple `tile`: top, left, bottom, right in pixels of the image, decomposition levels, and
the exponents of the height and the width of a code block.

Source: ITU-T T.800 (ISO/IEC 15444-1), annex B: B.5 to B.10.
"""

import numpy as np
from numba import njit

from senard.io.packet_bits import (
    BROKEN,
    BYTE,
    LEFT,
    POSITION,
    UNKNOWN,
    Tree,
    fill_up,
    is_below,
    new_tree,
    read_bit,
    read_number,
    tell_below,
    write_bit,
    write_byte,
    write_number,
)
from senard.model.arrays import BoolArray, Int64Array, UInt8Array

_MOST_EMPTY = 80
"""More empty bit planes than any code block can have: 37 guard and magnitude bits at most."""

_ROW, _COL, _EMPTY, _PASSES, _BYTES, _KEPT = range(6)
"""What a row of the table of a packet's code blocks says."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _read_passes(data: UInt8Array, state: Int64Array) -> int:
    """Number of coding passes, 1 to 164 (table B.4)."""
    if not read_bit(data, state):
        return 1
    if not read_bit(data, state):
        return 2
    number = read_number(data, state, 2)
    if number < 3:
        return 3 + number
    number = read_number(data, state, 5)
    if number < 31:
        return 6 + number
    return 37 + read_number(data, state, 7)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _write_passes(out: UInt8Array, state: Int64Array, passes: int) -> None:
    if passes <= 2:
        write_number(out, state, 0b10 if passes == 2 else 0, passes)
    elif passes <= 5:
        write_number(out, state, 0b1100 + passes - 3, 4)
    elif passes <= 36:
        write_number(out, state, (0b1111 << 5) + passes - 6, 9)
    else:
        write_number(out, state, (0b111111111 << 7) + passes - 37, 16)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _log2(number: int) -> int:
    """Rounded down."""
    log = 0
    while number > 1:
        number >>= 1
        log += 1
    return log


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _read_block(data: UInt8Array, state: Int64Array, empty: Tree, block: Int64Array) -> None:
    """What the header says of a code block that is there."""
    planes = 0
    while not is_below(data, state, empty, block[_ROW], block[_COL], planes + 1):
        planes += 1
        if planes > _MOST_EMPTY:
            state[BROKEN] = 1
            return
    block[_EMPTY], block[_PASSES] = planes, _read_passes(data, state)
    bits = 3 + _log2(block[_PASSES])
    while read_bit(data, state):
        bits += 1
    if bits > 32:
        state[BROKEN] = 1
        return
    block[_BYTES] = read_number(data, state, bits)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _write_block(out: UInt8Array, state: Int64Array, empty: Tree, block: Int64Array) -> None:
    """What the header must say of a code block that stays."""
    for limit in range(1, block[_EMPTY] + 2):
        tell_below(out, state, empty, block[_ROW], block[_COL], limit)
    _write_passes(out, state, block[_PASSES])
    bits = 3 + _log2(block[_PASSES])
    needed = _log2(block[_BYTES]) + 1
    while bits < needed:
        write_bit(out, state, 1)
        bits += 1
    write_bit(out, state, 0)
    write_number(out, state, block[_BYTES], bits)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _up(number: int, exponent: int) -> int:
    """Divided by a power of two, rounded up."""
    return -((-number) >> exponent)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _axis(
    start: int, stop: int, level: int, is_high: int, place: int, precinct: int, block: int
) -> tuple[int, int, int, int]:
    """One axis of a subband's part of a precinct: start, stop in the subband, and first and last code block.

    `level` counts from 1 for the finest, the lowest subband has the last; `precinct` and `block` are exponents there.
    """
    shift = is_high << level >> 1
    low = max(_up(start - shift, level), place << precinct)
    high = min(_up(stop - shift, level), (place + 1) << precinct)
    if low >= high:
        return low, low, 0, 0
    return low, high, low >> block, _up(high, block)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _touches(needed: BoolArray, square: tuple[int, int], box: tuple[int, int, int, int]) -> bool:
    """Whether a square that is needed touches a box of pixels: top, bottom, left, right."""
    top, bottom = max(box[0], 0) // square[0], (max(box[1], 1) - 1) // square[0]
    left, right = max(box[2], 0) // square[1], (max(box[3], 1) - 1) // square[1]
    for row in range(top, min(bottom + 1, needed.shape[0])):
        for col in range(left, min(right + 1, needed.shape[1])):
            if needed[row, col]:
                return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _code_blocks(
    tile: tuple[int, int, int, int, int, int, int],
    precinct: tuple[int, int, int, int, int],
    needed: BoolArray,
    square: tuple[int, int],
) -> tuple[Int64Array, Int64Array]:
    """Code blocks of a packet in their order, and (subband, 2) rows and columns of them in each subband.

    A coefficient of level l reaches pixels up to 2^(l+1) away: of the 5/3 wavelet a low one reaches one neighbour on
    each side at every level, a high one two.
    """
    top, left, bottom, right, levels, block_height, block_width = tile
    resolution, row, col, height, width = precinct
    level = levels - max(resolution, 1) + 1
    higher = min(resolution, 1)  # above the lowest, a precinct holds half as many rows and columns of each subband
    height, width = height - higher, width - higher
    block_height, block_width = min(block_height, height), min(block_width, width)
    grids, boxes = np.zeros((3, 2), dtype=np.int64), np.zeros((3, 6), dtype=np.int64)
    for band in range(1 if resolution == 0 else 3):
        kind = band + higher  # 0 is low in both directions, 1 high along rows, 2 along columns, 3 both
        y0, y1, i0, i1 = _axis(top, bottom, level, kind >> 1, row, height, block_height)
        x0, x1, j0, j1 = _axis(left, right, level, kind & 1, col, width, block_width)
        if y0 < y1 and x0 < x1:
            grids[band, 0], grids[band, 1] = i1 - i0, j1 - j0
            for n, number in enumerate((y0, y1, x0, x1, i0, j0)):
                boxes[band, n] = number
    table = np.zeros((int((grids[:, 0] * grids[:, 1]).sum()), 6), dtype=np.int64)
    n, reach = 0, 2 << level
    for band in range(3):
        y0, y1, x0, x1, i0, j0 = boxes[band]
        for i in range(grids[band, 0]):
            for j in range(grids[band, 1]):
                box = (
                    (max(y0, (i0 + i) << block_height) << level) - reach,
                    (min(y1, (i0 + i + 1) << block_height) << level) + reach,
                    (max(x0, (j0 + j) << block_width) << level) - reach,
                    (min(x1, (j0 + j + 1) << block_width) << level) + reach,
                )
                table[n, _ROW], table[n, _COL] = i, j
                table[n, _KEPT] = _touches(needed, square, box)
                n += 1
    return table, grids


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _read_header(data: UInt8Array, position: int, table: Int64Array, grids: Int64Array) -> int:
    """Read a packet's header into the table; where its bytes begin, or -1 if this is no header."""
    state = np.zeros(4, dtype=np.int64)
    state[POSITION] = position
    n = 0
    if read_bit(data, state):
        for band in range(3):
            if grids[band, 0] == 0:
                continue
            there = new_tree(grids[band, 0], grids[band, 1], UNKNOWN)
            empty = new_tree(grids[band, 0], grids[band, 1], UNKNOWN)
            for _ in range(grids[band, 0] * grids[band, 1]):
                block = table[n]
                if is_below(data, state, there, block[_ROW], block[_COL], 1):
                    _read_block(data, state, empty, block)
                if state[BROKEN]:
                    return -1
                n += 1
    if state[BROKEN]:
        return -1
    return state[POSITION] + (1 if state[BYTE] == 255 else 0)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _write_header(out: UInt8Array, position: int, table: Int64Array, grids: Int64Array) -> int:
    """Write the header for what is kept; where it ends, or -1 if there is no room."""
    state = np.zeros(4, dtype=np.int64)
    state[POSITION], state[LEFT] = position, 8
    n, any_kept = 0, False
    for block in table:
        any_kept |= block[_KEPT] == 1
    write_bit(out, state, 1 if any_kept else 0)
    for band in range(3 if any_kept else 0):
        count = grids[band, 0] * grids[band, 1]
        if count == 0:
            continue
        there = new_tree(grids[band, 0], grids[band, 1], 1)
        empty = new_tree(grids[band, 0], grids[band, 1], UNKNOWN)
        for i in range(count):
            if table[n + i, _KEPT]:
                there.value[i], empty.value[i] = 0, table[n + i, _EMPTY]
        fill_up(there)
        fill_up(empty)
        for block in table[n : n + count]:
            tell_below(out, state, there, block[_ROW], block[_COL], 1)
            if block[_KEPT]:
                _write_block(out, state, empty, block)
        n += count
    if state[LEFT] < 8:  # also after a byte of ones, which a header never ends with
        write_byte(out, state)
    return -1 if state[BROKEN] else state[POSITION]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def keep_needed(
    data: UInt8Array,
    tile: tuple[int, int, int, int, int, int, int],
    precincts: Int64Array,
    needed: BoolArray,
    square: tuple[int, int],
    out: UInt8Array,
) -> int:
    """Copy the packets of a tile without the code blocks that no needed pixel depends on.

    The packets must be those of one component in one quality layer, resolution after resolution.

    Args:
        data: (n,) uint8, all packets of the tile.
        tile: top, left, bottom, right, px; decomposition levels; exponents of the height and width of a code block.
        precincts: (resolution, 2) int64, exponents of the height and width of its precincts, lowest resolution first.
        needed: (square row, square column) bool, squares of the image whose pixels are needed.
        square: height and width of a square, px.
        out: (m,) uint8, filled from its start.

    Returns:
        Bytes written; -1 if `data` is no such sequence of packets, or `out` is too short.
    """
    read, written, levels = 0, 0, tile[4]
    for resolution in range(levels + 1):
        low, (height, width) = levels - resolution, precincts[resolution]
        top, bottom, left, right = _up(tile[0], low), _up(tile[2], low), _up(tile[1], low), _up(tile[3], low)
        if top >= bottom or left >= right:
            continue
        for row in range(top >> height, _up(bottom, height)):
            for col in range(left >> width, _up(right, width)):
                table, grids = _code_blocks(tile, (resolution, row, col, height, width), needed, square)
                read = _read_header(data, read, table, grids)
                if read < 0 or read + table[:, _BYTES].sum() > data.size:
                    return -1
                for block in table:
                    block[_KEPT] &= block[_PASSES] > 0
                written = _write_header(out, written, table, grids)
                if written < 0:
                    return -1
                for block in table:
                    size = block[_BYTES]
                    if block[_KEPT]:
                        if written + size > out.size:
                            return -1
                        out[written : written + size] = data[read : read + size]
                        written += size
                    read += size
    return written if read == data.size else -1
