"""`--refresh` where a product that no source would give has come back, or has not."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from senard.model.product import Part
from tests.emulators.cdse import Emulator, Kind
from tests.emulators.refusals import REFUSALS
from tests.workflows.commands import BIN, contents, finish, leftovers, start
from tests.workflows.test_services import Served
from workflows.paths import WorkPaths

COARSE = {"resolutions": "20"}
"""Cheaper, and as good where not every file of a mosaic is compared."""

SAME_AT_20 = ("0_20.tif", "1_20.tif", "scenes.csv")
"""Files that are the same whether 10 m are made beside them or not."""


@pytest.fixture
def served(two_tiles: Path, tmp_path: Path) -> Iterator[Served]:
    """A service with the four products of the two tiles, and a folder of one's own."""
    folder = tmp_path / "here"
    folder.mkdir()
    with Emulator(two_tiles) as emulator:
        yield Served(archive=two_tiles, area=two_tiles / "area.geojson", folder=folder, emulator=emulator)


@pytest.fixture
def frozen(served: Served) -> Served:
    """The same once the catalogue was asked, while it had all products; nothing is fetched."""
    done = finish(start([BIN / "senard", "plan", *served.asked(), "--quick"], served.folder))
    assert done.returncode == 0, done.stderr
    shutil.rmtree(next(served.out.glob("*_plan")))
    return served


def come_back(served: Served, product_id: str) -> None:
    """What was withdrawn is there again, as it was."""
    served.emulator.products.alter(product_id, lambda entry: replace(entry, deletion=None))


def hide(served: Served, product_id: str) -> None:
    """A search finds the product; whoever asks for it is told that it is not there."""
    uuid = served.emulator.products[product_id].id
    for origin in ("catalogue", "download"):
        served.emulator.route(
            origin, f"/odata/v1/Products({uuid})", lambda exchange: exchange.refuse(REFUSALS[Kind.NOT_FOUND])
        )


def show(served: Served) -> None:
    """What was hidden is there again."""
    served.emulator.routes[:] = [route for route in served.emulator.routes if "Products(" not in route.prefix]


def questions(served: Served) -> int:
    """How often somebody asked about the first product by its id."""
    return sum(served.emulator.products[served.first].id in one.path for one in served.emulator.log)


def work_of(served: Served) -> WorkPaths:
    return WorkPaths(root=served.out / ".senard")


def times(*folders: Path) -> dict[str, int]:
    """When every file of some folders was written."""
    return {str(path): path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*") if path.is_file()}


class TestMosaic:
    """After `senard mosaic --refresh`"""

    def test_nothing_is_made_again_before_a_product_came_back_and_then_the_mosaic_is_as_one_made_from_nothing(
        self, frozen: Served, undisturbed: dict[str, str]
    ) -> None:
        hide(frozen, frozen.first)
        done = frozen.senard()
        assert done.returncode == 0, done.stderr
        assert f"left out: {frozen.first}" in done.stderr
        poorer = contents(frozen.product())
        assert poorer.keys() == undisturbed.keys()
        assert poorer["0_10.tif"] != undisturbed["0_10.tif"]
        judged = [work_of(frozen).masks(name.removesuffix(".zip")) for name in frozen.zips()[1:]]
        folders = [frozen.product(), work_of(frozen).product(frozen.product().name), *judged]
        before, asked, sent = times(*folders), questions(frozen), frozen.emulator.bytes_sent()
        done = frozen.senard("--refresh")
        assert done.returncode == 0, done.stderr
        assert f"left out: {frozen.first}" in done.stderr
        assert questions(frozen) > asked
        assert frozen.emulator.bytes_sent() - sent < 1000  # words of refusal
        assert times(*folders) == before
        show(frozen)
        assert frozen.senard().returncode == 0  # what is frozen stays so
        assert times(*folders) == before
        done = frozen.senard("--njobs", "2", "--refresh")
        assert done.returncode == 0, done.stderr
        assert "left out:" not in done.stderr
        assert contents(frozen.product()) == undisturbed
        assert list(frozen.folder.rglob("*.stamp")) == []
        assert leftovers(frozen.out) == []

    def test_the_mosaic_made_while_a_product_was_withdrawn_gives_way_to_that_with_it(
        self, frozen: Served, undisturbed: dict[str, str]
    ) -> None:
        frozen.emulator.products.withdraw(frozen.first)
        assert frozen.senard(**COARSE).returncode == 0
        with_it = frozen.product()
        done = frozen.senard("--refresh", **COARSE)  # a search without it: another mosaic
        assert done.returncode == 0, done.stderr
        assert Path(done.stdout.strip()) != with_it
        come_back(frozen, frozen.first)
        frozen.emulator.faults.always(Kind.ERROR_503, products=[frozen.first])
        before = times(with_it)
        assert frozen.senard("--refresh", retries="1", **COARSE).returncode == 4
        assert times(with_it) == before
        frozen.emulator.faults.clear()
        done = frozen.senard(**COARSE)  # goes on with the refresh
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{with_it}\n"
        made = contents(with_it)
        assert {name: made[name] for name in SAME_AT_20} == {name: undisturbed[name] for name in SAME_AT_20}

    def test_bands_that_came_back_are_used_and_what_was_fetched_is_not_lost(self, frozen: Served) -> None:
        assert frozen.senard(**COARSE).returncode == 0
        product, work = frozen.product(), work_of(frozen)
        before, made = times(product), contents(product)
        for name in frozen.zips():
            hide(frozen, name.removesuffix(".zip"))
        for words in (["--refresh"], ["--refresh", "--allow-missing"]):
            done = frozen.senard(*words, **COARSE)
            assert done.returncode == 0, done.stderr
            assert "left out:" not in done.stderr
            assert times(product) == before
        for place in (product, work.product(product.name), work.safe(frozen.first, Part.BANDS)):
            shutil.rmtree(place)
        shutil.rmtree(work.root / "downloads" / frozen.first)
        shutil.rmtree(frozen.downloads / ".members" / f"{frozen.first}.SAFE")
        done = frozen.senard(**COARSE)
        assert done.returncode == 0, done.stderr
        assert f"left out: {frozen.first}" in done.stderr
        assert contents(product) != made
        show(frozen)
        done = frozen.senard("--refresh", **COARSE)
        assert done.returncode == 0, done.stderr
        assert contents(product) == made


class TestDownload:
    """After `senard download --refresh`"""

    def test_a_product_that_came_back_is_here_and_unpacked(self, served: Served) -> None:
        place = served.folder / "safe"
        hide(served, served.first)
        done = served.download(unzip_dir=place)
        assert done.returncode == 0, done.stderr
        assert f"left out: {served.first}" in done.stderr
        asked, sent = questions(served), served.emulator.bytes_sent()
        assert f"left out: {served.first}" in served.download("--refresh", unzip_dir=place).stderr
        assert questions(served) > asked
        assert served.emulator.bytes_sent() - sent < 1000
        show(served)
        assert f"left out: {served.first}" in served.download(unzip_dir=place).stderr
        done = served.download("--refresh", unzip_dir=place)
        assert done.returncode == 0, done.stderr
        assert "left out:" not in done.stderr
        assert served.fetched() == served.zips()
        assert len(list(place.iterdir())) == 4
        assert list(served.folder.rglob("*.stamp")) == []
