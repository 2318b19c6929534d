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
from rasterio.enums import Resampling

from senard.model.grid import Grid
from tests.prove.real_products import KEPT, build_real_products, on_grid

pytestmark = [pytest.mark.prove, pytest.mark.real_data]

AREA = "15.30,45.78,15.80,46.16"
"""38 x 42 km around the line where the MGRS tiles 33TWM and 33TWL meet."""

BESIDE_PX = 30
"""Pixels of 20 m on either side of a line whose means are compared: 600 m, five pixels of the kept files, whose 120 m
grids lie half a pixel apart; over 200 m that alone makes 5 DN of noise in red and 17 in the near infrared."""

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
    with rasterio.open(mosaic / "0_10.tif") as file:
        grid = Grid(
            crs=str(file.crs), left=file.transform.c, top=file.transform.f, gsd=60,
            width=file.width // 6, height=file.height // 6,
        )  # fmt: skip
    out = np.full(grid.shape, np.nan, np.float32)
    for tile in ("33TWM", "33TWL"):
        kept = shared / "data" / KEPT / f"S2A_{tile}_20230815_0_L2A"
        dn = on_grid(kept / f"{band}.tif", grid, Resampling.bilinear)
        scl = on_grid(kept / "SCL.tif", grid, Resampling.nearest)
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
        rows = scenes_of(mosaic)
        assert len(rows) == 6
        used = {row["acquisition_time"][:10] for row in rows if row["used"] == "true"}
        assert used == {"2023-08-10", "2023-08-15", "2023-08-18"}
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

    def test_shows_no_step_where_the_mgrs_tiles_meet(self, mosaic: Path, shared: Path) -> None:
        # Means just north and south of where the source changes differ by what the ground does there, which each of
        # the two granules shows alone, and by what the granules differ: 35, 35, 64, -62 DN with `--level none`.
        ends = meeting_ends(mosaic)
        assert len(ends[0]) > 2000
        for index, band, most in ((1, "B04", 10), (2, "B03", 10), (3, "B02", 10), (4, "B08", 40)):
            with rasterio.open(mosaic / "0_10.tif") as file:
                pixels = file.read(index, out_shape=(file.height // 2, file.width // 2), resampling=Resampling.average)
            ground = [jumps(on_mosaic(shared, mosaic, granule, band), *ends) for granule in ("33TWM", "33TWL")]
            step = jumps(pixels.astype(np.float32), *ends) - np.mean(ground, axis=0)
            assert abs(np.nanmean(step)) < most, band


def scenes_of(mosaic: Path) -> list[dict[str, str]]:
    """The rows of scenes.csv."""
    return list(csv.DictReader((mosaic / "scenes.csv").read_text(encoding="utf-8").splitlines()))


def meeting_ends(mosaic: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and columns (20 m) above which one granule of the clear date supplies 600 m, and below which the other."""
    with rasterio.open(mosaic / "layers/0_QA_20.tif") as file:
        source = file.read(1)
    clear = [int(row["source"]) for row in scenes_of(mosaic) if "_20230815T" in row["product_id"]]
    rows, cols = np.nonzero((source[:-1] != source[1:]) & np.isin(source[:-1], clear) & np.isin(source[1:], clear))
    inside = (rows >= BESIDE_PX) & (rows < source.shape[0] - BESIDE_PX)
    rows, cols = rows[inside], cols[inside]
    pure = np.ones(rows.size, bool)
    for away in range(1, BESIDE_PX):
        pure &= (source[rows - away, cols] == source[rows, cols]) & (
            source[rows + 1 + away, cols] == source[rows + 1, cols]
        )
    return rows[pure], cols[pure]


def jumps(
    pixels: npt.NDArray[np.float32], rows: npt.NDArray[np.int64], cols: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Mean south of each place minus mean north of it, DN."""
    away = np.arange(BESIDE_PX)
    south = pixels[rows[:, None] + 1 + away, cols[:, None]].mean(axis=1)
    north = pixels[rows[:, None] - away, cols[:, None]].mean(axis=1)
    return south - north


def on_mosaic(shared: Path, mosaic: Path, granule: str, band: str) -> npt.NDArray[np.float32]:
    """One granule of the clear date on the mosaic's 20 m pixels, DN; NaN where it has no data."""
    with rasterio.open(mosaic / "layers/0_QA_20.tif") as file:
        grid = Grid(
            crs=str(file.crs), left=file.transform.c, top=file.transform.f, gsd=20,
            width=file.width, height=file.height,
        )  # fmt: skip
    kept = shared / "data" / KEPT / f"S2A_{granule}_20230815_0_L2A"
    dn = on_grid(kept / f"{band}.tif", grid, Resampling.bilinear).astype(np.float32)
    dn[dn == 0] = np.nan
    return dn
