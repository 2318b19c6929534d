"""Find scenes that a mosaic can do without: each costs all its bands, and what some supply others show as well."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from senard.algorithms.contenders import gathered, price_of_absence, supplied_m2, uncontended
from senard.algorithms.tiling import cut_tiles, project_area
from senard.io.scenes_file import read_verdict
from senard.io.sources_file import read_contenders, read_source_counts
from senard.model.contenders import REGRET_CAP, Contenders
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene

SMALL_REGRET = 0.02
"""A scene is spared whose absence costs less than this per pixel of the ground that it covers (docs/decisions/0011)."""

FORECAST_REGRET = 0.002
"""The same where costs come from scene classifications alone, which see little of what tells dates apart: with this,
forecast and true numbers of winners agree on average over eight simulated seasons (docs/decisions/0012)."""

SMALL_SHARE = SMALL_REGRET / REGRET_CAP
"""The same where nobody is known to take a scene's place: what it supplies of the ground that it covers, share."""

NEGLIGIBLE_SHARE = 0.0001
"""Ground that nobody else covers counts from this share of the area on: footprints are that uncertain at the rim."""

_PIXEL_M2 = 400.0
"""Of the source map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """What a mosaic does without."""

    numbers: tuple[int, ...]
    """Source numbers, ascending."""

    idle: tuple[int, ...]
    """Those of them that would supply nothing anyway, ascending."""


def spare_scenes(
    request: MosaicRequest, scenes: Sequence[Sentinel2Scene], masks: Sequence[Path | None], weighed: Sequence[Path]
) -> Spared:
    """Scenes whose bands are not worth reading: they supply nothing, or others show nearly as well what they supply.

    What only such a scene supplies is mostly what every other date shows as cloud: seldom clear ground, mostly its own
    cloud or shadow that went unseen.

    Args:
        request: area and CRS.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene that is not used anyway.
        weighed: folder of each tile, from `weigh_scenes`, or a source map chosen from all scenes by a method that
            weighs no costs.
    """
    parts: list[Contenders] = []
    for folder in weighed:
        known = read_contenders(folder)
        parts.append(known or uncontended(_supplied_by_choice(folder)))
    usable = [n for n, folder in enumerate(masks, 1) if folder is not None and read_verdict(folder) is None]
    contenders = gathered(parts)
    numbers = expendable(request, scenes, usable, contenders)
    return Spared(numbers=tuple(numbers), idle=tuple(sorted(set(numbers) - supplied_m2(contenders).keys())))


def _supplied_by_choice(folder: Path) -> dict[int, float]:
    """m² that each scene supplies in a source map."""
    return {number: count * _PIXEL_M2 for number, count in read_source_counts(folder).pixels.items() if count}


def expendable(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    usable: Collection[int],
    contenders: Contenders,
    *,
    limit: float = SMALL_REGRET,
) -> list[int]:
    """The rule of `spare_scenes`, for whoever knows who contends.

    Scenes go one by one, the one first whose absence costs least per pixel of its own ground, so that of two that stand
    in for each other only one goes unnoticed.

    Args:
        request: area and CRS.
        scenes: every kept scene, in the order that numbers them from 1.
        usable: source numbers of scenes that may supply pixels.
        contenders: of the whole mosaic.
        limit: price per pixel of its ground below which a scene is spared.

    Returns:
        Source numbers, ascending, those that supply nothing included.
    """
    area = filled_ground(request)
    suppliers = set(usable) & supplied_m2(contenders).keys()
    grounds = {
        number: project_area(footprint, request.crs).intersection(area)
        for number in sorted(suppliers)
        if (footprint := scenes[number - 1].footprint) is not None
    }
    spared, asked = set(usable) - suppliers, set(grounds)
    while asked:
        prices = price_of_absence(contenders, spared)
        per_m2 = {number: prices.get(number, 0.0) / max(grounds[number].area, _PIXEL_M2) for number in sorted(asked)}
        cheapest = min(per_m2, key=per_m2.__getitem__)
        if per_m2[cheapest] >= limit:
            break
        asked.remove(cheapest)
        others = shapely.union_all([ground for number, ground in grounds.items() if number not in {cheapest, *spared}])
        if grounds[cheapest].difference(others).area <= NEGLIGIBLE_SHARE * area.area:
            spared.add(cheapest)
    return sorted(spared)


def filled_ground(request: MosaicRequest) -> BaseGeometry:
    """What the mosaic shows, in its own CRS: the area, or the tiles' whole rectangles where they are not clipped."""
    if request.clip:
        return project_area(request.aoi, request.crs)
    tiles = cut_tiles(request.aoi, request.crs)
    return shapely.union_all([shapely.box(tile.left, tile.bottom, tile.right, tile.top) for tile in tiles])
