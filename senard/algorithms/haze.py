"""Haze and smoke in one scene, judged by the scene alone (science: the single-scene substitute of the multi-date test).

Haze adds light in the blue above all: HOT = B02 - B04 / 2 rises by what it adds, while bare ground of any brightness
keeps it low. How low depends on the ground, so a pixel is compared with the clearest of its kind. Kinds are told apart
twice, by NDVI and by NIR. Haze lowers NDVI and moves forest among fields; it hardly changes NIR, which tells less of
the ground. Haze can only raise a reference, never lower it, so the lower of two references is nearer to the truth:
of the two kinds, and of the 20 km around a pixel and the whole scene, since a window may be hazy throughout.
Windows overlap by half and references are linear between their centres: no edge shows.

Measured on simulated seasons of the seed 31, kept for tuning (every fifth date): area under the curve of pixels
that haze brightens by more than 0.014 against others, all dates together, against NDVI alone with the 10th percentile:
temperate 0.958 against 0.951, cloudy 0.972 against 0.942, but desert with sand of many colours 0.61 against 0.70: there
one scene knows little of haze, and other dates must tell. Bright ground makes references like any other: left out (0.26
in the desert), it is compared with what is darker, and all of it seems hazy. These squares are smaller than a window:
that the whole scene bounds it rests on argument and on two real tiles.

Haze that covers all of a scene evenly is not found here: only other dates, or the aerosol of the product, know of it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from senard.algorithms.smoothing import gaussian_kernel, smooth
from senard.model.arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array, UInt16Array
from senard.model.sentinel2 import NODATA_DN, SATURATED_DN

CELL_M = 10_000.0
"""Side of the cells that pixels are counted in, m; a window is two by two of them."""
QUANTILE = 0.05
"""Share of the pixels of a kind, the clearest, below the reference: some of every kind are free of haze."""
NDVI_STEP = 0.05
"""Width of a kind, NDVI; kinds reach from -0.5 to 1.0."""
NIR_STEP = 200
"""Width of a kind, DN of B8A; kinds reach from 0 to 0.6 reflectance."""
ENOUGH = 500
"""Pixels of a kind that make a reference of their own, 1.8 km2; if there are fewer, others fill up to this number."""
SIGMA_M = 120.0
"""Haze is smooth, fields are not: what is above the reference is averaged, m (standard deviation, cut at 3)."""

HAZE_CAP = 0.03
"""More than this is cloud and counts as this, reflectance: a bright roof does not spread, nor does a cloud, into which
the average reaches, because haze is thickest beside clouds and an average of clear pixels alone would miss it."""

_KINDS = 30
_NDVI_LOW = -0.5
_HOT_LOW = -500
"""Lowest HOT told apart, DN."""
_HOT_STEP = 5
"""Width of a step of HOT, DN: 0.0005 reflectance, a third of the noise."""
_HOT_STEPS = 600
"""Steps, up to 0.25 reflectance."""
_NO_KIND = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class HazeRasters:
    """What haze is judged from: one whole scene at 60 m, (y, x)."""

    b02: UInt16Array
    """Blue, harmonised DN; 0 is nodata."""

    b04: UInt16Array
    """Red, like b02."""

    b8a: UInt16Array
    """Near infrared, like b02."""

    clear: BoolArray
    """True where the scene classification says clear (2, 4, 5, 6, 7): these pixels make the references."""

    cloud: BoolArray
    """True where it says cloud (8, 9, 10)."""

    water: BoolArray
    """True is water, whose glint and mud are not haze."""


def scene_haze(judge: HazeRasters, *, gsd: float = 60.0) -> Float32Array:
    """How much haze or smoke brightens each pixel of one scene.

    Args:
        judge: the whole scene.
        gsd: pixel side, m.

    Returns:
        (y, x) float32, HOT above the reference, reflectance, at most HAZE_CAP; a little below 0 where the ground is
        clear; NaN where nothing can be said: no data, saturated, water.
    """
    kinds, hot = _kinds_and_hot(judge.b02, judge.b04, judge.b8a, judge.water)
    cell_px = max(1, round(CELL_M / gsd))
    tables = np.stack([_references(_count(kind, hot, judge.clear, cell_px)) for kind in kinds])
    excess = np.minimum(_excess(kinds, hot, tables, float(cell_px)), np.float32(HAZE_CAP))
    return _averaged(excess, (judge.clear | judge.cloud) & (kinds[0] != _NO_KIND), SIGMA_M / gsd)


def _references(counts: Int64Array) -> Float32Array:
    """Reference HOT of every kind at the corners of the cells.

    Args:
        counts: (cell row, cell column, kind, step of HOT) pixels.

    Returns:
        (corner row, corner column, kind) float32, DN.
    """
    whole = counts.sum(axis=(0, 1))
    rare = _filled_up(whole)
    padded = np.pad(counts, ((1, 1), (1, 1), (0, 0), (0, 0)))
    windows = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
    scene = _quantiles(whole[np.newaxis, np.newaxis], rare)
    return np.minimum(_quantiles(windows, rare), scene)


def _filled_up(whole: Int64Array) -> Float64Array:
    """Distribution of HOT of every kind in the whole scene, (kind, step) of sum 1; rare kinds take in their neighbours.

    A scene without a single clear pixel is compared with a HOT of 0: whatever is bright there is hazy.
    """
    out = np.zeros(whole.shape, dtype=np.float64)
    for kind in range(_KINDS):
        near = whole[kind]
        for reach in range(1, _KINDS):
            if near.sum() >= ENOUGH:
                break
            near = whole[max(0, kind - reach) : kind + reach + 1].sum(axis=0)
        if near.any():
            out[kind] = near / near.sum()
        else:
            out[kind, -_HOT_LOW // _HOT_STEP] = 1.0
    return out


def _averaged(excess: Float32Array, known: BoolArray, sigma_px: float) -> Float32Array:
    """Mean of the known pixels around each known pixel; others, shadows above all, stay as they are."""
    kernel = gaussian_kernel(sigma_px, radius=math.ceil(3 * sigma_px))
    weight = smooth(known.astype(np.float32), kernel)
    total = smooth(np.where(known, excess, np.float32(0)), kernel)
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return np.where(known, mean, excess)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _kinds_and_hot(
    b02: UInt16Array, b04: UInt16Array, b8a: UInt16Array, water: BoolArray
) -> tuple[UInt8Array, Float32Array]:
    """(2, y, x) kind by NDVI and by NIR, _NO_KIND where nothing can be said, and (y, x) HOT in DN."""
    kinds = np.full((2, *b02.shape), _NO_KIND, dtype=np.uint8)
    hot = np.zeros(b02.shape, dtype=np.float32)
    for row in range(b02.shape[0]):
        for col in range(b02.shape[1]):
            # int() of an unsigned number stays unsigned in compiled code: a difference below 0 would wrap
            blue, red, nir = np.int64(b02[row, col]), np.int64(b04[row, col]), np.int64(b8a[row, col])
            if min(blue, red, nir) == NODATA_DN or max(blue, red, nir) == SATURATED_DN or water[row, col]:
                continue
            ndvi = (nir - red) / (nir + red)
            kinds[0, row, col] = min(max(math.floor((ndvi - _NDVI_LOW) / NDVI_STEP), 0), _KINDS - 1)
            kinds[1, row, col] = min(nir // NIR_STEP, _KINDS - 1)
            hot[row, col] = blue - 0.5 * red
    return kinds, hot


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _count(kind: UInt8Array, hot: Float32Array, usable: BoolArray, cell_px: int) -> Int64Array:
    """Usable pixels by cell, kind and step of HOT."""
    rows, cols = kind.shape
    counts = np.zeros(((rows - 1) // cell_px + 1, (cols - 1) // cell_px + 1, _KINDS, _HOT_STEPS), dtype=np.int64)
    for row in range(rows):
        for col in range(cols):
            if usable[row, col] and kind[row, col] != _NO_KIND:
                step = math.floor((hot[row, col] - _HOT_LOW) / _HOT_STEP)
                counts[row // cell_px, col // cell_px, kind[row, col], min(max(step, 0), _HOT_STEPS - 1)] += 1
    return counts


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _quantiles(windows: Int64Array, rare: Float64Array) -> Float32Array:
    """QUANTILE of HOT by window and kind, DN; fewer than ENOUGH pixels are filled up from the distribution `rare`."""
    rows, cols, kinds, steps = windows.shape
    out = np.empty((rows, cols, kinds), dtype=np.float32)
    for row in range(rows):
        for col in range(cols):
            for kind in range(kinds):
                own = windows[row, col, kind].sum()
                missing = max(0, ENOUGH - own)
                wanted = QUANTILE * (own + missing)
                below, step = 0.0, 0
                here = windows[row, col, kind, 0] + missing * rare[kind, 0]
                while below + here < wanted and step < steps - 1:
                    below += here
                    step += 1
                    here = windows[row, col, kind, step] + missing * rare[kind, step]
                within = (wanted - below) / here if here > 0 else 0.0
                out[row, col, kind] = _HOT_LOW + _HOT_STEP * (step + within)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _excess(kinds: UInt8Array, hot: Float32Array, tables: Float32Array, cell_px: float) -> Float32Array:
    """HOT above the lower of its references, reflectance; references are bilinear between the corners of the cells."""
    out = np.full(hot.shape, np.nan, dtype=np.float32)
    for row in range(hot.shape[0]):
        top = int((row + 0.5) / cell_px)
        down = (row + 0.5) / cell_px - top
        for col in range(hot.shape[1]):
            if kinds[0, row, col] == _NO_KIND:
                continue
            left = int((col + 0.5) / cell_px)
            right = (col + 0.5) / cell_px - left
            lowest = np.inf
            for by in range(2):
                kind = kinds[by, row, col]
                upper = tables[by, top, left, kind] * (1 - right) + tables[by, top, left + 1, kind] * right
                lower = tables[by, top + 1, left, kind] * (1 - right) + tables[by, top + 1, left + 1, kind] * right
                lowest = min(lowest, upper * (1 - down) + lower * down)
            out[row, col] = (hot[row, col] - lowest) / 10000
    return out
