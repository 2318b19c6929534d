"""Tokens of the Copernicus Data Space: one for all processes of a host, fetched once, renewed before it expires."""

import hashlib
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from senard.errors import RequestError, TransientError
from senard.io.credentials import Account
from senard.io.http import FinalRefusal, Http
from senard.io.secret import Secret
from senard.io.state import folder_time, locked, read_state, state_folder, write_state
from senard.io.verdicts import Verdicts

_CLIENT = "cdse-public"
_MOST_MARGIN_S, _MARGIN_SHARE = 60.0, 0.2
"""A token is renewed so long before it expires, or at a fifth of its life if that is less (a life of 5 s: 1 s)."""

_LOCK_WAIT_S = 600.0
"""Longer than all attempts of another process to get a token in an outage, s."""

_ENDED_S = 1e-3
"""Written for a session that has ended, where 0 would mean that it never does, s."""

_WHAT = "A question for a token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What a grant gives; lives count from its age of 0. Its repr shows no token."""

    access: Secret = field(repr=False)
    refresh: Secret = field(repr=False)
    life_s: float
    refresh_life_s: float
    age_s: float = 0.0

    @property
    def left_s(self) -> float:
        """How long the access token may be given out, s."""
        return self.life_s - min(_MOST_MARGIN_S, _MARGIN_SHARE * self.life_s) - self.age_s

    @property
    def may_refresh(self) -> bool:
        """Whether the refresh token is still good, as far as one can tell."""
        return bool(self.refresh) and self.age_s < self.refresh_life_s


class Tokens:
    """Gives tokens of one account.

    They lie in a file that only the user can read, so that all processes of a host use one session of the account, of
    which there may be 100. Ages are counted by the disk's clock and by the machine's uptime: the service's clock and
    those of other hosts do not matter.
    """

    def __init__(self, address: str, account: Account, http: Http) -> None:
        """Nothing is asked before the first token is wanted.

        Args:
            address: where tokens are given out.
            account: whose.
            http: asks.
        """
        self._address = address
        self._account = account
        self._http = http
        self._key = hashlib.sha256(f"{address} {account.username}".encode()).hexdigest()[:16]
        self._known: tuple[Secret, float] | None = None

    def __repr__(self) -> str:
        return f"Tokens({self._address!r}, {self._account!r})"

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_known": None}

    def token(self) -> str:
        """A token that is valid for a while: a Secret, to be given to Http as it is.

        Raises:
            RequestError: the password is wrong, a one-time code is missing or used up.
            TransientError: the service does not answer, or too many sessions are open.
        """
        known = self._known
        if known is not None and _uptime_s() < known[1]:
            return known[0]
        path = self._file()
        with self._alone():
            pair = _read(path)
            if pair is None or pair.left_s <= 0:
                pair = self._renewed(pair)
                _write(path, pair)
        self._known = (pair.access, _uptime_s() + pair.left_s)
        return pair.access

    def reject(self, token: str) -> None:
        """Say that the service refused this token though it seemed valid: the next one is another, for everybody.

        Args:
            token: the one that was refused; whoever else holds it may reject it too, it is replaced only once.
        """
        self._known = None
        path = self._file()
        with self._alone():
            pair = _read(path)
            if pair is not None and pair.access == token:
                _write(path, replace(pair, life_s=pair.age_s))

    def _file(self) -> Path:
        return state_folder() / f"token-{self._key}.json"

    def _alone(self) -> AbstractContextManager[None]:
        return locked(
            state_folder() / f"token-{self._key}.lock",
            what=f"the token of {self._account.username}",
            wait_s=_LOCK_WAIT_S,
        )

    def _renewed(self, old: Pair | None) -> Pair:
        """Another pair from the service, given the last one of this account; tokens of another kind override this."""
        if old is not None and old.may_refresh:
            pair = self._by_refresh(old.refresh)
            if pair is not None:
                return pair
        return self._by_password()

    def _by_refresh(self, refresh: Secret) -> Pair | None:
        """Another pair in the same session; None if the session has ended."""
        try:
            return self._granted({"grant_type": "refresh_token", "refresh_token": refresh})
        except FinalRefusal as refusal:
            if refusal.code != "invalid_grant":
                raise
        return None

    def _by_password(self) -> Pair:
        """A pair in a new session; a password that was refused is not sent again and again."""
        account = self._account
        if not account.password:
            raise RequestError(
                f"{account.username}: this copy of the account, from a pickle, holds no password. Make the source "
                "anew in this process."
            )
        verdicts = Verdicts(state_folder() / f"verdict-{self._key}.json", account, self._http.pace)
        verdicts.check()
        form = {"grant_type": "password", "username": account.username, "password": account.password}
        if account.totp:
            form["totp"] = account.totp
        try:
            pair = self._granted(form)
        except FinalRefusal as refusal:
            if refusal.code not in ("invalid_grant", "invalid_request"):
                raise
            said = refusal.said
        else:
            verdicts.accepted()
            return pair
        raise verdicts.refused(said)

    def _granted(self, form: dict[str, str]) -> Pair:
        asked = time.monotonic()
        pair = _pair(self._http.post_form(self._address, {"client_id": _CLIENT, **form}, what=_WHAT))
        if pair is None:
            raise TransientError(
                f"{_WHAT} ({self._address}) was answered without one. Check --token-url, or try again later."
            )
        return replace(pair, age_s=time.monotonic() - asked)


def _pair(answer: object) -> Pair | None:
    """What the service gave; None if it is no token. Raises nothing: tracebacks may show variables."""
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        return None
    refresh_life_s = _seconds(answer.get("refresh_expires_in"))
    return Pair(
        access=Secret(answer["access_token"]),
        refresh=Secret(answer.get("refresh_token") or ""),
        life_s=_seconds(answer.get("expires_in")),
        # Keycloak writes 0 for a session without an end.
        refresh_life_s=refresh_life_s or float("inf"),
    )


def _seconds(value: object) -> float:
    try:
        return max(0.0, float(str(value)))
    except ValueError:
        return 0.0


def _read(path: Path) -> Pair | None:
    """The pair in that file with its age; None if there is none."""
    try:
        written = path.stat().st_mtime
    except OSError:
        return None
    pair = _pair(read_state(path))
    # A clock that was set back makes ages negative; the token is then tried, and renewed when it is refused.
    return pair and replace(pair, age_s=pair.age_s + max(0.0, folder_time(path.parent) - written))


def _write(path: Path, pair: Pair) -> None:
    write_state(
        path,
        {
            "access_token": pair.access,
            "refresh_token": pair.refresh,
            "expires_in": pair.life_s - pair.age_s,
            "refresh_expires_in": max(_ENDED_S, pair.refresh_life_s - pair.age_s),
        },
    )


def _uptime_s() -> float:
    """A clock that nobody sets and that goes on while the machine sleeps, s."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
