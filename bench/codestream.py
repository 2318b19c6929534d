"""JPEG 2000 images made of internal tiles that were encoded once: each is coded by itself, so it may stand many times.

Source: ISO/IEC 15444-1, annex A (markers), annex I (boxes); B.6 to B.8: code-blocks and precincts count from the
image's origin, so only tiles whose origin is a multiple of the code-block at every resolution look alike.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SOC, _SOT, _EOC, _COD, _QCD = 0xFF4F, 0xFF90, 0xFFD9, 0xFF52, 0xFF5C
_CODESTREAM = b"jp2c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Codestream:
    """One image, taken apart."""

    boxes: bytes
    """Everything before the codestream: signature, size, georeference."""

    header: bytes
    """Main header, from SOC to before the first tile."""

    tiles: tuple[tuple[bytes, ...], ...]
    """Of each internal tile, in order of its number, its parts: each from SOT to before the next SOT."""

    @property
    def coding(self) -> bytes:
        """How tiles are coded: the segments COD and QCD."""
        return b"".join(segment for marker, segment in _segments(self.header) if marker in (_COD, _QCD))


def take_apart(data: bytes) -> Codestream:
    """Read a file of which the codestream is the last box.

    Args:
        data: the whole file.

    Raises:
        ValueError: the file has another structure.
    """
    at, end = _codestream(data)
    first = at
    while data[first : first + 2] != struct.pack(">H", _SOT):
        marker, length = struct.unpack(">HH", data[first : first + 4])
        first += 2 if marker == _SOC else 2 + length
    parts: dict[int, list[bytes]] = {}
    place = first
    while data[place : place + 2] == struct.pack(">H", _SOT):
        tile, length = struct.unpack(">HI", data[place + 4 : place + 10])
        parts.setdefault(tile, []).append(data[place : place + length])
        place += length
    if data[place:end] != struct.pack(">H", _EOC) or sorted(parts) != list(range(len(parts))):
        raise ValueError(f"expected {len(parts)} whole tiles and the end of the image at byte {place} of {end}")
    tiles = tuple(tuple(parts[tile]) for tile in range(len(parts)))
    return Codestream(boxes=data[: at - 8], header=data[at:first], tiles=tiles)


def _codestream(data: bytes) -> tuple[int, int]:
    """First byte of the codestream and the byte after it."""
    place = 0
    while place + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        if kind == _CODESTREAM:
            if (place + length if length else len(data)) != len(data):
                break
            return place + 8, len(data)
        if length < 8:
            break
        place += length
    raise ValueError(f"expected boxes up to {_CODESTREAM.decode()} as the last one, found none at byte {place}")


def _segments(header: bytes) -> list[tuple[int, bytes]]:
    """(marker, segment with its marker) of the main header, without SOC."""
    made, place = [], 2
    while place < len(header):
        marker, length = struct.unpack(">HH", header[place : place + 4])
        made.append((marker, header[place : place + 2 + length]))
        place += 2 + length
    return made


def repeat_tiles(source: Codestream, like: Codestream, tiles: Sequence[int], out: Path) -> None:
    """Write an image whose tiles are those of another.

    Args:
        source: has the tiles.
        like: an image of the size wanted, coded alike: its boxes and main header are taken.
        tiles: for each tile of `like`, in order, the number of the tile of `source` that stands there; both must have
            the same size, and origins that are the same to the code-blocks of every resolution.
        out: file to write.

    Raises:
        ValueError: the two are coded differently, or the number of tiles is not that of `like`.
    """
    if source.coding != like.coding or len(tiles) != len(like.tiles):
        raise ValueError(
            f"{out.name}: expected images that are coded alike and {len(like.tiles)} tiles, found {len(tiles)}"
        )
    length = len(like.header) + sum(len(part) for tile in tiles for part in source.tiles[tile]) + 2
    with out.open("wb") as file:
        file.write(like.boxes)
        file.write(struct.pack(">I4s", 8 + length, _CODESTREAM))
        file.write(like.header)
        for number, tile in enumerate(tiles):
            for part in source.tiles[tile]:
                file.write(part[:4] + struct.pack(">H", number))
                file.write(part[6:])
        file.write(struct.pack(">H", _EOC))
