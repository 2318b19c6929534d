"""`--allow-missing`: a mosaic without the products that could not be fetched, under a name of its own."""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Sequence

from senard.errors import NoDataError, PendingError, TransientError
from senard.io.access_file import read_access, write_access
from senard.io.atomic import partial_file
from senard.io.scenes_file import read_query_result, write_query_result
from senard.model.cloud_evidence import judged_part
from senard.model.scene import QueriedScene, QueryResult
from workflows.keeping import read_keep, write_keep
from workflows.paths import QueryPaths, WorkPaths
from workflows.scenes import FetchTask
from workflows.targets import FileTarget, Stamp
from workflows.task import remove_leftovers


class FetchIfPossible(FetchTask):
    """One product fetched, or a note why it could not be; asked again only by `--refresh` or `--rebuild`."""

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        return (*super().stamps, Stamp(self.queried.refresh_stamp))

    def output(self) -> FileTarget:
        return FileTarget(self.queried.missing(self.product_id), stamps=self.stamps)

    def complete(self) -> bool:
        """Whether there is a note, and nothing has failed to come since."""
        failed, note = FileTarget(self.queried.failed(self.product_id), stamps=self.stamps), self.output()
        if not note.exists():
            return False
        return not failed.exists() or failed.path.stat().st_mtime_ns <= note.path.stat().st_mtime_ns

    @property
    def reason(self) -> str:
        """Why the product could not be fetched; empty if it could, or was not yet tried."""
        return _reason(self.queried, self.product_id) if self.output().exists() else ""

    def run(self) -> None:
        reason, judged = "", judged_part(self.read_request().cloud_evidence)
        remove_leftovers(self.output().path)
        try:
            failed = self.failed_parts()
            for part in dict.fromkeys([self.fetched(judged), *failed]):
                if part in failed or not self.is_here(part):
                    self.fetch(part)
        except (TransientError, OSError) as error:
            if isinstance(error, PendingError) and self.left_to_wait_s() > 0:
                raise self.later(error) from error
            reason = f"could not be fetched: {error}"
        with self.output().temporary_path() as partial:
            partial.write_text(json.dumps({"reason": reason}), encoding="utf-8")


def can_be_left_out(fetches: Sequence[FetchIfPossible], failed: Collection[str]) -> bool:
    """Whether another round would leave something out that failed in this one.

    Not where an attempt to do without a product has itself failed: a licence or a password that is refused is refused
    again, and rounds would follow each other without an end.

    Args:
        fetches: one per kept product.
        failed: ids of the tasks that failed.
    """
    return not any(task.task_id in failed for task in fetches) and any(not task.complete() for task in fetches)


def leave_out_missing(work: WorkPaths, key: str) -> QueryPaths:
    """The query that a mosaic is made from where some products are missing.

    It lies in a folder of its own, so that the mosaic without them has another name than the mosaic with them.

    Args:
        work: the work folder.
        key: the query as it was answered; each of its kept products has its note.

    Returns:
        Places of the same query where nothing is missing, else of the one without.

    Raises:
        NoDataError: if all are missing.
    """
    query = work.query(key)
    result = read_query_result(query.scenes)
    reasons = {scene.product_id: _reason(query, scene.product_id) for scene in result.kept}
    missing = sorted(product_id for product_id, reason in reasons.items() if reason)
    if not missing:
        return query
    if len(missing) == len(result.kept):
        raise NoDataError(f"None of {len(missing)} products could be fetched. {missing[0]}: {reasons[missing[0]]}")
    without = work.query(hashlib.sha256("".join([key, *missing]).encode()).hexdigest()[:16])
    if not FileTarget(without.scenes, stamps=(Stamp(query.scenes),)).exists():  # older than the query: asked again
        with partial_file(without.request) as partial:
            partial.write_bytes(query.request.read_bytes())
        write_query_result(without.scenes, _less(result, reasons))
    write_access(without.access, read_access(query.access))
    if query.keep.is_file():
        write_keep(without, read_keep(query))
    if query.rebuild_stamp.exists():
        Stamp(without.rebuild_stamp).join()
    return without


def _reason(query: QueryPaths, product_id: str) -> str:
    return str(json.loads(query.missing(product_id).read_text(encoding="utf-8"))["reason"])


def _less(result: QueryResult, reasons: dict[str, str]) -> QueryResult:
    """The answer with the missing products left out, kept ones first."""
    entries = [
        dataclasses.replace(entry, kept=False, reason=reasons[entry.product_id])
        if entry.kept and reasons.get(entry.product_id)
        else entry
        for entry in result.scenes
    ]
    ordered: list[QueriedScene] = [entry for entry in entries if entry.kept]
    return QueryResult(scenes=(*ordered, *(entry for entry in entries if not entry.kept)))
