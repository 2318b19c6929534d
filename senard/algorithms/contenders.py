"""What it costs to do without a scene or a part of one: how much dearer the next best is, where it is the best."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from senard.algorithms.labelling import Candidates
from senard.model.arrays import BoolArray, Float64Array, UInt32Array
from senard.model.contenders import PLACES, REGRET_CAP, Contenders
from senard.model.grid import Grid

SAMPLE_M = 160
"""Distance of the pixels that are looked at, m: costs are smoothed over nearly as much (`labelling.SIGMA_M`)."""

PARTS_SAMPLE_M = 240
"""The same for what tells parts of scenes apart: four times as many groups would say no more."""

_UNITS = 1024
"""Regret is counted in parts of a power of two: sums are exact then, in any order."""


def sampled(grid: Grid, inside: BoolArray, distance_m: int = SAMPLE_M) -> BoolArray:
    """The pixels of a block that are looked at: the same ones, wherever it is cut.

    Args:
        grid: the block.
        inside: (y, x), True where the mosaic is to be filled.
        distance_m: side of the squares, m.

    Returns:
        (y, x), True for about one pixel in each square.
    """
    step = _step(grid, distance_m)
    rows = (np.arange(grid.height) + round(-grid.top / grid.gsd)) % step == 0
    columns = (np.arange(grid.width) + round(grid.left / grid.gsd)) % step == 0
    chosen: BoolArray = rows[:, np.newaxis] & columns & inside
    return chosen


def sample_m2(grid: Grid, distance_m: int = SAMPLE_M) -> float:
    """Ground that one of the pixels of `sampled` stands for, m² of the mosaic's CRS."""
    return float((grid.gsd * _step(grid, distance_m)) ** 2)


def contenders_of(
    candidates: Candidates, where: BoolArray, pixel_m2: float, *, supplier: UInt32Array | None = None
) -> Contenders:
    """Who contends for some pixels.

    Args:
        candidates: of every pixel.
        where: (y, x), True for the pixels that are looked at, as `sampled` tells.
        pixel_m2: ground that each stands for, m² of the mosaic's CRS.
        supplier: (y, x, kept) numbers of those who contend; None: of their scenes.
    """
    filled = where & (candidates.label[:, :, 0] >= 0)
    known = candidates.label[filled] >= 0
    cost = np.where(known, candidates.cost[filled].astype(np.float64), np.inf)
    excess = np.full((len(cost), PLACES), REGRET_CAP)
    places = min(PLACES, cost.shape[1])
    excess[:, :places] = np.rint(np.minimum(cost - cost[:, :1], REGRET_CAP)[:, :places] * _UNITS) / _UNITS
    numbers = np.zeros(excess.shape, dtype=np.uint32)
    numbers[:, :places] = (candidates.source if supplier is None else supplier)[filled][:, :places]
    numbers[excess >= REGRET_CAP] = 0
    area = np.full(len(numbers), pixel_m2)
    return gathered([Contenders(supplier=numbers, regret=excess * area[:, np.newaxis], area=area)])


def gathered(parts: Sequence[Contenders]) -> Contenders:
    """Several pieces of ground as one, equal groups joined."""
    if not parts:
        return uncontended({})
    supplier = np.concatenate([part.supplier for part in parts])
    number = np.zeros(len(supplier), dtype=np.int64)
    for place in supplier.T:  # many times as fast as rows compared whole
        _, number = np.unique(number << 32 | place, return_inverse=True)
    _, first = np.unique(number, return_index=True)
    regret, area = np.zeros((len(first), PLACES)), np.zeros(len(first))
    np.add.at(regret, number, np.concatenate([part.regret for part in parts]))
    np.add.at(area, number, np.concatenate([part.area for part in parts]))
    return Contenders(supplier=supplier[first], regret=regret, area=area)


def uncontended(supplied: Mapping[int, float]) -> Contenders:
    """Ground whose scenes nobody is known to replace, from source number to m²."""
    supplier = np.zeros((len(supplied), PLACES), dtype=np.uint32)
    supplier[:, 0] = list(supplied)
    area = np.array(list(supplied.values()), dtype=np.float64)
    regret = np.full(supplier.shape, REGRET_CAP) * area[:, np.newaxis]
    regret[:, 0] = 0
    return Contenders(supplier=supplier, regret=regret, area=area)


def supplied_m2(contenders: Contenders) -> dict[int, float]:
    """What each scene is the best for, from source number to m² of the mosaic's CRS; others are not named."""
    sums = np.bincount(contenders.supplier[:, 0], weights=contenders.area)
    return {number: float(sums[number]) for number in np.flatnonzero(sums).tolist() if number}


def price_of_absence(contenders: Contenders, gone: Collection[int]) -> dict[int, float]:
    """What it costs to do without each scene, once others are gone.

    Args:
        contenders: of the whole mosaic.
        gone: source numbers that supply nothing any more.

    Returns:
        Source number to the sum of what the next best costs above it where it is the best that is left; m² of the
        mosaic's CRS times cost. Scenes that are the best nowhere are not named.
    """
    left = (contenders.supplier > 0) & ~np.isin(contenders.supplier, list(gone))
    best = left.argmax(axis=1)[:, np.newaxis]
    some = left.any(axis=1)
    owner: UInt32Array = np.take_along_axis(contenders.supplier, best, axis=1)[some, 0]
    np.put_along_axis(left, best, False, axis=1)
    price: Float64Array = (_least(contenders, left) - np.take_along_axis(contenders.regret, best, axis=1)[:, 0])[some]
    sums = np.bincount(owner, weights=price)
    return {number: float(sums[number]) for number in np.unique(owner).tolist()}


def _least(contenders: Contenders, left: BoolArray) -> Float64Array:
    """(group,) regret of the first place that is left, or the cap."""
    first = np.take_along_axis(contenders.regret, left.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]
    least: Float64Array = np.where(left.any(axis=1), first, REGRET_CAP * contenders.area)
    return least


def _step(grid: Grid, distance_m: int) -> int:
    return max(1, distance_m // int(grid.gsd))
