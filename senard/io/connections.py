"""Connections: how many downloads an account has open at once, counted over all tasks, processes and hosts."""

import hashlib
import logging
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from senard.errors import AccountError, RequestError, TransientError
from senard.io.state import folder_time, open_private, state_folder, try_lock, unlock_and_close
from senard.model.access import Pace

LOGGER = logging.getLogger("senard")

QUOTA = 4
"""Connections that the Copernicus Data Space allows per account."""

_OPEN, _BEATS, _LINGERS, _FREE = b"open", b"beats", b"lingers", b""
"""What a slot's file says. A free lock with `open` or `beats`: the holder was killed, its connection broken off."""

_WORD_BYTES = 8

_BEAT_S = 10.0
"""A holder that beats does so this often, s."""

_NOTE_AFTER_S, _NOTE_EVERY_S = 30.0, 300.0
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 0.2, 0.5

_GIVE_UP_S = 6 * 3600.0
"""Whole products over a slow line take hours; holders of longer than this hang, s."""


class Slot:
    """The right to hold one connection open."""

    def __init__(self, descriptor: int) -> None:
        self.broken_off = False
        """Whether the connection was broken off before its answer had come to its end."""
        self._descriptor = descriptor
        self._beats_at = 0.0

    def lingers(self) -> None:
        """Say that the connection was broken off: the service counts it for a while yet, so others wait."""
        self.broken_off = True

    def alive(self) -> None:
        """Say that bytes still come: cheap enough for every one of them.

        Should the holder be killed, whoever comes a day later sees that this is long ago, and need not wait.
        """
        if time.monotonic() >= self._beats_at:
            self._beats_at = time.monotonic() + _BEAT_S
            _note(self._descriptor, _BEATS)


class Connections:
    """The slots of one account: files whose locks vanish with their holders."""

    def __init__(self, account_key: str, pace: Pace) -> None:
        """Name the account.

        Args:
            account_key: whose connections are counted, for example "cdse you@example.org": not shown, not stored.
            pace: how many connections, and how long a broken one counts.

        Raises:
            RequestError: more connections than the quota of the service, or fewer than none.
        """
        if not 0 <= pace.connections <= QUOTA:
            raise RequestError(
                f"--connections {pace.connections}: expected 0 to {QUOTA}, for the service allows {QUOTA} connections "
                f"per account and refuses more for minutes. Write --connections {QUOTA} or less."
            )
        self._name = f"connections-{hashlib.sha256(account_key.encode()).hexdigest()[:16]}"
        self._pace = pace

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Wait for a slot and hold it.

        A connection that is interrupted (Ctrl-C, exit) lingers in any case.

        Raises:
            RequestError: no connection is allowed: remote sources are off; or the state folder cannot be written.
            TransientError: the others are held for hours.
        """
        if self._pace.connections == 0:
            raise AccountError(
                "--connections 0 turns remote sources off, but a product must be fetched. Write --connections 2, or "
                "put the product into the folder of --archive."
            )
        descriptor = self._wait()
        slot = Slot(descriptor)
        try:
            yield slot
        except Exception:
            raise
        except BaseException:
            slot.lingers()
            raise
        finally:
            try:
                _note(descriptor, _LINGERS if slot.broken_off else _FREE)
            finally:
                unlock_and_close(descriptor)

    def _wait(self) -> int:
        started = time.monotonic()
        note_at = started + _NOTE_AFTER_S
        while True:
            descriptor = self._take_any()
            if descriptor is not None:
                return descriptor
            time.sleep(random.uniform(_SHORTEST_WAIT_S, _LONGEST_WAIT_S))
            if time.monotonic() > started + _GIVE_UP_S:
                raise TransientError(
                    f"All {self._pace.connections} connections of the account have been held by others for more than "
                    f"{_GIVE_UP_S / 3600:.0f} hours. See whether a stopped senard is left over (ps), end it, and run "
                    f"the same command again."
                )
            if time.monotonic() > note_at:
                note_at += _NOTE_EVERY_S
                LOGGER.info(
                    "Waiting for one of %d connections for %.0f s: the others are open, or were broken off less than "
                    "%.0f s ago, which the service counts as open.",
                    self._pace.connections,
                    time.monotonic() - started,
                    self._pace.linger_s,
                )

    def _take_any(self) -> int | None:
        """The open, locked file of a slot that is free, or None."""
        folder = state_folder() / self._name
        numbers = list(range(self._pace.connections))
        random.shuffle(numbers)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            taken = (self._take(folder / str(number)) for number in numbers)
            return next((descriptor for descriptor in taken if descriptor is not None), None)
        except OSError as error:
            raise RequestError(
                f"{folder}, where senard counts connections, cannot be written: {error.strerror}. Free some space, or "
                f"set SENARD_STATE_DIR to a folder of your own on another local disk."
            ) from None

    def _take(self, path: Path) -> int | None:
        descriptor = open_private(path)
        taken = False
        try:
            if try_lock(descriptor, path):
                taken = self._is_free(descriptor, path)
                if taken:
                    _say(descriptor, _OPEN)
        finally:
            if not taken:
                unlock_and_close(descriptor)
        return descriptor if taken else None

    def _is_free(self, descriptor: int, path: Path) -> bool:
        said = os.pread(descriptor, _WORD_BYTES, 0).strip()
        if said == _FREE:
            return True
        since_s = folder_time(path.parent) - os.fstat(descriptor).st_mtime
        if since_s < -1.0:
            return True  # The clock was set back: waiting for it to catch up could take for ever.
        if said == _LINGERS:
            return since_s >= self._pace.linger_s
        longest_s = self._pace.linger_s + self._pace.read_timeout_s + 2 * _BEAT_S
        if said == _BEATS and since_s >= longest_s:
            return True
        # Killed, nobody knows when: it counts from now on, when it is first seen.
        _say(descriptor, _LINGERS)
        return self._pace.linger_s <= 0


def _say(descriptor: int, word: bytes) -> None:
    """Write a word over the one before, of the same length: that needs no room on a disk that is full by now."""
    os.pwrite(descriptor, word.ljust(_WORD_BYTES), 0)
    os.utime(descriptor)


def _note(descriptor: int, word: bytes) -> None:
    """Say it if the disk takes it: no download fails for the want of a note."""
    try:
        _say(descriptor, word)
    except OSError as error:
        LOGGER.debug("the state of a connection cannot be noted: %s", error.strerror)
