"""Simulated products are readable by those who read real ones."""

import hashlib
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from lxml import etree

from senard.io.safe import read_product
from senard.model.grid import Grid
from senard.simulation.acquisition import Half, SimulatedAcquisition
from senard.simulation.archive import ArchivePlan, simulate_archive, write_product
from senard.simulation.images import Scratch, image_kinds
from senard.simulation.plans import sample_plan, tiny_plan

TINY = tiny_plan().acquisitions[-1]
SMALL = replace(TINY, size_px=96)


def members(zipped: Path, suffix: str) -> list[str]:
    with zipfile.ZipFile(zipped) as archive:
        return [name for name in archive.namelist() if name.endswith(suffix)]


def image(safe: Path, ending: str) -> np.ndarray:
    with rasterio.open(next(safe.glob(f"GRANULE/*/*/**/*{ending}.jp2"))) as source:
        return source.read()


class TestFiles:
    """A product holds the files of a real one."""

    def test_every_image_has_the_size_the_crs_and_the_corner_that_the_granule_states(self, tiny_archive: Path) -> None:
        for zipped in sorted(tiny_archive.glob("*.zip")):
            images = members(zipped, ".jp2")
            assert len(images) == (40 if "_N02" in zipped.name or "_N03" in zipped.name else 68)
            for member in images:
                gsd = {"10m": 10, "20m": 20, "60m": 60}.get(member[-7:-4])
                if gsd is None:
                    continue
                with rasterio.open(f"/vsizip/{zipped}/{member}") as source:
                    assert source.shape == TINY.grid.at(gsd).shape
                    assert source.crs == TINY.grid.crs
                    assert source.transform.to_gdal() == TINY.grid.at(gsd).geotransform
                    assert source.read().shape[0] == (3 if "TCI" in member else 1)

    def test_every_file_has_the_checksum_that_the_manifest_states(self, tiny_archive: Path) -> None:
        for baseline, algorithm in (("0214", "md5"), ("0301", "sha3_256"), ("0511", "sha3_256")):
            zipped = next(tiny_archive.glob(f"*_N{baseline}_*.zip"))
            with zipfile.ZipFile(zipped) as archive:
                listed = etree.fromstring(archive.read(members(zipped, "manifest.safe")[0]))
                streams = listed.findall(".//byteStream")
                for stream in streams:
                    content = archive.read(f"{zipped.stem}.SAFE/{stream.find('fileLocation').get('href')[2:]}")
                    assert len(content) == int(stream.get("size"))
                    assert hashlib.new(algorithm, content).hexdigest() == stream.find("checksum").text
                files = [name for name in archive.namelist() if not name.endswith("/")]
            assert len(streams) == len(files) - 1

    def test_the_product_xml_names_every_image(self, tiny_safe: Path) -> None:
        text = (tiny_safe / "MTD_MSIL2A.xml").read_text(encoding="utf-8")
        named = set(re.findall(r"<IMAGE_FILE>(.*)</IMAGE_FILE>", text))
        there = {path.relative_to(tiny_safe).as_posix()[:-4] for path in tiny_safe.glob("GRANULE/*/IMG_DATA/*/*.jp2")}
        assert named == there

    def test_the_same_seed_gives_the_same_bytes(self, tmp_path: Path) -> None:
        first, second = (write_product(SMALL, tmp_path / name).read_bytes() for name in ("first", "second"))
        other = write_product(replace(SMALL, seed=8), tmp_path / "other").read_bytes()
        assert first == second
        assert first != other


class TestImages:
    """JPEG 2000 files are built like ESA's."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> dict[str, Path]:
        grid = Grid(crs="EPSG:32635", left=600000.0, top=6700020.0, gsd=10, width=4200, height=4200)
        kinds = {key: image_kinds(with_offset=True)[key] for key in ("SCL_20", "AOT_60", "B04_60", "DETFOO_10")}
        (tmp_path / "scratch").mkdir()
        with Scratch(tmp_path / "scratch", kinds, grid) as scratch:
            for key in kinds:
                scratch.encode(key, tmp_path / f"{key}.jp2")
        return {key: tmp_path / f"{key}.jp2" for key in kinds}

    def test_have_internal_tiles_of_1024_640_and_192_pixels(self, files: dict[str, Path]) -> None:
        sides = {}
        for key, path in files.items():
            with rasterio.open(path) as source:
                sides[key] = source.block_shapes[0]
        assert sides == {"SCL_20": (640, 640), "AOT_60": (192, 192), "B04_60": (192, 192), "DETFOO_10": (1024, 1024)}

    def test_are_reversible_in_order_rpcl_with_code_blocks_of_64(self, files: dict[str, Path]) -> None:
        for path in files.values():
            content = path.read_bytes()
            start = content.index(b"\xff\x52") + 2  # the COD marker
            assert content[start + 3] == 2  # RPCL
            assert content[start + 7] == 4  # five resolutions
            assert (content[start + 8], content[start + 9]) == (4, 4)  # 2**(4 + 2) = 64
            assert content[start + 11] == 1  # 5/3

    @pytest.mark.real_data
    def test_are_tiled_as_a_real_one(self, files: dict[str, Path], shared: Path) -> None:
        with rasterio.open(shared / "data/s2-safe/rio-tiler-pds-T01-SCL-AOT-WVP/AOT.jp2") as real:
            shape = real.block_shapes[0]
        with rasterio.open(files["AOT_60"]) as source:
            assert source.block_shapes[0] == shape


class TestReaders:
    """Independent readers open a simulated product."""

    @pytest.mark.parametrize("baseline", ["0214", "0511"])
    def test_gdal_inside_rasterio_opens_the_bands_of_each_resolution(self, tiny_archive: Path, baseline: str) -> None:
        zipped = next(tiny_archive.glob(f"*_N{baseline}_*.zip"))
        xml = f"/vsizip/{zipped}/{zipped.stem}.SAFE/MTD_MSIL2A.xml"
        for gsd, bands in ((10, 4), (20, 10 if baseline == "0511" else 9), (60, 6)):
            with rasterio.open(f"SENTINEL2_L2A:{xml}:{gsd}m:EPSG_32635") as source:
                assert source.count >= bands
                assert source.shape == TINY.grid.at(gsd).shape
                assert source.transform.to_gdal() == TINY.grid.at(gsd).geotransform
                assert source.read(1).any()

    def test_gdalinfo_opens_the_folder(self, tiny_safe: Path) -> None:
        if shutil.which("gdalinfo") is None:
            pytest.skip("gdalinfo is absent (Debian: gdal-bin): GDAL's own tools not tested")
        shown = subprocess.run(
            ["gdalinfo", str(tiny_safe / "MTD_MSIL2A.xml")], capture_output=True, text=True, check=True
        ).stdout
        assert "Driver: SENTINEL2/Sentinel 2" in shown
        assert "SUBDATASET_1_NAME=SENTINEL2_L2A" in shown

    def test_senard_reads_what_was_simulated(self, tiny_archive: Path) -> None:
        for acquisition in tiny_plan().acquisitions:
            product = read_product(tiny_archive / f"{acquisition.product_id}.zip")
            assert product.simulated
            assert product.scene.product_id == acquisition.product_id
            assert product.scene.baseline == acquisition.baseline
            assert product.scene.datatake_time.replace(microsecond=0) == acquisition.time
            assert product.add_offset["B04"] == acquisition.add_offset
            assert product.grids[10] == acquisition.grid
            assert abs(float(product.sun.zenith.mean()) - 38) < 2  # June and July at 60° N, before noon


class TestRadiometry:
    """The same ground is the same reflectance whatever the baseline."""

    def test_differs_between_baselines_by_the_offset_alone(self, simulate: Callable[..., Path]) -> None:
        stored = {
            baseline: image(simulate(replace(SMALL, baseline=baseline, cloudless=True)), "B04_10m").astype(int)
            for baseline in (214, 400, 511)
        }
        assert stored[214].min() > 1
        assert (stored[400] - stored[214] == 1000).all()
        assert (stored[511] == stored[400]).all()

    def test_a_signature_fills_every_valid_pixel(self, simulate: Callable[..., Path]) -> None:
        safe = simulate(replace(SMALL, swath_centre=None, orbit_edge=0.5, signature={"B04": 0.1234, "B11": 0.2}))
        red = image(safe, "B04_10m")
        assert set(np.unique(red)) == {0, 2234}
        assert set(np.unique(image(safe, "B11_20m"))) == {0, 3000}

    def test_a_forced_class_fills_the_scene_classification(self, simulate: Callable[..., Path]) -> None:
        assert set(np.unique(image(simulate(replace(SMALL, cover=4)), "SCL_20m"))) == {4}


class TestShape:
    """A product ends where its swath, its datastrip or its zip ends."""

    def test_nothing_lies_west_of_the_orbit_edge(self, simulate: Callable[..., Path]) -> None:
        safe = simulate(replace(TINY, size_px=300, swath_centre=None, orbit_edge=0.4))
        held = image(safe, "B04_10m")[0] > 0
        assert abs(held.mean() - 0.6) < 0.02
        assert held[:, -1].all()
        assert not held[:, 0].any()
        assert ((image(safe, "MSK_DETFOO_B04")[0] > 0) == (image(safe, "B02_10m")[0] > 0)).all()
        assert (
            abs(
                read_product(safe).scene.footprint.area
                / read_product(simulate(SMALL)).scene.footprint.area
                * (96 / 300) ** 2
                - 0.6
            )
            < 0.02
        )

    def test_the_halves_of_a_datatake_overlap_and_make_the_whole(self, simulate: Callable[..., Path]) -> None:
        whole = replace(TINY, size_px=360, swath_centre=TINY.centre)
        halves = [
            image(simulate(replace(whole, half=half, processed=when)), "SCL_20m")[0] > 0
            for half, when in ((Half.FIRST, whole.time), (Half.SECOND, None))
        ]
        assert (halves[0] | halves[1]).all()
        assert 0 < (halves[0] & halves[1]).mean() < 1
        assert halves[0][0, 0]
        assert not halves[0][-1, 0]

    def test_a_truncated_zip_is_no_zip(self, tmp_path: Path) -> None:
        plan = ArchivePlan(acquisitions=(SMALL,), truncated=(SMALL.product_id,))
        simulate_archive(plan, tmp_path, truth=False, workers=1)
        assert not zipfile.is_zipfile(tmp_path / f"{SMALL.product_id}.zip")


class TestSamplePlan:
    """The sample archive has the trouble that real archives have."""

    def test_spans_two_zones_six_dates_three_satellites_and_both_kinds_of_baseline(self) -> None:
        plan = sample_plan()
        assert {acquisition.grid.crs for acquisition in plan.acquisitions} == {"EPSG:32634", "EPSG:32635"}
        assert len({acquisition.time.date() for acquisition in plan.acquisitions}) >= 6
        assert {acquisition.satellite for acquisition in plan.acquisitions} == {"S2A", "S2B", "S2C"}
        assert {acquisition.baseline for acquisition in plan.acquisitions} == {214, 301, 400, 500, 511}
        assert len(plan.truncated) == 1

    def test_gives_every_product_a_name_of_its_own(self) -> None:
        names = [acquisition.product_id for acquisition in sample_plan().acquisitions]
        assert len(set(names)) == len(names) == 16

    def test_processed_one_product_again_with_a_newer_baseline(self) -> None:
        seen: dict[tuple[object, ...], set[int]] = {}
        for acquisition in sample_plan().acquisitions:
            key = (acquisition.mgrs_tile, acquisition.time, acquisition.half)
            seen.setdefault(key, set()).add(acquisition.baseline)
        assert [baselines for baselines in seen.values() if len(baselines) > 1] == [{214, 500}]


class TestAcquisition:
    """A plan that cannot be is refused."""

    def test_sides_fit_pixels_of_60_m(self) -> None:
        with pytest.raises(Exception, match="multiples of 6"):
            replace(SMALL, size_px=100)

    def test_a_product_stays_within_its_tile(self) -> None:
        with pytest.raises(Exception, match="beyond the tile"):
            SimulatedAcquisition(mgrs_tile="31TCJ", time=TINY.time, size_px=10980, offset_px=(6, 0))

    def test_an_unknown_satellite_is_refused(self) -> None:
        with pytest.raises(Exception, match="S2A"):
            replace(SMALL, satellite="S3A")

    @pytest.mark.parametrize(
        ("satellite", "time", "orbit", "absolute"),
        [
            ("S2A", "2022-12-06T10:54:31+00:00", 51, 38944),
            ("S2B", "2020-02-05T10:51:29+00:00", 51, 15235),
            ("S2B", "2022-01-25T10:52:29+00:00", 51, 25531),
            ("S2A", "2021-07-01T10:40:21+00:00", 8, 31465),
        ],
    )
    def test_the_absolute_orbit_is_that_of_the_real_satellite(
        self, satellite: str, time: str, orbit: int, absolute: int
    ) -> None:
        made = replace(SMALL, satellite=satellite, time=datetime.fromisoformat(time), relative_orbit=orbit)
        assert made.absolute_orbit == absolute
