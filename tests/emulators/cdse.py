"""The Copernicus Data Space on loopback: catalogue, downloads and tokens on origins of their own, with every fault.

    with Emulator(folder_of_zips) as emulator:
        requests.get(f"{emulator.addresses.search}/Products")

Alone: `python -m tests.emulators FOLDER` prints the addresses as JSON.
"""

import importlib
import json
import re
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from senard.model.access import Access, Addresses, CatalogueName, Pace, SourceName
from tests.emulators.downloads import ROOT as DATA_ROOT
from tests.emulators.downloads import Downloads
from tests.emulators.faults import Faults, Kind, RangeMode, Rule
from tests.emulators.http_server import Exchange, Origin
from tests.emulators.log import LoggedRequest
from tests.emulators.odata_server import ROOT as SEARCH_ROOT
from tests.emulators.odata_server import Catalogue
from tests.emulators.products import Products
from tests.emulators.refusals import REFUSALS, firewall, page
from tests.emulators.tokens import TOKEN_PATH, Account, Tokens

__all__ = ["Account", "Emulator", "Faults", "Kind", "LoggedRequest", "RangeMode", "Route"]

Handler = Callable[[Exchange], None]
"""Answers one request, by one of the methods of Exchange."""

QUICK = Pace(
    connections=2,
    connect_timeout_s=2.0,
    read_timeout_s=3.0,
    stall_bytes=1024,
    stall_window_s=1.0,
    linger_s=0.3,
    retries=6,
    backoff_s=0.02,
)
"""A pace for tests: what takes minutes out there takes tenths of a second here."""

_SERVICES = ("stac", "dhus", "google", "cogs", "s3")
"""Modules beside this one whose `mount(emulator)` adds a service and returns it."""

_LOOP = "loop"
"""Option of addresses that redirect to themselves."""

_PRODUCT_UUID = re.compile(r"Products\('?([0-9a-fA-F-]{36})")
_PRODUCT_NAME = re.compile(r"(S2[A-Z]_(?:MSIL|OPER_PRD_MSIL)[0-9A-Z_]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who answers what."""

    origin: str
    """Name of the origin: "catalogue"."""

    prefix: str
    """Start of the decoded path: "/odata/v1/"."""

    handler: Handler
    """Answers."""


class Emulator:
    """The services, from `start` to `stop`; as a context manager from entering to leaving."""

    def __init__(
        self,
        *archives: Path,
        services: Iterable[str] = (),
        ports: Mapping[str, int] | None = None,
    ) -> None:
        """Read the archives; nothing is served yet.

        Args:
            archives: folders of zips, at any depth. Nothing in them is changed.
            services: further services: "stac", "s3", "dhus", "google", "cogs".
            ports: name of an origin to the port it is served on; others get a free one.
        """
        self.products = Products()
        """What is served; change it at any time."""

        self.faults = Faults()
        """What goes wrong; change it at any time."""

        self.log: list[LoggedRequest] = []
        """Every request, in the order they came."""

        self.routes: list[Route] = []
        """Who answers what; the longest prefix wins."""

        self.mounted: dict[str, Any] = {}
        """Further services by name, with switches of their own: mounted["s3"].page_size = 2."""

        self.accounts = [Account(username="user@example.org", password="right-password")]
        """Who may log in; the first one is `account`."""

        self.tokens = Tokens(self.faults, self.accounts)
        self.downloads = Downloads(self.products, self.tokens, self.faults, lambda: self.origin("storage"))
        self.catalogue = Catalogue(self.products, self.faults, lambda: self.addresses.data)
        self._services = tuple(services)
        self._ports = dict(ports or {})
        self._origins: dict[str, Origin] = {}
        self._published: dict[str, str] = {}
        self._at_stop: list[Callable[[], None]] = []
        self._stopping = threading.Event()
        self._log_lock = threading.Lock()
        self._recent: dict[str, deque[float]] = {}
        self._own: tempfile.TemporaryDirectory[str] | None = None
        for archive in archives:
            self.products.add_archive(archive)

    def start(self) -> Self:
        """Serve."""
        self._stopping.clear()
        self.route("catalogue", "/", self.catalogue.handle)
        self.route("download", "/", self.downloads.handle)
        self.route("token", "/", self.tokens.handle)
        self.route("storage", "/", self.downloads.handle_storage)
        self.publish(
            search=self.origin("catalogue") + SEARCH_ROOT,
            data=self.origin("download") + DATA_ROOT,
            token=self.origin("token") + TOKEN_PATH,
        )
        for name in self._services:
            if name not in _SERVICES:
                raise ValueError(f"{name} is no service of the emulator: one of {', '.join(_SERVICES)}")
            self.mounted[name] = importlib.import_module(f"tests.emulators.{name}").mount(self)
        return self

    def stop(self) -> None:
        """Serve no more, end what is open, delete what was made."""
        self._stopping.set()
        for origin in self._origins.values():
            origin.close()
        self._origins.clear()
        for act in reversed(self._at_stop):
            act()
        self._at_stop.clear()
        self.routes.clear()
        self._published.clear()
        self.products.close()
        if self._own is not None:
            self._own.cleanup()
            self._own = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def route(self, origin: str, prefix: str, handler: Handler) -> str:
        """Let a handler answer all paths of an origin that begin so.

        Faults that are set on the service of this name are played before and while the handler answers.

        Returns:
            Address of the origin, made if there was none of this name: "http://127.0.0.1:41234".
        """
        self.routes.append(Route(origin=origin, prefix=prefix, handler=handler))
        self.routes.sort(key=lambda route: -len(route.prefix))
        return self.origin(origin)

    def origin(self, name: str) -> str:
        """Address of an origin: "http://127.0.0.1:41234"."""
        if name not in self._origins:
            self._origins[name] = Origin(name, self._answer, self.faults, self._stopping, self._ports.get(name, 0))
        return self._origins[name].base

    def publish(self, **addresses: str) -> None:
        """Tell where services are: names as the fields of `Addresses`."""
        self._published.update(addresses)

    def at_stop(self, act: Callable[[], None]) -> None:
        """Do something when the emulator stops; the last one told is done first."""
        self._at_stop.append(act)

    @property
    def addresses(self) -> Addresses:
        """Where everything is. Services that are not served have an address that refuses connections."""
        nowhere = "http://127.0.0.1:9"
        none = dict.fromkeys(("stac", "s3", "google", "dhus", "earth_search", "planetary_computer"), nowhere)
        return Addresses(**{**none, **self._published})

    @property
    def account(self) -> tuple[str, str]:
        """Username and password of the first account."""
        return self.accounts[0].username, self.accounts[0].password

    @property
    def credentials(self) -> Path:
        """A JSON file (0600) with the first account, as `--credentials` takes it."""
        if self._own is None:
            self._own = tempfile.TemporaryDirectory(prefix="emulator-")
        path = Path(self._own.name, "credentials.json")
        username, password = self.account
        path.touch(mode=0o600)
        path.write_text(json.dumps({"username": username, "password": password}))
        return path

    def access(self, download_dir: Path, **changes: Any) -> Access:
        """How to find and fetch here: OData, the download service, a quick pace, the first account.

        Args:
            download_dir: where fetched products lie.
            changes: other values of fields of Access.
        """
        access = Access(
            catalogue=CatalogueName.CDSE,
            sources=(SourceName.CDSE,),
            download_dir=download_dir.absolute(),
            credentials=self.credentials,
            addresses=self.addresses,
            pace=QUICK,
        )
        return replace(access, **changes)

    @property
    def most_open(self) -> int:
        """Most downloads that one account ever had, or wanted, open at once; lingering ones not counted."""
        return self.downloads.slots.most_open

    @property
    def most_counted(self) -> int:
        """As `most_open`, lingering ones counted: what the limit is held against."""
        return self.downloads.slots.most_counted

    def asked(self, service: str, part: str = "") -> list[LoggedRequest]:
        """Requests to a service whose path holds a part: asked("download", "$value")."""
        return [one for one in tuple(self.log) if one.service == service and part in one.path]

    def bytes_sent(self, service: str = "download") -> int:
        """Bytes of bodies that left."""
        return sum(one.bytes_sent for one in self.asked(service))

    def settle(self, timeout_s: float = 10.0) -> None:
        """Wait until no request is being answered, so that the log is complete.

        Raises:
            TimeoutError: one still is.
        """
        until = time.monotonic() + timeout_s
        while any(one.ended is None for one in tuple(self.log)):
            if time.monotonic() > until:
                raise TimeoutError("a request is still being answered")
            time.sleep(0.005)

    def _answer(self, exchange: Exchange) -> None:
        logged = exchange.logged
        logged.product = self._product(logged)
        with self._log_lock:
            self.log.append(logged)
        if self.faults.delay_s:
            self._stopping.wait(self.faults.delay_s)
        if len(logged.url) - len(exchange.base) > self.faults.longest_url:
            exchange.refuse(page(414, "414 Request-URI Too Large"))
            return
        exchange.fault = self._fault(logged)
        logged.fault = exchange.kind.value if exchange.kind is not None else ""
        if self._firewalled(logged.service):
            exchange.refuse(firewall())
        elif not self._failed(exchange):
            self._handler(logged)(exchange)

    def _fault(self, logged: LoggedRequest) -> Rule | None:
        if _LOOP in logged.options:  # once in, never out
            return Rule(kind=Kind.REDIRECT_LOOP, on=frozenset(), products=frozenset(), left=0)
        return self.faults.pick(
            logged.names, logged.product, ranged="range" in logged.headers, head=logged.method == "HEAD"
        )

    def _failed(self, exchange: Exchange) -> bool:
        """Play failures that need no handler."""
        kind = exchange.kind
        if kind is None or kind is Kind.RANGE_REFUSED:
            return False
        if kind is Kind.SILENT:
            exchange.hold()
        elif kind is Kind.HANG_UP:
            exchange.hang_up()
        elif kind is Kind.REDIRECT_LOOP:
            url = exchange.logged.url
            exchange.redirect(url if _LOOP in exchange.options else f"{url}{'&' if '?' in url else '?'}{_LOOP}=1")
        elif kind in REFUSALS:
            exchange.refuse(REFUSALS[kind])
        else:
            return False
        return True

    def _firewalled(self, service: str) -> bool:
        if not self.faults.firewall_per_minute:
            return False
        now = time.monotonic()
        with self._log_lock:
            recent = self._recent.setdefault(service, deque())
            while recent and recent[0] <= now - self.faults.firewall_window_s:
                recent.popleft()
            recent.append(now)
            return len(recent) > self.faults.firewall_per_minute

    def _handler(self, logged: LoggedRequest) -> Handler:
        for route in self.routes:
            if route.origin == logged.service and logged.path.startswith(route.prefix):
                return route.handler
        return lambda exchange: exchange.json({"detail": "Not Found"}, 404)

    def _product(self, logged: LoggedRequest) -> str:
        found = _PRODUCT_UUID.search(logged.path)
        entry = self.products.by_id(found[1]) if found else None
        if entry is not None:
            return entry.product_id
        named = _PRODUCT_NAME.search(logged.path)
        return named[1] if named else ""
