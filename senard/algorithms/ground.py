"""How large a pixel of the mosaic is on the ground, from its absolute position alone."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pyproj import CRS, Transformer

from senard.algorithms.smoothing import gaussian_kernel, smooth
from senard.model.arrays import BoolArray, Float32Array
from senard.model.grid import Grid

SECTION_M = 100_000
"""Rows whose y lies between two multiples of this share one ground size: it changes by 1 % over them at 60 degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSection:
    """Rows [row_start, row_stop) of a grid with one ground size of the pixel."""

    row_start: int
    """First row."""

    row_stop: int
    """Row after the last."""

    pixel_m: float
    """Side of a pixel on the ground, m: 20 in UTM, 10 in EPSG:3857 at 60 degrees north."""


def row_sections(grid: Grid) -> tuple[RowSection, ...]:
    """Cut a grid into sections anchored at y = 0 of its CRS, so that neighbouring grids agree on every row.

    Args:
        grid: any part of the mosaic's grid; its top is a multiple of its gsd.

    Returns:
        sections from the first row to the last, without gaps.
    """
    sections = []
    row = 0
    while row < grid.height:
        section = math.ceil((grid.top - row * grid.gsd) / SECTION_M) - 1
        stop = min(grid.height, math.ceil((grid.top - section * SECTION_M) / grid.gsd))
        pixel_m = grid.gsd * _ground_metres(grid.crs, (section + 0.5) * SECTION_M)
        sections.append(RowSection(row_start=row, row_stop=stop, pixel_m=pixel_m))
        row = stop
    return tuple(sections)


def reach_px(pixel_m: float, sigma_m: float) -> int:
    """Pixels that a Gaussian neighbourhood reaches: three standard deviations.

    Args:
        pixel_m: side of a pixel on the ground, m.
        sigma_m: standard deviation, m.
    """
    return math.ceil(3 * sigma_m / pixel_m)


def mean_around(
    values: Float32Array,
    known: BoolArray,
    grid: Grid,
    sigma_m: float,
    *,
    share: Float32Array | None = None,
    at: BoolArray | None = None,
) -> tuple[Float32Array, Float32Array]:
    """Mean of what is known in each pixel's Gaussian neighbourhood on the ground.

    Args:
        values: (y, x) float32.
        known: (y, x), True where a value counts.
        grid: the pixels.
        sigma_m: standard deviation of the neighbourhood, m; it is cut at `reach_px`.
        share: what this returned as share for the same `known` and `sigma_m`; None: not worked out yet.
        at: (y, x), True where both are wanted; None: everywhere. A wide neighbourhood of few pixels costs less.

    Returns:
        (y, x) float32: the mean, and the share of the neighbourhood that is known, 0-1; 0 where not wanted, or they.
    """
    everywhere = bool(known.all())
    if share is None:
        weights, wanted = (np.ones((grid.height, 1), np.float32), None) if everywhere else (known, at)
        share = _smooth_on_ground(weights, grid, sigma_m, wanted)
        share = np.broadcast_to(share, grid.shape)  # all alike along a row where all is known
    mean = _smooth_on_ground(values if everywhere else np.where(known, values, np.float32(0)), grid, sigma_m, at)
    mean /= np.maximum(share, np.float32(1e-6))
    return mean, share


def _smooth_on_ground(
    values: Float32Array | BoolArray, grid: Grid, sigma_m: float, at: BoolArray | None
) -> Float32Array:
    """Sum of Gaussian weights x values around each pixel wanted; the weights fit the rows' pixel on the ground."""
    values = values.astype(np.float32, copy=False)
    sections = row_sections(grid)
    parts = []
    for section in sections:
        radius = reach_px(section.pixel_m, sigma_m)
        kernel = gaussian_kernel(sigma_m / section.pixel_m, radius=radius)
        start, stop = max(0, section.row_start - radius), min(grid.height, section.row_stop + radius)
        wanted = None if at is None else np.zeros((stop - start, grid.width), dtype=np.bool_)
        own = slice(section.row_start - start, section.row_stop - start)
        if at is not None and wanted is not None:
            wanted[own] = at[section.row_start : section.row_stop]
        parts.append(smooth(values[start:stop], kernel, at=wanted)[own])
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@lru_cache(maxsize=4096)
def _ground_metres(crs: str, y: float) -> float:
    """Metres on the ground per metre of the CRS: cos(latitude) in a Mercator of the whole world, else 1.

    UTM, LAEA and national grids distort by less than 5 %, which no rule here feels.
    """
    definition = CRS.from_user_input(crs)
    method = definition.coordinate_operation.method_name if definition.coordinate_operation else ""
    if "Mercator" not in method or "Transverse" in method:
        return 1.0
    latitude = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(0.0, y)[1]
    return math.cos(math.radians(latitude))
