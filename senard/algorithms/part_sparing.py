"""Find parts of scenes that a mosaic can do without, once it is known which whole scenes it does without."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from senard.algorithms.labelling import LEVEL_OFFSETS
from senard.algorithms.scene_parts import ACROSS, place_of, source_of
from senard.model.arrays import BoolArray, Float64Array, Int64Array
from senard.model.contenders import Contenders

GAP_REGRET = LEVEL_OFFSETS[5]
"""What a pixel costs that nobody else shows: as much as one of level 5."""


def supplying_parts(
    contenders: Contenders,
    ground: Mapping[int, float],
    alike: Sequence[int],
    spared: Collection[int],
    *,
    limit: float,
) -> tuple[int, ...]:
    """Parts that supply pixels: those that are left when the cheapest of each internal tile has gone, again and again.

    Args:
        contenders: by part, of the whole mosaic.
        ground: of `Weights`, of the whole mosaic.
        alike: of `first_alike`.
        spared: source numbers of scenes that supply nothing.
        limit: price of absence per pixel of the part's ground below which it goes.

    Returns:
        their numbers, ascending; parts that would be the best nowhere are not among them.
    """
    parts = contenders.supplier.astype(np.int64)
    left = (parts > 0) & ~np.isin(source_of(parts), list(spared))
    tiles = _alike(parts, np.array(alike, dtype=np.int64))
    supplying: list[int] = []
    for tile, groups in _groups_of_tiles(tiles, left):
        in_tile = tiles[groups] == tile
        here, regret, cap = parts[groups], contenders.regret[groups], GAP_REGRET * contenders.area[groups]
        kept = left[groups]
        while True:
            prices = _prices(here, kept, in_tile, regret, cap)
            cheapest = min(prices, key=lambda part: (prices[part], part), default=None)
            if cheapest is None or prices[cheapest] >= limit * ground[tile]:
                break
            kept &= here != cheapest
        left[groups] = kept & (~in_tile | np.isin(here, list(prices)))
        supplying += prices
    return tuple(sorted(supplying))


def _alike(parts: Int64Array, alike: Int64Array) -> Int64Array:
    """The part that the first scene of the same MGRS tile has in the same place; 0 for 0."""
    found: Int64Array = alike[source_of(parts)] * ACROSS**2 + place_of(parts)
    return found


def _groups_of_tiles(tiles: Int64Array, left: BoolArray) -> list[tuple[int, Int64Array]]:
    """Each internal tile that somebody is left in, ascending, with the groups of pixels that have such a part."""
    group, place = np.nonzero(left)
    pairs = np.unique(tiles[group, place] << 32 | group)
    numbers, first = np.unique(pairs >> 32, return_index=True)
    ends, groups = [*first.tolist(), len(pairs)], pairs & 0xFFFFFFFF
    return [(tile, groups[start:end]) for tile, start, end in zip(numbers.tolist(), ends, ends[1:], strict=False)]


def _prices(
    parts: Int64Array, kept: BoolArray, in_tile: BoolArray, regret: Float64Array, cap: Float64Array
) -> dict[int, float]:
    """What it costs to do without each part of one internal tile that is the best somewhere."""
    rows = np.arange(len(parts))
    some = kept.any(axis=1)
    best = kept.argmax(axis=1)
    others = kept.copy()
    others[rows, best] = False
    second = np.where(others.any(axis=1), regret[rows, others.argmax(axis=1)], cap)
    mine = some & in_tile[rows, best]
    owners, number = np.unique(parts[rows, best][mine], return_inverse=True)
    sums = np.bincount(number, weights=(second - regret[rows, best])[mine], minlength=len(owners))
    return dict(zip(owners.tolist(), sums.tolist(), strict=True))
