"""Each date left out in turn and predicted from the other two, on the ground that it shows clear itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.quality_real.kept import BANDS, DATES, TILES, KeptScene, read_kept
from bench.quality_real.two_dates import by_senard
from senard.model.arrays import BoolArray, Float32Array

CLEAN_LEVELS = 3000
"""Doubt below which senard's level is 1 or 2: it says that no haze, shadow or cloud was found."""


def measure_left_out(data: Path) -> list[dict[str, Any]]:
    """Rows by date left out, tile and method."""
    rows = []
    for day in DATES:
        for tile in TILES:
            truth = read_kept(data, tile, day)
            others = [read_kept(data, tile, other) for other in DATES if other != day]
            others.sort(key=lambda date: -float(date.clear.mean()))
            for name, bands, delivered in methods(others):
                seen = delivered & truth.interior
                rows.append({"day": day, "tile": tile, "name": name, **_errors(bands, truth, seen)})
    return rows


def methods(dates: Sequence[KeptScene]) -> list[tuple[str, dict[str, Float32Array], BoolArray]]:
    """Name, reflectance by band, and where it delivers; the clearer date comes first."""
    clear = np.stack([date.clear for date in dates])
    some = np.asarray(clear.any(axis=0), np.bool_)
    stacks = {band: np.stack([date.reflectance(band) for date in dates]) for band in BANDS}
    masked = {band: np.where(clear, stack, np.nan)[:, some] for band, stack in stacks.items()}
    far = np.stack([np.where(date.clear, date.distance_m, -1) for date in dates]).argmax(axis=0)
    first = clear.argmax(axis=0)
    senard = by_senard(dates)
    assert senard.doubt is not None
    sure = senard.delivered & (senard.doubt < CLEAN_LEVELS)
    return [
        ("SCL median", {band: _placed(known_quantile(values, 0.5), some) for band, values in masked.items()}, some),
        ("25th percentile", {band: _placed(known_quantile(values, 0.25), some)
                             for band, values in masked.items()}, some),
        ("first clear", _taken(stacks, first), some),
        ("cloud distance", _taken(stacks, far), some),
        ("senard", senard.reflectance, senard.delivered),
        ("senard, levels 1 and 2", senard.reflectance, sure),
    ]  # fmt: skip


def known_quantile(values: Float32Array, share: float) -> Float32Array:
    """Quantile along the first axis of what is not NaN, linear between neighbours; numpy's own takes minutes here."""
    ordered = np.sort(values, axis=0)  # NaN comes last
    place = share * np.maximum(np.isfinite(values).sum(axis=0) - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.ceil(place).astype(np.int64)
    low, high = (np.take_along_axis(ordered, rank[np.newaxis], axis=0)[0] for rank in (below, above))
    return np.asarray(low + (high - low) * (place - below), np.float32)


def _errors(bands: dict[str, Float32Array], truth: KeptScene, seen: BoolArray) -> dict[str, Any]:
    off = {band: (bands[band] - truth.reflectance(band))[seen].astype(np.float64) for band in BANDS}
    return {
        "coverage": float(seen.sum() / truth.interior.sum()),
        "rmse": {band: float(np.sqrt(np.mean(values**2))) for band, values in off.items()},
        "bias": {band: float(np.mean(values)) for band, values in off.items()},
    }


def _taken(stacks: dict[str, Float32Array], which: np.ndarray[Any, Any]) -> dict[str, Float32Array]:
    """The reflectance of the date chosen for each pixel."""
    return {band: np.take_along_axis(stack, which[np.newaxis], axis=0)[0] for band, stack in stacks.items()}


def _placed(values: Float32Array, where: BoolArray) -> Float32Array:
    out = np.full(where.shape, np.nan, dtype=np.float32)
    out[where] = values
    return out
