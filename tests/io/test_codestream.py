"""Cutting internal tiles out of JPEG 2000 images, with no more code blocks than some pixels need."""

import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from rasterio.windows import Window

from senard.io.codestream import Codestream
from senard.model.arrays import UInt8Array, UInt16Array

SQUARE = (64, 64)

PRECINCTS = (None, "{256,256},{256,256},{256,256},{256,256},{256,256}", "{128,64},{64,128},{64,64}", "{64,64},{32,32}")
"""None leaves out what only OpenJPEG's own choice gives; the second one is that of Sentinel-2's bands of 10 m."""


def write(path: Path, pixels: UInt8Array | UInt16Array, **options: str) -> Path:
    """A JPEG 2000 image, lossless unless the options say otherwise."""
    options = {"QUALITY": "100", "REVERSIBLE": "YES", "driver": "JP2OpenJPEG", **options}
    size = {"height": pixels.shape[0], "width": pixels.shape[1], "count": 1, "dtype": pixels.dtype.name}
    with (
        rasterio.Env(GDAL_PAM_ENABLED=False),
        rasterio.open(path, "w", **size, transform=Affine(10, 0, 0, 0, -10, 0), **options) as dataset,
    ):
        dataset.write(pixels, 1)
    return path


def landscape(random: np.random.Generator, shape: tuple[int, int]) -> UInt16Array:
    """Smooth ground with fields, noise and a part without data, so that code blocks differ and some are empty."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    pixels = 3000 + 2000 * np.sin(rows / 37) * np.cos(cols / 53) + 500 * ((rows // 40 + cols // 60) % 3)
    pixels += random.normal(0, random.choice([0, 3, 300]), shape)
    pixels[rows + cols < random.integers(0, shape[0])] = 0
    return np.clip(pixels, 0, 20000).astype(np.uint16)


def decoded(stream: bytes, window: Window) -> UInt16Array:
    with pytest.warns(), MemoryFile(stream) as memory, memory.open() as dataset:
        pixels: UInt16Array = dataset.read(1, window=window)
    return pixels


def check_tile(path: Path, place: tuple[int, int], needed: np.ndarray) -> tuple[int, int]:
    """Compare an internal tile with the whole; returns how many bytes it has, cut down and in the file."""
    with rasterio.open(path) as dataset:
        height, width = dataset.block_shapes[0]
        top, left = place[0] * height, place[1] * width
        window = Window(left, top, min(width, dataset.width - left), min(height, dataset.height - top))
        whole = dataset.read(1, window=window)
        shape = dataset.shape
    codestream = Codestream.open(str(path))
    assert codestream is not None
    stream = codestream.tile(*place, needed, SQUARE)
    assert stream is not None
    wanted = np.kron(needed, np.ones(SQUARE, dtype=bool))[: shape[0], : shape[1]][window.toslices()]
    pixels = decoded(stream, window)
    np.testing.assert_array_equal(pixels[wanted], whole[wanted])
    start, stop = codestream.parts[place[0] * -(-shape[1] // width) + place[1]]
    return len(stream) - len(codestream.header), stop - start


class TestTile:
    """An internal tile by itself"""

    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        tile=st.sampled_from([(64, 64), (192, 192), (256, 128), (640, 640), (300, 420)]),
        precincts=st.sampled_from(PRECINCTS),
        block=st.sampled_from([(64, 64), (4, 4), (16, 64), (32, 8)]),
        order=st.sampled_from(["LRCP", "RLCP", "RPCL"]),
        levels=st.integers(1, 6),
        lengths=st.sampled_from(["YES", "NO"]),
    )
    def test_shows_needed_squares_as_the_whole_image_does(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        seed: int,
        tile: tuple[int, int],
        precincts: str | None,
        block: tuple[int, int],
        order: str,
        levels: int,
        lengths: str,
    ) -> None:
        random = np.random.default_rng(seed)
        pixels = landscape(random, (int(random.integers(70, 420)), int(random.integers(70, 420))))
        options = {"PRECINCTS": precincts} if precincts else {}
        path = write(
            tmp_path_factory.mktemp("jp2") / "image.jp2", pixels, PROGRESSION=order, RESOLUTIONS=str(levels),
            BLOCKYSIZE=str(tile[0]), BLOCKXSIZE=str(tile[1]), CODEBLOCK_HEIGHT=str(block[0]), PLT=lengths, TLM=lengths,
            CODEBLOCK_WIDTH=str(block[1]), **options,
        )  # fmt: skip
        needed = random.random((-(-pixels.shape[0] // 64), -(-pixels.shape[1] // 64))) < random.choice([0.05, 0.3, 1])
        with rasterio.open(path) as dataset:
            height, width = dataset.block_shapes[0]
        place = (
            int(random.integers(-(-pixels.shape[0] // height))),
            int(random.integers(-(-pixels.shape[1] // width))),
        )
        check_tile(path, place, needed)

    def test_is_as_long_as_its_needed_part(self, tmp_path: Path) -> None:
        pixels = landscape(np.random.default_rng(4), (1024, 1024))
        path = write(tmp_path / "image.jp2", pixels, BLOCKXSIZE="1024", BLOCKYSIZE="1024", RESOLUTIONS="5")
        needed = np.zeros((16, 16), dtype=bool)
        needed[5:7, 9:11] = True
        few, whole = check_tile(path, (0, 0), needed)
        assert few < 0.2 * whole
        needed[:] = True
        assert check_tile(path, (0, 0), needed)[0] == pytest.approx(whole, abs=200)

    def test_is_not_there_where_bytes_are_damaged(self, tmp_path: Path) -> None:
        pixels = landscape(np.random.default_rng(4), (200, 200))
        path = write(tmp_path / "image.jp2", pixels, BLOCKXSIZE="128", BLOCKYSIZE="128")
        codestream = Codestream.open(str(path))
        assert codestream is not None
        random, data = np.random.default_rng(5), bytearray(path.read_bytes())
        needed = np.ones((4, 4), dtype=bool)
        start, stop = codestream.parts[0]
        data[start : start + 8] = random.bytes(8)
        path.write_bytes(data)
        assert codestream.tile(0, 0, needed, SQUARE) is None
        for _ in range(300):  # whatever stands there, it ends
            data[start:stop] = random.bytes(stop - start)
            path.write_bytes(data)
            codestream.tile(0, 0, needed, SQUARE)
        assert codestream.tile(1, 0, needed, SQUARE) is not None

    def test_is_cut_or_not_whatever_a_damaged_header_says(self, tmp_path: Path) -> None:
        pixels = landscape(np.random.default_rng(4), (200, 200))
        path = write(tmp_path / "image.jp2", pixels, BLOCKXSIZE="128", BLOCKYSIZE="128")
        random, whole, found = np.random.default_rng(6), path.read_bytes(), 0
        header = whole.index(b"\xff\x4f\xff\x51") + 2
        for _ in range(500):
            data = bytearray(whole)
            data[header + int(random.integers(100))] = int(random.integers(256))
            path.write_bytes(data)
            codestream = Codestream.open(str(path))
            stream = codestream and codestream.tile(0, 0, np.ones((4, 4), dtype=bool), SQUARE)
            found += stream is not None
        assert 0 < found < 500


class TestOpen:
    """Images that are not coded as those of Sentinel-2 are decoded whole"""

    PIXELS = landscape(np.random.default_rng(1), (200, 300))

    @pytest.mark.parametrize(
        "options",
        [
            {"REVERSIBLE": "NO", "QUALITY": "50"},
            {"QUALITY": "20,50,100"},
            {"PROGRESSION": "PCRL"},
            {"PROGRESSION": "CPRL"},
            {"SOP": "YES"},
            {"EPH": "YES"},
            {"CODEBLOCK_STYLE": "TERMALL"},
        ],
        ids=str,
    )
    def test_finds_nothing_to_cut(self, tmp_path: Path, options: dict[str, str]) -> None:
        path = write(tmp_path / "image.jp2", self.PIXELS, BLOCKXSIZE="128", BLOCKYSIZE="128", **options)
        assert Codestream.open(str(path)) is None

    @pytest.mark.parametrize("kept", [0, 5, 100, 5000, -2])
    def test_finds_nothing_in_a_file_that_is_cut_short(self, tmp_path: Path, kept: int) -> None:
        path = write(tmp_path / "image.jp2", self.PIXELS, BLOCKXSIZE="128", BLOCKYSIZE="128")
        assert Codestream.open(str(path)) is not None
        path.write_bytes(path.read_bytes()[:kept])
        assert Codestream.open(str(path)) is None

    def test_finds_nothing_in_another_file(self, tmp_path: Path) -> None:
        other = tmp_path / "image.jp2"
        assert Codestream.open(str(other)) is None
        other.write_bytes(struct.pack(">I4s", 4, b"none") * 4)
        assert Codestream.open(str(other)) is None
        assert Codestream.open(f"/vsizip/{other}/image.jp2") is None


@pytest.mark.real_data
class TestRealImages:
    """Images as ESA distributes them"""

    @pytest.mark.parametrize(
        "name",
        [
            "eodag-L1C-T31TDH-20180101/*/GRANULE/*/IMG_DATA/*_B01.jp2",  # code blocks of 4 x 4
            "ALCD-L1C-T31TCJ-20240305/*/GRANULE/*/QI_DATA/MSK_DETFOO_B02.jp2",  # precincts of 256, 10980 pixels
        ],
    )
    def test_are_cut(self, shared: Path, name: str) -> None:
        (path,) = (shared / "data/s2-safe").glob(name)
        random = np.random.default_rng(3)
        with rasterio.open(path) as dataset:
            shape, (height, width) = dataset.shape, dataset.block_shapes[0]
        needed = random.random((-(-shape[0] // 64), -(-shape[1] // 64))) < 0.1
        places = [(0, 0), (3, 4), (-(-shape[0] // height) - 1, -(-shape[1] // width) - 1)]
        sizes = [check_tile(path, place, needed) for place in places]
        assert sum(cut for cut, _ in sizes) < sum(whole for _, whole in sizes)
