"""A file under construction: `target.part`, written by one process at a time, renamed when it is whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from senard.io.disk import flush, keeping
from senard.io.file_locks import is_still, opened_alone

ENDING = ".part"


class PartFile:
    """An open `target.part` whose lock this process holds."""

    def __init__(self, path: Path, target: Path, what: str, descriptor: int) -> None:
        """Only `hold_part` makes one."""
        self.path = path
        self._target = target
        self._what = what
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        """Bytes that are here."""

    def append(self, chunk: bytes) -> None:
        """Write at the end."""
        with keeping(self._what, self.path.parent):
            view = memoryview(chunk)
            while view:
                written = os.pwrite(self._descriptor, view, self.size)
                self.size += written
                view = view[written:]

    def cut(self, size: int) -> None:
        """Keep so many bytes from the start."""
        if size == self.size:
            return  # ext4 brings a file that was once truncated to 0 to the disk whenever somebody closes it
        with keeping(self._what, self.path.parent):
            os.ftruncate(self._descriptor, size)
        self.size = size

    def finish(self) -> None:
        """Bring it to the disk and give it its final name."""
        with keeping(self._what, self.path.parent):
            os.fsync(self._descriptor)
            self.path.replace(self._target)
            flush(self.path.parent)

    def discard(self) -> None:
        """Delete it: nothing in it can be trusted."""
        with keeping(self._what, self.path.parent):
            self.path.unlink(missing_ok=True)
        self.size = 0


@contextmanager
def hold_part(target: Path, what: str) -> Iterator[PartFile | None]:
    """Open `target.part`, alone: another process that fetches the same file is waited for.

    Args:
        target: final name; its folder is made.
        what: for messages.

    Yields:
        The open file, with whatever an earlier process left in it; None if the target is there (by now).

    Raises:
        StorageError: the folder cannot be written, or its disk knows no locks.
    """
    path = target.with_name(target.name + ENDING)
    with keeping(what, target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    while not target.exists():
        with opened_alone(path, what) as descriptor:
            if not is_still(path, descriptor):  # who held it before has renamed or deleted it
                continue
            part = PartFile(path, target, what, descriptor)
            try:
                yield part
            finally:
                if not part.size and is_still(path, descriptor):
                    path.unlink()  # nothing came: nothing is left
            return
    yield None
