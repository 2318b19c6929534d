"""What a user runs to know what a mosaic will cost and leave open: `senard plan`."""

from functools import cached_property
from typing import ClassVar

from senard.errors import NoDataError
from senard.io.atomic import partial_file
from senard.io.members import held_members
from senard.io.plan_file import plan_text, read_gaps, write_plan
from senard.io.scenes_file import read_query_result, read_verdict
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import ProductType
from senard.steps.make_request import require_for_mosaic, with_mosaic_warnings
from workflows.answers import AnswerTask
from workflows.area import told
from workflows.config import Call
from workflows.options import with_options
from workflows.scenes import DownloadProduct, SceneTask
from workflows.targets import DirectoryTarget, FollowingTarget, Stamp
from workflows.task import Steps, remove_leftovers

PLAN = "plan.json"


class ForecastScene(SceneTask):
    """What one product's small classification tells, or the verdict that it tells nothing."""

    computes = True

    def requires(self) -> DownloadProduct:
        return self.clone(DownloadProduct, part=Part.CLASSES.value)

    def output(self) -> DirectoryTarget:
        place = self.paths.forecast(self.product_id)
        return FollowingTarget(place, lambda: self.requires().output(), stamps=self.stamps)

    def run(self) -> None:
        from senard.steps.forecast_scene import forecast_scene

        remove_leftovers(self.output().path)
        forecast_scene(self.input().path, self.output().path)


@with_options
class PlanAOI(AnswerTask):
    """What a mosaic would use, fetch and leave open: a forecast from about 1 MB of each product."""

    kind: ClassVar = "plan"
    last_file: ClassVar = PLAN

    @cached_property
    def call(self) -> Call:
        """What was asked; may raise RequestError."""
        call = super().call
        require_for_mosaic(call.request)
        return with_mosaic_warnings(call)

    @property
    def label(self) -> str:
        return "PlanAOI"

    def complete(self) -> bool:
        """Whether the answer was given and leaves hope for some pixel."""
        return self.answered() and read_gaps(self.folder / PLAN) < 1

    def run(self) -> Steps:
        forecasts = self._forecasts()
        yield [*self.checks(), *forecasts]
        result = read_query_result(self.queried.scenes)
        folders = {number: task.output().path for number, task in enumerate(forecasts, 1)}
        from senard.steps.plan_mosaic import draw_plan

        plan = draw_plan(self.call.request, result, folders, held=self._held())
        text = plan_text(plan)
        with partial_file(self.folder / "plan.txt") as partial:
            partial.write_text(text, encoding="utf-8")
        write_plan(self.folder / PLAN, plan)
        for stamp in (self.queried.rebuild_stamp, self.queried.refresh_stamp, self.queried.waiting_stamp):
            Stamp(stamp).remove()
        self.give(text)
        if plan.gaps >= 1:
            raise NoDataError(
                f"{self.call.request.name}: no pixel is expected to be seen clear by {len(result.kept)} products. Ask "
                f"for a longer period, or take doubtful pixels with --fill all."
            )

    def left_out(self) -> list[str]:
        """One line per product that the forecast goes without."""
        reasons = {task.product_id: read_verdict(task.output().path) for task in self._forecasts()}
        return [*super().left_out(), *(told(name, reason) for name, reason in reasons.items() if reason)]

    def _forecasts(self) -> list[ForecastScene]:
        """A look at each product; none where only the catalogue's percentages are asked, or L1C, which has no more."""
        quick = self.call.quick or self.call.request.product_type is ProductType.L1C
        kept = () if quick else read_query_result(self.queried.scenes).kept
        return [self.requires().clone(ForecastScene, product_id=scene.product_id) for scene in kept]

    def _held(self) -> dict[str, list[Part]]:
        """What was fetched before of each product."""
        return {scene.product_id: self._parts_of(scene) for scene in read_query_result(self.queried.scenes).kept}

    def _parts_of(self, scene: Sentinel2Scene) -> list[Part]:
        from senard.steps.plan_mosaic import is_here

        name, place = scene.product_id, self.call.access.download_dir
        if is_here(name, [place, *(self.work.download(name, part) for part in (Part.ALL, Part.CLASSES))]):
            return [Part.ALL]
        return [part for part in (Part.JUDGE, Part.BANDS) if held_members(scene, part, place) is not None]
