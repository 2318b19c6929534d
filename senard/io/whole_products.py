"""Whole products in the download folder: found there and verified, or fetched; either way listed."""

import logging
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from senard.errors import StorageError, TransientError, UnusableSceneError
from senard.io.digests import digest_file, quickest
from senard.io.disk import keeping
from senard.io.file_locks import alone
from senard.io.members import clear_leftovers
from senard.io.openers import Opener
from senard.io.part_file import ENDING
from senard.io.progress_file import ProgressEntry, ProgressFile
from senard.io.sources import Told, untold
from senard.io.transfer import RemoteFile, fetch_file
from senard.io.zip_check import sound_bytes, verify_zip
from senard.model.access import Pace
from senard.model.remote import Checksum, RemoteProduct

__all__ = ["fetch_whole", "held_product"]

LOGGER = logging.getLogger("senard")

_FOUND = "found"
"""Source of a file that was there and not listed."""


def held_product(product_id: str, stated: RemoteProduct | None, download_dir: Path) -> Path | None:
    """A whole product that is in the download folder already.

    A zip that the Progress File lists is taken as it is; one that is not listed is verified first, and listed.

    Args:
        product_id: name without suffix.
        stated: what the catalogue says of its bytes; None: nothing.
        download_dir: the folder.

    Returns:
        NAME.zip or NAME.SAFE; None if neither is there and whole.
    """
    folder = download_dir / f"{product_id}.SAFE"
    if folder.is_dir():
        clear_leftovers(product_id, download_dir)
        return folder
    path = download_dir / f"{product_id}.zip"
    if not path.is_file():
        return None
    if _is_listed(path, stated):  # nothing is written, so the folder may be read-only
        return path
    with alone(_lock_path(path), path.name):
        return path if _is_verified(path, product_id, stated) else None


def fetch_whole(
    product_id: str,
    stated: RemoteProduct,
    opener: Opener,
    download_dir: Path,
    pace: Pace,
    *,
    told: Told = untold,
) -> Path:
    """Bring a whole product as download_dir/NAME.zip, verified and listed in the Progress File.

    One that is there and listed is not fetched again; one that is there and fails is resumed or mended.

    Args:
        product_id: name without suffix.
        stated: what the catalogue says of its bytes; its `catalogue` is named as the source.
        opener: asks for the zip.
        download_dir: where it goes; made if need be.
        pace: how hard the service is asked.
        told: takes how far it is.

    Raises:
        As `fetch_file`; StorageError too where a folder lies under the name of the file.
    """
    path = download_dir / f"{product_id}.zip"
    with keeping(path.name, download_dir):
        download_dir.mkdir(parents=True, exist_ok=True)
    with alone(_lock_path(path), path.name):
        if path.is_file():
            if _is_verified(path, product_id, stated):
                return path
            _demote(path)
        for name in (path, path.with_name(path.name + ENDING)):
            if name.is_dir():
                raise StorageError(f"{name}: expected a file or nothing, found a folder. Move it away, and run again.")
        file = RemoteFile(
            what=path.name,
            open=opener,
            size_bytes=stated.size_bytes,
            checksums=stated.checksums,
            verify=partial(verify_zip, product_id=product_id),
            sound_bytes=sound_bytes,
        )
        fetch_file(file, path, pace, told=told)
        _list(path, quickest(stated.checksums), stated.catalogue)
    return path


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _is_listed(path: Path, stated: RemoteProduct | None) -> bool:
    """Whether the Progress File lists a zip of this size, and the catalogue says nothing else now."""
    entry = ProgressFile(path.parent).entries().get(path.name)
    if entry is None or entry.size_bytes != path.stat().st_size:
        return False
    return not _contradict(entry.checksums, stated.checksums if stated is not None else ())


def _is_verified(path: Path, product_id: str, stated: RemoteProduct | None) -> bool:
    """Whether a zip is listed as it is, or passes every check and is listed now."""
    if _is_listed(path, stated):
        return True
    size = path.stat().st_size
    checksums = stated.checksums if stated is not None else ()
    if stated is not None and stated.size_bytes and size != stated.size_bytes:
        LOGGER.warning("%s: has %d bytes, the catalogue states %d", path, size, stated.size_bytes)
        return False
    checksum = quickest(checksums)
    try:
        if checksum is not None:
            found = digest_file(path, checksum.kind)
            if found != checksum.value.lower():
                raise UnusableSceneError(f"its {checksum.kind.value} is {found}, the catalogue states {checksum.value}")
        verify_zip(path, product_id)
    except UnusableSceneError as error:
        LOGGER.warning("%s: not listed in the Progress File, and not whole: %s", path, error)
        return False
    except OSError as error:
        raise TransientError(f"{path} cannot be read ({error}). Check the disk, run again.") from error
    _list(path, checksum, _FOUND)
    return True


def _contradict(ours: tuple[Checksum, ...], theirs: tuple[Checksum, ...]) -> bool:
    """Whether the catalogue now states another checksum of the same kind: the product was replaced there."""
    known = {checksum.kind: checksum.value.lower() for checksum in ours}
    return any(known.get(checksum.kind, checksum.value.lower()) != checksum.value.lower() for checksum in theirs)


def _demote(path: Path) -> None:
    """Make a file that failed the start of the next download: it is resumed or mended, and verified in any case."""
    part = path.with_name(path.name + ENDING)
    with keeping(path.name, path.parent):
        if part.exists():
            path.unlink()
        else:
            path.rename(part)


def _list(path: Path, checksum: Checksum | None, source: str) -> None:
    """Write into the Progress File what was verified."""
    ProgressFile(path.parent).add(
        ProgressEntry(
            file=path.name,
            size_bytes=path.stat().st_size,
            checksums=(checksum,) if checksum is not None else (),
            source=source,
            verified=datetime.now(UTC),
        )
    )
