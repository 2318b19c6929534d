"""How large a pixel of the mosaic is on the ground, from its absolute position alone."""

import math
from dataclasses import dataclass
from functools import lru_cache

from pyproj import CRS, Transformer

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
