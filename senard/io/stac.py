"""The STAC catalogue of the Copernicus Data Space Ecosystem (protocols §3)."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pystac
import shapely
from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from shapely.geometry import MultiPolygon, Polygon
from tenacity import retry_if_exception_type

from senard.errors import TransientError
from senard.io.found_products import Period, find
from senard.io.http import Http
from senard.io.odata_products import NotProductsError
from senard.io.retries import retrying
from senard.io.search_area import fitting_area
from senard.io.stac_items import read_item
from senard.model.access import Access, Pace
from senard.model.request import MosaicRequest
from senard.model.scene import QueriedScene, Sentinel2Scene
from senard.model.sentinel2 import ProductType

LONGEST_PERIOD = timedelta(days=31)
"""Of one question, as with OData."""

MOST_CORNERS = 500
"""Of the area that is posted: nothing limits it, but every corner costs the service time."""

IDS_AT_ONCE = 50
"""Names that are posted together."""

_COLLECTIONS = {
    ProductType.L1C: "sentinel-2-l1c",
    ProductType.L2A: "sentinel-2-l2a",
    ProductType.L2AP: "sentinel-2-l2a",
}

_WHAT = "The STAC catalogue"


class StacCatalogue:
    """Searches through pystac-client, in windows of time."""

    def __init__(
        self, access: Access, http: Http | None = None, *, today: date | None = None, page_size: int = 100
    ) -> None:
        """Nothing is asked yet.

        Args:
            access: addresses and pace.
            http: asks; None: one of its own.
            today: UTC day, for what is still pending; None: the real one.
            page_size: items of a page. An item has some 65 kB.
        """
        self._address = access.addresses.stac
        self._search_address = access.addresses.search
        self._http = http if http is not None else Http(access.pace)
        self._pace = access.pace
        self._today = today
        self._page_size = page_size
        self._client: Client | None = None

    def search(self, request: MosaicRequest) -> Iterator[Sentinel2Scene | QueriedScene]:
        """Everything that may answer the request, see `senard.io.found_products.find`.

        Raises:
            TransientError: no answer, or not one of a STAC catalogue.
            RequestError: the catalogue refuses the question.
        """
        return find(self, request, self._today or datetime.now(UTC).date())

    def matching(self, request: MosaicRequest, period: Period) -> Iterator[Sentinel2Scene | QueriedScene]:
        """Products around the request's ground, in windows of time. Tiles are asked by name, without the area, so that
        products without a footprint are found too."""
        question: dict[str, Any] = {"collections": [_COLLECTIONS[request.product_type]]}
        conditions = [
            _any_of("grid:code", [f"MGRS-{tile.removeprefix('T')}" for tile in request.mgrs_tiles]),
            _any_of("sat:relative_orbit", list(request.relative_orbits)),
            _any_of("platform", [f"sentinel-{name[1:].lower()}" for name in request.satellites]),
        ]
        told = [condition for condition in conditions if condition]
        if told:
            question["filter"] = {"op": "and", "args": told} if len(told) > 1 else told[0]
        if not request.mgrs_tiles:
            area = fitting_area(request.aoi, _few_corners)
            shape = area[0] if len(area) == 1 else MultiPolygon(area)
            question["intersects"] = shapely.geometry.mapping(shape)
        for piece in period.pieces(LONGEST_PERIOD):
            last = piece.end - timedelta(milliseconds=1)  # both ends of an interval belong to it
            yield from self._found(question | {"datetime": f"{_instant(piece.start)}/{_instant(last)}"})

    def listed(self, product_ids: Sequence[str]) -> Iterator[Sentinel2Scene | QueriedScene]:
        """Products by name, in batches."""
        for start in range(0, len(product_ids), IDS_AT_ONCE):
            ids = list(product_ids[start : start + IDS_AT_ONCE])
            yield from self._found({"ids": ids, "collections": sorted(set(_COLLECTIONS.values()))})

    def _found(self, question: dict[str, Any]) -> Iterator[Sentinel2Scene | QueriedScene]:
        try:
            search = self._opened().search(
                **question, limit=self._page_size, sortby=[{"field": "properties.datetime", "direction": "asc"}]
            )
            for page in search.pages_as_dicts():
                for item in page["features"]:
                    yield read_item(item, self._search_address)
        except (APIError, pystac.STACError, pystac.STACTypeError, ValueError, KeyError) as error:
            raise TransientError(
                f"{self._address}: expected the answer of a STAC catalogue, found something else "
                f"({type(error).__name__}: {error}). Run again later, or ask the other one (--catalogue cdse)."
            ) from error

    def _opened(self) -> Client:
        if self._client is None:
            self._client = Client.open(self._address, stac_io=_HttpIO(self._http, self._pace))
        return self._client


class _HttpIO(StacApiIO):
    """pystac-client's way to the service through ours: retries, pauses, proxies, and no page taken for an answer."""

    def __init__(self, http: Http, pace: Pace) -> None:
        super().__init__(max_retries=None)
        self._http = http
        self._pace = pace

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,  # noqa: ARG002 - no service asks for any
        parameters: dict[str, Any] | None = None,
    ) -> str:
        """The body of an answer, valid JSON of a STAC service."""
        posted = (method or "GET").upper() == "POST"
        needed = "features" if posted else "links"

        def ask() -> str:
            if posted:
                answer = self._http.post_json(href, parameters or {}, what=_WHAT)
            else:
                texts = {name: str(value) for name, value in (parameters or {}).items()}
                answer = self._http.get_json(href, what=_WHAT, params=texts)
            if not isinstance(answer, dict) or not isinstance(answer.get(needed), list):
                raise NotProductsError(
                    f"{href}: expected an answer with {needed}, found {str(answer)[:80]!r}. An outage or a proxy "
                    f"answered in the catalogue's place: run again later."
                )
            return json.dumps(answer)

        return retrying(self._pace).copy(retry=retry_if_exception_type(NotProductsError))(ask)

    def get_pages(
        self, url: str, method: str | None = None, parameters: dict[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Pages that hold something; an empty one with a successor does not end the answer."""
        page = self.read_json(url, method=method, parameters=parameters)
        asked: set[str] = set()
        while True:
            if page.get("features"):
                yield page
            link = next((link for link in page.get("links", []) if link["rel"] == "next"), None)
            if link is None:
                return
            place = json.dumps(link, sort_keys=True)
            if place in asked:
                raise TransientError(f"{url}: the pages of the answer run in a circle. Run again later.")
            asked.add(place)
            page = self.read_json(pystac.Link.from_dict(link), parameters=parameters)


def _few_corners(polygons: Sequence[Polygon]) -> bool:
    return sum(len(polygon.exterior.coords) for polygon in polygons) <= MOST_CORNERS


def _any_of(name: str, values: Sequence[object]) -> dict[str, Any] | None:
    """One of these values; written as alternatives, since the service promises basic CQL2 without `in`."""
    tests = [{"op": "=", "args": [{"property": name}, value]} for value in sorted(values, key=str)]
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else {"op": "or", "args": tests}


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
