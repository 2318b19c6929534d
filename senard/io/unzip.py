"""From a zip to a SAFE folder: safely, whole or not at all, every file verified."""

import errno
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NoReturn

from senard.errors import RequestError, TransientError, UnusableSceneError
from senard.io.atomic import partial_directory
from senard.io.manifest import StatedFile, read_manifest
from senard.io.safe import read_whole_product
from senard.io.safe_images import belongs_to, is_whole_jp2
from senard.io.safe_members import SafeMembers, open_safe, reading_error
from senard.model.product import Part

_CHUNK_BYTES = 1 << 20

_SPARE_BYTES = 64 * 1000**2
"""Left free on the disk beyond what is unpacked."""


def unzip_product(archive: Path, part: Part, into: Path) -> Path:
    """Unpack a part of a product and verify it.

    Every file is checked twice: by the zip's own CRC-32 and by the checksum in manifest.safe (where it states one; else
    by the size it states). A SAFE folder is verified in place and linked to.

    Args:
        archive: zip, or SAFE folder.
        part: which files.
        into: folder in which NAME.SAFE appears, whole or not at all.

    Returns:
        into/NAME.SAFE.

    Raises:
        UnusableSceneError: not safe to unpack, damaged, cut short, or not a product.
        RequestError: the disk is full, or would be.
        TransientError: the disk does not answer.
    """
    product = read_whole_product(archive, part)  # names, listed images, safety of the zip
    members = open_safe(archive)
    wanted = [place for place in members.sizes if belongs_to(place, product.scene.product_type, part)]
    stated = read_manifest(members)
    final = into / f"{product.scene.product_id}.SAFE"
    into.mkdir(parents=True, exist_ok=True)
    if not members.zipped:
        _verify_folder(members, wanted, stated)
        return _link(archive, final)
    _require_space(into, sum(members.sizes[place] for place in wanted))
    with partial_directory(final) as partial:
        _extract(members, wanted, stated, partial)
    return final


def _link(folder: Path, final: Path) -> Path:
    """A link that appears at once and replaces an older one."""
    beside = final.with_name(f".{final.name}.{os.getpid()}.partial")
    beside.unlink(missing_ok=True)
    beside.symlink_to(folder.resolve())
    if final.is_dir() and not final.is_symlink():
        shutil.rmtree(final)
    beside.replace(final)
    return final


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise RequestError(
            f"{folder}: the disk is full: {(needed + _SPARE_BYTES) // 1000**2} MB are needed, {free // 1000**2} MB are "
            f"free. Free some space or give another --outdir or --workdir, and run again."
        )


def _extract(members: SafeMembers, wanted: list[str], stated: Mapping[str, StatedFile], into: Path) -> None:
    with zipfile.ZipFile(members.root) as archive:
        for place in wanted:
            try:
                _extract_one(members, archive, place, stated.get(place), into / place)
            except Exception as error:  # zipfile raises a dozen kinds for damaged data (BadZipFile, zlib.error, …)
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    _disk_full(members, wanted, into, error)
                raise reading_error(members.root, place, error) from error


def _extract_one(
    members: SafeMembers, archive: zipfile.ZipFile, place: str, stated: StatedFile | None, target: Path
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(f"{members.top}/{place}") as source, target.open("xb") as sink:
        _copy(members, place, source, stated, sink)
    _check_end(members, place, target)


def _disk_full(members: SafeMembers, wanted: list[str], into: Path, error: OSError) -> NoReturn:
    raise RequestError(
        f"{into}: the disk is full: {members.root.name} needs {sum(members.sizes[place] for place in wanted)} bytes, "
        f"{shutil.disk_usage(into).free} are left. Free some space or give another --outdir or --workdir, and run "
        f"again."
    ) from error


def _verify_folder(members: SafeMembers, wanted: list[str], stated: Mapping[str, StatedFile]) -> None:
    for place in wanted:
        path = members.root / place
        try:
            with path.open("rb") as source:
                _copy(members, place, source, stated.get(place), None)
        except OSError as error:
            raise TransientError(f"{path} cannot be read ({error}). Check the disk, run again.") from error
        _check_end(members, place, path)


def _copy(
    members: SafeMembers, place: str, source: IO[bytes], stated: StatedFile | None, sink: IO[bytes] | None
) -> None:
    """Read a file to its end, write it on the way, and hold it against the zip's directory and the manifest."""
    digest = stated.digest() if stated is not None else None
    size = 0
    for chunk in _chunks(source):
        size += len(chunk)
        if size > members.sizes[place]:  # the directory lied: stop before the disk is full
            break
        if digest is not None:
            digest.update(chunk)
        if sink is not None:
            sink.write(chunk)
    if size != members.sizes[place]:
        raise _damaged(members, place, f"it has {size} bytes or more, expected {members.sizes[place]}")
    if stated is None:
        return
    if digest is not None and digest.hexdigest() != stated.checksum:
        raise _damaged(members, place, f"its {stated.algorithm} is {digest.hexdigest()}, expected {stated.checksum}")
    if digest is None and size < stated.size:
        raise _damaged(members, place, f"it has {size} bytes, manifest.safe states {stated.size}")


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK_BYTES):
        yield chunk


def _check_end(members: SafeMembers, place: str, path: Path) -> None:
    if not stat.S_ISREG(path.stat().st_mode):
        raise _damaged(members, place, "it is no regular file")
    if place.lower().endswith(".jp2") and not is_whole_jp2(path):
        raise _damaged(members, place, "it does not end with the end marker of JPEG 2000 (FF D9)")


def _damaged(members: SafeMembers, place: str, how: str) -> UnusableSceneError:
    return UnusableSceneError(
        f"{members.root}: {place} is damaged or cut short: {how}. Delete the product and download it again."
    )
