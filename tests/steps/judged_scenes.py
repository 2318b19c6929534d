"""Mask folders with chosen pixels, for tests of the choice of sources."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from pyproj import Transformer
from scipy import ndimage

from senard.algorithms.masking import JudgeRasters, judge
from senard.io.mask_folder import write_mask_folder
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Grid, Tile
from senard.model.masks import HAZE_ZERO, MASK_BANDS_20, MASK_BANDS_60, ZONE_NONE, SceneJudgement
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import ProductType

FIRST = datetime(2024, 6, 1, 9, 50, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A scene and its mask folder."""

    scene: Sentinel2Scene
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a judged scene should hold."""

    day: int = 0
    crs: str = "EPSG:32635"
    left: float = 0.0
    top: float = 0.0
    size: int = 300
    scl: UInt8Array | None = None
    spectra: UInt16Array | None = None
    """(4, y, x) DN of the judge bands at 60 m; brightness and noise where it is None."""
    snow: BoolArray | None = None
    """(y, x) at 20 m, True where the spectrum is that of snow."""
    brightness: int = 1000
    noise: int = 0
    seed: int = 0
    minutes: int = 0
    sun_zenith: float = 40.0
    aerosol: int = 0


def around(tile: Tile, crs: str, size: int, *, east_m: float = 0.0, north_m: float = 0.0) -> tuple[float, float]:
    """left, top of a product of size x size pixels of 20 m whose middle lies on the middle of a tile, or beside it."""
    x, y = Transformer.from_crs(tile.crs, crs, always_xy=True).transform(
        (tile.left + tile.right) / 2, (tile.top + tile.bottom) / 2
    )
    return round((x + east_m - size * 10) / 60) * 60.0, round((y + north_m + size * 10) / 60) * 60.0


def cloudy(seed: int, size: int, share: float) -> UInt8Array:
    """A scene classification: vegetation, water and soil under clouds of many sizes and some shadow and specks."""
    random = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(random.standard_normal((size, size)), 7, mode="wrap")
    scl = random.choice(np.array([4, 4, 4, 5, 7], dtype=np.uint8), size=(size // 10, size // 10))
    scl = np.kron(scl, np.ones((10, 10), dtype=np.uint8))
    if share > 0:
        cloud = field > np.quantile(field, 1 - share)
        scl[np.roll(cloud, (6, 6), (0, 1))] = 3
        scl[cloud] = 9
    scl[random.random((size, size)) < 0.002] = 8
    return scl


def write_judged(folder: Path, plan: Plan) -> Judged:
    """Judge a plan's pixels as MaskScene would, and write the mask folder."""
    size = plan.size
    scl = np.full((size, size), 4, dtype=np.uint8) if plan.scl is None else plan.scl
    mask = judge(
        JudgeRasters(
            scl=scl,
            observed=np.ones((size, size), dtype=np.bool_),
            snow_spectrum=np.zeros((size, size), dtype=np.bool_) if plan.snow is None else plan.snow,
            snow_probability=None,
            cloud_probability=None,
        )
    )
    fine = Grid(crs=plan.crs, left=plan.left, top=plan.top, gsd=20, width=size, height=size)
    coarse = fine.at(60)
    random = np.random.default_rng(plan.seed)
    bands = {
        name: (plan.brightness + random.integers(0, plan.noise + 1, coarse.shape)).astype(np.uint16)
        for name in MASK_BANDS_60[:4]
    }
    if plan.spectra is not None:
        bands = dict(zip(MASK_BANDS_60[:4], plan.spectra, strict=True))
    bands["AOT"] = np.full(coarse.shape, plan.aerosol, dtype=np.uint16)
    bands["HAZE"] = np.full(coarse.shape, HAZE_ZERO, dtype=np.uint16)
    bands["ZONE"] = np.full(coarse.shape, ZONE_NONE, dtype=np.uint16)
    time = FIRST + timedelta(days=plan.day, minutes=plan.minutes)
    product_id = f"S2A_MSIL2A_{time:%Y%m%dT%H%M%S}_N0510_R050_T{plan.crs[-2:]}VXX_{plan.seed}_{plan.left:.0f}"
    layers = (mask.classes, mask.distance, mask.clear_share, mask.cloud_probability)
    folder = folder / product_id
    folder.mkdir(parents=True)
    judgement = SceneJudgement(
        product_id=product_id,
        crs=plan.crs,
        left=plan.left,
        top=plan.top,
        width=size,
        height=size,
        width_60=coarse.width,
        height_60=coarse.height,
        sun_zenith=plan.sun_zenith,
        sun_azimuth=160.0,
        clear_share=1.0,
        valid_share=1.0,
        simulated=True,
    )
    scene = _scene(product_id, time, plan)
    bands_20 = dict(zip(MASK_BANDS_20, layers, strict=True))
    write_mask_folder(folder, judgement, {20: fine, 60: coarse}, bands_20, bands, scene)
    return Judged(scene=scene, folder=folder)


def _scene(product_id: str, time: datetime, plan: Plan) -> Sentinel2Scene:
    return Sentinel2Scene(
        product_id=product_id,
        product_type=ProductType.L2A,
        satellite="S2A",
        mgrs_tile=f"{plan.crs[-2:]}VXX",
        acquisition_time=time,
        datatake_time=time - timedelta(minutes=plan.minutes),
        processing_time=time,
        baseline=510,
        relative_orbit=50,
        datatake_id="GS2A",
        datastrip_time=time,
        cloud_cover=10.0,
        footprint=None,
        location=Path("/nowhere"),
        size_bytes=0,
    )
