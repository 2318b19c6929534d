"""Cloud-optimised files of Earth Search and the Planetary Computer as the emulator plays them."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import requests

from tests.emulators.cdse import Emulator
from tests.emulators.cogs import Cogs

NEW, OLD = "20240711", "20240608"


@pytest.fixture
def emulator(tiny_archive: Path) -> Iterator[Emulator]:
    with Emulator(tiny_archive, services=("cogs",)) as emulator:
        yield emulator


@pytest.fixture
def cogs(emulator: Emulator) -> Cogs:
    service = emulator.mounted["cogs"]
    assert isinstance(service, Cogs)
    return service


def item(url: str, collection: str, day: str) -> dict[str, Any]:
    """The item of one day."""
    body = {"collections": [collection], "datetime": f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00:00Z/.."}
    asked = {**body, "sortby": [{"field": "datetime", "direction": "asc"}]}
    found: dict[str, Any] = requests.post(f"{url}/search", json=asked, timeout=20).json()["features"][0]
    return found


def pixels(url: str) -> Any:
    """Brought first: GDAL would wait for this process while it holds it."""
    answer = requests.get(url, timeout=20)
    assert answer.status_code == 200
    with rasterio.open(BytesIO(answer.content)) as raster:
        assert raster.crs.to_epsg() == 32635
        return raster.read(1)


@pytest.fixture
def delivered(emulator: Emulator) -> Any:
    """Red pixels of a day, as the product has them."""

    def read(day: str) -> Any:
        entry = next(entry for entry in emulator.products if day in entry.name)
        assert entry.path is not None
        with rasterio.open(f"zip+file://{entry.path}!{_red(entry.path)}") as raster:
            return raster.read(1)

    return read


def _red(path: Path) -> str:
    from zipfile import ZipFile

    with ZipFile(path) as archive:
        return next(name for name in archive.namelist() if name.endswith("_B04_10m.jp2"))


class TestEarthSearch:
    """Earth Search has taken off the 1000 in one collection and not in the other."""

    def test_has_taken_it_off_since_baseline_0400(self, emulator: Emulator, delivered: Any) -> None:
        found = item(emulator.addresses.earth_search, "sentinel-2-l2a", NEW)
        assert found["properties"]["earthsearch:boa_offset_applied"] is True
        assert found["assets"]["red"]["raster:bands"][0]["offset"] == -0.1  # stated although it is applied
        assert np.array_equal(pixels(found["assets"]["red"]["href"]), np.maximum(delivered(NEW), 1000) - 1000)

    def test_had_nothing_to_take_off_before(self, emulator: Emulator, delivered: Any) -> None:
        found = item(emulator.addresses.earth_search, "sentinel-2-l2a", OLD)
        assert found["properties"]["earthsearch:boa_offset_applied"] is False
        assert np.array_equal(pixels(found["assets"]["red"]["href"]), delivered(OLD))

    def test_leaves_collection_1_as_it_was_delivered(self, emulator: Emulator, delivered: Any) -> None:
        found = item(emulator.addresses.earth_search, "sentinel-2-c1-l2a", NEW)
        assert np.array_equal(pixels(found["assets"]["red"]["href"]), delivered(NEW))

    def test_may_state_the_opposite_of_what_was_done(self, emulator: Emulator, cogs: Cogs) -> None:
        cogs.earth_search.wrong_flags = {name for name in emulator.products.names if NEW in name}
        found = item(emulator.addresses.earth_search, "sentinel-2-l2a", NEW)
        assert found["properties"]["earthsearch:boa_offset_applied"] is False

    def test_may_lack_assets_and_products(self, emulator: Emulator, cogs: Cogs) -> None:
        name = next(name for name in emulator.products.names if NEW in name)
        cogs.earth_search.missing = {(name, "scl")}
        assert "scl" not in item(emulator.addresses.earth_search, "sentinel-2-l2a", NEW)["assets"]
        cogs.earth_search.absent = {name}
        answer = requests.post(f"{emulator.addresses.earth_search}/search", json={}, timeout=20).json()
        assert len(answer["features"]) == 6

    def test_brings_the_metadata(self, emulator: Emulator) -> None:
        found = item(emulator.addresses.earth_search, "sentinel-2-c1-l2a", NEW)
        assert b"Level-2A_User_Product" in requests.get(found["assets"]["product_metadata"]["href"], timeout=20).content


class TestPlanetaryComputer:
    """The Planetary Computer gives pixels as they were delivered, at signed addresses."""

    def test_gives_pixels_as_delivered(self, emulator: Emulator, delivered: Any) -> None:
        found = item(f"{emulator.addresses.planetary_computer}/stac/v1", "sentinel-2-l2a", NEW)
        assert np.array_equal(pixels(f"{found['assets']['B04']['href']}?{signature(emulator)}"), delivered(NEW))

    def test_refuses_an_address_without_signature(self, emulator: Emulator) -> None:
        found = item(f"{emulator.addresses.planetary_computer}/stac/v1", "sentinel-2-l2a", NEW)
        answer = requests.get(found["assets"]["SCL"]["href"], timeout=20)
        assert answer.status_code == 403
        assert "<Code>AuthenticationFailed</Code>" in answer.text

    def test_refuses_an_expired_signature(self, emulator: Emulator, cogs: Cogs) -> None:
        cogs.planetary_computer.token_life_s = -1
        found = item(f"{emulator.addresses.planetary_computer}/stac/v1", "sentinel-2-l2a", NEW)
        answer = requests.get(f"{found['assets']['SCL']['href']}?{signature(emulator)}", timeout=20)
        assert answer.status_code == 403
        assert "not valid in the specified time frame" in answer.text

    def test_has_no_blob_that_there_is_not(self, emulator: Emulator) -> None:
        found = item(f"{emulator.addresses.planetary_computer}/stac/v1", "sentinel-2-l2a", NEW)
        href = found["assets"]["SCL"]["href"].replace("SCL", "ABC")
        answer = requests.get(f"{href}?{signature(emulator)}", timeout=20)
        assert answer.status_code == 404
        assert "<Code>BlobNotFound</Code>" in answer.text


def signature(emulator: Emulator) -> str:
    """A token for the container."""
    url = f"{emulator.addresses.planetary_computer}/sas/v1/token/sentinel2l2a01/sentinel2-l2"
    token: str = requests.get(url, timeout=20).json()["token"]
    return token
