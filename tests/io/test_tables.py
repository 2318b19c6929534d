"""Tables of a product: scenes and tiles."""

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyproj
import pytest
import shapely

from senard.io.figures import without_folders
from senard.io.tables import baseline_text, tile_outline, write_scenes
from senard.model.grid import Tile
from senard.model.mosaic import SceneRow
from tests.steps.finished_mosaic import scene


class TestWriteScenes:
    """scenes.csv says of every kept scene what became of it."""

    def test_in_the_columns_of_the_specification(self, tmp_path: Path) -> None:
        kept = scene(1, date(2024, 5, 4))
        rows = [
            SceneRow(source=1, scene=kept, clear_share=0.5, pixels=25, share=0.25, reason=""),
            SceneRow(
                source=2,
                scene=replace(kept, cloud_cover=None, baseline=214),
                clear_share=None,
                pixels=0,
                share=0.0,
                reason='cut short, "0" bytes',
            ),
        ]
        text = write_scenes(tmp_path / "scenes.csv", rows).read_text(encoding="utf-8")
        assert text.splitlines()[:2] == [
            "source,product_id,satellite,acquisition_time,mgrs_tile,relative_orbit,baseline,cloud_cover,clear_share,"
            "used,reason,pixels,share",
            "1,S2B_MSIL2A_20240504T104619_N0510_R051_T31TCJ_20240504T133822,S2B,2024-05-04T10:46:19.024Z,31TCJ,51,"
            "05.10,12.5000,0.5000,true,,25,0.250000",
        ]
        second = list(csv.DictReader(text.splitlines()))[1]
        assert (second["used"], second["reason"]) == ("false", 'cut short, "0" bytes')
        assert (second["cloud_cover"], second["clear_share"], second["baseline"]) == ("", "", "02.14")

    @pytest.mark.parametrize(("baseline", "text"), [(511, "05.11"), (214, "02.14"), (1000, "10.00"), (-1, "test")])
    def test_with_baselines_as_the_agency_writes_them(self, baseline: int, text: str) -> None:
        assert baseline_text(scene(1, date(2024, 5, 4), baseline)) == text


class TestWithoutFolders:
    """A reason is the same on every machine."""

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("delete /data/s2/a/b.zip and run again", "delete b.zip and run again"),
            ("'/tmp/x/c.SAFE': cut\n short", "'c.SAFE': cut short"),
            ("expected GRANULE/L2A/IMG_DATA, found 1/2", "expected GRANULE/L2A/IMG_DATA, found 1/2"),
        ],
    )
    def test_as_its_folders_are_left_out(self, text: str, kept: str) -> None:
        assert without_folders(text) == kept


class TestTileOutline:
    """tiles.geojson follows RFC 7946."""

    def test_with_exteriors_anticlockwise_in_degrees(self) -> None:
        tile = Tile(index=0, crs="EPSG:3857", left=0, bottom=0, right=100_000, top=100_000)
        outline = tile_outline(tile)
        assert shapely.is_ccw(outline.exterior)
        assert outline.bounds == pytest.approx((0, 0, 0.8983153, 0.8982784), abs=1e-7)

    def test_along_the_bent_edges_of_another_grid(self) -> None:
        tile = Tile(index=0, crs="EPSG:32633", left=200_000, bottom=7_000_000, right=300_000, top=7_100_000)
        outline = tile_outline(tile)
        middle = pyproj.Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True).transform(250_000, 7_100_000)
        assert outline.exterior.distance(shapely.Point(middle)) < 1e-5

    def test_cut_at_the_antimeridian(self) -> None:
        tile = Tile(index=0, crs="EPSG:32601", left=300_000, bottom=7_000_000, right=400_000, top=7_100_000)
        outline = tile_outline(tile)
        assert outline.geom_type == "MultiPolygon"
        assert [part.bounds[0] < 0 for part in outline.geoms] == [False, True]
        assert max(abs(x) for part in outline.geoms for x, _ in part.exterior.coords) == 180
        assert all(shapely.is_ccw(part.exterior) for part in outline.geoms)
        assert json.dumps(shapely.geometry.mapping(outline))
