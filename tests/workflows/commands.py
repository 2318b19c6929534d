"""Real commands in processes of their own, and what they leave."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BIN = Path(sys.executable).parent
TIMEOUT_S = 300
"""More than any command of these tests takes on a busy machine, s."""
QUICK = "[senard.worker]\nretry_delay = 0.1\n[worker]\nwait_interval = 0.1\nwait_jitter = 0\n"
"""A configuration that only shortens pauses."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """An archive, an area and a period, and the folder where commands are typed: one without luigi.cfg."""

    archive: Path
    area: Path
    folder: Path

    @property
    def out(self) -> Path:
        """Where products appear."""
        return self.folder / "out"

    def asked(self, **changes: str | Path | None) -> list[str]:
        """The parameters of the call; a change to None leaves one out, "" makes a switch stand alone."""
        values: dict[str, str | Path | None] = {
            "aoi": self.area,
            "start": "2024-06-01",
            "end": "2024-07-31",
            "archive": self.archive,
            "outdir": self.out,
            **changes,
        }
        words: list[str] = []
        for name, value in values.items():
            if value is not None:
                words += [f"--{name.replace('_', '-')}", str(value)] if value != "" else [f"--{name.replace('_', '-')}"]
        return words

    def senard(self, *words: str, **changes: str | Path | None) -> subprocess.CompletedProcess[str]:
        """`senard mosaic …` to its end."""
        return finish(start([BIN / "senard", "mosaic", *self.asked(**changes), *words], self.folder))

    def luigi(
        self, *words: str, task: str = "MosaicAOI", **changes: str | Path | None
    ) -> subprocess.CompletedProcess[str]:
        """`luigi --module workflows MosaicAOI …` to its end; alone if no scheduler is named."""
        return finish(self.start_luigi(*words, task=task, **changes))

    def start_luigi(self, *words: str, task: str = "MosaicAOI", **changes: str | Path | None) -> subprocess.Popen[str]:
        """The same, just started."""
        scheduler = [] if any(word.startswith("--scheduler") for word in words) else ["--local-scheduler"]
        command = [BIN / "luigi", "--module", "workflows", task, *self.asked(**changes), *scheduler, *words]
        return start(command, self.folder)

    def product(self) -> Path:
        """The one product folder."""
        (found,) = [path for path in self.out.iterdir() if not path.name.startswith(".")]
        return found


def start(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start a command in a folder, in a process group of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder.parent / "quick.cfg"  # beside the folder, not in it: there is no luigi.cfg where the command runs
    config.write_text(QUICK)
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env={
            **os.environ,
            "LUIGI_CONFIG_PATH": str(config),
            "XDG_CONFIG_HOME": str(folder.parent / "settings"),
            "SENARD_STATE_DIR": str(folder.parent / "state"),
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a command; one that hangs is killed with all its workers, and fails the test with what it said last."""
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        pytest.fail(f"{process.args} did not end in {TIMEOUT_S} s:\n{out[-1000:]}\n{err[-4000:]}")
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def contents(folder: Path) -> dict[str, str]:
    """Every file of a product by name, with its SHA-256; run.json tells of the run and differs."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }


def holds(folder: Path, name: str) -> bool:
    """Whether a file of this name lies anywhere below a folder that others write to: what vanishes while looking counts
    for nothing."""
    return any(name in files for _, _, files in os.walk(folder))


def leftovers(folder: Path) -> list[str]:
    """Names of half-made files and folders."""
    return [path.name for path in folder.rglob(".*") if "partial" in path.name or "scratch" in path.name]


class Luigid:
    """A luigid on loopback, and what its page asks it."""

    def __init__(self, folder: Path) -> None:
        """Start it on a free port, without configuration; its state goes into the folder."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.state = folder / "state.pickle"
        folder.mkdir()
        command = [BIN / "luigid", "--address", "127.0.0.1", "--port", str(self.port), "--state-path", self.state]
        self._process = subprocess.Popen(  # a pipe that nobody reads would stop it after some hundred requests
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def stop(self) -> None:
        """It writes its state down and ends."""
        self._process.terminate()
        self._process.wait(timeout=20)

    def ask(self, method: str, **values: object) -> Any:
        """One question to its API."""
        data = urllib.parse.urlencode({"data": json.dumps(values)}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/{method}", data=data, timeout=10) as answer:
            return json.load(answer)["response"]

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(200):
            try:
                self.ask("is_paused")
            except OSError:
                time.sleep(0.1)
            else:
                return
        pytest.fail("luigid did not start")
