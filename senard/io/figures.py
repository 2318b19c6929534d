"""Figures that the tasks of a mosaic left in their work folders, read back as nouns."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from senard.io.geotiff import ScratchReader
from senard.io.mask_folder import read_own_scenes
from senard.io.results import read_result
from senard.io.scenes_file import read_verdict
from senard.io.sources_file import SOURCES_RASTER, read_source_counts
from senard.model.grid import Tile
from senard.model.mosaic import CompositeFigures, MosaicParts, SceneRow, TileFigures
from senard.model.request import Method

CLEAR_BAND = 2
"""Band of the source map that counts clear observations."""

LEVEL_BAND = 3
"""Band of the source map that holds the quality level."""

NEVER_BEST = "supplies no pixel: elsewhere another scene was better"
NEVER_OF_USE = "supplies no pixel: others were clearer, or nearer to the median"
_FOLDERS = re.compile(r"(?<![\w.<])/(?:[^\s/:;,'\"]+/)+")


def read_tile_figures(tile: Tile, folder: Path) -> TileFigures:
    """What the selection counted on one tile.

    Raises:
        IncompleteError: if the folder holds no source map.
    """
    counts = read_source_counts(folder)
    return TileFigures(
        tile=tile,
        area_pixels=counts.aoi_pixels,
        pixels=counts.pixels,
        levels=counts.levels,
        taking_part=counts.taking_part,
    )


def read_scene_rows(parts: MosaicParts, tiles: tuple[TileFigures, ...]) -> tuple[SceneRow, ...]:
    """The rows of scenes.csv, by source number."""
    area = sum(tile.area_pixels for tile in tiles)
    rows = []
    scenes = read_own_scenes(parts.result.kept, parts.masks)
    for source, (scene, mask) in enumerate(zip(scenes, parts.masks, strict=True), 1):
        pixels = sum(tile.pixels.get(source, 0) for tile in tiles)
        taking_part = sum(tile.taking_part.get(source, 0) for tile in tiles)
        reason = parts.reasons.get(scene.product_id) or read_verdict(mask)
        judged = _json(mask / "scene.json", delete=mask) if (mask / "scene.json").is_file() else {}
        clear_share = judged.get("clear_share")
        rows.append(
            SceneRow(
                source=source,
                scene=scene,
                clear_share=None if clear_share is None else float(clear_share),
                pixels=pixels,
                share=pixels / area if area else 0.0,
                reason="" if pixels or taking_part else without_folders(reason or _idle(parts.request.method)),
                taking_part=taking_part,
            )
        )
    return tuple(rows)


def _idle(method: Method) -> str:
    """Why a usable scene supplies nothing."""
    return NEVER_OF_USE if method.reads_all else NEVER_BEST


def read_composite_figures(parts: MosaicParts) -> tuple[CompositeFigures, ...]:
    """What composing counted, of every tile and resolution whose figures lie in the work folder."""
    found = []
    for path in parts.composites:
        if path.is_file():
            index, gsd = path.stem.split("_")
            counts = {name: value for name, value in _json(path, delete=path).items() if isinstance(value, int)}
            found.append(CompositeFigures(index=int(index), gsd=int(gsd), counts=counts))
    return tuple(sorted(found, key=lambda figures: (figures.index, figures.gsd)))


def read_simulated(parts: MosaicParts, rows: tuple[SceneRow, ...]) -> bool:
    """Whether a scene that supplies pixels says of itself that it was simulated."""
    used = [mask / "scene.json" for row, mask in zip(rows, parts.masks, strict=True) if row.used]
    return any(bool(_json(path, delete=path.parent).get("simulated")) for path in used if path.is_file())


def count_clear(folder: Path, size: int = 1024) -> dict[int, int]:
    """Histogram of clear observations over the pixels that some scene supplies.

    Args:
        folder: one tile's selection.
        size: rows and columns read at once: memory does not grow with the tile.

    Returns:
        Number of clear observations to pixels of 20 m.
    """
    counts: dict[int, int] = {}
    with ScratchReader(folder / SOURCES_RASTER) as reader:
        for window in reader.grid.blocks(size):
            source, clear = reader.read(window, ("source", "clear"))
            numbers, found = np.unique(clear[source > 0], return_counts=True)
            for number, pixels in zip(numbers.tolist(), found.tolist(), strict=True):
                counts[number] = counts.get(number, 0) + pixels
    return dict(sorted(counts.items()))


def without_folders(text: str) -> str:
    """A message on one line without the folders of its paths, which differ from machine to machine."""
    return _FOLDERS.sub("", " ".join(text.split()))


def _json(path: Path, *, delete: Path) -> dict[str, Any]:
    """One JSON file; `delete` as of `unreadable`."""
    return read_result(path, dict, delete=delete)
