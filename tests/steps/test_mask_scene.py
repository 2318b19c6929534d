"""One product is judged from itself alone."""

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

import senard.steps.read_judged
from senard.algorithms.cloud_detector import DetectedClouds
from senard.algorithms.masking import harmonised, looks_like_snow
from senard.algorithms.morphology import dilated
from senard.algorithms.nearest import resized
from senard.errors import RequestError
from senard.io.cloud_masks import read_cloud_classes
from senard.io.geotiff import ScratchReader, read_scratch
from senard.io.jp2 import read_image
from senard.io.safe import image_path, read_product
from senard.io.scenes_file import read_verdict, write_verdict
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.cloud_evidence import CloudEvidence
from senard.model.masks import CLASS_SNOW, CLASS_VALID, NO_PROBABILITY, SCL_BITS
from senard.model.product import Sentinel2Product
from senard.model.sentinel2 import DETECT_BANDS, ProductType, Scl
from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.steps.mask_scene import mask_scene

Simulate = Callable[[SimulatedAcquisition], Path]


def acquisition(**changes: object) -> SimulatedAcquisition:
    values: dict[str, object] = {
        "mgrs_tile": "35VLG",
        "time": datetime(2024, 6, 15, 9, 50, 31, tzinfo=UTC),
        "baseline": 511,
        "relative_orbit": 122,
        "size_px": 366,
        "offset_px": (3420, 2700),
        "seed": 7,
        "cloud_fraction": 0.4,
    }
    return SimulatedAcquisition(**(values | changes))  # type: ignore[arg-type]


def judge_folder(safe: Path, root: Path) -> Path:
    """safe/<product_id>/judge with a link to the product, as Unzip leaves it."""
    folder = root / "safe" / safe.stem / "judge"
    folder.mkdir(parents=True)
    (folder / safe.name).symlink_to(safe)
    return folder


def unpacked(archive: Path, level: str, baseline: str, root: Path) -> Path:
    """NAME.SAFE of one product of an archive, in safe/<product_id>/judge, to be spoilt."""
    zipped = next(archive.glob(f"*_MSI{level}_*_N{baseline}_*.zip"))
    shutil.unpack_archive(zipped, root / "safe" / zipped.stem / "judge")
    return root / "safe" / zipped.stem / "judge" / f"{zipped.stem}.SAFE"


@pytest.fixture(scope="module")
def masked(tiny_safe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("masked")
    return mask_scene(judge_folder(tiny_safe, root), root / "masks" / tiny_safe.stem)


class TestMaskScene:
    """A mask folder holds the judgement on the product's own grid."""

    def test_keeps_the_products_own_classification_and_grid(self, masked: Path, tiny_safe: Path) -> None:
        product = read_product(tiny_safe)
        with ScratchReader(masked / "scene_20.tif") as reader:
            assert reader.grid == product.grids[20]
            assert reader.names == ("class", "distance", "clear_share", "cloud_probability")
            classes = reader.read(bands="class")
            probability = reader.read(bands="cloud_probability")
        assert np.array_equal(classes & 15, read_image(image_path(product, "SCL_20")))
        coarse = read_image(image_path(product, "CLDPRB_60"))
        assert np.array_equal(probability, coarse.repeat(3, axis=0).repeat(3, axis=1))
        with ScratchReader(masked / "scene_60.tif") as reader:
            assert reader.grid == product.grids[60]
            assert reader.names == ("B02", "B04", "B8A", "B11", "AOT", "HAZE", "ZONE")

    def test_takes_the_offset_off_the_60_m_bands(self, masked: Path, tiny_safe: Path) -> None:
        dn = read_image(image_path(read_product(tiny_safe), "B11_60")).astype(int)
        assert np.array_equal(read_scratch(masked / "scene_60.tif", bands="B11"), np.maximum(dn - 1000, 1))

    def test_is_tiled_by_512_and_compressed_as_scratch(self, masked: Path) -> None:
        with rasterio.open(masked / "scene_20.tif") as file:
            assert file.dtypes == ("uint8",) * 4
            assert file.profile["compress"] == "zstd"

    def test_states_the_figures_of_the_product(self, masked: Path, tiny_safe: Path) -> None:
        figures = json.loads((masked / "scene.json").read_text())
        assert figures["product_id"] == tiny_safe.stem
        assert figures["simulated"] is True
        assert 37 < figures["sun_zenith"] < 40  # Helsinki, 11 July, two hours before noon UTC
        assert 160 < figures["sun_azimuth"] < 175
        assert figures["valid_share"] == 1.0
        assert 0 < figures["clear_share"] < 1

    def test_gives_the_same_bytes_again(self, masked: Path, tiny_safe: Path, tmp_path: Path) -> None:
        again = mask_scene(judge_folder(tiny_safe, tmp_path), tmp_path / "masks" / tiny_safe.stem)
        for name in ("scene_20.tif", "scene_60.tif", "scene.json"):
            assert (again / name).read_bytes() == (masked / name).read_bytes()

    def test_sees_the_same_ground_in_every_baseline(self, simulate: Simulate, tmp_path: Path) -> None:
        bands = []
        for baseline in (214, 400, 511):
            safe = simulate(acquisition(baseline=baseline, signature={"B04": 0.1234}, cloudless=True))
            folder = mask_scene(judge_folder(safe, tmp_path), tmp_path / "masks" / safe.stem)
            bands.append(read_scratch(folder / "scene_60.tif", bands="B04"))
        assert all((np.abs(band.astype(int) - 1234) <= 1).all() for band in bands)

    def test_trusts_nothing_beyond_the_edge_of_the_orbit(self, simulate: Simulate, tmp_path: Path) -> None:
        safe = simulate(acquisition(orbit_edge=0.3, cloudless=True))
        folder = mask_scene(judge_folder(safe, tmp_path), tmp_path / "masks" / safe.stem)
        valid = (read_scratch(folder / "scene_20.tif", bands="class") & 128) > 0
        scl = read_image(image_path(read_product(safe), "SCL_20"))
        assert 0.5 < valid.mean() < 0.75
        assert not valid[scl == 0].any()
        first = np.argmax(valid, axis=1)
        assert (first >= np.argmax(scl > 0, axis=1) + 2).all()


class TestReading:
    """Of an L2A product only what tells something is decoded."""

    def spoilt(self, safe: Path, root: Path, name: str) -> Path:
        """The folder of a product whose image cannot be decoded any more."""
        copy = root / "safe" / safe.stem / "judge" / safe.name
        shutil.copytree(safe, copy)
        next(copy.rglob(name)).write_bytes(b"no image")
        return copy.parent

    @pytest.mark.parametrize("name", ["MSK_DETFOO_B05.jp2", "*_B03_60m.jp2"])
    def test_leaves_out_footprints_without_a_rim_and_green_without_snow(
        self, simulate: Simulate, tmp_path: Path, name: str
    ) -> None:
        safe = simulate(acquisition(cloudless=True, signature={"B11": 0.2}))
        folder = mask_scene(self.spoilt(safe, tmp_path, name), tmp_path / "spoilt" / safe.stem)
        whole = mask_scene(judge_folder(safe, tmp_path / "whole"), tmp_path / "masks" / safe.stem)
        assert (folder / "scene_20.tif").read_bytes() == (whole / "scene_20.tif").read_bytes()

    def test_asks_footprints_where_a_rim_crosses(self, simulate: Simulate, tmp_path: Path) -> None:
        safe = simulate(acquisition(orbit_edge=0.3, cloudless=True))
        folder = mask_scene(self.spoilt(safe, tmp_path, "MSK_DETFOO_B05.jp2"), tmp_path / "masks" / safe.stem)
        assert "MSK_DETFOO_B05.jp2 cannot be decoded" in (read_verdict(folder) or "")

    def test_finds_the_snow_that_the_whole_of_green_shows(self, simulate: Simulate, tmp_path: Path) -> None:
        march = datetime(2024, 3, 15, 9, 50, 31, tzinfo=UTC)
        safe = simulate(
            acquisition(regime=Regime.SNOW, time=march, offset_px=(6000, 6000), cloudless=True, cover=Scl.NOT_VEGETATED)
        )
        product = read_product(safe)
        pixels = {name: read_image(image_path(product, f"{name}_60")) for name in ("B02", "B03", "B8A", "B11")}
        blue, green, nir, swir = (
            harmonised(dn.astype(np.uint16), add_offset=-1000, quantification=10000) for dn in pixels.values()
        )
        snow = dilated(resized(looks_like_snow(blue, green, nir, swir), product.grids[20].shape))
        snow |= dilated(resized(read_image(image_path(product, "SNWPRB_60")) > 50, snow.shape))
        assert 0.02 < snow.mean() < 0.98
        folder = mask_scene(judge_folder(safe, tmp_path), tmp_path / "masks" / safe.stem)
        assert np.array_equal((read_scratch(folder / "scene_20.tif", bands="class") & CLASS_SNOW) > 0, snow)


class TestUnusable:
    """A product that cannot be judged gets a verdict, and nothing else."""

    def test_passes_an_earlier_verdict_on(self, tmp_path: Path) -> None:
        safe = tmp_path / "safe" / "S2A_X" / "judge"
        safe.mkdir(parents=True)
        write_verdict(safe, "S2A_X", "cut short")
        folder = mask_scene(safe, tmp_path / "masks" / "S2A_X")
        assert [path.name for path in folder.glob("[!.]*")] == ["unusable.json"]
        assert json.loads((folder / "unusable.json").read_text()) == {"product_id": "S2A_X", "reason": "cut short"}

    @pytest.mark.parametrize("missing", ["*_SCL_20m.jp2", "*_B8A_60m.jp2"])
    def test_names_the_image_that_is_missing(self, tiny_safe: Path, tmp_path: Path, missing: str) -> None:
        safe = tmp_path / "safe" / tiny_safe.stem / "judge" / tiny_safe.name
        shutil.copytree(tiny_safe, safe)
        next(safe.rglob(missing)).unlink()
        folder = mask_scene(safe.parent, tmp_path / "masks" / tiny_safe.stem)
        assert [path.name for path in folder.glob("[!.]*")] == ["unusable.json"]
        assert missing[2:7].rstrip("_m") in (read_verdict(folder) or "")

    def test_names_the_image_that_is_cut_short(self, tiny_safe: Path, tmp_path: Path) -> None:
        safe = tmp_path / "safe" / tiny_safe.stem / "judge" / tiny_safe.name
        shutil.copytree(tiny_safe, safe)
        image = next(safe.rglob("*_SCL_20m.jp2"))
        image.write_bytes(image.read_bytes()[:200])
        folder = mask_scene(safe.parent, tmp_path / "masks" / tiny_safe.stem)
        assert "SCL_20m" in (read_verdict(folder) or "")

    def test_is_a_folder_without_any_product(self, tmp_path: Path) -> None:
        safe = tmp_path / "safe" / "S2A_X" / "judge"
        safe.mkdir(parents=True)
        folder = mask_scene(safe, tmp_path / "masks" / "S2A_X")
        assert "expected one folder NAME.SAFE" in (read_verdict(folder) or "")

    def test_has_no_such_evidence(self, both_levels: Path, tmp_path: Path) -> None:
        safe = unpacked(both_levels, "L1C", "0301", tmp_path)
        next(safe.rglob("MSK_CLOUDS_B00.gml")).unlink()
        folder = mask_scene(safe.parent, tmp_path / "masks" / safe.stem)
        assert "MSK_CLOUDS_B00.gml, in QI_DATA, found neither" in (read_verdict(folder) or "")

    def test_has_images_of_another_size_than_its_xml_says(self, both_levels: Path, tmp_path: Path) -> None:
        safe = unpacked(both_levels, "L1C", "0511", tmp_path)
        shutil.copyfile(next(safe.rglob("IMG_DATA/*_B11.jp2")), next(safe.rglob("IMG_DATA/*_B03.jp2")))
        folder = mask_scene(safe.parent, tmp_path / "masks" / safe.stem)
        assert "expected B03_10 with 366 x 366 pixels as the XML says, found 46 x 46 when" in (
            read_verdict(folder) or ""
        )

    @pytest.mark.real_data
    def test_is_a_real_one_whose_bands_are_clips(self, shared: Path, tmp_path: Path) -> None:
        (safe,) = (shared / "data/s2-safe").glob("ALCD-*/*.SAFE")
        folder = mask_scene(judge_folder(safe, tmp_path), tmp_path / "masks" / safe.stem)
        assert "expected B02_10 with 10980 x 10980 pixels as the XML says" in (read_verdict(folder) or "")


class TestLevel1C:
    """L1C has no classification: its masks of cloud and its own bands make one."""

    @pytest.mark.parametrize("baseline", ["0209", "0511"])
    def test_calls_cloud_what_its_mask_calls_cloud(self, both_levels: Path, tmp_path: Path, baseline: str) -> None:
        safe = unpacked(both_levels, "L1C", baseline, tmp_path)
        folder = mask_scene(safe.parent, tmp_path / "masks" / safe.stem)
        scl = read_scratch(folder / "scene_20.tif", bands="class") & SCL_BITS
        clouds = read_cloud_classes(read_product(safe))
        assert np.array_equal(scl == Scl.CLOUD_HIGH, resized(clouds.opaque, scl.shape))
        assert set(np.unique(scl)) >= {Scl.VEGETATION, Scl.NOT_VEGETATED, Scl.WATER, Scl.CLOUD_HIGH}
        assert (read_scratch(folder / "scene_20.tif", bands="cloud_probability") == NO_PROBABILITY).all()
        assert not read_scratch(folder / "scene_60.tif", bands="AOT").any()

    def test_finds_the_ground_that_l2a_finds(self, both_levels: Path, tmp_path: Path) -> None:
        safe = unpacked(both_levels, "L1C", "0400", tmp_path)
        folder = mask_scene(safe.parent, tmp_path / "masks" / safe.stem)
        scl = read_scratch(folder / "scene_20.tif", bands="class") & SCL_BITS
        below = read_image(image_path(read_product(next(both_levels.glob("*_MSIL2A_*_N0400_*.zip"))), "SCL_20"))
        for kind, share in ((Scl.VEGETATION, 0.95), (Scl.WATER, 0.97), (Scl.NOT_VEGETATED, 0.8)):
            assert (scl[below == kind] == kind).mean() > share

    def test_takes_its_offset_off_and_keeps_its_rim_out(self, simulate: Simulate, tmp_path: Path) -> None:
        bands = []
        for baseline in (209, 511):
            made = acquisition(
                baseline=baseline, product_type=ProductType.L1C, size_px=192, orbit_edge=0.3, cloudless=True
            )
            safe = simulate(made)
            folder = mask_scene(judge_folder(safe, tmp_path), tmp_path / "masks" / safe.stem)
            bands.append(read_scratch(folder / "scene_60.tif", bands="B04"))
            valid = (read_scratch(folder / "scene_20.tif", bands="class") & CLASS_VALID) > 0
            assert 0.3 < valid.mean() < 0.75
            assert (resized(bands[-1], valid.shape)[valid] > 300).all()  # nodata mixed in would be darker
        seen = (bands[0] > 0) & (bands[1] > 0)
        assert np.abs(bands[0][seen].astype(int) - bands[1][seen].astype(int)).max() <= 2

    def test_takes_what_a_detector_says(
        self, both_levels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def detect(bands: Mapping[str, UInt16Array]) -> DetectedClouds:
            assert set(bands) >= set(DETECT_BANDS)
            cloudy = np.zeros(bands["B10"].shape, dtype=np.bool_)
            cloudy[:10] = True
            return DetectedClouds(probability=np.where(cloudy, np.uint8(97), np.uint8(3)), cloudy=cloudy)

        monkeypatch.setattr(senard.steps.read_judged, "detect_clouds", detect)
        safe = unpacked(both_levels, "L1C", "0511", tmp_path)
        folder = mask_scene(safe.parent, tmp_path / "masks" / safe.stem, [CloudEvidence.S2CLOUDLESS])
        scl = read_scratch(folder / "scene_20.tif", bands="class") & SCL_BITS
        probability = read_scratch(folder / "scene_20.tif", bands="cloud_probability")
        assert (scl[:30] == Scl.CLOUD_HIGH).all()
        assert not (scl[30:] == Scl.CLOUD_HIGH).any()
        assert (set(np.unique(probability[:30])), set(np.unique(probability[30:]))) == ({97}, {3})


class TestEvidence:
    """Clouds of an L2A product are known from what was named."""

    @pytest.fixture
    def product(self, tiny_safe: Path) -> Sentinel2Product:
        return read_product(tiny_safe)

    def classes(self, tiny_safe: Path, folder: Path, *evidence: CloudEvidence) -> UInt8Array:
        made = mask_scene(judge_folder(tiny_safe, folder), folder / "masks" / tiny_safe.stem, evidence)
        return read_scratch(made / "scene_20.tif", bands="class")

    def test_of_the_classification_alone_grades_nothing(self, tiny_safe: Path, masked: Path, tmp_path: Path) -> None:
        found = self.classes(tiny_safe, tmp_path, CloudEvidence.SCL)
        plain = read_scratch(masked / "scene_20.tif", bands="class")
        assert np.array_equal(found & SCL_BITS, plain & SCL_BITS)
        folder = tmp_path / "masks" / tiny_safe.stem
        assert (read_scratch(folder / "scene_20.tif", bands="cloud_probability") == NO_PROBABILITY).all()

    def test_of_the_mask_alone_takes_no_cloud_from_the_classification(
        self, tiny_safe: Path, product: Sentinel2Product, tmp_path: Path
    ) -> None:
        found = self.classes(tiny_safe, tmp_path, CloudEvidence.CLASSI) & SCL_BITS
        clouds, scl = read_cloud_classes(product), read_image(image_path(product, "SCL_20"))
        assert np.array_equal(found == Scl.CLOUD_HIGH, resized(clouds.opaque, found.shape))
        assert not (found == Scl.CLOUD_MEDIUM).any()
        ground = (scl == Scl.WATER) & ~resized(clouds.opaque | clouds.cirrus, found.shape)
        assert (found[ground] == Scl.WATER).all()

    def test_of_both_counts_together(self, tiny_safe: Path, product: Sentinel2Product, tmp_path: Path) -> None:
        found = self.classes(tiny_safe, tmp_path, CloudEvidence.SCL, CloudEvidence.CLASSI) & SCL_BITS
        clouds, scl = read_cloud_classes(product), read_image(image_path(product, "SCL_20"))
        either = np.isin(scl, (8, 9, 10)) | resized(clouds.opaque | clouds.cirrus, found.shape)
        assert np.array_equal(np.isin(found, (8, 9, 10)), either)

    def test_that_the_level_does_not_offer_is_refused(self, tiny_safe: Path, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="only L1C has"):
            self.classes(tiny_safe, tmp_path, CloudEvidence.S2CLOUDLESS)
        assert not (tmp_path / "masks" / tiny_safe.stem).exists()
