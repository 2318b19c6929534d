"""Parts of scenes: what one internal tile of the 10 m bands holds, which is decoded as a whole or not at all.

Images of 10 m are coded in JPEG 2000 tiles of 1024 pixels, from the upper left corner of the product.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from senard.model.arrays import UInt8Array
from senard.model.scene import Sentinel2Scene

PART_PX = 512
"""Side of a part, px of the product's 20 m grid."""

STEP_PX = 8
"""What is decided of a part is looked up in squares of so many px of 20 m."""

RESERVE = 16
"""Added to the rank of what should not supply pixels: it comes after the worst of all others."""

ACROSS = 16
"""Numbers that are set aside for a row of parts; a product of 10980 px has 11."""


def part_number(source: Any, row: Any, col: Any) -> Any:
    """Number of the part that holds a pixel of a scene: of one pixel, or of an array.

    Args:
        source: number of the scene.
        row: of the product's 20 m grid.
        col: of the same.

    Returns:
        256 x source + 16 x row + column of the internal tile.
    """
    return source * ACROSS**2 + row // PART_PX * ACROSS + col // PART_PX


def source_of(part: Any) -> Any:
    """Number of the scene that a part belongs to: of one, or of an array."""
    return part // ACROSS**2


def place_of(part: Any) -> Any:
    """Number of a part in its scene: of one, or of an array."""
    return part % ACROSS**2


def first_alike(scenes: Sequence[Sentinel2Scene]) -> tuple[int, ...]:
    """For each source number the first scene of the same MGRS tile, whose parts lie the same; 0 for number 0."""
    first: dict[str, int] = {}
    return (0, *(first.setdefault(scene.mgrs_tile, number) for number, scene in enumerate(scenes, 1)))


def share_that_supplies(parts: Collection[int], sources: Collection[int], alike: Sequence[int]) -> float:
    """Share of the parts of some scenes that supply pixels, 0-1, where any of their MGRS tile does.

    Args:
        parts: those that supply.
        sources: the scenes' numbers.
        alike: of `first_alike`.
    """
    scenes = Counter(alike[source] for source in sources)
    places = Counter(alike[source] for source, _ in {(alike[source_of(part)], place_of(part)) for part in parts})
    every = sum(scenes[first] * places[first] for first in scenes)
    return len(parts) / every if every else 1.0


def ranks_of_squares(places: Collection[int], all_places: Collection[int], shape: tuple[int, int]) -> UInt8Array:
    """What pixels a scene may supply, when only some of its parts do.

    Args:
        places: of `place_of`, parts that supply.
        all_places: those of all scenes of the same MGRS tile: elsewhere none is known to be better than another.
        shape: (y, x) of the product's 20 m grid.

    Returns:
        (y, x) of squares of STEP_PX: 1 in parts that supply, 1 + RESERVE in a square along their borders to others,
        because what is resampled there reaches over the border, and where no scene's part supplies; 0 elsewhere.
    """
    down, across = (-(-side // PART_PX) for side in shape)
    supplies = np.ones((ACROSS + 2, ACROSS + 2), dtype=np.bool_)  # nothing is decoded beyond the product's edge
    supplies[1:-1, 1:-1][:down, :across] = False
    unknown = ~supplies
    for place in places:
        supplies[1 + place // ACROSS, 1 + place % ACROSS] = True
    for place in all_places:
        unknown[1 + place // ACROSS, 1 + place % ACROSS] = False
    step = PART_PX // STEP_PX
    mine, nobodys = (np.kron(flags, np.ones((step, step), dtype=np.bool_)) for flags in (supplies, unknown))
    inner = np.logical_and.reduce([np.roll(mine, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    ranks = np.where(inner, 1, np.where(mine | nobodys, 1 + RESERVE, 0)).astype(np.uint8)
    rows, cols = (-(-side // STEP_PX) for side in shape)
    return np.ascontiguousarray(ranks[step : step + rows, step : step + cols])
