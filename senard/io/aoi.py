"""The area of interest, however it is given: one valid Polygon or MultiPolygon in lon/lat."""

import re
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyproj
import rasterio
import shapely
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from senard.errors import RequestError
from senard.io.aoi_files import DECIMAL_COMMA, parse_crs, parse_geojson, parse_wkt, read_geometries
from senard.io.aoi_geometry import LON_LAT, lon_lat_area
from senard.model.mgrs import MgrsSquare, mgrs_square

WKT = re.compile(r"\s*(SRID=\d+;)?\s*(MULTI)?(POLYGON|POINT|LINESTRING|GEOMETRYCOLLECTION)\b", re.IGNORECASE)

DEFAULT_NAME = "aoi"
"""Name of an area that no file names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where the mosaic is wanted."""

    geometry: BaseGeometry
    """Polygon or MultiPolygon, lon/lat (EPSG:4326), split at the antimeridian, in normal form."""

    name: str = DEFAULT_NAME
    """Name for the product: "helsinki"."""

    note: str = ""
    """What a person should know about the reading: "area.kml: left out 3 Point: an area is polygons"."""


def read_area(given: str) -> Area:
    """The area of `--aoi`: the name of a file, or WKT or GeoJSON as text.

    Args:
        given: "area.geojson", "POLYGON ((…))" or '{"type": "Polygon", …}'.

    Returns:
        The area; the file's name gives its name.

    Raises:
        RequestError: if it cannot be read, has no polygon, or one crosses itself.
    """
    if given.lstrip().startswith("{"):
        return _area(*parse_geojson(given, "the GeoJSON text"), place="the GeoJSON text")
    if WKT.match(given):
        return _area(*parse_wkt(given, "the WKT text"), place="the WKT text")
    if re.fullmatch(r"[\s\d.,;+-]+", given):
        raise RequestError(f"--aoi {given}: is no file. For a rectangle use --bbox=WEST,SOUTH,EAST,NORTH.")
    path = Path(given).expanduser()
    return _area(*read_geometries(path), place=path.name, name=slug(path.stem))


def bbox_area(given: str) -> Area:
    """The area of `--bbox`.

    Args:
        given: "west,south,east,north", degrees; a rectangle over the antimeridian ends beyond 180: "175,-20,185,-10".

    Returns:
        The rectangle.

    Raises:
        RequestError: if these are not four numbers in this order.
    """
    expected = "expected west,south,east,north in degrees"
    try:
        west, south, east, north = (float(part) for part in given.split(","))
    except ValueError as error:
        count = len(given.split(","))
        raise RequestError(f"--bbox {given}: {expected}, found {count} parts. {DECIMAL_COMMA}") from error
    if not (abs(south) <= 90 and abs(north) <= 90):
        raise RequestError(f"--bbox {given}: {expected}; a latitude beyond 90 was found. Longitude stands first.")
    if west > east:
        raise RequestError(
            f"--bbox {given}: {expected}; west {west:g} lies east of {east:g}. Swap them, or, over the antimeridian, "
            f"count on beyond 180: --bbox={west:g},{south:g},{east + 360:g},{north:g}."
        )
    if south > north:
        raise RequestError(
            f"--bbox {given}: {expected}; south {south:g} lies north of {north:g}. Swap them. {DECIMAL_COMMA}"
        )
    if not (west < east and south < north and west >= -360 and east <= 360 and east - west <= 360):
        raise RequestError(
            f"--bbox {given}: {expected}; this rectangle is empty or goes more than once round the Earth."
        )
    return _area([shapely.box(west, south, east, north)], LON_LAT, place="--bbox")


def mgrs_area(mgrs_tiles: Sequence[str]) -> Area:
    """The whole squares of MGRS tiles.

    Args:
        mgrs_tiles: names, with or without the T: ("31UFS", "31UET").

    Returns:
        Their union; one tile gives its name.

    Raises:
        RequestError: if a name is none.
    """
    squares = [mgrs_square(name) for name in mgrs_tiles]
    pieces = [_square_area(square) for square in squares]
    geometry, _ = lon_lat_area(pieces, LON_LAT, "--mgrs-tiles")
    return Area(geometry=geometry, name=squares[0].mgrs_tile.lower() if len(squares) == 1 else DEFAULT_NAME)


def reference_area(path: Path) -> Area:
    """The rectangle that a raster covers, in lon/lat.

    Args:
        path: anything that GDAL opens as a raster.

    Returns:
        The raster's outline; its name gives the area's name.

    Raises:
        RequestError: if it cannot be opened or says not where it lies.
    """
    if not path.exists():
        raise RequestError(f"--reference {path}: there is no such file. Check the name.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as raster:
                crs, transform, width, height = raster.crs, raster.transform, raster.width, raster.height
    except RasterioIOError as error:
        raise RequestError(f"--reference {path}: no raster that can be read: {error}.") from error
    if crs is None or transform.is_identity:
        raise RequestError(f"--reference {path}: says not where it lies. Give a georeferenced raster, or --bbox.")
    a, b, c, d, e, f = transform[:6]
    pixels = ((0, 0), (width, 0), (width, height), (0, height))
    corners = [(a * col + b * row + c, d * col + e * row + f) for col, row in pixels]
    return _area([Polygon(corners)], parse_crs(crs.to_wkt(), path.name), place=path.name, name=slug(path.stem))


def slug(text: str) -> str:
    """A name for files: a-z, 0-9 and hyphens, at most 48; "Zürich (Süd)" becomes "zurich-sud"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].rstrip("-") or DEFAULT_NAME


def _area(geometries: Sequence[BaseGeometry], crs: pyproj.CRS, *, place: str, name: str = DEFAULT_NAME) -> Area:
    geometry, note = lon_lat_area(geometries, crs, place)
    return Area(geometry=geometry, name=name, note=note)


def _square_area(square: MgrsSquare) -> BaseGeometry:
    """One MGRS tile in lon/lat."""
    outline = shapely.box(square.left, square.bottom, square.right, square.top)
    geometry, _ = lon_lat_area([outline], pyproj.CRS.from_user_input(square.crs), square.mgrs_tile)
    return geometry
