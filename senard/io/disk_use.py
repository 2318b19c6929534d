"""How much of the disk files and folders take."""

import os
from collections.abc import Iterable
from pathlib import Path


def disk_use(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; links count nothing, nor does what is not there.

    What others add or take away meanwhile may count or not.
    """
    try:
        if path.is_symlink():
            return 0
        return _below(path) if path.is_dir() else path.stat().st_size
    except OSError:
        return 0


def disk_use_of_all(paths: Iterable[Path]) -> int:
    """The same of several places, of which one may lie below another: each file counts once."""
    places = sorted(set(paths))
    apart = [place for place in places if not any(other in place.parents for other in places)]
    return sum(map(disk_use, apart))


def _below(folder: Path) -> int:
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            try:
                total += 0 if entry.is_symlink() else entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue
    return total
