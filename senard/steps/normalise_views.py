"""Find what brings every scene of a mosaic to the view from straight above."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from senard.algorithms.nadir import factors_on, nadir_factors
from senard.errors import UnusableSceneError
from senard.io.atomic import listed_directory
from senard.io.factors_folder import write_factors
from senard.model.grid import Tile
from senard.model.request import MosaicRequest
from senard.steps.level_scenes import EDGE_CELLS, area_cells, granule_cells
from senard.steps.supply_band import read_supplier


def normalise_views(request: MosaicRequest, safes: Mapping[int, Path], tiles: Sequence[Tile], out: Path) -> Path:
    """Write the factors of every scene that supplies pixels, by cell: they follow from its angles alone.

    A scene that cannot be read, or that states no angles, gets no file: whoever wants to compose with it says so.

    Args:
        request: grid.
        safes: source number to folder safe/<product_id>/<part>.
        tiles: the mosaic's tiles.
        out: folder, gets <source>.tif for every scene with angles.

    Returns:
        out.
    """
    with listed_directory(out) as folder:
        area = area_cells(tiles).padded(EDGE_CELLS) if tiles else None
        for source, safe in sorted(safes.items()):
            try:
                product = read_supplier(safe)
            except UnusableSceneError:
                continue
            nodes = nadir_factors(product.sun, product.view)
            if area is None or not np.isfinite(nodes).all():
                continue
            cells = (granule_cells(product.grids[20], request.crs, area) or area).grid(request.crs)
            write_factors(folder, source, cells, factors_on(cells, product.grids[20], nodes))
    return out
