"""Choose sources on coarse pixels from small classifications: the real choice's own rules, at a tenth of its cost."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from senard.algorithms.contenders import contenders_of, sample_m2, sampled
from senard.algorithms.granules import GranulePixels, Ground
from senard.algorithms.labelling import Candidates, add_candidate, choose, halo_px, smoothed_cost, usable
from senard.algorithms.scoring import Moment, Observation, score
from senard.algorithms.tiling import aoi_mask
from senard.io.forecast_folder import RASTER, read_forecast
from senard.io.geotiff import read_scratch
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.contenders import Contenders
from senard.model.grid import Grid, Tile
from senard.model.masks import CLASS_VALID, MASK_BANDS_60, NO_PROBABILITY
from senard.model.plan import SceneForecast
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sources import CLEAR_LEVELS

BLOCK_PX = 1024
"""Side of the blocks, px."""

BORDER_DN = 300
"""How much two dates are taken to differ in each judge band, DN: real borders cost something too."""


@dataclass(slots=True, kw_only=True)
class TileForecast:
    """Counts of one tile's coarse pixels."""

    pixels: int = 0
    """Pixels of the area."""

    empty: int = 0
    """Those that no scene may fill."""

    supplied: Counter[int] = field(default_factory=Counter)
    """Source number to pixels that it supplies."""

    reached: Counter[int] = field(default_factory=Counter)
    """Source number to pixels that it saw, valid or cloudy."""

    clear: Counter[int] = field(default_factory=Counter)
    """Source number to pixels that it saw clear."""

    observations: Counter[int] = field(default_factory=Counter)
    """Number of clear observations to pixels."""

    month_empty: Counter[str] = field(default_factory=Counter)
    """Month to pixels that its scenes alone, spared ones too, would leave empty: "2024-05"."""

    month_clear: Counter[str] = field(default_factory=Counter)
    """Month to clear observations, summed over pixels."""

    contenders: list[Contenders] = field(default_factory=list)
    """Who contends for the pixels, block by block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Granule:
    """One scene with its forecast."""

    source: int
    folder: Path
    grid: Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    """All that may be chosen from."""

    request: MosaicRequest
    datatakes: Sequence[Sequence[_Granule]]
    months: Sequence[str]
    """Month of each datatake."""
    moments: Float32Array
    spared: Sequence[int]
    """Source numbers that supply nothing, though they count as seen."""


def coarse_grid(tile: Tile, pixel_m: int) -> Grid:
    """The pixels of one size that hold a tile, anchored at the origin of its CRS as the mosaic's own are."""
    left, bottom = tile.left // pixel_m, tile.bottom // pixel_m
    right, top = -(-tile.right // pixel_m), -(-tile.top // pixel_m)
    return Grid(
        crs=tile.crs,
        left=float(left * pixel_m),
        top=float(top * pixel_m),
        gsd=pixel_m,
        width=right - left,
        height=top - bottom,
    )


def forecast_tile(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    folders: Mapping[int, Path],
    tile: Tile,
    pixel_m: int,
    *,
    spared: Sequence[int] = (),
) -> TileForecast:
    """Choose the sources of one tile from small classifications, and count.

    Args:
        request: period, fill, buffer, area.
        scenes: every kept scene, in the order that numbers them from 1.
        folders: source number to the forecast's folder, for those that have one.
        tile: the tile.
        pixel_m: side of the coarse pixels, m, a multiple of 20.
        spared: source numbers that supply no pixel; they still count as clear observations.

    Returns:
        What was counted.
    """
    period = _period(request, scenes, folders, spared)
    grid = coarse_grid(tile, pixel_m)
    counts = TileForecast()
    for window in grid.blocks(BLOCK_PX):
        core = grid.crop(window)
        inside = aoi_mask(request.aoi, core) if request.clip else np.ones(core.shape, dtype=np.bool_)
        if inside.any():
            _forecast_block(period, core, inside, counts)
    return counts


def _period(
    request: MosaicRequest, scenes: Sequence[Sentinel2Scene], folders: Mapping[int, Path], spared: Sequence[int]
) -> _Period:
    """Group the scenes by overflight and price their dates, as the real choice does."""
    datatakes: dict[object, list[_Granule]] = {}
    months: dict[object, str] = {}
    moments = np.zeros(len(scenes) + 1, dtype=np.float32)
    for source, folder in sorted(folders.items()):
        scene = scenes[source - 1]
        forecast: SceneForecast = read_forecast(folder)
        granule = _Granule(source=source, folder=folder, grid=forecast.grid)
        datatakes.setdefault(scene.datatake_key, []).append(granule)
        months.setdefault(scene.datatake_key, f"{scene.acquisition_date:%Y-%m}")
        moments[source] = Moment(
            days_from_target=scene.acquisition_date.toordinal() - request.middle_day_ordinal,
            half_period_days=request.half_period_days,
            date_weight=request.date_weight,
            sun_zenith=forecast.sun_zenith,
        ).cost
    return _Period(
        request=request,
        datatakes=tuple(datatakes.values()),
        months=tuple(months.values()),
        moments=moments,
        spared=tuple(spared),
    )


def _forecast_block(period: _Period, core: Grid, inside: BoolArray, counts: TileForecast) -> None:
    """Choose in one block and add to the counts; scenes that only touch its halo take part."""
    halo = halo_px(core)
    grid = core.padded(halo)
    own = (slice(halo, -halo), slice(halo, -halo))
    candidates = Candidates.nothing(grid.shape)
    clear = np.zeros(core.shape, dtype=np.uint16)
    filled: dict[str, BoolArray] = {}
    for label, seen in _observations(period.datatakes, grid):
        scored = score(seen, period.moments, period.request.buffer)
        allowed = usable(scored, period.request.fill)
        taken = allowed & ~np.isin(seen.source, period.spared)
        add_candidate(candidates, label, seen, scored, smoothed_cost(scored, grid), taken)
        seen_clear = np.isin(scored.level[own], CLEAR_LEVELS) & inside
        clear += seen_clear
        counts.reached += _count(seen.source[own][inside])
        counts.clear += _count(seen.source[own][seen_clear])
        month = period.months[label]
        counts.month_clear[month] += int(seen_clear.sum())
        filled[month] = filled.get(month, np.zeros(core.shape, dtype=np.bool_)) | (allowed[own] & inside)
    choice = choose(candidates, grid, margin=halo)
    counts.contenders.append(contenders_of(candidates, sampled(grid, np.pad(inside, halo)), sample_m2(grid)))
    source = choice.source[own][inside]
    counts.pixels += source.size
    counts.empty += int((source == 0).sum())
    counts.supplied += _count(source)
    counts.observations += _count(clear[inside], zero=True)
    for month in set(period.months):
        counts.month_empty[month] += int((inside & ~filled[month]).sum()) if month in filled else source.size


def _observations(datatakes: Sequence[Sequence[_Granule]], grid: Grid) -> Iterator[tuple[int, Observation]]:
    """What each overflight saw of a part of the mosaic, one at a time; those that saw nothing are passed over."""
    ground = Ground(grid)
    for label, granules in enumerate(datatakes):
        found = []
        for granule in granules:
            window = ground.window(granule.grid)
            if window is not None:
                layers: UInt8Array = read_scratch(granule.folder / RASTER, window)
                mask, judge = _mask(layers), _judge(layers, label)
                found.append(GranulePixels(source=granule.source, grid=granule.grid, mask=mask, judge=judge, ratio=1))
        seen = ground.merged(found)
        if seen is not None:
            yield label, seen


def _mask(layers: UInt8Array) -> UInt8Array:
    """(4, y, x) MASK_BANDS_20 of the three that a forecast has."""
    return np.concatenate([layers, np.full((1, *layers.shape[1:]), NO_PROBABILITY, dtype=np.uint8)])


def _judge(layers: UInt8Array, label: int) -> UInt16Array:
    """(7, y, x) MASK_BANDS_60 that make any two overflights differ by about `BORDER_DN` in half of the bands."""
    judge = np.zeros((len(MASK_BANDS_60), *layers.shape[1:]), dtype=np.uint16)
    for band in range(4):
        judge[band] = 1000 + BORDER_DN * ((label * 2654435761 >> (13 + 3 * band)) % 3)
    judge[:, (layers[0] & CLASS_VALID) == 0] = 0
    return judge


def _count(values: UInt16Array, *, zero: bool = False) -> Counter[int]:
    """How often each number occurs; 0 only if asked for."""
    numbers, counts = np.unique(values if zero else values[values > 0], return_counts=True)
    return Counter(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
