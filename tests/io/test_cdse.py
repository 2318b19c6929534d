"""The Copernicus Data Space as a source."""

import dataclasses
import multiprocessing
import os
import pickle
import random
import signal
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from senard.errors import PendingError, RequestError, TransientError, UnusableSceneError
from senard.io.cdse import CdseSource
from senard.io.odata import ODataCatalogue
from senard.io.progress_file import ProgressFile
from senard.io.refusals import FinalRefusal
from senard.model.access import Access, Fetch
from senard.model.product import Part
from senard.model.remote import RemoteProduct
from senard.model.scene import Sentinel2Scene
from tests.emulators.cdse import Emulator, Kind
from tests.emulators.faults import TRANSIENT
from tests.io.made_products import MadeProduct
from tests.io.made_scenes import made_scene
from tests.io.served import PACE, Served, large_product, served


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with served(tmp_path, monkeypatch) as one:
        yield one


def asked(product: Served, end: str) -> list[str]:
    product.emulator.settle()
    return [one.path for one in product.emulator.asked("download") if one.path.endswith(end)]


class TestFetch:
    """Whole zips, or the members that a part needs: what is asked for decides, not how much the user fetches."""

    @pytest.mark.parametrize("fetch", list(Fetch))
    def test_brings_a_whole_zip_for_the_whole_product_alone(self, product: Served, fetch: Fetch) -> None:
        assert product.fetch(Part.CLASSES, fetch=fetch).parent.name == ".members"
        assert not (product.access.download_dir / product.zip.name).exists()
        path = product.fetch(Part.ALL, fetch=fetch)
        assert path == product.access.download_dir / product.zip.name
        assert path.read_bytes() == product.zip.read_bytes()

    def test_brings_members_and_nothing_else(self, product: Served) -> None:
        folder = product.fetch(Part.BANDS)
        assert folder == product.access.download_dir / ".members" / f"{product.scene.product_id}.SAFE"
        values = asked(product, "/$value")
        assert len(values) == len(set(values)) == 13  # manifest, two XML, ten bands
        assert all(name in str(values) for name in ("manifest.safe", "MTD_MSIL2A.xml", "MTD_TL.xml", "B8A_20m"))
        assert not [path for path in values if "60m" in path or "QI_DATA" in path or "TCI" in path]

    def test_lists_only_folders_that_the_part_reads(self, product: Served) -> None:
        product.fetch(Part.JUDGE)  # the product has no SNWPRB: it is looked for
        root = f"/odata/v1/Products({product.remote.uuid})/Nodes({product.scene.product_id}.SAFE)"
        lists = [path.removeprefix(root).removesuffix("/Nodes") for path in asked(product, "/Nodes")]
        within = f"/Nodes(GRANULE)/Nodes({large_product().granule.split('/')[1]})"
        assert sorted(lists) == sorted(
            [
                "",
                "/Nodes(GRANULE)",
                within,
                f"{within}/Nodes(IMG_DATA)",
                f"{within}/Nodes(IMG_DATA)/Nodes(R20m)",
                f"{within}/Nodes(IMG_DATA)/Nodes(R60m)",
                f"{within}/Nodes(QI_DATA)",
            ]
        )

    def test_a_whole_zip_serves_every_part(self, product: Served) -> None:
        whole = product.fetch(Part.ALL)
        assert product.fetch(Part.JUDGE) == whole
        assert len(product.emulator.asked("download")) == 1

    def test_members_that_are_here_are_not_asked_for(self, product: Served) -> None:
        product.fetch(Part.CLASSES)
        before = len(product.emulator.log)
        product.fetch(Part.CLASSES)
        assert len(product.emulator.log) == before

    @pytest.mark.parametrize("part", [Part.CLASSES, Part.ALL])
    @pytest.mark.parametrize(
        "remote", [None, RemoteProduct(catalogue="cdse-stac"), RemoteProduct(catalogue="elsewhere", uuid="1234")]
    )
    def test_a_scene_of_another_catalogue_is_looked_up_by_its_name(
        self, product: Served, remote: RemoteProduct | None, part: Part
    ) -> None:
        scene = dataclasses.replace(product.scene, remote=remote)
        assert product.fetch(part, scene=scene).exists()
        assert "Name eq" in product.emulator.asked("catalogue")[-1].url.replace("%20", " ")

    def test_goes_to_the_download_host_and_shows_its_token_to_nobody_else(self, product: Served) -> None:
        product.emulator.faults.redirect_downloads = True
        product.fetch()
        bearers = {one.service for one in product.emulator.log if "authorization" in one.headers}
        assert bearers == {"download"}
        assert product.emulator.asked("storage")
        assert not product.emulator.asked("catalogue", "$value")

    @pytest.mark.parametrize("kind", [Kind.TOKEN_EXPIRED, Kind.JSON_200, Kind.ERROR_502])
    def test_lists_survive_failures(self, product: Served, kind: Kind) -> None:
        product.fetch(Part.CLASSES)  # manifest and XML are here; masks are not
        product.emulator.faults.next(kind)
        assert product.fetch(Part.JUDGE).exists()


class TestWhatIsNotToBeHad:
    """The reason is named, and what to do about it."""

    def test_a_withdrawn_product_names_its_cause_and_its_successor(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        successor = "S2B_MSIL2A_20240615T104619_N0511_R051_T31TCJ_20250101T000000"
        with served(tmp_path, monkeypatch) as product:
            product.emulator.products.add(
                MadeProduct(product_id=successor, baseline="05.11").write_zip(tmp_path / "later")
            )
            product.emulator.products.withdraw(product.scene.product_id, "Corrupted product")
            with pytest.raises(
                UnusableSceneError,
                match=rf"on \d{{4}}-\d\d-\d\d \(Corrupted product\)\. Its successor is {successor}.*--refresh",
            ) as caught:
                product.fetch()
            assert caught.value.product_id == product.scene.product_id

    @pytest.mark.parametrize("part", [Part.JUDGE, Part.ALL])
    def test_a_withdrawn_product_without_successor_is_left_out(self, product: Served, part: Part) -> None:
        product.emulator.products.withdraw(product.scene.product_id)
        with pytest.raises(UnusableSceneError, match="no other product of this datatake and MGRS tile"):
            product.fetch(part)

    def test_a_product_that_nobody_knows(self, product: Served) -> None:
        other = made_scene(product.scene.product_id.replace("31TCJ", "31TDJ"))
        with pytest.raises(UnusableSceneError, match="does not know it"):
            product.fetch(scene=other)

    def test_a_404_for_a_product_that_the_catalogue_has_may_pass(self, product: Served) -> None:
        product.emulator.faults.always(Kind.NOT_FOUND)
        with pytest.raises(TransientError, match=r"catalogue has it online.*--sources"):
            product.fetch()

    @pytest.mark.parametrize("known", [True, False])
    def test_an_offline_product_is_pending(self, product: Served, known: bool) -> None:
        product.emulator.products.set_offline(product.scene.product_id)
        scene = product.again() if known else product.scene
        with pytest.raises(PendingError, match=r"offline.*Data Workspace.*--wait") as caught:
            product.fetch(scene=scene)
        assert caught.value.again_in_s == 3600

    def test_one_that_came_online_since_the_search_is_fetched(self, product: Served) -> None:
        product.emulator.products.set_offline(product.scene.product_id)
        scene = product.again()
        product.emulator.products.set_online(product.scene.product_id)
        assert product.fetch(scene=scene).exists()


class TestAccount:
    """What is wrong with the account is said in words, without the password."""

    def test_a_wrong_password(self, product: Served, tmp_path: Path) -> None:
        credentials = tmp_path / "wrong.json"
        credentials.touch(mode=0o600)
        credentials.write_text('{"username": "user@example.org", "password": "a-wrong-password"}')
        with pytest.raises(RequestError, match="password") as caught:
            product.fetch(credentials=credentials)
        assert "a-wrong-password" not in str(caught.value)
        assert product.emulator.asked("download") == []

    def test_a_missing_one_time_code(self, product: Served) -> None:
        product.emulator.accounts[0].totp = "123456"
        with pytest.raises(RequestError, match=r"SENARD_CDSE_TOTP"):
            product.fetch()

    def test_an_expired_licence(self, product: Served) -> None:
        product.emulator.faults.always(Kind.LICENCE)
        with pytest.raises(FinalRefusal, match=r"608.*licence.*browser"):
            product.fetch()

    def test_a_source_shows_no_secret(self, product: Served) -> None:
        source = product.source()
        assert "right-password" not in repr(source) + repr(vars(source))
        assert b"right-password" not in pickle.dumps(source._http)


PLAYED = (Kind.EXTRA_BYTES, Kind.RESET, Kind.STALL, Kind.SPOILT)
BODIES_FIRST = (*PLAYED, *(kind for kind in TRANSIENT[::-1] if kind not in PLAYED))
"""With few requests only the first kinds get their turn: bodies that are cut, spoilt, too long come before refusals."""


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Emulator, Access, list[Sentinel2Scene]]]:
    """Thirty products; every fourth request fails, tokens live for 5 s, broken connections linger."""
    monkeypatch.setenv("SENARD_STATE_DIR", str(tmp_path / "state"))
    names = [f"S2B_MSIL2A_202406{day:02}T104619_N0510_R051_T31TCJ_202406{day:02}T133822" for day in range(1, 31)]
    for name in names:
        large_product(name).write_zip(tmp_path / "archive", compression=0)
    with Emulator(tmp_path / "archive") as emulator:
        pace = dataclasses.replace(PACE, connections=4, linger_s=0.4)
        access = emulator.access(tmp_path / "downloads", pace=pace)
        scenes = [scene for scene in ODataCatalogue(access).listed(names) if isinstance(scene, Sentinel2Scene)]
        assert len(scenes) == len(names)
        emulator.faults.token_life_s = 5
        emulator.faults.linger_s = 0.2
        emulator.faults.send_buffer_bytes = 16 * 1024
        emulator.faults.in_turn(0.25, BODIES_FIRST, seed=3)
        yield emulator, access, scenes


def fetch_all(access: Access, scenes: list[Sentinel2Scene], into: Path, part: Part = Part.ALL) -> list[Path]:
    source = CdseSource(access)

    def fetched(scene: Sentinel2Scene) -> Path:
        folder = Path(tempfile.mkdtemp(dir=into))
        source.fetch(scene, part, folder)
        return next(folder.iterdir()).resolve()

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(fetched, scenes))


class TestManyProducts:
    """Many products, failing requests, few connections: each arrives verified and hardly a byte twice."""

    def test_arrive_all(self, tmp_path: Path, many: tuple[Emulator, Access, list[Sentinel2Scene]]) -> None:
        emulator, access, scenes = many
        arrived = fetch_all(access, scenes, tmp_path)
        emulator.settle()
        zips = [tmp_path / "archive" / f"{scene.product_id}.zip" for scene in scenes]
        assert [path.read_bytes() for path in arrived] == [path.read_bytes() for path in zips]
        assert emulator.most_counted <= 4
        played = {one.fault for one in emulator.log}
        assert {kind.value for kind in PLAYED} <= played
        sent = emulator.bytes_sent("download") + emulator.bytes_sent("storage")
        assert sent <= 1.15 * sum(path.stat().st_size for path in zips)

    def test_arrive_in_members(self, tmp_path: Path, many: tuple[Emulator, Access, list[Sentinel2Scene]]) -> None:
        emulator, access, scenes = many
        folders = fetch_all(dataclasses.replace(access), scenes[:3], tmp_path, Part.BANDS)
        for folder, scene in zip(folders, scenes, strict=False):
            with zipfile.ZipFile(tmp_path / "archive" / f"{scene.product_id}.zip") as archive:
                brought = [path for path in folder.rglob("*.*") if path.is_file() and path.name != "partial.json"]
                assert len(brought) == 13
                for path in brought:
                    assert path.read_bytes() == archive.read(f"{folder.name}/{path.relative_to(folder)}")
        assert "cut-unstated" in {one.fault for one in emulator.log}
        assert emulator.most_counted <= 4

    @pytest.mark.prove
    def test_arrive_all_though_the_process_is_killed_ten_times(
        self, tmp_path: Path, many: tuple[Emulator, Access, list[Sentinel2Scene]]
    ) -> None:
        emulator, access, scenes = many
        emulator.faults.bytes_s = 200_000
        chance = random.Random(1)
        for _ in range(10):
            child = multiprocessing.get_context("fork").Process(target=fetch_all, args=(access, scenes, tmp_path))
            child.start()
            time.sleep(chance.uniform(0.5, 1.2))
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            # Nothing that is not verified has a final name, at any moment.
            for path in access.download_dir.glob("*.zip"):
                assert path.read_bytes() == (tmp_path / "archive" / path.name).read_bytes()
        emulator.faults.bytes_s = 0
        arrived = fetch_all(access, scenes, tmp_path)
        emulator.settle()
        zips = [tmp_path / "archive" / path.name for path in arrived]
        assert [path.read_bytes() for path in arrived] == [path.read_bytes() for path in zips]
        assert len(ProgressFile(access.download_dir).entries()) == 30
        assert emulator.most_counted <= 4
        sent = emulator.bytes_sent("download") + emulator.bytes_sent("storage")
        assert sent <= 1.15 * sum(path.stat().st_size for path in zips)
