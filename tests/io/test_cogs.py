"""GeoTIFFs of Earth Search and the Planetary Computer as a source of bands."""

import json
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio

from senard.errors import TransientError, UnusableSceneError
from senard.io import cog_items
from senard.io.cog_product import PRODUCT_XML
from senard.io.cogs import CogSource
from senard.io.members import FOLDER_NAME, MARKER_NAME
from senard.io.safe import image_path, read_product, read_whole_product
from senard.io.unzip import unzip_product
from senard.model.access import SourceName
from senard.model.arrays import UInt16Array
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.steps.mask_scene import mask_scene
from senard.steps.unzip import unzip
from tests.emulators import cogs
from tests.emulators.cdse import Emulator, Kind
from tests.io.made_scenes import made_scene
from tests.io.remote_sources import fetched, isolated, offered

EARTH_SEARCH, PLANETARY_COMPUTER = SourceName.EARTH_SEARCH, SourceName.PLANETARY_COMPUTER
BANDS = [f"{name}_{gsd}" for gsd, names in MOSAIC_BANDS.items() for name in names]


@pytest.fixture
def emulator(tiny_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with isolated(tmp_path, monkeypatch, tiny_archive) as running:
        yield running


@pytest.fixture
def service(emulator: Emulator) -> cogs.Cogs:
    return cogs.mount(emulator)


@pytest.fixture
def scene(emulator: Emulator, tiny_product: Path) -> Sentinel2Scene:
    """The product of baseline 05.11: its XML states an offset of -1000."""
    return offered(emulator, tiny_product.stem)


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


@pytest.fixture
def earth_search(emulator: Emulator, service: cogs.Cogs, downloads: Path) -> CogSource:  # noqa: ARG001 - it must stand
    return CogSource(emulator.access(downloads), EARTH_SEARCH)


@pytest.fixture
def planetary_computer(emulator: Emulator, service: cogs.Cogs, downloads: Path) -> CogSource:  # noqa: ARG001
    return CogSource(emulator.access(downloads), PLANETARY_COMPUTER)


@pytest.fixture
def older_collection(
    monkeypatch: pytest.MonkeyPatch, downloads: Path, scene: Sentinel2Scene, tiny_product: Path
) -> None:
    """Earth Search has the older collection alone, and another source brought the product's XML before."""
    monkeypatch.setitem(cog_items.COLLECTIONS, EARTH_SEARCH, ("sentinel-2-l2a",))  # type: ignore[arg-type]
    folder = downloads / FOLDER_NAME / f"{scene.product_id}.SAFE"
    folder.mkdir(parents=True)
    (folder / PRODUCT_XML).write_bytes(xml_of(tiny_product))


def xml_of(path: Path) -> bytes:
    """The product's XML in a zip."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"{path.stem}.SAFE/{PRODUCT_XML}")


def pixels(root: Path, *keys: str) -> list[UInt16Array]:
    product = read_product(root)
    found = []
    for key in keys:
        with rasterio.open(image_path(product, key)) as dataset:
            found.append(dataset.read(1))
    return found


class TestBandsOfCogs:
    """Both providers give a part as a SAFE folder that is read as ESA's."""

    @pytest.mark.parametrize("name", [EARTH_SEARCH, PLANETARY_COMPUTER], ids=lambda name: name.value)
    def test_hold_the_values_that_esa_delivers(
        self,
        name: SourceName,
        emulator: Emulator,
        service: cogs.Cogs,  # noqa: ARG002 - it must stand
        scene: Sentinel2Scene,
        downloads: Path,
        tiny_product: Path,
        tmp_path: Path,
    ) -> None:
        source = CogSource(emulator.access(downloads), name)
        safe = fetched(source, scene, Part.BANDS, tmp_path / "into")
        product = read_whole_product(safe, Part.BANDS)
        assert product.scene.product_id == scene.product_id
        assert product.add_offset["B04"] == -1000
        for key, found, esa in zip(BANDS, pixels(safe, *BANDS), pixels(tiny_product, *BANDS), strict=True):
            np.testing.assert_array_equal(found, esa, err_msg=key)

    def test_are_verified_and_unpacked_like_any_product(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path
    ) -> None:
        download = tmp_path / scene.product_id / "bands"
        download.mkdir(parents=True)
        earth_search.fetch(scene, Part.BANDS, download)
        out = unzip(download, Part.BANDS, tmp_path / "safe")
        assert [path.name for path in out.glob("[!.]*")] == [f"{scene.product_id}.SAFE"]

    def test_are_judged_like_any_product(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path, tiny_product: Path
    ) -> None:
        into = tmp_path / scene.product_id / "judge"
        into.mkdir(parents=True)
        earth_search.fetch(scene, Part.JUDGE, into)
        derived = json.loads((mask_scene(into, tmp_path / "derived") / "scene.json").read_text())
        (tmp_path / "esa" / scene.product_id / "judge").mkdir(parents=True)
        unzip_product(tiny_product, Part.JUDGE, tmp_path / "esa" / scene.product_id / "judge")
        esa = json.loads(
            (mask_scene(tmp_path / "esa" / scene.product_id / "judge", tmp_path / "own") / "scene.json").read_text()
        )
        assert derived["clear_share"] == pytest.approx(esa["clear_share"], abs=0.02)
        assert derived["sun_zenith"] == esa["sun_zenith"]

    def test_at_60_m_are_means_and_classes_are_the_ones_in_the_middle(
        self, planetary_computer: CogSource, scene: Sentinel2Scene, tmp_path: Path, tiny_product: Path
    ) -> None:
        safe = fetched(planetary_computer, scene, Part.JUDGE, tmp_path / "into")
        fine = pixels(tiny_product, "B04_10")[0].reshape(61, 6, 61, 6)
        expected = np.where((fine == 0).any(axis=(1, 3)), 0, np.floor(fine.mean(axis=(1, 3)) + 0.5))
        np.testing.assert_array_equal(pixels(safe, "B04_60")[0], expected)
        fetched(planetary_computer, scene, Part.CLASSES, tmp_path / "classes")
        np.testing.assert_array_equal(pixels(safe, "SCL_60")[0], pixels(tiny_product, "SCL_20")[0][1::3, 1::3])

    def test_of_all_parts_gather_in_one_folder_and_are_fetched_once(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path, emulator: Emulator
    ) -> None:
        judge = fetched(earth_search, scene, Part.JUDGE, tmp_path / "judge")
        assert fetched(earth_search, scene, Part.BANDS, tmp_path / "bands") == judge
        fetched(earth_search, scene, Part.JUDGE, tmp_path / "again")
        images = [request.path for request in emulator.asked("cogs") if request.path.endswith(".tif")]
        assert len(images) == len(set(images)) == 14  # ten bands, SCL, AOT, clouds, snow
        assert not list(judge.parent.glob("*.raw"))

    def test_leave_nothing_of_a_killed_run(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path
    ) -> None:
        safe = fetched(earth_search, scene, Part.CLASSES, tmp_path / "into")
        raw = safe.with_suffix(".raw")
        raw.mkdir()
        (raw / "SCL.tif").write_bytes(b"put in its place, not yet deleted")
        (raw / "B02.tif.part").write_bytes(b"on its way")
        fetched(earth_search, scene, Part.CLASSES, tmp_path / "again")
        assert [path.name for path in raw.iterdir()] == ["B02.tif.part"]
        fetched(earth_search, scene, Part.BANDS, tmp_path / "bands")
        assert sorted(path.name for path in safe.parent.iterdir()) == [safe.name]

    def test_lie_apart_from_esa_s_own_files_and_say_that_they_are_derived(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path, downloads: Path
    ) -> None:
        safe = fetched(earth_search, scene, Part.JUDGE, tmp_path / "into")
        assert safe.relative_to(downloads).parts[:3] == (".derived", "earth-search", "sentinel-2-c1-l2a")
        marker = json.loads((safe / MARKER_NAME).read_text())
        assert marker["derived"] is True
        assert marker["offset_added_back"] == "0"
        assert "means of finer pixels" in marker["notes"]

    def test_are_made_again_where_a_file_was_changed(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path
    ) -> None:
        safe = fetched(earth_search, scene, Part.CLASSES, tmp_path / "into")
        (image,) = safe.rglob("*_SCL_60m.tif")
        whole = image.read_bytes()
        image.write_bytes(whole[:-1])
        fetched(earth_search, scene, Part.CLASSES, tmp_path / "again")
        assert len(image.read_bytes()) == len(whole)

    def test_that_arrive_damaged_are_fetched_again(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path, emulator: Emulator, tiny_product: Path
    ) -> None:
        emulator.faults.next(Kind.CUT, 1, on="cogs", after=0.9)
        emulator.faults.next(Kind.SPOILT, 1, on="cogs")
        safe = fetched(earth_search, scene, Part.BANDS, tmp_path / "into")
        np.testing.assert_array_equal(pixels(safe, "B02_10"), pixels(tiny_product, "B02_10"))


class TestWhatCogsLack:
    """What a provider has not, or has otherwise, is not taken from it."""

    def test_is_a_whole_product(self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path) -> None:
        with pytest.raises(UnusableSceneError, match="not to be had whole from earth-search"):
            earth_search.fetch(scene, Part.ALL, tmp_path)

    def test_is_level_1c(self, earth_search: CogSource, tmp_path: Path, emulator: Emulator) -> None:
        with pytest.raises(UnusableSceneError, match="has L2A products alone"):
            earth_search.fetch(
                made_scene("S2B_MSIL1C_20240615T104619_N0510_R051_T31TCJ_20240615T125012"), Part.BANDS, tmp_path
            )
        assert emulator.asked("earth_search") == []

    @pytest.mark.parametrize("name", [EARTH_SEARCH, PLANETARY_COMPUTER], ids=lambda name: name.value)
    def test_is_another_processing_of_the_same_acquisition(
        self,
        name: SourceName,
        emulator: Emulator,
        service: cogs.Cogs,  # noqa: ARG002 - it must stand
        scene: Sentinel2Scene,
        downloads: Path,
        tmp_path: Path,
    ) -> None:
        newer = made_scene(scene.product_id.replace("_N0511_", "_N0512_"))
        with pytest.raises(UnusableSceneError, match=f"of the same acquisition it has {scene.product_id}"):
            CogSource(emulator.access(downloads), name).fetch(newer, Part.BANDS, tmp_path)

    def test_is_an_item_with_a_band_missing(
        self, earth_search: CogSource, service: cogs.Cogs, scene: Sentinel2Scene, tmp_path: Path
    ) -> None:
        service.earth_search.missing = {(scene.product_id, "red")}
        with pytest.raises(UnusableSceneError, match=r"sentinel-2-c1-l2a: its item \S+ has no B04"):
            earth_search.fetch(scene, Part.BANDS, tmp_path)

    def test_is_the_offset_where_the_product_s_xml_is_missing(
        self, earth_search: CogSource, service: cogs.Cogs, scene: Sentinel2Scene, tmp_path: Path
    ) -> None:
        service.earth_search.missing = {(scene.product_id, "product_metadata")}
        with pytest.raises(UnusableSceneError, match=r"has no MTD_MSIL2A\.xml, so its offset is not known"):
            earth_search.fetch(scene, Part.BANDS, tmp_path)

    def test_is_the_probability_which_judging_does_without(
        self, earth_search: CogSource, service: cogs.Cogs, scene: Sentinel2Scene, tmp_path: Path
    ) -> None:
        service.earth_search.missing = {(scene.product_id, "cloud")}
        safe = fetched(earth_search, scene, Part.JUDGE, tmp_path / "into")
        assert "CLDPRB_60" not in read_whole_product(safe, Part.JUDGE).images


@pytest.mark.usefixtures("older_collection")
class TestOffsetTakenOut:
    """Where a provider subtracted ESA's offset it is added back, if item, baseline and pixels agree that it did."""

    def test_is_added_back_so_that_the_product_s_xml_holds(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path, tiny_product: Path
    ) -> None:
        safe = fetched(earth_search, scene, Part.BANDS, tmp_path / "into")
        for key, found, esa in zip(BANDS, pixels(safe, *BANDS), pixels(tiny_product, *BANDS), strict=True):
            np.testing.assert_array_equal(found, np.where(esa > 1000, esa, 0), err_msg=key)
        marker = json.loads((safe / MARKER_NAME).read_text())
        assert marker["offset_added_back"] == "1000"
        assert "is added back; what it clipped" in marker["notes"]

    def test_is_added_back_to_every_part_alike(
        self, earth_search: CogSource, scene: Sentinel2Scene, tmp_path: Path, tiny_product: Path
    ) -> None:
        fetched(earth_search, scene, Part.JUDGE, tmp_path / "judge")
        safe = fetched(earth_search, scene, Part.BANDS, tmp_path / "bands")
        (found,), (esa,) = pixels(safe, "B12_20"), pixels(tiny_product, "B12_20")
        np.testing.assert_array_equal(found, np.where(esa > 1000, esa, 0))

    def test_is_not_believed_where_the_item_denies_it(
        self, earth_search: CogSource, service: cogs.Cogs, scene: Sentinel2Scene, tmp_path: Path
    ) -> None:
        service.earth_search.wrong_flags = {scene.product_id}
        with pytest.raises(UnusableSceneError, match="offset -1000 is left in, its pixels say: taken out"):
            earth_search.fetch(scene, Part.BANDS, tmp_path)

    def test_is_not_believed_where_the_baseline_has_none(
        self, earth_search: CogSource, service: cogs.Cogs, emulator: Emulator, tmp_path: Path, downloads: Path
    ) -> None:
        old = next(entry for entry in emulator.products if "_N0301_" in entry.product_id)
        assert old.path is not None
        folder = downloads / FOLDER_NAME / f"{old.product_id}.SAFE"
        folder.mkdir(parents=True)
        (folder / PRODUCT_XML).write_bytes(xml_of(old.path))
        service.earth_search.wrong_flags = {old.product_id}
        with pytest.raises(UnusableSceneError, match="offset is taken out, and the product's XML knows of none"):
            earth_search.fetch(offered(emulator, old.product_id), Part.BANDS, tmp_path)


class TestSignatures:
    """The Planetary Computer's addresses are signed, the signature is renewed in time and shown nowhere."""

    def test_serve_many_files(
        self, planetary_computer: CogSource, scene: Sentinel2Scene, tmp_path: Path, emulator: Emulator
    ) -> None:
        fetched(planetary_computer, scene, Part.BANDS, tmp_path / "into")
        assert len(emulator.asked("planetary_computer", "/sas/")) == 1

    def test_are_renewed_before_they_run_out(
        self,
        planetary_computer: CogSource,
        service: cogs.Cogs,
        scene: Sentinel2Scene,
        tmp_path: Path,
        emulator: Emulator,
    ) -> None:
        service.planetary_computer.token_life_s = 59
        fetched(planetary_computer, scene, Part.CLASSES, tmp_path / "into")
        assert len(emulator.asked("planetary_computer", "/sas/")) == 3  # two XML files and the classes
        assert not [request for request in emulator.asked("blobs") if request.status == 403]

    def test_that_the_store_refuses_are_asked_for_anew(
        self,
        planetary_computer: CogSource,
        service: cogs.Cogs,
        scene: Sentinel2Scene,
        tmp_path: Path,
        emulator: Emulator,
    ) -> None:
        fetched(planetary_computer, scene, Part.CLASSES, tmp_path / "into")
        service.planetary_computer._secret = b"another key"
        fetched(planetary_computer, scene, Part.JUDGE, tmp_path / "again")
        assert len(emulator.asked("planetary_computer", "/sas/")) == 2

    def test_that_the_store_always_refuses_are_given_up(
        self, planetary_computer: CogSource, service: cogs.Cogs, scene: Sentinel2Scene, tmp_path: Path
    ) -> None:
        service.planetary_computer.token_life_s = -1
        with pytest.raises(TransientError, match=r"refused the signature \(AuthenticationFailed\)"):
            planetary_computer.fetch(scene, Part.CLASSES, tmp_path)

    def test_are_in_no_log_and_no_message(
        self,
        planetary_computer: CogSource,
        service: cogs.Cogs,
        scene: Sentinel2Scene,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            fetched(planetary_computer, scene, Part.CLASSES, tmp_path / "into")
            service.files.close()
            with pytest.raises(TransientError) as raised:
                planetary_computer.fetch(scene, Part.BANDS, tmp_path)
        assert caplog.records
        for text in (caplog.text, str(raised.value)):
            assert "sig=" not in text.replace("sig=***", "")
