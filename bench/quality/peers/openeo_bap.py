"""Best available pixel of openEO's example notebooks."""

import math

import numpy as np
from scipy import ndimage

from bench.quality.mosaic import NO_SOURCE, Mosaic, compose
from bench.quality.season import Season
from senard.model.arrays import BoolArray, Float32Array
from senard.model.sentinel2 import Scl

KERNEL_PX = 151
"""Side of the Gaussian kernel, px of 20 m: "max_distance" 150, made odd."""

SIGMA_PX = KERNEL_PX / 6
"""Its standard deviation, px."""

DATE_SIGMA_DAYS = 5.0
"""Standard deviation of the date score about the 15th of a month, days."""

WEIGHTS = (1.0, 0.1, 0.5)
"""Of distance to cloud, date, and share of the area without cloud."""

_CLOUDY = (Scl.CLOUD_SHADOW, Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.THIN_CIRRUS)


def openeo_bap(season: Season) -> Mosaic:
    """The observation with the highest weighted score of distance to cloud, date and cloud cover of the area.

    Source: Open-EO/openeo-community-examples, python/RankComposites, utils_BAP.py@075d923 and bap_composite.ipynb:
    cloud is SCL {3, 8, 9, 10} without buffer; score 1 - Gaussian * cloud; pixels of class 0 take no part; the winner is
    dropped where it is cloud itself. The highest score of the whole season wins; there it is one composite a month. The
    notebook's limit of 70 % cloud cover per scene is a choice of its user and not applied.
    """
    best = np.full(season.shape, -np.inf, dtype=np.float32)
    source = np.full(season.shape, NO_SOURCE, dtype=np.int16)
    cloudy: BoolArray = np.isin(season.scl, _CLOUDY)
    for index, day in enumerate(season.days):
        late = (day.day - 15) / DATE_SIGMA_DAYS
        scores = (distance_score(cloudy[index]), math.exp(-0.5 * late * late), 1 - cloudy[index].mean())
        total = np.asarray(sum(weight * part for weight, part in zip(WEIGHTS, scores, strict=True)) / sum(WEIGHTS))
        better = season.observed[index] & (total > best)
        best[better] = total[better]
        source[better] = np.where(cloudy[index], NO_SOURCE, index)[better]
    return Mosaic(name="openEO BAP", source=source, dn=compose(season, source))


def distance_score(cloudy: BoolArray) -> Float32Array:
    """1 - Gaussian * cloud; beyond the raster there is no cloud.

    Args:
        cloudy: (y, x).
    """
    offsets = np.arange(KERNEL_PX) - KERNEL_PX // 2
    kernel = np.exp(-0.5 * (offsets / SIGMA_PX) ** 2)
    kernel /= kernel.sum()
    smooth = cloudy.astype(np.float32)
    for axis in (0, 1):
        smooth = ndimage.convolve1d(smooth, kernel, axis=axis, mode="constant")
    score: Float32Array = 1 - smooth
    return score
