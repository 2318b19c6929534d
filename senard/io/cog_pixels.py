"""Pixels of GeoTIFFs that others made of ESA's images: whether ESA's offset is in them, 60 m made of 10 and 20 m."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TypeAlias

import numpy as np
from rasterio.errors import RasterioError

from senard.errors import RequestError, StorageError, UnusableSceneError
from senard.io.geotiff import RasterReader, ScratchWriter
from senard.io.jp2 import read_image
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.grid import Grid, Window
from senard.model.sentinel2 import NODATA_DN, SATURATED_DN

Pixels: TypeAlias = UInt8Array | UInt16Array
"""(y, x) uint8 or uint16."""

_ROWS = 512
"""Rows of a strip: a row of internal tiles, so that each is compressed once."""

_SAMPLE_PX = 1000
"""A thousand pixels along each side tell how dark a scene is."""

_DARK_PERCENTILES = (0.1, 10)
"""The darkest thousandth and the darkest tenth of a band: water, shade or leaves in nearly every scene."""


class Offset(Enum):
    """Where ESA's offset is."""

    LEFT_IN = "left in"
    """Pixels are as ESA delivers them: dark ground has DN a little above 1000."""

    TAKEN_OUT = "taken out"
    """1000 is subtracted: dark ground has DN below 800."""

    UNDECIDED = "undecided"
    """A scene without dark ground (desert, cloud all over) does not tell."""


def seen_offset(bands: Mapping[str, Path], offset: int) -> Offset:
    """What the pixels themselves say about the offset, for metadata about it have been wrong.

    With the offset left in, DN below 0.8 times the offset are reflectances below -0.02: hardly a pixel has them, and
    never a tenth of the ground. With the offset taken out, that is ground darker than 0.08, which covers a tenth of
    nearly every scene in its darkest band, and a thousandth of the others. What fits neither is undecided.

    Args:
        bands: name to file, uint16.
        offset: ESA's offset, DN: -1000.
    """
    found = [dark for path in bands.values() if (dark := _dark(path)) is not None]
    if not found or offset >= 0:
        return Offset.UNDECIDED
    thousandth, tenth = (min(values) / -offset for values in zip(*found, strict=True))
    if tenth < 0.8:
        return Offset.TAKEN_OUT
    return Offset.LEFT_IN if thousandth >= 0.8 and tenth <= 1.4 else Offset.UNDECIDED


def _dark(path: Path) -> tuple[float, float] | None:
    """The darkest thousandth and tenth of an image's DN; None where it holds no data."""
    with _reading(path), RasterReader(path) as reader:
        step = max(1, min(reader.grid.shape) // _SAMPLE_PX)
    pixels = read_image(str(path), overview=step)
    valid = pixels[(pixels != NODATA_DN) & (pixels != SATURATED_DN)]
    if not valid.size:
        return None
    thousandth, tenth = np.percentile(valid, _DARK_PERCENTILES)
    return float(thousandth), float(tenth)


def require_decodable(path: Path) -> None:
    """Decode every pixel once. That finds what is cut short or no image, and most of what breaks a tile.

    GDAL compares no checksum of DEFLATE, so a changed byte may pass: on its way HTTPS guards it.

    Raises:
        UnusableSceneError: a tile is damaged or missing.
    """
    with _reading(path), RasterReader(path) as reader:
        for window in _strips(reader.grid):
            reader.read(window)


def grid_of(path: Path) -> Grid:
    """The pixels of a GeoTIFF.

    Raises:
        UnusableSceneError: it is none.
    """
    with _reading(path), RasterReader(path) as reader:
        return reader.grid


def add_back(source: Path, target: Path, shift: int) -> None:
    """Copy an image with the offset put back into it.

    Args:
        source: uint16 GeoTIFF.
        target: GeoTIFF to make.
        shift: DN to add: 1000. 0 stays 0 (no data), 65535 stays 65535 (saturated).
    """

    def shifted(pixels: Pixels) -> Pixels:
        higher = np.minimum(pixels.astype(np.uint32) + shift, SATURATED_DN)
        return np.where(pixels == NODATA_DN, NODATA_DN, higher).astype(np.uint16)

    _copied(source, target, 1, shifted)


def averaged(source: Path, target: Path, factor: int) -> None:
    """Make a coarser image whose pixels are means.

    A pixel with one pixel of no data in it has no data: else the mosaic would choose ground that the fine band does not
    show. One with a saturated pixel in it is saturated.

    Args:
        source: uint16 GeoTIFF, sides multiples of `factor`.
        target: GeoTIFF to make.
        factor: fine pixels along a side of a coarse one: 6 from 10 m to 60 m.
    """

    def mean(pixels: Pixels) -> Pixels:
        cells = _cells(pixels, factor)
        means = (cells.sum(axis=(1, 3), dtype=np.uint32) + factor * factor // 2) // (factor * factor)
        means = np.where((cells == SATURATED_DN).any(axis=(1, 3)), SATURATED_DN, means)
        return np.where((cells == NODATA_DN).any(axis=(1, 3)), NODATA_DN, means).astype(np.uint16)

    _copied(source, target, factor, mean)


def centres(source: Path, target: Path, factor: int) -> None:
    """Make a coarser image of classes: each pixel is the one in the middle.

    Args:
        source: uint8 GeoTIFF, sides multiples of `factor`.
        target: GeoTIFF to make.
        factor: odd: 3 from 20 m to 60 m.
    """
    _copied(source, target, factor, lambda pixels: _cells(pixels, factor)[:, factor // 2, :, factor // 2])


def _cells(pixels: Pixels, factor: int) -> Pixels:
    """(y, fine y, x, fine x)."""
    height, width = pixels.shape
    return pixels.reshape(height // factor, factor, width // factor, factor)


def _copied(source: Path, target: Path, factor: int, made: Callable[[Pixels], Pixels]) -> None:
    """Copy strip by strip, so that memory does not grow with the image."""
    with _reading(source), RasterReader(source) as reader:
        grid = reader.grid.at(reader.grid.gsd * factor)
        pixels = made(reader.read(Window(row_start=0, row_stop=factor, col_start=0, col_stop=factor))[0])
        with ScratchWriter(target, grid, ("1",), pixels.dtype, nodata=NODATA_DN) as writer:
            for window in _strips(grid):
                fine = Window(
                    row_start=window.row_start * factor,
                    row_stop=window.row_stop * factor,
                    col_start=0,
                    col_stop=grid.width * factor,
                )
                writer.write(window, {"1": made(reader.read(fine)[0])})


def _strips(grid: Grid) -> Iterator[Window]:
    for row in range(0, grid.height, _ROWS):
        yield Window(row_start=row, row_stop=min(row + _ROWS, grid.height), col_start=0, col_stop=grid.width)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (RasterioError, ValueError) as error:
        raise UnusableSceneError(
            f"{path.name} cannot be decoded ({error}). It is cut short or damaged at its source, or no image of this "
            f"product: take another source."
        ) from error
    except StorageError:
        raise
    except RequestError as error:  # the writer's full disk: no other source has a larger one
        raise StorageError(str(error)) from error
