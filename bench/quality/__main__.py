"""`make bench-quality`: senard and published methods on simulated seasons whose truth is known.

Usage: python -m bench.quality [full|small] [--regimes dry,temperate] [--seeds 61,62] [--tuning] [--peers medoid,first]
       [--variants] [--variant NAME:FIELD=VALUE,MODULE.CONSTANT=VALUE] [--out FOLDER] [--no-pictures]
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.machine import this_machine
from bench.quality.ablations import ABLATIONS, PLAIN, Variant
from bench.quality.calibration import Calibration, calibrate
from bench.quality.metrics import Figures, measure
from bench.quality.mosaic import Mosaic
from bench.quality.peers.catalogue import PEERS, USUAL_PEERS
from bench.quality.pictures import write_sheet
from bench.quality.product import run_product
from bench.quality.season import REPORTED_SEEDS, TUNING_SEEDS, Season, load_season
from bench.quality.table import hardness_lines, ratio_lines, table
from bench.quality.views import cache_folder, forget_other_skies, simulator_digest
from senard.simulation.acquisition import Regime
from senard.simulation.sky import SKY


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for, regime by regime, and print a table of each."""
    asked = _parser().parse_args(arguments)
    variants = (PLAIN, *(ABLATIONS if asked.variants else ()), *map(Variant.parse, asked.variant))
    regimes = [regime_named(name) for name in _names(asked.regimes)]
    if not regimes:
        regimes = [Regime.TEMPERATE] if asked.size == "small" else list(Regime)
    seeds = [int(seed) for seed in _names(asked.seeds)] or list(TUNING_SEEDS if asked.tuning else REPORTED_SEEDS)
    if asked.size == "small":
        seeds = seeds[:1]
    peers = _names(asked.peers) if asked.peers is not None else list(USUAL_PEERS)
    if unknown := sorted(set(peers) - {"all", *PEERS}):
        raise SystemExit(f"{', '.join(unknown)}: expected peers among all, {', '.join(PEERS)}.")
    peers = list(PEERS) if "all" in peers else peers
    out = asked.out or cache_folder() / "results" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    out.mkdir(parents=True, exist_ok=True)
    forget_other_skies()
    tuned = set(seeds) & set(TUNING_SEEDS)
    record: dict[str, Any] = {
        "sky": SKY,
        "simulator": simulator_digest(),
        "size": asked.size,
        "machine": asdict(this_machine()),
        "regimes": {},
    }
    for regime in regimes:
        text, figures = run_regime(
            regime, seeds, variants, peers, out if asked.pictures else None, small=asked.size == "small"
        )
        note = "  SEEDS OF TUNING: not for reporting" if tuned else ""
        print(f"\n{text}{note and chr(10)}{note}\n", flush=True)
        record["regimes"][regime.value] = figures
        (out / f"{regime.value.replace(' ', '-')}.txt").write_text(f"{text}\n", encoding="utf-8")
        (out / "figures.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"Tables, figures and pictures: {out}")


def run_regime(
    regime: Regime,
    seeds: Sequence[int],
    variants: Sequence[Variant],
    peers: Sequence[str],
    pictures: Path | None,
    *,
    small: bool = False,
) -> tuple[str, dict[str, Any]]:
    """All methods on all seeds of one regime.

    Args:
        regime: which sky, ground and season.
        seeds: which ones.
        variants: columns of senard.
        peers: names of PEERS.
        pictures: folder for pictures; None for none.
        small: True cuts the square.

    Returns:
        the table, and the figures for JSON.
    """
    began, viewing = time.perf_counter(), 0.0
    columns: dict[str, list[Figures]] = {}
    calibrations: list[Calibration] = []
    for seed in seeds:
        label = f"{regime.value}, seed {seed}"
        started = time.perf_counter()
        season = load_season(regime, seed, small=small, say=lambda text, label=label: _say(f"{label}: {text}"))  # type: ignore[misc]
        viewing += time.perf_counter() - started
        judged = season.judged()
        calibrations.append(calibrate(judged))
        drawn = []
        for mosaic in _mosaics(season, variants, peers, label):
            columns.setdefault(mosaic.name, []).append(measure(judged, mosaic.judged()))
            if pictures is not None:
                drawn.append(mosaic.judged())
        if pictures is not None:
            write_sheet(judged, drawn, pictures / f"{regime.value.replace(' ', '-')}-{seed}.png")
    seconds = time.perf_counter() - began
    listed = ", ".join(map(str, seeds))
    title = f"{regime.value}: {SKY}, mean of seeds {listed}{', small' if small else ''}; {seconds:.0f} s in all"
    title += f", {viewing:.0f} s of them for the views"
    methods = list(columns.values())
    text = "\n".join([table(title, methods, calibrations), *hardness_lines(regime, methods), *ratio_lines(methods)])
    figures = {
        "seeds": list(seeds),
        "seconds": seconds,
        "seconds_for_views": viewing,
        "calibration": [asdict(one) for one in calibrations],
        "methods": {name: [asdict(one) for one in column] for name, column in columns.items()},
    }
    return text, figures


def _mosaics(season: Season, variants: Sequence[Variant], peers: Sequence[str], label: str) -> Any:
    """Every method's mosaic, one after the other."""
    for variant in variants:
        _say(f"{label}: {variant.name}")
        yield run_product(season, variant)
    for name in peers:
        _say(f"{label}: {name}")
        began = time.perf_counter()
        made: Mosaic = PEERS[name](season)
        yield replace(made, seconds=time.perf_counter() - began)


def regime_named(text: str) -> Regime:
    """The regime of a name as typed: "very-cloudy", "very_cloudy" and "very cloudy" are one."""
    wanted = text.strip().lower().replace("-", " ").replace("_", " ")
    for regime in Regime:
        if wanted in (regime.value, regime.name.lower().replace("_", " ")):
            return regime
    raise SystemExit(f"{text}: expected a regime among {', '.join(regime.value for regime in Regime)}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench-quality SIZE=…", description=__doc__)
    parser.add_argument("size", choices=("full", "small"), nargs="?", default="full", help="how large")
    parser.add_argument("--regimes", default="", help="comma-separated; all")
    parser.add_argument("--seeds", default="", help="comma-separated; the reported ones")
    parser.add_argument("--tuning", action="store_true", help="the seeds of tuning instead of the reported ones")
    parser.add_argument("--peers", help="comma-separated; all for those that take long, too; empty for none")
    parser.add_argument("--variants", action="store_true", help="the ablations, too")
    parser.add_argument("--variant", action="append", default=[], help="one more column of senard; may be repeated")
    parser.add_argument("--out", type=Path, help="folder for tables, figures and pictures; in the cache")
    parser.add_argument("--no-pictures", dest="pictures", action="store_false", help="draw none")
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _say(text: str) -> None:
    print(f"bench: {text} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
