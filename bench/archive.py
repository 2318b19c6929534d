"""The archive that is measured: simulated products, made once and kept outside the repository."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zipfile import ZipFile

from pyproj import Geod
from shapely.geometry.base import BaseGeometry

import senard.simulation
from senard.io.atomic import partial_directory
from senard.io.safe import read_product
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.simulation.acquisition import FULL_SIZE_PX, SimulatedAcquisition
from senard.simulation.archive import ArchivePlan, simulate_archive
from senard.simulation.footprint import footprint_of

SIZES_PX = {"full": FULL_SIZE_PX, "small": 1830, "tiny": 366}
"""Side of the products, pixels of 10 m, by name; "tiny" warms up: numba compiles once per machine, not per mosaic."""

FIRST_DAY, LAST_DAY = date(2024, 5, 1), date(2024, 7, 31)

_MGRS_TILE = "31TCJ"
# Toulouse, 43.6° N: a pixel of 10 m in EPSG:3857 is 7.2 m of ground, so the mosaic has twice the pixels of the product.

_DATES = (
    (datetime(2024, 6, 8, 10, 50, 31, tzinfo=UTC), "S2A", 511, 0.30),
    (datetime(2024, 6, 23, 10, 50, 29, tzinfo=UTC), "S2B", 400, 0.40),
)
# Time, satellite, baseline and share of the sky under cloud: both dates win in many places, as in a real season.

_BORDER_DEG = 0.005
# The area ends 400 to 550 m inside the products, so that the buffers of their borders leave no gap at its rim.


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchArchive:
    """Products on disk, and the area and period to ask for."""

    folder: Path
    """Holds the zips."""

    area: BaseGeometry
    """Polygon, lon/lat, inside the products."""

    products: tuple[Path, ...]
    """Its zips, in order of time."""

    fresh: bool
    """True if they were made by this call."""

    @property
    def bits_per_pixel(self) -> dict[str, float]:
        """Compressed size of every band that a mosaic delivers, mean of the products: {"B04_10": 8.1}."""
        rates: dict[str, list[float]] = {}
        for path in self.products:
            for key, size in _image_bytes(path):
                rates.setdefault(key, []).append(8 * size)
        side = {gsd: self.side_px * 10 // gsd for gsd in MOSAIC_BANDS}
        return {key: sum(bits) / len(bits) / side[int(key[-2:])] ** 2 for key, bits in sorted(rates.items())}

    @property
    def area_km2(self) -> float:
        """Size of the area on the ground, km²."""
        return abs(Geod(ellps="WGS84").geometry_area_perimeter(self.area)[0]) / 1e6

    @property
    def side_px(self) -> int:
        """Side of the products, pixels of 10 m."""
        return read_product(self.products[0]).grids[10].width


def cache_folder() -> Path:
    """Where archives and results are kept: `SENARD_BENCH_CACHE`, or ~/.cache/senard/bench."""
    given = os.environ.get("SENARD_BENCH_CACHE")
    return Path(given) if given else Path.home() / ".cache/senard/bench"


def bench_archive(size: str, *, workers: int) -> BenchArchive:
    """The archive of one size, made if the cache does not hold it.

    Args:
        size: "full", "small" or "tiny".
        workers: processes that make products.
    """
    acquisitions = plan(size)
    folder = cache_folder() / "archives" / f"{size}-{_key(acquisitions)}"
    fresh = not folder.is_dir()
    if fresh:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with partial_directory(folder) as partial:
            simulate_archive(ArchivePlan(acquisitions=acquisitions), partial, truth=False, workers=workers)
        for outdated in set(folder.parent.glob(f"{size}-*")) - {folder}:
            shutil.rmtree(outdated)  # 2 GB each
    return BenchArchive(
        folder=folder,
        area=footprint_of(acquisitions[0]).buffer(-_BORDER_DEG, join_style="mitre"),
        products=tuple(folder / f"{acquisition.product_id}.zip" for acquisition in acquisitions),
        fresh=fresh,
    )


def plan(size: str) -> tuple[SimulatedAcquisition, ...]:
    """The products of one size: two dates of one MGRS tile."""
    side = SIZES_PX[size]
    corner = (FULL_SIZE_PX - side) // 2 // 6 * 6
    return tuple(
        SimulatedAcquisition(
            mgrs_tile=_MGRS_TILE,
            time=time,
            satellite=satellite,
            baseline=baseline,
            size_px=side,
            offset_px=(corner, corner),
            seed=11,
            cloud_fraction=cloud_fraction,
        )
        for time, satellite, baseline, cloud_fraction in _DATES
    )


def _key(acquisitions: tuple[SimulatedAcquisition, ...]) -> str:
    """16 hex digits that change with the plan and with the simulator."""
    digest = hashlib.sha256(repr(acquisitions).encode())
    for path in sorted(Path(senard.simulation.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _image_bytes(path: Path) -> Iterator[tuple[str, int]]:
    """(key, bytes) of the images of a zipped product that a mosaic delivers."""
    product = read_product(path)
    with ZipFile(path) as archive:
        sizes = {name.partition("/")[2]: entry.file_size for name, entry in archive.NameToInfo.items()}
    for gsd, names in MOSAIC_BANDS.items():
        for name in names:
            yield f"{name}_{gsd}", sizes[product.images[f"{name}_{gsd}"]]
