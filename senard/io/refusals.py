"""What services answer when they do not give what was asked, and what a person or a program does about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from senard.errors import RequestError, SenardError, TransientError


class Reaction(Enum):
    """What the asker does about a refusal."""

    NEW_TOKEN = "new-token"
    """Get another token, once, and ask again."""

    WAIT = "wait"
    """Ask again after a pause."""

    GONE = "gone"
    """The product is not there any more: look for its successor, or at another source."""

    STOP = "stop"
    """A person must act."""

    BUG = "bug"
    """The question itself is malformed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What one code of a service means."""

    reaction: Reaction
    """What is done about it: Reaction.WAIT."""

    text: str
    """For a person, one or two sentences: what it means and what to do now."""


_REPORT = "Please report this message: senard asked wrongly."

CODES: Mapping[str, Explanation] = MappingProxyType(
    {
        "DAT-ZIP-100": Explanation(
            reaction=Reaction.WAIT,
            text="The account has more connections open than the 4 it may have; broken ones count on for minutes. "
            "senard waits and asks again; if it lasts, lower --connections or end other downloads of this account.",
        ),
        "DAT-ZIP-104": Explanation(reaction=Reaction.BUG, text=f"The path is malformed. {_REPORT}"),
        "DAT-ZIP-109": Explanation(
            reaction=Reaction.NEW_TOKEN, text="The token has expired. senard fetches another one."
        ),
        "DAT-ZIP-111": Explanation(reaction=Reaction.BUG, text=f"The id of the product is malformed. {_REPORT}"),
        "DAT-ZIP-604": Explanation(
            reaction=Reaction.BUG,
            text="The request came without a token, as after a redirect to a host that is not trusted. Set --data-url "
            "to the host that gives the data.",
        ),
        "DAT-ZIP-608": Explanation(
            reaction=Reaction.STOP,
            text="The licence of this data is not accepted, or has expired. Sign in at "
            "https://dataspace.copernicus.eu in a browser, accept it, and run the same command again.",
        ),
        "DAT-ZIP-609": Explanation(
            reaction=Reaction.STOP,
            text="The token is of the wrong kind: downloads want one of the client cdse-public, made from user name "
            "and password; tokens of a Sentinel Hub client are refused. Check --token-url and the credentials.",
        ),
        "invalid_client": Explanation(
            reaction=Reaction.STOP,
            text="The address does not know the client cdse-public, so it gives no tokens for downloads. Check "
            "--token-url.",
        ),
        "WAF": Explanation(
            reaction=Reaction.WAIT,
            text="The service's firewall counts too many requests. senard waits and asks again; if it lasts, start "
            "fewer processes.",
        ),
    }
)
"""Codes of the Copernicus Data Space: of the download service, and of the firewall before all of its services."""

STATUSES: Mapping[int, Explanation] = MappingProxyType(
    {
        400: Explanation(
            reaction=Reaction.BUG, text="The service does not understand the question. Check the options."
        ),
        401: Explanation(reaction=Reaction.NEW_TOKEN, text="The service wants a valid token. Check the credentials."),
        403: Explanation(
            reaction=Reaction.STOP,
            text="The account may not have this. Check its rights and licences in a browser.",
        ),
        404: Explanation(
            reaction=Reaction.GONE,
            text="It is not there: withdrawn, replaced, or the address is wrong. Check the address, or search again.",
        ),
        407: Explanation(
            reaction=Reaction.STOP,
            text="The proxy wants a user name and a password: write them into HTTPS_PROXY (http://user:password@host:port).",
        ),
        408: Explanation(reaction=Reaction.WAIT, text="The service waited in vain. Try again later."),
        414: Explanation(
            reaction=Reaction.BUG, text="The question is longer than the service takes. Simplify the area."
        ),
        416: Explanation(reaction=Reaction.BUG, text="The file ends before the bytes that were asked for."),
        422: Explanation(reaction=Reaction.BUG, text="The service refuses a value in the question. Check the options."),
        429: Explanation(
            reaction=Reaction.WAIT, text="The service wants fewer requests. Try again later, with fewer processes."
        ),
    }
)
"""What a status alone means, where the service gives no code."""

_PROXY_WANTS_PASSWORD = 407

_FAILED = Explanation(
    reaction=Reaction.WAIT, text="The service itself has failed. Try again later; look at its status page if it lasts."
)
_REFUSED = Explanation(reaction=Reaction.STOP, text="The service refuses. Check the addresses and the options.")


def explain(status: int, code: str) -> Explanation:
    """What an answer means and what to do about it.

    Args:
        status: HTTP status: 429.
        code: the service's own code: "DAT-ZIP-100"; empty if it gives none.
    """
    if code in CODES:
        return CODES[code]
    if status in STATUSES:
        return STATUSES[status]
    return _FAILED if status >= 500 else _REFUSED


class Refusal(SenardError):
    """A service answered with something else than what was asked for. Always a FinalRefusal or a PassingRefusal."""

    def __init__(
        self, message: str, *, status: int, code: str = "", said: str = "", retry_after_s: float | None = None
    ) -> None:
        """Say what was answered.

        Args:
            message: as every error's.
            status: HTTP status: 404.
            code: the service's own code: "DAT-ZIP-609"; empty if it gave none.
            said: the service's own words: "Token audience not allowed"; empty if it gave none.
            retry_after_s: how long the service wants to be left alone, s; None if it does not say.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.said = said
        self.retry_after_s = retry_after_s

    @property
    def reaction(self) -> Reaction:
        """What is done about it."""
        return explain(self.status, self.code).reaction

    @property
    def of_account(self) -> bool:
        """Whether whoever asks is refused, whatever is asked for: a licence, a token of the wrong kind, a proxy."""
        stops = self.reaction is Reaction.STOP
        return stops and (self.code in CODES or self.status == _PROXY_WANTS_PASSWORD)

    def __reduce__(self) -> tuple[object, ...]:
        return _refusal, (type(self), str(self), self.status, self.code, self.said, self.retry_after_s)


def _refusal(
    kind: type[Refusal], message: str, status: int, code: str, said: str, retry_after_s: float | None
) -> Refusal:
    return kind(message, status=status, code=code, said=said, retry_after_s=retry_after_s)


class FinalRefusal(Refusal, RequestError):
    """Asking the same again gives the same answer: 400, 401, 403, 404, 414, 422 …"""


class PassingRefusal(Refusal, TransientError):
    """Asking again may help: 408, 429, 5xx, a page where data was expected."""
