"""Real pixels through the real command: six products of Slovenia, August 2023; a cloudy, a clear and a mixed date."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from pyproj import Transformer

from tests.prove.real_products import KEPT, build_real_products, on_grid

pytestmark = [pytest.mark.prove, pytest.mark.real_data]

AREA = "15.30,45.78,15.80,46.16"
"""38 x 42 km around the line where the MGRS tiles 33TWM and 33TWL meet."""

MEETING_LINE_Y = (5090220.0, 5100000.0)
"""UTM 33N, m: the southern edge of 33TWM and the northern edge of 33TWL."""

CLEAR_DAY = 227
"""Day of the year of 2023-08-15, the almost clear date."""


@pytest.fixture(scope="module")
def mosaic(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product folder that the Luigi command made of the real pixels."""
    cache = os.environ.get("SENARD_PROVE_CACHE")
    archive = Path(cache) / "real-33TWM-33TWL" if cache else tmp_path_factory.mktemp("archive")
    build_real_products(shared / "data", archive)
    out = tmp_path_factory.mktemp("out")
    command = [
        str(Path(sys.executable).with_name("luigi")), "--module", "workflows", "MosaicAOI", f"--bbox={AREA}",
        "--start", "2023-08-01", "--end", "2023-08-31", "--archive", str(archive), "--outdir", str(out),
        "--resolutions", "10", "--name", "slovenia", "--local-scheduler", "--workers", "2",
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=out)
    folder = next(out.glob("slovenia_*"))
    pictures = Path(os.environ.get("SENARD_PROVE_PICTURES", out))
    pictures.mkdir(parents=True, exist_ok=True)
    for name in ("quicklook.png", "acquisition_date.png"):
        shutil.copyfile(folder / name, pictures / f"real-{name}")
    return folder


def haze(red: npt.NDArray[np.float32], blue: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Haze-optimised transform, reflectance: blue - red / 2."""
    return blue - red / 2


def clear_scene(shared: Path, mosaic: Path, band: str) -> npt.NDArray[np.float32]:
    """The clear date on the mosaic's first tile, reflectance; NaN where it was not clear there."""
    from senard.model.grid import Grid

    with rasterio.open(mosaic / "0_10.tif") as file:
        grid = Grid(
            crs=str(file.crs), left=file.transform.c, top=file.transform.f, gsd=60,
            width=file.width // 6, height=file.height // 6,
        )  # fmt: skip
    out = np.full(grid.shape, np.nan, np.float32)
    for tile in ("33TWM", "33TWL"):
        kept = shared / "data" / KEPT / f"S2A_{tile}_20230815_0_L2A"
        dn = on_grid(kept / f"{band}.tif", grid, rasterio.enums.Resampling.bilinear)
        scl = on_grid(kept / "SCL.tif", grid, rasterio.enums.Resampling.nearest)
        clear = np.isin(scl, (4, 5, 6)) & (dn > 0)
        out[clear] = dn[clear] / 10000
    return out


def at_60_m(mosaic: Path, band: int) -> npt.NDArray[np.float32]:
    """One band of the mosaic's first tile as 6 x 6 means, reflectance; NaN where a pixel has no data."""
    with rasterio.open(mosaic / "0_10.tif") as file:
        dn = file.read(band).astype(np.float32)
    dn[dn == 0] = np.nan
    height, width = dn.shape[0] // 6, dn.shape[1] // 6
    return dn[: height * 6, : width * 6].reshape(height, 6, width, 6).mean(axis=(1, 3)) / 10000


class TestRealPixels:
    """A mosaic of real pixels looks like the ground without the clouds."""

    def test_uses_all_three_dates_and_fills_the_area(self, mosaic: Path) -> None:
        rows = list(csv.DictReader((mosaic / "scenes.csv").open()))
        assert len(rows) == 6
        with rasterio.open(mosaic / "mosaic_10.vrt") as file:
            valid = file.read(1, out_shape=(file.height // 10, file.width // 10)) > 0
        assert valid.mean() > 0.99

    def test_is_free_of_the_clouds_of_the_cloudy_dates(self, mosaic: Path, shared: Path) -> None:
        ours = haze(at_60_m(mosaic, 1), at_60_m(mosaic, 3))
        truth = haze(clear_scene(shared, mosaic, "B04"), clear_scene(shared, mosaic, "B02"))
        known = np.isfinite(ours) & np.isfinite(truth)
        assert known.mean() > 0.8
        assert np.mean((ours - truth)[known] > 0.03) < 0.01

    def test_keeps_the_reflectance_of_the_clear_date(self, mosaic: Path, shared: Path) -> None:
        for index, band in ((1, "B04"), (2, "B03"), (3, "B02"), (4, "B08")):
            ours, truth = at_60_m(mosaic, index), clear_scene(shared, mosaic, band)
            known = np.isfinite(ours) & np.isfinite(truth)
            assert abs(np.median((ours - truth)[known])) < 0.0005, band

    def test_shows_no_step_where_the_mgrs_tiles_meet(self, mosaic: Path) -> None:
        with rasterio.open(mosaic / "0_10.tif") as file:
            red = file.read(1).astype(np.float32)
            x = file.transform.c + 10 * np.arange(0, file.width, 50)
            to_utm = Transformer.from_crs(file.crs, "EPSG:32633", always_xy=True)
            rows = np.arange(file.height)
            y = file.transform.f - 10 * (rows + 0.5)
            step = np.full(file.height, np.nan)
            north = np.array([to_utm.transform(x.mean(), value)[1] for value in y])
            both = (red[1:] > 0) & (red[:-1] > 0)
            step[1:] = np.nanmedian(np.where(both, np.abs(red[1:] - red[:-1]), np.nan), axis=1)
        usual = np.nanpercentile(step, 99.5)
        for line in MEETING_LINE_Y:
            near = np.abs(north - line) < 1500  # the line is not horizontal in EPSG:3857
            assert near.any()
            assert np.nanmax(step[near]) <= usual * 1.5
