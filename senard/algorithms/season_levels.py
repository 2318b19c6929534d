"""Overflights drawn to what the ground usually looks like, in visible bands alone.

What the correction of the atmosphere left wrong differs from date to date, is smooth, and shows most in blue. On ground
that has not changed, the difference of the haze index HOT = B02 - B04 / 2 between an overflight and its background
tells it: harvest and green-up move HOT little, whereas red or blue by themselves would be drawn to the greenest date.
With Gaussian means G over the lattice of cells of `levelling`

    delta = w min(max(G(sum of differences) / G(count), -cap), cap),   w from the share of stable ground

is what the overflight lacks in blue: a surface, or one number. Longer waves get less, as aerosol scatters them less; in
the near infrared and beyond differences are the season itself, and stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from senard.algorithms.background import REFERENCES, Background
from senard.algorithms.levelling import CELL_M, SAMPLE_M, Cells, extinction, per_cell
from senard.algorithms.smoothing import gaussian_kernel, smooth
from senard.model.arrays import BoolArray, Float32Array, UInt16Array
from senard.model.sentinel2 import BANDS, JUDGE_BANDS

SIGMA_M = 1000.0
"""Width of the low-pass, m of the mosaic's CRS."""
REACH_CELLS = 5
"""Reach of the low-pass, cells: 3 sigma."""
STABLE_SHARE = 0.3
"""Ground that differs by less than this share of itself, in all judge bands, has not changed."""
STABLE_HOT = 150.0
"""Ground whose HOT differs by more has changed, or lies under haze that nobody found, DN."""
LEAST_STABLE = 0.25
"""Share of stable ground from which on a correction counts."""
FULL_STABLE = 0.5
"""Share of stable ground from which on it counts in full."""
FULL_SEEN = 0.05
"""Weighted share of clear pixels from which on a surface is trusted; below it fades."""
LIFT_DN = 6.0
"""Added to the background's haze index, which is a low quantile: even spotless dates scatter around more, DN."""
LEAST_DATES = 3
"""With fewer observations nothing is usual."""
CAP_DN = 100.0
"""Largest correction of blue, DN: 0.01 reflectance."""
HOT_PER_BLUE = 1 - 0.5 * extinction(BANDS["B04"].wavelength_nm) / extinction(BANDS["B02"].wavelength_nm)
"""By how much aerosol that adds 1 to B02 raises HOT."""
PER_CELL = (CELL_M // SAMPLE_M) ** 2
"""Pixels of a cell."""

_STABLE_LAYERS = [REFERENCES.index(name) for name in ("B02", "dark_B04", "dark_B8A", "dark_B11")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """Sums over the pixels of one overflight, per cell; filled block by block."""

    cells: Cells
    """Where."""

    seen: Float32Array
    """(y, x) float32, clear pixels whose usual look is known, 0-100."""

    stable: Float32Array
    """(y, x) float32, those among them that have not changed."""

    difference: Float32Array
    """(y, x) float32, sum of usual minus seen HOT over the stable ones, DN."""

    @classmethod
    def nothing(cls, cells: Cells) -> "Season":
        """Before anything is compared."""
        seen, stable, difference = np.zeros((3, *cells.shape), np.float32)
        return cls(cells=cells, seen=seen, stable=stable, difference=difference)


def compare_with_usual(
    into: Season,
    block: Cells,
    judge: UInt16Array,
    clear: BoolArray,
    usual: Background,
    already: Sequence[tuple[BoolArray, Float32Array]] = (),
) -> None:
    """Add one block's pixels.

    Args:
        into: filled in place.
        block: cells of the block, within those of `into`.
        judge: (4 or more, y, x) JUDGE_BANDS of the overflight on the block's pixels of SAMPLE_M.
        clear: (y, x) pixels that may be compared.
        usual: background of the overflight's date.
        already: of each granule that is corrected anyway, its pixels, and the correction by cell of the block:
            (JUDGE_BANDS, y, x) DN.
    """
    bands = judge[: len(JUDGE_BANDS)].astype(np.float32)
    known = clear & (usual.count >= LEAST_DATES)
    ground = np.where(known, usual.values[_STABLE_LAYERS], np.float32(0))
    difference = np.where(
        known, usual.values[REFERENCES.index("hot")] + np.float32(LIFT_DN) - _hot(bands), np.float32(0)
    )
    stable = known & np.all(np.abs(ground - bands) < ground * np.float32(STABLE_SHARE), axis=0)
    stable &= np.abs(difference) < STABLE_HOT
    where = block.within(into.cells)
    into.seen[where] += per_cell(known.astype(np.float32))
    into.stable[where] += per_cell(stable.astype(np.float32))
    into.difference[where] += per_cell(difference * stable)
    for pixels, added in already:
        into.difference[where] -= per_cell((stable & pixels).astype(np.float32)) * _hot(added)


def surface(season: Season) -> Float32Array:
    """What one overflight lacks in blue, smooth: (y, x) float32, DN of B02."""
    kernel = gaussian_kernel(SIGMA_M / CELL_M, radius=REACH_CELLS)
    seen, stable, difference = (
        smooth(np.pad(values, REACH_CELLS), kernel) for values in (season.seen, season.stable, season.difference)
    )
    weight = _weight(stable, seen) * np.minimum(seen / np.float32(FULL_SEEN * PER_CELL), 1)
    wanted = _blue((difference / np.maximum(stable, np.float32(1e-6))).astype(np.float32))
    inner: Float32Array = (weight * wanted)[REACH_CELLS:-REACH_CELLS, REACH_CELLS:-REACH_CELLS].astype(np.float32)
    return inner


def constant(season: Season, area: BoolArray) -> Float32Array:
    """What one overflight lacks in blue on average.

    Args:
        season: filled.
        area: (y, x) cells that count.

    Returns:
        (y, x) float32, DN of B02, the same everywhere.
    """
    seen, stable, difference = (
        np.float32(values[area].sum(dtype=np.float64)) for values in (season.seen, season.stable, season.difference)
    )
    wanted = _weight(stable, seen) * _blue(difference / max(stable, np.float32(1)))
    return np.full(season.cells.shape, wanted, np.float32)


def _hot(bands: Float32Array) -> Float32Array:
    """Haze index of (4, y, x) JUDGE_BANDS."""
    hot: Float32Array = bands[0] - np.float32(0.5) * bands[1]
    return hot


def _blue(hot: Float32Array | np.float32) -> Float32Array:
    """Difference in blue that aerosol makes together with one in HOT, within bounds."""
    wanted: Float32Array = np.asarray(np.clip(hot / np.float32(HOT_PER_BLUE), -CAP_DN, CAP_DN), dtype=np.float32)
    return wanted


def _weight(stable: Float32Array | np.float32, seen: Float32Array | np.float32) -> Float32Array:
    """How far a correction counts, by the share of stable ground."""
    share = stable / np.maximum(seen, np.float32(1e-6))
    weight: Float32Array = np.asarray(
        np.clip((share - LEAST_STABLE) / (FULL_STABLE - LEAST_STABLE), 0, 1), dtype=np.float32
    )
    return weight
