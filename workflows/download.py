"""What a user runs to have the products themselves: every one that the request means, whole, verified, unpacked."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

import luigi

from senard.errors import NoDataError, RequestError
from senard.io.fetched import unmark
from senard.io.scenes_file import read_query_result, read_verdict
from senard.model.access import Fetch, SourceName
from senard.model.cloud_evidence import judged_part
from senard.model.product import Part
from senard.steps.deliver_safe import deliver_safe
from workflows.area import AreaTask, told
from workflows.detaching import go_on_in_background
from workflows.meter import Totals
from workflows.missing import FetchIfPossible, can_be_left_out
from workflows.options import with_options
from workflows.scenes import DownloadProduct, SceneTask
from workflows.targets import DirectoryTarget, FollowingTarget, Stamp
from workflows.task import Steps, remove_leftovers


class DeliverSafe(SceneTask):
    """One product as a SAFE folder where the user wants it, which stays at `--rebuild`; or the verdict on it."""

    folder = luigi.Parameter(positional=False, description="where the SAFE folder appears, absolute")

    def requires(self) -> DownloadProduct:
        return self.clone(DownloadProduct, part=Part.ALL.value)

    def output(self) -> DirectoryTarget:
        place = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        return FollowingTarget(self.paths.delivered(self.product_id, place), lambda: self.requires().output())

    def complete(self) -> bool:
        """Whether it was delivered, and is still there; or cannot be."""
        note = self.output()
        if not note.exists():
            return False
        if read_verdict(note.path) is not None:
            return not any(stamp.outdates(note.path) for stamp in self.stamps)
        return (Path(self.folder) / f"{self.product_id}.SAFE").is_dir()

    def run(self) -> None:
        remove_leftovers(Path(self.folder) / f"{self.product_id}.SAFE")
        deliver_safe(self.input().path, Path(self.folder), self.output().path)


@with_options
class DownloadAOI(AreaTask):
    """Every product that answers the request, fetched; `MosaicAOI` goes on from there without a network."""

    unasked: ClassVar = {"fetch": Fetch.WHOLE.value}

    @property
    def label(self) -> str:
        return "DownloadAOI"

    @property
    def folder(self) -> Path:
        """Where the products lie."""
        access = self.call.access
        if self.call.unzip_dir is not None:
            return self.call.unzip_dir
        only_local = all(source is SourceName.LOCAL for source in access.sources)
        return access.archive if only_local and access.archive is not None else access.download_dir

    @property
    def written(self) -> tuple[Path, ...]:
        places = (self.call.workdir, self.call.access.download_dir, self.call.unzip_dir)
        return tuple(place for place in places if place is not None)

    def begin(self) -> None:
        """As every task begins; then, if it was asked for, go on in the background.

        Raises:
            RequestError: if a folder cannot be written, or parts of products were to be unpacked.
        """
        if self.call.unzip_dir is not None and self.call.access.fetch is Fetch.MEMBERS:
            raise RequestError(
                "--unzip unpacks whole products, and --fetch members fetches parts of them, unpacked as they are. "
                "Leave one of them out."
            )
        super().begin()
        if self.call.detach:
            go_on_in_background(self.call.access.download_dir / "senard-download.log")

    def _say_what_stays(self) -> None:
        super()._say_what_stays()
        self.queried.for_good.touch()

    def complete(self) -> bool:
        if not self._begun:
            self.begin()
        if not self.requires().complete():
            return False
        if self.call.allow_missing and not all(task.complete() for task in self._fetches()):
            return False
        return all(task.complete() for task in [*self.checks(), *self._tasks()]) and not self._is_empty()

    def run(self) -> Steps:
        """Wait for every product, and end what was begun.

        Raises:
            NoDataError: if not one of the products can be had.
        """
        self._want_for_good()
        if self.call.allow_missing:
            yield self._fetches()
        yield [*self.checks(), *self._tasks()]
        for stamp in (self.queried.rebuild_stamp, self.queried.refresh_stamp, self.queried.waiting_stamp):
            Stamp(stamp).remove()
        if self._is_empty():
            reasons = self.left_out()
            raise NoDataError(
                f"{self.call.request.name}: {len(reasons)} products answer the request, and not one of them can be "
                f"had. The first: {reasons[0]}"
            )

    def tidy_up(self) -> str:
        """Take nothing away, and see to it that nobody does, also where nothing was left to do."""
        self._want_for_good()
        return ""

    def _want_for_good(self) -> None:
        """No mosaic takes these products away, even if they were fetched for one."""
        kept = read_query_result(self.queried.scenes).kept
        unmark([scene.product_id for scene in kept], self.call.access.download_dir)

    def summary(self, totals: Totals) -> list[str]:
        """One line: what became of the products, what was fetched and how fast, where they lie; none before a query."""
        if not self.requires().complete():
            return []
        missing = [task.product_id for task in self._fetches() if task.reason] if self.call.allow_missing else []
        tasks = self._tasks()
        verdicts = {task.product_id for task in tasks if task.complete() and read_verdict(task.output().path)}
        lacking = {task.product_id for task in tasks if not task.complete()}
        whole = {task.product_id for task in tasks} - verdicts - lacking
        fetched, left_out = whole & totals.products, len(missing) + len(verdicts)
        wanted = len(whole) + len(lacking) + left_out
        lacking_text = f", {len(lacking)} not there yet" if lacking else ""
        return [
            f"{len(whole)} of {wanted} products are whole: {len(fetched)} fetched, {len(whole) - len(fetched)} already "
            f"there; {left_out} left out{lacking_text}. Fetched {totals.text}. They lie in {self.folder}"
        ]

    def goes_on(self, failed: Collection[str]) -> bool:
        """With `--allow-missing`: whether something that failed can now be left out."""
        return self.call.allow_missing and can_be_left_out(self._fetches(), failed)

    def left_out(self) -> list[str]:
        """One line per product that could not be fetched or cannot be used."""
        missing = {task.product_id: task.reason for task in self._fetches()} if self.call.allow_missing else {}
        verdicts = {task.product_id: read_verdict(task.output().path) for task in self._tasks()}
        reasons = {**missing, **verdicts}
        return [*super().left_out(), *(told(name, reason) for name, reason in reasons.items() if reason)]

    def left_out_so_far(self) -> list[str]:
        """The same where the run ends early: every product that did not come is named by it."""
        return self.left_out() if self.requires().complete() else []

    def _is_empty(self) -> bool:
        """Whether everything was tried and nothing came: each product is missing, or there is a verdict on it."""
        return all(read_verdict(task.output().path) is not None for task in self._tasks())

    def _fetches(self) -> list[FetchIfPossible]:
        """For `--allow-missing`: one attempt per kept product."""
        kept = read_query_result(self.queried.scenes).kept
        return [self.requires().clone(FetchIfPossible, product_id=scene.product_id) for scene in kept]

    def _tasks(self) -> list[DownloadProduct | DeliverSafe]:
        """What has to be done for each product that is not missing, in the order of the query."""
        missing = {task.product_id for task in self._fetches() if task.reason} if self.call.allow_missing else set()
        names = [scene.product_id for scene in read_query_result(self.queried.scenes).kept]
        wanted, query = [name for name in names if name not in missing], self.requires()
        if self.call.unzip_dir is not None:
            place = str(self.call.unzip_dir)
            return [query.clone(DeliverSafe, product_id=name, folder=place) for name in wanted]
        members = self.call.access.fetch is Fetch.MEMBERS
        parts = (judged_part(self.call.request.cloud_evidence), Part.BANDS) if members else (Part.ALL,)
        return [query.clone(DownloadProduct, product_id=name, part=part.value) for name in wanted for part in parts]
