"""Files that vanish from the work folder, or are damaged there, after the step that made them was done."""

import csv
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from senard.errors import IncompleteError
from tests.workflows.commands import Site, contents
from workflows.delivered import require_suppliers
from workflows.paths import ProductPaths


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
        lose(made_site, "masks/*/*/scene_20.tif", "safe/*/bands/*/GRANULE/*/IMG_DATA/R10m/*_B04_10m.jp2")
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


class TestSupplier:
    """A scene of a delivered mosaic that can be used no more"""

    def test_takes_nothing_from_it_where_it_is_judged_anew(
        self, made_site: Site, undisturbed: dict[str, str], tmp_path: Path
    ) -> None:
        product, archive = made_site.product(), tmp_path / "rotten"
        shutil.copytree(made_site.archive, archive)
        damaged = damage(archive / f"{largest_supplier(product)}.zip", "_SCL_20m.jp2")
        shutil.rmtree(made_site.out / ".senard")
        (product / "0_10.tif").unlink()
        before = contents(product)
        for words in ({}, {"layers": "SCL"}):
            done = made_site.senard(archive=archive, **words)
            assert done.returncode == 4
            assert re.search(
                rf"{largest_supplier(product)} supplies pixels .* stays as it is\..* --rebuild", done.stderr
            )
            assert contents(product) == before
        shutil.copy(made_site.archive / damaged.name, damaged)
        done = made_site.senard(archive=archive, rebuild="")
        assert done.returncode == 0, done.stderr
        assert contents(product) == undisturbed

    def test_takes_nothing_from_it_where_its_bands_are_decoded(
        self, made_site: Site, undisturbed: dict[str, str]
    ) -> None:
        product = made_site.product()
        for name in ("0_10.tif", "mosaic_10.vrt"):  # an index goes before its tile is made
            (product / name).unlink()
        before = contents(product)
        spoil(made_site, f"safe/{largest_supplier(product)}/bands/*/GRANULE/*/IMG_DATA/R10m/*_B04_10m.jp2")
        for _ in range(2):
            done = made_site.senard()
            assert done.returncode == 4
            assert f"{largest_supplier(product)} supplies pixels of the mosaic" in done.stderr
            assert contents(product) == before
        assert made_site.senard(rebuild="").returncode == 0
        assert contents(product) == undisturbed

    @pytest.mark.parametrize("table", [b"product_id,used\nS2A,true\n", b"\xff\xfe", b"junk\n1\n"])
    def test_may_be_any_where_the_table_of_scenes_is_damaged(self, tmp_path: Path, table: bytes) -> None:
        folder = ProductPaths(folder=tmp_path)
        folder.scenes.write_bytes(table)
        require_suppliers(folder, (), {})
        with pytest.raises(IncompleteError, match="S2A supplies pixels of the mosaic"):
            require_suppliers(folder, (), {"S2A": "its zip is cut short."})


def largest_supplier(product: Path) -> str:
    """product_id of the scene that supplies most of a mosaic."""
    with (product / "scenes.csv").open(encoding="utf-8", newline="") as table:
        return max(csv.DictReader(table), key=lambda row: int(row["pixels"] or 0))["product_id"]


def damage(path: Path, ending: str) -> Path:
    """Overwrite the middle of one file of a zip."""
    with zipfile.ZipFile(path) as archive:
        member = next(member for member in archive.infolist() if member.filename.endswith(ending))
    with path.open("r+b") as file:
        file.seek(member.header_offset + 200 + member.compress_size // 2)
        file.write(b"?" * 100)
    return path
