"""What every task shares that starts from what a user typed."""

import contextlib
import errno
import shutil
import sys
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import luigi

from senard.errors import RequestError, SenardError
from senard.io.access_file import write_access
from senard.io.atomic import partial_file
from senard.io.leases import FOLDER_NAME as LEASES
from senard.io.leases import take_lease
from senard.io.scenes_file import read_query_result
from senard.model.access import SourceName
from senard.model.options import options_of
from senard.steps.query_scenes import pending_scenes
from workflows.config import Call, read_call
from workflows.failures import failure_text
from workflows.keeping import NOTHING, write_keep
from workflows.paths import QueryPaths, WorkPaths, query_key
from workflows.refusing import ask_all_again
from workflows.scenes import CompareCatalogues, QueryScenes, budgets
from workflows.targets import Stamp

FREE_BYTES = 4 * 1000**2
"""Less free space than this is said before anything starts, bytes: what lists, stamps and logs of a run take. Whether
there is room for images is looked at before each; a mosaic that is whole wants none."""


class AreaTask(luigi.Task):
    """A task that starts from what a user typed: one that ends whole if its files are there."""

    judged_by_completeness = True
    """Tells workflows/exit_codes.py that this may be the root of a run of ours."""

    unasked: ClassVar[Mapping[str, str]] = {}
    """Defaults that differ from those of the table: {"fetch": "whole"}."""

    fetches: ClassVar[bool] = True
    """Whether products may come into the download folder."""

    _begun = False

    @cached_property
    def call(self) -> Call:
        """What was asked, from command line, configuration file, luigi.cfg and settings; may raise RequestError."""
        typed = {option.name: getattr(self, option.name) for option in options_of(type(self).__name__)}
        return read_call(typed, unasked=self.unasked)

    @cached_property
    def key(self) -> str:
        """Name of the query's folder."""
        return query_key(self.call.request, self.call.access.identity)

    @property
    def work(self) -> WorkPaths:
        """The work folder's places."""
        return WorkPaths(root=self.call.workdir)

    @property
    def queried(self) -> QueryPaths:
        """The query's places."""
        return self.work.query(self.key)

    @property
    def written(self) -> tuple[Path, ...]:
        """Folders that results are written to: they are made, and looked at before anything starts."""
        return self.call.outdir, self.call.workdir

    @property
    def budgets(self) -> dict[str, int]:
        """How many fetches run at once for each account, by Luigi's name of the resource: {"cdse": 2}."""
        return budgets(self.call.access)

    def begin(self) -> None:
        """Once per command: look whether folders can be written, write down how products are fetched, set stamps.

        Raises:
            RequestError: if a folder cannot be written or the disk is full.
        """
        self._begun = True
        ask_all_again()
        for text in self.call.warnings:
            print(f"senard: warning: {text}", file=sys.stderr)
        for folder in self.written:
            require_writable(folder)
        if not self.queried.request.is_file():
            with partial_file(self.queried.request) as partial:
                partial.write_text(self.call.request.canonical(), encoding="utf-8")
        write_access(self.queried.access, self.call.access)
        self._take_leases()
        self._say_what_stays()
        waiting = Stamp(self.queried.waiting_stamp)
        if waiting.age_s > 3600 * self.call.access.wait_h:  # an earlier command waited in vain: the clock starts anew
            waiting.remove()
        if self.call.rebuild:
            Stamp(self.queried.rebuild_stamp).join()
        if self.call.refresh:
            Stamp(self.queried.refresh_stamp).join()

    def _take_leases(self) -> None:
        """Say in every folder with products that this command works there, until it ends.

        Where that cannot be said, on a disk that knows no locks or may not be written, nothing is taken away either.
        """
        access = self.call.access
        if self.fetches and access.sources != (SourceName.LOCAL,):
            with contextlib.suppress(OSError):  # whoever fetches says it in words
                access.download_dir.mkdir(parents=True, exist_ok=True)
        given = [access.archive] if access.archive is not None and (access.archive / LEASES).is_dir() else []
        for root in (self.call.workdir, access.download_dir, *given):
            if root.is_dir():
                with contextlib.suppress(SenardError, OSError):
                    take_lease(root, self.queried.scenes)

    def _say_what_stays(self) -> None:
        """Write down what this command wants to stay: nothing, if it makes no mosaic and none was asked for before."""
        self.queried.for_good.unlink(missing_ok=True)
        if not self.queried.keep.is_file():
            write_keep(self.queried, NOTHING)

    def tidy_up(self) -> str:
        """Called once all is whole and was told: what is needed no more may go.

        Returns:
            What a person should know about that; empty for nothing.
        """
        return ""

    def task_begins(self, task: luigi.Task) -> None:
        """Called in the command's own process before each task that it starts."""

    def task_ends(self, task: luigi.Task) -> None:
        """Called in the command's own process after each task that it has done."""

    def goes_on(self, failed: Collection[str]) -> bool:  # noqa: ARG002 - for tasks that leave something out
        """Whether another round makes sense although tasks (their ids) failed: what failed is left out meanwhile."""
        return False

    def checks(self) -> list[CompareCatalogues]:
        """What is to be known beside the result itself: with `--check-catalogue`, what another catalogue knows."""
        wanted = self.call.access.check_catalogue
        return [CompareCatalogues(query=self.key, workdir=str(self.work.root))] if wanted else []

    def remarks(self) -> list[str]:
        """Lines for a person at the end of the command: what was not asked for, or is not there yet."""
        pending = pending_scenes(read_query_result(self.queried.scenes))
        told = [f"{len(pending)} acquisitions whose L2A is still pending: run with --refresh later"] if pending else []
        for check in self.checks():
            head, *rest = check.output().path.read_text(encoding="utf-8").splitlines()
            told.append(f"{head} {check.output().path}" if rest else head)
        return told

    def left_out(self) -> list[str]:
        """One line per product that could not be read, or was listed and not there, when the archive was searched: who
        made it may not know, and who has mended it since must say so."""
        unreadable = [entry for entry in read_query_result(self.queried.scenes).scenes if entry.scene is None]
        return [
            told(entry.product_id, f"{entry.reason} Once it is mended, run with --refresh.") for entry in unreadable
        ]

    def requires(self) -> QueryScenes:
        request = self.call.request
        name = f"{request.name}_{request.first_day:%Y%m%d}_{request.last_day:%Y%m%d}"
        return QueryScenes(name=name, query=self.key, workdir=str(self.work.root))

    def to_str_params(self, only_significant: bool = False, only_public: bool = False) -> dict[str, str]:
        """What was typed: luigid's page need not list what was not."""
        typed = super().to_str_params(only_significant, only_public)
        return {name: text for name, text in typed.items() if text}

    def on_failure(self, exception: BaseException) -> str:
        """What Luigi's page and our exit code are told."""
        return failure_text(exception)


def told(product_id: str, reason: str) -> str:
    """A product and why it is left out, on one line that names the product once."""
    line = " ".join(reason.split())
    return line if line.startswith((f"{product_id}: ", f"{product_id} ")) else f"{product_id}: {line}"


def require_writable(folder: Path) -> None:
    """Say at once what would otherwise fail after an hour.

    Raises:
        RequestError: if nothing can be written into the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial_file(folder / ".writable") as partial:
            partial.touch()
        (folder / ".writable").unlink(missing_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RequestError(f"{folder}: the disk is full. Free some space, or {_ELSEWHERE}") from error
        if folder.exists() and not folder.is_dir():
            raise RequestError(f"{folder}: expected a folder, found a file. Move it away, or {_ELSEWHERE}") from error
        raise RequestError(
            f"{folder}: the folder cannot be written ({error.strerror or error}). Correct its rights, or {_ELSEWHERE}"
        ) from error
    if free < FREE_BYTES:
        raise RequestError(
            f"{folder}: the disk is full, {free // 1000**2} MB are free, {FREE_BYTES // 1000**2} MB are needed to "
            f"begin. Free some space, or {_ELSEWHERE}"
        )


_ELSEWHERE = "give another --outdir, --workdir, --download-dir or --unzip-dir, whichever means this one."
