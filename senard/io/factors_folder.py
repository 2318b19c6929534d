"""The folder of factors that bring scenes to the view from straight above: <source>.tif on cells of 600 m."""

from pathlib import Path

from senard.io.geotiff import Raster, write_scratch
from senard.io.levels_folder import read_cells
from senard.model.grid import Grid
from senard.model.sentinel2 import DELIVERED_BANDS


def write_factors(folder: Path, source: int, grid: Grid, factors: Raster) -> None:
    """Write the factors of one scene: (band, y, x) float32, DELIVERED_BANDS."""
    write_scratch(folder / f"{source}.tif", grid, dict(zip(DELIVERED_BANDS, factors, strict=True)))


def read_factors(folder: Path, source: int, grid: Grid) -> Raster | None:
    """Factors of one scene on a grid of cells, as `write_factors` was given them, 0 where they do not reach.

    None for a scene that has none: its angles are not known.
    """
    raster = folder / f"{source}.tif"
    return read_cells(raster, grid) if raster.is_file() else None
