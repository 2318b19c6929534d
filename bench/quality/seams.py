"""What changes of source show: the seam index SVI and its parts."""

from dataclasses import dataclass

import numpy as np

from bench.quality.mosaic import NO_SOURCE, Mosaic
from bench.quality.season import CONTAMINATED, Season
from senard.model.arrays import BoolArray, Float32Array, Int16Array, UInt16Array
from senard.model.sentinel2 import JUDGE_BANDS
from senard.simulation.stack import VIEW_BANDS

SEAM_BANDS = JUDGE_BANDS
"""The four bands of the index: B02, B04, B8A, B11."""

STEP_BANDS = ("B04", "B08")
"""Bands whose mean step per seam is told."""

_SHIFTS = ((0, 1), (1, 0))
# The right and the lower neighbour: every pair of 4-neighbours once.


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """Of one mosaic."""

    svi: float
    """Seam index, 1e-4 reflectance per delivered pixel, see `seams_of`."""

    svi_ground: float
    """The same without aerosol error, noise and levelling: from what a clear sky would have shown."""

    changes: float
    """Pairs of neighbours with different sources, % of all pairs that are delivered."""

    steps: dict[str, float]
    """Band to the mean difference of the two dates at a change, 1e-4."""


def seams_of(season: Season, mosaic: Mosaic) -> Seams:
    """Measure the changes of source of a mosaic.

    A pair is two 4-neighbours p and q that are delivered from different views a and b. Its step is the difference of
    the two views where they meet, mean over SEAM_BANDS and over both places: (|a - b|(p) + |a - b|(q)) / 2. So the
    texture of the ground does not count, and a border that lies where both dates agree costs nothing. A view's value is
    what it delivers after levelling where its sky is clean, and what a clear sky would have shown where it is not: a
    cloud that was let through is no seam. Where only one of the two places is known in both views, that one counts; a
    pair known at none (swath edges) is left out. SVI is the sum of all steps, 1e-4, divided by delivered pixels.
    """
    bands = [VIEW_BANDS.index(name) for name in SEAM_BANDS]
    extra = [VIEW_BANDS.index(name) for name in STEP_BANDS]
    wanted = sorted({*bands, *extra})
    delivered = mosaic.source != NO_SOURCE
    pairs = changes = 0
    totals = dict.fromkeys(("svi", "svi_ground"), 0.0)
    steps = np.zeros(len(extra))
    for shift in _SHIFTS:
        here, there = _cut(mosaic.source, shift)
        both = (here != NO_SOURCE) & (there != NO_SOURCE)
        changed = both & (here != there)
        pairs += int(both.sum())
        changes += int(changed.sum())
        for name, total in (("svi", True), ("svi_ground", False)):
            found = _pair_steps(season, mosaic, (here, there), changed, shift, wanted, levelled=total)
            totals[name] += float(found[[wanted.index(band) for band in bands]].mean(axis=0).sum())
            if name == "svi":
                steps += found[[wanted.index(band) for band in extra]].sum(axis=1)
    pixels = max(int(delivered.sum()), 1)
    return Seams(
        svi=totals["svi"] / pixels,
        svi_ground=totals["svi_ground"] / pixels,
        changes=100 * changes / max(pairs, 1),
        steps={name: float(value) / max(changes, 1) for name, value in zip(STEP_BANDS, steps, strict=True)},
    )


def _pair_steps(
    season: Season,
    mosaic: Mosaic,
    labels: tuple[Int16Array, Int16Array],
    changed: BoolArray,
    shift: tuple[int, int],
    bands: list[int],
    *,
    levelled: bool,
) -> Float32Array:
    """(band, pair) step of every changed pair, 1e-4; 0 where it is known at neither place."""
    ours, theirs = labels[0][changed], labels[1][changed]
    values = np.zeros((4, len(bands), ours.size), dtype=np.float32)  # a(p), b(p), a(q), b(q)
    for index in np.unique(np.concatenate([ours, theirs])):
        view_at = _values(season, mosaic, int(index), bands, levelled=levelled)
        for place, own in ((0, ours), (1, theirs)):
            where = own == index
            if where.any():
                for end, pixels in enumerate(_cut(view_at, shift)):
                    values[2 * end + place][:, where] = pixels[:, changed][:, where]
    at_p, at_q = (np.abs(values[2 * end] - values[2 * end + 1]) for end in (0, 1))
    known = [np.all(values[[2 * end, 2 * end + 1]] > 0, axis=(0, 1)) for end in (0, 1)]
    weight = known[0].astype(np.float32) + known[1]
    summed: Float32Array = (at_p * known[0] + at_q * known[1]) / np.maximum(weight, 1)
    return summed


def _values(season: Season, mosaic: Mosaic, index: int, bands: list[int], *, levelled: bool) -> UInt16Array:
    """(band, y, x) what one view delivers under a clean sky, and would have delivered under a dirty one."""
    view = season.views[index]
    ground: UInt16Array = np.asarray(view.ground[bands])
    if not levelled:
        return ground
    dirty = (view.sky & CONTAMINATED) > 0
    values = np.where(dirty | (view.seen[bands] == 0), ground, view.seen[bands]).astype(np.int32)
    if index in mosaic.corrections:
        values = np.where(values > 0, np.maximum(values + mosaic.corrections[index][bands], 1), 0)
    return values.astype(np.uint16)


def _cut(values: np.ndarray, shift: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel, and its neighbour to the right (0, 1) or below (1, 0); (…, y, x)."""
    down, right = shift
    rows, cols = values.shape[-2:]
    return values[..., : rows - down, : cols - right], values[..., down:, right:]
