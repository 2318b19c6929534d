"""What a person sees while a job runs: one display, fed by every process of the run."""

import contextlib
import json
import logging
import os
import sys
import time
from typing import Never, TextIO

from tqdm import tqdm

from workflows.estimate import Estimate
from workflows.meter import Meter, Reading, Totals, clock_text

LOGGER = logging.getLogger("senard")

_CHANNEL: tuple[int, int] | None = None
"""Read and write end of the pipe from forked workers to the display; None where nobody looks."""

_SHOWN: "Display | None" = None
"""The display; forked workers hold a copy that they leave alone."""

LONGEST = 200
"""Characters of a label that are told: a line stays below PIPE_BUF, 4096 bytes."""

LINE_EVERY_S = 10.0
"""Without a terminal, a line about percentages appears at most this often, s."""


def tell(task: str, percent: int) -> None:
    """Let the display know how far a task is; silent where nobody looks.

    Args:
        task: what the task does, for a person.
        percent: 0-100.
    """
    label = task[:LONGEST]
    _send({"task": label, "text": f"{label} {percent} %", "percent": percent})


def tell_bytes(task: str, reading: Reading) -> None:
    """Let the display know how far a download is; silent where nobody looks.

    Args:
        task: what the task does, for a person.
        reading: bytes and speed.
    """
    label = task[:LONGEST]
    _send({"task": label, "text": f"{label}: {reading.text}", "done": reading.done, "total": reading.total})


def tell_fetched(product_id: str, size: int, began: float) -> None:
    """Let the display know that a fetch has ended, well or not; silent where nobody looks.

    Args:
        product_id: of which product.
        size: what this fetch brought, bytes.
        began: when it began, `time.monotonic()`, which all processes of a host share.
    """
    _send({"fetched": product_id, "size": size, "began": began, "ended": time.monotonic()})


def _send(told: dict[str, object]) -> None:
    """A write below PIPE_BUF is whole or absent and needs no lock: a worker killed in the middle blocks nobody."""
    if _CHANNEL is None:
        return
    line = json.dumps(told).encode() + b"\n"
    with contextlib.suppress(BlockingIOError):  # the display lags behind: the next figure will do
        os.write(_CHANNEL[1], line)
    if _SHOWN is not None and _SHOWN.process == os.getpid():  # the only process works and shows in turn
        _SHOWN.listen()


class Display:
    """Counts tasks and bytes; draws bars on a terminal, writes plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        global _CHANNEL, _SHOWN
        self.stream = stream or sys.stderr
        self.known: set[str] = set()
        self.done: set[str] = set()
        self.process = os.getpid()
        self.estimate: Estimate | None = None
        """Predicts the end of the run; None where nobody does."""
        self._rest = b""
        self._last_line = 0.0
        self._expected: dict[str, int] = {}
        self._here: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self.totals = Totals()
        self._meter = Meter()
        self._overall = ""
        self._bars: tuple[tqdm[Never], tqdm[Never] | None] | None = None
        _CHANNEL, _SHOWN = os.pipe2(os.O_NONBLOCK), self

    def close(self) -> None:
        """Leave the terminal to others."""
        global _CHANNEL, _SHOWN
        for bar in reversed(self._bars or ()):
            if bar is not None:
                bar.close()
        if _CHANNEL is not None:
            for end in _CHANNEL:
                os.close(end)
            _CHANNEL = _SHOWN = None

    def add(self, task_id: str) -> None:
        """A task is known; it counts in the total."""
        self.process = os.getpid()  # not yet known when the display was made, if the run went to the background since
        self.known.add(task_id)
        self._draw()

    def expect(self, label: str, size: int) -> None:
        """A download is known; its bytes count in the total. 0 means unknown."""
        if size:
            self._expected.setdefault(label, size)

    def begin(self, label: str, kind: str) -> None:
        """A task begins; again after each thing that it waited for."""
        if self.estimate is not None:
            self.estimate.began(label[:LONGEST], kind, time.monotonic())

    def wait(self, label: str) -> None:
        """A task that had begun waits for others, or will be tried again."""
        if self.estimate is not None:
            self.estimate.waits(label[:LONGEST])

    def finish(self, task_id: str, label: str, *, fresh: bool) -> None:
        """A task is done: just now (`fresh`), or since an earlier run."""
        self.listen()  # what it told before its end counts
        self.known.add(task_id)
        if task_id in self.done:
            return
        self.done.add(task_id)
        if self.estimate is not None:
            self.estimate.done(label[:LONGEST], time.monotonic())
        self._told.pop(label, None)
        if label not in self._here:  # what was here before is no part of this run's bytes
            self._expected.pop(label, None)
        if fresh:
            self._say(label)
        self._draw()

    def fail(self, label: str, message: str, *, again_in_s: float | None = None) -> None:
        """A task failed and will be tried again, soon or after a pause."""
        when = "" if again_in_s is None else f" in {clock_text(again_in_s)}"
        self.note(f"{label}: {message} (will be tried again{when})")

    def note(self, text: str) -> None:
        """One line that stays."""
        if self._bars is not None:
            self._bars[0].write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def listen(self) -> None:
        """Show what workers told since the last call."""
        if _CHANNEL is None:
            return
        try:
            self._rest += os.read(_CHANNEL[0], 65536)
        except BlockingIOError:
            return
        *lines, self._rest = self._rest.split(b"\n")
        entries = [json.loads(line) for line in lines]
        for entry in entries:
            if "fetched" in entry:
                self.totals.add(entry["fetched"], entry["size"], entry["began"], entry["ended"])
        told = [entry for entry in entries if "task" in entry]
        for entry in told:
            self._told[entry["task"]] = entry["text"]
            share = entry["percent"] / 100 if "percent" in entry else entry["done"] / max(entry["total"], 1)
            if self.estimate is not None and share <= 1:  # no more than all: of an unknown total nothing is said
                self.estimate.share(entry["task"], share, time.monotonic())
            if "done" in entry:
                self._take(entry["task"], entry["done"], entry["total"])
        if told:
            self._show(told[-1]["text"])

    def _take(self, label: str, done: int, total: int) -> None:
        """Count the bytes of one download in those of all."""
        self._here[label] = done
        self._expected[label] = max(total, done, 0 if total else self._expected.get(label, 0))
        reading = self._meter.read(sum(self._here.values()), sum(self._expected.values()))
        if reading is None:
            return
        self._overall = reading.text
        if self._bars is not None:
            self._draw_bytes(reading)

    def _say(self, label: str) -> None:
        """A step is done."""
        if self._terminal():
            self._bar().set_postfix_str(self._with_end(label), refresh=False)
        else:
            print(self._with_end(f"{len(self.done)}/{len(self.known)} {label}"), file=self.stream, flush=True)

    def _with_end(self, text: str) -> str:
        """The same with the time until the end, as soon as it can be told."""
        left = self.estimate.text(time.monotonic()) if self.estimate is not None else ""
        return f"{text}, in all {left}" if left else text

    def _show(self, text: str) -> None:
        """How far a step is: the last one on a terminal, each that told something in a log, and all downloads."""
        if self._terminal():
            self._bar().set_postfix_str(self._with_end(text))
        elif time.monotonic() - self._last_line >= LINE_EVERY_S:
            self._last_line = time.monotonic()
            for line in self._told.values():
                self._line(self._with_end(f"{len(self.done)}/{len(self.known)} {line}"))
            if self._told.keys() & self._here.keys() and len(self._expected) > 1:
                self._line(f"all downloads: {self._overall}")
            self._told.clear()

    def _line(self, text: str) -> None:
        """One line about what is going on."""
        print(text, file=self.stream, flush=True)

    def _terminal(self) -> bool:
        """Whether bars can be drawn."""
        return self.stream.isatty()

    def _bar(self) -> "tqdm[Never]":
        """The bar of tasks; made when there is something to show: before that, the run may leave the terminal."""
        if self._bars is None:
            bar_format = "{desc}: {n_fmt}/{total_fmt} tasks |{bar}| {elapsed}{postfix}"
            self._bars = tqdm(file=self.stream, total=0, desc="senard", bar_format=bar_format), None
        return self._bars[0]

    def _draw(self) -> None:
        if self._terminal():
            bar = self._bar()
            bar.total, bar.n = len(self.known), len(self.done)
            bar.refresh()

    def _draw_bytes(self, reading: Reading) -> None:
        """The bar of bytes, below that of tasks."""
        tasks, bar = self._bars or (self._bar(), None)
        if bar is None:
            bar = tqdm(file=self.stream, total=0, desc="fetched", position=1, bar_format="{desc}: |{bar}|{postfix}")
            self._bars = tasks, bar
        bar.total, bar.n = reading.total, reading.done
        bar.set_postfix_str(reading.text)


class TransferLog(Display):
    """For a run that Luigi itself logs: only how far downloads are, as lines of the log."""

    def fail(self, label: str, message: str, *, again_in_s: float | None = None) -> None:
        """Only a pause is worth a word."""
        if again_in_s is not None:
            LOGGER.info("%s: %s (asked again in %s)", label, message, clock_text(again_in_s))

    def _say(self, label: str) -> None:
        """Luigi says so itself."""

    def _line(self, text: str) -> None:
        if self._here:
            LOGGER.info("%s", text)

    def _terminal(self) -> bool:
        return False
