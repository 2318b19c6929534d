"""The last step of a mosaic."""

import csv
import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from senard.algorithms.pictures import perceptual_ramp
from senard.io.map_sheet import GAP
from senard.io.pictures import read_picture
from senard.io.product_folder import verify_folder
from senard.model.mosaic import MosaicParts
from senard.model.run import RunFigures
from senard.steps.finish_product import finish_product
from tests.steps.finished_mosaic import build_mosaic

RUN = RunFigures(started=datetime(2026, 1, 1, tzinfo=UTC), seconds=12.5, hosts=("alpha",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MosaicParts]:
    folder, parts = build_mosaic(tmp_path_factory.mktemp("mosaic"))
    finish_product(folder, parts, RUN)
    return folder, parts


@pytest.fixture
def folder(made: tuple[Path, MosaicParts]) -> Path:
    return made[0]


class TestFinishProduct:
    """A product folder describes itself."""

    def test_and_is_whole_by_its_own_checksums(self, folder: Path) -> None:
        assert verify_folder(folder) == ()
        assert {path.name for path in folder.iterdir()} >= {
            *("scenes.csv", "tiles.geojson", "quicklook.png", "quicklook.pgw", "acquisition_date.png"),
            *("report.html", "run.json", "SHA256SUMS"),
        }

    def test_with_the_same_bytes_on_another_day_and_machine(self, folder: Path, tmp_path: Path) -> None:
        again, parts = build_mosaic(tmp_path)
        (again / "my.txt").write_bytes(b"a file of its user")
        finish_product(again, parts, RunFigures(hosts=("beta",), seconds=99.0))
        assert (again / "SHA256SUMS").read_bytes() == (folder / "SHA256SUMS").read_bytes()
        assert (again / "run.json").read_bytes() != (folder / "run.json").read_bytes()

    def test_whose_tables_add_up_with_the_source_maps(self, made: tuple[Path, MosaicParts]) -> None:
        folder, parts = made
        with (folder / "scenes.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        counts = np.zeros(4, dtype=int)
        for source in parts.sources:
            with rasterio.open(source / "sources_20.tif") as raster:
                counts += np.bincount(raster.read(1).ravel(), minlength=4)
        assert [int(row["pixels"]) for row in rows] == counts[1:].tolist()
        assert [row["used"] for row in rows] == ["true", "true", "false"]

    def test_and_names_the_broken_scene_with_its_reason(self, folder: Path) -> None:
        with (folder / "scenes.csv").open(encoding="utf-8") as file:
            reasons = [row["reason"] for row in csv.DictReader(file)]
        assert reasons == ["", "", "3: expected a JPEG 2000 image, found 12 bytes. Delete 3.zip and fetch it again."]

    def test_with_the_verdict_of_a_later_task_before_that_of_the_mask(self, tmp_path: Path) -> None:
        folder, parts = build_mosaic(tmp_path)
        broken = parts.result.kept[2].product_id
        later = MosaicParts(
            request=parts.request,
            result=parts.result,
            tiles=parts.tiles,
            sources=parts.sources,
            masks=parts.masks,
            reasons={broken: "B04 cannot be decoded"},
        )
        finish_product(folder, later, RUN)
        assert "B04 cannot be decoded" in (folder / "scenes.csv").read_text(encoding="utf-8")

    def test_and_lists_its_tiles_with_their_files_and_dates(self, folder: Path) -> None:
        tiles = json.loads((folder / "tiles.geojson").read_text(encoding="utf-8"))
        first = tiles["features"][0]["properties"]
        assert set(tiles) == {"type", "features"}
        assert (first["index"], first["file_10"], first["file_20"], first["scenes"]) == (0, "0_10.tif", "0_20.tif", 2)
        assert (first["first_date"], first["last_date"]) == ("2024-05-04", "2024-06-13")
        assert first["valid_share"] == pytest.approx(1 - 1.5**2 / (12**2 / 2), abs=1e-3)  # the gap in half a lens

    def test_while_what_the_query_left_out_stands_in_the_figures_of_the_run(self, folder: Path) -> None:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        assert run["query"]["left_out"] == [{"product_id": "S2A_CLOUDY", "reason": "cloud cover 97.3 % >= 95 %"}]
        assert (run["run"]["hosts"], run["run"]["started"]) == (["alpha"], "2026-01-01T00:00:00+00:00")
        assert "S2A_CLOUDY" not in (folder / "scenes.csv").read_text(encoding="utf-8")

    def test_of_10_m_alone_with_dates_and_without_promising_20_m_files(self, tmp_path: Path, folder: Path) -> None:
        alone, parts = build_mosaic(tmp_path, resolutions=(10,))
        finish_product(alone, parts, RUN)
        tiles = json.loads((alone / "tiles.geojson").read_text(encoding="utf-8"))
        assert tiles["features"][0]["properties"]["file_20"] is None
        assert (alone / "acquisition_date.png").read_bytes() == (folder / "acquisition_date.png").read_bytes()
        assert "_20.tif</code></th><td>B05" not in (alone / "report.html").read_text(encoding="utf-8")

    def test_of_20_m_alone_with_a_picture_in_false_colour_that_says_so(self, tmp_path: Path) -> None:
        folder, parts = build_mosaic(tmp_path, resolutions=(20,))
        finish_product(folder, parts, RUN)
        with Image.open(folder / "quicklook.png") as image:
            assert np.asarray(image)[..., 3].any()
        assert "False colour (B8A B11 B05)" in (folder / "report.html").read_text(encoding="utf-8")


class TestQuicklook:
    """The quicklook shows the mosaic in its place."""

    def test_at_its_size_with_gaps_transparent(self, folder: Path) -> None:
        with rasterio.open(folder / "quicklook.png") as file:
            alpha = file.read(4)
            assert max(file.shape) == 2048
            row, col = file.index(94_000, 5_420_000)
            assert (alpha[row, col], alpha[0, 0], alpha[1024, 1024]) == (0, 0, 255)

    def test_in_the_stretched_colours_of_the_ground(self, folder: Path) -> None:
        x, y = 110_000, 5_410_000
        with rasterio.open(folder / "1_10.tif") as file:
            dn = next(file.sample([(x, y)]))[:3] / 2500
        with rasterio.open(folder / "quicklook.png") as file:
            shown = next(file.sample([(x, y)]))[:3]
        assert np.abs(shown - 255 * np.clip(dn, 0, 1) ** (1 / 1.4)).max() <= 1


class TestDateMap:
    """The date map shows when each pixel was seen."""

    def test_in_the_colours_of_its_dates_and_grey_where_there_is_none(self, folder: Path) -> None:
        with Image.open(folder / "acquisition_date.png") as image:
            colours = {tuple(colour) for _, colour in image.getcolors(maxcolors=1 << 20)}
        ramp = perceptual_ramp()
        # 4 May and 13 June are days 3 and 43 of the 91 between first and last day
        expected = {tuple(ramp[round(255 * days / 91)].tolist()) for days in (3, 43)}
        assert expected | {GAP} <= colours

    def test_with_gaps_in_the_corners_of_tiles_that_are_not_clipped(self, tmp_path: Path, folder: Path) -> None:
        whole, parts = build_mosaic(tmp_path)
        finish_product(whole, replace(parts, request=replace(parts.request, clip=False)), RUN)
        grey = [np.all(read_picture(place / "acquisition_date.png") == GAP, axis=-1).sum() for place in (folder, whole)]
        # a square of 1400 pixels without the circle in it
        assert grey[1] - grey[0] == pytest.approx(1400**2 * (1 - np.pi / 4), rel=0.02)


class PageReader(HTMLParser):
    """What a browser would fetch, and which elements stay open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.pictures_without_text = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in {"meta", "img", "br", "link", "wbr"}:
            self.open.append(tag)
        self.sources += [values["src"] or ""] if "src" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        self.anchors |= {values["id"] or ""} if "id" in values else set()
        self.pictures_without_text += tag == "img" and not values.get("alt")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class TestReport:
    """report.html is read anywhere."""

    @pytest.fixture
    def page(self, folder: Path) -> PageReader:
        reader = PageReader()
        reader.feed((folder / "report.html").read_text(encoding="utf-8"))
        return reader

    def test_without_fetching_anything_or_running_a_script(self, folder: Path, page: PageReader) -> None:
        text = (folder / "report.html").read_text(encoding="utf-8")
        assert not re.search(r"https?:|<script|<link|@import|url\(", text)
        assert len(page.sources) == 4
        assert all(source.startswith("data:image/") for source in page.sources)

    def test_as_well_formed_page_whose_links_lead_somewhere(self, folder: Path, page: PageReader) -> None:
        assert page.open == []
        assert {link[1:] for link in page.links if link.startswith("#")} <= page.anchors
        assert all((folder / link).is_file() for link in page.links if not link.startswith("#"))

    def test_by_who_does_not_see_its_pictures(self, page: PageReader) -> None:
        assert page.pictures_without_text == 0

    def test_with_simulated_ground_called_so(self, folder: Path) -> None:
        text = (folder / "report.html").read_text(encoding="utf-8")
        assert "Made of simulated products" in text
        assert "modified Copernicus" not in text

    def test_with_the_sentence_that_copernicus_asks_for_under_real_ground(self, tmp_path: Path) -> None:
        folder, parts = build_mosaic(tmp_path, resolutions=(10,))
        for mask in parts.masks[:2]:
            (mask / "scene.json").write_text(json.dumps({"clear_share": 0.5, "simulated": False}))
        finish_product(folder, parts, RUN)
        text = (folder / "report.html").read_text(encoding="utf-8")
        assert "Contains modified Copernicus Sentinel data 2024." in text
        assert "simulated" not in text

    def test_whatever_a_reason_holds(self, tmp_path: Path) -> None:
        folder, parts = build_mosaic(tmp_path)
        verdict = {"reason": "<script>alert(1)</script> & more"}
        (parts.masks[2] / "unusable.json").write_text(json.dumps(verdict))
        finish_product(folder, parts, RUN)
        text = (folder / "report.html").read_text(encoding="utf-8")
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text
        assert "<script" not in text

    def test_with_a_share_that_is_next_to_nothing(self, tmp_path: Path) -> None:
        folder, parts = build_mosaic(tmp_path)
        for source in parts.sources:
            figures = json.loads((source / "sources.json").read_text())
            pixels = {"1": sum(figures["pixels"].values()) - 1, "2": 1}
            (source / "sources.json").write_text(json.dumps({**figures, "pixels": pixels}))
        finish_product(folder, parts, RUN)
        text = (folder / "report.html").read_text(encoding="utf-8")
        assert '<td class="right">&lt; 0.1 %</td>' in text
        assert not re.search(r"<[^a-zA-Z/!]", text)

    def test_also_of_an_area_that_nobody_saw(self, tmp_path: Path) -> None:
        folder, parts = build_mosaic(tmp_path)
        for source in parts.sources:
            with rasterio.open(source / "sources_20.tif", "r+") as file:
                file.write(np.zeros((file.count, *file.shape), np.uint16))
            figures = json.loads((source / "sources.json").read_text())
            (source / "sources.json").write_text(json.dumps({**figures, "pixels": {}, "levels": {}}))
        finish_product(folder, parts, RUN)
        assert "No pixel of the area has data" in (folder / "report.html").read_text(encoding="utf-8")

    def test_wherever_its_folder_is_moved(self, folder: Path, tmp_path: Path) -> None:
        moved = shutil.copytree(folder, tmp_path / "moved")
        assert verify_folder(moved) == ()
