"""A command as a process of its own, and what it took."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_S = 0.2
"""Time between two looks at the memory of all processes, s."""

_PAGE_BYTES = resource.getpagesize()

_TAIL_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFigures:
    """What one run of a command took."""

    command: tuple[str, ...]
    """As it was typed."""

    seconds: float
    """Wall-clock time, s."""

    cpu_seconds: float
    """User and system time of the command and all its processes, s."""

    peak_process_bytes: int
    """Largest resident memory of any one process, bytes."""

    peak_sum_bytes: int
    """Largest sum of the resident memory of all processes, bytes; pages that they share count once for each."""


def measure(command: Sequence[str], folder: Path, log: Path, look: Callable[[], None] = lambda: None) -> ProcessFigures:
    """Run a command to its end.

    Args:
        command: program and arguments.
        folder: where it runs.
        log: file for what it prints.
        look: called five times a second meanwhile.

    Raises:
        SystemExit: the command failed; its last lines are shown.
    """
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        watch = _Watch(process.pid, look)
        # wait4 tells of this command and its children alone; RUSAGE_CHILDREN would add those that ran before.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.stop()
    if process.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:])
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{tail}")
    return ProcessFigures(
        command=tuple(command),
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_process_bytes=usage.ru_maxrss * 1024,
        peak_sum_bytes=max(watch.peak_bytes, usage.ru_maxrss * 1024),
    )


class _Watch:
    """Looks at a running command every 0.2 s: memory of all its processes, and whatever its caller looks at."""

    def __init__(self, pid: int, look: Callable[[], None]) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._more = look
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            self.peak_bytes = max(self.peak_bytes, sum(_resident(pid) for pid in _tree(self._pid)))
            self._more()

    def stop(self) -> None:
        """The command has ended."""
        self._ended.set()
        self._thread.join()


def _tree(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    with suppress(OSError):  # it may end while we look
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _tree(int(child))


def _resident(pid: int) -> int:
    """Resident memory of one process, bytes; 0 if it has ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    return 0
