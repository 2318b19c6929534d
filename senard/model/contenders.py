"""Who else could supply a pixel, and how much worse: what tells what it costs to do without a scene."""

from dataclasses import dataclass

from senard.model.arrays import Float64Array, UInt16Array

PLACES = 6
"""Scenes that are named for a pixel at most."""

REGRET_CAP = 4.0
"""Cost above that of the best scene at which another is as bad as none."""

SPARED = "it can be spared: what it would supply, others show nearly as well"
"""Why a spared scene supplies nothing, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contenders:
    """Ground, in groups of sampled pixels that the same scenes would supply in the same order."""

    source: UInt16Array
    """(group, PLACES) source numbers, the cheapest first; 0 is an empty place."""

    regret: Float64Array
    """(group, PLACES) what each costs above the first, at most REGRET_CAP; sum over the group, cost times m²."""

    area: Float64Array
    """(group,) m² of the mosaic's CRS."""
