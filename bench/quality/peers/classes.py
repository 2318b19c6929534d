"""Which classes of the scene classification each source takes for clear."""

import numpy as np
from scipy import ndimage

from bench.quality.season import Season
from senard.model.arrays import BoolArray
from senard.model.sentinel2 import Scl

S2MOSAIC_BAD = (1, 2, 3, 7, 8, 9, 10)
"""s2mosaic, masking.py: SCL_CLOUDY_CLASSES. Snow (11) counts as clear."""

QUARTERLY_BAD = (1, 3, 7, 8, 9, 10)
"""Copernicus Data Space, "Sentinel-2 Level 3 Quarterly Mosaics", algorithm, step 2."""

S2MOSAIC_RIM_PX = 2
"""s2mosaic grows nodata by four crosses at 10 m: two pixels of 20 m."""

_CROSS = ndimage.generate_binary_structure(2, 1)


def without(season: Season, bad: tuple[int, ...]) -> BoolArray:
    """(time, y, x), True where a view has data of none of these classes."""
    result: BoolArray = season.observed & ~np.isin(season.scl, bad)
    return result


def s2mosaic_clear(season: Season) -> BoolArray:
    """(time, y, x), clear and valid as s2mosaic's `compute_masks_from_scl` says, at 20 m."""
    gaps = season.scl == Scl.NO_DATA
    grown = np.stack([ndimage.binary_dilation(gap, _CROSS, iterations=S2MOSAIC_RIM_PX) for gap in gaps])
    return without(season, S2MOSAIC_BAD) & ~grown
