"""The download service: whole products and single files of them, to those who have a token and a free slot."""

import contextlib
import re
import select
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlencode

from tests.emulators.bodies import Body
from tests.emulators.entries import Entry
from tests.emulators.faults import Faults, Kind
from tests.emulators.http_server import Exchange
from tests.emulators.nodes import Nodes
from tests.emulators.products import Products
from tests.emulators.refusals import REFUSALS, Refusal, too_many, zipper_refusal
from tests.emulators.tokens import Account, Tokens

ROOT = "/odata/v1"
_PRODUCT = re.compile(rf"{ROOT}/Products\(([^)]*)\)(/.*)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Slots:
    """Counts the downloads that accounts have open, and those that linger after they were broken off."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.most_open = 0
        """Most downloads that one account ever wanted at once, the refused one counted too; lingering ones not."""

        self.most_counted = 0
        """As `most_open`, with the lingering ones."""

        self.most_lingering = 0
        """Most that lingered while another download was asked for."""

        self.refused = 0
        """Downloads that found no slot."""

        self._open: dict[str, list[OpenDownload]] = {}
        self._lingering: dict[str, list[float]] = {}
        self._lock = threading.RLock()

    def take(self, account: str, connection: socket.socket) -> "OpenDownload | None":
        """A slot; None where the account has as many as it may."""
        with self._lock:
            for download in tuple(self._open.get(account, ())):
                if _has_gone(download.connection):
                    download.abort()
            now = time.monotonic()
            self._lingering[account] = [until for until in self._lingering.get(account, []) if until > now]
            mine = self._open.setdefault(account, [])
            counted = len(mine) + len(self._lingering[account]) + 1
            self.most_open = max(self.most_open, len(mine) + 1)
            self.most_counted = max(self.most_counted, counted)
            self.most_lingering = max(self.most_lingering, len(self._lingering[account]))
            if counted > self.faults.connection_limit:
                self.refused += 1
                return None
            download = OpenDownload(self, account, connection)
            mine.append(download)
            return download

    def forget_lingering(self) -> None:
        """What was broken off counts no more, as if its time had passed."""
        with self._lock:
            self._lingering.clear()

    def open_now(self, account: str) -> int:
        """Downloads that are open, lingering ones not counted."""
        with self._lock:
            return len(self._open.get(account, []))

    def end(self, download: "OpenDownload", *, delivered: bool) -> None:
        """Give a slot back, at once or after it has lingered."""
        with self._lock:
            mine = self._open.get(download.account, [])
            if download not in mine:
                return
            mine.remove(download)
            if not delivered and self.faults.linger_s:
                self._lingering.setdefault(download.account, []).append(time.monotonic() + self.faults.linger_s)


class OpenDownload:
    """One download that goes on."""

    def __init__(self, slots: Slots, account: str, connection: socket.socket) -> None:
        self.slots = slots
        self.account = account
        self.connection = connection

    def release(self) -> None:
        """It was delivered."""
        self.slots.end(self, delivered=True)

    def abort(self) -> None:
        """It was broken off."""
        self.slots.end(self, delivered=False)


def _has_gone(connection: socket.socket) -> bool:
    poll = select.poll()
    with contextlib.suppress(OSError, ValueError):
        poll.register(connection, _GONE)
        return bool(poll.poll(0))
    return True


class Downloads:
    """Answers on the download origin."""

    def __init__(self, products: Products, tokens: Tokens, faults: Faults, storage: Callable[[], str]) -> None:
        self.products = products
        self.tokens = tokens
        self.faults = faults
        self.slots = Slots(faults)
        self.storage = storage
        self.nodes = Nodes()

    def handle(self, exchange: Exchange) -> None:
        """Products(UUID)/$value and …/Nodes(…)."""
        found = _PRODUCT.fullmatch(exchange.logged.path)
        if found is None:
            exchange.refuse(REFUSALS[Kind.MALFORMED_PATH])
            return
        uuid, rest = found[1], found[2] or ""
        if _UUID.fullmatch(uuid) is None:
            exchange.refuse(REFUSALS[Kind.MALFORMED_UUID])
            return
        entry = self.products.by_id(uuid)
        if rest.endswith("/$value"):
            self._bytes(exchange, entry, rest)
        elif entry is None or entry.deletion is not None or entry.path is None:
            exchange.refuse(REFUSALS[Kind.NOT_FOUND])
        elif rest.endswith("OData.CSC.Order"):
            exchange.refuse(Refusal(status=403, body=b'{"detail":"Ordering is not allowed for this user"}'))
        else:
            self.nodes.list(exchange, entry, rest)

    def handle_storage(self, exchange: Exchange) -> None:
        """What signed addresses lead to. A token that turns up here was sent to a stranger: the log shows it."""
        entry = self.products.by_id(exchange.option("id"))
        if entry is None or entry.path is None or exchange.option("sig") != _signature(entry):
            exchange.refuse(Refusal(status=403, body=b"<Error><Code>AccessDenied</Code></Error>"))
            return
        place = exchange.option("place")
        body = Body.of_member(entry.path, place) if place else Body.of_file(entry.path)
        exchange.serve(body, content_type="application/octet-stream" if place else "application/zip")

    def _bytes(self, exchange: Exchange, entry: Entry | None, rest: str) -> None:
        account = self._account(exchange)
        if account is None:
            return
        if entry is None or entry.deletion is not None or entry.path is None:
            exchange.refuse(REFUSALS[Kind.NOT_FOUND])
            return
        if not entry.online:
            exchange.refuse(Refusal(status=404, body=b'{"detail":"Product is offline"}'))
            return
        body = Body.of_file(entry.path) if rest == "/$value" else self.nodes.body(exchange, entry, rest)
        if body is None:
            return
        if self.faults.redirect_downloads or exchange.kind is Kind.TO_STORAGE:
            signed = {"id": entry.id, "place": exchange.logged.whole_node, "sig": _signature(entry)}
            exchange.redirect(f"{self.storage()}/{entry.name}?{urlencode(signed)}", 302)
            return
        self._send(exchange, account, entry, body, whole=rest == "/$value")

    def _send(self, exchange: Exchange, account: Account, entry: Entry, body: Body, *, whole: bool) -> None:
        headers = {"Content-Disposition": _disposition(entry)} if whole else {}
        if exchange.logged.method == "HEAD":
            exchange.serve(body, headers=headers)
            return
        slot = self.slots.take(account.username, exchange.connection)
        if slot is None:
            exchange.refuse(too_many(self.faults.connection_limit, self.slots.refused))
            return
        exchange.logged.open_downloads = self.slots.open_now(account.username)
        exchange.serve(body, headers=headers, slot=slot)

    def _account(self, exchange: Exchange) -> Account | None:
        """Who asks; None where it was refused already."""
        header = exchange.headers.get("authorization", "")
        token = header.removeprefix("Bearer ") if header.startswith("Bearer ") else exchange.option("token")
        issued = self.tokens.issued.get(token)
        account = self.tokens.account_of(token)
        if not token:
            exchange.refuse(REFUSALS[Kind.TOKEN_NOT_FOUND])
        elif issued is not None and not issued.downloads:
            exchange.refuse(REFUSALS[Kind.TOKEN_AUDIENCE])
        elif issued is None:
            exchange.refuse(zipper_refusal(401, "DAT-ZIP-109", "The token is not valid"))
        elif account is None:
            exchange.refuse(REFUSALS[Kind.TOKEN_EXPIRED])
        elif not account.licence:
            exchange.refuse(REFUSALS[Kind.LICENCE])
            return None
        return account


def _signature(entry: Entry) -> str:
    return entry.id.replace("-", "")[::-1]


def _disposition(entry: Entry) -> str:
    """Two spellings are seen: a client must not rely on either."""
    if int(entry.id[-1], 16) % 2:
        return f'attachment; filename="{entry.name}.zip"'
    return f"attachment; filename={entry.product_id}.zip"
