"""What a land cover tells the choice: ground that looks like cloud, snow where none is, ice, and water.

A land cover is a few years old and some percent wrong: it never rejects an observation by itself. It decides where
spectra alone leave a doubt.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from senard.algorithms.scoring import Observation, Scored
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.land import Cover
from senard.model.masks import SCL_BITS
from senard.model.sentinel2 import SATURATED_DN, Scl
from senard.model.sources import FLAG_BUFFER, FLAG_SNOW

HIGH_SUN_ZENITH = np.float32(50.0)
"""Snow on towns, bare ground and water is doubted under a sun that stands higher than this, degrees from the zenith."""
SNOW_INDEX = np.float32(0.4)
"""Snow beyond doubt has a normalised difference of red and SWIR above this …"""
SNOW_MAX_B11 = np.float32(1600.0)
"""… a SWIR below this, DN …"""
SNOW_MIN_B8A = np.float32(1100.0)
"""… and a NIR above this, DN: the limits of `looks_like_snow`, red in the place of green, which is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covers:
    """Land cover of a part of the mosaic."""

    codes: UInt8Array
    """(y, x) codes of ESA WorldCover at 60 m; 0 is unknown."""

    @property
    def bright(self) -> BoolArray:
        """Where roofs, sand and salt are to be expected."""
        return np.isin(self.codes, (Cover.BUILT, Cover.BARE))

    @property
    def ice(self) -> BoolArray:
        """Where snow is the ground."""
        return np.equal(self.codes, Cover.ICE)

    def water(self, dark: BoolArray) -> BoolArray:
        """Where water is.

        Args:
            dark: (y, x), True where ground is so dark that it may be water; this tells where the land cover does not.
        """
        return np.where(self.codes == Cover.UNKNOWN, dark, self.codes == Cover.WATER)

    def without_false_snow(
        self, scored: Scored, seen: Observation, sun: Float32Array, grid: Grid, coarse: Grid
    ) -> Scored:
        """The judgement of an observation without the snow that is most likely none.

        Args:
            scored: its judgement by its own scene, on `grid`.
            seen: what it saw, on `grid`.
            sun: (scenes + 1, 2) zenith and azimuth by source number, degrees.
            grid: pixels of 20 m or of 60 m, inside `coarse`.
            coarse: pixels of the land cover.

        Returns:
            level 1 or 4 without FLAG_SNOW over towns, bare ground and water, where the sun stands high and the spectrum
            is not that of snow.
        """
        if not (scored.flags & FLAG_SNOW).any():
            return scored
        level, flags, clear = scored.level.copy(), scored.flags.copy(), scored.clear.copy()
        row, col = round((coarse.top - grid.top) / grid.gsd), round((grid.left - coarse.left) / grid.gsd)
        places = (self.codes, row, col, coarse.gsd // grid.gsd)
        zenith = np.ascontiguousarray(sun[:, 0])
        _unsnow(seen.source, seen.mask[0], seen.judge, zenith, *places, level, flags, clear)
        return replace(scored, level=level, flags=flags, clear=clear)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _unsnow(
    source: UInt16Array,
    classes: UInt8Array,
    judge: UInt16Array,
    zenith: Float32Array,
    codes: UInt8Array,
    first_row: int,
    first_col: int,
    ratio: int,
    level: UInt8Array,
    flags: UInt8Array,
    clear: UInt8Array,
) -> None:
    """Change level, flags and clear in place."""
    for row in range(level.shape[0]):
        for col in range(level.shape[1]):
            if level[row, col] != 4 or not flags[row, col] & FLAG_SNOW:
                continue
            code = codes[(row + first_row) // ratio, (col + first_col) // ratio]
            doubtful = code == Cover.BUILT or code == Cover.BARE or code == Cover.WATER
            if not doubtful or zenith[source[row, col]] >= HIGH_SUN_ZENITH:
                continue
            red, nir = np.float32(judge[1, row, col]), np.float32(judge[2, row, col])
            swir = np.float32(judge[3, row, col])
            if swir < SNOW_MAX_B11 and nir > SNOW_MIN_B8A and red - swir > SNOW_INDEX * (red + swir):
                continue
            saturated = (classes[row, col] & SCL_BITS) == Scl.SATURATED_OR_DEFECTIVE
            for band in range(4):
                saturated = saturated or judge[band, row, col] == SATURATED_DN
            flags[row, col] &= 255 - FLAG_SNOW
            if not saturated:
                clear[row, col] = 1
                if not flags[row, col] & FLAG_BUFFER:
                    level[row, col] = 1
