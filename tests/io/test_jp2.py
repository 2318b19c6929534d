"""Reading JPEG 2000 images by their internal tiles."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from senard.errors import UnusableSceneError
from senard.io.jp2 import TiledImage, decoded_jp2_tiles, read_above_zero, read_image
from senard.model.grid import Window

SHAPE = (300, 500)
TILE = 128


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(7).integers(1, 20000, SHAPE, dtype=np.uint16)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray) -> Path:
    """A lossless JPEG 2000 of 3 x 4 internal tiles."""
    path = tmp_path_factory.mktemp("jp2") / "image.jp2"
    profile = {
        "driver": "JP2OpenJPEG", "dtype": "uint16", "count": 1, "height": SHAPE[0], "width": SHAPE[1],
        "crs": "EPSG:32631", "transform": Affine(10, 0, 300000, 0, -10, 4900020),
        "QUALITY": "100", "REVERSIBLE": "YES", "blockxsize": TILE, "blockysize": TILE,
    }  # fmt: skip
    with rasterio.Env(GDAL_PAM_ENABLED=False), rasterio.open(path, "w", **profile) as dataset:
        dataset.write(pixels, 1)
    return path


class TestDecodedTiles:
    """The process counts the JPEG 2000 tiles that it decodes"""

    def test_one_by_one_or_all_of_an_image(self, image: Path) -> None:
        before = decoded_jp2_tiles()
        tiled = TiledImage(str(image), threads=2)
        needed = np.zeros(tiled.squares, dtype=bool)
        needed[0] = True
        tiled.read_squares(needed, np.zeros(SHAPE, dtype=np.uint16))
        assert decoded_jp2_tiles() - before == 4
        read_image(str(image), overview=2)
        assert decoded_jp2_tiles() - before == 4 + 12

    def test_and_no_others(self, tmp_path: Path, pixels: np.ndarray) -> None:
        path = tmp_path / "image.tif"
        profile = {"driver": "GTiff", "dtype": "uint16", "count": 1, "height": SHAPE[0], "width": SHAPE[1]}
        with rasterio.open(path, "w", **profile, transform=Affine(10, 0, 0, 0, -10, 0)) as dataset:
            dataset.write(pixels, 1)
        before = decoded_jp2_tiles()
        read_image(str(path))
        assert decoded_jp2_tiles() == before


SQUARE = 64


def as_pixels(needed: np.ndarray) -> np.ndarray:
    """(y, x) bool, the pixels of needed squares."""
    return np.kron(needed, np.ones((SQUARE, SQUARE), dtype=bool))[: SHAPE[0], : SHAPE[1]]


class TestTiledImage:
    """Only squares of pixels that are needed are decoded, each internal tile once."""

    def test_knows_its_tiles_and_squares(self, image: Path) -> None:
        tiled = TiledImage(str(image))
        assert (tiled.shape, tiled.block_shape, tiled.blocks, tiled.dtype) == (SHAPE, (TILE, TILE), (3, 4), np.uint16)
        assert (tiled.square_shape, tiled.squares) == ((SQUARE, SQUARE), (5, 8))
        assert tiled.squares_in(2, 3) == Window(row_start=4, row_stop=5, col_start=6, col_stop=8)

    @pytest.mark.parametrize("threads", [1, 3])
    def test_decodes_the_needed_squares_and_leaves_the_rest(
        self, image: Path, pixels: np.ndarray, threads: int
    ) -> None:
        tiled = TiledImage(str(image), threads=threads)
        needed = np.zeros(tiled.squares, dtype=bool)
        needed[[0, 0, 1, 4, 2, 2], [2, 3, 2, 7, 0, 1]] = True
        out = np.zeros(SHAPE, dtype=np.uint16)
        tiled.read_squares(needed, out)
        np.testing.assert_array_equal(out, np.where(as_pixels(needed), pixels, 0))
        assert tiled.decoded == 3

    def test_says_which_tiles_hold_squares(self, image: Path) -> None:
        needed = np.zeros((5, 8), dtype=bool)
        needed[[0, 4], [3, 7]] = True
        assert np.argwhere(TiledImage(str(image)).blocks_with(needed)).tolist() == [[0, 1], [2, 3]]

    def test_says_which_squares_hold_pixels(self, image: Path) -> None:
        needed = np.zeros(SHAPE, dtype=bool)
        needed[[0, 63, 64, 299], [0, 64, 499, 448]] = True
        assert np.argwhere(TiledImage(str(image)).squares_with(needed)).tolist() == [[0, 0], [0, 1], [1, 7], [4, 7]]

    def test_takes_whole_tiles_where_squares_would_lie_in_two(self, tmp_path: Path, pixels: np.ndarray) -> None:
        path = tmp_path / "odd.jp2"
        profile = {"driver": "JP2OpenJPEG", "dtype": "uint16", "count": 1, "height": SHAPE[0], "width": SHAPE[1]}
        with rasterio.open(
            path, "w", **profile, transform=Affine(10, 0, 0, 0, -10, 0),
            QUALITY="100", REVERSIBLE="YES", blockxsize=200, blockysize=TILE,
        ) as dataset:  # fmt: skip
            dataset.write(pixels, 1)
        tiled = TiledImage(str(path))
        assert tiled.square_shape == (TILE, 200)
        out, needed = np.zeros(SHAPE, dtype=np.uint16), np.zeros(tiled.squares, dtype=bool)
        needed[1, 2] = True
        tiled.read_squares(needed, out)
        np.testing.assert_array_equal(out[128:256, 400:], pixels[128:256, 400:])
        assert np.count_nonzero(out) == 128 * 100

    def test_counts_every_tile_over_all_calls(self, image: Path) -> None:
        tiled = TiledImage(str(image))
        out = np.zeros(SHAPE, dtype=np.uint16)
        tiled.read_squares(np.ones(tiled.squares, dtype=bool), out)
        tiled.read_squares(np.zeros(tiled.squares, dtype=bool), out)
        assert tiled.decoded == 12

    def test_fills_an_array_that_covers_a_part_of_the_image(self, image: Path, pixels: np.ndarray) -> None:
        tiled = TiledImage(str(image))
        needed = np.zeros(tiled.squares, dtype=bool)
        needed[:3, 2:6] = True
        out = np.zeros((100, 150), dtype=np.uint16)
        tiled.read_squares(needed, out, origin=(60, 200))
        np.testing.assert_array_equal(out, pixels[60:160, 200:350])

    def test_refuses_a_map_of_another_size(self, image: Path) -> None:
        with pytest.raises(ValueError, match="squares"):
            TiledImage(str(image)).read_squares(np.ones((2, 2), dtype=bool), np.zeros(SHAPE, dtype=np.uint16))

    @pytest.mark.parametrize("share", [1.0, 0.1])
    @pytest.mark.parametrize("threads", [1, 3])
    def test_names_the_file_that_is_cut_short(self, image: Path, tmp_path: Path, threads: int, share: float) -> None:
        cut = tmp_path / "cut.jp2"
        cut.write_bytes(image.read_bytes()[:-60_000])
        tiled = TiledImage(str(cut), threads=threads)
        needed = np.random.default_rng(2).random(tiled.squares) <= share
        needed[-1, -1] = True
        with pytest.raises(UnusableSceneError, match=r"cut\.jp2 cannot be decoded"):
            tiled.read_squares(needed, np.zeros(SHAPE, dtype=np.uint16))

    def test_names_the_file_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(UnusableSceneError, match=r"none\.jp2 cannot be decoded"):
            TiledImage(str(tmp_path / "none.jp2"))


class TestReadImage:
    """An image is read whole, or reduced."""

    def test_gives_every_pixel(self, image: Path, pixels: np.ndarray) -> None:
        np.testing.assert_array_equal(read_image(str(image)), pixels)

    def test_reads_from_a_zip_that_was_not_unpacked(self, image: Path, pixels: np.ndarray, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(image, "NAME.SAFE/image.jp2")
        np.testing.assert_array_equal(read_image(f"/vsizip/{tmp_path}/a.zip/NAME.SAFE/image.jp2"), pixels)

    def test_rounds_the_size_of_a_reduced_image_up(self, image: Path) -> None:
        assert read_image(str(image), overview=8).shape == (38, 63)

    def test_never_takes_a_damaged_image_for_zeros(self, image: Path, tmp_path: Path) -> None:
        cut = tmp_path / "cut.jp2"
        cut.write_bytes(image.read_bytes()[:-60_000])
        with pytest.raises(UnusableSceneError, match="delete the product and download it again"):
            read_image(str(cut))

    def test_leaves_no_file_beside_the_image(self, image: Path) -> None:
        read_image(str(image))
        assert [path.name for path in image.parent.iterdir()] == ["image.jp2"]


class TestReadAboveZero:
    """Of a footprint it is known where a detector saw the ground."""

    @pytest.mark.parametrize("detector", [1, 2, 13])
    @pytest.mark.parametrize("overview", [1, 2])
    def test_finds_every_gap_of_four_by_four_pixels(self, tmp_path: Path, detector: int, overview: int) -> None:
        for row, col in ((8, 8), (9, 10), (11, 9), (0, 60), (126, 3), (124, 124)):
            pixels = np.full((128, 128), detector, dtype=np.uint8)
            pixels[row : row + 4 * overview, col : col + 4 * overview] = 0
            path = self.write(tmp_path / f"{row}_{col}.jp2", pixels)
            expected = read_image(path, overview=overview) > 0
            assert not expected.all() or row + 4 * overview > 128
            np.testing.assert_array_equal(read_above_zero(path, overview=overview), expected)

    @pytest.mark.parametrize("overview", [1, 2])
    def test_knows_that_a_swath_covers_all(self, tmp_path: Path, overview: int) -> None:
        path = self.write(tmp_path / "all.jp2", np.repeat(np.uint8([1, 2, 12, 13]), 32)[None].repeat(101, axis=0))
        assert read_above_zero(path, overview=overview).all()
        assert read_above_zero(path, overview=overview).shape == read_image(path, overview=overview).shape

    @staticmethod
    def write(path: Path, pixels: np.ndarray) -> str:
        profile = {"driver": "JP2OpenJPEG", "dtype": "uint8", "count": 1, "crs": "EPSG:32631", "RESOLUTIONS": 4}
        size = {"height": pixels.shape[0], "width": pixels.shape[1], "blockxsize": 64, "blockysize": 64}
        transform = Affine(10, 0, 300000, 0, -10, 4900020)
        with rasterio.open(
            path, "w", transform=transform, QUALITY="100", REVERSIBLE="YES", **profile, **size
        ) as dataset:
            dataset.write(pixels, 1)
        return str(path)
