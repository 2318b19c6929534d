"""What luigid costs for a mosaic of a country: simulated tasks of the real shape, several workers, nothing computed.

Usage: python -m bench.scheduler [--tasks 5000,10000,20000] [--workers 8] [--run 2000]

Of each graph only the first tasks are run: luigid looks through all pending ones for each, so that they are the
dearest. Workers are those of workflows/running.py, each in a process of its own; luigid is the real one, on loopback.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import luigi

from bench.machine import this_machine
from workflows.running import MosaicFactory, MosaicWorker, apply_defaults

DATES = 65
"""Products of one granule in a year that are kept."""
AROUND = 4
"""Granules whose products a tile of the mosaic needs."""
PER_PRODUCT = 3
"""DownloadProduct, Unzip, MaskScene."""
PER_TILE = 5
"""WeighScenes, SelectSources, CompositeTile twice, WriteQuality."""
ONCE = 2
"""SpareScenes and MosaicAOI."""
PATIENCE_S = 1800.0
"""A graph that takes longer is given up."""


class Simulated(luigi.Task):
    """Done when its file is there; running it makes the file."""

    folder = luigi.Parameter()
    number = luigi.IntParameter()

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"{self.folder}/{self.task_family}-{self.number}")

    def run(self) -> None:
        Path(self.output().path).touch()


class Fetched(Simulated):
    """DownloadProduct."""


class Unpacked(Simulated):
    """Unzip."""

    def requires(self) -> luigi.Task:
        return self.clone(Fetched)


class Judged(Simulated):
    """MaskScene."""

    def requires(self) -> luigi.Task:
        return self.clone(Unpacked)


class Weighed(Simulated):
    """WeighScenes of one tile."""

    tiles = luigi.IntParameter()

    def requires(self) -> list[luigi.Task]:
        granules = sorted({(self.number + step) % self.tiles for step in range(AROUND)})
        numbers = [granule * DATES + date for granule in granules for date in range(DATES)]
        return [Judged(folder=self.folder, number=number) for number in numbers]


class Spared(Simulated):
    """SpareScenes."""

    tiles = luigi.IntParameter()

    def requires(self) -> list[luigi.Task]:
        return [Weighed(folder=self.folder, number=tile, tiles=self.tiles) for tile in range(self.tiles)]


class Chosen(Weighed):
    """SelectSources of one tile."""

    def requires(self) -> list[luigi.Task]:
        return [*super().requires(), Spared(folder=self.folder, number=0, tiles=self.tiles)]


class Composed(Simulated):
    """CompositeTile at one resolution, and WriteQuality."""

    tiles = luigi.IntParameter()
    kind = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"{self.folder}/{self.task_family}-{self.kind}-{self.number}")

    def requires(self) -> luigi.Task:
        return self.clone(Chosen)


class Country(Simulated):
    """MosaicAOI of all tiles."""

    tiles = luigi.IntParameter()

    def requires(self) -> list[luigi.Task]:
        kinds = ("10", "20", "quality")
        return [
            Composed(folder=self.folder, number=tile, tiles=self.tiles, kind=kind)
            for tile in range(self.tiles)
            for kind in kinds
        ]


def tiles_of(tasks: int) -> int:
    """Tiles of a country whose mosaic takes about so many tasks."""
    return max(AROUND, round((tasks - ONCE) / (DATES * PER_PRODUCT + PER_TILE)))


def tasks_of(tiles: int) -> int:
    """Tasks of a country of so many tiles."""
    return tiles * (DATES * PER_PRODUCT + PER_TILE) + ONCE


def measure(tasks: int, workers: int, run: int) -> dict[str, Any]:
    """Let workers begin a country through one luigid.

    Args:
        tasks: about so many in the graph.
        workers: processes.
        run: tasks after which it is ended.

    Returns:
        Ready for JSON: seconds until every worker has told luigid of the graph, seconds and luigid's CPU per task then,
        luigid's memory, and mean seconds of each kind of request as the workers waited for them.
    """
    tiles = tiles_of(tasks)
    with tempfile.TemporaryDirectory(prefix="scheduler-") as place:
        folder = Path(place)
        (folder / "done").mkdir()
        port = _free_port()
        luigid = _luigid(folder, port)
        started = time.perf_counter()
        command = [sys.executable, "-m", "bench.scheduler", "--as-worker", str(folder), str(port), str(tiles)]
        crew = [
            subprocess.Popen([*command, str(number)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            for number in range(workers)
        ]
        try:
            told = _until(lambda: len(list(folder.glob("told-*"))) == workers, started)
            done, cpu, at = _done(folder), _cpu_s(luigid.pid), time.perf_counter()
            wanted = min(done + run, tasks_of(tiles))
            _until(lambda: _done(folder) >= wanted or all(one.poll() is not None for one in crew), started)
            count, passed = _done(folder) - done, time.perf_counter() - at
            figures = {
                "tasks": tasks_of(tiles),
                "workers": workers,
                "told_seconds": told,
                "told_cpu_seconds": cpu,
                "done_before_all_had_told": done,
                "run": count,
                "seconds_per_task": passed / max(count, 1),
                "cpu_seconds_per_task": (_cpu_s(luigid.pid) - cpu) / max(count, 1),
                "luigid_memory_bytes": _memory_bytes(luigid.pid),
            }
        finally:
            for one in crew:
                one.terminate()
            for one in crew:
                one.wait()
            luigid.terminate()
            luigid.wait()
        return {**figures, "requests": _requests(folder)}


def work(folder: Path, port: int, tiles: int, number: int) -> None:
    """One worker: tell luigid of the country, then run what it gives."""
    apply_defaults()
    spent: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
    scheduler: Any = MosaicFactory().create_remote_scheduler(f"http://127.0.0.1:{port}")
    ask = scheduler._request

    def timed(url: str, *args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return ask(url, *args, **kwargs)
        finally:
            entry = spent[url.rpartition("/")[2]]
            entry[0] += 1
            entry[1] += time.perf_counter() - began

    scheduler._request = timed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        with MosaicWorker(scheduler=scheduler, worker_processes=1) as worker:
            worker.add(Country(folder=str(folder / "done"), number=0, tiles=tiles))
            (folder / f"told-{number}").touch()
            worker.run()
    finally:
        (folder / f"requests-{number}.json").write_text(json.dumps(spent), encoding="utf-8")
        os._exit(0)  # threads that still tell luigid that the worker lives would hold it up


def _luigid(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [Path(sys.executable).with_name("luigid"), "--address", "127.0.0.1", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([*command, "--state-path", folder / "state.pickle"], cwd=folder, **quiet)  # type: ignore[call-overload]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until(done: Any, started: float) -> float:
    """Wait; returns the seconds since the start."""
    while not done():
        if time.perf_counter() - started > PATIENCE_S:
            sys.exit(f"Given up after {PATIENCE_S:.0f} s.")
        time.sleep(0.2)
    return time.perf_counter() - started


def _done(folder: Path) -> int:
    return sum(1 for _ in os.scandir(folder / "done"))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _requests(folder: Path) -> dict[str, dict[str, float]]:
    """Kind of request to how many there were and the mean seconds."""
    total: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
    for path in folder.glob("requests-*.json"):
        for name, (count, seconds) in json.loads(path.read_text(encoding="utf-8")).items():
            total[name][0] += count
            total[name][1] += seconds
    return {name: {"count": count, "seconds": seconds / count} for name, (count, seconds) in sorted(total.items())}


def main(typed: Sequence[str]) -> None:
    """Measure, print as JSON."""
    if typed[:1] == ["--as-worker"]:
        work(Path(typed[1]), *(int(word) for word in typed[2:]))
        return
    parser = argparse.ArgumentParser(prog="python -m bench.scheduler", description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default="5000,10000,20000", help="sizes of the graph")
    parser.add_argument("--workers", type=int, default=8, help="worker processes")
    parser.add_argument("--run", type=int, default=2000, help="tasks to run of each graph")
    asked = parser.parse_args(typed)
    print(json.dumps(asdict(this_machine()), indent=1), flush=True)
    for tasks in asked.tasks.split(","):
        print(json.dumps(measure(int(tasks), asked.workers, asked.run), indent=1), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
