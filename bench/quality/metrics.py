"""Figures of one mosaic against what is true of its season."""

from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from bench.quality.mosaic import NO_SOURCE, Mosaic
from bench.quality.seams import Seams, seams_of
from bench.quality.season import CONTAMINATED, Season
from senard.model.arrays import BoolArray, Float32Array, Int16Array, UInt8Array, UInt16Array
from senard.simulation.ground import COVERS
from senard.simulation.sky import CLOUD, HAZE, SHADOW, SMOKE, SNOW_ON_GROUND
from senard.simulation.stack import VIEW_BANDS

CAUSES = {"cloud": CLOUD, "shadow": SHADOW, "haze": HAZE, "smoke": SMOKE}
"""Name of a contamination to its bit of the true sky."""

BLOCK_PX = 150
"""Side of the blocks in which the spread of dates is also measured, px of 20 m: 3 km."""

RESTED_LEVELS = (1, 2, 3, 4)
"""Levels that count as delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverFigures:
    """One land cover."""

    pixels: int
    """Of the square."""

    missing: float
    """Not delivered though some scene saw them SCL-clear, percent of those."""

    contaminated: float
    """Of the delivered ones, percent."""

    level_1: float | None
    """Of the delivered ones, percent; None for methods without levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All figures of one method; shares are percent, reflectance is 1e-4 (DN)."""

    name: str
    """Column of the table."""

    synthetic: bool
    """True: a statistic; what is said of dates holds for the nearest observation."""

    contaminated: float
    """Pixels whose observation was under cloud, shadow, haze or smoke, % of the delivered."""

    causes: dict[str, float]
    """The same by cause; one pixel may have several."""

    avoidable: float
    """Contaminated though some view saw the pixel clean, % of the delivered."""

    smoky_avoidable: float
    """Smoky though some view saw the pixel clean, % of the delivered."""

    snow: float
    """Pixels with snow on the ground in their observation, % of the delivered."""

    snow_avoidable: float
    """Snow though some view saw the pixel free of snow and clean, % of the delivered."""

    snow_unflagged: float | None
    """Snow that the method does not flag, % of the delivered; None for methods without flags."""

    complete: float
    """Delivered pixels, % of those that some kept scene saw SCL-clear."""

    complete_all: float
    """Delivered pixels, % of the square."""

    missing: int
    """Pixels not delivered though some kept scene saw them SCL-clear."""

    level_1: float | None
    """Pixels at level 1, % of the delivered."""

    contaminated_1: float | None
    """Contaminated pixels at level 1, % of those at level 1."""

    unflagged: float | None
    """Contaminated pixels that are at level 1, % of the contaminated."""

    auc: float | None
    """Chance that a contaminated pixel costs more than a clean one (ties half); 0.5 says nothing."""

    rmse: dict[str, float]
    """Band to root mean square error against what a clear sky would have shown on the pixel's own date, 1e-4."""

    bias: dict[str, float]
    """Band to mean error, 1e-4; positive is too bright."""

    rmse_target: dict[str, float]
    """Band to root mean square error against the clear view of the target date, 1e-4."""

    rmse_target_mean: float
    """Root mean square over all ten bands of the same, 1e-4."""

    seams: Seams
    """What changes of source show."""

    date_spread: float
    """Interquartile range of the chosen days over the square, days."""

    date_spread_near: float
    """Mean interquartile range of the chosen days within 3 km, days."""

    views_used: int
    """Views that supply at least one pixel."""

    faithful: float
    """Delivered pixels whose spectrum equals one acquisition in all bands to 1 DN, %."""

    seconds: float
    """Wall-clock time, s."""

    parts: dict[str, float]
    """Wall-clock time of parts, s."""

    covers: dict[str, CoverFigures] = field(default_factory=dict)
    """Land cover to its figures."""


def measure(season: Season, mosaic: Mosaic) -> Figures:
    """All figures of one mosaic."""
    delivered = delivered_of(mosaic)
    sky = picked(season.sky, mosaic.source)
    dirty = delivered & ((sky & CONTAMINATED) > 0)
    cleanable = np.asarray(season.clean.any(axis=0))
    snowy = delivered & ((sky & SNOW_ON_GROUND) > 0)
    bare = np.asarray((season.clean & ((season.sky & SNOW_ON_GROUND) == 0)).any(axis=0))
    reachable = np.asarray(season.scl_clear.any(axis=0))
    first = None if mosaic.level is None else delivered & (mosaic.level == 1)
    flags = mosaic.flagged_snow
    rmse, bias = errors(mosaic.dn, own_ground(season, mosaic.source), delivered)
    rmse_target, _ = errors(mosaic.dn, season.target.ground, delivered)
    days = np.array([day.toordinal() for day in season.days])
    return Figures(
        name=mosaic.name,
        synthetic=mosaic.synthetic,
        contaminated=share(dirty, delivered),
        causes={name: share(delivered & ((sky & bit) > 0), delivered) for name, bit in CAUSES.items()},
        avoidable=share(dirty & cleanable, delivered),
        smoky_avoidable=share(delivered & ((sky & SMOKE) > 0) & cleanable, delivered),
        snow=share(snowy, delivered),
        snow_avoidable=share(snowy & bare, delivered),
        snow_unflagged=None if flags is None else share(snowy & (flags == 0), delivered),
        complete=share(delivered & reachable, reachable),
        complete_all=100 * float(delivered.mean()),
        missing=int((reachable & ~delivered).sum()),
        level_1=None if first is None else share(first, delivered),
        contaminated_1=None if first is None else share(dirty & first, first),
        unflagged=None if first is None else share(dirty & first, dirty),
        auc=None if mosaic.cost is None else auc(mosaic.cost[delivered], dirty[delivered]),
        rmse=rmse,
        bias=bias,
        rmse_target=rmse_target,
        rmse_target_mean=float(np.sqrt(np.mean(np.square(list(rmse_target.values()))))),
        seams=seams_of(season, mosaic),
        date_spread=spread(days[mosaic.source[delivered]]),
        date_spread_near=near_spread(days, mosaic.source),
        views_used=int(np.unique(mosaic.source[delivered]).size),
        faithful=share(delivered & equals_source(season, mosaic), delivered),
        seconds=mosaic.seconds,
        parts=dict(mosaic.parts),
        covers=_covers(season, delivered, dirty, reachable, first),
    )


def delivered_of(mosaic: Mosaic) -> BoolArray:
    """(y, x), True where the mosaic holds a pixel of level 4 or better; all of them where there are no levels."""
    delivered: BoolArray = mosaic.source != NO_SOURCE
    if mosaic.level is not None:
        delivered = delivered & np.isin(mosaic.level, RESTED_LEVELS)
    return delivered


def share(part: BoolArray, whole: BoolArray) -> float:
    """Pixels of a part per pixels of the whole, percent; 0 of nothing."""
    total = int(whole.sum())
    return 100 * int(part.sum()) / total if total else 0.0


def picked(layers: UInt8Array, source: Int16Array) -> UInt8Array:
    """The layer that each pixel's source names, 0 where it names none.

    Args:
        layers: (time, y, x).
        source: (y, x).
    """
    index = np.maximum(source, 0)[np.newaxis].astype(np.intp)
    chosen: UInt8Array = np.take_along_axis(layers, index, axis=0)[0]
    return np.where(source == NO_SOURCE, np.uint8(0), chosen)


def own_ground(season: Season, source: Int16Array) -> UInt16Array:
    """(10, y, x) what a clear sky would have shown on each pixel's own date; 0 without source."""
    out = np.zeros((len(VIEW_BANDS), *season.shape), dtype=np.uint16)
    for index, view in enumerate(season.views):
        where = source == index
        if where.any():
            out[:, where] = view.ground[:, where]
    return out


def errors(dn: UInt16Array, truth: UInt16Array, where: BoolArray) -> tuple[dict[str, float], dict[str, float]]:
    """Root mean square and mean of delivered minus true, by band, 1e-4, where both are known."""
    rmse, bias = {}, {}
    for band, name in enumerate(VIEW_BANDS):
        known = where & (dn[band] > 0) & (truth[band] > 0)
        wrong = dn[band][known].astype(np.float64) - truth[band][known]
        rmse[name] = float(np.sqrt(np.mean(wrong**2))) if wrong.size else float("nan")
        bias[name] = float(wrong.mean()) if wrong.size else float("nan")
    return rmse, bias


def auc(cost: Float32Array, dirty: BoolArray) -> float | None:
    """Area under the curve: chance that a dirty pixel costs more than a clean one; None if there are not both."""
    bad = int(dirty.sum())
    good = dirty.size - bad
    if not bad or not good:
        return None
    ranks = stats.rankdata(cost)
    return float((ranks[dirty].sum() - bad * (bad + 1) / 2) / (bad * good))


def spread(days: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
    """Interquartile range, days."""
    if not days.size:
        return 0.0
    low, high = np.percentile(days, [25, 75])
    return float(high - low)


def near_spread(days: np.ndarray[tuple[int, ...], np.dtype[np.int64]], source: Int16Array) -> float:
    """Mean over blocks of 3 km of the interquartile range of the chosen days."""
    found = []
    for row in range(0, source.shape[0], BLOCK_PX):
        for col in range(0, source.shape[1], BLOCK_PX):
            block = source[row : row + BLOCK_PX, col : col + BLOCK_PX]
            chosen = block[block != NO_SOURCE]
            if chosen.size:
                found.append(spread(days[chosen]))
    return float(np.mean(found)) if found else 0.0


def equals_source(season: Season, mosaic: Mosaic) -> BoolArray:
    """(y, x), True where all bands equal those of the source to 1 DN.

    A statistic's source is the observation nearest to it: if its spectrum were that of any clear one, it is of this.
    """
    same = np.zeros(season.shape, dtype=np.bool_)
    for index, view in enumerate(season.views):
        where = mosaic.source == index
        if where.any():
            step = view.seen[:, where].astype(np.int32) - mosaic.dn[:, where]
            same[where] = np.abs(step).max(axis=0) <= 1
    return same


def _covers(
    season: Season, delivered: BoolArray, dirty: BoolArray, reachable: BoolArray, first: BoolArray | None
) -> dict[str, CoverFigures]:
    """Figures by land cover as the target date shows it."""
    found = {}
    for number, name in enumerate(COVERS):
        here = season.target.cover == number
        if not here.any():
            continue
        found[name] = CoverFigures(
            pixels=int(here.sum()),
            missing=share(here & reachable & ~delivered, here & reachable),
            contaminated=share(here & dirty, here & delivered),
            level_1=None if first is None else share(here & first, here & delivered),
        )
    return found
