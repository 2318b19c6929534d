"""What a mosaic knows of the land in one block, and what this changes in judging observations."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from senard.algorithms.departure import detection_grid
from senard.algorithms.labelling import halo_px
from senard.algorithms.landcover import Covers
from senard.algorithms.relief_zone import farthest_m, height_above_plane, moved_zone, plane_pad
from senard.algorithms.scoring import Observation, Scored
from senard.algorithms.terrain import Light, Terrain, dimmed, light_of, reach_of
from senard.errors import IncompleteError
from senard.io.land_folder import Layer, read_land
from senard.model.arrays import BoolArray, Float32Array
from senard.model.grid import Grid, Tile
from senard.model.request import MosaicRequest

ZONE = 6
"""Place of ZONE among MASK_BANDS_60."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLand:
    """The land of one block, as far as it is known; where nothing is, all stays as it was."""

    coarse: Grid
    """Pixels of 60 m."""

    sun: Float32Array
    """(scenes + 1, 2) zenith and azimuth by source number, degrees."""

    terrain: Terrain | None = None
    """None: no heights are known."""

    above: Float32Array | None = None
    """(y, x) m, from `height_above_plane`; None: shadows of clouds fall where they fall on level ground."""

    covers: Covers | None = None
    """None: no land cover is known."""

    @classmethod
    def read(cls, request: MosaicRequest, folder: Path | None, sun: Float32Array, coarse: Grid) -> "BlockLand":
        """What `take_land` took over for these pixels.

        Raises:
            IncompleteError: if the request names rasters whose values are not there.
        """
        if not (request.dem or request.landcover):
            return cls(coarse=coarse, sun=sun)
        if folder is None or not folder.is_dir():
            raise IncompleteError(
                f"{folder}: expected the land of this mosaic, found nothing. Run the whole command again: it takes "
                f"over what --dem and --landcover say."
            )
        covers = Covers(codes=read_land(folder, Layer.COVERS, coarse)) if request.landcover else None
        plain = cls(coarse=coarse, sun=sun, covers=covers)
        if not request.dem:
            return plain
        pad = land_pad(coarse)
        heights = read_land(folder, Layer.HEIGHTS, coarse.padded(pad))
        terrain = Terrain.of(heights, coarse, pad)
        if terrain.is_unknown:
            return plain
        above = height_above_plane(heights, coarse, pad)
        return replace(plain, terrain=terrain, above=above if above.any() else None)

    @property
    def around(self) -> Grid | None:
        """The pixels whose zones of shadow may fall into the block on its relief; None if zones stay."""
        if self.terrain is None or self.above is None:
            return None
        way = farthest_m(self.above, self.sun) / float(self.terrain.pixel_m.min())
        return self.coarse.padded(min(math.ceil(way) + 1, reach_of(self.coarse)))

    @property
    def bright(self) -> BoolArray | None:
        """(y, x) where roofs, sand and salt are to be expected; None: not known."""
        return None if self.covers is None else self.covers.bright

    def without_false_snow(self, scored: Scored, seen: Observation, grid: Grid) -> Scored:
        """The judgement of an observation without snow that is most likely none."""
        if self.covers is None:
            return scored
        return self.covers.without_false_snow(scored, seen, self.sun, grid, self.coarse)

    def permanent_snow(self, often: BoolArray) -> BoolArray:
        """Where snow is the ground: where it lies often, and on what the land cover calls ice."""
        return often if self.covers is None else often | self.covers.ice

    def water(self, dark: BoolArray) -> BoolArray:
        """Where water is, if darkness alone says `dark`."""
        return dark if self.covers is None else self.covers.water(dark)

    def cost_of_shade(self, seen: Observation) -> Float32Array:
        """(y, x) of the coarse pixels: what weak light costs, so that lit observations tell what ground looks like."""
        light = self.light(seen)
        return np.zeros(self.coarse.shape, dtype=np.float32) if light is None else light.cost

    def light(self, seen: Observation) -> Light | None:
        """How the coarse pixels are lit; None: all of them are."""
        return None if self.terrain is None else light_of(self.terrain, seen.source, self.sun)

    def dimmed(self, scored: Scored, detected: Observation, grid: Grid) -> Scored:
        """The judgement of an observation on `grid`, knowing its light; `detected` is the same on coarse pixels."""
        light = self.light(detected)
        return scored if light is None else dimmed(scored, light, grid, self.coarse)

    def with_moved_zone(self, detected: Observation, around: Observation | None) -> Observation:
        """An observation whose zone of shadow lies where relief puts it.

        Args:
            detected: on the coarse pixels.
            around: the same on `around`.
        """
        if self.terrain is None or self.above is None or around is None:
            return detected
        judge = detected.judge.copy()
        pad = (around.source.shape[0] - self.coarse.height) // 2
        judge[ZONE] = moved_zone(around.judge[ZONE], pad, self.above, detected.source, self.sun, self.terrain)
        return replace(detected, judge=judge)


def land_pad(coarse: Grid) -> int:
    """Pixels of heights around a block that its judgement depends on."""
    return max(reach_of(coarse), plane_pad(coarse))


def land_grids(tiles: Sequence[Tile]) -> list[Grid]:
    """Pixels of 60 m whose land the choice on some tiles depends on."""
    grids = [tile.grid(20) for tile in tiles]
    coarse = [detection_grid(grid.padded(halo_px(grid))) for grid in grids]
    return [grid.padded(land_pad(grid)) for grid in coarse]
