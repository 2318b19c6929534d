"""GeoTIFF, between steps and delivered."""

from pathlib import Path

import numpy as np
import pytest

from senard.io.geotiff import ScratchReader, ScratchWriter, read_scratch, write_scratch
from senard.model.grid import Grid, Window

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
        with pytest.raises(ValueError, match="not in tuple"):
            read_scratch(tmp_path / "a.tif", bands="level")
