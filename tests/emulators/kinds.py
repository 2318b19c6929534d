"""The ways to fail, one name each."""

from enum import Enum


class Kind(Enum):
    """One way to fail. The value is what the log calls it."""

    TOKEN_NOT_FOUND = "401-604"
    """401 DAT-ZIP-604: the header got lost."""

    TOKEN_EXPIRED = "401-109"
    """401 DAT-ZIP-109: the token is expired."""

    TOKEN_AUDIENCE = "401-609"
    """401 DAT-ZIP-609: a token of the wrong kind."""

    LICENCE = "403-608"
    """403 DAT-ZIP-608: a licence is not accepted."""

    MALFORMED_PATH = "400-104"
    """400 DAT-ZIP-104."""

    NOT_FOUND = "404"
    """404: withdrawn, as far as the answer goes."""

    MALFORMED_UUID = "422-111"
    """422 DAT-ZIP-111."""

    TOO_MANY = "429-100"
    """429 DAT-ZIP-100: more connections than allowed."""

    FIREWALL = "429-waf"
    """429 of the firewall."""

    ERROR_500 = "500"
    """500 with JSON and a trace-id."""

    ERROR_502 = "502"
    """502 with an HTML page."""

    ERROR_503 = "503"
    """503 with Retry-After."""

    ERROR_503_EMPTY = "503-empty"
    """503 with nothing at all."""

    ERROR_504 = "504"
    """504 with an HTML page."""

    HTML_200 = "html-200"
    """An HTML page with status 200: maintenance, a proxy."""

    JSON_200 = "json-200"
    """A JSON error with status 200."""

    EMPTY_200 = "empty-200"
    """Status 200 and no byte."""

    SILENT = "silent"
    """The request is read and never answered."""

    HANG_UP = "hang-up"
    """The connection is closed without an answer."""

    CUT = "cut"
    """The body ends early, cleanly closed."""

    CUT_UNSTATED = "cut-unstated"
    """As CUT, and no Content-Length had been told: the answer looks whole."""

    RESET = "reset"
    """The connection is reset in the middle of the body."""

    STALL = "stall"
    """The body stops, the connection stays open."""

    SLOW = "slow"
    """A trickle of `slow_bytes_s`."""

    EXTRA_BYTES = "extra-bytes"
    """More bytes than the catalogue states; Content-Length tells the larger number."""

    SPOILT = "spoilt"
    """Right length, one byte is wrong: the checksum does not fit."""

    UNSTATED = "unstated"
    """Whole, but without Content-Length: ended by closing."""

    RANGE_IGNORED = "range-ignored"
    """A Range is answered by 200 and everything. Played on requests with a Range only."""

    RANGE_REFUSED = "range-refused"
    """A Range is answered by 400. Played on requests with a Range only."""

    RANGE_WRONG = "range-wrong"
    """206 with another stretch than was asked for, and its Content-Range says so. Ranged requests only."""

    RANGE_UNSATISFIABLE = "416"
    """416 whatever the Range. Ranged requests only."""

    TO_STORAGE = "to-storage"
    """302 to a signed address on a foreign host, where no token may turn up."""

    REDIRECT_LOOP = "redirect-loop"
    """301 to itself, for ever."""

    SESSION_ENDED = "400-session"
    """400 invalid_grant: a refresh token whose session has ended. For `on="refresh_token"`."""

    SESSION_CAP = "401-grant"
    """401 invalid_grant: too many sessions, or a wrong password; the words are the same. For `on="password"`."""


BODILY = frozenset(
    {
        Kind.CUT,
        Kind.CUT_UNSTATED,
        Kind.RESET,
        Kind.STALL,
        Kind.SLOW,
        Kind.EXTRA_BYTES,
        Kind.SPOILT,
        Kind.UNSTATED,
    }
)
"""Played on the body: they wait while a client asks for heads only."""

RANGED = frozenset({Kind.RANGE_IGNORED, Kind.RANGE_REFUSED, Kind.RANGE_WRONG, Kind.RANGE_UNSATISFIABLE})
"""Played on requests with a Range header only."""

TRANSIENT: tuple[Kind, ...] = (
    Kind.TOKEN_EXPIRED,
    Kind.TOO_MANY,
    Kind.FIREWALL,
    Kind.ERROR_500,
    Kind.ERROR_502,
    Kind.ERROR_503,
    Kind.ERROR_503_EMPTY,
    Kind.ERROR_504,
    Kind.HTML_200,
    Kind.JSON_200,
    Kind.EMPTY_200,
    Kind.SILENT,
    Kind.HANG_UP,
    Kind.CUT,
    Kind.CUT_UNSTATED,
    Kind.RESET,
    Kind.STALL,
    Kind.EXTRA_BYTES,
    Kind.SPOILT,
    Kind.UNSTATED,
    Kind.RANGE_IGNORED,
    Kind.RANGE_REFUSED,
    Kind.RANGE_WRONG,
    Kind.RANGE_UNSATISFIABLE,
    Kind.TO_STORAGE,
)
"""What a client survives: trying again brings the product."""

FINAL: tuple[Kind, ...] = (
    Kind.TOKEN_AUDIENCE,
    Kind.LICENCE,
    Kind.MALFORMED_PATH,
    Kind.NOT_FOUND,
    Kind.MALFORMED_UUID,
)
"""What a client must not try again."""


class RangeMode(Enum):
    """What a Range header is worth."""

    HONOURED = "honoured"
    """206 with the right Content-Range."""

    IGNORED = "ignored"
    """200 and everything."""

    REFUSED = "refused"
    """400."""

    WRONG = "wrong"
    """206 with another stretch."""


def playable(kind: Kind, *, ranged: bool, head: bool) -> bool:
    """Whether a failure can be played on a request with or without Range, for a head or a body."""
    return (ranged or kind not in RANGED) and not (head and kind in BODILY | RANGED)
