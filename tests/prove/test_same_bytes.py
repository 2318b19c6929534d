"""A mosaic has the same bytes however many processes make it, and whatever the blocks that its tiles are chosen in."""

import csv
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from senard.algorithms.labelling import smoothing_px
from senard.algorithms.tiling import cut_tiles
from senard.io.mask_folder import read_own_scenes
from senard.io.scenes_file import read_query_result
from senard.model.arrays import UInt16Array
from senard.model.grid import Tile
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.archive import ArchivePlan, simulate_archive
from senard.simulation.footprint import footprint_of
from senard.steps import select_sources as module
from senard.steps.select_sources import BLOCK_PX
from tests.workflows.commands import Site, contents, finish, start
from workflows.paths import WorkPaths

pytestmark = pytest.mark.prove

SIZE_PX = 1560
"""Side of the products, px of 10 m: 15.6 km, which EPSG:3857 stretches to 1600 px of 20 m at 60 degrees north."""
CLOUDS = (0.5, 0.35, 0.97, 0.4, 0.6, 0.3, 0.95)
"""Share of the sky under cloud, date by date."""
BOTH_ZONES = (1, 5)
"""Dates that have a granule of UTM zone 34 besides that of zone 35."""
DATES_TO_SPARE = 2
"""At least so many dates supply nothing."""

TILES = ((1057, 1603), (526, 1603))
"""(rows, columns) of the mosaic's tiles, px of 20 m."""
BLOCKS = {512: {12, 8}, BLOCK_PX: {2}, 2048: {1}}
"""Side of the blocks, px of 20 m, and how many blocks tiles are chosen in then."""
TOO_LITTLE_PX = 4
"""A choice that reaches no further beyond what smoothing needs depends on where blocks end, px of 20 m."""

IN_BLOCKS = """
import sys
from pathlib import Path
from senard.steps import select_sources as module

block_px, told, select = int(sys.argv.pop(1)), Path(sys.argv.pop(1)), module.select_sources

def in_blocks(*given, progress, **named):
    shares = []
    out = select(*given, block_px=block_px, progress=shares.append, **named)
    with told.open("a") as file:
        file.write(f"{len(shares)} ")
    return out

module.select_sources = in_blocks
from workflows.cli import main
sys.exit(main())
"""
"""`senard` with blocks of another size: first come their side, px, and a file that gets their number in each choice."""


def plan() -> ArchivePlan:
    """Seven dates over a cut line of the mosaic's grid, two of them overcast, two of them in two UTM zones."""
    first = datetime(2024, 6, 3, 9, 50, 31, tzinfo=UTC)
    dates = [
        SimulatedAcquisition(
            mgrs_tile="35VLG",
            time=first + timedelta(days=7 * number),
            satellite=("S2A", "S2B")[number % 2],
            relative_orbit=122,
            size_px=SIZE_PX,
            offset_px=(3432, 2700),
            seed=7,
            cloud_fraction=share,
            swath_centre=(24.9, 60.0),
        )
        for number, share in enumerate(CLOUDS)
    ]
    others = [replace(dates[number], mgrs_tile="34VFM", offset_px=(3432, 5580)) for number in BOTH_ZONES]
    return ArchivePlan(acquisitions=(*dates, *others), area=footprint_of(dates[0]).buffer(-0.002))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The products. Nobody may write into it."""
    return simulate_archive(plan(), tmp_path_factory.mktemp("archive"), truth=False, workers=2)


def site_in(archive: Path, folder: Path) -> Site:
    return Site(archive=archive, area=archive / "area.geojson", folder=folder / "here")


@pytest.fixture(scope="module")
def by_one(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Where one process made the mosaic. Nobody may write into it."""
    site = site_in(archive, tmp_path_factory.mktemp("one"))
    done = site.senard("--njobs", "1", keep="masks")
    assert done.returncode == 0, done.stderr
    return site


@pytest.fixture(scope="module")
def expected(by_one: Site) -> Mapping[str, str]:
    """Name and SHA-256 of every file of that mosaic, SHA256SUMS among them."""
    found = contents(by_one.product())
    assert {"0_10.tif", "1_10.tif", "0_20.tif", "1_20.tif", "report.html", "SHA256SUMS"} <= found.keys()
    return found


@dataclass(frozen=True)
class Case:
    """What sources are chosen from."""

    request: MosaicRequest
    scenes: list[Sentinel2Scene]
    masks: list[Path]

    @property
    def tiles(self) -> tuple[Tile, ...]:
        return cut_tiles(self.request.aoi, self.request.crs)

    def dates(self, numbers: UInt16Array) -> set[datetime]:
        """Overflights of some source numbers."""
        return {self.scenes[number - 1].datatake_time for number in np.unique(numbers[numbers > 0]).tolist()}


@pytest.fixture(scope="module")
def case(by_one: Site) -> Case:
    """The scenes as that mosaic judged them."""
    work = WorkPaths(root=by_one.out / ".senard")
    (query,) = work.queries()
    request = MosaicRequest.from_canonical(query.request.read_text(encoding="utf-8"))
    kept = read_query_result(query.scenes).kept
    masks = [work.masks(scene.product_id, request.evidence_key) for scene in kept]
    return Case(request, read_own_scenes(kept, masks), masks)


class TestCase:
    """What is compared here"""

    def test_is_larger_than_a_block_and_has_more_dates_than_are_needed(self, by_one: Site, case: Case) -> None:
        assert tuple(tile.grid(20).shape for tile in case.tiles) == TILES
        with (by_one.product() / "scenes.csv").open(encoding="utf-8", newline="") as table:
            used = np.array([row["used"] == "true" for row in csv.DictReader(table)])
        winners = case.dates((1 + np.flatnonzero(used)).astype(np.uint16))
        assert 3 <= len(winners) <= len(CLOUDS) - DATES_TO_SPARE


class TestProcesses:
    """The mosaic"""

    @pytest.mark.parametrize("processes", [2, 4])
    def test_is_that_of_one_process(
        self, archive: Path, expected: Mapping[str, str], tmp_path: Path, processes: int
    ) -> None:
        site = site_in(archive, tmp_path)
        done = site.senard("--njobs", str(processes), keep="masks")
        assert done.returncode == 0, done.stderr
        assert contents(site.product()) == expected


class TestBlocks:
    """Blocks of another size"""

    @pytest.mark.parametrize("block_px", [size for size in BLOCKS if size != BLOCK_PX])
    def test_make_the_same_mosaic(
        self, archive: Path, expected: Mapping[str, str], tmp_path: Path, block_px: int
    ) -> None:
        site, told = site_in(archive, tmp_path), tmp_path / "told"
        words = [str(block_px), str(told), "mosaic", *site.asked(keep="masks"), "--njobs", "2"]
        done = finish(start([sys.executable, "-c", IN_BLOCKS, *words], site.folder))
        assert done.returncode == 0, done.stderr
        assert set(map(int, told.read_text().split())) == BLOCKS[block_px]
        assert contents(site.product()) == expected

    def test_give_the_same_source_map_where_scenes_are_feathered_and_nothing_is_clipped(
        self, case: Case, tmp_path: Path
    ) -> None:
        case = replace(case, request=replace(case.request, feather_m=60.0, clip=False))
        small, usual, large = (chosen(case, tmp_path, block_px) for block_px in BLOCKS)
        assert small.keys() == {".files.json", "sources_20.tif", "sources.json"}
        assert small == usual == large

    def test_would_differ_if_a_block_knew_too_little_around_it(
        self, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """So patches and borders do lie where blocks meet."""
        monkeypatch.setattr(module, "halo_px", lambda grid: smoothing_px(grid) + TOO_LITTLE_PX)
        small, large = (chosen(case, tmp_path, block_px)["sources_20.tif"] for block_px in (512, 2048))
        assert small != large


def chosen(case: Case, folder: Path, block_px: int) -> dict[str, bytes]:
    """The files of the first tile's choice."""
    told: list[float] = []
    out = folder / str(block_px)
    module.select_sources(
        case.request, case.scenes, case.masks, case.tiles[0], out, block_px=block_px, progress=told.append
    )
    assert len(told) in BLOCKS[block_px]
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}
