"""From a zip to a SAFE folder."""

import dataclasses
import io
import shutil
import stat
import struct
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

import senard.io.safe_members
from senard.errors import RequestError, UnusableSceneError
from senard.io.safe import image_path, read_product
from senard.io.unzip import unzip_product
from senard.model.product import Part
from tests.io.made_products import WHOLE_JP2, MadeProduct

MADE = MadeProduct()
TOP = f"{MADE.product_id}.SAFE"
B04 = f"{MADE.image('R10m/B04_10m')}.jp2"


class Usage(NamedTuple):
    """As shutil.disk_usage answers."""

    total: int
    used: int
    free: int


def places(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def rezipped(tmp_path: Path, *extra: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    """The whole product with more members."""
    path = MADE.write_zip(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in extra:
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
    return path


class TestUnzipProduct:
    """A zip becomes a SAFE folder that holds the wanted part, verified, whole or not at all."""

    def test_unpacks_everything(self, tmp_path: Path) -> None:
        root = unzip_product(MADE.write_zip(tmp_path), Part.ALL, tmp_path / "out")
        assert root == tmp_path / "out" / TOP
        assert places(root) == set(MADE.members())
        assert all((root / place).read_bytes() == data for place, data in MADE.members().items())

    def test_unpacks_what_judging_reads(self, tmp_path: Path) -> None:
        root = unzip_product(MADE.write_zip(tmp_path), Part.JUDGE, tmp_path / "out")
        assert {path.name.split("_", 2)[-1] for path in root.rglob("*.jp2")} == {
            "SCL_20m.jp2", "AOT_60m.jp2", "B02_60m.jp2", "B04_60m.jp2", "B8A_60m.jp2", "B11_60m.jp2",
            "60m.jp2", "B02.jp2",
        }  # fmt: skip
        assert read_product(root).scene.product_id == MADE.product_id

    def test_unpacks_what_the_mosaic_delivers(self, tmp_path: Path) -> None:
        root = unzip_product(MADE.write_zip(tmp_path), Part.BANDS, tmp_path / "out")
        names = {path.name[-11:-4] for path in root.rglob("*.jp2")}
        assert names == {f"{band}_10m" for band in ("B02", "B03", "B04", "B08")} | {
            f"{band}_20m" for band in ("B05", "B06", "B07", "B8A", "B11", "B12")
        }
        product = read_product(root)
        assert Path(image_path(product, "B04_10")).read_bytes() == WHOLE_JP2

    @pytest.mark.parametrize("algorithm", ["MD5", "SHA3-256"])
    def test_verifies_the_checksum_of_the_manifest(self, tmp_path: Path, algorithm: str) -> None:
        made = dataclasses.replace(MADE, algorithm=algorithm)
        members = made.members()
        members[B04] = WHOLE_JP2.replace(b"pixels", b"pixelz")  # right size and CRC
        path = tmp_path / f"{made.product_id}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for place, data in members.items():
                archive.writestr(f"{TOP}/{place}", data)
        with pytest.raises(UnusableSceneError, match=r"B04_10m\.jp2 is damaged .* expected [0-9a-f]{32}"):
            unzip_product(path, Part.BANDS, tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []
        assert unzip_product(path, Part.JUDGE, tmp_path / "out").is_dir()  # the part does not hold the changed file

    def test_verifies_the_crc_of_the_zip(self, tmp_path: Path) -> None:
        path = dataclasses.replace(MADE, without=("manifest",)).write_zip(tmp_path, compression=zipfile.ZIP_STORED)
        data = bytearray(path.read_bytes())
        place = data.index(b"pixels", data.index(b"B04_10m"))
        data[place] ^= 1
        path.write_bytes(bytes(data))
        with pytest.raises(UnusableSceneError, match="Bad CRC-32"):
            unzip_product(path, Part.BANDS, tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []

    def test_finds_an_image_without_its_end(self, tmp_path: Path) -> None:
        cut = dataclasses.replace(MADE, images={B04: WHOLE_JP2[:-2]})  # the manifest is of the same opinion
        with pytest.raises(UnusableSceneError, match="does not end with the end marker"):
            unzip_product(cut.write_zip(tmp_path), Part.BANDS, tmp_path / "out")

    def test_names_a_missing_image_of_the_part(self, tmp_path: Path) -> None:
        path = dataclasses.replace(MADE, without=("SCL_20m",)).write_zip(tmp_path)
        with pytest.raises(UnusableSceneError, match="SCL_20m is missing"):
            unzip_product(path, Part.JUDGE, tmp_path / "out")

    def test_works_without_a_manifest(self, tmp_path: Path) -> None:
        path = dataclasses.replace(MADE, without=("manifest",)).write_zip(tmp_path)
        assert (unzip_product(path, Part.BANDS, tmp_path / "out") / B04).is_file()

    def test_says_how_much_the_disk_lacks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = MADE.write_zip(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 99, 1))
        with pytest.raises(RequestError, match=r"the disk is full: \d+ MB are needed, 0 MB are free"):
            unzip_product(path, Part.ALL, tmp_path / "out")

    def test_says_so_when_the_disk_fills_on_the_way(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        path = MADE.write_zip(tmp_path)
        monkeypatch.setattr("senard.io.unzip._copy", full)
        with pytest.raises(RequestError, match="the disk is full"):
            unzip_product(path, Part.ALL, tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []


class TestUnzipFolder:
    """A product that is a folder already is verified in place and linked to."""

    def test_links_to_the_folder(self, tmp_path: Path) -> None:
        folder = MADE.write_folder(tmp_path / "archive")
        root = unzip_product(folder, Part.ALL, tmp_path / "out")
        assert root.is_symlink()
        assert root.resolve() == folder
        assert read_product(root).scene.product_id == MADE.product_id

    def test_follows_a_link_to_the_folder(self, tmp_path: Path) -> None:
        folder = MADE.write_folder(tmp_path / "archive")
        link = tmp_path / "downloads" / TOP
        link.parent.mkdir()
        link.symlink_to(folder)
        assert unzip_product(link, Part.JUDGE, tmp_path / "out").resolve() == folder

    def test_verifies_its_checksums(self, tmp_path: Path) -> None:
        folder = MADE.write_folder(tmp_path / "archive")
        (folder / B04).write_bytes(WHOLE_JP2.replace(b"pixels", b"pixelz"))
        assert unzip_product(folder, Part.JUDGE, tmp_path / "judge").is_symlink()
        with pytest.raises(UnusableSceneError, match=r"B04_10m\.jp2 is damaged"):
            unzip_product(folder, Part.BANDS, tmp_path / "bands")


def a_link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{TOP}/link")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


class TestHostileZips:
    """What a zip says about itself is not trusted."""

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            (f"{TOP}/../../evil.txt", "leads elsewhere"),
            ("../evil.txt", "leads elsewhere"),
            ("/tmp/evil.txt", "absolute"),
            ("C:/evil.txt", "absolute"),
            (f"{TOP}\\evil.txt", "backslash"),
            (f"{TOP}//evil.txt", "leads elsewhere"),
            ("OTHER.SAFE/evil.txt", "expected one folder"),
            ("evil.txt", "expected one folder"),
            (f"{TOP}/MTD_MSIL2A.xml", "twice"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_are_refused_for_their_names(self, tmp_path: Path, name: str, why: str) -> None:
        with pytest.raises(UnusableSceneError, match=why):
            unzip_product(rezipped(tmp_path / "in", (name, b"evil")), Part.ALL, tmp_path / "out")
        assert not list(tmp_path.rglob("evil.txt"))

    def test_are_refused_for_links(self, tmp_path: Path) -> None:
        with pytest.raises(UnusableSceneError, match="a link or a device"):
            unzip_product(rezipped(tmp_path, (a_link(), b"/etc/passwd")), Part.ALL, tmp_path / "out")

    def test_are_refused_for_packing_too_well(self, tmp_path: Path) -> None:
        with pytest.raises(UnusableSceneError, match="zip bomb"):
            unzip_product(rezipped(tmp_path, (f"{TOP}/bomb", bytes(20_000_000))), Part.ALL, tmp_path / "out")

    def test_are_refused_for_their_size_in_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(senard.io.safe_members, "MAX_TOTAL_BYTES", 1000)
        with pytest.raises(UnusableSceneError, match="would unpack to"):
            unzip_product(MADE.write_zip(tmp_path), Part.ALL, tmp_path / "out")

    def test_are_refused_for_the_number_of_members(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(senard.io.safe_members, "MAX_MEMBERS", 10)
        with pytest.raises(UnusableSceneError, match="more than 10"):
            unzip_product(MADE.write_zip(tmp_path), Part.ALL, tmp_path / "out")

    def test_are_refused_for_encryption(self, tmp_path: Path) -> None:
        path = MADE.write_zip(tmp_path)
        data = bytearray(path.read_bytes())
        entry = data.index(b"PK\x01\x02")  # first entry of the central directory
        struct.pack_into("<H", data, entry + 8, 1)
        path.write_bytes(bytes(data))
        with pytest.raises(UnusableSceneError, match="encrypted"):
            unzip_product(path, Part.ALL, tmp_path / "out")

    def test_are_stopped_when_a_member_is_longer_than_stated(self, tmp_path: Path) -> None:
        path = MADE.write_zip(tmp_path, compression=zipfile.ZIP_STORED)
        data = bytearray(path.read_bytes())
        entry = data.index(B04.encode(), data.index(b"PK\x01\x02")) - len(TOP) - 1 - 46
        struct.pack_into("<I", data, entry + 24, 6)  # the directory now says 6 bytes
        path.write_bytes(bytes(data))
        with pytest.raises(UnusableSceneError, match="B04_10m"):
            unzip_product(path, Part.BANDS, tmp_path / "out")

    @pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + bytes(18), b"not a zip", bytes(100)])
    def test_are_refused_when_they_are_none(self, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / f"{MADE.product_id}.zip"
        path.write_bytes(data)
        with pytest.raises(UnusableSceneError, match=MADE.product_id):
            unzip_product(path, Part.ALL, tmp_path / "out")

    def test_never_break_anything_else_when_bytes_are_changed(self, tmp_path: Path) -> None:
        whole = io.BytesIO(MADE.write_zip(tmp_path / "whole").read_bytes()).getvalue()
        path = tmp_path / f"{MADE.product_id}.zip"
        refused = 0
        for place in range(3, len(whole), len(whole) // 60):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
            try:
                unzip_product(path, Part.ALL, tmp_path / f"out{place}")
            except UnusableSceneError:
                refused += 1
        assert refused > 40
