"""Pictures: reduced reading of tiles, PNG, world files."""

from pathlib import Path

import numpy as np
import rasterio
import shapely
from PIL import Image
from rasterio.transform import Affine

from senard.io.pictures import burn_area, read_picture, read_reduced, write_png, write_world_file
from senard.model.arrays import UInt16Array
from senard.model.grid import Tile
from senard.model.picture import PictureFrame

TILES = tuple(
    Tile(index=index, crs="EPSG:32633", left=400_000 + 1600 * index, bottom=0, right=401_600 + 1600 * index, top=1600)
    for index in (0, 1)
)


def write_tile(path: Path, tile: Tile, bands: UInt16Array) -> Path:
    grid = tile.grid(10)
    options = {"driver": "GTiff", "count": len(bands), "dtype": "uint16", "nodata": 0, "crs": grid.crs}
    place = Affine.from_gdal(*grid.geotransform)
    with rasterio.open(path, "w", width=grid.width, height=grid.height, transform=place, **options) as file:
        file.write(bands)
    return path


def ramp(tile: Tile) -> UInt16Array:
    """x of every pixel's centre, in units of 10 m from the western edge, plus 1."""
    columns = np.arange(160, dtype=np.uint16) + 160 * tile.index + 1
    return np.broadcast_to(columns, (1, 160, 160)).copy()


class TestReadReduced:
    """A picture of a mosaic is read at its own size."""

    def test_and_runs_across_a_tile_border_without_a_step(self, tmp_path: Path) -> None:
        files = [write_tile(tmp_path / f"{tile.index}_10.tif", tile, ramp(tile)) for tile in TILES]
        frame = PictureFrame.around(TILES, longest=40, finest_m=10)
        picture = read_reduced(files, TILES, frame, (1,), average=True)[0]
        assert picture.shape == (20, 40)
        # eight columns per picture pixel: their mean is 8 n + 4.5, rounded by GDAL
        assert np.abs(picture[10] - (8.0 * np.arange(40) + 4.5)).max() <= 0.5

    def test_with_the_mean_of_valid_pixels_only(self, tmp_path: Path) -> None:
        dn = np.full((1, 160, 160), 1000, np.uint16)
        dn[:, :, ::2] = 0
        path = write_tile(tmp_path / "0_10.tif", TILES[0], dn)
        frame = PictureFrame.around(TILES[:1], longest=20, finest_m=10)
        assert (read_reduced([path], TILES[:1], frame, (1,), average=True) == 1000).all()

    def test_without_inventing_classes(self, tmp_path: Path) -> None:
        classes = np.random.default_rng(7).choice(np.array([2, 900], np.uint16), (1, 160, 160))
        path = write_tile(tmp_path / "0_10.tif", TILES[0], classes)
        frame = PictureFrame.around(TILES[:1], longest=30, finest_m=10)
        assert set(np.unique(read_reduced([path], TILES[:1], frame, (1,), average=False))) == {2, 900}

    def test_and_leaves_a_missing_tile_empty(self, tmp_path: Path) -> None:
        files = [write_tile(tmp_path / "0_10.tif", TILES[0], ramp(TILES[0])), tmp_path / "1_10.tif"]
        frame = PictureFrame.around(TILES, longest=40, finest_m=10)
        picture = read_reduced(files, TILES, frame, (1,), average=True)[0]
        assert picture[:, :20].all()
        assert not picture[:, 20:].any()


class TestBurnArea:
    """The area in a picture are the pixels whose centres it holds."""

    def test_and_no_more(self) -> None:
        frame = PictureFrame.around(TILES[:1], longest=16, finest_m=10)
        inside = burn_area(shapely.MultiPolygon([shapely.box(400_000, 1200, 400_540, 1600)]), frame)
        assert (inside[:4, :5].all(), int(inside.sum())) == (True, 20)


class TestWorldFile:
    """A picture with its world file lies where its tiles lie."""

    def test_as_gdal_reads_it(self, tmp_path: Path) -> None:
        frame = PictureFrame.around(TILES, longest=40, finest_m=10)
        write_png(tmp_path / "quicklook.png", np.zeros((*frame.shape, 4), np.uint8))
        write_world_file(tmp_path / "quicklook.pgw", frame)
        with rasterio.open(tmp_path / "quicklook.png") as file:
            assert file.transform.to_gdal() == frame.geotransform


class TestWritePng:
    """A picture keeps its colours and its transparency."""

    def test_exactly(self, tmp_path: Path) -> None:
        picture = np.random.default_rng(1).integers(0, 256, (9, 5, 4), dtype=np.uint8)
        path = write_png(tmp_path / "a.png", picture)
        assert np.array_equal(read_picture(path), picture)
        with Image.open(path) as image:
            assert (image.size, image.mode) == ((5, 9), "RGBA")
