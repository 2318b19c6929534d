"""How a file is asked for, once: with whose token, over which of the account's connections."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from senard.io.connections import Connections, Slot
from senard.io.http import Http, Reply
from senard.io.refusals import Reaction, explain
from senard.io.replies import SilentError


class TokenGiver(Protocol):
    """Whose token is shown."""

    def token(self) -> str:
        """A token that is valid for a while."""
        ...

    def reject(self, token: str) -> None:
        """Say that this one was refused."""
        ...


class Opener(Protocol):
    """Asks for one file; the caller says from which byte, by a Range header or by none."""

    def __call__(self, headers: Mapping[str, str]) -> AbstractContextManager[Reply]:
        """One attempt. A refusal is a Reply with its status; no answer at all is a TransientError.

        Whatever passes through the block as an exception means that the connection was broken off.
        """
        ...


def open_url(
    http: Http, url: str, what: str, *, tokens: TokenGiver | None = None, connections: Connections | None = None
) -> Opener:
    """Ask for what lies at an address.

    Args:
        http: asks.
        url: where it is.
        what: for messages.
        tokens: whose token is shown; None: nobody's.
        connections: whose connection is used; None: they are not counted.

    Returns:
        An opener that also tells `tokens` of a token that was refused, and `connections` of one that was broken off or
        may have been.
    """

    @contextmanager
    def opened(headers: Mapping[str, str]) -> Iterator[Reply]:
        held: AbstractContextManager[Slot | None] = connections.slot() if connections is not None else nullcontext()
        with held as slot:
            token = tokens.token() if tokens is not None else None
            given = False
            try:
                with http.stream(url, what=what, headers=headers, token=token) as reply:
                    if tokens is not None and token is not None and _wants_new_token(reply):
                        tokens.reject(token)
                    if slot is not None:
                        reply.heard = slot.alive
                    given = True
                    yield reply
                    if slot is not None and not reply.end_is_stated:
                        slot.lingers()
            except BaseException as error:
                if slot is not None and (given or isinstance(error, SilentError)):
                    slot.lingers()
                raise

    return opened


def _wants_new_token(reply: Reply) -> bool:
    return reply.status == 401 and explain(reply.status, reply.code).reaction is Reaction.NEW_TOKEN
