"""Whole products: what is a whole zip, and what is done about one that is there already."""

import hashlib
import logging
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from senard.errors import StorageError, UnusableSceneError
from senard.io.progress_file import ProgressFile
from senard.io.whole_products import held_product
from senard.io.zip_check import sound_bytes, verify_zip
from senard.model.product import Part
from senard.model.remote import ChecksumKind
from tests.io.made_products import MadeProduct
from tests.io.served import Served, large_product, served

MADE = MadeProduct()


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with served(tmp_path, monkeypatch) as one:
        yield one


def spoil(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The same zip with other members, all with right CRCs."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members.items():
            changed = change(name, data)
            if changed is not None:
                new.writestr(name, changed)
    return path


class TestVerifyZip:
    """A zip is whole if its directory, its CRCs and its manifest agree."""

    @pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    @pytest.mark.parametrize("algorithm", ["MD5", "SHA3-256"])
    def test_accepts_a_whole_one_under_any_name(self, tmp_path: Path, compression: int, algorithm: str) -> None:
        path = MadeProduct(algorithm=algorithm).write_zip(tmp_path, compression=compression)
        path = path.rename(tmp_path / "x.zip.part")
        verify_zip(path, MADE.product_id)
        with zipfile.ZipFile(path) as archive:
            assert sound_bytes(path) == archive.start_dir

    def test_refuses_another_product(self, tmp_path: Path) -> None:
        other = MADE.product_id.replace("31TCJ", "31TDJ")
        with pytest.raises(UnusableSceneError, match=rf"expected {other}\.SAFE in it, found {MADE.product_id}"):
            verify_zip(MADE.write_zip(tmp_path), other)

    def test_refuses_a_wrong_crc(self, tmp_path: Path) -> None:
        path = MADE.write_zip(tmp_path, compression=zipfile.ZIP_STORED)
        with zipfile.ZipFile(path) as archive:
            entry = archive.infolist()[5]
        spoil(path, entry.header_offset + 30 + len(entry.filename) + 2)
        with pytest.raises(UnusableSceneError, match=f"(?s){entry.filename} is damaged.*CRC-32"):
            verify_zip(path, MADE.product_id)
        assert sound_bytes(path) == entry.header_offset

    def test_refuses_a_wrong_checksum_of_the_manifest(self, tmp_path: Path) -> None:
        path = rewritten(
            MADE.write_zip(tmp_path), lambda name, data: data[:-1] + b"?" if name.endswith("SCL_20m.jp2") else data
        )
        with pytest.raises(UnusableSceneError, match=r"SCL_20m\.jp2 is damaged.*sha3_256.*manifest\.safe states"):
            verify_zip(path, MADE.product_id)

    def test_refuses_one_without_an_image_that_the_manifest_names(self, tmp_path: Path) -> None:
        path = rewritten(MADE.write_zip(tmp_path), lambda name, data: None if name.endswith("B04_10m.jp2") else data)
        with pytest.raises(UnusableSceneError, match=r"1 are missing: GRANULE/.*B04_10m\.jp2"):
            verify_zip(path, MADE.product_id)

    def test_accepts_one_without_a_page_that_the_manifest_names(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = rewritten(MADE.write_zip(tmp_path), lambda name, data: None if name.endswith(".html") else data)
        with caplog.at_level(logging.WARNING, "senard"):
            verify_zip(path, MADE.product_id)
        assert "HTML/UserProduct_index.html, which is not there" in caplog.text

    def test_refuses_one_that_is_cut_short(self, tmp_path: Path) -> None:
        path = MADE.write_zip(tmp_path, compression=zipfile.ZIP_STORED)
        with zipfile.ZipFile(path) as archive:
            starts = [entry.header_offset for entry in archive.infolist()]
        path.write_bytes(path.read_bytes()[: starts[7] + 40])
        with pytest.raises(UnusableSceneError, match="not a whole zip"):
            verify_zip(path, MADE.product_id)
        assert sound_bytes(path) == starts[7]

    def test_accepts_sizes_that_the_manifest_states_wrongly(self, tmp_path: Path) -> None:
        path = rewritten(
            MADE.write_zip(tmp_path),
            lambda name, data: data.replace(b'size="12"', b'size="99"') if name.endswith("manifest.safe") else data,
        )
        verify_zip(path, MADE.product_id)


class TestWhatIsThere:
    """A product in the download folder is fetched again only if it is not whole."""

    def test_a_fetched_one_is_listed(self, product: Served) -> None:
        path = product.fetch()
        (entry,) = ProgressFile(path.parent).entries().values()
        assert (entry.file, entry.size_bytes, entry.source) == (path.name, path.stat().st_size, "cdse")
        (checksum,) = entry.checksums
        assert checksum in product.remote.checksums
        assert checksum.kind is ChecksumKind.BLAKE3

    def test_a_listed_one_is_neither_fetched_nor_read(self, product: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        product.fetch()
        monkeypatch.setattr("senard.io.whole_products.verify_zip", lambda *_: pytest.fail("it was read again"))
        product.fetch()
        assert len(product.emulator.asked("download")) == 1

    @pytest.mark.parametrize("part", [Part.JUDGE, Part.ALL])
    def test_one_that_is_not_listed_is_verified_and_listed(self, product: Served, part: Part) -> None:
        product.access.download_dir.mkdir()
        (product.access.download_dir / product.zip.name).write_bytes(product.zip.read_bytes())
        path = product.fetch(part)
        assert product.emulator.asked("download") == []
        assert ProgressFile(path.parent).entries()[path.name].source == "found"

    def test_one_that_was_changed_is_fetched_from_the_damage_on(self, product: Served) -> None:
        path = product.access.download_dir / product.zip.name
        path.parent.mkdir()
        path.write_bytes(product.zip.read_bytes())
        spoil(path, path.stat().st_size - 3000)
        assert product.fetch().read_bytes() == product.zip.read_bytes()
        assert product.emulator.bytes_sent() < path.stat().st_size / 4

    def test_one_that_is_cut_short_is_resumed(self, product: Served) -> None:
        path = product.access.download_dir / product.zip.name
        path.parent.mkdir()
        path.write_bytes(product.zip.read_bytes()[:200_000])
        assert product.fetch().read_bytes() == product.zip.read_bytes()
        assert [one.headers["range"] for one in product.emulator.asked("download")] == ["bytes=200000-"]

    def test_one_that_the_catalogue_has_replaced_is_fetched_again(self, product: Served) -> None:
        path = product.fetch()
        path.write_bytes(path.read_bytes()[:-1] + b"x")  # as long as the listed one, and another
        ProgressFile(path.parent).path.write_text(
            ProgressFile(path.parent).path.read_text().replace(product.remote.checksums[1].value, "0" * 64)
        )
        assert product.fetch().read_bytes() == product.zip.read_bytes()

    def test_one_that_was_deleted_is_fetched_again(self, product: Served) -> None:
        product.fetch().unlink()
        assert product.fetch().read_bytes() == product.zip.read_bytes()

    @pytest.mark.parametrize("ending", ["", ".part"])
    def test_one_whose_name_a_folder_bears_is_refused(self, product: Served, ending: str) -> None:
        (product.access.download_dir / f"{product.zip.name}{ending}").mkdir(parents=True)
        with pytest.raises(StorageError, match=rf"\.zip{ending}: expected a file or nothing, found a folder"):
            product.fetch()
        assert product.emulator.asked("download") == []

    def test_a_folder_counts_as_held(self, product: Served) -> None:
        folder = large_product().write_folder(product.access.download_dir)
        assert held_product(product.scene.product_id, product.remote, product.access.download_dir) == folder
        assert product.fetch() == folder

    def test_one_without_any_checksum_is_verified_by_its_manifest(self, product: Served) -> None:
        product.emulator.products.forget_checksum(product.scene.product_id)
        path = product.fetch(scene=product.again())
        assert hashlib.md5(path.read_bytes()).hexdigest() == product.remote.checksums[0].value
        assert ProgressFile(path.parent).entries()[path.name].checksums == ()
