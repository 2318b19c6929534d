"""The main job, typed as a user types it."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import luigi
import pytest

from senard.io.disk_use import disk_use
from senard.io.product_folder import read_sums
from tests.workflows.commands import BIN, Site, contents, finish, holds, leftovers, start
from workflows.mosaic import remove_outdated_index


def kill(site: Site, after_s: float) -> bool:
    """Start the mosaic with two workers and kill all its processes at once; False if it was done before."""
    process = site.start_luigi("--workers", "2")
    try:
        process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        signal_group(process.pid)
        process.communicate()
        return True
    return False


def signal_group(group: int) -> None:
    """SIGKILL to a command and all its workers."""
    os.killpg(group, signal.SIGKILL)


def times(folder: Path) -> dict[Path, int]:
    """When each file was written, ns; links are not followed. access.json names the folder that fixtures copy, and so
    does the list of commands at work."""
    return {
        path: path.lstat().st_mtime_ns
        for path in folder.rglob("*")
        if (path.is_file() or path.is_symlink()) and path.suffix != ".log" and path.name != "access.json"
        if ".leases" not in path.parts
    }


def fetched(site: Site) -> set[tuple[str, str]]:
    """Product and part of what a mosaic needs: all four scenes to judge, the bands of those that supply pixels."""
    with (site.product() / "scenes.csv").open(encoding="utf-8", newline="") as table:
        scenes = list(csv.DictReader(table))
    suppliers = [row["product_id"] for row in scenes if int(row["pixels"]) > 0]
    assert len(scenes) == 4
    assert suppliers
    return {(row["product_id"], "judge") for row in scenes} | {(name, "bands") for name in suppliers}


class TestMosaic:
    """The mosaic"""

    def test_is_made_by_both_commands_alike_from_a_folder_without_luigi_cfg(
        self, site: Site, undisturbed: dict[str, str]
    ) -> None:
        done = site.luigi("--workers", "2")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{site.product()}\n"
        assert contents(site.product()) == undisturbed
        assert {"0_10.tif", "1_20.tif", "mosaic_10.vrt", "layers/1_QA_20.tif", "SHA256SUMS"} <= undisturbed.keys()

    def test_gains_a_resolution_as_if_both_had_been_asked_for(self, site: Site, undisturbed: dict[str, str]) -> None:
        assert site.senard(resolutions="20").returncode == 0
        assert "0_10.tif" not in contents(site.product())
        assert site.senard(resolutions="10").returncode == 0
        assert contents(site.product()) == undisturbed
        assert site.senard().returncode == 0
        assert contents(site.product()) == undisturbed

    def test_gains_the_scene_classes_without_any_other_pixel_changed(
        self, made_site: Site, undisturbed: dict[str, str]
    ) -> None:
        assert made_site.senard(layers="scl").returncode == 0
        gained = contents(made_site.product())
        new = {*(f"layers/{tile}_SCL_20.tif" for tile in (0, 1)), "layers/SCL_20.vrt", "layers/SCL_20.qml"}
        assert gained.keys() - undisturbed.keys() == new
        changed = {name for name, digest in undisturbed.items() if gained[name] != digest}
        assert changed == {"SHA256SUMS", "report.html"}
        assert new <= read_sums(made_site.product()).keys()
        before = times(made_site.out)
        assert made_site.senard().returncode == 0
        assert made_site.senard(layers="SCL").returncode == 0
        assert times(made_site.out) == before


class TestRunFigures:
    """run.json of a mosaic that nobody disturbed"""

    @pytest.fixture
    def record(self, undisturbed_site: Site) -> dict[str, Any]:
        return json.loads((undisturbed_site.product() / "run.json").read_text(encoding="utf-8"))

    def test_tells_what_each_kind_of_task_took(self, record: dict[str, Any]) -> None:
        kinds = {entry["kind"]: entry for entry in record["run"]["kinds"]}
        counts = {kind: kinds[kind]["tasks"] for kind in ("QueryScenes", "MaskScene", "CompositeTile", "WriteQuality")}
        assert counts == {"QueryScenes": 1, "MaskScene": 4, "CompositeTile": 4, "WriteQuality": 2}
        assert kinds["MosaicAOI"]["tasks"] == 1
        composed = sum(entry["jp2_tiles_decoded"] for entry in record["composites"])
        assert kinds["CompositeTile"]["jp2_tiles"] == composed > 0
        assert kinds["MaskScene"]["jp2_tiles"] > 0 == kinds["SelectSources"]["jp2_tiles"]
        assert record["run"]["jp2_tiles"] == sum(entry["jp2_tiles"] for entry in kinds.values())
        assert 0 < sum(entry["cpu_seconds"] for entry in kinds.values()) <= record["run"]["cpu_seconds"]
        assert record["run"]["bytes_read"] == sum(entry["bytes_read"] for entry in kinds.values()) > 0

    def test_tells_the_disk_that_it_took(self, record: dict[str, Any], undisturbed_site: Site) -> None:
        """Everything was kept, so at its end it took the most; what lists and logs take is not counted."""
        assert record["run"]["peak_disk_bytes"] == pytest.approx(disk_use(undisturbed_site.out), rel=0.1)
        assert record["run"]["disk_at_start_bytes"] < 0.1 * record["run"]["peak_disk_bytes"]


class TestRerun:
    """Running the same command again"""

    def test_on_a_whole_product_does_nothing(self, made_site: Site) -> None:
        before = times(made_site.out)
        done = made_site.senard()
        assert done.returncode == 0
        assert done.stdout.strip() == str(made_site.product())
        assert times(made_site.out) == before

    def test_a_killed_worker_leaves_a_product_identical_to_an_undisturbed_one(
        self, site: Site, undisturbed: dict[str, str]
    ) -> None:
        moments = random.Random(20240601)
        killed = sum(kill(site, moments.uniform(1.0, 3.0)) for _ in range(4))
        assert killed >= 2
        done = site.luigi("--workers", "2")
        assert done.returncode == 0, done.stderr
        assert contents(site.product()) == undisturbed
        assert leftovers(site.product()) == []


class TestRebuild:
    """`--rebuild`"""

    def test_makes_everything_anew_but_the_downloads(self, made_site: Site, undisturbed: dict[str, str]) -> None:
        before = times(made_site.out)
        done = made_site.luigi("--rebuild", "--workers", "2")
        assert done.returncode == 0, done.stderr
        after = times(made_site.out)
        downloads = {path for path in before if "downloads" in path.parts}
        old = {path for path, then in before.items() if after[path] == then}
        assert {(path.stem, path.parent.name) for path in downloads} == fetched(made_site)
        assert old - downloads == {*made_site.out.rglob("request.json"), *made_site.out.rglob("keep.txt")}
        assert downloads <= old
        assert contents(made_site.product()) == undisturbed
        assert list(made_site.out.rglob("*.stamp")) == []

    def test_that_was_killed_is_gone_on_with_by_whoever_comes_next(
        self, made_site: Site, undisturbed: dict[str, str]
    ) -> None:
        first = made_site.product() / "0_10.tif"
        before = first.stat().st_mtime_ns
        process = made_site.start_luigi("--rebuild", "true")
        while process.poll() is None and not holds(made_site.out, "rebuild.stamp"):
            time.sleep(0.05)
        time.sleep(1.0)
        signal_group(process.pid)
        process.communicate()
        (stamp,) = made_site.out.rglob("rebuild.stamp")
        assert made_site.senard().returncode == 0
        assert first.stat().st_mtime_ns > before
        assert contents(made_site.product()) == undisturbed
        assert not stamp.exists()


def spoil(archive: Path, ending: str) -> Path:
    """Change bytes in the middle of one member of one zip of its own; the zip's directory stays whole."""
    spoiled = {path.name for path in archive.glob("*.zip") if (archive / f"{path.name}.spoiled").exists()}
    zipped = next(path for path in sorted(archive.glob("*.zip")) if path.name not in spoiled)
    with zipfile.ZipFile(zipped) as file:
        member = next(info for info in file.infolist() if info.filename.endswith(ending))
    with zipped.open("r+b") as raw:
        raw.seek(member.header_offset + 200 + member.compress_size // 2)
        raw.write(bytes(byte ^ 0xFF for byte in b"thirty-two bytes of something else"))
    (archive / f"{zipped.name}.spoiled").touch()
    return zipped


class TestBrokenProduct:
    """A mosaic with broken products among its scenes"""

    def test_is_made_without_them_and_says_so(self, own_archive: Site) -> None:
        judged = spoil(own_archive.archive, "_SCL_20m.jp2")
        composed = spoil(own_archive.archive, "_B08_10m.jp2")
        cut = sorted(own_archive.archive.glob("*.zip"))[2]
        cut.write_bytes(cut.read_bytes()[:-2000])
        done = own_archive.senard("--njobs", "2")
        assert done.returncode == 0, done.stderr
        table = (own_archive.product() / "scenes.csv").read_text()
        left_out = json.loads((own_archive.product() / "run.json").read_text())["query"]["left_out"]
        for broken in (judged, composed):
            (row,) = [line for line in table.splitlines() if broken.stem in line]
            assert ",false," in row
            assert "damaged" in row
        assert cut.stem in json.dumps(left_out)
        assert (own_archive.product() / "SHA256SUMS").is_file()

    def test_may_have_none_but_broken_ones(self, own_archive: Site) -> None:
        zips = sorted(own_archive.archive.glob("*.zip"))
        for other in zips[1:]:
            other.unlink()
        spoil(own_archive.archive, "_SCL_20m.jp2")
        done = own_archive.senard()
        assert done.returncode == 3, done.stderr
        assert "None of 1 products can be used" in done.stderr
        assert [path.name for path in own_archive.out.iterdir()] == [".senard"]


class TestMissingProduct:
    """A product that goes away between query and download"""

    def test_leaves_the_mosaic_incomplete_unless_it_may_be_missing(self, own_archive: Site) -> None:
        fetched = own_archive.luigi(task="DownloadAOI")
        assert fetched.returncode == 0, fetched.stderr
        gone = sorted(own_archive.archive.glob("*.zip"))[0]
        gone.unlink()
        coarse = {"resolutions": "20"}  # cheaper, and as good here
        done = own_archive.senard(**coarse)
        assert done.returncode == 4
        assert f"{gone.name} was there when the archive was searched and is gone" in done.stderr
        assert "Traceback" not in done.stderr
        assert [path.name for path in own_archive.out.iterdir()] == [".senard"]
        done = own_archive.senard("--allow-missing", **coarse)
        assert done.returncode == 0, done.stderr
        left_out = json.loads((own_archive.product() / "run.json").read_text())["query"]["left_out"]
        assert "could not be fetched" in json.dumps(left_out)
        assert own_archive.senard("--allow-missing", **coarse).returncode == 0
        assert (
            own_archive.senard("--refresh", **coarse).returncode == 0
        )  # the archive without it: same scenes, same product
        assert own_archive.product()


class TestFullDisk:
    """A disk that fills up in the middle"""

    def test_leaves_nothing_half_made_under_a_final_name(self, site: Site) -> None:
        limited = f'ulimit -f 500; exec {BIN / "senard"} mosaic "$@"'  # blocks of 1024 bytes: no file above 512 kB
        process = start(["bash", "-c", limited, "bash", *site.asked()], site.folder)
        done = finish(process)
        assert done.returncode in (2, 4), done.stderr
        assert "Traceback" not in done.stderr
        assert not list(site.out.glob("*/0_10.tif"))
        assert not list(site.out.glob("*/SHA256SUMS"))
        assert site.senard().returncode == 0
        assert leftovers(site.product()) == []
        shutil.rmtree(site.out)


@pytest.fixture(autouse=True)
def room(site: Site) -> None:
    """Each test has a folder of its own."""
    site.folder.mkdir(parents=True, exist_ok=True)


class Ready(luigi.Task):
    """A task that is complete or not, as it is told."""

    ready = luigi.BoolParameter()

    def complete(self) -> bool:
        return bool(self.ready)


class TestIndex:
    """An index over files, which states their statistics, goes"""

    @pytest.mark.parametrize("ready", [True, False])
    def test_before_one_of_them_is_made_anew(self, tmp_path: Path, ready: bool) -> None:
        index = tmp_path / "mosaic_10.vrt"
        index.write_text("<VRTDataset/>")
        remove_outdated_index(index, Ready(ready=ready))
        assert index.exists() is ready
