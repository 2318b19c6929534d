"""The one display of `senard mosaic`."""

import io
import logging
import os
import re
from collections.abc import Iterator

import pytest

from workflows import progress
from workflows.estimate import Estimate, Planned
from workflows.meter import Meter, Reading
from workflows.progress import Display, TransferLog, tell, tell_bytes


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

    def test_tells_when_the_run_will_end_as_soon_as_that_can_be_told(self, display: Display) -> None:
        display.estimate = Estimate()
        display.estimate.plan(
            Planned(kind="MaskScene", label=f"MaskScene {name}", cost_s=cost_s, stage=1)
            for name, cost_s in (("S2A", 1e-9), ("S2B", 7200.0))
        )
        display.begin("MaskScene S2A", "MaskScene")
        display.finish("a", "MaskScene S2A", fresh=True)
        display.begin("MaskScene S2B", "MaskScene")
        display.estimate._started = -1e6  # most of the run lies behind
        tell("MaskScene S2B", 0)
        display.listen()
        first, second = told(display).splitlines()
        assert first == "1/1 MaskScene S2A"
        assert re.fullmatch(r"1/1 MaskScene S2B 0 %, in all \d:\d\d:\d\d left", second)

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


class TestDownloads:
    """How far downloads are"""

    @pytest.fixture(autouse=True)
    def every_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No line is held back."""
        monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)

    def test_is_told_of_each_and_of_all(self, display: Display) -> None:
        for name in ("DownloadProduct S2A", "DownloadProduct S2B"):
            display.add(name)
            display.expect(name, 10_000_000)
        tell_bytes("DownloadProduct S2A", Reading(done=4_000_000, total=10_000_000, bytes_s=2e6))
        assert told(display) == (
            "0/2 DownloadProduct S2A: 4.0 of 10.0 MB, 2.0 MB/s, 0:03 left\nall downloads: 4.0 of 20.0 MB\n"
        )

    def test_counts_only_what_this_run_fetches(self, display: Display) -> None:
        for name in ("old", "new", "newer"):
            display.add(name)
            display.expect(name, 10_000_000)
        display.finish("old", "old", fresh=False)
        tell_bytes("new", Reading(done=10_000_000, total=10_000_000, bytes_s=None))
        display.finish("new", "new", fresh=True)
        display.finish("new", "new", fresh=False)  # asked again by a task that is run anew
        display._meter = Meter()
        tell_bytes("newer", Reading(done=1_000_000, total=10_000_000, bytes_s=None))
        assert told(display).splitlines()[-1] == "all downloads: 11.0 of 20.0 MB"

    def test_counts_what_workers_told_just_before_their_downloads_ended(self, display: Display) -> None:
        for name in ("a", "b", "c"):
            display.add(name)
            display.expect(name, 10_000_000)
        display.process = 0  # the workers are others, whom nobody hears between two looks
        for name in ("a", "b"):
            tell_bytes(name, Reading(done=10_000_000, total=10_000_000, bytes_s=None))
        for name in ("a", "b"):
            display.finish(name, name, fresh=True)
        display.listen()
        assert "all downloads: 10.0 of 30.0 MB" in told(display)

    def test_is_all_that_is_told_beside_luigis_own_log(self, caplog: pytest.LogCaptureFixture) -> None:
        log = TransferLog(io.StringIO())
        try:
            with caplog.at_level(logging.INFO, "senard"):
                log.add("a")
                tell("MaskScene S2A", 40)
                tell_bytes("DownloadProduct S2A", Reading(done=1_000_000, total=2_000_000, bytes_s=None))
                log.finish("a", "DownloadProduct S2A", fresh=True)
                log.fail("DownloadProduct S2B", "it is on tape.", again_in_s=600)
        finally:
            log.close()
        assert caplog.messages == [
            "0/1 DownloadProduct S2A: 1.0 of 2.0 MB",
            "DownloadProduct S2B: it is on tape. (asked again in 10:00)",
        ]
        assert told(log) == ""
