"""Compiled loop that leaves out spared parts of scenes."""

from numba import njit

from senard.algorithms.scene_parts import STEP_PX
from senard.model.arrays import Int16Array, UInt8Array, UInt16Array


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def hold_back(
    allowed: UInt8Array, sources: UInt16Array, source: int, row: Int16Array, col: Int16Array, ranks: UInt8Array
) -> None:
    """Leave out, or for later, what lies in spared parts of a scene.

    Args:
        allowed: (y, x) 1 where a pixel may be used: becomes what `ranks` says.
        sources: (y, x) number of the scene that is seen.
        source: the scene in question.
        row: (y, x) row of its product's 20 m grid; -1 outside.
        col: column.
        ranks: of `ranks_of_squares`.
    """
    for i in range(allowed.shape[0]):
        for j in range(allowed.shape[1]):
            if allowed[i, j] == 1 and sources[i, j] == source:
                allowed[i, j] = ranks[row[i, j] // STEP_PX, col[i, j] // STEP_PX]
