"""Count what every scene of a mosaic saw clear: the order in which `--method first` asks them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from senard.algorithms.scoring import score
from senard.io.atomic import partial_file
from senard.io.sources_file import write_clear_counts
from senard.model.grid import Tile
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sources import CLEAR_LEVELS
from senard.steps.forecast_choice import BLOCK_PX, coarse_grid
from senard.steps.judge_overflights import Looker, period_of
from senard.steps.select_sources import count, pixels_to_fill

PIXEL_M = 60
"""Side of the pixels that are counted, m: every ninth one of 20 m."""


def rank_scenes(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    tiles: Sequence[Tile],
    out: Path,
) -> Path:
    """Count the pixels of the area that each scene saw clear, by the scene's own evidence alone.

    Where granules of one overflight overlap, a pixel counts for the one that would supply it.

    Args:
        request: area, buffer.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene to do without.
        tiles: the mosaic's tiles.
        out: JSON, source number to pixels of 60 m.

    Returns:
        out.
    """
    period = period_of(request, scenes, masks, ())
    clear = Counter[int]()
    for tile in tiles:
        grid = coarse_grid(tile, PIXEL_M)
        for window in grid.blocks(BLOCK_PX):
            core = grid.crop(window)
            inside = pixels_to_fill(request, core)
            if not inside.any():
                continue
            looker = Looker(core)
            for granules in period.datatakes:
                seen = looker.see(granules)
                if seen is not None:
                    level = score(seen, period.moments, request.buffer).level
                    clear += count(seen.source[inside & np.isin(level, CLEAR_LEVELS)])
    with partial_file(out) as partial:
        write_clear_counts(partial, clear)
    return out
