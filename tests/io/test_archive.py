"""A folder of products as catalogue and source."""

import dataclasses
import zipfile
from datetime import date
from pathlib import Path

import pytest
import shapely

from senard.errors import RequestError, TransientError
from senard.io.archive import LocalArchive
from senard.model.product import Part
from senard.model.request import MosaicRequest
from senard.model.scene import QueriedScene, Sentinel2Scene
from tests.io.made_products import MadeProduct

MADE = MadeProduct()
OTHER = dataclasses.replace(
    MADE,
    product_id="S2B_MSIL2A_20240625T104619_N0510_R051_T31TCJ_20240625T133822",
    sensing_time="2024-06-25T10:56:45Z",
    datastrip_time="20240625T104832",
)
REQUEST = MosaicRequest(
    name="test", aoi=shapely.box(1, 43, 2, 44), first_day=date(2024, 6, 1), last_day=date(2024, 6, 30)
)


def search(root: Path) -> list[Sentinel2Scene | QueriedScene]:
    return list(LocalArchive(root).search(REQUEST))


class TestLocalArchive:
    """Zips and SAFE folders at any depth, each told once, always in the same order."""

    def test_finds_products_at_any_depth(self, tmp_path: Path) -> None:
        OTHER.write_zip(tmp_path / "2024" / "06")
        MADE.write_folder(tmp_path / "a" / "b" / "c")
        found = search(tmp_path)
        assert [product.product_id for product in found] == [MADE.product_id, OTHER.product_id]
        assert all(isinstance(product, Sentinel2Scene) for product in found)

    @pytest.mark.parametrize("ending", [".zip", ".SAFE.zip", ".ZIP"])
    def test_knows_the_endings_that_archives_give_to_zips(self, tmp_path: Path, ending: str) -> None:
        path = MADE.write_zip(tmp_path)
        path.rename(tmp_path / f"{MADE.product_id}{ending}")
        (found,) = search(tmp_path)
        assert isinstance(found, Sentinel2Scene)

    def test_finds_a_folder_without_the_suffix(self, tmp_path: Path) -> None:
        root = MADE.write_folder(tmp_path)
        root.rename(root.with_suffix(""))
        assert [product.product_id for product in search(tmp_path)] == [MADE.product_id]

    def test_finds_a_product_unpacked_into_a_folder_of_its_name(self, tmp_path: Path) -> None:
        root = MADE.write_folder(tmp_path / MADE.product_id)
        (found,) = search(tmp_path)
        assert isinstance(found, Sentinel2Scene)
        assert found.location == root

    def test_passes_over_what_is_no_product(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
            archive.writestr("photos/a.jpg", b"")
        (tmp_path / "broken.zip").write_bytes(b"PK")
        (tmp_path / "S1A_IW_GRDH_1SDV_20240615.SAFE").mkdir()
        (tmp_path / ".hidden").mkdir()
        MADE.write_folder(tmp_path / ".hidden")
        assert search(tmp_path) == []

    def test_does_not_look_for_products_inside_products(self, tmp_path: Path) -> None:
        root = MADE.write_folder(tmp_path)
        OTHER.write_zip(root / "HTML")
        assert [product.product_id for product in search(tmp_path)] == [MADE.product_id]

    def test_is_not_caught_by_links_that_lead_in_a_circle(self, tmp_path: Path) -> None:
        MADE.write_zip(tmp_path / "a")
        (tmp_path / "a" / "again").symlink_to(tmp_path)
        assert [product.product_id for product in search(tmp_path)] == [MADE.product_id]

    def test_follows_a_link_to_another_disk(self, tmp_path: Path) -> None:
        MADE.write_zip(tmp_path / "disk")
        (tmp_path / "archive").mkdir()
        (tmp_path / "archive" / "disk").symlink_to(tmp_path / "disk")
        assert [product.product_id for product in search(tmp_path / "archive")] == [MADE.product_id]

    def test_leaves_out_a_broken_zip_with_the_reason(self, tmp_path: Path) -> None:
        OTHER.write_zip(tmp_path)
        path = MADE.write_zip(tmp_path)
        path.write_bytes(path.read_bytes()[:1000])
        broken, good = search(tmp_path)
        assert isinstance(broken, QueriedScene)
        assert (broken.product_id, broken.kept, broken.scene) == (MADE.product_id, False, None)
        assert "not a whole zip" in broken.reason
        assert good.product_id == OTHER.product_id

    @pytest.mark.parametrize("name", [f"{OTHER.product_id}.zip", "renamed.zip"])
    def test_leaves_out_a_zip_that_holds_another_product(self, tmp_path: Path, name: str) -> None:
        path = MADE.write_zip(tmp_path)
        path.rename(tmp_path / name)
        (entry,) = search(tmp_path)
        assert isinstance(entry, QueriedScene)
        assert "give it its own name back" in entry.reason

    def test_uses_one_of_two_copies(self, tmp_path: Path) -> None:
        MADE.write_zip(tmp_path / "a")
        folder = MADE.write_folder(tmp_path / "b")
        used, second = search(tmp_path)
        assert isinstance(used, Sentinel2Scene)
        assert used.location == folder
        assert isinstance(second, QueriedScene)
        assert str(folder) in second.reason

    def test_uses_the_whole_one_of_two_copies(self, tmp_path: Path) -> None:
        dataclasses.replace(MADE, without=("SCL_20m",)).write_folder(tmp_path / "a")
        path = MADE.write_zip(tmp_path / "b")
        broken, used = search(tmp_path)
        assert isinstance(broken, QueriedScene)
        assert isinstance(used, Sentinel2Scene)
        assert used.location == path

    def test_must_be_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="is not a folder"):
            LocalArchive(tmp_path / "none")


class TestFetch:
    """A local archive brings a product by a link."""

    @pytest.mark.parametrize("zipped", [True, False])
    def test_links_to_the_product(self, tmp_path: Path, zipped: bool) -> None:
        location = MADE.write_zip(tmp_path / "in") if zipped else MADE.write_folder(tmp_path / "in")
        (scene,) = search(tmp_path / "in")
        assert isinstance(scene, Sentinel2Scene)
        (tmp_path / "out").mkdir()
        LocalArchive(tmp_path / "in").fetch(scene, Part.JUDGE, tmp_path / "out")
        (link,) = (tmp_path / "out").iterdir()
        assert link.name == f"{MADE.product_id}.{'zip' if zipped else 'SAFE'}"
        assert link.resolve() == location

    def test_says_that_a_product_is_gone(self, tmp_path: Path) -> None:
        path = MADE.write_zip(tmp_path)
        (scene,) = search(tmp_path)
        path.unlink()
        assert isinstance(scene, Sentinel2Scene)
        with pytest.raises(TransientError, match="Mount the disk or put the product back"):
            LocalArchive(tmp_path).fetch(scene, Part.ALL, tmp_path)

    def test_says_that_a_zip_has_changed(self, tmp_path: Path) -> None:
        path = MADE.write_zip(tmp_path)
        (scene,) = search(tmp_path)
        path.write_bytes(path.read_bytes() + b"more")
        assert isinstance(scene, Sentinel2Scene)
        with pytest.raises(TransientError, match="bytes when the archive was searched"):
            LocalArchive(tmp_path).fetch(scene, Part.ALL, tmp_path)
