"""Products of the level that is asked for, by real commands: L1C, and the pilot form of L2A."""

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from senard import ALGORITHM_VERSION
from senard.model.sentinel2 import ProductType
from senard.simulation.archive import write_product
from senard.simulation.plans import tiny_plan
from tests.emulators.cdse import Emulator
from tests.workflows.commands import BIN, Site, finish, leftovers, start
from tests.workflows.test_services import Served
from workflows.cli import main

LEVEL_1C = "S2MSI1C"


@pytest.fixture
def levels(both_levels: Path, tmp_path: Path) -> Iterator[Served]:
    """A service with L1C and L2A of four acquisitions, and a folder of one's own."""
    folder = tmp_path / "here"
    folder.mkdir()
    with Emulator(both_levels, services=["google"]) as emulator:
        yield Served(archive=both_levels, area=both_levels / "area.geojson", folder=folder, emulator=emulator)


def of_level(archive: Path, level: str) -> list[str]:
    """Zips of one level, sorted."""
    return sorted(path.name for path in archive.glob(f"*_MSI{level}_*.zip"))


def files_in(place: Path) -> dict[str, bytes]:
    """Every file of the SAFE folders below a place."""
    return {
        path.relative_to(place).as_posix(): path.read_bytes() for path in place.glob("S2*.SAFE/**/*") if path.is_file()
    }


def content_of_zips(archive: Path, names: list[str]) -> dict[str, bytes]:
    """Every file and folder in zips; of a folder b""."""
    content = {}
    for name in names:
        with zipfile.ZipFile(archive / name) as zipped:
            content |= {entry: zipped.read(entry) for entry in zipped.namelist()}
    return content


class TestLevel1C:
    """`senard download --product-type S2MSI1C`"""

    def test_brings_and_unpacks_every_l1c_product_as_the_archive_has_it_and_nothing_else(self, levels: Served) -> None:
        done = levels.download("--unzip", "--njobs", "2", product_type=LEVEL_1C)
        assert done.returncode == 0, done.stderr
        names = of_level(levels.archive, "L1C")
        assert len(names) == 4
        assert levels.fetched() == names
        for name in names:
            assert (levels.downloads / name).read_bytes() == (levels.archive / name).read_bytes()
        assert len((levels.downloads / "senard-progress.jsonl").read_text().splitlines()) == 4
        place = Path(done.stdout.strip())
        assert files_in(place) == {name: data for name, data in content_of_zips(levels.archive, names).items() if data}
        assert leftovers(place) == []

    def test_takes_them_from_google_where_the_data_space_is_left_out(self, levels: Served) -> None:
        changes = {"sources": "google", "google_url": levels.emulator.addresses.google, "end": "2024-06-10"}
        done = levels.download(product_type=LEVEL_1C, **changes)
        assert done.returncode == 0, done.stderr
        (name,) = [name for name in of_level(levels.archive, "L1C") if "_20240608T" in name]
        assert levels.fetched("*.SAFE") == [name.replace(".zip", ".SAFE")]
        archived = content_of_zips(levels.archive, [name])
        assert files_in(levels.downloads) == {place: data for place, data in archived.items() if data}
        assert {place for place in archived if not (levels.downloads / place).exists()} == set()
        assert levels.emulator.asked("download") == []

    def test_unpacks_them_from_a_folder_and_names_one_that_lacks_a_band(
        self, both_levels: Path, tmp_path: Path
    ) -> None:
        archive = tmp_path / "archive"
        names = of_level(both_levels, "L1C")
        for name in names:
            shutil.unpack_archive(both_levels / name, archive)
        lacking = names[0].removesuffix(".zip")
        next(archive.glob(f"{lacking}.SAFE/GRANULE/*/IMG_DATA/*_B10.jp2")).unlink()
        site = Site(archive=archive, area=both_levels / "area.geojson", folder=tmp_path / "here")
        words = site.asked(product_type=LEVEL_1C, unzip_dir=tmp_path / "safe")
        done = finish(start([BIN / "senard", "download", *words], site.folder))
        assert done.returncode == 0, done.stderr
        assert f"left out: {lacking}" in done.stderr
        assert "_B10 is missing (B10_60)" in done.stderr
        assert sorted(path.name for path in (tmp_path / "safe").iterdir()) == [
            name.replace(".zip", ".SAFE") for name in names[1:]
        ]


class TestMosaicOfLevel1C:
    """`senard mosaic --product-type S2MSI1C`"""

    def test_shows_reflectance_as_seen_from_above_the_air_and_says_so(self, both_levels: Path, tmp_path: Path) -> None:
        site = Site(archive=both_levels, area=both_levels / "area.geojson", folder=tmp_path / "here")
        below = site.asked(start="2024-06-20", resolutions="20", cloud_masks="scl,classi")
        assert main(["mosaic", *below]) == 0
        ground = site.product()
        (masks,) = (site.out / ".senard/masks").iterdir()
        assert masks.name == f"{ALGORITHM_VERSION}-scl-classi"
        ground = ground.rename(tmp_path / "below")
        assert main(["mosaic", *site.asked(start="2024-06-20", resolutions="20", product_type=LEVEL_1C)]) == 0
        product = site.product()
        scenes = (product / "scenes.csv").read_text()
        assert scenes.count("_MSIL1C_") == 2
        assert "_MSIL2A_" not in scenes
        assert "top-of-atmosphere, not corrected for the atmosphere" in (product / "report.html").read_text()
        with rasterio.open(product / "0_20.tif") as above, rasterio.open(ground / "0_20.tif") as file:
            assert above.tags()["SENARD_LEVEL"] == "L1C top-of-atmosphere reflectance"
            top, under = above.read().astype(float), file.read().astype(float)
        same = (top[0] > 0) & (under[0] > 0) & (top[-1] == under[-1])  # of one day
        assert same.mean() > 0.3
        assert 0.85 < float(np.median(top[3][same] / under[3][same])) < 0.99  # air takes light from the near infrared
        assert {path.name for path in (site.out / ".senard/masks").iterdir()} == {masks.name, ALGORITHM_VERSION}


class TestPilotForm:
    """L2Ap, as the catalogue calls L2A of May 2017 to March 2018"""

    def test_comes_under_each_of_its_names(self, both_levels: Path, tmp_path: Path) -> None:
        first = tiny_plan().acquisitions[0]
        made = replace(first, product_type=ProductType.L2AP, baseline=205, size_px=96, cloudless=True)
        pilot = write_product(made, tmp_path / "pilot")
        folder = tmp_path / "here"
        folder.mkdir()
        with Emulator(pilot.parent) as emulator:
            served = Served(archive=pilot.parent, area=both_levels / "area.geojson", folder=folder, emulator=emulator)
            done = served.download("--unzip", product_type="S2MSC2Ap")
        assert done.returncode == 0, done.stderr
        assert (served.downloads / pilot.name).read_bytes() == pilot.read_bytes()
        assert (Path(done.stdout.strip()) / f"{pilot.stem}.SAFE" / "MTD_MSIL2A.xml").is_file()
