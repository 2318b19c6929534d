"""Why a task failed, in words that travel through Luigi's scheduler, and the exit code that follows."""

import errno
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from senard.errors import (
    AccountError,
    IncompleteError,
    NoDataError,
    PendingError,
    RequestError,
    SenardError,
    TransientError,
)


class ExitCode(IntEnum):
    """What the process tells its caller, of `senard` and of `luigi --module workflows` alike."""

    WHOLE = 0
    """The product is whole."""

    REQUEST = 2
    """A person must change what was asked."""

    NO_DATA = 3
    """The request is sound, but no scene or no clear pixel answers it."""

    INCOMPLETE = 4
    """Something is missing; the same command goes on from there."""


_WORTH_ANOTHER_TRY = (TransientError, OSError, MemoryError)

_FULL = "the disk is full. Free some space, or give another --outdir or --workdir, and run again."
_A_PERSON_MUST_ACT = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.ENAMETOOLONG: "a name is longer than the disk allows. Give a shorter --outdir, --workdir or --name.",
}
"""Errors of the system that trying again does not help, and what does."""
_UNMET = "Unfulfilled dependenc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One task's last failure."""

    kind: str
    """Name of the error: "NoDataError"; "" where the process died without a word."""

    message: str
    """What a person should read."""

    detail: str = ""
    """Traceback of an error that nobody raised on purpose."""

    again: bool = False
    """True if trying again may help."""

    pause_s: float | None = None
    """Pause before it makes sense to ask again, s; None where nothing is awaited."""

    concerns_all: bool = False
    """True where a source refuses whoever asks: every other product would be refused alike."""

    source: str = ""
    """Who refuses whoever asks: "cdse"; empty elsewhere."""

    @classmethod
    def of(cls, error: BaseException, *, detail: str = "") -> "Failure":
        """What an exception says.

        Args:
            error: what a task raised.
            detail: its traceback; kept only where nobody raised the error on purpose.
        """
        disk = isinstance(error, IncompleteError) and isinstance(error.__cause__, OSError)
        again = disk or isinstance(error, _WORTH_ANOTHER_TRY) or _UNMET in str(error)
        again = again and not _way_out(error)
        foreseen = isinstance(error, SenardError | OSError)
        return cls(
            kind=_family(error),
            message=(str(error) or repr(error)) + _way_out(error),
            detail="" if foreseen else detail,
            again=again,
            pause_s=error.again_in_s if isinstance(error, PendingError) else None,
            concerns_all=isinstance(error, AccountError),
            source=error.source if isinstance(error, AccountError) else "",
        )

    @classmethod
    def from_text(cls, text: str) -> "Failure":
        """The failure that `text` was written for; what Luigi itself says of a dead process is worth another try."""
        head, _, detail = text.partition("\n\n")
        mark, _, rest = head.partition(" ")
        kind, _, message = rest.partition(": ")
        mark, _, more = mark.partition("=")
        if mark not in ("again", "stop", "later", "all") or not kind.isidentifier():
            return cls(kind="", message=text, again=True)
        if mark == "all":
            return cls(kind=kind, message=message, concerns_all=True, source=more)
        pause_s = float(more) if mark == "later" else None
        return cls(kind=kind, message=message, detail=detail, again=mark != "stop", pause_s=pause_s)

    @property
    def text(self) -> str:
        """One string for Luigi's page and its queue: "stop NoDataError: No scene …", "later=600 PendingError: …",
        "all=cdse RequestError: …"."""
        mark = f"later={self.pause_s}" if self.pause_s is not None else "again" if self.again else "stop"
        if self.concerns_all:
            mark = f"all={self.source}"
        head = f"{mark} {self.kind}: {' '.join(self.message.split())}"
        return f"{head}\n\n{self.detail}" if self.detail else head

    @property
    def unmet(self) -> bool:
        """True if the task itself did not run: what it needs was not there when its turn came."""
        return _UNMET in self.message

    @property
    def exit_code(self) -> ExitCode:
        """What this failure alone makes of the run."""
        if self.kind == NoDataError.__name__:
            return ExitCode.NO_DATA
        return ExitCode.REQUEST if self.kind == RequestError.__name__ else ExitCode.INCOMPLETE


def failure_text(error: BaseException) -> str:
    """What a task's `on_failure` gives to Luigi; called while the error is being handled."""
    return Failure.of(error, detail=traceback.format_exc()).text


def exit_code(failures: Iterable[Failure]) -> ExitCode:
    """The exit code of a product that is not whole: what a person must change comes before all else."""
    codes = {failure.exit_code for failure in failures}
    for code in (ExitCode.REQUEST, ExitCode.NO_DATA):
        if code in codes:
            return code
    return ExitCode.INCOMPLETE


def _way_out(error: BaseException) -> str:
    """What helps against an error of the system whose own words do not say it."""
    found = _A_PERSON_MUST_ACT.get(error.errno or 0) if isinstance(error, OSError) else None
    return f": {found}" if found else ""


def _family(error: BaseException) -> str:
    """Name of the error, or of the family on purpose that it belongs to."""
    for family in (NoDataError, RequestError):
        if isinstance(error, family):
            return family.__name__
    return RequestError.__name__ if _way_out(error) else type(error).__name__
