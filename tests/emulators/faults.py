"""What the emulator does wrong, and when: switches that a test turns while the server runs."""

import random
import threading
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tests.emulators.kinds import BODILY, FINAL, RANGED, TRANSIENT, Kind, RangeMode, playable

__all__ = ["BODILY", "FINAL", "RANGED", "TRANSIENT", "Faults", "InTurn", "Kind", "RangeMode", "Rule"]


@dataclass(slots=True, kw_only=True)
class Rule:
    """One failure that waits for its requests."""

    kind: Kind
    """What happens."""

    on: frozenset[str]
    """What it happens on: {"download"}, {"zips"}; see LoggedRequest.names."""

    products: frozenset[str]
    """Names without .SAFE; empty: whichever."""

    left: int | None
    """How many requests more; None: all of them."""

    after: float = 0.5
    """Where the body ends or stops: below 1 a share of it, from 1 on bytes."""

    retry_after_s: int | None = None
    """Told with 429 and 503; None: 1 with Kind.ERROR_503, else not told."""

    def fits(self, names: frozenset[str], product: str, *, ranged: bool, head: bool) -> bool:
        """Whether a request is one of its own."""
        if self.left == 0 or not self.on & names or not playable(self.kind, ranged=ranged, head=head):
            return False
        return not self.products or product in self.products


class InTurn:
    """Makes a share of the requests fail, each kind in its turn; the same requests fail in every run.

    One request of each stretch of 1/share requests fails; which of them, the seed says. Requests with a Range are few:
    a failure that is about Range and was not played yet takes the first that comes, and a later stretch goes without.
    """

    def __init__(
        self, share: float, kinds: Sequence[Kind], seed: int, on: frozenset[str], once: Collection[Kind] = ()
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share is a share of the requests, above 0 and up to 1: {share}")
        self.share = share
        self.on = on
        self._once = frozenset(once)
        self._waiting = deque(kinds)
        self._unplayed = set(kinds)
        self._random = random.Random(seed)
        self._seen = 0
        self._failed = 0
        self._next = self._random.random() / share

    def pick(self, names: frozenset[str], *, ranged: bool, head: bool) -> Kind | None:
        """Kind of the failure of this request; None: it goes well. A kind that does not fit waits for its turn."""
        if not self.on & names:
            return None
        number = self._seen
        self._seen += 1
        due = number >= int(self._next)
        for kind in self._waiting:
            if not playable(kind, ranged=ranged, head=head) or not (due or kind in RANGED & self._unplayed):
                continue
            self._waiting.remove(kind)
            if kind not in self._once:
                self._waiting.append(kind)
            self._unplayed.discard(kind)
            self._failed += 1
            self._next = (self._failed + self._random.random()) / self.share
            return kind
        return None


@dataclass(slots=True)
class Faults:
    """Every switch. Plain numbers may be set at any time; rules come by `next`, `always` and `in_turn`."""

    token_life_s: float = 600.0
    """Life of an access token, s."""

    refresh_life_s: float = 3600.0
    """A session cannot be prolonged beyond this age, s: with a second factor a person must then log in again."""

    session_cap: int = 100
    """Sessions an account may have at once."""

    session_refusal_s: float = 0.0
    """After one too many no session is opened for so long, s."""

    connection_limit: int = 4
    """Downloads an account may have open at once."""

    linger_s: float = 0.0
    """A download that was broken off counts as open for so long, s."""

    firewall_per_minute: int = 0
    """Requests per minute and service before the firewall refuses; 0: none refused."""

    firewall_window_s: float = 60.0
    """What the firewall takes for a minute, s."""

    range_mode: RangeMode = RangeMode.HONOURED
    """What Range headers are worth."""

    redirect_downloads: bool = False
    """Downloads are redirected to signed addresses on a foreign host, every one of them."""

    bytes_s: int = 0
    """Speed of each connection that carries a file, bytes/s; 0: as fast as it goes."""

    slow_bytes_s: int = 2000
    """Speed of Kind.SLOW, bytes/s."""

    extra_bytes: int = 1000
    """How many more Kind.EXTRA_BYTES sends."""

    send_buffer_bytes: int = 256 * 1024
    """Bytes that may be on their way: what a killed client never saw still counts as sent."""

    delay_s: float = 0.0
    """Pause before every answer, s."""

    unordered: bool = True
    """Without $orderby every page is drawn from another order, so that paging loses and repeats."""

    longest_url: int = 8000
    """Bytes of an encoded address before it is refused with 414."""

    most_top: int = 1000
    """Largest $top."""

    most_skip: int = 10_000
    """Largest $skip; nextLink is left out beyond it."""

    empty_last_page: bool = False
    """A full last page has a nextLink too, which leads to an empty page."""

    quicklooks: bool = True
    """False: every quicklook is 404."""

    _rules: list[Rule] = field(default_factory=list)
    _in_turn: list[InTurn] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(
        self,
        kind: Kind,
        count: int = 1,
        *,
        products: Iterable[str] = (),
        on: str | Collection[str] = "download",
        after: float = 0.5,
        retry_after_s: int | None = None,
    ) -> None:
        """Fail the next requests.

        Args:
            kind: how.
            count: how many.
            products: names, with or without .SAFE; none: whichever comes.
            on: service or services: "download", "catalogue", "token", …; or a part of one: "zips", "files", "lists",
                "password", "refresh_token".
            after: where the body ends or stops: below 1 a share of it, from 1 on bytes.
            retry_after_s: told with 429 and 503, s.
        """
        self._add(kind, count, products, on, after, retry_after_s)

    def always(
        self,
        kind: Kind,
        *,
        products: Iterable[str] = (),
        on: str | Collection[str] = "download",
        after: float = 0.5,
        retry_after_s: int | None = None,
    ) -> None:
        """Fail every request from now on; arguments as of `next`."""
        self._add(kind, None, products, on, after, retry_after_s)

    def in_turn(
        self,
        share: float,
        kinds: Sequence[Kind] = TRANSIENT,
        *,
        seed: int = 0,
        on: str | Collection[str] = "download",
        once: Collection[Kind] = (),
    ) -> None:
        """Fail a share of the requests, each kind in its turn, the same ones in every run.

        Args:
            share: of the requests of these services, 0-1.
            kinds: in this order, over and over.
            seed: which of 1/share requests it is.
            on: service or services, or parts of them, counted together.
            once: kinds that have one turn only.
        """
        with self._lock:
            self._in_turn.append(InTurn(share, kinds, seed, _names(on), once))

    def clear(self) -> None:
        """Forget every rule; the numbers stay."""
        with self._lock:
            self._rules.clear()
            self._in_turn.clear()

    def pick(self, names: frozenset[str], product: str, *, ranged: bool, head: bool) -> Rule | None:
        """The failure of one request, taken from what waits; None: it goes well. Rules go before turns."""
        with self._lock:
            for rule in self._rules:
                if rule.fits(names, product, ranged=ranged, head=head):
                    if rule.left is not None:
                        rule.left -= 1
                    return rule
            for turn in self._in_turn:
                kind = turn.pick(names, ranged=ranged, head=head)
                if kind is not None:
                    return Rule(kind=kind, on=turn.on, products=frozenset(), left=0)
        return None

    def _add(
        self,
        kind: Kind,
        count: int | None,
        products: Iterable[str],
        on: str | Collection[str],
        after: float,
        retry_after_s: int | None,
    ) -> None:
        names = frozenset(name.removesuffix(".SAFE") for name in products)
        rule = Rule(kind=kind, on=_names(on), products=names, left=count, after=after, retry_after_s=retry_after_s)
        with self._lock:
            self._rules.append(rule)


def _names(on: str | Collection[str]) -> frozenset[str]:
    return frozenset({on} if isinstance(on, str) else on)
