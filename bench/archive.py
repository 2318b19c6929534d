"""The archives that are measured: simulated products, made once and kept outside the repository."""

import hashlib
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import ZipFile

from pyproj import Geod
from shapely.geometry.base import BaseGeometry

import bench.codestream
import bench.repeated
import senard.simulation
from bench.plans import BenchPlan, plan
from bench.repeated import write_common, write_repeated
from senard.io.safe import read_product
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.archive import write_product


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchArchive:
    """Products on disk, and the area to ask for."""

    folder: Path
    """Holds the zips."""

    area: BaseGeometry
    """Polygon, lon/lat, inside the products."""

    products: tuple[Path, ...]
    """Its zips, date by date."""

    dates: int
    """How many dates it holds."""

    made: int
    """Products that the cache did not hold."""

    cpu_seconds: float
    """What making those took, of all processes, s."""

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

    def first(self, dates: int, folder: Path) -> "BenchArchive":
        """The archive of fewer dates, over the same area.

        Args:
            dates: how many, from the first.
            folder: an absent folder on the same disk: gets links to the zips.
        """
        folder.mkdir(parents=True)
        wanted = self.products[: dates * (len(self.products) // self.dates)]
        for path in wanted:
            (folder / path.name).hardlink_to(path)
        return replace(self, folder=folder, products=tuple(folder / path.name for path in wanted), dates=dates)


def cache_folder() -> Path:
    """Where archives and results are kept: `SENARD_BENCH_CACHE`, or ~/.cache/senard/bench."""
    given = os.environ.get("SENARD_BENCH_CACHE")
    return Path(given) if given else Path.home() / ".cache/senard/bench"


def bench_archive(size: str, *, workers: int, dates: int | None = None) -> BenchArchive:
    """The archive of one size; products that the cache does not hold are made.

    Args:
        size: name of a plan: "full", "small" or "tiny".
        workers: processes that make products; whoever interrupts them loses only unfinished products.
        dates: how many, from the first; None is all.
    """
    wanted = plan(size)
    folder = cache_folder() / "archives" / f"{size}-{_key(wanted)}"
    dates = dates or wanted.dates[-1]
    acquisitions = wanted.acquisitions[: dates * wanted.products_per_date]
    absent = [one for one in acquisitions if not (folder / f"{one.product_id}.zip").is_file()]
    spent = _make(absent, folder, workers, repeated=wanted.repeated) if absent else 0.0
    for outdated in set(folder.parent.glob(f"{size}-*")) - {folder}:
        shutil.rmtree(outdated)  # up to 12 GB each
    return BenchArchive(
        folder=folder,
        area=wanted.area,
        products=tuple(folder / f"{acquisition.product_id}.zip" for acquisition in acquisitions),
        dates=dates,
        made=len(absent),
        cpu_seconds=spent,
    )


def _make(absent: Sequence[SimulatedAcquisition], folder: Path, workers: int, *, repeated: bool) -> float:
    """Make what is missing, and say what it took, CPU-seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=folder.parent) as name:
        scratch, common = Path(name), Path(name) / "common"
        common.mkdir()
        before = _cpu_seconds()
        if repeated:
            write_common(absent[0], common)
        spent = _cpu_seconds() - before
        jobs = [(one, common if repeated else None, scratch, folder) for one in absent]
        # Threads of the parent (GDAL, numba) do not survive a fork: workers start afresh.
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            return spent + sum(pool.map(_make_product, jobs))


def _make_product(job: tuple[SimulatedAcquisition, Path | None, Path, Path]) -> float:
    """Make one product, and say what it took, CPU-seconds."""
    acquisition, common, scratch, folder = job
    before = _cpu_seconds()
    made = write_repeated(acquisition, common, scratch) if common else write_product(acquisition, scratch)
    made.replace(folder / made.name)
    return _cpu_seconds() - before


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _key(wanted: BenchPlan) -> str:
    """16 hex digits that change with the products and with what makes them."""
    digest = hashlib.sha256(repr(wanted.acquisitions).encode())
    modules = [*Path(senard.simulation.__path__[0]).glob("*.py"), bench.codestream.__file__, bench.repeated.__file__]
    for path in sorted(Path(str(module)) for module in modules):
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
