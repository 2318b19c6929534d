"""Whole L1C products, from every catalogue and source that has them."""

import dataclasses
import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import shapely

from senard.errors import UnusableSceneError
from senard.io.access import open_catalogue, open_source
from senard.io.archive import LocalArchive
from senard.io.cdse import CdseSource
from senard.io.cdse_nodes import NodeStore
from senard.io.members import fetch_members
from senard.io.safe import read_whole_product
from senard.io.safe_images import belongs_to
from senard.io.sources import untold
from senard.io.unzip import unzip_product
from senard.model.access import Access, CatalogueName, Fetch, SourceName
from senard.model.product import Part
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import BANDS, DETECT_BANDS, ProductType
from senard.simulation.archive import write_product
from senard.simulation.plans import tiny_plan
from tests.emulators import dhus, google, s3, stac
from tests.emulators.cdse import Emulator, Kind
from tests.io.remote_sources import fetched, files_of, isolated

OLD, NEW = "N0209", "N0511"
"""Baselines with vector masks and MD5, and with raster masks and SHA3-256."""


@pytest.fixture
def emulator(both_levels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """All services, with L1C and L2A of four acquisitions."""
    with isolated(tmp_path, monkeypatch, both_levels) as running:
        monkeypatch.setenv("SENARD_S3_ACCESS_KEY", s3.ACCESS_KEY)
        monkeypatch.setenv("SENARD_S3_SECRET_KEY", s3.SECRET_KEY)
        monkeypatch.setenv("SENARD_DHUS_USERNAME", running.account[0])
        monkeypatch.setenv("SENARD_DHUS_PASSWORD", running.account[1])
        for service in (google, s3, dhus, stac):
            running.mounted[service.__name__.rpartition(".")[2]] = service.mount(running)
        yield running


@pytest.fixture
def access(emulator: Emulator, both_levels: Path, tmp_path: Path) -> Access:
    return emulator.access(tmp_path / "downloads", archive=both_levels)


@pytest.fixture
def request_1c(both_levels: Path) -> MosaicRequest:
    """All L1C of the area."""
    (feature,) = json.loads((both_levels / "area.geojson").read_text())["features"]
    return MosaicRequest(
        name="test",
        aoi=shapely.geometry.shape(feature["geometry"]),
        first_day=date(2024, 6, 1),
        last_day=date(2024, 7, 31),
        product_type=ProductType.L1C,
    )


def named(archive: Path, level: str) -> list[str]:
    """Products of one level in an archive, by the start of their datatake."""
    return sorted((path.stem for path in archive.glob(f"*_MSI{level}_*.zip")), key=lambda name: name.split("_")[2])


def of_baseline(archive: Path, baseline: str) -> str:
    """The L1C product of one baseline."""
    (name,) = [name for name in named(archive, "L1C") if baseline in name]
    return name


def scene_of(access: Access, product_id: str) -> Sentinel2Scene:
    """The scene as the Data Space's catalogue tells of it."""
    (scene,) = open_catalogue(dataclasses.replace(access, catalogue=CatalogueName.CDSE)).search(
        MosaicRequest(
            name="test",
            aoi=shapely.box(20, 50, 30, 65),
            first_day=date(2024, 6, 1),
            last_day=date(2024, 7, 31),
            products=(product_id,),
        )
    )
    assert isinstance(scene, Sentinel2Scene)
    return scene


def unpacked(zipped: Path, folder: Path) -> Path:
    """The SAFE folder that somebody else's tool makes of a zip."""
    shutil.unpack_archive(zipped, folder)
    return folder / f"{zipped.stem}.SAFE"


def folders_of(safe: Path) -> set[str]:
    """Every folder of a SAFE, the empty ones too."""
    return {path.relative_to(safe).as_posix() for path in safe.rglob("*") if path.is_dir()}


class TestCatalogues:
    """Who asks for L1C is told of L1C alone"""

    @pytest.mark.parametrize("name", [CatalogueName.CDSE, CatalogueName.CDSE_STAC], ids=lambda name: name.value)
    def test_by_a_service(
        self, access: Access, request_1c: MosaicRequest, both_levels: Path, name: CatalogueName
    ) -> None:
        catalogue = open_catalogue(dataclasses.replace(access, catalogue=name))
        scenes = list(catalogue.search(request_1c))
        assert [scene.product_id for scene in scenes] == named(both_levels, "L1C")
        archive = {scene.product_id: scene for scene in LocalArchive(both_levels).search(request_1c)}
        for scene in scenes:
            local = archive[scene.product_id]
            assert isinstance(scene, Sentinel2Scene)
            assert isinstance(local, Sentinel2Scene)
            assert scene.product_type is ProductType.L1C
            assert scene.cloud_cover == pytest.approx(local.cloud_cover, abs=0.01)
            assert scene.datatake_id == local.datatake_id
        below = dataclasses.replace(request_1c, product_type=ProductType.L2A)
        assert [scene.product_id for scene in catalogue.search(below)] == named(both_levels, "L2A")

    def test_of_a_folder(self, both_levels: Path, request_1c: MosaicRequest) -> None:
        told = [scene for scene in LocalArchive(both_levels).search(request_1c) if isinstance(scene, Sentinel2Scene)]
        assert len(told) == 8
        above = [scene.product_id for scene in told if scene.product_type is ProductType.L1C]
        assert sorted(above) == sorted(named(both_levels, "L1C"))


class TestSources:
    """A whole L1C product is that of the archive, byte for byte"""

    @pytest.mark.parametrize("source", [SourceName.CDSE, SourceName.DHUS], ids=lambda source: source.value)
    def test_as_a_zip(self, access: Access, both_levels: Path, tmp_path: Path, source: SourceName) -> None:
        scene = scene_of(access, of_baseline(both_levels, NEW))
        path = fetched(open_source(dataclasses.replace(access, sources=(source,))), scene, Part.ALL, tmp_path / "into")
        assert path.read_bytes() == (both_levels / f"{scene.product_id}.zip").read_bytes()

    @pytest.mark.parametrize(
        ("source", "baseline"), [(SourceName.CDSE_S3, OLD), (SourceName.CDSE_S3, NEW), (SourceName.GOOGLE, NEW)]
    )
    def test_file_by_file(
        self, access: Access, both_levels: Path, tmp_path: Path, source: SourceName, baseline: str
    ) -> None:
        scene = scene_of(access, of_baseline(both_levels, baseline))
        safe = fetched(open_source(dataclasses.replace(access, sources=(source,))), scene, Part.ALL, tmp_path / "into")
        original = unpacked(both_levels / f"{scene.product_id}.zip", tmp_path / "original")
        found = files_of(safe)
        found.pop(f"{scene.product_id}-ql.jpg", None)  # the object store has a picture beside the product
        assert found == files_of(original)
        assert folders_of(safe) == folders_of(original)
        assert read_whole_product(safe).scene.product_type is ProductType.L1C

    def test_node_by_node(self, access: Access, both_levels: Path, tmp_path: Path) -> None:
        scene = scene_of(access, of_baseline(both_levels, NEW))
        assert scene.remote is not None
        source = CdseSource(access)
        store = NodeStore(
            access.addresses.data,
            scene.remote.uuid,
            scene.product_id,
            Part.ALL,
            http=source._http,
            tokens=source._tokens,
            connections=source._connections,
            pace=access.pace,
        )
        safe = fetch_members(scene, Part.ALL, store, access.download_dir, untold)
        original = unpacked(both_levels / f"{scene.product_id}.zip", tmp_path / "original")
        assert files_of(safe) == files_of(original)
        assert folders_of(safe) == folders_of(original)

    def test_from_a_folder(self, access: Access, both_levels: Path, tmp_path: Path) -> None:
        scene = scene_of(access, of_baseline(both_levels, NEW))
        path = fetched(LocalArchive(both_levels), scene, Part.ALL, tmp_path / "into")
        assert path == both_levels / f"{scene.product_id}.zip"
        safe = unzip_product(path, Part.ALL, tmp_path / "safe")
        original = unpacked(path, tmp_path / "original")
        assert files_of(safe) == files_of(original)


class TestParts:
    """A part of an L1C product"""

    def test_has_the_masks_for_judging_and_the_bands_of_a_mosaic(
        self, access: Access, both_levels: Path, tmp_path: Path
    ) -> None:
        scene = scene_of(access, named(both_levels, "L1C")[-1])
        source = open_source(dataclasses.replace(access, sources=(SourceName.CDSE,), fetch=Fetch.MEMBERS))
        judged = fetched(source, scene, Part.JUDGE, tmp_path / "judge")
        images = set(read_whole_product(judged, Part.JUDGE).images)
        assert images >= {"CLASSI", "DETFOO_B10", "B02_10", "B03_10", "B04_10", "B8A_20", "B11_20"}
        assert "B12_20" not in images
        detected = fetched(source, scene, Part.DETECT, tmp_path / "detect")
        images = set(read_whole_product(detected, Part.DETECT).images)
        assert images >= {"CLASSI", "B03_10", *(f"{name}_{BANDS[name].gsd}" for name in DETECT_BANDS)}
        assert "B06_20" not in images
        banded = fetched(source, scene, Part.BANDS, tmp_path / "bands")
        assert set(read_whole_product(banded, Part.BANDS).images) >= {"B08_10", "B12_20"}
        original = files_of(unpacked(both_levels / f"{scene.product_id}.zip", tmp_path / "original"))
        found = files_of(banded)
        assert {place for place in found if original.get(place) != found[place]} == {"partial.json"}

    @pytest.mark.parametrize("part", [Part.JUDGE, Part.DETECT])
    def test_has_the_polygons_of_clouds_for_judging(self, both_levels: Path, tmp_path: Path, part: Part) -> None:
        safe = unzip_product(both_levels / f"{of_baseline(both_levels, OLD)}.zip", part, tmp_path)
        assert [path.name for path in safe.rglob("*.gml")] == ["MSK_CLOUDS_B00.gml"]
        assert not belongs_to("GRANULE/L1C_X/QI_DATA/MSK_CLOUDS_B00.gml", ProductType.L1C, Part.BANDS)


class TestVerification:
    """What is wrong with an L1C product"""

    @pytest.fixture
    def scene(self, access: Access, both_levels: Path) -> Sentinel2Scene:
        return scene_of(access, named(both_levels, "L1C")[-1])

    def test_is_mended_where_one_file_came_damaged(
        self, access: Access, emulator: Emulator, scene: Sentinel2Scene, both_levels: Path, tmp_path: Path
    ) -> None:
        emulator.faults.next(Kind.SPOILT, 1, on="google", products=[scene.product_id])
        source = open_source(dataclasses.replace(access, sources=(SourceName.GOOGLE,)))
        safe = fetched(source, scene, Part.ALL, tmp_path / "into")
        original = unpacked(both_levels / f"{scene.product_id}.zip", tmp_path / "original")
        assert files_of(safe) == files_of(original)

    @pytest.mark.parametrize("band", ["B01", "B10"])
    def test_is_said_where_a_band_is_missing_that_no_mosaic_needs(
        self, access: Access, emulator: Emulator, scene: Sentinel2Scene, tmp_path: Path, band: str
    ) -> None:
        emulator.mounted["google"].missing = {f"_{band}.jp2"}
        source = open_source(dataclasses.replace(access, sources=(SourceName.GOOGLE,)))
        (tmp_path / "into").mkdir()
        with pytest.raises(UnusableSceneError, match=f"_{band}.jp2"):
            source.fetch(scene, Part.ALL, tmp_path / "into")

    def test_is_found_in_a_folder_that_lacks_a_band(self, both_levels: Path, tmp_path: Path) -> None:
        safe = unpacked(both_levels / f"{named(both_levels, 'L1C')[-1]}.zip", tmp_path)
        next(safe.glob("GRANULE/*/IMG_DATA/*_B10.jp2")).unlink()
        with pytest.raises(UnusableSceneError, match=r"_B10(\.jp2)? is missing \(B10_60\)"):
            read_whole_product(safe)

    def test_is_found_in_a_zip_of_which_one_file_is_damaged(self, both_levels: Path, tmp_path: Path) -> None:
        original = both_levels / f"{named(both_levels, 'L1C')[-1]}.zip"
        damaged = tmp_path / original.name
        with zipfile.ZipFile(original) as archive:
            band = next(entry for entry in archive.infolist() if entry.filename.endswith("_B10.jp2"))
        content = bytearray(original.read_bytes())
        content[band.header_offset + band.file_size // 2] ^= 0xFF
        damaged.write_bytes(content)
        with pytest.raises(UnusableSceneError, match=r"_B10\.jp2 is damaged"):
            unzip_product(damaged, Part.ALL, tmp_path / "safe")


class TestPilotForm:
    """L2Ap, L2A by its name and S2MSI2Ap by the catalogue,"""

    @pytest.fixture
    def pilot(self, tmp_path: Path) -> Path:
        made = dataclasses.replace(tiny_plan().acquisitions[0], product_type=ProductType.L2AP, baseline=205, size_px=96)
        return write_product(made, tmp_path / "offered")

    def test_is_found_where_it_or_l2a_is_asked_for_and_comes_whole(
        self, pilot: Path, request_1c: MosaicRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "_MSIL2A_" in pilot.name
        with isolated(tmp_path, monkeypatch, pilot.parent) as emulator:
            assert emulator.products[pilot.stem].attributes["productType"] == "S2MSI2Ap"
            access = emulator.access(tmp_path / "downloads", fetch=Fetch.WHOLE, sources=(SourceName.CDSE,))
            catalogue = open_catalogue(access)
            found = {
                kind: [
                    scene.product_id for scene in catalogue.search(dataclasses.replace(request_1c, product_type=kind))
                ]
                for kind in ProductType
            }
            assert found == {ProductType.L1C: [], ProductType.L2A: [pilot.stem], ProductType.L2AP: [pilot.stem]}
            path = fetched(open_source(access), scene_of(access, pilot.stem), Part.ALL, tmp_path / "into")
            assert path.read_bytes() == pilot.read_bytes()
            assert read_whole_product(path).scene.product_type is ProductType.L2AP
