"""Exit codes of the real commands, typed in a folder without luigi.cfg."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.workflows.commands import BIN, Site, finish, start

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(params=["senard", "luigi"])
def command(request: pytest.FixtureRequest) -> str:
    """Either command."""
    return str(request.param)


def typed(command: str, site: Site) -> Run:
    """The command in the site's folder, in which there is no luigi.cfg."""
    site.folder.mkdir(parents=True, exist_ok=True)
    assert not (site.folder / "luigi.cfg").exists()
    return site.senard if command == "senard" else site.luigi


class TestExitCodes:
    """`senard mosaic` and `luigi --module workflows MosaicAOI` alike end with"""

    def test_0_for_a_product_that_is_whole(self, command: str, made_site: Site) -> None:
        done = typed(command, made_site)()
        assert done.returncode == 0
        assert done.stdout == f"{made_site.product()}\n"

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"aoi": "nowhere.geojson"}, "--aoi nowhere.geojson: there is no such file"),
            ({"archive": "nowhere"}, "--archive"),
            ({"product_type": "S2MSI1C", "cloud_masks": "scl"}, "L1C has no scene classification"),
            ({"outdir": "/proc/senard"}, "/proc/senard: the folder cannot be written"),
            ({"outdir": "/dev/null"}, "/dev/null: expected a folder, found a file. Move it away, or give another"),
        ],
    )
    def test_2_for_what_a_person_must_change(
        self, command: str, site: Site, changes: dict[str, str | None], message: str
    ) -> None:
        done = typed(command, site)(**changes)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr

    def test_3_where_no_scene_answers(self, command: str, site: Site) -> None:
        done = typed(command, site)(start="2020-01-01", end="2020-04-30")
        assert done.returncode == 3, done.stderr
        assert "4 outside the period" in done.stderr
        assert [path.name for path in site.out.iterdir()] == [".senard"]

    def test_4_for_a_product_that_is_not_whole(self, command: str, made_site: Site) -> None:
        in_the_way = made_site.product() / "mosaic_10.vrt"
        in_the_way.unlink()
        (in_the_way / "folder").mkdir(parents=True)
        done = typed(command, made_site)()
        assert done.returncode == 4, done.stderr
        assert "mosaic_10.vrt" in done.stderr
        assert "The same command goes on" in done.stderr


class TestOtherTasks:
    """A run of Luigi whose root is not one of ours"""

    def test_keeps_its_own_exit_code(self, tmp_path: Path) -> None:
        module = tmp_path / "foreign.py"
        module.write_text(
            "import luigi\nimport workflows\n"
            "class Fails(luigi.Task):\n    def run(self):\n        raise ValueError('as it likes')\n"
        )
        command = [BIN / "luigi", "--module", "foreign", "Fails", "--local-scheduler", "--retcode-task-failed", "77"]
        done = finish(start(command, tmp_path / "here", {"PYTHONPATH": str(tmp_path)}))
        assert done.returncode == 77
