"""Decoded internal tiles that several tiles of the mosaic need."""

import fcntl
import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from senard.io import shared_tiles
from senard.io.jp2 import TiledImage
from senard.io.shared_tiles import Others, SharedTiles
from senard.model.arrays import UInt16Array

PIXELS = np.arange(1, 1 + 40 * 48, dtype=np.uint16).reshape(40, 48)


@pytest.fixture
def path(tmp_path: Path) -> str:
    place = tmp_path / "image.tif"
    with (
        pytest.warns(NotGeoreferencedWarning),
        rasterio.open(
            place, "w", width=48, height=40, count=1, dtype="uint16", tiled=True, blockxsize=16, blockysize=16
        ) as dataset,
    ):
        dataset.write(PIXELS, 1)
    return str(place)


def read(folder: Path, path: str, others: int, threads: int = 1) -> tuple[UInt16Array, int]:
    """The whole image as one tile of the mosaic reads it, and how many internal tiles were decoded for that."""
    image, out = TiledImage(path, threads=threads), np.zeros(PIXELS.shape, dtype=np.uint16)
    needed = np.ones(image.squares, dtype=np.bool_)
    wanted = Others(count=np.full(image.blocks, others, dtype=np.uint8), squares=needed)
    SharedTiles(folder, image).read(needed, wanted, out)
    return out, image.decoded


class TestSharedTiles:
    """An internal tile is decoded once for all tiles of the mosaic that need it."""

    @pytest.mark.parametrize("threads", [1, 4])
    def test_are_decoded_by_the_first_and_copied_by_the_others(self, tmp_path: Path, path: str, threads: int) -> None:
        seen = [read(tmp_path / "decoded", path, others=2, threads=threads) for _ in range(3)]
        assert [decoded for _, decoded in seen] == [9, 0, 0]
        for pixels, _ in seen:
            np.testing.assert_array_equal(pixels, PIXELS)

    def test_go_with_the_last_who_needs_them(self, tmp_path: Path, path: str) -> None:
        folder = tmp_path / "decoded"
        read(folder, path, others=1)
        assert len(list(folder.iterdir())) == 9
        read(folder, path, others=1)
        assert not list(folder.iterdir())

    def test_are_not_kept_for_nobody(self, tmp_path: Path, path: str) -> None:
        read(tmp_path / "decoded", path, others=0)
        assert not list((tmp_path / "decoded").iterdir())

    def test_are_decoded_where_a_file_is_cut_short_or_of_another_version(self, tmp_path: Path, path: str) -> None:
        folder = tmp_path / "decoded"
        read(folder, path, others=1)
        next(folder.iterdir()).write_bytes(b"half")
        assert read(folder, path, others=1)[1] == 1
        read(folder, path, others=3)
        os.utime(path, ns=(0, 0))
        assert read(folder, path, others=3)[1] == 9

    def test_are_decoded_where_the_folder_cannot_be_written(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "file").touch()
        pixels, decoded = read(tmp_path / "file/decoded", path, others=1)
        assert decoded == 9
        np.testing.assert_array_equal(pixels, PIXELS)

    def test_do_not_wait_for_a_process_that_hangs(
        self, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shared_tiles, "_PATIENCE_S", 0.05)
        folder = tmp_path / "decoded"
        read(folder, path, others=1)
        name = next(folder.iterdir()).stem
        (folder / f"{name}.1").unlink()
        with (folder / f"{name}.lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            pixels, decoded = read(folder, path, others=1)
        assert decoded == 1
        np.testing.assert_array_equal(pixels, PIXELS)
