"""The folder that says how slopes are brought to the light of level ground: <source>.tif at 60 m, and shares.json."""

import json
from collections.abc import Mapping
from pathlib import Path

from senard.io.geotiff import Raster, write_scratch
from senard.io.levels_folder import read_cells
from senard.io.results import read_result
from senard.model.grid import Grid

LIGHT_BANDS = ("light", "lit", "steep")
"""Direct light over that of level ground x 10000; 1 where pixels are lit; 1 where they are too steep for water; uint16.
"""

SHARES = "shares.json"


def write_light(folder: Path, source: int, grid: Grid, layers: Raster) -> None:
    """Write how one scene's sun lights slopes: (3, y, x) uint16, LIGHT_BANDS, pixels of 60 m."""
    write_scratch(folder / f"{source}.tif", grid, dict(zip(LIGHT_BANDS, layers, strict=True)))


def read_light(folder: Path, source: int, grid: Grid) -> Raster | None:
    """What `write_light` was given on other pixels of 60 m, 0 where it does not reach.

    None for a scene whose slopes stay as they are.
    """
    raster = folder / f"{source}.tif"
    return read_cells(raster, grid) if raster.is_file() else None


def write_shares(folder: Path, shares: Mapping[int, Mapping[str, float]]) -> None:
    """Write shares.json: source number to judge band to share of direct light, 0-1."""
    text = json.dumps({str(source): dict(shares[source]) for source in sorted(shares)}, indent=1)
    (folder / SHARES).write_text(text + "\n", encoding="utf-8")


def read_shares(folder: Path) -> dict[int, dict[str, float]]:
    """What `write_shares` was given.

    Raises:
        IncompleteError: if the folder holds none that can be read.
    """
    return read_result(
        folder / SHARES,
        lambda values: {int(source): shares for source, shares in values.items()},
        delete=folder,
        maker="CorrectSlopes",
    )
