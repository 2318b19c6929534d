"""Choose for every 20 m pixel of one tile the scene that supplies it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from senard.algorithms.background import Background, Reservoir, background, background_day, offer
from senard.algorithms.contenders import contenders_of, gathered, sampled
from senard.algorithms.departure import Departure, depart, detection_grid, haze_index, is_dark
from senard.algorithms.feathering import reach_px, seconds
from senard.algorithms.granules import GranulePixels, Ground, coarser
from senard.algorithms.labelling import Candidates, add_candidate, choose, halo_px, smoothed_cost, usable
from senard.algorithms.recurring_ground import RELEASED, SUSPECTED, flagged, looks_usual, recognise, release
from senard.algorithms.refining import refine
from senard.algorithms.scoring import Moment, Observation, Scored, score
from senard.algorithms.snow import SnowCounts, reported_level, with_snow
from senard.algorithms.snow_departure import compare_snow, lasting_snow
from senard.algorithms.tiling import aoi_mask
from senard.io.atomic import partial_directory
from senard.io.geotiff import ScratchWriter, read_scratch
from senard.io.mask_folder import RASTER_20, RASTER_60, read_judgement
from senard.io.scenes_file import read_verdict
from senard.io.sources_file import SOURCES_RASTER, write_contenders, write_source_counts
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.contenders import Contenders
from senard.model.grid import Grid, Tile, Window
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import ProductType
from senard.model.sources import CLEAR_LEVELS, FLAG_SNOW, SECOND_BANDS, SOURCE_BANDS, SourceCounts
from senard.steps.block_land import BlockLand

BLOCK_PX = 1024
"""Side of the blocks that a tile is chosen in: a process that chooses takes about 0.9 GB, whatever the period."""

Layers = Mapping[str, UInt16Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Granule:
    """One scene with its judgement."""

    source: int
    folder: Path
    grids: Mapping[int, Grid]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """All that may be chosen from, the same for every tile of the mosaic."""

    request: MosaicRequest
    datatakes: Sequence[Sequence[_Granule]]
    """Granules of each overflight, ordered by source number."""

    moments: Float32Array
    """(scenes + 1,) cost of date and sun, by source number."""

    days: Sequence[int]
    """Day of each overflight, days from the first day of the period."""

    spared: Sequence[int]
    """Source numbers that supply nothing, though they count as seen."""

    sun: Float32Array
    """(scenes + 1, 2) zenith and azimuth by source number, degrees."""

    land: Path | None
    """Folder of `take_land`; None where the request names no land."""


def select_sources(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    tile: Tile,
    out: Path,
    *,
    spared: Sequence[int] = (),
    land: Path | None = None,
    block_px: int = BLOCK_PX,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Choose the sources of one tile.

    A pixel's source depends on the scenes and on its place alone: not on the block, nor on the tile, nor on the area.

    Args:
        request: period, fill, buffer, area.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene to do without.
        tile: the tile.
        out: folder, gets sources_20.tif, sources.json and contenders.npz.
        spared: source numbers that supply no pixel, so that their bands need not be read; they still count as clear
            observations.
        land: folder of `take_land`, where the request names a terrain model or a land cover.
        block_px: side of the blocks, px of 20 m; changes speed and memory only.
        progress: called with the share done, 0-1.

    Returns:
        out.

    Raises:
        IncompleteError: if a mask folder holds neither a judgement nor a verdict, or the land is not there.
    """
    grid = tile.grid(20)
    period = period_of(request, scenes, masks, spared, land)
    blocks = list(grid.blocks(block_px))
    pixels, clear_pixels, levels, aoi_pixels = Counter[int](), Counter[int](), Counter[int](), 0
    others, contenders = Counter[int](), list[Contenders]()
    with partial_directory(out) as folder:
        with ScratchWriter(folder / SOURCES_RASTER, grid, _bands(request), np.uint16, nodata=0) as writer:
            for number, window in enumerate(blocks, 1):
                inside = pixels_to_fill(request, grid.crop(window))
                layers = _select_block(period, grid.crop(window), inside, contenders)
                writer.write(window, layers)
                source, level = layers["source"], layers["level"]
                pixels += count(source[source > 0])
                clear_pixels += count(source[np.isin(level, CLEAR_LEVELS)])
                levels += count(level[inside])
                if "second" in layers:
                    others += count(layers["second"][layers["second"] > 0])
                aoi_pixels += int(inside.sum())
                if progress is not None:
                    progress(number / len(blocks))
        counts = SourceCounts(
            pixels=pixels,
            clear_pixels=clear_pixels,
            levels=levels,
            aoi_pixels=aoi_pixels,
            taking_part=pixels + others if others else {},
        )
        write_source_counts(folder, counts)
        write_contenders(folder, gathered(contenders))
    return out


def period_of(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    spared: Sequence[int],
    land: Path | None = None,
) -> Period:
    """Group the usable scenes by overflight and price their dates."""
    datatakes: dict[object, list[_Granule]] = {}
    days: dict[object, int] = {}
    moments = np.zeros(len(scenes) + 1, dtype=np.float32)
    sun = np.zeros((len(scenes) + 1, 2), dtype=np.float32)
    for source, (scene, folder) in enumerate(zip(scenes, masks, strict=True), 1):
        if folder is None or read_verdict(folder) is not None:
            continue
        judgement = read_judgement(folder)
        granule = _Granule(source=source, folder=folder, grids=judgement.grids)
        datatakes.setdefault(scene.datatake_key, []).append(granule)
        days.setdefault(scene.datatake_key, (scene.acquisition_date - request.first_day).days)
        moment = Moment(
            days_from_target=scene.acquisition_date.toordinal() - request.middle_day_ordinal,
            half_period_days=request.half_period_days,
            date_weight=request.date_weight,
            sun_zenith=judgement.sun_zenith,
        )
        moments[source] = moment.cost
        sun[source] = judgement.sun_zenith, judgement.sun_azimuth
    return Period(
        request=request,
        datatakes=tuple(datatakes.values()),
        moments=moments,
        days=tuple(days.values()),
        spared=tuple(spared),
        sun=sun,
        land=land,
    )


def pixels_to_fill(request: MosaicRequest, grid: Grid) -> BoolArray:
    """Pixels to fill."""
    return aoi_mask(request.aoi, grid) if request.clip else np.ones(grid.shape, dtype=np.bool_)


def _bands(request: MosaicRequest) -> tuple[str, ...]:
    """Bands of the source map."""
    return SOURCE_BANDS + (SECOND_BANDS if request.feather_m > 0 else ())


def _select_block(period: Period, core: Grid, inside: BoolArray, contenders: list[Contenders]) -> Layers:
    """The layers of one block, and who contends for it; scenes that only touch its halo take part."""
    if not inside.any():
        return {name: np.zeros(core.shape, dtype=np.uint16) for name in _bands(period.request)}
    feather_px = reach_px(period.request.feather_m, core.gsd)
    halo = halo_px(core.padded(feather_px)) + feather_px
    grid = core.padded(halo)
    candidates = Candidates.nothing(grid.shape)
    clear = np.zeros(grid.shape, dtype=np.uint16)
    for label, seen, scored in judged_observations(period, grid):
        clear += _is_clear(scored.level)
        allowed = usable(scored, period.request.fill)
        if period.spared:
            allowed &= ~np.isin(seen.source, period.spared)
        add_candidate(candidates, label, seen, scored, smoothed_cost(scored, grid), allowed, moments=period.moments)
    choice = choose(candidates, grid, margin=halo - feather_px)
    contenders.append(contenders_of(candidates, sampled(grid, np.pad(inside, halo)), grid))
    layers = {
        "source": choice.source,
        "clear": clear,
        "level": reported_level(choice.level, choice.flags),
        "flags": choice.flags,
        "cost": choice.cost,
    }
    if period.request.feather_m > 0:
        mixing = seconds(choice, candidates, grid.gsd, period.request.feather_m)
        layers |= {"second": mixing.source, "share": mixing.share}
    return {name: pixels[halo:-halo, halo:-halo] * inside for name, pixels in layers.items()}


def _is_clear(level: UInt8Array) -> BoolArray:
    """Where an observation counts as clear."""
    return np.logical_or.reduce([level == clear for clear in CLEAR_LEVELS])


def judged_observations(period: Period, grid: Grid) -> Iterator[tuple[int, Observation, Scored]]:
    """Number of each overflight that saw a part of the mosaic, what it saw, and its judgement; one at a time.

    The scenes are gone through twice: once to learn what the ground usually looks like, once to judge.
    """
    coarse = detection_grid(grid)
    land = BlockLand.read(period.request, period.land, period.sun, coarse)
    usual = _learnt(period, coarse, land)
    wide = None if land.around is None else Looker(land.around)
    thin = Looker(coarse, wider=wide)
    fine = Looker(grid, wider=wide or thin)
    for label, granules in enumerate(period.datatakes):
        around = None if wide is None else wide.see(granules)
        detected = thin.see(granules)
        seen = None if detected is None else fine.see(granules)
        if seen is None or detected is None:
            continue
        if wide is not None:
            detected = land.with_moved_zone(detected, around)
        scored = land.without_false_snow(score(seen, period.moments, period.request.buffer), seen, grid)
        by_itself = land.without_false_snow(score(detected, period.moments, period.request.buffer), detected, coarse)
        found = usual.departure(detected, by_itself, period.days[label], coarse)
        scored = release(refine(scored, found, grid, coarse), seen, found, grid, coarse)
        scored = with_snow(scored, seen, period.request.snow, usual.permanent_snow, grid, coarse)
        yield label, seen, land.dimmed(scored, detected, grid)


def _learnt(period: Period, coarse: Grid, land: BlockLand) -> "_Usual":
    """The best observations of every pixel of 60 m, by their own scenes, and where these take the ground for cloud."""
    kept, snowy = Reservoir.nothing(coarse.shape), Reservoir.nothing(coarse.shape)
    suspected = Reservoir.nothing(coarse.shape, SUSPECTED)
    looker, snow = Looker(coarse), SnowCounts.nothing(coarse.shape)
    everywhere = np.ones(coarse.shape, dtype=np.bool_)
    for label, granules in enumerate(period.datatakes):
        seen = looker.see(granules)
        if seen is None:
            continue
        scored = land.without_false_snow(score(seen, period.moments, period.request.buffer), seen, coarse)
        snow.add(scored)
        cost = scored.cost + land.cost_of_shade(seen)
        offer(kept, period.days[label], cost, scored.level == 1, seen.judge)
        offer(snowy, period.days[label], cost, lasting_snow(scored, everywhere), seen.judge)
        offer(suspected, period.days[label], haze_index(seen.judge), flagged(seen, scored), seen.judge)
    recurring = recognise(suspected, kept, land.bright)
    days, permanent = period.request.period_days, land.permanent_snow(snow.permanent)
    return _Usual(
        kept=kept,
        snowy=snowy,
        recurring=recurring,
        permanent_snow=permanent,
        period_days=days,
        land=land,
        from_above=period.request.product_type is ProductType.L1C,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Usual:
    """What the ground looks like around every date; dates that are near share it."""

    kept: Reservoir
    snowy: Reservoir
    recurring: BoolArray
    permanent_snow: BoolArray
    period_days: int
    land: BlockLand
    from_above: bool
    known: dict[int, Background] = field(default_factory=dict)

    def departure(self, seen: Observation, scored: Scored, day: int, grid: Grid) -> Departure:
        """How one overflight departs from it."""
        centre = background_day(day, self.period_days)
        if centre not in self.known:
            self.known[centre] = background(self.kept, centre, self.period_days)
        usual = self.known[centre]
        open_ground = (scored.level > 0) & (scored.level < 5) & ((scored.flags & FLAG_SNOW) == 0)
        released = self.recurring & flagged(seen, scored) & looks_usual(seen.judge, usual)
        water = self.land.water(is_dark(usual))
        apart, above = abs(day - centre), self.from_above
        found = depart(seen.judge, open_ground | released, usual, apart, grid, water, from_above=above)
        found.verdict[released] |= RELEASED
        compare_snow(found, seen.judge, lasting_snow(scored, self.permanent_snow), self.snowy)
        return found


class Looker:
    """Sees overflights on the pixels of one grid; where a product lies on it is worked out once per MGRS tile."""

    def __init__(self, grid: Grid, *, wider: "Looker | None" = None) -> None:
        """Look at a grid.

        Args:
            grid: the mosaic's pixels.
            wider: one that has seen each overflight just before, on ground that holds this grid: what it read is used.
        """
        self._ground = Ground(grid)
        self._wider = wider
        self._read: dict[int, tuple[Window, UInt8Array, UInt16Array]] = {}

    def see(self, granules: Sequence[_Granule]) -> Observation | None:
        """What one overflight saw; None if nothing valid."""
        self._read.clear()
        found = []
        for granule in granules:
            window = self._ground.window(granule.grids[20])
            if window is not None:
                mask, judge = self._pixels(granule, window)
                found.append(GranulePixels(source=granule.source, grid=granule.grids[20], mask=mask, judge=judge))
        return self._ground.merged(found)

    def _pixels(self, granule: _Granule, window: Window) -> tuple[UInt8Array, UInt16Array]:
        """Both rasters of a mask folder around a window of its 20 m pixels."""
        if self._wider is not None and granule.source in self._wider._read:
            have, mask, judge = self._wider._read[granule.source]
            if have.holds(window):
                fine, coarse = window.within(have), coarser(window, 3).within(coarser(have, 3))
                return np.ascontiguousarray(mask[:, *fine.slices]), np.ascontiguousarray(judge[:, *coarse.slices])
        mask = read_scratch(granule.folder / RASTER_20, window)
        judge = read_scratch(granule.folder / RASTER_60, coarser(window, 3))
        self._read[granule.source] = window, mask, judge
        return mask, judge


def count(values: UInt16Array) -> Counter[int]:
    """How often each number occurs."""
    numbers, counts = np.unique(values, return_counts=True)
    return Counter(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
