"""Reflectance brought from the satellite's direction to straight above: the c-factor.

Ground is brighter towards the sun's side than away from it, so that what two orbits saw from east and west differs. The
shape of this dependence is taken to be the same everywhere, that of the mean land of a year of MODIS:

    c = f(sun, nadir) / f(sun, view),   f = f_iso + f_vol K_vol + f_geo K_geo

with the kernels Ross-Thick (leaves) and Li-Sparse-Reciprocal (objects with shadows). The sun stays where it was.

Source: Roy et al. (2016), Remote Sensing of Environment 176, 255-271 (method; blue, green, red, NIR, SWIR); Roy et al.
(2017), Remote Sensing of Environment 199, 25-38 (Sentinel-2, red edge); kernels: Wanner et al. (1995), Lucht et al.
(2000).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pyproj import Transformer

from senard.model.arrays import BoolArray, Float32Array, Float64Array, UInt8Array
from senard.model.grid import Grid
from senard.model.masks import CLASS_SNOW, SCL_BITS
from senard.model.product import AngleGrid
from senard.model.sentinel2 import DELIVERED_BANDS, Scl

NADIR = 4
"""Bit of the flags raster: the pixel was brought to the view from straight above."""

NODE_STEP_M = 5000.0
"""Distance of the nodes at which a product states angles, m."""

CROWN_HEIGHT = 2.0
"""Height of the crowns' centres over their half height, h/b of Li-Sparse; crowns are round, b/r = 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anisotropy:
    """How one band of mean land depends on direction; reflectance, unitless."""

    isotropic: float
    """f_iso: 0.1690."""

    volume: float
    """f_vol: 0.0574."""

    surface: float
    """f_geo: 0.0227."""


_NIR = Anisotropy(isotropic=0.3093, volume=0.1535, surface=0.0330)

ANISOTROPY: dict[str, Anisotropy] = {
    "B02": Anisotropy(isotropic=0.0774, volume=0.0372, surface=0.0079),
    "B03": Anisotropy(isotropic=0.1306, volume=0.0580, surface=0.0178),
    "B04": Anisotropy(isotropic=0.1690, volume=0.0574, surface=0.0227),
    "B05": Anisotropy(isotropic=0.2085, volume=0.0845, surface=0.0256),
    "B06": Anisotropy(isotropic=0.2316, volume=0.1003, surface=0.0273),
    "B07": Anisotropy(isotropic=0.2599, volume=0.1197, surface=0.0294),
    "B08": _NIR,
    "B8A": _NIR,
    "B11": Anisotropy(isotropic=0.3430, volume=0.1154, surface=0.0453),
    "B12": Anisotropy(isotropic=0.2658, volume=0.0639, surface=0.0387),
}
"""Band to its dependence on direction. Source: Roy et al. (2016), table 5; B05 to B07 Roy et al. (2017)."""


def ross_thick(sun_zenith: Float64Array, view_zenith: Float64Array, between: Float64Array) -> Float64Array:
    """The volume kernel: a dense layer of small leaves.

    Args:
        sun_zenith: radians.
        view_zenith: radians, any shape that goes with the others.
        between: azimuth between sun and satellite, radians; 0 where the sun is behind the satellite.

    Returns:
        Unitless; 0 for sun and satellite straight above.
    """
    phase = _phase(sun_zenith, view_zenith, between)
    scattered = (np.pi / 2 - phase) * np.cos(phase) + np.sin(phase)
    kernel: Float64Array = scattered / (np.cos(sun_zenith) + np.cos(view_zenith)) - np.pi / 4
    return kernel


def li_sparse(sun_zenith: Float64Array, view_zenith: Float64Array, between: Float64Array) -> Float64Array:
    """The surface kernel: sparse round crowns and their shadows, reciprocal; arguments and result as `ross_thick`."""
    sun, view = np.tan(sun_zenith), np.tan(view_zenith)
    secants = 1 / np.cos(sun_zenith) + 1 / np.cos(view_zenith)
    distance = sun**2 + view**2 - 2 * sun * view * np.cos(between)
    overlap = CROWN_HEIGHT * np.sqrt(np.maximum(distance + (sun * view * np.sin(between)) ** 2, 0.0)) / secants
    angle = np.arccos(np.clip(overlap, -1.0, 1.0))
    common = (angle - np.sin(angle) * np.cos(angle)) * secants / np.pi
    lit = (1 + np.cos(_phase(sun_zenith, view_zenith, between))) / (2 * np.cos(sun_zenith) * np.cos(view_zenith))
    kernel: Float64Array = common - secants + lit
    return kernel


def _phase(sun_zenith: Float64Array, view_zenith: Float64Array, between: Float64Array) -> Float64Array:
    """Angle between the directions to the sun and to the satellite, radians."""
    upright = np.cos(sun_zenith) * np.cos(view_zenith)
    cosine = upright + np.sin(sun_zenith) * np.sin(view_zenith) * np.cos(between)
    phase: Float64Array = np.arccos(np.clip(cosine, -1.0, 1.0))
    return phase


def nadir_factors(sun: AngleGrid, view: AngleGrid) -> Float64Array:
    """What brings a product to the view from straight above, at its nodes.

    Args:
        sun: direction to the sun.
        view: direction to the satellite, azimuths counted as the sun's.

    Returns:
        (band, node row, node column) float64, DELIVERED_BANDS; NaN where an angle is not known.
    """
    sun_zenith, view_zenith = (np.deg2rad(grid.zenith.astype(np.float64)) for grid in (sun, view))
    between = np.deg2rad(sun.azimuth.astype(np.float64) - view.azimuth.astype(np.float64))
    seen = [kernel(sun_zenith, view_zenith, between) for kernel in (ross_thick, li_sparse)]
    above = [kernel(sun_zenith, np.zeros_like(view_zenith), between) for kernel in (ross_thick, li_sparse)]
    return np.stack([_reflected(band, *above) / _reflected(band, *seen) for band in DELIVERED_BANDS])


def _reflected(band: str, volume: Float64Array, surface: Float64Array) -> Float64Array:
    """Reflectance of mean land."""
    land = ANISOTROPY[band]
    return land.isotropic + land.volume * volume + land.surface * surface


def factors_on(cells: Grid, product: Grid, factors: Float64Array) -> Float32Array:
    """Bring factors from a product's nodes to the centres of cells, bilinear; beyond the nodes the outermost hold.

    A cell's factor depends on its place alone, not on the cells around.

    Args:
        cells: in the mosaic's CRS.
        product: a grid of the product: its upper left corner is node (0, 0).
        factors: (band, node row, node column), from `nadir_factors`.

    Returns:
        (band, y, x) float32; 1 where the transform does not reach.
    """
    x = cells.left + (np.arange(cells.width) + 0.5) * cells.gsd
    y = cells.top - (np.arange(cells.height) + 0.5) * cells.gsd
    east, north = _transformer(cells.crs, product.crs).transform(*np.meshgrid(x, y))
    reached = np.isfinite(east) & np.isfinite(north)
    row = _within(np.where(reached, (product.top - north) / NODE_STEP_M, 0.0), factors.shape[1])
    col = _within(np.where(reached, (east - product.left) / NODE_STEP_M, 0.0), factors.shape[2])
    top = np.minimum(row.astype(np.intp), factors.shape[1] - 2)
    left = np.minimum(col.astype(np.intp), factors.shape[2] - 2)
    down, right = row - top, col - left
    upper = factors[:, top, left] * (1 - right) + factors[:, top, left + 1] * right
    lower = factors[:, top + 1, left] * (1 - right) + factors[:, top + 1, left + 1] * right
    return np.where(reached, upper * (1 - down) + lower * down, 1.0).astype(np.float32)


def _within(place: Float64Array, nodes: int) -> Float64Array:
    """Moved between the first and the last node."""
    return np.clip(place, 0.0, float(nodes - 1))


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    """One PROJ pipeline per pair of CRSs."""
    return Transformer.from_crs(source, target, always_xy=True)


def has_no_factor(classes: UInt8Array) -> BoolArray:
    """Where nothing is to be brought to another view: water, which mirrors, and snow, which scatters otherwise.

    Args:
        classes: (y, x) the band `class` of a mask folder.
    """
    scl = classes & np.uint8(SCL_BITS)
    excluded: BoolArray = (scl == Scl.WATER) | (scl == Scl.SNOW) | ((classes & np.uint8(CLASS_SNOW)) > 0)
    return excluded
