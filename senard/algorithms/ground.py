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
    values: Float32Array, known: BoolArray, grid: Grid, sigma_m: float
) -> tuple[Float32Array, Float32Array]:
    """Mean of what is known in each pixel's Gaussian neighbourhood on the ground.

    Args:
        values: (y, x) float32.
        known: (y, x), True where a value counts.
        grid: the pixels.
        sigma_m: standard deviation of the neighbourhood, m; it is cut at `reach_px`.

    Returns:
        (y, x) float32: the mean, and the share of the neighbourhood that is known, 0-1.
    """
    weights = known.astype(np.float32)
    parts = np.where(known, values, np.float32(0))
    mean, share = np.empty_like(parts), np.empty_like(parts)
    for section in row_sections(grid):
        radius = reach_px(section.pixel_m, sigma_m)
        kernel = gaussian_kernel(sigma_m / section.pixel_m, radius=radius)
        start, stop = max(0, section.row_start - radius), min(grid.height, section.row_stop + radius)
        rows = slice(section.row_start - start, section.row_stop - start)
        there = smooth(weights[start:stop], kernel)[rows]
        share[section.row_start : section.row_stop] = there
        sums = smooth(parts[start:stop], kernel)[rows]
        mean[section.row_start : section.row_stop] = sums / np.maximum(there, np.float32(1e-6))
    return mean, share


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
