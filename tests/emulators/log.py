"""What clients asked of the emulator: one entry per request, filled while the answer goes out."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass(slots=True, kw_only=True)
class LoggedRequest:
    """One request. Not frozen: `status`, `bytes_sent` and `ended` are filled while it is answered."""

    service: str
    """Whom it was meant for: "catalogue", "download", "token", "storage", or a service mounted beside them."""

    method: str
    """"GET"."""

    url: str
    """Whole address: "http://127.0.0.1:41234/odata/v1/Products?$top=1"."""

    path: str
    """Decoded path without the query: "/odata/v1/Products"."""

    query: str = ""
    """The query as it was sent, still encoded: "%24top=1"."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case: {"authorization": "Bearer eyJ…"}."""

    body: bytes = b""
    """What a POST brought; empty where nothing."""

    source_port: int = 0
    """Port of the client: one per connection."""

    product: str = ""
    """Name of the product that the address names, without .SAFE; empty where none."""

    fault: str = ""
    """Which failure was played: "cut"; empty where the answer is an honest one."""

    open_downloads: int = 0
    """Downloads of the account that were open while this one began, itself counted; 0 for what is no download."""

    status: int = 0
    """HTTP status; 0 where the connection ended without an answer."""

    bytes_sent: int = 0
    """Bytes of the body that left."""

    started: float = field(default_factory=time.monotonic)
    """time.monotonic() when the head had been read, s."""

    ended: float | None = None
    """time.monotonic() after the last byte, s; None while it runs."""

    @property
    def names(self) -> frozenset[str]:
        """What a failure may be set on to hit this request: its service, and what is asked of it.

        Of "download": "zips" (whole products), "files" (single ones of them), "lists"; of "token": the grant,
        "password" or "refresh_token".
        """
        if self.service == "token":
            return frozenset({"token", self.form.get("grant_type", "")})
        if self.service != "download":
            return frozenset({self.service})
        inside = "files" if "/Nodes(" in self.path else "zips"
        return frozenset({"download", inside if self.path.endswith("/$value") else "lists"})

    @property
    def options(self) -> dict[str, list[str]]:
        """The query, decoded: {"$top": ["1"]}."""
        return parse_qs(self.query, keep_blank_values=True)

    @property
    def form(self) -> dict[str, str]:
        """Form fields of a POST, decoded: {"grant_type": "password"}."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode("utf-8", "replace")).items()}

    @property
    def json(self) -> Any:
        """What a POST brought, as JSON."""
        return json.loads(self.body)

    @property
    def node(self) -> str:
        """Place inside the SAFE that the address names through Nodes: "GRANULE/…/B04.jp2"; empty where none."""
        return self.whole_node.partition("/")[2]

    @property
    def whole_node(self) -> str:
        """As `node`, with the SAFE's own folder before it: "NAME.SAFE/GRANULE/…/B04.jp2"."""
        return "/".join(part[6:-1] for part in self.path.split("/") if part.startswith("Nodes("))
