"""Find what brings the slopes of every scene of a mosaic to the light of level ground."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from senard.algorithms.levelling import CELL_M, Cells, cells_of, comparable
from senard.algorithms.nadir import factors_on
from senard.algorithms.nearest import PixelCoordinates, coordinates, needed_window, take_nearest
from senard.algorithms.slopes import (
    SlopeLight,
    SlopeSums,
    direct_shares,
    is_water,
    slope_light,
    sun_direction,
)
from senard.algorithms.terrain import Terrain, reach_of
from senard.algorithms.tiling import aoi_mask
from senard.errors import RequestError, UnusableSceneError
from senard.io.atomic import listed_directory
from senard.io.geotiff import Raster, read_scratch
from senard.io.land_folder import Layer, read_land
from senard.io.mask_folder import RASTER_20, RASTER_60, read_judgement
from senard.io.slopes_folder import LIGHT_BANDS, write_light, write_shares
from senard.model.arrays import BoolArray, Float32Array, Float64Array
from senard.model.grid import Grid, Tile
from senard.model.land import LAND_GSD
from senard.model.masks import SceneJudgement
from senard.model.product import AngleGrid
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import JUDGE_BANDS
from senard.steps.level_scenes import EDGE_CELLS, area_cells, granule_cells
from senard.steps.supply_band import read_supplier

BLOCK_CELLS = 80
"""Side of the blocks that light is found in, cells of 600 m: 800 pixels take about 100 MB."""

PER_CELL = CELL_M // LAND_GSD
"""Pixels of 60 m per side of a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """One scene that supplies pixels."""

    source: int
    crs: str
    """Of the mosaic."""
    masks: Path
    judgement: SceneJudgement
    product: Grid
    """Its pixels of 20 m."""
    nodes: Float64Array
    """From `sun_direction`."""
    cells: Cells
    """Cells of the area that its pixels may lie between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Area:
    """Where a mosaic lies, and what its ground is like."""

    request: MosaicRequest
    tiles: Sequence[Tile]
    land: Path

    def blocks(self, cells: Cells) -> Iterator[tuple[Tile, Cells]]:
        """The cells that the pixels of each tile lie between, as far as they are among others."""
        for tile in self.tiles:
            common = cells_of(tile.left, tile.bottom, tile.right, tile.top, pad=1).common(cells)
            if common is not None:
                yield from ((tile, block) for block in common.blocks(BLOCK_CELLS))

    def terrain(self, grid: Grid) -> Terrain:
        """The relief of some pixels of 60 m."""
        pad = reach_of(grid)
        return Terrain.of(read_land(self.land, Layer.HEIGHTS, grid.padded(pad)), grid, pad)

    def inside(self, tile: Tile, grid: Grid) -> BoolArray:
        """Pixels of the area whose centres lie in a tile: each belongs to one, however the area is cut."""
        x = grid.left + (np.arange(grid.width) + 0.5) * grid.gsd
        y = grid.top - (np.arange(grid.height) + 0.5) * grid.gsd
        own: BoolArray = ((y > tile.bottom) & (y < tile.top))[:, None] & ((x > tile.left) & (x < tile.right))
        return own & aoi_mask(self.request.aoi, grid)


def correct_slopes(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Mapping[int, Path],
    safes: Mapping[int, Path],
    tiles: Sequence[Tile],
    land: Path | None,
    out: Path,
) -> Path:
    """Write how slopes are lit in every scene that supplies pixels, and which share of the light is direct.

    Light depends on a scene's sun and on the place alone. The share is one number per overflight and judge band, fitted
    to all of its pixels of the area: not to a tile. A scene that cannot be read gets none: whoever composes says so.

    Args:
        request: area and grid.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: source number to mask folder, for every source that supplies pixels.
        safes: source number to folder safe/<product_id>/<part>, for the same.
        tiles: the mosaic's tiles.
        land: folder of `take_land`, with heights; a request for topography always has one.
        out: folder, gets <source>.tif for every scene whose slopes show that light is direct, and shares.json.

    Returns:
        out.

    Raises:
        RequestError: the request names no terrain model.
        IncompleteError: if the land or a mask folder is not there.
    """
    if land is None or not request.dem:
        raise RequestError("--topography without --dem: slopes are not known. Give a terrain model with --dem FILE.")
    area = _Area(request=request, tiles=tiles, land=land)
    overflights: dict[object, list[int]] = {}
    for source in sorted(safes) if tiles else ():
        overflights.setdefault(scenes[source - 1].datatake_key, []).append(source)
    shares: dict[int, dict[str, float]] = {}
    with listed_directory(out) as folder:
        for sources in overflights.values():
            opened = [_opened(area, source, masks[source], safes[source]) for source in sources]
            shown = [_write_light(area, scene, folder) for scene in opened if scene is not None]
            found = direct_shares(shown) if shown else dict.fromkeys(JUDGE_BANDS, 0.0)
            for source in sources:
                shares[source] = found
                if not any(found.values()):
                    (folder / f"{source}.tif").unlink(missing_ok=True)
        write_shares(folder, shares)
    return out


def _opened(area: _Area, source: int, masks: Path, safe: Path) -> _Scene | None:
    """One scene; None if it cannot be read, or lies elsewhere. Without angles by node those of its middle hold."""
    try:
        product = read_supplier(safe)
    except UnusableSceneError:
        return None
    judgement, wide = read_judgement(masks), area_cells(area.tiles).padded(EDGE_CELLS)
    nodes = sun_direction(product.sun)
    if not np.isfinite(nodes).all():
        shape = product.sun.zenith.shape
        zenith, azimuth = (np.full(shape, v, np.float32) for v in (judgement.sun_zenith, judgement.sun_azimuth))
        nodes = sun_direction(AngleGrid(zenith=zenith, azimuth=azimuth))
    return _Scene(
        source=source,
        crs=area.request.crs,
        masks=masks,
        judgement=judgement,
        product=product.grids[20],
        nodes=nodes,
        cells=granule_cells(product.grids[20], area.request.crs, wide) or wide,
    )


def _write_light(area: _Area, scene: _Scene, folder: Path) -> SlopeSums:
    """Write how one scene's sun lights slopes, on its cells; returns what these show."""
    crs, shown = area.request.crs, SlopeSums.nothing(scene.cells)
    whole = scene.cells.grid(crs, LAND_GSD)
    layers = np.zeros((len(LIGHT_BANDS), *whole.shape), dtype=np.uint16)
    for tile, block in area.blocks(scene.cells):
        grid = block.grid(crs, LAND_GSD)
        sun = _enlarged(factors_on(block.grid(crs), scene.product, scene.nodes))
        mean_sun = scene.judgement.sun_zenith, scene.judgement.sun_azimuth
        light = slope_light(area.terrain(grid), sun, mean_sun)
        rows, cols = block.within(scene.cells)
        where = slice(rows.start * PER_CELL, rows.stop * PER_CELL), slice(cols.start * PER_CELL, cols.stop * PER_CELL)
        layers[(slice(None), *where)] = light.light, light.lit, light.steep
        _add(shown, scene, block, light, area.inside(tile, grid))
    write_light(folder, scene.source, whole, layers)
    return shown


def _enlarged(values: Float32Array) -> Float32Array:
    """From cells of 600 m to their pixels of 60 m: the sun moves by 0.006 degrees over a cell."""
    return values.repeat(PER_CELL, axis=1).repeat(PER_CELL, axis=2)


def _add(shown: SlopeSums, scene: _Scene, block: Cells, light: SlopeLight, inside: BoolArray) -> None:
    """Add what a scene's clear slopes show in one block."""
    where = coordinates(block.grid(scene.crs, LAND_GSD), scene.product.crs)
    mask = _taken(scene.masks / RASTER_20, scene.judgement.grids[20], where, ("class", "distance"))
    judge = _taken(scene.masks / RASTER_60, scene.judgement.grids[60], where, JUDGE_BANDS)
    if mask is not None and judge is not None:
        ground = comparable(mask, judge) & ~is_water(mask[0], light.steep)
        shown.add(block, judge, light.light, ground & light.lit & inside)


def _taken(path: Path, grid: Grid, where: PixelCoordinates, bands: Sequence[str]) -> Raster | None:
    """Some bands of a small raster on the mosaic's pixels; only the window that they touch is read."""
    window = needed_window(where, grid)
    return None if window is None else take_nearest(read_scratch(path, window, bands), grid.crop(window), where)
