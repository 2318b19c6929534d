"""Find what makes granules of one overflight agree, and what draws overflights to what their ground usually is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from pyproj import Transformer
from pyproj.exceptions import ProjError

from senard.algorithms.levelling import (
    HALO_CELLS,
    SAMPLE_M,
    Cells,
    Comparison,
    Levels,
    Smooth,
    cells_of,
    comparable,
    compare,
    corrections,
    low_pass,
    weight,
)
from senard.algorithms.nearest import PixelCoordinates, coordinates, needed_window, take_nearest
from senard.io.atomic import listed_directory
from senard.io.geotiff import Raster, read_scratch
from senard.io.levels_folder import LEVEL_BANDS, read_levels, write_level_figures, write_levels
from senard.io.mask_folder import RASTER_20, RASTER_60, read_judgement
from senard.io.scenes_file import read_verdict
from senard.model.arrays import BoolArray, Float32Array
from senard.model.grid import Bounds, Grid, Tile
from senard.model.masks import CLASS_VALID
from senard.model.request import Level, MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import JUDGE_BANDS
from senard.steps.level_season import Drawn, season_corrections

BLOCK_CELLS = 80
"""Side of the blocks that pixels are compared in, cells: 800 pixels take about 50 MB."""

COVER_M = 200
"""Distance of the pixels that tell where a granule has ground, m."""

WIDEST_M = 2_000_000.0
"""A granule wider than this in the mosaic's CRS lies across its seam, where nothing is levelled, m."""

EDGE_CELLS = 2
"""Cells around the area whose centres its outermost pixels lie between."""

LEAST_DN = 0.05
"""A scene whose corrections stay below this everywhere needs none, DN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Granule:
    """One usable scene of an overflight."""

    source: int
    folder: Path
    grids: Mapping[int, Grid]
    cells: Cells
    """Cells of the area that it may have ground in."""


def level_scenes(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    tiles: Sequence[Tile],
    out: Path,
    *,
    used: Collection[int] | None = None,
) -> Path:
    """Find the corrections of every scene whose overflight has several granules.

    A correction depends on the scenes and the place alone, not on the area nor on how it is cut into tiles; only the
    one number per scene of Level.SCENE depends on the area.

    Args:
        request: grid, and whether to level.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene to do without.
        tiles: the mosaic's tiles.
        out: folder, gets <source>.tif for every corrected scene, and levels.json: mean and largest correction by band.
        used: source numbers that supply a pixel; only their overflights are levelled. None means all.

    Returns:
        out.

    Raises:
        IncompleteError: if a mask folder holds neither a judgement nor a verdict.
    """
    figures: dict[int, dict[str, object]] = {}
    with listed_directory(out) as folder:
        if request.level is not Level.NONE and tiles:
            area = area_cells(tiles)
            for granules in _overflights(request, scenes, masks, area.padded(HALO_CELLS), used):
                for granule, levels in _levelled(granules, request.crs):
                    if np.abs(levels.values).max(initial=0) >= LEAST_DN:
                        grid = granule.cells.grid(request.crs)
                        write_levels(folder, granule.source, grid, [*levels.values, *levels.ground])
                        figures[granule.source] = _figures(levels.values)
            if request.level.draws_to_season:
                wide = area.padded(EDGE_CELLS)
                for drawn in season_corrections(request, scenes, masks, wide, folder, used):
                    for source in drawn.sources:
                        one = _granule(source, masks[source - 1], request.crs, wide)
                        if one is not None and (used is None or source in used):
                            figures[source] = figures.get(source, {}) | _draw(folder, one, drawn, request.crs)
        named = [
            {"source": source, "product_id": scenes[source - 1].product_id, **figures[source]}
            for source in sorted(figures)
            if figures[source]
        ]
        write_level_figures(folder, named)
    return out


def area_cells(tiles: Sequence[Tile]) -> Cells:
    """The cells of a rectangle around all tiles."""
    return cells_of(
        min(tile.left for tile in tiles),
        min(tile.bottom for tile in tiles),
        max(tile.right for tile in tiles),
        max(tile.top for tile in tiles),
    )


def _draw(folder: Path, granule: _Granule, drawn: Drawn, crs: str) -> dict[str, object]:
    """Add to a scene's corrections what draws its overflight to the season; says what levels.json says of it."""
    values = drawn.values[granule.cells.within(drawn.cells)]
    if np.abs(values).max(initial=0) < LEAST_DN:
        return {}
    grid = granule.cells.grid(crs)
    before = read_levels(folder, granule.source, grid)
    layers = np.zeros((len(LEVEL_BANDS), *grid.shape), np.float32) if before is None else before
    write_levels(folder, granule.source, grid, [*layers, values])
    corrected = np.abs(values) >= LEAST_DN
    return {
        "season_cells": int(corrected.sum()),
        "season_mean": {"B02": round(float(values[corrected].mean()), 1)},
        "season_largest": {"B02": round(float(np.abs(values).max()), 1)},
    }


def _overflights(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    area: Cells,
    used: Collection[int] | None,
) -> list[list[_Granule]]:
    """Usable granules of each overflight that has several of them around the area."""
    datatakes: dict[object, list[int]] = {}
    for source, scene in enumerate(scenes, 1):
        datatakes.setdefault(scene.datatake_key, []).append(source)
    overflights = []
    for sources in datatakes.values():
        if len(sources) < 2 or not (used is None or any(source in used for source in sources)):
            continue
        found = [_granule(source, masks[source - 1], request.crs, area) for source in sources]
        granules = [granule for granule in found if granule is not None]
        if len(granules) > 1:
            overflights.append(granules)
    return overflights


def _granule(source: int, folder: Path | None, crs: str, area: Cells) -> _Granule | None:
    """One granule on the cells of an area; None if it is unusable or lies elsewhere."""
    if folder is None or read_verdict(folder) is not None:
        return None
    grids = read_judgement(folder).grids
    cells = granule_cells(grids[20], crs, area)
    return None if cells is None else _Granule(source=source, folder=folder, grids=grids, cells=cells)


def granule_cells(grid: Grid, crs: str, area: Cells) -> Cells | None:
    """Cells of an area that a granule's pixels may lie between; None if there are none, or they cannot be told."""
    bounds = _bounds_in(grid, crs)
    if bounds is None:
        return None
    return cells_of(bounds.left, bounds.bottom, bounds.right, bounds.top, pad=2).common(area)


def _bounds_in(grid: Grid, crs: str) -> Bounds | None:
    """Bounds of a granule in the mosaic's CRS; None where they cannot be told."""
    try:
        left, bottom, right, top = Transformer.from_crs(grid.crs, crs, always_xy=True).transform_bounds(
            grid.bounds.left, grid.bounds.bottom, grid.bounds.right, grid.bounds.top
        )
    except ProjError:
        return None
    found = np.array([left, bottom, right, top])
    if not np.isfinite(found).all() or not 0 < right - left < WIDEST_M or not 0 < top - bottom < WIDEST_M:
        return None
    return Bounds(left=left, bottom=bottom, right=right, top=top)


def _levelled(granules: Sequence[_Granule], crs: str) -> list[tuple[_Granule, Levels]]:
    """The granules of one overflight with their corrections."""
    pairs = {}
    for i, j in combinations(range(len(granules)), 2):
        cells = granules[i].cells.common(granules[j].cells)
        difference = None if cells is None else _difference(granules[i], granules[j], cells, crs)
        if difference is not None:
            pairs[i, j] = difference
    if not pairs:
        return []
    weights = [weight(_covered(granule, crs)) for granule in granules]
    values = corrections([granule.cells for granule in granules], weights, pairs)
    return list(zip(granules, values, strict=True))


def _difference(first: _Granule, second: _Granule, cells: Cells, crs: str) -> Smooth | None:
    """Smooth difference of two granules; None where they have no comparable pixel in common."""
    comparison = Comparison.nothing(cells)
    for block in cells.blocks(BLOCK_CELLS):
        grid = block.grid(crs, SAMPLE_M)
        where = {granule.grids[20].crs: coordinates(grid, granule.grids[20].crs) for granule in (first, second)}
        seen = [_seen(granule, where[granule.grids[20].crs]) for granule in (first, second)]
        if seen[0] is not None and seen[1] is not None:
            common = seen[0][1] & seen[1][1]
            compare(comparison, block, seen[0][0], seen[1][0], common)
    return low_pass(comparison) if comparison.count.any() else None


def _seen(granule: _Granule, where: PixelCoordinates) -> tuple[Raster, BoolArray] | None:
    """Judge bands of a granule on some pixels, and which of them can be compared; None if it does not reach them."""
    mask = _taken(granule, 20, where, ("class", "distance"))
    judge = _taken(granule, 60, where, JUDGE_BANDS)
    return None if mask is None or judge is None else (judge, comparable(mask, judge))


def _covered(granule: _Granule, crs: str) -> BoolArray:
    """Cells in which a granule has any ground."""
    covered = np.zeros(granule.cells.shape, dtype=np.bool_)
    for block in granule.cells.blocks(BLOCK_CELLS):
        grid = block.grid(crs, COVER_M)
        bits = _taken(granule, 20, coordinates(grid, granule.grids[20].crs), ("class",))
        if bits is not None:
            rows, cols = block.shape
            valid = (bits[0] & CLASS_VALID) != 0
            covered[block.within(granule.cells)] = valid.reshape(rows, -1, cols, valid.shape[1] // cols).any(
                axis=(1, 3)
            )
    return covered


def _taken(granule: _Granule, gsd: int, where: PixelCoordinates, bands: Sequence[str]) -> Raster | None:
    """Some bands of a small raster on the mosaic's pixels; only the window that they touch is read."""
    grid = granule.grids[gsd]
    window = needed_window(where, grid)
    if window is None:
        return None
    raster = RASTER_20 if gsd == 20 else RASTER_60
    return take_nearest(read_scratch(granule.folder / raster, window, bands), grid.crop(window), where)


def _figures(values: Float32Array) -> dict[str, object]:
    """What levels.json says of one scene: DN by band, over the cells that are corrected."""
    corrected = np.abs(values).max(axis=0) >= LEAST_DN
    return {
        "cells": int(corrected.sum()),
        "mean": {band: round(float(v[corrected].mean()), 1) for band, v in zip(JUDGE_BANDS, values, strict=True)},
        "largest": {band: round(float(np.abs(v).max()), 1) for band, v in zip(JUDGE_BANDS, values, strict=True)},
    }
