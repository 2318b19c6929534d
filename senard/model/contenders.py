"""Who else could supply a pixel, and how much worse: it tells what a scene is worth, and each part of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from senard.model.arrays import Float64Array, UInt32Array

PLACES = 6
"""Scenes that are named for a pixel at most."""

REGRET_CAP = 4.0
"""Cost above that of the best scene at which another is as bad as none."""

SPARED = "it can be spared: what it would supply, others show nearly as well"
"""Why a spared scene supplies nothing, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contenders:
    """Ground, in groups of sampled pixels that the same scenes would supply in the same order."""

    supplier: UInt32Array
    """(group, PLACES) source numbers, or those of parts of scenes, the cheapest first; 0 is an empty place."""

    regret: Float64Array
    """(group, PLACES) what each costs above the first, at most REGRET_CAP; sum over the group, cost times m²."""

    area: Float64Array
    """(group,) m² of the mosaic's CRS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the ground of one tile tells of its scenes."""

    scenes: Contenders
    """Who contends, by source number."""

    parts: Contenders
    """Who contends, by part (`algorithms/scene_parts`), on fewer pixels."""

    ground: Mapping[int, float]
    """Ground to be filled in each part, m² of the mosaic's CRS; by the part that the first scene of the same MGRS tile
    has there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """What a mosaic does without."""

    numbers: tuple[int, ...]
    """Source numbers of scenes that supply nothing, ascending."""

    idle: tuple[int, ...]
    """Those of them that would supply nothing anyway, ascending."""

    parts: tuple[int, ...] | None = None
    """Numbers of the parts that supply pixels, ascending, of the scenes that are left; None: all parts do."""
