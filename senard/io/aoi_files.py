"""Geometries and CRS out of files and text: GeoJSON, WKT, and what GDAL reads."""

import json
import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyproj
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from senard.errors import RequestError
from senard.io.aoi_geometry import LON_LAT
from senard.io.request_file import CONFIG_KEYS

Geometries = tuple[list[BaseGeometry], pyproj.CRS]
"""What every reader returns: geometries of any type, x before y, and their CRS."""

KNOWN_SUFFIXES = ".geojson .json .shp .kml .kmz .gpkg .wkt"

DECIMAL_COMMA = "Decimals need a point: 29.30, not 29,30."


def read_geometries(path: Path) -> Geometries:
    """All geometries of a file.

    Args:
        path: GeoJSON, Shapefile, KML, KMZ, GeoPackage or WKT, told apart by the suffix.

    Returns:
        Geometries of all features, and their CRS.

    Raises:
        RequestError: if the file is missing or cannot be read, or its CRS is unknown.
    """
    if path.is_dir():
        raise RequestError(f"--aoi {path}: expected a file, found a folder. Name the file in it.")
    if not path.is_file():
        raise RequestError(
            f"--aoi {path}: there is no such file. Check the name; relative names count from {Path.cwd()}."
        )
    suffix = path.suffix.lower()
    if suffix in {".geojson", ".json"}:
        return parse_geojson(_text(path), path.name)
    if suffix in {".wkt", ".txt"}:
        return parse_wkt(_text(path), path.name)
    if suffix in {".shp", ".kml", ".kmz", ".gpkg"}:
        return _read_layers(path)
    raise RequestError(f"--aoi {path}: cannot tell the format from {suffix!r}. Known are {KNOWN_SUFFIXES}.")


def parse_geojson(text: str, place: str) -> Geometries:
    """Geometries of a GeoJSON text: Feature, FeatureCollection, bare geometry or collection; a `crs` member counts.

    Raises:
        RequestError: if it is no GeoJSON, or a position is not two or three numbers.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(
            f"{place}: not JSON (line {error.lineno}: {error.msg}). Save it as GeoJSON again."
        ) from error
    if not isinstance(document, dict):
        raise RequestError(f"{place}: not GeoJSON: expected an object with a type, found {type(document).__name__}.")
    if "type" not in document and document.keys() <= CONFIG_KEYS and document:
        raise RequestError(f"{place}: is a configuration file: give it as --config, not as --aoi.")
    return [_shape(found, place) for found in _geojson_geometries(document, place)], _geojson_crs(document, place)


def parse_wkt(text: str, place: str) -> Geometries:
    """Geometries of WKT, lon/lat, or of EWKT that begins with `SRID=<EPSG code>;`.

    Raises:
        RequestError: if it cannot be read.
    """
    match = re.fullmatch(r"\s*(?:SRID=(\d+);)?(.*)", text, re.DOTALL | re.IGNORECASE)
    srid, body = (match[1], match[2].strip()) if match else (None, text)
    try:
        geometry = shapely.from_wkt(body)
    except ShapelyError as error:
        reason = str(error).splitlines()[0]
        raise RequestError(
            f"{place}: not WKT: {reason}. Write e.g. POLYGON ((24.8 60.1, 25.2 60.1, 25.2 60.3, 24.8 60.1)): "
            f"a blank between longitude and latitude, a comma between points. {DECIMAL_COMMA}"
        ) from error
    return [geometry], parse_crs(f"EPSG:{srid}", place) if srid else LON_LAT


def parse_crs(text: str, place: str) -> pyproj.CRS:
    """A CRS by name or WKT.

    Raises:
        RequestError: if it is unknown, or no place on the Earth follows from it.
    """
    try:
        crs = pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError as error:
        raise RequestError(f"{place}: unknown CRS {text[:80]!r}. Name it by its EPSG code, e.g. EPSG:32633.") from error
    if not (crs.is_geographic or crs.is_projected):
        raise RequestError(f"{place}: {crs.name} does not say where on the Earth it lies. Save the file in EPSG:4326.")
    return crs


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: cannot be read as UTF-8 text: {error}. Save the file again.") from error


def _geojson_geometries(document: dict[str, Any], place: str) -> Iterator[dict[str, Any]]:
    """Geometry objects of a document; a feature without geometry gives none."""
    kind = document.get("type")
    inner = {"FeatureCollection": "features", "Feature": "geometry", "GeometryCollection": "geometries"}
    if kind not in inner:
        yield document
        return
    found = document.get(inner[kind])
    if found is not None and not isinstance(found, list if kind != "Feature" else dict):
        raise RequestError(f"{place}: the member {inner[kind]!r} of a {kind} is a {type(found).__name__}: not GeoJSON.")
    for child in [found] if isinstance(found, dict) else found or []:
        if not isinstance(child, dict):
            raise RequestError(f"{place}: expected an object in {inner[kind]!r}, found {child!r}: not GeoJSON.")
        yield from _geojson_geometries(child, place)


def _shape(geometry: dict[str, Any], place: str) -> BaseGeometry:
    kinds = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
    if geometry.get("type") not in kinds or not isinstance(geometry.get("coordinates"), list):
        raise RequestError(
            f"{place}: not GeoJSON: expected a Feature, FeatureCollection or geometry with coordinates, "
            f"found type {geometry.get('type')!r}."
        )
    for position in _positions(geometry["coordinates"]):
        if not 2 <= len(position) <= 3:
            raise RequestError(
                f"{place}: a position is [longitude, latitude], found {len(position)} numbers: {position}. "
                f"{DECIMAL_COMMA}"
            )
        if not all(isinstance(number, int | float) and math.isfinite(number) for number in position):
            raise RequestError(f"{place}: a coordinate is not a number: {position}. Repair or redraw the polygon.")
    try:
        return shape(geometry)
    except (ShapelyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise RequestError(
            f"{place}: a {geometry['type']} cannot be read: {error}. A ring has four points at least."
        ) from error


def _positions(coordinates: list[Any]) -> Iterator[list[Any]]:
    """The innermost lists."""
    if not any(isinstance(item, list) for item in coordinates):
        if coordinates:
            yield coordinates
        return
    for item in coordinates:
        yield from _positions(item if isinstance(item, list) else [item])


def _geojson_crs(document: dict[str, Any], place: str) -> pyproj.CRS:
    """The CRS of the old `crs` member; lon/lat where there is none."""
    member = document.get("crs")
    if member is None:
        return LON_LAT
    name = member.get("properties", {}).get("name") if isinstance(member, dict) else None
    if not isinstance(name, str):
        raise RequestError(
            f"{place}: the crs member has no name. Write it as EPSG code, or save the file in EPSG:4326."
        )
    return parse_crs(name, place)


def _read_layers(path: Path) -> Geometries:
    """Geometries of all layers that GDAL finds; a GeoPackage must have one layer, or which is meant is unclear."""
    import pyogrio  # brings pandas, 0.4 s: not at the start of every command, most of which read GeoJSON or none at all

    suffix = path.suffix.lower()
    if suffix == ".shp" and not path.with_suffix(".prj").is_file() and not path.with_suffix(".PRJ").is_file():
        raise RequestError(
            f"{path}: the file {path.with_suffix('.prj').name} is missing, so the CRS is unknown. Copy it beside the "
            "Shapefile (all of .shp .shx .dbf .prj belong together), or save the area as GeoPackage."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # measures and curves that are dropped anyway
            layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
            if len(layers) > 1 and suffix == ".gpkg":
                raise RequestError(f"{path}: has {len(layers)} layers ({', '.join(layers)}). Save the one meant alone.")
            read = [pyogrio.raw.read(path, layer=layer, columns=[]) for layer in layers]
            geometries = [found for _, _, wkb, _ in read for found in shapely.from_wkb(wkb) if found is not None]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ShapelyError, ValueError) as error:
        raise RequestError(
            f"{path}: cannot be read: {error}. Open it in QGIS and save the area as GeoPackage."
        ) from error
    names = {meta["crs"] for meta, *_ in read}
    if suffix in {".kml", ".kmz"} or not read:
        return geometries, LON_LAT
    (name,) = names
    if name is None:
        raise RequestError(f"{path}: has no CRS. Set the layer's CRS in QGIS and save the file again.")
    return geometries, parse_crs(name, path.name)
