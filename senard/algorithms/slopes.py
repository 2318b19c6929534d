"""Reflectance of slopes brought to what level ground would show under the same sun: the C-correction.

A slope gets `light` times the direct sunlight of level ground: the cosine of the sun's incidence on it over the cosine
of the sun's zenith. Light from the sky falls on all slopes alike. If a share d of what lights level ground comes
straight from the sun, ground of one kind shows

    rho(light) = rho(1) (1 + d (light - 1)),   so that   factor = 1 / (1 + d (light - 1)).

This is (cos z + c) / (cos i + c) with c = cos z (1 - d) / d, the b / m of a regression on cos i; d = 1 is the plain
cosine. The share is fitted by overflight and band to what slopes of an area show, and is 0, so that nothing changes,
where they show nothing, as where a product was corrected before. It is a number from 0 to 1, where c has no bound.

Source: Teillet et al. (1982), Canadian Journal of Remote Sensing 8, 84-106 (C-correction).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from senard.algorithms.levelling import CELL_M, OFFSET_POWER, Cells
from senard.algorithms.terrain import HIGHEST_SUN_ZENITH, Terrain, light_of
from senard.model.arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.land import LAND_GSD
from senard.model.masks import CLASS_CORE, CLASS_SNOW, SCL_BITS
from senard.model.product import AngleGrid
from senard.model.sentinel2 import BANDS, JUDGE_BANDS, Scl

SLOPE = 16
"""Bit of the flags raster: the pixel was brought to the light of level ground."""

LIGHT_UNITS = 10_000
"""Stored number of light as on level ground."""

LEAST_COS = 0.2
"""Ground that the sun meets at a smaller cosine stays as it is (sen2like): what it shows is mostly light of the sky."""

FACTORS = (0.6, 4.0)
"""Bounds of factors. Below 0.5 a rounded number would no longer lead back to the product's own within 1 DN; 4 is the
limit of sen2like."""

STEEP = 0.2
"""Where ground rises by more than this, m per m, what a classification takes for water is a dark slope: 11 degrees."""

LEAST_PIXELS = 50
"""A cell of 600 m with fewer clear and lit pixels of 60 m tells nothing, of 100."""
LEAST_SPREAD = 0.05
"""Nor does one whose light has a smaller standard deviation."""
LEAST_CELLS = 20
"""With fewer cells that tell something nothing is corrected: 7 km²."""
FARTHEST = 5.0
"""What a cell says of a share counts as at most this; ground that changes with light by chance says anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeLight:
    """How the sun of one product lights slopes, (y, x), pixels of 60 m."""

    light: UInt16Array
    """Direct light over that of level ground x LIGHT_UNITS; what would be less than LEAST_COS allows counts as that."""

    lit: BoolArray
    """False where ground is turned away from the sun, or in the shade of other ground: it stays as it is."""

    steep: BoolArray
    """Ground too steep for water."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeFactors:
    """What one band of one scene is multiplied by, between the centres of pixels of 60 m bilinear."""

    values: Float32Array
    """(y, x) float32 on `grid`; (0, 0) changes nothing."""

    grid: Grid
    """Pixels of 60 m, one more than the output on each side; anchored at the origin of the CRS."""

    output: Grid
    """The pixels that are multiplied."""

    @property
    def place(self) -> tuple[float, float, float, float, float]:
        """As of `Correction`: counted from the origin of the CRS, so that a pixel gets the same bits in every tile."""
        own, output = self.grid, self.output
        first = round(-own.top / own.gsd), round(own.left / own.gsd)
        row, col = round(-output.top / output.gsd), round(output.left / output.gsd)
        return float(first[0]), float(first[1]), output.gsd / own.gsd, float(row), float(col)


_NOWHERE = Grid(crs="", left=0.0, top=0.0, gsd=LAND_GSD, width=0, height=0)

NO_SLOPES = SlopeFactors(values=np.zeros((0, 0), np.float32), grid=_NOWHERE, output=_NOWHERE)
"""Leaves every pixel as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeSums:
    """What slopes of one scene show: whole numbers summed by cell of 600 m, so in any order."""

    cells: Cells
    """Where."""

    sums: Int64Array
    """(11, y, x): pixels, light x LIGHT_UNITS, its square, DN of each judge band, and DN times light of each."""

    @classmethod
    def nothing(cls, cells: Cells) -> "SlopeSums":
        """Before anything is added."""
        return cls(cells=cells, sums=np.zeros((3 + 2 * len(JUDGE_BANDS), *cells.shape), dtype=np.int64))

    def add(self, block: Cells, judge: UInt16Array, light: UInt16Array, told: BoolArray) -> None:
        """Add some pixels.

        Args:
            block: cells of the block, within those of the sums.
            judge: (4, y, x) JUDGE_BANDS, DN, on the block's pixels of 60 m.
            light: (y, x) as of SlopeLight.
            told: (y, x) pixels that tell of the ground: clear, lit, no water and no snow.
        """
        counted, values = told.astype(np.int64), judge.astype(np.int64)
        falls = light * counted
        layers = [counted, falls, falls * light.astype(np.int64), *(values * counted), *(values * falls)]
        each = CELL_M // LAND_GSD
        rows, cols = block.shape
        where = block.within(self.cells)
        for number, layer in enumerate(layers):
            self.sums[(number, *where)] += layer.reshape(rows, each, cols, each).sum(axis=(1, 3))


def sun_direction(sun: AngleGrid) -> Float64Array:
    """Where the sun stands: (up, east, north) x node row x node column, a vector of length 1; NaN where unknown."""
    zenith = np.deg2rad(np.minimum(sun.zenith.astype(np.float64), HIGHEST_SUN_ZENITH))
    azimuth = np.deg2rad(sun.azimuth.astype(np.float64))
    return np.stack([np.cos(zenith), np.sin(zenith) * np.sin(azimuth), np.sin(zenith) * np.cos(azimuth)])


def slope_light(terrain: Terrain, sun: Float32Array, mean_sun: tuple[float, float]) -> SlopeLight:
    """How relief lights a part of the mosaic.

    Args:
        terrain: its heights.
        sun: (3, y, x) from `sun_direction`.
        mean_sun: zenith and azimuth of the scene, degrees: what shade is cast by, as where sources are chosen.

    Returns:
        light as on level ground where heights are not known.
    """
    up, east, north = sun
    turn = terrain.north
    right, ahead = east * np.cos(turn) + north * np.sin(turn), north * np.cos(turn) - east * np.sin(turn)
    rise = terrain.slopes
    cosine = (up - rise[0] * right - rise[1] * ahead) / np.sqrt(1 + rise[0] ** 2 + rise[1] ** 2)
    light = np.maximum(cosine, np.float32(LEAST_COS)) / up
    sources = np.ones(up.shape, dtype=np.uint16)
    shaded = light_of(terrain, sources, np.array([(0.0, 0.0), mean_sun], dtype=np.float32)).shaded
    stored = np.minimum(np.rint(light * LIGHT_UNITS), 65535).astype(np.uint16)
    steep = np.hypot(rise[0], rise[1]) > STEEP
    return SlopeLight(light=stored, lit=~shaded & (cosine >= LEAST_COS), steep=steep)


def direct_shares(scenes: Sequence[SlopeSums]) -> dict[str, float]:
    """The share of direct light by judge band, 0-1, four decimals; 0 where slopes do not show any.

    Each cell compares slopes of its own ground: the covariance of reflectance and light over the variance of light,
    relative to reflectance on level ground. The median of the cells holds, weighted by pixels times variance: cells in
    which the ground itself changes from the sunny to the shady side, or a cloud was left, lie on either side of it.

    Args:
        scenes: of one overflight.
    """
    bands = len(JUDGE_BANDS)
    sums = np.concatenate([one.sums.reshape(len(one.sums), -1) for one in scenes], axis=1).astype(np.float64)
    sums = sums[:, sums[0] >= LEAST_PIXELS]
    count, light, square = sums[0], sums[1] / LIGHT_UNITS / sums[0], sums[2] / LIGHT_UNITS**2 / sums[0]
    variance = square - light**2
    known = variance >= LEAST_SPREAD**2
    if known.sum() < LEAST_CELLS:
        return dict.fromkeys(JUDGE_BANDS, 0.0)
    found = {}
    for number, name in enumerate(JUDGE_BANDS):
        mean, product = sums[3 + number] / count, sums[3 + bands + number] / LIGHT_UNITS / count
        rise = (product - mean * light) / np.maximum(mean, 1.0)
        # rho = level (1 + d (light - 1)): rise = d (variance - (light - 1) rise)
        told = np.clip(rise / np.maximum(variance - (light - 1) * rise, 1e-6), -FARTHEST, FARTHEST)
        share = _weighted_median(told[known], (count * variance)[known])
        found[name] = round(min(max(share, 0.0), 1.0), 4)
    return found


def _weighted_median(values: Float64Array, weights: Float64Array) -> float:
    """The value below which half of the weight lies."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def band_share(shares: Mapping[str, float], band: str) -> float:
    """The share of any band from those of the judge bands.

    Between these it is linear in the wavelength to the power OFFSET_POWER, as which the light of the sky falls off, and
    constant beyond them.

    Args:
        shares: from `direct_shares`.
        band: ESA's name.
    """
    nodes = [float(BANDS[name].wavelength_nm) ** OFFSET_POWER for name in reversed(JUDGE_BANDS)]
    known = [shares[name] for name in reversed(JUDGE_BANDS)]
    return round(float(np.interp(float(BANDS[band].wavelength_nm) ** OFFSET_POWER, nodes, known)), 4)


def factors_of(light: UInt16Array, share: float) -> Float32Array:
    """What brings slopes to the light of level ground.

    Args:
        light: (y, x) as of SlopeLight.
        share: of direct light.

    Returns:
        (y, x) float32, within FACTORS.
    """
    change = light.astype(np.float64) / LIGHT_UNITS - 1
    return np.clip(1 / np.maximum(1 + share * change, 1 / FACTORS[1]), *FACTORS).astype(np.float32)


def is_water(classes: UInt8Array, steep: BoolArray) -> BoolArray:
    """Where water lies: not where ground is too steep for it.

    Args:
        classes: (y, x) the band `class` of a mask folder.
        steep: (y, x) as of SlopeLight.
    """
    water: BoolArray = ((classes & np.uint8(SCL_BITS)) == Scl.WATER) & ~steep
    return water


def keeps_light(classes: UInt8Array, steep: BoolArray) -> BoolArray:
    """Where nothing is to be brought to other light: water is level, clouds lie above the slope and shadows get no
    direct light, and snow scatters otherwise than the ground that shares are fitted to. What a classification takes for
    shadow or cloud in specks alone is ground.

    Args:
        classes: (y, x) the band `class` of a mask folder.
        steep: (y, x) as of SlopeLight.
    """
    scl = classes & np.uint8(SCL_BITS)
    unusable = (scl == Scl.NO_DATA) | (scl == Scl.SATURATED_OR_DEFECTIVE) | (scl == Scl.SNOW)
    kept: BoolArray = unusable | is_water(classes, steep) | ((classes & np.uint8(CLASS_SNOW | CLASS_CORE)) > 0)
    return kept
