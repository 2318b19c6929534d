"""Real product metadata of every baseline from 02.01 to 05.10."""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import shapely

from senard.algorithms.supersede import supersede
from senard.errors import UnusableSceneError
from senard.io.manifest import parse_manifest
from senard.io.safe import read_product, read_whole_product
from senard.io.safe_granule import parse_granule_xml
from senard.io.safe_images import image_key, needed_keys
from senard.io.safe_xml import ProductXml, parse_product_xml
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import ProductType

pytestmark = pytest.mark.real_data

NAME = re.compile(r"(S2[AB])_MSI(L1C|L2A)_(\d{8}T\d{6})_(?:N(\d{4})_)?R(\d{3})_T(\d{2}[A-Z]{3})_(\d{8}T\d{6})")


@pytest.fixture(scope="module")
def product_files(shared: Path) -> list[Path]:
    found = sorted((shared / "data/s2-metadata").glob("*/*/MTD_MSI*.xml"))
    assert len(found) == 35
    return found


@pytest.fixture(scope="module")
def granule_files(shared: Path) -> list[Path]:
    found = sorted((shared / "data/s2-metadata").glob("*/*/GRANULE/*/MTD_TL.xml"))
    assert len(found) == 11
    return found


def parsed(path: Path) -> ProductXml:
    return parse_product_xml(path.read_bytes(), str(path))


class TestRealProductXml:
    """Every real product XML says what the product's name and manifest say independently."""

    def test_agrees_with_the_name_of_the_folder(self, product_files: list[Path]) -> None:
        for path in product_files:
            xml, match = parsed(path), NAME.search(path.parent.name)
            assert match is not None
            satellite, level, datatake, baseline, orbit, tile, _ = match.groups()
            assert (xml.satellite, xml.mgrs_tile, xml.relative_orbit) == (satellite, tile, int(orbit))
            assert xml.product_type is (ProductType.L1C if level == "L1C" else ProductType.L2A)
            assert f"{xml.datatake_time:%Y%m%dT%H%M%S}" == datatake
            assert xml.datatake_id.startswith(f"G{satellite}_{datatake}_")
            assert "_N" not in xml.datatake_id
            if baseline is not None:
                assert xml.product_id == path.parent.name.removeprefix("esa_").removesuffix(".SAFE")
                assert xml.baseline == (-1 if baseline == "9999" else int(baseline))

    def test_has_an_offset_if_and_only_if_the_file_names_one(self, product_files: list[Path]) -> None:
        with_offset = 0
        for path in product_files:
            named = re.search(rb"<(BOA|RADIO)_ADD_OFFSET ", path.read_bytes()) is not None
            assert set(parsed(path).add_offset.values()) == ({-1000} if named else {0}), path
            with_offset += named
        assert with_offset == 13  # 04.00, 05.00, 05.09, among them scenes of 2018 and 2021

    def test_ranks_the_test_baseline_below_every_other(self, product_files: list[Path]) -> None:
        ranks = {xml.baseline for path in product_files if "_N9999_" not in path.parent.name for xml in [parsed(path)]}
        assert min(ranks) == 201
        assert {parsed(path).baseline for path in product_files if "_N9999_" in path.parent.name} == {-1}

    def test_has_the_scaling_of_every_real_product(self, product_files: list[Path]) -> None:
        assert {(parsed(path).quantification, parsed(path).aot_quantification) for path in product_files} == {
            (10000, 1000.0)
        }
        assert not any(parsed(path).simulated for path in product_files)

    def test_agrees_with_orbit_time_and_ground_of_the_manifest(self, product_files: list[Path]) -> None:
        compared = 0
        for path in product_files:
            manifest = path.with_name("manifest.safe")
            if not manifest.is_file():
                continue
            xml, text = parsed(path), manifest.read_text(encoding="utf-8")
            orbit = re.search(r"<safe:relativeOrbitNumber[^>]*>(\d+)", text)
            start = re.search(r"<safe:startTime>([^<]+)", text)
            corners = re.search(r"<gml:coordinates>([^<]+)", text)
            if orbit is None or start is None or corners is None or xml.footprint is None:
                continue
            compared += 1
            assert xml.relative_orbit == int(orbit.group(1))
            assert xml.datatake_time == datetime.fromisoformat(start.group(1)).replace(microsecond=0)
            numbers = [float(number) for number in re.split(r"[ ,]+", corners.group(1).strip())]
            points = shapely.points(np.array(numbers[1::2]), np.array(numbers[0::2]))
            assert shapely.distance(xml.footprint, points).max() < 1e-4
        assert compared >= 25

    def test_names_every_image_that_a_mosaic_needs(self, product_files: list[Path]) -> None:
        for path in product_files:
            xml = parsed(path)
            keys = {image_key(place) for place in xml.image_files}
            assert needed_keys(xml.product_type, Part.ALL) - {"CLDPRB_60", "SNWPRB_60"} <= keys

    def test_cuts_the_footprints_that_cross_the_antimeridian(self, product_files: list[Path]) -> None:
        crossing = {
            xml.mgrs_tile for path in product_files for xml in [parsed(path)] if xml.footprint.geom_type != "Polygon"
        }
        assert crossing == {"01LAC", "01WCP"}
        areas = [parsed(path).footprint.area for path in product_files]
        assert min(areas) > 0
        assert max(areas) < 8  # degrees squared, at 80 degrees north

    def test_settles_the_real_duplicates(self, product_files: list[Path]) -> None:
        scenes = [a_scene(parsed(path)) for path in product_files if parsed(path).product_type is ProductType.L2A]
        kept = {entry.product_id[11:] for entry in supersede(scenes) if entry.kept}
        assert "20211010T105859_N0500_R094_T30TVN_20230111T152006" in kept  # two halves of one datatake
        assert "20211010T105859_N0500_R094_T30TVN_20230113T165940" in kept
        assert "20190508T104029_N0212_R008_T31UFS_20190529T175832" in kept  # the later of two repeats
        assert len(scenes) - len(kept) == 8
        left_out = {entry.product_id[11:] for entry in supersede(scenes) if not entry.kept}
        assert {name.split("_")[1] for name in left_out} == {"N0208", "N0212", "N0301", "N9999", "N0509"}


def a_scene(xml: ProductXml) -> Sentinel2Scene:
    names = ("product_id", "product_type", "satellite", "mgrs_tile", "datatake_time", "processing_time", "baseline")
    more = ("relative_orbit", "datatake_id", "datastrip_time", "cloud_cover", "footprint")
    values = {name: getattr(xml, name) for name in (*names, *more)}
    return Sentinel2Scene(**values, acquisition_time=xml.datatake_time, location=Path("/a"), size_bytes=0)


class TestRealGranuleXml:
    """Every real granule XML says where and when, and under which angles."""

    def test_lies_on_the_grid_of_its_tile(self, granule_files: list[Path]) -> None:
        for path in granule_files:
            granule = parse_granule_xml(path.read_bytes(), str(path))
            assert {gsd: grid.shape for gsd, grid in granule.grids.items()} == {
                10: (10980, 10980), 20: (5490, 5490), 60: (1830, 1830),
            }  # fmt: skip
            zone, row = granule.tile_id.split("_T")[-1][:2], granule.tile_id.split("_T")[-1][2]
            assert granule.grids[10].crs == f"EPSG:32{'6' if row >= 'N' else '7'}{zone}"
            assert len({grid.bounds for grid in granule.grids.values()}) == 1

    def test_was_sensed_within_the_minutes_after_the_datatake_began(self, granule_files: list[Path]) -> None:
        for path in granule_files:
            granule = parse_granule_xml(path.read_bytes(), str(path))
            begun = datetime.strptime(NAME.search(path.parents[2].name).group(3), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            assert 0 <= (granule.sensing_time - begun).total_seconds() < 20 * 60

    def test_has_angles_whose_mean_is_the_stated_mean(self, granule_files: list[Path]) -> None:
        for path in granule_files:
            text = path.read_text(encoding="utf-8")
            stated = re.search(
                r"<Mean_Sun_Angle>\s*<ZENITH_ANGLE[^>]*>([\d.]+)<.*?<AZIMUTH_ANGLE[^>]*>([\d.]+)<", text, re.S
            )
            granule = parse_granule_xml(text.encode(), str(path))
            assert float(granule.sun.zenith.mean()) == pytest.approx(float(stated.group(1)), abs=0.05)
            assert float(granule.sun.azimuth.mean()) == pytest.approx(float(stated.group(2)), abs=0.3)
            assert granule.view.zenith.shape == (23, 23)
            assert granule.view.zenith.min() >= 0
            assert granule.view.zenith.max() < 13  # the swath ends at 12 degrees
            # the instrument looks sideways of a track that runs to the south-south-west: never along it
            assert np.isfinite(granule.view.azimuth).all()

    def test_states_the_cloud_cover_of_the_product_xml(self, granule_files: list[Path]) -> None:
        for path in granule_files:
            product = parsed(next(path.parents[2].glob("MTD_MSI*.xml")))
            granule = parse_granule_xml(path.read_bytes(), str(path))
            assert granule.class_shares["CLOUDY_PIXEL_PERCENTAGE"] == pytest.approx(product.cloud_cover, abs=1e-5)


class TestRealManifest:
    """Both kinds of checksum are read, and places that lead to ESA's own disk."""

    def test_verifies_the_product_xml_of_every_unchanged_tree(self, product_files: list[Path]) -> None:
        algorithms: dict[str | None, int] = {}
        for path in product_files:
            manifest = path.with_name("manifest.safe")
            stated = parse_manifest(manifest.read_bytes()).get(path.name) if manifest.is_file() else None
            if stated is None or "openeo" not in str(path):
                continue
            digest = stated.digest()
            digest.update(path.read_bytes())
            assert digest.hexdigest() == stated.checksum, path
            algorithms[stated.algorithm] = algorithms.get(stated.algorithm, 0) + 1
        assert algorithms == {"md5": 11, "sha3_256": 12}

    def test_knows_images_by_their_place_in_the_product(self, shared: Path) -> None:
        folder = "S2B_MSIL2A_20180523T104019_N0208_R008_T31UFS_20180524T145942.SAFE"
        path = shared / "data/s2-metadata/openeo-cdse-T31UFS-baselines" / folder / "manifest.safe"
        places = parse_manifest(path.read_bytes())
        assert "GRANULE/L2A_T31UFS_A006326_20180523T104124/IMG_DATA/R10m/T31UFS_20180523T104019_B04_10m.jp2" in places


class TestRealProducts:
    """Real product folders and zips are opened as they are."""

    def test_reads_an_l1c_folder_as_top_of_atmosphere(self, shared: Path) -> None:
        name = "S2B_MSIL1C_20240305T104819_N0510_R051_T31TCJ_20240305T125347.SAFE"
        product = read_product(shared / "data/s2-safe/ALCD-L1C-T31TCJ-20240305" / name)
        assert product.scene.product_type is ProductType.L1C
        assert product.images["B8A_20"].endswith("_B8A.jp2")
        assert product.add_offset["B10"] == -1000

    def test_finds_that_the_bands_of_a_real_zip_are_empty(self, shared: Path) -> None:
        name = "S2A_MSIL1C_20170809T100031_N0205_R122_T32TQT_20170809T100028.zip"
        path = shared / "data/s2-safe/s2reader-compact-safe-T32TNM-20170226" / name
        assert read_product(path).scene.mgrs_tile == "32TQT"
        with pytest.raises(UnusableSceneError, match="has 0 bytes, expected"):
            read_whole_product(path)
