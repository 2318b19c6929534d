"""Find what draws the overflights of a season to what the ground usually looks like."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from senard.algorithms.background import Background, Reservoir, background, background_day, offer
from senard.algorithms.levelling import SAMPLE_M, Cells, Levels, comparable
from senard.algorithms.scoring import score
from senard.algorithms.season_levels import REACH_CELLS, Season, compare_with_usual, constant, surface
from senard.algorithms.tiling import aoi_mask
from senard.io.levels_folder import read_levels
from senard.model.arrays import Float32Array
from senard.model.request import Level, MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.steps.judge_overflights import Looker, Period, period_of

BLOCK_CELLS = 80
"""Side of the blocks that the season is learnt in, cells: 800 pixels of 60 m take about 150 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What draws one overflight to its season."""

    sources: tuple[int, ...]
    """Its scenes, by number."""

    cells: Cells
    """Where."""

    values: Float32Array
    """(y, x) float32, DN of B02."""


def season_corrections(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    area: Cells,
    folder: Path,
    used: Collection[int] | None,
) -> Iterator[Drawn]:
    """What draws every used overflight to what the ground usually looks like.

    All scenes are gone through twice, block by block, at 60 m. A surface depends on the scenes and on the place alone;
    the one number of a scene depends on the area too.

    Args:
        request: period and area, and whether to find surfaces or numbers.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene to do without.
        area: cells of the mosaic.
        folder: of the corrections that make granules of one overflight agree; they come first.
        used: source numbers that supply a pixel; None means all.
    """
    wide = area.padded(REACH_CELLS)
    period = period_of(request, scenes, masks, ())
    wanted = {
        label: Season.nothing(wide)
        for label, granules in enumerate(period.datatakes)
        if used is None or any(granule.source in used for granule in granules)
    }
    for block in wide.blocks(BLOCK_CELLS):
        _compare_block(period, block, folder, wanted)
    inside = aoi_mask(request.aoi, wide.grid(request.crs)) if request.level is Level.SCENE else None
    for label, season in wanted.items():
        values = surface(season) if inside is None else constant(season, inside)
        sources = tuple(granule.source for granule in period.datatakes[label])
        yield Drawn(sources=sources, cells=area, values=values[area.within(wide)])


def _compare_block(period: Period, block: Cells, folder: Path, wanted: dict[int, Season]) -> None:
    """Learn what the ground of a block usually looks like, and compare every wanted overflight with it."""
    grid = block.grid(period.request.crs, SAMPLE_M)
    looker = Looker(grid)
    kept = Reservoir.nothing(grid.shape)
    for label, granules in enumerate(period.datatakes):
        seen = looker.see(granules)
        if seen is not None:
            scored = score(seen, period.moments, period.request.buffer)
            offer(kept, period.days[label], scored.cost, scored.level == 1, seen.judge)
    usual: dict[int, Background] = {}
    for label, season in wanted.items():
        seen = looker.see(period.datatakes[label])
        if seen is None:
            continue
        day = background_day(period.days[label], period.request.period_days)
        if day not in usual:
            usual[day] = background(kept, day, period.request.period_days)
        already = []
        for granule in period.datatakes[label]:
            layers = read_levels(folder, granule.source, block.grid(grid.crs))
            if layers is not None:
                already.append((seen.source == granule.source, Levels.of(layers).values))
        compare_with_usual(season, block, seen.judge, comparable(seen.mask, seen.judge), usual[day], already)
