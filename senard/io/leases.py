"""Who works in a folder just now: a lease for each command, which ends with the command however that ends.

A lease is a shared lock on a file of the folder `.leases`, which holds the path of the list of products that the
command works on. Processes that are killed let go of it; those that were forked hold it too.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from senard.io.file_locks import opened_alone

FOLDER_NAME = ".leases"
"""Hidden folder of a work folder or download folder."""

_GATE = "gate"

_held: dict[Path, int] = {}
"""Leases of this process: file to its open descriptor."""


def take_lease(root: Path, scenes: Path) -> None:
    """Say that this command works in a folder, until it ends; a second call does nothing.

    Whoever takes something away from the folder is waited for: what is looked for afterwards is there for good.

    Args:
        root: work folder or download folder; it exists.
        scenes: the list of products that the command works on, scenes.json, absolute; it may not be written yet.

    Raises:
        StorageError: the folder cannot be written, or its disk knows no locks.
    """
    lease = _lease(root, scenes)
    if lease in _held:
        return
    with gate(root):
        descriptor = os.open(lease, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if os.fstat(descriptor).st_size == 0:
            os.write(descriptor, str(scenes).encode())
        _held[lease] = descriptor


def give_back_leases() -> None:
    """This command works nowhere any more."""
    while _held:
        _, descriptor = _held.popitem()
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked process may hold the same open file
        os.close(descriptor)


def holds_lease(root: Path, scenes: Path) -> bool:
    """Whether this command has said that it works in the folder."""
    return _lease(root, scenes) in _held


@contextmanager
def gate(root: Path) -> Iterator[None]:
    """Inside the block nobody begins to work in the folder.

    Raises:
        StorageError: as `take_lease`.
    """
    folder = root / FOLDER_NAME
    with suppress(OSError):  # opening the gate says it in words
        folder.mkdir(exist_ok=True)
    with opened_alone(folder / _GATE, f"{root}: the list of commands at work"):
        yield


def others_at_work(root: Path, scenes: Path) -> list[Path]:
    """Lists of products of the other commands that work in the folder; a second command on the same list counts.

    Call it inside the gate. Leases that nobody holds are removed.

    Args:
        root: the folder, in which this command holds a lease.
        scenes: the list of this command.
    """
    own = _lease(root, scenes)
    found = []
    for lease in sorted((root / FOLDER_NAME).glob("*.lease")):
        alone = _is_alone(_held[own]) if lease == own else _is_idle(lease)
        if not alone:
            found.append(Path(lease.read_text(encoding="utf-8")))
    return found


def _is_alone(descriptor: int) -> bool:
    """Whether nobody else holds this lease; it is held as before afterwards."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return True


def _is_idle(lease: Path) -> bool:
    """Whether nobody holds this lease; it is removed then."""
    descriptor = os.open(lease, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lease.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _lease(root: Path, scenes: Path) -> Path:
    name = hashlib.sha256(str(scenes).encode()).hexdigest()[:16]
    return root.absolute() / FOLDER_NAME / f"{name}.lease"
