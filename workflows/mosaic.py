"""What a user runs: the mosaic of an area and a period, or only the downloads for it."""

import errno
import shutil
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import luigi

from senard.algorithms.tiling import cut_tiles
from senard.errors import IncompleteError, RequestError
from senard.io.atomic import partial_file
from senard.io.product_folder import expected_files, is_whole, read_sums
from senard.io.scenes_file import read_query_result, read_verdict
from senard.model.grid import Tile
from senard.model.mosaic import MosaicParts
from senard.model.options import BY_NAME
from senard.model.product import Part
from senard.model.scene import QueryResult
from senard.steps.finish_product import finish_product
from workflows.config import Call, read_call
from workflows.failures import failure_text
from workflows.missing import FetchIfPossible, leave_out_missing
from workflows.notes import read_figures
from workflows.options import with_options
from workflows.paths import ProductPaths, QueryPaths, WorkPaths, query_key
from workflows.sentinel2 import (
    BuildQualityVRT,
    BuildVRT,
    CompositeTile,
    DownloadProduct,
    QueryScenes,
    Steps,
    WriteQuality,
    settled_sources,
)
from workflows.targets import FileTarget, Stamp
from workflows.task import remove_all_leftovers

FREE_BYTES = 64 * 1000**2
"""Less free space than this is said before anything starts, bytes."""


class AreaTask(luigi.Task):
    """A task that starts from what a user typed."""

    judged_by_completeness = True
    """Tells workflows/exit_codes.py that this may be the root of a run of ours."""

    _begun = False

    @cached_property
    def call(self) -> Call:
        """What was asked, from command line, configuration file and luigi.cfg; may raise RequestError."""
        return read_call({name: getattr(self, name) for name in BY_NAME})

    @cached_property
    def key(self) -> str:
        """Name of the query's folder."""
        return query_key(self.call.request, str(self.call.archive))

    @property
    def work(self) -> WorkPaths:
        """The work folder's places."""
        return WorkPaths(root=self.call.workdir)

    @property
    def queried(self) -> QueryPaths:
        """The query's places."""
        return self.work.query(self.key)

    def begin(self) -> None:
        """Once per command: look whether folders can be written, and set or join the stamps.

        Raises:
            RequestError: if a folder cannot be written or the disk is full.
        """
        self._begun = True
        for text in self.call.warnings:
            print(f"senard: warning: {text}", file=sys.stderr)
        for folder in (self.call.outdir, self.call.workdir):
            require_writable(folder)
        if not self.queried.request.is_file():
            with partial_file(self.queried.request) as partial:
                partial.write_text(self.call.request.canonical(), encoding="utf-8")
        if self.call.rebuild:
            Stamp(self.queried.rebuild_stamp).join()
        if self.call.refresh:
            Stamp(self.queried.refresh_stamp).join()

    def requires(self) -> QueryScenes:
        request = self.call.request
        name = f"{request.name}_{request.first_day:%Y%m%d}_{request.last_day:%Y%m%d}"
        return QueryScenes(name=name, query=self.key, workdir=str(self.work.root), archive=str(self.call.archive))

    def to_str_params(self, only_significant: bool = False, only_public: bool = False) -> dict[str, str]:
        """What was typed: luigid's page need not list what was not."""
        typed = super().to_str_params(only_significant, only_public)
        return {name: text for name, text in typed.items() if text}

    def on_failure(self, exception: BaseException) -> str:
        """What Luigi's page and our exit code are told."""
        return failure_text(exception)


@with_options
class DownloadAOI(AreaTask):
    """Every product that a mosaic would use, fetched whole; `MosaicAOI` goes on from there without a network."""

    @property
    def label(self) -> str:
        return "DownloadAOI"

    def complete(self) -> bool:
        if not self._begun:
            self.begin()
        return self.requires().complete() and all(task.complete() for task in self._downloads())

    def run(self) -> Steps:
        yield self._downloads()

    def _downloads(self) -> list[DownloadProduct]:
        kept = read_query_result(self.queried.scenes).kept
        query = self.requires()
        return [query.clone(DownloadProduct, product_id=scene.product_id, part=Part.ALL.value) for scene in kept]


@with_options
class MosaicAOI(AreaTask):
    """The best cloud-free mosaic of an area and a period: tiles, indices, QA layer, report, checksums."""

    @property
    def label(self) -> str:
        return "MosaicAOI: report and checksums"

    @property
    def folder(self) -> Path:
        """The product folder; known once the query is answered."""
        return self._folder(self._frozen()).folder

    def complete(self) -> bool:
        """Whether the product holds every file that this call asks for, listed with its checksum."""
        if not self._begun:
            self.begin()
        if not self.requires().complete():
            return False
        if self.call.allow_missing and not all(task.complete() for task in self._fetches()):
            return False
        folder = self._folder(self._frozen())
        expected = expected_files(self._tiles, self.call.resolutions)
        return FileTarget(folder.sums, stamps=self._stamps()).exists() and is_whole(folder.folder, expected)

    def run(self) -> Steps:
        if self.call.allow_missing:
            yield self._fetches()
        frozen = self._frozen()
        result = read_query_result(frozen.scenes)
        folder = self._folder(frozen)
        resolutions = sorted({*self.call.resolutions, *delivered(folder)})
        tasks = self._tasks(frozen, folder, resolutions)
        yield tasks
        for place in (folder.folder, self.work.product(folder.name)):
            remove_all_leftovers(place)
        finish_product(folder.folder, self._parts(result, folder, resolutions), read_figures(self.queried.notes))
        self._forget(frozen)

    @cached_property
    def _tiles(self) -> tuple[Tile, ...]:
        return cut_tiles(self.call.request.aoi, self.call.request.crs)

    def _stamps(self) -> tuple[Stamp, ...]:
        return (Stamp(self.queried.rebuild_stamp),)

    def _fetches(self) -> list[FetchIfPossible]:
        """For `--allow-missing`: one attempt per kept product."""
        kept = read_query_result(self.queried.scenes).kept
        query = self.requires()
        return [query.clone(FetchIfPossible, product_id=scene.product_id) for scene in kept]

    def _frozen(self) -> QueryPaths:
        """The query that the mosaic is made from: the one asked, less what could not be fetched."""
        return leave_out_missing(self.work, self.key) if self.call.allow_missing else self.queried

    def _folder(self, frozen: QueryPaths) -> ProductPaths:
        kept = read_query_result(frozen.scenes).kept
        product_id = self.call.request.product_id([scene.product_id for scene in kept])
        return ProductPaths(folder=self.call.outdir / product_id)

    def _tasks(self, frozen: QueryPaths, folder: ProductPaths, resolutions: Sequence[int]) -> list[luigi.Task]:
        """Everything that must lie in the folder before the report can be written."""
        common = {
            "workdir": str(self.work.root),
            "archive": str(self.call.archive),
            "query": frozen.folder.name,
            "product": folder.name,
            "outdir": str(self.call.outdir),
        }
        text = ",".join(str(gsd) for gsd in resolutions)
        tiles = [tile.index for tile in self._tiles]
        composites = [CompositeTile(tile=tile, gsd=gsd, **common) for gsd in resolutions for tile in tiles]
        indices = [BuildVRT(gsd=gsd, **common) for gsd in resolutions]
        quality = [WriteQuality(tile=tile, resolutions=text, **common) for tile in tiles]
        return [*composites, *quality, *indices, BuildQualityVRT(resolutions=text, **common)]

    def _parts(self, result: QueryResult, folder: ProductPaths, resolutions: Sequence[int]) -> MosaicParts:
        """What the report is made from."""
        work, tiles = self.work, self._tiles
        composites = [work.figures(folder.name, tile.index, gsd) for tile in tiles for gsd in resolutions]
        verdicts = {scene.product_id: read_verdict(work.safe(scene.product_id, Part.BANDS)) for scene in result.kept}
        return MosaicParts(
            request=self.call.request,
            result=result,
            tiles=tiles,
            sources=tuple(settled_sources(work, folder.name, tiles)),
            masks=tuple(work.masks(scene.product_id) for scene in result.kept),
            composites=tuple(composites),
            reasons={product_id: reason for product_id, reason in verdicts.items() if reason},
        )

    def _forget(self, frozen: QueryPaths) -> None:
        """The product is whole: stamps and notes have served."""
        for query in {self.queried.folder: self.queried, frozen.folder: frozen}.values():
            Stamp(query.rebuild_stamp).remove()
            Stamp(query.refresh_stamp).remove()
            query.notes.unlink(missing_ok=True)


def delivered(folder: ProductPaths) -> list[int]:
    """Resolutions that earlier calls delivered into the folder, m."""
    try:
        names = read_sums(folder.folder)
    except (FileNotFoundError, IncompleteError):
        return []
    return [gsd for gsd in (10, 20) if folder.vrt(gsd).name in names]


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
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        problem = "the disk is full" if full else f"the folder cannot be written ({error.strerror or error})"
        raise RequestError(f"{folder}: {problem}. {_ELSEWHERE}") from error
    if free < FREE_BYTES:
        raise RequestError(f"{folder}: the disk is full, {free // 1000**2} MB are free. {_ELSEWHERE}")


_ELSEWHERE = "Free some space or correct the rights, or give another --outdir or --workdir."
