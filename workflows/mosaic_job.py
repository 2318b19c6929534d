"""What a mosaic consists of, what of it is still to come, and what it needs no more."""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import luigi

from senard.algorithms.tiling import cut_tiles
from senard.errors import SenardError
from senard.io.scenes_file import read_query_result
from senard.model.access import Fetch, SourceName
from senard.model.cloud_evidence import judged_part
from senard.model.grid import Tile
from senard.model.keep import Keep
from senard.steps.make_request import require_for_mosaic, with_mosaic_warnings
from senard.steps.size_up import size_up
from workflows.choosing import (
    numbers_of,
    numbers_text,
    read_refusals,
    read_settled,
    settled_sources,
    share_of_parts,
    winning_sources,
)
from workflows.closing import AccountedTask
from workflows.config import Call
from workflows.costs import Work
from workflows.delivered import delivered
from workflows.keeping import Kept, write_keep
from workflows.missing import leave_out_missing
from workflows.notes import add_note
from workflows.paths import ProductPaths, QueryPaths
from workflows.scenes import MaskScene
from workflows.selection import SelectSources, SettleScenes
from workflows.sentinel2 import CompositeTile, decoding_threads
from workflows.targets import FileTarget, Stamp
from workflows.tidying import Tidying

LOGGER = logging.getLogger("senard")


class MosaicJob(AccountedTask):
    """The command's view of its mosaic: where things lie, how far they are, what `--keep` gives free."""

    label = "MosaicAOI: report and checksums"

    _left_out: tuple[list[int], list[int]] | None = None
    """Source numbers that are spared and that cannot be used, as soon as they are known."""

    @cached_property
    def call(self) -> Call:
        """What was asked; may raise RequestError."""
        call = super().call
        require_for_mosaic(call.request)
        return with_mosaic_warnings(call)

    @property
    def folder(self) -> Path:
        """The product folder; known once the query is answered."""
        return self._folder(self._frozen()).folder

    def task_begins(self, task: luigi.Task) -> None:
        """Learn from the first choice which scenes are worth reading: so many more or less are to be decoded."""
        super().task_begins(task)
        if isinstance(task, SelectSources):
            left_out = numbers_of(task.spared), numbers_of(task.without)
            if left_out != self._left_out:
                self._left_out = left_out
                self.plan_the_rest()

    def task_ends(self, task: luigi.Task) -> None:
        """Give free what no tile needs any more, as `--keep` says."""
        if isinstance(task, SettleScenes):
            self.plan_the_rest()
        if self.call.keep is Keep.ALL:
            return
        freed = 0
        try:
            if isinstance(task, MaskScene):
                freed = self._tidying(self.queried).free_judged(task.product_id, judged_part(task.named).value)
            elif isinstance(task, SettleScenes | CompositeTile):
                freed = self._tidying(self._frozen()).free_products(self._needless())
        except (SenardError, OSError) as error:  # the mosaic does not depend on it
            LOGGER.warning("%s: what is needed no more stays for now: %s", task, error)
        if freed:
            add_note(self.queried.notes, "", 0.0, disk_bytes=-freed)

    def tidy_up(self) -> str:
        """Give free all that `--keep` does not keep."""
        if self.call.keep is Keep.ALL:
            return ""
        frozen, request = self._frozen(), self.call.request
        names = [scene.product_id for scene in read_query_result(self.queried.scenes).kept]
        folder = self._folder(frozen)
        return self._tidying(frozen).end(names, folder.name, request.evidence_key, self.work.land(request))

    def _say_what_stays(self) -> None:
        super()._say_what_stays()
        write_keep(self.queried, Kept(keep=self.call.keep))

    def _tidying(self, frozen: QueryPaths) -> Tidying:
        queries = tuple({query.folder: query for query in (self.queried, frozen)}.values())
        return Tidying(work=self.work, queries=queries, access=self.call.access, keep=self.call.keep)

    def _needless(self) -> list[str]:
        """Kept products whose bands no tile will read any more; none before scenes are settled."""
        frozen = self._frozen()
        folder, kept = self._folder(frozen), read_query_result(frozen.scenes).kept
        refused = self._refused(frozen, folder)
        if not self._is_settled(frozen, folder, refused):
            return []
        sources = self._sources(folder, refused)
        to_come = sorted({task.tile for task in self._to_come(frozen, folder, refused)})
        needed = winning_sources([sources[tile] for tile in to_come])
        return [scene.product_id for number, scene in enumerate(kept, start=1) if number not in needed]

    def _sources(self, folder: ProductPaths, refused: Mapping[int, str]) -> list[Path]:
        """Folders of the source maps that were decided for, by index of the tile."""
        choice = self.work.choice(folder.name, list(refused))
        return settled_sources(self.work, folder.name, choice, self._tiles)

    def _is_settled(self, frozen: QueryPaths, folder: ProductPaths, refused: Mapping[int, str]) -> bool:
        """Whether it was decided which scenes supply the mosaic."""
        return SettleScenes(**self._common(frozen, folder, refused)).complete()

    def _to_come(self, frozen: QueryPaths, folder: ProductPaths, refused: Mapping[int, str]) -> list[CompositeTile]:
        """Mosaic files that are not made yet; one that an unusable scene has stopped is none."""
        tasks = self._composites(frozen, folder, sorted({*self.call.resolutions, *delivered(folder)}), refused)
        return [task for task in tasks if not all(target.exists() for target in task.output())]

    def work_to_come(self) -> Work:
        """What there is still to do, once the query is answered."""
        frozen = self._frozen()
        folder, kept = self._folder(frozen), read_query_result(frozen.scenes).kept
        refused, query, access = self._refused(frozen, folder), self.requires(), self.call.access
        self.estimate.connections = access.pace.connections or self.estimate.workers
        masks = [
            query.clone(MaskScene, product_id=scene.product_id, evidence=self.call.request.evidence_key)
            for scene in kept
        ]
        settled, used, suppliers = self._is_settled(frozen, folder, refused), list[int](), tuple[float, ...]()
        without = list[int]()
        if settled:
            used = winning_sources(self._sources(folder, refused))
            without = list(read_settled(self.work.choice(folder.name, list(refused))).without)
        elif self._left_out is not None:
            spared, without = self._left_out
            used = sorted({*range(1, len(kept) + 1)} - {*spared, *without})
        if used:
            scenes = [kept[number - 1] for number in used]
            share = share_of_parts(self.work, folder.name, without, used, kept)
            suppliers = tuple(share * tile.depth for tile in size_up(self.call.request, scenes, self._tiles).tiles)
        return Work(
            sizes=size_up(self.call.request, kept, self._tiles),
            to_judge=[task.product_id for task in masks if not task.complete()],
            settled=settled,
            suppliers=suppliers,
            composites=[(task.tile, task.gsd) for task in self._to_come(frozen, folder, refused)],
            method=self.call.request.method,
            processes=self.estimate.workers,
            threads=decoding_threads(),
            cores=self.estimate.cores,
            remote=access.sources != (SourceName.LOCAL,),
            whole=access.fetch is Fetch.WHOLE,
        )

    @cached_property
    def _tiles(self) -> tuple[Tile, ...]:
        return cut_tiles(self.call.request.aoi, self.call.request.crs)

    def _masks(self, product_id: str) -> Path:
        """Folder of one scene's judgement by the evidence that was asked for."""
        return self.work.masks(product_id, self.call.request.evidence_key)

    def _frozen(self) -> QueryPaths:
        """The query that the mosaic is made from: the one asked, less what could not be fetched."""
        return leave_out_missing(self.work, self.key) if self.call.allow_missing else self.queried

    def _folder(self, frozen: QueryPaths) -> ProductPaths:
        kept = read_query_result(frozen.scenes).kept
        product_id = self.call.request.product_id([scene.product_id for scene in kept])
        return ProductPaths(folder=self.call.outdir / product_id)

    def _refused(self, frozen: QueryPaths, folder: ProductPaths) -> dict[int, str]:
        """Scenes that could not be decoded, by source number, and why."""
        return read_refusals(FileTarget(self.work.refused(folder.name), stamps=self._stamps(frozen, folder)))

    def _stamps(self, frozen: QueryPaths, folder: ProductPaths) -> tuple[Stamp, Stamp]:
        """What makes older results of the mosaic count as absent."""
        return Stamp(frozen.rebuild_stamp), Stamp(self.work.returned_stamp(folder.name))

    def _common(self, frozen: QueryPaths, folder: ProductPaths, refused: Mapping[int, str]) -> dict[str, str]:
        """Parameters that all tasks of the mosaic share."""
        return {
            "workdir": str(self.work.root),
            "query": frozen.folder.name,
            "product": folder.name,
            "outdir": str(self.call.outdir),
            "refused": numbers_text(refused),
        }

    def _composites(
        self, frozen: QueryPaths, folder: ProductPaths, resolutions: Sequence[int], refused: Mapping[int, str]
    ) -> list[CompositeTile]:
        """All tiles, as they come from one choice of scenes."""
        common = self._common(frozen, folder, refused)
        return [CompositeTile(tile=tile.index, gsd=gsd, **common) for gsd in resolutions for tile in self._tiles]
