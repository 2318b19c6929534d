"""Slopes of scenes brought to the light of level ground, and back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from scipy.ndimage import map_coordinates

from senard.algorithms.nadir import NADIR
from senard.algorithms.slopes import FACTORS, SLOPE
from senard.errors import IncompleteError, RequestError
from senard.io.geotiff import read_scratch
from senard.io.land_folder import Layer, cells_of, write_cell
from senard.io.slopes_folder import read_light, read_shares
from senard.model.grid import Grid, Tile
from senard.model.product import AngleGrid
from senard.model.request import MosaicRequest, Topography
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import JUDGE_BANDS, MOSAIC_BANDS
from senard.steps import correct_slopes as module
from senard.steps import supply_band
from senard.steps.block_land import land_grids
from senard.steps.changes import Nadir, Slopes
from senard.steps.composite_tile import composite_tile
from senard.steps.correct_slopes import correct_slopes
from senard.steps.deliver_levels import deliver_factors, deliver_slopes
from senard.steps.normalise_views import normalise_views
from tests.steps.judged_scenes import Plan, around, write_judged
from tests.steps.small_products import SmallArchive, SmallProduct, request, tile

WHERE = tile(size_m=4200)
ZENITH, AZIMUTH = 45.0, 160.0
SHARES = {1: 0.8, 2: 0.4}
"""Source number to the share of direct light, in all bands."""


def asked() -> MosaicRequest:
    return replace(request(), dem="ab", topography=Topography.C)


def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ridges from west to east every 1500 m of EPSG:3857, half as wide on the ground; the steepest slope is 27 degrees.

    Ground east of the middle is level.
    """
    hilly = np.clip((WHERE.left + 3200 - x) / 200, 0, 1)
    return 60 * np.sin(2 * np.pi * y / 1500) * hilly


def light(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What falls on the ground there, over what falls on level ground."""
    east = (height(x + 30, y) - height(x - 30, y)) / 60 * 2.0
    north = (height(x, y + 30) - height(x, y - 30)) / 60 * 2.0
    zenith, azimuth = np.deg2rad([ZENITH, AZIMUTH])
    towards = np.tan(zenith) * (east * np.sin(azimuth) + north * np.cos(azimuth))
    return (1 - towards) / np.sqrt(1 + east**2 + north**2)


def ground(x: np.ndarray, band: str) -> np.ndarray:
    """On level ground."""
    return {"B02": 400, "B03": 700, "B04": 500, "B08": 3500, "B8A": 3600, "B11": 2000}[band] + 60 * np.sin(x / 90)


def seen(number: int, x: np.ndarray, y: np.ndarray, band: str) -> np.ndarray:
    return ground(x, band) * (1 + SHARES[number] * (light(x, y) - 1))


class Site:
    """Two products of one place on two days, the first with a lake, the second with snow and a cloud."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.archive = root, SmallArchive(root)
        monkeypatch.setattr(supply_band, "read_product", self.read)
        self.masks, self.made = {}, 0
        for number in SHARES:
            product = SmallProduct(day=datetime(2024, 5, number, 10, 40, tzinfo=UTC))
            self.archive.add(product, lambda x, y, band, number=number: seen(number, x, y, band))
            scl = np.full((120, 120), 4, np.uint8)
            scl[50:65, 55:105] = (6, 11)[number - 1]
            scl[70:80, 55:105] = (6, 9)[number - 1]
            left, top = around(WHERE, "EPSG:32635", 120)
            plan = Plan(left=left, top=top, size=120, scl=scl, day=number, sun_zenith=ZENITH)
            self.masks[number] = write_judged(root / "masks", replace(plan, spectra=self.spectra(plan, number))).folder
        self.land = root / "land"
        self.land.mkdir()
        for cell in sorted({cell for grid in land_grids([WHERE]) for cell in cells_of(grid)}):
            x, y = centres(cell.grid(WHERE.crs))
            write_cell(self.land, Layer.HEIGHTS, cell, WHERE.crs, height(x, y).astype(np.float32))

    def spectra(self, plan: Plan, number: int) -> np.ndarray:
        grid = Grid(crs=plan.crs, left=plan.left, top=plan.top, gsd=60, width=40, height=40)
        x, y = Transformer.from_crs(plan.crs, "EPSG:3857", always_xy=True).transform(*centres(grid))
        return np.rint([seen(number, x, y, band) for band in JUDGE_BANDS]).astype(np.uint16)

    def read(self, root: Path):
        shape = (23, 23)
        sun = AngleGrid(zenith=np.full(shape, ZENITH, np.float32), azimuth=np.full(shape, AZIMUTH, np.float32))
        view = AngleGrid(zenith=np.full(shape, 9, np.float32), azimuth=np.full(shape, 105, np.float32))
        return replace(self.archive.read(root), sun=sun, view=view)

    def slopes(self, tiles: Sequence[Tile] = (WHERE,), scenes: Sequence[Sentinel2Scene] = ()) -> Slopes:
        self.made += 1
        places = (scenes or self.archive.scenes, self.masks, self.archive.safes, tiles, self.land)
        folder = correct_slopes(asked(), *places, self.root / f"slopes {self.made}")
        return Slopes(folder=folder, masks=self.masks)

    def compose(
        self,
        name: str,
        where: Tile = WHERE,
        *,
        source: int = 1,
        nadir: Nadir | None = None,
        slopes: Slopes | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The four bands of 10 m, and the flags."""
        out, flags = self.root / name / "0_10.tif", self.root / name / "0_10.flags.tif"
        chosen = self.archive.select(where, np.full(where.grid(20).shape, source))
        places = (self.archive.scenes, self.archive.safes, chosen, where)
        composite_tile(asked(), *places, 10, out, flags, nadir=nadir, slopes=slopes)
        with rasterio.open(out) as dataset:
            return dataset.read(), np.kron(read_scratch(flags, bands="flags"), np.ones((2, 2), np.uint8))


def centres(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.mgrid[: grid.height, : grid.width]
    return grid.left + (cols + 0.5) * grid.gsd, grid.top - (rows + 0.5) * grid.gsd


def between(path: Path, values: np.ndarray, grid: Grid) -> np.ndarray:
    """A band of a layer at the centres of a grid's pixels, bilinear."""
    with rasterio.open(path) as file:
        left, top, cell = file.transform.c, file.transform.f, file.transform.a
    x, y = centres(grid)
    return map_coordinates(values, [(top - y) / cell - 0.5, (x - left) / cell - 0.5], order=1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        yield Site(tmp_path_factory.mktemp("slopes"), patch)


@pytest.fixture(scope="module")
def found(site: Site) -> Slopes:
    """As the product finds them."""
    return site.slopes()


class TestCorrectSlopes:
    """A scene whose slopes are brought to the light of level ground"""

    def test_shows_slopes_towards_and_away_from_the_sun_alike(self, site: Site, found: Slopes) -> None:
        x, y = centres(WHERE.grid(10))
        sunny, shady = light(x, y) > 1.2, light(x, y) < 0.8
        for number, share in SHARES.items():
            assert read_shares(found.folder)[number] == pytest.approx(dict.fromkeys(JUDGE_BANDS, share), abs=0.05)
            plain, _ = site.compose("plain", source=number)
            made, bits = site.compose("made", source=number, slopes=found)
            changed = (bits & SLOPE) > 0
            for before, after in zip(plain, made, strict=True):
                ratios = [dn[sunny & changed].mean() / dn[shady & changed].mean() for dn in (before, after)]
                assert ratios[0] > 1 + 0.4 * share
                assert ratios[1] == pytest.approx(1, abs=0.04)

    def test_can_be_had_back_to_1_dn_also_from_straight_above(self, site: Site, found: Slopes) -> None:
        product = site.root / "product"
        views = normalise_views(asked(), site.archive.safes, [WHERE], site.root / "nbar")
        plain, _ = site.compose("plain")
        made, bits = site.compose("made", nadir=Nadir(factors=views, masks=site.masks), slopes=found)
        deliver_factors(views, product)
        assert deliver_slopes(found.folder, product) == ("layers/TOPO_1.tif", "layers/TOPO_2.tif")
        slope, view = (product / f"layers/{kind}_1.tif" for kind in ("TOPO", "NBAR"))
        for band, after, original in zip(MOSAIC_BANDS[10], made, plain, strict=True):
            with rasterio.open(slope) as file:
                share = float(file.tags()[f"DIRECT_{band}"])
                factors = np.clip(1 / (1 + share * (file.read(1) / 10_000 - 1)), *FACTORS)
            with rasterio.open(view) as file:
                straight = file.read(file.descriptions.index(band) + 1)
            back = after / np.where(bits & SLOPE, between(slope, factors, WHERE.grid(10)), 1)
            back /= np.where(bits & NADIR, between(view, straight, WHERE.grid(10)), 1)
            assert np.abs(np.rint(back) - original).max() <= 1
        assert np.abs(made.astype(int) - plain).max() > 200
        assert deliver_slopes(None, product) == ()
        assert not slope.exists()

    @pytest.mark.parametrize("source", [1, 2])
    def test_keeps_water_snow_and_clouds(self, site: Site, found: Slopes, source: int) -> None:
        plain, _ = site.compose("plain", source=source)
        made, bits = site.compose("made", source=source, slopes=found)
        kept = (bits & SLOPE) == 0
        assert 0.02 < kept.mean() < 0.2
        np.testing.assert_array_equal(made[:, kept], plain[:, kept])

    def test_takes_no_steep_slope_for_water(self, site: Site, found: Slopes) -> None:
        kept = [(site.compose("made", source=source, slopes=found)[1] & SLOPE) == 0 for source in (1, 2)]
        x, _ = centres(WHERE.grid(10))
        level = x > WHERE.left + 3400
        assert kept[0][level].mean() > 0.05
        assert kept[0][~level].mean() < 0.6 * kept[1][~level].mean()

    def test_keeps_slopes_that_the_sun_hardly_meets(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """As if a cosine of 0.5 were the limit, light of 0.71."""
        monkeypatch.setattr("senard.algorithms.slopes.LEAST_COS", 0.5)
        plain, _ = site.compose("plain")
        made, bits = site.compose("made", slopes=site.slopes())
        kept, fallen = (bits & SLOPE) == 0, light(*centres(WHERE.grid(10)))
        assert kept[fallen < 0.6].all()
        assert 0 < kept[fallen > 0.75].mean() < 0.2, "water alone"
        np.testing.assert_array_equal(made[:, kept], plain[:, kept])

    def test_is_the_same_however_the_area_is_cut(
        self, site: Site, found: Slopes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        middle = WHERE.left + 1820
        halves = [replace(WHERE, right=middle), replace(WHERE, index=1, left=middle)]
        monkeypatch.setattr(module, "BLOCK_CELLS", 2)
        cut = site.slopes(halves)
        assert read_shares(cut.folder) == read_shares(found.folder)
        inner = WHERE.grid(60)
        left, top = -(-WHERE.left // 60) * 60, WHERE.top // 60 * 60
        grid = replace(inner, left=float(left), top=float(top)).padded(-1)
        np.testing.assert_array_equal(read_light(cut.folder, 1, grid), read_light(found.folder, 1, grid))
        made, _ = site.compose("made", slopes=found)
        parts = [site.compose(f"part {half.index}", half, slopes=cut)[0] for half in halves]
        np.testing.assert_array_equal(np.concatenate(parts, axis=2), made)

    def test_shares_its_numbers_with_its_overflight(self, site: Site) -> None:
        first, second = site.archive.scenes
        same = {"datatake_time": first.datatake_time, "datatake_id": first.datatake_id}
        shares = read_shares(site.slopes(scenes=[first, replace(second, **same)]).folder)
        assert shares[1] == shares[2]
        assert SHARES[2] < shares[1]["B8A"] < SHARES[1]

    def test_stays_as_it_is_where_slopes_show_nothing(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("senard.algorithms.slopes.LEAST_CELLS", 10**6)
        slopes = site.slopes()
        assert not list(slopes.folder.glob("*.tif"))
        plain, _ = site.compose("plain")
        made, bits = site.compose("made", slopes=slopes)
        assert not (bits & SLOPE).any()
        np.testing.assert_array_equal(made, plain)

    def test_needs_heights(self, site: Site) -> None:
        places = (site.archive.scenes, site.masks, site.archive.safes, [WHERE])
        with pytest.raises(RequestError, match="--topography without --dem: slopes are not known"):
            correct_slopes(request(), *places, None, site.root / "never")
        with pytest.raises(IncompleteError, match="Delete the folder and run the whole command again"):
            correct_slopes(asked(), *places, site.root / "elsewhere", site.root / "never")
