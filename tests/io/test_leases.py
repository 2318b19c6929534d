"""Who works in a folder."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from senard.io.leases import give_back_leases, holds_lease, others_at_work, take_lease


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """This process works nowhere."""
    yield
    give_back_leases()


@contextmanager
def other_command(root: Path, scenes: Path) -> Iterator[Callable[[], None]]:
    """Another process that works in a folder until the block ends; what comes kills it."""
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        give_back_leases()
        take_lease(root, scenes)
        os.write(ready[1], b".")
        os.close(done[1])
        os.read(done[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    alive = [True]

    def kill() -> None:
        if alive.pop():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        alive.append(False)

    try:
        yield kill
    finally:
        kill()
        for end in (*ready, *done):
            os.close(end)


class TestLeases:
    """In a folder"""

    def test_a_command_hears_of_all_others_and_not_of_itself(self, tmp_path: Path) -> None:
        mine, theirs = tmp_path / "mine.json", tmp_path / "theirs.json"
        with other_command(tmp_path, theirs):
            take_lease(tmp_path, mine)
            assert others_at_work(tmp_path, mine) == [theirs]
            assert others_at_work(tmp_path, mine) == [theirs]  # looking takes no lease away

    def test_one_that_was_killed_works_no_more(self, tmp_path: Path) -> None:
        mine, theirs = tmp_path / "mine.json", tmp_path / "theirs.json"
        with other_command(tmp_path, theirs) as kill:
            take_lease(tmp_path, mine)
            kill()
            assert others_at_work(tmp_path, mine) == []
        assert len(list((tmp_path / ".leases").glob("*.lease"))) == 1  # nor does its lease lie about

    def test_a_second_command_on_the_same_list_is_another_one(self, tmp_path: Path) -> None:
        mine = tmp_path / "mine.json"
        take_lease(tmp_path, mine)
        give_back_leases()
        with other_command(tmp_path, mine) as kill:
            take_lease(tmp_path, mine)
            assert others_at_work(tmp_path, mine) == [mine]
            kill()
            assert others_at_work(tmp_path, mine) == []
            assert holds_lease(tmp_path, mine)

    def test_the_forked_processes_of_a_command_are_the_command(self, tmp_path: Path) -> None:
        """They outlive a command that is killed for a moment, and go on working then."""
        mine, theirs = tmp_path / "mine.json", tmp_path / "theirs.json"
        take_lease(tmp_path, theirs)
        done = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(done[1])
            os.read(done[0], 1)
            os._exit(0)
        from senard.io import leases

        descriptor = leases._held.popitem()[1]
        os.close(descriptor)  # as the kernel does when the command is killed
        take_lease(tmp_path, mine)
        try:
            assert others_at_work(tmp_path, mine) == [theirs]
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        assert others_at_work(tmp_path, mine) == []
        for end in done:
            os.close(end)
