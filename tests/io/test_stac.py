"""The STAC catalogue against a server that behaves as the real one, and the two catalogues against each other."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from senard.errors import RequestError, TransientError
from senard.io.archive import LocalArchive
from senard.io.http import Http
from senard.io.odata import ODataCatalogue
from senard.io.stac import StacCatalogue
from senard.io.stac_items import digest_of, read_assets, read_item
from senard.model.remote import ChecksumKind
from senard.model.request import MosaicRequest
from senard.model.scene import QueriedScene, Sentinel2Scene
from senard.model.sentinel2 import ProductType
from tests.emulators.cdse import Emulator, Kind
from tests.io.catalogue_entries import entry_of, name_of

REQUEST = MosaicRequest(
    name="test", aoi=shapely.box(1.2, 43.4, 1.8, 43.8), first_day=date(2024, 6, 1), last_day=date(2024, 6, 30)
)
LATER = date(2026, 1, 1)
SEARCH = "https://catalogue.example.org/odata/v1"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(services=("stac",)) as running:
        yield running


def stac(emulator: Emulator, *, today: date = LATER, page_size: int = 100) -> StacCatalogue:
    return StacCatalogue(emulator.access(Path("unused")), today=today, page_size=page_size)


def odata(emulator: Emulator, *, today: date = LATER) -> ODataCatalogue:
    return ODataCatalogue(emulator.access(Path("unused")), today=today)


def searched(emulator: Emulator, **asked: Any) -> list[str]:
    found = stac(emulator).search(dataclasses.replace(REQUEST, **asked))
    return [product.product_id for product in found]


def bare(product: Sentinel2Scene | QueriedScene) -> Sentinel2Scene | QueriedScene:
    """What every catalogue tells: without the details of one of them, cloud cover to the hundredth of a percent."""
    if isinstance(product, QueriedScene):
        scene = bare(product.scene) if product.scene is not None else None
        assert not isinstance(scene, QueriedScene)
        return dataclasses.replace(product, scene=scene)
    cover = round(product.cloud_cover, 2) if product.cloud_cover is not None else None
    footprint = shapely.normalize(product.footprint) if product.footprint is not None else None
    return dataclasses.replace(product, remote=None, cloud_cover=cover, footprint=footprint)


class TestSearch:
    """It finds what the other catalogue finds."""

    def test_goes_by_satellites_orbits_and_tiles(self, emulator: Emulator) -> None:
        asked = name_of(satellite="S2C", orbit=8)
        for name in (
            asked,
            name_of(orbit=8),
            name_of(satellite="S2C"),
            name_of(satellite="S2C", orbit=8, tile="31TDJ"),
        ):
            emulator.products.put(entry_of(name))
        assert searched(emulator, satellites=("S2C",), relative_orbits=(8, 9), mgrs_tiles=("31TCJ",)) == [asked]
        assert searched(emulator, mgrs_tiles=("31TDJ", "31TCJ"), satellites=("S2C",), relative_orbits=(8,)) == [
            asked,
            name_of(satellite="S2C", orbit=8, tile="31TDJ"),
        ]
        assert len(searched(emulator)) == 4

    def test_writes_conditions_in_basic_cql2(self, emulator: Emulator) -> None:
        searched(emulator, mgrs_tiles=("31TCJ", "31TDJ"))
        (asked,) = [json.loads(one.body) for one in emulator.asked("stac", "search")]
        assert asked["filter"]["op"] == "or"
        assert asked["filter-lang"] == "cql2-json"
        assert asked["datetime"] == "2024-05-31T23:25:00.000Z/2024-06-30T23:59:59.999Z"
        assert "intersects" not in asked

    def test_reads_pages_to_the_end(self, emulator: Emulator) -> None:
        names = emulator.products.add_synthetic(
            95, start=datetime(2024, 6, 1, tzinfo=UTC), seconds_apart=600.0, tiles=("31TCJ",)
        )
        found = [product.product_id for product in stac(emulator, page_size=10).search(REQUEST)]
        assert found == names
        assert len(emulator.asked("stac", "search")) == 10

    def test_finds_listed_products_whatever_they_are(self, emulator: Emulator) -> None:
        names = [name_of("20200101T104619", level="L1C"), name_of("20240615T104619", tile="01WCP")]
        for name in names:
            emulator.products.put(entry_of(name))
        assert searched(emulator, products=(*names, name_of(tile="99XXX"))) == names

    def test_an_unknown_address_is_told(self, emulator: Emulator) -> None:
        access = emulator.access(Path("unused"), addresses=dataclasses.replace(emulator.addresses, stac=SEARCH))
        wrong = dataclasses.replace(access.addresses, stac=f"{emulator.addresses.stac}/nowhere")
        with pytest.raises(RequestError, match="404"):
            list(StacCatalogue(dataclasses.replace(access, addresses=wrong)).search(REQUEST))

    @pytest.mark.parametrize("kind", [Kind.ERROR_503, Kind.HTML_200, Kind.JSON_200, Kind.FIREWALL, Kind.HANG_UP])
    def test_outages_pass(self, emulator: Emulator, kind: Kind) -> None:
        emulator.products.put(entry_of(name_of()))
        emulator.faults.next(kind, 2, on="stac", retry_after_s=0)
        assert searched(emulator) == [name_of()]

    def test_gives_up_where_pages_run_in_a_circle(self, emulator: Emulator) -> None:
        link = {"rel": "next", "method": "POST", "href": f"{emulator.addresses.stac}/search", "body": {"token": "a"}}
        answers = {"search": {"features": [], "links": [link]}}

        class Stuck:
            def get_json(self, url: str, **_: Any) -> Any:
                return _landing(url)

            def post_json(self, url: str, body: object, *, what: str) -> Any:  # noqa: ARG002
                return answers["search"]

        found = StacCatalogue(emulator.access(Path("unused")), Stuck(), today=LATER)  # type: ignore[arg-type]
        with pytest.raises(TransientError, match="run in a circle"):
            list(found.search(REQUEST))

    def test_goes_on_after_an_empty_page(self, emulator: Emulator) -> None:
        emulator.products.put(entry_of(name_of()))
        page = emulator.mounted["stac"].items(emulator.addresses.stac)
        link = {"rel": "next", "method": "POST", "href": f"{emulator.addresses.stac}/search", "body": {"token": "a"}}

        class Hesitant:
            def get_json(self, url: str, **_: Any) -> Any:
                return _landing(url)

            def post_json(self, url: str, body: Any, *, what: str) -> Any:  # noqa: ARG002
                return {"features": page, "links": []} if "token" in body else {"features": [], "links": [link]}

        found = StacCatalogue(emulator.access(Path("unused")), Hesitant(), today=LATER)  # type: ignore[arg-type]
        assert [product.product_id for product in found.search(REQUEST)] == [name_of()]


def _landing(url: str) -> dict[str, Any]:
    return {
        "type": "Catalog",
        "id": "cdse-stac",
        "description": "a catalogue",
        "stac_version": "1.0.0",
        "conformsTo": [
            f"https://api.stacspec.org/v1.0.0/{name}" for name in ("core", "item-search", "item-search#sort")
        ],
        "links": [
            {"rel": "root", "href": url},
            {"rel": "search", "type": "application/geo+json", "href": f"{url}/search", "method": "POST"},
        ],
    }


_STARTS = ("20240531T232459", "20240531T233000", "20240601T000000", "20240615T104619", "20240630T235500")
_GROUNDS = (
    shapely.box(1, 43, 2, 44),
    shapely.box(1.8005, 43, 2, 44),
    shapely.box(178, 65, 180, 66),
    shapely.MultiPolygon([shapely.box(179, 65, 180, 66), shapely.box(-180, 65, -179, 66)]),
    None,
)


@st.composite
def shelves(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Entries of every kind."""
    entries = {}
    for _ in range(draw(st.integers(1, 8))):
        level, baseline = draw(st.sampled_from(["L1C", "L2A"])), draw(st.sampled_from(["0206", "0510", "9999"]))
        name = name_of(
            draw(st.sampled_from(_STARTS)),
            satellite=draw(st.sampled_from(["S2A", "S2B", "S2C"])),
            level=level,
            baseline=baseline,
            orbit=draw(st.sampled_from([8, 51])),
            tile=draw(st.sampled_from(["31TCJ", "60WWU"])),
            made=draw(st.sampled_from(["20240615T133822", "20240701T000000"])),
        )
        entries[name] = {
            "product_id": name,
            "footprint": draw(st.sampled_from(_GROUNDS)),
            "cloud_cover": draw(st.sampled_from([None, 0.0, 12.3456789, 94.996, 100.0])),
            "product_type": "S2MSI2Ap" if level == "L2A" and baseline == "0206" else "",
            "datastrip": draw(st.sampled_from(["", "20240615T105500"])),
        }
    return list(entries.values())


_REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "product_type": st.sampled_from(list(ProductType)),
        "mgrs_tiles": st.sampled_from([("31TCJ",), ("31TCJ", "60WWU")]),
        "satellites": st.sampled_from([("S2A",), ("S2B", "S2C")]),
        "relative_orbits": st.sampled_from([(8,), (8, 51)]),
        "first_day": st.sampled_from([date(2024, 5, 1), date(2024, 6, 1), date(2024, 6, 10)]),
        "aoi": st.sampled_from([REQUEST.aoi, shapely.union_all([shapely.box(-179.6, 65, -179, 66), REQUEST.aoi])]),
    },
)


class TestBothCatalogues:
    """Whoever is asked, the same scenes are found; only what concerns the bytes differs."""

    @settings(max_examples=60, deadline=None)
    @given(shelves(), _REQUESTS, st.sampled_from([LATER, date(2024, 7, 1)]))
    def test_tell_the_same(self, entries: list[dict[str, Any]], asked: dict[str, Any], today: date) -> None:
        with Emulator(services=("stac",)) as emulator:
            for entry in entries:
                emulator.products.put(entry_of(**entry))
            request = dataclasses.replace(REQUEST, **asked)
            first = [bare(product) for product in odata(emulator, today=today).search(request)]
            second = [bare(product) for product in stac(emulator, today=today).search(request)]
        assert first == second

    def test_tell_what_a_local_archive_tells(self, tiny_archive: Path) -> None:
        local = [scene for scene in LocalArchive(tiny_archive).search(REQUEST) if isinstance(scene, Sentinel2Scene)]
        area = local[0].footprint
        assert area is not None
        request = dataclasses.replace(REQUEST, aoi=area, last_day=date(2024, 7, 31))

        def alike(product: Sentinel2Scene | QueriedScene) -> object:
            scene = bare(product)
            assert isinstance(scene, Sentinel2Scene)
            return dataclasses.replace(
                scene, acquisition_time=scene.datatake_time, location=None, size_bytes=0, cloud_cover=None
            )

        with Emulator(tiny_archive, services=("stac",)) as emulator:
            answers = [list(odata(emulator).search(request)), list(stac(emulator).search(request))]
        assert len(local) == 4
        local.sort(key=lambda scene: scene.datatake_time)
        for found in answers:
            assert [alike(scene) for scene in found] == [alike(scene) for scene in local]
        covers = [scene.cloud_cover for scene in answers[0] if isinstance(scene, Sentinel2Scene)]
        assert covers == [scene.cloud_cover for scene in local]

    def test_name_the_same_bytes(self, tiny_archive: Path) -> None:
        request = dataclasses.replace(REQUEST, products=tuple(path.stem for path in tiny_archive.glob("*.zip")))
        with Emulator(tiny_archive, services=("stac",)) as emulator:
            first = [found for found in odata(emulator).search(request) if isinstance(found, Sentinel2Scene)]
            second = [found for found in stac(emulator).search(request) if isinstance(found, Sentinel2Scene)]
        for one, other in zip(first, second, strict=True):
            assert one.remote is not None
            assert other.remote is not None
            assert (one.remote.uuid, one.size_bytes, one.remote.s3_path) == (
                other.remote.uuid, other.size_bytes, other.remote.s3_path,
            )  # fmt: skip
            assert one.size_bytes == (tiny_archive / f"{one.product_id}.zip").stat().st_size
            assert one.remote.checksums[:1] == other.remote.checksums


class TestAssets:
    """Single files are named around what is wrong in the catalogue's links."""

    def test_name_every_file(self, tiny_archive: Path) -> None:
        path = next(tiny_archive.glob("*_N0511_*.zip"))
        with Emulator(tiny_archive, services=("stac",)) as emulator:
            url = f"{emulator.addresses.stac}/collections/sentinel-2-l2a/items/{path.stem}"
            item = Http(emulator.access(Path("unused")).pace).get_json(url, what="The item")
            assets = {asset.key: asset for asset in read_assets(item)}
        band, granule, product = assets["B04_10m"], assets["granule_metadata"], assets["Product"]
        assert band.s3_path.partition(f"{path.stem}.SAFE/")[2].startswith("GRANULE/L2A_T35VLG")
        assert band.s3_path.endswith("_B04_10m.jp2")
        assert len(band.checksum) == 64
        assert "/Nodes()" not in granule.url
        assert granule.url.endswith("/Nodes(MTD_TL.xml)/$value")
        assert (product.size_bytes, len(product.checksum)) == (path.stat().st_size, 32)

    @pytest.mark.parametrize(
        ("multihash", "digest"),
        [
            ("d50110" + "0f" * 16, "0f" * 16),
            ("1620" + "0F" * 32, "0f" * 32),
            ("d50120" + "0f" * 32, "0f" * 32),
            ("d50110" + "0f" * 15, ""),
            ("1114" + "0f" * 20, ""),
            (None, ""),
        ],
    )
    def test_trust_the_length_and_not_the_label(self, multihash: object, digest: str) -> None:
        assert digest_of(multihash) == digest

    @pytest.mark.parametrize("item", [{}, {"id": name_of(), "properties": {}}, None])
    def test_that_are_none_are_an_outage(self, item: object) -> None:
        with pytest.raises(TransientError, match="not as documented"):
            read_item(item, SEARCH)


@pytest.mark.real_data
class TestRecordedAnswers:
    """Recorded exchanges with the real catalogue replay through pystac-client and the same parsers."""

    @pytest.fixture
    def replayed(self, shared: Path) -> "Replayed":
        folder = shared / "data/catalogue/cdse-stac-cassettes"
        (path,) = folder.glob("*.yaml")
        return Replayed(yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))

    def test_scenes_of_a_search(self, replayed: "Replayed", tmp_path: Path) -> None:
        with Emulator() as emulator:
            access = emulator.access(tmp_path, addresses=dataclasses.replace(emulator.addresses, stac=replayed.root))
        request = MosaicRequest(
            name="test", aoi=shapely.box(9.0, 47.0, 9.1, 47.1), first_day=date(2020, 7, 1), last_day=date(2020, 7, 5)
        )
        found = list(StacCatalogue(access, replayed, today=LATER).search(request))  # type: ignore[arg-type]
        assert len(found) == 4
        scene = found[-1]
        assert isinstance(scene, Sentinel2Scene)
        assert scene.product_id == "S2B_MSIL2A_20200705T101559_N0500_R065_T32TNT_20230530T175912"
        assert scene.datastrip_time == datetime(2020, 7, 5, 10, 19, 17, tzinfo=UTC)
        assert (scene.datatake_id, scene.baseline) == ("GS2B_20200705T101559_017394", 500)
        assert (scene.cloud_cover, scene.size_bytes) == (31.64, 1169979461)
        assert scene.footprint is not None
        assert scene.footprint.intersects(request.aoi)
        remote = scene.remote
        assert remote is not None
        assert remote.uuid == "8e7057cf-af5f-46de-868e-fe5a8faa2d9c"
        assert remote.s3_path == f"/eodata/Sentinel-2/MSI/L2A_N0500/2020/07/05/{scene.product_id}.SAFE"
        assert [(checksum.kind, checksum.value) for checksum in remote.checksums] == [
            (ChecksumKind.MD5, "f3ad2c3da705b6c062a89423ffbac62d")
        ]
        assert remote.quicklook_url.endswith("/odata/v1/Assets(838daa9a-0b55-474e-8a16-6264e0f88d56)/$value")

    def test_assets_of_every_item(self, replayed: "Replayed") -> None:
        for item in replayed.items:
            assets = {asset.key: asset for asset in read_assets(item)}
            assert len(assets) == 43
            assert all(asset.checksum and asset.size_bytes and asset.url for asset in assets.values())
            assert not any("Nodes()" in asset.url for asset in assets.values())
            assert all(
                ".SAFE/" in asset.s3_path for key, asset in assets.items() if key not in ("Product", "thumbnail")
            )


class Replayed:
    """Answers as they were recorded."""

    root = "https://stac.dataspace.copernicus.eu/v1"

    def __init__(self, cassette: Any) -> None:
        self._answers = {
            (one["request"]["method"], one["request"]["uri"]): json.loads(one["response"]["body"]["string"])
            for one in cassette["interactions"]
        }

    @property
    def items(self) -> list[Any]:
        return [answer for (method, url), answer in self._answers.items() if "/items/" in url]

    def get_json(self, url: str, **_: Any) -> Any:
        return self._answers["GET", url]

    def post_json(self, url: str, body: object, *, what: str) -> Any:  # noqa: ARG002
        return self._answers["POST", url]
