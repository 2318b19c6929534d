"""What a token service thought of a password, so that a wrong one is sent once and not by every worker."""

import hashlib
import os
from pathlib import Path

from senard.errors import AccountError, SenardError, TransientError
from senard.io.credentials import Account
from senard.io.secret import Secret
from senard.io.state import folder_time, read_state, write_state
from senard.model.access import Pace

_REMEMBERED_S = 600.0
"""A refused password is not sent again for so long: the life of a session, should too many be open, s."""

_PATIENCE = 3
"""So often may a password be refused that was accepted before: too many sessions look like a wrong password."""

_PAUSE_FACTOR = 30
"""Pause after the first of them, in units of Pace.backoff_s: 60 s; it doubles."""

_SITE = "https://dataspace.copernicus.eu"


class Verdicts:
    """The last verdicts on one account, in a file that only the user can read; its words are scrypt digests."""

    def __init__(self, path: Path, account: Account, pace: Pace) -> None:
        """Read them; whoever does this holds the lock of the account's token.

        Args:
            path: the file.
            account: whose password is about to be sent.
            pace: how long to wait between refusals.
        """
        self._path = path
        self._account = account
        self._pace = pace
        self._known = dict(read_state(path))
        self._salt = str(self._known.get("salt") or os.urandom(16).hex())
        self._digest = self._digested()

    def check(self) -> None:
        """Refuse here what the service would refuse.

        Raises:
            AccountError: this very password was refused just now, or its one-time code is used up.
            TransientError: it was refused though it had been accepted before; not long enough ago.
        """
        used_up = self._account.totp and self._known.get("accepted") == self._digest
        if used_up:
            raise AccountError(
                f"{self._account.username}: the session that the one-time code opened has ended, and a code opens one "
                "only. Set SENARD_CDSE_TOTP to the code of this minute and run the same command again; what is "
                "fetched stays. With two-factor login this is needed about every hour."
            )
        if self._known.get("refused") != self._digest:
            return
        left_s = self._pause_s() - (folder_time(self._path.parent) - self._path.stat().st_mtime)
        if 0 < left_s <= self._pause_s():
            raise self._error(str(self._known.get("said") or ""), left_s)

    def accepted(self) -> None:
        """The service took the password."""
        write_state(self._path, {"salt": self._salt, "accepted": self._digest})

    def refused(self, said: str) -> SenardError:
        """The service did not take it: what to raise.

        Args:
            said: its words: "Invalid user credentials".
        """
        again = self._known.get("refused") == self._digest
        self._known = {
            "salt": self._salt,
            "accepted": self._known.get("accepted") or "",
            "refused": self._digest,
            "times": self._times() + 1 if again else 1,
            "said": said,
        }
        write_state(self._path, self._known)
        return self._error(said, self._pause_s())

    def _error(self, said: str, left_s: float) -> SenardError:
        who = f"{self._account.username} (password from {self._account.found_in or 'the caller'})"
        if self._may_pass():
            return TransientError(
                f"{who}: refused with “{said}”, though this password was accepted before. Probably the account has its "
                f"100 sessions open, each for 10 minutes. It is not sent again for {left_s:.0f} s; if it lasts, sign "
                f"in at {_SITE} to see whether it still holds."
            )
        return AccountError(
            f"{who}: the Copernicus Data Space refuses with “{said}”. {self._advice(said)} This password is not sent "
            f"again for {max(1, left_s / 60):.0f} min, lest the account be locked; another one, or another code, is "
            "tried at once."
        )

    def _advice(self, said: str) -> str:
        lower = said.lower()
        if "fully set up" in lower:
            return f"Sign in at {_SITE} in a browser and do what it asks for (terms, mail address, second factor)."
        if "disabled" in lower or "locked" in lower:
            return f"The account is locked: wait, or sign in at {_SITE} in a browser."
        if self._account.totp:
            return (
                "The password or the one-time code is wrong: a code is good for 30 s and for one use. Set "
                "SENARD_CDSE_TOTP to the code of this minute, and check the password."
            )
        return (
            f"Either user name or password is wrong (sign in at {_SITE} to see); or the account has two-factor login: "
            "set SENARD_CDSE_TOTP to the code of this minute; or it has 100 sessions open: wait 10 minutes."
        )

    def _may_pass(self) -> bool:
        return self._known.get("accepted") == self._digest and self._times() < _PATIENCE

    def _pause_s(self) -> float:
        if not self._may_pass():
            return _REMEMBERED_S
        return min(_REMEMBERED_S, _PAUSE_FACTOR * self._pace.backoff_s * 2.0 ** (self._times() - 1))

    def _times(self) -> int:
        times = self._known.get("times")
        return times if isinstance(times, int) else 0

    def _digested(self) -> str:
        # 16 MB and 50 ms for whoever would guess passwords from a stolen file.
        words = Secret("\0".join((self._account.password.reveal(), self._account.totp.reveal())))
        return hashlib.scrypt(words.encode(), salt=bytes.fromhex(self._salt), n=2**14, r=8, p=1, dklen=32).hex()
