"""The OData catalogue against a server that behaves as the real one."""

import dataclasses
import json
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import shapely

from senard.errors import RequestError, TransientError
from senard.io.odata import ODataCatalogue
from senard.io.odata_products import Page
from senard.io.refusals import PassingRefusal
from senard.model.request import MosaicRequest
from senard.model.scene import QueriedScene, Sentinel2Scene
from senard.model.sentinel2 import ProductType
from tests.emulators.cdse import Emulator, Kind
from tests.io.catalogue_entries import entry_of, name_of

REQUEST = MosaicRequest(
    name="test", aoi=shapely.box(1.2, 43.4, 1.8, 43.8), first_day=date(2024, 6, 1), last_day=date(2024, 6, 30)
)
LATER = date(2026, 1, 1)
OLD = "S2A_OPER_PRD_MSIL1C_PDMC_20240616T000000_R051_V20240615T105622_20240615T105622"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def catalogue(
    emulator: Emulator, *, today: date = LATER, page_size: int = 200, read_timeout_s: float | None = None
) -> ODataCatalogue:
    access = emulator.access(Path("unused"))
    if read_timeout_s is not None:
        access = dataclasses.replace(access, pace=dataclasses.replace(access.pace, read_timeout_s=read_timeout_s))
    return ODataCatalogue(access, today=today, page_size=page_size)


def ids(found: Iterator[Sentinel2Scene | QueriedScene]) -> list[str]:
    return [product.product_id for product in found]


def searched(emulator: Emulator, **asked: Any) -> list[str]:
    """Names that a request finds."""
    return ids(catalogue(emulator).search(dataclasses.replace(REQUEST, **asked)))


class TestSearch:
    """A search finds everything that may answer the request, and nothing else."""

    def test_orders_by_datatake_and_name(self, emulator: Emulator) -> None:
        names = [
            name_of("20240615T104619", tile="31TDJ"),
            name_of("20240615T104619"),
            name_of("20240602T104619", satellite="S2A"),
        ]
        for name in names:
            emulator.products.put(entry_of(name))
        assert searched(emulator) == [names[2], names[1], names[0]]

    def test_keeps_what_is_too_cloudy_and_every_processing(self, emulator: Emulator) -> None:
        old, new = name_of(baseline="0301"), name_of(baseline="0510")
        emulator.products.put(entry_of(old, cloud_cover=10.0))
        emulator.products.put(entry_of(new, cloud_cover=99.0))
        assert searched(emulator, cloud_cover_max=20.0) == [old, new]

    @pytest.mark.parametrize(
        ("start", "found"),
        [
            ("20240531T232459", False),
            ("20240531T232500", True),
            ("20240601T000000", True),
            ("20240630T235959", True),
            ("20240701T000000", False),
        ],
    )
    def test_opens_half_an_hour_early_for_passes_at_midnight(self, emulator: Emulator, start: str, found: bool) -> None:
        emulator.products.put(entry_of(name_of(start)))
        assert bool(searched(emulator)) is found

    def test_goes_by_the_true_area_and_not_by_the_simplified_one(self, emulator: Emulator) -> None:
        near = shapely.box(1.8005, 43.4, 2.5, 43.8)
        emulator.products.put(entry_of(name_of(), footprint=near))
        emulator.products.put(entry_of(name_of(tile="31TDJ"), footprint=shapely.box(1.79, 43.4, 2.5, 43.8)))
        assert searched(emulator) == [name_of(tile="31TDJ")]
        assert len(emulator.asked("catalogue")) == 1

    def test_goes_by_satellites_orbits_and_tiles(self, emulator: Emulator) -> None:
        asked = name_of(satellite="S2C", orbit=8)
        for name in (
            asked,
            name_of(orbit=8),
            name_of(satellite="S2C"),
            name_of(satellite="S2C", orbit=8, tile="31TDJ"),
        ):
            emulator.products.put(entry_of(name))
        assert searched(emulator, satellites=("S2C",), relative_orbits=(8,), mgrs_tiles=("31TCJ",)) == [asked]
        assert len(searched(emulator)) == 4

    def test_takes_the_pilot_form_for_l2a_and_nothing_else(self, emulator: Emulator) -> None:
        pilot, level1, plain = name_of(baseline="0206"), name_of(level="L1C"), name_of()
        emulator.products.put(entry_of(pilot, product_type="S2MSI2Ap"))
        emulator.products.put(entry_of(level1))
        emulator.products.put(entry_of(plain))
        assert searched(emulator) == [pilot, plain]
        assert searched(emulator, product_type=ProductType.L1C) == [level1]
        assert searched(emulator, product_type=ProductType.L2AP) == [pilot]

    def test_finds_a_product_without_footprint_by_its_tile(self, emulator: Emulator) -> None:
        emulator.products.put(entry_of(name_of(), footprint=None))
        (scene,) = catalogue(emulator).search(dataclasses.replace(REQUEST, mgrs_tiles=("31TCJ",)))
        assert isinstance(scene, Sentinel2Scene)
        assert scene.footprint is None

    def test_finds_both_sides_of_the_antimeridian(self, emulator: Emulator) -> None:
        sides = {"01WCP": shapely.box(-180, 65, -178.5, 66), "60WWU": shapely.box(178.5, 65, 180, 66)}
        across = shapely.MultiPolygon(list(sides.values()))
        for tile, footprint in sides.items():
            emulator.products.put(entry_of(name_of(tile=tile), footprint=footprint))
        emulator.products.put(entry_of(name_of(tile="01WCQ"), footprint=across))
        area = shapely.MultiPolygon([shapely.box(179, 65.2, 180, 65.8), shapely.box(-180, 65.2, -179, 65.8)])
        assert len(searched(emulator, aoi=area)) == 3
        assert len(searched(emulator, aoi=area.geoms[0])) == 2

    def test_leaves_out_the_old_format_with_the_reason(self, emulator: Emulator) -> None:
        emulator.products.put(entry_of(name_of()))
        emulator.products.put(dataclasses.replace(entry_of(name_of()), name=f"{OLD}.SAFE", id="0" * 8))
        scene, old = catalogue(emulator).search(REQUEST)
        assert isinstance(scene, Sentinel2Scene)
        assert isinstance(old, QueriedScene)
        assert "December 2016" in old.reason

    def test_takes_one_of_two_entries_of_a_name(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second = entry_of(name_of(), uuid="aaa"), entry_of(name_of(), uuid="bbb")
        second = dataclasses.replace(second, content_length=0, checksums=())
        monkeypatch.setattr(type(emulator.products), "__iter__", lambda _: iter([first, second]))
        scene, twice = catalogue(emulator).search(REQUEST)
        assert isinstance(scene, Sentinel2Scene)
        assert scene.remote is not None
        assert scene.remote.uuid == "aaa"
        assert isinstance(twice, QueriedScene)
        assert twice.reason == "there twice in the catalogue, as bbb and aaa: the latter is used"

    def test_asks_one_month_at_a_time(self, emulator: Emulator) -> None:
        searched(emulator, first_day=date(2023, 1, 1), last_day=date(2023, 12, 31))
        questions = [parse_qs(urlsplit(one.url).query)["$filter"][0] for one in emulator.asked("catalogue")]
        assert len(questions) == 12
        assert "Start ge 2022-12-31T23:25:00.000Z" in questions[0]
        assert "Start lt 2024-01-01T00:00:00.000Z" in questions[-1]


class TestListedProducts:
    """Products asked for by name are found whatever they are, twenty names at a time."""

    def test_are_told_whatever_their_date_type_and_place(self, emulator: Emulator) -> None:
        names = [name_of("20200101T104619", level="L1C"), name_of("20240615T104619", tile="01WCP"), OLD]
        for name in names[:2]:
            emulator.products.put(entry_of(name))
        emulator.products.put(dataclasses.replace(entry_of(name_of()), name=f"{OLD}.SAFE"))
        products = (f"{names[0]}.SAFE", f" {names[1]}\n", OLD, name_of(tile="99XXX"))
        assert searched(emulator, products=products) == names

    def test_go_in_batches(self, emulator: Emulator) -> None:
        names = [name_of(f"202401{day:02d}T104619") for day in range(1, 32)] + [
            name_of(f"202402{d:02d}T104619") for d in range(1, 15)
        ]
        for name in names:
            emulator.products.put(entry_of(name))
        assert searched(emulator, products=tuple(names)) == names
        bodies = [json.loads(one.body)["FilterProducts"] for one in emulator.asked("catalogue", "FilterList")]
        assert [len(body) for body in bodies] == [20, 20, 5]
        assert len(emulator.asked("catalogue")) == 3

    def test_have_attributes_also_where_a_posted_list_is_not_expanded(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        emulator.products.put(entry_of(name_of(), datastrip="20240615T104832"))
        monkeypatch.setattr("senard.io.odata.names_url", lambda address: f"{address}/Products/OData.CSC.FilterList")
        (scene,) = catalogue(emulator).search(dataclasses.replace(REQUEST, products=(name_of(),)))
        assert isinstance(scene, Sentinel2Scene)
        assert scene.datastrip_time == datetime(2024, 6, 15, 10, 48, 32, tzinfo=UTC)


class TestPending:
    """Of the last days it is told which acquisitions have L1C and no L2A yet."""

    TODAY = date(2024, 7, 2)

    def put(self, emulator: Emulator) -> str:
        waiting = name_of("20240629T104619", level="L1C", tile="31TDJ")
        for name in (waiting, name_of("20240629T104619", level="L1C"), name_of("20240629T104619")):
            emulator.products.put(entry_of(name, published=datetime(2024, 6, 29, 15, 30, tzinfo=UTC)))
        emulator.products.put(entry_of(name_of("20240605T104619", level="L1C", tile="31TDJ")))
        return waiting

    def test_tells_what_is_missing(self, emulator: Emulator) -> None:
        waiting = self.put(emulator)
        (entry,) = [
            found for found in catalogue(emulator, today=self.TODAY).search(REQUEST) if isinstance(found, QueriedScene)
        ]
        assert (entry.product_id, entry.kept) == (waiting, False)
        assert entry.reason.startswith("L2A still pending: L1C published 2024-06-29 15:30 UTC")

    def test_is_not_asked_about_the_past(self, emulator: Emulator) -> None:
        self.put(emulator)
        assert searched(emulator) == [name_of("20240629T104619")]
        assert len(emulator.asked("catalogue")) == 1

    def test_is_no_question_for_l1c(self, emulator: Emulator) -> None:
        self.put(emulator)
        request = dataclasses.replace(REQUEST, product_type=ProductType.L1C)
        assert len(ids(catalogue(emulator, today=self.TODAY).search(request))) == 3


def filled(emulator: Emulator, count: int, *, apart: float = 60.0) -> list[str]:
    return emulator.products.add_synthetic(
        count, start=datetime(2024, 6, 1, tzinfo=UTC), seconds_apart=apart, tiles=("31TCJ",)
    )


class TestPaging:
    """However long the answer and whatever happens meanwhile, everything is told once."""

    def test_reads_ten_thousand_and_more_while_new_ones_come_in(self, emulator: Emulator) -> None:
        names = filled(emulator, 10_200)
        came: list[str] = []

        def one_more(number: int) -> None:
            if number % 7:
                return
            start = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(seconds=number * 7777 % 600_000 + 30)
            came.extend(emulator.products.add_synthetic(1, start=start, tiles=("31TCJ",)))

        emulator.catalogue.before_search = one_more
        found = ids(catalogue(emulator, page_size=1000, read_timeout_s=30).search(REQUEST))  # pages are heavy
        assert len(found) == len(set(found))
        assert set(names) <= set(found)
        assert set(found) <= {*names, *came}
        assert len(came) >= 2

    def test_loses_nothing_when_entries_are_withdrawn_meanwhile(self, emulator: Emulator) -> None:
        names = filled(emulator, 300)
        gone = iter(names)

        def one_less(number: int) -> None:
            if number in (2, 3):
                emulator.products.withdraw(next(gone))

        emulator.catalogue.before_search = one_less
        found = ids(catalogue(emulator, page_size=100).search(REQUEST))
        assert len(found) == len(set(found))
        assert set(names[2:]) <= set(found)

    def test_goes_on_after_an_empty_page(self, emulator: Emulator) -> None:
        names = filled(emulator, 200)
        emulator.faults.empty_last_page = True
        assert ids(catalogue(emulator, page_size=100).search(REQUEST)) == names

    def test_finds_many_of_one_moment(self, emulator: Emulator) -> None:
        for number in range(130):
            tile = f"{number // 26 + 10}T{chr(65 + number % 26)}J"
            emulator.products.put(entry_of(name_of(tile=tile)))
        assert len(searched(emulator)) == 130
        assert len(ids(catalogue(emulator, page_size=50).search(REQUEST))) == 130

    def test_takes_a_steady_answer_though_it_is_counted_wrongly(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        names = filled(emulator, 3)
        from tests.emulators.http_server import Exchange

        plain = Exchange.json

        def miscounted(exchange: Exchange, document: Any, status: int = 200) -> None:
            if document.get("@odata.count"):
                document["@odata.count"] += 1
            plain(exchange, document, status)

        monkeypatch.setattr(Exchange, "json", miscounted)
        with caplog.at_level(logging.WARNING, "senard"):
            assert ids(catalogue(emulator).search(REQUEST)) == names
        assert "counts other than the 1 products" in caplog.text

    def test_gives_up_where_pages_run_in_a_circle(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        filled(emulator, 30)
        found = catalogue(emulator, page_size=10)
        pages = found.pages(f"{emulator.addresses.search}/Products?$top=10&$skip=0&$orderby=ContentDate/Start%20asc")
        first = next(pages)
        monkeypatch.setattr(found, "_page", lambda _: first)
        with pytest.raises(TransientError, match="run in a circle"):
            list(pages)


class TestFailures:
    """An outage is waited out, a refusal is told."""

    @pytest.mark.parametrize(
        "kind",
        [
            Kind.ERROR_500,
            Kind.ERROR_503,
            Kind.ERROR_504,
            Kind.HTML_200,
            Kind.JSON_200,
            Kind.EMPTY_200,
            Kind.FIREWALL,
            Kind.HANG_UP,
            Kind.CUT,
            Kind.SILENT,
        ],
    )
    def test_outages_pass(self, emulator: Emulator, kind: Kind) -> None:
        names = filled(emulator, 250)
        emulator.faults.next(kind, 2, on="catalogue", retry_after_s=0)
        assert ids(catalogue(emulator, page_size=100).search(REQUEST)) == names

    def test_a_lasting_one_is_told(self, emulator: Emulator) -> None:
        emulator.faults.always(Kind.ERROR_503, on="catalogue", retry_after_s=0)
        access = emulator.access(Path("unused"))
        quick = dataclasses.replace(access, pace=dataclasses.replace(access.pace, retries=2, backoff_s=0.01))
        with pytest.raises(TransientError, match="The catalogue search"):
            list(ODataCatalogue(quick, today=LATER).search(REQUEST))

    @pytest.mark.parametrize("kind", [Kind.ERROR_504, Kind.SILENT])
    def test_heavy_questions_are_cut(self, emulator: Emulator, kind: Kind) -> None:
        names = filled(emulator, 30, apart=80_000.0)
        access = emulator.access(Path("unused"))
        quick = dataclasses.replace(access, pace=dataclasses.replace(access.pace, retries=3, read_timeout_s=0.2))
        emulator.faults.next(kind, 2, on="catalogue")
        assert ids(ODataCatalogue(quick, today=LATER).search(REQUEST)) == names
        assert len(emulator.asked("catalogue")) == 5

    def test_those_of_a_day_are_asked_again_as_they_are(self, emulator: Emulator) -> None:
        names = filled(emulator, 3, apart=60.0)
        day = dataclasses.replace(REQUEST, first_day=date(2024, 6, 1), last_day=date(2024, 6, 1))
        emulator.faults.next(Kind.ERROR_504, 3, on="catalogue")
        assert ids(catalogue(emulator).search(day)) == names
        emulator.settle()
        assert len({one.url for one in emulator.asked("catalogue")}) == 3  # 24.5 hours, which are halved once

    @pytest.mark.parametrize("kind", [Kind.ERROR_504, Kind.SILENT])
    @pytest.mark.parametrize("days", [1, 30, 90])
    def test_a_dead_catalogue_is_asked_no_more_than_the_retries(
        self, emulator: Emulator, kind: Kind, days: int
    ) -> None:
        emulator.faults.always(kind, on="catalogue")
        access = emulator.access(Path("unused"))
        quick = dataclasses.replace(access, pace=dataclasses.replace(access.pace, retries=4, read_timeout_s=0.1))
        request = dataclasses.replace(REQUEST, last_day=REQUEST.first_day + timedelta(days=days - 1))
        with pytest.raises(TransientError, match="expected products, but 4 questions in a row were not answered"):
            list(ODataCatalogue(quick, today=LATER).search(request))
        emulator.settle()
        assert len(emulator.asked("catalogue")) == 4

    def test_one_that_dies_on_later_pages_is_given_up_too(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(emulator, 30, apart=1.0)
        found = catalogue(emulator, page_size=10)
        pages: list[str] = []
        plain = found._page

        def first_alone(url: str) -> Page:
            pages.append(url)
            if parse_qs(urlsplit(url).query).get("$skip", ["0"]) != ["0"]:
                raise PassingRefusal("too long", status=504)
            return plain(url)

        monkeypatch.setattr(found, "_page", first_alone)
        with pytest.raises(TransientError, match="6 questions in a row"):
            list(found.search(dataclasses.replace(REQUEST, last_day=REQUEST.first_day)))
        assert len(pages) < 30

    def test_an_unknown_collection_is_refused(self, emulator: Emulator) -> None:
        access = emulator.access(Path("unused"), collection="Sentinel2")
        with pytest.raises(RequestError, match="400"):
            list(ODataCatalogue(access, today=LATER).search(REQUEST))


class TestRecordedPages:
    """A recorded answer of five pages is read to its end by the same code."""

    @pytest.mark.real_data
    def test_to_the_end(self, shared: Path) -> None:
        folder = shared / "data/catalogue/cdse-odata-pages/sentinel_1"
        answers = [json.loads((folder / f"odata_page_{number}.json").read_text()) for number in range(1, 6)]
        asked: list[str] = []

        class Recorded:
            def get_json(self, url: str, *, what: str) -> Any:  # noqa: ARG002
                asked.append(url)
                skip = parse_qs(urlsplit(url).query).get("$skip", ["0"])[0]
                return answers[int(skip) // 10]

        with Emulator() as emulator:
            reader = ODataCatalogue(emulator.access(Path("unused")), Recorded())  # type: ignore[arg-type]
            pages = list(reader.pages(f"{emulator.addresses.search}/Products?$top=10"))
            assert all(url.startswith(emulator.addresses.search) for url in asked)
        assert len({entry.uuid for page in pages for entry in page.entries}) == pages[0].count == 47
