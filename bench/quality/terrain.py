"""What a terrain model changes on simulated mountains: contamination, and how often relief's own shade is delivered.

Usage: python -m bench.quality.terrain [--regimes mountains] [--seeds 31,32] [--full]
"""

import argparse
from collections.abc import Sequence

import numpy as np

from bench.quality.__main__ import regime_named
from bench.quality.ablations import PLAIN, Variant
from bench.quality.metrics import delivered_of, measure, picked, share
from bench.quality.mosaic import Mosaic
from bench.quality.product import run_product
from bench.quality.season import CONTAMINATED, Season, load_season
from senard.model.arrays import UInt8Array
from senard.model.sources import CLEAR_LEVELS
from senard.simulation.terrain_model import true_shade

VARIANTS = (
    PLAIN,
    Variant(name="with --dem", options={"dem": "simulated"}),
    Variant(name="zones left", options={"dem": "simulated"}, constants={"relief_zone.LEAST_M": "100000.0"}),
)
"""As without a terrain model; with it; and with it, but zones of shadow as on level ground, where the simulator casts
the shadows of its clouds."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each seed and variant."""
    asked = _parser().parse_args(arguments)
    print("seed  column        contaminated  shade  either  either at 1, 2  level 1  level 1, 2  B02 RMSE  select, s")
    for regime in (regime_named(name) for name in asked.regimes.split(",")):
        for seed in (int(text) for text in asked.seeds.split(",")):
            season = load_season(regime, seed, small=not asked.full)
            shade = np.stack(
                [true_shade(view.acquisition, view.acquisition.grid.at(20)) for view in season.views]
            ).astype(np.uint8)
            for variant in VARIANTS:
                print(_line(season, shade, run_product(season, variant), seed), flush=True)


def _line(season: Season, shade: UInt8Array, mosaic: Mosaic, seed: int) -> str:
    """Figures of one mosaic, percent of the delivered pixels."""
    figures, delivered = measure(season, mosaic), delivered_of(mosaic)
    shaded = delivered & (picked(shade, mosaic.source) > 0)
    either = shaded | (delivered & ((picked(season.sky, mosaic.source) & CONTAMINATED) > 0))
    good = delivered & np.isin(np.asarray(mosaic.level), CLEAR_LEVELS)
    return (
        f"{seed:<5} {mosaic.name:<14}{figures.contaminated:11.2f}{share(shaded, delivered):7.2f}"
        f"{share(either, delivered):8.2f}{share(either & good, delivered):16.2f}{figures.level_1 or 0:9.1f}"
        f"{share(good, delivered):12.1f}{figures.rmse['B02']:10.0f}{mosaic.parts['select']:11.1f}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.terrain", description=__doc__)
    parser.add_argument("--regimes", default="mountains", help="comma-separated")
    parser.add_argument("--seeds", default="31", help="comma-separated")
    parser.add_argument("--full", action="store_true", help="whole squares")
    return parser


if __name__ == "__main__":
    main()
