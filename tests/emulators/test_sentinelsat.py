"""The DHuS hub against sentinelsat, which nobody here wrote."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sentinelsat import (
    InvalidKeyError,
    LTAError,
    LTATriggered,
    QueryLengthError,
    QuerySyntaxError,
    SentinelAPI,
    ServerError,
    UnauthorizedError,
    make_path_filter,
)

from tests.emulators.cdse import Emulator, Kind
from tests.emulators.covers import middle_cover, stated_covers
from tests.emulators.dhus import Dhus

AREA = "POLYGON((23.9 60.07,23.93 60.07,23.93 60.09,23.9 60.09,23.9 60.07))"


@pytest.fixture
def emulator(tiny_archive: Path) -> Iterator[Emulator]:
    with Emulator(tiny_archive, services=("dhus",)) as emulator:
        yield emulator


@pytest.fixture
def hub(emulator: Emulator) -> Dhus:
    service = emulator.mounted["dhus"]
    assert isinstance(service, Dhus)
    return service


@pytest.fixture
def api(emulator: Emulator) -> Iterator[SentinelAPI]:
    api = SentinelAPI(*emulator.account, emulator.addresses.dhus, show_progressbars=False, timeout=20)
    api.dl_retry_delay = 0.01
    api.lta_retry_delay = 0.05
    yield api
    api.session.close()


@pytest.fixture
def product(emulator: Emulator) -> tuple[str, str, Path]:
    """UUID, name and zip of a product."""
    entry = next(entry for entry in emulator.products if "N0511_R122" in entry.name)
    assert entry.path is not None
    return entry.id, entry.product_id, entry.path


class TestSearch:
    """sentinelsat's queries are answered."""

    def test_finds_an_area_and_a_period(self, api: SentinelAPI) -> None:
        found = api.query(AREA, date=("20240610", "20240630"), platformname="Sentinel-2", order_by="beginposition")
        assert [entry["identifier"][11:19] for entry in found.values()] == ["20240618", "20240626"]

    def test_finds_by_cloud_cover_orbit_and_kind(self, api: SentinelAPI, tiny_archive: Path) -> None:
        limit = middle_cover(tiny_archive)
        found = api.query(AREA, cloudcoverpercentage=(0, limit), relativeorbitnumber=122, producttype="S2MSI2A")
        expected = {name for name, cover in stated_covers(tiny_archive).items() if cover < limit and "_R122_" in name}
        assert len(expected) in (1, 2)  # of three of this orbit
        assert {entry["identifier"] for entry in found.values()} == expected

    def test_finds_one_by_name(self, api: SentinelAPI, product: tuple[str, str, Path]) -> None:
        uuid, name, path = product
        found = api.query(identifier=name)
        assert list(found) == [uuid]
        assert found[uuid]["tileid"] == "35VLG"
        assert found[uuid]["cloudcoverpercentage"] == pytest.approx(stated_covers(path.parent)[name], abs=0.001)
        assert found[uuid]["size"] == f"{path.stat().st_size / 1024**2:.2f} MB"

    def test_counts_and_goes_through_pages(self, api: SentinelAPI) -> None:
        api.page_size = 1
        assert api.count(AREA) == 4
        assert len(api.query(AREA)) == 4

    def test_tells_of_a_field_that_there_is_not(self, api: SentinelAPI) -> None:
        with pytest.raises(QuerySyntaxError, match="undefined field weather"):
            api.query(weather="fine")

    def test_refuses_a_query_that_is_too_long(self, api: SentinelAPI) -> None:
        ring = ",".join(f"{23 + number / 1000} 60" for number in range(400))
        with pytest.raises(QueryLengthError):
            api.query(f"POLYGON(({ring},23 60))")


class TestProduct:
    """sentinelsat learns of a product and brings it."""

    def test_is_described(self, api: SentinelAPI, product: tuple[str, str, Path]) -> None:
        uuid, name, path = product
        told = api.get_product_odata(uuid)
        assert (told["title"], told["size"], told["Online"]) == (name, path.stat().st_size, True)
        assert told["md5"].lower() == hashlib.md5(path.read_bytes()).hexdigest()
        assert told["footprint"].startswith("POLYGON((23.")

    def test_is_brought_and_verified(self, api: SentinelAPI, product: tuple[str, str, Path], tmp_path: Path) -> None:
        uuid, name, path = product
        told = api.download(uuid, tmp_path)
        assert Path(told["path"]) == tmp_path / f"{name}.zip"
        assert (tmp_path / f"{name}.zip").read_bytes() == path.read_bytes()

    def test_is_resumed(self, api: SentinelAPI, product: tuple[str, str, Path], tmp_path: Path) -> None:
        uuid, name, path = product
        (tmp_path / f"{name}.zip.incomplete").write_bytes(path.read_bytes()[:100_000])
        told = api.download(uuid, tmp_path)
        assert told["downloaded_bytes"] == path.stat().st_size - 100_000

    def test_is_brought_in_part(self, api: SentinelAPI, product: tuple[str, str, Path], tmp_path: Path) -> None:
        uuid, name, _ = product
        api.download(uuid, tmp_path, nodefilter=make_path_filter("*_SCL_60m.jp2"))
        brought = sorted(path.name for path in (tmp_path / f"{name}.SAFE").rglob("*") if path.is_file())
        assert brought == ["T35VLG_20240711T095031_SCL_60m.jp2", "manifest.safe"]

    def test_does_not_come_while_the_hub_is_down(
        self, emulator: Emulator, api: SentinelAPI, product: tuple[str, str, Path], tmp_path: Path
    ) -> None:
        emulator.faults.next(Kind.ERROR_503, on="dhus", products=[product[1]])
        with pytest.raises(ServerError, match="503"):
            api.download(product[0], tmp_path)
        api.download(product[0], tmp_path)
        assert (tmp_path / f"{product[1]}.zip").exists()

    def test_is_not_there_under_a_wrong_id(self, api: SentinelAPI, tmp_path: Path) -> None:
        with pytest.raises(InvalidKeyError):
            api.download("00000000-0000-0000-0000-000000000000", tmp_path)


class TestArchive:
    """What lies on tape has to be ordered first."""

    def test_accepts_an_order_and_delivers_later(
        self, hub: Dhus, api: SentinelAPI, product: tuple[str, str, Path], tmp_path: Path
    ) -> None:
        uuid, name, path = product
        hub.on_tape.add(name)
        hub.restore_s = 3600
        with pytest.raises(LTATriggered):
            api.download(uuid, tmp_path)
        assert not api.is_online(uuid)
        hub.restore_s = 0
        api.download(uuid, tmp_path)
        assert (tmp_path / f"{name}.zip").stat().st_size == path.stat().st_size

    def test_accepts_no_more_orders_than_the_quota(
        self, hub: Dhus, api: SentinelAPI, product: tuple[str, str, Path]
    ) -> None:
        hub.on_tape.add(product[1])
        hub.quota = 0
        with pytest.raises(LTAError, match="quota exceeded"):
            api.trigger_offline_retrieval(product[0])

    def test_may_accept_nothing_for_a_while(self, hub: Dhus, api: SentinelAPI, product: tuple[str, str, Path]) -> None:
        hub.on_tape.add(product[1])
        hub.not_accepted = 1
        with pytest.raises(LTAError, match="not accepted"):
            api.trigger_offline_retrieval(product[0])
        assert api.trigger_offline_retrieval(product[0])

    def test_is_busy_where_too_many_flows_are_open(
        self, hub: Dhus, api: SentinelAPI, product: tuple[str, str, Path], tmp_path: Path
    ) -> None:
        hub.busy = 1
        with pytest.raises(ServerError, match="concurrent flows"):
            api.download(product[0], tmp_path)


class TestDoor:
    """The hub asks for an account, and may be closed for good."""

    def test_refuses_a_wrong_password(self, emulator: Emulator) -> None:
        api = SentinelAPI("somebody", "wrong", emulator.addresses.dhus, show_progressbars=False)
        with pytest.raises(UnauthorizedError):
            api.query(AREA)
        api.session.close()

    def test_shows_a_page_once_it_is_closed(self, hub: Dhus, api: SentinelAPI) -> None:
        hub.closed = True
        with pytest.raises(ServerError, match="closed"):
            api.query(AREA)
