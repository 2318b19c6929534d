"""From what was typed to a request."""

import hashlib
import importlib.util
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely

from senard.errors import RequestError
from senard.io.aoi import mgrs_area
from senard.model.call import Call
from senard.model.options import OPTIONS, Kind, option
from senard.model.request import Buffer, Fill
from senard.model.sentinel2 import ProductType
from senard.steps.make_request import make_request, parse_day, require_for_mosaic, with_mosaic_warnings

TODAY = date(2025, 1, 1)


def call(folder: Path, *, configured: dict[str, str] | None = None, **typed: Any) -> Call:
    """A sound call, with changes; None takes an option away."""
    given = {
        "bbox": "24,60,26,61",
        "start": "2024-05-01",
        "end": "2024-07-31",
        "archive": str(folder),
        **{name: value if value is None else str(value) for name, value in typed.items()},
    }
    return make_request(given, configured=configured, today=TODAY)


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def raster(path: Path) -> Path:
    transform = rasterio.Affine(10, 0, 385_000, 0, -10, 6_672_000)
    profile = {"driver": "GTiff", "width": 2000, "height": 2000, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", crs="EPSG:32635", transform=transform, **profile) as out:
        out.write(np.zeros((10, 10), dtype=np.uint8), 1, window=((0, 10), (0, 10)))
    return path


class TestMakeRequest:
    """What was typed becomes a request and the settings of a run."""

    def test_needs_area_period_and_archive_only(self, tmp_path: Path) -> None:
        made = call(tmp_path)
        assert made.request.name == "aoi"
        assert made.request.aoi.equals(shapely.box(24, 60, 26, 61))
        assert (made.request.first_day, made.request.last_day) == (date(2024, 5, 1), date(2024, 7, 31))
        assert made.request.fill is Fill.FLAG
        assert made.request.buffer is Buffer.THIN
        assert made.request.product_type is ProductType.L2A
        assert made.request.cloud_cover_max == 95
        assert made.resolutions == (10, 20)
        assert made.layers == ()
        assert made.access.archive == tmp_path
        assert made.outdir == Path.cwd() / "out"
        assert made.workdir == Path.cwd() / "out/.senard"
        assert (made.rebuild, made.refresh, made.allow_missing) == (False, False, False)
        assert made.warnings == ()

    def test_takes_everything(self, tmp_path: Path) -> None:
        made = call(
            tmp_path,
            name="south-coast",
            product_type="s2msi2ap",
            cloud_cover_min=5,
            cloud_cover_max="60.5",
            mgrs_tiles="T35VLG, 34vfm",
            products=write(tmp_path / "p.txt", "S2A_A.SAFE\n"),
            target_date="01-JUN-2024",
            fill="ALL",
            buffer="pure",
            clip="false",
            crs="32635",
            outdir=tmp_path / "o",
            workdir=tmp_path / "w",
            resolutions="20",
            rebuild="true",
            refresh="True",
            allow_missing="true",
        )
        request = made.request
        assert request.name == "south-coast"
        assert request.product_type is ProductType.L2AP
        assert (request.cloud_cover_min, request.cloud_cover_max) == (5.0, 60.5)
        assert request.mgrs_tiles == ("34VFM", "35VLG")
        assert request.products == ("S2A_A",)
        assert request.target_date == date(2024, 6, 1)
        assert (request.fill, request.buffer, request.clip) == (Fill.ALL, Buffer.PURE, False)
        assert request.crs == "EPSG:32635"
        assert (made.outdir, made.workdir) == (tmp_path / "o", tmp_path / "w")
        assert made.resolutions == (20,)
        assert (made.rebuild, made.refresh, made.allow_missing) == (True, True, True)

    def test_is_named_after_the_areas_file(self, tmp_path: Path) -> None:
        area = write(tmp_path / "Isle of Man.wkt", "POLYGON ((-5 54, -4 54, -4 55, -5 55, -5 54))")
        assert call(tmp_path, bbox=None, aoi=area).request.name == "isle-of-man"

    def test_takes_mgrs_tiles_as_the_area_where_no_other_is_given(self, tmp_path: Path) -> None:
        request = call(tmp_path, bbox=None, mgrs_tiles="31UFS").request
        assert request.mgrs_tiles == ("31UFS",)
        assert request.aoi.bounds == pytest.approx((4.4, 50.4, 6.0, 51.5), abs=0.1)

    def test_takes_the_rectangle_of_a_reference_raster(self, tmp_path: Path) -> None:
        request = call(tmp_path, bbox=None, reference=raster(tmp_path / "old.tif")).request
        assert request.name == "old"
        assert request.aoi.bounds == pytest.approx((24.9, 60.0, 25.3, 60.2), abs=0.1)


class TestPlaces:
    """Folders are named as a person would name them"""

    def test_counts_from_the_folder_of_the_configuration_that_names_it(self, tmp_path: Path) -> None:
        (tmp_path / "cfg").mkdir()
        folders = {"outdir": "../o4", "workdir": "../w4", "archive": ".."}
        made = call(tmp_path, archive=None, config=write(tmp_path / "cfg/c.json", folders))
        assert (made.outdir, made.workdir, made.access.archive) == (tmp_path / "o4", tmp_path / "w4", tmp_path)

    def test_keeps_a_link_as_it_was_typed(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "disk")
        assert call(tmp_path, outdir=tmp_path / "link/out").outdir == tmp_path / "link/out"
        assert call(tmp_path, outdir=tmp_path / "link/../out").outdir == tmp_path / "out"


class TestPrecedence:
    """The command line beats the configuration file, that beats luigi.cfg, that beats the defaults."""

    def test_holds_for_every_layer(self, tmp_path: Path) -> None:
        config = write(tmp_path / "c.json", {"fill": "all", "cloudcover": [1, 60]})
        configured = {"fill": "strict", "cloud_cover_max": "50", "buffer": "pure", "config": str(config)}
        request = call(tmp_path, configured=configured, cloud_cover_max="70").request
        assert request.cloud_cover_max == 70
        assert (request.cloud_cover_min, request.fill) == (1, Fill.ALL)
        assert request.buffer is Buffer.PURE
        assert request.clip

    def test_holds_for_the_area_as_a_whole(self, tmp_path: Path) -> None:
        config = write(tmp_path / "c.json", {"bbox": [1, 2, 3, 4], "name": "Cairngorms"})
        area = write(tmp_path / "a.wkt", "POLYGON ((-5 54, -4 54, -4 55, -5 55, -5 54))")
        made = call(tmp_path, bbox=None, aoi=area, config=config)
        assert made.request.aoi.bounds == (-5, 54, -4, 55)
        assert made.request.name == "cairngorms"

    def test_leaves_an_empty_text_to_the_next_layer(self, tmp_path: Path) -> None:
        assert call(tmp_path, configured={"fill": "all"}, fill="").request.fill is Fill.ALL

    def test_keeps_what_belongs_to_patches(self, tmp_path: Path) -> None:
        assert call(tmp_path, config=write(tmp_path / "c.json", {"size": [256, 256]})).patches == (
            ("size", "[256,256]"),
        )


class TestRefusal:
    """What cannot be done is refused before anything is done, and the message says what to write."""

    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ({"bbox": None}, "No area is given. Give one of --aoi FILE"),
            ({"aoi": "POLYGON ((0 0, 1 0, 1 1, 0 0))"}, "more than once: --aoi and --bbox"),
            ({"start": None}, "--start is missing. First day of the period"),
            ({"end": None}, "--end is missing"),
            ({"archive": "/nowhere/s2"}, "no such folder"),
            ({"start": "2024-08-01"}, "starts on 2024-08-01, after its end on 2024-07-31"),
            ({"start": "05/01/2024"}, "--start 05/01/2024: expected a day as 2024-05-01 or 01-MAY-2024"),
            ({"end": "2024-06-31"}, "no such day: this month has 30 days"),
            ({"cloud_cover_max": "29,30"}, "--cloud-cover-max 29,30: expected a number, percent. .*29.30, not 29,30"),
            ({"cloud_cover_max": "nan"}, "expected a number"),
            ({"cloud_cover_max": "120"}, "expected 0 <= minimum < maximum <= 100"),
            ({"fill": "best"}, "--fill best: expected one of strict, flag, all"),
            ({"buffer": "none"}, "--buffer none: expected one of thin, terrascope, pure"),
            ({"clip": "maybe"}, "--clip maybe: expected true or false"),
            ({"crs": "EPSG:4326"}, "needs metres"),
            ({"crs": "ESRI:54009"}, "has no EPSG code"),
            ({"resolutions": "10,60"}, "--resolutions 10,60: expected 10, 20 or 10,20"),
            ({"resolutions": ","}, "expected 10, 20"),
            ({"feather": "61"}, "--feather 61: expected at least 0 and at most 60, m"),
            ({"feather": "20", "method": "first"}, "Leave out --feather, or ask for --method best"),
            ({"layers": "SCL,NDWI"}, "--layers NDWI: expected one of SCL"),
            ({"mgrs_tiles": "31UFS;31UET"}, "no MGRS tile"),
            ({"products": "absent.txt"}, "--products absent.txt: there is no such file"),
            ({"products": "."}, "--products .: expected a file, found a folder"),
            ({"outdir": "bad\udcff"}, r"'bad\\udcff': expected the name of a folder in UTF-8"),
            ({"config": "absent.json"}, "--config absent.json: there is no such file"),
            ({"credentials": "absent.json"}, "--credentials absent.json: there is no such file"),
            ({"reference": "absent.tif", "bbox": None}, "--reference absent.tif: there is no such file"),
            ({"name": "東京"}, "--name 東京: expected a-z"),
            ({"cloud_cover_mx": "5"}, "no parameter 'cloud_cover_mx'. Did you mean 'cloud_cover_max"),
        ],
    )
    def test_says_what_to_do(self, typed: dict[str, Any], message: str, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=message):
            call(tmp_path, **typed)

    def test_tells_a_configuration_from_an_area(self, tmp_path: Path) -> None:
        config = write(tmp_path / "c.json", {"dates": ["20240501", "20240731"], "size": [256, 256]})
        with pytest.raises(RequestError, match=r"c\.json: is a configuration file: give it as --config"):
            call(tmp_path, bbox=None, aoi=config)


class TestWarnings:
    """What is possible but perhaps not meant is said, and done."""

    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ({"bbox": "24.8,60.1,24.9,60.2"}, "61.9 km² is smaller than 100 km². Is it the one"),
            ({"start": "2025-02-01", "end": "2025-06-30"}, "starts on 2025-02-01, in the future"),
            ({"start": "2014-01-01", "end": "2014-12-31"}, "before the first Sentinel-2 image"),
            ({"target_date": "2024-08-01"}, "target date 2024-08-01 lies outside the period"),
            ({"name": "Helsinki"}, "'Helsinki' is written 'helsinki'"),
        ],
    )
    def test_say_it(self, typed: dict[str, Any], message: str, tmp_path: Path) -> None:
        (warning,) = call(tmp_path, **typed).warnings
        assert message in warning

    def test_say_of_a_mosaic_that_its_period_is_short(self, tmp_path: Path) -> None:
        short, long = call(tmp_path, start="2024-07-01"), call(tmp_path, start="2023-02-01", end="2023-04-30")
        (warning,) = with_mosaic_warnings(short).warnings
        assert "period of 31 days is shorter than three months: few dates leave gaps" in warning
        assert with_mosaic_warnings(long) == long

    def test_are_silent_of_a_short_period_for_who_lists_or_fetches(self, tmp_path: Path) -> None:
        assert call(tmp_path, start="2024-07-01").warnings == ()

    def test_say_that_credentials_are_open_to_others(self, tmp_path: Path) -> None:
        credentials = write(tmp_path / "cred.json", '{"password": "secret"}')
        credentials.chmod(0o644)
        made = call(tmp_path, credentials=credentials)
        assert f"chmod 600 {credentials}" in made.warnings[0]
        assert "secret" not in repr(made)
        credentials.chmod(0o600)
        assert call(tmp_path, credentials=credentials).warnings == ()

    @pytest.mark.parametrize("bbox", ["-180,-60,180,60", "-180,-90,180,90", "-100,-10,100,10"])
    def test_are_silent_of_an_area_around_the_globe(self, bbox: str, tmp_path: Path) -> None:
        assert call(tmp_path, bbox=bbox).warnings == ()

    def test_say_what_of_the_area_was_left_out(self, tmp_path: Path) -> None:
        area = "GEOMETRYCOLLECTION (POINT (1 1), POLYGON ((0 0, 1 0, 1 1, 0 0)))"
        assert "left out 1 x Point" in call(tmp_path, bbox=None, aoi=area).warnings[0]


class TestCloudMasks:
    """From what clouds are known fits the level of the products."""

    @pytest.mark.parametrize(
        ("typed", "product_type", "message"),
        [
            ("scl", "S2MSI1C", "L1C has no scene classification"),
            ("s2cloudless", "S2MSI2A", "which only L1C has"),
            ("fmask", "S2MSI2A", "--cloud-masks fmask: expected one of scl, probability, classi, s2cloudless"),
            (",", "S2MSI2A", "--cloud-masks names nothing: expected one or more of scl"),
        ],
    )
    def test_or_is_refused(self, tmp_path: Path, typed: str, product_type: str, message: str) -> None:
        with pytest.raises(RequestError, match=message):
            call(tmp_path, cloud_masks=typed, product_type=product_type)

    def test_changes_no_name_where_it_names_the_default(self, tmp_path: Path) -> None:
        plain = call(tmp_path).request
        assert call(tmp_path, cloud_masks="probability, SCL").request == plain
        assert "cloud_masks" not in plain.canonical()
        above = call(tmp_path, product_type="S2MSI1C").request
        assert call(tmp_path, product_type="S2MSI1C", cloud_masks="classi").request == above
        assert above.evidence_key == ""

    def test_wants_the_package_before_anything_is_asked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", {}.get)
        request = call(tmp_path, product_type="S2MSI1C", cloud_masks="s2cloudless,classi").request
        assert request.evidence_key == "classi-s2cloudless"
        with pytest.raises(RequestError, match=r'pip install "senard\[s2cloudless\]"'):
            require_for_mosaic(request)
        require_for_mosaic(call(tmp_path, product_type="S2MSI1C").request)

    def test_and_the_view_from_straight_above_wants_surface_reflectance(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="its factors are those of surface reflectance"):
            require_for_mosaic(call(tmp_path, product_type="S2MSI1C", brdf="nbar").request)


class TestTopography:
    """Slopes are corrected"""

    def test_only_with_a_terrain_model(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="--topography c without --dem: slopes are not known"):
            call(tmp_path, topography="c")
        dem = raster(tmp_path / "dem.tif")
        sloping, plain = call(tmp_path, topography="c", dem=dem).request, call(tmp_path, dem=dem).request
        assert json.loads(sloping.canonical()) == {**json.loads(plain.canonical()), "topography": "c"}

    def test_with_a_word_on_what_esa_has_corrected_already(self, tmp_path: Path) -> None:
        dem = raster(tmp_path / "dem.tif")
        told = "ESA's processor corrects slopes itself"
        for changes, warned in (({}, False), ({"topography": "c"}, True)):
            made = with_mosaic_warnings(call(tmp_path, dem=dem, **changes))
            assert any(told in text for text in made.warnings) == warned
        above = with_mosaic_warnings(call(tmp_path, dem=dem, topography="c", product_type="S2MSI1C"))
        assert not any(told in text for text in above.warnings)


class TestIdentity:
    """Only what changes pixels changes the product's name."""

    def test_is_the_same_for_the_same_words(self, tmp_path: Path) -> None:
        assert call(tmp_path).request.sha256 == call(tmp_path, start="01-may-2024").request.sha256

    @pytest.mark.parametrize("name", [entry.name for entry in OPTIONS if entry.identity])
    def test_changes_with_every_option_that_changes_pixels(self, name: str, tmp_path: Path) -> None:
        other = {
            "aoi": ("POLYGON ((0 0, 1 0, 1 1, 0 0))", {"bbox": None}),
            "bbox": ("24,60,26,62", {}),
            "reference": (raster(tmp_path / "aoi.tif"), {"bbox": None}),
            "mgrs_tiles": ("35VLG", {}),
            "start": ("2024-05-02", {}),
            "end": ("2024-07-30", {}),
            "name": ("other", {}),
            "product_type": ("S2MSI2Ap", {}),
            "cloud_cover_min": ("1", {}),
            "cloud_cover_max": ("90", {}),
            "products": (write(tmp_path / "p.txt", "S2A_A"), {}),
            "target_date": ("2024-06-01", {}),
            "fill": ("all", {}),
            "buffer": ("pure", {}),
            "level": ("none", {}),
            "method": ("median", {}),
            "snow": ("allow", {}),
            "brdf": ("nbar", {}),
            "feather": ("40", {}),
            "date_weight": ("1", {}),
            "cloud_masks": ("scl", {}),
            "clip": ("false", {}),
            "crs": ("EPSG:3035", {}),
            "relative_orbits": ("51", {}),
            "satellites": ("S2A", {}),
            "latest_baseline": ("false", {}),
            "cloud_cover_of": ("aoi", {}),
            "sources": ("cdse,earth-search", {}),
            "dem": (raster(tmp_path / "dem.tif"), {}),
            "landcover": (raster(tmp_path / "cover.tif"), {}),
            "topography": ("c", {"dem": raster(tmp_path / "dem.tif")}),
        }
        value, rest = other[name]
        assert call(tmp_path, **{name: value}, **rest).request.sha256 != call(tmp_path).request.sha256

    @pytest.mark.parametrize("name", [entry.name for entry in OPTIONS if not entry.identity])
    def test_stays_with_every_other_option(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = {
            "config": write(tmp_path / "c.json", {"size": [256, 256]}),
            "credentials": write(tmp_path / "cred.json", {}),
            "archive": tmp_path / "other",
            "outdir": tmp_path / "o",
            "workdir": tmp_path / "w",
            "resolutions": "20",
            "layers": "SCL",
            "rebuild": "true",
            "keep": "none",
            "refresh": "true",
            "allow_missing": "true",
            "catalogue": "cdse-stac",
            "sources": "google",
            "fetch": "whole",
            "download_dir": tmp_path / "d",
            "credentials_google": write(tmp_path / "google.json", {}),
            "credentials_earthdata": write(tmp_path / "earthdata.json", {"username": "ada", "password": "p"}),
            "collection": "SENTINEL-2-OLD",
            "connections": "4",
            "unzip_dir": tmp_path / "u",
        }
        usual = {Kind.URL: "https://host.example.org", Kind.SWITCH: "true", Kind.NUMBER: "7"}
        value = other[name] if name in other else usual[option(name).kind]
        changed, plain = call(tmp_path, **{"catalogue": "cdse", name: value}), call(tmp_path, catalogue="cdse")
        assert changed.request.sha256 == plain.request.sha256
        assert changed != plain


class TestParseDay:
    """A day is understood as people write it."""

    @pytest.mark.parametrize(
        "text", ["2024-05-01", "20240501", "01-MAY-2024", "01-may-2024", "01-May-2024", " 2024-05-01 "]
    )
    def test_reads_iso_and_month_names(self, text: str) -> None:
        assert parse_day(text, "--start") == date(2024, 5, 1)

    def test_reads_the_first_of_january_1970(self) -> None:
        assert parse_day("01-JAN-1970", "--start") == date(1970, 1, 1)

    def test_knows_leap_years(self) -> None:
        assert parse_day("2024-02-29", "--end") == date(2024, 2, 29)
        with pytest.raises(RequestError, match="this month has 28 days"):
            parse_day("29-FEB-2023", "--end")

    @pytest.mark.parametrize("text", ["", "today", "01-MAI-2024", "1-MAY-2024", "2024-5-1", "2024-13-01", "0000-01-01"])
    def test_refuses_everything_else(self, text: str) -> None:
        with pytest.raises(RequestError, match="--start"):
            parse_day(text, "--start")


class TestDerivedSources:
    """A mosaic that may hold pixels made from ESA's"""

    def test_has_a_name_and_a_work_folder_of_its_own(self, tmp_path: Path) -> None:
        asked = {"bbox": "24,60,24.1,60.1", "start": "2024-06-01", "end": "2024-08-31", "outdir": str(tmp_path)}
        plain = make_request({**asked, "sources": "cdse,google"})
        derived = make_request({**asked, "sources": "cdse,earth-search"})
        assert derived.request.derived_sources == ("earth-search",)
        assert plain.request.product_id(["A"]) != derived.request.product_id(["A"])
        assert derived.workdir == plain.workdir / "derived"
        assert derived.access.download_dir == plain.access.download_dir


class TestListOfProducts:
    """A list of products"""

    NAMES = (
        "S2B_MSIL2A_20240615T104619_N0510_R051_T31TCJ_20240615T133822\n"
        "S2A_MSIL2A_20240620T104621_N0510_R051_T31TDJ_20240620T164056.SAFE\n"
        "unknown\n"
    )

    def test_says_area_and_period_itself(self, tmp_path: Path) -> None:
        request = make_request({"products": write(tmp_path / "p.txt", self.NAMES), "outdir": str(tmp_path)}).request
        assert request.aoi.equals(mgrs_area(["31TCJ", "31TDJ"]).geometry)
        assert request.mgrs_tiles == ("31TCJ", "31TDJ")
        assert (request.first_day, request.last_day) == (date(2024, 6, 15), date(2024, 6, 21))

    def test_leaves_what_is_asked_for(self, tmp_path: Path) -> None:
        asked = {"bbox": "0.5,43.5,0.6,43.6", "start": "2024-05-01", "end": "2024-07-31", "outdir": str(tmp_path)}
        request = make_request({**asked, "products": write(tmp_path / "p.txt", self.NAMES)}).request
        assert request.mgrs_tiles == ()
        assert request.aoi.bounds == pytest.approx((0.5, 43.5, 0.6, 43.6))
        assert (request.first_day, request.last_day) == (date(2024, 5, 1), date(2024, 7, 31))

    @pytest.mark.parametrize(
        "name", ["../../etc/passwd", "S2A_MSIL2A_20240720T094041_N0511_R036_T99ZZZ_20240720T125031"]
    )
    def test_that_tells_no_area_is_refused_by_its_first_name(self, name: str, tmp_path: Path) -> None:
        asked = {"products": write(tmp_path / "p.txt", name), "outdir": str(tmp_path)}
        with pytest.raises(
            RequestError, match=rf"p\.txt: no area is given, and none of its 1 names.*{Path(name).name}: "
        ):
            make_request(asked)


class TestLand:
    """A terrain model and a land cover are known by their content, and must lie where the area is."""

    INSIDE = "25.0,60.05,25.2,60.15"

    def test_is_named_by_content_and_read_by_path(self, tmp_path: Path) -> None:
        dem = raster(tmp_path / "dem.tif")
        made = call(tmp_path, bbox=self.INSIDE, dem=dem, landcover=dem)
        digest = hashlib.sha256(dem.read_bytes()).hexdigest()
        assert (made.request.dem, made.request.landcover) == (digest, digest)
        assert (made.dem, made.landcover) == (dem, dem)
        assert str(tmp_path) not in made.request.canonical()
        assert not [text for text in made.warnings if "dem" in text]
        moved = dem.rename(tmp_path / "moved.tif")
        assert call(tmp_path, bbox=self.INSIDE, dem=moved, landcover=moved).request == made.request

    def test_changes_no_request_where_none_is_given(self, tmp_path: Path) -> None:
        made = call(tmp_path)
        assert (made.dem, made.landcover) == (None, None)
        assert "dem" not in json.loads(made.request.canonical())
        assert "landcover" not in json.loads(made.request.canonical())

    def test_of_a_configuration_file_lies_beside_it(self, tmp_path: Path) -> None:
        raster(tmp_path / "dem.tif")
        config = write(tmp_path / "c.json", {"dem": "dem.tif"})
        assert call(tmp_path, bbox=self.INSIDE, config=config).dem == tmp_path / "dem.tif"

    def test_warns_of_what_it_does_not_cover(self, tmp_path: Path) -> None:
        made = call(tmp_path, dem=raster(tmp_path / "dem.tif"))
        told = [text for text in made.warnings if text.startswith("--dem dem.tif covers ")]
        assert len(told) == 1
        assert told[0].endswith("% of the area; beyond it the ground counts as flat.")

    def test_refuses_what_lies_elsewhere_or_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=r"--dem .*dem\.tif: does not touch the area, which reaches from 4\.000"):
            call(tmp_path, bbox="4,50,5,51", dem=raster(tmp_path / "dem.tif"))
        with pytest.raises(RequestError, match=r"--landcover nowhere\.tif: there is no such file"):
            call(tmp_path, landcover="nowhere.tif")
