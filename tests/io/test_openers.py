"""Asking for a file over one of the account's connections."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from senard.errors import TransientError
from senard.io.connections import Connections
from senard.io.http import Http
from senard.io.openers import open_url
from senard.io.state import unlock_and_close
from senard.io.transfer import RemoteFile, fetch_file
from senard.model.access import Pace
from tests.io.loopback import Answer, Loopback

PACE = Pace(connections=1, linger_s=60, connect_timeout_s=2, read_timeout_s=0.1)


@pytest.fixture
def unused() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def lingers(address: str) -> bool:
    """Whether the connection counts as open after a question that fails."""
    connections = Connections("ada", PACE)
    ask = open_url(Http(PACE), address, "the file", connections=connections)
    with pytest.raises(TransientError), ask({}):
        pass
    return is_counted(connections)


def lingers_after(fetched: Path, answer: Answer, *, size_bytes: int = 0, least_bytes: int = 0) -> bool:
    """Whether the connection counts as open after a file has arrived; each file has an account of its own."""
    connections = Connections(fetched.name, PACE)
    with Loopback(lambda _: answer) as server:
        ask = open_url(Http(PACE), server.address, "the file", connections=connections)
        file = RemoteFile(what="the file", open=ask, size_bytes=size_bytes, least_bytes=least_bytes)
        fetch_file(file, fetched, PACE)
    assert fetched.read_bytes() == b"PK whole"
    return is_counted(connections)


def is_counted(connections: Connections) -> bool:
    """Whether none is free; one taken to see that counts for `linger_s` afterwards, as if its holder were killed."""
    descriptor = connections._take_any()
    if descriptor is not None:
        unlock_and_close(descriptor)
    return descriptor is None


class TestAConnection:
    """A connection"""

    def test_lingers_where_a_question_was_never_answered(self) -> None:
        silent = threading.Event()

        def answer(_: object) -> Answer:
            silent.wait(10)
            return Answer()

        with Loopback(answer) as server:
            assert lingers(server.address)
            silent.set()

    def test_lingers_where_only_its_end_ended_a_file_of_unknown_length(self, tmp_path: Path) -> None:
        assert lingers_after(tmp_path / "a.bin", Answer(pieces=(b"PK whole",), length=-1))

    def test_does_not_where_the_length_is_known_from_elsewhere(self, tmp_path: Path) -> None:
        unstated = Answer(pieces=(b"PK whole",), length=-1)
        assert not lingers_after(tmp_path / "a.bin", unstated, size_bytes=8)
        assert not lingers_after(tmp_path / "b.bin", unstated, least_bytes=8)

    def test_does_not_where_a_file_arrived_in_its_stated_length(self, tmp_path: Path) -> None:
        assert not lingers_after(tmp_path / "a.bin", Answer(pieces=(b"PK whole",)))

    def test_does_not_where_nobody_could_be_asked(self, unused: str) -> None:
        assert not lingers(unused)
