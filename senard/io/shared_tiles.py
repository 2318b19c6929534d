"""Decoded internal tiles that several tiles of the mosaic need: whoever is first decodes, the others copy.

Each is a file of bare pixels in the work folder, whose name ends with the number of those who have not had it yet; the
last one deletes it. Nothing depends on it: where a file is missing, cut short or cannot be written, all is decoded.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from senard.io.atomic import beside
from senard.io.jp2 import TiledImage
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Window

_PATIENCE_S = 10.0
"""Who decodes for others is waited for this long at most: decoding takes a tenth of a second."""

_LOOK_EVERY_S = 0.02


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

    def read(self, needed: BoolArray, others: UInt8Array, out: UInt16Array) -> None:
        """Fill the needed internal tiles of an array; what somebody else is decoding just now comes last.

        Args:
            needed: (block row, block column), True: fill this one.
            others: (block row, block column), how many other tiles of the mosaic need it too; 0 is nobody.
            out: (y, x) uint16, the whole image, changed in place.

        Raises:
            UnusableSceneError: a tile cannot be decoded.
        """
        self._image.read_blocks(needed & (others == 0), out)
        places = [(int(row), int(col)) for row, col in np.argwhere(needed & (others > 0))]
        late = [place for place in places if not self._fill(place, int(others[place]), out, patience_s=0)]
        for place in late:
            self._fill(place, int(others[place]), out, patience_s=_PATIENCE_S)

    def _fill(self, place: tuple[int, int], others: int, out: UInt16Array, *, patience_s: float) -> bool:
        """Copy or decode one; False where another process decodes it and the patience is 0."""
        window = self._image.window(*place)
        name = f"{self._key}-{place[0]}-{place[1]}"
        if self._take(name, others, window, out):
            return True
        with _alone(self._folder / f"{name}.lock", patience_s) as alone:
            if not alone and not patience_s:
                return False
            if self._take(name, others, window, out):
                return True
            one = np.zeros(self._image.blocks, dtype=np.bool_)
            one[place] = True
            self._image.read_blocks(one, out)
            self._give(name, others, out[window.slices])
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
