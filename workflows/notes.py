"""The notes that finished tasks leave, one line each, and the figures of a run that are made from them."""

import json
import os
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from senard.model.run import KindFigures, RunFigures
from workflows.gauge import Gauge


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One finished task; or, without its class, what a command found or took away on the disk."""

    task: str
    """Its class: "MaskScene"; empty where no task was done."""

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

    task_cpu_seconds: float = 0.0
    """CPU time of the task itself, s."""

    task_bytes_read: int | None = None
    """Bytes that the task itself read; None where the system does not tell. What its process has read until then would
    hold what processes that it began have read, too."""

    task_jp2_tiles: int = 0
    """Internal tiles of JPEG 2000 images that it decoded."""

    disk_bytes: int = 0
    """What it added on the disk, bytes; negative where something was taken away."""

    disk_found_bytes: int | None = None
    """What lay there when a command began, bytes; None in all other lines."""

    @property
    def started(self) -> datetime:
        """When it began."""
        return self.finished - timedelta(seconds=self.seconds)


def add_note(path: Path, task: str, seconds: float, *, begun: Gauge | None = None, disk_bytes: int = 0) -> None:
    """Add a line about a task that this process has finished.

    Args:
        path: the query's notes; nothing is written where its folder does not exist.
        task: class of the task; empty for what a command took away.
        seconds: how long it took, s.
        begun: what the process had used when the task began; None: nothing is said of the task alone.
        disk_bytes: what the task added on the disk.
    """
    _add(path, {**_values(task, seconds, begun), "disk_bytes": disk_bytes})


def add_found(path: Path, found_bytes: int) -> None:
    """Add a line about what lay on the disk when a command began.

    Args:
        path: the query's notes.
        found_bytes: in work folder, download folder and product folder.
    """
    _add(path, {**_values("", 0.0, None), "disk_found_bytes": found_bytes})


def _values(task: str, seconds: float, begun: Gauge | None) -> dict[str, object]:
    now = Gauge.now()
    before = begun if begun is not None else now
    read = None if now.bytes_read is None or before.bytes_read is None else now.bytes_read - before.bytes_read
    return {
        "task": task,
        "finished": datetime.now(UTC).isoformat(),
        "seconds": round(seconds, 3),
        "process": f"{socket.gethostname()} {os.getpid()}",
        "cpu_seconds": round(now.cpu_seconds, 3),
        "peak_memory_bytes": now.peak_memory_bytes,
        "task_cpu_seconds": round(now.cpu_seconds - before.cpu_seconds, 3),
        "task_bytes_read": read,
        "task_jp2_tiles": now.jp2_tiles - before.jp2_tiles,
    }


def _add(path: Path, values: dict[str, object]) -> None:
    """One write below PIPE_BUF with O_APPEND: lines of many workers do not mix. No task fails for want of a note."""
    with suppress(OSError):  # the folder is not there, or the disk is full
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            file.write(json.dumps(values).encode() + b"\n")


def read_figures(paths: Sequence[Path], *, now: datetime | None = None) -> RunFigures:
    """What run.json says of the run, from the notes of all its workers; empty without notes.

    Args:
        paths: notes of the queries that the run serves: with `--allow-missing` there are two.
        now: when the run ends, timezone-aware UTC; None asks the clock.
    """
    lines = sorted((note for path in dict.fromkeys(paths) for note in _read(path)), key=lambda note: note.finished)
    notes = [note for note in lines if note.task]
    if not notes:
        return RunFigures(command=_command())
    started, finished = min(note.started for note in lines), now or datetime.now(UTC)
    cpu: dict[str, float] = {}
    for note in lines:
        cpu[note.process] = max(cpu.get(note.process, 0.0), note.cpu_seconds)
    return RunFigures(
        started=started,
        finished=finished,
        seconds=round((finished - started).total_seconds() - _paused_s(lines), 3),
        cpu_seconds=round(sum(cpu.values()), 3),
        peak_memory_bytes=max(note.peak_memory_bytes for note in lines),
        bytes_read=_bytes_read(notes),
        jp2_tiles=sum(note.task_jp2_tiles for note in notes),
        disk_at_start_bytes=next((note.disk_found_bytes for note in lines if note.disk_found_bytes is not None), None),
        peak_disk_bytes=_peak_disk(lines),
        workers=_at_once(notes),
        hosts=tuple(sorted({note.process.split(" ")[0] for note in notes})),
        command=_command(),
        kinds=tuple(_of_kind(kind, notes) for kind in dict.fromkeys(note.task for note in notes)),
    )


def _of_kind(kind: str, notes: Iterable[Note]) -> KindFigures:
    own = [note for note in notes if note.task == kind]
    return KindFigures(
        kind=kind,
        tasks=len(own),
        seconds=round(sum(note.seconds for note in own), 3),
        cpu_seconds=round(sum(note.task_cpu_seconds for note in own), 3),
        bytes_read=_bytes_read(own),
        jp2_tiles=sum(note.task_jp2_tiles for note in own),
        peak_memory_bytes=max(note.peak_memory_bytes for note in own),
    )


def _bytes_read(notes: Iterable[Note]) -> int | None:
    """What tasks read, each by itself; None where no system told."""
    read = [note.task_bytes_read for note in notes if note.task_bytes_read is not None]
    return sum(read) if read else None


def _peak_disk(lines: Iterable[Note]) -> int | None:
    """The most that lay on the disk; what a later command finds corrects the sum. None where no command looked."""
    lies = peak = None
    for note in lines:
        if note.disk_found_bytes is not None:
            lies = note.disk_found_bytes
        elif lies is not None:
            lies += note.disk_bytes
        if lies is not None:
            peak = max(lies, peak or 0)
    return peak


def _paused_s(lines: Sequence[Note]) -> float:
    """Time between commands of which the later one goes on with what an earlier one left, s."""
    paused = 0.0
    for command in lines[1:]:
        if command.disk_found_bytes is None or any(one.started < command.finished < one.finished for one in lines):
            continue
        before = max((one.finished for one in lines if one.finished < command.finished), default=command.finished)
        paused += (command.finished - before).total_seconds()
    return paused


def _command() -> tuple[str, ...]:
    return (Path(sys.argv[0]).name, *sys.argv[1:])


def _read(path: Path) -> Iterator[Note]:
    """The notes; a line that a killed worker cut short, or that another version wrote, is passed over."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values: dict[str, Any] = json.loads(line)
            yield Note(**{**values, "finished": datetime.fromisoformat(values["finished"])})
        except (ValueError, TypeError, KeyError):
            continue


def _at_once(notes: Iterable[Note]) -> int:
    """Most tasks that ran at the same time."""
    edges = sorted([(note.started, 1) for note in notes] + [(note.finished, -1) for note in notes])
    running = most = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    return max(most, 1)
