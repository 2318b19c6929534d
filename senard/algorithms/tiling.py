"""The mosaic's own grid: numbered tiles, and which pixels the area touches (product-spec §2)."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor

import numpy as np
import pyproj
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from senard.errors import RequestError
from senard.model.area import MAX_EDGE_DEGREES, polygonal
from senard.model.arrays import BoolArray, Float64Array
from senard.model.grid import Grid, Tile

PIXEL_M = 20
"""Side of the coarser delivered pixel, m: every tile edge is a multiple of it."""

CUT_M = 100_000
"""Distance between cut lines, m."""

SLIVER_M = 10_000
"""A cut line nearer than this to the outer bounds is left out, m."""

MIN_AREA_M2 = 400.0
"""A tile that shares less with the area is left out, m²: one pixel of 20 m."""

WEB_MERCATOR = "EPSG:3857"

WEB_MERCATOR_LIMIT_M = 20_037_500
"""Largest |x| of a tile edge in EPSG:3857, m; the antimeridian itself (20 037 508.34) is no multiple of 20."""

WEB_MERCATOR_LATITUDE = 85.06
"""Largest |latitude| in EPSG:3857, degrees: there y equals the antimeridian's x."""

INSET_M = 0.001
"""How far the area must reach into a pixel to touch it, m: less than this is rounding of a shared edge."""


def cut_tiles(aoi: BaseGeometry, crs: str) -> tuple[Tile, ...]:
    """Cut an area into the numbered tiles of its mosaic.

    Args:
        aoi: Polygon or MultiPolygon, lon/lat (EPSG:4326), split at the antimeridian.
        crs: CRS of the mosaic, units metres: "EPSG:3857".

    Returns:
        The tiles that share at least one pixel of 20 m with the area, index 0, 1, 2 … in reading order. Of an area over
        the antimeridian in EPSG:3857 both parts have the same rows, and a row lists the eastern hemisphere first.

    Raises:
        RequestError: if the CRS has no metres or cannot show the area, or the area is smaller than one pixel.

    Source: product-spec §2.
    """
    area = project_area(aoi, crs)
    columns = [pair for part in _sides(area, crs) for pair in pairwise(cut_lines(part.bounds[0], part.bounds[2]))]
    rows = list(pairwise(cut_lines(area.bounds[1], area.bounds[3])))
    kept = [
        (left, bottom, right, top)
        for bottom, top in reversed(rows)
        for left, right in _columns_in_row(area, columns, bottom, top)
    ]
    if not kept:
        raise RequestError(
            f"The area covers {area.area:.0f} m² in {crs}, less than one pixel of {PIXEL_M} m in every tile. "
            "Draw a larger area, at least some hundred metres wide."
        )
    return tuple(
        Tile(index=index, crs=crs, left=left, bottom=bottom, right=right, top=top)
        for index, (left, bottom, right, top) in enumerate(kept)
    )


def cut_lines(low: float, high: float) -> list[int]:
    """Tile edges along one axis: the bounds snapped outwards to 20 m, and the multiples of 100 km between them.

    Args:
        low: smallest coordinate of the area, m.
        high: largest coordinate of the area, m.

    Returns:
        Ascending edges, m; lines nearer than 10 km to either end are left out, so nothing is a sliver.
    """
    first, last = floor(low / PIXEL_M) * PIXEL_M, ceil(high / PIXEL_M) * PIXEL_M
    inner = range((first // CUT_M + 1) * CUT_M, last, CUT_M)
    return [first, *(line for line in inner if line - first >= SLIVER_M and last - line >= SLIVER_M), last]


def aoi_mask(aoi: BaseGeometry, grid: Grid) -> BoolArray:
    """Which pixels the area touches.

    Args:
        aoi: Polygon or MultiPolygon, lon/lat (EPSG:4326), split at the antimeridian.
        grid: any part of a 20 m grid of the mosaic.

    Returns:
        (y, x) bool, True where the area reaches into the pixel, whatever the rest of the grid.
    """
    return touches(project_area(aoi, grid.crs), grid)


def touches(area: BaseGeometry, grid: Grid) -> BoolArray:
    """`aoi_mask` for an area that is already in the grid's CRS.

    Squares of pixels are tested whole and quartered only where the outline runs through them: the cost grows with the
    outline, not with the grid. GDAL's all-touched burning is not used: its rounding differs from window to window.
    """
    shapely.prepare(area)
    touched = np.zeros(grid.shape, dtype=np.bool_)
    size = 1 << max(grid.height - 1, grid.width - 1, 0).bit_length()
    corners = np.zeros((1, 2), dtype=np.int64)
    while len(corners):
        squares = _squares(corners, size, grid)
        met = shapely.intersects(area, squares)
        corners, squares = corners[met], squares[met]
        whole = shapely.contains_properly(area, squares) if size > 1 else np.ones(len(corners), dtype=np.bool_)
        for row, col in corners[whole]:
            touched[row : row + size, col : col + size] = True
        corners = corners[~whole]
        size //= 2
        if len(corners):
            corners = np.concatenate([corners + np.array(step) * size for step in ((0, 0), (0, 1), (1, 0), (1, 1))])
            corners = corners[(corners[:, 0] < grid.height) & (corners[:, 1] < grid.width)]
    return touched


@lru_cache(maxsize=8)
def project_area(aoi: BaseGeometry, crs: str) -> MultiPolygon:
    """An area in the mosaic's CRS, its edges followed to 1 km on the ground.

    Args:
        aoi: Polygon or MultiPolygon, lon/lat (EPSG:4326).
        crs: CRS with units of metres: "EPSG:3857".

    Returns:
        Valid polygons, x before y, m.

    Raises:
        RequestError: if the CRS has no metres or cannot show the area.
    """
    transformer = pyproj.Transformer.from_crs("EPSG:4326", metric_crs(crs), always_xy=True)
    if crs == WEB_MERCATOR and max(abs(aoi.bounds[1]), abs(aoi.bounds[3])) > WEB_MERCATOR_LATITUDE:
        raise RequestError(
            f"The area reaches latitude {max(aoi.bounds[1], aoi.bounds[3], key=abs):.2f}; {crs} ends at "
            f"{WEB_MERCATOR_LATITUDE}. Ask for another grid, e.g. --crs EPSG:3413 (north) or EPSG:3031 (south)."
        )

    def move(lon_lat: Float64Array) -> Float64Array:
        return np.column_stack(transformer.transform(lon_lat[:, 0], lon_lat[:, 1]))

    moved = shapely.transform(shapely.segmentize(aoi, MAX_EDGE_DEGREES), move)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise RequestError(f"The area cannot be shown in {crs}: choose a --crs whose area of use covers it.")
    area = polygonal(moved if moved.is_valid else shapely.make_valid(moved))
    if crs == WEB_MERCATOR:
        limit = WEB_MERCATOR_LIMIT_M
        area = polygonal(shapely.intersection(area, shapely.box(-limit, -2 * limit, limit, 2 * limit)))
    return area


def metric_crs(crs: str) -> pyproj.CRS:
    """The CRS of a mosaic by name.

    Raises:
        RequestError: if the name is unknown, or its axes are not metres to the east and north.
    """
    try:
        found = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise RequestError(
            f"--crs {crs} is not a known CRS: write an EPSG code, e.g. EPSG:3857 or EPSG:32633."
        ) from error
    metres = all(axis.unit_conversion_factor == 1.0 for axis in found.axis_info)
    mirrored = {axis.direction for axis in found.axis_info[:2]} & {"west"}
    if not found.is_projected or not metres or mirrored:
        units = ", ".join(f"{axis.direction} in {axis.unit_name}" for axis in found.axis_info)
        raise RequestError(
            f"--crs {crs} ({found.name}) has the axes {units}; a mosaic needs metres to the east and north. "
            "Choose a projected CRS, e.g. EPSG:3857, EPSG:3035 or a UTM zone such as EPSG:32633."
        )
    return found


def _squares(corners: np.ndarray[tuple[int, int], np.dtype[np.int64]], size: int, grid: Grid) -> np.ndarray:
    """Squares of size x size pixels at (row, col), cut off at the grid's edge and shrunk by `INSET_M`."""
    top_row, left_col = corners[:, 0], corners[:, 1]
    bottom_row, right_col = np.minimum(top_row + size, grid.height), np.minimum(left_col + size, grid.width)
    return shapely.box(
        grid.left + left_col * grid.gsd + INSET_M,
        grid.top - bottom_row * grid.gsd + INSET_M,
        grid.left + right_col * grid.gsd - INSET_M,
        grid.top - top_row * grid.gsd - INSET_M,
    )


def _sides(area: MultiPolygon, crs: str) -> list[BaseGeometry]:
    """The area, or its two hemispheres, east first, where it runs over the antimeridian of EPSG:3857."""
    left, bottom, right, top = area.bounds
    limit = WEB_MERCATOR_LIMIT_M
    if crs != WEB_MERCATOR or left > -limit or right < limit:
        return [area]
    gap = _widest_gap(area)
    halves = (shapely.box(gap, bottom, limit, top), shapely.box(-limit, bottom, gap, top))
    return [polygonal(shapely.intersection(area, half)) for half in halves]


def _widest_gap(area: MultiPolygon) -> float:
    """x in the middle of the widest stretch without area, m; 0 where the area goes round the Earth."""
    reached, widest, middle = float(area.bounds[0]), 0.0, 0.0
    for left, right in sorted((part.bounds[0], part.bounds[2]) for part in area.geoms):
        if left - reached > widest:
            widest, middle = left - reached, (left + reached) / 2
        reached = max(reached, right)
    return middle


def _columns_in_row(
    area: MultiPolygon, columns: list[tuple[int, int]], bottom: int, top: int
) -> Iterator[tuple[int, int]]:
    """The columns (left, right) of one row that share at least `MIN_AREA_M2` with the area."""
    left, _, right, _ = area.bounds
    strip = shapely.intersection(area, shapely.box(left - PIXEL_M, bottom, right + PIXEL_M, top))
    for west, east in columns:
        if shapely.intersection(strip, shapely.box(west, bottom, east, top)).area >= MIN_AREA_M2:
            yield west, east
