"""A file under construction."""

import os
from pathlib import Path

import pytest

from senard.io.part_file import hold_part


class TestCut:
    """A file is cut where there is something to cut off."""

    def test_keeps_so_many_bytes(self, tmp_path: Path) -> None:
        with hold_part(tmp_path / "file", "the file") as part:
            assert part is not None
            part.append(b"0123456789")
            part.cut(4)
            part.append(b"x")
            part.finish()
        assert (tmp_path / "file").read_bytes() == b"0123x"

    def test_leaves_one_of_that_size_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # ext4 brings a file that was truncated to 0 to the disk at every close: 0.1 s per 400 MB, before any fsync.
        monkeypatch.setattr(os, "ftruncate", lambda *_: pytest.fail("it was truncated"))
        with hold_part(tmp_path / "file", "the file") as part:
            assert part is not None
            part.cut(0)
            part.append(b"0123")
            part.cut(4)
            part.finish()
        assert (tmp_path / "file").read_bytes() == b"0123"
