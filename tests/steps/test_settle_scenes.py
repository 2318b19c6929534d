"""What the mosaic as a whole decides."""

import json
from datetime import date
from pathlib import Path

import pytest
import shapely

from senard.errors import IncompleteError, NoDataError
from senard.io.sources_file import write_source_counts
from senard.model.request import Fill, MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sources import SourceCounts
from senard.steps.settle_scenes import settle_scenes
from tests.steps.judged_scenes import Plan, write_judged


@pytest.fixture
def scenes(tmp_path: Path) -> list[Sentinel2Scene]:
    return [write_judged(tmp_path / "m", Plan(day=day, size=60)).scene for day in range(3)]


def request(fill: Fill = Fill.FLAG) -> MosaicRequest:
    return MosaicRequest(
        name="helsinki",
        aoi=shapely.box(24, 60, 25, 61),
        first_day=date(2024, 6, 1),
        last_day=date(2024, 6, 30),
        fill=fill,
    )


def tile(folder: Path, pixels: dict[int, int]) -> Path:
    folder.mkdir()
    counts = SourceCounts(pixels=pixels, clear_pixels=pixels, levels={0: 10}, aoi_pixels=100)
    write_source_counts(folder, counts)
    return folder


class TestSettleScenes:
    """The mosaic adds up what its tiles chose."""

    def test_sums_the_pixels_of_every_scene_over_all_tiles(self, tmp_path: Path, scenes: list[Sentinel2Scene]) -> None:
        sources = [tile(tmp_path / "0", {1: 40, 3: 2}), tile(tmp_path / "1", {3: 7})]
        settled = json.loads(settle_scenes(request(), scenes, sources, tmp_path / "settled.json").read_text())
        assert settled["pixels"] == 49
        assert settled["aoi_pixels"] == 200
        assert [(row["source"], row["product_id"], row["pixels"]) for row in settled["scenes"]] == [
            (1, scenes[0].product_id, 40),
            (3, scenes[2].product_id, 9),
        ]

    def test_says_what_to_do_when_no_pixel_has_a_source(self, tmp_path: Path, scenes: list[Sentinel2Scene]) -> None:
        sources = [tile(tmp_path / "0", {}), tile(tmp_path / "1", {})]
        with pytest.raises(NoDataError, match=r"none in 200 pixels.* 3 scenes .*longer period, .*--fill all"):
            settle_scenes(request(), scenes, sources, tmp_path / "settled.json")
        assert not (tmp_path / "settled.json").exists()

    def test_offers_no_looser_fill_when_there_is_none(self, tmp_path: Path, scenes: list[Sentinel2Scene]) -> None:
        with pytest.raises(NoDataError, match=r"Ask for a longer period\.$"):
            settle_scenes(request(Fill.ALL), scenes, [tile(tmp_path / "0", {})], tmp_path / "settled.json")

    def test_names_the_folder_that_holds_no_source_map(self, tmp_path: Path, scenes: list[Sentinel2Scene]) -> None:
        with pytest.raises(IncompleteError, match=r"7/sources\.json: expected .* SelectSources .* Delete .*7 and run"):
            settle_scenes(request(), scenes, [tmp_path / "7"], tmp_path / "settled.json")
