"""What a user runs before anything is fetched: which products there are, and what they look like."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import luigi

from senard.errors import NoDataError, UnusableSceneError
from senard.io.access import open_catalogue, open_source
from senard.io.catalogue_pictures import fetch_picture
from senard.io.scenes_file import pass_verdict_on, read_query_result, read_verdict, write_verdict
from senard.model.access import CatalogueName
from senard.model.product import Part
from senard.model.request import CloudCoverOf
from senard.steps.fetch_look import fetching_look
from senard.steps.list_scenes import SCENES, list_scenes
from senard.steps.preview_scene import PREVIEW_SUFFIXES, preview_scene
from senard.steps.query_scenes import Look
from workflows.answers import AnswerTask
from workflows.area import AreaTask, told
from workflows.config import Call
from workflows.options import with_options
from workflows.scenes import DownloadProduct, SceneTask
from workflows.targets import DirectoryTarget, FileTarget, FollowingTarget, Stamp
from workflows.task import Steps, remove


@with_options
class ListAOI(AnswerTask):
    """Every product that the catalogue knows, kept or left out and why: nothing is fetched."""

    fetches: ClassVar = False
    kind: ClassVar = "list"
    last_file: ClassVar = SCENES

    @cached_property
    def call(self) -> Call:
        """What was asked; a list is asked anew anyway, and leaves the frozen query of a mosaic as it is."""
        return replace(super().call, rebuild=False, refresh=False)

    @property
    def label(self) -> str:
        return "ListAOI"

    def requires(self) -> list[luigi.Task]:  # type: ignore[override]
        return []

    def complete(self) -> bool:
        """Whether the answer was given and holds a product to use."""
        return self.answered() and bool(read_query_result(self.folder / SCENES).kept)

    def run(self) -> None:
        call, access = self.call, self.call.access
        second = CatalogueName.CDSE if access.catalogue is CatalogueName.CDSE_STAC else CatalogueName.CDSE_STAC
        other = (second.value, open_catalogue(replace(access, catalogue=second))) if access.check_catalogue else None
        result, text = list_scenes(
            call.request,
            (access.catalogue.value, open_catalogue(access)),
            self.folder,
            second=other,
            look=self._look(),
        )
        self.give(text)
        if not result.kept:
            if not result.scenes:
                raise NoDataError(
                    f"{call.request.name}: the catalogue knows no {call.request.product_type.value} product of this "
                    f"area from {call.request.first_day} to {call.request.last_day}. Check area, period and "
                    "--product-type."
                )
            raise NoDataError(
                f"{call.request.name}: none of {len(result.scenes)} products answers the request for "
                f"{call.request.first_day} to {call.request.last_day}. The list in {self.folder} says why of each."
            )

    def _look(self) -> Look | None:
        """Products are looked at where the cloud cover over the area is asked for; else no account is needed."""
        if self.call.request.cloud_cover_of is not CloudCoverOf.AOI:
            return None
        source = open_source(self.call.access)
        return fetching_look(source, lambda product_id: self.work.download(product_id, Part.CLASSES))

    def left_out(self) -> list[str]:
        """Nothing: the table says it."""
        return []

    def remarks(self) -> list[str]:
        """Nothing: the summary says it."""
        return []


class PreviewScene(SceneTask):
    """Quicklook, KML, manifest and ENVI raster of one product; or the verdict on it."""

    folder = luigi.Parameter(positional=False, description="where the files appear, absolute")

    def requires(self) -> DownloadProduct:
        return self.clone(DownloadProduct, part=Part.PREVIEW.value)

    def output(self) -> list[FileTarget]:
        names = (f"{self.product_id}{suffix}" for suffix in PREVIEW_SUFFIXES)
        return [FileTarget(Path(self.folder) / name, stamps=self.stamps) for name in names]

    @property
    def verdict(self) -> DirectoryTarget:
        """Says why there is no preview."""
        place = self.paths.preview(self.product_id)
        return FollowingTarget(place, lambda: self.requires().output(), stamps=self.stamps)

    def complete(self) -> bool:
        """Whether all files are there, or will never be."""
        return all(target.exists() for target in self.output()) or self.verdict.exists()

    def run(self) -> None:
        remove(self.verdict.path)
        try:
            preview_scene(
                self.read_scene(), self.input().path, Path(self.folder), fetch=fetch_picture(self.read_access().pace)
            )
        except UnusableSceneError as error:
            with self.verdict.temporary_path() as partial:
                if not pass_verdict_on(self.input().path, partial):
                    write_verdict(partial, str(self.product_id), str(error))


@with_options
class PreviewAOI(AreaTask):
    """What the products that a mosaic would use look like: a small picture of each, on the map."""

    @property
    def label(self) -> str:
        return "PreviewAOI"

    @property
    def folder(self) -> Path:
        """Where the previews appear."""
        request = self.call.request
        days = f"{request.first_day:%Y%m%d}_{request.last_day:%Y%m%d}"
        return self.call.outdir / f"{request.name}_{days}_preview"

    def complete(self) -> bool:
        if not self._begun:
            self.begin()
        checks: Sequence[luigi.Task] = [self.requires(), *self.checks()]
        return all(task.complete() for task in checks) and all(task.complete() for task in self._previews())

    def run(self) -> Steps:
        yield [*self.checks(), *self._previews()]
        for stamp in (self.queried.rebuild_stamp, self.queried.refresh_stamp, self.queried.waiting_stamp):
            Stamp(stamp).remove()

    def left_out(self) -> list[str]:
        """One line per product without a preview."""
        reasons = {
            task.product_id: read_verdict(task.verdict.path) for task in self._previews() if task.verdict.exists()
        }
        return [*super().left_out(), *(told(name, reason) for name, reason in reasons.items() if reason)]

    def _previews(self) -> list[PreviewScene]:
        query, place = self.requires(), str(self.folder)
        kept = read_query_result(self.queried.scenes).kept
        return [query.clone(PreviewScene, product_id=scene.product_id, folder=place) for scene in kept]
