"""Download and unzip: the way of one product from a source to a verified SAFE folder."""

import dataclasses
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.io import MemoryFile

from senard.errors import TransientError, UnusableSceneError
from senard.io.archive import LocalArchive
from senard.io.safe import read_product
from senard.io.scenes_file import read_verdict
from senard.io.sources import Told, untold
from senard.model.product import Part
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.steps.download_product import download_product
from senard.steps.unzip import unzip
from tests.io.made_products import L2A_IMAGES, WHOLE_JP2, MadeProduct


def band(gsd: int, size: int, left: float = 300_000) -> bytes:
    """A band of zeros, JPEG 2000."""
    profile = {"driver": "JP2OpenJPEG", "width": size, "height": size, "count": 1, "dtype": "uint16"}
    transform = Affine(gsd, 0, left, 0, -gsd, 4_900_020)
    with MemoryFile(ext=".jp2") as file:
        with file.open(**profile, crs="EPSG:32631", transform=transform) as dataset:
            dataset.write(np.zeros((1, size, size), dtype=np.uint16))
        return bytes(file.read())


def made(**changes: bytes) -> MadeProduct:
    """A product whose bands can be opened: 600 m of ground; a change is a band's other file: B05_20m."""
    names = [name for name in L2A_IMAGES if name.startswith(("R10m/B", "R20m/B"))]
    files = {10: band(10, 60), 20: band(20, 30)}
    images = {name: changes.get(name[5:], files[int(name[1:3])]) for name in names}
    plain = MadeProduct(size=60)
    return dataclasses.replace(plain, images={f"{plain.image(name)}.jp2": data for name, data in images.items()})


MADE = made()
REQUEST = MosaicRequest(
    name="test", aoi=shapely.box(1, 43, 2, 44), first_day=date(2024, 6, 1), last_day=date(2024, 6, 30)
)


def archived(root: Path, made: MadeProduct = MADE, *, zipped: bool = True) -> tuple[LocalArchive, Sentinel2Scene]:
    _ = made.write_zip(root) if zipped else made.write_folder(root)
    archive = LocalArchive(root)
    (scene,) = archive.search(REQUEST)
    assert isinstance(scene, Sentinel2Scene)
    return archive, scene


class TestDownloadProduct:
    """What a source brought lies in a folder of its own, whole or not at all."""

    def test_links_to_a_product_of_the_archive(self, tmp_path: Path) -> None:
        archive, scene = archived(tmp_path / "archive")
        out = download_product(scene, archive, Part.JUDGE, tmp_path / "downloads" / scene.product_id / "judge")
        assert [path.name for path in out.iterdir()] == [f"{scene.product_id}.zip"]

    def test_leaves_nothing_where_the_source_fails(self, tmp_path: Path) -> None:
        archive, scene = archived(tmp_path / "archive")
        assert scene.location is not None
        scene.location.unlink()
        with pytest.raises(TransientError):
            download_product(scene, archive, Part.JUDGE, tmp_path / "downloads" / scene.product_id / "judge")
        assert list((tmp_path / "downloads" / scene.product_id).iterdir()) == []

    def test_gives_a_verdict_on_a_product_that_is_not_to_be_had(self, tmp_path: Path) -> None:
        class Deleted:
            def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:  # noqa: ARG002
                raise UnusableSceneError("deleted by the agency")

        _, scene = archived(tmp_path / "archive")
        out = download_product(scene, Deleted(), Part.JUDGE, tmp_path / scene.product_id / "judge")
        assert read_verdict(out) == "deleted by the agency"


class TestUnzip:
    """A verified SAFE folder, or a verdict."""

    @pytest.mark.parametrize("zipped", [True, False])
    @pytest.mark.parametrize("part", list(Part))
    def test_brings_a_readable_product(self, tmp_path: Path, part: Part, zipped: bool) -> None:
        archive, scene = archived(tmp_path / "archive", zipped=zipped)
        download = download_product(scene, archive, part, tmp_path / "downloads" / scene.product_id / part.value)
        out = unzip(download, part, tmp_path / "safe" / scene.product_id / part.value)
        (root,) = out.glob("*.SAFE")
        assert root.name == f"{scene.product_id}.SAFE"
        assert root.is_symlink() is not zipped
        product = read_product(root)
        assert dataclasses.replace(product.scene, location=scene.location, size_bytes=scene.size_bytes) == scene
        assert ("SCL_20" in product.images) is (part in (Part.JUDGE, Part.DETECT, Part.ALL) or not zipped)

    def test_gives_a_verdict_on_a_damaged_product_and_leaves_nothing_else(self, tmp_path: Path) -> None:
        changed = {**MADE.images, f"{MADE.image('R20m/SCL_20m')}.jp2": WHOLE_JP2}
        archive, scene = archived(tmp_path / "archive", dataclasses.replace(MADE, images=changed), zipped=False)
        place = f"{MADE.image('R20m/SCL_20m')}.jp2"
        (scene.location / place).write_bytes(WHOLE_JP2.replace(b"pixels", b"pixelz"))
        download = download_product(scene, archive, Part.JUDGE, tmp_path / "downloads" / scene.product_id / "judge")
        out = unzip(download, Part.JUDGE, tmp_path / "safe" / scene.product_id / "judge")
        assert [path.name for path in out.iterdir()] == ["unusable.json"]
        reason = str(read_verdict(out))
        assert reason.startswith(f"{scene.location}: ")  # the user's own folder, not the link to it
        assert "SCL_20m.jp2 is damaged" in reason

    @pytest.mark.parametrize("zipped", [True, False])
    @pytest.mark.parametrize(
        ("data", "found"),
        [
            (band(60, 10), "expected 30 x 30 pixels of uint16 by the granule's XML, found 10 x 10 pixels of uint16"),
            (band(20, 30, left=300_020), "at 32631, 300000, 4900020 by the granule's XML, found"),
            (WHOLE_JP2, "cannot be decoded"),
        ],
    )
    def test_gives_a_verdict_on_a_whole_file_that_is_not_the_band(
        self, tmp_path: Path, data: bytes, found: str, zipped: bool
    ) -> None:
        archive, scene = archived(tmp_path / "archive", made(B05_20m=data), zipped=zipped)
        download = download_product(scene, archive, Part.BANDS, tmp_path / "downloads" / scene.product_id / "bands")
        out = unzip(download, Part.BANDS, tmp_path / "safe" / scene.product_id / "bands")
        assert [path.name for path in out.iterdir()] == ["unusable.json"]
        reason = str(read_verdict(out))
        assert reason.startswith(f"{scene.product_id}: {MADE.image('R20m/B05_20m')}.jp2")
        assert found in reason
        assert "partial" not in reason
        assert scene.location.exists()

    def test_passes_a_verdict_on(self, tmp_path: Path) -> None:
        download = tmp_path / "downloads" / MADE.product_id / "judge"
        download.mkdir(parents=True)
        (download / "unusable.json").write_text('{"product_id": "x", "reason": "deleted"}', encoding="utf-8")
        out = unzip(download, Part.JUDGE, tmp_path / "safe" / MADE.product_id / "judge")
        assert read_verdict(out) == "deleted"

    @pytest.mark.parametrize("names", [(), ("a.zip", "b.zip"), ("another.zip",)])
    def test_gives_a_verdict_on_a_download_of_something_else(self, tmp_path: Path, names: tuple[str, ...]) -> None:
        download = tmp_path / "downloads" / MADE.product_id / "judge"
        download.mkdir(parents=True)
        for name in names:
            (download / name).write_bytes(b"")
        out = unzip(download, Part.JUDGE, tmp_path / "safe" / MADE.product_id / "judge")
        assert "Delete this folder and run again" in str(read_verdict(out))

    def test_is_the_same_a_second_time(self, tmp_path: Path) -> None:
        archive, scene = archived(tmp_path / "archive")
        download = download_product(scene, archive, Part.ALL, tmp_path / "downloads" / scene.product_id / "all")
        for _ in range(2):
            out = unzip(download, Part.ALL, tmp_path / "safe" / scene.product_id / "all")
            assert [path.name for path in out.glob("[!.]*")] == [f"{scene.product_id}.SAFE"]
        assert [path.name for path in out.parent.iterdir()] == ["all"]
