"""Mosaics of two cloudy dates against the clear date between them: how much is hazy, and is it known?"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from bench.quality_real.haze_alone import by_scene_haze
from bench.quality_real.kept import CLEAREST, CLOUDY, MIXED, TILES, KeptScene, read_kept
from bench.quality_real.product import RealScene, choose
from bench.quality_real.rankings import RANKINGS, Ranking
from senard.algorithms.masking import terrascope_masked
from senard.model.arrays import BoolArray, Float32Array
from senard.model.grid import Grid
from senard.model.sources import COST_UNITS

HAZY = 0.014
"""A pixel is hazy where its HOT is more than this above the clear date's, reflectance."""
COVERAGES = (0.10, 0.25, 0.40)
"""Shares of the evaluable area that are kept, the best first."""
FINE = 6
"""Pixels of 20 m along a kept pixel."""


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """One tile composed from two dates."""

    name: str
    reflectance: dict[str, Float32Array]
    """B02, B04, B08 to (y, x)."""

    delivered: BoolArray
    """(y, x)."""

    doubt: Float32Array | None = None
    """(y, x) lower is better, where the method says so."""

    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def hot(self) -> Float32Array:
        return self.reflectance["B02"] - np.float32(0.5) * self.reflectance["B04"]


def measure_two_dates(data: Path) -> dict[str, Any]:
    """All rows for both tiles."""
    out: dict[str, Any] = {}
    for tile in TILES:
        dates = [read_kept(data, tile, day) for day in (MIXED, CLOUDY)]
        truth = read_kept(data, tile, CLEAREST)
        mosaics = [*simple(dates), _oracle(dates, truth), *ranked(dates), by_senard(dates)]
        out[tile] = [judged(mosaic, truth) for mosaic in mosaics]
    return out


def judged(mosaic: Mosaic, truth: KeptScene) -> dict[str, Any]:
    """The figures of one row."""
    inside = truth.interior
    seen = mosaic.delivered & inside
    hazy = (mosaic.hot - truth.hot)[seen] > HAZY
    off = {band: (mosaic.reflectance[band] - truth.reflectance(band))[seen] for band in ("B02", "B08")}
    row: dict[str, Any] = {
        "name": mosaic.name,
        "coverage": float(seen.sum() / inside.sum()),
        "hazy": float(hazy.mean()),
        "rmse": {band: _rms(values) for band, values in off.items()},
        **mosaic.figures,
    }
    if mosaic.doubt is not None:
        order = np.argsort(mosaic.doubt[seen], kind="stable")
        ranks = stats.rankdata(mosaic.doubt[seen])
        above = ranks[hazy].sum() - hazy.sum() * (hazy.sum() + 1) / 2
        row["auc"] = float(above / (hazy.sum() * (~hazy).sum()))
        row["at"] = {}
        for coverage in COVERAGES:
            best = order[: round(coverage * int(inside.sum()))]
            row["at"][str(coverage)] = {
                "hazy": float(hazy[best].mean()),
                **{band: _rms(values[best]) for band, values in off.items()},
            }
    return row


def _rms(values: Float32Array) -> float:
    return float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))


def simple(dates: Sequence[KeptScene]) -> list[Mosaic]:
    """Methods that say nothing of their own doubt. The first date is the clearer one."""
    clear = [date.clear for date in dates]
    mosaics = [_mean("mean or median, SCL", dates, clear), _first("first (clearest), SCL", dates, clear)]
    for metres in (150, 300, 600):
        kept = [date.clear & (date.distance_m > metres) for date in dates]
        mosaics.append(_first(f"first, {metres} m from cloud", dates, kept))
    kept = [date.valid & ~_terrascope(date) for date in dates]
    mosaics.append(_first("first, Terrascope mask", dates, kept))
    return mosaics


def _oracle(dates: Sequence[KeptScene], truth: KeptScene) -> Mosaic:
    """The date that is nearer to the clear one in all four bands: what no choice can surpass."""
    away = [
        sum((date.reflectance(band) - truth.reflectance(band)) ** 2 for band in date.dn) + np.zeros_like(date.hot)
        for date in dates
    ]
    best = _best("best of the two (oracle)", dates, away)
    return replace(best, doubt=None)


def ranked(dates: Sequence[KeptScene]) -> list[Mosaic]:
    """Methods that rank."""
    ways: dict[str, Ranking] = {**RANKINGS, "senard, haze alone": by_scene_haze}
    return [_best(name, dates, [way(date) for date in dates]) for name, way in ways.items()]


def by_senard(dates: Sequence[KeptScene]) -> Mosaic:
    """The product: source, level and cost of its own choice among what some date calls clear; chosen once a run."""
    key = tuple(date.product_id for date in dates)
    if key not in _CHOSEN:
        _CHOSEN[key] = _by_senard(dates)
    return _CHOSEN[key]


_CHOSEN: dict[tuple[str, ...], "Mosaic"] = {}


def _by_senard(dates: Sequence[KeptScene]) -> Mosaic:
    layers = {key: pixels[FINE // 2 :: FINE, FINE // 2 :: FINE] for key, pixels in choose(real_scenes(dates)).items()}
    source = layers["source"].astype(np.int64)
    some = np.logical_or.reduce([date.clear for date in dates])
    bands = {
        band: np.choose(np.clip(source - 1, 0, None), [date.reflectance(band) for date in dates])
        for band in dates[0].dn
    }
    doubt = np.asarray(layers["level"] * 1000.0 + layers["cost"] / COST_UNITS, np.float32)
    shares = {int(level): float(np.mean(layers["level"][some] == level)) for level in range(6)}
    delivered = some & (source > 0)
    figures = {"levels": shares}
    return Mosaic(name="senard, level and cost", reflectance=bands, delivered=delivered, doubt=doubt, figures=figures)


def real_scenes(dates: Sequence[KeptScene]) -> list[RealScene]:
    """Kept scenes on the grids of whole products, every pixel repeated: what is judged is what is compared."""
    return [_real(date) for date in dates]


def _real(date: KeptScene) -> RealScene:
    rows, cols = date.scl.shape
    grid = Grid(crs="EPSG:32633", left=date.left, top=date.top, gsd=20, width=cols * FINE, height=rows * FINE)
    fine = [np.kron(layer, np.ones((FINE, FINE), np.uint8)) for layer in
            (date.scl, date.cloud_probability, date.snow_probability)]  # fmt: skip
    judge = {name: np.kron(date.dn[band], np.ones((2, 2), np.uint16)) for name, band in
             (("B02", "B02"), ("B04", "B04"), ("B8A", "B08"), ("B11", "B08"))}  # fmt: skip
    return RealScene(
        name=date.product_id, time=date.time, grid=grid, scl=fine[0], cloud_probability=fine[1],
        snow_probability=fine[2], judge=judge, sun_zenith=date.sun_zenith, drift=date.drift,
    )  # fmt: skip


def _terrascope(date: KeptScene) -> BoolArray:
    """Terrascope's mask at 20 m; a kept pixel is masked where any of its pixels is."""
    fine = terrascope_masked(np.kron(date.scl, np.ones((FINE, FINE), np.uint8)))
    rows, cols = date.scl.shape
    return np.asarray(fine.reshape(rows, FINE, cols, FINE).any(axis=(1, 3)), np.bool_)


def _mean(name: str, dates: Sequence[KeptScene], clear: Sequence[BoolArray]) -> Mosaic:
    seen = np.sum(clear, axis=0)
    bands = {
        band: (sum(date.reflectance(band) * ok for date, ok in zip(dates, clear, strict=True)) / np.maximum(seen, 1))
        for band in dates[0].dn
    }
    return Mosaic(name=name, reflectance=bands, delivered=seen > 0)


def _first(name: str, dates: Sequence[KeptScene], clear: Sequence[BoolArray]) -> Mosaic:
    bands = {band: np.where(clear[0], dates[0].reflectance(band), dates[1].reflectance(band)) for band in dates[0].dn}
    return Mosaic(name=name, reflectance=bands, delivered=clear[0] | clear[1])


def _best(name: str, dates: Sequence[KeptScene], scores: Sequence[Float32Array]) -> Mosaic:
    ranked = [np.where(date.clear, score, np.inf) for date, score in zip(dates, scores, strict=True)]
    bands = {
        band: np.where(ranked[0] <= ranked[1], dates[0].reflectance(band), dates[1].reflectance(band))
        for band in dates[0].dn
    }
    delivered = dates[0].clear | dates[1].clear
    return Mosaic(name=name, reflectance=bands, delivered=delivered, doubt=np.minimum(*ranked))
