"""The index over the tiles of a mosaic, and its QGIS style."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from lxml import etree
from rasterio.windows import Window as RasterioWindow

from senard.errors import IncompleteError, RequestError
from senard.io.geotiff import write_cog, write_scratch
from senard.io.statistics import NOTHING, BandStatistics, combine_statistics
from senard.io.vrt import IndexedFile, write_vrt
from senard.model.grid import Tile
from senard.model.labels import MOSAIC_PROFILES, QUALITY_PROFILE, RasterProfile
from senard.steps.build_vrt import build_vrt

X, Y = 2_700_000, 8_400_000
TILES = (
    Tile(index=0, crs="EPSG:3857", left=X, bottom=Y, right=X + 6000, top=Y + 4000),
    Tile(index=1, crs="EPSG:3857", left=X + 6000, bottom=Y, right=X + 12000, top=Y + 4000),
    Tile(index=2, crs="EPSG:3857", left=X, bottom=Y - 8000, right=X + 6000, top=Y),
)
"""Three tiles in the corner of a square: the fourth is missing."""


def mosaic(folder: Path, profile: RasterProfile, name: str = "mosaic", *, valid_share: float = 0.9) -> Path:
    """Three files of random pixels and their VRT."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(profile.gsd)
    files = []
    for tile in TILES:
        grid = tile.grid(profile.gsd)
        valid = random.random(grid.shape) < valid_share
        bands = {band: (random.integers(1, 9000, grid.shape) * valid).astype(np.uint16) for band in profile.names}
        scratch = folder / ".scratch.tif"
        write_scratch(scratch, grid, bands)
        files.append(write_cog(scratch, folder / f"{tile.index}_{profile.gsd}.tif", profile, {}))
        scratch.unlink()
    given = [files[2], files[0], files[1]], [TILES[2], TILES[0], TILES[1]]
    return build_vrt(*given, profile.gsd, folder / f"{name}_{profile.gsd}.vrt", profile=profile)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product folder with both indexes, moved after it was made."""
    root = tmp_path_factory.mktemp("vrt")
    for gsd in (10, 20):
        mosaic(root / "made", MOSAIC_PROFILES[gsd])
    (root / "made").rename(root / "moved elsewhere")
    return root / "moved elsewhere"


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} (Debian's gdal-bin) is not installed: not compared with GDAL's own tools")


def ran(*command: str | Path) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


class TestVrt:
    """The index of a mosaic"""

    @pytest.mark.parametrize("gsd", [10, 20])
    def test_labels_its_bands_as_the_files_do(self, moved: Path, gsd: int) -> None:
        with rasterio.open(moved / f"mosaic_{gsd}.vrt") as index, rasterio.open(moved / f"0_{gsd}.tif") as file:
            for name in ("descriptions", "scales", "offsets", "units", "nodatavals", "dtypes", "crs", "colorinterp"):
                assert getattr(index, name) == getattr(file, name), name
            assert index.bounds == (X, Y - 8000, X + 12000, Y + 4000)
            assert index.overviews(1) == ([2, 4] if gsd == 10 else [2])
            assert index.tags()["AREA_OR_POINT"] == "Area"

    @pytest.mark.parametrize("gsd", [10, 20])
    def test_equals_the_files_across_the_borders_of_tiles(self, moved: Path, gsd: int) -> None:
        rows, cols = 12000 // gsd, 12000 // gsd
        with rasterio.open(moved / f"mosaic_{gsd}.vrt") as index:
            expected = np.zeros((index.count, rows, cols), np.uint16)
            for tile in TILES:
                row, col = (Y + 4000 - tile.top) // gsd, (tile.left - X) // gsd
                with rasterio.open(moved / f"{tile.index}_{gsd}.tif") as file:
                    expected[:, row : row + file.height, col : col + file.width] = file.read()
            np.testing.assert_array_equal(index.read(), expected)
            window = RasterioWindow(6000 // gsd - 7, 4000 // gsd - 5, 20, 11)
            np.testing.assert_array_equal(index.read(window=window), expected[(slice(None), *window.toslices())])

    def test_names_files_relative_to_itself_in_the_order_of_their_index(self, moved: Path) -> None:
        root = etree.parse(moved / "mosaic_10.vrt")
        names = [element.text for element in root.findall(".//VRTRasterBand[@band='1']//SourceFilename")]
        assert names == ["0_10.tif", "1_10.tif", "2_10.tif"]
        assert {element.get("relativeToVRT") for element in root.findall(".//SourceFilename")} == {"1"}
        assert root.find("OverviewList").get("resampling") == "average"
        assert etree.parse(moved / "mosaic_20.vrt").find("OverviewList").get("resampling") == "nearest"

    def test_opens_no_file_to_learn_the_grid(self, tmp_path: Path) -> None:
        files = [IndexedFile(tile=tile, name=f"absent/{tile.index}_10.tif") for tile in TILES]
        out = write_vrt(tmp_path / "mosaic_10.vrt", files, MOSAIC_PROFILES[10])
        with rasterio.open(out) as index:
            assert index.shape == (1200, 1200)
        assert etree.parse(out).find(".//SourceFilename").text == "absent/0_10.tif"

    def test_gives_pyramids_that_do_not_mix_in_nodata(self, moved: Path) -> None:
        with rasterio.open(moved / "mosaic_10.vrt") as index, rasterio.open(moved / "0_10.tif") as file:
            small = index.read(1, out_shape=(600, 600), window=RasterioWindow(0, 0, 1200, 1200))[:200, :300]
            pixels = file.read(1).reshape(200, 2, 300, 2)
        count = (pixels > 0).sum(axis=(1, 3))
        mean = pixels.sum(axis=(1, 3)) / np.maximum(count, 1)
        inside = (slice(0, 199), slice(0, 299))  # the last row and column see the next tile at half size
        assert np.abs(small - mean)[inside].max() <= 1
        np.testing.assert_array_equal(small[inside] > 0, count[inside] > 0)

    def test_needs_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="no tile"):
            build_vrt([], [], 10, tmp_path / "mosaic_10.vrt")

    @pytest.mark.parametrize("gsd", [10, 20])
    def test_is_read_by_gdal_itself_as_the_index_that_gdal_builds(self, moved: Path, tmp_path: Path, gsd: int) -> None:
        needs("gdalbuildvrt")
        files = [moved / f"{tile.index}_{gsd}.tif" for tile in TILES]
        ran("gdalbuildvrt", "-q", tmp_path / "theirs.vrt", *files)
        with rasterio.open(tmp_path / "theirs.vrt") as theirs, rasterio.open(moved / f"mosaic_{gsd}.vrt") as ours:
            assert theirs.transform == ours.transform
            np.testing.assert_array_equal(theirs.read(), ours.read())
        theirs_info = json.loads(ran("gdalinfo", "-json", "-checksum", tmp_path / "theirs.vrt"))
        ours_info = json.loads(ran("gdalinfo", "-json", "-checksum", moved / f"mosaic_{gsd}.vrt"))
        for key in ("size", "geoTransform", "cornerCoordinates"):
            assert ours_info[key] == theirs_info[key], key
        assert [band["checksum"] for band in ours_info["bands"]] == [band["checksum"] for band in theirs_info["bands"]]
        assert [band["description"] for band in ours_info["bands"]] == list(MOSAIC_PROFILES[gsd].names)
        assert len(ours_info["bands"][0]["overviews"]) == (2 if gsd == 10 else 1)

    @pytest.mark.parametrize("gsd", [10, 20])
    def test_lists_files_in_which_gdal_itself_finds_names_scale_and_nodata(self, moved: Path, gsd: int) -> None:
        needs("gdalinfo")
        bands = json.loads(ran("gdalinfo", "-json", moved / f"0_{gsd}.tif"))["bands"]
        labels = MOSAIC_PROFILES[gsd].bands
        for band, label in zip(bands, labels, strict=True):
            assert (band["description"], band["unit"]) == (label.name, label.unit)
            assert (band.get("scale", 1.0), band.get("offset", 0.0)) == (label.scale, 0.0)
            assert band["noDataValue"] == 0
            assert band["colorInterpretation"] == label.colour.value
            assert float(band["metadata"][""]["STATISTICS_VALID_PERCENT"]) == pytest.approx(90, abs=1)
            assert {"WAVELENGTH_NM", "COMMON_NAME"} <= set(band["metadata"][""]) or label.unit != "1"


class TestStatistics:
    """The statistics that an index states"""

    @pytest.mark.parametrize("gsd", [10, 20])
    def test_are_those_of_the_pixels_of_all_files(self, moved: Path, gsd: int) -> None:
        with rasterio.open(moved / f"mosaic_{gsd}.vrt") as index:
            for number in index.indexes:
                band, tags = index.read(number), index.tags(number)
                valid = band[band > 0].astype(float)
                stated = [float(tags[f"STATISTICS_{key}"]) for key in ("MINIMUM", "MAXIMUM", "MEAN", "STDDEV")]
                assert stated[:2] == [valid.min(), valid.max()]
                assert stated[2:] == pytest.approx([valid.mean(), valid.std()], rel=1e-5)
                share = 100 * valid.size / band.size
                assert float(tags["STATISTICS_VALID_PERCENT"]) == pytest.approx(share, rel=1e-3)

    def test_weigh_a_file_by_the_valid_pixels_that_it_holds(self) -> None:
        one = BandStatistics(pixels=30, minimum=2, maximum=8, mean=4, deviation=1)
        two = BandStatistics(pixels=10, minimum=1, maximum=9, mean=8, deviation=2)
        assert combine_statistics([one, NOTHING, two]) == BandStatistics(
            pixels=40, minimum=1, maximum=9, mean=5, deviation=pytest.approx((1.75 + 3) ** 0.5)
        )

    @pytest.mark.filterwarnings("ignore:statistics.. will be removed:FutureWarning")
    @pytest.mark.parametrize("program", ["gdalinfo", "rasterio"])
    def test_leave_nothing_to_write_for_whoever_asks(self, tmp_path: Path, program: str) -> None:
        for profile, name in ((MOSAIC_PROFILES[10], "mosaic"), (QUALITY_PROFILE, "QA")):
            ask(program, mosaic(tmp_path / profile.names[0], profile, name))

    @pytest.mark.filterwarnings("ignore:statistics.. will be removed:FutureWarning")
    @pytest.mark.parametrize("program", ["gdalinfo", "rasterio"])
    def test_leave_nothing_to_write_where_no_pixel_is_valid(self, tmp_path: Path, program: str) -> None:
        ask(program, mosaic(tmp_path, QUALITY_PROFILE, "QA", valid_share=0))

    def test_are_not_made_up_from_a_file_that_cannot_be_opened(self, tmp_path: Path) -> None:
        (tmp_path / "0_10.tif").write_bytes(b"no GeoTIFF")
        with pytest.raises(IncompleteError, match=r"0_10\.tif cannot be opened .* Delete it"):
            build_vrt([tmp_path / "0_10.tif"], TILES[:1], 10, tmp_path / "mosaic_10.vrt")


def ask(program: str, index: Path) -> None:
    """Ask for the statistics of all bands; the folder must be as it was."""
    before = {path.name: path.read_bytes() for path in index.parent.iterdir()}
    if program == "gdalinfo":
        needs("gdalinfo")
        assert ran("gdalinfo", "-stats", index).count("STATISTICS_MEAN=") == 4
    else:
        with rasterio.open(index) as dataset:
            for number in dataset.indexes:
                tags = dataset.tags(number)
                assert f"{dataset.statistics(number).mean:.14g}" == tags["STATISTICS_MEAN"]
    after = {path.name: path.read_bytes() for path in index.parent.iterdir()}
    assert sorted(after) == sorted(before)
    assert after == before


class TestStyle:
    """The QGIS style beside an index"""

    @pytest.mark.parametrize(("gsd", "bands", "brightest"), [(10, "1 2 3", "0.25"), (20, "4 5 1", "0.45")])
    def test_stretches_reflectance(self, moved: Path, gsd: int, bands: str, brightest: str) -> None:
        renderer = etree.parse(moved / f"mosaic_{gsd}.qml").find("pipe/rasterrenderer")
        assert " ".join(renderer.get(f"{colour}Band") for colour in ("red", "green", "blue")) == bands
        assert [element.text for element in renderer.iter("minValue", "maxValue")] == ["0", brightest] * 3

    def test_colours_quality_by_level(self, tmp_path: Path) -> None:
        mosaic(tmp_path, QUALITY_PROFILE, "QA")
        renderer = etree.parse(tmp_path / "QA_20.qml").find("pipe/rasterrenderer")
        assert (renderer.get("type"), renderer.get("band")) == ("paletted", "3")
        assert [entry.get("value") for entry in renderer.iter("paletteEntry")] == ["1", "2", "3", "4", "5"]
