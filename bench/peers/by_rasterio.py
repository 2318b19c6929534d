"""A plain loop with rasterio: the clearest scene first, then the next where it is clear, every band at its own size.

`python -m bench.peers.by_rasterio QUESTION.json`
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window

from bench.peers.question import BANDS, CLOUDY, COARSE, ENOUGH, FINE, AskedProduct, Question, read_question
from bench.peers.result import write_bands


def main(question: Question) -> None:
    """Make the mosaic of a question's window, and write it as two files."""
    side = {band: question.size_px // (1 if band in FINE else 2) for band in BANDS}
    bands: dict[str, npt.NDArray[Any]] = {band: np.zeros((side[band],) * 2, dtype=np.uint16) for band in BANDS}
    missing = np.ones((question.size_px // 2,) * 2, dtype=np.bool_)
    for product in question.clearest_first():
        wanted = missing & ~np.isin(_read(product, "SCL", question), CLOUDY)
        if not wanted.any():
            continue
        fine = wanted.repeat(2, axis=0).repeat(2, axis=1)
        for band in BANDS:
            values = _read(product, band, question)
            np.copyto(bands[band], values, where=fine if band in FINE else wanted)
        missing &= ~wanted
        if missing.mean() < ENOUGH:
            break
    for gsd, names in ((10, FINE), (20, COARSE)):
        write_bands(question, gsd, names, np.stack([bands[name] for name in names]))


def _read(product: AskedProduct, band: str, question: Question) -> npt.NDArray[Any]:
    """(y, x) of the window."""
    factor = 1 if band in FINE else 2
    offset, size = question.offset_px // factor, question.size_px // factor
    with rasterio.open(product.images[band]) as dataset:
        values: npt.NDArray[Any] = dataset.read(1, window=Window(offset, offset, size, size))
    return values


if __name__ == "__main__":
    main(read_question(Path(sys.argv[1])))
