"""HTTP as senard speaks it: time-outs, retries, redirects by hand, and no secret anywhere."""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from senard import __version__
from senard.errors import RequestError
from senard.io.refusals import CODES, Explanation, FinalRefusal, PassingRefusal, Reaction, Refusal, explain
from senard.io.replies import Failure, Reply, shown, unanswered
from senard.io.retries import pause_s, retrying
from senard.io.secret import MASK, Secret
from senard.model.access import Pace

__all__ = [
    "CODES",
    "Explanation",
    "FinalRefusal",
    "Http",
    "PassingRefusal",
    "Reaction",
    "Refusal",
    "Reply",
    "explain",
    "pause_s",
    "retrying",
]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_SOCKETS = 32
"""Idle connections kept per host: more than any number of threads that ask at once."""

_JSON_LIMIT = 128 * 1024 * 1024
"""A page of 1000 products with all attributes has 5 MB; more than this is no answer to us, bytes."""

_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization", "x-goog-user-project"})
"""Headers of a caller that stay on the host for which they were made."""

_Answer = TypeVar("_Answer")

Origin = tuple[str, str, int]
"""Scheme, host, port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One request; its repr shows no secret."""

    method: str
    url: str = field(repr=False)
    what: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Secret | None = None
    token: Secret | None = None


class Http:
    """Asks services; one per process and pace, safe to share among threads and across a fork."""

    def __init__(self, pace: Pace, *, trusted_hosts: Sequence[str] = ()) -> None:
        """Nothing is opened yet.

        Args:
            pace: time-outs and retries.
            trusted_hosts: addresses whose scheme, host and port may see a token; empty: only the one that is asked.
        """
        self._pace = pace
        self._trusted_hosts = tuple(trusted_hosts)
        self._trusted = frozenset(origin(address) for address in trusted_hosts)
        self._opened: requests.Session | None = None
        self._opened_by = 0
        _mask_log()

    @property
    def pace(self) -> Pace:
        """Time-outs and retries."""
        return self._pace

    def __repr__(self) -> str:
        return f"Http(trusted_hosts={self._trusted_hosts})"

    def __reduce__(self) -> tuple[object, ...]:
        return _http, (self._pace, self._trusted_hosts)

    def get_json(
        self,
        url: str,
        *,
        what: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Any:
        """Ask for JSON.

        Args:
            url: whom.
            what: what is asked, for messages: "The catalogue search".
            params: query; blanks become %20, which every service reads.
            headers: further ones.
            token: sent as Authorization to trusted hosts only.

        Raises:
            FinalRefusal: asking again is useless.
            TransientError: it did not work within the retries.
        """
        question = _Question(
            method="GET",
            url=_with_query(url, params or {}),
            what=what,
            headers={"Accept": "application/json", **(headers or {})},
            token=_secret(token),
        )
        return self._again(lambda: self._json(question))

    def post_json(self, url: str, body: object, *, what: str) -> Any:
        """Ask for JSON with a JSON body; else as get_json. Redirects are not followed."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        question = _Question(method="POST", url=url, what=what, headers=headers, body=Secret(json.dumps(body)))
        return self._again(lambda: self._json(question))

    def post_form(self, url: str, form: Mapping[str, str], *, what: str) -> Any:
        """Ask for JSON with form fields, which are shown nowhere; else as post_json.

        Args:
            url: whom.
            form: fields; secrets among them are sent, not masked.
            what: as get_json.
        """
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        body = Secret(urlencode([(name, Secret(value).reveal()) for name, value in form.items()]))
        question = _Question(method="POST", url=url, what=what, headers=headers, body=body)
        return self._again(lambda: self._json(question))

    def get_bytes(self, url: str, *, what: str, token: str | None = None, limit_bytes: int = 64 * 1024 * 1024) -> bytes:
        """Ask for a small file.

        Args:
            url: whom.
            what: as get_json.
            token: as get_json.
            limit_bytes: a larger answer is refused, bytes.

        Raises:
            FinalRefusal: asking again is useless.
            TransientError: it did not work within the retries; or a page came instead of the file.
        """
        question = _Question(method="GET", url=url, what=what, token=_secret(token))
        return self._again(lambda: self._bytes(question, limit_bytes))

    @contextmanager
    def stream(
        self, url: str, *, what: str, headers: Mapping[str, str] | None = None, token: str | None = None
    ) -> Iterator[Reply]:
        """Ask once for something large, following redirects; the caller looks at the status.

        Leaving the block before the end of the body breaks the connection off; else it is kept for the next question.

        Args:
            url: whom.
            what: as get_json.
            headers: for example Range.
            token: as get_json.

        Yields:
            The answer, of any status but a redirect.

        Raises:
            TransientError: no answer.
            FinalRefusal: a redirect that must not be followed.
        """
        # Bytes as they are: a compressed body would have another length than the catalogue says.
        asked = {"Accept-Encoding": "identity", **(headers or {})}
        reply = self._follow(_Question(method="GET", url=url, what=what, headers=asked, token=_secret(token)))
        try:
            yield reply
        finally:
            reply.close()

    def _again(self, ask: Callable[[], _Answer]) -> _Answer:
        return retrying(self._pace)(ask)

    def _json(self, question: _Question) -> Any:
        reply = self._follow(question)
        try:
            if not 200 <= reply.status < 300:
                raise reply.refusal(question.what)
            body = reply.whole(_JSON_LIMIT)
        finally:
            reply.close()
        try:
            return json.loads(body)
        except ValueError:
            kind = "a page" if body.lstrip()[:1] == b"<" else f"{len(body)} bytes that are no JSON, or not all of it,"
            # The body of a token service holds a token: it is in no local variable when the error is raised, nor in
            # the error's context.
            del body
        raise PassingRefusal(
            f"{question.what} ({reply.url}) was answered with {kind} instead of JSON (status {reply.status}): "
            "maintenance, or a proxy in between. Try again later.",
            status=reply.status,
        )

    def _bytes(self, question: _Question, limit_bytes: int) -> bytes:
        reply = self._follow(question)
        try:
            if not 200 <= reply.status < 300 or reply.is_page:
                raise reply.refusal(question.what)
            return reply.whole(limit_bytes)
        finally:
            reply.close()

    def _follow(self, question: _Question) -> Reply:
        """Ask, and go where the answers point to; the token goes along to trusted hosts only."""
        question = self._admitted(question)
        for _ in range(_MOST_REDIRECTS + 1):
            reply, target = self._ask(question)
            if target is None:
                return reply
            reply.close()
            if question.method != "GET":
                raise FinalRefusal(
                    f"{question.what}: {reply.url} has moved to {shown(target)}. Write the new address into the option "
                    "that named the old one; nothing is sent there unasked.",
                    status=reply.status,
                )
            question = self._redirected(question, target, reply.status)
        raise PassingRefusal(
            f"{question.what}: redirected more than {_MOST_REDIRECTS} times, at last to {shown(question.url)}. "
            "Try again later, or check the address.",
            status=reply.status,
        )

    def _admitted(self, question: _Question) -> _Question:
        if question.token is None or not self._trusted or origin(question.url) in self._trusted:
            return question
        raise RequestError(
            f"{question.what}: the token is not sent to {shown(question.url)}, which is none of "
            f"{', '.join(map(shown, self._trusted_hosts))}. If that host gives the data, name it with --data-url."
        )

    def _redirected(self, question: _Question, target: str, status: int) -> _Question:
        """The question to the new place."""
        old, new = origin(question.url), origin(target)
        if old == new:
            return replace(question, url=target)
        headers = {name: value for name, value in question.headers.items() if name.lower() not in _PRIVATE}
        trusted = new in self._trusted
        if question.token is not None and trusted and (old[0], new[0]) == ("https", "http"):
            raise FinalRefusal(
                f"{question.what}: redirected from https to {shown(target)}, where anybody could read the token: not "
                "followed. Check the address, and any proxy in between.",
                status=status,
            )
        # Once it has left the trusted hosts it stays bare: a stranger must not choose what is asked in our name.
        return replace(question, url=target, headers=headers, token=question.token if trusted else None)

    def _ask(self, question: _Question) -> tuple[Reply, str | None]:
        """One request: the answer, and where it points to if it is a redirect."""
        pace = self._pace
        headers: dict[str, str | bytes] = dict(question.headers)
        if question.token is not None:
            headers["Authorization"] = Secret("Bearer " + question.token)
        session = self._session()
        try:
            response = session.request(
                question.method,
                question.url,
                headers=headers,
                data=question.body.reveal().encode() if question.body is not None else None,
                timeout=(pace.connect_timeout_s, pace.read_timeout_s),
                allow_redirects=False,
                stream=True,
            )
            location = session.get_redirect_target(response)
        except (*Failure, ValueError) as error:
            failure = unanswered(
                error,
                what=question.what,
                url=question.url,
                connect_s=pace.connect_timeout_s,
                read_s=pace.read_timeout_s,
            )
        else:
            reply = Reply(response, patience_s=pace.read_timeout_s)
            return reply, urljoin(question.url, location) if location and reply.status in _REDIRECTS else None
        # Raised out here, the error has no context: frames of the libraries hold the request with its token.
        raise failure

    def _session(self) -> requests.Session:
        """The connections of this process: after a fork the parent's are left alone, for two would talk on one line."""
        opened = self._opened
        if opened is None or self._opened_by != os.getpid():
            opened = _new_session()
            self._opened, self._opened_by = opened, os.getpid()
        return opened


class _NoAuthorization(requests.auth.AuthBase):
    """Keeps requests from looking passwords up in ~/.netrc: only Http decides what is sent to whom."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _new_session() -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = f"senard/{__version__}"
    session.auth = _NoAuthorization()
    # No cookie is kept: sessions of a service are counted, and none is needed.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=_SOCKETS, pool_maxsize=_SOCKETS)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session


def _http(pace: Pace, trusted_hosts: tuple[str, ...]) -> Http:
    return Http(pace, trusted_hosts=trusted_hosts)


def origin(address: str) -> Origin:
    """Scheme, host and port of an address; one without a scheme counts as https.

    Raises:
        RequestError: it is none.
    """
    parts = urlsplit(address if "://" in address else f"https://{address}")
    try:
        port = parts.port or {"https": 443, "http": 80}[parts.scheme.lower()]
    except (ValueError, KeyError):
        raise RequestError(f"{shown(address)} is no address of a service. Write https://HOST/PATH.") from None
    return parts.scheme.lower(), (parts.hostname or "").lower(), port


def _with_query(url: str, params: Mapping[str, str]) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params, quote_via=quote)}"


def _secret(token: str | None) -> Secret | None:
    return None if token is None else Secret(token)


class _Masked(logging.Filter):
    """Masks signatures and tokens in the addresses that urllib3 writes into its debug log."""

    _NAMED = re.compile(r"([?&](?:token|access_token|sig|signature|x-amz-signature|password)=)[^&\s\"]+", re.IGNORECASE)

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                self._NAMED.sub(rf"\g<1>{MASK}", value) if isinstance(value, str) else value for value in record.args
            )
        return True


def _mask_log() -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    if not any(isinstance(known, _Masked) for known in logger.filters):
        logger.addFilter(_Masked())
