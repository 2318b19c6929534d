"""`senard simulate`: an archive of simulated products, to try senard on."""

import argparse
import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from senard.errors import RequestError
from senard.model.mgrs import mgrs_name
from senard.model.sentinel2 import ProductType
from senard.simulation.acquisition import FULL_SIZE_PX, SimulatedAcquisition
from senard.steps.make_request import parse_day

if TYPE_CHECKING:
    from senard.simulation.archive import ArchivePlan

MORNING_HOUR = 10
"""Hour of the local day in whose middle the satellites pass."""

PLANS = ("sample", "tiny")
"""Ready plans by name."""

LEVELS = {
    "S2MSI1C": frozenset({ProductType.L1C}),
    "S2MSI2A": frozenset({ProductType.L2A}),
    "both": frozenset({ProductType.L1C, ProductType.L2A}),
}
"""What --product-type may be."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Tell argparse what `senard simulate` takes."""
    parser.description = (
        "Make Sentinel-2 products as ESA packs them, with the truth beside them: invented ground and sky, marked "
        "as simulated in their XML. Without --mgrs-tiles a ready plan is made, with its area in area.geojson."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the archive appears")
    parser.add_argument(
        "--plan",
        choices=PLANS,
        default="sample",
        help="sample: two MGRS tiles of 18 km in two UTM zones, six dates, one zip broken; tiny: one of 4 km, four "
        "dates (default: sample)",
    )
    parser.add_argument("--mgrs-tiles", metavar="31UFS,31UET", help="instead of a plan: these MGRS tiles")
    parser.add_argument("--dates", metavar="DAY,DAY", help="their acquisition days, UTC: 2024-06-15,2024-07-01")
    parser.add_argument(
        "--product-type",
        choices=list(LEVELS),
        default="S2MSI2A",
        help="S2MSI2A: surface reflectance; S2MSI1C: the same acquisitions as seen from above the atmosphere; both: "
        "pairs of the two (default: S2MSI2A)",
    )
    parser.add_argument("--satellite", default="S2A", metavar="S2A", help="S2A, S2B, S2C or S2D (default: S2A)")
    parser.add_argument(
        "--baseline", type=_baseline, default="05.11", metavar="05.11", help="processing baseline (default: 05.11)"
    )
    parser.add_argument(
        "--size",
        type=int,
        default=FULL_SIZE_PX,
        metavar="PIXELS",
        help=f"side in pixels of 10 m, a multiple of 6 (default: {FULL_SIZE_PX}, a whole MGRS tile)",
    )
    parser.add_argument("--cloud", type=_share, metavar="SHARE", help="share of cloud, 0-1 (default: by season)")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="which ground and weather (default: 7)")
    parser.add_argument("--njobs", type=int, default=None, metavar="N", help="processes at once (default: all cores)")
    parser.add_argument("--dem", action="store_true", help="write the heights of the ground too, as dem.tif")
    parser.add_argument("--no-truth", action="store_true", help="leave the truth out")


def make_archive(parsed: argparse.Namespace) -> Path:
    """Make the archive that was asked for.

    Raises:
        RequestError: if tiles or days are missing or impossible.
    """
    from senard.simulation.archive import simulate_archive
    from senard.simulation.plans import sample_plan, tiny_plan, with_levels

    if (parsed.mgrs_tiles is None) != (parsed.dates is None):
        raise RequestError("--mgrs-tiles and --dates belong together: give both, or neither for a ready plan.")
    ready = {"sample": sample_plan, "tiny": tiny_plan}
    plan = ready[parsed.plan](seed=parsed.seed) if parsed.mgrs_tiles is None else _own_plan(parsed)
    plan = with_levels(plan, LEVELS[parsed.product_type])
    return simulate_archive(plan, parsed.folder, truth=not parsed.no_truth, dem=parsed.dem, workers=parsed.njobs)


def _own_plan(parsed: argparse.Namespace) -> "ArchivePlan":
    """Every tile on every day; the tiles of one day are one overflight."""
    from senard.simulation.archive import ArchivePlan

    days = [parse_day(text, "--dates") for text in parsed.dates.split(",")]
    mgrs_tiles = [mgrs_name(text) for text in parsed.mgrs_tiles.split(",")]
    return ArchivePlan(
        acquisitions=tuple(
            SimulatedAcquisition(
                mgrs_tile=mgrs_tile,
                time=_overflight(day, mgrs_tiles[0]),
                satellite=parsed.satellite,
                baseline=parsed.baseline,
                size_px=parsed.size,
                seed=parsed.seed,
                cloud_fraction=parsed.cloud,
            )
            for day in days
            for mgrs_tile in mgrs_tiles
        )
    )


def _overflight(day: date, mgrs_tile: str) -> datetime:
    """When a satellite passes a tile in the morning of its place: on this UTC day, to the hour of its longitude."""
    longitude = 6 * int(mgrs_tile[:2]) - 183
    return datetime.combine(day, time((MORNING_HOUR - round(longitude / 15)) % 24, 30, 31, tzinfo=UTC))


def _share(text: str) -> float:
    """A number from 0 to 1; 30 for 30 % is refused."""
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, found {text}")
    return share


def _baseline(text: str) -> int:
    """A baseline as ESA writes it, "05.11", or as it stands in names, "N0511" or "511"."""
    match = re.fullmatch(r"N?(\d{1,2})\.?(\d{2})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected a baseline such as 05.11, found {text}")
    return int(match[1] + match[2])
