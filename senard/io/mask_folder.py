"""The folder that holds the judgement of one product: scene_20.tif, scene_60.tif and scene.json."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from senard.errors import IncompleteError
from senard.io.geotiff import write_scratch
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.masks import SceneJudgement

RASTER_20 = "scene_20.tif"
RASTER_60 = "scene_60.tif"
FIGURES = "scene.json"


def write_mask_folder(
    folder: Path,
    judgement: SceneJudgement,
    grids: Mapping[int, Grid],
    bands_20: Mapping[str, UInt8Array],
    bands_60: Mapping[str, UInt16Array],
) -> None:
    """Write the judgement of one product into an empty folder.

    Args:
        folder: exists; whoever calls sees to it that it appears whole.
        judgement: figures of the product.
        grids: gsd in m to the product's own grid, 20 and 60.
        bands_20: MASK_BANDS_20 in order, (y, x) uint8.
        bands_60: MASK_BANDS_60 in order, (y, x) uint16.
    """
    write_scratch(folder / RASTER_20, grids[20], bands_20)
    write_scratch(folder / RASTER_60, grids[60], bands_60)
    text = json.dumps(dataclasses.asdict(judgement), indent=1, sort_keys=True)
    (folder / FIGURES).write_text(text + "\n", encoding="utf-8")


def read_judgement(folder: Path) -> SceneJudgement:
    """Read scene.json of a mask folder.

    Raises:
        IncompleteError: if the folder holds none.
    """
    try:
        values = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    except OSError as error:
        raise IncompleteError(
            f"{folder}: expected {FIGURES} of MaskScene, found none. Delete the folder and run the same command again."
        ) from error
    return SceneJudgement(**values)
