"""The finished product is what was promised: one real run on an archive whose pixels tell where they are from.

Everything is read from the product folder, after it was moved and nothing else of the run is left.
"""

import csv
import json
import math
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import rasterio.features
import rasterio.warp
import shapely
from rasterio.enums import ColorInterp
from rasterio.windows import Window
from rio_cogeo.cogeo import cog_validate
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from tests.signed_archive import (
    AREA,
    PERIOD,
    STEP_DN,
    SUPPLIERS,
    Signed,
    band_dn,
    finished_folder,
    signed_products,
    step_dn,
)
from tests.workflows.commands import BIN

FINE = ("B04", "B03", "B02", "B08")
COARSE = ("B05", "B06", "B07", "B8A", "B11", "B12")
EARTH_RADIUS_M = 6_378_137.0
TILES = ((0, 0, 1), (1, 1, 2))
"""Index, and which of the three horizontal edges bound it: the mosaic is cut once, at y = −800 km."""


def mercator(lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """EPSG:3857 by its formula, (n, 2), m."""
    lon, lat = np.radians(lonlat).T
    return EARTH_RADIUS_M * np.column_stack([lon, np.log(np.tan(math.pi / 4 + lat / 2))])


def area() -> BaseGeometry:
    """The area in EPSG:3857, its edges in steps of about 100 m."""
    return shapely.transform(AREA.segmentize(0.001), mercator)


def square(product: Signed) -> BaseGeometry:
    """The ground of a whole product in EPSG:3857."""
    bounds = product.acquisition.grid.bounds
    outline = shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top).segmentize(100).exterior.coords
    lon, lat = rasterio.warp.transform(product.acquisition.grid.crs, "EPSG:4326", *zip(*outline, strict=True))
    return shapely.Polygon(mercator(np.column_stack([lon, lat])))


@dataclass(frozen=True, kw_only=True)
class Product:
    """A finished product folder."""

    folder: Path

    @cached_property
    def pixels(self) -> Mapping[str, npt.NDArray[np.int64]]:
        """(band, y, x) of every raster by its name in the folder."""
        names = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.tif"))
        return {name: self.open_and_read(name) for name in names}

    def open_and_read(self, name: str) -> npt.NDArray[np.int64]:
        """All bands of a raster or a VRT."""
        with rasterio.open(self.folder / name) as dataset:
            return dataset.read().astype(np.int64)

    def numbers(self, tile: int, gsd: int) -> npt.NDArray[np.int64]:
        """(y, x) number of the product whose value stands in the first band; −1 where there is none."""
        first = self.pixels[f"{tile}_{gsd}.tif"][0]
        return np.where(first > 0, (first - band_dn(0, FINE[0] if gsd == 10 else COARSE[0])) // STEP_DN, -1)

    @cached_property
    def scenes(self) -> list[dict[str, str]]:
        """Rows of scenes.csv."""
        with (self.folder / "scenes.csv").open(encoding="utf-8", newline="") as table:
            return list(csv.DictReader(table))


@pytest.fixture(scope="session")
def product(session_folder: Path) -> Product:
    """The product of one run of the luigi command with two workers; all but the product folder is deleted."""
    return Product(folder=finished_folder(session_folder))


def by_number() -> Mapping[int, Signed]:
    return {signed.number: signed for signed in signed_products().values()}


def needs(program: str) -> str:
    """Path of a program of Debian's gdal-bin or coreutils."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is absent: the product was not shown to it")
    return found


class TestTerramonitorContract:
    """A finished mosaic"""

    def test_has_the_files_that_were_promised_and_no_others(self, product: Product) -> None:
        names = {path.relative_to(product.folder).as_posix() for path in product.folder.rglob("*") if path.is_file()}
        assert names == {
            *("0_10.tif", "1_10.tif", "0_20.tif", "1_20.tif", "mosaic_10.vrt", "mosaic_20.vrt"),
            *("mosaic_10.qml", "mosaic_20.qml", "layers/0_QA_20.tif", "layers/1_QA_20.tif"),
            *("layers/QA_20.vrt", "layers/QA_20.qml", "tiles.geojson", "scenes.csv", "run.json", "report.html"),
            *("quicklook.png", "quicklook.pgw", "acquisition_date.png", "SHA256SUMS"),
        }

    def test_is_cut_into_tiles_at_whole_100_km(self, product: Product) -> None:
        (left, bottom), (right, top) = mercator(np.array(AREA.bounds).reshape(2, 2))
        left, bottom = (20 * math.floor(value / 20) for value in (left, bottom))
        right, top = (20 * math.ceil(value / 20) for value in (right, top))
        edges = (top, -800_000, bottom)
        for index, upper, lower in TILES:
            for name, gsd in ((f"{index}_10.tif", 10), (f"{index}_20.tif", 20), (f"layers/{index}_QA_20.tif", 20)):
                with rasterio.open(product.folder / name) as dataset:
                    assert tuple(dataset.bounds) == (left, edges[lower], right, edges[upper])
                    assert dataset.crs.to_epsg() == 3857
                    assert dataset.res == (gsd, gsd)

    def test_names_its_bands_in_order_with_units_and_scales(self, product: Product) -> None:
        for index, _, _ in TILES:
            for gsd, bands in ((10, FINE), (20, COARSE)):
                dates = () if gsd == 10 else ("year", "DOY")
                with rasterio.open(product.folder / f"{index}_{gsd}.tif") as dataset:
                    assert dataset.descriptions == (*bands, *dates)
                    assert set(dataset.dtypes) == {"uint16"}
                    assert set(dataset.nodatavals) == {0}
                    assert dataset.scales == (*[0.0001] * len(bands), *[1.0] * len(dates))
                    assert set(dataset.offsets) == {0}
                    assert dataset.units == (*["1"] * len(bands), *(("year", "day of year") if dates else ()))
                    colours = dataset.colorinterp[:4]
                if gsd == 10:
                    expected = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined)
                    assert colours == expected
        with rasterio.open(product.folder / "layers/0_QA_20.tif") as dataset:
            assert dataset.descriptions == ("source", "clear", "level", "flags")

    def test_shows_one_scene_in_all_bands_of_a_pixel(self, product: Product) -> None:
        for index, _, _ in TILES:
            for gsd, bands in ((10, FINE), (20, COARSE)):
                numbers = product.numbers(index, gsd)
                for band, values in zip(bands, product.pixels[f"{index}_{gsd}.tif"], strict=False):
                    expected = np.where(numbers >= 0, band_dn(0, band) + step_dn(band) * numbers, 0)
                    assert np.array_equal(values, expected), (index, band)

    def test_shows_one_scene_at_10_m_and_at_20_m(self, product: Product) -> None:
        for index, _, _ in TILES:
            coarse = product.numbers(index, 20).repeat(2, axis=0).repeat(2, axis=1)
            assert np.array_equal(product.numbers(index, 10), coarse)

    def test_is_nodata_in_all_bands_of_a_pixel_or_in_none(self, product: Product) -> None:
        for name in ("0_10.tif", "0_20.tif", "1_10.tif", "1_20.tif"):
            valid = product.pixels[name] > 0
            assert valid.any()
            assert np.array_equal(valid.any(axis=0), valid.all(axis=0))

    def test_tells_the_day_on_which_every_pixel_was_seen(self, product: Product) -> None:
        days = {number: signed.day for number, signed in by_number().items()}
        for index, _, _ in TILES:
            numbers, (year, doy) = product.numbers(index, 20), product.pixels[f"{index}_20.tif"][6:]
            for number in np.unique(numbers[numbers >= 0]):
                here = numbers == number
                assert set(year[here]) == {days[number].year}
                assert set(doy[here]) == {days[number].timetuple().tm_yday}
        # The datatake of "new year", and with it the product's name, began in 2023.
        assert signed_products()["new year"].day.isoformat() == "2024-01-01"

    def test_keeps_dates_true_in_its_overviews(self, product: Product) -> None:
        days = {(signed.day.year, signed.day.timetuple().tm_yday) for signed in by_number().values()}
        with rasterio.open(product.folder / "0_20.tif", overview_level=0) as dataset:
            year, doy = dataset.read([7, 8])
        assert set(zip(year[year > 0].tolist(), doy[year > 0].tolist(), strict=True)) <= days
        assert (year > 0).any()

    def test_is_made_of_every_scene_that_is_best_somewhere_and_of_no_other(self, product: Product) -> None:
        pixels = np.concatenate([product.numbers(index, 20).ravel() for index, _, _ in TILES])
        names = {signed.number: name for name, signed in signed_products().items()}
        supplied = {names[number]: int((pixels == number).sum()) for number in np.unique(pixels) if number >= 0}
        assert supplied.keys() == set(SUPPLIERS)
        assert min(supplied.values()) > 1000
        for index, _, _ in TILES:
            assert len(np.unique(product.numbers(index, 10))) > 3

    def test_fills_the_area_wherever_a_scene_saw_it_and_nothing_else(self, product: Product) -> None:
        products = signed_products()
        seen = shapely.union_all([square(products[name]) for name in SUPPLIERS])
        # What a scene surely shows: 40 m of its rim are left out, and the pixel's own 28 m.
        surely = area().buffer(-30).intersection(square(products["new year"]).buffer(-80))
        perhaps = area().buffer(30).intersection(seen.buffer(30))
        for index, _, _ in TILES:
            with rasterio.open(product.folder / f"{index}_10.tif") as dataset:
                shape, transform = dataset.shape, dataset.transform
            valid = product.numbers(index, 10) >= 0
            inside = rasterio.features.rasterize([surely], out_shape=shape, transform=transform) == 1
            within = rasterio.features.rasterize([perhaps], out_shape=shape, transform=transform, all_touched=True) == 1
            assert inside.sum() > 30_000
            assert valid[inside].all()
            assert not valid[~within].any()

    def test_names_the_scene_of_every_pixel_in_the_qa_layer(self, product: Product) -> None:
        rows = {row["source"]: row["product_id"] for row in product.scenes}
        numbers = {signed.product_id: number for number, signed in by_number().items()}
        for index, _, _ in TILES:
            source, clear, _, flags = product.pixels[f"layers/{index}_QA_20.tif"]
            shown = product.numbers(index, 20)
            assert np.array_equal(source > 0, shown >= 0)
            for row in np.unique(source[source > 0]):
                assert set(shown[source == row]) == {numbers[rows[str(row)]]}
            assert np.array_equal(flags & 32768 > 0, shown >= 0)
            assert clear[shown >= 0].min() == 2  # one observation, plus 1

    def test_calls_a_pixel_clear_where_three_overflights_agree_and_untested_where_fewer_saw_it(
        self, product: Product
    ) -> None:
        for index, _, _ in TILES:
            _, clear, level, _ = product.pixels[f"layers/{index}_QA_20.tif"]
            seen = np.where(level > 0, clear - 1, 0)
            # Dates are compared on pixels of 60 m: what lies nearer than that to another number is not asked.
            alike = ndimage.minimum_filter(seen, 9) == ndimage.maximum_filter(seen, 9)
            for count, expected in ((1, 2), (2, 2), (3, 1)):
                here = alike & (seen == count)
                assert here.sum() > 100, count
                assert set(level[here]) == {expected}, count
            assert set(level[level > 0]) == {1, 2}

    def test_counts_the_pixels_of_every_scene(self, product: Product) -> None:
        pixels = np.concatenate([product.numbers(index, 20).ravel() for index, _, _ in TILES])
        numbers = {signed.product_id: number for number, signed in by_number().items()}
        table = {numbers[row["product_id"]]: int(row["pixels"]) for row in product.scenes if row["product_id"]}
        shown = np.unique(pixels[pixels >= 0])
        assert {number: count for number, count in table.items() if count} == {
            number: int((pixels == number).sum()) for number in shown
        }
        tiles = json.loads((product.folder / "tiles.geojson").read_text(encoding="utf-8"))["features"]
        assert [tile["properties"]["file_10"] for tile in tiles] == ["0_10.tif", "1_10.tif"]

    def test_says_what_it_is_made_of_in_its_tags(self, product: Product) -> None:
        for index, _, _ in TILES:
            for gsd in (10, 20):
                with rasterio.open(product.folder / f"{index}_{gsd}.tif") as dataset:
                    tags, statistics = dataset.tags(), dataset.tags(1)
                assert "simulated" in tags["SENARD_SIMULATED"]
                assert tags["TIFFTAG_COPYRIGHT"].startswith("Contains modified Copernicus Sentinel data 2023, 2024")
                assert tags["SENARD_PERIOD"] == f"{PERIOD['start']}/{PERIOD['end']}"
                assert tags["TIFFTAG_IMAGEDESCRIPTION"] == f"{tags['SENARD_PRODUCT']} tile {index}, {gsd} m"
                assert tags["TIFFTAG_DATETIME"] == newest(np.unique(product.numbers(index, gsd)))
                first = product.pixels[f"{index}_{gsd}.tif"][0]
                assert float(statistics["STATISTICS_MEAN"]) == pytest.approx(first[first > 0].mean(), rel=1e-9)
                assert float(statistics["STATISTICS_MINIMUM"]) == first[first > 0].min()

    def test_is_one_picture_through_its_vrts(self, product: Product) -> None:
        for vrt, name in (("mosaic_10.vrt", "{}_10.tif"), ("mosaic_20.vrt", "{}_20.tif"),
                          ("layers/QA_20.vrt", "layers/{}_QA_20.tif")):  # fmt: skip
            upper, lower = (product.pixels[name.format(index)] for index in (0, 1))
            with rasterio.open(product.folder / vrt) as whole, rasterio.open(product.folder / name.format(0)) as file:
                border = file.height
                window = Window(13, border - 40, whole.width - 20, 90)
                seam = whole.read(window=window)
                assert whole.bounds.top == file.bounds.top
                assert (whole.descriptions, whole.scales, whole.units) == (file.descriptions, file.scales, file.units)
            expected = np.concatenate([upper[:, -40:], lower[:, :50]], axis=1)[:, :, 13:-7]
            assert np.array_equal(seam, expected)
            assert (seam[0, 39] > 0).any()
            assert (seam[0, 40] > 0).any()
            assert np.array_equal(product.open_and_read(vrt), np.concatenate([upper, lower], axis=1))

    def test_has_a_checksum_of_every_file(self, product: Product) -> None:
        program = needs("sha256sum")
        done = subprocess.run(
            [program, "--strict", "-c", "SHA256SUMS"], cwd=product.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        listed = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
        files = {path.relative_to(product.folder).as_posix() for path in product.folder.rglob("*") if path.is_file()}
        assert listed == files - {"run.json", "SHA256SUMS"}

    def test_is_read_by_gdal_itself(self, product: Product, tmp_path: Path) -> None:
        program, builder = needs("gdalinfo"), needs("gdalbuildvrt")
        before = sorted(product.folder.rglob("*"))
        for path in [*sorted(product.folder.rglob("*.tif")), *sorted(product.folder.rglob("*.vrt"))]:
            done = subprocess.run([program, "-json", path], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), path
            bands = json.loads(done.stdout)["bands"]
            assert all(band["type"] == "UInt16" and band["noDataValue"] == 0 for band in bands)
        for gsd in (10, 20):
            theirs = tmp_path / f"theirs_{gsd}.vrt"
            files = [product.folder / f"{index}_{gsd}.tif" for index, _, _ in TILES]
            subprocess.run([builder, "-q", theirs, *files], check=True, capture_output=True)
            with rasterio.open(theirs) as dataset, rasterio.open(product.folder / f"mosaic_{gsd}.vrt") as ours:
                assert dataset.transform == ours.transform
                assert np.array_equal(dataset.read(), ours.read())
        assert sorted(product.folder.rglob("*")) == before  # nothing was written beside the files

    def test_is_made_of_valid_cloud_optimized_geotiffs(self, product: Product) -> None:
        for path in product.folder.rglob("*.tif"):
            valid, problems, remarks = cog_validate(path, strict=True, quiet=True)
            assert valid, (path, problems, remarks)
        command = [BIN / "rio", "cogeo", "validate", "--strict", product.folder / "0_20.tif"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "is a valid cloud optimized GeoTIFF" in done.stdout


def newest(numbers: npt.NDArray[np.int64]) -> str:
    """Newest processing time of these products as GeoTIFF writes times."""
    products = by_number()
    times = [products[number].acquisition.processing_time for number in numbers.tolist() if number >= 0]
    return f"{max(times):%Y:%m:%d %H:%M:%S}"
