"""What users know of the land is taken over into the work folder before anything else is done."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from senard.errors import RequestError
from workflows import ListAOI, MosaicAOI

DAYS = {"start": "2024-05-01", "end": "2024-07-31"}


def write(path: Path, pixels: np.ndarray) -> Path:
    """A raster of 40 km around the area."""
    profile = {"width": pixels.shape[1], "height": pixels.shape[0], "count": 1, "dtype": pixels.dtype}
    transform = Affine(400, 0, 365_000, 0, -400, 6_690_000)
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32635", transform=transform, **profile) as raster:
        raster.write(pixels, 1)
    return path


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A command without land."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    (tmp_path / "archive").mkdir()
    places = {"archive": str(tmp_path / "archive"), "outdir": str(tmp_path / "out"), "crs": "EPSG:32635"}
    return {"bbox": "24.90,60.14,24.94,60.16", **DAYS, **places}


def taken_over(dem: Path, typed: dict[str, str]) -> Path:
    """The folder that a mosaic has taken its heights into."""
    task = MosaicAOI(dem=str(dem), **typed)
    task.begin()
    land = task.work.land(task.call.request)
    assert land is not None
    return land


class TestLand:
    """Rasters of the user's"""

    def test_are_read_once_and_not_needed_again(self, typed: dict[str, str], tmp_path: Path) -> None:
        dem = write(tmp_path / "dem.tif", np.full((100, 100), 80, np.float32))
        land = taken_over(dem, typed)
        before = {path.name: path.stat().st_mtime_ns for path in land.glob("[!.]*")}
        assert before
        assert all(name.startswith("heights_") for name in before)
        again = MosaicAOI(dem=str(dem.rename(tmp_path / "moved.tif")), **typed)
        again.begin()
        assert {path.name: path.stat().st_mtime_ns for path in land.glob("[!.]*")} == before

    def test_are_read_again_where_a_part_of_them_was_lost(self, typed: dict[str, str], tmp_path: Path) -> None:
        dem = write(tmp_path / "dem.tif", np.full((100, 100), 80, np.float32))
        land = taken_over(dem, typed)
        before = {path.name: path.read_bytes() for path in land.iterdir()}
        next(land.glob("heights_*.tif")).unlink()
        MosaicAOI(dem=str(dem), **typed).begin()
        assert {path.name: path.read_bytes() for path in land.iterdir()} == before

    def test_that_cannot_be_meant_end_the_command(self, typed: dict[str, str], tmp_path: Path) -> None:
        cover = write(tmp_path / "cover.tif", np.full((100, 100), 7, np.uint8))
        task = MosaicAOI(landcover=str(cover), **typed)
        with pytest.raises(RequestError, match="expected the codes of ESA WorldCover"):
            task.begin()
        assert not list((tmp_path / "out/.senard").glob("land/*"))

    def test_are_not_read_for_a_list(self, typed: dict[str, str], tmp_path: Path) -> None:
        dem = write(tmp_path / "dem.tif", np.full((100, 100), 80, np.float32))
        task = ListAOI(dem=str(dem), **typed)
        task.begin()
        assert not (tmp_path / "out/.senard/land").exists()
        assert task.call.request == MosaicAOI(dem=str(dem), **typed).call.request

    def test_lie_nowhere_if_none_were_given(self, typed: dict[str, str], tmp_path: Path) -> None:
        MosaicAOI(**typed).begin()
        assert not (tmp_path / "out/.senard/land").exists()
