"""Rasters of the user's that say something of the land: what they are, and their values on pixels of ours."""

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio
import shapely
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.vrt import WarpedVRT
from shapely.geometry.base import BaseGeometry

from senard.errors import RequestError
from senard.model.arrays import Float32Array, UInt8Array
from senard.model.grid import Grid
from senard.model.land import WORLDCOVER

FEET = frozenset({"foot", "feet", "ft", "us-ft", "us survey foot", "foot_us", "ftus"})
"""What rasters call units that are no metres."""
LOWEST_M, HIGHEST_M = -500.0, 9000.0
"""No ground of the Earth lies lower or higher, m."""
ASIDE = (".aux.xml", ".ovr")
"""Ends of the names of files that hold no pixels: statistics and overviews, which come and go."""
SAMPLES = 40
"""Points along a side of the area's rectangle that tell how much of it a raster covers."""


def raster_digest(path: Path, flag: str) -> str:
    """What names the content of a raster: SHA-256 of its file, or of all files that a VRT is made of.

    Args:
        path: anything that GDAL opens as a raster of one band.
        flag: the option that gave it: "--dem".

    Returns:
        64 hex digits: of one file what `sha256sum` says of it, whatever lies beside it; of a VRT the digest of the
        digests of itself and of the files that it names, without their names.

    Raises:
        RequestError: if it is no raster of one band of numbers, says not where it lies, or its heights are in feet.
    """
    with _opened(path, flag) as raster:
        if raster.crs is None or raster.transform.is_identity:
            raise RequestError(f"{flag} {path}: says not where it lies. Give a georeferenced raster.")
        if raster.count != 1 or np.dtype(raster.dtypes[0]).kind not in "iuf":
            raise RequestError(
                f"{flag} {path}: expected one band of numbers, found {raster.count} of {raster.dtypes[0]}. "
                f"Give a raster with this band alone."
            )
        unit = (raster.units[0] or "").strip().lower()
        if flag == "--dem" and unit in FEET:
            raise RequestError(f"{flag} {path}: its heights are in {unit}, expected metres. Convert them.")
        files = [Path(name) for name in _files(raster)]
    digests = [_file_digest(file, path, flag) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def covered_share(path: Path, flag: str, area: BaseGeometry) -> float:
    """How much of an area lies within a raster's rectangle, 0-1; holes in it are not looked at.

    Args:
        path: the raster.
        flag: the option that gave it.
        area: polygons, lon/lat (EPSG:4326).
    """
    with _opened(path, flag) as raster:
        crs, (a, b, c, d, e, f) = raster.crs, (~raster.transform)[:6]
        width, height = raster.width, raster.height
    west, south, east, north = area.bounds
    lon, lat = np.meshgrid(np.linspace(west, east, SAMPLES), np.linspace(south, north, SAMPLES))
    inside = shapely.intersects_xy(area, lon.ravel(), lat.ravel())
    vertices = shapely.get_coordinates(area)
    places = np.concatenate([np.column_stack([lon.ravel(), lat.ravel()])[inside], vertices])
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs.to_wkt(), always_xy=True)
    x, y = transformer.transform(places[:, 0], places[:, 1])
    col, row = a * x + b * y + c, d * x + e * y + f
    return float(((col >= 0) & (col <= width) & (row >= 0) & (row <= height)).mean())


def heights_on(path: Path, grid: Grid) -> Float32Array:
    """Heights of a terrain model on pixels of ours, averaged or interpolated bilinearly.

    Args:
        path: the terrain model.
        grid: the pixels.

    Returns:
        (y, x) float32, m; NaN where it has none.

    Raises:
        RequestError: if heights are no metres above the sea.
    """
    with _opened(path, "--dem") as raster:
        numbers = _warped(raster, path, "--dem", grid, Resampling.bilinear, "float32", float("nan"))
        heights: Float32Array = numbers * np.float32(raster.scales[0]) + np.float32(raster.offsets[0])
    known = heights[np.isfinite(heights)]
    if known.size and not LOWEST_M <= known.min() <= known.max() <= HIGHEST_M:
        raise RequestError(
            f"--dem {path}: expected heights from {LOWEST_M:.0f} to {HIGHEST_M:.0f} m, found {known.min():.0f} to "
            f"{known.max():.0f}. Are they metres? If such numbers mean that nothing is known, declare them as nodata "
            f"(gdal_edit.py -a_nodata)."
        )
    return heights


def covers_on(path: Path, grid: Grid) -> UInt8Array:
    """Codes of a land cover on pixels of ours, the most frequent one of each.

    Args:
        path: the land cover.
        grid: the pixels.

    Returns:
        (y, x) uint8, codes of ESA WorldCover; 0 where it has none.

    Raises:
        RequestError: if there are other codes.
    """
    with _opened(path, "--landcover") as raster:
        codes = _warped(raster, path, "--landcover", grid, Resampling.mode, "int32", 0)
    other = sorted(set(np.unique(codes).tolist()) - WORLDCOVER)
    if other:
        listed = ", ".join(map(str, other[:5]))
        raise RequestError(
            f"--landcover {path}: expected the codes of ESA WorldCover ({', '.join(map(str, sorted(WORLDCOVER)))}), "
            f"found {listed}. Translate its classes first, or leave it out."
        )
    return codes.astype(np.uint8)


@contextmanager
def _opened(path: Path, flag: str) -> Iterator[Any]:
    """An opened raster.

    Raises:
        RequestError: if it cannot be opened.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            raster = rasterio.open(path)
    except RasterioIOError as error:
        raise RequestError(
            f"{flag} {path}: no raster that can be read: {str(error).rstrip('.')}. Check it with gdalinfo."
        ) from error
    with raster:
        yield raster


def _warped(
    raster: Any, path: Path, flag: str, grid: Grid, resampling: Resampling, dtype: str, nodata: float
) -> np.ndarray[Any, Any]:
    """The band on the pixels of a grid; `nodata` beyond its edges and where it is nodata itself."""
    try:
        with WarpedVRT(
            raster,
            crs=grid.crs,
            transform=Affine.from_gdal(*grid.geotransform),
            width=grid.width,
            height=grid.height,
            resampling=resampling,
            dtype=dtype,
            src_nodata=raster.nodata,
            nodata=nodata,
        ) as warped:
            pixels: np.ndarray[Any, Any] = warped.read(1)
    except RasterioError as error:
        raise RequestError(f"{flag} {path}: cannot be read: {str(error).rstrip('.')}. Check the file.") from error
    return pixels


def _files(raster: Any) -> list[str]:
    """Files that hold the pixels: those of a VRT and what it names, else the one that was opened."""
    if raster.driver != "VRT":
        return [raster.name]
    found = [raster.name]
    for name in raster.files:
        if name not in found and not name.lower().endswith(ASIDE):
            found.append(name)
    for name in found[1:]:  # a VRT may name another one
        if name.lower().endswith(".vrt"):
            with rasterio.open(name) as inner:
                found += [deeper for deeper in _files(inner) if deeper not in found]
    return found


def _file_digest(file: Path, path: Path, flag: str) -> str:
    """SHA-256 of one file."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise RequestError(
            f"{flag} {path}: it is made of {file}, which cannot be read ({error.strerror or error}). What it is made "
            f"of must be files here: copy them, or merge them into one GeoTIFF."
        ) from error
