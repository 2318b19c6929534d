"""Reflectance of slopes brought to what level ground would show under the same sun: the C-correction.

A slope gets `light` times the direct sunlight of level ground: the cosine of the sun's incidence on it over the cosine
of the sun's zenith. Light from the sky falls on all slopes alike. If a share d of what lights level ground comes
straight from the sun, ground of one kind shows

    rho(light) = rho(1) (1 + d (light - 1)),   so that   factor = 1 / (1 + d (light - 1)).

This is (cos z + c) / (cos i + c) with c = cos z (1 - d) / d, the b / m of a regression on cos i; d = 1 is the plain
cosine. The share is fitted by overflight and band to what slopes of an area show, and is 0, so that nothing changes,
where they show nothing, as where a product was corrected before. It is a number from 0 to 1, where c has no bound.

Source: Teillet et al. (1982), Canadian Journal of Remote Sensing 8, 84-106 (C-correction); strata of greenness after
Reese and Olsson (2011), Remote Sensing of Environment 115, 2781-2796.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from senard.algorithms.levelling import OFFSET_POWER
from senard.algorithms.terrain import HIGHEST_SUN_ZENITH, Terrain, light_of
from senard.model.arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.land import LAND_GSD
from senard.model.masks import CLASS_SNOW, SCL_BITS
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

LEAST_SLOPE = 0.1
"""Ground less steep than this tells nothing of the share, m per m: 5.7 degrees."""

LIGHT_STEP = 0.05
"""Width of the classes of light that reflectance is compared between."""
LIGHT_CLASSES = 50
"""Number of these classes: up to 2.5."""
DN_STEP = 4
"""Width of the classes of reflectance that medians are taken from, DN."""
DN_CLASSES = 2500
"""Number of these classes: up to reflectance 1."""
GREEN_EDGES = (0.3, 0.6)
"""Greenness (NDVI) between the strata of bare, mixed and green ground, for sunny and shaded slopes often bear different
vegetation. Light moves greenness too, so edges lie where little ground does."""

LEAST_IN_CLASS = 30
"""A class of light with fewer pixels of 60 m has no median."""
MOST_IN_CLASS = 300
"""More pixels than this give a class no more weight: slopes across the light are the most frequent and tell least."""
LEAST_IN_STRATUM = 500
"""A stratum with fewer pixels of 60 m tells nothing: 1.8 km²."""
LEAST_SPREAD = 0.1
"""Nor does one whose light has a smaller standard deviation."""

_KEPT = (
    *(Scl.NO_DATA, Scl.SATURATED_OR_DEFECTIVE, Scl.CLOUD_SHADOW, Scl.WATER, Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH),
    *(Scl.THIN_CIRRUS, Scl.SNOW),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeLight:
    """How the sun of one product lights slopes, (y, x), pixels of 60 m."""

    light: UInt16Array
    """Direct light over that of level ground x LIGHT_UNITS; what would be less than LEAST_COS allows counts as that."""

    lit: BoolArray
    """False where ground is turned away from the sun, or in the shade of other ground: it stays as it is."""


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
class SlopeSample:
    """What slopes of one overflight show: counts that pixels are added to, in any order."""

    counts: Int64Array
    """(judge band, stratum, class of light, class of DN)."""

    @classmethod
    def nothing(cls) -> "SlopeSample":
        """Before anything is added."""
        return cls(counts=np.zeros((len(JUDGE_BANDS), len(GREEN_EDGES) + 1, LIGHT_CLASSES, DN_CLASSES), dtype=np.int64))

    def add(self, judge: UInt16Array, light: UInt16Array, usable: BoolArray) -> None:
        """Count some pixels.

        Args:
            judge: (4, y, x) JUDGE_BANDS, DN.
            light: (y, x) as of SlopeLight.
            usable: (y, x) which of them tell of the ground: clear, lit, steep enough, no water and no snow.
        """
        values = judge[:, usable].astype(np.int64)
        red, infrared = (values[JUDGE_BANDS.index(name)] for name in ("B04", "B8A"))
        green = (infrared - red) / np.maximum(infrared + red, 1)
        stratum = np.digitize(green, GREEN_EDGES).astype(np.int64)
        place = light[usable].astype(np.int64) // round(LIGHT_STEP * LIGHT_UNITS)
        known = (place < LIGHT_CLASSES) & (values.max(axis=0) < DN_STEP * DN_CLASSES)
        for band, dn in enumerate(values):
            index = ((stratum * LIGHT_CLASSES + place) * DN_CLASSES + dn // DN_STEP)[known]
            self.counts[band] += np.bincount(index, minlength=self.counts[band].size).reshape(self.counts[band].shape)


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
    return SlopeLight(light=stored, lit=~shaded & (cosine >= LEAST_COS))


def is_steep(terrain: Terrain) -> BoolArray:
    """(y, x) ground that tells of the share."""
    steep: BoolArray = np.hypot(terrain.slopes[0], terrain.slopes[1]) >= LEAST_SLOPE
    return steep


def direct_shares(sample: SlopeSample) -> dict[str, float]:
    """The share of direct light by judge band, 0-1, four decimals; 0 where slopes do not show any.

    In each stratum the medians of the classes of light are fitted by a line, least squares with weights; its rise over
    its value on level ground is the share. Strata count by what they know: pixels times variance of light.
    """
    centres = (np.arange(LIGHT_CLASSES) + 0.5) * LIGHT_STEP
    known, shares = 0.0, np.zeros(len(JUDGE_BANDS))
    for counts in sample.counts.swapaxes(0, 1):
        numbers = counts[0].sum(axis=1)
        weights = np.where(numbers >= LEAST_IN_CLASS, np.minimum(numbers, MOST_IN_CLASS), 0).astype(np.float64)
        if numbers.sum() < LEAST_IN_STRATUM or not weights.any():
            continue
        middle = np.average(centres, weights=weights)
        away = centres - middle
        spread = float((weights * away**2).sum() / weights.sum())
        if spread < LEAST_SPREAD**2:
            continue
        medians = np.stack([_medians(band) for band in counts])
        rise = (medians * weights * away).sum(axis=1) / weights.sum() / spread
        level = (medians * weights).sum(axis=1) / weights.sum() + rise * (1 - middle)
        told = spread * float(numbers.sum())
        shares += told * np.clip(rise / np.maximum(level, 1.0), -1.0, 1.0)
        known += told
    found = np.clip(shares / known, 0.0, 1.0) if known else shares
    return {name: round(float(share), 4) for name, share in zip(JUDGE_BANDS, found, strict=True)}


def _medians(counts: Int64Array) -> Float64Array:
    """Median DN of each class of light, between the edges of a class of DN linear; 0 for a class without pixels."""
    below = np.cumsum(counts, axis=1)
    half = below[:, -1] / 2
    place = (below < half[:, None]).sum(axis=1)
    rows = np.arange(len(counts))
    here = counts[rows, place]
    inside = (half - (below[rows, place] - here)) / np.maximum(here, 1)
    return np.where(half > 0, (place + inside) * DN_STEP, 0.0)


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


def keeps_light(classes: UInt8Array) -> BoolArray:
    """Where nothing is to be brought to other light: water is level, clouds lie above the slope and shadows get no
    direct light, and snow scatters otherwise than the ground that shares are fitted to.

    Args:
        classes: (y, x) the band `class` of a mask folder.
    """
    kept: BoolArray = _in(classes & np.uint8(SCL_BITS), _KEPT) | ((classes & np.uint8(CLASS_SNOW)) > 0)
    return kept


def _in(scl: UInt8Array, classes: Sequence[Scl]) -> BoolArray:
    table = np.zeros(SCL_BITS + 1, dtype=np.bool_)
    table[[int(value) for value in classes]] = True
    found: BoolArray = table[scl]
    return found
