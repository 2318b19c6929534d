"""senard itself on real acquisitions: mask folders and source maps made by the product's own code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from shapely.geometry import box

from senard.algorithms.evidence import scene_evidence
from senard.algorithms.masking import JudgeRasters, judge, legal_classes
from senard.algorithms.nearest import resized
from senard.algorithms.shadow_zone import Drift
from senard.io.geotiff import read_scratch
from senard.io.mask_folder import write_mask_folder
from senard.io.sources_file import SOURCES_RASTER
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.grid import Grid, Tile
from senard.model.masks import MASK_BANDS_20, MASK_BANDS_60, SceneJudgement
from senard.model.request import Fill, MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import JUDGE_BANDS, ProductType
from senard.model.sources import SOURCE_BANDS
from senard.steps.select_sources import select_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class RealScene:
    """One acquisition as MaskScene would read it."""

    name: str
    """A name of its own: "S2A_20230818"."""

    time: datetime
    """Start of the datatake, UTC."""

    grid: Grid
    """Of 20 m."""

    scl: UInt8Array
    """(y, x) at 20 m."""

    cloud_probability: UInt8Array | None
    """(y, x) at 20 m, percent; None where nothing was kept."""

    snow_probability: UInt8Array | None
    """(y, x) at 20 m, percent; None where nothing was kept."""

    judge: Mapping[str, UInt16Array]
    """B02, B04, B8A and B11 at 60 m, harmonised DN. Where no SWIR was kept, B11 is B8A: tests that ask for the highest
    ratio of bands are then left with the others."""

    sun_zenith: float
    """Mean, degrees."""

    drift: Drift
    """Way of the shadows; not finite where the angles are unknown: no shadow is searched then."""


def choose(scenes: Sequence[RealScene], *, fill: Fill = Fill.ALL) -> dict[str, UInt16Array]:
    """Judge the scenes and choose among them, by the code that makes mosaics.

    Args:
        scenes: on one grid; source numbers follow this order from 1.
        fill: down to which level.

    Returns:
        SOURCE_BANDS to (y, x) at 20 m.
    """
    grid = scenes[0].grid
    days = sorted(scene.time.date() for scene in scenes)
    request = MosaicRequest(
        name="real",
        aoi=box(-180, -85, 180, 85),
        first_day=days[0],
        last_day=days[-1],
        crs=grid.crs,
        clip=False,
        fill=fill,
    )
    bounds = grid.bounds
    left, bottom, right, top = (round(value) for value in (bounds.left, bounds.bottom, bounds.right, bounds.top))
    tile = Tile(index=0, crs=grid.crs, left=left, bottom=bottom, right=right, top=top)
    with TemporaryDirectory(prefix="senard-real-") as name:
        folder = Path(name)
        masks: list[Path | None] = [write_masks(scene, folder / "masks" / scene.name) for scene in scenes]
        known = [_known(scene) for scene in scenes]
        made = select_sources(request, known, masks, tile, folder / "sources")
        layers = read_scratch(made / SOURCES_RASTER, bands=SOURCE_BANDS)
    return dict(zip(SOURCE_BANDS, layers, strict=True))


def write_masks(scene: RealScene, folder: Path) -> Path:
    """Judge one acquisition as MaskScene judges a product, and write its mask folder."""
    shape = scene.scl.shape
    bands = {name: scene.judge[name] for name in JUDGE_BANDS}
    has_data = np.logical_and.reduce([pixels > 0 for pixels in bands.values()])
    mask = judge(
        JudgeRasters(
            scl=legal_classes(scene.scl),
            observed=resized(has_data, shape),
            snow_spectrum=np.zeros(shape, dtype=np.bool_),
            snow_probability=scene.snow_probability,
            cloud_probability=scene.cloud_probability,
        )
    )
    layers = (mask.classes, mask.distance, mask.clear_share, mask.cloud_probability)
    found = {**bands, "AOT": np.zeros(has_data.shape, dtype=np.uint16)}
    found |= scene_evidence(mask.classes, bands, scene.drift)
    coarse = scene.grid.at(60)
    judgement = SceneJudgement(
        product_id=scene.name,
        crs=scene.grid.crs,
        left=scene.grid.left,
        top=scene.grid.top,
        width=scene.grid.width,
        height=scene.grid.height,
        width_60=coarse.width,
        height_60=coarse.height,
        sun_zenith=scene.sun_zenith,
        sun_azimuth=0.0,
        clear_share=1.0,
        valid_share=1.0,
        simulated=False,
    )
    folder.mkdir(parents=True)
    write_mask_folder(
        folder,
        judgement,
        judgement.grids,
        dict(zip(MASK_BANDS_20, layers, strict=True)),
        {name: found[name] for name in MASK_BANDS_60},
        _known(scene),
    )
    return folder


def _known(scene: RealScene) -> Sentinel2Scene:
    """What the catalogue would say of it."""
    return Sentinel2Scene(
        product_id=scene.name,
        product_type=ProductType.L2A,
        satellite="S2A",
        mgrs_tile="33TWM",
        acquisition_time=scene.time,
        datatake_time=scene.time,
        processing_time=scene.time,
        baseline=509,
        relative_orbit=1,
        datatake_id=scene.name,
        datastrip_time=scene.time,
        cloud_cover=None,
        footprint=None,
        location=None,
        size_bytes=0,
    )
