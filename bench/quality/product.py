"""senard itself on a season: mask folders and source maps made by the product's own steps."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

import numpy as np
from shapely.geometry import box

from bench.quality.ablations import PLAIN, Variant, as_in
from bench.quality.levels import corrections_of
from bench.quality.mosaic import NO_SOURCE, Mosaic, compose
from bench.quality.season import Season, cloud_cover
from bench.quality.views import cache_folder
from senard.algorithms.evidence import scene_evidence
from senard.algorithms.masking import JudgeRasters, SceneMask, judge, legal_classes, looks_like_snow
from senard.algorithms.nearest import resized
from senard.algorithms.shadow_zone import Drift
from senard.io.geotiff import read_scratch
from senard.io.mask_folder import write_mask_folder
from senard.io.sources_file import SOURCES_RASTER
from senard.model.arrays import UInt8Array
from senard.model.grid import Tile
from senard.model.masks import CLASS_VALID, MASK_BANDS_20, MASK_BANDS_60, SCL_BITS, SceneJudgement
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import JUDGE_BANDS, SCL_CLEAR, ProductType
from senard.model.sources import COST_UNITS, FLAG_PERMANENT_SNOW, FLAG_SNOW, SOURCE_BANDS
from senard.simulation.footprint import footprint_of
from senard.simulation.geometry import lonlat, sun_angles, track_coordinates, view_angles
from senard.simulation.stack import VIEW_BANDS, SimulatedView
from senard.simulation.terrain_model import DEM, LANDCOVER, write_dem, write_landcover
from senard.steps.level_scenes import level_scenes
from senard.steps.select_sources import select_sources
from senard.steps.spare_scenes import spare_scenes
from senard.steps.take_land import take_land
from senard.steps.weigh_scenes import weigh_scenes

LEVEL_COST = 20.0
"""Added to the cost per level where one number shall say how doubtful a pixel is."""

NODE_M = 5000.0
"""Distance of the nodes at which products state angles, m."""


def run_product(season: Season, variant: Variant = PLAIN) -> Mosaic:
    """Judge every view and choose, by the code that makes mosaics.

    Args:
        season: the views.
        variant: options of the request and constants of the algorithms that differ from the product's own.
    """
    scratch = cache_folder() / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        with as_in(variant):
            request = request_of(season, variant.options)
            started = time.perf_counter()
            masks = [
                write_masks(view, folder / f"masks/{index}", gsd=variant.judge_gsd)
                for index, view in enumerate(season.views)
            ]
            judged = time.perf_counter()
            scenes = [scene_of(view) for view in season.views]
            land = write_land(season, request, folder / "land")
            weighed = weigh_scenes(request, scenes, masks, tile_of(season), folder / "weights", land=land)
            spared = spare_scenes(request, scenes, masks, [weighed])
            made = select_sources(
                request,
                scenes,
                masks,
                tile_of(season),
                folder / "sources",
                spared=spared.numbers,
                parts=spared.parts,
                land=land,
            )
            chosen = time.perf_counter()
            layers = dict(zip(SOURCE_BANDS, read_scratch(made / SOURCES_RASTER, bands=SOURCE_BANDS), strict=True))
            source = layers["source"].astype(np.int16) - 1
            source[layers["source"] == 0] = NO_SOURCE
            used = set(np.unique(source[source != NO_SOURCE]).tolist())
            numbers = {view + 1 for view in used}
            levelled = level_scenes(request, scenes, masks, [tile_of(season)], folder / "levels", used=numbers)
            ended = time.perf_counter()
            corrections = corrections_of(season, levelled, tile_of(season), used)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    level = layers["level"].astype(np.uint8)
    return Mosaic(
        name=variant.name,
        source=source,
        dn=compose(season, source, corrections),
        corrections=corrections,
        level=level,
        cost=(LEVEL_COST * level + layers["cost"] / np.float32(COST_UNITS)).astype(np.float32),
        flagged_snow=((layers["flags"] & (FLAG_SNOW | FLAG_PERMANENT_SNOW)) > 0).astype(np.int16),
        seconds=ended - started,
        parts={"judge": judged - started, "select": chosen - judged, "level": ended - chosen},
    )


def write_land(season: Season, request: MosaicRequest, folder: Path) -> Path | None:
    """What is true of a season's ground, as a mosaic takes it over from a user's rasters; None if nothing is asked for.

    Args:
        season: the views.
        request: names a terrain model and a land cover, by whatever word, or none.
        folder: made.
    """
    if not (request.dem or request.landcover):
        return None
    dem, landcover, square = None, None, season.target.acquisition
    if request.dem:
        dem = write_dem([view.acquisition for view in season.views], folder.parent / DEM)
    if request.landcover:
        landcover = write_landcover(season.target.cover, square.grid.at(20), folder.parent / LANDCOVER)
    return take_land(request, dem, landcover, [tile_of(season)], folder)


def request_of(season: Season, options: Mapping[str, str] = MappingProxyType({})) -> MosaicRequest:
    """The request for a season's square in the scenes' own UTM, so that pixels of views and mosaic are the same."""
    plain = MosaicRequest(
        name="quality",
        aoi=box(*footprint_of(season.views[0].acquisition).bounds),
        first_day=season.days[0],
        last_day=season.days[-1],
        crs=season.views[0].acquisition.grid.crs,
        target_date=season.target_day,
        clip=False,
    )
    kinds = get_type_hints(MosaicRequest)
    known = {entry.name for entry in fields(MosaicRequest)}
    unknown = sorted(set(options) - known)
    if unknown:
        raise SystemExit(f"A request has no {', '.join(unknown)}: expected some of {', '.join(sorted(known))}.")
    return replace(plain, **{name: typed(text, kinds[name]) for name, text in options.items()})


def typed(text: str, kind: Any) -> Any:
    """A value as typed on the command line, as its field wants it."""
    kinds = [one for one in get_args(kind) if one is not type(None)] or [kind]
    if type(None) in get_args(kind) and text == "none":
        return None
    wanted = kinds[0]
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted(text)
    if wanted is bool:
        return {"true": True, "false": False}[text.lower()]
    if wanted is date:
        return date.fromisoformat(text)
    return wanted(text)


def tile_of(season: Season) -> Tile:
    """The season's square as one tile."""
    grid = season.views[0].acquisition.grid
    bounds = grid.bounds
    return Tile(
        index=0,
        crs=grid.crs,
        left=round(bounds.left),
        bottom=round(bounds.bottom),
        right=round(bounds.right),
        top=round(bounds.top),
    )


def write_masks(view: SimulatedView, folder: Path, *, gsd: int = 60) -> Path:
    """Judge one view as MaskScene judges a product, and write its mask folder.

    Args:
        view: what to judge.
        folder: made.
        gsd: pixel side of the raster that otherwise has 60 m; 20 only under `as_in` of a variant that says so.
    """
    shape = view.scl.shape
    bands = {name: view.judge[name] for name in JUDGE_BANDS}
    has_data = np.logical_and.reduce([pixels > 0 for pixels in bands.values()])
    snow = looks_like_snow(bands["B02"], view.judge["B03"], bands["B8A"], bands["B11"])
    mask = judge(
        JudgeRasters(
            scl=legal_classes(np.asarray(view.scl)),
            observed=resized(has_data, shape),
            snow_spectrum=resized(snow, shape),
            snow_probability=_as_at_60(view.snow_probability),
            cloud_probability=_as_at_60(view.cloud_probability),
        )
    )
    folder.mkdir(parents=True)
    judgement = _judgement(view, mask)
    layers = (mask.classes, mask.distance, mask.clear_share, mask.cloud_probability)
    found = {**bands, "AOT": view.judge["AOT"], **scene_evidence(mask.classes, bands, drift_of(view))}
    if gsd == 20:
        found = {name: resized(pixels, shape) for name, pixels in found.items()}
        found |= {name: np.asarray(view.seen[VIEW_BANDS.index(name)]) for name in JUDGE_BANDS}
    rasters = {name: found[name] for name in MASK_BANDS_60}
    write_mask_folder(
        folder, judgement, judgement.grids, dict(zip(MASK_BANDS_20, layers, strict=True)), rasters, scene_of(view)
    )
    return folder


def drift_of(view: SimulatedView) -> Drift:
    """Way of a view's shadows, from the angles that the product's XML would state, at nodes 5 km apart."""
    seen = view.acquisition
    bounds = seen.grid.bounds
    nodes = np.arange(0.0, bounds.right - bounds.left + NODE_M, NODE_M)
    east, north = np.meshgrid(bounds.left + nodes, bounds.top - nodes)
    lon, lat = lonlat(seen.grid.crs, east, north)
    across, _ = track_coordinates(seen, lon, lat)
    angles = (*sun_angles(seen.sensing_time, lon, lat), *view_angles(across))
    return Drift.of(*(values.astype(np.float32) for values in angles))


def scene_of(view: SimulatedView) -> Sentinel2Scene:
    """What the product's XML would say of a view."""
    seen = view.acquisition
    return Sentinel2Scene(
        product_id=seen.product_id,
        product_type=ProductType.L2A,
        satellite=seen.satellite,
        mgrs_tile=seen.mgrs_tile,
        acquisition_time=seen.sensing_time,
        datatake_time=seen.time,
        processing_time=seen.processing_time,
        baseline=seen.baseline,
        relative_orbit=seen.relative_orbit,
        datatake_id=f"G{seen.satellite}_{seen.time:%Y%m%dT%H%M%S}_{seen.absolute_orbit:06d}",
        datastrip_time=seen.datastrip_time,
        cloud_cover=cloud_cover(view.scl),
        footprint=footprint_of(seen),
        location=None,
        size_bytes=0,
    )


def _as_at_60(probability: UInt8Array) -> UInt8Array:
    """A raster of 20 m as products state it at 60 m: the pixel in the middle of nine stands for all."""
    return resized(np.asarray(probability)[1::3, 1::3], probability.shape)


def _judgement(view: SimulatedView, mask: SceneMask) -> SceneJudgement:
    """The figures of scene.json, as MaskScene counts them."""
    valid = (mask.classes & CLASS_VALID) > 0
    clear = valid & np.isin(mask.classes & SCL_BITS, sorted(int(value) for value in SCL_CLEAR))
    grid = view.acquisition.grid.at(20)
    coarse = grid.at(60)
    count = int(valid.sum())
    return SceneJudgement(
        product_id=view.acquisition.product_id,
        crs=grid.crs,
        left=grid.left,
        top=grid.top,
        width=grid.width,
        height=grid.height,
        width_60=coarse.width,
        height_60=coarse.height,
        sun_zenith=view.sun_zenith,
        sun_azimuth=view.sun_azimuth,
        clear_share=round(int(clear.sum()) / count, 6) if count else 0.0,
        valid_share=round(count / valid.size, 6),
        simulated=True,
    )
