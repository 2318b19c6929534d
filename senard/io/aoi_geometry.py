"""From polygons of any CRS to one area in lon/lat, split at the antimeridian and written in one way."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyproj
import shapely
from shapely import affinity
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from senard.errors import RequestError
from senard.model.area import MAX_EDGE_DEGREES, MAX_EDGE_M, polygonal
from senard.model.arrays import Float64Array

LON_LAT = pyproj.CRS.from_user_input("OGC:CRS84")
"""Longitude and latitude of WGS 84, in this order."""

PRECISION_DEGREES = 1e-9
"""Coordinates are rounded to this, degrees (0.1 mm): the same area from two formats is the same request."""


def lon_lat_area(geometries: Sequence[BaseGeometry], crs: pyproj.CRS, place: str) -> tuple[BaseGeometry, str]:
    """Join geometries to one area in lon/lat.

    Args:
        geometries: of any type and dimension, x before y; rings may cross the antimeridian, with longitudes beyond 180
            or with a jump from +180 to -180.
        crs: CRS of the geometries.
        place: where they come from, for messages: "area.geojson".

    Returns:
        The area, Polygon or MultiPolygon within ±180 and ±90 degrees, in normal form; and a note on what was left out,
        empty if nothing was.

    Raises:
        RequestError: if there is no polygon, one crosses itself, or the coordinates do not fit the CRS.
    """
    parts = [part for geometry in geometries for part in _flatten(geometry) if not part.is_empty]
    polygons = [_continuous(shapely.force_2d(part), crs, place) for part in parts if isinstance(part, Polygon)]
    outlines = [polygon for polygon in polygons if not _collapsed(polygon)]
    left_out = Counter(part.geom_type for part in parts if not isinstance(part, Polygon))
    left_out["outline without area"] = len(polygons) - len(outlines)
    named = ", ".join(f"{count} x {kind}" for kind, count in sorted(left_out.items()) if count)
    if not outlines:
        found = f"only {named}" if named else "nothing, or only empty geometries"
        raise RequestError(
            f"{place}: an area needs polygons, found {found}. Draw the outline of the area as a polygon."
        )
    merged = shapely.union_all([piece for outline in outlines for piece in _lon_lat_polygon(outline, crs, place)])
    area = polygonal(shapely.set_precision(merged, PRECISION_DEGREES))
    if area.is_empty:
        raise RequestError(f"{place}: the polygons have no area. Draw an outline at least some hundred metres wide.")
    single = area.geoms[0] if len(area.geoms) == 1 else area
    # a geometry that keeps its precision rounds points that are put between its own, one that was written and read not
    single = shapely.set_precision(single, 0)
    return shapely.normalize(single), f"{place}: left out {named}: an area is polygons" if named else ""


def _continuous(polygon: Polygon, crs: pyproj.CRS, place: str) -> Polygon:
    """The polygon as drawn, without the jump of longitudes at the antimeridian."""
    if not np.isfinite(shapely.get_coordinates(polygon)).all():
        raise RequestError(f"{place}: a coordinate is not a number. Repair or redraw the polygon.")
    if not crs.is_geographic:
        return polygon
    _check_degrees(polygon, place)
    return _unwrapped(polygon, place)


def _collapsed(polygon: Polygon) -> bool:
    """Whether an outline runs back on itself and holds nothing, as slivers of overlaid maps do."""
    return polygon.area == 0 and polygonal(shapely.make_valid(polygon)).is_empty


def _flatten(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Parts of collections of collections."""
    if geometry.geom_type == "GeometryCollection" or geometry.geom_type.startswith("Multi"):
        return [leaf for part in shapely.get_parts(geometry) for leaf in _flatten(part)]
    return [geometry]


def _lon_lat_polygon(polygon: Polygon, crs: pyproj.CRS, place: str) -> list[BaseGeometry]:
    """One polygon in lon/lat, in pieces where it crosses the antimeridian."""
    _check_simple(polygon, place)
    if crs.to_epsg() != 4326 and not crs.equals(LON_LAT, ignore_axis_order=True):
        polygon = _unwrapped(_transformed(polygon, crs, place), place)
        if not polygon.is_valid:  # edges that nearly touch may cross by rounding
            return [piece for part in polygonal(shapely.make_valid(polygon)).geoms for piece in _split(part)]
    return _split(polygon)


def _check_degrees(polygon: Polygon, place: str) -> None:
    """Coordinates of a geographic CRS must look like longitudes and latitudes."""
    lon, lat = np.abs(shapely.get_coordinates(polygon)).max(axis=0)
    if lat <= 90 and lon <= 540:
        return
    x, y = shapely.get_coordinates(polygon)[0]
    if lon <= 90 and lat <= 360:
        hint = "Latitude seems to stand before longitude: write longitude first."
    else:
        hint = (
            "They look like metres: say the CRS (.prj, or a GeoJSON with a crs member), or save the file in EPSG:4326."
        )
    raise RequestError(f"{place}: ({x:g}, {y:g}) is not a longitude and latitude in degrees. {hint}")


def _check_simple(polygon: Polygon, place: str) -> None:
    """A ring must not cross itself, and holes must lie inside."""
    if not polygon.is_valid:
        raise RequestError(
            f"{place}: the polygon is not simple: {shapely.is_valid_reason(polygon)} (x y). "
            "Redraw the outline there so that it does not cross itself (QGIS: Fix geometries)."
        )


def _transformed(polygon: Polygon, crs: pyproj.CRS, place: str) -> Polygon:
    """The polygon in lon/lat, its edges followed to 1 km on the ground."""
    to_lon_lat = pyproj.Transformer.from_crs(crs, LON_LAT, always_xy=True)
    unit = crs.axis_info[0].unit_conversion_factor
    edge = MAX_EDGE_DEGREES if crs.is_geographic else MAX_EDGE_M / unit
    left, bottom, right, top = polygon.bounds
    if not crs.is_geographic and max(right - left, top - bottom) * unit > 8e7:
        raise RequestError(
            f"{place}: {polygon.bounds} does not fit {crs.name}, it is wider than the Earth. Say its CRS."
        )

    def move(xy: Float64Array) -> Float64Array:
        return np.column_stack(to_lon_lat.transform(xy[:, 0], xy[:, 1]))

    moved = shapely.transform(shapely.segmentize(polygon, edge), move)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        x, y = shapely.get_coordinates(polygon)[0]
        raise RequestError(f"{place}: ({x:g}, {y:g}) does not lie in {crs.name}. Check which CRS the file is in.")
    return moved


def _unwrapped(polygon: Polygon, place: str) -> Polygon:
    """The polygon with continuous longitudes: a jump from +180 to -180 goes on beyond 180 instead."""
    exterior = _unwrapped_ring(shapely.get_coordinates(polygon.exterior), place)
    holes = [_unwrapped_ring(shapely.get_coordinates(ring), place) for ring in polygon.interiors]
    middle = (exterior[:, 0].min() + exterior[:, 0].max()) / 2
    shifts = [np.round((middle - (hole[:, 0].min() + hole[:, 0].max()) / 2) / 360) * 360 for hole in holes]
    return Polygon(exterior, [hole + np.array([shift, 0.0]) for hole, shift in zip(holes, shifts, strict=True)])


def _unwrapped_ring(ring: Float64Array, place: str) -> Float64Array:
    """Longitudes without jumps; an edge of exactly 360 degrees is the edge of a map of the world and stays."""
    steps = np.diff(ring[:, 0])
    turns = np.where((np.abs(steps) > 180) & (np.abs(steps) < 360), -np.sign(steps), 0.0)
    shift = np.concatenate([[0.0], np.cumsum(turns)]) * 360.0
    if shift[-1] != 0:
        raise RequestError(
            f"{place}: an outline runs once round a pole. Cut the area at the antimeridian and draw it along "
            "latitude 90 or -90 there."
        )
    return np.column_stack([ring[:, 0] + shift, ring[:, 1]])


def _split(polygon: Polygon) -> list[BaseGeometry]:
    """The polygon's pieces on each side of the antimeridian, within ±180 degrees."""
    left, _, right, _ = polygon.bounds
    first, last = int(np.floor((left + 180) / 360)), int(np.ceil((right - 180) / 360))
    if (first, last) == (0, 0):
        return [polygon]
    pieces: list[BaseGeometry] = []
    for turn in range(first, last + 1):
        middle = 360.0 * turn
        piece = polygonal(shapely.intersection(polygon, shapely.box(middle - 180, -90, middle + 180, 90)))
        pieces += [affinity.translate(part, xoff=-middle) for part in piece.geoms]
    return pieces
