"""The STAC emulators against pystac-client, which nobody here wrote."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pystac_client import Client
from pystac_client.exceptions import APIError

from tests.emulators.cdse import Emulator, Kind
from tests.emulators.covers import middle_cover, stated_covers

WORLD = (-180.0, -90.0, 180.0, 90.0)
TINY = ["20240608", "20240618", "20240626", "20240711"]


def days(items: list[str]) -> list[str]:
    """Day of each item, of whichever catalogue."""
    return [next(day for day in TINY if day in name) for name in items]


@pytest.fixture(scope="module")
def emulator(tiny_archive: Path) -> Iterator[Emulator]:
    """One for all tests: none of them changes it."""
    with Emulator(tiny_archive, services=("stac", "cogs")) as emulator:
        emulator.products.add_synthetic(25)
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return Client.open(emulator.addresses.stac)


class TestLandingPage:
    """pystac-client finds its way from the landing page."""

    def test_names_the_catalogue_and_its_collections(self, client: Client) -> None:
        assert client.id == "cdse-stac"
        found = {collection.id for collection in client.get_collections()}
        assert found == {"sentinel-2-l1c", "sentinel-2-l2a", "sentinel-2-global-mosaics"}

    def test_promises_search_filters_and_sorting(self, client: Client) -> None:
        assert all(client.conforms_to(name) for name in ("ITEM_SEARCH", "FILTER", "SORT", "QUERY"))


class TestSearch:
    """pystac-client's searches are answered, page by page, until the end."""

    @pytest.mark.parametrize("method", ["POST", "GET"])
    @pytest.mark.parametrize("limit", [1, 3, 10, 29, 100])
    def test_brings_every_item_once(self, client: Client, method: str, limit: int) -> None:
        search = client.search(method=method, collections=["sentinel-2-l2a"], bbox=WORLD, limit=limit)
        names = [item.id for item in search.items()]
        assert len(names) == len(set(names)) == 29

    def test_shows_ten_items_where_no_limit_is_asked(self, client: Client) -> None:
        pages = list(client.search(collections=["sentinel-2-l2a"], bbox=WORLD).pages())
        assert [len(page.items) for page in pages] == [10, 10, 9]

    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_keeps_the_order_asked_for_over_pages(self, client: Client, method: str) -> None:
        order = ["+properties.eo:cloud_cover"]
        search = client.search(method=method, collections=["sentinel-2-l2a"], bbox=WORLD, sortby=order, limit=7)
        covers = [item.properties["eo:cloud_cover"] for item in search.items()]
        assert covers == sorted(covers)
        assert len(covers) == 29

    def test_finds_the_products_of_an_area_and_a_period(self, client: Client) -> None:
        point = {"type": "Point", "coordinates": [23.92, 60.08]}
        search = client.search(
            collections=["sentinel-2-l2a"],
            intersects=point,
            datetime="2024-06-10/2024-06-30",
            sortby="properties.datetime",
        )
        assert days([item.id for item in search.items()]) == ["20240618", "20240626"]

    def test_finds_nothing_where_there_is_nothing(self, client: Client) -> None:
        assert list(client.search(collections=["sentinel-2-l1c"], bbox=WORLD).items()) == []

    def test_takes_a_filter_in_json(self, client: Client, tiny_archive: Path) -> None:
        cloud_free = {"op": "<=", "args": [{"property": "eo:cloud_cover"}, middle_cover(tiny_archive)]}
        of_tile = {"op": "=", "args": [{"property": "grid:code"}, "MGRS-35VLG"]}
        both = {"op": "and", "args": [cloud_free, of_tile]}
        found = client.search(collections=["sentinel-2-l2a"], filter=both).items()
        clearest, clear, _, _ = stated_covers(tiny_archive)
        assert sorted(item.id for item in found) == sorted([clearest, clear])

    def test_takes_a_filter_in_text(self, client: Client, tiny_archive: Path) -> None:
        clearest, clear, _, _ = stated_covers(tiny_archive)
        unwanted = f"eo:cloud_cover > {middle_cover(tiny_archive)} OR platform IN ('sentinel-{clearest[1:3].lower()}')"
        text = f"\"grid:code\" = 'MGRS-35VLG' AND NOT ({unwanted})"
        found = client.search(method="GET", collections=["sentinel-2-l2a"], filter=text).items()
        assert [item.id for item in found] == [clear]

    def test_takes_a_query(self, client: Client) -> None:
        found = client.search(collections=["sentinel-2-l2a"], query={"sat:relative_orbit": {"eq": 36}}).items()
        assert days([item.id for item in found]) == ["20240626"]

    def test_refuses_what_is_no_filter(self, client: Client) -> None:
        with pytest.raises(APIError, match="is not known"):
            list(client.search(filter={"op": "resembles", "args": [{"property": "platform"}, "x"]}).items())

    def test_refuses_two_areas(self, emulator: Emulator, client: Client) -> None:
        search = client.search(collections=["sentinel-2-l2a"], bbox=WORLD)
        body = {**search.get_parameters(), "intersects": {"type": "Point", "coordinates": [0, 0]}}
        with pytest.raises(APIError, match="mutually exclusive"):
            client._stac_io.read_json(f"{emulator.addresses.stac}/search", method="POST", parameters=body)  # type: ignore[union-attr]

    @pytest.mark.parametrize("kind", [Kind.FIREWALL, Kind.ERROR_504])
    def test_fails_as_told(self, tiny_archive: Path, kind: Kind) -> None:
        with Emulator(tiny_archive, services=("stac",)) as emulator:
            search = Client.open(emulator.addresses.stac).search(collections=["sentinel-2-l2a"])
            assert len(list(search.items_as_dicts())) == 4
            emulator.faults.next(kind, on="stac")
            with pytest.raises(APIError, match=r"Rate limit exceeded|504 Gateway"):
                list(search.items_as_dicts())


class TestItem:
    """An item is what the catalogue knows of the product, with what is wrong in it."""

    def test_carries_the_name_of_the_product(self, emulator: Emulator, client: Client) -> None:
        name = next(name for name in emulator.products.names if "N0511_R122" in name)
        collection = client.get_collection("sentinel-2-l2a")
        assert collection is not None
        item = collection.get_item(name)
        assert item is not None
        assert item.properties["processing:version"] == "05.11"
        assert item.properties["sat:relative_orbit"] == 122
        assert item.assets["Product"].extra_fields["file:checksum"][6:] == emulator.products[name].checksums[0].value

    def test_leads_to_the_bytes_of_each_asset(self, emulator: Emulator, client: Client) -> None:
        item = next(client.search(collections=["sentinel-2-l2a"], ids=[emulator.products.names[0]]).items())
        href = item.assets["B04_10m"].extra_fields["alternate"]["https"]["href"]
        assert href.startswith(
            f"{emulator.addresses.data}/Products({emulator.products[item.id].id})/Nodes({item.id}.SAFE)"
        )
        assert item.assets["B04_10m"].href.startswith("s3://eodata/Sentinel-2/MSI/L2A/2024/06/08/")


class TestEarthSearch:
    """pystac-client reads Earth Search, whose pages go on by another word."""

    def test_brings_every_item_once(self, emulator: Emulator) -> None:
        client = Client.open(emulator.addresses.earth_search)
        names = [item.id for item in client.search(collections=["sentinel-2-l2a"], limit=3).items()]
        assert names == [f"S2{letter}_35VLG_{day}_0_L2A" for letter, day in zip("ACBA", reversed(TINY), strict=True)]

    def test_breaks_down_over_pages_that_are_too_large(self, emulator: Emulator) -> None:
        client = Client.open(emulator.addresses.earth_search)
        with pytest.raises(APIError, match="502"):
            list(client.search(collections=["sentinel-2-l2a"], limit=501).items())


class TestPlanetaryComputer:
    """pystac-client reads the Planetary Computer, whose items have no baseline in their name."""

    def test_brings_every_item_once(self, emulator: Emulator) -> None:
        client = Client.open(f"{emulator.addresses.planetary_computer}/stac/v1")
        names = [item.id for item in client.search(collections=["sentinel-2-l2a"], bbox=WORLD, limit=3).items()]
        assert names[0] == "S2A_MSIL2A_20240711T095031_R122_T35VLG_20240711T125031"
        assert sorted(days(names)) == TINY
