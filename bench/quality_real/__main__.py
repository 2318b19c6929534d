"""`make bench-quality-real`: how well pixels are chosen on real acquisitions, in tables and pictures.

Usage: python -m bench.quality_real [--data FOLDER] [--out FOLDER] [--only NAME …]
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.quality_real.agreement import measure_agreement
from bench.quality_real.composites import measure_composites
from bench.quality_real.kept import CLOUDY, MIXED, TILES, read_kept
from bench.quality_real.labelled import measure_labelled
from bench.quality_real.left_out import measure_left_out
from bench.quality_real.mol import measure_mol
from bench.quality_real.pictures import write_pictures
from bench.quality_real.tables import print_part
from bench.quality_real.two_dates import by_senard, measure_two_dates

PARTS: Mapping[str, Callable[[Path], Any]] = {
    "two-dates": measure_two_dates,
    "left-out": measure_left_out,
    "mol": measure_mol,
    "labelled": measure_labelled,
    "agreement": measure_agreement,
    "composites": measure_composites,
}
"""Name on the command line to what measures it."""

DATA = Path(__file__).parents[3] / "shared/data"
"""Where the reference data lie beside the repository."""


def main() -> None:
    """Measure, print, and keep figures and pictures."""
    parser = argparse.ArgumentParser(prog="make bench-quality-real", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the reference data")
    parser.add_argument("--out", type=Path, help="folder for figures.json and pictures")
    parser.add_argument("--only", nargs="+", choices=(*PARTS, "pictures"), help="parts to run")
    asked = parser.parse_args()
    figures = {}
    for name, measure in PARTS.items():
        if asked.only is None or name in asked.only:
            figures[name] = measure(asked.data)
            print_part(name, figures[name])
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        if asked.only is None or "pictures" in asked.only:
            chosen = {tile: by_senard([read_kept(asked.data, tile, day) for day in (MIXED, CLOUDY)]) for tile in TILES}
            for path in write_pictures(asked.data, asked.out, chosen):
                print(path)


if __name__ == "__main__":
    main()
