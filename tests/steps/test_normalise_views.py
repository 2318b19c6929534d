"""Scenes brought to the view from straight above, and back."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy.ndimage import map_coordinates

from senard.algorithms.levelling import Cells
from senard.algorithms.nadir import NADIR
from senard.errors import UnusableSceneError
from senard.io.geotiff import read_scratch
from senard.io.levels_folder import write_levels
from senard.model.grid import Grid
from senard.model.product import AngleGrid
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.steps import supply_band as module
from senard.steps.changes import Nadir
from senard.steps.composite_tile import composite_tile
from senard.steps.deliver_levels import deliver_factors, deliver_levels
from senard.steps.level_scenes import EDGE_CELLS, area_cells
from senard.steps.normalise_views import normalise_views
from tests.steps.judged_scenes import Plan, around, write_judged
from tests.steps.small_products import SmallArchive, SmallProduct, request, tile

WHERE = tile(size_m=1200)
SUN = AngleGrid(zenith=np.full((23, 23), 45, np.float32), azimuth=np.full((23, 23), 155, np.float32))
VIEWS = {1: 105.0, 2: 285.0}
"""Source number to the azimuth of the satellite, degrees."""


def ground(x: np.ndarray, y: np.ndarray, band: str) -> np.ndarray:
    return 3000 + 100 * int(band[1]) + 1500 * np.sin(x / 90) * np.cos(y / 70)


class Site:
    """Two products seen from two sides, the first with a lake, the second with snow."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.archive = root, SmallArchive(root)
        monkeypatch.setattr(module, "read_product", self.read)
        self.masks = {}
        for number in VIEWS:
            self.archive.add(SmallProduct(day=datetime(2024, 5, number, 10, 40, tzinfo=UTC)), ground)
            scl = np.full((120, 120), 4, np.uint8)
            scl[:60] = (6, 11)[number - 1]
            left, top = around(WHERE, "EPSG:32635", 120)
            plan = Plan(left=left, top=top, size=120, scl=scl, day=number)
            self.masks[number] = write_judged(root / "masks", plan).folder
        source = np.ones(WHERE.grid(20).shape, int)
        source[:, 30:] = 2
        self.source = source
        self.sources = self.archive.select(WHERE, source)
        self.angles_known = True

    def read(self, root: Path):
        product = self.archive.read(root)
        zenith = np.linspace(6, 11, 23 * 23).reshape(23, 23).astype(np.float32)
        if not self.angles_known:
            zenith[:] = np.nan
        azimuth = np.full((23, 23), VIEWS[product.scene.relative_orbit], np.float32)
        return replace(product, sun=SUN, view=AngleGrid(zenith=zenith, azimuth=azimuth))

    def compose(self, name: str, *, levels: Path | None = None, nadir: Nadir | None = None) -> np.ndarray:
        out, self.flags = self.root / name / "0_10.tif", self.root / name / "0_10.flags.tif"
        composite_tile(
            request(), self.archive.scenes, self.archive.safes, self.sources, WHERE, 10, out, self.flags, levels=levels,
            nadir=nadir,
        )  # fmt: skip
        with rasterio.open(out) as dataset:
            return dataset.read()

    def factors(self) -> Nadir:
        folder = normalise_views(request(), self.archive.safes, [WHERE], self.root / "nbar")
        return Nadir(factors=folder, masks=self.masks)

    def levels(self) -> Path:
        """Corrections of the first scene that change from cell to cell."""
        folder = self.root / "levels"
        folder.mkdir()
        cells: Cells = area_cells([WHERE]).padded(EDGE_CELLS)
        random = np.random.default_rng(3)
        values = random.uniform(-60, 60, (4, *cells.shape)).astype(np.float32)
        bright = np.full((4, *cells.shape), 2000, np.float32)
        write_levels(folder, 1, cells.grid(WHERE.crs), [*values, *bright])
        return folder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


def between(path: Path, band: str, grid: Grid) -> np.ndarray:
    """A band of cells at the centres of a grid's pixels, bilinear."""
    with rasterio.open(path) as file:
        values = file.read(file.descriptions.index(band) + 1).astype(float)
        left, top, cell = file.transform.c, file.transform.f, file.transform.a
    rows, cols = np.mgrid[: grid.height, : grid.width]
    y, x = top - (grid.top - (rows + 0.5) * grid.gsd), grid.left + (cols + 0.5) * grid.gsd - left
    return map_coordinates(values, [y / cell - 0.5, x / cell - 0.5], order=1)


class TestNormaliseViews:
    """A scene brought to the view from straight above"""

    def test_can_be_had_back_to_1_dn_also_where_it_was_levelled(self, site: Site) -> None:
        levels, nadir = site.levels(), site.factors()
        plain, made = site.compose("plain"), site.compose("made", levels=levels, nadir=nadir)
        product, grid = site.root / "product", WHERE.grid(10)
        names = deliver_levels(levels, product), deliver_factors(nadir.factors, product)
        assert names == (("layers/LEVEL_1.tif",), ("layers/NBAR_1.tif", "layers/NBAR_2.tif"))
        flagged = np.kron(read_scratch(site.flags, bands="flags") & NADIR > 0, np.ones((2, 2), bool))
        source = np.kron(site.source, np.ones((2, 2), int))
        for number in (1, 2):
            for band, after, original in zip(MOSAIC_BANDS[10], made, plain, strict=True):
                number_back = after / np.where(flagged, between(product / f"layers/NBAR_{number}.tif", band, grid), 1)
                if number == 1:
                    offset = between(product / "layers/LEVEL_1.tif", f"offset {band}", grid)
                    gain = between(product / "layers/LEVEL_1.tif", f"gain {band}", grid)
                    number_back = (number_back - offset) / (1 + gain)
                wrong = np.abs(np.rint(number_back) - original)[source == number]
                assert wrong.max() <= 1
        assert np.abs(made.astype(int) - plain).max() > 50

    def test_stays_as_it_is_on_water_and_snow(self, site: Site) -> None:
        plain, made = site.compose("plain"), site.compose("made", nadir=site.factors())
        flagged = np.kron(read_scratch(site.flags, bands="flags") & NADIR > 0, np.ones((2, 2), bool))
        assert 0.3 < flagged.mean() < 0.7
        np.testing.assert_array_equal(made[:, ~flagged], plain[:, ~flagged])
        first = flagged & (np.kron(site.source, np.ones((2, 2), int)) == 1)
        assert (made[:, first] < plain[:, first]).all()  # the sun behind the satellite: too bright
        second = flagged & ~first
        assert (made[:, second] > plain[:, second]).all()

    def test_decodes_no_part_of_an_image_twice(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        nadir, decoded = site.factors(), []
        read_squares = module.TiledImage.read_squares

        def counting(image, wanted, out):
            decoded.append(int(wanted.sum()))
            return read_squares(image, wanted, out)

        monkeypatch.setattr(module.TiledImage, "read_squares", counting)
        site.compose("plain")
        plain = sum(decoded)
        site.compose("made", nadir=nadir)
        assert sum(decoded) == 2 * plain

    def test_needs_the_angles_of_its_product(self, site: Site) -> None:
        site.angles_known = False
        nadir = site.factors()
        assert list(nadir.factors.glob("[!.]*")) == []
        with pytest.raises(UnusableSceneError, match="states no angles of sun and satellite") as caught:
            site.compose("made", nadir=nadir)
        assert caught.value.product_id == site.archive.scenes[0].product_id
