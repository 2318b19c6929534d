"""What is done to the numbers of a scene after resampling: levelled, brought to another view, to other light."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from senard.algorithms.levelling import NO_CORRECTION, Cells, Correction, Levels, band_correction, cells_of
from senard.algorithms.slopes import NO_SLOPES, SlopeFactors, band_share, factors_of
from senard.errors import UnusableSceneError
from senard.io.factors_folder import read_factors
from senard.io.geotiff import Raster
from senard.io.levels_folder import read_levels
from senard.io.slopes_folder import read_light, read_shares
from senard.model.arrays import UInt16Array
from senard.model.grid import Grid
from senard.model.land import LAND_GSD
from senard.model.sentinel2 import DELIVERED_BANDS

Change: TypeAlias = tuple[Correction, SlopeFactors]
"""What one band of some pixels is corrected by, and multiplied by after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nadir:
    """How pixels are brought to the view from straight above."""

    factors: Path
    """Folder that `normalise_views` made."""

    masks: Mapping[int, Path]
    """Source number to mask folder: tells water and snow, which stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """How pixels are brought to the light of level ground."""

    folder: Path
    """Folder that `correct_slopes` made."""

    masks: Mapping[int, Path]
    """Source number to mask folder: tells water, snow, clouds and shadows, which stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneChanges:
    """What the numbers of one scene are changed by in one tile."""

    output: Grid
    """The tile's pixels."""

    levels: Levels | None
    """Corrections on the cells around the tile; None for a scene without."""

    factors: Raster | None
    """(band, y, x) float32, DELIVERED_BANDS, on the same cells; None where the view is left as it is."""

    light: UInt16Array | None
    """(y, x) as of `SlopeLight`, on pixels of 60 m around the tile; None where slopes are left as they are."""

    direct: Mapping[str, float]
    """Judge band to share of direct light."""

    @classmethod
    def read(
        cls, number: int, output: Grid, levels: Path | None, nadir: Nadir | None, slopes: Slopes | None
    ) -> "SceneChanges":
        """What was found for one source; None for a folder stands for what is not asked for.

        Raises:
            UnusableSceneError: the scene has no factor for its view.
        """
        cells = _cells(output).grid(output.crs)
        layers = None if levels is None else read_levels(levels, number, cells)
        factors = None if nadir is None else read_factors(nadir.factors, number, cells)
        light = None if slopes is None else read_light(slopes.folder, number, _around(output))
        if nadir is not None and factors is None:
            raise UnusableSceneError(
                "its XML states no angles of sun and satellite, so that it cannot be brought to the view from straight "
                "above. Fetch the product again, or ask without --brdf nbar."
            )
        return cls(
            output=output,
            levels=None if layers is None else Levels.of(layers),
            factors=factors,
            light=None if light is None else light[0],
            direct={} if slopes is None else read_shares(slopes.folder).get(number, {}),
        )

    def of_band(self, band: str, *, to_nadir: bool, to_level: bool) -> Change:
        """What one band is changed by: levelled first, then brought to the view, then to the light.

        Args:
            band: ESA's name.
            to_nadir: whether the pixels are brought to the view from straight above.
            to_level: whether they are brought to the light of level ground.
        """
        return self._correction(band, to_nadir), self._slopes(band) if to_level else NO_SLOPES

    def _correction(self, band: str, to_nadir: bool) -> Correction:
        factors = self.factors if to_nadir else None
        if self.levels is None and factors is None:
            return NO_CORRECTION
        cells = _cells(self.output)
        if self.levels is None:
            offset, gain = np.zeros(cells.shape, np.float32), np.zeros(cells.shape, np.float32)
        else:
            offset, gain = band_correction(self.levels, band)
        if factors is not None:
            factor = factors[DELIVERED_BANDS.index(band)]
            offset, gain = offset * factor, (1 + gain) * factor - 1
        return Correction(offset=offset, gain=gain, cells=cells, output=self.output)

    def _slopes(self, band: str) -> SlopeFactors:
        if self.light is None:
            return NO_SLOPES
        values = factors_of(self.light, band_share(self.direct, band))
        return SlopeFactors(values=values, grid=_around(self.output), output=self.output)


def _cells(grid: Grid) -> Cells:
    """Cells of corrections that the pixels of a tile lie between."""
    bounds = grid.bounds
    return cells_of(bounds.left, bounds.bottom, bounds.right, bounds.top, pad=1)


def _around(grid: Grid) -> Grid:
    """Pixels of 60 m, anchored at the origin of the CRS, that the pixels of a tile lie between."""
    bounds = grid.bounds
    left, right = math.floor(bounds.left / LAND_GSD), math.ceil(bounds.right / LAND_GSD)
    bottom, top = math.floor(bounds.bottom / LAND_GSD), math.ceil(bounds.top / LAND_GSD)
    inner = Grid(
        crs=grid.crs,
        left=float(left * LAND_GSD),
        top=float(top * LAND_GSD),
        gsd=LAND_GSD,
        width=right - left,
        height=top - bottom,
    )
    return inner.padded(1)
