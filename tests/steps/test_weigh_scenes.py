"""Who contends for a tile's ground is told before anything is chosen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from senard.algorithms.contenders import gathered, price_of_absence, supplied_m2
from senard.io.scenes_file import write_verdict
from senard.io.sources_file import CONTENDERS, PARTS, read_weights
from senard.model.contenders import REGRET_CAP, Contenders
from senard.model.request import MosaicRequest
from senard.steps import spare_scenes as module
from senard.steps.judge_overflights import period_of
from senard.steps.weigh_scenes import weigh_scenes
from tests.steps.judged_scenes import Judged, write_judged
from tests.steps.test_select_sources import TILE, chosen, covering, stack

_TO_LONLAT = Transformer.from_crs(TILE.crs, "EPSG:4326", always_xy=True).transform
AREA = shapely.transform(
    shapely.box(TILE.left + 10, TILE.bottom + 10, TILE.right - 10, TILE.top - 10), _TO_LONLAT, interleaved=False
)
"""It touches every pixel of the tile."""

REQUEST = MosaicRequest(name="test", aoi=AREA, first_day=date(2024, 6, 1), last_day=date(2024, 6, 30))
TILE_M2 = 3200.0**2


def weighed(out: Path, judged: Sequence[Judged], request: MosaicRequest = REQUEST, block_px: int = 1024) -> Contenders:
    folder = weigh_scenes(
        request, [one.scene for one in judged], [one.folder for one in judged], TILE, out, block_px=block_px
    )
    found = read_weights(folder)
    assert found is not None
    return found.scenes


def same_files(one: Path, other: Path) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in (CONTENDERS, PARTS))


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """No area is small."""
    monkeypatch.setattr(module, "SMALL_M2", 0.0)


class TestWeighScenes:
    """A scene is weighed"""

    def test_by_what_each_costs_above_the_best(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", covering(day)) for day in (0, 13, 27)]
        found = weighed(tmp_path / "out", judged)
        costs = period_of(REQUEST, [one.scene for one in judged], [one.folder for one in judged], ()).moments
        assert found.supplier.tolist() == [[2, 3, 1, 0, 0, 0]]
        assert found.area.tolist() == [TILE_M2]
        above = [0, costs[3] - costs[2], costs[1] - costs[2], *[REGRET_CAP] * 3]
        assert found.regret[0] == pytest.approx(np.array(above) * TILE_M2, abs=TILE_M2 / 1000)

    def test_for_the_same_ground_as_it_is_chosen_for_where_the_area_is_small(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 5)
        supplied = supplied_m2(weighed(tmp_path / "out", judged))
        source = chosen(tmp_path / "map", judged, REQUEST)[0]
        for number in range(1, 5):
            assert supplied[number] == pytest.approx(400 * (source == number).sum(), abs=0.03 * TILE_M2)

    @pytest.mark.parametrize("count", [4, 6])
    def test_on_every_sixth_row_and_column_nearly_as_well(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        judged = stack(tmp_path / "m", count)
        fine = price_of_absence(weighed(tmp_path / "fine", judged), [])
        monkeypatch.setattr(module, "SMALL_M2", 0.0)
        coarse = price_of_absence(weighed(tmp_path / "coarse", judged), [])
        for number, price in fine.items():
            assert coarse.get(number, 0.0) == pytest.approx(price, rel=0.2, abs=0.02 * TILE_M2)

    def test_for_the_area_alone(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", covering(day)) for day in (0, 13)]
        west = shapely.box(TILE.left + 10, TILE.bottom + 10, TILE.left + 790, TILE.top - 10)
        request = replace(REQUEST, aoi=shapely.transform(west, _TO_LONLAT, interleaved=False))
        assert weighed(tmp_path / "west", judged, request).area.tolist() == [TILE_M2 / 4]
        assert weighed(tmp_path / "all", judged, replace(request, clip=False)).area.tolist() == [TILE_M2]

    def test_if_it_can_be_used(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", covering(day)) for day in (0, 13)]
        write_verdict(judged[1].folder, judged[1].scene.product_id, "cut short")
        assert supplied_m2(weighed(tmp_path / "out", judged)) == {1: TILE_M2}

    def test_block_by_block(self, tmp_path: Path) -> None:
        told: list[float] = []
        judged = write_judged(tmp_path / "m", covering(1))
        weigh_scenes(
            REQUEST, [judged.scene], [judged.folder], TILE, tmp_path / "out", block_px=100, progress=told.append
        )
        assert told == [0.25, 0.5, 0.75, 1.0]


class TestInvariance:
    """What is told depends on the ground alone."""

    @pytest.mark.usefixtures("large")
    @settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(seed=st.integers(0, 10_000), block_px=st.sampled_from([10, 13, 20]))
    def test_on_coarse_pixels_in_blocks_of_any_size(
        self, tmp_path_factory: pytest.TempPathFactory, seed: int, block_px: int
    ) -> None:
        folder = tmp_path_factory.mktemp("blocks")
        judged = stack(folder / "m", seed)
        assert len(weighed(folder / "a", judged).supplier) > 2
        weighed(folder / "b", judged, block_px=block_px)
        assert same_files(folder / "a", folder / "b")

    def test_on_pixels_of_the_map_in_blocks_of_any_size(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 3)
        assert len(gathered([weighed(tmp_path / "a", judged)]).supplier) > 2
        weighed(tmp_path / "b", judged, block_px=83)
        assert same_files(tmp_path / "a", tmp_path / "b")
