"""Decoded internal tiles that several tiles of the mosaic need: whoever is first decodes, the others copy.

Each is a file of bare pixels in the work folder, decoded where anybody needs it. Its name ends with the number of those
who have not had it yet; the last one deletes it. Nothing depends on it: where a file is missing, cut short or cannot be
written, all is decoded.
"""

import fcntl
import hashlib
import os
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from senard.io.atomic import beside
from senard.io.jp2 import TiledImage
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Window

_PATIENCE_S = 10.0
"""Who decodes for others is waited for this long at most: decoding takes a tenth of a second."""

_LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """What other tiles of the mosaic need of an image."""

    count: UInt8Array
    """(block row, block column) uint8, how many of them need each internal tile; 0 is nobody."""
    squares: BoolArray
    """(square row, square column), what any of them needs, at least in internal tiles that this one needs."""


class SharedTiles:
    """Decoded internal tiles of one image, in a folder that several processes use at once."""

    def __init__(self, folder: Path, image: TiledImage) -> None:
        """Open, and make the folder if need be.

        Args:
            folder: where they lie; may be deleted at any time.
            image: what they are decoded from; another version of the file shares nothing with this one.
        """
        self._folder, self._image = folder, image
        self._key = _identity(image.path)
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)

    def read(self, needed: BoolArray, others: Others, out: UInt16Array) -> None:
        """Fill the needed squares of an array; what somebody else is decoding just now comes last.

        Args:
            needed: (square row, square column), True: fill this one.
            others: what other tiles of the mosaic need.
            out: (y, x) uint16, the whole image, changed in place.

        Raises:
            UnusableSceneError: a tile cannot be decoded.
        """
        places = [
            (int(row), int(col)) for row, col in np.argwhere(self._image.blocks_with(needed) & (others.count > 0))
        ]
        alone, shared = needed.copy(), needed | others.squares
        for place in places:
            alone[self._image.squares_in(*place).slices] = False
        self._image.read_squares(alone, out)
        with ThreadPoolExecutor(self._image.threads) as pool:
            filled = pool.map(lambda place: self._fill(place, others, shared, out, patience_s=0), places)
            late = [place for place, there in zip(places, filled, strict=True) if not there]
        for place in late:
            self._fill(place, others, shared, out, patience_s=_PATIENCE_S)

    def _fill(
        self, place: tuple[int, int], others: Others, shared: BoolArray, out: UInt16Array, *, patience_s: float
    ) -> bool:
        """Copy or decode one; False where another process decodes it and the patience is 0."""
        window, count = self._image.window(*place), int(others.count[place])
        squares = self._image.squares_in(*place).slices
        # who needs other squares, of a mosaic that was chosen otherwise, must not find these
        name = f"{self._key}-{place[0]}-{place[1]}-{zlib.crc32(np.packbits(shared[squares]).tobytes()):08x}"
        if self._take(name, count, window, out):
            return True
        with _alone(self._folder / f"{name}.lock", patience_s) as alone:
            if not alone and not patience_s:
                return False
            if self._take(name, count, window, out):
                return True
            one = np.zeros(self._image.squares, dtype=np.bool_)
            one[squares] = shared[squares]
            self._image.read_squares(one, out)
            self._give(name, count, out[window.slices])
        return True

    def _take(self, name: str, others: int, window: Window, out: UInt16Array) -> bool:
        """Copy what lies there, and count down."""
        shape = (window.height, window.width)
        for left in range(others, 0, -1):
            path = self._folder / f"{name}.{left}"
            try:
                pixels = np.fromfile(path, dtype=np.uint16)
            except OSError:
                continue
            if pixels.size == shape[0] * shape[1]:
                out[window.slices] = pixels.reshape(shape)
                with suppress(OSError):  # somebody else has counted down meanwhile
                    path.unlink() if left == 1 else path.rename(path.with_name(f"{name}.{left - 1}"))
                return True
        return False

    def _give(self, name: str, others: int, pixels: UInt16Array) -> None:
        """Leave it for the others; not where the disk is full or the folder gone."""
        final = self._folder / f"{name}.{others}"
        partial = beside(final)
        with suppress(OSError):
            try:
                np.ascontiguousarray(pixels).tofile(partial)
                partial.rename(final)
            finally:
                partial.unlink(missing_ok=True)


def _identity(path: str) -> str:
    """Name of a file's contents: changes when the file is replaced."""
    try:
        found = Path(path).stat()
    except OSError:  # a member of a zip, which is not replaced in its place
        return hashlib.sha256(path.encode()).hexdigest()[:24]
    return hashlib.sha256(f"{path} {found.st_size} {found.st_mtime_ns}".encode()).hexdigest()[:24]


@contextmanager
def _alone(path: Path, patience_s: float) -> Iterator[bool]:
    """Hold a lock of its own name; False where somebody else holds it for longer than the patience.

    A disk that knows no locks lets everybody decode for himself.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        yield True
        return
    try:
        until, held = time.monotonic() + patience_s, False
        while not (held := _try(descriptor)) and time.monotonic() < until:
            time.sleep(_LOOK_EVERY_S)
        try:
            yield held
        finally:
            if held:
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
