"""The one display of `senard mosaic`."""

import io
import os
from collections.abc import Iterator

import pytest

from workflows import progress
from workflows.progress import Display, tell


@pytest.fixture
def display() -> Iterator[Display]:
    """A display that writes lines, as into a file."""
    shown = Display(io.StringIO())
    yield shown
    shown.close()


def told(display: Display) -> str:
    stream = display.stream
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


class TestDisplay:
    """Without a terminal the display"""

    def test_writes_a_line_for_each_finished_task(self, display: Display) -> None:
        for task in ("a", "b", "c"):
            display.add(task)
        display.finish("a", "QueryScenes helsinki", fresh=True)
        display.finish("b", "MaskScene S2B", fresh=False)
        display.finish("c", "CompositeTile 0 at 10 m", fresh=True)
        assert told(display) == "1/3 QueryScenes helsinki\n3/3 CompositeTile 0 at 10 m\n"

    def test_counts_a_task_once(self, display: Display) -> None:
        display.finish("a", "QueryScenes", fresh=True)
        display.finish("a", "QueryScenes", fresh=True)
        assert told(display) == "1/1 QueryScenes\n"

    def test_hears_from_workers_in_processes_of_their_own(self, display: Display) -> None:
        display.add("a")
        worker = os.fork()
        if worker == 0:
            tell("SelectSources 0", 40)
            os._exit(0)
        os.waitpid(worker, 0)
        display.listen()
        assert told(display) == "0/1 SelectSources 0 40 %\n"

    def test_blocks_no_worker_when_it_does_not_listen(self, display: Display) -> None:
        for _ in range(5000):
            tell("SelectSources 0 " + "x" * 100, 40)
        display.listen()
        assert "40 %" in told(display)

    def test_leaves_no_door_open(self) -> None:
        Display(io.StringIO()).close()
        assert progress._CHANNEL is None
        tell("nobody listens", 1)
