"""GeoTIFF: scratch rasters between steps, Cloud Optimized GeoTIFF delivered.

Scratch is tiled, ZSTD-1, band after band: reading it costs a thirtieth of decoding JPEG 2000 again, and copying it with
the COG driver needs little memory, where the driver on one big array peaks at 2.9 GB.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow

from senard.errors import RequestError, TransientError
from senard.io.atomic import partial_file
from senard.io.results import unreadable
from senard.model.grid import Grid, Window
from senard.model.labels import RasterProfile

Raster: TypeAlias = npt.NDArray[Any]
"""An array of pixels of any type, axes (y, x) or (band, y, x)."""

BLOCK = 512
"""Side of the internal tiles, pixels."""

_SCRATCH = {
    "driver": "GTiff",
    "tiled": True,
    "blockxsize": BLOCK,
    "blockysize": BLOCK,
    "compress": "ZSTD",
    "zstd_level": 1,
    "interleave": "band",
    "bigtiff": "IF_SAFER",
}

_COG = {
    "BLOCKSIZE": BLOCK,
    "COMPRESS": "DEFLATE",
    "LEVEL": 6,
    "PREDICTOR": 2,
    "BIGTIFF": "IF_SAFER",
    "STATISTICS": "YES",
    "NUM_THREADS": "ALL_CPUS",
}

_CACHE_BYTES = 256 * 2**20
"""GDAL's cache of blocks while it copies, bytes: a row of 512-pixel tiles over 120 km and eight bands takes 50 MB."""

_COPYING: dict[str, Any] = {
    "GDAL_PAM_ENABLED": False,
    "GDAL_CACHEMAX": _CACHE_BYTES,
    # The driver keeps overviews in a file beside the result until it has them all: a third of the pixels. Compressing
    # that file takes a quarter of the time of the whole copy.
    "COG_TMP_COMPRESSION": "NONE",
}

_SPARE_BYTES = 64 * 2**20
"""Less than this left on the disk after a failed write: the disk is full."""


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turns GDAL's errors into ours.

    Raises:
        RequestError: the disk is full.
        TransientError: the file cannot be written for another reason, or its folder has vanished: of two commands that
            run at once in one work folder, one may take the other's half-made folders for leftovers.
    """
    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        if not path.parent.is_dir():
            raise TransientError(
                f"{path} cannot be written: its folder has vanished. Does another command make the same in this work "
                f"folder? Let it end, or share the work through a scheduler, and run again."
            ) from error
        free = shutil.disk_usage(path.parent).free
        if free < _SPARE_BYTES:
            raise RequestError(
                f"{path.parent}: the disk is full, {free // 1000**2} MB are free. Free some space or choose another "
                f"--outdir or --workdir, and run again."
            ) from error
        raise TransientError(
            f"{path} cannot be written ({error}); perhaps the disk is full. Free some space or choose another "
            f"--outdir or --workdir, and run again."
        ) from error


def whole(grid: Grid) -> Window:
    """The window of all pixels of a grid."""
    return Window(row_start=0, row_stop=grid.height, col_start=0, col_stop=grid.width)


class ScratchWriter:
    """A scratch raster filled window by window; a context manager.

    The file appears under `path` at once: write into a `partial_directory` or under a `partial_file` name.
    """

    def __init__(
        self,
        path: Path,
        grid: Grid,
        names: Sequence[str],
        dtype: npt.DTypeLike,
        *,
        nodata: int | None = None,
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Create the file.

        Args:
            path: where; its folder exists.
            grid: the pixels of the raster.
            names: one name per band, in band order.
            dtype: type of every band.
            nodata: number that means "no data", None for none.
            tags: of the file.
        """
        self.path = path
        self.grid = grid
        self.names = tuple(names)
        with _writing(path):
            self._dataset = rasterio.open(
                path,
                "w",
                width=grid.width,
                height=grid.height,
                count=len(self.names),
                dtype=np.dtype(dtype).name,
                crs=grid.crs,
                transform=Affine.from_gdal(*grid.geotransform),
                nodata=nodata,
                **_SCRATCH,
            )
        self._dataset.descriptions = self.names
        if tags:
            self._dataset.update_tags(**tags)

    def write(self, window: Window, arrays: Mapping[str, Raster]) -> None:
        """Write some or all bands of one window.

        Args:
            window: inside the grid; aligned to 512 pixels it is compressed only once.
            arrays: band name to (y, x) pixels of the window.

        Raises:
            ValueError: for a name that is not a band of the file.
            RequestError: the disk is full.
            TransientError: the file cannot be written.
        """
        where = _rasterio_window(window)
        for name, pixels in arrays.items():
            number = self.names.index(name) + 1
            with _writing(self.path):
                self._dataset.write(pixels, number, window=where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _writing(self.path):
            self._dataset.close()


class RasterReader:
    """An opened GeoTIFF, north up, with square pixels; a context manager, to be used by one thread at a time.

    Where it is none or damaged, opening and reading raise rasterio's errors: what they mean, its user knows.
    """

    def __init__(self, path: Path) -> None:
        """Open the file."""
        self._dataset = rasterio.open(path)
        self.names: tuple[str, ...] = tuple(self._dataset.descriptions)

    @cached_property
    def grid(self) -> Grid:
        """The pixels of the raster; naming its CRS takes longer than opening the file, and many only want pixels."""
        transform = self._dataset.transform
        if self._dataset.crs is None or transform.is_identity:
            raise RasterioError("it does not say where it lies")
        return Grid(
            crs=self._dataset.crs.to_string(),
            left=transform.c,
            top=transform.f,
            gsd=round(transform.a),
            width=self._dataset.width,
            height=self._dataset.height,
        )

    def read(self, window: Window | None = None, bands: str | Sequence[str] | None = None, *, fill: int = 0) -> Raster:
        """Read a window, which may reach beyond the edges of the raster.

        Args:
            window: pixels wanted; None means all.
            bands: names of bands, or one name; None means all bands.
            fill: number given to pixels beyond the edges.

        Returns:
            (band, y, x), or (y, x) for one name, in the type of the file.

        Raises:
            ValueError: for a name that is not a band of the file.
        """
        height, width = self._dataset.shape
        own = Window(row_start=0, row_stop=height, col_start=0, col_stop=width)
        wanted = own if window is None else window
        names = self.names if bands is None else (bands,) if isinstance(bands, str) else tuple(bands)
        numbers = [self.names.index(name) + 1 for name in names]
        inside = (
            Window(
                row_start=min(max(wanted.row_start, 0), height),
                row_stop=max(min(wanted.row_stop, height), 0),
                col_start=min(max(wanted.col_start, 0), width),
                col_stop=max(min(wanted.col_stop, width), 0),
            )
            if _overlaps(wanted, own)
            else None
        )
        if inside == wanted:
            pixels = self._dataset.read(numbers, window=_rasterio_window(wanted))
        else:
            pixels = np.full((len(numbers), wanted.height, wanted.width), fill, dtype=self._dataset.dtypes[0])
            if inside is not None:
                row, col = inside.row_start - wanted.row_start, inside.col_start - wanted.col_start
                pixels[:, row : row + inside.height, col : col + inside.width] = self._dataset.read(
                    numbers, window=_rasterio_window(inside)
                )
        return pixels[0] if isinstance(bands, str) else pixels

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dataset.close()


class ScratchReader(RasterReader):
    """An opened scratch raster: one that is gone or damaged must be made anew."""

    def __init__(self, path: Path, *, part_of: Path | None = None) -> None:
        """Open the file.

        Args:
            path: the file.
            part_of: the file or folder that is made as one, and must go if the raster is damaged; None means the folder
                in which it lies.

        Raises:
            IncompleteError: it is gone or damaged.
        """
        self._path, self._part_of = path, part_of or path.parent
        with self._reading():
            super().__init__(path)
            if None in self.names:
                raise RasterioError("its bands have no names")

    @cached_property
    def grid(self) -> Grid:
        """As of `RasterReader`.

        Raises:
            IncompleteError: it is damaged.
        """
        with self._reading():
            return super().grid

    def read(self, window: Window | None = None, bands: str | Sequence[str] | None = None, *, fill: int = 0) -> Raster:
        """As of `RasterReader`.

        Raises:
            ValueError: for a name that is not a band of the file.
            IncompleteError: it is damaged.
        """
        with self._reading():
            return super().read(window, bands, fill=fill)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except RasterioError as error:
            raise unreadable(self._path, error, delete=self._part_of) from error


def write_scratch(
    path: Path,
    grid: Grid,
    bands: Mapping[str, Raster],
    *,
    nodata: int | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write a whole scratch raster at once.

    Args:
        path: where, see `ScratchWriter`.
        grid: the pixels of the raster.
        bands: band name to (y, x) pixels, all of one type, in band order.
        nodata: number that means "no data", None for none.
        tags: of the file.
    """
    dtype = np.result_type(*bands.values())
    with ScratchWriter(path, grid, tuple(bands), dtype, nodata=nodata, tags=tags or {}) as writer:
        writer.write(whole(grid), bands)


def read_scratch(
    path: Path,
    window: Window | None = None,
    bands: str | Sequence[str] | None = None,
    *,
    fill: int = 0,
    part_of: Path | None = None,
) -> Raster:
    """Read a window of a scratch raster; arguments, result and errors as of `ScratchReader` and its `read`."""
    with ScratchReader(path, part_of=part_of) as reader:
        return reader.read(window, bands, fill=fill)


def write_cog(scratch: Path, out: Path, profile: RasterProfile, tags: Mapping[str, str]) -> Path:
    """Copy a finished scratch raster to a Cloud Optimized GeoTIFF, labelled; whole or not at all.

    The bytes depend on pixels and labels alone, not on the number of threads.

    Args:
        scratch: raster of the profile's bands; its labels are overwritten.
        out: final name.
        profile: bands, nodata and overviews.
        tags: tags of the file, from `ProductLabels.tags`.

    Returns:
        out.

    Raises:
        RequestError: the disk is full.
        TransientError: the file cannot be written.
    """
    with partial_file(out) as partial, rasterio.Env(**_COPYING):
        with _writing(scratch):
            _label(scratch, profile, tags)
        with _writing(out):
            rasterio.shutil.copy(
                scratch, partial, driver="COG", OVERVIEW_RESAMPLING=profile.overviews.value.upper(), **_COG
            )
    return out


def _label(scratch: Path, profile: RasterProfile, tags: Mapping[str, str]) -> None:
    """Write names, units, scales, colours and tags into a scratch raster: the COG driver copies them."""
    with rasterio.open(scratch, "r+", driver="GTiff") as dataset:
        dataset.nodata = profile.nodata
        dataset.descriptions = profile.names
        dataset.units = tuple(band.unit for band in profile.bands)
        dataset.scales = tuple(band.scale for band in profile.bands)
        dataset.offsets = tuple(band.offset for band in profile.bands)
        dataset.colorinterp = tuple(ColorInterp[band.colour.name.lower()] for band in profile.bands)
        dataset.update_tags(**tags)
        for number, band in enumerate(profile.bands, 1):
            dataset.update_tags(number, **band.tags)
            if band.classes:
                dataset.write_colormap(number, {label.value: _rgb(label.colour) for label in band.classes})


def _rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0-255, of #rrggbb."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _overlaps(window: Window, own: Window) -> bool:
    """Whether a window holds a pixel of a raster."""
    rows = window.row_start < own.row_stop and window.row_stop > own.row_start
    return rows and window.col_start < own.col_stop and window.col_stop > own.col_start


def _rasterio_window(window: Window) -> RasterioWindow:
    """The window as rasterio wants it."""
    return RasterioWindow(window.col_start, window.row_start, window.width, window.height)
