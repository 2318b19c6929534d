"""One index over all tiles of a mosaic or of a layer, and the style that QGIS shows it in."""

import os
from collections.abc import Sequence
from pathlib import Path

from senard.io.qml import write_style
from senard.io.statistics import read_statistics
from senard.io.vrt import IndexedFile, write_vrt
from senard.model.grid import Tile
from senard.model.labels import MOSAIC_PROFILES, RasterProfile


def build_vrt(
    files: Sequence[Path], tiles: Sequence[Tile], gsd: int, out: Path, *, profile: RasterProfile | None = None
) -> Path:
    """Write the VRT over files that lie in one product folder, and the .qml of the same name before it.

    Each band states the statistics of all files together, so that nobody who asks for them changes the VRT. They come
    from the files' tags: no pixel is read. Names are relative to the VRT, so that the folder can be moved.

    Args:
        files: final names, one per tile, inside the folder of `out` or below it.
        tiles: their tiles, in the same order.
        gsd: pixel side of the files, m.
        out: final name: mosaic_10.vrt, layers/QA_20.vrt.
        profile: what the files hold; None means the mosaic's bands of this gsd, QUALITY_PROFILE the QA layer.

    Returns:
        out.

    Raises:
        RequestError: there is no file.
        IncompleteError: a file cannot be opened.
    """
    held = MOSAIC_PROFILES[gsd] if profile is None else profile
    indexed = [
        IndexedFile(
            tile=tile, name=Path(os.path.relpath(file, out.parent)).as_posix(), statistics=read_statistics(file)
        )
        for file, tile in zip(files, tiles, strict=True)
    ]
    write_style(out.with_suffix(".qml"), held)
    return write_vrt(out, indexed, held)
