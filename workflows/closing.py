"""How a mosaic's run ends: one line on what it took, and where the figures of each kind of task lie."""

import logging
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import luigi

from senard.errors import SenardError
from senard.io.disk_use import disk_use_of_all
from senard.io.product_folder import RUN
from senard.model.call import Call
from senard.model.run import RunFigures
from workflows.area import AreaTask
from workflows.costs import Work, planned_tasks
from workflows.estimate import Estimate
from workflows.meter import Totals, clock_text
from workflows.notes import add_found, add_note, read_figures

LOGGER = logging.getLogger("senard")


class AccountedTask(AreaTask):
    """A job that ends in a product folder whose run.json says what the run took."""

    _worked = False

    @cached_property
    def estimate(self) -> Estimate:
        """When the run ends: fed by its worker, shown by its display."""
        return Estimate()

    @property
    def folder(self) -> Path:
        """The product folder; known once the query is answered."""
        raise NotImplementedError

    def task_begins(self, task: luigi.Task) -> None:
        """Note once what lies on the disk; and whenever the job itself begins, or goes on with what it waited for, what
        this process has used, while others do the tasks, and what is still to come.
        """
        if not self._worked:
            self._worked = True
            add_found(self.queried.notes, disk_use_of_all(places_of(self.call)))
        elif task is self:
            add_note(self.queried.notes, "", 0.0)
            self.plan_the_rest()

    def plan_the_rest(self) -> None:
        """Say anew what is still to come, as soon as more is known of it."""
        with suppress(SenardError, OSError):  # the mosaic does not depend on it
            self.estimate.plan(planned_tasks(self.work_to_come()))

    def work_to_come(self) -> Work:
        """What there is still to do, once the query is answered."""
        raise NotImplementedError

    def summary(self, totals: Totals) -> list[str]:  # noqa: ARG002 - what was fetched is among what was read
        """One line on what the run took; none where nothing was left to do."""
        if not self._worked:
            return []
        try:
            if self.requires().complete() and self.complete():
                return closing_line_of_product(self.folder / RUN)
            return closing_line_so_far([self.queried.notes], self.queried.run)
        except (SenardError, OSError) as error:  # what the run ends with was said before
            LOGGER.warning("what the run took cannot be told: %s", error)
            return []


def places_of(call: Call) -> list[Path]:
    """Where a mosaic and all that it is made from lie: the product folder's name is known but for its end."""
    request = call.request
    named = f"{request.name}_{request.first_day:%Y%m%d}_{request.last_day:%Y%m%d}_*"
    return [call.workdir, call.access.download_dir, *call.outdir.glob(named)]


def closing_line(run: RunFigures, path: Path) -> str:
    """For a person: "12:31, 23:10 CPU, 3.2 GB read, 1918 JPEG 2000 tiles decoded, …".

    Args:
        run: what the run took.
        path: where it says so by kind of task.
    """
    parts = [clock_text(run.seconds or 0.0), f"{clock_text(run.cpu_seconds or 0.0)} CPU"]
    if run.bytes_read is not None:
        parts.append(f"{_size(run.bytes_read)} read")
    parts.append(f"{run.jp2_tiles or 0} JPEG 2000 tiles decoded")
    parts.append(f"{_size(run.peak_memory_bytes or 0)} of memory at most in one process")
    if run.peak_disk_bytes is not None:
        parts.append(f"{_size(run.peak_disk_bytes)} of disk at most")
    return f"{', '.join(parts)}. By kind of task: {path}"


def closing_line_of_product(path: Path) -> list[str]:
    """The line from a product's run.json; none where it is not there."""
    from senard.io.tables import read_run

    try:
        return [closing_line(read_run(path), path)]
    except (OSError, ValueError, KeyError, TypeError):  # deleted, or of another version: no reason to fail at the end
        return []


def closing_line_so_far(notes: list[Path], path: Path) -> list[str]:
    """The line of a run that ends early, from its notes, which are then written as JSON; none without notes."""
    run = read_figures(notes)
    if not run.kinds:
        return []
    from senard.io.tables import write_run_alone

    write_run_alone(path, run)
    return [closing_line(run, path)]


def _size(size: int) -> str:
    """Bytes for a person: "3.2 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
