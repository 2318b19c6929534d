"""Judge what every overflight saw of a part of the mosaic, by its own scene and by what other dates say."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from senard.algorithms.background import Background, Reservoir, background, background_day, offer
from senard.algorithms.departure import PIXEL_M, Departure, depart, detection_grid, haze_index, is_dark
from senard.algorithms.granules import GranulePixels, Ground, coarser
from senard.algorithms.recurring_ground import RELEASED, SUSPECTED, flagged, looks_usual, recognise, release
from senard.algorithms.refining import refine
from senard.algorithms.scene_parts import first_alike, place_of, ranks_of_squares, source_of
from senard.algorithms.scoring import Moment, Observation, Scored, score
from senard.algorithms.snow import SnowCounts, with_snow
from senard.algorithms.snow_departure import compare_snow, lasting_snow
from senard.io.geotiff import read_scratch
from senard.io.mask_folder import RASTER_20, RASTER_60, REDUCED_20, read_judgement
from senard.io.scenes_file import read_verdict
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.grid import Grid, Window
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import ProductType
from senard.model.sources import FLAG_SNOW
from senard.steps.block_land import BlockLand

PIECE_PX = 600
"""Columns of 60 m that are learnt at once: what is flagged takes 0.2 kB per pixel until it is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granule:
    """One scene with its judgement."""

    source: int
    folder: Path
    grids: Mapping[int, Grid]

    @property
    def ratio(self) -> int:
        """Side of a pixel of its bands at 60 m in pixels of its 20 m grid."""
        return self.grids[60].gsd // self.grids[20].gsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """All that may be chosen from, the same for every tile of the mosaic."""

    request: MosaicRequest
    datatakes: Sequence[Sequence[Granule]]
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

    ranks: Mapping[int, UInt8Array] = field(default_factory=dict)
    """What scenes of which only parts supply may supply, as `scene_parts.ranks_of_squares` tells; by source number."""


def period_of(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    spared: Sequence[int],
    land: Path | None = None,
    parts: Collection[int] | None = None,
) -> Period:
    """Group the usable scenes by overflight, price their dates, and lay out which parts of them supply pixels."""
    datatakes: dict[object, list[Granule]] = {}
    days: dict[object, int] = {}
    moments = np.zeros(len(scenes) + 1, dtype=np.float32)
    sun = np.zeros((len(scenes) + 1, 2), dtype=np.float32)
    for source, (scene, folder) in enumerate(zip(scenes, masks, strict=True), 1):
        if folder is None or read_verdict(folder) is not None:
            continue
        judgement = read_judgement(folder)
        granule = Granule(source=source, folder=folder, grids=judgement.grids)
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
        ranks={} if parts is None else _ranks(datatakes.values(), spared, parts, first_alike(scenes)),
        moments=moments,
        days=tuple(days.values()),
        spared=tuple(spared),
        sun=sun,
        land=land,
    )


def _ranks(
    datatakes: Iterable[Sequence[Granule]], spared: Collection[int], parts: Collection[int], alike: Sequence[int]
) -> dict[int, UInt8Array]:
    """What each scene that is left may supply."""
    mine, together = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    for part in parts:
        mine[source_of(part)].add(place_of(part))
        together[alike[source_of(part)]].add(place_of(part))
    return {
        one.source: ranks_of_squares(mine[one.source], together[alike[one.source]], one.grids[20].shape)
        for granules in datatakes
        for one in granules
        if one.source not in spared
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What the ground of a part of the mosaic looks like around every date; dates that are near share it."""

    grid: Grid
    """Pixels of 60 m."""

    kept: Reservoir
    """The best observations of every pixel, by their own scenes."""

    snowy: Reservoir | None
    """Those of lasting snow; None if there is none anywhere."""

    recurring: BoolArray
    """(y, x), True is ground that looks like cloud or shadow."""

    permanent_snow: BoolArray
    """(y, x), True where snow is the ground."""

    period_days: int
    """Length of the period."""

    from_above: bool
    """True if DN are of top-of-atmosphere reflectance."""

    known: dict[int, Background] = field(default_factory=dict)
    """Backgrounds by `background_day`, each worked out when it is first needed."""

    def part(self, grid: Grid) -> "Usual":
        """The same of pixels that lie inside."""
        if grid == self.grid:
            return self
        where = grid.window_in(self.grid).slices
        return replace(
            self,
            grid=grid,
            kept=self.kept.part(where),
            snowy=None if self.snowy is None else self.snowy.part(where),
            recurring=self.recurring[where].copy(),
            permanent_snow=self.permanent_snow[where].copy(),
            known={},
        )

    def departure(self, seen: Observation, scored: Scored, day: int, land: BlockLand) -> Departure:
        """How one overflight departs from it."""
        centre = background_day(day, self.period_days)
        if centre not in self.known:
            self.known[centre] = background(self.kept, centre, self.period_days)
        usual = self.known[centre]
        open_ground = (scored.level > 0) & (scored.level < 5) & ((scored.flags & FLAG_SNOW) == 0)
        released = self.recurring & flagged(seen, scored)
        released[released] = looks_usual(seen.judge[:, released], usual.values[:, released])
        water = land.water(is_dark(usual))
        apart, above = abs(day - centre), self.from_above
        found = depart(seen.judge, open_ground | released, usual, apart, self.grid, water, from_above=above)
        found.verdict[released] |= RELEASED
        if self.snowy is not None:
            compare_snow(found, seen.judge, lasting_snow(scored, self.permanent_snow), self.snowy)
        return found


def learn(period: Period, grid: Grid, *, known: Usual | None = None) -> Usual:
    """Learn what the ground usually looks like, a piece of `PIECE_PX` columns after the other.

    Args:
        period: all that may be chosen from.
        grid: pixels of 60 m.
        known: what was learnt of the same rows; if it starts no farther right, its columns are taken over.
    """
    pieces = list[Usual]()
    left = 0
    if known is not None and known.grid.left <= grid.left < known.grid.bounds.right:
        left = min(round((known.grid.bounds.right - grid.left) / grid.gsd), grid.width)
        pieces.append(known.part(replace(grid, width=left)))
    for start in range(left, grid.width, PIECE_PX):
        stop = min(start + PIECE_PX, grid.width)
        columns = Window(row_start=0, row_stop=grid.height, col_start=start, col_stop=stop)
        pieces.append(_learnt(period, grid.crop(columns)))
    if len(pieces) == 1:
        return pieces[0]
    snowy = [piece.snowy or Reservoir.nothing(piece.grid.shape) for piece in pieces]
    return replace(
        pieces[0],
        grid=grid,
        kept=Reservoir.beside([piece.kept for piece in pieces]),
        snowy=Reservoir.beside(snowy) if any(piece.snowy for piece in pieces) else None,
        recurring=np.concatenate([piece.recurring for piece in pieces], axis=1),
        permanent_snow=np.concatenate([piece.permanent_snow for piece in pieces], axis=1),
        known={},
    )


def _learnt(period: Period, coarse: Grid) -> Usual:
    """The best observations of every pixel of 60 m, by their own scenes, and where these take the ground for cloud."""
    land = BlockLand.read(period.request, period.land, period.sun, coarse)
    kept, suspected = Reservoir.nothing(coarse.shape), Reservoir.nothing(coarse.shape, SUSPECTED)
    looker, snow, snowy = Looker(coarse), SnowCounts.nothing(coarse.shape), None
    everywhere = np.ones(coarse.shape, dtype=np.bool_)
    for label, granules in enumerate(period.datatakes):
        seen = looker.see(granules)
        if seen is None:
            continue
        scored = land.without_false_snow(score(seen, period.moments, period.request.buffer), seen, coarse)
        snow.add(scored)
        cost = scored.cost + land.cost_of_shade(seen)
        offer(kept, period.days[label], cost, scored.level == 1, seen.judge)
        lasting = lasting_snow(scored, everywhere)
        if lasting.any():
            snowy = Reservoir.nothing(coarse.shape) if snowy is None else snowy
            offer(snowy, period.days[label], cost, lasting, seen.judge)
        offer(suspected, period.days[label], haze_index(seen.judge), flagged(seen, scored), seen.judge)
    return Usual(
        grid=coarse,
        recurring=recognise(suspected, kept, land.bright),  # which changes what is kept
        kept=kept,
        snowy=snowy,
        permanent_snow=land.permanent_snow(snow.permanent),
        period_days=period.request.period_days,
        from_above=period.request.product_type is ProductType.L1C,
    )


def judged_observations(
    period: Period, grid: Grid, usual: Usual | None = None, labels: Collection[int] | None = None
) -> Iterator[tuple[int, Observation, Scored]]:
    """Number of each overflight that saw a part of the mosaic, what it saw, and its judgement; one at a time.

    The scenes are gone through twice: once to learn what the ground usually looks like, once to judge.

    Args:
        period: all that may be chosen from.
        grid: pixels of 20 m, or coarser ones.
        usual: what was learnt of at least their `detection_grid`; None: it is learnt first.
        labels: numbers of the overflights to judge; None: all.
    """
    coarse = detection_grid(grid)
    usual = learn(period, coarse) if usual is None else usual.part(coarse)
    land = BlockLand.read(period.request, period.land, period.sun, coarse)
    wide = None if land.around is None else Looker(land.around)
    thin = Looker(coarse, wider=wide)
    fine = Looker(grid, wider=wide or thin)
    own = grid.window_in(coarse) if grid.gsd == coarse.gsd else None
    for label, granules in enumerate(period.datatakes):
        if labels is not None and label not in labels:
            continue
        around = None if wide is None else wide.see(granules)
        detected = thin.see(granules)
        if detected is None:
            continue
        seen = fine.see(granules) if own is None else detected.part(own)
        if seen is None or not seen.source.any():
            continue
        if wide is not None:
            detected = land.with_moved_zone(detected, around)
        scored = land.without_false_snow(score(seen, period.moments, period.request.buffer), seen, grid)
        by_itself = land.without_false_snow(score(detected, period.moments, period.request.buffer), detected, coarse)
        found = usual.departure(detected, by_itself, period.days[label], land)
        scored = release(refine(scored, found, grid, coarse), seen, found, grid, coarse)
        scored = with_snow(scored, seen, period.request.snow, usual.permanent_snow, grid, coarse)
        yield label, seen, land.dimmed(scored, detected, grid)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read of one granule."""

    reduced: bool
    """Whether `mask` has pixels of 60 m."""
    masked: Window
    mask: UInt8Array
    judged: Window
    judge: UInt16Array


class Looker:
    """Sees overflights on the pixels of one grid; where a product lies on it is worked out once per MGRS tile.

    From 60 m on masks are read reduced.
    """

    def __init__(self, grid: Grid, *, wider: "Looker | None" = None) -> None:
        """Look at a grid.

        Args:
            grid: the mosaic's pixels.
            wider: one that has seen each overflight just before, on ground that holds this grid: what it read is used.
        """
        self._ground = Ground(grid)
        self._wider = wider
        self._reduced = grid.gsd >= PIXEL_M
        self._read: dict[int, _Read] = {}

    def see(self, granules: Sequence[Granule]) -> Observation | None:
        """What one overflight saw; None if nothing valid."""
        self._read.clear()
        found = []
        for granule in granules:
            grid = granule.grids[60 if self._reduced else 20]
            window = self._ground.window(grid)
            if window is not None:
                read = self._read[granule.source] = self._pixels(granule, window)
                ratio = 1 if self._reduced else granule.ratio
                pixels = GranulePixels(source=granule.source, grid=grid, mask=read.mask, judge=read.judge, ratio=ratio)
                found.append(pixels)
        return self._ground.merged(found)

    def _pixels(self, granule: Granule, window: Window) -> _Read:
        """Rasters of a mask folder around a window of its pixels."""
        judged = window if self._reduced else coarser(window, granule.ratio)
        have = None if self._wider is None else self._wider._read.get(granule.source)
        if have is not None and have.judged.holds(judged):
            judge = np.ascontiguousarray(have.judge[:, *judged.within(have.judged).slices])
        else:
            judge = read_scratch(granule.folder / RASTER_60, judged)
        if have is not None and have.reduced == self._reduced and have.masked.holds(window):
            mask = np.ascontiguousarray(have.mask[:, *window.within(have.masked).slices])
        else:
            mask = read_scratch(granule.folder / (REDUCED_20 if self._reduced else RASTER_20), window)
        return _Read(reduced=self._reduced, masked=window, mask=mask, judged=judged, judge=judge)
