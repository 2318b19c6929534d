"""odc-stac and dask: the median of all clear observations, bands of 10 and 20 m each on their own grid.

`python -m bench.peers.by_odc_stac QUESTION.json`
"""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.peers.question import CLOUDY, COARSE, FINE, Question, read_question
from bench.peers.result import write_bands
from bench.peers.stac_items import items_of

_CHUNK_PX = {10: 2048, 20: 2560}
# Pixels by gsd: whole internal tiles of JPEG 2000, so that no band decodes one twice.


def main(question: Question) -> None:
    """Make the median of a question's window, and write it as two files."""
    dask, odc_stac = importlib.import_module("dask"), importlib.import_module("odc.stac")
    items = items_of(question)
    cores = len(os.sched_getaffinity(0))
    with dask.config.set(scheduler="threads", num_workers=cores):
        for gsd, names in ((10, FINE), (20, COARSE)):
            write_bands(question, gsd, names, _median(odc_stac, items, question, gsd, names))


def _median(odc_stac: Any, items: list[Any], question: Question, gsd: int, names: Sequence[str]) -> npt.NDArray[Any]:
    """(band, y, x) uint16, 0 where no date is clear."""
    geo = importlib.import_module("odc.geo.geobox")
    affine = importlib.import_module("affine")
    side = question.size_px * 10 // gsd
    data = odc_stac.load(
        items,
        bands=[*names, "SCL"],
        geobox=geo.GeoBox((side, side), affine.Affine(gsd, 0, question.left, 0, -gsd, question.top), question.crs),
        chunks={"x": _CHUNK_PX[gsd], "y": _CHUNK_PX[gsd]},
        resampling="nearest",
    )
    clear = ~data["SCL"].isin(CLOUDY)
    median = data[list(names)].where(clear).median("time").fillna(0).round().astype(np.uint16).compute()
    return np.stack([median[name].values for name in names])


if __name__ == "__main__":
    main(read_question(Path(sys.argv[1])))
