"""How far an observation departs from what its ground usually looks like: haze and cloud brighten, shade darkens.

HOT = B02 - B04 / 2 hardly changes with harvest, snow melt or green-up, but rises with anything that scatters; the
largest of the ratios in red, NIR and SWIR falls only where all three do, as in shade (science: multi-date test).
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from senard.algorithms.background import Background
from senard.algorithms.ground import mean_around, reach_px, row_sections
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.masks import HAZE_ZERO, ZONE_LIKELY

PIXEL_M = 60
"""Side of the pixels of detection, m: 20 m find nothing more (docs/explanation/quality.md)."""
HAZE_DN = 80.0
"""Rise of HOT from which an observation is hazy, DN."""
HAZE_SIGMA_M = 150.0
"""Reach of its smoothing on the ground, m (standard deviation of the Gaussian)."""
DARK = 0.75
"""Share of its usual brightness below which ground lies in shade."""
DARK_IN_ZONE = 0.90
"""The same where a shadow is to be expected."""
DARK_SIGMA_M = 60.0
"""Reach of the smoothing of that share, m."""
OWN_USUAL_DN = 80.0
"""Haze by its own scene, DN, that clear ground may have: only what exceeds it is believed where red rises, too."""
SHORE_SIGMA_M = 1000.0
"""Haze over water is also told by the land within this reach, m (standard deviation): haze is smooth, water is not.
Shade over water is told against the water within it: a lake changes its colour as a whole, a shadow has an edge."""
SHORE_SHARE = 0.01
"""Share of that neighbourhood that must be land for it to tell."""
WATER_SHARE = 0.1
"""Share of it that must be water for its colour to count."""
WATER_B8A = 600.0
"""Ground whose NIR is usually darker than this is water, DN."""
GLINT_SHARE = 0.85
"""Over water, a rise of the SWIR by more than this share of the blue's is glint, not haze: waves mirror all bands
alike, cloud is darker in the SWIR (0.6 to 0.8 of the blue), haze far darker."""
GLINT_SHARE_ABOVE = 1.2
"""GLINT_SHARE of top-of-atmosphere reflectance: air takes a third of the blue of glint and hardly any of its SWIR, and
a cloud hides the blue of the air below. Glint raises the SWIR by 1.4 of the blue and more, simulated cloud by 0.8 to
1.0."""
MUD_SHARE = 0.35
"""Over water, red that rises more than blue is mud, unless the SWIR rises by more than this share of it: cloud."""
DARK_WATER, DARK_WATER_IN_ZONE = 0.72, 0.85
"""Over water blue alone tells of shade, and mud that settles darkens it too; a hole in haze is dark beside the haze:
a stricter share, but where a shadow is to be expected."""
LEAST_DATES = 3
"""With fewer observations an observation is compared with its own scene."""
DRIFT_DAYS = 45.0
"""Days between an observation and its background up to which the limit of haze holds."""
DRIFT_GROWTH_DAYS = 60.0
"""Beyond them the limit grows by itself every so many days."""
DRIFT_MOST = 3.0
"""The limit never grows beyond this many times itself."""

HAZY, SHADED, UNTESTED, IN_ZONE = 1, 2, 4, 8
"""Bits of `Departure.verdict`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One observation compared with its background, (y, x) at 60 m."""

    haze: Float32Array
    """Rise of HOT as a multiple of what is just not acceptable."""

    own_haze: Float32Array
    """Haze by its own scene alone, in the same units; 0 where nothing is known."""

    dark: Float32Array
    """Share of the usual brightness that is missing, 0 where none is."""

    verdict: UInt8Array
    """Bits HAZY and SHADED, grown by one pixel; UNTESTED, IN_ZONE."""

    zone: UInt8Array
    """ZONE_ of senard.model.masks."""


def detection_grid(grid: Grid) -> Grid:
    """The pixels of 60 m or more, anchored at the origin of the CRS, that hold a grid and all its detection depends on.

    Args:
        grid: of 20 m, or of coarser pixels, which are then those of detection.
    """
    smallest = min(section.pixel_m for section in row_sections(grid.padded(1000)))
    pad = reach_px(smallest, HAZE_SIGMA_M) + reach_px(smallest, SHORE_SIGMA_M) + 6
    wide, side = grid.padded(pad), max(PIXEL_M, int(grid.gsd))
    left, right = math.floor(wide.bounds.left / side), math.ceil(wide.bounds.right / side)
    bottom, top = math.floor(wide.bounds.bottom / side), math.ceil(wide.bounds.top / side)
    return Grid(
        crs=grid.crs,
        left=float(left * side),
        top=float(top * side),
        gsd=side,
        width=right - left,
        height=top - bottom,
    )


def depart(
    judge: UInt16Array,
    open_ground: BoolArray,
    usual: Background,
    days_apart: float,
    grid: Grid,
    water: BoolArray | None = None,
    *,
    from_above: bool = False,
) -> Departure:
    """Compare one observation with its background.

    Args:
        judge: (MASK_BANDS_60, y, x) uint16, on the mosaic's grid.
        open_ground: (y, x), True where the observation shows neither a known cloud nor shadow nor snow.
        usual: what the ground looks like around the observation's date.
        days_apart: between the observation and the day of its background, days.
        grid: the pixels, of 60 m.
        water: (y, x), True where glint is to be expected and blue tells of shade; None: where `is_dark` says so.
        from_above: True if DN are of top-of-atmosphere reflectance.

    Returns:
        how it departs; without meaning where nothing was seen.
    """
    water = is_dark(usual) if water is None else water
    tested = open_ground & (usual.count >= LEAST_DATES)
    hot = haze_index(judge)
    rise = np.where(tested, hot - usual.values[0], np.float32(0))
    blueness = np.where(tested, _blueness(judge, usual, water, from_above=from_above), np.float32(0))
    kept = np.where(tested, _kept(judge, usual, water), np.float32(0))
    haze, share = mean_around(rise, tested, grid, HAZE_SIGMA_M)
    blue, _ = mean_around(blueness, tested, grid, HAZE_SIGMA_M, share=share)
    if (water & tested).any():
        kept = _beside_its_water(kept, water & tested, grid)
    light, _ = mean_around(kept, tested, grid, DARK_SIGMA_M)
    own_haze = np.where(judge[5] > 0, judge[5].astype(np.float32) - np.float32(HAZE_ZERO), np.float32(0))
    growth = min(DRIFT_MOST, 1 + max(0.0, days_apart - DRIFT_DAYS) / DRIFT_GROWTH_DAYS)
    limit = np.float32(HAZE_DN * growth)
    believed = np.where(water, np.float32(0), np.maximum(own_haze - np.float32(OWN_USUAL_DN), np.float32(0)))
    from_dates = np.where(blue > 0, haze, np.minimum(haze, believed))
    haze = (np.where(tested, from_dates, own_haze) / limit).astype(np.float32)
    if (water & tested).any():
        haze = np.where(water & tested, _with_shore(haze, tested & ~water, water & tested, grid), haze)
    zone = judge[6].astype(np.uint8)
    missing = np.where(tested, np.maximum(1 - light, 0), 0).astype(np.float32)
    limits = np.where(water, 1 - DARK_WATER, 1 - DARK), np.where(water, 1 - DARK_WATER_IN_ZONE, 1 - DARK_IN_ZONE)
    shaded = missing > np.where(zone == ZONE_LIKELY, limits[1], limits[0])
    dark = np.where(water & ~shaded & (zone != ZONE_LIKELY), np.float32(0), missing)
    hazy = open_ground & (haze > 1)
    verdict = np.zeros(hazy.shape, dtype=np.uint8)
    verdict[_grown(hazy)] |= HAZY
    verdict[_grown(shaded)] |= SHADED
    verdict[open_ground & (usual.count < LEAST_DATES)] |= UNTESTED
    verdict[(zone == ZONE_LIKELY) & ~water] |= IN_ZONE  # what is shaded of water, blue has told
    return Departure(
        haze=haze, own_haze=(own_haze / np.float32(HAZE_DN)).astype(np.float32), dark=dark, verdict=verdict, zone=zone
    )


def _grown(where: BoolArray) -> BoolArray:
    """(y, x), True on the pixels of an area and on the eight around each."""
    tall = where.copy()
    tall[1:] |= where[:-1]
    tall[:-1] |= where[1:]
    grown = tall.copy()
    grown[:, 1:] |= tall[:, :-1]
    grown[:, :-1] |= tall[:, 1:]
    return grown


def _with_shore(haze: Float32Array, land: BoolArray, water: BoolArray, grid: Grid) -> Float32Array:
    """Over water its haze or that of the land around it, whichever is more; the land's alone where there seems none."""
    shore, share = mean_around(haze, land, grid, SHORE_SIGMA_M, at=water)
    either = np.where(haze > 0, np.maximum(haze, shore), shore)
    return np.where(share > SHORE_SHARE, either, haze)


def _beside_its_water(kept: Float32Array, water: BoolArray, grid: Grid) -> Float32Array:
    """What is left of the usual brightness, over water as a share of what is left of the water around."""
    around, share = mean_around(kept, water, grid, SHORE_SIGMA_M, at=water)
    known = water & (share > WATER_SHARE) & (around > 0)
    return np.where(known, kept / np.where(known, around, np.float32(1)), kept)


def is_dark(usual: Background) -> BoolArray:
    """(y, x), True where ground is usually so dark in the NIR that it counts as water."""
    dark: BoolArray = usual.values[4] < WATER_B8A
    return dark


def haze_index(judge: UInt16Array) -> Float32Array:
    """HOT of the judge bands, (y, x) DN: the haze index that clouds raise, too, even over ground brighter than they."""
    return judge[0].astype(np.float32) - np.float32(0.5) * judge[1].astype(np.float32)


def _blueness(judge: UInt16Array, usual: Background, water: BoolArray, *, from_above: bool) -> Float32Array:
    """How much bluer than usual, DN; over water negative where glint or mud explains the rise."""
    out = np.zeros(judge.shape[1:], dtype=np.float32)
    glint = GLINT_SHARE_ABOVE if from_above else GLINT_SHARE
    _fill_blueness(judge, usual.values, water, np.float32(glint), out)
    return out


def _kept(judge: UInt16Array, usual: Background, water: BoolArray) -> Float32Array:
    """Largest share of the usual brightness among red, NIR and SWIR; over water that of blue."""
    blue, red, nir, swir = (
        judge[band].astype(np.float32) / np.maximum(usual.values[layer], np.float32(1))
        for band, layer in ((0, 6), (1, 3), (2, 4), (3, 5))
    )
    return np.where(water, blue, np.maximum(np.maximum(red, nir), swir))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _fill_blueness(
    judge: UInt16Array, usual: Float32Array, water: BoolArray, glint: np.float32, out: Float32Array
) -> None:
    """1.5 x rise of blue minus rise of red; over water glint raises the SWIR alike, and mud red but not SWIR."""
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            blue = np.float32(judge[0, row, col]) - usual[1, row, col]
            red = np.float32(judge[1, row, col]) - usual[2, row, col]
            value = np.float32(1.5) * blue - red
            if water[row, col]:
                swir = np.float32(judge[3, row, col]) - usual[7, row, col]
                veil = max(blue - red, swir - np.float32(MUD_SHARE) * max(red, np.float32(0)))
                value = min(veil, glint * blue - swir)
            out[row, col] = value
