"""The steps from settled source maps to the files of a mosaic of Sentinel-2, one task each."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

from senard.errors import UnusableSceneError
from senard.model.labels import QUALITY_PROFILE, SCL_PROFILE
from senard.model.product import Part
from senard.model.request import Brdf, Topography
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.steps.build_vrt import build_vrt
from workflows.choosing import numbers_of, read_refusals, winning_sources, write_refusals
from workflows.gauge import available_cores
from workflows.product_task import ProductTask, TileTask
from workflows.scenes import Unzip
from workflows.selection import CorrectSlopes, LevelScenes, NormaliseViews, SettleScenes
from workflows.targets import DirectoryTarget, FileTarget
from workflows.task import SenardTask, Steps, remove, remove_leftovers

if TYPE_CHECKING:
    from senard.steps.changes import Nadir, Slopes

QUALITY_GSD = 20
"""Pixel side of the QA layer, m."""

CLASSES = "SCL"
"""Name of the layer of scene classes."""

MOST_THREADS = 4
"""Most internal tiles that one process decodes at once, 20 MB each."""


def decoding_threads() -> int:
    """Internal tiles that a process decodes at once: as many as it may use cores, so that those that other processes
    leave idle, at the end of a run or where the mosaic has one tile, help it."""
    return min(available_cores(), MOST_THREADS)


class ReadingTask(TileTask):
    """A step that decodes the bands of one tile at one resolution, and may find that a scene is unusable."""

    computes = True

    gsd = luigi.IntParameter(positional=False, description="pixel side of the file, m: 10 or 20")

    @property
    def label(self) -> str:
        return f"{self.task_family} {self.tile} at {self.gsd} m"

    @property
    def priority(self) -> int:  # type: ignore[override]
        """The longest first, so that no process is left with one when the others have nothing to do: pixels to fill."""
        grid = self.read_tiles()[self.tile].grid(int(self.gsd))
        return grid.height * grid.width * len(MOSAIC_BANDS[int(self.gsd)])

    @property
    def refusal(self) -> FileTarget:
        """Takes the place of the result where a scene turned out unusable; the mosaic is then chosen again."""
        return FileTarget(self.choice.refusal(self.tile, self.gsd), stamps=self.stamps)

    def complete(self) -> bool:
        """Whether the result is made, or need not be: the mosaic is, or will be, chosen again."""
        return super().complete() or self.refusal.exists() or self.is_outdated()

    def is_outdated(self) -> bool:
        """Whether the mosaic was chosen again meanwhile."""
        return not self.refused_now.keys() <= set(numbers_of(self.refused))

    def prepared(self) -> list[SenardTask]:
        """What must be known of the scenes before their bands are read."""
        views = [self.clone(NormaliseViews)] if self._normalises else []
        slopes = [self.clone(CorrectSlopes)] if self._corrects_slopes else []
        return [self.clone(SettleScenes), self.clone(LevelScenes), *views, *slopes]

    @property
    def _normalises(self) -> bool:
        """Whether pixels are brought to the view from straight above."""
        return self.read_request().brdf is Brdf.NBAR

    @property
    def _corrects_slopes(self) -> bool:
        """Whether pixels are brought to the light of level ground."""
        return self.read_request().topography is Topography.C

    def nadir(self, numbers: Iterable[int]) -> "Nadir | None":
        """How pixels of these scenes are brought to the view from straight above; None where they are not."""
        from senard.steps.changes import Nadir

        return Nadir(factors=self.choice.factors, masks=self.mask_folders(numbers)) if self._normalises else None

    def slopes(self, numbers: Iterable[int]) -> "Slopes | None":
        """How pixels of these scenes are brought to the light of level ground; None where they are not."""
        from senard.steps.changes import Slopes

        masks = self.mask_folders(numbers)
        return Slopes(folder=self.choice.slopes, masks=masks) if self._corrects_slopes else None

    def unpacked(self, sources: Path) -> Generator[list[SenardTask], None, dict[int, Path]]:
        """The scenes that a source map asks for, by number, once they are judged and their bands lie unpacked."""
        names = {number: self.read_scenes()[number - 1].product_id for number in winning_sources([sources])}
        yield [
            *self.judging(names),
            *(self.clone(Unzip, product_id=name, part=Part.BANDS.value) for name in names.values()),
        ]
        return {number: self.paths.safe(name, Part.BANDS) for number, name in names.items()}

    @contextmanager
    def refusing(self, numbers: Iterable[int]) -> Iterator[None]:
        """Write down which of these scenes turned out unusable."""
        scenes = self.read_scenes()
        try:
            yield
        except UnusableSceneError as error:
            refused = {n: str(error) for n in numbers if scenes[n - 1].product_id == error.product_id}
            if not refused:
                raise
            write_refusals(self.refusal.path, refused)


class BlendTile(ReadingTask):
    """What a method that reads several scenes of a pixel makes of one tile, at one resolution."""

    def requires(self) -> list[SenardTask]:
        return self.prepared()

    def output(self) -> DirectoryTarget:
        return DirectoryTarget(self.choice.blend(self.tile, self.gsd), stamps=self.stamps)

    @property
    def refusal(self) -> FileTarget:
        """As of other tasks, under a name of its own."""
        return FileTarget(self.choice.blend_refusal(self.tile, self.gsd), stamps=self.stamps)

    def run(self) -> Steps:
        tile, sources = self.read_tiles()[self.tile], self.read_sources()[self.tile]
        safes = yield from self.unpacked(sources)
        out = self.output().path
        remove_leftovers(out)
        remove(self.refusal.path)
        from senard.steps.blend_tile import blend_tile

        with self.refusing(safes):
            blend_tile(
                self.read_request(), self.read_scenes(), safes, sources, tile, self.gsd, out,
                levels=self.choice.levels, nadir=self.nadir(safes), slopes=self.slopes(safes),
                threads=decoding_threads(), progress=self.progress,
            )  # fmt: skip


class CompositeTile(ReadingTask):
    """One cloud-free composite of one tile over one period, at one resolution."""

    def requires(self) -> list[SenardTask]:
        blends = [self.clone(BlendTile, gsd=gsd) for gsd in self._blended]
        return [*self.prepared(), *blends]

    @property
    def _blended(self) -> list[int]:
        """Resolutions that several scenes of a pixel must be read at first: 20 m says which of them is named."""
        method = self.read_request().method
        return sorted({QUALITY_GSD, *([self.gsd] if method.blends else [])}) if method.reads_all else []

    def output(self) -> list[FileTarget]:
        choice, delivered = self.choice, self.folder.tile(self.tile, self.gsd)
        by_products = choice.flags(self.tile, self.gsd), choice.figures(self.tile, self.gsd)
        return [FileTarget(path, stamps=self.stamps) for path in (delivered, *by_products)]

    def run(self) -> Steps:
        out, flags, _ = (target.path for target in self.output())
        refused = self._refused_before()
        if refused:
            write_refusals(self.refusal.path, refused)
        if refused or (self._blended and self.is_outdated()):  # there may be nothing to make the tile from
            return
        sources = self.read_delivered_sources()[self.tile]
        if self.read_request().method.blends:
            self._make_room(out, flags)
            self._deliver(sources, out, flags)
        else:
            safes = yield from self.unpacked(sources)
            self._make_room(out, flags)
            self._compose(sources, safes, out, flags)
        if self.is_outdated():  # another run has chosen again: this tile would not fit the others
            remove(out)

    def _refused_before(self) -> dict[int, str]:
        """Scenes that turned out unusable while the tile was blended."""
        blends = [self.clone(BlendTile, gsd=gsd) for gsd in self._blended]
        return {number: why for task in blends for number, why in read_refusals(task.refusal).items()}

    def _deliver(self, sources: Path, out: Path, flags: Path) -> None:
        """From spectra that are made already."""
        blend, tile = self.choice.blend(self.tile, self.gsd), self.read_tiles()[self.tile]
        from senard.steps.composite_tile import composite_blend

        composite_blend(self.read_request(), self.read_scenes(), sources, blend, tile, self.gsd, out, flags)

    def _compose(self, sources: Path, safes: Mapping[int, Path], out: Path, flags: Path) -> None:
        """From the scenes that the source map chose."""
        tiles, levels = self.read_tiles(), self.choice.levels
        tile, others = tiles[self.tile], [*zip(tiles, self.read_delivered_sources(), strict=True)]
        del others[self.tile]
        from senard.steps.composite_tile import composite_tile
        from senard.steps.sharing import Sharing

        mixed = bool(self.read_request().feather_m)
        sharing = Sharing(folder=self.choice.decoded, tile=tile, others=others, mixed=mixed)

        with self.refusing(safes):
            composite_tile(
                self.read_request(), self.read_scenes(), safes, sources, tile, self.gsd, out, flags, levels=levels,
                nadir=self.nadir(safes), slopes=self.slopes(safes), sharing=sharing, threads=decoding_threads(),
                progress=self.progress,
            )  # fmt: skip

    def _make_room(self, out: Path, flags: Path) -> None:
        """Remove leftovers, what an earlier refusal says, the index, which states statistics of all tiles, and a tile
        that another choice has made.

        Flags of this choice are written before the tile: where they lie, the tile is none of another choice.
        """
        remove_leftovers(out, flags, flags.with_suffix(""), flags.with_suffix(".json"))
        for place in (self.refusal.path, self.folder.vrt(self.gsd)):
            remove(place)
        if not flags.exists():
            remove(out)


class BuildVRT(ProductTask):
    """The index over all mosaic files of one resolution."""

    gsd = luigi.IntParameter(positional=False, description="pixel side of the files, m: 10 or 20")

    @property
    def label(self) -> str:
        return f"BuildVRT at {self.gsd} m"

    def requires(self) -> list[CompositeTile]:
        return [self.clone(CompositeTile, tile=tile.index) for tile in self.read_tiles()]

    def output(self) -> FileTarget:
        return FileTarget(self.folder.vrt(self.gsd), stamps=self.stamps)

    def run(self) -> None:
        remove_leftovers(self.output().path)
        files = [self.folder.tile(tile.index, self.gsd) for tile in self.read_tiles()]
        build_vrt(files, self.read_tiles(), self.gsd, self.output().path)


def delivered_maps(task: TileTask) -> list[SenardTask]:
    """What makes the source map that the layers of a tile tell: `ProductTask.read_delivered_sources`."""
    blends = [task.clone(BlendTile, gsd=QUALITY_GSD)] if task.read_request().method.reads_all else []
    return [task.clone(SettleScenes), *blends]


class WriteQuality(TileTask):
    """The QA layer of one tile: source, clear observations, level and flags of every pixel."""

    computes = True

    resolutions = luigi.Parameter(
        positional=False, description="pixel sides of the files whose flags it carries, m, by comma"
    )

    def requires(self) -> list[SenardTask]:
        composites = [self.clone(CompositeTile, gsd=int(gsd)) for gsd in self.resolutions.split(",")]
        return [*delivered_maps(self), *composites]

    def output(self) -> list[FileTarget]:
        note = self.choice.quality_note(self.tile, self.resolutions)
        return [FileTarget(path, stamps=self.stamps) for path in (self.folder.quality(self.tile), note)]

    def run(self) -> None:
        flags = [self.choice.flags(self.tile, int(gsd)) for gsd in self.resolutions.split(",")]
        out, note = self.output()
        remove_leftovers(out.path, note.path)
        scenes, tile = self.read_scenes(), self.read_tiles()[self.tile]
        from senard.steps.write_quality import write_quality

        write_quality(self.read_request(), scenes, self.read_delivered_sources()[self.tile], flags, tile, out.path)
        with note.temporary_path() as partial:
            partial.write_text(f"flags of {self.resolutions} m\n", encoding="utf-8")


class BuildQualityVRT(ProductTask):
    """The index over the QA layers of all tiles."""

    resolutions = luigi.Parameter(
        positional=False, description="pixel sides of the files whose flags the layers carry, m, by comma"
    )

    @property
    def label(self) -> str:
        return "BuildQualityVRT"

    def requires(self) -> list[WriteQuality]:
        return [self.clone(WriteQuality, tile=tile.index) for tile in self.read_tiles()]

    def output(self) -> FileTarget:
        return FileTarget(self.folder.quality_vrt(), stamps=self.stamps)

    def run(self) -> None:
        remove_leftovers(self.output().path)
        tiles = self.read_tiles()
        files = [self.folder.quality(tile.index) for tile in tiles]
        build_vrt(files, tiles, QUALITY_GSD, self.output().path, profile=QUALITY_PROFILE)


class WriteClasses(TileTask):
    """The scene class of every pixel of one tile, as its source scene has it."""

    computes = True

    def requires(self) -> list[SenardTask]:
        return delivered_maps(self)

    def output(self) -> list[FileTarget]:
        note = self.choice.layer_note(self.tile, CLASSES)
        return [FileTarget(path, stamps=self.stamps) for path in (self.folder.layer(self.tile, CLASSES), note)]

    def run(self) -> Steps:
        sources = self.read_delivered_sources()[self.tile]
        winners = winning_sources([sources])
        yield self.judging(winners)
        out, note = self.output()
        remove_leftovers(out.path, note.path)
        masks = self.mask_folders(winners)
        from senard.steps.write_classes import write_classes

        write_classes(self.read_request(), self.read_scenes(), masks, sources, self.read_tiles()[self.tile], out.path)
        with note.temporary_path() as partial:
            partial.write_text("classes of the sources\n", encoding="utf-8")


class BuildClassesVRT(ProductTask):
    """The index over the scene classes of all tiles."""

    @property
    def label(self) -> str:
        return "BuildClassesVRT"

    def requires(self) -> list[WriteClasses]:
        return [self.clone(WriteClasses, tile=tile.index) for tile in self.read_tiles()]

    def output(self) -> FileTarget:
        return FileTarget(self.folder.layer_vrt(CLASSES), stamps=self.stamps)

    def run(self) -> None:
        remove_leftovers(self.output().path)
        tiles = self.read_tiles()
        files = [self.folder.layer(tile.index, CLASSES) for tile in tiles]
        build_vrt(files, tiles, SCL_PROFILE.gsd, self.output().path, profile=SCL_PROFILE)
