"""GeoTIFF, between steps and delivered."""

import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.errors import RasterioError

from senard.errors import IncompleteError, RequestError, TransientError
from senard.io.geotiff import RasterReader, ScratchReader, ScratchWriter, read_scratch, write_cog, write_scratch
from senard.model.grid import Grid, Window
from senard.model.labels import MOSAIC_PROFILES

GRID = Grid(crs="EPSG:32633", left=600000.0, top=5200020.0, gsd=20, width=700, height=530)


def ramp(grid: Grid, dtype: type = np.uint16) -> np.ndarray:
    return (np.arange(grid.height * grid.width) % 60000 + 1).reshape(grid.shape).astype(dtype)


class TestScratch:
    """A scratch raster"""

    def test_gives_back_what_was_written(self, tmp_path: Path) -> None:
        first, second = ramp(GRID), ramp(GRID)[::-1]
        write_scratch(tmp_path / "a.tif", GRID, {"source": first, "cost": second}, nodata=0)
        np.testing.assert_array_equal(read_scratch(tmp_path / "a.tif"), [first, second])
        np.testing.assert_array_equal(read_scratch(tmp_path / "a.tif", bands="cost"), second)
        np.testing.assert_array_equal(read_scratch(tmp_path / "a.tif", bands=["cost"]), [second])

    def test_knows_its_grid_and_its_names(self, tmp_path: Path) -> None:
        write_scratch(tmp_path / "a.tif", GRID, {"source": ramp(GRID), "cost": ramp(GRID)})
        with ScratchReader(tmp_path / "a.tif") as reader:
            assert reader.grid == GRID
            assert reader.names == ("source", "cost")

    @pytest.mark.parametrize(
        "window",
        [
            Window(row_start=-3, row_stop=5, col_start=690, col_stop=720),
            Window(row_start=500, row_stop=600, col_start=-10, col_stop=20),
            Window(row_start=-20, row_stop=-10, col_start=0, col_stop=4),
            Window(row_start=10, row_stop=20, col_start=900, col_stop=910),
            Window(row_start=-1, row_stop=531, col_start=-1, col_stop=701),
            Window(row_start=7, row_stop=7, col_start=0, col_stop=5),
        ],
        ids=str,
    )
    def test_is_filled_beyond_its_edges(self, tmp_path: Path, window: Window) -> None:
        write_scratch(tmp_path / "a.tif", GRID, {"source": ramp(GRID)})
        far = np.pad(ramp(GRID), 1000, constant_values=9)
        rows, cols = window.slices
        expected = far[rows.start + 1000 : rows.stop + 1000, cols.start + 1000 : cols.stop + 1000]
        np.testing.assert_array_equal(read_scratch(tmp_path / "a.tif", window, "source", fill=9), expected)

    def test_can_be_filled_window_by_window_and_band_by_band(self, tmp_path: Path) -> None:
        pixels = ramp(GRID)
        with ScratchWriter(tmp_path / "a.tif", GRID, ["B04", "B03"], np.uint16, nodata=0) as writer:
            for name in ("B03", "B04"):
                for window in GRID.blocks(200):
                    writer.write(window, {name: pixels[window.slices]})
        np.testing.assert_array_equal(read_scratch(tmp_path / "a.tif"), [pixels, pixels])

    def test_refuses_a_band_that_it_does_not_have(self, tmp_path: Path) -> None:
        write_scratch(tmp_path / "a.tif", GRID, {"source": ramp(GRID)})
        with pytest.raises(ValueError, match=r"not in tuple"):
            read_scratch(tmp_path / "a.tif", bands="level")

    def test_says_where_it_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(
            TransientError, match=r"absent/a[.]tif cannot be written: its folder has vanished[.] .* scheduler"
        ):
            write_scratch(tmp_path / "absent" / "a.tif", GRID, {"source": ramp(GRID)})

    def test_says_when_the_disk_is_full(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 5_000_000))
        (tmp_path / "a.tif").mkdir()
        with pytest.raises(RequestError, match=r"the disk is full, 5 MB are free"):
            write_scratch(tmp_path / "a.tif", GRID, {"source": ramp(GRID)})


class TestLostScratch:
    """A scratch raster that cannot be read says what to delete, for it can be made again:"""

    @pytest.fixture
    def raster(self, tmp_path: Path) -> Path:
        write_scratch(tmp_path / "a.tif", GRID, {"source": ramp(GRID), "cost": ramp(GRID)})
        return tmp_path / "a.tif"

    def test_one_that_was_deleted(self, raster: Path) -> None:
        raster.unlink()
        with pytest.raises(
            IncompleteError, match=rf"{raster}: expected .* found none\. Delete {raster.parent} and run"
        ):
            read_scratch(raster)

    def test_one_that_holds_something_else(self, raster: Path) -> None:
        raster.write_bytes(b"\x00" * raster.stat().st_size)
        with pytest.raises(IncompleteError, match=rf"{raster}: .* cannot be read .* Delete {raster.parent} and run"):
            read_scratch(raster)

    @pytest.mark.parametrize("left", [0.2, 0.5, 0.9])
    def test_one_that_was_cut_short(self, raster: Path, left: float) -> None:
        raster.write_bytes(raster.read_bytes()[: int(left * raster.stat().st_size)])
        with pytest.raises(IncompleteError, match=rf"{raster}: .* cannot be read .* Delete {raster.parent} and run"):
            read_scratch(raster)

    @pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
    def test_one_that_lost_its_place(self, raster: Path) -> None:
        with rasterio.open(raster) as file:
            names, pixels = file.descriptions, file.read()
        with rasterio.open(raster, "w", driver="GTiff", count=2, dtype="uint16", width=700, height=530) as file:
            file.descriptions = names
            file.write(pixels)
        with (
            ScratchReader(raster) as reader,
            pytest.raises(IncompleteError, match=rf"{raster}: .* \(it does not say where it lies\)\. Delete"),
        ):
            _ = reader.grid

    def test_one_that_is_part_of_more(self, raster: Path) -> None:
        raster.unlink()
        with pytest.raises(IncompleteError, match=r"Delete /somewhere/sources/0 and run"):
            read_scratch(raster, part_of=Path("/somewhere/sources/0"))

    def test_one_that_is_made_alone(self, raster: Path) -> None:
        raster.unlink()
        with pytest.raises(IncompleteError, match="Delete it and run the same command again"):
            read_scratch(raster, part_of=raster)

    def test_while_a_raster_of_somebody_else_says_nothing_of_the_kind(self, raster: Path) -> None:
        raster.write_bytes(b"")
        with pytest.raises(RasterioError):
            RasterReader(raster)


class TestCog:
    """A delivered file"""

    def test_has_overviews_that_do_not_mix_in_nodata(self, tmp_path: Path) -> None:
        grid = Grid(crs="EPSG:3857", left=0.0, top=0.0, gsd=10, width=600, height=520)
        random = np.random.default_rng(0)
        valid = random.random(grid.shape) < 0.5
        pixels = np.where(valid, random.integers(1000, 9000, grid.shape), 0).astype(np.uint16)
        profile = MOSAIC_PROFILES[10]
        write_scratch(tmp_path / "s.tif", grid, dict.fromkeys(profile.names, pixels))
        write_cog(tmp_path / "s.tif", tmp_path / "0_10.tif", profile, {})
        blocks = pixels.reshape(260, 2, 300, 2).astype(float)
        count = (blocks > 0).sum(axis=(1, 3))
        mean = blocks.sum(axis=(1, 3)) / np.maximum(count, 1)
        with rasterio.open(tmp_path / "0_10.tif") as file:
            assert file.overviews(1) == [2]
        with rasterio.open(tmp_path / "0_10.tif", overview_level=0) as overview:
            small = overview.read(4)
        assert np.abs(small - mean).max() <= 1
        np.testing.assert_array_equal(small > 0, count > 0)

    @settings(max_examples=8, deadline=None)
    @given(height=st.integers(1, 700), width=st.integers(1, 700), gsd=st.sampled_from([10, 20]), seed=st.integers(0, 9))
    def test_holds_the_pixels_and_exact_statistics_of_the_valid_ones(
        self, tmp_path_factory: pytest.TempPathFactory, height: int, width: int, gsd: int, seed: int
    ) -> None:
        folder, profile = tmp_path_factory.mktemp("cog"), MOSAIC_PROFILES[gsd]
        grid = Grid(crs="EPSG:3857", left=0.0, top=0.0, gsd=gsd, width=width, height=height)
        random = np.random.default_rng(seed)
        bands = [random.integers(0, 5, grid.shape).astype(np.uint16) for _ in profile.names]
        write_scratch(folder / "s.tif", grid, dict(zip(profile.names, bands, strict=True)))
        write_cog(folder / "s.tif", folder / "out.tif", profile, {})
        with rasterio.open(folder / "out.tif") as file:
            np.testing.assert_array_equal(file.read(), bands)
            assert file.overviews(1) == ([2] if max(height, width) > 512 else [])
            tags = [file.tags(number) for number in file.indexes]
        for band, tag in zip(bands, tags, strict=True):
            valid = band[band > 0].astype(float)
            counted = float(tag["STATISTICS_VALID_PERCENT"]) / 100 * band.size
            # GDAL 3.10 may count one too few, and rounds percents
            assert counted == pytest.approx(valid.size, rel=0.001, abs=1.01)
            for name in ("min", "max", "mean", "std") if valid.size else ():
                key = {"min": "MINIMUM", "max": "MAXIMUM", "mean": "MEAN", "std": "STDDEV"}[name]
                assert float(tag[f"STATISTICS_{key}"]) == pytest.approx(getattr(valid, name)(), rel=1e-9, abs=1e-9)

    def test_leaves_nothing_behind_when_it_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "s.tif").write_text("no raster")
        with pytest.raises(TransientError, match=r"s[.]tif cannot be written"):
            write_cog(tmp_path / "s.tif", tmp_path / "out" / "0_10.tif", MOSAIC_PROFILES[10], {})
        assert not list((tmp_path / "out").iterdir())
