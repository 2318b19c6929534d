"""Tell who contends for the ground of one tile, before any is chosen: so a mosaic knows what it can do without."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from senard.algorithms.contenders import (
    PARTS_SAMPLE_M,
    SAMPLE_M,
    contenders_of,
    gathered,
    sample_m2,
    sampled,
)
from senard.algorithms.granules import Ground
from senard.algorithms.labelling import Candidates, add_candidate, smoothed_cost, smoothing_px, usable
from senard.algorithms.scene_parts import first_alike, part_number
from senard.io.atomic import listed_directory
from senard.io.sources_file import write_weights
from senard.model.arrays import BoolArray, UInt32Array
from senard.model.contenders import Contenders, Weights
from senard.model.grid import Grid, Tile
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.steps.forecast_choice import coarse_grid
from senard.steps.judge_overflights import Period, judged_observations, period_of
from senard.steps.select_sources import pixels_to_fill
from senard.steps.spare_scenes import weighing_pixel_m

BLOCK_PX = 1024
"""Side of the blocks that a tile is weighed in, px of either size: about as much memory as choosing takes."""


def weigh_scenes(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    tile: Tile,
    out: Path,
    *,
    land: Path | None = None,
    block_px: int = BLOCK_PX,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Judge every scene, and tell by how much each pixel's scenes differ in smoothed cost.

    That is what choosing starts from. It is told on coarse pixels, and no borders are drawn. It is told of scenes, and
    of their parts.

    Args:
        request: period, fill, buffer, area.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene to do without.
        tile: the tile.
        out: folder, gets contenders.npz and parts.npz.
        land: folder of `take_land`, where the request names a terrain model or a land cover.
        block_px: side of the blocks, px; changes speed and memory only.
        progress: called with the share done, 0-1.

    Returns:
        out.

    Raises:
        IncompleteError: if a mask folder holds neither a judgement nor a verdict, or the land is not there.
    """
    period = period_of(request, scenes, masks, (), land)
    pixel_m = weighing_pixel_m(request)
    grid = tile.grid(20) if pixel_m == 20 else coarse_grid(tile, pixel_m)
    windows, of_scenes, of_parts = list(grid.blocks(block_px)), list[Contenders](), list[Contenders]()
    ground = defaultdict[int, float](float)
    alike = first_alike(scenes)
    with listed_directory(out) as folder:
        for done, window in enumerate(windows, 1):
            core = grid.crop(window)
            inside = pixels_to_fill(request, core)
            if inside.any():
                candidates = _candidates(period, core)
                every = pixel_m == 20  # a small area may lie between the pixels of a sample
                where, m2 = (inside, float(core.gsd**2)) if every else _sample(core, inside, SAMPLE_M)
                of_scenes.append(contenders_of(candidates, where, m2))
                where, m2 = (where, m2) if every else _sample(core, inside, PARTS_SAMPLE_M)
                parts = _Parts(period, core, alike)
                of_parts.append(contenders_of(candidates, where, m2, supplier=parts.of(candidates)))
                for part, count in parts.counts(where).items():
                    ground[part] += count * m2
            if progress is not None:
                progress(done / len(windows))
        write_weights(folder, Weights(scenes=gathered(of_scenes), parts=gathered(of_parts), ground=ground))
    return out


def _sample(core: Grid, inside: BoolArray, distance_m: int) -> tuple[BoolArray, float]:
    """Some pixels to be filled, and the ground that each stands for."""
    return sampled(core, inside, distance_m), sample_m2(core, distance_m)


class _Parts:
    """In which part of their scenes the pixels of a block lie."""

    def __init__(self, period: Period, core: Grid, alike: Sequence[int]) -> None:
        ground = Ground(core)
        grids = {alike[granule.source]: granule.grids[20] for granules in period.datatakes for granule in granules}
        self._alike = np.array(alike)
        self._numbers = {first: ground.numbers(grid) for first, grid in sorted(grids.items())}

    def of(self, candidates: Candidates) -> UInt32Array:
        """(y, x, kept) part of each candidate."""
        found, first = np.zeros(candidates.source.shape, dtype=np.uint32), self._alike[candidates.source]
        for number, pixels in self._numbers.items():
            if pixels is not None:
                where = np.nonzero((first == number) & (candidates.label >= 0))
                row, col = (plane[where[:2]].astype(np.uint32) for plane in (pixels.row, pixels.col))
                found[where] = part_number(candidates.source[where].astype(np.uint32), row, col)
        return found

    def counts(self, where: BoolArray) -> Mapping[int, int]:
        """How many of some pixels lie in each part, by the part of the first scene that is cut alike."""
        found: dict[int, int] = {}
        for number, pixels in self._numbers.items():
            if pixels is not None:
                inside = where & (pixels.row >= 0)
                row, col = (plane[inside].astype(np.int64) for plane in (pixels.row, pixels.col))
                parts, counts = np.unique(part_number(number, row, col), return_counts=True)
                found |= zip(parts.tolist(), counts.tolist(), strict=True)
        return found


def _candidates(period: Period, core: Grid) -> Candidates:
    """The best observations of each pixel of a block."""
    pad = smoothing_px(core)
    wide = core.padded(pad)
    candidates = Candidates.nothing(core.shape)
    for label, seen, scored in judged_observations(period, wide):
        allowed = usable(scored, period.request.fill)
        add_candidate(candidates, label, seen, scored, smoothed_cost(scored, wide), allowed, pad=pad)
    return candidates
