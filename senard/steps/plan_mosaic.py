"""Plan a mosaic: what it would use, fetch and leave open, before anything big is downloaded."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from senard.algorithms.contenders import gathered
from senard.algorithms.tiling import cut_tiles
from senard.errors import NoDataError
from senard.io.forecast_folder import read_forecast
from senard.io.members import MARKER_NAME
from senard.io.scenes_file import read_query_result, read_verdict
from senard.io.sources import Catalogue, Source
from senard.model.grid import Tile
from senard.model.plan import Outlook, PartSizes, Plan, SceneOutlook
from senard.model.product import Part
from senard.model.request import MosaicRequest
from senard.model.scene import QueryResult, Sentinel2Scene
from senard.model.sentinel2 import ProductType
from senard.steps.download_product import download_product
from senard.steps.fetch_look import fetching_look
from senard.steps.forecast_choice import TileForecast, forecast_tile
from senard.steps.forecast_odds import quick_tile
from senard.steps.forecast_scene import forecast_scene
from senard.steps.query_scenes import Look, query_scenes
from senard.steps.spare_scenes import FORECAST_REGRET, expendable

PIXELS_M = (20, 60, 120)
"""Sides of the forecast's pixels, m of the mosaic's CRS: the smaller the area, the smaller …"""

PIXELS_AT_MOST = 4_000_000
"""… as long as the tiles have no more of them than this: 30 products then take about a minute, or two minutes where
some of them are spared."""

CLASSES_M = 60
"""Pixels smaller than those of the classification pay only where the area has few of them, m."""

FEW_PIXELS = 40_000
"""An area of fewer pixels of 60 m (144 km²) is forecast on pixels of 20 m."""

TYPICAL_SHARES = {Part.JUDGE: 0.034, Part.BANDS: 0.68}
"""Parts of a product that is known by its whole size alone: means of the manifests of 19 real products, baselines 02.08
to 05.10 (0.021 to 0.040, 0.60 to 0.78)."""

TYPICAL_SHARES_1C = {Part.JUDGE: 0.515, Part.BANDS: 0.32}
"""The same of L1C, which has no small bands: BANDS is what judging has not read; 8 products, baselines 02.01 to 05.10
(0.467 to 0.567, 0.295 to 0.348)."""

TYPICAL_BYTES = 820_000_000
"""A product whose size nobody states, bytes: mean of the same."""

TYPICAL_CLASSES_BYTES = 1_000_000
"""XML and the scene classification at 60 m, bytes: mean of the same."""


def plan_mosaic(
    request: MosaicRequest, catalogue: Catalogue, source: Source, folder: Path, *, quick: bool = False
) -> Plan:
    """Ask, fetch what is small, and forecast: the whole way without Luigi, for a notebook.

    Args:
        request: what is asked for.
        catalogue: who knows the products.
        source: who brings them; only `Part.CLASSES` is fetched, about 1 MB a product, and nothing if `quick`.
        folder: where that is kept: a second plan goes on from there.
        quick: True goes by the catalogue's cloud percentages alone.

    Returns:
        The plan.

    Raises:
        NoDataError: no product answers the request.
        TransientError: the catalogue or a source failed.
        RequestError: a person must act.
    """
    quick = quick or request.product_type is ProductType.L1C  # it has no small classification to look at
    asked = query_scenes(request, catalogue, folder / "scenes.json", look=_look(source, folder))
    result = read_query_result(asked)
    folders: dict[int, Path] = {}
    for number, scene in enumerate(result.kept if not quick else (), 1):
        folders[number] = folder / "forecasts" / scene.product_id
        if not folders[number].is_dir():
            download = _download(folder, scene.product_id)
            if not download.is_dir():
                download_product(scene, source, Part.CLASSES, download)
            forecast_scene(download, folders[number])
    return draw_plan(request, result, folders)


def _download(folder: Path, product_id: str) -> Path:
    return folder / "downloads" / product_id / Part.CLASSES.value


def _look(source: Source, folder: Path) -> Look:
    return fetching_look(source, lambda product_id: _download(folder, product_id))


def draw_plan(
    request: MosaicRequest,
    result: QueryResult,
    folders: Mapping[int, Path],
    *,
    held: Mapping[str, Collection[Part]] = MappingProxyType({}),
) -> Plan:
    """Forecast from what was fetched.

    Args:
        request: what is asked for.
        result: the frozen answer of the query.
        folders: source number to the forecast's folder, or to one with a verdict; empty goes by the catalogue's cloud
            percentages alone.
        held: product_id to the parts of it that were fetched before, Part.ALL for a whole product; products with a
            location are here anyway.

    Returns:
        The plan.

    Raises:
        NoDataError: the query kept no product.
        IncompleteError: a folder holds neither a forecast nor a verdict.
    """
    scenes = result.kept
    if not scenes:
        raise NoDataError(
            f"{request.name}: no product of {len(result.scenes)} answers the request for {request.first_day} to "
            f"{request.last_day}: there is nothing to plan. `senard list` shows why each of them is left out."
        )
    doubts = {number: reason for number, path in folders.items() if (reason := read_verdict(path)) is not None}
    known = {number: path for number, path in folders.items() if number not in doubts}
    tiles = cut_tiles(request.aoi, request.crs)
    pixel_m = forecast_pixel_m(tiles)
    quick = not folders
    counts = (
        [quick_tile(request, scenes, tile) for tile in tiles]
        if quick
        else _forecast(request, scenes, known, tiles, pixel_m)
    )
    total = sum_up(counts)
    return Plan(
        request=request,
        quick=quick,
        pixel_m=pixel_m,
        gaps=_share(total.empty, total.pixels),
        observations={
            number: _share(total.observations[number], total.pixels) for number in sorted(total.observations)
        },
        tiles=tuple(_tile(tile, count, total) for tile, count in zip(tiles, counts, strict=True)),
        months=_months(request, scenes, total),
        scenes=tuple(
            replace(
                _scene(number, scene, total, known.get(number), doubts.get(number, ""), held.get(scene.product_id, ())),
                takes_part=request.method.reads_all and total.clear[number] > 0,
            )
            for number, scene in enumerate(scenes, 1)
        ),
        left_out=len(result.scenes) - len(scenes),
    )


def _forecast(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    folders: Mapping[int, Path],
    tiles: Sequence[Tile],
    pixel_m: int,
) -> list[TileForecast]:
    """Choose from all scenes, then without those that the mosaic would spare, as SettleScenes does."""
    counts = [forecast_tile(request, scenes, folders, tile, pixel_m) for tile in tiles]
    if request.method.reads_all:  # spares none
        return counts
    total = sum_up(counts)
    contenders = gathered(total.contenders)
    spared = expendable(request, scenes, folders.keys(), contenders, limit=FORECAST_REGRET)
    if not total.supplied.keys() & set(spared):
        return counts
    return [forecast_tile(request, scenes, folders, tile, pixel_m, spared=spared) for tile in tiles]


def forecast_pixel_m(tiles: Sequence[Tile]) -> int:
    """Side of the forecast's pixels, m."""
    area_m2 = sum((tile.right - tile.left) * (tile.top - tile.bottom) for tile in tiles)
    if area_m2 / CLASSES_M**2 < FEW_PIXELS:
        return PIXELS_M[0]
    return next((side for side in PIXELS_M[1:] if area_m2 / side**2 <= PIXELS_AT_MOST), PIXELS_M[-1])


def sum_up(counts: Sequence[TileForecast]) -> TileForecast:
    """The counts of all tiles together."""
    total = TileForecast()
    for count in counts:
        total.pixels += count.pixels
        total.empty += count.empty
        for name in ("supplied", "reached", "clear", "observations", "month_empty", "month_clear"):
            getattr(total, name).update(getattr(count, name))
        total.contenders += count.contenders
    return total


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _tile(tile: Tile, count: TileForecast, total: TileForecast) -> Outlook:
    return Outlook(
        name=str(tile.index),
        scenes=len(+count.reached),
        share=_share(count.pixels, total.pixels),
        clear=_share(sum(number * pixels for number, pixels in count.observations.items()), count.pixels),
        gaps=_share(count.empty, count.pixels),
    )


def _months(request: MosaicRequest, scenes: Sequence[Sentinel2Scene], total: TileForecast) -> tuple[Outlook, ...]:
    """Every month of the period, those without any product too."""
    taken = Counter(f"{scene.acquisition_date:%Y-%m}" for scene in scenes)
    first, last = (12 * day.year + day.month - 1 for day in (request.first_day, request.last_day))
    names = {f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(first, last + 1)} | taken.keys()
    return tuple(
        Outlook(
            name=name,
            scenes=taken[name],
            share=1.0,
            clear=_share(total.month_clear[name], total.pixels),
            gaps=_share(total.month_empty[name], total.pixels) if name in total.month_empty else 1.0,
        )
        for name in sorted(names)
    )


def _scene(
    number: int, scene: Sentinel2Scene, total: TileForecast, folder: Path | None, doubt: str, held: Collection[Part]
) -> SceneOutlook:
    sizes = read_forecast(folder).sizes if folder is not None else typical_sizes(scene)
    stated = (scene.remote.size_bytes if scene.remote is not None else 0) or scene.size_bytes
    return SceneOutlook(
        source=number,
        product_id=scene.product_id,
        day=scene.acquisition_date,
        mgrs_tile=scene.mgrs_tile,
        cloud_cover=scene.cloud_cover,
        reached=_share(total.reached[number], total.pixels),
        clear=_share(total.clear[number], total.reached[number]),
        supplied=_share(total.supplied[number], total.pixels),
        sizes=replace(sizes, whole=stated or sizes.whole),
        held=frozenset([*held, *([Part.ALL] if scene.location is not None else [])]),
        online=scene.remote is None or scene.remote.online,
        takes_part=False,
        doubt=doubt,
    )


def is_here(product_id: str, places: Iterable[Path]) -> bool:
    """Whether a product lies whole in one of some folders, as zip or as SAFE folder."""
    for place in places:
        safe = place / f"{product_id}.SAFE"
        if (place / f"{product_id}.zip").is_file() or (safe.is_dir() and not (safe / MARKER_NAME).exists()):
            return True
    return False


def typical_sizes(scene: Sentinel2Scene) -> PartSizes:
    """What the parts of a product weigh of which only the whole size is known, or not even that."""
    whole = (scene.remote.size_bytes if scene.remote is not None else 0) or scene.size_bytes or TYPICAL_BYTES
    shares = TYPICAL_SHARES_1C if scene.product_type is ProductType.L1C else TYPICAL_SHARES
    return PartSizes(
        classes=min(TYPICAL_CLASSES_BYTES, whole),
        judge=round(whole * shares[Part.JUDGE]),
        bands=round(whole * shares[Part.BANDS]),
        whole=whole,
    )
