"""How hard a season is: what its classification misses, and where no clean observation exists at all."""

from dataclasses import dataclass

import numpy as np

from bench.quality.season import CONTAMINATED, Season
from senard.model.arrays import BoolArray
from senard.model.sentinel2 import Scl
from senard.simulation.ground import BRIGHT_ROOF, CLEAR_WATER, SAND, TURBID_WATER
from senard.simulation.sky import CLOUD, HAZE, SHADOW, SMOKE
from senard.simulation.stack import VIEW_BANDS

THIN_BRIGHTENING = 800
"""A cloud that brightens B02 by less than this is thin, DN: 0.08 reflectance."""

_CLOUDY = (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.THIN_CIRRUS)
_SURE = (Scl.VEGETATION, Scl.NOT_VEGETATED, Scl.WATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Of one season, percent; science's brackets in the words of the table."""

    views: int
    """Kept views."""

    left_out: int
    """Views of 95 % cloud and more."""

    oracle: float
    """Pixels that no view saw clean, % of those that any view saw: no choice can do better."""

    clean: float
    """Observations that are truly clean."""

    scl_clear: float
    """Observations that the classification calls clear (2, 4, 5, 6, 7)."""

    cloud_omission: float
    """True cloud that the classification calls clear."""

    thin_omission: float
    """The same of thin cloud, which brightens B02 by less than 0.08."""

    shadow_omission: float
    """True shadow outside clouds that is called neither shadow nor cloud."""

    shadow_dark: float
    """True shadow outside clouds that is called dark area (2)."""

    haze_omission: float
    """True haze or smoke outside cloud and shadow that is called clear."""

    commission: float
    """Clean land that is called cloud, cirrus or shadow."""

    commission_bright: float
    """Clean bright roofs and sand that are called cloud, cirrus or shadow."""

    clean_if_clear: float
    """Truly clean among what the classification calls clear (2, 4, 5, 6, 7)."""

    clean_if_sure: float
    """Truly clean among classes 4, 5, 6."""


BRACKETS = {
    "cloud_omission": (10.0, 30.0),
    "thin_omission": (65.0, 90.0),
    "shadow_omission": (36.0, 60.0),
    "commission": (1.5, 3.0),
    "commission_bright": (30.0, 60.0),
    "clean_if_clear": (65.0, 85.0),
}
"""Figure to the range that an honest sky has, percent."""


def calibrate(season: Season) -> Calibration:
    """Count over all kept views of a season."""
    counts = dict.fromkeys(_COUNTS, (0, 0))
    for index, view in enumerate(season.views):
        scl, sky, known = season.scl[index], season.sky[index], season.observed[index]
        for name, (part, whole) in _parts(scl, sky, known, np.asarray(view.cover), _brightening(season, index)).items():
            old = counts[name]
            counts[name] = (old[0] + int((part & whole).sum()), old[1] + int(whole.sum()))
    shares = {name: 100 * part / whole if whole else 0.0 for name, (part, whole) in counts.items()}
    any_view, any_clean = season.observed.any(axis=0), season.clean.any(axis=0)
    return Calibration(
        views=len(season.views),
        left_out=season.left_out,
        oracle=100 * float((any_view & ~any_clean).sum() / max(int(any_view.sum()), 1)),
        **shares,
    )


_COUNTS = (
    *("clean", "scl_clear", "cloud_omission", "thin_omission", "shadow_omission", "shadow_dark", "haze_omission"),
    *("commission", "commission_bright", "clean_if_clear", "clean_if_sure"),
)


def _brightening(season: Season, index: int) -> BoolArray:
    """(y, x), True where a view's B02 is brighter than the ground's by less than THIN_BRIGHTENING."""
    view, blue = season.views[index], VIEW_BANDS.index("B02")
    step = view.seen[blue].astype(np.int32) - view.ground[blue]
    result: BoolArray = step < THIN_BRIGHTENING
    return result


def _parts(
    scl: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    sky: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    known: BoolArray,
    cover: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    thin: BoolArray,
) -> dict[str, tuple[BoolArray, BoolArray]]:
    """Figure to (part, whole) of one view."""
    clear = np.isin(scl, (*_SURE, Scl.DARK_AREA, Scl.UNCLASSIFIED))
    flagged = np.isin(scl, (*_CLOUDY, Scl.CLOUD_SHADOW))
    clean = known & ((sky & CONTAMINATED) == 0)
    cloud = known & ((sky & CLOUD) > 0)
    shadow = known & ((sky & (SHADOW | CLOUD)) == SHADOW)
    haze = known & ((sky & (HAZE | SMOKE)) > 0) & ((sky & (SHADOW | CLOUD)) == 0)
    land = clean & ~np.isin(cover, (CLEAR_WATER, TURBID_WATER))
    bright = clean & np.isin(cover, (BRIGHT_ROOF, SAND))
    return {
        "clean": (clean, known),
        "scl_clear": (clear, known),
        "cloud_omission": (clear, cloud),
        "thin_omission": (clear, cloud & thin),
        "shadow_omission": (~flagged, shadow),
        "shadow_dark": (scl == Scl.DARK_AREA, shadow),
        "haze_omission": (clear, haze),
        "commission": (flagged, land),
        "commission_bright": (flagged, bright),
        "clean_if_clear": (clean, known & clear),
        "clean_if_sure": (clean, known & np.isin(scl, _SURE)),
    }
