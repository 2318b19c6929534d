"""What was taken over of the user's rasters for one mosaic: heights and classes in cells, on the mosaic's own pixels.

Cells are anchored at the origin of the CRS, so a pixel has the same values whatever the area and the tiles; they lie in
the work folder, so that workers on other hosts need nothing else.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from senard.errors import IncompleteError
from senard.io.geotiff import Raster, ScratchReader, write_scratch
from senard.model.grid import Grid, Window
from senard.model.land import LAND_GSD

CELL_PX = 512
"""Side of a cell, px: 30.72 km."""


class Layer(Enum):
    """What a cell holds."""

    HEIGHTS = "heights"
    """float32, m; NaN is unknown."""

    COVERS = "covers"
    """uint8, codes of ESA WorldCover; 0 is unknown."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One cell: row counts southwards, col eastwards from the origin of the CRS."""

    row: int
    col: int

    def grid(self, crs: str) -> Grid:
        """Its pixels."""
        side = CELL_PX * LAND_GSD
        return Grid(
            crs=crs,
            left=float(self.col * side),
            top=float(-self.row * side),
            gsd=LAND_GSD,
            width=CELL_PX,
            height=CELL_PX,
        )


def cells_of(grid: Grid) -> Iterator[Cell]:
    """Cells that hold a grid of pixels of 60 m, in reading order."""
    side = CELL_PX * LAND_GSD
    bounds = grid.bounds
    for row in range(math.floor(-bounds.top / side), math.ceil(-bounds.bottom / side)):
        for col in range(math.floor(bounds.left / side), math.ceil(bounds.right / side)):
            yield Cell(row, col)


def write_cell(folder: Path, layer: Layer, cell: Cell, crs: str, pixels: Raster) -> None:
    """Write one cell into an existing folder."""
    write_scratch(folder / _name(layer, cell), cell.grid(crs), {layer.value: pixels})


def read_land(folder: Path, layer: Layer, grid: Grid) -> Raster:
    """Heights or classes of a grid.

    Args:
        folder: from `take_land`.
        layer: what to read.
        grid: pixels of 60 m, anchored at the origin of the CRS.

    Returns:
        (y, x) in the type of the layer.

    Raises:
        IncompleteError: if a cell is missing.
    """
    parts: dict[int, list[Raster]] = {}
    for cell in cells_of(grid):
        parts.setdefault(cell.row, []).append(_part(folder, layer, cell, grid))
    return np.concatenate([np.concatenate(row, axis=1) for row in parts.values()])


def _part(folder: Path, layer: Layer, cell: Cell, grid: Grid) -> Raster:
    """The pixels of a grid that lie in one cell."""
    own = cell.grid(grid.crs)
    row, col = round((own.top - grid.top) / LAND_GSD), round((grid.left - own.left) / LAND_GSD)
    window = Window(
        row_start=max(row, 0),
        row_stop=min(row + grid.height, CELL_PX),
        col_start=max(col, 0),
        col_stop=min(col + grid.width, CELL_PX),
    )
    path = folder / _name(layer, cell)
    if not path.is_file():
        raise IncompleteError(
            f"{folder}: expected {path.name}, found none. Delete the folder and run the whole command again: it is "
            f"then made anew from --dem and --landcover."
        )
    with ScratchReader(path) as reader:
        return reader.read(window, layer.value)


def _name(layer: Layer, cell: Cell) -> str:
    """ "heights_-273_88.tif"."""
    return f"{layer.value}_{cell.row}_{cell.col}.tif"
