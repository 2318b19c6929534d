"""Choose for every 20 m pixel of one tile the scene that supplies it."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from senard.algorithms.departure import PIXEL_M, detection_grid
from senard.algorithms.feathering import reach_px, seconds
from senard.algorithms.granules import Ground
from senard.algorithms.keep_kernel import ONLY_SECONDARY
from senard.algorithms.labelling import (
    Candidates,
    add_candidate,
    choose,
    halo_px,
    only_in_patches,
    smoothed_cost,
    smoothing_px,
    usable,
)
from senard.algorithms.part_kernels import hold_back
from senard.algorithms.snow import reported_level
from senard.algorithms.tiling import aoi_mask
from senard.io.atomic import listed_directory
from senard.io.geotiff import ScratchWriter
from senard.io.sources_file import SOURCES_RASTER, write_source_counts
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Grid, Tile, Window
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sources import CLEAR_LEVELS, SECOND_BANDS, SOURCE_BANDS, SourceCounts
from senard.steps.judge_overflights import Granule, Period, Usual, judged_observations, learn, period_of

BLOCK_PX = 1536
"""Side of the blocks that a tile is chosen in. A process that chooses takes about 1 GB, whatever the period."""

Layers = Mapping[str, UInt16Array]


def select_sources(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Sequence[Path | None],
    tile: Tile,
    out: Path,
    *,
    spared: Sequence[int] = (),
    parts: Collection[int] | None = None,
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
        out: folder, gets sources_20.tif and sources.json.
        spared: source numbers that supply no pixel, so that their bands need not be read; they still count as clear
            observations, told on pixels of 60 m where an overflight has no other scene.
        parts: of `Spared`.
        land: folder of `take_land`, where the request names a terrain model or a land cover.
        block_px: most of the side of the blocks, px of 20 m; changes speed and memory only.
        progress: called with the share done, 0-1.

    Returns:
        out.

    Raises:
        IncompleteError: if a mask folder holds neither a judgement nor a verdict, or the land is not there.
    """
    grid = tile.grid(20)
    period = period_of(request, scenes, masks, spared, land, parts)
    rows = _rows(grid, block_px)
    pixels, clear_pixels, levels, aoi_pixels = Counter[int](), Counter[int](), Counter[int](), 0
    others, done = Counter[int](), 0
    with listed_directory(out) as folder:
        with ScratchWriter(folder / SOURCES_RASTER, grid, _bands(request), np.uint16, nodata=0) as writer:
            for windows in rows:
                cores = [grid.crop(window) for window in windows]
                insides = [pixels_to_fill(request, core) for core in cores]
                row = _Row(period, cores, insides)
                for window, inside, layers in zip(windows, insides, row.layers(), strict=True):
                    writer.write(window, layers)
                    source, level = layers["source"], layers["level"]
                    pixels += count(source[source > 0])
                    clear_pixels += count(source[is_clear(level)])
                    levels += count(level[inside])
                    if "second" in layers:
                        others += count(layers["second"][layers["second"] > 0])
                    aoi_pixels += int(inside.sum())
                    done += 1
                    if progress is not None:
                        progress(done / sum(map(len, rows)))
        counts = SourceCounts(
            pixels=pixels,
            clear_pixels=clear_pixels,
            levels=levels,
            aoi_pixels=aoi_pixels,
            taking_part=pixels + others if others else {},
        )
        write_source_counts(folder, counts)
    return out


def _rows(grid: Grid, block_px: int) -> list[list[Window]]:
    """Blocks of a grid, of equal size but for the last ones, row by row."""
    height, width = (side and -(-side // -(-side // block_px)) for side in grid.shape)
    return [
        [
            Window(
                row_start=top,
                row_stop=min(top + height, grid.height),
                col_start=left,
                col_stop=min(left + width, grid.width),
            )
            for left in range(0, grid.width, width)
        ]
        for top in range(0, grid.height, height)
    ]


def pixels_to_fill(request: MosaicRequest, grid: Grid) -> BoolArray:
    """Pixels to fill."""
    return aoi_mask(request.aoi, grid) if request.clip else np.ones(grid.shape, dtype=np.bool_)


def _bands(request: MosaicRequest) -> tuple[str, ...]:
    """Bands of the source map."""
    return SOURCE_BANDS + (SECOND_BANDS if request.feather_m > 0 else ())


class _Row:
    """Blocks beside each other, chosen from left to right; what two of them need is judged once.

    A block's choice depends on candidates as far as `reach` around it; those that the block before reached are kept.
    """

    def __init__(self, period: Period, cores: Sequence[Grid], insides: Sequence[BoolArray]) -> None:
        """Take up a row.

        Args:
            period: all that may be chosen from.
            cores: pixels of the blocks, none wider than the first.
            insides: (y, x) of each, True where the mosaic is to be filled.
        """
        self._period = period
        self._is_spared = np.isin(np.arange(len(period.moments)), period.spared)
        self._counted, self._supplying = _split(period)
        self._blocks = list(zip(cores, insides, strict=True))
        self._feather_px = reach_px(period.request.feather_m, cores[0].gsd)
        around = cores[0].padded(self._feather_px)
        self._smoothing_px = smoothing_px(around)
        self._reach = halo_px(around) + self._feather_px - self._smoothing_px

    def layers(self) -> Iterator[Layers]:
        """The layers of one block after the other; scenes that only touch what it depends on take part."""
        usual, kept = None, False
        widest = self._blocks[0][0].padded(self._reach)
        candidates = Candidates.nothing(widest.shape)
        clear = np.zeros(widest.shape, dtype=np.uint16)
        for core, inside in self._blocks:
            if not inside.any():
                kept = False
                yield {name: np.zeros(core.shape, dtype=np.uint16) for name in _bands(self._period.request)}
                continue
            new = core.width if kept else widest.width
            candidates.move_on(new)
            clear[:, :-new], clear[:, -new:] = clear[:, new:].copy(), 0
            right = core.left + (core.width + self._reach) * core.gsd
            grid = replace(widest, left=right - widest.width * core.gsd)
            columns = grid.crop(
                Window(row_start=0, row_stop=grid.height, col_start=grid.width - new, col_stop=grid.width)
            )
            usual = learn(self._period, self._judged_on(columns), known=usual)
            self._judge(columns, usual, candidates, clear)
            yield self._choose(grid, core, inside, candidates, clear)
            kept = True

    def _judged_on(self, columns: Grid) -> Grid:
        """Pixels of 60 m whose usual look must be known to judge some columns."""
        one, other = (detection_grid(grid) for grid in (columns.padded(self._smoothing_px), _enclosing(columns)))
        left, top = min(one.left, other.left), max(one.top, other.top)
        right, bottom = max(one.bounds.right, other.bounds.right), min(one.bounds.bottom, other.bounds.bottom)
        width, height = round((right - left) / one.gsd), round((top - bottom) / one.gsd)
        return replace(one, left=left, top=top, width=width, height=height)

    def _judge(self, columns: Grid, usual: Usual, candidates: Candidates, clear: UInt16Array) -> None:
        """Fill the candidates of the rightmost columns."""
        pad, period, new = self._smoothing_px, self._period, columns.width
        wide = columns.padded(pad)
        clear[:, -new:] += self._count_clear(columns, usual)
        ground = Ground(wide)
        for label, seen, scored in judged_observations(period, wide, usual, labels=self._supplying):
            clear[:, -new:] += is_clear(scored.level[pad:-pad, pad:-pad])
            allowed, in_patches = usable(scored, period.request.fill), only_in_patches(scored, period.request.fill)
            ranks = ((allowed | in_patches) & ~self._is_spared[seen.source]).view(np.uint8)
            self._hold_back(ranks, seen.source, period.datatakes[label], ground)
            if not ranks[pad:-pad, pad:-pad].any():
                continue
            ranks[~allowed] = np.where(ranks[~allowed] == 1, ONLY_SECONDARY, 0)
            cost = smoothed_cost(scored, wide)
            add_candidate(candidates, label, seen, scored, cost, ranks, moments=period.moments, pad=pad)

    def _count_clear(self, columns: Grid, usual: Usual) -> UInt16Array:
        """How many overflights that supply nothing saw each pixel clear."""
        coarse = _enclosing(columns)
        ratio = coarse.gsd // columns.gsd
        rows = (np.arange(columns.height) + round((coarse.top - columns.top) / columns.gsd)) // ratio
        cols = (np.arange(columns.width) + round((columns.left - coarse.left) / columns.gsd)) // ratio
        clear = np.zeros(coarse.shape, dtype=np.uint16)
        for _, _, scored in judged_observations(self._period, coarse, usual, labels=self._counted):
            clear += is_clear(scored.level)
        return clear[np.ix_(rows, cols)]

    def _hold_back(self, ranks: UInt8Array, source: UInt16Array, granules: Sequence[Granule], ground: Ground) -> None:
        """Leave out, or for later, what lies in spared parts."""
        for granule in granules:
            parts, numbers = self._period.ranks.get(granule.source), ground.numbers(granule.grids[20])
            if parts is not None and numbers is not None:
                hold_back(ranks, source, granule.source, numbers.row, numbers.col, parts)

    def _choose(self, grid: Grid, core: Grid, inside: BoolArray, candidates: Candidates, clear: UInt16Array) -> Layers:
        """Layers of a block whose candidates are known."""
        request, reach = self._period.request, self._reach
        own = slice(reach, -reach), slice(grid.width - reach - core.width, grid.width - reach)
        choice = choose(candidates, grid, margin=reach - self._feather_px)
        layers = {
            "source": choice.source,
            "clear": clear,
            "level": reported_level(choice.level, choice.flags),
            "flags": choice.flags,
            "cost": choice.cost,
        }
        if request.feather_m > 0:
            mixing = seconds(choice, candidates, grid.gsd, request.feather_m)
            layers |= {"second": mixing.source, "share": mixing.share}
        return {name: pixels[own] * inside for name, pixels in layers.items()}


def _enclosing(grid: Grid) -> Grid:
    """The pixels of detection that hold a grid."""
    left, top = math.floor(grid.left / PIXEL_M) * PIXEL_M, math.ceil(grid.top / PIXEL_M) * PIXEL_M
    width, height = math.ceil((grid.bounds.right - left) / PIXEL_M), math.ceil((top - grid.bounds.bottom) / PIXEL_M)
    return replace(grid, left=float(left), top=float(top), gsd=PIXEL_M, width=width, height=height)


def _split(period: Period) -> tuple[list[int], list[int]]:
    """Overflights of which nothing is supplied, and the others, by number."""
    counted, supplying = list[int](), list[int]()
    for label, granules in enumerate(period.datatakes):
        spared = {granule.source for granule in granules} <= set(period.spared)
        (counted if spared else supplying).append(label)
    return counted, supplying


def is_clear(level: UInt8Array | UInt16Array) -> BoolArray:
    """Where an observation counts as clear."""
    return np.logical_or.reduce([level == clear for clear in CLEAR_LEVELS])


def count(values: UInt16Array) -> Counter[int]:
    """How often each number occurs."""
    numbers, counts = np.unique(values, return_counts=True)
    return Counter(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
