"""Ground that is taken for cloud or shadow: roofs, beaches, salt and asphalt look the same on every date.

Clouds and shadows do not repeat: a spectrum that comes again on several dates, most of them flagged, and that the clear
dates do not contradict, is that of the ground. Such a place learns its background from those dates, and flagged
observations that look like it are released; a cloud that moves over it departs from it like from any other ground
(science: bright-surface rescue).
"""

from dataclasses import replace

import numpy as np
from numba import njit

from senard.algorithms.background import Reservoir
from senard.algorithms.departure import HAZY, SHADED, WATER_B8A, Departure
from senard.algorithms.scoring import VICINITY_COSTS, Observation, Scored
from senard.model.arrays import BoolArray, Float32Array, Int16Array, Int64Array, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.masks import SCL_BITS
from senard.model.sentinel2 import SATURATED_DN, Scl
from senard.model.sources import FLAG_BUFFER, FLAG_SNOW

SAME_DN, SAME_SHARE = np.float32(150.0), np.float32(0.08)
"""Two spectra are of the same ground if no band differs by more than SAME_DN and this share of its brightness: 94 % of
the clear observations of a roof lie so near to their median, 4 % of the cloudy ones."""
REDDER = np.float32(1.1)
"""By how much more red than blue something must have been added to ground that no cloud has added."""
SUSPECTED = 16
"""Flagged observations kept per pixel: shade, which lies lowest, must not push out all of the others."""
LEAST_ALIKE = 3
"""Dates that must look alike."""
LEAST_WHITE = 6
"""The same for what has the colour of clouds, no less blue than red."""
LEAST_ALIKE_BRIGHT = 2
"""LEAST_ALIKE where a land cover says that bright ground is to be expected: worth it where dates are few. What is white
must come as often there, too: fewer dates let clouds through."""
FLAGGED_SHARE = 0.4
"""Share of the dates that look alike that must be flagged."""
LEAST_UNLIKE = 3
"""Clear dates that look different and prove a repeated spectrum to be a veil or snow, if they outnumber the clear ones
that look alike."""
UNLIKE_OUTWEIGHS = 2
"""Flagged dates that each of them outweighs: no veil comes again so often."""
MOST_LOWER = 1.0
"""Other dates with a lower haze index, per date that looks alike, that prove it to be a veil."""
CLEAR_LOWER = 3
"""A clear one counts as so many of these."""
DEEP_SHADE = np.float32(0.4)
"""Share of the SWIR that is left in deep shade: the sky lights it with a fortieth of what the sun does."""
LEAST_WATER = 2
"""Clear dates that must show water."""
NEAR_PX = 2
"""A single flagged pixel of 20 m that lies anywhere in a pixel of 60 m is so near to its centre, px."""

_CLOUDS = (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.THIN_CIRRUS)

RELEASED = 16
"""Bit of `Departure.verdict`: flagged, but it looks as this bright ground always does."""


def flagged(seen: Observation, scored: Scored) -> BoolArray:
    """Where an observation may show ground that looks like cloud or shadow: it is called so, or lies beside what is.

    What is called snow and not cloud is left to snow's own rules.

    Args:
        seen: what one overflight saw.
        scored: its judgement by its own scene.
    """
    near = (scored.level >= 4) | ((scored.level > 0) & (seen.mask[1] <= NEAR_PX))
    saturated = (seen.judge[:4] == SATURATED_DN).any(axis=0)
    snow_alone = ((scored.flags & FLAG_SNOW) > 0) & ~np.isin(seen.mask[0] & SCL_BITS, _CLOUDS)
    known: BoolArray = near & ~saturated & ~snow_alone
    return known


def recognise(suspected: Reservoir, kept: Reservoir, bright: BoolArray | None = None) -> BoolArray:
    """Find ground that is flagged on most dates.

    Args:
        suspected: the observations with the lowest haze index among the flagged ones; that is their cost.
        kept: the best clear observations; on such ground they are replaced by those that look alike, flagged or not.
        bright: (y, x), True where roofs, sand or salt are to be expected: fewer dates are enough there.

    Returns:
        (y, x), True is ground that looks like cloud or shadow.
    """
    recurring = np.zeros(kept.count.shape, dtype=np.bool_)
    bright = np.zeros_like(recurring) if bright is None else bright
    fields = (suspected.cost, suspected.day, suspected.dn, kept.cost, kept.day, kept.dn)
    _recognise(*fields, bright, LEAST_ALIKE_BRIGHT, MOST_LOWER, recurring)
    return recurring


def looks_usual(judge: UInt16Array, usual: Float32Array) -> BoolArray:
    """Where an observation looks as its ground does, but for haze and a little shade, or brighter and redder.

    Whatever lies in the air makes ground bluer that is redder than white. Where it turns redder still, more of a roof
    fell into the pixel, or it was seen from the other side.

    Args:
        judge: (bands, …) uint16, the first four are the judge bands.
        usual: (REFERENCES, …) of `Background.values`: what the ground looks like around the observation's date.

    Returns:
        (…), True where it does.
    """
    wanted = usual[[1, 2, 4, 5]]
    more = judge[:4].astype(np.float32) - wanted
    alike: BoolArray = (np.abs(more) <= SAME_DN + SAME_SHARE * wanted).all(axis=0)
    redder: BoolArray = (wanted[0] < wanted[1]) & (more[0] > 0) & (more[1] > REDDER * more[0])
    return alike | redder


def release(scored: Scored, seen: Observation, found: Departure, grid: Grid, coarse: Grid) -> Scored:
    """Let flagged observations of bright ground count.

    Args:
        scored: refined by what other dates say, on `grid`.
        seen: what it saw, on `grid`.
        found: on `coarse`, with RELEASED.
        grid: pixels of 20 m, or those of `coarse`, inside it.
        coarse: pixels of 60 m, or of any multiple of 20 m.

    Returns:
        level 2 where it was 4 or 5, 3 where the observation is hazy or shaded, and 4 what also looks like snow; the
        nearness of clouds costs nothing there, for the ground itself is what looks like one.
    """
    if not (found.verdict & RELEASED).any():
        return scored
    level, cost, flags, clear = scored.level.copy(), scored.cost.copy(), scored.flags.copy(), scored.clear.copy()
    row, col = round((coarse.top - grid.top) / grid.gsd), round((grid.left - coarse.left) / grid.gsd)
    places = (row, col, coarse.gsd // grid.gsd)
    _release(found.verdict, seen.mask, *VICINITY_COSTS, *places, level, cost, flags, clear)
    return replace(scored, level=level, cost=cost, flags=flags, clear=clear)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _alike(one: UInt16Array, other: UInt16Array) -> bool:
    """Whether two spectra may be of the same ground."""
    for band in range(4):
        a, b = np.float32(one[band]), np.float32(other[band])
        if abs(a - b) > SAME_DN + SAME_SHARE * min(a, b):
            return False
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _lies_in_shade(one: UInt16Array, ground: UInt16Array) -> bool:
    """Whether a spectrum may be that of a ground which the sky alone lights: darker in all bands, more so the longer
    the wave, and nearly black in SWIR."""
    share = np.float32(1)
    for band in range(4):
        left = np.float32(one[band]) / np.float32(max(ground[band], 1))
        if left >= share:
            return False
        share = left
    return bool(share < DEEP_SHADE)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _held(cost: Float32Array) -> int:
    """How many observations a pixel's places hold."""
    held = 0
    while held < cost.size and np.isfinite(cost[held]):
        held += 1
    return held


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _among(day: int, dn: UInt16Array, days: Int16Array, dns: UInt16Array, held: int) -> bool:
    """Whether an observation is one of those held."""
    found = False
    for k in range(held):
        found = found or (days[k] == day and (dns[k] == dn).all())
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _most_alike(dn: UInt16Array, held: int, most_lower: float) -> tuple[int, int, int]:
    """The flagged observation that most others look like and least lie below, the first of equals; how many look like
    it; how many others have a lower haze index."""
    like, below = np.ones(held, dtype=np.int64), np.zeros(held, dtype=np.int64)
    for i in range(held):
        for k in range(i):
            if _alike(dn[i], dn[k]):
                like[i] += 1
                like[k] += 1
            elif not _lies_in_shade(dn[k], dn[i]):
                below[i] += 1
    best, alike, lower = 0, 0, 0
    for i in range(held):
        if like[i] - below[i] / most_lower > alike - lower / most_lower:
            best, alike, lower = i, like[i], below[i]
    return best, alike, lower


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _shows_water(kept_cost: Float32Array, kept_dn: UInt16Array) -> bool:
    """Whether most clear observations show water, LEAST_WATER of them at least: over so dark a ground all thin clouds
    look alike, but the only clear date of a roof may be one when it lay in shade."""
    held, water = _held(kept_cost), 0
    for k in range(held):
        if kept_dn[k, 2] < WATER_B8A and kept_dn[k, 3] < WATER_B8A:
            water += 1
    return water >= LEAST_WATER and 2 * water > held


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _recognise(
    index: Float32Array,
    day: Int16Array,
    dn: UInt16Array,
    kept_cost: Float32Array,
    kept_day: Int16Array,
    kept_dn: UInt16Array,
    bright: BoolArray,
    least_alike_bright: int,
    most_lower: float,
    recurring: BoolArray,
) -> None:
    """Mark ground that is taken for cloud or shadow, and replace what is kept of it."""
    rows, cols, places = kept_cost.shape
    clear = np.empty(places, dtype=np.int64)
    for row in range(rows):
        for col in range(cols):
            held = _held(index[row, col])
            if held == 0 or _shows_water(kept_cost[row, col], kept_dn[row, col]):
                continue
            suspects = (index[row, col], day[row, col], dn[row, col], held)
            others = (kept_cost[row, col], kept_day[row, col], kept_dn[row, col])
            middle, alike, lower = _most_alike(dn[row, col], held, most_lower)
            spectrum = dn[row, col, middle].copy()
            count, unlike, less = _compare(spectrum, *suspects[1:], *others, clear)
            least = LEAST_WHITE
            if spectrum[0] < spectrum[1]:
                least = least_alike_bright if bright[row, col] else LEAST_ALIKE
            enough = alike + count >= least and alike >= FLAGGED_SHARE * (alike + count)
            others_look = unlike >= LEAST_UNLIKE and unlike > count and UNLIKE_OUTWEIGHS * unlike > alike
            refuted = others_look or lower + CLEAR_LOWER * less >= most_lower * (alike + count)
            if enough and not refuted:
                recurring[row, col] = True
                _replace(spectrum, *suspects, clear[:count], *others)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _compare(
    spectrum: UInt16Array,
    day: Int16Array,
    dn: UInt16Array,
    held: int,
    kept_cost: Float32Array,
    kept_day: Int16Array,
    kept_dn: UInt16Array,
    clear: Int64Array,
) -> tuple[int, int, int]:
    """Fill places of clear observations that look like a spectrum; returns how many, how many do not, and of these how
    many have a lower haze index."""
    count, unlike, less = 0, 0, 0
    wanted = np.float32(spectrum[0]) - np.float32(0.5) * np.float32(spectrum[1])
    for k in range(_held(kept_cost)):
        if _among(kept_day[k], kept_dn[k], day, dn, held):
            continue
        if _alike(spectrum, kept_dn[k]):
            clear[count] = k
            count += 1
            continue
        if _lies_in_shade(kept_dn[k], spectrum):
            continue
        unlike += 1
        if np.float32(kept_dn[k, 0]) - np.float32(0.5) * np.float32(kept_dn[k, 1]) < wanted:
            less += 1
    return count, unlike, less


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _replace(
    spectrum: UInt16Array,
    index: Float32Array,
    day: Int16Array,
    dn: UInt16Array,
    held: int,
    clear: Int64Array,
    kept_cost: Float32Array,
    kept_day: Int16Array,
    kept_dn: UInt16Array,
) -> None:
    """Keep the clear observations that look alike, then the flagged ones, as many as there is room for."""
    at = 0
    for k in clear:  # ascending: what moves up overwrites only what is not wanted any more
        kept_cost[at], kept_day[at] = kept_cost[k], kept_day[k]
        kept_dn[at, :] = kept_dn[k, :]
        at += 1
    for k in range(held):
        if at < kept_cost.size and _alike(spectrum, dn[k]):
            kept_cost[at], kept_day[at] = index[k], day[k]
            kept_dn[at, :] = dn[k, :]
            at += 1
    kept_cost[at:] = np.inf


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _release(
    verdict: UInt8Array,
    mask: UInt8Array,
    distance_cost: Float32Array,
    probability_cost: Float32Array,
    first_row: int,
    first_col: int,
    ratio: int,
    level: UInt8Array,
    cost: Float32Array,
    flags: UInt8Array,
    clear: UInt8Array,
) -> None:
    """Change level, cost, flags and clear in place."""
    across = (np.arange(level.shape[1]) + first_col) // ratio
    for row in range(level.shape[0]):
        r = (row + first_row) // ratio
        for col in range(level.shape[1]):
            bits = verdict[r, across[col]]
            snowy = flags[row, col] & FLAG_SNOW != 0
            if bits & RELEASED == 0 or level[row, col] == 0 or (snowy and level[row, col] < 5):
                continue
            scl = mask[0, row, col] & SCL_BITS
            if scl == Scl.SATURATED_OR_DEFECTIVE:
                continue
            cost[row, col] -= distance_cost[mask[1, row, col]] + probability_cost[mask[3, row, col]]
            if snowy:
                level[row, col] = 4
            elif level[row, col] >= 4:
                level[row, col] = 3 if bits & (HAZY | SHADED) else 2
                flags[row, col] &= 255 - FLAG_BUFFER
                clear[row, col] = 1
