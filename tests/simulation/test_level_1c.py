"""Simulated L1C products: files and elements of real ones, and the L2A of the same acquisition from above the air."""

import hashlib
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from lxml import etree

from senard.errors import RequestError
from senard.io.safe import image_path, read_product, read_whole_product
from senard.model.arrays import Float32Array, Float64Array
from senard.model.product import Sentinel2Product
from senard.model.sentinel2 import BANDS, ProductType
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.archive import write_product
from senard.simulation.atmosphere import Light, rayleigh_depth, seen_from_above
from senard.simulation.level_1c import cirrus_band
from senard.simulation.plans import level_1c_of, sample_plan, tiny_plan, with_levels
from senard.simulation.sensor import strips
from tests.simulation.test_metadata import BASELINES, REAL_INSPIRE, element_paths
from workflows.cli import main

REAL_TREES = {
    "0209": "data/s2-safe/eodag-L1C-T31TDH-20180101/S2A_MSIL1C_20180101T105441_N0206_R051_T31TDH_20180101T124911",
    "0301": "data/s2-metadata/stactools-sentinel2/S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248.SAFE",
    "0400": f"{BASELINES}/S2B_MSIL1C_20220125T105229_N0400_R051_T31UFS_20220125T133326.SAFE",
    "0511": str(Path(REAL_INSPIRE).parent),
}
"""Real products of the simulated baselines, or the nearest."""

CLOUDY = tiny_plan().acquisitions[1]

SMALL = replace(level_1c_of(CLOUDY), size_px=96)


def product(archive: Path, baseline: str, level: str = "L1C") -> Sentinel2Product:
    return read_whole_product(next(archive.glob(f"*_MSI{level}_*_N{baseline}_*.zip")))


def reflectance(made: Sentinel2Product, key: str) -> Float64Array:
    """(y, x) float64; NaN is nodata."""
    with rasterio.open(image_path(made, key)) as source:
        dn = source.read(1).astype(np.float64)
    return np.where(dn == 0, np.nan, (dn + made.add_offset[key.split("_")[0]]) / made.quantification)


class TestNames:
    """L1C and L2A of one acquisition"""

    @pytest.mark.parametrize("acquisition", tiny_plan().acquisitions, ids=lambda one: one.product_id)
    def test_belong_together_by_datatake_tile_and_sensing_time(self, acquisition: SimulatedAcquisition) -> None:
        above = level_1c_of(acquisition)
        assert above.product_id.split("_")[1] == "MSIL1C"
        for name in ("time", "sensing_time", "datastrip_time", "absolute_orbit", "mgrs_tile", "image_stem"):
            assert getattr(above, name) == getattr(acquisition, name)
        assert above.granule_id == acquisition.granule_id.replace("L2A_", "L1C_")
        assert above.processing_time == acquisition.processing_time - timedelta(hours=1)

    def test_have_the_baselines_of_their_level(self) -> None:
        pairs = {(one.baseline, level_1c_of(one).baseline) for one in sample_plan().acquisitions}
        assert pairs == {(214, 209), (301, 301), (400, 400), (500, 500), (511, 511)}

    def test_are_asked_for_by_type(self) -> None:
        plan = sample_plan()
        both = with_levels(plan, frozenset({ProductType.L1C, ProductType.L2A}))
        assert len(both.acquisitions) == 2 * len(plan.acquisitions)
        assert len(both.truncated) == 2
        assert with_levels(plan, frozenset({ProductType.L2A})) == plan
        (truncated,) = with_levels(plan, frozenset({ProductType.L1C})).truncated
        assert "_MSIL1C_" in truncated

    def test_of_the_pilot_form_end_with_its_last_baseline(self) -> None:
        with pytest.raises(RequestError, match=r"L2Ap ends with baseline 02\.06, found 05\.11"):
            SimulatedAcquisition(
                mgrs_tile="31TCJ", time=datetime(2018, 1, 1, tzinfo=UTC), product_type=ProductType.L2AP
            )


class TestFiles:
    """An L1C product holds the files of a real one."""

    def test_are_those_of_a_real_one_but_for_images_by_resolution(self, both_levels: Path) -> None:
        made = product(both_levels, "0511")
        bands = {f"{name}_{band.gsd}" for name, band in BANDS.items()} | {"TCI_10"}
        masks = {f"{kind}_{name}" for name in BANDS for kind in ("DETFOO", "QUALIT")} | {"CLASSI", "PVI"}
        assert set(made.images) == bands | masks
        assert made.images["B8A_20"] == (
            "GRANULE/L1C_T35VLG_A047309_20240711T095034/IMG_DATA/T35VLG_20240711T095031_B8A.jp2"
        )

    def test_before_baseline_04_00_have_vector_masks(self, both_levels: Path) -> None:
        with zipfile.ZipFile(next(both_levels.glob("*_MSIL1C_*_N0301_*.zip"))) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
        assert {"MSK_CLOUDS_B00.gml", "MSK_DETFOO_B10.gml", "MSK_NODATA_B01.gml"} <= names
        assert not {name for name in names if name.startswith("MSK_") and name.endswith(".jp2")}

    @pytest.mark.parametrize("baseline", REAL_TREES)
    def test_are_of_the_size_and_type_that_the_granule_states(self, both_levels: Path, baseline: str) -> None:
        made = product(both_levels, baseline)
        for name, band in BANDS.items():
            with rasterio.open(image_path(made, f"{name}_{band.gsd}")) as source:
                assert (source.count, source.dtypes[0], source.shape) == (1, "uint16", made.grids[band.gsd].shape)
                assert source.transform.to_gdal() == made.grids[band.gsd].geotransform
        with rasterio.open(image_path(made, "TCI_10")) as source:
            assert (source.count, source.dtypes[0], source.shape) == (3, "uint8", made.grids[10].shape)

    @pytest.mark.parametrize(("baseline", "algorithm"), [("0209", "md5"), ("0301", "sha3_256"), ("0511", "sha3_256")])
    def test_have_the_checksums_that_the_manifest_states(
        self, both_levels: Path, baseline: str, algorithm: str
    ) -> None:
        zipped = next(both_levels.glob(f"*_MSIL1C_*_N{baseline}_*.zip"))
        with zipfile.ZipFile(zipped) as archive:
            streams = list(etree.fromstring(archive.read(f"{zipped.stem}.SAFE/manifest.safe")).iter("byteStream"))
            for stream in streams:
                content = archive.read(f"{zipped.stem}.SAFE/{stream.find('fileLocation').get('href')[2:]}")
                assert hashlib.new(algorithm, content).hexdigest() == stream.findtext("checksum")
            files = [name for name in archive.namelist() if not name.endswith("/")]
        assert len(streams) == len(files) - 1

    def test_are_the_same_bytes_from_the_same_seed(self, tmp_path: Path) -> None:
        first, second = (write_product(SMALL, tmp_path / name).read_bytes() for name in ("first", "second"))
        assert first == second


@pytest.mark.real_data
class TestElements:
    """Where a reader of real L1C products looks, a simulated one has the same element."""

    @pytest.mark.parametrize(
        ("baseline", "name"),
        [
            (baseline, name)
            for baseline in REAL_TREES
            for name in ("MTD_MSIL1C.xml", "GRANULE/*/MTD_TL.xml", "manifest.safe")
            if (baseline, name) != ("0209", "manifest.safe")  # the real one came without
        ],
    )
    def test_are_those_of_a_real_one(self, both_levels: Path, shared: Path, baseline: str, name: str) -> None:
        (real,) = (shared / REAL_TREES[baseline]).glob(name)
        with zipfile.ZipFile(next(both_levels.glob(f"*_MSIL1C_*_N{baseline}_*.zip"))) as archive:
            place = next(entry for entry in archive.namelist() if entry.endswith(f"/{name.rpartition('/')[2]}"))
            assert element_paths(archive.read(place)) == element_paths(real.read_bytes())


class TestReaders:
    """Independent readers open a simulated L1C product."""

    @pytest.mark.parametrize("baseline", ["0209", "0511"])
    def test_gdal_inside_rasterio_opens_the_bands_of_each_resolution(self, both_levels: Path, baseline: str) -> None:
        zipped = next(both_levels.glob(f"*_MSIL1C_*_N{baseline}_*.zip"))
        xml = f"/vsizip/{zipped}/{zipped.stem}.SAFE/MTD_MSIL1C.xml"
        for gsd, bands in ((10, 4), (20, 6), (60, 3)):
            with rasterio.open(f"SENTINEL2_L1C:{xml}:{gsd}m:EPSG_32635") as source:
                assert source.count == bands
                assert source.read(1).any()

    def test_senard_reads_offset_identity_and_the_word_simulated(self, both_levels: Path) -> None:
        for acquisition in tiny_plan().acquisitions:
            above, below = level_1c_of(acquisition), read_product(both_levels / f"{acquisition.product_id}.zip")
            made = read_product(both_levels / f"{above.product_id}.zip")
            assert made.simulated
            assert made.scene.product_type is ProductType.L1C
            assert made.scene.acquisition_time == below.scene.acquisition_time
            assert made.scene.datatake_id == below.scene.datatake_id
            assert made.scene.footprint.equals(below.scene.footprint)
            assert set(made.add_offset.values()) == {above.add_offset}
            assert made.sun is not None
            assert below.sun is not None
            assert np.array_equal(made.sun.zenith, below.sun.zenith)


class TestPixels:
    """L1C shows what L2A shows, through the air."""

    def test_air_brightens_dark_ground_in_the_blue_and_hardly_in_the_short_wave_infrared(
        self, both_levels: Path
    ) -> None:
        above, below = product(both_levels, "0511"), product(both_levels, "0511", "L2A")
        added = {}
        for key in ("B02_10", "B04_10", "B8A_20", "B12_20"):
            top, ground = reflectance(above, key), reflectance(below, key)
            dark = ground < np.nanpercentile(ground, 10)
            added[key] = float(np.nanmean(top[dark] - ground[dark]))
        assert 0.04 < added["B02_10"] < 0.08
        assert 0.01 < added["B04_10"] < 0.03
        assert abs(added["B12_20"]) < 0.005
        assert added["B02_10"] > added["B04_10"] > added["B8A_20"] > added["B12_20"]

    def test_air_takes_light_from_bright_ground_and_water_vapour_most_of_b09(self, both_levels: Path) -> None:
        above, below = product(both_levels, "0511"), product(both_levels, "0511", "L2A")
        near_infrared = np.nanmean(reflectance(above, "B08_10")) / np.nanmean(reflectance(below, "B08_10"))
        vapour = np.nanmean(reflectance(above, "B09_60")) / np.nanmean(reflectance(below, "B09_60"))
        assert 0.85 < near_infrared < 0.99
        assert 0.2 < vapour < 0.45

    def test_b10_sees_cirrus_and_nothing_else(self) -> None:
        bare, veiled = [], []
        for day in range(40):
            sky = replace(SMALL, time=SMALL.time + timedelta(days=day), cloud_fraction=0.9)
            (strip,) = strips(sky)
            nodata = np.zeros((strip.window.height // 6, strip.window.width // 6), dtype=bool)
            seen = cirrus_band(sky, strip, nodata=nodata)
            (veiled if seen.max() > 0.015 else bare).append((float(seen.mean()), float(np.nanmax(strip.coarse[1]))))
        assert len(bare) > len(veiled) > 0
        clouds = [shown for shown, brightest in bare if brightest > 0.4]
        assert len(clouds) >= 3
        assert float(np.median(clouds)) == pytest.approx(0.0012, abs=0.0002)

    def test_the_cloud_mask_is_what_the_metadata_count(self, both_levels: Path) -> None:
        made = product(both_levels, "0400")
        with rasterio.open(image_path(made, "CLASSI")) as source:
            assert source.dtypes == ("uint8",) * 3
            opaque, cirrus, _ = source.read()
        assert made.scene.cloud_cover == pytest.approx(100 * float((opaque | cirrus).mean()), abs=1e-5)
        assert made.class_shares["SNOW_PIXEL_PERCENTAGE"] == 0

    @pytest.mark.parametrize("baseline", ["0209", "0301"])
    def test_before_04_00_polygons_lie_along_pixels_of_60_m(self, both_levels: Path, baseline: str) -> None:
        made = product(both_levels, baseline)
        with zipfile.ZipFile(made.root) as archive:
            place = next(name for name in archive.namelist() if name.endswith("MSK_CLOUDS_B00.gml"))
            root = etree.fromstring(archive.read(place))
        kinds = [feature.findtext("{*}maskType") for feature in root.iterfind(".//{*}MaskFeature")]
        names = [feature.get("{http://www.opengis.net/gml/3.2}id") for feature in root.iterfind(".//{*}MaskFeature")]
        assert set(kinds) <= {"OPAQUE", "CIRRUS"}
        assert "OPAQUE" in kinds
        assert [name.split(".")[0] for name in names] == kinds
        grid = made.grids[60]
        for ring in root.iterfind(".//{*}posList"):
            numbers = np.array(ring.text.split(), dtype=float).reshape(-1, 2)
            assert (numbers[0] == numbers[-1]).all()
            assert not ((numbers - (grid.left, grid.top)) % 60).any()

    def test_the_cloud_mask_tells_an_overcast_sky_from_a_clear_one(self, tmp_path: Path) -> None:
        covers = [
            read_product(write_product(replace(SMALL, **sky), tmp_path / name)).scene.cloud_cover
            for name, sky in (("overcast", {"cloud_fraction": 0.99}), ("clear", {"cloudless": True}))
        ]
        assert covers[0] > 80
        assert covers[1] < 2

    def test_strips_of_any_height_give_the_same_pixels(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        acquisition = replace(level_1c_of(CLOUDY), size_px=288)
        whole = read_product(write_product(acquisition, tmp_path / "whole"))
        monkeypatch.setattr("senard.simulation.sensor._STRIP_FLOATS", 1)
        sliced = read_product(write_product(acquisition, tmp_path / "sliced"))
        for key in ("B10_60", "B01_60", "B02_10", "B11_20"):  # 1 DN: surroundings are rounded strip by strip
            assert np.abs(reflectance(whole, key) - reflectance(sliced, key)).max() < 1.5e-4

    def test_ends_at_the_swath_as_l2a_does(self, tmp_path: Path) -> None:
        below = replace(CLOUDY, size_px=288, swath_centre=None, orbit_edge=0.5)
        seen, top = (read_product(write_product(one, tmp_path)) for one in (below, level_1c_of(below)))
        for key in ("B04_10", "B11_20", "B09_60"):
            other = key if key in seen.images else "B09_60"
            assert np.array_equal(np.isnan(reflectance(seen, other)), np.isnan(reflectance(top, key)))
        assert 0.3 < np.isnan(reflectance(top, "B10_60")).mean() < 0.7


def air_over(reflectance: float, *, sun: float) -> float:
    """Blue reflectance from above of ground of one reflectance, under a sun of this cosine and clean air."""

    def pixel(value: float) -> Float32Array:
        return np.full((1, 1), value, dtype=np.float32)

    light = Light(sun=pixel(sun), view=pixel(1.0), turn=pixel(-sun))
    return float(seen_from_above(pixel(reflectance)[np.newaxis], ("B02",), light, pixel(0.1))[0, 0, 0])


class TestAir:
    """The air alone"""

    def test_has_the_optical_depth_of_molecules_that_tables_state(self) -> None:
        assert rayleigh_depth("B02") == pytest.approx(0.155, abs=0.003)  # Hansen and Travis (1974): 0.1552 at 490 nm
        assert rayleigh_depth("B12") < 0.0005

    def test_shows_more_of_itself_where_the_sun_stands_low(self) -> None:
        assert air_over(0.0, sun=0.3) > air_over(0.0, sun=0.6) > air_over(0.0, sun=0.9) > 0.03

    def test_leaves_nodata_as_it_is(self) -> None:
        assert np.isnan(air_over(np.nan, sun=0.8))


class TestCommand:
    """`senard simulate --product-type`"""

    @pytest.mark.parametrize(
        ("words", "levels"),
        [([], ["L2A"]), (["--product-type", "S2MSI1C"], ["L1C"]), (["--product-type", "both"], ["L1C", "L2A"])],
    )
    def test_makes_what_is_asked_for(self, tmp_path: Path, words: list[str], levels: list[str]) -> None:
        small = ["--mgrs-tiles", "31TCJ", "--dates", "2024-06-15", "--size", "96", "--njobs", "1", "--no-truth"]
        assert main(["simulate", str(tmp_path / "made"), *small, *words]) == 0
        assert sorted(path.name.split("_")[1][3:] for path in (tmp_path / "made").iterdir()) == levels
