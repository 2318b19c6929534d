"""Sample archives: simulated products on disk, with the truth beside them.

Layout of an archive folder:

    NAME.zip …                      products, or NAME.SAFE folders
    truth/<product_id>/ground.tif   true reflectance × 10 000, uint16, 20 m, bands B02 B03 B04 B08 B8A B11, 0 is nodata
    truth/<product_id>/sky.tif      uint8, 20 m, bits: 1 cloud, 2 shadow, 4 haze, 8 smoke, 16 snow
    truth/<product_id>/cover.tif    uint8, 20 m, number of the land cover (ground.COVERS)
    dem.tif                         if asked for: heights of the ground, float32, m, EPSG:3857
"""

import json
import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.safe_writer import write_safe, zip_safe
from senard.simulation.sensor import Strip
from senard.simulation.terrain_model import DEM, write_dem
from senard.simulation.truth import TruthWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlan:
    """What an archive shall hold."""

    acquisitions: tuple[SimulatedAcquisition, ...]
    """Its products."""

    truncated: tuple[str, ...] = ()
    """product_ids whose zip is cut off in the middle, as after a broken download."""

    area: BaseGeometry | None = None
    """Written as area.geojson if given: polygon, lon/lat."""


def write_product(
    acquisition: SimulatedAcquisition, folder: Path, *, zipped: bool = True, truth: Path | None = None
) -> Path:
    """Make one product.

    Args:
        acquisition: what it shows and what it is called.
        folder: where it is made; the folder is made too.
        zipped: True for NAME.zip, False for the folder NAME.SAFE.
        truth: folder for the truth of this product; None writes none.

    Returns:
        folder/NAME.zip or folder/NAME.SAFE.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if truth is None:
        safe = write_safe(acquisition, folder, witness=_forget)
    else:
        with TruthWriter(truth, acquisition.grid.at(20)) as writer:
            safe = write_safe(acquisition, folder, witness=writer.write)
    return zip_safe(safe) if zipped else safe


def _forget(strip: Strip) -> None:
    del strip


def simulate_archive(
    plan: ArchivePlan | Iterable[SimulatedAcquisition],
    folder: Path,
    *,
    truth: bool = True,
    zipped: bool = True,
    dem: bool = False,
    workers: int | None = None,
) -> Path:
    """Make all products of an archive, several at a time.

    Args:
        plan: what to make.
        folder: archive folder, made if absent.
        truth: whether to write the truth.
        zipped: whether products are zips.
        dem: whether to write a terrain model too: the products show one ground then.
        workers: processes; None means one for each core; 1 works in this process.

    Returns:
        The folder.
    """
    if not isinstance(plan, ArchivePlan):
        plan = ArchivePlan(acquisitions=tuple(plan))
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (acquisition, folder, zipped, folder / "truth" / acquisition.product_id if truth else None)
        for acquisition in plan.acquisitions
    ]
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        made = [_work(job) for job in jobs]
    else:
        # Threads of the parent (GDAL, numba) do not survive a fork: workers start afresh.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=min(workers, max(len(jobs), 1)), mp_context=context) as pool:
            made = list(pool.map(_work, jobs))
    for path in made:
        if path.stem in plan.truncated:
            os.truncate(path, path.stat().st_size // 2)
    if plan.area is not None:
        write_area(plan.area, folder / "area.geojson")
    if dem:
        write_dem(plan.acquisitions, folder / DEM)
    return folder


def _work(job: tuple[SimulatedAcquisition, Path, bool, Path | None]) -> Path:
    acquisition, folder, zipped, truth = job
    return write_product(acquisition, folder, zipped=zipped, truth=truth)


def write_area(area: BaseGeometry, out: Path) -> None:
    """Write an area as GeoJSON.

    Args:
        area: polygon, lon/lat.
        out: file to make.
    """
    feature = {"type": "Feature", "properties": {"name": out.stem}, "geometry": mapping(area)}
    out.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}, indent=1) + "\n", encoding="utf-8")
