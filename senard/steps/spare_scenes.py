"""Find what a mosaic can do without: each scene, and each part of one, costs all its bands, and others show it too."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from senard.algorithms.contenders import gathered, price_of_absence, supplied_m2, uncontended
from senard.algorithms.part_sparing import supplying_parts
from senard.algorithms.scene_parts import first_alike
from senard.algorithms.tiling import cut_tiles, project_area
from senard.io.scenes_file import read_verdict
from senard.io.sources_file import read_source_counts, read_weights
from senard.model.contenders import REGRET_CAP, Contenders, Spared, Weights
from senard.model.land import LAND_GSD
from senard.model.request import Method, MosaicRequest
from senard.model.scene import Sentinel2Scene

SMALL_REGRET = 0.02
"""A scene is spared whose absence costs less than this per pixel of the ground that it covers (docs/decisions/0011); a
part of one, per pixel of the part (docs/decisions/0024)."""

PRICE_BIAS = {20: 1.0, 60: 1.0, 120: 1.07}
"""What prices come to on pixels of such a side, m, as a multiple of what choosing itself tells: costs are averaged over
fewer of the larger ones, so they scatter (docs/decisions/0023)."""

SMALL_M2 = 100e6
"""An area smaller than this, in the mosaic's CRS, is weighed pixel by pixel of the source map: it costs little, and no
strip of ground is missed that only one scene saw."""

FORECAST_REGRET = 0.002
"""The same where costs come from scene classifications alone, which see little of what tells dates apart: with this,
forecast and true numbers of winners agree on average over eight simulated seasons (docs/decisions/0012)."""

SMALL_SHARE = SMALL_REGRET / REGRET_CAP
"""The same where nobody is known to take a scene's place: what it supplies of the ground that it covers, share."""

NEGLIGIBLE_SHARE = 0.0001
"""Ground that nobody else covers counts from this share of the area on: footprints are that uncertain at the rim."""

_PIXEL_M2 = 400.0
"""Of the source map."""


def weighing_pixel_m(request: MosaicRequest) -> int:
    """Side of the pixels that scenes are weighed on, m: the land's own, where the request names any."""
    if request.method is not Method.BEST or filled_ground(request).area < SMALL_M2:
        return 20
    return LAND_GSD if request.dem or request.landcover else 120


def spare_scenes(
    request: MosaicRequest, scenes: Sequence[Sentinel2Scene], masks: Sequence[Path | None], weighed: Sequence[Path]
) -> Spared:
    """Scenes and parts whose bands are not worth reading: others show nearly as well what they supply, if anything.

    What only such a scene supplies is mostly what every other date shows as cloud: seldom clear ground, mostly its own
    cloud or shadow that went unseen.

    Args:
        request: area and CRS.
        scenes: every kept scene, in the order that numbers them from 1.
        masks: mask folder of each scene; None, or a folder with a verdict, for a scene that is not used anyway.
        weighed: folder of each tile, from `weigh_scenes`, or a source map chosen from all scenes by a method that
            weighs no costs.
    """
    usable = [n for n, folder in enumerate(masks, 1) if folder is not None and read_verdict(folder) is None]
    limit = SMALL_REGRET * PRICE_BIAS[weighing_pixel_m(request)]
    weights = [known for known in map(read_weights, weighed) if known is not None]
    if not weights:
        contenders = gathered([uncontended(_supplied_by_choice(folder)) for folder in weighed])
        return _spared(expendable(request, scenes, usable, contenders, limit=limit), contenders)
    contenders = gathered([known.scenes for known in weights])
    spared = _spared(expendable(request, scenes, usable, contenders, limit=limit), contenders)
    of_parts, ground, alike = gathered([known.parts for known in weights]), _ground(weights), first_alike(scenes)
    return replace(spared, parts=supplying_parts(of_parts, ground, alike, spared.numbers, limit=limit))


def _spared(numbers: Collection[int], contenders: Contenders) -> Spared:
    return Spared(numbers=tuple(numbers), idle=tuple(sorted(set(numbers) - supplied_m2(contenders).keys())))


def _ground(weights: Sequence[Weights]) -> dict[int, float]:
    """Ground to be filled in each part, on all tiles, m²."""
    total = defaultdict[int, float](float)
    for known in weights:
        for part, m2 in known.ground.items():
            total[part] += m2
    return total


def _supplied_by_choice(folder: Path) -> dict[int, float]:
    """m² that each scene supplies in a source map."""
    return {number: count * _PIXEL_M2 for number, count in read_source_counts(folder).pixels.items() if count}


def expendable(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    usable: Collection[int],
    contenders: Contenders,
    *,
    limit: float,
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
