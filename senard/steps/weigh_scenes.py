"""Tell who contends for the ground of one tile, before any is chosen: so a mosaic knows what it can do without."""

from collections.abc import Callable, Sequence
from pathlib import Path

from senard.algorithms.contenders import contenders_of, gathered, sample_m2, sampled
from senard.algorithms.labelling import Candidates, add_candidate, smoothed_cost, smoothing_px, usable
from senard.io.atomic import partial_directory
from senard.io.sources_file import write_contenders
from senard.model.contenders import Contenders
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

    That is what choosing starts from. It is told on coarse pixels, and no borders are drawn.

    Args:
        request: period, fill, buffer, area.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene to do without.
        tile: the tile.
        out: folder, gets contenders.npz.
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
    windows, parts = list(grid.blocks(block_px)), list[Contenders]()
    with partial_directory(out) as folder:
        for done, window in enumerate(windows, 1):
            core = grid.crop(window)
            inside = pixels_to_fill(request, core)
            if inside.any():
                candidates = _candidates(period, core)
                every = pixel_m == 20  # a small area may lie between the pixels of a sample
                where, m2 = (inside, float(core.gsd**2)) if every else (sampled(core, inside), sample_m2(core))
                parts.append(contenders_of(candidates, where, m2))
            if progress is not None:
                progress(done / len(windows))
        write_contenders(folder, gathered(parts))
    return out


def _candidates(period: Period, core: Grid) -> Candidates:
    """The best observations of each pixel of a block."""
    pad = smoothing_px(core)
    wide = core.padded(pad)
    candidates = Candidates.nothing(core.shape)
    for label, seen, scored in judged_observations(period, wide):
        allowed = usable(scored, period.request.fill)
        add_candidate(candidates, label, seen, scored, smoothed_cost(scored, wide), allowed, pad=pad)
    return candidates
