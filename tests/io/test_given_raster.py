"""Rasters of the user's are known by their content and read on pixels of ours."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer

from senard.errors import RequestError
from senard.io.given_raster import covered_share, covers_on, heights_on, raster_digest
from senard.model.grid import Grid

DATA = Path(__file__).parents[3] / "shared/data/dem"
GRID = Grid(crs="EPSG:32632", left=498_000.0, top=5_100_000.0, gsd=60, width=50, height=40)
WEST, NORTH = 8.9, 46.2
"""Upper left corner of the rasters here, degrees; the grid lies inside."""


def write(path: Path, pixels: np.ndarray, step: float = 0.001, **profile: Any) -> Path:
    """A raster in degrees around the grid."""
    shape = {"height": pixels.shape[-2], "width": pixels.shape[-1], "count": 1 if pixels.ndim == 2 else len(pixels)}
    transform = Affine(step, 0, WEST, 0, -step, NORTH)
    options = {"crs": "EPSG:4326", "transform": transform, "dtype": pixels.dtype, **shape, **profile}
    with rasterio.open(path, "w", driver="GTiff", **options) as raster:
        raster.write(pixels, *([1] if pixels.ndim == 2 else []))
    return path


def lon_lat(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Of the pixels' middles."""
    x = grid.left + (np.arange(grid.width) + 0.5) * grid.gsd
    y = grid.top - (np.arange(grid.height) + 0.5) * grid.gsd
    lon, lat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(*np.meshgrid(x, y))
    return lon, lat


def ramp(step: float = 0.001, size: int = 250) -> np.ndarray:
    """Heights that rise to the north-east: 1 m per pixel of 0.001 degrees each way."""
    row, col = np.mgrid[0:size, 0:size] + 0.5
    return (1000 + (col - row) * step / 0.001).astype(np.float32)


class TestDigest:
    """The same content has the same name."""

    def test_of_one_file_is_what_sha256sum_says(self, tmp_path: Path) -> None:
        path = write(tmp_path / "dem.tif", ramp())
        digest = raster_digest(path, "--dem")
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        moved = path.rename(tmp_path / "other name.tif")
        assert raster_digest(moved, "--dem") == digest

    def test_of_a_vrt_counts_what_it_is_made_of(self, tmp_path: Path) -> None:
        write(tmp_path / "dem.tif", ramp())
        vrt = tmp_path / "dem.vrt"
        vrt.write_text(
            '<VRTDataset rasterXSize="250" rasterYSize="250"><SRS>EPSG:4326</SRS>'
            f"<GeoTransform>{WEST}, 0.001, 0, {NORTH}, 0, -0.001</GeoTransform>"
            '<VRTRasterBand dataType="Float32" band="1"><SimpleSource>'
            '<SourceFilename relativeToVRT="1">dem.tif</SourceFilename><SourceBand>1</SourceBand>'
            "</SimpleSource></VRTRasterBand></VRTDataset>"
        )
        before = raster_digest(vrt, "--dem")
        write(tmp_path / "dem.tif", ramp() + 1)
        assert raster_digest(vrt, "--dem") != before
        (tmp_path / "dem.tif").unlink()
        with pytest.raises(RequestError, match=r"it is made of .*dem\.tif, which cannot be read"):
            raster_digest(vrt, "--dem")

    @pytest.mark.parametrize(
        ("profile", "message"),
        [
            ({"crs": None}, "says not where it lies"),
            ({"pixels": np.zeros((3, 5, 5), np.uint8)}, "expected one band of numbers, found 3 of uint8"),
            ({"pixels": np.zeros((5, 5), np.complex64)}, "expected one band of numbers, found 1 of complex64"),
            ({"unit": "ft"}, "its heights are in ft, expected metres"),
        ],
    )
    def test_refuses_what_is_no_terrain_model(self, tmp_path: Path, profile: dict[str, Any], message: str) -> None:
        unit = profile.pop("unit", None)
        path = write(tmp_path / "x.tif", profile.pop("pixels", ramp()), **profile)
        if unit:
            with rasterio.open(path, "r+") as raster:
                raster.units = (unit,)
        with pytest.raises(RequestError, match=message):
            raster_digest(path, "--dem")

    def test_refuses_what_is_no_raster(self, tmp_path: Path) -> None:
        (tmp_path / "x.tif").write_text("heights")
        with pytest.raises(RequestError, match=r"--dem .*x\.tif: no raster that can be read"):
            raster_digest(tmp_path / "x.tif", "--dem")


class TestCoveredShare:
    """A raster that does not cover the area is told before work begins."""

    def test_is_that_of_its_rectangle(self, tmp_path: Path) -> None:
        path = write(tmp_path / "dem.tif", ramp())
        assert covered_share(path, "--dem", shapely.box(8.95, 46.0, 9.1, 46.1)) == 1
        assert covered_share(path, "--dem", shapely.box(9.05, 46.0, 9.25, 46.1)) == pytest.approx(0.5, abs=0.05)
        assert covered_share(path, "--dem", shapely.box(20, 46, 21, 47)) == 0


class TestHeights:
    """Heights lie where the terrain model has them, whatever its pixels."""

    @pytest.mark.parametrize("step", [0.001, 0.0002])
    def test_follow_a_slope_to_a_metre(self, tmp_path: Path, step: float) -> None:
        path = write(tmp_path / "dem.tif", ramp(step, round(0.25 / step)), step)
        lon, lat = lon_lat(GRID)
        expected = 1000 + (lon - WEST + lat - NORTH) * 1000
        assert heights_on(path, GRID) == pytest.approx(expected, abs=0.6)

    def test_are_those_that_a_scale_makes_of_the_numbers(self, tmp_path: Path) -> None:
        path = write(tmp_path / "dem.tif", np.full((250, 250), 4000, dtype=np.int16))
        with rasterio.open(path, "r+") as raster:
            raster.scales, raster.offsets = (0.1,), (100.0,)
        assert heights_on(path, GRID) == pytest.approx(np.full(GRID.shape, 500.0))

    def test_are_unknown_beyond_its_edge_and_in_its_holes(self, tmp_path: Path) -> None:
        pixels = ramp()
        lon, lat = lon_lat(GRID)
        pixels[:, round((lon[0, 25] - WEST) * 1000) :] = -9999
        path = write(tmp_path / "dem.tif", pixels[: round((NORTH - lat[20, 0]) * 1000)], nodata=-9999)
        heights = heights_on(path, GRID)
        known = np.isfinite(heights)
        assert known[:18, :23].all()
        assert not known[22:].any()
        assert not known[:, 27:].any()
        assert heights[known].min() > 0

    @pytest.mark.parametrize("number", [-32768.0, 29_000.0], ids=["nodata that nobody declared", "feet"])
    def test_are_heights_of_the_earth(self, tmp_path: Path, number: float) -> None:
        pixels = ramp()
        pixels[60:] = number
        with pytest.raises(RequestError, match=r"expected heights from -500 to 9000 m, found .* Are they metres\?"):
            heights_on(write(tmp_path / "dem.tif", pixels), GRID)

    @pytest.mark.real_data
    def test_of_a_real_model_agree_with_its_own_pixels(self) -> None:
        """SRTM around Aberystwyth, 10 m, in the British grid: sea at 0 is its nodata, hills to 196 m."""
        path = DATA / "rsgislib-srtm-aberystwyth/SRTM_aber.tif"
        with rasterio.open(path) as raster:
            own = raster.read(1)
            left, top = raster.transform.c, raster.transform.f
        grid = Grid(crs="EPSG:27700", left=259_980.0, top=282_000.0, gsd=60, width=60, height=60)
        row, col = round((top - grid.top) / 10), round((grid.left - left) / 10)
        blocks = own[row : row + 360, col : col + 360].reshape(60, 6, 60, 6).astype(np.float32)
        heights = heights_on(path, grid)
        dry = (blocks > 0).all(axis=(1, 3))
        assert dry.mean() > 0.5
        assert np.abs(heights - blocks.mean(axis=(1, 3)))[dry].mean() < 3
        assert 100 < np.nanmax(heights) <= own.max()
        utm = heights_on(path, Grid(crs="EPSG:32630", left=429_960.0, top=5_806_980.0, gsd=60, width=60, height=60))
        assert np.isfinite(utm).mean() > 0.3

    @pytest.mark.real_data
    def test_of_a_real_tile_beside_the_pole(self) -> None:
        """Copernicus DEM 90 m: pixels ten times as wide in degrees as high."""
        path = DATA / "copdem90-polar/Copernicus_DSM_COG_30_S90_00_W164_00_DEM.tif"
        grid = Grid(crs="EPSG:3031", left=-20_100.0, top=-63_300.0, gsd=60, width=40, height=40)
        heights = heights_on(path, grid)
        assert np.isfinite(heights).any()
        assert 2800 < np.nanmin(heights) <= np.nanmax(heights) < 2970


class TestCovers:
    """Classes keep their codes."""

    def test_are_the_most_frequent_ones(self, tmp_path: Path) -> None:
        codes = np.full((1250, 1250), 10, dtype=np.uint8)
        lon, _ = lon_lat(GRID)
        codes[:, round((lon[0, 25] - WEST) * 5000) :] = 50
        codes[::3] = 80
        covers = covers_on(write(tmp_path / "cover.tif", codes, 0.0002, nodata=0), GRID)
        assert (covers[:, :23] == 10).all()
        assert (covers[:, 27:] == 50).all()
        assert covers.dtype == np.uint8

    def test_must_be_those_of_worldcover(self, tmp_path: Path) -> None:
        path = write(tmp_path / "corine.tif", np.full((250, 250), 112, dtype=np.uint8))
        with pytest.raises(RequestError, match=r"expected the codes of ESA WorldCover .* found 112"):
            covers_on(path, GRID)

    def test_are_unknown_beyond_the_edge(self, tmp_path: Path) -> None:
        path = write(tmp_path / "cover.tif", np.full((2, 2), 50, dtype=np.uint8))
        assert not covers_on(path, GRID).any()
