"""Find all observations of the best quality that a pixel has, for every 20 m pixel of one tile."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from senard.algorithms.labelling import usable
from senard.algorithms.participants import Participant, first_of, flags_of, keep_best, level_of
from senard.io.atomic import listed_directory
from senard.io.geotiff import ScratchWriter
from senard.io.sources_file import (
    PARTICIPANT_BANDS,
    SOURCES_RASTER,
    participant_file,
    read_clear_counts,
    write_source_counts,
)
from senard.model.arrays import BoolArray, UInt16Array
from senard.model.grid import Grid, Tile, Window
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sources import CLEAR_LEVELS, SOURCE_BANDS, SourceCounts
from senard.steps.judge_overflights import Period, judged_observations, period_of
from senard.steps.select_sources import count, is_clear, pixels_to_fill

BLOCK_PX = 1024
"""Side of the blocks that a tile is gone through in."""

MANY = 32
"""More overflights than this are gone through in blocks of half the side: a block keeps 4 bytes per pixel of each."""


class _Result:
    """The rasters of a tile that is being gone through, and what is counted on it."""

    def __init__(self, folder: Path, grid: Grid, opened: ExitStack) -> None:
        self._folder, self._grid, self._opened = folder, grid, opened
        self._sources = self._raster(folder / SOURCES_RASTER, SOURCE_BANDS)
        self._participants: dict[int, ScratchWriter] = {}
        self.pixels, self.clear_pixels, self.levels, self.taking_part = (Counter[int]() for _ in range(4))
        self.aoi_pixels = 0

    def add_sources(self, window: Window, chosen: Participant, clear: UInt16Array, inside: BoolArray) -> None:
        """Add a block of the source map."""
        level = level_of(chosen.judgement)
        layers = (chosen.source, clear, level, flags_of(chosen.judgement), np.zeros_like(level))
        self._sources.write(window, dict(zip(SOURCE_BANDS, layers, strict=True)))
        self.pixels += count(chosen.source[chosen.source > 0])
        self.clear_pixels += count(chosen.source[np.isin(level, CLEAR_LEVELS)])
        self.levels += count(level[inside])
        self.aoi_pixels += int(inside.sum())

    def add_participants(self, window: Window, participants: Mapping[int, Participant]) -> None:
        """Add a block of each participant's raster, which begins with the first block that is not empty."""
        for label, participant in participants.items():
            found = count(participant.source[participant.source > 0])
            if not found:
                continue
            self.taking_part += found
            if label not in self._participants:
                path = participant_file(self._folder, label)
                path.parent.mkdir(exist_ok=True)
                self._participants[label] = self._raster(path, PARTICIPANT_BANDS)
            layers = (participant.source, participant.judgement)
            self._participants[label].write(window, dict(zip(PARTICIPANT_BANDS, layers, strict=True)))

    def counts(self) -> SourceCounts:
        """What sources.json says."""
        return SourceCounts(
            pixels=self.pixels,
            clear_pixels=self.clear_pixels,
            levels=self.levels,
            aoi_pixels=self.aoi_pixels,
            taking_part=self.taking_part,
        )

    def _raster(self, path: Path, bands: Sequence[str]) -> ScratchWriter:
        return self._opened.enter_context(ScratchWriter(path, self._grid, bands, np.uint16, nodata=0))


def select_participants(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    tile: Tile,
    out: Path,
    *,
    spared: Sequence[int] = (),
    ranks: Path | None = None,
    land: Path | None = None,
    block_px: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Find the participants of one tile: overflights with the best quality that a pixel has.

    Levels 1 and 2 are one quality, so that all methods profit from the same tests as the choice of one observation
    does. What takes part at a pixel depends on the scenes and on its place alone.

    Args:
        request: method, period, fill, buffer, area.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene to do without.
        tile: the tile.
        out: folder, gets sources_20.tif and sources.json. The band `source` names the participant of the overflight
            with the most clear pixels by `ranks`, else of the earliest; `cost` is 0. Where the method reads several
            observations, participants/<overflight>.tif too, for each that takes part anywhere.
        spared: source numbers that take no part; they still count as clear observations.
        ranks: what `rank_scenes` counted.
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
    order = _order(period, {} if ranks is None else read_clear_counts(ranks))
    side = block_px or (BLOCK_PX if len(period.datatakes) <= MANY else BLOCK_PX // 2)
    blocks = list(grid.blocks(side))
    with listed_directory(out) as folder:
        with ExitStack() as opened:
            result = _Result(folder, grid, opened)
            for number, window in enumerate(blocks, 1):
                core = grid.crop(window)
                inside = pixels_to_fill(request, core)
                participants, clear = _take_part(period, core, inside)
                asked = [participants[label] for label in order if label in participants]
                result.add_sources(window, first_of(asked, core.shape), clear, inside)
                if request.method.reads_all:
                    result.add_participants(window, participants)
                if progress is not None:
                    progress(number / len(blocks))
        write_source_counts(folder, result.counts())
    return out


def _order(period: Period, clear: Mapping[int, int]) -> list[int]:
    """Numbers of the overflights, the clearest first, the earlier of two equals."""
    sums = [sum(clear.get(granule.source, 0) for granule in granules) for granules in period.datatakes]
    return sorted(range(len(sums)), key=lambda label: (-sums[label], label))


def _take_part(period: Period, core: Grid, inside: BoolArray) -> tuple[dict[int, Participant], UInt16Array]:
    """Participants of one block by number of their overflight, and how many observations are clear."""
    participants: dict[int, Participant] = {}
    clear = np.zeros(core.shape, dtype=np.uint16)
    if not inside.any():
        return participants, clear
    for label, seen, scored in judged_observations(period, core):
        clear += is_clear(scored.level) & inside
        allowed = usable(scored, period.request.fill) & ~np.isin(seen.source, period.spared) & inside
        if allowed.any():
            participants[label] = Participant.of(seen.source, scored, allowed)
    keep_best(list(participants.values()), core.shape)
    return participants, clear
