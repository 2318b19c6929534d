"""What every task shares: where it works, how it reports, and how it fails."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

import luigi
from luigi.task import flatten

from senard.errors import IncompleteError, PendingError, SenardError
from senard.io.access_file import read_access
from senard.io.disk_use import disk_use_of_all
from senard.io.fetched import marked_for_mosaics
from senard.io.scenes_file import read_query_result
from senard.model.access import Access, SourceName
from senard.model.request import MosaicRequest
from senard.model.scene import QueryResult
from workflows.failures import failure_text
from workflows.gauge import Gauge
from workflows.meter import Reading
from workflows.notes import add_note
from workflows.paths import QueryPaths, WorkPaths
from workflows.progress import tell, tell_bytes
from workflows.running import RETRIES
from workflows.targets import Stamp

Steps = Generator["Sequence[luigi.Task] | luigi.Task", None, None]
"""What `run` yields: tasks that must be complete before it goes on; Luigi starts it again from the top."""

HIDDEN = luigi.parameter.ParameterVisibility.HIDDEN


class SenardTask(luigi.Task):
    """A step of a mosaic, inside one work folder, on behalf of one query."""

    workdir = luigi.Parameter(positional=False, description="work folder, absolute")
    query = luigi.Parameter(
        positional=False, significant=False, visibility=HIDDEN, description="key of the query that the task serves"
    )

    retry_count = RETRIES

    computes = False
    """Tells workflows/running.py that the task works on pixels."""

    judged_by_completeness = True
    """Tells workflows/exit_codes.py that this may be the root of a run of ours."""

    @property
    def label(self) -> str:
        """What the task does, for a person: "CompositeTile 0 at 10 m"."""
        return str(self.task_family)

    @property
    def paths(self) -> WorkPaths:
        """The work folder's places."""
        return WorkPaths(root=Path(self.workdir))

    @property
    def queried(self) -> QueryPaths:
        """The query's places."""
        return self.paths.query(self.query)

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """What makes older results count as absent."""
        return (Stamp(self.queried.rebuild_stamp),)

    @property
    def places(self) -> list[Path]:
        """Files and folders that grow while the task runs."""
        return [Path(target.path) for target in flatten(self.output())]

    def read_access(self) -> Access:
        """How products are found and fetched."""
        return read_access(self.queried.access)

    def saying_for_whom(self, product_id: str) -> AbstractContextManager[None]:
        """Around a fetch: say that only mosaics want the product, where that is so."""
        access = self.read_access()
        if access.sources == (SourceName.LOCAL,) or self.queried.for_good.exists():
            return nullcontext()
        return marked_for_mosaics(product_id, access.download_dir, self.paths.root)

    def read_request(self) -> MosaicRequest:
        """The request that the query answers."""
        return MosaicRequest.from_canonical(self.queried.request.read_text(encoding="utf-8"))

    def read_result(self) -> QueryResult:
        """The frozen answer of the query."""
        path = self.queried.scenes
        try:
            written = path.stat().st_mtime_ns
        except FileNotFoundError:
            written = 0
        return _read_result(path, written)

    def report(self, percent: int) -> None:
        """Say how far the task is: on luigid's page and in the display of `senard mosaic`."""
        set_percentage: Any = self.set_progress_percentage  # None outside a worker
        set_message: Any = self.set_status_message
        if set_percentage is not None:
            set_percentage(percent)
            set_message(f"{self.label}: {percent} %")
        tell(self.label, percent)

    def report_bytes(self, reading: Reading) -> None:
        """`report` for downloads: bytes, speed and remaining time too."""
        set_percentage: Any = self.set_progress_percentage
        set_message: Any = self.set_status_message
        if set_percentage is not None:
            set_percentage(reading.percent)
            set_message(f"{self.label}: {reading.text}")
        tell_bytes(self.label, reading)

    def progress(self, share: float) -> None:
        """`report` for steps that count in shares, 0-1."""
        self.report(min(100, max(0, round(100 * share))))

    def left_to_wait_s(self) -> float:
        """How much of `--wait` is left, s; the clock runs since something was first found missing."""
        return max(0.0, 3600 * self.read_access().wait_h - Stamp(self.queried.waiting_stamp).age_s)

    def later(self, error: PendingError) -> SenardError:
        """What to raise where something is not there yet: this task again after a pause, or the end of waiting."""
        left_s = self.left_to_wait_s()
        if left_s > 0:
            Stamp(self.queried.waiting_stamp).join()
            return PendingError(str(error), again_in_s=min(error.again_in_s, left_s))
        waited_h = self.read_access().wait_h
        what_now = f"It was waited for, {waited_h:g} hours (--wait)." if waited_h else "--wait HOURS waits for it."
        return IncompleteError(f"{error} {what_now} Run again later, or go on without it: --allow-missing.")

    def on_failure(self, exception: BaseException) -> str:
        """What Luigi's page and our exit code are told."""
        return failure_text(exception)


@lru_cache(maxsize=4)
def _read_result(path: Path, written: int) -> QueryResult:  # noqa: ARG001 - another time of writing is another answer
    """The answer of a query, read once: a thousand scenes take 0.1 s, and each of their tasks asks."""
    return read_query_result(path)


def remove_leftovers(*results: Path) -> None:
    """Remove what a killed worker left beside results that are about to be made: never a result itself."""
    for result in results:
        for leftover in result.parent.glob(f".{result.stem}.*.partial*"):
            remove(leftover)


def remove_all_leftovers(folder: Path) -> None:
    """Remove every half-made file and folder below a folder in which nobody works any more."""
    for leftover in [path for path in folder.rglob(".*.partial*") if path.name.startswith(".")]:
        remove(leftover)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, whoever else does the same."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


_BEGUN: dict[str, tuple[Gauge, int]] = {}
"""What this process had used, and what lay in a task's places, when the task began: by its id."""


@SenardTask.event_handler(luigi.Event.START)
def note_start(task: SenardTask) -> None:
    """Luigi tells that a task begins, in the process that runs it; again after each thing that it waited for."""
    _BEGUN.clear()  # a process does one task at a time
    _BEGUN[task.task_id] = Gauge.now(), disk_use_of_all(task.places)


@SenardTask.event_handler(luigi.Event.PROCESSING_TIME)
def note_figures(task: SenardTask, seconds: float) -> None:
    """Luigi tells how long a task took, in the process that ran it."""
    begun, lay = _BEGUN.pop(task.task_id, (None, 0))
    added = disk_use_of_all(task.places) - lay
    add_note(task.queried.notes, str(task.task_family), seconds, begun=begun, disk_bytes=added)
