"""JPEG 2000 code streams in files: single internal tiles cut out, with no more of them than some pixels need.

A decoder takes an internal tile (1024 x 1024 pixels of a 10 m band) whole, though its code blocks (64 x 64
coefficients) are independent of each other, and most of the time goes into them. So a tile is handed over as a stream
of its own, without the code blocks that no needed pixel depends on: those that are needed come out as from the whole.

Source: ITU-T T.800 (ISO/IEC 15444-1), annexes A and I.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from senard.model.arrays import BoolArray, Int64Array

_SOC, _SIZ, _COD, _QCD, _SOT, _SOD, _EOC = 0xFF4F, 0xFF51, 0xFF52, 0xFF5C, 0xFF90, 0xFF93, 0xFFD9
_TLM, _PLM, _PLT, _COM = 0xFF55, 0xFF57, 0xFF58, 0xFF64
_LENGTHS = {_TLM, _PLM, _PLT}
"""Segments that only tell lengths: they would be wrong for what is left."""

_MOST_PIXELS = 1 << 24
"""Most pixels of a tile; those of Sentinel-2 have 2048 x 2048 at most."""

_BLOCK_BYTES = 32
"""Most bytes that a packet's header needs for one code block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coding:
    """How the tiles of an image are coded."""

    shape: tuple[int, int]
    """(rows, columns) of the image, px."""
    tile: tuple[int, int]
    """(rows, columns) of a tile, px."""
    levels: int
    """Decompositions."""
    block: tuple[int, int]
    """Exponents of the height and the width of a code block."""
    precincts: Int64Array
    """(resolution, 2) int64, exponents of the height and width of its precincts, lowest resolution first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codestream:
    """Where the tiles of an image lie in its file."""

    path: Path
    header: bytes
    """Main header, without the segments that tell lengths."""
    coding: _Coding
    parts: dict[int, tuple[int, int]]
    """Number of a tile, row by row, to the first byte of its packets in the file, and the byte after the last."""

    @classmethod
    def open(cls, path: str) -> Self | None:
        """Look through a file's headers.

        Args:
            path: of a JP2 or a bare code stream.

        Returns:
            None where tiles cannot be cut down: no such file, a damaged one, or one that is coded otherwise than
            Sentinel-2's lossless images are (one component, one quality layer, 5/3 wavelet).
        """
        try:
            with Path(path).open("rb") as file:
                file.seek(_stream_start(file))
                header, coding = _main_header(file)
                parts = dict(_tile_parts(file))
        except (OSError, _UnlikeSentinel2Error, struct.error):
            return None
        return cls(path=Path(path), header=header, coding=coding, parts=parts)

    def tile(self, row: int, col: int, needed: BoolArray, square: tuple[int, int]) -> bytes | None:
        """A code stream that holds one tile of the image, as far as some pixels need it.

        Args:
            row: tile row.
            col: tile column.
            needed: (square row, square column) bool over the whole image.
            square: height and width of a square, px.

        Returns:
            None if the tile is not there or damaged.
        """
        from senard.io.code_blocks import keep_needed  # numba: only where pixels are decoded

        coding = self.coding
        number = row * -(-coding.shape[1] // coding.tile[1]) + col
        if number not in self.parts:
            return None
        start, stop = self.parts[number]
        with self.path.open("rb") as file:
            file.seek(start)
            data = np.frombuffer(file.read(stop - start), dtype=np.uint8)
        top, left = row * coding.tile[0], col * coding.tile[1]
        bottom, right = min(top + coding.tile[0], coding.shape[0]), min(left + coding.tile[1], coding.shape[1])
        out = np.empty(data.size + _BLOCK_BYTES * _most_blocks(coding), dtype=np.uint8)
        numbers = (top, left, bottom, right, coding.levels, *coding.block)
        size = keep_needed(data, numbers, coding.precincts, needed, square, out)
        if size < 0:
            return None
        head = struct.pack(">HHHIBBH", _SOT, 10, number, size + 14, 0, 1, _SOD)
        return b"".join((self.header, head, out[:size].tobytes(), struct.pack(">H", _EOC)))


class _UnlikeSentinel2Error(Exception):
    """The stream is coded in a way that no image of Sentinel-2 is; it is decoded whole."""


def _most_blocks(coding: _Coding) -> int:
    """More code blocks and precincts than a tile has."""
    sides = [
        (length >> max(0, min(block, int(coding.precincts[:, axis].min()) - 1))) + 2 * coding.levels + 4
        for axis, (length, block) in enumerate(zip(map(min, coding.tile, coding.shape), coding.block, strict=True))
    ]
    return 2 * sides[0] * sides[1]


def _stream_start(file: BinaryIO) -> int:
    """Where the code stream begins: at the first byte, or in the box of that name."""
    if _number(file) == _SOC:
        return 0
    position = 0
    while True:
        file.seek(position)
        size, kind = struct.unpack(">I4s", file.read(8))
        start = position + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            start += 8
        if kind == b"jp2c":
            return start
        if size < 8:  # the last box, or no box at all
            raise _UnlikeSentinel2Error
        position += size


def _number(file: BinaryIO) -> int:
    """The next two bytes."""
    number: int
    (number,) = struct.unpack(">H", file.read(2))
    return number


def _segments(file: BinaryIO, end: int) -> Iterator[tuple[int, bytes]]:
    """Marker segments up to a marker that ends them; the file stands behind that."""
    while (marker := _number(file)) != end:
        if marker < 0xFF00:
            raise _UnlikeSentinel2Error
        yield marker, file.read(_number(file) - 2)


def _main_header(file: BinaryIO) -> tuple[bytes, _Coding]:
    """Main header without lengths, and what it says; the file stands behind the first SOT."""
    if _number(file) != _SOC:
        raise _UnlikeSentinel2Error
    kept, found = [struct.pack(">H", _SOC)], dict[int, bytes]()
    for marker, content in _segments(file, _SOT):
        if marker not in {_SIZ, _COD, _QCD, _COM, *_LENGTHS}:
            raise _UnlikeSentinel2Error
        if marker not in _LENGTHS:
            kept.append(struct.pack(">HH", marker, len(content) + 2) + content)
        found[marker] = content
    if not {_SIZ, _COD} <= found.keys():
        raise _UnlikeSentinel2Error
    return b"".join(kept), _coding(found[_SIZ], found[_COD])


def _coding(size: bytes, style: bytes) -> _Coding:
    """What SIZ and COD say (tables A.9 and A.13)."""
    _, width, height, *places, components = struct.unpack(">HIIIIIIIIH", size[:36])
    image_x, image_y, tile_width, tile_height, tile_x, tile_y = places
    how, progression, layers, _, levels, width_code, height_code, block_style, wavelet = struct.unpack(
        ">BBHBBBBBB", style[:10]
    )
    is_alike = (
        (image_x, image_y, tile_x, tile_y) == (0, 0, 0, 0)
        and (components, layers, block_style, wavelet) == (1, 1, 0, 1)
        and size[37:39] == b"\x01\x01"  # no subsampling
        and progression <= 2  # with one component and one layer: resolution after resolution
        and not how & 0b110  # no markers around packets' headers
        and max(height_code, width_code, levels - 24) <= 8  # else it is damaged
        and 0 < min(height, tile_height) * min(width, tile_width) <= _MOST_PIXELS
    )
    if not is_alike:
        raise _UnlikeSentinel2Error
    codes = style[10 : 11 + levels] if how & 1 else b"\xff" * (levels + 1)
    precincts = np.array([(code >> 4, code & 15) for code in codes], dtype=np.int64)
    if precincts.shape != (levels + 1, 2) or precincts[1:].min(initial=1) < 1:
        raise _UnlikeSentinel2Error
    return _Coding(
        shape=(height, width),
        tile=(tile_height, tile_width),
        levels=levels,
        block=(height_code + 2, width_code + 2),
        precincts=precincts,
    )


def _tile_parts(file: BinaryIO) -> Iterator[tuple[int, tuple[int, int]]]:
    """Number of each tile, and where its packets begin and end; the file stands behind the first SOT."""
    seen, marker = set[int](), _SOT
    while marker == _SOT:
        start = file.tell() - 2
        _, number, size, part, parts = struct.unpack(">HHIBB", file.read(10))
        if number in seen or part or parts != 1 or size < 14:
            raise _UnlikeSentinel2Error
        if any(segment not in {_PLT, _COM} for segment, _ in _segments(file, _SOD)):
            raise _UnlikeSentinel2Error
        seen.add(number)
        yield number, (file.tell(), start + size)
        file.seek(start + size)
        marker = _number(file)
    if marker != _EOC:
        raise _UnlikeSentinel2Error
