"""The cases that catalogues are known for, as the emulator tells them."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.emulators.cases import Cases
from tests.emulators.cdse import Emulator


@pytest.fixture(scope="module")
def cases() -> Iterator[tuple[Emulator, dict[str, list[str]]]]:
    with Emulator() as emulator:
        yield emulator, Cases(emulator.products).add_all()


def told(emulator: Emulator, name: str) -> dict[str, Any]:
    options = {"$filter": f"Name eq '{name}.SAFE'", "$expand": "Attributes"}
    return dict(requests.get(f"{emulator.addresses.search}/Products", params=options, timeout=20).json()["value"][0])


def attribute(entry: dict[str, Any], name: str) -> Any:
    return next(one["Value"] for one in entry["Attributes"] if one["Name"] == name)


class TestCases:
    """The emulator's entries tell halves from repeats, pilots from products, and what has no footprint."""

    def test_halves_differ_in_their_datastrips_and_repeats_do_not(
        self, cases: tuple[Emulator, dict[str, list[str]]]
    ) -> None:
        emulator, names = cases
        halves = [attribute(told(emulator, name), "datastripId") for name in names["halves"]]
        assert [one.split("_S2024")[1] for one in halves] == ["0605T101031_N05.10", "0605T101044_N05.10"]
        repeats = [attribute(told(emulator, name), "datastripId") for name in names["repeats"]]
        assert len({one.split("_S2024")[1] for one in repeats}) == 1

    def test_levels_have_their_product_types(self, cases: tuple[Emulator, dict[str, list[str]]]) -> None:
        emulator, names = cases
        types = [attribute(told(emulator, name), "productType") for name in [*names["levels"], *names["pilot"]]]
        assert types == ["S2MSI1C", "S2MSI2A", "S2MSI1C", "S2MSI2Ap"]

    def test_footprints_may_be_split_or_missing(self, cases: tuple[Emulator, dict[str, list[str]]]) -> None:
        emulator, names = cases
        assert told(emulator, names["antimeridian"][0])["GeoFootprint"]["type"] == "MultiPolygon"
        assert told(emulator, names["no_footprint"][0])["Footprint"] is None

    def test_old_entries_are_spelt_as_they_were(self, cases: tuple[Emulator, dict[str, list[str]]]) -> None:
        emulator, names = cases
        entry = told(emulator, names["old_spellings"][0])
        assert entry["ContentDate"]["Start"] == "2019-06-05T10:10:31.000Z"
        assert (entry["EvictionDate"], attribute(entry, "processorVersion")) == ("", "2.12")

    def test_a_datatake_keeps_its_own_day_over_midnight(self, cases: tuple[Emulator, dict[str, list[str]]]) -> None:
        emulator, names = cases
        entry = told(emulator, names["midnight"][0])
        assert entry["ContentDate"]["Start"].startswith("2024-06-10T23:58:21")
