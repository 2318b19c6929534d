"""Results that appear whole or not at all."""

from pathlib import Path

import pytest

from senard.io.atomic import partial_directory, partial_file


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
