"""The steps from judged scenes to a mosaic of Sentinel-2, one task each."""

from collections.abc import Generator, Sequence
from pathlib import Path

import luigi

from senard.algorithms.tiling import cut_tiles
from senard.errors import NoDataError, UnusableSceneError
from senard.io.mask_folder import read_own_scenes
from senard.io.scenes_file import read_verdict
from senard.model.grid import Tile
from senard.model.labels import QUALITY_PROFILE
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene
from senard.steps.build_vrt import build_vrt
from senard.steps.composite_tile import composite_tile
from senard.steps.level_scenes import level_scenes
from senard.steps.select_sources import select_sources
from senard.steps.settle_scenes import settle_scenes
from senard.steps.spare_scenes import spare_scenes
from senard.steps.write_quality import write_quality
from workflows.choosing import (
    Settled,
    numbers_of,
    numbers_text,
    read_refusals,
    read_settled,
    settled_sources,
    winning_sources,
    write_refusals,
    write_settled,
)
from workflows.paths import ChoicePaths, ProductPaths, without_key
from workflows.scenes import MaskScene, Unzip
from workflows.targets import DirectoryTarget, FileTarget, Stamp
from workflows.task import SenardTask, Steps, remove, remove_leftovers

QUALITY_GSD = 20
"""Pixel side of the QA layer, m."""


class ProductTask(SenardTask):
    """A step of one mosaic."""

    product = luigi.Parameter(positional=False, description="product_id of the mosaic")
    outdir = luigi.Parameter(positional=False, description="where the product folder lies, absolute")
    refused = luigi.Parameter(
        default="", positional=False, description="numbers of scenes that could not be decoded, by comma"
    )

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        return (*super().stamps, Stamp(self.paths.returned_stamp(self.product)))

    @property
    def choice(self) -> ChoicePaths:
        """Places of what follows from choosing without the refused scenes."""
        return self.paths.choice(self.product, numbers_of(self.refused))

    @property
    def refused_now(self) -> dict[int, str]:
        """Every scene of the mosaic that was refused until now, and why: more than `refused` if it is outdated."""
        return read_refusals(FileTarget(self.paths.refused(self.product), stamps=self.stamps))

    @property
    def folder(self) -> ProductPaths:
        """The product folder's places."""
        return ProductPaths(folder=Path(self.outdir) / self.product)

    def read_tiles(self) -> tuple[Tile, ...]:
        """The mosaic's tiles by index."""
        request = self.read_request()
        return cut_tiles(request.aoi, request.crs)

    def read_scenes(self) -> list[Sentinel2Scene]:
        """Every kept scene in the order that numbers them from 1, as its own XML describes it once it is judged."""
        kept = self.read_result().kept
        return read_own_scenes(kept, [self.paths.masks(scene.product_id) for scene in kept])

    def read_masks(self, without: Sequence[int]) -> list[Path | None]:
        """The mask folder of every kept scene; None where its number is among `without`."""
        kept = enumerate(self.read_result().kept, start=1)
        return [None if number in without else self.paths.masks(scene.product_id) for number, scene in kept]

    def read_sources(self) -> list[Path]:
        """Folders of the source maps that hold for this mosaic, by index of the tile."""
        return settled_sources(self.paths, self.product, self.choice, self.read_tiles())


class TileTask(ProductTask):
    """A step on one tile of one mosaic."""

    tile = luigi.IntParameter(positional=False, description="index of the tile in the mosaic: 0, 1, 2 …")

    @property
    def label(self) -> str:
        return f"{self.task_family} {self.tile}"


class SelectSources(TileTask):
    """For every 20 m pixel of one tile, the scene that supplies it."""

    without = luigi.Parameter(
        default="", positional=False, description="numbers of scenes that turned out unusable, by comma"
    )

    spared = luigi.Parameter(
        default="", positional=False, description="numbers of scenes that supply next to nothing, by comma"
    )

    def output(self) -> DirectoryTarget:
        key = without_key(numbers_of(self.without), numbers_of(self.spared))
        return DirectoryTarget(self.paths.sources(self.product, key, self.tile), stamps=self.stamps)

    def run(self) -> Steps:
        yield [self.clone(MaskScene, product_id=scene.product_id) for scene in self.read_result().kept]
        scenes = self.read_scenes()
        remove_leftovers(self.output().path)
        masks, tile = self.read_masks(numbers_of(self.without)), self.read_tiles()[self.tile]
        select_sources(
            self.read_request(), scenes, masks, tile, self.output().path, spared=numbers_of(self.spared),
            progress=self.progress,
        )  # fmt: skip


class SettleScenes(ProductTask):
    """Source maps in which every winner can be read, and what holds for the mosaic as a whole."""

    @property
    def label(self) -> str:
        return f"SettleScenes {self.product}"

    def output(self) -> FileTarget:
        return FileTarget(self.choice.settled, stamps=self.stamps)

    def run(self) -> Steps:
        scenes = self.read_scenes()
        yield [self.clone(MaskScene, product_id=scene.product_id) for scene in scenes]
        unusable = [n for n, scene in enumerate(scenes, 1) if read_verdict(self.paths.masks(scene.product_id))]
        without = sorted({*unusable, *numbers_of(self.refused)})
        while True:
            folders, spared = yield from self._choose(without)
            winners = winning_sources(folders)
            yield [self.clone(Unzip, product_id=scenes[n - 1].product_id, part=Part.BANDS.value) for n in winners]
            broken = [n for n in winners if self._is_broken(scenes[n - 1])]
            if not broken:
                break
            without = sorted({*without, *broken})
        if not winners:
            self._require_usable(scenes, without)
        self._settle(Settled(without=tuple(without), spared=tuple(spared)), folders)

    def _choose(self, without: list[int]) -> Generator[list[SelectSources], None, tuple[list[Path], list[int]]]:
        """Choose from all scenes, then without those whose bands are not worth reading; which they are comes along."""
        everything = self._selections(without, [])
        yield everything
        folders = [task.output().path for task in everything]
        masks = self.read_masks(without)
        spared = spare_scenes(self.read_request(), self.read_scenes(), masks, folders)
        if not spared:
            return folders, []
        chosen = self._selections(without, spared)
        yield chosen
        return [task.output().path for task in chosen], spared

    def _selections(self, without: list[int], spared: list[int]) -> list[SelectSources]:
        texts = {"without": numbers_text(without), "spared": numbers_text(spared), "refused": ""}
        return [self.clone(SelectSources, tile=tile.index, **texts) for tile in self.read_tiles()]

    def _require_usable(self, scenes: Sequence[Sentinel2Scene], without: list[int]) -> None:
        """Where no pixel has a source, tell broken products from a cloudy season."""
        masks = {n: read_verdict(self.paths.masks(scene.product_id)) for n, scene in enumerate(scenes, 1)}
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

    def _is_broken(self, scene: Sentinel2Scene) -> bool:
        """Whether the scene's bands turned out unusable."""
        return read_verdict(self.paths.safe(scene.product_id, Part.BANDS)) is not None


class LevelScenes(ProductTask):
    """What makes the granules of one overflight agree where they overlap."""

    @property
    def label(self) -> str:
        return f"LevelScenes {self.product}"

    def requires(self) -> SettleScenes:
        return self.clone(SettleScenes)

    def output(self) -> DirectoryTarget:
        return DirectoryTarget(self.choice.levels, stamps=self.stamps)

    def run(self) -> None:
        scenes, out = self.read_scenes(), self.output().path
        remove_leftovers(out)
        used = winning_sources(self.read_sources())
        masks = self.read_masks(read_settled(self.choice).without)
        level_scenes(self.read_request(), scenes, masks, self.read_tiles(), out, used=used)


class CompositeTile(TileTask):
    """One cloud-free composite of one tile over one period, at one resolution."""

    gsd = luigi.IntParameter(positional=False, description="pixel side of the file, m: 10 or 20")

    @property
    def label(self) -> str:
        return f"CompositeTile {self.tile} at {self.gsd} m"

    def requires(self) -> LevelScenes:
        return self.clone(LevelScenes)

    def output(self) -> list[FileTarget]:
        flags = self.choice.flags(self.tile, self.gsd)
        return [FileTarget(path, stamps=self.stamps) for path in (self.folder.tile(self.tile, self.gsd), flags)]

    @property
    def refusal(self) -> FileTarget:
        """Takes the place of the tile where a scene turned out unusable; the mosaic is then chosen again."""
        return FileTarget(self.choice.refusal(self.tile, self.gsd), stamps=self.stamps)

    def complete(self) -> bool:
        """Whether the tile is made, or need not be: the mosaic is, or will be, chosen again."""
        return super().complete() or self.refusal.exists() or self._is_outdated()

    def _is_outdated(self) -> bool:
        """Whether the mosaic was chosen again meanwhile."""
        return not self.refused_now.keys() <= set(numbers_of(self.refused))

    def run(self) -> Steps:
        scenes = self.read_scenes()
        tile, sources = self.read_tiles()[self.tile], self.read_sources()[self.tile]
        winners = winning_sources([sources])
        yield [self.clone(Unzip, product_id=scenes[n - 1].product_id, part=Part.BANDS.value) for n in winners]
        safes = {n: self.paths.safe(scenes[n - 1].product_id, Part.BANDS) for n in winners}
        out, flags = (target.path for target in self.output())
        self._make_room(out, flags)
        levels = self.input().path
        try:
            composite_tile(
                self.read_request(), scenes, safes, sources, tile, self.gsd, out, flags, levels=levels,
                progress=self.progress,
            )  # fmt: skip
        except UnusableSceneError as error:
            refused = {n: str(error) for n in winners if scenes[n - 1].product_id == error.product_id}
            if not refused:
                raise
            write_refusals(self.refusal.path, refused)
        if self._is_outdated():  # another run has chosen again: this tile would not fit the others
            remove(out)

    def _make_room(self, out: Path, flags: Path) -> None:
        """Remove leftovers, what an earlier refusal says, and a tile that another choice has made.

        Flags of this choice are written before the tile: where they lie, the tile is none of another choice.
        """
        remove_leftovers(out, flags, flags.with_suffix(""), flags.with_suffix(".json"))
        remove(self.refusal.path)
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


class WriteQuality(TileTask):
    """The QA layer of one tile: source, clear observations, level and flags of every pixel."""

    resolutions = luigi.Parameter(
        positional=False, description="pixel sides of the files whose flags it carries, m, by comma"
    )

    def requires(self) -> list[SenardTask]:
        return [self.clone(CompositeTile, gsd=int(gsd)) for gsd in self.resolutions.split(",")]

    def output(self) -> list[FileTarget]:
        note = self.choice.quality_note(self.tile, self.resolutions)
        return [FileTarget(path, stamps=self.stamps) for path in (self.folder.quality(self.tile), note)]

    def run(self) -> None:
        flags = [self.choice.flags(self.tile, int(gsd)) for gsd in self.resolutions.split(",")]
        out, note = self.output()
        remove_leftovers(out.path, note.path)
        scenes, tile = self.read_scenes(), self.read_tiles()[self.tile]
        write_quality(self.read_request(), scenes, self.read_sources()[self.tile], flags, tile, out.path)
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
