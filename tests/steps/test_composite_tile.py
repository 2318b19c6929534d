"""One tile of the mosaic, filled from the scenes that its source map chose."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from senard.errors import UnusableSceneError
from senard.model.grid import Tile
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.steps import supply_band as module
from senard.steps.composite_tile import composite_tile
from tests.steps.small_products import INTERNAL_TILE, SmallArchive, SmallProduct, pixels_of, request, tile

MAY = SmallProduct(day=datetime(2024, 5, 1, 10, 40, 21, tzinfo=UTC))
NEW_YEAR = SmallProduct(
    day=datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC),
    offset=0,
    processing_time=datetime(2024, 6, 3, 4, 5, 6, tzinfo=UTC),
)


def waves(x: np.ndarray, y: np.ndarray, band: str) -> np.ndarray:
    """Smooth ground that every band sees a little differently."""
    shift = int(band[1]) * 100
    return 2000 + shift + 500 * np.sin(x / 250) + 400 * np.cos(y / 310)


def flat(value: int):
    return lambda x, _y, _band: np.full(x.shape, value)


class Composing:
    """One composite in a temporary folder, and what came out."""

    def __init__(self, root: Path, archive: SmallArchive, where: Tile, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.archive, self.tile = root, archive, where
        monkeypatch.setattr(module, "read_product", archive.read)

    def run(self, sources: np.ndarray, gsd: int = 10, name: str = "out", **options: int) -> np.ndarray:
        folder = self.archive.select(self.tile, sources)
        self.out = self.root / name / f"0_{gsd}.tif"
        self.flags = self.root / name / f"0_{gsd}.flags.tif"
        request_, scenes, safes = request(self.tile.crs), self.archive.scenes, self.archive.safes
        composite_tile(request_, scenes, safes, folder, self.tile, gsd, self.out, self.flags, **options)
        with rasterio.open(self.out) as dataset:
            return dataset.read()

    @property
    def figures(self) -> dict:
        return json.loads(self.flags.with_name(self.flags.name.replace(".flags.tif", ".json")).read_text())


@pytest.fixture
def archive(tmp_path: Path) -> SmallArchive:
    return SmallArchive(tmp_path)


@pytest.fixture
def composing(tmp_path: Path, archive: SmallArchive, monkeypatch: pytest.MonkeyPatch) -> Composing:
    return Composing(tmp_path, archive, tile(size_m=1200), monkeypatch)


def everywhere(where: Tile, number: int = 1) -> np.ndarray:
    return np.full(where.grid(20).shape, number, np.uint16)


class TestCompositeTile:
    """A tile of the mosaic"""

    def test_shows_the_ground_in_every_band(self, composing: Composing) -> None:
        composing.archive.add(MAY, waves)
        found = composing.run(everywhere(composing.tile))
        for band, pixels in zip(MOSAIC_BANDS[10], found, strict=True):
            truth = pixels_of(composing.tile.grid(10), waves, band)
            assert np.abs(pixels - truth).max() <= 1

    def test_takes_every_pixel_from_the_scene_of_the_source_map(self, composing: Composing) -> None:
        for value in (1111, 2222, 3333):
            composing.archive.add(MAY, flat(value))
        sources = np.random.default_rng(0).integers(0, 4, composing.tile.grid(20).shape)
        expected = np.kron(sources, np.ones((2, 2))) * 1111
        np.testing.assert_array_equal(composing.run(sources), [expected] * 4)

    def test_carries_year_and_day_of_each_pixel_in_utc(self, composing: Composing) -> None:
        bands = MOSAIC_BANDS[20]
        composing.archive.add(MAY, flat(1111), bands=bands)
        composing.archive.add(NEW_YEAR, flat(2222), bands=bands)
        sources = np.random.default_rng(1).integers(0, 3, composing.tile.grid(20).shape)
        found = composing.run(sources, 20)
        np.testing.assert_array_equal(found[:6], [sources * 1111] * 6)
        np.testing.assert_array_equal(found[6], np.array([0, 2024, 2023])[sources])
        np.testing.assert_array_equal(found[7], np.array([0, 122, 365])[sources])

    def test_is_the_same_from_all_baselines(self, composing: Composing) -> None:
        composing.archive.add(MAY, waves)
        composing.archive.add(NEW_YEAR, waves)
        new, old = composing.run(everywhere(composing.tile, 1)), composing.run(everywhere(composing.tile, 2))
        assert np.abs(new.astype(int) - old).max() <= 1

    def test_joins_products_of_two_zones_without_a_step(self, composing: Composing) -> None:
        composing.archive.add(MAY, waves)
        composing.archive.add(SmallProduct(crs="EPSG:32634", offset=0), waves)
        sources = everywhere(composing.tile)
        sources[:, sources.shape[1] // 2 :] = 2
        found = composing.run(sources)
        assert np.abs(found[0] - pixels_of(composing.tile.grid(10), waves, "B04")).max() <= 1

    def test_copies_pixels_where_the_mosaic_lies_on_the_products_grid(
        self, tmp_path: Path, archive: SmallArchive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        where = tile(crs="EPSG:32635", size_m=1200)
        noise = np.random.default_rng(5).integers(1, 9000, (400, 400))
        product = archive.add(MAY, lambda x, _y, _band: noise[: x.shape[0], : x.shape[1]])
        found = Composing(tmp_path, archive, where, monkeypatch).run(everywhere(where))
        grid = product.grids[10]
        row, col = int(grid.top - where.top) // 10, int(where.left - grid.left) // 10
        np.testing.assert_array_equal(found[0], noise[row : row + 120, col : col + 120])

    def test_decodes_each_needed_internal_tile_once_and_no_other(self, composing: Composing) -> None:
        where = composing.tile
        product = composing.archive.add(MAY, waves)
        composing.archive.add(NEW_YEAR, waves)
        sources = np.zeros(where.grid(20).shape, int)
        sources[3:5, 4:6], sources[40:44, 50:51], sources[30, 30] = 1, 1, 2
        composing.run(sources)
        assert composing.figures["jp2_tiles_decoded"] == 4 * sum(
            len(touched(np.kron(sources, np.ones((2, 2))) == number, where, product.grids[10])) for number in (1, 2)
        )

    def test_mends_a_hole_with_the_nearest_pixel_of_the_same_scene(self, composing: Composing) -> None:
        hole = np.zeros((240, 240), bool)
        hole[118:122, 119:123] = True
        composing.archive.add(MAY, flat(3000), holes={"B03": hole})
        found = composing.run(everywhere(composing.tile))
        assert (found == 3000).all()
        figures = composing.figures
        assert figures["mended"] > 16  # 10 m of this mosaic are 5 m on the ground: 4 output pixels a pixel
        with rasterio.open(composing.flags) as dataset:
            bits = dataset.read(1)
        assert set(np.unique(bits)) == {0, 2}
        assert 4 * (bits == 2).sum() >= figures["mended"]

    def test_delivers_dark_ground_as_one_and_counts_it(self, composing: Composing) -> None:
        composing.archive.add(MAY, flat(-40))
        found = composing.run(everywhere(composing.tile))
        assert (found == 1).all()
        assert composing.figures["clipped_low"] == found.size

    def test_is_nodata_in_all_bands_or_in_none(self, composing: Composing) -> None:
        random = np.random.default_rng(6)
        holes = {band: random.random((240, 240)) < 0.1 for band in MOSAIC_BANDS[10]}
        composing.archive.add(MAY, flat(-10), holes=holes)
        composing.archive.add(NEW_YEAR, waves, holes=holes)
        sources = random.integers(0, 3, composing.tile.grid(20).shape)
        found = composing.run(sources)
        np.testing.assert_array_equal(found > 0, [np.kron(sources, np.ones((2, 2))) > 0] * 4)

    def test_refuses_a_band_that_holds_nothing(self, composing: Composing) -> None:
        composing.archive.add(MAY, flat(3000), holes={"B02": np.ones((240, 240), bool)})
        name = composing.archive.scenes[0].product_id
        with pytest.raises(UnusableSceneError, match=f"^{name}: B02 has no data"):
            composing.run(everywhere(composing.tile))
        assert not composing.out.exists()
        assert not list(composing.out.parent.glob("**/.*"))

    def test_names_the_product_that_could_not_be_unpacked(self, composing: Composing) -> None:
        composing.archive.add(MAY, flat(3000))
        (composing.archive.safes[1] / "unusable.json").write_text('{"product_id": "x", "reason": "cut short"}')
        with pytest.raises(UnusableSceneError, match=r"T35VLG_.*: cut short"):
            composing.run(everywhere(composing.tile))

    def test_has_the_same_bytes_whatever_the_number_of_threads(self, composing: Composing) -> None:
        composing.archive.add(MAY, waves)
        sums = set()
        for name, threads in (("a", 1), ("b", 2)):
            composing.run(everywhere(composing.tile), name=name, threads=threads)
            sums.add(hashlib.sha256(composing.out.read_bytes()).hexdigest())
        assert len(sums) == 1

    def test_may_be_empty(self, composing: Composing) -> None:
        composing.archive.add(MAY, waves)
        assert not composing.run(everywhere(composing.tile, 0)).any()
        assert composing.figures["jp2_tiles_decoded"] == 0

    def test_is_a_cloud_optimized_geotiff_that_says_what_it_is(self, composing: Composing) -> None:
        composing.archive.add(MAY, waves)
        composing.archive.add(NEW_YEAR, waves)
        sources = everywhere(composing.tile)
        sources[:9] = 2
        found = composing.run(sources)
        assert cog_validate(composing.out, strict=True) == (True, [], [])
        with rasterio.open(composing.out) as dataset:
            assert dataset.descriptions == ("B04", "B03", "B02", "B08")
            assert dataset.nodatavals == (0,) * 4
            assert dataset.scales == (0.0001,) * 4
            assert dataset.units == ("1",) * 4
            assert [colour.name for colour in dataset.colorinterp] == ["red", "green", "blue", "undefined"]
            assert dataset.block_shapes == [(512, 512)] * 4
            tags, band = dataset.tags(), dataset.tags(1)
        assert tags["TIFFTAG_DATETIME"] == "2024:06:03 04:05:06"
        assert tags["TIFFTAG_COPYRIGHT"] == "Contains modified Copernicus Sentinel data 2023, 2024"
        assert tags["SENARD_SCENES"] == "2"
        assert tags["SENARD_LEVELLING"] == "datatake"
        assert tags["SENARD_PERIOD"] == "2024-05-01/2024-07-31"
        assert tags["TIFFTAG_IMAGEDESCRIPTION"] == f"{tags['SENARD_PRODUCT']} tile 0, 10 m"
        assert not any("simulated" in value for value in tags.values())
        assert (band["WAVELENGTH_NM"], band["BANDWIDTH_NM"], band["COMMON_NAME"]) == ("665", "38", "red")
        assert float(band["STATISTICS_MEAN"]) == pytest.approx(found[0].mean(), rel=1e-12)
        assert not list(composing.out.parent.glob("*.aux.xml"))

    def test_says_when_it_is_made_of_simulated_products(self, composing: Composing) -> None:
        composing.archive.add(SmallProduct(simulated=True), waves)
        composing.run(everywhere(composing.tile))
        with rasterio.open(composing.out) as dataset:
            assert "simulated" in dataset.tags()["SENARD_SIMULATED"]


def touched(winning: np.ndarray, where: Tile, source) -> set[tuple[int, int]]:
    """Internal tiles around the exact places of winning pixels, by pyproj alone."""
    from pyproj import Transformer

    rows, cols = np.nonzero(winning)
    x, y = where.left + (cols + 0.5) * 10, where.top - (rows + 0.5) * 10
    u, v = Transformer.from_crs(where.crs, source.crs, always_xy=True).transform(x, y)
    top = np.floor((source.top - v) / 10 - 0.5).astype(int)
    left = np.floor((u - source.left) / 10 - 0.5).astype(int)
    return {
        ((r + i) // INTERNAL_TILE, (c + j) // INTERNAL_TILE)
        for r, c in zip(top, left, strict=True)
        for i in (-1, 2)
        for j in (-1, 2)
    }
