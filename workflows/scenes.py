"""The steps on single scenes, from the query to the mask, one task each: every mosaic that uses a scene shares them."""

import json
import time
from dataclasses import replace
from pathlib import Path

import luigi

from senard.errors import PendingError, TransientError
from senard.io.access import open_catalogue, open_source
from senard.io.fetched import fetched_places
from senard.io.scenes_file import read_verdict
from senard.model.access import Access, CatalogueName, Fetch, SourceName
from senard.model.cloud_evidence import CloudEvidence, judged_part
from senard.model.product import Part, Sentinel2Product
from senard.model.request import CloudCoverOf
from senard.model.scene import Sentinel2Scene
from senard.steps.compare_catalogues import compare_catalogues
from senard.steps.download_product import download_product
from senard.steps.fetch_look import fetching_look
from senard.steps.query_scenes import query_scenes
from senard.steps.unzip import unzip
from workflows.meter import Meter
from workflows.progress import tell_fetched
from workflows.refusing import refusing_sources
from workflows.targets import DirectoryTarget, FetchedTarget, FileTarget, FollowingTarget, Stamp
from workflows.task import SenardTask, remove_leftovers


class QueryScenes(SenardTask):
    """Every scene that the catalogue knows, kept or left out, frozen until `--refresh` or `--rebuild`."""

    query = luigi.Parameter(positional=False, description="key of the query: a hash of request and catalogue")
    name = luigi.Parameter(positional=False, description="name and period of the request, for a person")

    @property
    def label(self) -> str:
        return f"QueryScenes {self.name}"

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        return (*super().stamps, Stamp(self.queried.refresh_stamp))

    def output(self) -> FileTarget:
        return FileTarget(self.queried.scenes, stamps=self.stamps)

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]
        """Searching needs no account; looking at every product does."""
        looks = self.read_request().cloud_cover_of is CloudCoverOf.AOI
        return dict.fromkeys(budgets(self.read_access()), 1) if looks else {}

    def run(self) -> None:
        remove_leftovers(self.queried.scenes)
        access = self.read_access()

        fetch = fetching_look(open_source(access), lambda product_id: self.paths.download(product_id, Part.CLASSES))

        def look(scene: Sentinel2Scene) -> Sentinel2Product:
            with self.saying_for_whom(scene.product_id):
                return fetch(scene)

        wait = self.left_to_wait_s() > 0
        try:
            query_scenes(self.read_request(), open_catalogue(access), self.queried.scenes, look=look, wait=wait)
        except PendingError as error:
            raise self.later(error) from error


class CompareCatalogues(SenardTask):
    """What only one of two catalogues knows, as a text for a person; asked anew by `--refresh` or `--rebuild`."""

    query = luigi.Parameter(positional=False, description="key of the query: a hash of request and catalogue")

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        return (*super().stamps, Stamp(self.queried.refresh_stamp))

    def output(self) -> FileTarget:
        return FileTarget(self.queried.comparison, stamps=self.stamps)

    def run(self) -> None:
        remove_leftovers(self.output().path)
        access = self.read_access()
        names = [access.catalogue, *({CatalogueName.CDSE, CatalogueName.CDSE_STAC} - {access.catalogue})]
        first, second = ((name.value, open_catalogue(replace(access, catalogue=name))) for name in names)
        compare_catalogues(self.read_request(), first, second, self.output().path)


class SceneTask(SenardTask):
    """A step on one product; it serves every request that uses the product."""

    product_id = luigi.Parameter(positional=False, description="name of the product without .SAFE")

    @property
    def label(self) -> str:
        return f"{self.task_family} {self.product_id}"

    def read_scene(self) -> Sentinel2Scene:
        """The product as the query knows it."""
        return next(scene for scene in self.read_result().kept if scene.product_id == self.product_id)

    def fetched(self, part: Part) -> Part:
        """What is fetched where a part is wanted: the part, or the whole product that holds it."""
        return Part.ALL if self.read_access().fetch is Fetch.WHOLE else part


class _Fetched:
    """What one fetch brings itself, beside what was here before."""

    def __init__(self, before: int | None) -> None:
        self.began = time.monotonic()
        self.size = 0
        self._before = before

    def take(self, done: int) -> None:
        """Take how far the product is, bytes; the first figure counts as what was here, where nobody knows."""
        if self._before is None:
            self._before = done
        self.size = max(self.size, done - self._before)


class FetchTask(SceneTask):
    """A step that fetches from a source: as many run at once as the account of that source allows."""

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]
        """What Luigi counts: one of the account's connections; nothing where the products are here."""
        return dict.fromkeys(budgets(self.read_access()), 1)

    @property
    def places(self) -> list[Path]:
        """Where sources put what they fetch, beside what leads there."""
        return [*super().places, *fetched_places(self.product_id, self.read_access().download_dir)]

    def fetch(self, part: Part) -> None:
        """Fetch a part of the product into its folder, and tell how far it is; where it fails, leave a note.

        Raises:
            PendingError: not there yet.
            TransientError: the sources failed.
            RequestError: a person must act.
        """
        meter, out = Meter(), self.paths.download(self.product_id, part)
        note = FileTarget(self.queried.failed(self.product_id))

        fetched = _Fetched(self._begun_bytes(part))

        def told(done: int, total: int) -> None:
            fetched.take(done)
            reading = meter.read(done, total)
            if reading is not None:
                self.report_bytes(reading)

        remove_leftovers(out, note.path)
        try:
            source = open_source(self.read_access(), refusing=refusing_sources())
            with self.saying_for_whom(self.product_id):
                download_product(self.read_scene(), source, part, out, told=told)
        except (TransientError, OSError):
            with note.temporary_path() as partial:
                partial.write_text(json.dumps({"part": part.value}), encoding="utf-8")
            raise
        finally:
            tell_fetched(str(self.product_id), fetched.size, fetched.began)
        if part in self.failed_parts():
            note.path.unlink(missing_ok=True)

    def _begun_bytes(self, part: Part) -> int | None:
        """What an earlier run has left of the zip, bytes; None where single files are fetched, which tell it."""
        if part is not Part.ALL:
            return None
        begun = self.read_access().download_dir / f"{self.product_id}.zip.part"
        return begun.stat().st_size if begun.is_file() else 0

    def is_here(self, part: Part) -> bool:
        """Whether the part was fetched before: a source that would not give it today takes nothing away."""
        target = self.clone(DownloadProduct, part=part.value).output()
        return target.exists() and read_verdict(target.path) is None

    def failed_parts(self) -> list[Part]:
        """The part that could not be fetched when it was last tried, if any."""
        try:
            document = json.loads(self.queried.failed(self.product_id).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return [Part(document["part"])]


def budgets(access: Access) -> dict[str, int]:
    """How many fetches run at once for each account, by Luigi's name of the resource: {"cdse": 2}.

    The account is that of the first remote source: the others only step in for it. Where remote sources are off
    nothing is counted: Luigi would wait for ever for one of 0.
    """
    remote = [source for source in access.sources if source is not SourceName.LOCAL]
    if not remote or not access.pace.connections:
        return {}
    account = SourceName.CDSE if remote[0] is SourceName.CDSE_S3 else remote[0]
    return {account.value: access.pace.connections}


class DownloadProduct(FetchTask):
    """What a source fetched of one product: input, not output, so it stays at `--rebuild`; a verdict is asked anew,
    with `--refresh` too."""

    part = luigi.Parameter(positional=False, description="classes, judge, bands or all")

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        return (*super().stamps, Stamp(self.queried.refresh_stamp))

    @property
    def expected_bytes(self) -> int:
        """What will be fetched, as far as the catalogue says, bytes; 0 means unknown."""
        scene = self.read_scene() if Part(self.part) is Part.ALL and self.resources else None
        return scene.remote.size_bytes if scene is not None and scene.remote is not None else 0

    def output(self) -> FetchedTarget:
        whole, part = (
            FetchedTarget(self.paths.download(self.product_id, part), stamps=self.stamps)
            for part in (Part.ALL, Part(self.part))
        )
        return whole if whole.exists() and read_verdict(whole.path) is None else part

    def run(self) -> None:
        try:
            self.fetch(Part(self.part))
        except PendingError as error:
            raise self.later(error) from error


class Unzip(SceneTask):
    """The wanted members of one product as a SAFE folder, or the verdict that it cannot be used."""

    part = luigi.Parameter(positional=False, description="judge, bands or all")

    def requires(self) -> DownloadProduct:
        return self.clone(DownloadProduct, part=self.fetched(Part(self.part)).value)

    def output(self) -> DirectoryTarget:
        place = self.paths.safe(self.product_id, Part(self.part))
        return FollowingTarget(place, lambda: self.requires().output(), stamps=self.stamps)

    def run(self) -> None:
        remove_leftovers(self.output().path)
        unzip(self.input().path, Part(self.part), self.output().path)


class MaskScene(SceneTask):
    """One scene's small rasters: class, distance to cloud, clear share, probability; or the verdict on it."""

    computes = True
    evidence = luigi.Parameter(
        default="", positional=False, description="from what clouds are known, by hyphens: scl-classi; empty: default"
    )

    @property
    def named(self) -> tuple[CloudEvidence, ...]:
        """The evidence that was named; none where the default of the product's level holds."""
        return tuple(CloudEvidence(word) for word in str(self.evidence).split("-") if word)

    def requires(self) -> Unzip:
        return self.clone(Unzip, part=judged_part(self.named).value)

    def output(self) -> DirectoryTarget:
        place = self.paths.masks(self.product_id, str(self.evidence))
        return FollowingTarget(place, lambda: self.requires().output(), stamps=self.stamps)

    def run(self) -> None:
        from senard.steps.mask_scene import mask_scene

        remove_leftovers(self.output().path)
        mask_scene(self.input().path, self.output().path, self.named)
