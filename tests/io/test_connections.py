"""Connections are counted over all processes."""

import contextlib
import errno
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from senard.errors import RequestError, TransientError
from senard.io import connections
from senard.io.connections import Connections
from senard.model.access import Pace

QUICK = Pace(connections=2, linger_s=0.3, read_timeout_s=5)
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SENARD_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(connections, "_SHORTEST_WAIT_S", 0.01)
    monkeypatch.setattr(connections, "_LONGEST_WAIT_S", 0.03)
    return tmp_path


def hold(pace: Pace, told: Connection, beating: bool) -> None:
    with Connections("ada", pace).slot() as slot:
        if beating:
            slot.alive()
        told.send(None)
        time.sleep(60)


def holder(pace: Pace, *, beating: bool = False) -> BaseProcess:
    """Another process that holds a slot."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=hold, args=(pace, there, beating), daemon=True)
    process.start()
    here.recv()
    return process


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join()


def is_free(pace: Pace, *, within_s: float = 5.0) -> bool:
    """Whether a slot can be had within that time, far less than it would linger."""
    taken = threading.Event()

    def take() -> None:
        # whoever waits in vain goes on waiting, perhaps into a test that shortens the wait
        with contextlib.suppress(TransientError), Connections("ada", pace).slot():
            taken.set()

    threading.Thread(target=take, daemon=True).start()
    return taken.wait(within_s)


def full(*_: object) -> int:
    """A disk without room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def waited_s(act: Callable[[], None]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def take(pace: Pace) -> None:
    with Connections("ada", pace).slot():
        pass


class TestSlots:
    """An account has as many connections as its quota, whoever uses them."""

    def test_are_never_more_than_the_pace_says(self) -> None:
        inside, most, lock = [0], [0], threading.Lock()

        def work() -> None:
            for _ in range(3):
                with Connections("ada", QUICK).slot():
                    with lock:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    time.sleep(0.005)
                    with lock:
                        inside[0] -= 1

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most[0] == 2

    def test_are_shared_with_other_processes(self) -> None:
        one = replace(QUICK, connections=1)
        other = holder(one)
        assert not is_free(one, within_s=0.15)
        assert is_free(replace(one, connections=2))
        kill(other)

    def test_of_another_account_are_others(self) -> None:
        one = replace(QUICK, connections=1)
        with Connections("ada", one).slot(), Connections("bob", one).slot():
            pass

    def test_are_free_at_once_after_a_good_end_or_an_error_that_was_read_to_its_end(self) -> None:
        long = replace(QUICK, connections=1, linger_s=60)
        take(long)
        with pytest.raises(ValueError, match="404"), Connections("ada", long).slot():
            raise ValueError("404")
        take(long)

    def test_linger_after_a_connection_was_broken_off(self) -> None:
        one = replace(QUICK, connections=1)
        with Connections("ada", one).slot() as slot:
            slot.lingers()
        assert waited_s(lambda: take(one)) >= 0.28

    def test_linger_after_an_interruption(self) -> None:
        one = replace(QUICK, connections=1)
        with pytest.raises(KeyboardInterrupt), Connections("ada", one).slot():
            raise KeyboardInterrupt
        assert waited_s(lambda: take(one)) >= 0.28

    def test_are_not_waited_for_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        one = replace(QUICK, connections=1)
        monkeypatch.setattr(connections, "_GIVE_UP_S", 0.05)
        with (
            Connections("ada", one).slot(),
            pytest.raises(TransientError, match=r"All 1 connections .* stopped senard is left over \(ps\)"),
        ):
            take(one)

    def test_want_a_disk_with_room_and_say_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections.os, "pwrite", full)
        with pytest.raises(RequestError, match=r"cannot be written: No space left on device\. Free some space"):
            take(QUICK)

    def test_end_well_on_a_disk_that_is_full_by_now(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Connections("ada", QUICK).slot() as slot:
            monkeypatch.setattr(connections.os, "pwrite", full)
            slot.alive()

    @pytest.mark.parametrize("beating", [False, True])
    def test_linger_after_a_kill(self, beating: bool) -> None:
        one = replace(QUICK, connections=1)
        kill(holder(one, beating=beating))
        assert waited_s(lambda: take(one)) >= 0.28
        assert is_free(replace(one, linger_s=60))

    def test_of_a_process_that_was_killed_long_ago_are_free(self, state: Path) -> None:
        one = replace(QUICK, connections=1, linger_s=60)
        kill(holder(one, beating=True))
        (file,) = state.glob("connections-*/0")
        os.utime(file, (0, time.time() - 100))
        assert is_free(one)

    def test_do_not_wait_for_a_clock_that_was_set_back(self, state: Path) -> None:
        one = replace(QUICK, connections=1, linger_s=60)
        with Connections("ada", one).slot() as slot:
            slot.lingers()
        (file,) = state.glob("connections-*/0")
        os.utime(file, (0, time.time() + 3600))
        assert is_free(one)

    def test_name_no_account_on_the_disk(self, state: Path) -> None:
        take(QUICK)
        assert not any("ada" in str(path) for path in state.rglob("*"))


class TestLimits:
    """More than the quota is refused, none means off, and long waits are told."""

    @pytest.mark.parametrize("number", [5, -1])
    def test_outside_of_the_quota_are_refused(self, number: int) -> None:
        with pytest.raises(RequestError, match=f"--connections {number}: expected 0 to 4.*4 connections per account"):
            Connections("ada", replace(QUICK, connections=number))

    def test_of_none_turn_the_source_off(self) -> None:
        with (
            pytest.raises(RequestError, match="--connections 0 turns remote sources off"),
            Connections("ada", replace(QUICK, connections=0)).slot(),
        ):
            pass

    def test_are_told_after_a_long_wait(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(connections, "_NOTE_AFTER_S", 0.05)
        caplog.set_level(logging.INFO, logger="senard")
        one = replace(QUICK, connections=1)
        with Connections("ada", one).slot() as slot:
            slot.lingers()
        take(one)
        assert len(caplog.records) == 1
        assert "Waiting for one of 1 connections" in caplog.text
