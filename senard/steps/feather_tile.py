"""Mix the two dates on either side of a border, window by window."""

from pathlib import Path

import numpy as np

from senard.algorithms.feathering import FEATHERED, feathered
from senard.io.geotiff import BLOCK, ScratchReader, ScratchWriter
from senard.model.arrays import UInt8Array
from senard.model.grid import Window


def feather_tile(first: Path, second: Path, sources: Path, writer: ScratchWriter, bits: UInt8Array) -> None:
    """Write all bands of a tile at one resolution, mixed where its source map names a second scene.

    A pixel of 20 m is mixed whole, in every band of this resolution, or not at all.

    Args:
        first: raster of what the pixels' own scenes show.
        second: the same of their second scenes; 0 where there is none.
        sources: the source map, at 20 m.
        writer: gets the bands of `first`.
        bits: (y, x) uint8 at 20 m, gets FEATHERED in place.
    """
    with ScratchReader(first) as own, ScratchReader(second) as other, ScratchReader(sources) as chosen:
        factor = chosen.grid.gsd // own.grid.gsd
        for window in own.grid.blocks(BLOCK):
            coarse = Window(
                row_start=window.row_start // factor,
                row_stop=window.row_stop // factor,
                col_start=window.col_start // factor,
                col_stop=window.col_stop // factor,
            )
            share, pixels = chosen.read(coarse, "share"), own.read(window)
            if share.any():
                pixels, mixed = feathered(pixels, other.read(window), share)
                bits[coarse.slices] |= np.where(mixed, np.uint8(FEATHERED), np.uint8(0))
            writer.write(window, dict(zip(own.names, pixels, strict=True)))
