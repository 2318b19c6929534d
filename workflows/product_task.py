"""What every task of one mosaic shares."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import luigi

from senard.algorithms.tiling import cut_tiles
from senard.io.mask_folder import read_own_scenes
from senard.io.scenes_file import read_verdict
from senard.model.grid import Tile
from senard.model.scene import Sentinel2Scene
from workflows.choosing import delivered_sources, numbers_of, read_refusals, read_settled, settled_sources
from workflows.delivered import require_suppliers
from workflows.paths import ChoicePaths, ProductPaths
from workflows.scenes import MaskScene
from workflows.targets import FileTarget, Stamp
from workflows.task import SenardTask


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
        kept, evidence = self.read_result().kept, self.read_request().evidence_key
        return read_own_scenes(kept, [self.paths.masks(scene.product_id, evidence) for scene in kept])

    def read_masks(self, without: Sequence[int]) -> list[Path | None]:
        """The mask folder of every kept scene; None where its number is among `without`."""
        kept, evidence = enumerate(self.read_result().kept, start=1), self.read_request().evidence_key
        return [None if number in without else self.paths.masks(scene.product_id, evidence) for number, scene in kept]

    def read_unusable(self) -> dict[int, str]:
        """Why scenes cannot be judged, by source number, of those that cannot."""
        return {number: reason for number, reason in self.read_mask_verdicts().items() if reason}

    def read_mask_verdicts(self) -> dict[int, str | None]:
        """Why a scene cannot be judged, by source number; None where it was."""
        return {number: read_verdict(folder) for number, folder in enumerate(self.read_masks([]), 1) if folder}

    def require_suppliers(self, unusable: Mapping[int, str]) -> None:
        """Keep what is delivered already from being mixed with what does without some of its scenes.

        Args:
            unusable: source number to reason.

        Raises:
            IncompleteError: one of them supplies pixels of what is delivered.
        """
        kept = self.read_result().kept
        reasons = {kept[number - 1].product_id: reason for number, reason in unusable.items()}
        require_suppliers(self.folder, self.stamps, reasons)

    def mask_folders(self, numbers: Iterable[int]) -> dict[int, Path]:
        """Source number to mask folder, of some kept scenes."""
        kept, evidence = self.read_result().kept, self.read_request().evidence_key
        return {number: self.paths.masks(kept[number - 1].product_id, evidence) for number in numbers}

    def judging(self, numbers: Iterable[int] | None = None) -> list[MaskScene]:
        """One task for each kept scene, or for those of these source numbers."""
        kept, evidence = self.read_result().kept, self.read_request().evidence_key
        wanted = range(1, len(kept) + 1) if numbers is None else numbers
        return [self.clone(MaskScene, product_id=kept[n - 1].product_id, evidence=evidence) for n in wanted]

    def judging_settled(self) -> list[MaskScene]:
        """One task for each scene that the mosaic was settled with."""
        without = read_settled(self.choice).without
        return self.judging(n for n in range(1, len(self.read_result().kept) + 1) if n not in without)

    def read_sources(self) -> list[Path]:
        """Folders of the source maps that hold for this mosaic, by index of the tile."""
        return settled_sources(self.paths, self.product, self.choice, self.read_tiles())

    def read_delivered_sources(self) -> list[Path]:
        """Folders of the source maps that the QA layer tells: they differ where a method reads several scenes."""
        method = self.read_request().method
        return delivered_sources(self.paths, self.product, self.choice, self.read_tiles(), method)


class TileTask(ProductTask):
    """A step on one tile of one mosaic."""

    tile = luigi.IntParameter(positional=False, description="index of the tile in the mosaic: 0, 1, 2 …")

    @property
    def label(self) -> str:
        return f"{self.task_family} {self.tile}"
