"""Where and with what a benchmark ran."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import rasterio

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the figures depend on besides the code."""

    processor: str
    """Model as Linux names it."""

    cores: int
    """Cores that this process may use."""

    memory_bytes: int
    """Memory of the machine, bytes."""

    load: float
    """Processes that wanted to run when the benchmark began, mean over one minute; above 0.5 figures are disturbed."""

    versions: dict[str, str]
    """Of what computes pixels."""

    commit: str
    """Commit of the code, with "+" where the package was changed since; empty outside a clone."""


def this_machine() -> Machine:
    """Look around."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        load=round(os.getloadavg()[0], 2),
        versions={
            "python": platform.python_version(),
            "gdal": rasterio.__gdal_version__,
            **{name: version(name) for name in ("senard", "rasterio", "numpy", "numba")},
        },
        commit=_commit(),
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    head, changed = (
        subprocess.run(["git", *command], cwd=_ROOT, capture_output=True, text=True, check=False)
        for command in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--", "senard", "workflows"))
    )
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")
