"""How much there is to do for a mosaic, by what the query knows: how large scenes are, how much lies on which tile."""

from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from senard.algorithms.tiling import PIXEL_M, project_area
from senard.errors import RequestError
from senard.model.grid import Tile
from senard.model.mgrs import TILE_M
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene

EQUAL_AREA = "EPSG:6933"
"""Cylindrical, true to area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSize:
    """What there is to do on one tile."""

    megapixels: float
    """Pixels of 20 m that belong to the area and that some scene covers, millions."""

    ground_km2: float
    """The same ground in nature, km²: pixels of most grids are not 20 m there."""

    depth: float
    """Scenes that cover such a pixel, on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What there is to do for a mosaic."""

    scenes_km2: dict[str, float]
    """product_id to the ground that the scene covers, km²."""

    tiles: tuple[TileSize, ...]
    """By index of the tile."""


def size_up(request: MosaicRequest, scenes: Sequence[Sentinel2Scene], tiles: Sequence[Tile]) -> Sizes:
    """Measure scenes and tiles by outlines; no file is opened.

    Args:
        request: area and grid.
        scenes: kept ones; one without a footprint counts as a whole square that covers everything.
        tiles: of the mosaic.
    """
    whole_km2 = (TILE_M / 1000) ** 2
    lands = {scene.product_id: _area_m2(scene.footprint) / 1e6 for scene in scenes}
    area = project_area(request.aoi, request.crs)
    outlines = [_outline(scene.footprint, request.crs) for scene in scenes]
    shown_m2 = sum(outline.area for outline in outlines if outline is not None)
    km2_per_m2 = sum(lands.values()) / shown_m2 if shown_m2 else 1e-6
    return Sizes(
        scenes_km2={name: km2 or whole_km2 for name, km2 in lands.items()},
        tiles=tuple(_tile_size(area, outlines, tile, km2_per_m2) for tile in tiles),
    )


def _tile_size(area: BaseGeometry, outlines: Sequence[BaseGeometry | None], tile: Tile, km2_per_m2: float) -> TileSize:
    wanted = shapely.clip_by_rect(area, tile.left, tile.bottom, tile.right, tile.top)
    shares = [wanted if outline is None else outline.intersection(wanted) for outline in outlines]
    covered = shapely.union_all(shares).area
    depth = sum(share.area for share in shares) / covered if covered else 0.0
    return TileSize(megapixels=covered / PIXEL_M**2 / 1e6, ground_km2=covered * km2_per_m2, depth=depth)


def _outline(footprint: BaseGeometry | None, crs: str) -> BaseGeometry | None:
    """A footprint in the mosaic's CRS; None where it is not known, or lies where the CRS cannot show it."""
    if footprint is None:
        return None
    try:
        return shapely.make_valid(project_area(footprint, crs))
    except RequestError:
        return None


def _area_m2(footprint: BaseGeometry | None) -> float:
    return 0.0 if footprint is None else float(project_area(footprint, EQUAL_AREA).area)
