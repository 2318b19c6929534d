"""Reading JPEG 2000 (and GeoTIFF) images: whole, or only the squares of pixels that are needed."""

import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import Any, Self

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile
from rasterio.windows import Window as RasterioWindow

from senard.errors import UnusableSceneError
from senard.io.codestream import Codestream
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Grid, Window

_GDAL: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no search for sidecars: a SAFE has none
    "GDAL_PAM_ENABLED": False,  # and none are written beside the user's products
    # With threads of its own GDAL 3.10 drops the errors of a damaged tile and returns zeros as if all were well.
    "GDAL_NUM_THREADS": 1,
}

_JPEG_2000 = "JP2OpenJPEG"
"""GDAL's name of the format."""

_SQUARE = 64
"""Side of a square, px: the code blocks of Sentinel-2's bands of 10 m hold 64 x 64 coefficients."""

_OPENING = threading.Lock()
"""Filters of warnings belong to the process: threads must not change them at the same time."""


class _Decoded:
    """Internal tiles of JPEG 2000 images that this process has decoded; threads may count at the same time."""

    def __init__(self) -> None:
        self.tiles = 0
        self._lock = threading.Lock()

    def add(self, tiles: int) -> None:
        with self._lock:
            self.tiles += tiles


_DECODED = _Decoded()


def decoded_jp2_tiles() -> int:
    """Internal tiles of JPEG 2000 images that this process has decoded until now, wholly or in part."""
    return _DECODED.tiles


@contextmanager
def _opened(path: str, stream: bytes | None = None) -> Iterator[Any]:
    """A rasterio dataset; whatever fails while it is open is the scene's fault and names the file.

    Args:
        path: GDAL-openable path.
        stream: opened in its place, a part of it.
    """
    try:
        with rasterio.Env(**_GDAL), MemoryFile(stream) if stream else nullcontext() as memory:
            with _OPENING, warnings.catch_warnings():
                # L2Ap images carry no georeference: the product's grid comes from MTD_TL.xml
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                dataset = rasterio.open(memory.name if memory else path)
            with dataset:
                yield dataset
    except RasterioError as error:
        raise UnusableSceneError(
            f"{path} cannot be decoded ({error}). The file is cut short or damaged: delete the product and download "
            f"it again."
        ) from error


def read_image(path: str, *, overview: int = 1) -> UInt8Array | UInt16Array:
    """Read the first band of an image, whole or reduced.

    Args:
        path: GDAL-openable path, from `senard.io.safe.image_path`.
        overview: 1 for every pixel; 2, 4, 8 … for every 2nd, 4th, 8th: JPEG 2000 then decodes only its lower levels.

    Returns:
        (y, x) uint8 or uint16, size rounded up.

    Raises:
        UnusableSceneError: the file is missing or cannot be decoded.
    """
    with _opened(path) as dataset:
        shape = (-(-dataset.height // overview), -(-dataset.width // overview))
        pixels: UInt8Array | UInt16Array = dataset.read(1, out_shape=shape)
        _count_all(dataset)
    return pixels


def _count_all(dataset: Any) -> None:
    """Every tile of an image was decoded."""
    if dataset.driver == _JPEG_2000:
        (height, width) = dataset.block_shapes[0]
        _DECODED.add(-(-dataset.height // height) * -(-dataset.width // width))


def read_above_zero(path: str, *, overview: int = 1) -> BoolArray:
    """Where the first band of an image of large areas is above 0: a quarter of the cost where it is so everywhere.

    The image is decoded at half the size first. Where that shows no 0, no 4 x 4 pixels are all 0, by the 5/3 wavelet of
    lossless images, and all pixels count as above 0.

    Args:
        path: GDAL-openable path of a lossless image of integers.
        overview: as of `read_image`; half of that is looked at first.

    Returns:
        (y, x), True above 0.

    Raises:
        UnusableSceneError: the file is missing or cannot be decoded.
    """
    coarse = read_image(path, overview=2 * overview)
    if coarse.all():
        with _opened(path) as dataset:
            return np.ones((-(-dataset.height // overview), -(-dataset.width // overview)), dtype=np.bool_)
    return read_image(path, overview=overview) > 0


def read_picture(path: str) -> UInt8Array:
    """Read all bands of a small image of three bytes a pixel (PVI, MSK_CLASSI), (band, y, x) uint8.

    Raises:
        UnusableSceneError: the file is missing, cannot be decoded, or has other bands.
    """
    with _opened(path) as dataset:
        if dataset.count != 3 or set(dataset.dtypes) != {"uint8"}:
            raise UnusableSceneError(
                f"{path}: expected 3 bands of uint8, found {dataset.count} of {dataset.dtypes[0]}."
            )
        picture: UInt8Array = dataset.read()
        _count_all(dataset)
    return picture


def require_band(path: str, grid: Grid) -> None:
    """Make sure that an image is a band on its product's grid, by its header alone: no pixel is decoded.

    Args:
        path: GDAL-openable path.
        grid: the grid that the granule's XML states.

    Raises:
        UnusableSceneError: no image, not uint16, or of another size or place; L2Ap images state no place.
    """
    with _opened(path) as dataset:
        found = f"{dataset.height} x {dataset.width} pixels of {dataset.dtypes[0]}"
        expected = f"{grid.height} x {grid.width} pixels of uint16"
        if found == expected and dataset.crs is not None:
            found += _place(dataset.crs.to_epsg() or grid.crs, dataset.transform.c, dataset.transform.f)
            expected += _place(grid.crs, grid.left, grid.top)
    if found != expected:
        raise UnusableSceneError(
            f"{path}: expected {expected} by the granule's XML, found {found}. The product is damaged: delete it and "
            f"download it again."
        )


def _place(crs: str | int, left: float, top: float) -> str:
    """Where an image lies, for a comparison to the metre: grids are multiples of 10 m."""
    return f" at {str(crs).upper().removeprefix('EPSG:')}, {left:.0f}, {top:.0f}"


class TiledImage:
    """An image of which only needed squares of pixels are decoded.

    The first band is read. Internal tiles that hold a needed square are decoded, each once per call, and of lossless
    JPEG 2000 no more code blocks of them than the squares depend on. Every thread opens the file for itself: GDAL's
    datasets must not be shared between threads. An image itself may be read by several threads at once.
    """

    def __init__(self, path: str, *, threads: int = 1) -> None:
        """Open the image.

        Args:
            path: GDAL-openable path.
            threads: tiles decoded at the same time.

        Raises:
            UnusableSceneError: the file is missing or is no image.
        """
        self.path = path
        self.decoded = 0
        """Internal tiles decoded so far."""
        self.threads = threads
        """Tiles decoded at the same time."""
        self._counting = threading.Lock()
        with _opened(path) as dataset:
            self.shape: tuple[int, int] = (dataset.height, dataset.width)
            """(rows, columns) in pixels."""
            self.block_shape: tuple[int, int] = dataset.block_shapes[0]
            """(rows, columns) of an internal tile; the last ones may be cut by the image's edge."""
            self._is_jp2 = dataset.driver == _JPEG_2000
            self.dtype: np.dtype[Any] = np.dtype(dataset.dtypes[0])
            """uint8 or uint16."""
        self._codestream = Codestream.open(path) if self._is_jp2 else None
        fits = all(
            block % _SQUARE == 0 or block >= side for block, side in zip(self.block_shape, self.shape, strict=True)
        )
        self.square_shape: tuple[int, int] = (_SQUARE, _SQUARE) if self._codestream and fits else self.block_shape
        """(rows, columns) of a square of pixels that can be asked for; no square lies in two internal tiles."""

    @property
    def blocks(self) -> tuple[int, int]:
        """(rows, columns) of internal tiles."""
        return -(-self.shape[0] // self.block_shape[0]), -(-self.shape[1] // self.block_shape[1])

    @property
    def squares(self) -> tuple[int, int]:
        """(rows, columns) of squares."""
        return -(-self.shape[0] // self.square_shape[0]), -(-self.shape[1] // self.square_shape[1])

    def window(self, row: int, col: int) -> Window:
        """Pixels of one internal tile."""
        height, width = self.block_shape
        return Window(
            row_start=row * height,
            row_stop=min((row + 1) * height, self.shape[0]),
            col_start=col * width,
            col_stop=min((col + 1) * width, self.shape[1]),
        )

    def squares_in(self, row: int, col: int) -> Window:
        """Squares of one internal tile."""
        window, (height, width) = self.window(row, col), self.square_shape
        return Window(
            row_start=window.row_start // height,
            row_stop=-(-window.row_stop // height),
            col_start=window.col_start // width,
            col_stop=-(-window.col_stop // width),
        )

    def squares_with(self, pixels: BoolArray) -> BoolArray:
        """(square row, square column) bool, squares that hold a needed pixel.

        Args:
            pixels: (y, x) bool of the image's shape, True: needed.
        """
        height, width = self.square_shape
        rows, cols = np.arange(0, self.shape[0], height), np.arange(0, self.shape[1], width)
        squares: BoolArray = np.logical_or.reduceat(np.logical_or.reduceat(pixels, rows, axis=0), cols, axis=1)
        return squares

    def blocks_with(self, squares: BoolArray) -> BoolArray:
        """(block row, block column) bool, internal tiles that hold a needed square.

        Args:
            squares: (square row, square column) bool, True: needed.

        Raises:
            ValueError: they do not fit the image.
        """
        if squares.shape != self.squares:
            raise ValueError(f"{self.path} has {self.squares} squares, asked for {squares.shape}")
        rows, cols = self.blocks
        held = [[squares[self.squares_in(row, col).slices].any() for col in range(cols)] for row in range(rows)]
        return np.array(held, dtype=np.bool_)

    def read_squares(
        self, needed: BoolArray, out: UInt8Array | UInt16Array, *, origin: tuple[int, int] = (0, 0)
    ) -> None:
        """Decode the needed squares into an array; what lies outside it is dropped, the rest stays as it was.

        Args:
            needed: (square row, square column) bool, True: decode this one.
            out: (y, x) of the image's dtype, changed in place.
            origin: (row, column) of the image at out[0, 0].

        Raises:
            UnusableSceneError: a tile cannot be decoded.
            ValueError: `needed` does not fit the image.
        """
        chosen = [(int(row), int(col)) for row, col in np.argwhere(self.blocks_with(needed))]
        shares = [chosen[start :: self.threads] for start in range(min(self.threads, len(chosen)))]
        if len(shares) == 1:
            self._read(shares[0], needed, out, origin)
        elif shares:
            with ThreadPoolExecutor(len(shares)) as pool:
                list(pool.map(lambda share: self._read(share, needed, out, origin), shares))
        with self._counting:
            self.decoded += len(chosen)
        if self._is_jp2:
            _DECODED.add(len(chosen))

    def _read(
        self,
        places: list[tuple[int, int]],
        needed: BoolArray,
        out: UInt8Array | UInt16Array,
        origin: tuple[int, int],
    ) -> None:
        whole = list[tuple[int, int]]()
        for place in places:
            squares = self.squares_in(*place)
            stream = None
            if self._codestream and not needed[squares.slices].all():
                stream = self._codestream.tile(*place, needed, self.square_shape)
            if stream is None:
                whole.append(place)
                continue
            with _opened(self.path, stream) as dataset:
                self._copy(dataset, place, needed, out, origin)
        if whole:
            with _opened(self.path) as dataset:
                for place in whole:
                    self._copy(dataset, place, needed, out, origin)

    def _copy(
        self,
        dataset: Any,
        place: tuple[int, int],
        needed: BoolArray,
        out: UInt8Array | UInt16Array,
        origin: tuple[int, int],
    ) -> None:
        """Decode an internal tile and copy its needed squares to where they lie in `out`, run by run."""
        window, squares = self.window(*place), self.squares_in(*place)
        pixels = dataset.read(1, window=RasterioWindow.from_slices(*window.slices))
        for row in range(squares.row_start, squares.row_stop):
            for first, stop in _runs(needed[row, squares.col_start : squares.col_stop]):
                top, left = row * self.square_shape[0], (squares.col_start + first) * self.square_shape[1]
                bottom = min(top + self.square_shape[0], window.row_stop)
                right = min((squares.col_start + stop) * self.square_shape[1], window.col_stop)
                here = Window(row_start=top, row_stop=bottom, col_start=left, col_stop=right).within(window)
                _paste(pixels[here.slices], out, top - origin[0], left - origin[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays open between calls."""


def _runs(needed: BoolArray) -> list[tuple[int, int]]:
    """Start and stop of each run of True."""
    edges = np.flatnonzero(np.diff(needed.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _paste(pixels: UInt8Array | UInt16Array, out: UInt8Array | UInt16Array, row: int, col: int) -> None:
    """Copy pixels to out[row:, col:], clipped at the edges of `out`."""
    top, left = max(row, 0), max(col, 0)
    bottom, right = min(row + pixels.shape[0], out.shape[0]), min(col + pixels.shape[1], out.shape[1])
    if top < bottom and left < right:
        out[top:bottom, left:right] = pixels[top - row : bottom - row, left - col : right - col]
