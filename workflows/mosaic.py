"""What a user runs: the mosaic of an area and a period."""

import contextlib
import time
from collections.abc import Collection, Mapping, Sequence

import luigi

from senard.errors import IncompleteError
from senard.io.disk_use import disk_use
from senard.io.product_folder import expected_files, is_whole
from senard.io.scenes_file import is_of_source, read_query_result, read_verdict
from senard.model.labels import LAYER_PROFILES
from senard.model.mosaic import MosaicParts
from senard.model.product import Part
from senard.model.request import Brdf, Topography
from senard.model.scene import QueryResult
from workflows.area import told
from workflows.choosing import (
    delivered_sources,
    read_refusals,
    read_settled,
    write_refusals,
)
from workflows.delivered import (
    delivered,
    delivered_layers,
    reasons_of_spared,
    remove_outdated_index,
    require_suppliers,
)
from workflows.gauge import Gauge
from workflows.missing import FetchIfPossible, can_be_left_out
from workflows.mosaic_job import MosaicJob
from workflows.notes import add_note, read_figures
from workflows.options import with_options
from workflows.paths import ProductPaths, QueryPaths
from workflows.scenes import MaskScene, Unzip
from workflows.selection import SettleScenes
from workflows.sentinel2 import (
    CLASSES,
    BuildClassesVRT,
    BuildQualityVRT,
    BuildVRT,
    CompositeTile,
    WriteClasses,
    WriteQuality,
)
from workflows.targets import DirectoryTarget, FileTarget, Stamp
from workflows.task import Steps, remove, remove_all_leftovers


@with_options
class MosaicAOI(MosaicJob):
    """The best cloud-free mosaic of an area and a period: tiles, indices, QA layer, report, checksums."""

    def begin(self) -> None:
        """As of other tasks; and what the land is, is taken over once, before anything is asked for.

        Raises:
            RequestError: if a folder cannot be written, the disk is full, or `--dem` or `--landcover` says what cannot
                be.
        """
        super().begin()
        call, land = self.call, self.work.land(self.call.request)
        if land is not None and not DirectoryTarget(land).exists():
            from senard.steps.take_land import take_land

            take_land(call.request, call.dem, call.landcover, self._tiles, land)

    def left_out(self) -> list[str]:
        """One line per product that the mosaic had to be made without."""
        frozen = self._frozen()
        asked, result = read_query_result(self.queried.scenes).kept, read_query_result(frozen.scenes)
        wanted = {scene.product_id for scene in asked}
        missing = [entry for entry in result.scenes if not entry.kept and entry.product_id in wanted]
        reasons = self._unusable(result, self._refused(frozen, self._folder(frozen)))
        for scene in result.kept:
            reasons.setdefault(scene.product_id, read_verdict(self._masks(scene.product_id)) or "")
        absent = [told(entry.product_id, entry.reason) for entry in missing]
        return [*super().left_out(), *absent, *(told(name, reason) for name, reason in reasons.items() if reason)]

    def goes_on(self, failed: Collection[str]) -> bool:
        """With `--allow-missing`: whether something that failed can now be left out."""
        return self.call.allow_missing and can_be_left_out(self._fetches(), failed)

    def complete(self) -> bool:
        """Whether the product holds every file that this call asks for, listed with its checksum."""
        if not self._begun:
            self.begin()
        if not all(task.complete() for task in [self.requires(), *self.checks()]):
            return False
        if self.call.allow_missing and not all(task.complete() for task in self._fetches()):
            return False
        frozen = self._frozen()
        folder = self._folder(frozen)
        if self._refreshes and not all(task.complete() for task in self._asked_again(frozen, folder)):
            return False
        return self._is_whole(frozen, folder)

    def run(self) -> Steps:
        began, started = Gauge.now(), time.time()
        yield self.checks()
        if self.call.allow_missing:
            yield self._fetches()
        frozen = self._frozen()
        result = read_query_result(frozen.scenes)
        folder = self._folder(frozen)
        if self._refreshes:
            yield self._asked_again(frozen, folder)
            if self._has_come_back(frozen, folder):
                Stamp(self.work.returned_stamp(folder.name)).join()
        if self._is_whole(frozen, folder):  # as after a `--refresh` that brought nothing: the folder stays as it is
            self._forget(frozen, folder)
            return
        refused = self._refused(frozen, folder)
        resolutions = sorted({*self.call.resolutions, *delivered(folder)})
        layers = sorted({*self.call.layers, *delivered_layers(folder)})
        while True:
            composites = self._composites(frozen, folder, resolutions, refused)
            yield [*dict.fromkeys(need for task in composites for need in task.requires()), *composites]
            before, refused = refused, self._choose_again(frozen, folder, composites)
            if refused == before:
                break
        yield self._finishing(frozen, folder, resolutions, layers, refused)
        self._clean(folder, refused)
        parts = self._parts(result, folder, resolutions, refused)
        from senard.io.tables import update_run
        from senard.steps.finish_product import finish_product

        notes, lay = [self.queried.notes, frozen.notes], disk_use(folder.folder)
        finish_product(folder.folder, parts, read_figures(notes))
        added, took = disk_use(folder.folder) - lay, time.time() - started
        add_note(self.queried.notes, str(self.task_family), took, begun=began, disk_bytes=added)
        update_run(folder.run, read_figures(notes))
        self._forget(frozen, folder)

    @property
    def _refreshes(self) -> bool:
        """Whether this is a `--refresh`, or goes on with one."""
        return self.queried.refresh_stamp.exists()

    def _is_whole(self, frozen: QueryPaths, folder: ProductPaths) -> bool:
        """Whether the product holds every file that this call asks for, and nothing outdates it."""
        if self._refreshes and self._has_come_back(frozen, folder):
            return False
        stamps = (Stamp(self.queried.rebuild_stamp), Stamp(self.work.returned_stamp(folder.name)))
        expected = expected_files(self._tiles, self.call.resolutions, self.call.layers)
        return FileTarget(folder.sums, stamps=stamps).exists() and is_whole(folder.folder, expected)

    def _done_without(self, frozen: QueryPaths, folder: ProductPaths) -> list[str]:
        """Products that the mosaic was settled without before a band was decoded."""
        refused = self._refused(frozen, folder)
        try:
            settled = read_settled(self.work.choice(folder.name, list(refused)))
        except IncompleteError:
            return []
        kept = read_query_result(frozen.scenes).kept
        return [kept[number - 1].product_id for number in settled.without if number not in refused]

    def _asked_again(self, frozen: QueryPaths, folder: ProductPaths) -> list[MaskScene | Unzip]:
        """With `--refresh`: what asks again for the products that no source would give when the mosaic was settled."""
        query, tasks = self.requires(), list[MaskScene | Unzip]()
        for name in self._done_without(frozen, folder):
            masks = self._masks(name)
            if not masks.is_dir() or is_of_source(masks):
                tasks.append(query.clone(MaskScene, product_id=name, evidence=self.call.request.evidence_key))
            elif is_of_source(self.work.safe(name, Part.BANDS)):
                tasks.append(query.clone(Unzip, product_id=name, part=Part.BANDS.value))
        return tasks

    def _has_come_back(self, frozen: QueryPaths, folder: ProductPaths) -> bool:
        """Whether a product can be used now that the mosaic was settled without."""
        return any(
            self._masks(name).is_dir()
            and read_verdict(self._masks(name)) is None
            and read_verdict(self.work.safe(name, Part.BANDS)) is None
            for name in self._done_without(frozen, folder)
        )

    def _fetches(self) -> list[FetchIfPossible]:
        """For `--allow-missing`: one attempt per kept product."""
        kept = read_query_result(self.queried.scenes).kept
        return [self.requires().clone(FetchIfPossible, product_id=scene.product_id) for scene in kept]

    def _choose_again(
        self, frozen: QueryPaths, folder: ProductPaths, composites: Sequence[CompositeTile]
    ) -> dict[int, str]:
        """Write down what these tiles refused, once all of them were tried: the next choice is the same for all.

        What an earlier choice delivered, at either resolution, goes first.
        """
        known = self._refused(frozen, folder)
        found = {**known, **{n: why for task in composites for n, why in read_refusals(task.refusal).items()}}
        if found.keys() != known.keys():
            self._require_suppliers(frozen, folder, composites, found)
            tiles = [folder.tile(tile.index, gsd) for gsd in (10, 20) for tile in self._tiles]
            layers = [folder.layer(tile.index, layer) for layer in LAYER_PROFILES for tile in self._tiles]
            for place in [folder.sums, *tiles, *layers]:
                remove(place)
            with contextlib.suppress(OSError):  # not empty, or not there
                folder.folder.rmdir()
            write_refusals(self.work.refused(folder.name), found)
        return self._refused(frozen, folder)

    def _require_suppliers(
        self, frozen: QueryPaths, folder: ProductPaths, composites: Sequence[CompositeTile], found: Mapping[int, str]
    ) -> None:
        """Let nothing that is delivered go for scenes that were refused; the next run looks at them again.

        Raises:
            IncompleteError: one of them supplies pixels of what is delivered.
        """
        kept = read_query_result(frozen.scenes).kept
        reasons = {kept[number - 1].product_id: reason for number, reason in found.items()}
        try:
            require_suppliers(folder, self._stamps(frozen, folder), reasons)
        except IncompleteError:
            for task in composites:
                remove(task.refusal.path)
            raise

    def _finishing(
        self,
        frozen: QueryPaths,
        folder: ProductPaths,
        resolutions: Sequence[int],
        layers: Sequence[str],
        refused: Mapping[int, str],
    ) -> list[luigi.Task]:
        """What else must lie in the folder before the report can be written."""
        common, text = self._common(frozen, folder, refused), ",".join(str(gsd) for gsd in resolutions)
        indices: list[luigi.Task] = [BuildVRT(gsd=gsd, **common) for gsd in resolutions]
        quality = [WriteQuality(tile=tile.index, resolutions=text, **common) for tile in self._tiles]
        for task in quality:
            remove_outdated_index(folder.quality_vrt(), task)
        indices.append(BuildQualityVRT(resolutions=text, **common))
        judged = SettleScenes(**common).judging_settled()
        return [*judged, *quality, *indices, *self._classes(folder, layers, common)]

    def _classes(self, folder: ProductPaths, layers: Sequence[str], common: Mapping[str, str]) -> list[luigi.Task]:
        """The layer of scene classes, where it is asked for or there already."""
        if CLASSES not in layers:
            return []
        classes = [WriteClasses(tile=tile.index, **common) for tile in self._tiles]
        for task in classes:
            remove_outdated_index(folder.layer_vrt(CLASSES), task)
        return [*classes, BuildClassesVRT(**common)]

    def _clean(self, folder: ProductPaths, refused: Mapping[int, str]) -> None:
        """Remove what nobody needs any more: half-made results, and those of choices that were given up."""
        choices = self.work.choices(folder.name)
        for given_up in set(choices.iterdir()) - {self.work.choice(folder.name, list(refused)).folder}:
            remove(given_up)
        remove(self.work.choice(folder.name, list(refused)).decoded)
        if not refused:  # a file from before a rebuild would count again without its stamp
            self.work.refused(folder.name).unlink(missing_ok=True)
        for place in (folder.folder, self.work.product(folder.name)):
            remove_all_leftovers(place)

    def _parts(
        self, result: QueryResult, folder: ProductPaths, resolutions: Sequence[int], refused: Mapping[int, str]
    ) -> MosaicParts:
        """What the report is made from."""
        work, tiles, choice = self.work, self._tiles, self.work.choice(folder.name, list(refused))
        return MosaicParts(
            request=self.call.request,
            result=result,
            tiles=tiles,
            sources=tuple(delivered_sources(work, folder.name, choice, tiles, self.call.request.method)),
            masks=tuple(self._masks(scene.product_id) for scene in result.kept),
            composites=tuple(choice.figures(tile.index, gsd) for tile in tiles for gsd in resolutions),
            reasons={**reasons_of_spared(result, choice), **self._unusable(result, refused)},
            levels=choice.levels,
            factors=choice.factors if self.call.request.brdf is Brdf.NBAR else None,
            slopes=choice.slopes if self.call.request.topography is Topography.C else None,
        )

    def _unusable(self, result: QueryResult, refused: Mapping[int, str]) -> dict[str, str]:
        """product_id to reason of every kept scene whose bands cannot be used."""
        reasons = {
            scene.product_id: read_verdict(self.work.safe(scene.product_id, Part.BANDS)) or refused.get(number)
            for number, scene in enumerate(result.kept, start=1)
        }
        return {product_id: reason for product_id, reason in reasons.items() if reason}

    def _forget(self, frozen: QueryPaths, folder: ProductPaths) -> None:
        """The product is whole: stamps and notes have served."""
        Stamp(self.work.returned_stamp(folder.name)).remove()
        for query in {self.queried.folder: self.queried, frozen.folder: frozen}.values():
            Stamp(query.rebuild_stamp).remove()
            Stamp(query.refresh_stamp).remove()
            Stamp(query.waiting_stamp).remove()
            query.notes.unlink(missing_ok=True)
