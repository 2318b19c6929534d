"""Where the pixels lie: Mercator metres for the fields, sun and satellite for light and shadow."""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from pyproj import Transformer

from senard.model.arrays import Float64Array
from senard.model.grid import Grid
from senard.simulation.acquisition import Half, SimulatedAcquisition

EARTH_RADIUS_M = 6_378_137.0
"""Radius of the Mercator sphere (EPSG:3857), m."""

HALF_SWATH_M = 145_000.0
"""Half of MSI's swath of 290 km, m."""

ORBIT_HEIGHT_M = 786_000.0
"""Height of Sentinel-2 above the ground, m."""

TRACK_TILT_DEG = 13.0
"""Angle between the descending ground track and the meridian at middle latitudes, degrees."""

DETECTORS = 12
"""Detectors across the swath."""

NODE_STEP_PX = 32
"""Exact coordinates are computed every 32 pixels of 10 m; between them they are linear to 0.1 mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Geometry at every 32nd pixel corner of one strip, axes (y, x, quantity); see `QUANTITIES`."""

    values: Float64Array
    """(rows, cols, 11) float64."""


QUANTITIES = ("x", "y", "stretch", "across", "along", "sun_x", "sun_y", "cos_sun", "volume", "surface", "glint")
"""x, y: EPSG:3857, m. stretch: Mercator metres per metre of ground. across, along: distance from the swath's centre
line and from its centre point, m of ground, across positive to the east, along positive to the south. sun_x, sun_y: way
towards the sun per metre of height, m (tan of the zenith times the direction). cos_sun: cosine of the sun's zenith.
volume, surface: kernels of `brdf_kernels`. glint: slope of a wave that mirrors the sun, tangent squared."""


def nodes_of(acquisition: SimulatedAcquisition, grid: Grid) -> Nodes:
    """Geometry at the nodes that span a grid of 10 m pixels.

    Args:
        acquisition: says when, and where the satellite flew.
        grid: (part of) the acquisition's grid, gsd 10.
    """
    rows = grid.height // NODE_STEP_PX + 2
    cols = grid.width // NODE_STEP_PX + 2
    step = NODE_STEP_PX * grid.gsd
    east, north = np.meshgrid(grid.left + step * np.arange(cols), grid.top - step * np.arange(rows))
    lon, lat = lonlat(grid.crs, east, north)
    x, y = mercator(lon, lat)
    stretch = 1.0 / np.cos(np.radians(lat))
    across, along = track_coordinates(acquisition, lon, lat)
    zenith, azimuth = sun_angles(acquisition.sensing_time, lon, lat)
    slant = np.tan(np.radians(np.minimum(zenith, 80.0)))
    direction = np.radians(azimuth)
    volume, surface = brdf_kernels(slant, direction, across)
    quantities = (
        x,
        y,
        stretch,
        across,
        along,
        slant * np.sin(direction),
        slant * np.cos(direction),
        np.cos(np.radians(zenith)),
        volume,
        surface,
        _mirror_slope(slant, direction, across),
    )
    return Nodes(values=np.ascontiguousarray(np.stack(quantities, axis=-1)))


def brdf_kernels(slant: Float64Array, azimuth: Float64Array, across: Float64Array) -> tuple[Float64Array, Float64Array]:
    """How ground scatters into the satellite: the kernels Ross-Thick (leaves) and Li-Sparse-Reciprocal (objects).

    The satellite is taken to look straight across its track: the zigzag of the detectors is left out.

    Args:
        slant: tangent of the sun's zenith.
        azimuth: of the sun, radians clockwise from north.
        across: distance from the track, m, positive to the east.

    Source: Wanner et al. (1995), Lucht et al. (2000); crowns with h/b = 2 and b/r = 1.
    """
    view = np.abs(across) / ORBIT_HEIGHT_M
    towards = np.where(across > 0, -1.0, 1.0) * math.pi / 2 + _tilt()
    turn = np.cos(azimuth - towards)
    sec_sun, sec_view = np.hypot(1.0, slant), np.hypot(1.0, view)
    cosine = (1.0 + slant * view * turn) / (sec_sun * sec_view)
    phase = np.arccos(np.clip(cosine, -1.0, 1.0))
    volume = ((math.pi / 2 - phase) * cosine + np.sin(phase)) / (1.0 / sec_sun + 1.0 / sec_view) - math.pi / 4
    squared = slant**2 + view**2 - 2.0 * slant * view * turn
    overlap = 2.0 * np.sqrt(squared + slant**2 * view**2 * (1.0 - turn**2)) / (sec_sun + sec_view)
    angle = np.arccos(np.clip(overlap, -1.0, 1.0))
    hidden = (angle - np.sin(angle) * np.cos(angle)) * (sec_sun + sec_view) / math.pi
    surface = hidden - sec_sun - sec_view + 0.5 * (1.0 + cosine) * sec_sun * sec_view
    return np.asarray(volume), np.asarray(surface)


def _mirror_slope(slant: Float64Array, azimuth: Float64Array, across: Float64Array) -> Float64Array:
    """Tangent squared of the tilt of a wave that mirrors the sun into the satellite."""
    east = slant * np.sin(azimuth) / np.hypot(1.0, slant)
    north = slant * np.cos(azimuth) / np.hypot(1.0, slant)
    up = 1.0 / np.hypot(1.0, slant)
    side = -across / ORBIT_HEIGHT_M
    down = np.hypot(1.0, side)
    east = east + side * math.cos(_tilt()) / down
    north = north - side * math.sin(_tilt()) / down
    return np.asarray((east**2 + north**2) / (up + 1.0 / down) ** 2)


def lonlat(crs: str, east: Float64Array, north: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Longitude and latitude of places in a CRS, degrees."""
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(east, north)
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


def mercator(lon: Float64Array, lat: Float64Array) -> tuple[Float64Array, Float64Array]:
    """EPSG:3857 of longitude and latitude, m."""
    return EARTH_RADIUS_M * np.radians(lon), EARTH_RADIUS_M * np.arctanh(np.sin(np.radians(lat)))


def track_coordinates(
    acquisition: SimulatedAcquisition, lon: Float64Array, lat: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Distance across the swath (east of its centre line) and along it (south of its centre point), m of ground.

    The ground track is a straight line of the Mercator map: it crosses every meridian under the same angle.
    """
    centre_lon, centre_lat = swath_centre(acquisition)
    centre_x, centre_y = mercator(np.asarray(centre_lon), np.asarray(centre_lat))
    x, y = mercator(_near(lon, centre_lon), lat)
    tilt = math.radians(TRACK_TILT_DEG)
    ground = np.cos(np.radians(lat))
    # Descending: southwards and to the west, along the direction (−sin, −cos).
    across = ((x - centre_x) * math.cos(tilt) - (y - centre_y) * math.sin(tilt)) * ground
    along = (-(x - centre_x) * math.sin(tilt) - (y - centre_y) * math.cos(tilt)) * ground
    return np.asarray(across), np.asarray(along)


def _near(lon: Float64Array, centre_lon: float) -> Float64Array:
    """Longitudes moved by whole turns to within 180 degrees of a centre."""
    return np.asarray(centre_lon + (lon - centre_lon + 180.0) % 360.0 - 180.0)


def swath_centre(acquisition: SimulatedAcquisition) -> tuple[float, float]:
    """(lon, lat) of the point under the satellite that the swath is measured from, degrees."""
    if acquisition.swath_centre is not None:
        return acquisition.swath_centre
    lon, lat = acquisition.centre
    if acquisition.orbit_edge <= 0:
        return lon, lat
    # The western edge shall cut the product: its centre lies this far west of the edge or east of it, m.
    inside_m = (0.5 - acquisition.orbit_edge) * acquisition.size_px * 10
    degrees_per_m = math.degrees(1.0 / (EARTH_RADIUS_M * math.cos(math.radians(lat)) * math.cos(_tilt())))
    return lon + (HALF_SWATH_M - inside_m) * degrees_per_m, lat


def _tilt() -> float:
    return math.radians(TRACK_TILT_DEG)


def along_limits(acquisition: SimulatedAcquisition) -> tuple[float, float]:
    """First and last distance along the track that the product holds, m; halves of a datatake overlap by 2 km."""
    if acquisition.half is Half.FIRST:
        return -math.inf, 1000.0
    if acquisition.half is Half.SECOND:
        return -1000.0, math.inf
    return -math.inf, math.inf


def sun_angles(time: datetime, lon: Float64Array, lat: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Zenith and azimuth (clockwise from north) of the sun, degrees, to about 0.3 degrees.

    Source: declination and equation of time as short Fourier series, Spencer (1971).
    """
    hour = time.hour + time.minute / 60 + time.second / 3600
    angle = 2 * math.pi * (time.timetuple().tm_yday - 1 + (hour - 12) / 24) / 365
    declination = (
        0.006918
        - 0.399912 * math.cos(angle)
        + 0.070257 * math.sin(angle)
        - 0.006758 * math.cos(2 * angle)
        + 0.000907 * math.sin(2 * angle)
        - 0.002697 * math.cos(3 * angle)
        + 0.00148 * math.sin(3 * angle)
    )
    minutes = 229.18 * (
        0.000075
        + 0.001868 * math.cos(angle)
        - 0.032077 * math.sin(angle)
        - 0.014615 * math.cos(2 * angle)
        - 0.040849 * math.sin(2 * angle)
    )
    hour_angle = np.radians((hour - 12) * 15 + lon + minutes / 4)
    phi = np.radians(lat)
    cosine = np.sin(phi) * math.sin(declination) + np.cos(phi) * math.cos(declination) * np.cos(hour_angle)
    east = -math.cos(declination) * np.sin(hour_angle)
    north = np.cos(phi) * math.sin(declination) - np.sin(phi) * math.cos(declination) * np.cos(hour_angle)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1))), np.degrees(np.arctan2(east, north)) % 360


def view_angles(across: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Zenith and azimuth towards the satellite, degrees, seen from points at these distances from the track.

    Odd detectors look ahead, even ones back, by 1.3 degrees: the azimuth jumps from detector to detector.
    """
    detector = detector_of(across)
    ahead = np.where(detector % 2 == 1, 1.0, -1.0) * math.tan(math.radians(1.3))
    side = -across / ORBIT_HEIGHT_M
    zenith = np.degrees(np.arctan(np.hypot(side, ahead)))
    east = side * math.cos(_tilt()) - ahead * math.sin(_tilt())
    north = -side * math.sin(_tilt()) - ahead * math.cos(_tilt())
    return zenith, np.degrees(np.arctan2(east, north)) % 360


def detector_of(across: Float64Array) -> Float64Array:
    """Number of the detector that sees a point, 1-12 from east to west as MSI counts; 0 outside the swath."""
    number = DETECTORS - np.floor((across + HALF_SWATH_M) / (2 * HALF_SWATH_M / DETECTORS))
    return np.where(np.abs(across) < HALF_SWATH_M, np.clip(number, 1, DETECTORS), 0.0)
