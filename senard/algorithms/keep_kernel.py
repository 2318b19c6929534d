"""Compiled loop that keeps the best observations of every pixel; arrays are those of `labelling.Candidates`."""

from numba import njit

from senard.model.arrays import Float32Array, Int16Array, UInt8Array, UInt16Array


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
    new_rank: UInt8Array,
    new_cost: Float32Array,
    new_source: UInt16Array,
    new_own_cost: UInt16Array,
    new_flags: UInt8Array,
    new_level: UInt8Array,
    new_judge: UInt16Array,
) -> None:
    """Put an observation in its place among each pixel's candidates; a better rank turns all others out."""
    height, width, kept = label.shape
    for row in range(height):
        for col in range(width):
            if new_rank[row, col] == 255 or new_rank[row, col] > rank[row, col]:
                continue
            if new_rank[row, col] < rank[row, col]:
                rank[row, col] = new_rank[row, col]
                label[row, col, :] = -1
            at = 0
            while at < kept and label[row, col, at] >= 0 and cost[row, col, at] <= new_cost[row, col]:
                at += 1
            if at == kept:
                continue
            for k in range(kept - 1, at, -1):
                cost[row, col, k] = cost[row, col, k - 1]
                label[row, col, k] = label[row, col, k - 1]
                source[row, col, k] = source[row, col, k - 1]
                own_cost[row, col, k] = own_cost[row, col, k - 1]
                flags[row, col, k] = flags[row, col, k - 1]
                level[row, col, k] = level[row, col, k - 1]
                dn[row, col, k, :] = dn[row, col, k - 1, :]
            cost[row, col, at] = new_cost[row, col]
            label[row, col, at] = new_label
            source[row, col, at] = new_source[row, col]
            own_cost[row, col, at] = new_own_cost[row, col]
            flags[row, col, at] = new_flags[row, col]
            level[row, col, at] = new_level[row, col]
            for band in range(4):
                dn[row, col, at, band] = new_judge[band, row, col]
