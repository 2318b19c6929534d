"""The main job on products that a service has: searched, fetched, waited for, left out."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.emulators.cdse import Emulator, Kind
from tests.emulators.refusals import REFUSALS
from tests.workflows.commands import BIN, TIMEOUT_S, Luigid, Site, contents, finish, leftovers, start
from workflows.cli import main

QUICK = {"connect_timeout": "2", "read_timeout": "2", "min_speed_window": "2", "linger": "0.3", "backoff": "0.02"}
"""What takes minutes out there takes tenths of a second here."""


@dataclass(frozen=True, kw_only=True)
class Served(Site):
    """A folder to work in, and a service that has the products of the archive."""

    emulator: Emulator

    def asked(self, **changes: str | Path | None) -> list[str]:
        """The parameters of the call: no archive, but the addresses of the service."""
        addresses = self.emulator.addresses
        served: dict[str, str | Path | None] = {
            "archive": None,
            "search_url": addresses.search,
            "data_url": addresses.data,
            "token_url": addresses.token,
            "stac_url": addresses.stac,
            "credentials": self.emulator.credentials,
            "download_dir": self.downloads,
            **QUICK,
        }
        return super().asked(**{**served, **changes})

    def download(self, *words: str, **changes: str | Path | None) -> subprocess.CompletedProcess[str]:
        """`senard download …` to its end."""
        return finish(start([BIN / "senard", "download", *self.asked(**changes), *words], self.folder))

    @property
    def first(self) -> str:
        """Name of the first product."""
        return self.zips()[0].removesuffix(".zip")

    @property
    def downloads(self) -> Path:
        """Where products are fetched to."""
        return self.folder / "downloads"

    def fetched(self, pattern: str = "*.zip") -> list[str]:
        """Names of what was fetched, sorted."""
        return sorted(path.name for path in self.downloads.glob(pattern))

    def zips(self) -> list[str]:
        """Names of what the service has, sorted."""
        return sorted(path.name for path in self.archive.glob("*.zip"))


@pytest.fixture
def served(two_tiles: Path, tmp_path: Path) -> Iterator[Served]:
    """A service with the four products of the two tiles, and a folder of one's own."""
    folder = tmp_path / "here"
    folder.mkdir()
    with Emulator(two_tiles) as emulator:
        yield Served(archive=two_tiles, area=two_tiles / "area.geojson", folder=folder, emulator=emulator)


class TestMosaic:
    """A mosaic of products that a service has"""

    def test_from_members_is_that_from_an_archive_and_leaves_no_secret_behind(
        self, served: Served, undisturbed: dict[str, str]
    ) -> None:
        done = served.luigi("--workers", "2")
        assert done.returncode == 0, done.stderr
        assert contents(served.product()) == undisturbed
        assert served.fetched() == []
        assert len(list((served.downloads / ".members").iterdir())) == 4
        sent = [one.headers.get("authorization", "") for one in served.emulator.asked("download")]
        tokens = {header.split()[-1] for header in sent if header}
        assert tokens
        texts = {str(path): path.read_bytes() for path in served.folder.rglob("*") if path.is_file()}
        texts["what was said"] = (done.stdout + done.stderr).encode()
        for secret in {served.emulator.account[1], *tokens}:
            assert [name for name, text in texts.items() if secret.encode() in text] == []

    def test_from_whole_products_is_the_same_and_needs_no_network_once_they_are_here(
        self, served: Served, undisturbed: dict[str, str]
    ) -> None:
        fetched = served.luigi("--workers", "4", task="DownloadAOI", connections="1")
        assert fetched.returncode == 0, fetched.stderr
        assert served.fetched() == served.zips()
        assert served.emulator.most_open == 1
        assert re.search(r"INFO: .*DownloadProduct S2\w+: [\d.]+ of [\d.]+ MB", fetched.stderr)
        asked = len(served.emulator.log)
        assert served.senard().returncode == 0
        assert len(served.emulator.log) == asked
        assert contents(served.product()) == undisturbed

    def test_is_chosen_again_without_a_scene_whose_bands_do_not_come(self, served: Served) -> None:
        broken = next(name.removesuffix(".zip") for name in served.zips() if name.startswith("S2C"))
        for folder in ("R10m", "R20m"):
            refuse_bands(served, broken, folder)
        done = served.senard("--allow-missing", retries="1", resolutions="20")
        assert done.returncode == 0, done.stderr
        assert f"senard: left out: {broken}: could not be fetched" in done.stderr
        rows = (served.product() / "scenes.csv").read_text().splitlines()
        assert len(rows) == 1 + 3
        assert broken not in "".join(rows)


def refuse_bands(served: Served, product_id: str, folder: str) -> None:
    """Let the service fail on the bands of one product, and only on them: what judging reads of R20m is SCL."""
    with zipfile.ZipFile(served.archive / f"{product_id}.zip") as file:
        band = next(name for name in file.namelist() if f"/{folder}/" in name and "_B0" in name)
    nodes = "".join(f"/Nodes({part})" for part in band.split("/")[:-1])
    stem = band.rsplit("/", 1)[1].rpartition("_B0")[0]
    uuid = served.emulator.products[product_id].id
    served.emulator.route(
        "download",
        f"/odata/v1/Products({uuid}){nodes}/Nodes({stem}_B",
        lambda exchange: exchange.refuse(REFUSALS[Kind.ERROR_500]),
    )


class TestWaiting:
    """A product that is offline"""

    def test_leaves_the_job_incomplete_and_says_how_to_go_on(self, served: Served) -> None:
        served.emulator.products.set_offline(served.first)
        done = served.download()
        assert done.returncode == 4
        assert f"{served.first} is offline" in done.stderr
        assert "--wait HOURS waits for it. Run again later, or go on without it: --allow-missing." in done.stderr
        assert "Traceback" not in done.stderr
        assert served.fetched() == served.zips()[1:]

    def test_is_left_out_where_it_may_be_missing(self, served: Served) -> None:
        served.emulator.products.set_offline(served.first)
        done = served.download("--allow-missing")
        assert done.returncode == 0, done.stderr
        assert f"senard: left out: {served.first}: could not be fetched" in done.stderr
        assert served.fetched() == served.zips()[1:]

    @pytest.mark.parametrize("missing", [[], ["--allow-missing"]])
    def test_is_waited_for_as_long_as_the_user_wants(self, served: Served, missing: list[str]) -> None:
        served.emulator.products.set_offline(served.first, back_after_looks=1)
        done = served.download("--njobs", "2", *missing, wait=f"{2 / 3600}")
        assert done.returncode == 0, done.stderr
        assert f"{served.first} is offline" in done.stderr
        assert "will be tried again in 0:0" in done.stderr
        assert served.fetched() == served.zips()

    def test_is_waited_for_no_longer(self, served: Served) -> None:
        served.emulator.products.set_offline(served.first)
        done = served.download("--njobs", "2", wait=f"{1 / 3600}")
        assert done.returncode == 4
        assert "It was waited for, 0.000277778 hours (--wait)." in done.stderr

    def test_is_no_scene_whose_l2a_is_still_being_made(self, served: Served) -> None:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        ground = served.emulator.products[served.first].footprint
        served.emulator.products.add_named(
            f"S2B_MSIL1C_{yesterday:%Y%m%d}T095029_N0511_R122_T35VLG_{yesterday:%Y%m%d}T101529", footprint=ground
        )
        done = served.download(wait=f"{1 / 3600}", end=f"{yesterday:%Y-%m-%d}")
        assert done.returncode == 0, done.stderr
        assert "will be tried again in 0:0" in done.stderr
        assert "1 acquisitions whose L2A is still pending" in done.stderr


class TestDownload:
    """`senard download`"""

    def test_brings_whole_products_and_says_where_they_lie(self, served: Served) -> None:
        done = served.download("--njobs", "2")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{served.downloads}\n"
        assert served.fetched() == served.zips()
        for name in served.zips():
            assert (served.downloads / name).read_bytes() == (served.archive / name).read_bytes()
        assert len((served.downloads / "senard-progress.jsonl").read_text().splitlines()) == 4
        assert re.search(r"^\d/\d DownloadProduct S2\w+: [\d.]+ of [\d.]+ MB", done.stderr, re.MULTILINE)
        size = sum((served.archive / name).stat().st_size for name in served.zips()) / 1e6
        assert re.search(rf"^all downloads: [\d.]+ of {size:.1f} MB", done.stderr, re.MULTILINE)
        size = sum((served.archive / name).stat().st_size for name in served.zips()) / 1e6
        assert re.search(
            r"^senard: 4 of 4 products are whole: 4 fetched, 0 already there; 0 left out\. "
            rf"Fetched {size:.1f} MB in [\d.]+ s, [\d.]+ MB/s\. They lie in {served.downloads}$",
            done.stderr.splitlines()[-1],
        )

    def test_counts_what_was_there_and_what_was_brought_by_this_command(self, served: Served) -> None:
        served.emulator.products.set_offline(served.first)
        assert "3 of 4 products are whole: 3 fetched, 0 already there; 0 left out, 1 not there yet." in (
            served.download("--fetch", "members").stderr
        )
        served.emulator.products.withdraw(served.first)
        second = served.zips()[1]
        (served.downloads / f"{second}.part").write_bytes((served.archive / second).read_bytes()[:1_000_000])
        done = served.luigi("--workers", "2", task="DownloadAOI")
        assert done.returncode == 0, done.stderr
        size = sum((served.archive / name).stat().st_size for name in served.zips()[1:]) - 1_000_000
        assert "3 of 4 products are whole: 3 fetched, 0 already there; 1 left out." in done.stderr
        assert f"Fetched {size / 1e6:.1f} MB in " in done.stderr
        done = served.download()
        assert "3 of 4 products are whole: 0 fetched, 3 already there; 1 left out." in done.stderr
        assert "Fetched 0.0 MB in 0.0 s. They lie in" in done.stderr

    def test_ends_where_a_person_must_act_though_products_may_be_missing(self, served: Served) -> None:
        served.emulator.accounts[0].licence = False
        done = served.download("--allow-missing")
        assert done.returncode == 2, done.stderr
        assert "senard: S2" in done.stderr
        assert "DAT-ZIP-608" in done.stderr
        assert "accept it, and run the same command again" in done.stderr
        assert len(served.emulator.asked("download", "$value")) == 1

    def test_names_what_is_left_out_though_a_person_must_act(self, served: Served) -> None:
        served.emulator.products.set_offline(served.first)
        served.emulator.faults.next(Kind.TOKEN_AUDIENCE, products=[served.zips()[-1].removesuffix(".zip")])
        done = served.download("--allow-missing")
        assert done.returncode == 2, done.stderr
        assert f"senard: left out: {served.first}: could not be fetched" in done.stderr
        assert "The token is of the wrong kind" in done.stderr

    def test_fetches_at_a_second_run_only_what_is_new(self, served: Served) -> None:
        last = served.zips()[-1].removesuffix(".zip")
        entry = served.emulator.products[last]
        served.emulator.products.remove(last)
        assert served.download().returncode == 0
        served.emulator.products.put(entry)
        assert served.download().returncode == 0
        assert len(served.fetched()) == 3
        before = served.emulator.bytes_sent()
        assert served.download("--refresh").returncode == 0
        assert served.fetched() == served.zips()
        served.emulator.settle()
        assert served.emulator.bytes_sent() - before == (served.archive / f"{last}.zip").stat().st_size

    def test_asks_anew_with_rebuild_for_a_product_that_nobody_had(self, served: Served) -> None:
        place = served.folder / "safe"
        assert served.download(unzip_dir=place).returncode == 0
        entry = served.emulator.products[served.first]
        served.emulator.products.remove(served.first)
        (served.downloads / f"{served.first}.zip").unlink()
        shutil.rmtree(place / f"{served.first}.SAFE")
        assert f"left out: {served.first}: the catalogue" in served.download(unzip_dir=place).stderr
        served.emulator.products.put(entry)
        assert "left out:" not in served.download("--rebuild", unzip_dir=place).stderr
        assert (place / f"{served.first}.SAFE").is_dir()
        assert list(served.folder.rglob("*.stamp")) == []

    def test_ends_with_3_where_nothing_can_be_had(self, served: Served) -> None:
        names = [name.removesuffix(".zip") for name in served.zips()]
        served.emulator.faults.always(Kind.ERROR_503, products=names)
        assert served.download("--njobs", "4", retries="1").returncode == 4
        served.emulator.faults.clear()
        for name in names:
            served.emulator.products.withdraw(name)
        for _ in range(2):
            done = served.download()
            assert done.returncode == 3, done.stderr
            assert "4 products answer the request, and not one of them can be had. The first: S2" in done.stderr
            assert "was withdrawn from the Copernicus Data Space" in done.stderr

    def test_unpacks_what_it_fetched(self, served: Served) -> None:
        place = served.folder / "safe"
        done = served.download("--njobs", "2", unzip_dir=place)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{place}\n"
        assert sorted(path.name for path in place.iterdir()) == [
            name.replace(".zip", ".SAFE") for name in served.zips()
        ]
        assert all((safe / "manifest.safe").is_file() for safe in place.iterdir())
        assert leftovers(place) == []
        shutil.rmtree(place / served.zips()[0].replace(".zip", ".SAFE"))
        assert served.download(unzip_dir=place).returncode == 0
        assert len(list(place.iterdir())) == 4

    def test_names_a_product_that_cannot_be_unpacked_and_goes_on(self, own_archive: Site) -> None:
        cut = sorted(own_archive.archive.glob("*.zip"))[0]
        cut.write_bytes(cut.read_bytes().replace(b"</n1:Level-2A_Tile_ID>", b"</n1:Level-2A_Tile_IX>"))
        words = own_archive.asked(unzip_dir=own_archive.folder / "safe")
        done = finish(start([BIN / "senard", "download", *words], own_archive.folder))
        assert done.returncode == 0, done.stderr
        assert f"left out: {cut.stem}" in done.stderr
        assert len(list((own_archive.folder / "safe").iterdir())) == 3

    def test_goes_on_in_the_background(self, served: Served) -> None:
        done = served.download("--detach")
        assert done.returncode == 0, done.stderr
        log = served.downloads / "senard-download.log"
        told = re.search(r"in the background as process (\d+); what it does is told in (.*)\n", done.stdout)
        assert told is not None
        assert told[2] == str(log)
        for _ in range(10 * TIMEOUT_S):
            if log.read_text().endswith(f"{served.downloads}\n"):
                break
            time.sleep(0.1)
        assert served.fetched() == served.zips()

    def test_takes_from_an_archive_what_lies_there(self, served: Served, tmp_path: Path) -> None:
        mine = tmp_path / "mine"
        mine.mkdir()
        for name in served.zips()[:3]:
            shutil.copy(served.archive / name, mine)
        done = served.download("--no-latest-baseline", archive=mine, catalogue="cdse")
        assert done.returncode == 0, done.stderr
        assert served.fetched() == served.zips()[3:]

    def test_ends_at_once_on_a_wrong_password(self, served: Served, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong.json"
        wrong.touch(mode=0o600)
        wrong.write_text(json.dumps({"username": served.emulator.account[0], "password": "hunter2"}))
        done = served.download(credentials=wrong)
        assert done.returncode == 2, done.stderr
        assert "hunter2" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert len(served.emulator.asked("token")) == 1
        assert done.stderr.count("refuses with") == 1
        assert "senard: 4 products wait for that." in done.stderr

    def test_asks_and_says_once_what_a_source_answers_whoever_asks(self, served: Served) -> None:
        served.emulator.products.withdraw(served.first)
        served.emulator.accounts[0].licence = False
        done = served.download("--njobs", "2", connections="1")
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("The licence of this data is not accepted") == 1
        assert "senard: 3 products wait for that." in done.stderr
        assert len(served.emulator.asked("download", "$value")) == 1
        served.emulator.accounts[0].licence = True
        assert served.download().returncode == 0  # a new command is a new chance

    def test_says_once_that_all_sources_are_off(self, served: Served) -> None:
        done = served.download(connections="0")
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("--connections 0 turns every remote source off") == 1

    def test_says_three_times_at_most_what_is_the_same_of_all_products(self, served: Served) -> None:
        for name in served.zips():
            served.emulator.products.set_offline(name.removesuffix(".zip"))
        done = served.download()
        assert done.returncode == 4, done.stderr
        assert done.stderr.count("is offline: deferred data") == 3
        assert "senard: … and 1 more that say the same of other products." in done.stderr

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--detach", "--aoi", "nowhere.geojson"], "nowhere.geojson: there is no such file"),
            (["--unzip", "--fetch", "members"], "--fetch members fetches parts"),
            (["--connections", "9"], "--connections 9: expected at least 0 and at most 4"),
        ],
    )
    def test_says_at_once_what_cannot_be(
        self, served: Served, capsys: pytest.CaptureFixture[str], words: list[str], message: str
    ) -> None:
        assert main(["download", *served.asked(), *words]) == 2
        assert message in capsys.readouterr().err


class TestCatalogueCheck:
    """`--check-catalogue`"""

    def test_tells_what_another_catalogue_knows(self, two_tiles: Path, tmp_path: Path) -> None:
        (tmp_path / "here").mkdir()
        with Emulator(two_tiles, services=["stac"]) as emulator:
            served = Served(
                archive=two_tiles, area=two_tiles / "area.geojson", folder=tmp_path / "here", emulator=emulator
            )
            done = served.download("--check-catalogue")
            assert done.returncode == 0, done.stderr
            assert "4 products are known to both cdse and cdse-stac. They agree." in done.stderr


class TestSecrets:
    """Who looks at the process list, at luigid's page or into its state while products are fetched"""

    def test_sees_neither_password_nor_token(self, served: Served, luigid: Luigid) -> None:
        served.emulator.faults.bytes_s = 1_000_000
        address = ("--scheduler-host", "127.0.0.1", "--scheduler-port", str(luigid.port))
        seen: dict[str, str] = {}
        with ThreadPoolExecutor() as reader:  # a log that nobody reads would stop the worker
            end = reader.submit(finish, served.start_luigi(*address, "--workers", "2", task="DownloadAOI"))
            while not end.done():
                for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
                    with contextlib.suppress(OSError):
                        seen[name] = Path(f"/proc/{name}/cmdline").read_text(errors="replace")
                for status in ("RUNNING", "DONE", "PENDING"):
                    seen[status] = json.dumps(luigid.ask("task_list", status=status, upstream_status=""))
                seen["resources"] = json.dumps(luigid.ask("resource_list"))
                seen["workers"] = json.dumps(luigid.ask("worker_list"))
                time.sleep(0.1)
        assert end.result().returncode == 0, end.result().stderr
        luigid.stop()
        seen["state"] = luigid.state.read_bytes().decode("latin-1")
        assert any("DownloadAOI" in text for text in seen.values())
        assert "DownloadProduct" in seen["state"]
        sent = [one.headers.get("authorization", "") for one in served.emulator.asked("download")]
        assert any(sent)
        for secret in {served.emulator.account[1], *(header.split()[-1] for header in sent if header)}:
            assert [name for name, text in seen.items() if secret in text] == []
