"""Compiled readers and writers of what headers of JPEG 2000 packets are made of: single bits, and tag trees.

Source: ITU-T T.800 (ISO/IEC 15444-1), annex B: B.10.1 and B.10.2.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from senard.model.arrays import BoolArray, Int64Array, UInt8Array

UNKNOWN = 1 << 30
"""Value of a node of a tag tree that has not been read yet."""

POSITION, LEFT, BYTE, BROKEN = range(4)
"""State of a reader or writer of bits: next byte, bits left in the current one, the current one, whether it failed."""


class Tree(NamedTuple):
    """A tag tree: numbers of the leaves of a grid, told level by level from the root as far as somebody asks."""

    levels: Int64Array
    """(level, 3): rows and columns of each level from the leaves to the root, and its first node."""
    low: Int64Array
    """(node,) what the number is known to be at least."""
    value: Int64Array
    """(node,) the number, or `UNKNOWN`."""
    told: BoolArray
    """(node,) whether a writer has told it."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def new_tree(rows: int, cols: int, value: int) -> Tree:
    levels = np.zeros((40, 3), dtype=np.int64)
    count, nodes = 0, 0
    while True:
        levels[count, 0], levels[count, 1], levels[count, 2] = rows, cols, nodes
        nodes += rows * cols
        count += 1
        if rows * cols <= 1:
            break
        rows, cols = (rows + 1) // 2, (cols + 1) // 2
    low, values = np.zeros(nodes, dtype=np.int64), np.full(nodes, value, dtype=np.int64)
    return Tree(levels[:count], low, values, np.zeros(nodes, dtype=np.bool_))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def fill_up(tree: Tree) -> None:
    """Give each node above the leaves the lowest number below it."""
    for level in range(1, len(tree.levels)):
        rows, cols, first = tree.levels[level - 1]
        for row in range(tree.levels[level, 0]):
            for col in range(tree.levels[level, 1]):
                lowest = UNKNOWN
                for r in range(2 * row, min(2 * row + 2, rows)):
                    for c in range(2 * col, min(2 * col + 2, cols)):
                        lowest = min(lowest, tree.value[first + r * cols + c])
                tree.value[tree.levels[level, 2] + row * tree.levels[level, 1] + col] = lowest


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def read_bit(data: UInt8Array, state: Int64Array) -> int:
    """The next bit; after a byte of ones the next byte holds seven. Beyond the end all are 0, and `state` says so."""
    if state[LEFT] == 0:
        if state[POSITION] >= data.size:
            state[BROKEN] = 1
            return 0
        state[LEFT] = 7 if state[BYTE] == 255 else 8
        state[BYTE] = data[state[POSITION]]
        state[POSITION] += 1
    state[LEFT] -= 1
    return (state[BYTE] >> state[LEFT]) & 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def read_number(data: UInt8Array, state: Int64Array, bits: int) -> int:
    number = 0
    for _ in range(bits):
        number = 2 * number + read_bit(data, state)
    return number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def write_bit(out: UInt8Array, state: Int64Array, bit: int) -> None:
    state[LEFT] -= 1
    state[BYTE] |= bit << state[LEFT]
    if state[LEFT] == 0:
        write_byte(out, state)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def write_byte(out: UInt8Array, state: Int64Array) -> None:
    """Finish the current byte."""
    if state[POSITION] >= out.size:
        state[BROKEN] = 1
        return
    out[state[POSITION]] = state[BYTE]
    state[POSITION] += 1
    state[LEFT] = 7 if state[BYTE] == 255 else 8
    state[BYTE] = 0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def write_number(out: UInt8Array, state: Int64Array, number: int, bits: int) -> None:
    for bit in range(bits - 1, -1, -1):
        write_bit(out, state, (number >> bit) & 1)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def is_below(data: UInt8Array, state: Int64Array, tree: Tree, row: int, col: int, limit: int) -> bool:
    """Read as much of a tag tree as tells whether a leaf is below a limit."""
    low = 0
    for level in range(len(tree.levels) - 1, -1, -1):
        node = tree.levels[level, 2] + (row >> level) * tree.levels[level, 1] + (col >> level)
        low = max(low, tree.low[node])
        while low < limit and low < tree.value[node]:
            if read_bit(data, state):
                tree.value[node] = low
            else:
                low += 1
        tree.low[node] = low
    return bool(tree.value[row * tree.levels[0, 1] + col] < limit)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def tell_below(out: UInt8Array, state: Int64Array, tree: Tree, row: int, col: int, limit: int) -> None:
    """Write as much of a tag tree as tells whether a leaf is below a limit."""
    low = 0
    for level in range(len(tree.levels) - 1, -1, -1):
        node = tree.levels[level, 2] + (row >> level) * tree.levels[level, 1] + (col >> level)
        low = max(low, tree.low[node])
        while low < limit:
            if low >= tree.value[node]:
                if not tree.told[node]:
                    write_bit(out, state, 1)
                    tree.told[node] = True
                break
            write_bit(out, state, 0)
            low += 1
        tree.low[node] = low
