"""Internal tiles of JPEG 2000 that were encoded once may stand many times."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from bench.codestream import repeat_tiles, take_apart
from bench.repeated import tile_numbers
from senard.model.arrays import UInt16Array
from senard.model.grid import Grid
from senard.simulation.images import ImageKind, Scratch

TILE = 1024


def encode(values: UInt16Array, folder: Path, name: str) -> Path:
    """(y, x) as an image of internal tiles of 1024 pixels."""
    folder.mkdir(exist_ok=True)
    rows, cols = values.shape
    grid = Grid(crs="EPSG:32631", left=300_000.0, top=4_900_020.0, gsd=10, width=cols, height=rows)
    with Scratch(folder, {name: ImageKind(gsd=10, tile_px=TILE)}, grid) as scratch:
        scratch.write(name, values, first_row=0)
        scratch.encode(name, folder / f"{name}.jp2")
    return folder / f"{name}.jp2"


class TestRepeatTiles:
    """An image is written from the tiles of a smaller one, without encoding it."""

    def test_shows_each_tile_where_it_stands(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(1)
        small = rng.integers(1, 9000, size=(40, TILE + 24), dtype=np.uint16)
        source = take_apart(encode(small, tmp_path, "small").read_bytes())
        like = encode(np.full((40, 2 * TILE + 24), 7, dtype=np.uint16), tmp_path, "like")
        out = tmp_path / "out.jp2"
        repeat_tiles(source, take_apart(like.read_bytes()), [0, 0, 1], out)
        with rasterio.open(out) as made, rasterio.open(like) as wanted:
            assert (made.transform, made.crs, made.shape) == (wanted.transform, wanted.crs, wanted.shape)
            assert (made.read(1) == np.hstack([small[:, :TILE], small])).all()

    def test_refuses_images_that_are_coded_differently(self, tmp_path: Path) -> None:
        wide = encode(np.full((40, TILE + 24), 7, dtype=np.uint16), tmp_path, "wide")
        narrow = encode(np.full((8, 8), 7, dtype=np.uint16), tmp_path, "narrow")
        with pytest.raises(ValueError, match="coded alike"):
            repeat_tiles(take_apart(narrow.read_bytes()), take_apart(wide.read_bytes()), [0, 0], tmp_path / "out.jp2")

    def test_refuses_a_file_that_broke_off(self, tmp_path: Path) -> None:
        whole = encode(np.full((8, 8), 7, dtype=np.uint16), tmp_path, "whole").read_bytes()
        with pytest.raises(ValueError, match="jp2c as the last one"):
            take_apart(whole[: whole.index(b"jp2c") - 4])


class TestTileNumbers:
    """The last tile of a line is narrower, and has one of its own."""

    def test_go_row_by_row(self) -> None:
        assert tile_numbers(4, 2) == [0, 1, 0, 2, 3, 4, 3, 5, 0, 1, 0, 2, 6, 7, 6, 8]
