"""Outlines: the valid ground of a product in lon/lat, the detectors in UTM."""

import math

import numpy as np
from shapely.geometry import MultiPolygon, Polygon, box

from senard.model.arrays import Float64Array
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.geometry import (
    DETECTORS,
    HALF_SWATH_M,
    along_limits,
    lonlat,
    track_coordinates,
)

_SIDE_POINTS = 5
# Points on each side of the square: enough for the bend of a UTM line in lon/lat (2 m over 25 km).


def footprint_of(acquisition: SimulatedAcquisition) -> Polygon:
    """Valid ground, lon/lat (EPSG:4326); an empty polygon where the swath misses the product."""
    valid = _part(acquisition, -HALF_SWATH_M, HALF_SWATH_M)
    if valid.is_empty:
        return Polygon()
    outline = np.asarray(valid.segmentize(acquisition.size_px * 10 / (_SIDE_POINTS - 1)).exterior.coords)
    lon, lat = lonlat(acquisition.grid.crs, outline[:, 0], outline[:, 1])
    return Polygon(np.column_stack([lon, lat]))


def positions_of(footprint: Polygon) -> str:
    """A polygon as EXT_POS_LIST writes it: "lat lon lat lon …", closed."""
    if footprint.is_empty:
        return ""
    return " ".join(f"{lat:.12f} {lon:.12f}" for lon, lat in footprint.exterior.coords)


def detector_rings(acquisition: SimulatedAcquisition, band: str, footprint: Polygon) -> dict[str, list[float]]:
    """Outlines of the detectors that saw the product.

    Args:
        acquisition: which product.
        band: "B04".
        footprint: valid ground; nothing is drawn where it is empty.

    Returns:
        Id of the feature to x y x y … in the product's CRS, m.
    """
    if footprint.is_empty:
        return {}
    width = 2 * HALF_SWATH_M / DETECTORS
    rings: dict[str, list[float]] = {}
    for number in range(1, DETECTORS + 1):
        east = HALF_SWATH_M - (number - 1) * width
        part = _part(acquisition, east - width, east)
        if not part.is_empty:
            rings[f"detector_footprint-{band}-{number:02d}-{len(rings)}"] = [
                float(value) for point in part.exterior.coords for value in point
            ]
    return rings


def _part(acquisition: SimulatedAcquisition, west: float, east: float) -> Polygon:
    """The product's square where the distance across the track lies between two limits, in its CRS, m."""
    bounds = acquisition.grid.bounds
    square = box(bounds.left, bounds.bottom, bounds.right, bounds.top)
    corners = np.array([(x, y) for x in (bounds.left, bounds.right) for y in (bounds.bottom, bounds.top)])
    across, along = track_coordinates(acquisition, *lonlat(acquisition.grid.crs, corners[:, 0], corners[:, 1]))
    first, last = along_limits(acquisition)
    # Over one tile the distances are linear in x and y to some 100 m: fitted, and cut as half planes.
    for values, limit, sign in ((across, west, 1), (across, east, -1), (along, first, 1), (along, last, -1)):
        if math.isfinite(limit):
            square = _half_plane(square, corners, values, limit, sign)
    if isinstance(square, MultiPolygon):
        square = max(square.geoms, key=lambda part: part.area)
    return square if isinstance(square, Polygon) and square.area > 0 else Polygon()


def _half_plane(area: Polygon, corners: Float64Array, values: Float64Array, limit: float, sign: int) -> Polygon:
    """Cut away where sign · (value − limit) is negative, the value being a plane through the corners."""
    centre = corners.mean(axis=0)
    design = np.column_stack([np.ones(len(corners)), corners - centre])
    level, *slope = np.linalg.lstsq(design, values, rcond=None)[0]
    normal = np.array(slope)
    steepness = float(np.hypot(*normal))
    foot = centre + normal / steepness**2 * (limit - level)
    ahead = sign * normal / steepness
    sideways = np.array([-ahead[1], ahead[0]])
    reach = 1e6  # m: beyond every tile
    points = [foot + sideways * reach, foot - sideways * reach]
    points += [points[1] + ahead * reach, points[0] + ahead * reach]
    cut = area.intersection(Polygon(points))
    return cut if isinstance(cut, Polygon) else Polygon()
