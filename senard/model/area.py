"""Areas: what is left when lines and points are dropped, and how finely an edge is followed."""

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

MAX_EDGE_M = 1000.0
"""Longest piece of an edge that is moved from one CRS to another as a straight line, m (product-spec §2)."""

MAX_EDGE_DEGREES = 0.0089
"""The same in lon/lat: one degree is nowhere longer than 111.7 km, so 0.0089 degrees stay below 1 km."""


def polygonal(geometry: BaseGeometry) -> MultiPolygon:
    """The polygons of any valid geometry; lines and points are dropped, touching polygons become one."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    merged = shapely.union_all([part for part in parts if part.geom_type in {"Polygon", "MultiPolygon"}])
    return MultiPolygon([part for part in shapely.get_parts(merged) if part.geom_type == "Polygon" and part.area > 0])
