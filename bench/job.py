"""The job that is measured: the real command, as a process of its own, in an empty folder."""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.archive import FIRST_DAY, LAST_DAY, BenchArchive
from senard.simulation.archive import write_area

_SAMPLE_S = 0.2
"""Time between two looks at the memory of all processes, s."""

_PAGE_BYTES = resource.getpagesize()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFigures:
    """All tasks of one kind."""

    kind: str
    """Class of the tasks: "MaskScene"."""

    tasks: int
    """How many ran."""

    seconds: float
    """Wall-clock time, summed over tasks, s."""

    cpu_seconds: float
    """CPU time, summed over tasks, s; each task runs in a process of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFigures:
    """What one run of the command took."""

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

    tasks: tuple[TaskFigures, ...]
    """By kind, the costliest first; the last task writes the product folder and is not among them."""

    product: Path
    """The product folder."""

    jp2_tiles_decoded: int
    """Internal JPEG 2000 tiles that composing decoded, as the job itself counts."""


def run_job(archive: BenchArchive, folder: Path, *, processes: int) -> JobFigures:
    """Make a mosaic of an archive.

    Args:
        archive: products, area and period.
        folder: empty or absent; gets everything that the job writes.
        processes: tasks that run at once.

    Raises:
        SystemExit: the command failed; its last lines are shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    area, log = folder / "area.geojson", folder / "command.log"
    write_area(archive.area, area)
    command = [
        *(str(Path(sys.executable).parent / "senard"), "mosaic", "--name", "bench", "--aoi", str(area)),
        *("--start", FIRST_DAY.isoformat(), "--end", LAST_DAY.isoformat(), "--archive", str(archive.folder)),
        *("--outdir", str(folder / "out"), "--njobs", str(processes)),
    ]
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        watch = _Watch(process.pid, folder / "out/.senard/queries")
        # wait4 tells of this command and its children alone; RUSAGE_CHILDREN would add those that made the archive.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.stop()
    if process.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{tail}")
    product = next(path for path in (folder / "out").glob("bench_*") if path.is_dir())
    return JobFigures(
        command=tuple(command),
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_process_bytes=usage.ru_maxrss * 1024,
        peak_sum_bytes=watch.peak_bytes,
        tasks=_by_kind(watch.notes),
        product=product,
        jp2_tiles_decoded=_decoded(product),
    )


class _Watch:
    """Looks at a running command every 0.2 s: memory of all its processes, and the notes that its tasks leave."""

    def __init__(self, pid: int, queries: Path) -> None:
        self.peak_bytes = 0
        self.notes = ""
        self._pid = pid
        self._queries = queries
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            self.peak_bytes = max(self.peak_bytes, sum(_resident(pid) for pid in _tree(self._pid)))
            # The job removes its notes when the product is whole: the longest text seen is kept.
            for path in self._queries.glob("*/notes.jsonl"):
                with suppress(OSError):
                    self.notes = max(self.notes, path.read_text(encoding="utf-8"), key=len)

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


def _by_kind(notes: str) -> tuple[TaskFigures, ...]:
    """Sum the notes of single tasks."""
    lines = [json.loads(line) for line in notes.splitlines() if line.endswith("}")]
    made = []
    for kind in {line["task"] for line in lines}:
        own = [line for line in lines if line["task"] == kind]
        seconds, cpu = (sum(float(line[name]) for line in own) for name in ("seconds", "cpu_seconds"))
        made.append(TaskFigures(kind=kind, tasks=len(own), seconds=seconds, cpu_seconds=cpu))
    return tuple(sorted(made, key=lambda figures: -figures.cpu_seconds))


def _decoded(product: Path) -> int:
    """Internal tiles that all composites of a product decoded."""
    figures = (product.parent / ".senard/products" / product.name).glob("choices/*/composite/*.json")
    return sum(int(json.loads(path.read_text(encoding="utf-8"))["jp2_tiles_decoded"]) for path in figures)
