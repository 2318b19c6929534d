"""What a service answered: status, headers, its own words where it refuses, and the body as it arrives."""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from urllib.request import getproxies

import requests
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
)

from senard.errors import RequestError, SenardError, TransientError
from senard.io.refusals import CODES, FinalRefusal, PassingRefusal, Reaction, Refusal, explain
from senard.io.secret import MASK

_MESSAGE_BYTES = 64 * 1024
"""So much of a refusal is read, bytes."""

_WORDS = 200
"""So much of a service's words is shown, characters."""

_TOKEN_LIKE = re.compile(r"eyJ[\w-]{5,}(\.[\w-]*)*|\bya29\.[\w.-]+|\b1//[\w-]{5,}")
"""Signed tokens; access tokens and refresh tokens of Google."""
_PAGES = ("text/html", "application/xhtml", "application/json", "application/problem+json")
_PASSING = frozenset({408, 425, 429})

Failure = (requests.RequestException, HTTPError, OSError)
"""What the libraries below raise when a connection fails."""


class SilentError(TransientError):
    """A question arrived and no answer came: the service may take the connection, broken off since, for open."""


def shown(url: str) -> str:
    """An address for messages: without user, query and fragment, where secrets may be."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    path = parts.path if len(parts.path) <= _WORDS else f"{parts.path[:_WORDS]}…"
    return f"{parts.scheme}://{host}{port}{path}"


class _Hidden(bytearray):
    """Bytes that a traceback does not show."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


class Reply:
    """One answer whose body has not been read yet."""

    def __init__(self, response: requests.Response, *, patience_s: float) -> None:
        """Take over an answer; where it refuses, the service's words are read at once.

        Args:
            response: opened with stream=True.
            patience_s: how long the connection may be silent, s; for messages, and for reading a refusal.
        """
        self._response = response
        self._raw: urllib3.BaseHTTPResponse = response.raw
        self._patience_s = patience_s
        self._received = 0
        self.status: int = response.status_code
        """HTTP status: 206."""
        self.headers: Mapping[str, str] = response.headers
        """Names in any case."""
        self.url = shown(response.url)
        """Where it came from in the end, without its query."""
        self.length = _whole_number(self.headers.get("Content-Length"))
        """Bytes of the body as announced; None if not."""
        self.retry_after_s = retry_after_s(self.headers)
        """How long the service wants to be left alone, s; None if it does not say."""
        kind = self.headers.get("Content-Type", "").lower()
        self.is_page = kind.startswith(_PAGES)
        """By its type the body is a page or a message (HTML, JSON), whatever the status says."""
        self.code = ""
        """The service's own code where it refuses: "DAT-ZIP-604"; else empty."""
        self.message = ""
        """What it says where it refuses, one short line; else empty."""
        self.is_chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        """The body comes in chunks, the last of which says that it is the last."""
        self.end_is_stated = True
        """False, by whoever reads the body, where only the connection's end ended it: it may have been broken off."""
        self.heard: Callable[[], object] | None = None
        """Called whenever bytes of the body have come."""
        if self.status >= 400:
            self._read_message()

    def __repr__(self) -> str:
        return f"Reply(status={self.status}, url={self.url!r}, length={self.length})"

    def read1(self, amount: int) -> bytes:
        """What has arrived, at most so many bytes; waits only if nothing has. b"" at the end of a whole body.

        Raises:
            TransientError: the connection ended before the announced length, broke, or was silent for too long.
        """
        try:
            data = self._raw.read1(amount, decode_content=True) or b""
        except Failure as error:
            why = cause(error, self._patience_s)
        else:
            self._received += len(data)
            if self.heard is not None:
                self.heard()
            return data
        # Raised out here, the error has no context: the frames below hold the question with its token.
        raise TransientError(f"{self.url}: {why} after {self._received} bytes{self._expected()}. Try again.")

    def whole(self, limit_bytes: int) -> bytes:
        """The whole body, if it is no larger than that and does not trickle.

        Raises:
            TransientError: as read1; or the body is larger, or comes slower than anything useful would.
        """
        body = _Hidden()
        self._gather(body, limit_bytes)
        return bytes(body)

    def close(self) -> None:
        """Give the connection back, or break it off if the body was not read to its end."""
        self._response.close()

    def refusal(self, what: str) -> Refusal:
        """This answer as an error to be raised.

        Args:
            what: what was asked, for the message: "The catalogue search".
        """
        if self.status < 400:
            self._read_message()
        words = " ".join(filter(None, (str(self.status), self.code, f"“{self.message}”" if self.message else "")))
        explanation = explain(self.status, self.code)
        passing = self.status < 400 or self.status >= 500 or self.status in _PASSING
        text = explanation.text
        if self.status < 400 and self.code not in CODES:
            text = "A page came instead of data: maintenance, or a proxy in between. Try again later."
        kind = PassingRefusal if passing or explanation.reaction is Reaction.WAIT else FinalRefusal
        return kind(
            f"{what} ({self.url}) was answered with {words}. {text}",
            status=self.status,
            code=self.code,
            said=self.message,
            retry_after_s=self.retry_after_s,
        )

    def _gather(self, body: bytearray, limit_bytes: int) -> None:
        give_up = time.monotonic() + 5 * self._patience_s
        size = -1
        while size < len(body):
            size = len(body)
            # No local variable holds the bytes: they may be a token, and tracebacks may show variables.
            body += self.read1(64 * 1024)
            if len(body) > limit_bytes:
                raise TransientError(f"{self.url}: more than {limit_bytes} bytes came: no such answer is expected.")
            if time.monotonic() > give_up:
                raise TransientError(
                    f"{self.url}: only {len(body)} bytes came in {5 * self._patience_s:.0f} s. Try again later."
                )

    def _read_message(self) -> None:
        body = _Hidden()
        # Half a message is better than none, and the status counts in any case.
        with suppress(TransientError):
            self._gather(body, _MESSAGE_BYTES)
        self.code, self.message = told(bytes(body))
        cause_message = self.headers.get("cause-message", "")
        self.message = _line(cause_message) or self.message

    def _expected(self) -> str:
        return "" if self.length is None else f" of {self.length}"


def told(body: bytes) -> tuple[str, str]:
    """The code and the words of a refusal, from JSON, XML or a page."""
    text = body.decode("utf-8", errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        return _told_by_markup(text)
    if not isinstance(found, dict):
        return "", _line(text)
    if isinstance(found.get("error"), dict):
        found = found["error"]
    code = next((found[key] for key in ("code", "error") if isinstance(found.get(key), str)), "")
    return code[:40], _line(_words(found))


def _words(found: Mapping[str, object]) -> str:
    detail = found.get("detail")
    if isinstance(detail, list):
        entries = [entry for entry in detail if isinstance(entry, dict)]
        return "; ".join(f"{' '.join(map(str, entry.get('loc', ())))}: {entry.get('msg', '')}" for entry in entries)
    if isinstance(detail, dict):
        return str(detail.get("ErrorMessage") or detail.get("message") or "")
    for key in ("error_description", "message", "detail", "description"):
        if found.get(key):
            return str(found[key])
    return ""


def _told_by_markup(text: str) -> tuple[str, str]:
    code = re.search(r"<Code>([^<]{1,40})</Code>", text)
    words = re.search(r"<(?:Message|title|TITLE)>([^<]*)<", text)
    return (code[1] if code else ""), _line(words[1] if words else re.sub(r"<[^>]*>", " ", text))


def _line(text: str) -> str:
    """One short line, without anything that looks like a token."""
    line = " ".join(_TOKEN_LIKE.sub(MASK, text).split())
    return line if len(line) <= _WORDS else f"{line[:_WORDS]}…"


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long a service wants to be left alone, s, from seconds or a date; None if it does not say.

    A date is compared with the service's own clock (Date), which may differ from ours.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text)) if text.replace(".", "", 1).isdigit() else _until_s(text, headers.get("Date"))
    except (ValueError, TypeError):
        return None


def _until_s(text: str, date: str | None) -> float:
    moment = parsedate_to_datetime(text)
    try:
        present = parsedate_to_datetime(date) if date else datetime.now(UTC)
    except ValueError:
        present = datetime.now(UTC)
    return max(0.0, (moment - present).total_seconds())


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() else None


def unanswered(error: BaseException, *, what: str, url: str, connect_s: float, read_s: float) -> SenardError:
    """A question that brought no answer at all, as an error to be raised outside of the except block.

    Args:
        error: what a library raised; its own text is not shown, since it may hold a query.
        what: what was asked.
        url: whom.
        connect_s: how long a connection may take, s.
        read_s: how long it may be silent, s.
    """
    where = f"{what} ({shown(url)})"
    if isinstance(error, requests.exceptions.InvalidProxyURL):
        return RequestError(
            f"{where}: the proxy of the environment is no address. Write http://HOST:PORT into HTTP_PROXY, HTTPS_PROXY "
            "or ALL_PROXY, or unset them."
        )
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | ValueError):
        return RequestError(f"{where}: this is no address that can be asked. Write https://HOST/PATH.")
    if any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(error)):
        return RequestError(
            f"{where}: the certificate of the host is not trusted. Behind a proxy that opens connections, name its "
            "certificate in REQUESTS_CA_BUNDLE; otherwise check the address."
        )
    # NewConnectionError, for a refused connection, counts itself among the time-outs.
    timed_out = any(
        isinstance(link, ConnectTimeoutError) and not isinstance(link, NewConnectionError) for link in _chain(error)
    )
    why = f"no connection within {connect_s:g} s" if timed_out else cause(error, read_s)
    kind = SilentError if any(isinstance(link, ReadTimeoutError) for link in _chain(error)) else TransientError
    return kind(
        f"{where}: {_of_the_proxy(error, url)}{why}. Check the network, the proxy and the address, or try again later."
    )


def _of_the_proxy(error: BaseException, url: str) -> str:
    """Which proxy stood in the way, without its password; empty where none did."""
    if not any(isinstance(link, ProxyError | requests.exceptions.ProxyError) for link in _chain(error)):
        return ""
    proxy = requests.utils.select_proxy(url, getproxies())
    return f"by way of the proxy {shown(proxy)}, which the environment names: " if proxy else ""


def cause(error: BaseException, read_s: float) -> str:
    """What went wrong with a connection, in words, without anything of the question."""
    links = list(_chain(error))
    for kinds, words in (
        ((NameResolutionError, socket.gaierror), "the name of the host is not known"),
        ((ConnectionRefusedError,), "the connection was refused"),
        ((ProxyError,), "the proxy did not let it through"),
        ((ReadTimeoutError, TimeoutError), f"silent for {read_s:g} s"),
        ((IncompleteRead,), "the connection was closed"),
        ((ConnectionResetError, BrokenPipeError), "the connection was broken"),
        ((ssl.SSLError,), "the encryption failed"),
        ((NewConnectionError,), "no connection"),
        ((ProtocolError,), "the connection was closed"),
    ):
        if any(isinstance(link, kinds) for link in links):
            return words
    reasons = [link.strerror for link in links if isinstance(link, OSError) and link.strerror]
    return reasons[-1] if reasons else f"the connection failed ({type(links[-1]).__name__})"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and everything that it was made from."""
    pending, seen = [error], set[int]()
    while pending:
        link = pending.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        pending += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
