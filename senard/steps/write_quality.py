"""The QA layer of one tile: source, clear observations, level and flags of every pixel."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from senard.algorithms.feathering import FEATHERED
from senard.algorithms.nadir import NADIR
from senard.algorithms.slopes import SLOPE
from senard.algorithms.warp import wins_of
from senard.algorithms.warp_kernels import CLIPPED, MENDED
from senard.io.atomic import beside
from senard.io.geotiff import BLOCK, Raster, ScratchReader, ScratchWriter, read_scratch, write_cog
from senard.io.results import read_result
from senard.io.sources_file import read_source_counts
from senard.model.arrays import UInt8Array
from senard.model.grid import Tile
from senard.model.labels import (
    FLAG_CLIPPED,
    FLAG_LEVEL_LIGHT,
    FLAG_MENDED,
    FLAG_NADIR,
    FLAG_VALID,
    QUALITY_PROFILE,
    ProductLabels,
)
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sources import FLAG_BLENDED


def write_quality(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    sources: Path,
    flags: Sequence[Path],
    tile: Tile,
    out: Path,
) -> Path:
    """Write layers/<i>_QA_20.tif (product-spec §5): four bands uint16, all 0 where no scene supplies the pixel.

    Args:
        request: what was asked.
        scenes: all scenes that the query kept, in order.
        sources: folder of the tile's selection, holds sources_20.tif.
        flags: what composing the tile left at each resolution, <i>_<gsd>.flags.tif with <i>_<gsd>.json beside.
        tile: the tile.
        out: final name.

    Returns:
        out.
    """
    source_file = sources / "sources_20.tif"
    if request.method.blends:  # what a pixel is named for is not all that it is made of
        numbers = list(read_source_counts(sources).suppliers)
    else:
        numbers = [wins.number for wins in wins_of(read_scratch(source_file, bands="source"))]
    used = [scenes[number - 1] for number in numbers]
    simulated = any(_simulated(path) for path in flags)
    tags = ProductLabels.of(request, scenes).tags(tile, "QA, 20 m", used, simulated=simulated)
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = beside(out)
    try:
        with (
            ScratchReader(source_file) as chosen,
            ScratchWriter(scratch, tile.grid(20), QUALITY_PROFILE.names, np.uint16, nodata=0) as writer,
        ):
            for window in writer.grid.blocks(BLOCK * 4):
                bits = [read_scratch(path, window, "flags", part_of=path) for path in flags]
                writer.write(window, _quality(chosen.read(window, ("source", "clear", "level", "flags")), bits))
        write_cog(scratch, out, QUALITY_PROFILE, tags)
    finally:
        scratch.unlink(missing_ok=True)
    return out


def _quality(chosen: Raster, bits: Sequence[UInt8Array]) -> dict[str, Raster]:
    """The four bands of a window from the selection's and from what composing found."""
    source, clear, level, flags = chosen
    valid = source > 0
    flags = flags | np.uint16(FLAG_VALID)
    for found in bits:
        flags |= np.where(found & CLIPPED, np.uint16(FLAG_CLIPPED), np.uint16(0))
        flags |= np.where(found & MENDED, np.uint16(FLAG_MENDED), np.uint16(0))
        flags |= np.where(found & FEATHERED, np.uint16(FLAG_BLENDED), np.uint16(0))
        flags |= np.where(found & NADIR, np.uint16(FLAG_NADIR), np.uint16(0))
        flags |= np.where(found & SLOPE, np.uint16(FLAG_LEVEL_LIGHT), np.uint16(0))
    bands = {"source": source, "clear": clear + np.uint16(1), "level": level, "flags": flags}
    return {name: np.where(valid, pixels, np.uint16(0)) for name, pixels in bands.items()}


def _simulated(flags: Path) -> bool:
    """Whether a file that composing labelled is made of simulated products."""
    figures = flags.with_name(flags.name.removesuffix(".flags.tif") + ".json")
    return read_result(
        figures, lambda values: "SENARD_SIMULATED" in values["tags"], delete=figures, maker="CompositeTile"
    )
