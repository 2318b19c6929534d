"""`--keep`: what a mosaic needs no more is taken away, unless it is somebody else's.

Nothing of `--archive` is touched, nothing in the download folder but what was fetched for mosaics of this work folder,
and nothing of a product that another query of the folder needs: one that a command works on just now, or whose mosaic
is not whole, or that wants to keep it. Results go by a rename first: killed in between, they are whole or absent.
"""

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from senard.io.atomic import beside
from senard.io.disk_use import disk_use
from senard.io.fetched import fetched_places, is_for_mosaics, unmark
from senard.io.leases import gate, holds_lease, others_at_work
from senard.io.scenes_file import is_of_source, read_query_result, read_verdict
from senard.model.access import Access
from senard.model.keep import Keep
from workflows.keeping import Kept, read_keep, write_keep
from workflows.paths import QueryPaths, WorkPaths
from workflows.task import remove, remove_all_leftovers

LOGGER = logging.getLogger("senard")

SMALL_FILES = ("refused.json", "without.json")
"""What says later why a mosaic was made without a product: it stays, whatever is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidying:
    """Takes away what one command's mosaic needs no more."""

    work: WorkPaths
    """The work folder."""

    queries: tuple[QueryPaths, ...]
    """The command's query, for which it holds leases; then the same less products that are missing, if any are."""

    access: Access
    """Where products come from and lie."""

    keep: Keep
    """What stays."""

    def free_judged(self, product_id: str, part: str) -> int:
        """A scene is judged: what was unpacked for it goes.

        Returns:
            What was taken away, bytes.

        Raises:
            StorageError, OSError: the disk refuses.
        """
        with self._looking() as look:
            free = self._free(look, [product_id], masks=False)
            return sum(_discard(self.work.safes(name) / part) for name in free)

    def free_products(self, product_ids: Collection[str]) -> int:
        """No tile needs these products any more: whatever was fetched or unpacked of them goes.

        Returns, Raises:
            As `free_judged`.
        """
        with self._looking() as look:
            free = self._free(look, product_ids, masks=False)
            fetched_too = bool(free) and look.others(self.access.download_dir) == []
            return sum(self._free_product(product_id, fetched_too) for product_id in free)

    def end(self, product_ids: Collection[str], mosaic: str, evidence: str, land: Path | None = None) -> str:
        """The mosaic is whole: what it needs no more goes, and others hear that it needs it no more.

        Args:
            product_ids: every product that its query kept.
            mosaic: name of its product folder.
            evidence: `MosaicRequest.evidence_key`.
            land: what was taken over of terrain model and land cover; whoever needs it makes it anew when it begins.

        Returns:
            Why everything stays, for a person; empty where it went.

        Raises:
            StorageError, OSError: the disk refuses.
        """
        self.free_products(product_ids)
        with self._looking() as look:
            if look.others(self.work.root) is None:
                return (
                    f"--keep {self.keep.value}: nothing was deleted. {self.work.root} cannot say who works there (its "
                    "disk knows no locks): delete it by hand while nothing runs."
                )
            if self._shared(look):
                return (
                    f"--keep {self.keep.value}: another command works on the same mosaic, so what is needed no more "
                    "stays until it ends. Type this command again then."
                )
            if self.keep is Keep.NONE:  # choices first: they must not outlive what they were made from
                _thin_out(self.work.product(mosaic))
                for product_id in self._free(look, product_ids, masks=True):
                    _discard(self.work.masks(product_id, evidence))
                if land is not None and look.others(self.work.root) == []:
                    _discard(land)
            for query in self.queries:
                write_keep(query, Kept(keep=self.keep, done=True))
        return ""

    def _free_product(self, product_id: str, fetched_too: bool) -> int:
        folders = self.work.safes(product_id), self.work.downloads(product_id)
        for folder in folders:
            remove_all_leftovers(folder)
        freed = sum(_discard(place) for folder in folders for place in _listed(folder))
        refused = any(
            map(is_of_source, _listed(self.work.downloads(product_id)))
        )  # what came of it, nobody fetches again
        if fetched_too and not refused and is_for_mosaics(product_id, self.access.download_dir, self.work.root):
            places = fetched_places(product_id, self.access.download_dir)
            freed += sum(_discard(place) for place in places if not self._is_users(place))
            unmark([product_id], self.access.download_dir)
        for folder in folders:
            _remove_if_empty(folder)
        return freed

    def _is_users(self, place: Path) -> bool:
        """Whether a place lies in the user's archive, or the archive in it."""
        archive = self.access.archive
        return archive is not None and (place == archive or archive in place.parents or place in archive.parents)

    def _free(self, look: "_Look", product_ids: Iterable[str], *, masks: bool) -> list[str]:
        """Those of some products that no other query of the work folder needs; none where that cannot be known."""
        others = look.others(self.work.root)
        if others is None or self._shared(look) or not all(scenes.is_file() for scenes in others):
            return []
        at_rest = [query.scenes for query in self.work.queries() if self._must_stay(query, masks=masks)]
        needed = {name for scenes in (*others, *at_rest) for name in _kept_now(scenes)}
        return [product_id for product_id in product_ids if product_id not in needed]

    def _shared(self, look: "_Look") -> bool:
        """Whether another command works on the same query, or that cannot be known."""
        others = look.others(self.work.root)
        return others is None or self.queries[0].scenes in others

    def _must_stay(self, query: QueryPaths, *, masks: bool) -> bool:
        """Whether a query at which nobody works needs its products, or its masks."""
        if query in self.queries or not query.scenes.is_file():
            return False
        kept = read_keep(query)
        return kept.needs_masks() if masks else kept.needs_products()

    @contextmanager
    def _looking(self) -> "Iterator[_Look]":
        """Inside the block nobody begins to work in a folder that was looked at."""
        with ExitStack() as inside:
            yield _Look(scenes=self.queries[0].scenes, inside=inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Who else works in folders, asked once for each."""

    scenes: Path
    """List of products of this command."""

    inside: ExitStack
    """Holds the gates of the folders."""

    seen: dict[Path, list[Path] | None] = field(default_factory=dict)

    def others(self, root: Path) -> list[Path] | None:
        """Lists of products of the other commands; None where this one holds no lease, so that nothing can be known."""
        place = root.absolute()
        if place not in self.seen:
            if not holds_lease(place, self.scenes):
                return None
            self.inside.enter_context(gate(place))
            self.seen[place] = others_at_work(place, self.scenes)
        return self.seen[place]


def _kept_now(scenes: Path) -> frozenset[str]:
    return _kept_products(scenes, scenes.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _kept_products(scenes: Path, written: int) -> frozenset[str]:  # noqa: ARG001 - another time of writing is another answer
    """Products that a query kept."""
    return frozenset(scene.product_id for scene in read_query_result(scenes).kept)


def _discard(place: Path) -> int:
    """Take away a result, at once under its name; a verdict stays. Returns the bytes of what went."""
    if read_verdict(place) is not None:
        return 0
    for leftover in place.parent.glob(f".{place.stem}.*.partial{place.suffix}"):  # of whoever was killed here
        remove(leftover)
    size, gone = disk_use(place), beside(place)
    try:
        place.rename(gone)
    except FileNotFoundError:
        return 0
    remove(gone)
    return size


def _thin_out(folder: Path) -> None:
    """Take away a mosaic's intermediate results, but for what says why it was made without a product."""
    remove_all_leftovers(folder)
    for place in _listed(folder):
        choices = _listed(place) if place.name == "choices" else []
        inner = [result for choice in choices for result in _listed(choice)]
        for result in inner or [place]:
            if result.name not in SMALL_FILES:
                _discard(result)
        for choice in choices:
            _remove_if_empty(choice)


def _listed(folder: Path) -> list[Path]:
    """What lies in a folder under a final name; nothing where it is absent."""
    return sorted(path for path in folder.glob("*") if not path.name.startswith("."))


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # something is in it, or it is not there
        LOGGER.debug("%s stays", folder)
