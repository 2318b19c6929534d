"""Results that appear whole or not at all."""

from pathlib import Path

import pytest

from senard.io.atomic import LISTING, is_as_listed, listed_directory, partial_directory, partial_file


class TestPartialFile:
    """A file under its final name is whole."""

    def test_keeps_the_suffix_and_the_folder_while_it_is_written(self, tmp_path: Path) -> None:
        with partial_file(tmp_path / "new" / "0_10.tif") as partial:
            partial.write_text("whole")
            assert (partial.parent, partial.suffix) == (tmp_path / "new", ".tif")
        assert (tmp_path / "new" / "0_10.tif").read_text() == "whole"

    def test_leaves_what_was_there_when_the_writer_fails(self, tmp_path: Path) -> None:
        final = tmp_path / "a.json"
        final.write_text("old")
        with pytest.raises(OSError, match="disk"), partial_file(final) as partial:
            partial.write_text("half")
            raise OSError("disk")
        assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
        assert final.read_text() == "old"


class TestPartialDirectory:
    """A folder under its final name is whole."""

    def test_replaces_an_older_folder(self, tmp_path: Path) -> None:
        final = tmp_path / "masks"
        final.mkdir()
        (final / "old.tif").write_text("old")
        with partial_directory(final) as partial:
            (partial / "new.tif").write_text("new")
        assert [path.name for path in final.iterdir()] == ["new.tif"]
        assert list(tmp_path.iterdir()) == [final]

    def test_leaves_what_was_there_when_the_writer_fails(self, tmp_path: Path) -> None:
        final = tmp_path / "masks"
        final.mkdir()
        with pytest.raises(OSError, match="disk"), partial_directory(final):
            raise OSError("disk")
        assert list(tmp_path.iterdir()) == [final]


class TestListedDirectory:
    """A folder that lists its files is as listed"""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        with listed_directory(tmp_path / "masks") as partial:
            (partial / "scene.json").write_text("{}")
            (partial / "participants").mkdir()
            (partial / "participants" / "2.tif").write_text("pixels")
        return tmp_path / "masks"

    def test_while_nothing_is_lost(self, folder: Path) -> None:
        assert is_as_listed(folder)
        (folder / "scene.json.aux.xml").write_text("somebody's own")
        assert is_as_listed(folder)

    def test_no_more_once_a_file_is_lost(self, folder: Path) -> None:
        (folder / "participants" / "2.tif").unlink()
        assert not is_as_listed(folder)

    def test_no_more_once_a_file_is_cut_short(self, folder: Path) -> None:
        (folder / "participants" / "2.tif").write_text("pix")
        assert not is_as_listed(folder)

    @pytest.mark.parametrize("found", [b"", b'{"scene.json"', bytes(range(128, 255))])
    def test_no_more_once_the_list_itself_is_damaged(self, folder: Path, found: bytes) -> None:
        (folder / LISTING).write_bytes(found)
        assert not is_as_listed(folder)

    def test_if_it_holds_nothing(self, tmp_path: Path) -> None:
        with listed_directory(tmp_path / "nbar"):
            pass
        assert is_as_listed(tmp_path / "nbar")

    def test_if_an_older_version_made_it_without_a_list(self, tmp_path: Path) -> None:
        assert is_as_listed(tmp_path)
