"""19 dates at 10 m near Antwerp in a cloudy autumn: the mosaic of senard beside those of simpler methods."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio

from bench.quality_real.product import RealScene, choose
from senard.algorithms.shadow_zone import Drift
from senard.model.arrays import Float32Array, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.sentinel2 import SCL_CLEAR

FOLDER = "s2-stack/gfmap-mol-be"
BANDS = ("B02", "B03", "B04", "B08")
SIDE = (48, 42)
"""Rows and columns of 10 m that make whole pixels of 60 m; the first row is left out for that."""
_FIRST = datetime(1990, 1, 1, 10, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cube:
    """The dates, (time, y, x)."""

    days: tuple[datetime, ...]
    dn: dict[str, UInt16Array]
    scl: UInt8Array
    grid: Grid
    """Of 10 m."""


def read_cube(data: Path) -> Cube:
    """Read the cube, cut to whole pixels of 60 m."""
    path = data / FOLDER / "test_optical_cube.nc"
    dn = {band: _variable(path, band)[0] for band in BANDS}
    scl, days, transform = _variable(path, "SCL")
    grid = Grid(crs="EPSG:32631", left=transform.c, top=transform.f - 10, gsd=10, width=SIDE[1], height=SIDE[0])
    cut = np.s_[:, 1 : 1 + SIDE[0], : SIDE[1]]
    return Cube(
        days=days,
        dn={band: pixels[cut].astype(np.uint16) for band, pixels in dn.items()},
        scl=scl[cut].astype(np.uint8),
        grid=grid,
    )


def peer_composites(data: Path) -> npt.NDArray[np.float32]:
    """(time, band, y, x) DN of B02 B03 B04: ten-day composites of openeo-gfmap, of another place and year."""
    path = data / FOLDER / "bap_composited_cdse.nc"
    return np.stack([_variable(path, band)[0] for band in ("B02", "B03", "B04")], axis=1).astype(np.float32)


def mosaics(cube: Cube) -> dict[str, Float32Array]:
    """Name to (band, y, x) DN; NaN where nothing is delivered."""
    stack = np.stack([cube.dn[band] for band in BANDS], axis=1).astype(np.float32)
    clear = np.isin(cube.scl, [int(value) for value in SCL_CLEAR])
    masked = np.where(clear[:, np.newaxis], stack, np.nan)
    order = np.argsort(-clear.mean(axis=(1, 2)), kind="stable")
    first = order[clear[order].argmax(axis=0)]
    source = senard_source(cube)
    some = clear.any(axis=0)
    with np.errstate(all="ignore"):
        return {
            "SCL median": np.nanmedian(masked, axis=0),
            "25th percentile": np.nanpercentile(masked, 25, axis=0).astype(np.float32),
            "first clear": np.where(some, _taken(stack, first), np.nan),
            "senard": np.where(source > 0, _taken(stack, np.maximum(source.astype(np.int64) - 1, 0)), np.nan),
        }


def senard_source(cube: Cube) -> UInt16Array:
    """Number of the chosen date, from 1, at 10 m."""
    layers = choose([_scene(cube, index) for index in range(len(cube.days))])
    return np.kron(layers["source"], np.ones((2, 2), np.uint16))


def measure_mol(data: Path) -> dict[str, Any]:
    """How far each mosaic lies from the median of the dates that are clear over the whole place."""
    cube = read_cube(data)
    made = mosaics(cube)
    share = np.isin(cube.scl, [int(value) for value in SCL_CLEAR]).mean(axis=(1, 2))
    clean = share > 0.99
    stack = np.stack([cube.dn[band] for band in BANDS], axis=1).astype(np.float32)
    truth = np.median(stack[clean], axis=0)
    rows = {name: _figures(mosaic, truth) for name, mosaic in made.items()}
    peer = peer_composites(data)
    hot = (peer[:, 0] - 0.5 * peer[:, 2]) / 10_000
    usual = np.median(hot, axis=0)
    return {
        "clean dates": [str(day.date()) for day, whole in zip(cube.days, clean, strict=True) if whole],
        "rows": rows,
        "peer dekads, share more than 0.014 above their own median HOT": [
            float(np.mean(one - usual > 0.014)) for one in hot
        ],
    }


def _figures(mosaic: Float32Array, truth: Float32Array) -> dict[str, Any]:
    known = np.asarray(np.isfinite(mosaic).all(axis=0), np.bool_)
    off = (mosaic - truth)[:, known] / 10_000
    hot = off[0] - 0.5 * off[2]
    return {
        "delivered": float(known.mean()),
        "hazy": float(np.mean(hot > 0.014)),
        "rmse": {band: float(np.sqrt(np.mean(values**2))) for band, values in zip(BANDS, off, strict=True)},
    }


def _scene(cube: Cube, index: int) -> RealScene:
    fine = cube.grid.at(20)
    rows, cols = fine.shape

    def mean(band: str) -> UInt16Array:
        dn = cube.dn[band][index].reshape(rows // 3, 6, cols // 3, 6).mean(axis=(1, 3))
        return np.asarray(np.rint(dn), np.uint16)

    return RealScene(
        name=f"date-{index:02d}",
        time=cube.days[index],
        grid=fine,
        scl=np.ascontiguousarray(cube.scl[index, ::2, ::2]),
        cloud_probability=None,
        snow_probability=None,
        judge={"B02": mean("B02"), "B04": mean("B04"), "B8A": mean("B08"), "B11": mean("B08")},
        sun_zenith=70.0,
        drift=Drift.of(*(np.full((2, 2), np.nan, np.float32) for _ in range(4))),
    )


def _taken(stack: Float32Array, which: npt.NDArray[np.int64]) -> Float32Array:
    """(band, y, x) of the date chosen for each pixel."""
    return np.asarray(np.take_along_axis(stack, which[np.newaxis, np.newaxis], axis=0)[0], np.float32)


def _variable(path: Path, band: str) -> tuple[npt.NDArray[Any], tuple[datetime, ...], Any]:
    """Pixels (time, y, x), times and transform of one variable of a NetCDF file."""
    with rasterio.open(f"netcdf:{path}:S2-L2A-{band}") as file:
        days = [int(file.tags(number)["NETCDF_DIM_t"]) for number in range(1, file.count + 1)]
        return file.read(), tuple(_FIRST + timedelta(days=day) for day in days), file.transform
