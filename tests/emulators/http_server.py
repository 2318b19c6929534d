"""A real HTTP/1.1 server on loopback that can also fail as real ones do: cut, reset, stall, trickle."""

import contextlib
import json
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from tests.emulators.bodies import Body, open_piece, send_some
from tests.emulators.faults import Faults, Kind, RangeMode, Rule
from tests.emulators.log import LoggedRequest
from tests.emulators.ranges import asked_range, content_range, wrong_range
from tests.emulators.refusals import JSON_TYPE, REFUSALS, Refusal

_UNSTATED = frozenset({Kind.UNSTATED, Kind.CUT_UNSTATED})
_EARLY = frozenset({Kind.CUT, Kind.CUT_UNSTATED, Kind.RESET, Kind.STALL})
_MODES = {
    Kind.RANGE_IGNORED: RangeMode.IGNORED,
    Kind.RANGE_REFUSED: RangeMode.REFUSED,
    Kind.RANGE_WRONG: RangeMode.WRONG,
}
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Slot(Protocol):
    """The place of one download among those that an account may have open."""

    def release(self) -> None:
        """It was delivered."""

    def abort(self) -> None:
        """It was broken off, by whomever."""


class Exchange:
    """One request and the means to answer it."""

    def __init__(
        self, logged: LoggedRequest, connection: socket.socket, faults: Faults, stopping: threading.Event
    ) -> None:
        self.logged = logged
        self.connection = connection
        self.faults = faults
        self.stopping = stopping
        self.fault: Rule | None = None
        self.close_after = False
        self.reset_after = False
        self._is_file = False

    @property
    def kind(self) -> Kind | None:
        """The failure that this request is in for."""
        return None if self.fault is None else self.fault.kind

    @property
    def base(self) -> str:
        """Address of the origin that was asked: "http://127.0.0.1:41234"."""
        parts = urlsplit(self.logged.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the request, names in lower case."""
        return self.logged.headers

    @property
    def options(self) -> dict[str, list[str]]:
        """The query, decoded."""
        return parse_qs(self.logged.query, keep_blank_values=True)

    def option(self, name: str, default: str = "") -> str:
        """One option of the query, or the default."""
        return self.options.get(name, [default])[0]

    def refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal."""
        headers = dict(refusal.headers)
        wait = self.fault.retry_after_s if self.fault is not None else None
        if wait is None and self.kind is Kind.ERROR_503:
            wait = 1
        if wait is not None and refusal.status in (429, 503):
            headers["Retry-After"] = str(wait)
        self.reply(refusal.status, refusal.body, content_type=refusal.content_type, headers=headers)

    def json(self, value: Any, status: int = 200) -> None:
        """Answer with JSON."""
        self.reply(status, json.dumps(value).encode())

    def redirect(self, location: str, status: int = 301) -> None:
        """Send the client elsewhere."""
        self.reply(status, content_type="", headers={"Location": location})

    def reply(
        self,
        status: int,
        body: bytes | Body = b"",
        *,
        content_type: str = JSON_TYPE,
        headers: Mapping[str, str] | None = None,
        slot: Slot | None = None,
    ) -> None:
        """Answer with a body, and fail on the way where this request is in for it."""
        whole = body if isinstance(body, Body) else Body.of_bytes(body)
        if self.kind is Kind.SPOILT and status in (200, 206):
            whole = whole.spoilt()
        lines = dict(headers or {})
        if content_type:
            lines["Content-Type"] = content_type
        if self.kind in _UNSTATED:
            self.close_after = True
            lines["Connection"] = "close"
        else:
            lines["Content-Length"] = str(whole.length)
        delivered = False
        try:
            delivered = self._send(status, lines, whole, slot)
        except ConnectionError:
            self.close_after = True
        finally:
            if slot is not None and not delivered:
                slot.abort()

    def serve(
        self,
        body: Body,
        *,
        content_type: str = "application/octet-stream",
        headers: Mapping[str, str] | None = None,
        slot: Slot | None = None,
    ) -> None:
        """Answer with a file, or with the range that was asked for, as far as ranges are worth anything."""
        self._is_file = True
        if self.kind is Kind.EXTRA_BYTES:
            body = body.followed_by(b"\0" * self.faults.extra_bytes)
        mode = _MODES.get(self.kind, self.faults.range_mode) if self.kind is not None else self.faults.range_mode
        asked = asked_range(self.headers.get("range", ""), body.length)
        lines = {"Accept-Ranges": "bytes", **(headers or {})}
        if asked is None or mode is RangeMode.IGNORED:
            self.reply(200, body, content_type=content_type, headers=headers, slot=slot)
            return
        if mode is RangeMode.REFUSED:
            self._release(slot)
            self.refuse(REFUSALS[Kind.RANGE_REFUSED])
            return
        if asked.start >= body.length or self.kind is Kind.RANGE_UNSATISFIABLE:
            self._release(slot)
            self.reply(416, content_type="", headers={**lines, "Content-Range": f"bytes */{body.length}"})
            return
        sent = wrong_range(asked, body.length) if mode is RangeMode.WRONG else asked
        lines["Content-Range"] = content_range(sent, body.length)
        self.reply(206, body.cut(sent.start, sent.stop), content_type=content_type, headers=lines, slot=slot)

    def hold(self) -> None:
        """Stay silent until the client has gone or the emulator stops."""
        self.close_after = True
        poll = select.poll()
        poll.register(self.connection, _GONE)
        while not self.stopping.is_set() and not poll.poll(50):
            pass

    def hang_up(self) -> None:
        """Close without an answer."""
        self.close_after = True

    def _send(self, status: int, lines: Mapping[str, str], body: Body, slot: Slot | None) -> bool:
        """Head and body.

        Returns:
            Whether all of it left.
        """
        self.logged.status = status
        head = [f"HTTP/1.1 {status} {_reason(status)}", "Server: emulator", *(f"{k}: {v}" for k, v in lines.items())]
        data = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
        if self.logged.method == "HEAD" or not body.length:
            self._release(slot)
            self.connection.sendall(data)
            return True
        self.connection.sendall(data, socket.MSG_MORE)
        stop = self._stop(body.length)
        self._pump(body, stop, slot if stop == body.length else None)
        if self.kind is Kind.STALL:
            self.hold()
        if self.kind in _EARLY:
            self.close_after = True
            self.reset_after = self.kind is Kind.RESET
            return False
        return True

    def _stop(self, length: int) -> int:
        """How many bytes of the body leave."""
        if self.fault is None or self.fault.kind not in _EARLY:
            return length
        after = self.fault.after
        return min(length - 1, int(after * length) if after < 1 else int(after))

    def _pump(self, body: Body, stop: int, slot: Slot | None) -> None:
        """Send the first bytes. The slot is given back before the last one: a client that has all may come again."""
        rate = self.faults.slow_bytes_s if self.kind is Kind.SLOW else self.faults.bytes_s * self._is_file
        began, sent = time.monotonic(), 0
        for piece in body.cut(0, stop).pieces:
            with open_piece(piece) as file:
                offset = 0
                while offset < piece.length:
                    left = stop - sent
                    if slot is not None and left == 1:
                        slot.release()
                    most = left - 1 if slot is not None and left > 1 else left
                    if rate:
                        most = min(most, max(1, rate // 50))
                        if self.stopping.wait(max(0.0, began + sent / rate - time.monotonic())):
                            raise ConnectionAbortedError("the emulator stops")
                    step = send_some(self.connection, piece, file, offset, most)
                    offset, sent = offset + step, sent + step
                    self.logged.bytes_sent = sent

    @staticmethod
    def _release(slot: Slot | None) -> None:
        if slot is not None:
            slot.release()


class Origin:
    """One port on loopback, and so one origin: clients drop their token on the way to another one."""

    def __init__(
        self,
        name: str,
        answer: Callable[[Exchange], None],
        faults: Faults,
        stopping: threading.Event,
        port: int = 0,
    ) -> None:
        self.name = name
        self._open: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", port), _handler(self, answer, faults, stopping), self._open, faults)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more, and end the connections that are open."""
        self._server.closed = True
        with contextlib.suppress(OSError):
            self._server.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a client
        self._thread.join()
        self._server.server_close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        connections: set[socket.socket],
        faults: Faults,
    ) -> None:
        self.connections = connections
        self.faults = faults
        self.closed = False
        super().__init__(address, handler)

    def serve(self) -> None:
        """Until it is closed; the base class's own loop would look for that only every so often."""
        while not self.closed:
            self._handle_request_noblock()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.faults.send_buffer_bytes)
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """As the base class; a connection that is to be reset must not say goodbye first."""
        self.connections.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == _RESET:
            request.close()
            return
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no news; anything else is a fault of the emulator itself and is shown."""
        if not self.closed and not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing resets."""


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _handler(
    origin: Origin, answer: Callable[[Exchange], None], faults: Faults, stopping: threading.Event
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            logged = LoggedRequest(
                service=origin.name,
                method=self.command,
                url=origin.base + self.path,
                path=unquote(parts.path),
                query=parts.query,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
                source_port=self.client_address[1],
            )
            exchange = Exchange(logged, self.connection, faults, stopping)
            try:
                answer(exchange)
            finally:
                logged.ended = time.monotonic()
                self.close_connection = self.close_connection or exchange.close_after
                if exchange.reset_after:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

        do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = _serve  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing on the terminal."""

    return Handler
