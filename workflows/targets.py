"""Results that appear whole or not at all, and the stamp that makes old ones count as absent."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import luigi

from senard.io.atomic import is_as_listed, partial_directory, partial_file
from senard.io.scenes_file import VERDICT_NAME, is_of_source


class Stamp:
    """A file whose age divides old results from new ones; every worker that sees it agrees.

    Its time is compared with the times of results on the same disk, so that clocks of different hosts do not matter.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def join(self) -> None:
        """Set the stamp, or join the one that an earlier worker has set."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {socket.gethostname()} {os.getpid()}\n")

    @property
    def age_s(self) -> float:
        """How long ago it was set, s; 0 where it is not."""
        try:
            return max(0.0, time.time() - self.path.stat().st_mtime)
        except FileNotFoundError:
            return 0.0

    def remove(self) -> None:
        """Everything is made anew: results of any age count again."""
        self.path.unlink(missing_ok=True)

    def outdates(self, result: Path) -> bool:
        """Whether a result is older than the stamp; never where there is no stamp."""
        try:
            stamped = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        return result.stat().st_mtime_ns < stamped


class _Result(luigi.Target):
    """A place on disk that holds a result, whole, or nothing."""

    def __init__(self, path: Path, *, stamps: tuple[Stamp, ...] = ()) -> None:
        self.path = path
        self.stamps = stamps

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        """Whether the result is there, and no stamp outdates it."""
        try:
            return self._is_there() and not self._is_outdated()
        except FileNotFoundError:  # replaced between the two looks: look again later
            return False

    def _is_there(self) -> bool:
        raise NotImplementedError

    def _is_outdated(self) -> bool:
        return any(stamp.outdates(self.path) for stamp in self.stamps)


class FileTarget(_Result):
    """One file."""

    def _is_there(self) -> bool:
        return self.path.is_file()

    @contextmanager
    def temporary_path(self) -> Iterator[Path]:
        """A path beside the final name, with its suffix; it takes the final name only if the block ends well."""
        with partial_file(self.path) as partial:
            yield partial


class DirectoryTarget(_Result):
    """One folder; it counts as absent once a file of its list is lost or cut short."""

    def _is_there(self) -> bool:
        return self.path.is_dir() and is_as_listed(self.path)

    @contextmanager
    def temporary_path(self) -> Iterator[Path]:
        """An empty folder beside the final name; it takes the final name only if the block ends well."""
        with partial_directory(self.path) as partial:
            yield partial


class FetchedTarget(DirectoryTarget):
    """The folder of a download: a link into a local archive counts only while it leads somewhere; a verdict only while
    no stamp outdates it. What was fetched is never outdated."""

    def _is_there(self) -> bool:
        if not self.path.is_dir():
            return False
        entries = [entry for entry in self.path.iterdir() if not entry.name.startswith(".")]
        return bool(entries) and all(entry.exists() for entry in entries)

    def _is_outdated(self) -> bool:
        return (self.path / VERDICT_NAME).exists() and super()._is_outdated()


class FollowingTarget(DirectoryTarget):
    """A folder made from another one, whose verdict of a source counts only while that one holds it too, no younger."""

    def __init__(self, path: Path, origin: Callable[[], DirectoryTarget], *, stamps: tuple[Stamp, ...] = ()) -> None:
        super().__init__(path, stamps=stamps)
        self._origin = origin

    def _is_outdated(self) -> bool:
        return super()._is_outdated() or (is_of_source(self.path) and not self._still_holds())

    def _still_holds(self) -> bool:
        origin = self._origin()
        if not origin.exists() or not is_of_source(origin.path):
            return False
        return origin.path.stat().st_mtime_ns <= self.path.stat().st_mtime_ns
