"""Which datatake supplies which pixel: the best few per pixel are kept, then neighbours are brought to agree.

Among observations of the best level of a pixel the choice minimises smoothed cost plus a price for every border between
two datatakes, low where both show the same reflectance (science: spatial regularisation). A pixel gives up its best
level only as part of a small patch that hardly gains by being another date than its surroundings.
All steps reach a bounded number of pixels, `halo_px`: beyond it nothing changes a pixel, wherever a block is cut.
"""

import math
from dataclasses import dataclass

import numpy as np

from senard.algorithms.ground import mean_around, reach_px, row_sections
from senard.algorithms.keep_kernel import WORST_SECONDARY, add_offsets, insert, take_places
from senard.algorithms.label_kernels import Int8Array, relax, relax_cells, trim
from senard.algorithms.patch_kernels import absorb, mark_small
from senard.algorithms.scoring import Observation, Scored
from senard.algorithms.snow import reported_level
from senard.model.arrays import BoolArray, Float32Array, Int16Array, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.request import Fill
from senard.model.sources import FLAG_SNOW

KEPT = 6
"""Observations kept per pixel: as good as keeping all (4.35 against 4.41 % contaminated), and memory stays bounded."""
SIGMA_M = 120.0
"""Reach of the smoothing of costs on the ground, m (standard deviation of the Gaussian, cut at 3)."""
GAP_COST = 0.4
"""Cost of a pixel whose neighbourhood the datatake did not see."""
LEVEL_OFFSETS = (0.0, 0.0, 4.0, 7.0, 12.0, 20.0)
"""Added to the cost of a level before smoothing: the surroundings of clouds lose against open ground."""
RANKS = (0, 1, 1, 3, 4, 5)
"""Levels of one rank compete by their costs: a likely shadow is a suspicion, which borders should not follow."""
MAX_SWEEPS = 6
"""Sweeps over the checkerboard; each reaches two pixels."""
CELLS_PX = (32, 16, 8, 4, 2)
"""Sides of the cells that change their datatake as a whole before single pixels do, px; each reaches twice its side."""
TRIMS = 2
"""Passes that cut off lines one pixel wide; each reaches one pixel."""
STEPS_REACH_PX = CELLS_PX[0] + 2 * sum(CELLS_PX) + 2 * MAX_SWEEPS + TRIMS + 2
"""Reach of all these: a cell at the edge is cut short, and each colour of each size passes that on by one cell."""
MIN_PATCH_M2 = 20_000.0
"""Patches smaller than this on the ground are given to a neighbour, m2 (2 ha) …"""
PATCH_GAIN = 60.0
"""… unless their pixels together would cost so much more there."""
MAX_PATCH_PX = 32
"""A patch wider or higher than this is never small: bounds how far the rule reaches near the poles."""


_RANKS = np.array(RANKS, dtype=np.uint8)
_OFFSETS = np.array(LEVEL_OFFSETS, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The best observations of every pixel, best first; filled datatake by datatake."""

    rank: UInt8Array
    """(y, x) 2 x RANKS[level], + 1 where the scene classification is not clear, + what is held back; 255 where there is
    no candidate."""

    cost: Float32Array
    """(y, x, kept) smoothed cost."""

    label: Int16Array
    """(y, x, kept) number of the datatake; -1 is an empty place, and what lies below is not of the best rank: -2 for
    datatake 0, -3 for 1 …, after all that are."""

    source: UInt16Array
    """(y, x, kept) number of the scene."""

    own_cost: UInt16Array
    """(y, x, kept) cost before smoothing x 1000."""

    flags: UInt8Array
    """(y, x, kept) FLAG_ bits."""

    level: UInt8Array
    """(y, x, kept) quality level 1-5."""

    dn: UInt16Array
    """(y, x, kept, 4) harmonised DN of the judge bands, to know how visible a border would be."""

    @classmethod
    def nothing(cls, shape: tuple[int, int], kept: int = KEPT) -> "Candidates":
        """No candidate anywhere."""
        places = (*shape, kept)
        return cls(
            rank=np.full(shape, 255, dtype=np.uint8),
            cost=np.zeros(places, dtype=np.float32),
            label=np.full(places, -1, dtype=np.int16),
            source=np.zeros(places, dtype=np.uint16),
            own_cost=np.zeros(places, dtype=np.uint16),
            flags=np.zeros(places, dtype=np.uint8),
            level=np.zeros(places, dtype=np.uint8),
            dn=np.zeros((*places, 4), dtype=np.uint16),
        )

    def move_on(self, columns: int) -> None:
        """Take up so many columns on the right, without candidates, and leave as many on the left."""
        for values in (self.rank, self.cost, self.label, self.source, self.own_cost, self.flags, self.level, self.dn):
            values[:, :-columns] = values[:, columns:]
        self.rank[:, -columns:], self.label[:, -columns:] = 255, -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The chosen observation of every pixel, (y, x) uint16 each; 0 where none may be used."""

    source: UInt16Array
    """Number of the scene."""

    level: UInt16Array
    """Quality level 1-5."""

    flags: UInt16Array
    """FLAG_ bits."""

    cost: UInt16Array
    """Cost before smoothing x 1000."""

    label: Int16Array
    """(y, x) int16, number of the datatake; -1 where none may be used."""


def halo_px(grid: Grid) -> int:
    """Pixels around a part of the grid that its choice depends on.

    Args:
        grid: the part, of 20 m.

    Returns:
        reach of the smoothing, of the sweeps and trims, of a small patch and of its neighbour patch, px.
    """
    # one section more on each side: the halo may reach into rows with smaller pixels
    sections = row_sections(grid.padded(1000))
    return max(
        reach_px(section.pixel_m, SIGMA_M) + STEPS_REACH_PX + 2 * _patch_reach(section.pixel_m) for section in sections
    )


def smoothing_px(grid: Grid) -> int:
    """Pixels around a part of the grid, of 20 m, that the smoothed costs in it depend on; a part of `halo_px`."""
    return max(reach_px(section.pixel_m, SIGMA_M) for section in row_sections(grid.padded(1000)))


def smoothed_cost(scored: Scored, grid: Grid) -> Float32Array:
    """Cost of an observation averaged over its neighbourhood on the ground, with a price for gaps in it.

    Args:
        scored: the observation.
        grid: its pixels.

    Returns:
        (y, x) float32; without meaning where level is 0.
    """
    cost = np.empty_like(scored.cost)
    add_offsets(scored.cost, scored.level, _OFFSETS, cost)
    mean, share = mean_around(cost, scored.level > 0, grid, SIGMA_M)
    mean += np.float32(GAP_COST) * (1 - share)
    return mean


def usable(scored: Scored, fill: Fill) -> BoolArray:
    """Where an observation may supply a pixel at all.

    Args:
        scored: the observation.
        fill: STRICT takes levels 1 and 2, and permanent snow; FLAG takes what its scene classification calls clear, and
            snow; ALL takes everything.

    Returns:
        (y, x), True where it may.
    """
    if fill is Fill.STRICT:
        return (scored.level > 0) & (reported_level(scored.level, scored.flags) <= 2)
    if fill is Fill.FLAG:
        snow = (scored.flags & FLAG_SNOW) > 0
        return (scored.level > 0) & (scored.level <= 4) & ((scored.clear > 0) | snow)
    return scored.level > 0


def only_in_patches(scored: Scored, fill: Fill) -> BoolArray:
    """Where an observation may supply a pixel of a small patch, though none by itself: no core of a cloud or shadow.

    Args:
        scored: the observation.
        fill: as of `usable`; STRICT allows none.

    Returns:
        (y, x), True where it may; also where it is usable.
    """
    allows = WORST_SECONDARY if fill is not Fill.STRICT else 0
    return (scored.level > 0) & (scored.level <= allows)


def add_candidate(
    to: Candidates,
    label: int,
    seen: Observation,
    scored: Scored,
    cost: Float32Array,
    allowed: BoolArray | UInt8Array,
    *,
    moments: Float32Array | None = None,
    pad: int = 0,
) -> None:
    """Keep an observation where it is among the best so far, rank before cost.

    Args:
        to: filled in place; add datatakes in ascending order, the first of two equals stays ahead.
        label: number of the datatake, 0-32767.
        seen: what it saw.
        scored: its judgement.
        cost: from `smoothed_cost`.
        allowed: from `usable`; 1 + n where what is there comes n ranks later, ONLY_SECONDARY where `only_in_patches`.
        moments: (scenes + 1,) by source number, the part of the cost that is left out of `Candidates.own_cost`: a date
            is no reason to doubt. None: nothing is.
        pad: pixels along all edges of the observation that are left out; what is left are the rightmost columns of
            `to`.
    """
    moments = np.zeros(int(seen.source.max()) + 1, dtype=np.float32) if moments is None else moments
    places = (to.rank, to.cost, to.label, to.source, to.own_cost, to.flags, to.level, to.dn)
    costs = (cost, seen.source, scored.cost, moments)
    judged = (scored.flags, scored.level, scored.clear, seen.judge)
    insert(*places, label, pad, allowed.view(np.uint8), _RANKS, *costs, *judged)


def choose(candidates: Candidates, grid: Grid, *, margin: int = 0) -> Choice:
    """Choose one observation per pixel.

    Args:
        candidates: of every pixel.
        grid: its pixels; what lies nearer to its edge than `halo_px` is not final.
        margin: so many pixels along the edges need not be final, `halo_px` at most: they are left out as soon as
            nothing further inside depends on them.

    Returns:
        the choice; 0 where it was left out.
    """
    place = np.where(candidates.label[:, :, 0] >= 0, 0, -1).astype(np.int8)
    held = candidates.label[:, :, 0].copy()
    values = (candidates.cost, candidates.label, candidates.dn)
    first_row, first_col = round(-grid.top / grid.gsd), round(grid.left / grid.gsd)
    sections = row_sections(grid)
    needed = 2 * max(_patch_reach(section.pixel_m) for section in sections) + 2
    after_cells = needed + TRIMS + 2 * MAX_SWEEPS
    for place_in_order, cell in enumerate(CELLS_PX):
        _leave_out(place, held, margin - after_cells - 2 * sum(CELLS_PX[place_in_order:]))
        relax_cells(place, held, *values, cell, first_row, first_col)
    _leave_out(place, held, margin - after_cells)
    parity, restless = (first_row + first_col) % 2, place >= 0
    for _ in range(MAX_SWEEPS):
        if not relax(place, held, *values, parity, restless):
            break
    _leave_out(place, held, margin - needed - TRIMS)
    for _ in range(TRIMS):
        place, held = trim(place, held, candidates.label)
    _leave_out(place, held, margin - needed)
    area = np.concatenate([np.full(s.row_stop - s.row_start, _area_cm2(s.pixel_m)) for s in sections])
    small = mark_small(held, area, round(MIN_PATCH_M2 * 10_000), MAX_PATCH_PX)
    return _chosen(candidates, absorb(place, held, small, *values, PATCH_GAIN))


def _leave_out(place: Int8Array, held: Int16Array, width: int) -> None:
    """Pixels along the edges hold nothing any more, as if the array ended there."""
    if width > 0:
        for plane in (place, held):
            plane[:width], plane[-width:], plane[:, :width], plane[:, -width:] = -1, -1, -1, -1


def _chosen(candidates: Candidates, place: Int8Array) -> Choice:
    """What the candidates in the chosen places hold."""
    source, level, flags, cost = (np.zeros(place.shape, dtype=np.uint16) for _ in range(4))
    label = np.full(place.shape, -1, dtype=np.int16)
    kept = (candidates.source, candidates.level, candidates.flags, candidates.own_cost, candidates.label)
    take_places(place, *kept, source, level, flags, cost, label)
    return Choice(label=label, source=source, level=level, flags=flags, cost=cost)


def _patch_reach(pixel_m: float) -> int:
    """Largest height or width of a small patch, px."""
    return min(MAX_PATCH_PX, math.ceil(MIN_PATCH_M2 / pixel_m**2))


def _area_cm2(pixel_m: float) -> int:
    """Ground area of a pixel in whole cm2: whole numbers add up to the same sum in any order."""
    return round(pixel_m**2 * 10_000)
