"""Plans: what a mosaic would use, fetch and leave open."""

import dataclasses
import json
from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest
import shapely

from senard.errors import NoDataError, TransientError
from senard.io.archive import LocalArchive
from senard.io.forecast_folder import read_forecast
from senard.io.plan_file import plan_text, read_gaps, write_plan
from senard.io.safe import read_product
from senard.io.scenes_file import read_verdict, write_verdict
from senard.io.sources import Told, untold
from senard.model.grid import Tile
from senard.model.plan import Plan
from senard.model.product import Part
from senard.model.remote import RemoteProduct
from senard.model.request import Buffer, Fill, MosaicRequest
from senard.model.scene import QueriedScene, QueryResult, Sentinel2Scene
from senard.steps.forecast_choice import coarse_grid
from senard.steps.forecast_scene import forecast_scene
from senard.steps.plan_mosaic import draw_plan, forecast_pixel_m, is_here, plan_mosaic, typical_sizes
from tests.conftest import made_once


def request_for(archive: Path, **changes: object) -> MosaicRequest:
    """The archive's own area, over all its dates."""
    features = json.loads((archive / "area.geojson").read_text())["features"]
    area = shapely.union_all([shapely.geometry.shape(feature["geometry"]) for feature in features])
    asked = MosaicRequest(name="test", aoi=area, first_day=date(2024, 6, 1), last_day=date(2024, 7, 31))
    return dataclasses.replace(asked, **changes)


class Counting(LocalArchive):
    """A source that remembers what it was asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[tuple[str, Part]] = []

    def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:
        self.asked.append((scene.product_id, part))
        super().fetch(scene, part, into, told=told)


@pytest.fixture(scope="session")
def forecasts(tiny_archive: Path, session_folder: Path) -> Path:
    """Folder in which the tiny archive was planned. Nobody may write into it."""
    archive = LocalArchive(tiny_archive)
    folder = session_folder / "tiny-plan"
    return made_once(folder, lambda: plan_mosaic(request_for(tiny_archive), archive, archive, folder))


def drawn(
    tiny_archive: Path,
    forecasts: Path,
    *,
    remote: bool = False,
    quick: bool = False,
    held: Mapping[str, Collection[Part]] = MappingProxyType({}),
    **asked: object,
) -> Plan:
    """The plan of the tiny archive, as if its products were elsewhere; the same one is drawn once."""
    parts = tuple((name, tuple(parts)) for name, parts in held.items())
    return _drawn(tiny_archive, forecasts, remote, quick, parts, tuple(asked.items()))


@cache
def _drawn(
    tiny_archive: Path,
    forecasts: Path,
    remote: bool,
    quick: bool,
    held: tuple[tuple[str, tuple[Part, ...]], ...],
    asked: tuple[tuple[str, object], ...],
) -> Plan:
    scenes = sorted(
        (read_product(path).scene for path in tiny_archive.glob("*.zip")), key=lambda scene: scene.datatake_time
    )
    if remote:
        scenes = [
            dataclasses.replace(
                scene, location=None, remote=RemoteProduct(catalogue="cdse", size_bytes=scene.size_bytes)
            )
            for scene in scenes
        ]
    entries = tuple(QueriedScene(product_id=scene.product_id, kept=True, reason="", scene=scene) for scene in scenes)
    folders = {n: forecasts / "forecasts" / scene.product_id for n, scene in enumerate(scenes, 1)}
    request = request_for(tiny_archive, **dict(asked))
    return draw_plan(request, QueryResult(scenes=entries), {} if quick else folders, held=dict(held))


class TestPlanMosaic:
    """The whole way, in a notebook,"""

    def test_fetches_the_small_classification_once(self, tiny_archive: Path, tmp_path: Path) -> None:
        source = Counting(tiny_archive)
        for _ in range(2):
            plan = plan_mosaic(request_for(tiny_archive), source, source, tmp_path)
        assert sorted(source.asked) == sorted((scene.product_id, Part.CLASSES) for scene in plan.scenes)

    def test_fetches_nothing_where_percentages_will_do(self, tiny_archive: Path, tmp_path: Path) -> None:
        source = Counting(tiny_archive)
        plan = plan_mosaic(request_for(tiny_archive), source, source, tmp_path, quick=True)
        assert plan.quick
        assert not source.asked

    def test_has_nothing_to_say_where_nothing_is_kept(self, tiny_archive: Path, tmp_path: Path) -> None:
        source = LocalArchive(tiny_archive)
        asked = request_for(tiny_archive, first_day=date(2020, 1, 1), last_day=date(2020, 2, 1))
        with pytest.raises(NoDataError, match="4 outside the period"):
            plan_mosaic(asked, source, source, tmp_path)


class TestPlan:
    """A plan"""

    def test_adds_up(self, tiny_archive: Path, forecasts: Path) -> None:
        plan = drawn(tiny_archive, forecasts)
        assert sum(plan.observations.values()) == pytest.approx(1)
        assert sum(scene.supplied for scene in plan.scenes) == pytest.approx(1 - plan.gaps)
        assert sum(month.clear for month in plan.months) == pytest.approx(plan.clear)
        assert [month.name for month in plan.months] == ["2024-06", "2024-07"]
        assert [month.scenes for month in plan.months] == [3, 1]
        # A month alone spares no scene; the plan spares those that others make up for.
        assert min(month.gaps for month in plan.months) >= plan.gaps - 0.005
        assert all(scene.reached == pytest.approx(1, abs=0.02) for scene in plan.scenes)

    def test_leaves_more_open_the_stricter_it_is(self, tiny_archive: Path, forecasts: Path) -> None:
        gaps = [drawn(tiny_archive, forecasts, fill=fill).gaps for fill in (Fill.ALL, Fill.FLAG, Fill.STRICT)]
        assert gaps[0] == 0
        assert gaps[0] <= gaps[1] < gaps[2] < 0.05

    def test_counts_no_bytes_of_what_is_here(self, tiny_archive: Path, forecasts: Path) -> None:
        plan = drawn(tiny_archive, forecasts)
        assert (plan.judge_bytes, plan.band_bytes, plan.whole_bytes) == (0, 0, 0)
        assert "To fetch: nothing" in plan_text(plan)

    def test_counts_what_judging_reads_of_all_and_the_bands_of_winners(
        self, tiny_archive: Path, forecasts: Path
    ) -> None:
        plan = drawn(tiny_archive, forecasts, remote=True)
        assert plan.judge_bytes == sum(scene.sizes.judge for scene in plan.scenes)
        assert plan.band_bytes == sum(scene.sizes.bands for scene in plan.scenes if scene.wins)
        assert plan.whole_bytes == sum(path.stat().st_size for path in tiny_archive.glob("*.zip"))
        assert all(0 < scene.sizes.classes < scene.sizes.judge + scene.sizes.bands for scene in plan.scenes)

    def test_counts_no_part_that_is_here(self, tiny_archive: Path, forecasts: Path) -> None:
        without = drawn(tiny_archive, forecasts, remote=True)
        winner = next(scene for scene in without.scenes if scene.wins)
        held: list[set[Part]] = [set(), {Part.JUDGE}, {Part.JUDGE, Part.BANDS}, {Part.ALL}]
        plans = [drawn(tiny_archive, forecasts, remote=True, held={winner.product_id: parts}) for parts in held]
        saved = [
            (
                without.judge_bytes - plan.judge_bytes,
                without.band_bytes - plan.band_bytes,
                plan.scenes[winner.source - 1],
            )
            for plan in plans
        ]
        sizes = winner.sizes
        everything = (sizes.judge, sizes.bands)
        assert [gone[:2] for gone in saved] == [(0, 0), (sizes.judge, 0), everything, everything]
        assert [scene.here for *_, scene in saved] == [False, False, False, True]
        assert [without.whole_bytes - plan.whole_bytes for plan in plans] == [0, 0, 0, sizes.whole]
        assert ["partly here" in plan_text(plan) for plan in plans] == [False, True, True, False]
        assert "to judge 3 products" in plan_text(plans[1])

    def test_counts_no_product_twice_in_an_overflight(self, tiny_archive: Path, forecasts: Path) -> None:
        assert max(drawn(tiny_archive, forecasts).observations) <= 4

    def test_goes_by_the_catalogue_where_a_product_has_no_classification(
        self, tiny_archive: Path, forecasts: Path, tmp_path: Path
    ) -> None:
        whole = drawn(tiny_archive, forecasts)
        names = [scene.product_id for scene in whole.scenes]
        for name in names[1:]:
            (tmp_path / "forecasts").mkdir(exist_ok=True)
            (tmp_path / "forecasts" / name).symlink_to(forecasts / "forecasts" / name)
        (tmp_path / "forecasts" / names[0]).mkdir()
        write_verdict(tmp_path / "forecasts" / names[0], names[0], "no classification")
        plan = drawn(tiny_archive, tmp_path)
        assert [scene.doubt for scene in plan.scenes] == ["no classification", "", "", ""]
        assert not plan.scenes[0].wins
        assert plan.gaps >= whole.gaps
        assert plan.scenes[0].sizes == typical_sizes(read_product(tiny_archive / f"{names[0]}.zip").scene)
        assert "1 products without a classification" in plan_text(plan)

    def test_expects_from_percentages_what_chance_gives(self, tiny_archive: Path, forecasts: Path) -> None:
        plan = drawn(tiny_archive, forecasts, quick=True)
        odds = 1.0
        for scene in plan.scenes:
            assert scene.cloud_cover is not None
            odds *= scene.cloud_cover / 100
        assert plan.gaps == pytest.approx(odds, rel=0.05)
        assert plan_text(plan).count("Quick") == 1

    def test_is_json_too(self, tiny_archive: Path, forecasts: Path, tmp_path: Path) -> None:
        plan = drawn(tiny_archive, forecasts, remote=True)
        path = write_plan(tmp_path / "plan.json", plan)
        told = json.loads(path.read_text())
        assert read_gaps(path) == pytest.approx(plan.gaps, abs=1e-6)
        assert not told["gaps_at_least"]
        assert told["bytes"]["members_only"] == plan.judge_bytes + plan.band_bytes
        assert [scene["product_id"] for scene in told["scenes"]] == [scene.product_id for scene in plan.scenes]


class TestText:
    """The text of a plan"""

    def test_says_the_gaps_the_views_and_the_bytes(self, tiny_archive: Path, forecasts: Path) -> None:
        plan = drawn(tiny_archive, forecasts, remote=True)
        text = plan_text(plan)
        assert f"Gaps: {100 * plan.gaps:.2f} % of the area would stay empty (--fill flag)." in text
        assert f"A pixel is seen clear, away from clouds, {plan.clear:.1f} times on average:" in text
        assert "to judge 4 products" in text
        assert "gaps within 5 points." in text
        assert "mostly within a factor of 2" in text
        assert max(map(len, text.splitlines())) < 120

    def test_promises_no_more_than_a_least_where_haze_and_shade_are_left_out(
        self, tiny_archive: Path, forecasts: Path, tmp_path: Path
    ) -> None:
        plan = drawn(tiny_archive, forecasts, fill=Fill.STRICT)
        text = plan_text(plan)
        assert f"Gaps: at least {100 * plan.gaps:.2f} % of the area would stay empty (--fill strict)." in text
        assert "expect more gaps than stated" in text
        assert "points" not in text
        assert json.loads(write_plan(tmp_path / "plan.json", plan).read_text())["gaps_at_least"]

    def test_promises_less_where_the_buffer_is_wide(self, tiny_archive: Path, forecasts: Path) -> None:
        assert "gaps within about 10 points." in plan_text(drawn(tiny_archive, forecasts, buffer=Buffer.PURE))


class TestIsHere:
    """A product is here"""

    def test_as_a_zip_or_a_whole_folder_but_not_as_a_part(self, tmp_path: Path) -> None:
        zipped, folder, partial = (tmp_path / name for name in ("zip", "folder", "partial"))
        for place in (folder, partial):
            (place / "P.SAFE").mkdir(parents=True)
        (partial / "P.SAFE" / "partial.json").touch()
        zipped.mkdir()
        (zipped / "P.zip").touch()
        assert [is_here("P", [place]) for place in (tmp_path, zipped, folder, partial)] == [False, True, True, False]
        assert is_here("P", [partial, zipped])


class TestForecastScene:
    """A product's forecast"""

    def test_knows_where_it_lies_and_what_it_weighs(self, forecasts: Path, tiny_product: Path) -> None:
        forecast = read_forecast(forecasts / "forecasts" / tiny_product.stem)
        product = read_product(tiny_product)
        assert forecast.grid == product.grids[60]
        assert forecast.sun_zenith == pytest.approx(float(product.sun.zenith.mean()), abs=0.5)
        sizes = forecast.sizes
        assert 0 < sizes.classes < sizes.judge < sizes.bands < sizes.whole

    def test_is_a_verdict_where_there_is_no_classification(self, tiny_product: Path, tmp_path: Path) -> None:
        download = tmp_path / tiny_product.stem / "classes"
        download.mkdir(parents=True)
        write_verdict(download, tiny_product.stem, "withdrawn")
        assert read_verdict(forecast_scene(download, tmp_path / "forecast")) == "withdrawn"


class TestPixels:
    """The forecast's pixels"""

    @pytest.mark.parametrize(("side_m", "pixel_m"), [(4_000, 20), (30_000, 60), (100_000, 60), (200_000, 120)])
    def test_grow_with_the_area(self, side_m: int, pixel_m: int) -> None:
        tile = Tile(index=0, crs="EPSG:3857", left=0, bottom=0, right=side_m, top=side_m)
        assert forecast_pixel_m([tile]) == pixel_m

    def test_are_anchored_and_hold_the_tile(self) -> None:
        tile = Tile(index=0, crs="EPSG:3857", left=20, bottom=-40, right=180, top=100)
        grid = coarse_grid(tile, 60)
        assert (grid.left, grid.top, grid.width, grid.height) == (0, 120, 3, 3)


class TestTransientSource:
    """A source that fails"""

    def test_ends_the_plan_so_that_it_can_go_on(self, tiny_archive: Path, tmp_path: Path) -> None:
        class Failing(LocalArchive):
            def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:
                raise TransientError(f"{scene.product_id}: {part} {into} {told}: 503")

        with pytest.raises(TransientError, match="503"):
            plan_mosaic(request_for(tiny_archive), LocalArchive(tiny_archive), Failing(tiny_archive), tmp_path)
        archive = LocalArchive(tiny_archive)
        assert plan_mosaic(request_for(tiny_archive), archive, archive, tmp_path).gaps < 0.05
