"""Single files of a product by its nodes: Products(UUID)/Nodes(NAME.SAFE)/Nodes(GRANULE)/…"""

import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from senard.errors import TransientError
from senard.io.connections import Connections
from senard.io.http import FinalRefusal, Http
from senard.io.incoming import Content
from senard.io.openers import open_url
from senard.io.refusals import Reaction
from senard.io.retries import pause_s
from senard.io.safe_members import MAX_MEMBERS
from senard.io.sources import Told
from senard.io.tokens import Tokens
from senard.io.transfer import GoneError, RemoteFile, fetch_file
from senard.model.access import Pace, SourceName
from senard.model.product import Part

_TOP = ("", "GRANULE")
"""Folders above a granule."""

_WITHIN = {
    Part.PREVIEW: ("QI_DATA",),
    Part.CLASSES: ("IMG_DATA", "IMG_DATA/R60m"),
    Part.JUDGE: ("IMG_DATA", "IMG_DATA/R20m", "IMG_DATA/R60m", "QI_DATA"),
    Part.DETECT: ("IMG_DATA", "QI_DATA"),
    Part.BANDS: ("IMG_DATA", "IMG_DATA/R10m", "IMG_DATA/R20m"),
}
"""Folders of a granule that a part reads: each listing is a request."""


class _NoListError(TransientError):
    """Valid JSON, but no list of files."""


class NodeStore:
    """Has the files of one product."""

    source = SourceName.CDSE.value

    def __init__(
        self,
        address: str,
        uuid: str,
        product_id: str,
        part: Part,
        *,
        http: Http,
        tokens: Tokens,
        connections: Connections,
        pace: Pace,
    ) -> None:
        """Nothing is asked yet.

        Args:
            address: base address of the download service.
            uuid: id of the product.
            product_id: its name without suffix.
            part: which files are of interest when folders are listed.
            http: asks.
            tokens: whose token is shown.
            connections: whose connections are used.
            pace: how hard the service is asked.
        """
        self._root = f"{address}/Products({uuid})/{_node(product_id + '.SAFE')}"
        self._product_id = product_id
        self._part = part
        self._http = http
        self._tokens = tokens
        self._connections = connections
        self._pace = pace

    def places(self) -> Mapping[str, int]:
        """Files in the folders that the part reads, of all folders for Part.ALL; sizes as the service states them."""
        found: dict[str, int] = {}
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for name, size, children in self._list(folder):
                place = f"{folder}/{name}".lstrip("/")
                if children:
                    waiting += [place] if self._is_of_interest(place) else []
                elif size or PurePosixPath(name).suffix:  # neither: an empty folder
                    found[place] = size
            if len(found) > MAX_MEMBERS:
                break
        return found

    def bring(self, place: str, target: Path, size_bytes: int, told: Told) -> None:
        """One file; each is a download of its own."""
        what = f"{self._product_id}: {PurePosixPath(place).name}"
        file = RemoteFile(
            what=what,
            open=open_url(
                self._http,
                f"{self._address(place)}/$value",
                what,
                tokens=self._tokens,
                connections=self._connections,
            ),
            least_bytes=size_bytes,
            content=Content.of(place),
        )
        fetch_file(file, target, self._pace, told=told)

    def _address(self, place: str) -> str:
        """Names stand unquoted, as the service wants them; an empty one would be a malformed path."""
        return "/".join([self._root, *(_node(name) for name in place.split("/") if name)])

    def _list(self, folder: str) -> list[tuple[str, int, int]]:
        """Name, size and number of children of what lies in a folder.

        Nobody has to log in for it; should the service want a token all the same, it gets one.
        """
        url = f"{self._address(folder)}/Nodes"
        token: str | None = None
        for attempt in range(1, self._pace.retries + 1):
            try:
                return self._asked(url, token)
            except FinalRefusal as refusal:
                if refusal.status == 404:
                    raise GoneError(str(refusal)) from refusal
                if refusal.reaction is not Reaction.NEW_TOKEN or attempt == self._pace.retries:
                    raise
                if token is not None:
                    self._tokens.reject(token)
                token = self._tokens.token()
            except _NoListError as error:
                if attempt == self._pace.retries:
                    raise
                time.sleep(pause_s(attempt, self._pace, error))
        raise AssertionError("every attempt returns or raises")

    def _asked(self, url: str, token: str | None) -> list[tuple[str, int, int]]:
        answer = self._http.get_json(url, what=f"{self._product_id}: the list of its files", token=token)
        try:
            return [
                (str(node["Name"]), int(node.get("ContentLength") or 0), int(node.get("ChildrenNumber") or 0))
                for node in answer["result"]
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _NoListError(
                f"{self._product_id}: expected a list of files from {url}, found {str(answer)[:80]!r}. Run again later."
            ) from error

    def _is_of_interest(self, folder: str) -> bool:
        if self._part is Part.ALL or folder in _TOP:
            return True
        parts = folder.split("/")
        if parts[0] != "GRANULE":
            return False
        return len(parts) == 2 or "/".join(parts[2:]) in _WITHIN[self._part]


def _node(name: str) -> str:
    return f"Nodes({quote(name, safe='')})"
