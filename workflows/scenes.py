"""The steps on single scenes, from the query to the mask, one task each: every mosaic that uses a scene shares them."""

from pathlib import Path

import luigi

from senard.io.archive import LocalArchive
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene
from senard.steps.download_product import download_product
from senard.steps.mask_scene import mask_scene
from senard.steps.query_scenes import query_scenes
from senard.steps.unzip import unzip
from workflows.targets import DirectoryTarget, FetchedTarget, FileTarget, Stamp
from workflows.task import SenardTask, remove_leftovers


class QueryScenes(SenardTask):
    """Every scene that the archive knows, kept or left out, frozen until `--refresh` or `--rebuild`."""

    query = luigi.Parameter(positional=False, description="key of the query: a hash of request and archive")
    name = luigi.Parameter(positional=False, description="name and period of the request, for a person")

    @property
    def label(self) -> str:
        return f"QueryScenes {self.name}"

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        return (*super().stamps, Stamp(self.queried.refresh_stamp))

    def output(self) -> FileTarget:
        return FileTarget(self.queried.scenes, stamps=self.stamps)

    def run(self) -> None:
        remove_leftovers(self.queried.scenes)
        query_scenes(self.read_request(), LocalArchive(Path(self.archive)), self.queried.scenes)


class SceneTask(SenardTask):
    """A step on one product; it serves every request that uses the product."""

    product_id = luigi.Parameter(positional=False, description="name of the product without .SAFE")

    @property
    def label(self) -> str:
        return f"{self.task_family} {self.product_id}"

    def read_scene(self) -> Sentinel2Scene:
        """The product as the query knows it."""
        return next(scene for scene in self.read_result().kept if scene.product_id == self.product_id)


class DownloadProduct(SceneTask):
    """What a source fetched of one product: input, not output, so it stays at `--rebuild`."""

    part = luigi.Parameter(positional=False, description="judge, bands or all")

    def output(self) -> FetchedTarget:
        whole = FetchedTarget(self.paths.download(self.product_id, Part.ALL))
        return whole if whole.exists() else FetchedTarget(self.paths.download(self.product_id, Part(self.part)))

    def run(self) -> None:
        out = self.paths.download(self.product_id, Part(self.part))
        remove_leftovers(out)
        download_product(self.read_scene(), LocalArchive(Path(self.archive)), Part(self.part), out)


class Unzip(SceneTask):
    """The wanted members of one product as a SAFE folder, or the verdict that it cannot be used."""

    part = luigi.Parameter(positional=False, description="judge, bands or all")

    def requires(self) -> DownloadProduct:
        return self.clone(DownloadProduct)

    def output(self) -> DirectoryTarget:
        return DirectoryTarget(self.paths.safe(self.product_id, Part(self.part)), stamps=self.stamps)

    def run(self) -> None:
        remove_leftovers(self.output().path)
        unzip(self.input().path, Part(self.part), self.output().path)


class MaskScene(SceneTask):
    """One scene's small rasters: class, distance to cloud, clear share, probability; or the verdict on it."""

    def requires(self) -> Unzip:
        return self.clone(Unzip, part=Part.JUDGE.value)

    def output(self) -> DirectoryTarget:
        return DirectoryTarget(self.paths.masks(self.product_id), stamps=self.stamps)

    def run(self) -> None:
        remove_leftovers(self.output().path)
        mask_scene(self.input().path, self.output().path)
