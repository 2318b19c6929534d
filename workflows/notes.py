"""The notes that finished tasks leave, one line each, and the figures of a run that are made from them."""

import json
import os
import resource
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from senard.model.mosaic import RunFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One finished task."""

    task: str
    """Its class: "MaskScene"."""

    finished: datetime
    """When it was done, timezone-aware UTC."""

    seconds: float
    """How long it took, s."""

    process: str
    """Host and process: "worker-3 4711"."""

    cpu_seconds: float
    """CPU time of that process until then, s."""

    peak_memory_bytes: int
    """Largest resident memory of that process until then, bytes."""

    bytes_read: int | None
    """Bytes that the process read until then; None where the system does not tell."""

    @property
    def started(self) -> datetime:
        """When it began."""
        return self.finished - timedelta(seconds=self.seconds)


def add_note(path: Path, task: str, seconds: float) -> None:
    """Add a line about a task that this process has finished.

    One write below PIPE_BUF with O_APPEND: the lines of many workers do not mix.

    Args:
        path: the query's notes; nothing is written where its folder does not exist.
        task: class of the task.
        seconds: how long it took, s.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    line = {
        "task": task,
        "finished": datetime.now(UTC).isoformat(),
        "seconds": round(seconds, 3),
        "process": f"{socket.gethostname()} {os.getpid()}",
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_memory_bytes": usage.ru_maxrss * 1024,
        "bytes_read": _bytes_read(),
    }
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "ab", buffering=0) as file:
        file.write(json.dumps(line).encode() + b"\n")


def read_figures(path: Path) -> RunFigures:
    """What run.json says of the run, from the notes of all its workers; empty without notes."""
    notes = list(_read(path))
    if not notes:
        return RunFigures(command=_command())
    started, finished = min(note.started for note in notes), datetime.now(UTC)
    cpu: dict[str, float] = {}
    read: dict[str, int] = {}
    for note in notes:
        cpu[note.process] = max(cpu.get(note.process, 0.0), note.cpu_seconds)
        if note.bytes_read is not None:
            read[note.process] = max(read.get(note.process, 0), note.bytes_read)
    return RunFigures(
        started=started,
        finished=finished,
        seconds=round((finished - started).total_seconds(), 3),
        cpu_seconds=round(sum(cpu.values()), 3),
        peak_memory_bytes=max(note.peak_memory_bytes for note in notes),
        bytes_read=sum(read.values()) if read else None,
        workers=_at_once(notes),
        hosts=tuple(sorted({note.process.split(" ")[0] for note in notes})),
        command=_command(),
    )


def _bytes_read() -> int | None:
    """Bytes that this process asked of files and sockets, whether or not the system's cache had them."""
    try:
        fields = Path("/proc/self/io").read_text(encoding="ascii").split()
        return int(fields[fields.index("rchar:") + 1])
    except (OSError, ValueError):
        return None


def _command() -> tuple[str, ...]:
    return (Path(sys.argv[0]).name, *sys.argv[1:])


def _read(path: Path) -> Iterable[Note]:
    """The notes; a line that a killed worker cut short is passed over."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values: dict[str, Any] = json.loads(line)
            yield Note(**{**values, "finished": datetime.fromisoformat(values["finished"])})
        except (ValueError, TypeError, KeyError):
            continue


def _at_once(notes: list[Note]) -> int:
    """Most tasks that ran at the same time."""
    edges = sorted([(note.started, 1) for note in notes] + [(note.finished, -1) for note in notes])
    running = most = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    return max(most, 1)
