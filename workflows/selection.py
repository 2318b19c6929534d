"""The steps from judged scenes to settled source maps, one task each."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import luigi

from senard.errors import NoDataError
from senard.io.scenes_file import read_verdict
from senard.io.sources_file import read_spared, write_spared
from senard.model.contenders import Spared
from senard.model.product import Part
from senard.model.request import Method
from senard.model.scene import Sentinel2Scene
from senard.steps.settle_scenes import settle_scenes
from workflows.choosing import (
    Settled,
    numbers_of,
    numbers_text,
    read_settled,
    winning_sources,
    write_settled,
)
from workflows.paths import without_key
from workflows.product_task import ProductTask, TileTask
from workflows.scenes import Unzip
from workflows.targets import DirectoryTarget, FileTarget
from workflows.task import Steps, remove_leftovers


class RankScenes(ProductTask):
    """How much of the area every scene saw clear."""

    computes = True

    @property
    def label(self) -> str:
        return f"RankScenes {self.product}"

    def output(self) -> FileTarget:
        return FileTarget(self.paths.ranks(self.product), stamps=self.stamps)

    def run(self) -> Steps:
        yield self.judging()
        remove_leftovers(self.output().path)
        from senard.steps.rank_scenes import rank_scenes

        rank_scenes(self.read_request(), self.read_scenes(), self.read_masks([]), self.read_tiles(), self.output().path)


class WeighScenes(TileTask):
    """How much worse each scene is than the best, on the ground of one tile: what tells which scenes to spare."""

    computes = True

    without = luigi.Parameter(
        default="", positional=False, description="numbers of scenes that turned out unusable, by comma"
    )

    def output(self) -> DirectoryTarget:
        weights = self.paths.weights(self.product, without_key(numbers_of(self.without)), self.tile)
        return DirectoryTarget(weights, stamps=self.stamps)

    def run(self) -> Steps:
        yield self.judging()
        remove_leftovers(self.output().path)
        request, scenes, masks = self.read_request(), self.read_scenes(), self.read_masks(numbers_of(self.without))
        tile, out, land = self.read_tiles()[self.tile], self.output().path, self.paths.land(request)
        from senard.steps.weigh_scenes import weigh_scenes

        weigh_scenes(request, scenes, masks, tile, out, land=land, progress=self.progress)


class SpareScenes(ProductTask):
    """What the mosaic can do without: whole scenes, and parts of those that are left."""

    computes = True

    without = luigi.Parameter(
        default="", positional=False, description="numbers of scenes that turned out unusable, by comma"
    )

    @property
    def label(self) -> str:
        return f"SpareScenes {self.product}"

    def output(self) -> FileTarget:
        return FileTarget(self.paths.spared(self.product, without_key(numbers_of(self.without))), stamps=self.stamps)

    def run(self) -> Steps:
        weighing = [self.clone(WeighScenes, tile=tile.index) for tile in self.read_tiles()]
        yield weighing
        remove_leftovers(self.output().path)
        masks, weighed = self.read_masks(numbers_of(self.without)), [task.output().path for task in weighing]
        from senard.steps.spare_scenes import spare_scenes

        spared = spare_scenes(self.read_request(), self.read_scenes(), masks, weighed)
        with self.output().temporary_path() as partial:
            write_spared(partial, spared)


class SelectSources(TileTask):
    """For every 20 m pixel of one tile, the scene that supplies it, or all scenes that take part in it."""

    computes = True

    without = luigi.Parameter(
        default="", positional=False, description="numbers of scenes that turned out unusable, by comma"
    )

    spared = luigi.Parameter(
        default="", positional=False, description="numbers of scenes that are not worth reading, by comma"
    )

    def output(self) -> DirectoryTarget:
        key = without_key(numbers_of(self.without), numbers_of(self.spared))
        return DirectoryTarget(self.paths.sources(self.product, key, self.tile), stamps=self.stamps)

    def run(self) -> Steps:
        yield self.judging()
        self.require_suppliers(self.read_unusable())
        if self.read_request().method is Method.FIRST:
            yield self._ranks
        elif self.read_request().method is Method.BEST:
            yield self._sparing
        scenes = self.read_scenes()
        remove_leftovers(self.output().path)
        request, spared = self.read_request(), numbers_of(self.spared)
        masks, tile = self.read_masks(numbers_of(self.without)), self.read_tiles()[self.tile]
        out, land = self.output().path, self.paths.land(request)
        if request.method is Method.BEST:
            parts = read_spared(self._sparing.output().path).parts
            from senard.steps.select_sources import select_sources

            select_sources(
                request, scenes, masks, tile, out, spared=spared, parts=parts, land=land, progress=self.progress
            )
        else:
            from senard.steps.select_participants import select_participants

            ranks = self._ranks.output().path if request.method is Method.FIRST else None
            select_participants(
                request, scenes, masks, tile, out, spared=spared, ranks=ranks, land=land, progress=self.progress
            )

    @property
    def _sparing(self) -> SpareScenes:
        return self.clone(SpareScenes, refused="")

    @property
    def _ranks(self) -> RankScenes:
        return self.clone(RankScenes, refused="")


class SettleScenes(ProductTask):
    """Source maps in which every winner can be read, and what holds for the mosaic as a whole."""

    @property
    def label(self) -> str:
        return f"SettleScenes {self.product}"

    def output(self) -> FileTarget:
        return FileTarget(self.choice.settled, stamps=self.stamps)

    def complete(self) -> bool:
        """Whether it is settled, and the source maps that were settled lie there."""
        return self._is_settled() and all(task.complete() for task in self._settled_selections())

    def run(self) -> Steps:
        if self._is_settled():  # only source maps were lost: the decision stands
            yield self._settled_selections()
            return
        scenes = self.read_scenes()
        yield self.judging()
        without = sorted({*self.read_unusable(), *numbers_of(self.refused)})
        while True:
            folders, settled = yield from self._choose(without)
            winners = winning_sources(folders)
            yield [self.clone(Unzip, product_id=scenes[n - 1].product_id, part=Part.BANDS.value) for n in winners]
            broken = {n: reason for n in winners if (reason := self._broken(scenes[n - 1]))}
            if not broken:
                break
            self.require_suppliers(broken)
            without = sorted({*without, *broken})
        if not winners:
            self._require_usable(scenes, without)
        self._settle(settled, folders)

    def _choose(
        self, without: list[int]
    ) -> Generator[list[SelectSources] | SpareScenes, None, tuple[list[Path], Settled]]:
        """Choose from the scenes whose bands are worth reading; which the others are comes along."""
        method, settled = self.read_request().method, Settled(without=tuple(without), spared=())
        if not method.reads_all:  # else every usable observation counts
            spared = yield from self._spare(method, without)
            settled = replace(settled, spared=spared.numbers, idle=spared.idle)
        chosen = self._selections(without, settled.spared)
        yield chosen
        return [task.output().path for task in chosen], settled

    def _spare(self, method: Method, without: list[int]) -> Generator[list[SelectSources] | SpareScenes, None, Spared]:
        """What to do without: by weights, or by a first choice where a method weighs nothing."""
        if method is Method.BEST:
            sparing = self.clone(SpareScenes, without=numbers_text(without), refused="")
            yield sparing
            return read_spared(sparing.output().path)
        chosen = self._selections(without, ())
        yield chosen
        from senard.steps.spare_scenes import spare_scenes

        folders = [task.output().path for task in chosen]
        return spare_scenes(self.read_request(), self.read_scenes(), self.read_masks(without), folders)

    def _is_settled(self) -> bool:
        return super().complete() and self.choice.settled_without.is_file()

    def _settled_selections(self) -> list[SelectSources]:
        settled = read_settled(self.choice)
        return self._selections(settled.without, settled.spared)

    def _selections(self, without: Sequence[int], spared: Sequence[int]) -> list[SelectSources]:
        texts = {"without": numbers_text(without), "spared": numbers_text(spared), "refused": ""}
        return [self.clone(SelectSources, tile=tile.index, **texts) for tile in self.read_tiles()]

    def _require_usable(self, scenes: Sequence[Sentinel2Scene], without: list[int]) -> None:
        """Where no pixel has a source, tell broken products from a cloudy season."""
        masks = self.read_mask_verdicts()
        bands = {n: read_verdict(self.paths.safe(scenes[n - 1].product_id, Part.BANDS)) for n in without}
        refused = self.refused_now
        reasons = [masks[n] or bands.get(n) or refused.get(n) for n in masks]
        if all(reasons):
            raise NoDataError(f"None of {len(scenes)} products can be used. The first: {reasons[0]}")

    def _settle(self, settled: Settled, folders: list[Path]) -> None:
        """Write down what is left out, then what holds for the mosaic."""
        remove_leftovers(self.choice.settled_without, self.output().path)
        write_settled(self.choice.settled_without, settled)
        settle_scenes(self.read_request(), self.read_scenes(), folders, self.output().path)

    def _broken(self, scene: Sentinel2Scene) -> str | None:
        """Why the scene's bands turned out unusable; None if they did not."""
        return read_verdict(self.paths.safe(scene.product_id, Part.BANDS))


class LevelScenes(ProductTask):
    """What makes the granules of one overflight agree where they overlap."""

    computes = True

    @property
    def label(self) -> str:
        return f"LevelScenes {self.product}"

    def requires(self) -> SettleScenes:
        return self.clone(SettleScenes)

    def output(self) -> DirectoryTarget:
        return DirectoryTarget(self.choice.levels, stamps=self.stamps)

    def run(self) -> Steps:
        yield self.judging_settled()
        scenes, out = self.read_scenes(), self.output().path
        remove_leftovers(out)
        used = winning_sources(self.read_sources())
        masks = self.read_masks(read_settled(self.choice).without)
        from senard.steps.level_scenes import level_scenes

        level_scenes(self.read_request(), scenes, masks, self.read_tiles(), out, used=used)


class NormaliseViews(ProductTask):
    """What brings every scene that supplies pixels to the view from straight above."""

    computes = True

    @property
    def label(self) -> str:
        return f"NormaliseViews {self.product}"

    def requires(self) -> SettleScenes:
        return self.clone(SettleScenes)

    def output(self) -> DirectoryTarget:
        return DirectoryTarget(self.choice.factors, stamps=self.stamps)

    def run(self) -> Steps:
        names = {number: self.read_scenes()[number - 1].product_id for number in winning_sources(self.read_sources())}
        yield [self.clone(Unzip, product_id=name, part=Part.BANDS.value) for name in names.values()]
        out = self.output().path
        remove_leftovers(out)
        safes = {number: self.paths.safe(name, Part.BANDS) for number, name in names.items()}
        from senard.steps.normalise_views import normalise_views

        normalise_views(self.read_request(), safes, self.read_tiles(), out)


class CorrectSlopes(ProductTask):
    """What brings the slopes of every scene that supplies pixels to the light of level ground."""

    computes = True

    @property
    def label(self) -> str:
        return f"CorrectSlopes {self.product}"

    def requires(self) -> SettleScenes:
        return self.clone(SettleScenes)

    def output(self) -> DirectoryTarget:
        return DirectoryTarget(self.choice.slopes, stamps=self.stamps)

    def run(self) -> Steps:
        scenes = self.read_scenes()
        names = {number: scenes[number - 1].product_id for number in winning_sources(self.read_sources())}
        unzipped = [self.clone(Unzip, product_id=name, part=Part.BANDS.value) for name in names.values()]
        yield [*self.judging(names), *unzipped]
        request, out = self.read_request(), self.output().path
        remove_leftovers(out)
        masks, safes = self.mask_folders(names), {n: self.paths.safe(name, Part.BANDS) for n, name in names.items()}
        from senard.steps.correct_slopes import correct_slopes

        correct_slopes(request, scenes, masks, safes, self.read_tiles(), self.paths.land(request), out)
