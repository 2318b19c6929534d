"""The product folder: which files a call asks for, their checksums, and whether they are whole."""

import shutil
import subprocess
from pathlib import Path

import pytest

from senard.errors import IncompleteError
from senard.io.product_folder import (
    Problem,
    ProblemKind,
    expected_files,
    is_whole,
    read_sums,
    verify_folder,
    write_sums,
)
from senard.model.grid import Tile

TILES = tuple(
    Tile(index=index, crs="EPSG:3857", left=index * 100_000, bottom=0, right=(index + 1) * 100_000, top=100_000)
    for index in (0, 1)
)

NAMES = ("0_10.tif", "0_20.tif", "layers/0_QA_20.tif", "scenes.csv")
"""What the product may hold."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A product folder with three files, its checksums written."""
    folder = tmp_path / "helsinki_20240401_20240930_5f2a91cc"
    (folder / "layers").mkdir(parents=True)
    (folder / "0_10.tif").write_bytes(b"ten")
    (folder / "layers" / "0_QA_20.tif").write_bytes(b"quality")
    (folder / "scenes.csv").write_bytes(b"source\n")
    (folder / "run.json").write_bytes(b"{}")
    write_sums(folder, NAMES)
    return folder


class TestExpectedFiles:
    """A call asks for the files of its own resolutions."""

    def test_of_both_resolutions_are_every_tile_twice_and_what_describes_them(self) -> None:
        assert set(expected_files(TILES, (10, 20))) == {
            *("0_10.tif", "0_20.tif", "1_10.tif", "1_20.tif", "layers/0_QA_20.tif", "layers/1_QA_20.tif"),
            *("mosaic_10.vrt", "mosaic_10.qml", "mosaic_20.vrt", "mosaic_20.qml", "layers/QA_20.vrt"),
            *("layers/QA_20.qml", "scenes.csv", "tiles.geojson", "report.html", "quicklook.png", "quicklook.pgw"),
            "acquisition_date.png",
        }

    def test_of_a_layer_are_one_file_per_tile_its_index_and_its_style(self) -> None:
        assert set(expected_files(TILES, (20,), ("SCL",))) - set(expected_files(TILES, (20,))) == {
            *("layers/0_SCL_20.tif", "layers/1_SCL_20.tif", "layers/SCL_20.vrt", "layers/SCL_20.qml")
        }

    def test_of_10_m_alone_hold_no_20_m_mosaic_but_the_quality_layer(self) -> None:
        names = expected_files(TILES, (10,))
        assert "layers/1_QA_20.tif" in names
        assert not {"0_20.tif", "mosaic_20.vrt", "mosaic_20.qml"} & set(names)


class TestWriteSums:
    """SHA256SUMS lists what a product holds."""

    def test_is_read_by_coreutils(self, folder: Path) -> None:
        if shutil.which("sha256sum") is None:
            pytest.skip("sha256sum is absent")
        done = subprocess.run(
            ["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.splitlines()) == (
            0,
            ["0_10.tif: OK", "layers/0_QA_20.tif: OK", "scenes.csv: OK"],
        )

    def test_states_the_known_digest_of_known_bytes(self, folder: Path) -> None:
        (folder / "0_10.tif").write_bytes(b"abc")
        write_sums(folder, NAMES)
        assert read_sums(folder)["0_10.tif"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    def test_leaves_out_figures_of_the_run_itself_and_half_made_files(self, folder: Path) -> None:
        (folder / ".0_20.1a2b3c4d.partial.tif").write_bytes(b"half")
        before = (folder / "SHA256SUMS").read_bytes()
        write_sums(folder, NAMES)
        assert (folder / "SHA256SUMS").read_bytes() == before

    def test_never_takes_in_what_a_user_has_put_there(self, folder: Path) -> None:
        before = (folder / "SHA256SUMS").read_bytes()
        (folder / "my.txt").write_bytes(b"mine")
        (folder / "layers" / "my.txt").write_bytes(b"mine")
        write_sums(folder, NAMES)
        assert (folder / "SHA256SUMS").read_bytes() == before

    def test_takes_in_what_a_later_call_adds(self, folder: Path) -> None:
        (folder / "0_20.tif").write_bytes(b"twenty")
        assert not is_whole(folder, ["0_10.tif", "0_20.tif"])
        write_sums(folder, NAMES)
        assert is_whole(folder, ["0_10.tif", "0_20.tif"])
        assert verify_folder(folder) == ()


class TestIsWhole:
    """A product is whole for a call if SHA256SUMS lists every file that the call asks for."""

    def test_without_reading_what_the_call_does_not_ask_for(self, folder: Path) -> None:
        (folder / "scenes.csv").unlink()
        assert is_whole(folder, ["0_10.tif", "layers/0_QA_20.tif"])

    def test_is_false_where_a_listed_file_is_gone(self, folder: Path) -> None:
        (folder / "0_10.tif").unlink()
        assert not is_whole(folder, ["0_10.tif"])

    def test_is_false_where_checksums_or_the_folder_are_absent(self, folder: Path) -> None:
        (folder / "SHA256SUMS").unlink()
        assert not is_whole(folder, ["0_10.tif"])
        assert not is_whole(folder / "absent", ["0_10.tif"])


class TestVerifyFolder:
    """`senard verify` names what is not as it was made."""

    def test_finds_nothing_in_a_whole_product_wherever_it_is_moved(self, folder: Path, tmp_path: Path) -> None:
        assert verify_folder(folder.rename(tmp_path / "elsewhere")) == ()

    def test_names_missing_changed_and_unlisted_files(self, folder: Path) -> None:
        (folder / "scenes.csv").unlink()
        (folder / "0_10.tif").write_bytes(b"tem")
        (folder / "layers" / "notes.txt").write_bytes(b"mine")
        assert [str(problem) for problem in verify_folder(folder)] == [
            "changed: 0_10.tif",
            "unlisted: layers/notes.txt",
            "missing: scenes.csv",
        ]

    def test_passes_over_what_a_viewer_writes_beside_a_raster(self, folder: Path) -> None:
        (folder / "0_10.tif.aux.xml").write_bytes(b"<PAMDataset/>")
        assert verify_folder(folder) == ()

    def test_says_so_where_the_product_was_never_finished(self, folder: Path) -> None:
        (folder / "SHA256SUMS").unlink()
        assert verify_folder(folder) == (Problem(kind=ProblemKind.MISSING, name="SHA256SUMS"),)

    @pytest.mark.parametrize("name", ["/etc/passwd", "../other/0_10.tif", "layers/../../x"])
    def test_never_reads_outside_the_folder(self, folder: Path, name: str) -> None:
        (folder / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")
        with pytest.raises(IncompleteError, match="line 1: expected a SHA-256"):
            verify_folder(folder)
