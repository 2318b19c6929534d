"""What the emulators say has the shape of what the real services said."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.emulators.cases import Cases
from tests.emulators.cdse import Emulator

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def emulator(tiny_archive: Path) -> Iterator[Emulator]:
    with Emulator(tiny_archive, services=("stac", "cogs")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def recorded(shared: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Requests to the STAC catalogue and what it answered."""
    folder = shared / "data" / "catalogue" / "cdse-stac-cassettes"
    tape = yaml.load(next(folder.glob("*.yaml")).read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [(one["request"], json.loads(one["response"]["body"]["string"])) for one in tape["interactions"]]


def shape(value: Any) -> Any:
    """Keys and kinds of a JSON value; of a list what its entries have in common."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, bool) or value is None:
        return str(value)
    return "number" if isinstance(value, int | float) else "text"


def lacking(real: Any, ours: Any, place: str = "") -> list[str]:
    """Places where ours lacks what the real one has, or has it of another kind."""
    if isinstance(real, dict) and isinstance(ours, dict):
        here = [f"{place}/{key}" for key in real if key not in ours]
        return here + [one for key in real if key in ours for one in lacking(real[key], ours[key], f"{place}/{key}")]
    if isinstance(real, list) and isinstance(ours, list):
        return lacking(real[0], ours[0], f"{place}[]") if real and ours else []
    return [] if type(real) is type(ours) and (isinstance(real, dict | list) or real == ours) else [place]


class TestStac:
    """The STAC catalogue speaks as the recorded one."""

    def test_has_the_landing_page(self, emulator: Emulator, recorded: list[Any]) -> None:
        real = recorded[0][1]
        ours = requests.get(emulator.addresses.stac, timeout=20).json()
        assert real["id"] == ours["id"]
        assert {link["rel"] for link in real["links"]} == {link["rel"] for link in ours["links"]}
        assert {name for name in real["conformsTo"] if "transaction" not in name} == set(ours["conformsTo"])

    def test_has_the_frame_of_a_search(self, emulator: Emulator, recorded: list[Any]) -> None:
        request, real = next(one for one in recorded if one[0]["method"] == "POST")
        body = {**json.loads(request["body"]), "bbox": [23, 60, 25, 61], "datetime": "2024-01-01T00:00:00Z/.."}
        ours = requests.post(f"{emulator.addresses.stac}/search", json=body, timeout=20).json()
        assert real.keys() == ours.keys()
        assert [link["rel"] for link in real["links"]] == [link["rel"] for link in ours["links"]]
        assert len(ours["features"]) == ours["numberReturned"] == 4

    def test_has_the_items(self, emulator: Emulator, recorded: list[Any]) -> None:
        real = next(one for one in recorded if one[0]["method"] == "POST")[1]["features"][0]
        found = requests.get(f"{emulator.addresses.stac}/search", timeout=20).json()["features"]
        ours = next(item for item in found if item["properties"]["processing:version"] == "05.11")
        odd = {"/properties/auth:schemes", "/properties/storage:schemes", "/assets/B06_20m/description"}
        missing = lacking(shape(real), shape(ours))
        assert [place for place in missing if not any(place.startswith(one) for one in odd)] == []
        assert sorted(real["assets"]) == sorted(ours["assets"])

    def test_has_the_traps(self, emulator: Emulator, recorded: list[Any]) -> None:
        real = next(one for one in recorded if one[0]["method"] == "POST")[1]["features"][0]
        ours = requests.get(f"{emulator.addresses.stac}/search?limit=1", timeout=20).json()["features"][0]
        for item in (real, ours):
            assets = item["assets"]
            assert "/Nodes()/" in assets["granule_metadata"]["alternate"]["https"]["href"]
            assert "/Nodes()/" in assets["datastrip_metadata"]["alternate"]["https"]["href"]
            assert "/Nodes()/" not in assets["product_metadata"]["alternate"]["https"]["href"]
            assert assets["AOT_20m"]["raster:offset"] == assets["B04_10m"]["raster:offset"] == -0.1
            assert assets["product_metadata"]["file:checksum"].startswith("d50120")
            assert assets["safe_manifest"]["file:checksum"].startswith("d50110")
            assert assets["B04_10m"]["file:checksum"].startswith("1620")
            assert isinstance(assets["Product"]["storage:refs"], str)
            assert assets["thumbnail"]["href"].split("/odata")[0] not in assets["Product"]["href"]

    def test_takes_every_odd_entry(self, tiny_archive: Path) -> None:
        with Emulator(tiny_archive, services=("stac",)) as emulator:
            Cases(emulator.products).add_all()
            found = requests.get(f"{emulator.addresses.stac}/search?limit=1000", timeout=20).json()["features"]
            assert {item["id"] for item in found} == set(emulator.products.names)


class TestEarthSearch:
    """Earth Search speaks as the recorded items."""

    @pytest.mark.parametrize("name", ["S2B_33TWN_20220226_0_L2A", "S2A_33TWN_20190707_1_L2A"])
    def test_has_the_items(self, emulator: Emulator, shared: Path, name: str) -> None:
        folder = shared / "data" / "catalogue" / "earth-search-baselines-33TWN"
        real = json.loads((folder / f"{name}.json").read_text())
        ours = self.item(emulator, "sentinel-2-l2a")
        assert real.keys() == ours.keys()
        needed = {key for key in real["properties"] if not key.endswith("_percentage") and key != "processing:software"}
        assert needed - set(ours["properties"]) == set()
        assert set(real["assets"]) - set(ours["assets"]) == {"thumbnail"}
        assert lacking(shape(real["assets"]["red"]), shape(ours["assets"]["red"])) == []
        year, month = name[10:14], int(name[14:16])
        assert real["assets"]["red"]["href"].endswith(f"/sentinel-s2-l2a-cogs/33/T/WN/{year}/{month}/{name}/B04.tif")
        assert ours["assets"]["red"]["href"].endswith(f"/sentinel-s2-l2a-cogs/35/V/LG/2024/7/{ours['id']}/B04.tif")

    def test_has_the_items_of_collection_1(self, emulator: Emulator, shared: Path) -> None:
        path = shared / "data" / "catalogue" / "stac-items" / "S2B_T37MGP_20240710T073012_L2A_C1.json"
        real = json.loads(path.read_text())
        ours = self.item(emulator, "sentinel-2-c1-l2a")
        assert real["id"].count("_") == ours["id"].count("_")
        assert set(real["assets"]) - set(ours["assets"]) == {"thumbnail"}
        assert "earthsearch:boa_offset_applied" not in real["properties"]
        assert "earthsearch:boa_offset_applied" not in ours["properties"]

    @staticmethod
    def item(emulator: Emulator, collection: str) -> dict[str, Any]:
        """The newest item."""
        body = {"collections": [collection], "limit": 1}
        answer = requests.post(f"{emulator.addresses.earth_search}/search", json=body, timeout=20)
        found: dict[str, Any] = answer.json()["features"][0]
        return found
