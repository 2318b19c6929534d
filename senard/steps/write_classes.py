"""The scene class of every pixel of one tile: what the product says that supplies it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from senard.io.atomic import beside
from senard.io.geotiff import BLOCK, ScratchReader, ScratchWriter, write_cog
from senard.io.mask_folder import read_judgement
from senard.io.sources_file import SOURCES_RASTER, read_source_counts
from senard.model.grid import Tile
from senard.model.labels import SCL_PROFILE, ProductLabels
from senard.model.masks import SCL_BITS
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.steps.source_classes import classes_of_sources


def write_classes(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    masks: Mapping[int, Path],
    sources: Path,
    tile: Tile,
    out: Path,
) -> Path:
    """Write layers/<i>_SCL_20.tif (product-spec §5): one band of bytes, 0 where no scene supplies the pixel.

    Args:
        request: what was asked.
        scenes: all scenes that the query kept, in order.
        masks: source number to mask folder, for every source that the map names.
        sources: folder of the tile's selection, holds sources_20.tif and sources.json.
        tile: the tile.
        out: final name.

    Returns:
        out.

    Raises:
        IncompleteError: if a mask folder holds no judgement.
    """
    numbers = list(read_source_counts(sources).suppliers)
    judgements = {number: read_judgement(masks[number]) for number in numbers}
    simulated = any(judgement.simulated for judgement in judgements.values())
    used = [scenes[number - 1] for number in numbers]
    tags = ProductLabels.of(request, scenes).tags(tile, "SCL, 20 m", used, simulated=simulated)
    grids = {number: judgement.grids[20] for number, judgement in judgements.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = beside(out)
    try:
        with (
            ScratchReader(sources / SOURCES_RASTER) as chosen,
            ScratchWriter(scratch, tile.grid(20), SCL_PROFILE.names, np.uint8, nodata=0) as writer,
        ):
            for window in writer.grid.blocks(BLOCK * 2):
                bits = classes_of_sources(chosen.read(window, "source"), writer.grid.crop(window), grids, masks)
                writer.write(window, {SCL_PROFILE.names[0]: bits & np.uint8(SCL_BITS)})
        write_cog(scratch, out, SCL_PROFILE, tags)
    finally:
        scratch.unlink(missing_ok=True)
    return out
