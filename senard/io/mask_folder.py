"""The folder that holds the judgement of one product: rasters at 20 and 60 m, scene.json and product.json."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from senard.io.geotiff import write_scratch
from senard.io.results import read_result
from senard.io.scenes_file import read_scene, write_scene
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.masks import SceneJudgement
from senard.model.scene import Sentinel2Scene

RASTER_20 = "scene_20.tif"
RASTER_60 = "scene_60.tif"
REDUCED_20 = "scene_20_reduced.tif"
"""The middle one of each 3 x 3 pixels of scene_20.tif: all that looks at 60 m need, a ninth of the bytes."""

FIGURES = "scene.json"
IDENTITY = "product.json"


def write_mask_folder(
    folder: Path,
    judgement: SceneJudgement,
    grids: Mapping[int, Grid],
    bands_20: Mapping[str, UInt8Array],
    bands_60: Mapping[str, UInt16Array],
    scene: Sentinel2Scene,
) -> None:
    """Write the judgement of one product into an empty folder.

    Args:
        folder: exists; whoever calls sees to it that it appears whole.
        judgement: figures of the product.
        grids: gsd in m to the product's own grid, 20 and 60.
        bands_20: MASK_BANDS_20 in order, (y, x) uint8.
        bands_60: MASK_BANDS_60 in order, (y, x) uint16.
        scene: what the product's own XML says of it.
    """
    write_scratch(folder / RASTER_20, grids[20], bands_20)
    write_scratch(folder / RASTER_60, grids[60], bands_60)
    ratio = grids[60].gsd // grids[20].gsd
    middle = slice(ratio // 2, None, ratio)
    write_scratch(folder / REDUCED_20, grids[60], {name: pixels[middle, middle] for name, pixels in bands_20.items()})
    text = json.dumps(dataclasses.asdict(judgement), indent=1, sort_keys=True)
    (folder / FIGURES).write_text(text + "\n", encoding="utf-8")
    write_scene(folder / IDENTITY, scene)


def read_own_scenes(scenes: Sequence[Sentinel2Scene], folders: Sequence[Path]) -> list[Sentinel2Scene]:
    """Scenes as their own XML describes them: a catalogue knows the start of the datatake, not when a tile was seen.

    Args:
        scenes: as the query knows them.
        folders: the mask folder of each; one that is absent or holds a verdict leaves its scene as it is.

    Returns:
        The same scenes in the same order. Where they lie, how large they are and what the catalogue says of their bytes
        stay as the query knows them.

    Raises:
        IncompleteError: a mask folder is damaged.
    """
    return [_own(scene, folder / IDENTITY) for scene, folder in zip(scenes, folders, strict=True)]


def _own(scene: Sentinel2Scene, path: Path) -> Sentinel2Scene:
    if not path.is_file():
        return scene
    own = read_scene(path)
    return dataclasses.replace(own, location=scene.location, size_bytes=scene.size_bytes, remote=scene.remote)


def read_judgement(folder: Path) -> SceneJudgement:
    """Read scene.json of a mask folder.

    Raises:
        IncompleteError: if the folder holds none that can be read.
    """
    return read_result(folder / FIGURES, lambda values: SceneJudgement(**values), delete=folder, maker="MaskScene")
