"""A terrain model and a land cover of invented ground, as a user would give them, and where relief truly shades."""

from collections.abc import Sequence
from pathlib import Path

import numba
import numpy as np
import rasterio
from affine import Affine
from pyproj import Transformer

from senard.errors import RequestError
from senard.io.atomic import partial_file
from senard.model.arrays import BoolArray, Float32Array, Float64Array, UInt8Array
from senard.model.grid import Grid
from senard.model.land import Cover
from senard.simulation import ground
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.geometry import lonlat, mercator, sun_angles
from senard.simulation.ground import COVERS
from senard.simulation.relief import elevation, land_numbers, terrain_shade

DEM = "dem.tif"
"""Name of the terrain model beside an archive."""
PIXEL_M = 50
"""Side of its pixels in EPSG:3857, m: 25 m on the ground at 60 degrees of latitude."""
LANDCOVER = "landcover.tif"
"""Name of a land cover."""
MARGIN_M = 15_000
"""How far it reaches beyond the products on the ground, m: shade and the level of the country come from there."""


_CODES = np.zeros(len(COVERS), dtype=np.uint8)
_CODES[[ground.CLEAR_WATER, ground.TURBID_WATER]] = Cover.WATER
_CODES[[ground.SAND, ground.ROCK, ground.SALT]] = Cover.BARE
_CODES[[ground.BUILT, ground.BRIGHT_ROOF, ground.DARK_ROOF]] = Cover.BUILT
_CODES[[ground.SOIL, ground.STUBBLE, ground.WINTER_CROP, ground.SUMMER_CROP, ground.IRRIGATED_CROP]] = 40
_CODES[[ground.BROADLEAF, ground.CONIFER]] = 10
_CODES[[ground.GRASS, ground.BURNT]] = 30
_CODES[ground.WETLAND] = 90
_CODES[ground.SNOW] = Cover.ICE
# Codes of ESA WorldCover by number of the cover.


def write_dem(acquisitions: Sequence[SimulatedAcquisition], out: Path) -> Path:
    """Write the heights of the ground that some products show.

    Args:
        acquisitions: products of one ground: the same seed and regime.
        out: GeoTIFF to make, EPSG:3857, float32, m.

    Returns:
        out.

    Raises:
        RequestError: if they show several grounds, or nothing.
    """
    grounds = {(one.seed, one.regime) for one in acquisitions}
    if len(grounds) != 1:
        raise RequestError(f"A terrain model is of one ground: expected one seed and regime, found {len(grounds)}.")
    first = acquisitions[0]
    grid = _around(acquisitions)
    heights = np.empty(grid.shape, dtype=np.float32)
    _fill_heights(grid.left, grid.top, float(grid.gsd), first.seed, land_numbers(first), heights)
    return _write(out, grid, heights, unit="metre")


def write_landcover(cover: UInt8Array, grid: Grid, out: Path) -> Path:
    """Write a land cover with the codes of ESA WorldCover, without its errors.

    Args:
        cover: (y, x) uint8, numbers of ground.COVERS.
        grid: the pixels.
        out: GeoTIFF to make.

    Returns:
        out.
    """
    return _write(out, grid, _CODES[cover], nodata=0)


def _write(out: Path, grid: Grid, pixels: Float32Array | UInt8Array, *, unit: str = "", **profile: object) -> Path:
    """Write one band, marked as simulated."""
    transform = Affine.from_gdal(*grid.geotransform)
    shape = {"width": grid.width, "height": grid.height, "count": 1, "dtype": pixels.dtype.name}
    made = {"driver": "GTiff", "crs": grid.crs, "transform": transform, "tiled": True, "compress": "DEFLATE"}
    with partial_file(out) as partial, rasterio.open(partial, "w", **shape, **made, **profile) as raster:
        raster.write(pixels, 1)
        raster.units = (unit,)
        raster.update_tags(SENARD_SIMULATED="true")
    return out


def true_shade(acquisition: SimulatedAcquisition, grid: Grid) -> BoolArray:
    """Where relief takes more than half of the direct light from what a product shows.

    Args:
        acquisition: the product.
        grid: pixels, in the product's CRS.

    Returns:
        (y, x), True in cast shade, and on slopes that get less than 15 % of the light of level ground.
    """
    x, y, light = _lighting(acquisition, grid)
    shaded = np.zeros(grid.shape, dtype=np.bool_)
    _fill_shade(x, y, light, acquisition.seed, land_numbers(acquisition), shaded)
    return shaded


def true_light(acquisition: SimulatedAcquisition, grid: Grid) -> Float32Array:
    """How slopes are lit in what a product shows: reflectance over that of level ground, in all bands alike.

    Args:
        acquisition: the product.
        grid: pixels, in the product's CRS.

    Returns:
        (y, x) float32, 0.25 to 1.7; the shade of other ground is left out.
    """
    x, y, light = _lighting(acquisition, grid)
    lit = np.ones(grid.shape, dtype=np.float32)
    _fill_light(x, y, light, acquisition.seed, land_numbers(acquisition), lit)
    return lit


def _lighting(acquisition: SimulatedAcquisition, grid: Grid) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Mercator places of pixels, and (way to the sun per m of height to the east and north, stretch) there."""
    col, row = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    lon, lat = lonlat(grid.crs, grid.left + col * grid.gsd, grid.top - row * grid.gsd)
    x, y = mercator(lon, lat)
    zenith, azimuth = sun_angles(acquisition.sensing_time, lon, lat)
    slant, direction = np.tan(np.radians(np.minimum(zenith, 80.0))), np.radians(azimuth)
    return x, y, np.stack([slant * np.sin(direction), slant * np.cos(direction), 1.0 / np.cos(np.radians(lat))])


def _around(acquisitions: Sequence[SimulatedAcquisition]) -> Grid:
    """Pixels around all products."""
    boxes = []
    for one in acquisitions:
        bounds = one.grid.bounds.padded(MARGIN_M)
        transformer = Transformer.from_crs(one.grid.crs, "EPSG:3857", always_xy=True)
        boxes.append(transformer.transform_bounds(bounds.left, bounds.bottom, bounds.right, bounds.top))
    edges = np.array(boxes)
    left, bottom = np.floor(edges[:, :2].min(axis=0) / PIXEL_M).astype(int).tolist()
    right, top = np.ceil(edges[:, 2:].max(axis=0) / PIXEL_M).astype(int).tolist()
    return Grid(
        crs="EPSG:3857",
        left=float(left * PIXEL_M),
        top=float(top * PIXEL_M),
        gsd=PIXEL_M,
        width=right - left,
        height=top - bottom,
    )


@numba.njit(cache=False)
def _fill_heights(left: float, top: float, side: float, seed: int, land: Float64Array, out: Float32Array) -> None:
    """Height in the middle of every pixel."""
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            out[row, col] = elevation(left + (col + 0.5) * side, top - (row + 0.5) * side, seed, land)


@numba.njit(cache=False)
def _fill_light(
    x: Float64Array, y: Float64Array, light: Float64Array, seed: int, land: Float64Array, out: Float32Array
) -> None:
    """Light on slopes, as `ground_at` has it."""
    step = 60.0
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            px, py, stretch = x[row, col], y[row, col], light[2, row, col]
            height = elevation(px, py, seed, land)
            if height > 120.0:
                slope_x = (elevation(px + step, py, seed, land) - height) / step * stretch
                slope_y = (elevation(px, py + step, seed, land) - height) / step * stretch
                towards = slope_x * light[0, row, col] + slope_y * light[1, row, col]
                out[row, col] = min(max(1.0 - 0.8 * towards, 0.25), 1.7)


@numba.njit(cache=False)
def _fill_shade(
    x: Float64Array, y: Float64Array, light: Float64Array, seed: int, land: Float64Array, out: BoolArray
) -> None:
    """Cast shade, and slopes turned away, as `ground_at` sees them."""
    step = 60.0
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            px, py = x[row, col], y[row, col]
            east, north, stretch = light[0, row, col], light[1, row, col], light[2, row, col]
            height = elevation(px, py, seed, land)
            slope_x = (elevation(px + step, py, seed, land) - height) / step * stretch
            slope_y = (elevation(px, py + step, seed, land) - height) / step * stretch
            turned = 1.0 - (slope_x * east + slope_y * north) < 0.15
            out[row, col] = turned or terrain_shade(px, py, height, (east, north), stretch, seed, land) > 0.5
