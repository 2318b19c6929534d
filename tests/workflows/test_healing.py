"""Files that vanish from the work folder, or are damaged there, after the step that made them was done."""

import re
import shutil
from pathlib import Path

import pytest

from tests.workflows.commands import Site, contents


def lose(site: Site, *patterns: str) -> None:
    """Delete the first file of each pattern from the work folder."""
    for pattern in patterns:
        min((site.out / ".senard").glob(pattern)).unlink()


def spoil(site: Site, pattern: str) -> Path:
    """Fill the first file of a pattern with something else, of the same size."""
    path = min((site.out / ".senard").glob(pattern))
    path.write_bytes(b"?" * path.stat().st_size)
    return path


class TestLost:
    """A file of the work folder that was lost"""

    def test_is_made_again_by_the_same_command(self, made_site: Site, undisturbed: dict[str, str]) -> None:
        for name in ("0_10.tif", "layers/1_QA_20.tif", "SHA256SUMS"):
            (made_site.product() / name).unlink()
        lose(made_site, "masks/*/*/scene_20.tif")
        for name in ("sources/*/0/sources_20.tif", "sources/*/1/sources.json", "weights/*/*/parts.npz"):
            lose(made_site, f"products/*/{name}")
        for name in ("levels/levels.json", "composite/1_20.json"):
            lose(made_site, f"products/*/choices/all/{name}")
        done = made_site.senard()
        assert done.returncode == 0, done.stderr
        assert contents(made_site.product()) == undisturbed

    def test_is_missed_even_where_its_absence_would_mean_something_else(self, made_site: Site) -> None:
        shutil.rmtree(made_site.product())
        assert made_site.senard(level="scene").returncode == 0
        before = contents(made_site.product())
        assert [name for name in before if name.startswith("layers/LEVEL_")]
        for name in ("0_10.tif", "1_10.tif"):
            (made_site.product() / name).unlink()
        lose(made_site, "products/*/choices/all/levels/*.tif")  # as if this scene needed no correction
        done = made_site.senard(level="scene")
        assert done.returncode == 0, done.stderr
        assert contents(made_site.product()) == before

    def test_is_missed_for_the_report_too(self, made_site: Site, undisturbed: dict[str, str]) -> None:
        (made_site.product() / "SHA256SUMS").unlink()
        lose(made_site, "products/*/sources/*/1/sources_20.tif", "masks/*/*/scene.json")
        done = made_site.senard()
        assert done.returncode == 0, done.stderr
        assert contents(made_site.product()) == undisturbed

    def test_is_not_missed_by_a_mosaic_that_is_whole(self, made_site: Site) -> None:
        lose(made_site, "products/*/sources/*/0/sources_20.tif", "masks/*/*/scene_20.tif")
        assert made_site.senard().returncode == 0
        assert len(list((made_site.out / ".senard").glob("masks/*/*/scene_20.tif"))) == 3


class TestDamaged:
    """A file of the work folder that was damaged"""

    @pytest.mark.parametrize(
        ("pattern", "again"),
        [
            ("products/*/sources/*/0/sources_20.tif", "0_10.tif"),
            ("products/*/choices/all/without.json", "0_10.tif"),
            ("products/*/choices/all/composite/0_10.flags.tif", "layers/0_QA_20.tif"),
        ],
    )
    def test_is_named_and_made_again_once_the_advice_is_followed(
        self, made_site: Site, undisturbed: dict[str, str], pattern: str, again: str
    ) -> None:
        (made_site.product() / again).unlink()
        damaged = spoil(made_site, pattern)
        done = made_site.senard()
        assert done.returncode == 4
        found = re.search(rf"{damaged}: expected .* Delete (\S+) and run the same command again\.", done.stderr)
        assert found, done.stderr
        place = damaged if found[1] == "it" else Path(found[1])
        assert place in (damaged, damaged.parent)
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        done = made_site.senard()
        assert done.returncode == 0, done.stderr
        assert contents(made_site.product()) == undisturbed
