"""Every peer and senard on one window of the same files: what each took, and how much of the window it filled."""

import json
import re
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import rasterio
from pyproj import Transformer
from shapely import Polygon, box, transform

from bench.archive import BenchArchive
from bench.job import run_job
from bench.peers.environment import peers_python
from bench.peers.question import BANDS, FINE, AskedProduct, Question
from bench.plans import BenchPlan
from bench.process import ProcessFigures, measure
from senard.io.safe import image_path, read_product
from senard.model.grid import Grid

_ROOT = Path(__file__).parents[2]

PEERS = {
    "rasterio loop, first clear": ("bench.peers.by_rasterio",),
    "S2Mosaic first": ("bench.peers.by_s2mosaic", "first"),
    "odc-stac, dask median": ("bench.peers.by_odc_stac",),
    "S2Mosaic median": ("bench.peers.by_s2mosaic", "median"),
}
"""Name to the module that runs it and what follows the question."""

SENARD = "senard"

_PACKAGES = ("s2mosaic", "odc-stac", "dask", "xarray", "numpy", "numbagg", "rasterio")

_STATED = re.compile(r"<(HIGH_PROBA_CLOUDS_PERCENTAGE|CLOUD_SHADOW_PERCENTAGE)>([\d.]+)<")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFigures:
    """One program on the window."""

    name: str
    """Of the program and its method."""

    run: ProcessFigures
    """What it took."""

    filled: float
    """Share of the window's pixels of 10 m that it delivers, 0-1."""


def measure_peers(archive: BenchArchive, wanted: BenchPlan, folder: Path, *, processes: int) -> dict[str, Any]:
    """Run senard and all peers one after another; ready for JSON.

    Args:
        archive: of all dates that are measured.
        wanted: says where the window lies.
        folder: an absent folder.
        processes: of senard.
    """
    python = peers_python()
    folder.mkdir(parents=True)
    grid = window_grid(archive, wanted)
    products = [path for path in archive.products if f"_T{wanted.acquisitions[0].mgrs_tile}_" in path.name]
    outline = _outline(grid)
    only = _only(archive, products, outline, folder / "archive")
    made = [_senard(only, grid, folder / "senard", processes)]
    _tell(made[0])
    for number, (name, arguments) in enumerate(PEERS.items()):
        out = folder / f"peer-{number}"
        out.mkdir()
        question(products, grid, wanted, outline, out).write(out / "question.json")
        command = [str(python), "-m", arguments[0], str(out / "question.json"), *arguments[1:]]
        run = measure(command, _ROOT, out / "log")
        made.append(PeerFigures(name=name, run=run, filled=_filled(out / "result_10.tif", grid)))
        _tell(made[-1])
    return {
        "dates": archive.dates,
        "window_px": grid.width,
        "versions": _versions(python, folder),
        "runs": [asdict(one) for one in made],
        "ratio": {one.name: one.run.cpu_seconds / made[0].run.cpu_seconds for one in made[1:]},
    }


def _tell(figures: PeerFigures) -> None:
    """A line for whoever waits."""
    run = figures.run
    print(f"bench:   {figures.name}: {run.cpu_seconds:.1f} CPU-s, {run.seconds:.1f} s", file=sys.stderr, flush=True)


def window_grid(archive: BenchArchive, wanted: BenchPlan) -> Grid:
    """Pixels of 10 m of the window."""
    whole = read_product(archive.products[0]).grids[10]
    offset, side = 10 * wanted.window_offset_px, wanted.window_px
    return replace(whole, left=whole.left + offset, top=whole.top - offset, width=side, height=side)


def question(products: list[Path], grid: Grid, wanted: BenchPlan, outline: Polygon, out: Path) -> Question:
    """What is asked of a peer.

    Args:
        products: zips of one MGRS tile.
        grid: the window's pixels of 10 m.
        wanted: says where the window lies in the products.
        outline: the window, lon/lat.
        out: folder for the result.
    """
    return Question(
        products=tuple(sorted(map(_asked, products), key=lambda product: product.time)),
        crs=grid.crs,
        left=grid.left,
        top=grid.top,
        product_px=read_product(products[0]).grids[10].width,
        offset_px=wanted.window_offset_px,
        size_px=wanted.window_px,
        outline=tuple((float(lon), float(lat)) for lon, lat in outline.exterior.coords),
        out=str(out),
    )


def _asked(path: Path) -> AskedProduct:
    product = read_product(path)
    keys = {band: f"{band}_{10 if band in FINE else 20}" for band in (*BANDS, "SCL")}
    with ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/MTD_MSIL2A.xml")]
        stated = dict(_STATED.findall(archive.read(name).decode()))
    return AskedProduct(
        product_id=path.stem,
        time=product.scene.acquisition_time.isoformat(),
        orbit=product.scene.relative_orbit,
        cloud_shadow=sum(map(float, stated.values())),
        images={band: image_path(product, key) for band, key in keys.items()},
    )


def _outline(grid: Grid) -> Polygon:
    """The window in lon/lat, its sides bent as they are."""
    bounds = grid.bounds
    square = box(bounds.left, bounds.bottom, bounds.right, bounds.top).segmentize(2_000)
    lonlat = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    made: Polygon = transform(square, lambda points: np.column_stack(lonlat.transform(points[:, 0], points[:, 1])))
    return made


def _only(archive: BenchArchive, products: list[Path], outline: Polygon, folder: Path) -> BenchArchive:
    """The products of one MGRS tile, and the window as their area."""
    folder.mkdir()
    for path in products:
        (folder / path.name).hardlink_to(path)
    return replace(archive, folder=folder, products=tuple(products), area=outline)


def _senard(archive: BenchArchive, grid: Grid, folder: Path, processes: int) -> PeerFigures:
    """senard on the window, on the products' own grid."""
    job = run_job(archive, folder, processes=processes, crs=grid.crs)
    files = list(job.product.glob("*_10.tif"))
    return PeerFigures(name=SENARD, run=job.run, filled=sum(_filled(path, grid) for path in files))


def _filled(path: Path, grid: Grid) -> float:
    """Share of a window that a file delivers."""
    with rasterio.open(path) as dataset:
        return float(np.count_nonzero(dataset.read(1))) / (grid.width * grid.height)


def _versions(python: Path, folder: Path) -> dict[str, str]:
    """Of what the peers compute with."""
    script = folder / "versions.py"
    script.write_text(
        f"import importlib.metadata as m, json\nprint(json.dumps({{n: m.version(n) for n in {_PACKAGES!r}}}))\n",
        encoding="utf-8",
    )
    measure([str(python), str(script)], folder, folder / "versions.json")
    made: dict[str, str] = json.loads((folder / "versions.json").read_text(encoding="utf-8"))
    return made
