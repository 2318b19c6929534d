"""Best available pixel with FORCE's scores."""

import math

import numpy as np
from scipy import ndimage

from bench.quality.mosaic import NO_SOURCE, Mosaic, compose
from bench.quality.season import Season
from senard.model.arrays import BoolArray, Float32Array
from senard.model.sentinel2 import Scl
from senard.simulation.stack import VIEW_BANDS

BUFFERS_M = {
    Scl.CLOUD_MEDIUM: 300.0,
    Scl.CLOUD_HIGH: 300.0,
    Scl.CLOUD_SHADOW: 90.0,
    Scl.SNOW: 30.0,
    Scl.THIN_CIRRUS: 0.0,
}
"""Class to the width of its buffer, m."""

TAIL_DAYS = 60.0
"""Days from the target at which the DOY score has fallen to TAIL_SCORE (DOY 120, 180, 240)."""

PEAK_SCORE, TAIL_SCORE = 0.99, 0.01
"""DOY score on the target day and TAIL_DAYS from it."""

SIGMA_DAYS = TAIL_DAYS / math.sqrt(-2 * math.log(TAIL_SCORE / PEAK_SCORE))
"""Standard deviation of the DOY score, days: 19.8."""

REACH_M = 3000.0
"""Distance to cloud or shadow from which on nothing is lost, m."""

HAZE_HOT = -0.015
"""HOT at which the haze score is a half, reflectance."""

AIR_HOT = 0.05
"""Blue minus half of red that molecules add, reflectance: FORCE judges HOT = B02 - 0.5 B04 - 0.08 above the atmosphere,
views hold reflectance below it (0.056 in B02 and 0.016 in B04 at a sun zenith of 40 degrees, less what is absorbed)."""

WEIGHTS = (1.0, 1.0, 0.4, 0.3)
"""Of DOY, year, distance to cloud, haze."""

LEAST_SCORE = 0.01
"""An observation with a lower score of DOY, haze or distance is dropped."""

WATER_SHARE = 0.9
"""A pixel that is water on more than this share of its valid dates is composed by its darkest SWIR."""


def force_bap(season: Season) -> Mosaic:
    """The observation with the highest weighted score of DOY, year, distance to cloud and haze.

    Source: davidfrantz/force, src/higher-level/bap-hl.c (`parametric_score`, `bap_compositing`, `water_score`) and the
    default parameters of its higher-level file. FORCE's own cloud mask is not run: scene classes stand in for it, with
    FORCE's buffers (cloud 300 m, shadow 90 m, snow 30 m, cirrus none). All dates are of one year.
    """
    valid, scores, wet = _scores(season)
    haze_known = _haze_discards(valid, scores)
    best = np.full(season.shape, -1.0, dtype=np.float32)
    source = np.full(season.shape, NO_SOURCE, dtype=np.int16)
    for index in range(len(season.views)):
        day, year, distance, haze = (part[index] for part in scores)
        total = (WEIGHTS[0] * day + WEIGHTS[1] * year + WEIGHTS[2] * distance + WEIGHTS[3] * haze) / sum(WEIGHTS)
        kept = valid[index] & (day >= LEAST_SCORE) & (distance >= LEAST_SCORE)
        kept &= ~(haze_known & (haze < LEAST_SCORE))
        total = np.where(wet, _water_score(season, index), total)
        better = np.where(wet, valid[index], kept) & (total > best)
        best[better] = total[better]
        source[better] = index
    return Mosaic(name="FORCE scores", source=source, dn=compose(season, source))


def day_score(days_from_target: float) -> float:
    """Score of a date, 0-0.99."""
    return PEAK_SCORE * math.exp(-(days_from_target**2) / (2 * SIGMA_DAYS**2))


def _scores(season: Season) -> tuple[BoolArray, tuple[list[Float32Array], ...], BoolArray]:
    """What may be used; DOY, year, distance and haze of every date; which pixels are water."""
    valid = np.zeros(season.scl.shape, dtype=np.bool_)
    parts: tuple[list[Float32Array], ...] = ([], [], [], [])
    for index, (view, day) in enumerate(zip(season.views, season.days, strict=True)):
        scl = season.scl[index]
        valid[index] = season.observed[index] & ~_buffered(scl) & (scl != Scl.SATURATED_OR_DEFECTIVE)
        scalar = np.float32(day_score((day - season.target_day).days))
        blue, red = (view.seen[VIEW_BANDS.index(name)].astype(np.float32) / 10_000 for name in ("B02", "B04"))
        hot = blue - 0.5 * red + AIR_HOT - 0.08
        clouds = np.isin(scl, [int(kind) for kind in BUFFERS_M if kind is not Scl.SNOW])
        distance = 20 * _distance_px(clouds)
        parts[0].append(np.full(season.shape, scalar, dtype=np.float32))
        parts[1].append(np.full(season.shape, PEAK_SCORE, dtype=np.float32))
        parts[2].append((1 / (1 + np.exp(-10 / REACH_M * (distance - REACH_M / 2)))).astype(np.float32))
        parts[3].append((1 / (1 + np.exp(np.clip(10 / 0.02 * (hot - HAZE_HOT), -60, 60)))).astype(np.float32))
    water = ((season.scl == Scl.WATER) & valid).sum(axis=0)
    wet: BoolArray = water > WATER_SHARE * np.maximum(valid.sum(axis=0), 1)
    return valid, parts, wet


def _haze_discards(valid: BoolArray, scores: tuple[list[Float32Array], ...]) -> BoolArray:
    """Where hazy dates may be dropped: mean and deviation of the haze score over the season's dates above 0.01."""
    day, haze = np.stack(scores[0]), np.stack(scores[3])
    used = valid & (day >= LEAST_SCORE)
    number = np.maximum(used.sum(axis=0), 1)
    mean = np.where(used, haze, 0).sum(axis=0) / number
    square = np.where(used, (haze - mean) ** 2, 0).sum(axis=0)
    deviation = np.sqrt(square / np.maximum(number - 1, 1))
    result: BoolArray = (mean > LEAST_SCORE) & (deviation > LEAST_SCORE)
    return result


def _water_score(season: Season, index: int) -> Float32Array:
    """1 - B12, halved where the NIR is darker than the SWIR."""
    swir, infrared = (season.views[index].seen[VIEW_BANDS.index(name)].astype(np.float32) for name in ("B12", "B08"))
    score = (10_000 - swir) / 10_000
    halved: Float32Array = np.where(infrared < swir, score / 2, score)
    return halved


def _buffered(scl: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> BoolArray:
    """Clouds, shadows, snow and cirrus with their buffers."""
    bad = np.zeros(scl.shape, dtype=np.bool_)
    for width in sorted(set(BUFFERS_M.values())):
        kinds = [int(kind) for kind, own in BUFFERS_M.items() if own == width]
        bad |= 20 * _distance_px(np.isin(scl, kinds)) <= width
    return bad


def _distance_px(objects: BoolArray) -> Float32Array:
    """Distance to the nearest True pixel, px; 10 000 without any."""
    if not objects.any():
        return np.full(objects.shape, 1e4, dtype=np.float32)
    distance: Float32Array = ndimage.distance_transform_edt(~objects).astype(np.float32)
    return distance
