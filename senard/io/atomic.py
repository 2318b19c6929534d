"""Results that appear whole or not at all: written beside the final name, then renamed."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LISTING = ".files.json"
"""In a folder that `listed_directory` filled: name of each of its files to size in bytes."""


def beside(final: Path) -> Path:
    """A name that nobody else uses, in the folder of `final` and with its suffix, hidden by a leading dot."""
    return final.with_name(f".{final.stem}.{uuid.uuid4().hex[:8]}.partial{final.suffix}")


@contextmanager
def partial_file(final: Path) -> Iterator[Path]:
    """Write a file under another name; it takes its final name only if the block ends well.

    Args:
        final: the file's final name; its folder is made.

    Yields:
        Path to write to, same folder and suffix.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = beside(final)
    try:
        yield partial
        _flush(partial)
        partial.replace(final)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def partial_directory(final: Path) -> Iterator[Path]:
    """Fill a folder under another name; it takes its final name only if the block ends well.

    An older folder of the same name is replaced. Between its going and the new one's coming lies one rename: a process
    killed there leaves no folder, never half of one.

    Args:
        final: the folder's final name; its parent is made.

    Yields:
        An empty folder to write to.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = beside(final)
    partial.mkdir()
    try:
        yield partial
        if final.exists() or final.is_symlink():
            old = beside(final)
            final.rename(old)
            partial.rename(final)
            shutil.rmtree(old, ignore_errors=True)
        else:
            partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def listed_directory(final: Path) -> Iterator[Path]:
    """`partial_directory`, with a list of what it holds: `is_as_listed` tells when a file is lost or cut short."""
    with partial_directory(final) as partial:
        yield partial
        sizes = {path.relative_to(partial).as_posix(): path.stat().st_size for path in _files(partial)}
        (partial / LISTING).write_text(json.dumps(sizes, indent=1) + "\n", encoding="utf-8")


def is_as_listed(folder: Path) -> bool:
    """Whether every file of a folder's list is there in its size; a folder without a list is taken as it is."""
    try:
        sizes: dict[str, int] = json.loads((folder / LISTING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except ValueError:  # the list itself is damaged
        return False
    try:
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except FileNotFoundError:
        return False


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _flush(path: Path) -> None:
    """Bring a file's bytes to the disk before it is renamed, so that a power cut leaves the old one or the new one."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
