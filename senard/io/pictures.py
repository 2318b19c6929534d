"""Pictures: reduced reading of tiles, PNG and JPEG, world files."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow
from shapely.affinity import translate
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from senard.io.atomic import partial_file
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Bounds, Tile, Window
from senard.model.picture import WORLD_M, PictureFrame


def read_reduced(
    files: Sequence[Path], tiles: Sequence[Tile], frame: PictureFrame, bands: Sequence[int], *, average: bool
) -> UInt16Array:
    """Read the tiles of a mosaic at the size of a picture; GDAL takes the overview that fits, never the whole tile.

    Args:
        files: one GeoTIFF per tile, uint16; a file that does not exist leaves 0.
        tiles: the tiles, in the order of `files`.
        frame: the picture.
        bands: band numbers, 1-based.
        average: True: mean of the valid pixels, for reflectance; False: one pixel of the many, for classes.

    Returns:
        (band, y, x) uint16; 0 where no tile lies.
    """
    picture = np.zeros((len(bands), *frame.shape), dtype=np.uint16)
    for path, tile in zip(files, tiles, strict=True):
        window = frame.window(tile)
        if path.is_file() and window.height and window.width:
            rows, cols = window.slices
            picture[:, rows, cols] = _read_part(path, tile, frame, window, bands, average=average)
    return picture


def _read_part(
    path: Path, tile: Tile, frame: PictureFrame, window: Window, bands: Sequence[int], *, average: bool
) -> UInt16Array:
    """The part of a picture that one tile fills; half picture pixels beyond the tile's edge are cut off."""
    ground = frame.bounds(window)
    left = frame.shown_x(tile.left)
    seen = Bounds(
        left=max(ground.left, left),
        bottom=max(ground.bottom, tile.bottom),
        right=min(ground.right, left + tile.right - tile.left),
        top=min(ground.top, tile.top),
    )
    with rasterio.open(path) as file:
        gsd = file.transform.a
        part: UInt16Array = file.read(
            list(bands),
            window=RasterioWindow(
                (seen.left - left) / gsd,
                (tile.top - seen.top) / gsd,
                (seen.right - seen.left) / gsd,
                (seen.top - seen.bottom) / gsd,
            ),
            out_shape=(len(bands), window.height, window.width),
            resampling=Resampling.average if average else Resampling.nearest,
        )
    return part


def shown_area(area: MultiPolygon, frame: PictureFrame) -> MultiPolygon:
    """An area of the mosaic's CRS as the picture shows it: parts beyond the antimeridian are moved to their place."""
    return MultiPolygon(
        [part if frame.shown_x(part.bounds[0]) == part.bounds[0] else translate(part, WORLD_M) for part in area.geoms]
    )


def burn_area(area: BaseGeometry, frame: PictureFrame) -> BoolArray:
    """(y, x) bool, True where the pixel's centre lies in the area, which is in the frame's CRS."""
    transform = Affine.from_gdal(*frame.geotransform)
    burnt = rasterize([(area, 1)], frame.shape, transform=transform, dtype="uint8")
    return np.asarray(burnt, dtype=np.bool_)


def write_png(path: Path, picture: UInt8Array) -> Path:
    """Write (y, x, 3 or 4) uint8 as a PNG file, atomically."""
    with partial_file(path) as partial:
        Image.fromarray(picture).save(partial, format="PNG", optimize=False, compress_level=6)
    return path


def png_bytes(picture: UInt8Array) -> bytes:
    """(y, x, 3 or 4) uint8 as the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def jpeg_bytes(picture: UInt8Array, *, longest: int) -> bytes:
    """(y, x, 4) uint8 as the bytes of a JPEG file on white, its longer side at most `longest` pixels."""
    image = Image.fromarray(picture)
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    flat = paper.convert("RGB")
    flat.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    flat.save(buffer, format="JPEG", quality=85, optimize=True)
    return buffer.getvalue()


def write_world_file(path: Path, frame: PictureFrame) -> Path:
    """Write where a picture lies, atomically: pixel size, rotations, centre of the upper left pixel."""
    centre_x, centre_y = frame.left + frame.pixel_m / 2, frame.top - frame.pixel_m / 2
    numbers = (frame.pixel_m, 0.0, 0.0, -frame.pixel_m, centre_x, centre_y)
    with partial_file(path) as partial:
        partial.write_text("".join(f"{number:.10f}\n" for number in numbers), encoding="ascii", newline="\n")
    return path


def read_picture(path: Path) -> UInt8Array:
    """A PNG file as (y, x, 3 or 4) uint8."""
    with Image.open(path) as image:
        return np.asarray(image)
