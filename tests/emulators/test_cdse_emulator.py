"""The emulator's catalogue and token service say what the real ones say."""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests
from shapely.geometry import MultiPolygon, box

from tests.emulators.cdse import Emulator, Kind
from tests.emulators.entries import Entry, StatedChecksum, Value

Json = dict[str, Any]
Search = Callable[..., Json]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
S2 = "Collection/Name eq 'SENTINEL-2'"
OLD = "S2A_MSIL2A_20240608T095031_N0214_R122_T35VLG_20240608T125031"
NEW = "S2A_MSIL2A_20240711T095031_N0511_R122_T35VLG_20240711T125031"


@pytest.fixture
def emulator(tiny_archive: Path) -> Iterator[Emulator]:
    with Emulator(tiny_archive) as emulator:
        yield emulator


@pytest.fixture
def empty() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def ask(emulator: Emulator, path: str = "Products", **options: str) -> requests.Response:
    query = {f"${name.removesuffix('_')}": value for name, value in options.items()}
    return requests.get(f"{emulator.addresses.search}/{path}", params=query, timeout=20)


def names(emulator: Emulator, filter_: str, **options: str) -> list[str]:
    answer = ask(emulator, filter_=filter_, orderby="ContentDate/Start asc", **options)
    assert answer.status_code == 200, answer.text
    return [one["Name"].removesuffix(".SAFE") for one in answer.json()["value"]]


def attribute(name: str, kind: str, test: str) -> str:
    return (
        f"Attributes/OData.CSC.{kind}Attribute/any(a:a/Name eq '{name}' and a/OData.CSC.{kind}Attribute/Value {test})"
    )


class TestRecordedAnswers:
    """Filled with the products of recorded answers, the emulator repeats them to the letter."""

    @pytest.mark.real_data
    def test_five_pages_of_the_real_catalogue(self, empty: Emulator, shared: Path) -> None:
        folder = shared / "data/catalogue/cdse-odata-pages/sentinel_1"
        pages = [json.loads((folder / f"odata_page_{number}.json").read_text()) for number in range(1, 6)]
        for told in [one for page in pages for one in page["value"]]:
            empty.products.put(recorded_entry(told))
        real = "https://catalogue.dataspace.copernicus.eu"
        first = pages[0]["@odata.nextLink"].replace("&%24skip=10", "")
        asked = [first, *(page["@odata.nextLink"] for page in pages[:-1])]
        for url, page in zip(asked, pages, strict=True):
            query = [
                (name, value) for name, value in parse_qsl(urlsplit(url).query) if name != "$count" or url == first
            ]
            answer = requests.get(f"{empty.addresses.search}/Products", params=query, timeout=20).json()
            if "@odata.nextLink" in answer:
                answer["@odata.nextLink"] = answer["@odata.nextLink"].replace(empty.origin("catalogue"), real)
            assert answer == page

    @pytest.mark.real_data
    def test_the_attributes_are_told_in_the_real_form(self, emulator: Emulator, shared: Path) -> None:
        recorded = json.loads((shared / "data/catalogue/cdse-odata-pages/sentinel_1/attributes.json").read_text())
        told = ask(emulator, "Attributes(SENTINEL-2)").json()
        assert [set(one) for one in told] == [{"Name", "ValueType"}] * len(told)
        shared_names = {one["Name"]: one for one in recorded}
        assert all(one == shared_names[one["Name"]] for one in told if one["Name"] in shared_names)
        assert len([one for one in told if one["Name"] in shared_names]) >= 10

    @pytest.mark.real_data
    def test_a_simulated_product_has_the_keys_and_types_of_a_real_one(self, emulator: Emulator, shared: Path) -> None:
        page = json.loads((shared / "data/catalogue/cdse-odata-pages/sentinel_1/odata_page_1.json").read_text())
        real = page["value"][0]
        told = ask(emulator, expand="Attributes").json()["value"][0]
        assert list(told) == list(real)
        unlike = {key for key in real if type(told[key]) is not type(real[key])}
        assert unlike == {"Footprint", "GeoFootprint"}  # the recorded products have none
        for key in ("OriginDate", "PublicationDate", "ModificationDate", "EvictionDate"):
            assert TIME.fullmatch(told[key])
        assert [list(one) for one in told["Checksum"]] == [list(one) for one in real["Checksum"]]
        assert list(told["Attributes"][0]) == list(real["Attributes"][0])


def recorded_entry(told: Json) -> Entry:
    """A recorded product as an entry of the emulator."""

    def when(text: str) -> datetime:
        return datetime.fromisoformat(text)

    attributes: dict[str, Value] = {
        one["Name"]: when(one["Value"]) if one["ValueType"] == "DateTimeOffset" else one["Value"]
        for one in told["Attributes"]
    }
    return Entry(
        id=told["Id"],
        name=told["Name"],
        start=when(told["ContentDate"]["Start"]),
        end=when(told["ContentDate"]["End"]),
        content_length=told["ContentLength"],
        checksums=tuple(
            StatedChecksum(algorithm=one["Algorithm"], value=one["Value"], date=when(one["ChecksumDate"]))
            for one in told["Checksum"]
        ),
        footprint=None,
        attributes=attributes,
        published=when(told["PublicationDate"]),
        modified=when(told["ModificationDate"]),
        originated=when(told["OriginDate"]),
        s3_path=told["S3Path"],
        path=None,
        collection="SENTINEL-1",
    )


class TestFilter:
    """$filter keeps what the documented grammar says."""

    @pytest.mark.parametrize(
        ("filter_", "kept"),
        [
            (S2, 4),
            (f"contains(Name,'_N0511_') and {S2}", 1),
            ("startswith(Name,'S2A')", 2),
            ("endswith(Name,'T125031.SAFE')", 2),
            ("not startswith(Name,'S2A') and not startswith(Name,'S2C')", 1),
            (f"Name eq '{OLD}.SAFE' or Name eq '{NEW}.SAFE'", 2),
            ("startswith(Name,'S2C') or startswith(Name,'S2A') and contains(Name,'_N0511_')", 2),
            ("(startswith(Name,'S2C') or startswith(Name,'S2A')) and contains(Name,'_N0511_')", 1),
            ("ContentDate/Start ge 2024-06-18T09:50:29.000Z and ContentDate/Start lt 2024-07-11T09:50:31.000Z", 2),
            ("ContentDate/Start ge 2024-06-18T11:50:29.000+02:00", 3),
            ("ContentDate/Start gt 2024-06-18T09:50:29.000", 2),
            ("Online eq true and ContentLength gt 0", 4),
            ("PublicationDate gt 2024-07-01T00:00:00.000Z", 1),
            (attribute("productType", "String", "eq 'S2MSI2A'"), 4),
            (attribute("tileId", "String", "eq '35VLG'"), 4),
            (attribute("tileId", "String", "eq 'T35VLG'"), 0),
            (attribute("relativeOrbitNumber", "Integer", "eq 122"), 3),
            (attribute("relativeOrbitNumber", "String", "eq 122"), 3),
            (attribute("cloudCover", "Double", "le 101.0"), 4),
            (attribute("cloudCover", "String", "le 101.0"), 0),
            ("Attributes/OData.CSC.StringAttribute/any(i0:i0/Name eq 'tileId' and i0/Value eq '35VLG')", 4),
            ("OData.CSC.Intersects(area=geography'SRID=4326;POINT(23.92 60.08)')", 4),
            ("OData.CSC.Intersects(area=geography'SRID=4326;POINT(24.92 60.08)')", 0),
            ("OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((23 60,24 60,24 61,23 61,23 60))')", 4),
        ],
    )
    def test_keeps_what_fits(self, emulator: Emulator, filter_: str, kept: int) -> None:
        assert len(names(emulator, filter_)) == kept

    @pytest.mark.parametrize(
        ("filter_", "why"),
        [
            ("Collection/Name eq 'Sentinel2'", "Invalid value"),
            ("Name eq S2A", "expected a value"),
            ("Name is 'S2A'", "expected a comparison"),
            ("Colour eq 'red'", "Invalid field"),
            (f"{S2} and", "ends too early"),
            ("(Name eq 'a'", "expected '\\)'"),
            ("ContentDate/Start ge 2024-06-18T11:50:29.000 02:00", "expected 'the end'"),
            ("Attributes/OData.CSC.String Attribute/any(a:a/Name eq 'a')", "no type of attributes"),
            ("OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((0 0,1 0,1 1,0 1))')", "Invalid geometry"),
            ("OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((0 0,1 1,1 0,0 1,0 0))')", "Self-intersection"),
            ("OData.CSC.Intersects(area=geography'SRID=3857;POINT(0 0)')", "SRID=4326"),
            ("OData.CSC.Intersects(area=geography'SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')", "POLYGON or a POINT"),
        ],
    )
    def test_is_refused_where_it_is_wrong(self, emulator: Emulator, filter_: str, why: str) -> None:
        answer = ask(emulator, filter_=filter_)
        assert answer.status_code == 400
        assert re.search(why, answer.json()["detail"])

    def test_finds_a_footprint_on_both_sides_of_the_antimeridian(self, empty: Emulator) -> None:
        ground = MultiPolygon([box(179.5, 65, 180, 66), box(-180, 65, -179.2, 66)])
        told = empty.products.add_named(
            "S2A_MSIL2A_20230625T234621_N0509_R073_T01WCP_20230626T022157", footprint=ground
        )
        for lon in (179.7, -179.5):
            assert names(empty, f"OData.CSC.Intersects(area=geography'SRID=4326;POINT({lon} 65.5)')") == [
                told.product_id
            ]
        assert ask(empty).json()["value"][0]["Footprint"].startswith("geography'SRID=4326;MULTIPOLYGON (((")

    def test_never_finds_a_null_footprint_by_its_area(self, emulator: Emulator) -> None:
        emulator.products.forget_footprint(NEW)
        area = "OData.CSC.Intersects(area=geography'SRID=4326;POINT(23.92 60.08)')"
        assert len(names(emulator, area)) == 3
        told = next(one for one in ask(emulator).json()["value"] if one["Name"].startswith(NEW))
        assert (told["Footprint"], told["GeoFootprint"]) == (None, None)


class TestPaging:
    """Pages follow each other as the real catalogue's do, traps included."""

    def test_has_twenty_entries_unless_told_otherwise(self, empty: Emulator) -> None:
        empty.products.add_synthetic(25)
        page = ask(empty, orderby="ContentDate/Start").json()
        assert len(page["value"]) == 20
        assert "@odata.count" not in page
        assert len(requests.get(page["@odata.nextLink"], timeout=20).json()["value"]) == 5

    def test_encodes_the_next_link_as_a_form(self, empty: Emulator) -> None:
        empty.products.add_synthetic(3)
        page = ask(empty, filter_=S2, top="2", expand="Attributes", orderby="ContentDate/Start asc").json()
        start = f"{empty.addresses.search}/Products?%24filter=Collection%2FName+eq+%27SENTINEL-2%27&%24top=2"
        assert page["@odata.nextLink"] == f"{start}&%24expand=Attributes&%24orderby=ContentDate%2FStart+asc&%24skip=2"
        assert "@odata.nextLink" not in requests.get(page["@odata.nextLink"], timeout=20).json()

    def test_loses_and_repeats_products_without_an_order(self, empty: Emulator) -> None:
        empty.products.add_synthetic(60)
        pages = [ask(empty, top="20", skip=str(skip)).json()["value"] for skip in (0, 20, 40)]
        assert len({one["Name"] for page in pages for one in page}) < 60

    def test_names_no_next_page_beyond_ten_thousand(self, empty: Emulator) -> None:
        empty.products.add_synthetic(11_500)
        order = {"orderby": "ContentDate/Start asc", "top": "1000", "count": "true"}
        before = ask(empty, skip="9000", **order).json()
        last = requests.get(before["@odata.nextLink"], timeout=20).json()
        assert (before["@odata.count"], len(last["value"])) == (11_500, 1000)
        assert "@odata.nextLink" not in last

    @pytest.mark.parametrize(("option", "value", "most"), [("$skip", "10001", 10_000), ("$top", "1001", 1000)])
    def test_refuses_what_is_out_of_range(self, empty: Emulator, option: str, value: str, most: int) -> None:
        answer = requests.get(f"{empty.addresses.search}/Products", params={option: value}, timeout=20)
        assert answer.status_code == 422
        assert answer.json() == {
            "detail": [
                {
                    "type": "less_than_equal",
                    "loc": ["query", option],
                    "msg": f"Input should be less than or equal to {most}",
                    "input": value,
                    "ctx": {"le": most},
                }
            ]
        }

    def test_lets_a_test_insert_entries_between_pages(self, empty: Emulator) -> None:
        empty.products.add_synthetic(30)
        early = datetime(2023, 1, 1, tzinfo=UTC)

        def insert(number: int) -> None:
            empty.products.add_synthetic(1, start=early + timedelta(days=number))

        empty.catalogue.before_search = insert
        counts = [ask(empty, count="1", top="1").json()["@odata.count"] for _ in range(3)]
        assert counts == [31, 32, 33]

    def test_refuses_a_long_address(self, empty: Emulator) -> None:
        answer = ask(empty, filter_=f"Name eq '{'x' * 8000}'")
        assert (answer.status_code, answer.headers["Content-Type"]) == (414, "text/html; charset=utf-8")


class TestEntries:
    """What the catalogue tells of single products."""

    def test_expands_only_what_is_asked_for(self, emulator: Emulator) -> None:
        url = f"{emulator.addresses.search}/Products?$expand=Attributes&$expand=Assets&$top=1"
        page = requests.get(url, timeout=20).json()
        assert page["@odata.context"] == "$metadata#Products(Attributes(),Assets())"
        assert "Locations" not in page["value"][0]
        assert {"Attributes", "Assets"} <= page["value"][0].keys()
        assert not {"Attributes", "Assets", "Locations"} & ask(emulator).json()["value"][0].keys()

    def test_shows_the_quicklook(self, emulator: Emulator) -> None:
        asset = ask(emulator, expand="Assets").json()["value"][0]["Assets"][0]
        picture = requests.get(asset["DownloadLink"], timeout=20)
        assert (picture.content[:2], picture.headers["Content-Type"]) == (b"\xff\xd8", "image/jpeg")
        emulator.faults.quicklooks = False
        assert requests.get(asset["DownloadLink"], timeout=20).status_code == 404

    def test_knows_a_product_by_its_id(self, emulator: Emulator) -> None:
        entry = emulator.products[NEW]
        assert ask(emulator, f"Products({entry.id})").json()["Name"] == f"{NEW}.SAFE"
        assert ask(emulator, f"Products('{entry.id}')").status_code == 422
        assert ask(emulator, "Products(00000000-0000-0000-0000-000000000000)").status_code == 404

    def test_selects_keys(self, emulator: Emulator) -> None:
        told = ask(emulator, select="Id,Name").json()["value"][0]
        assert {key for key in told if not key.startswith("@")} == {"Id", "Name"}

    def test_finds_a_list_of_names(self, emulator: Emulator) -> None:
        url = f"{emulator.addresses.search}/Products/OData.CSC.FilterList"
        body = {"FilterProducts": [{"Name": f"{NEW}.SAFE"}, {"Name": "S2A_none.SAFE"}]}
        found = requests.post(url, json=body, timeout=20).json()["value"]
        assert [one["Name"] for one in found] == [f"{NEW}.SAFE"]
        assert requests.post(url, json={}, timeout=20).status_code == 422

    def test_moves_a_withdrawn_product_to_the_deleted_ones(self, emulator: Emulator) -> None:
        emulator.products.withdraw(OLD, "Duplicated product")
        assert OLD not in names(emulator, S2)
        deleted = ask(emulator, "DeletedProducts", filter_=f"Name eq '{OLD}.SAFE'").json()["value"]
        assert [one["DeletionCause"] for one in deleted] == ["Duplicated product"]
        assert TIME.fullmatch(deleted[0]["DeletionDate"])
        uuid = emulator.products[OLD].id
        assert (ask(emulator, f"Products({uuid})").status_code, ask(emulator, f"DeletedProducts({uuid})").ok) == (
            404,
            True,
        )

    def test_brings_a_product_back_from_tape(self, emulator: Emulator) -> None:
        emulator.products.set_offline(NEW)
        assert NEW not in names(emulator, "Online eq true")
        emulator.products.set_offline(NEW, back_after_looks=2)
        path = f"Products({emulator.products[NEW].id})"
        assert [ask(emulator, path).json()["Online"] for _ in range(3)] == [False, False, True]
        assert NEW in names(emulator, "Online eq true")

    def test_can_state_neither_length_nor_checksum(self, emulator: Emulator) -> None:
        emulator.products.forget_length(NEW)
        told = ask(emulator, filter_=f"Name eq '{NEW}.SAFE'").json()["value"][0]
        assert (told["ContentLength"], told["Checksum"]) == (0, [])

    def test_fails_where_it_is_told_to(self, emulator: Emulator) -> None:
        emulator.faults.next(Kind.HTML_200, on="catalogue")
        emulator.faults.next(Kind.CUT_UNSTATED, on="catalogue")
        page, cut = ask(emulator), ask(emulator)
        assert (page.status_code, page.text[:9]) == (200, "<!DOCTYPE")
        with pytest.raises(requests.JSONDecodeError):
            cut.json()
        assert ask(emulator).json()["value"]
        assert [one.fault for one in emulator.log] == ["html-200", "cut-unstated", ""]


class TestTokens:
    """The token service gives and refuses as the real one does."""

    @staticmethod
    def grant(emulator: Emulator, **form: str) -> requests.Response:
        return requests.post(emulator.addresses.token, data={"client_id": "cdse-public", **form}, timeout=20)

    def login(self, emulator: Emulator, **more: str) -> requests.Response:
        username, password = emulator.account
        return self.grant(emulator, **{"grant_type": "password", "username": username, "password": password, **more})

    def test_gives_a_signed_token_for_a_password(self, empty: Emulator) -> None:
        told = self.login(empty).json()
        assert (told["expires_in"], told["refresh_expires_in"], told["token_type"]) == (600, 3600, "Bearer")
        claims = jwt.decode(told["access_token"], options={"verify_signature": False})
        assert claims["aud"] == ["CLOUDFERRO_PUBLIC", "account"]
        assert jwt.get_unverified_header(told["access_token"])["alg"] == "RS256"

    def test_gives_another_one_for_a_refresh_token(self, empty: Emulator) -> None:
        first = self.login(empty).json()
        second = self.grant(empty, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
        assert second["access_token"] != first["access_token"]
        assert (empty.tokens.password_grants, empty.tokens.refresh_grants, empty.tokens.sessions) == (1, 1, 1)

    @pytest.mark.parametrize(
        ("form", "status", "error", "description"),
        [
            ({"password": "wrong"}, 401, "invalid_grant", "Invalid user credentials"),
            ({"username": "nobody"}, 401, "invalid_grant", "Invalid user credentials"),
            ({"password": ""}, 400, "invalid_request", "Missing form parameter: password"),
            ({"client_id": "other"}, 401, "invalid_client", "Invalid client or Invalid client credentials"),
            ({"grant_type": "refresh_token", "refresh_token": "stale"}, 400, "invalid_grant", "Session not active"),
        ],
    )
    def test_refuses(self, empty: Emulator, form: dict[str, str], status: int, error: str, description: str) -> None:
        answer = self.login(empty, **form)
        assert answer.status_code == status
        assert answer.json() == {"error": error, "error_description": description}

    def test_ends_a_session_at_its_age(self, empty: Emulator) -> None:
        empty.faults.refresh_life_s = 0.05
        stale = self.login(empty).json()["refresh_token"]
        time.sleep(0.06)
        answer = self.grant(empty, grant_type="refresh_token", refresh_token=stale)
        assert (answer.status_code, answer.json()["error_description"]) == (400, "Token is not active")

    def test_wants_the_second_factor(self, empty: Emulator) -> None:
        empty.accounts[0].totp = "123456"
        assert self.login(empty).status_code == 401
        assert self.login(empty, totp="654321").status_code == 401
        assert self.login(empty, totp="123456").status_code == 200

    def test_opens_no_more_sessions_than_its_cap(self, empty: Emulator) -> None:
        empty.faults.session_cap = 2
        assert [self.login(empty).status_code for _ in range(3)] == [200, 200, 401]
        empty.tokens.expire()  # a session ends with its token
        assert self.login(empty).status_code == 200
