"""The composites that eo-learn keeps beside their inputs, made again: equal to the digit or not."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FOLDER = "reference/eo-learn-composites"
BLUE, RED, INFRARED = 0, 2, 7
"""Places of the bands as the authors used them."""
WATER_NDVI = -0.05
"""Where the median of the index lies below this, its lowest date is taken instead of its highest."""

Stack = npt.NDArray[np.float32]


def measure_composites(data: Path) -> dict[str, Any]:
    """Share of pixels that are equal in every band, nodata included."""
    scenes: Stack = np.load(data / FOLDER / "REFERENCE_SCENES.npy")
    made = {"NDVI": highest_ndvi(scenes), "BLUE": blue_quartile(scenes)}
    return {
        name: float(np.mean(_equal(composite, np.load(data / FOLDER / f"REFERENCE_COMPOSITE_{name}.npy"))))
        for name, composite in made.items()
    }


def highest_ndvi(scenes: Stack) -> Stack:
    """The whole date of the highest index; over water of the lowest.

    Args:
        scenes: (time, y, x, band) reflectance, NaN is masked.
    """
    red, infrared = scenes[..., RED], scenes[..., INFRARED]
    index = (infrared - red) / (infrared + red)
    known = np.isfinite(index)
    some = np.asarray(known.any(axis=0), np.bool_)
    middle = np.full(some.shape, np.nan)
    middle[some] = np.nanmedian(index[:, some], axis=0)
    highest = np.where(known, index, -np.inf).argmax(axis=0)
    lowest = np.where(known, index, np.inf).argmin(axis=0)
    return _dates(scenes, np.where(middle < WATER_NDVI, lowest, highest), some)


def blue_quartile(scenes: Stack) -> Stack:
    """The whole date whose blue is the lower quartile of the valid ones: rank floor(0.25 (n - 1) + 0.5)."""
    blue = scenes[..., BLUE]
    known = np.isfinite(blue)
    rank = np.floor((known.sum(axis=0) - 1) * 0.25 + 0.5).astype(np.int64)
    order = np.where(known, blue, np.inf).argsort(axis=0, kind="stable")
    which = np.take_along_axis(order, np.maximum(rank, 0)[np.newaxis], axis=0)[0]
    return _dates(scenes, which, np.asarray(known.any(axis=0), np.bool_))


def _dates(scenes: Stack, which: npt.NDArray[np.int64], some: npt.NDArray[np.bool_]) -> Stack:
    taken = np.take_along_axis(scenes, which[np.newaxis, ..., np.newaxis], axis=0)[0]
    return np.where(some[..., np.newaxis], taken, np.float32(np.nan))


def _equal(made: Stack, kept: Stack) -> npt.NDArray[np.bool_]:
    """(y, x), True where all bands are equal."""
    same: npt.NDArray[np.bool_] = ((made == kept) | (np.isnan(made) & np.isnan(kept))).all(axis=-1)
    return same
