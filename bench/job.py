"""The job that is measured: the real command, as a process of its own, in an empty folder."""

import csv
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.archive import BenchArchive
from bench.plans import FIRST_DAY, LAST_DAY
from bench.process import ProcessFigures, measure
from senard.simulation.archive import write_area


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

    run: ProcessFigures
    """The command and all its processes."""

    tasks: tuple[TaskFigures, ...]
    """By kind, the costliest first; the last task writes the product folder and is not among them."""

    product: Path
    """The product folder."""

    scenes_used: int
    """Scenes that supply pixels."""

    jp2_tiles_decoded: int
    """Internal JPEG 2000 tiles that composing decoded, as the job itself counts."""


def run_job(archive: BenchArchive, folder: Path, *, processes: int, crs: str | None = None) -> JobFigures:
    """Make a mosaic of an archive.

    Args:
        archive: products and area.
        folder: empty or absent; gets everything that the job writes.
        processes: tasks that run at once.
        crs: grid of the mosaic; None is the command's own.

    Raises:
        SystemExit: the command failed; its last lines are shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    area = folder / "area.geojson"
    write_area(archive.area, area)
    command = [
        *(str(Path(sys.executable).parent / "senard"), "mosaic", "--name", "bench", "--aoi", str(area)),
        *("--start", FIRST_DAY.isoformat(), "--end", LAST_DAY.isoformat(), "--archive", str(archive.folder)),
        *("--outdir", str(folder / "out"), "--njobs", str(processes)),
        *(("--crs", crs) if crs else ()),
    ]
    notes = _Notes(folder / "out/.senard/queries")
    run = measure(command, folder, folder / "command.log", notes.look)
    product = next(path for path in (folder / "out").glob("bench_*") if path.is_dir())
    return JobFigures(
        run=run,
        tasks=_by_kind(notes.text),
        product=product,
        scenes_used=_used(product),
        jp2_tiles_decoded=_decoded(product),
    )


class _Notes:
    """What the job's tasks note of themselves; the job removes it when the product is whole."""

    def __init__(self, queries: Path) -> None:
        self.text = ""
        self._queries = queries

    def look(self) -> None:
        """Keep the longest text seen."""
        for path in self._queries.glob("*/notes.jsonl"):
            with suppress(OSError):
                self.text = max(self.text, path.read_text(encoding="utf-8"), key=len)


def _by_kind(notes: str) -> tuple[TaskFigures, ...]:
    """Sum the notes of single tasks."""
    lines = [json.loads(line) for line in notes.splitlines() if line.endswith("}")]
    made = []
    for kind in {line["task"] for line in lines if line["task"]}:  # without a task: what no task did
        own = [line for line in lines if line["task"] == kind]
        seconds, cpu = (sum(float(line[name]) for line in own) for name in ("seconds", "cpu_seconds"))
        made.append(TaskFigures(kind=kind, tasks=len(own), seconds=seconds, cpu_seconds=cpu))
    return tuple(sorted(made, key=lambda figures: -figures.cpu_seconds))


def _used(product: Path) -> int:
    """Scenes of scenes.csv that supply pixels."""
    with (product / "scenes.csv").open(encoding="utf-8", newline="") as file:
        return sum(row["used"] == "true" for row in csv.DictReader(file))


def _decoded(product: Path) -> int:
    """Internal tiles that all composites of a product decoded."""
    figures = (product.parent / ".senard/products" / product.name).glob("choices/*/composite/*.json")
    return sum(int(json.loads(path.read_text(encoding="utf-8"))["jp2_tiles_decoded"]) for path in figures)
