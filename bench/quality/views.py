"""Simulated views kept outside the repository, one folder each; arrays are mapped from disk, not loaded."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

import senard.simulation
from senard.io.atomic import partial_directory
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.sky import SKY
from senard.simulation.stack import SimulatedView, view

_KEPT_S = 6 * 3600
# Another run, of another state of the code, may be using them.

_ARRAYS = ("scl", "cloud_probability", "snow_probability", "seen", "ground", "sky", "cover")


def cache_folder() -> Path:
    """Where views, results and scratch lie: `SENARD_BENCH_CACHE`, or ~/.cache/senard, then /quality."""
    given = os.environ.get("SENARD_BENCH_CACHE")
    return (Path(given) if given else Path.home() / ".cache/senard") / "quality"


def views_folder() -> Path:
    """Views of the present sky: the folder's name changes with SKY and with the code of the simulator."""
    return cache_folder() / "views" / f"{SKY}-{simulator_digest()}"


@cache
def simulator_digest() -> str:
    """12 hex digits that change with any module of the simulator that a view depends on, read once per process."""
    digest = hashlib.sha256()
    for path in _modules():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def cached_view(acquisition: SimulatedAcquisition) -> SimulatedView:
    """One view, seen now if the cache does not hold it.

    Args:
        acquisition: what to see.
    """
    folder = views_folder() / hashlib.sha256(repr(acquisition).encode()).hexdigest()[:20]
    if not folder.is_dir():
        _write(view(acquisition), folder)
    figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    judge = {name: np.load(folder / f"judge_{name}.npy") for name in figures["judge"]}
    return SimulatedView(
        acquisition=acquisition,
        judge=judge,
        sun_zenith=figures["sun_zenith"],
        sun_azimuth=figures["sun_azimuth"],
        **arrays,
    )


def forget_other_skies() -> None:
    """Remove the views of other skies and simulators that nobody has added to for a while: a season takes 1 GB."""
    present = views_folder()
    for folder in present.parent.glob("*"):
        if folder != present and time.time() - folder.stat().st_mtime > _KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)


def _write(made: SimulatedView, folder: Path) -> None:
    with partial_directory(folder) as partial:
        for name in _ARRAYS:
            np.save(partial / f"{name}.npy", getattr(made, name))
        for name, pixels in made.judge.items():
            np.save(partial / f"judge_{name}.npy", pixels)
        figures = {"judge": list(made.judge), "sun_zenith": made.sun_zenith, "sun_azimuth": made.sun_azimuth}
        (partial / "figures.json").write_text(json.dumps(figures), encoding="utf-8")


_FILE_WRITERS = {
    *("__init__", "archive", "attachments", "cloud_polygons", "elements", "footprint", "images", "inspire", "level_1c"),
    *("level_1c_metadata", "manifest", "manifest_metadata", "metadata", "pixels", "safe_writer", "tile_metadata"),
    *("terrain_model", "truth"),
}
# Modules of the simulator that no view depends on.


def _modules() -> Iterator[Path]:
    """Modules that a view may depend on; a new one counts until it is listed above."""
    for path in sorted(Path(senard.simulation.__path__[0]).glob("*.py")):
        if path.stem not in _FILE_WRITERS:
            yield path
