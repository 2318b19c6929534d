"""Tables of a product: its scenes, its tiles, and the figures of the run that made it."""

import csv
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio
import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

import senard
from senard.io.atomic import partial_file
from senard.io.product_folder import mosaic_file
from senard.model.grid import Tile
from senard.model.mosaic import MosaicFigures, SceneRow, TileFigures
from senard.model.request import MosaicRequest
from senard.model.run import KindFigures, RunFigures
from senard.model.scene import QueryResult, Sentinel2Scene

SCENE_COLUMNS = (
    "source",
    "product_id",
    "satellite",
    "acquisition_time",
    "mgrs_tile",
    "relative_orbit",
    "baseline",
    "cloud_cover",
    "clear_share",
    "used",
    "reason",
    "pixels",
    "share",
)
"""Columns of scenes.csv. Source: product-spec §9."""

_EDGE_PIECES = 32
"""Straight pieces per tile edge in lon/lat: between them the edge of a 100 km tile in UTM bends by less than 1 m."""


def write_scenes(path: Path, rows: Iterable[SceneRow]) -> Path:
    """Write scenes.csv, atomically: one row per kept scene, used or not."""
    with partial_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SCENE_COLUMNS)
        writer.writerows(scene_row(row) for row in rows)
    return path


def scene_row(row: SceneRow) -> tuple[str, ...]:
    """One row of scenes.csv, in the order of `SCENE_COLUMNS`; what is not known is empty."""
    scene = row.scene
    return (
        str(row.source),
        scene.product_id,
        scene.satellite,
        scene.acquisition_time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        scene.mgrs_tile,
        str(scene.relative_orbit),
        baseline_text(scene),
        "" if scene.cloud_cover is None else f"{scene.cloud_cover:.4f}",
        "" if row.clear_share is None else f"{row.clear_share:.4f}",
        "true" if row.used else "false",
        row.reason,
        str(row.pixels),
        f"{row.share:.6f}",
    )


def baseline_text(scene: Sentinel2Scene) -> str:
    """Processing baseline as ESA writes it: "05.11"; "test" for a test baseline."""
    return "test" if scene.baseline < 0 else f"{scene.baseline // 100:02d}.{scene.baseline % 100:02d}"


def write_tiles(path: Path, figures: MosaicFigures, folder: Path) -> Path:
    """Write tiles.geojson (RFC 7946), atomically.

    Args:
        path: the file.
        figures: what is said of the tiles.
        folder: the product folder: a tile names the mosaic files that lie there.
    """
    features = [_feature(tile, figures.scenes, folder) for tile in figures.tiles]
    lines = ",\n".join(json.dumps(feature, separators=(", ", ": ")) for feature in features)
    with partial_file(path) as partial:
        text = f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'
        partial.write_text(text, encoding="utf-8", newline="\n")
    return path


def tile_dates(tile: TileFigures, scenes: Iterable[SceneRow]) -> tuple[date, ...]:
    """Acquisition dates that supply a tile, in order."""
    return tuple(sorted({row.scene.acquisition_date for row in scenes if tile.pixels.get(row.source)}))


def _feature(figures: TileFigures, scenes: tuple[SceneRow, ...], folder: Path) -> dict[str, Any]:
    """One tile as a GeoJSON feature."""
    tile = figures.tile
    names = {gsd: mosaic_file(tile.index, gsd) for gsd in (10, 20)}
    dates = tile_dates(figures, scenes)
    return {
        "type": "Feature",
        "id": tile.index,
        "properties": {
            "index": tile.index,
            **{f"file_{gsd}": name if (folder / name).is_file() else None for gsd, name in names.items()},
            "crs": tile.crs,
            "left": tile.left,
            "bottom": tile.bottom,
            "right": tile.right,
            "top": tile.top,
            "valid_share": round(figures.valid_share, 6),
            "scenes": sum(1 for pixels in figures.pixels.values() if pixels),
            "first_date": dates[0].isoformat() if dates else None,
            "last_date": dates[-1].isoformat() if dates else None,
        },
        "geometry": shapely.geometry.mapping(tile_outline(tile)),
    }


def tile_outline(tile: Tile) -> BaseGeometry:
    """A tile in lon/lat (EPSG:4326): exterior anticlockwise, cut at the antimeridian, rounded to 1e-7 degrees."""
    square = shapely.box(tile.left, tile.bottom, tile.right, tile.top)
    longest = max(tile.right - tile.left, tile.top - tile.bottom)
    pieces = 1 if tile.crs == "EPSG:3857" else _EDGE_PIECES
    x, y = shapely.get_coordinates(shapely.segmentize(square, longest / pieces)).T
    lon, lat = pyproj.Transformer.from_crs(tile.crs, "EPSG:4326", always_xy=True).transform(x, y)
    if np.ptp(lon) > 180:
        lon = np.where(lon < 0, lon + 360, lon)
    outline = shapely.Polygon(np.round(np.column_stack([lon, lat]), 7))
    if lon.max() <= 180:
        return orient(outline)
    halves = (shapely.clip_by_rect(outline, 0, -90, 180, 90), shapely.clip_by_rect(outline, 180, -90, 540, 90))
    east, west = (polygon for half in halves for polygon in shapely.get_parts(half)[:1])
    return MultiPolygon([orient(east), orient(translate(west, -360))])


def write_run(path: Path, figures: MosaicFigures, result: QueryResult, run: RunFigures) -> Path:
    """Write run.json, atomically: what differs from run to run, and what the query left out."""
    record = {
        "product_id": figures.product_id,
        "run": _run_values(run),
        "software": software(),
        "request": json.loads(figures.request.canonical()),
        "query": {
            "kept": len(result.kept),
            "left_out": [
                {"product_id": entry.product_id, "reason": entry.reason} for entry in result.scenes if not entry.kept
            ],
        },
        "composites": [
            {"tile": composite.index, "gsd": composite.gsd, **composite.counts} for composite in figures.composites
        ],
    }
    _write_record(path, record)
    return path


def update_run(path: Path, run: RunFigures) -> None:
    """State in a run.json what the run took to its very end; all else stays as it is."""
    record = json.loads(path.read_text(encoding="utf-8"))
    _write_record(path, {**record, "run": _run_values(run)})


def write_run_alone(path: Path, run: RunFigures) -> None:
    """Write what a run took so far that has not come to a product."""
    _write_record(path, {"run": _run_values(run), "software": software()})


def read_run(path: Path) -> RunFigures:
    """What a run.json says that the run took.

    Raises:
        FileNotFoundError: there is none.
    """
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["run"]
    times = {name: datetime.fromisoformat(values[name]) if values[name] else None for name in ("started", "finished")}
    lists = {name: tuple(values[name]) for name in ("hosts", "command")}
    kinds = tuple(KindFigures(**entry) for entry in values.get("kinds", ()))
    return RunFigures(**{**values, **times, **lists, "kinds": kinds})


def _write_record(path: Path, record: Mapping[str, Any]) -> None:
    with partial_file(path) as partial:
        partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def software() -> dict[str, str]:
    """Versions of what computes pixels."""
    return {
        "senard": senard.__version__,
        "python": platform.python_version(),
        "gdal": rasterio.__gdal_version__,
        "proj": pyproj.proj_version_str,
        "rasterio": rasterio.__version__,
        "numpy": np.__version__,
    }


def request_options(request: MosaicRequest) -> dict[str, str]:
    """Options of a request for a person, the area and the period excepted: what they are called and what they say."""
    values = json.loads(request.canonical())
    skipped = {"aoi", "name", "first_day", "last_day"}
    return {key: _spoken(value) for key, value in values.items() if key not in skipped}


def _spoken(value: object) -> str:
    """A JSON value for a person."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == []:
        return "not set"
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _run_values(run: RunFigures) -> dict[str, object]:
    """Figures of the run as JSON can hold them."""
    values = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(run).items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
