"""`--keep`: the same mosaic whatever stays, also where commands are killed or share a work folder."""

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulators.cdse import Emulator
from tests.workflows.commands import BIN, Luigid, Site, contents, finish, start
from tests.workflows.test_services import Served


def left(work: Path) -> set[str]:
    """Names of files that a work folder still holds, those aside that say who works there and what Luigi told."""
    files = {path.relative_to(work) for path in work.rglob("*") if path.is_file()}
    return {path.name for path in files if path.parts[0] != ".leases"} - {"luigi.log"}


SMALL = {"request.json", "access.json", "scenes.json", "keep.txt", "without.json"}
"""What always stays."""


def killed(site: Site, keep: str, after_s: float) -> bool:
    """Start the mosaic with two workers and kill all its processes at once; False if it was done before."""
    command = [BIN / "senard", "mosaic", *site.asked(keep=keep), "--njobs", "2"]
    process = start(command, site.folder)
    try:
        process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    return False


class TestWholeProduct:
    """A mosaic that is whole"""

    def test_needs_nothing_of_its_work_folder(self, made_site: Site, undisturbed: dict[str, str]) -> None:
        done = made_site.senard(keep="none")
        assert done.returncode == 0, done.stderr
        assert "/" not in done.stderr  # not one task was done
        assert left(made_site.out / ".senard") == SMALL
        assert contents(made_site.product()) == undisturbed


@pytest.mark.prove
class TestKeep:
    """The mosaic"""

    @pytest.mark.parametrize("keep", ["masks", "none"])
    def test_is_the_same_after_kills_whatever_stays(self, site: Site, undisturbed: dict[str, str], keep: str) -> None:
        moments = random.Random(20240601)
        kills = sum(killed(site, keep, moments.uniform(2.0, 12.0)) for _ in range(4))
        assert kills >= 2
        done = site.senard("--njobs", "2", keep=keep)
        assert done.returncode == 0, done.stderr
        assert contents(site.product()) == undisturbed
        assert not list((site.out / ".senard" / "safe").rglob("*.jp2"))
        if keep == "none":
            assert left(site.out / ".senard") == SMALL
        again = site.senard(keep=keep)
        assert again.returncode == 0
        assert "/" not in again.stderr  # not one task was done

    def test_gains_a_resolution_after_nothing_was_kept(self, site: Site, undisturbed: dict[str, str]) -> None:
        assert site.senard(resolutions="20", keep="none").returncode == 0
        assert left(site.out / ".senard") == SMALL
        assert site.senard(resolutions="10", keep="masks").returncode == 0
        assert contents(site.product()) == undisturbed

    def test_is_made_anew_after_nothing_was_kept(self, site: Site, undisturbed: dict[str, str]) -> None:
        assert site.senard(keep="none").returncode == 0
        assert site.senard("--rebuild", "--njobs", "2", keep="none").returncode == 0
        assert contents(site.product()) == undisturbed
        assert left(site.out / ".senard") == SMALL

    def test_shares_its_work_folder_with_another_one_at_the_same_time(
        self, site: Site, undisturbed: dict[str, str], luigid: Luigid
    ) -> None:
        """They want the same scenes, one of them for whole rectangles; nothing that either needs goes."""
        work = site.out / ".senard"
        commands = [
            site.asked(keep="none"),
            site.asked(keep="masks", workdir=work, outdir=site.folder / "b", clip="false"),
        ]
        together = ["--scheduler", f"127.0.0.1:{luigid.port}"]
        running = [start([BIN / "senard", "mosaic", *words, *together], site.folder) for words in commands]
        for done in map(finish, running):
            assert done.returncode == 0, done.stderr
            assert "again" not in done.stderr  # not one task failed
        assert contents(site.product()) == undisturbed
        assert not list((work / "safe").rglob("*.jp2"))
        assert len(list((work / "masks").rglob("scene_20.tif"))) == 4  # the second one keeps them


@pytest.fixture
def served(two_tiles: Path, tmp_path: Path) -> Iterator[Served]:
    """A service with the four products of the two tiles, and a folder of one's own."""
    folder = tmp_path / "here"
    folder.mkdir()
    with Emulator(two_tiles) as emulator:
        yield Served(archive=two_tiles, area=two_tiles / "area.geojson", folder=folder, emulator=emulator)


@pytest.mark.prove
class TestFetched:
    """What was fetched"""

    def test_for_a_mosaic_goes_and_is_not_fetched_again(self, served: Served, undisturbed: dict[str, str]) -> None:
        places = {"outdir": served.folder / "plans", "workdir": served.out / ".senard"}
        planned = finish(start([BIN / "senard", "plan", *served.asked(**places)], served.folder))
        assert planned.returncode == 0, planned.stderr
        assert len(served.fetched(".members/*.SAFE")) == 4
        done = served.senard(keep="masks")
        assert done.returncode == 0, done.stderr
        assert contents(served.product()) == undisturbed
        assert served.fetched(".members/*.SAFE") == served.fetched(".for-mosaics/*") == []
        asked = len(served.emulator.asked("download"))
        assert served.senard(keep="masks").returncode == 0
        assert len(served.emulator.asked("download")) == asked

    def test_for_its_own_sake_stays_even_if_a_mosaic_had_fetched_it_first(self, served: Served) -> None:
        coarse = {"resolutions": "20", "fetch": "whole"}
        assert served.senard(**coarse).returncode == 0
        assert len(served.fetched(".for-mosaics/*")) == 4
        assert served.download().returncode == 0
        assert served.senard(**coarse, keep="none").returncode == 0
        assert served.fetched() == served.zips()
        assert left(served.out / ".senard") == SMALL
