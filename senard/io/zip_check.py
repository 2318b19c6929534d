"""Whether the zip of a product is whole, and where it ceases to be."""

import logging
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from senard.errors import UnusableSceneError
from senard.io.manifest import StatedFile, parse_manifest
from senard.io.safe_members import SafeMembers, open_safe, product_name, reading_error

LOGGER = logging.getLogger("senard")

_CHUNK_BYTES = 1 << 20

_WANTED = re.compile(r"^(GRANULE/|DATASTRIP/|MTD_)")
"""What a product cannot be without. HTML, rep_info and INSPIRE.xml are for readers: a manifest may name one in vain."""


def verify_zip(path: Path, product_id: str) -> None:
    """Read a zip once: its directory, every CRC-32, and every file of manifest.safe with its size and checksum.

    Args:
        path: the zip, whatever its suffix.
        product_id: name of the SAFE that should be in it, without suffix.

    Raises:
        UnusableSceneError: damaged, cut short, or another product.
        TransientError: the disk does not answer.
    """
    members = open_safe(path)
    if product_name(members.top) != product_id:
        raise UnusableSceneError(
            f"{path}: expected {product_id}.SAFE in it, found {members.top}. Delete it and download it again."
        )
    place = "its directory"
    try:
        with zipfile.ZipFile(path) as archive:
            stated = _manifest(archive, members)
            for entry in _in_order(archive):
                place = entry.filename
                _verify_member(archive, entry, stated.get(entry.filename.removeprefix(f"{members.top}/")))
    except Exception as error:  # zipfile raises a dozen kinds for damaged data
        raise reading_error(path, place, error) from error
    _require_all(members, stated)


def sound_bytes(path: Path) -> int:
    """How many bytes from the start of a zip that is not the one wanted are good: what lies before its first damage.

    Args:
        path: the zip, whatever its suffix.

    Returns:
        Bytes before the first damaged member; if none is, before the directory: it tells one zip from another.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in _in_order(archive):
                try:
                    _verify_member(archive, entry, None)
                except Exception:  # noqa: BLE001 - whatever is wrong with it
                    return entry.header_offset
            return archive.start_dir
    except Exception:  # noqa: BLE001 - its directory, at the end, is damaged: go from header to header
        with path.open("rb") as file:
            return _walk(file)


def _in_order(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Members as they lie on the disk: it is read from start to end."""
    return sorted((entry for entry in archive.infolist() if not entry.is_dir()), key=lambda entry: entry.header_offset)


def _manifest(archive: zipfile.ZipFile, members: SafeMembers) -> Mapping[str, StatedFile]:
    if "manifest.safe" not in members.sizes:
        return {}
    return parse_manifest(archive.read(f"{members.top}/manifest.safe"), f"{members.root}: manifest.safe")


def _verify_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, stated: StatedFile | None) -> None:
    digest = stated.digest() if stated is not None else None
    size = 0
    with archive.open(entry) as source:  # raises BadZipFile at its end if the CRC-32 is wrong
        while chunk := source.read(_CHUNK_BYTES):
            size += len(chunk)
            if digest is not None:
                digest.update(chunk)
    if size != entry.file_size:
        raise zipfile.BadZipFile(f"it has {size} bytes, the zip's directory states {entry.file_size}")
    if stated is None:
        return
    if digest is not None and digest.hexdigest() != stated.checksum:
        raise zipfile.BadZipFile(
            f"its {stated.algorithm} is {digest.hexdigest()}, manifest.safe states {stated.checksum}"
        )
    if digest is None and size < stated.size:
        raise zipfile.BadZipFile(f"it has {size} bytes, manifest.safe states {stated.size}")


def _require_all(members: SafeMembers, stated: Mapping[str, StatedFile]) -> None:
    missing = sorted(place for place in stated if place not in members.sizes)
    wanted = [place for place in missing if _WANTED.match(place)]
    if wanted:
        raise UnusableSceneError(
            f"{members.root}: expected {len(stated)} files by manifest.safe, {len(missing)} are missing: "
            f"{', '.join(wanted[:3])}. Delete it and download it again."
        )
    if missing:
        LOGGER.warning("%s: manifest.safe names %s, which is not there", members.root.name, ", ".join(missing[:3]))


def _walk(file: IO[bytes]) -> int:
    """Where the first member begins that is not whole, going by the headers before the members."""
    place = 0
    while True:
        file.seek(place)
        head = file.read(30)
        flags = int.from_bytes(head[6:8], "little")
        # Bit 3: sizes follow the data, so nothing tells here where the next member begins.
        if len(head) < 30 or head[:4] != b"PK\x03\x04" or flags & 0x8 or head[8:10] != b"\0\0":
            return place
        crc, size = int.from_bytes(head[14:18], "little"), int.from_bytes(head[18:22], "little")
        start = place + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        file.seek(start)
        if size == 0xFFFFFFFF or _crc(file, size) != crc:
            return place
        place = start + size


def _crc(file: IO[bytes], size: int) -> int | None:
    """CRC-32 of the next bytes; None if there are fewer."""
    crc = 0
    while size:
        chunk = file.read(min(size, _CHUNK_BYTES))
        if not chunk:
            return None
        crc = zlib.crc32(chunk, crc)
        size -= len(chunk)
    return crc
