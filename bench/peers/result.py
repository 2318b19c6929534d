"""How peers write what they made: tiled GeoTIFF with DEFLATE, without overviews."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import rasterio
from affine import Affine

from bench.peers.question import Question


def write_bands(question: Question, gsd: int, names: Sequence[str], values: npt.NDArray[Any]) -> None:
    """Write one file of the result.

    Args:
        question: says where it lies.
        gsd: pixel side, m.
        names: of the bands.
        values: (band, y, x) uint16.
    """
    profile = {
        "driver": "GTiff",
        "width": values.shape[2],
        "height": values.shape[1],
        "count": values.shape[0],
        "dtype": values.dtype,
        "crs": question.crs,
        "transform": Affine(gsd, 0, question.left, 0, -gsd, question.top),
        "nodata": 0,
        "tiled": True,
        "compress": "deflate",
        "predictor": 2,
        "bigtiff": "if_safer",
    }
    with rasterio.open(Path(question.out) / f"result_{gsd}.tif", "w", **profile) as dataset:
        dataset.write(values)
        dataset.descriptions = tuple(names)
