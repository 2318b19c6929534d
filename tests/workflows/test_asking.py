"""What a user sees before anything big is fetched: lists, previews, plans of products that a service has."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import rasterio

from senard.io.scenes_file import read_query_result
from senard.steps.preview_scene import PREVIEW_SUFFIXES
from tests.emulators.cdse import Emulator
from tests.workflows.commands import BIN, Site, finish, start
from tests.workflows.test_services import Served
from workflows.cli import main


@pytest.fixture
def served(two_tiles: Path, tmp_path: Path) -> Iterator[Served]:
    """A service with the four products of the two tiles, and a folder of one's own."""
    folder = tmp_path / "here"
    folder.mkdir()
    with Emulator(two_tiles) as emulator:
        yield Served(archive=two_tiles, area=two_tiles / "area.geojson", folder=folder, emulator=emulator)


def senard(site: Site, command: str, *words: str, **changes: str | Path | None) -> subprocess.CompletedProcess[str]:
    """`senard COMMAND …` to its end."""
    return finish(start([BIN / "senard", command, *site.asked(**changes), *words], site.folder))


def bytes_sent(emulator: Emulator) -> int:
    """What the service sent in all."""
    return sum(request.bytes_sent for request in emulator.log)


class TestList:
    """`senard list`"""

    def test_asks_anew_every_time_and_fetches_nothing(self, served: Served) -> None:
        done = senard(served, "list", credentials=None)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(" kept\n") == 4
        folder = served.out / "area_20240601_20240731_list"
        assert done.stdout.endswith(f"{folder}\n")
        assert len(read_query_result(folder / "scenes.json").kept) == 4
        served.emulator.products.withdraw(sorted(entry.name for entry in served.emulator.products)[-1])
        assert senard(served, "list", credentials=None).stdout.count(" kept\n") == 3
        assert not [request for request in served.emulator.log if "token" in request.path or "$value" in request.path]
        assert not list(served.out.rglob("queries/*/scenes.json"))  # the frozen query of a mosaic is another one

    def test_ends_with_3_and_its_table_where_nothing_is_kept(self, served: Served) -> None:
        done = senard(served, "list", cloud_cover_max="0.001")
        assert done.returncode == 3
        assert done.stdout.count(">= 0 %") == 4
        assert "none of 4 products answers" in done.stderr

    def test_is_luigi_s_and_takes_every_level(self, site: Site) -> None:
        done = site.luigi(task="ListAOI", product_type="S2MSI1C")
        assert done.returncode == 3
        assert done.stdout.count("asked for S2MSI1C") == 4


class TestPreview:
    """`senard preview`"""

    def test_shows_every_product_and_makes_again_what_is_missing(self, served: Served) -> None:
        done = senard(served, "preview", fetch="whole")
        assert done.returncode == 0, done.stderr
        folder = served.out / "area_20240601_20240731_preview"
        names = sorted(path.stem for path in served.archive.glob("*.zip"))
        files = sorted(name + suffix for name in names for suffix in PREVIEW_SUFFIXES)
        assert sorted(path.name for path in folder.iterdir()) == files
        with rasterio.open(folder / f"{names[0]}.dat") as dataset:
            assert dataset.shape == (343, 343)
        assert not [request for request in served.emulator.log if "_B04_" in request.path]
        (folder / f"{names[1]}.png").unlink()
        served.emulator.faults.quicklooks = False
        assert senard(served, "preview", fetch="whole").returncode == 0
        assert sorted(path.name for path in folder.iterdir()) == files
        origins = ["Picture: the catalogue" in (folder / f"{name}.kml").read_text() for name in names]
        assert origins == [True, False, True, True]


class TestPlan:
    """`senard plan`"""

    def test_fetches_about_a_megabyte_of_each_product(self, served: Served) -> None:
        done = senard(served, "plan", fetch="whole")
        assert done.returncode == 0, done.stderr
        assert "Gaps: " in done.stdout
        assert "to judge 4 products" in done.stdout
        plan = json.loads((served.out / "area_20240601_20240731_plan" / "plan.json").read_text())
        assert bytes_sent(served.emulator) < 1.3 * sum(scene["bytes"]["classes"] for scene in plan["scenes"])
        assert not [request for request in served.emulator.log if "_B04_" in request.path]

    def test_fetches_nothing_where_it_is_quick(self, served: Served) -> None:
        done = senard(served, "plan", "--quick", credentials=None)
        assert done.returncode == 0, done.stderr
        assert "Quick: " in done.stdout
        assert not [request for request in served.emulator.log if "token" in request.path or "$value" in request.path]

    def test_ends_with_2_where_the_request_must_change(self, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", *site.asked(product_type="S2MSI1C", cloud_masks="scl")]) == 2
        assert "--cloud-masks scl: L1C has no scene classification" in capsys.readouterr().err
