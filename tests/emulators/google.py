"""Google's public bucket: unpacked SAFEs by MGRS square, listed by JSON, open to everybody unless it is closed."""

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.emulators.answers import Answer, answering, json_answer, member_answer, option, xml_error
from tests.emulators.cql2 import Json
from tests.emulators.google_login import GoogleLogin
from tests.emulators.log import LoggedRequest
from tests.emulators.offer import Shop, shop_of
from tests.emulators.stock import Stocked, member_bytes

if TYPE_CHECKING:
    from tests.emulators.cdse import Emulator

BUCKET = "gcp-public-data-sentinel-2"

_EMPTY = ("AUX_DATA/", "HTML/", "rep_info/")
"""Folders of the SAFE that the bucket leaves out where they hold nothing."""


class Google:
    """Objects below /gcp-public-data-sentinel-2, lists below /storage/v1/b/gcp-public-data-sentinel-2/o."""

    name = "google"

    def __init__(self, shop: Shop, login: GoogleLogin) -> None:
        self.shop = shop
        self.login = login
        """Accounts, tokens, and whether the bucket is closed to those without."""
        self.page_size = 1000
        """Entries of one page of a list."""
        self.missing: set[str] = set()
        """Names of objects, or parts of names, that are not there."""

    def answer(self, request: LoggedRequest, _origin: str) -> Answer:
        """What the bucket says to one request."""
        refused = self.login.refusal(request)
        if refused is not None:
            return refused
        if request.path == f"/storage/v1/b/{BUCKET}/o":
            return self._list(request)
        for start in (f"/storage/v1/b/{BUCKET}/o/", f"/download/storage/v1/b/{BUCKET}/o/", f"/{BUCKET}/"):
            if request.path.startswith(start):
                return self._object(unquote(request.path.removeprefix(start)), request)
        return xml_error("NoSuchBucket", "The specified bucket does not exist.", status=404)

    def _objects(self) -> dict[str, tuple[Stocked, str]]:
        """Name of each object to the product and the place in it; the place of a marker ends with a slash."""
        found = {}
        for offer in self.shop.stock:
            stocked = offer.stocked
            root = root_of(stocked)
            found[f"{root[:-1]}_$folder$"] = (stocked, "/")
            for folder in _held_folders(stocked):
                found[f"{root}{folder[:-1]}_$folder$"] = (stocked, "/")
            for place in stocked.members:
                found[f"{root}{place}"] = (stocked, place)
        return {name: what for name, what in found.items() if not any(part in name for part in self.missing)}

    def _list(self, request: LoggedRequest) -> Answer:
        prefix, delimiter = option(request, "prefix"), option(request, "delimiter")
        objects = self._objects()
        entries = list(_entries(sorted(objects), prefix, delimiter))
        size = min(self.page_size, int(option(request, "maxResults", "1000")))
        start = 0
        if token := option(request, "pageToken"):
            last = base64.urlsafe_b64decode(token).decode()
            start = next((place for place, (name, _) in enumerate(entries) if name > last), len(entries))
        shown = entries[start : start + size]
        told: Json = {"kind": "storage#objects"}
        if start + size < len(entries):
            told["nextPageToken"] = base64.urlsafe_b64encode(shown[-1][0].encode()).decode()
        prefixes = [name for name, folder in shown if folder]
        items = [_item(name, *objects[name]) for name, folder in shown if not folder]
        # Empty lists are left out.
        return json_answer(told | ({"prefixes": prefixes} if prefixes else {}) | ({"items": items} if items else {}))

    def _object(self, name: str, request: LoggedRequest) -> Answer:
        found = self._objects().get(name)
        if found is None:
            if request.path.startswith(f"/{BUCKET}/"):
                return xml_error("NoSuchKey", "The specified key does not exist.", status=404)
            return json_answer({"error": {"code": 404, "message": f"No such object: {BUCKET}/{name}"}}, status=404)
        stocked, place = found
        if "/o/" in request.path and option(request, "alt") != "media":
            return json_answer(_item(name, stocked, place))
        if place == "/":
            return Answer(kind="application/octet-stream", file=True)
        told = {"x-goog-hash": f"md5={_md5(stocked.path, stocked.safe, place)}", "Server": "UploadServer"}
        return member_answer(stocked.path, f"{stocked.safe}/{place}", kind="application/octet-stream", headers=told)


def root_of(stocked: Stocked) -> str:
    """Name that all objects of a product begin with: "L2/tiles/35/V/LG/NAME.SAFE/"; L1C without "L2/"."""
    tile = stocked.tile
    level = "L2/" if stocked.level == "L2A" else ""
    return f"{level}tiles/{tile[:2]}/{tile[2]}/{tile[3:]}/{stocked.safe}/"


def _held_folders(stocked: Stocked) -> Iterable[str]:
    """Folders of which the bucket has a marker: those that hold something, HTML never."""
    parents = {f"{parent}/" for place in stocked.members for parent in map(str, Path(place).parents) if parent != "."}
    return sorted(parents - set(_EMPTY))


def _entries(names: list[str], prefix: str, delimiter: str) -> Iterable[tuple[str, bool]]:
    """Name of each entry of a list, and whether it is a folder, in the order of the names."""
    last = ""
    for name in names:
        if not name.startswith(prefix):
            continue
        end = name.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield name, False
        elif name[: end + 1] != last:
            last = name[: end + 1]
            yield last, True


def _item(name: str, stocked: Stocked, place: str) -> Json:
    marker = place == "/"
    told: Json = {
        "kind": "storage#object",
        "id": f"{BUCKET}/{name}/1530000000000000",
        "name": name,
        "bucket": BUCKET,
        "generation": "1530000000000000",
        "contentType": "application/octet-stream",
        "size": "0" if marker else str(stocked.members[place]),
        "md5Hash": base64.b64encode(hashlib.md5(b"").digest()).decode()
        if marker
        else _md5(stocked.path, stocked.safe, place),
        "crc32c": "AAAAAA==",
        "updated": "2024-01-01T00:00:00.000Z",
    }
    return told


@lru_cache(maxsize=4096)
def _md5(path: Path, safe: str, place: str) -> str:
    return base64.b64encode(hashlib.md5(member_bytes(path, f"{safe}/{place}")).digest()).decode()


def mount(emulator: "Emulator") -> Google:
    """Add the service to an emulator."""
    login = GoogleLogin(lambda: emulator.origin("google-token"))
    emulator.route("google-token", "/", answering(login.answer))
    service = Google(shop_of(emulator), login)
    emulator.publish(google=emulator.route(service.name, "/", answering(service.answer)))
    return service
