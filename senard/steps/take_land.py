"""Take over what the user's rasters say of the land, onto the mosaic's own pixels."""

from collections.abc import Sequence
from pathlib import Path

from senard.io.atomic import listed_directory
from senard.io.given_raster import covers_on, heights_on
from senard.io.land_folder import Layer, cells_of, write_cell
from senard.model.grid import Tile
from senard.model.request import MosaicRequest
from senard.steps.block_land import land_grids


def take_land(
    request: MosaicRequest, dem: Path | None, landcover: Path | None, tiles: Sequence[Tile], out: Path
) -> Path:
    """Read heights and classes around the tiles of a mosaic.

    Args:
        request: which contents are meant, by their digests.
        dem: the terrain model; None: none.
        landcover: the land cover; None: none.
        tiles: the mosaic's tiles.
        out: folder, gets heights_<row>_<col>.tif and covers_<row>_<col>.tif: cells of 30.72 km, pixels of 60 m.

    Returns:
        out.

    Raises:
        RequestError: if a raster cannot be read, or says what no terrain or land cover says.
    """
    cells = sorted({cell for grid in land_grids(tiles) for cell in cells_of(grid)})
    with listed_directory(out) as folder:
        for cell in cells:
            grid = cell.grid(request.crs)
            if dem is not None:
                write_cell(folder, Layer.HEIGHTS, cell, request.crs, heights_on(dem, grid))
            if landcover is not None:
                write_cell(folder, Layer.COVERS, cell, request.crs, covers_on(landcover, grid))
    return out
