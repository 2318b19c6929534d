"""The `senard` command."""

from pathlib import Path

import pytest

import senard
from senard.io.product_folder import write_sums
from senard.io.safe import read_product
from workflows.cli import main


class TestVerify:
    """`senard verify`"""

    def test_ends_with_0_for_a_whole_product(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "0_10.tif").write_bytes(b"pixels")
        write_sums(tmp_path, ["0_10.tif"])
        assert main(["verify", str(tmp_path)]) == 0
        assert capsys.readouterr().out == f"{tmp_path} is whole.\n"

    def test_names_what_is_missing_and_changed(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        names = ("0_10.tif", "0_20.tif", "1_10.tif")
        for name in names:
            (tmp_path / name).write_bytes(b"pixels")
        write_sums(tmp_path, names)
        (tmp_path / "0_10.tif").unlink()
        (tmp_path / "1_10.tif").write_bytes(b"others")
        assert main(["verify", str(tmp_path)]) == 4
        told = capsys.readouterr()
        assert told.out == "missing: 0_10.tif\nchanged: 1_10.tif\n"
        assert "2 files" in told.err

    def test_says_that_there_is_no_product(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["verify", str(tmp_path)]) == 4
        assert "is no product" in capsys.readouterr().err

    def test_refuses_a_folder_that_is_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["verify", str(tmp_path / "absent")]) == 2
        assert "there is no such folder" in capsys.readouterr().err

    def test_calls_a_product_whole_that_holds_a_file_of_its_user(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "0_10.tif").write_bytes(b"pixels")
        write_sums(tmp_path, ["0_10.tif"])
        (tmp_path / "notes.txt").write_bytes(b"mine")
        assert main(["verify", str(tmp_path)]) == 0
        assert capsys.readouterr().out == f"unlisted: notes.txt\n{tmp_path} is whole.\n"


class TestMosaicCommand:
    """`senard mosaic`"""

    def test_says_plainly_what_is_wrong(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["mosaic", "--start", "2024-05-01"]) == 2
        told = capsys.readouterr()
        assert told.err.startswith("senard: ")
        assert told.err.count("\n") == 1
        assert told.out == ""

    @pytest.mark.parametrize("address", ["", "host:port", "http://host:8082"])
    def test_refuses_an_address_that_is_none(self, capsys: pytest.CaptureFixture[str], address: str) -> None:
        assert main(["mosaic", "--scheduler", address]) == 2
        assert "--scheduler: expected HOST:PORT" in capsys.readouterr().err


class TestSimulate:
    """`senard simulate`"""

    @pytest.mark.parametrize("share", ["30", "-0.1", "nan"])
    def test_refuses_a_share_of_cloud_in_percent(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: str
    ) -> None:
        with pytest.raises(SystemExit):
            main(["simulate", str(tmp_path / "archive"), f"--cloud={share}"])
        assert "expected a share from 0 to 1" in capsys.readouterr().err

    def test_wants_days_with_its_tiles(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["simulate", str(tmp_path), "--mgrs-tiles", "31UFS"]) == 2
        assert "--dates" in capsys.readouterr().err

    def test_makes_any_tile_on_any_day(self, tmp_path: Path) -> None:
        words = ["--mgrs-tiles", "31UFS", "--dates", "2024-06-15", "--size", "120", "--no-truth", "--njobs", "1"]
        assert main(["simulate", str(tmp_path / "archive"), *words]) == 0
        (product,) = (tmp_path / "archive").glob("*.zip")
        assert product.name.startswith("S2A_MSIL2A_20240615T")
        assert "_T31UFS_" in product.name

    def test_passes_every_place_in_its_own_morning(self, tmp_path: Path) -> None:
        words = ["--dates", "2024-06-15", "--size", "120", "--no-truth", "--njobs", "1", "--baseline", "04.00"]
        assert main(["simulate", str(tmp_path), "--mgrs-tiles", "56HLH", *words]) == 0
        (product,) = tmp_path.glob("*.zip")
        assert product.name.startswith("S2A_MSIL2A_20240615T003031_N0400_")
        assert read_product(product).sun.zenith.max() < 70


class TestVersion:
    """`senard --version`"""

    def test_is_the_library_s(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="0"):
            main(["--version"])
        assert capsys.readouterr().out == f"senard {senard.__version__}\n"
