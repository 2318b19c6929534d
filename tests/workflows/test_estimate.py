"""How long a run still takes.

recorded_runs.json holds what runs of `senard mosaic` on simulated products of 18 km, and on whole ones, told their
display: which task began, how far it was, when it was done. Its clock is that of a machine that does nothing else:
each task lasts as many seconds as it took CPU-seconds.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from senard.model.grid import Tile
from senard.model.request import Method, MosaicRequest
from senard.steps.size_up import Sizes, TileSize, size_up
from tests.io.made_scenes import made_scene
from workflows.costs import Work, planned_tasks, stage
from workflows.estimate import Estimate, Planned, pace

RUNS: dict[str, Any] = json.loads((Path(__file__).parent / "recorded_runs.json").read_text(encoding="utf-8"))


def work(run: dict[str, Any], *, weighed: bool = False, settled: bool = False) -> Work:
    """What the recorded mosaic consisted of, at its begin, or once its scenes were weighed or settled."""
    tiles = tuple(TileSize(**tile) for tile in run["tiles"])
    return Work(
        sizes=Sizes(scenes_km2=run["scenes_km2"], tiles=tiles),
        to_judge=[] if weighed or settled else list(run["scenes_km2"]),
        settled=settled,
        suppliers=tuple(run["suppliers"]) if weighed or settled else (),
        composites=[(tile, gsd) for gsd in (10, 20) for tile in range(len(tiles))],
        method=Method.BEST,
        processes=run["workers"],
    )


@dataclass(frozen=True)
class Look:
    """One look at the estimate, when something happened."""

    way: float
    """Share of the run that lies behind, 0-1."""

    error: float
    """How much too much it says, as a share of what truly remains."""

    error_of_all: float
    """The same as a share of the whole run."""

    text: str
    """What a person is told."""


def replay(run: dict[str, Any], tasks: Callable[[Work], Iterable[Planned]], slower: float = 1.0) -> list[Look]:
    """Look at the estimate whenever something happens in a recorded run, on a machine that is so much slower."""
    estimate, looks = Estimate(run["workers"]), list[Look]()
    end = slower * run["events"][-1][0]
    planned = False
    for recorded, event, label, *values in run["events"]:
        now = slower * recorded
        if event == "began":
            if not planned and not label.startswith("QueryScenes"):
                estimate.plan(tasks(work(run)))
                planned = True
            if label == "SelectSources 0":
                estimate.plan(tasks(work(run, weighed=True)))
            estimate.began(label, values[0], now)
        elif event == "share":
            estimate.share(label, values[0], now)
        else:
            estimate.done(label, now)
            if label.startswith("SettleScenes"):
                estimate.plan(tasks(work(run, settled=True)))
        if planned and now < end:
            wrong = estimate.remaining_s(now) - (end - now)
            looks.append(Look(now / end, wrong / (end - now), wrong / end, estimate.text(now)))
    return looks


def is_honest(look: Look) -> bool:
    """Within a quarter of the truth; in the last seconds within 2 % of the run."""
    return abs(look.error) <= 0.25 or abs(look.error_of_all) <= 0.02


class TestEstimate:
    """From a third of the way on the estimate"""

    @pytest.mark.parametrize("name", RUNS)
    @pytest.mark.parametrize("slower", [0.5, 1.0, 4.0])
    def test_is_within_a_quarter_of_the_truth(self, name: str, slower: float) -> None:
        looks = [look for look in replay(RUNS[name], planned_tasks, slower) if look.way >= 1 / 3]
        assert len(looks) > 30
        assert [look for look in looks if not is_honest(look)] == []

    @pytest.mark.parametrize("name", RUNS)
    def test_would_be_wrong_if_it_did_not_know_what_kinds_of_tasks_cost(self, name: str) -> None:
        def alike(work: Work) -> list[Planned]:
            return [replace(task, cost_s=1.0, loads_s=0.0) for task in planned_tasks(work)]

        looks = [look for look in replay(RUNS[name], alike) if look.way >= 1 / 3]
        assert not all(map(is_honest, looks))

    @pytest.mark.parametrize("name", RUNS)
    def test_is_told_and_not_before(self, name: str) -> None:
        looks = replay(RUNS[name], planned_tasks)
        assert not any(look.text for look in looks if look.way < 1 / 4)
        assert all(look.text.endswith(" left") for look in looks if look.way > 1 / 2)


def planned(label: str, cost_s: float = 10.0, **values: Any) -> Planned:
    """A task of the kind that its label begins with."""
    return Planned(**{"kind": label.split()[0], "label": label, "cost_s": cost_s, "stage": 1, **values})


class TestLearning:
    """What is still to come is expected to take as long as"""

    def test_others_of_its_kind_took(self) -> None:
        estimate = Estimate()
        estimate.plan([planned(f"MaskScene {number}") for number in range(100)])
        for number in range(50):
            estimate.began(f"MaskScene {number}", "MaskScene", 30.0 * number)
            estimate.done(f"MaskScene {number}", 30.0 * (number + 1))
        assert estimate.remaining_s(1500.0) == pytest.approx(1500.0, rel=0.02)

    def test_its_cost_says_on_a_machine_that_proved_slower_with_other_kinds(self) -> None:
        estimate = Estimate()
        estimate.plan([planned("MaskScene 1", 100.0, doubt=0.1), planned("CompositeTile 0", 40.0, stage=2)])
        estimate.began("MaskScene 1", "MaskScene", 0.0)
        estimate.done("MaskScene 1", 300.0)
        assert estimate.remaining_s(300.0) == pytest.approx(120.0, rel=0.05)

    def test_its_cost_says_where_other_kinds_say_little_about_the_machine(self) -> None:
        estimate = Estimate()
        estimate.plan([planned("DownloadProduct 1", 100.0, doubt=9.0), planned("CompositeTile 0", 40.0, stage=2)])
        estimate.began("DownloadProduct 1", "DownloadProduct", 0.0)
        estimate.done("DownloadProduct 1", 300.0)
        assert estimate.remaining_s(300.0) == pytest.approx(40.0, rel=0.05)

    def test_it_says_of_itself_the_more_the_further_it_is(self) -> None:
        """A task that is half done after 100 s should have taken 10 s in all."""
        estimate = Estimate()
        estimate.plan([planned("SelectSources 0")])
        estimate.began("SelectSources 0", "SelectSources", 0.0)
        estimate.share("SelectSources 0", 0.5, 100.0)
        assert 60.0 < estimate.remaining_s(100.0) <= 100.0
        assert estimate.remaining_s(120.0) == pytest.approx(estimate.remaining_s(100.0) - 20.0)
        estimate.share("SelectSources 0", 0.9, 180.0)
        assert 17.0 < estimate.remaining_s(180.0) <= 20.0

    def test_the_longest_of_what_runs_side_by_side(self) -> None:
        estimate = Estimate(workers=3)
        estimate.plan([planned("CompositeTile 0", 100.0), *(planned(f"CompositeTile {n}", 20.0) for n in range(1, 6))])
        assert estimate.remaining_s(0.0) == pytest.approx(100.0)

    def test_the_longest_with_the_cores_that_others_leave_idle(self) -> None:
        estimate = Estimate(workers=2)
        tasks = [planned("CompositeTile 0", 100.0), planned("CompositeTile 1", 50.0)]
        estimate.plan([replace(task, threads=4) for task in tasks])
        assert estimate.remaining_s(0.0) == pytest.approx(50.0 + 50.0 / pace(4, 2))
        estimate.cores = 1
        assert estimate.remaining_s(0.0) == pytest.approx(100.0)

    def test_connections_allow(self) -> None:
        estimate = Estimate(workers=8)
        estimate.connections = 2
        estimate.plan([planned(f"DownloadProduct {number}", fetches=True) for number in range(8)])
        assert estimate.remaining_s(0.0) == pytest.approx(40.0)

    def test_nothing_once_a_later_stage_is_done(self) -> None:
        """As a second choice that turned out needless."""
        estimate = Estimate()
        estimate.plan([planned("SelectSources 0"), planned("LevelScenes", 1.0, stage=2), planned("Report", stage=3)])
        estimate.began("LevelScenes", "LevelScenes", 0.0)
        estimate.done("LevelScenes", 1.0)
        assert estimate.remaining_s(1.0) == pytest.approx(10.0, rel=0.1)

    def test_before_where_it_waits_for_others(self) -> None:
        estimate = Estimate()
        estimate.plan([planned("Report", stage=3), planned("MaskScene 1")])
        estimate.began("Report", "Report", 0.0)
        estimate.waits("Report")
        assert estimate.remaining_s(5.0) == pytest.approx(20.0)


class TestPlannedTasks:
    """The tasks that are expected"""

    def test_take_less_time_where_one_process_has_several_cores(self) -> None:
        run = RUNS["twelve scenes, four tiles, two workers"]
        one, four = (
            {task.label: task.cost_s for task in planned_tasks(replace(work(run), processes=1, threads=4, cores=cores))}
            for cores in (1, 4)
        )
        faster = {label for label in one if four[label] < one[label]}
        assert faster == {f"CompositeTile {tile} at {gsd} m" for tile in range(4) for gsd in (10, 20)}

    def test_are_those_that_are_not_done_yet(self) -> None:
        run = RUNS["twelve scenes, four tiles, two workers"]
        begun = replace(work(run), to_judge=["scene-3"], settled=True, composites=[(2, 20)], processes=1)
        kinds = [task.kind for task in planned_tasks(begun) if task.cost_s > 0.1]
        assert sorted(kinds) == ["CompositeTile", "MaskScene", "MosaicAOI", *["WriteQuality"] * 4]

    def test_are_larger_for_larger_scenes_and_tiles(self) -> None:
        def total(at: str, scale: float) -> float:
            sizes = Sizes(
                scenes_km2={"one": 3000.0 * scale},
                tiles=(TileSize(megapixels=6.0 * scale, ground_km2=1200.0 * scale, depth=4.0),),
            )
            small = replace(work(RUNS["three scenes, one tile, one worker"]), sizes=sizes, to_judge=["one"])
            return sum(task.cost_s for task in planned_tasks(small) if task.stage == stage(at))

        for at in ("judge", "choose", "compose"):
            assert total(at, 4.0) / total(at, 1.0) > 3.0

    def test_take_the_longer_the_more_scenes_supply_a_place(self) -> None:
        run = RUNS["eight whole scenes, four tiles, two workers"]

        def composing(*suppliers: float) -> float:
            tasks = planned_tasks(replace(work(run, settled=True), suppliers=suppliers))
            return sum(task.cost_s for task in tasks if task.kind == "CompositeTile")

        assert composing(2.0, 2.0, 2.0, 2.0) < 0.6 * composing(6.0, 6.0, 6.0, 6.0)
        assert composing(2.0, 6.0, 2.0, 2.0) > 1.2 * composing(6.0, 2.0, 2.0, 2.0), "the second tile is the largest"

    def test_weigh_a_small_area_pixel_by_pixel(self) -> None:
        def weighing(megapixels: float) -> float:
            tile = TileSize(megapixels=megapixels, ground_km2=400 * megapixels, depth=8.0)
            sizes = Sizes(scenes_km2={"one": 3000.0}, tiles=(tile,))
            tasks = planned_tasks(replace(work(RUNS["three scenes, one tile, one worker"]), sizes=sizes, to_judge=[]))
            return sum(task.cost_s for task in tasks if task.kind == "WeighScenes")

        assert weighing(0.2) > weighing(0.3)

    def test_fetch_most_of_the_time_where_products_come_from_a_service(self) -> None:
        near = work(RUNS["three scenes, one tile, one worker"])
        whole = dict.fromkeys(near.sizes.scenes_km2, 12056.0)
        far = replace(near, remote=True, sizes=replace(near.sizes, scenes_km2=whole))
        tasks = list(planned_tasks(far))
        fetching = sum(task.cost_s for task in tasks if task.fetches)
        assert 0.7 < fetching / sum(task.cost_s for task in tasks) < 1


REQUEST = MosaicRequest(
    name="x", aoi=shapely.box(0.0, 0.0, 0.1, 0.1), first_day=date(2024, 5, 1), last_day=date(2024, 7, 31)
)


class TestSizeUp:
    """What there is to do"""

    def test_is_the_part_of_a_tile_that_scenes_cover(self) -> None:
        west, all_of_it = shapely.box(-0.1, -0.1, 0.05, 0.2), shapely.box(-1.0, -1.0, 1.0, 1.0)
        scenes = [
            replace(made_scene(), footprint=west),
            replace(made_scene(made_scene().product_id.replace("S2B", "S2A")), footprint=all_of_it),
        ]
        side = 11132.0
        tiles = [Tile(index=0, crs="EPSG:3857", left=0, bottom=0, right=12000, top=12000)]
        sizes = size_up(REQUEST, scenes, tiles)
        assert sizes.tiles[0].megapixels == pytest.approx(side**2 / 400 / 1e6, rel=0.01)
        assert sizes.tiles[0].depth == pytest.approx(1.5, rel=0.01)
        assert sizes.tiles[0].ground_km2 == pytest.approx(11.132 * 11.057, rel=0.01)
        assert list(sizes.scenes_km2.values()) == [
            pytest.approx(16.7 * 33.2, rel=0.02),
            pytest.approx(222.6 * 221.2, rel=0.02),
        ]

    def test_is_everything_where_a_catalogue_states_no_outline(self) -> None:
        tiles = [Tile(index=0, crs="EPSG:3857", left=0, bottom=0, right=12000, top=12000)]
        sizes = size_up(REQUEST, [made_scene()], tiles)
        assert sizes.tiles[0].depth == 1.0
        assert list(sizes.scenes_km2.values()) == [pytest.approx(12056, rel=0.01)]
