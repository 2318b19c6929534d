"""Reading one product, folder or zip."""

import dataclasses
import logging
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from senard.errors import UnusableSceneError
from senard.io.safe import image_path, read_product, read_whole_product
from senard.io.safe_images import belongs_to, image_key, is_whole_jp2
from senard.io.safe_xml import parse_xml
from senard.model.product import Part
from senard.model.sentinel2 import MOSAIC_BANDS, ProductType
from tests.io.made_products import WHOLE_JP2, MadeProduct

MADE = MadeProduct()


class TestReadProduct:
    """A product is read from its own XML, whether it is a folder or still a zip."""

    def test_says_the_same_of_folder_and_zip(self, tmp_path: Path) -> None:
        folder = read_product(MADE.write_folder(tmp_path))
        zipped = read_product(MADE.write_zip(tmp_path))
        assert dataclasses.replace(folder.scene, location=tmp_path, size_bytes=0) == dataclasses.replace(
            zipped.scene, location=tmp_path, size_bytes=0
        )
        assert folder.images == zipped.images
        assert folder.grids == zipped.grids

    def test_takes_every_fact_of_the_scene_from_the_xml(self, tmp_path: Path) -> None:
        scene = read_product(MADE.write_zip(tmp_path)).scene
        assert scene.product_id == MADE.product_id
        assert scene.acquisition_time == datetime(2024, 6, 15, 10, 56, 45, 746550, tzinfo=UTC)
        assert scene.datatake_time == datetime(2024, 6, 15, 10, 46, 19, tzinfo=UTC)
        assert scene.datastrip_time == datetime(2024, 6, 15, 10, 48, 32, tzinfo=UTC)
        assert scene.datatake_id == "GS2B_20240615T104619_038000"
        assert (scene.satellite, scene.mgrs_tile, scene.relative_orbit) == ("S2B", "31TCJ", 51)
        assert (scene.baseline, scene.cloud_cover) == (510, 12.5)
        assert scene.footprint is not None
        assert scene.footprint.bounds == (1.0, 43.0, 2.0, 44.0)  # EXT_POS_LIST is lat lon
        assert scene.size_bytes == (tmp_path / f"{MADE.product_id}.zip").stat().st_size

    def test_takes_the_size_in_pixels_from_the_granule(self, tmp_path: Path) -> None:
        grids = read_product(MADE.write_zip(tmp_path)).grids
        assert {gsd: grid.shape for gsd, grid in grids.items()} == {10: (1098, 1098), 20: (549, 549), 60: (183, 183)}
        assert grids[20].geotransform == (300000.0, 20.0, 0.0, 4900020.0, 0.0, -20.0)

    @pytest.mark.parametrize(
        ("baseline", "offset"), [("02.14", None), ("05.00", -1000), ("04.00", None), ("02.14", -1000)]
    )
    def test_has_an_offset_exactly_where_the_xml_has_it(
        self, tmp_path: Path, baseline: str, offset: int | None
    ) -> None:
        product = read_product(dataclasses.replace(MADE, baseline=baseline, offset=offset).write_folder(tmp_path))
        assert set(product.add_offset.values()) == {offset or 0}
        assert len(product.add_offset) == 13

    @pytest.mark.parametrize("baseline", ["99.99", "00.01"])
    def test_ranks_test_baselines_below_every_real_one(self, tmp_path: Path, baseline: str) -> None:
        assert read_product(dataclasses.replace(MADE, baseline=baseline).write_folder(tmp_path)).scene.baseline == -1

    @pytest.mark.parametrize("change", [{"baseline": "06.00"}, {"spacecraft": "Sentinel-2E"}])
    def test_warns_of_a_newer_baseline_or_satellite_and_goes_on(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: dict[str, str]
    ) -> None:
        with caplog.at_level(logging.WARNING, "senard"):
            product = read_product(dataclasses.replace(MADE, **change).write_folder(tmp_path))
        assert product.scene.product_type is ProductType.L2A
        assert "newer than this version" in caplog.text

    def test_recognises_the_pilot_form(self, tmp_path: Path) -> None:
        made = dataclasses.replace(MADE, product_type="S2MSI2Ap", baseline="02.05", offset=None)
        root = made.write_folder(tmp_path)
        text = made.product_xml().replace("PRODUCT_URI>", "PRODUCT_URI_2A>").replace("IMAGE_FILE>", "IMAGE_FILE_2A>")
        text = text.replace("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE").replace("Granule ", "Granules ")
        (root / "MTD_MSIL2A.xml").write_text(text.replace("</Granule>", "</Granules>"), encoding="utf-8")
        product = read_whole_product(root)
        assert product.scene.product_type is ProductType.L2AP
        assert (product.scene.baseline, product.quantification, product.add_offset["B04"]) == (205, 10000, 0)

    def test_knows_no_cloud_cover_where_none_is_stated(self, tmp_path: Path) -> None:
        assert read_product(dataclasses.replace(MADE, cloud_cover="").write_folder(tmp_path)).scene.cloud_cover is None

    def test_cuts_a_footprint_at_the_antimeridian(self, tmp_path: Path) -> None:
        made = dataclasses.replace(MADE, footprint="65 179 66 179 66 -179 65 -179 65 179")
        footprint = read_product(made.write_folder(tmp_path)).scene.footprint
        assert footprint is not None
        assert footprint.geom_type == "MultiPolygon"
        assert footprint.area == pytest.approx(2.0)
        assert (footprint.bounds[0], footprint.bounds[2]) == (-180.0, 180.0)

    @pytest.mark.parametrize(
        ("element", "value"),
        [
            ("BOA_QUANTIFICATION_VALUE", "0"),
            ("BOA_ADD_OFFSET band_id", "inf"),
            ("BOA_ADD_OFFSET band_id", "-99999"),
            ("EXT_POS_LIST", "1 95 1 96 2 96 nan 95"),
            ("EXT_POS_LIST", "430 1 440 1 440 2 430 2"),
            ("GENERATION_TIME", "0001-01-01T00:00:00+14:00"),
            ("SENSING_ORBIT_NUMBER", "R051"),
        ],
    )
    def test_refuses_a_value_that_cannot_be(self, tmp_path: Path, element: str, value: str) -> None:
        root = MADE.write_folder(tmp_path)
        text = re.sub(rf"(<{element}[^>]*>)[^<]*", rf"\g<1>{value}", MADE.product_xml(), count=1)
        (root / "MTD_MSIL2A.xml").write_text(text, encoding="utf-8")
        with pytest.raises(UnusableSceneError, match=r"MTD_MSIL2A\.xml: .*(impossible|not a time)"):
            read_product(root)

    @pytest.mark.parametrize("stated", ["nan", "-3", "120"])
    def test_takes_an_impossible_cloud_cover_for_none(self, tmp_path: Path, stated: str) -> None:
        assert (
            read_product(dataclasses.replace(MADE, cloud_cover=stated).write_folder(tmp_path)).scene.cloud_cover is None
        )

    def test_refuses_several_granules(self, tmp_path: Path) -> None:
        with pytest.raises(UnusableSceneError, match="before December 2016"):
            read_product(dataclasses.replace(MADE, extra_granules=2).write_folder(tmp_path))

    def test_refuses_the_old_format_by_its_name(self, tmp_path: Path) -> None:
        old = tmp_path / "S2A_OPER_PRD_MSIL1C_PDMC_20160101T000000_R051_V20151231T105452_20151231T105452.SAFE"
        old.mkdir()
        with pytest.raises(UnusableSceneError, match="before December 2016"):
            read_product(old)

    @pytest.mark.parametrize("missing", ["MTD_MSIL2A.xml", "MTD_TL.xml"])
    def test_names_the_metadata_that_is_missing(self, tmp_path: Path, missing: str) -> None:
        with pytest.raises(UnusableSceneError, match=f"{missing}.* is missing"):
            read_product(dataclasses.replace(MADE, without=(missing,)).write_zip(tmp_path))

    def test_refuses_a_folder_of_another_name(self, tmp_path: Path) -> None:
        root = MADE.write_folder(tmp_path)
        renamed = root.rename(root.with_name(root.name.replace("T31TCJ", "T31TDJ")))
        with pytest.raises(UnusableSceneError, match="give it its own name back"):
            read_product(renamed)

    def test_refuses_an_image_of_another_tile(self, tmp_path: Path) -> None:
        foreign = MADE.image("R10m/B03_10m").replace("/T31TCJ", "/T31TDJ") + ".jp2"
        made = dataclasses.replace(MADE, without=("B03_10m",), images={foreign.replace("B03", "B03"): WHOLE_JP2})
        root = made.write_folder(tmp_path)
        (root / foreign).write_bytes(WHOLE_JP2)
        with pytest.raises(UnusableSceneError, match="31TDJ"):
            read_product(root)

    def test_refuses_a_broken_zip(self, tmp_path: Path) -> None:
        path = MADE.write_zip(tmp_path)
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(UnusableSceneError, match="not a whole zip"):
            read_product(path)


class TestParseXml:
    """XML may come from anywhere: it cannot reach the disk, the network or all of the memory."""

    @pytest.mark.parametrize(
        "text",
        [
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
            b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>',
            b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        ],
    )
    def test_refuses_entities_and_document_types(self, text: bytes) -> None:
        with pytest.raises(UnusableSceneError, match="document type or entities"):
            parse_xml(text, "MTD_TL.xml")

    def test_refuses_what_is_too_large(self) -> None:
        with pytest.raises(UnusableSceneError, match="more than"):
            parse_xml(b" " * 33_000_000, "MTD_TL.xml")

    def test_names_the_file_that_is_cut_short(self) -> None:
        with pytest.raises(UnusableSceneError, match=r"MTD_TL\.xml is not well-formed"):
            parse_xml(b"<a><b>", "MTD_TL.xml")


class TestReadWholeProduct:
    """A product is whole if all that its XML names and the mosaic needs is there, to the last byte."""

    def test_passes_a_whole_product(self, tmp_path: Path) -> None:
        assert read_whole_product(MADE.write_zip(tmp_path)).scene.product_id == MADE.product_id

    @pytest.mark.parametrize(
        "band", [f"{band}_{gsd}m" for gsd, bands in MOSAIC_BANDS.items() for band in bands] + ["SCL_20m"]
    )
    def test_names_a_missing_image(self, tmp_path: Path, band: str) -> None:
        made = dataclasses.replace(MADE, without=(f"{band}.jp2",))
        with pytest.raises(UnusableSceneError, match=f"{band} is missing"):
            read_whole_product(made.write_zip(tmp_path))

    def test_names_missing_probabilities_that_the_manifest_states(self, tmp_path: Path) -> None:
        root = MADE.write_folder(tmp_path)
        (root / f"{MADE.granule}/QI_DATA/MSK_CLDPRB_60m.jp2").unlink()
        with pytest.raises(UnusableSceneError, match=r"MSK_CLDPRB_60m\.jp2 is missing"):
            read_whole_product(root)

    @pytest.mark.parametrize("name", ["MSK_CLDPRB", "MSK_SNWPRB"])
    def test_takes_probabilities_of_60_m_for_judging(self, name: str) -> None:
        place = f"{MADE.granule}/QI_DATA/{name}"
        assert belongs_to(f"{place}_60m.jp2", ProductType.L2A, Part.JUDGE)
        assert not belongs_to(f"{place}_20m.jp2", ProductType.L2A, Part.JUDGE)

    def test_does_not_miss_what_no_mosaic_needs(self, tmp_path: Path) -> None:
        made = dataclasses.replace(MADE, without=("TCI_10m", "B01_60m"))
        assert "TCI_10" not in read_whole_product(made.write_folder(tmp_path)).images

    def test_does_not_miss_the_bands_in_a_folder_for_judging(self, tmp_path: Path) -> None:
        made = dataclasses.replace(MADE, without=("R10m",))
        product = read_whole_product(made.write_folder(tmp_path), Part.JUDGE)
        assert "SCL_20" in product.images
        assert "B04_10" not in product.images

    def test_finds_a_file_shorter_than_the_manifest_states(self, tmp_path: Path) -> None:
        root = MADE.write_folder(tmp_path)
        (root / f"{MADE.image('R20m/SCL_20m')}.jp2").write_bytes(WHOLE_JP2[:4] + WHOLE_JP2[-2:])
        with pytest.raises(UnusableSceneError, match=r"SCL_20m\.jp2 has 6 bytes, expected 12"):
            read_whole_product(root)

    def test_finds_a_code_stream_without_its_end(self, tmp_path: Path) -> None:
        root = MADE.write_folder(tmp_path)
        (root / f"{MADE.image('R10m/B04_10m')}.jp2").write_bytes(WHOLE_JP2[:-1] + b"\0")
        with pytest.raises(UnusableSceneError, match=r"B04_10m\.jp2 does not end with the end marker"):
            read_whole_product(root)

    def test_finds_it_in_a_zip_that_stores_without_compression(self, tmp_path: Path) -> None:
        cut = {f"{MADE.image('R10m/B04_10m')}.jp2": WHOLE_JP2[:-1] + b"\0"}
        path = dataclasses.replace(MADE, images=cut).write_zip(tmp_path, compression=zipfile.ZIP_STORED)
        with pytest.raises(UnusableSceneError, match=r"B04_10m\.jp2 does not end"):
            read_whole_product(path)


class TestImagePath:
    """An image is opened where it lies."""

    def test_points_into_a_folder(self, tmp_path: Path) -> None:
        path = image_path(read_product(MADE.write_folder(tmp_path)), "B04_10")
        assert Path(path).read_bytes() == WHOLE_JP2

    def test_points_into_a_zip(self, tmp_path: Path) -> None:
        path = image_path(read_product(MADE.write_zip(tmp_path)), "SCL_20")
        assert (
            path == f"/vsizip/{tmp_path}/{MADE.product_id}.zip/{MADE.product_id}.SAFE/{MADE.image('R20m/SCL_20m')}.jp2"
        )

    def test_names_the_image_that_a_product_does_not_have(self, tmp_path: Path) -> None:
        product = read_product(MADE.write_folder(tmp_path))
        with pytest.raises(UnusableSceneError, match="the image WVP_10 is missing"):
            image_path(product, "WVP_10")


class TestImageKey:
    """An image is known by its file's name, in every baseline's way of writing it."""

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("T31TCJ_20240615T104619_B04_10m.jp2", "B04_10"),
            ("L2A_T31TCJ_20170615T104619_B8A_20m.jp2", "B8A_20"),
            ("T46RER_20210908T042701_B01.jp2", "B01_60"),
            ("T46RER_20210908T042701_TCI.jp2", "TCI_10"),
            ("T31TCJ_20240615T104619_SCL_60m.tif", "SCL_60"),
            ("MSK_CLDPRB_60m.jp2", "CLDPRB_60"),
            ("L2A_T31TCJ_20170615T104619_CLD_20m.jp2", "CLDPRB_20"),
            ("L2A_T31TCJ_20170615T104619_SNW_20m.jp2", "SNWPRB_20"),
            ("MSK_DETFOO_B04.jp2", "DETFOO_B04"),
            ("MSK_CLASSI_B00.jp2", "CLASSI"),
            ("T31TCJ_20240615T104619_PVI.jp2", "PVI"),
            ("MSK_DETFOO_B04.gml", None),
            ("MTD_TL.xml", None),
        ],
    )
    def test_is_read_from_the_name(self, name: str, key: str | None) -> None:
        assert image_key(f"GRANULE/X/IMG_DATA/{name}") == key


class TestIsWholeJp2:
    """A JPEG 2000 file is whole if its code stream ends with FF D9."""

    @pytest.mark.parametrize(
        ("data", "whole"),
        [
            (WHOLE_JP2, True),
            (WHOLE_JP2[:-2], False),
            (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\0jp2c" + WHOLE_JP2, True),
            (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x14jp2c" + WHOLE_JP2 + b"\0\0\0\x0axml <>", True),
            (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\xffjp2c" + WHOLE_JP2, False),
            (b"\0\0\0\x0cjP  \r\n\x87\n", False),
            (b"", False),
        ],
    )
    def test_is_told_without_decoding(self, tmp_path: Path, data: bytes, whole: bool) -> None:
        path = tmp_path / "a.jp2"
        path.write_bytes(data)
        assert is_whole_jp2(path) is whole
