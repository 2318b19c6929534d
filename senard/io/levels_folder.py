"""The folder of corrections that level the scenes of a mosaic: <source>.tif by cell, and levels.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from senard.io.geotiff import Raster, ScratchReader, write_scratch
from senard.model.grid import Grid, Window
from senard.model.sentinel2 import JUDGE_BANDS

FIGURES = "levels.json"

LEVEL_BANDS = (*JUDGE_BANDS, *(f"ground {band}" for band in JUDGE_BANDS))
"""Bands of the raster of a scene: corrections of the judge bands and the ground's mean in them, float32 DN."""

SEASON_BAND = "season B02"
"""A further band where the scene is drawn to its season: what is added to blue, float32 DN."""


def write_levels(folder: Path, source: int, grid: Grid, layers: Sequence[Raster]) -> None:
    """Write the corrections of one scene: (y, x) float32 for each of LEVEL_BANDS, and of SEASON_BAND if it is there."""
    names = (*LEVEL_BANDS, SEASON_BAND)[: max(len(layers), len(LEVEL_BANDS))]
    write_scratch(folder / f"{source}.tif", grid, dict(zip(names, layers, strict=True)))


def read_levels(folder: Path, source: int, grid: Grid) -> Raster | None:
    """Corrections of one scene on a grid of cells: as `write_levels` was given them, 0 where they do not reach.

    None for a scene that needs no correction.
    """
    raster = folder / f"{source}.tif"
    return read_cells(raster, grid) if raster.is_file() else None


def read_cells(raster: Path, grid: Grid) -> Raster:
    """All bands of a raster of cells on others of the same lattice; 0 where it does not reach."""
    with ScratchReader(raster) as reader:
        row = round((reader.grid.top - grid.top) / grid.gsd)
        col = round((grid.left - reader.grid.left) / grid.gsd)
        window = Window(row_start=row, row_stop=row + grid.height, col_start=col, col_stop=col + grid.width)
        return reader.read(window)


def write_level_figures(folder: Path, scenes: Sequence[Mapping[str, object]]) -> None:
    """Write levels.json: mean and largest correction of every corrected scene."""
    text = json.dumps({"scenes": list(scenes)}, indent=1)
    (folder / FIGURES).write_text(text + "\n", encoding="utf-8")
