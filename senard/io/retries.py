"""How often and when a service is asked again."""

import logging
import random
from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from senard.errors import PendingError, TransientError
from senard.io.refusals import Refusal
from senard.model.access import Pace

LOGGER = logging.getLogger("senard")

LONGEST_PAUSE_S = 300.0
"""No pause between two attempts is longer; a service that wants more is left to the next source, s."""

_CROWDED = "DAT-ZIP-100"
_CROWDED_FACTOR = 15
"""Too many connections: the service counts broken ones for minutes, so the first pause is 30 s instead of 2 s."""


def retrying(pace: Pace, *, never: Callable[[BaseException], bool] = lambda _: False) -> Retrying:
    """Asks again what failed in passing, at most `pace.retries` times in all, with pauses; the last error is raised.

    Args:
        pace: how often, how long.
        never: errors that the caller deals with itself.

    Never again: refusals that are final, products that are announced for later, a service that wants to be left alone
    for longer than five minutes.
    """
    return Retrying(
        stop=stop_after_attempt(max(1, pace.retries)),
        wait=lambda state: pause_s(state.attempt_number, pace, _error(state)),
        retry=retry_if_exception(lambda error: _worth_it(error) and not never(error)),
        before_sleep=_tell,
        reraise=True,
    )


def pause_s(attempt: int, pace: Pace, error: BaseException | None = None) -> float:
    """How long to wait after the attempt of that number (1, 2, 3 …), s.

    It doubles from `pace.backoff_s` to five minutes, with jitter of a half so that workers do not come back together;
    what the service asks for (Retry-After) is the least.
    """
    asked_s, crowded = None, False
    if isinstance(error, Refusal):
        asked_s, crowded = error.retry_after_s, error.code == _CROWDED
    longest_s = min(LONGEST_PAUSE_S, pace.backoff_s * (_CROWDED_FACTOR if crowded else 1) * 2.0 ** min(attempt - 1, 20))
    if asked_s is None:
        return random.uniform(0.5, 1.0) * longest_s
    return min(asked_s, LONGEST_PAUSE_S) + random.uniform(0.0, 0.5) * longest_s


def _worth_it(error: BaseException) -> bool:
    if not isinstance(error, TransientError) or isinstance(error, PendingError):
        return False
    return not (isinstance(error, Refusal) and (error.retry_after_s or 0.0) > LONGEST_PAUSE_S)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _tell(state: RetryCallState) -> None:
    pause = state.next_action.sleep if state.next_action else 0.0
    LOGGER.info("%s Attempt %d; again in %.1f s.", _error(state), state.attempt_number, pause)
