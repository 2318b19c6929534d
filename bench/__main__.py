"""`make bench`: what the main job costs as dates are added, against bare decoding and writing, and against others.

Usage: python -m bench [full|small|download] [--only job,floor,peers] [--dates 8] [--keep]

"download" measures fetching instead, against curl.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.archive import BenchArchive, bench_archive, cache_folder
from bench.downloads import downloads_table, measure_downloads
from bench.job import JobFigures, run_job
from bench.machine import this_machine
from bench.peers.measure import measure_peers
from bench.plans import BenchPlan, plan
from bench.table import table

PROCESSES = 2
"""Processes of the job, and of the floor that it is compared with."""

PARTS = ("job", "floor", "peers")
"""What can be left out. The floor wants a job, which is run for it."""

_ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure, print, and keep the figures as JSON in the cache."""
    asked = arguments(sys.argv[1:])
    machine = asdict(this_machine())
    if asked.size == "download":
        record = {"size": asked.size, "machine": machine, **measure_downloads()}
        _keep(record, out := _results(asked.size))
        _show(downloads_table(record), out)
        return
    wanted = plan(asked.size)
    dates = asked.dates or wanted.dates
    archive = _archive(asked.size, dates[-1])
    folder = Path(tempfile.mkdtemp(prefix=f"run-{asked.size}-", dir=cache_folder()))
    record = {"size": asked.size, "machine": machine, "archive": described(archive), "processes": PROCESSES}
    try:
        _say("warming up: a mosaic of 366 pixels, so that numba has compiled")
        warm = _archive("tiny")
        run_job(warm, folder / "warm", processes=PROCESSES)
        if "peers" in asked.only:
            measure_peers(warm, plan("tiny"), folder / "warm-peers", processes=PROCESSES)
        out = _results(asked.size)
        for made in measure(archive, wanted, folder, only=asked.only, dates=dates, keep=asked.keep):
            record |= made
            _keep(record, out)  # what breaks off later leaves these figures
        _show(table(record), out)
    finally:
        if asked.keep:
            print(f"What the job made: {folder}")
        else:
            shutil.rmtree(folder)


def arguments(typed: Sequence[str]) -> argparse.Namespace:
    """Read the command line: `size`, `only` (tuple of PARTS), `dates` (tuple of int or None), `keep`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=("full", "small", "download"), nargs="?", default="full", help="what")
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PART,PART", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--dates", type=_numbers, metavar="N,N", help="numbers of dates instead of the usual ones")
    parser.add_argument("--keep", action="store_true", help="keep what the jobs made, in the cache")
    return parser.parse_args(typed)


def _parts(text: str) -> tuple[str, ...]:
    named = tuple(text.split(","))
    if not set(named) <= set(PARTS):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(PARTS)}, found {text}")
    return named


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(number) for number in text.split(",")))


def measure(
    archive: BenchArchive, wanted: BenchPlan, folder: Path, *, only: Sequence[str], dates: Sequence[int], keep: bool
) -> Iterator[dict[str, Any]]:
    """Run what was asked for, one after another.

    Args:
        archive: of all dates.
        wanted: its plan.
        folder: takes what is made.
        only: some of PARTS.
        dates: numbers of dates of the job; the floor is measured at the plan's, if it is one of them, else at the last.
        keep: whether what jobs made stays, 9 GB each.

    Yields:
        After each part what is known so far, ready for JSON: "jobs", "growth", "floor", "ratio", "peers".
    """
    record: dict[str, Any] = {"jobs": {}, "growth": {}}
    floor_dates = wanted.floor_dates if wanted.floor_dates in dates else dates[-1]
    for number in dates if "job" in only else [floor_dates] if "floor" in only else []:
        here = folder / f"dates-{number}"
        _say(f"the job, {number} dates")
        part = archive.first(number, here / "archive")
        job = run_job(part, here / "job", processes=PROCESSES)
        record["jobs"][str(number)] = {**asdict(job), "product": job.product.name}
        record["growth"] = growth(record["jobs"])
        _say(f"  it took {job.run.cpu_seconds:.1f} CPU-s, {job.run.seconds:.1f} s")
        if "floor" in only and number == floor_dates:
            _say(f"the floor, {number} dates")
            record["floor"] = {"dates": number, **_floor(part, job, here, wanted.floor_processes)}
            record["ratio"] = ratios(record["jobs"][str(number)], record["floor"])
        if not keep:
            shutil.rmtree(here)
        yield record
    if "peers" in only:
        _say(f"senard and others on one window, {dates[-1]} dates")
        last = archive.first(dates[-1], folder / "peers-archive")
        record["peers"] = measure_peers(last, wanted, folder / "peers", processes=PROCESSES)
    yield record


def growth(jobs: dict[str, Any]) -> dict[str, float]:
    """CPU-seconds that more dates add, percent: {"8-16": 21.3}."""
    numbers = sorted(jobs, key=int)
    cpu = {number: jobs[number]["run"]["cpu_seconds"] for number in numbers}
    return {f"{fewer}-{more}": 100 * (cpu[more] / cpu[fewer] - 1) for fewer, more in pairwise(numbers)}


def ratios(job: dict[str, Any], floor: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Job over floor, by the number of the floor's processes."""
    return {
        count: {
            "cpu": job["run"]["cpu_seconds"] / run["cpu_seconds"],
            "wall": job["run"]["seconds"] / run["seconds"],
        }
        for count, run in floor["runs"].items()
    }


def _results(size: str) -> Path:
    """File for the figures of a run that begins now."""
    out = cache_folder() / f"results/{size}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


def _keep(record: dict[str, Any], out: Path) -> None:
    out.write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")


def _show(text: str, out: Path) -> None:
    print(text, flush=True)
    print(f"\nThe same figures and more: {out}")


def _archive(size: str, dates: int | None = None) -> BenchArchive:
    """The archive, and a word to whoever waits for it."""
    _say(f"the {size} archive in {cache_folder()}")
    return bench_archive(size, workers=PROCESSES, dates=dates)


def _floor(archive: BenchArchive, job: JobFigures, folder: Path, processes: Sequence[int]) -> dict[str, Any]:
    """Measure the floor in processes of its own, once for every number of processes."""
    spec, out = folder / "floor.json", folder / "floor-figures.json"
    zips = {path.stem: str(path) for path in archive.products}
    asked = {"product": str(job.product), "zips": zips, "processes": processes, "out": str(out)}
    spec.write_text(json.dumps(asked), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "bench.floor", str(spec)], cwd=_ROOT, check=True)
    made: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return made


def described(archive: BenchArchive) -> dict[str, Any]:
    """What the figures depend on besides machine and code, ready for JSON."""
    return {
        "products": [path.name for path in archive.products],
        "bytes": sum(path.stat().st_size for path in archive.products),
        "side_px": archive.side_px,
        "bits_per_pixel": archive.bits_per_pixel,
        "area_km2": archive.area_km2,
        "area": archive.area.wkt,
        "made": archive.made,
        "cpu_seconds": archive.cpu_seconds,
    }


def _say(text: str) -> None:
    print(f"bench: {text} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
