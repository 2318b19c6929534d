"""What levelling adds to the views of a season, by the code that levels scenes."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from bench.quality.season import Season
from senard.algorithms import warp_kernels
from senard.algorithms.levelling import Correction, Levels, band_correction, cells_of
from senard.algorithms.slopes import NO_SLOPES
from senard.io.levels_folder import read_levels
from senard.model.arrays import Int16Array
from senard.model.grid import Tile
from senard.simulation.stack import VIEW_BANDS


def corrections_of(season: Season, levels: Path, tile: Tile, used: Collection[int]) -> Mapping[int, Int16Array]:
    """View to (10, y, x) DN that levelling adds to it.

    Args:
        season: the views, the first is source 1.
        levels: folder that `level_scenes` made.
        tile: the season's square.
        used: views that supply pixels.
    """
    grid = tile.grid(20)
    cells = cells_of(tile.left, tile.bottom, tile.right, tile.top, pad=1)
    rows, cols = (index.ravel() for index in np.indices(grid.shape))
    found: dict[int, Int16Array] = {}
    for view in sorted(used):
        layers = read_levels(levels, view + 1, cells.grid(grid.crs))
        if layers is None:
            continue
        added = np.zeros((len(VIEW_BANDS), *grid.shape), dtype=np.int16)
        for number, band in enumerate(VIEW_BANDS):
            offset, gain = band_correction(Levels.of(layers), band)
            correction = Correction(offset=offset, gain=gain, cells=cells, output=grid)
            dn = np.ascontiguousarray(season.views[view].seen[number])
            change = (offset, gain, *correction.place, NO_SLOPES.values, *NO_SLOPES.place)
            levelled = warp_kernels.corrected(dn.ravel(), *change, rows, cols)
            added[number] = np.where(dn > 0, levelled.reshape(dn.shape).astype(np.int32) - dn, 0)
        found[view] = added
    return found
