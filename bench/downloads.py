"""`make bench SIZE=download`: how fast one connection is, against curl in the same run, and how much memory it takes.

curl alone verifies nothing. Its peers that do are curl with md5sum, at the same time and after it.

Everything is on loopback, so the network has no limit of its own: what is left are the programs and the disk.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from bench.archive import cache_folder
from bench.fetch import FetchFigures, Served
from senard.io.cdse_lookup import Lookup
from senard.io.secret import Secret
from senard.model.access import Addresses

CURL = "curl"
CURLS = {
    CURL: 'curl -sSf -K - -o "$0"',
    "curl | tee | md5sum": 'curl -sSf -K - | tee "$0" | md5sum',
    "curl, then md5sum": 'curl -sSf -K - -o "$0" && md5sum "$0"',
}
"""How curl is called, with the target as $0."""

CASES = (*CURLS, "BLAKE3", "MD5", "")
"""Who fetches: curl, or senard with this checksum of the catalogue; "" is none."""

ROUNDS = 7
"""Of all cases in turn, after one that does not count."""

SPEED_MB = 400
MEMORY_MB = (100, 400, 800)
"""Sizes of the products, MB."""

_MEMORY_CASES = ("BLAKE3", "MD5")
_TMPFS = Path("/dev/shm")
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """One case in one folder, medians of all rounds."""

    place: str
    """Where the file went: "disk" or "tmpfs"."""

    case: str
    """One of CASES."""

    seconds: float
    """Wall-clock time until the last byte was written and the checksum known, s."""

    synced_seconds: float
    """The same until the disk said that it has everything, s."""

    cpu_seconds: float
    """User and system time of the process that fetched, s."""

    speed: float
    """Throughput, as a share of curl's in the same run."""

    synced_speed: float
    """The same until the disk said that it has everything, in both."""

    runs: tuple[FetchFigures, ...]
    """Every round."""


def measure_downloads() -> dict[str, Any]:
    """Fetch in turn, everywhere; ready for JSON.

    Raises:
        SystemExit: curl is missing, or somebody failed.
    """
    if shutil.which(CURL) is None:
        raise SystemExit("make bench SIZE=download compares with curl, which is not installed.")
    cache_folder().mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="download-", dir=cache_folder())))
        os.environ["SENARD_STATE_DIR"] = str(folder / "state")
        products = {megabytes: _product(folder / "archive", megabytes) for megabytes in MEMORY_MB}
        served = stack.enter_context(_serving(folder / "archive"))
        places = {"disk": folder}
        if _TMPFS.is_dir() and shutil.disk_usage(_TMPFS).free > 2 * SPEED_MB * 10**6:
            places["tmpfs"] = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=_TMPFS)))
        cases = [found for place in places for found in _compare(served, products[SPEED_MB], place, places[place])]
        memory = [
            {"megabytes": megabytes, "case": case, **asdict(_senard(served, products[megabytes], case, folder / "out"))}
            for case in _MEMORY_CASES
            for megabytes in MEMORY_MB
        ]
        return {"megabytes": SPEED_MB, "rounds": ROUNDS, "cases": [asdict(one) for one in cases], "memory": memory}


def _product(folder: Path, megabytes: int) -> str:
    """A zip with a product's name, with bytes by chance: only its length matters here.

    Returns:
        The product's name.
    """
    folder.mkdir(exist_ok=True)
    product_id = f"S2A_MSIL2A_20240608T105031_N0511_R051_T31TCJ_20240608T{megabytes:06d}"
    path = folder / f"{product_id}.zip"
    with ZipFile(path, "w") as archive, archive.open(f"{product_id}.SAFE/random", "w") as member:
        for _ in range(megabytes):
            member.write(os.urandom(10**6))
    return product_id


@contextmanager
def _serving(archive: Path) -> Iterator[Served]:
    """The tests' emulator of the Copernicus Data Space, in a process of its own."""
    command = [sys.executable, "-m", "tests.emulators", str(archive), "--while-stdin"]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        told = json.loads(process.stdout.readline())
        yield Served(
            addresses=Addresses(**told["addresses"]), username=told["username"], password=Secret(told["password"])
        )
        process.stdin.close()


def _compare(served: Served, product_id: str, place: str, folder: Path) -> Iterator[CaseFigures]:
    """All cases in every round, each round in another order: what one leaves on the disk may slow the next."""
    runs: dict[str, list[FetchFigures]] = {case: [] for case in CASES}
    for number in range(ROUNDS + 1):
        print(f"bench: {place}, round {number} of {ROUNDS} …", file=sys.stderr, flush=True)
        for case in random.Random(number).sample(CASES, len(CASES)):
            ask = _curl if case in CURLS else _senard
            run = ask(served, product_id, case, folder / "out")
            if number:
                runs[case].append(run)
    seconds = {case: statistics.median(run.seconds for run in found) for case, found in runs.items()}
    synced = {case: statistics.median(run.seconds + run.sync_seconds for run in found) for case, found in runs.items()}
    for case, found in runs.items():
        yield CaseFigures(
            place=place,
            case=case,
            seconds=seconds[case],
            synced_seconds=synced[case],
            cpu_seconds=statistics.median(run.cpu_seconds for run in found),
            speed=seconds[CURL] / seconds[case],
            synced_speed=synced[CURL] / synced[case],
            runs=tuple(found),
        )


def _curl(served: Served, product_id: str, case: str, target: Path) -> FetchFigures:
    """Fetch with curl, alone or with md5sum."""
    remote = Lookup(served.http(), served.addresses.search).by_name(product_id)
    assert remote is not None
    url = f"{served.addresses.data}/Products({remote.uuid})/$value"
    # By its standard input, so that the token is in no list of processes.
    words = f'url = "{url}"\nheader = "Authorization: Bearer {Secret(served.tokens().token()).reveal()}"\n'
    started = time.perf_counter()
    command = ["bash", "-o", "pipefail", "-c", CURLS[case], str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(words)
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"curl ended with {process.returncode}.")
    started = time.perf_counter()
    for path in (target, target.parent):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    figures = FetchFigures(
        seconds=seconds,
        sync_seconds=time.perf_counter() - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
    )
    _forget(target)
    return figures


def _senard(served: Served, product_id: str, case: str, target: Path) -> FetchFigures:
    """Fetch with senard, in a new process: what it remembers of memory and of connections is its own."""
    asked = {
        "addresses": asdict(served.addresses),
        "username": served.username,
        "password": served.password.reveal(),
        "product_id": product_id,
        "checksum": case,
        "target": str(target),
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.fetch"], cwd=_ROOT, input=json.dumps(asked), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"python -m bench.fetch ended with {done.returncode}:\n{done.stderr}")
    _forget(target)
    return FetchFigures(**json.loads(done.stdout))


def _forget(target: Path) -> None:
    """Delete, so that the next one finds the same disk."""
    target.unlink()
    descriptor = os.open(target.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def downloads_table(record: dict[str, Any]) -> str:
    """Lay a record out for a terminal.

    Args:
        record: as `python -m bench download` keeps it.
    """
    machine = record["machine"]
    lines = [
        f"senard bench download, commit {machine['commit']}",
        f"{machine['processor']}, {machine['cores']} cores, load before {machine['load']}",
        f"{record['megabytes']} MB over one connection on loopback, medians of {record['rounds']} rounds",
        "",
        f"{'':<30}{'wall s':>8}{'CPU s':>8}{'MB/s':>8}{'of curl':>9}{'synced s':>10}{'of curl':>9}",
    ]
    for one in record["cases"]:
        who = one["case"] if one["case"] in CURLS else f"senard, {one['case'] or 'no checksum'}"
        lines.append(
            f"{one['place'] + ', ' + who:<30}{one['seconds']:>8.2f}{one['cpu_seconds']:>8.2f}"
            f"{record['megabytes'] / one['seconds']:>8.0f}{one['speed']:>9.2f}{one['synced_seconds']:>10.2f}"
            f"{one['synced_speed']:>9.2f}"
        )
    lines += ["", f"{'memory of the process, MiB':<30}{'peak':>8}{'before':>8}"]
    for one in record["memory"]:
        name = f"{one['megabytes']} MB, {one['case']}"
        lines.append(f"{name:<30}{one['peak_bytes'] / 2**20:>8.1f}{one['before_bytes'] / 2**20:>8.1f}")
    return "\n".join(lines)
