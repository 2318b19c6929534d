"""What a person sees while a mosaic is made: one display, fed by every process of the run."""

import json
import os
import sys
import time
from typing import TextIO

from tqdm import tqdm

_CHANNEL: tuple[int, int] | None = None
"""Read and write end of the pipe from forked workers to the display; None where nobody looks."""

LINE_EVERY_S = 10.0
"""Without a terminal, a line about percentages appears at most this often, s."""


def tell(task: str, percent: int) -> None:
    """Let the display know how far a task is; silent where nobody looks.

    A write below PIPE_BUF is whole or absent and needs no lock: a worker killed in the middle blocks nobody.

    Args:
        task: what the task does, for a person.
        percent: 0-100.
    """
    if _CHANNEL is None:
        return
    line = json.dumps([task[:200], percent]).encode() + b"\n"
    try:
        os.write(_CHANNEL[1], line)
    except BlockingIOError:  # the display lags behind: the next figure will do
        return


class Display:
    """Counts tasks; draws a bar on a terminal, writes plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        global _CHANNEL
        self.stream = stream or sys.stderr
        self.known: set[str] = set()
        self.done: set[str] = set()
        self._rest = b""
        self._last_line = 0.0
        _CHANNEL = os.pipe2(os.O_NONBLOCK)
        bar_format = "{desc}: {n_fmt}/{total_fmt} tasks |{bar}| {elapsed}{postfix}"
        self._bar = (
            tqdm(file=self.stream, total=0, desc="senard", bar_format=bar_format) if self.stream.isatty() else None
        )

    def close(self) -> None:
        """Leave the terminal to others."""
        global _CHANNEL
        if self._bar is not None:
            self._bar.close()
        if _CHANNEL is not None:
            for end in _CHANNEL:
                os.close(end)
            _CHANNEL = None

    def add(self, task_id: str) -> None:
        """A task is known; it counts in the total."""
        self.known.add(task_id)
        self._draw()

    def finish(self, task_id: str, label: str, *, fresh: bool) -> None:
        """A task is done: just now (`fresh`), or since an earlier run."""
        self.known.add(task_id)
        if task_id in self.done:
            return
        self.done.add(task_id)
        if fresh:
            self._say(label)
        self._draw()

    def fail(self, label: str, message: str, *, again: bool) -> None:
        """A task failed."""
        self.note(f"{label}: {message}{' (will be tried again)' if again else ''}")

    def note(self, text: str) -> None:
        """One line that stays."""
        if self._bar is not None:
            self._bar.write(text, file=self.stream)
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
        if lines:
            task, percent = json.loads(lines[-1])
            self._show(f"{task} {percent} %")

    def _say(self, label: str) -> None:
        """A step is done."""
        if self._bar is not None:
            self._bar.set_postfix_str(label, refresh=False)
        else:
            print(f"{len(self.done)}/{len(self.known)} {label}", file=self.stream, flush=True)

    def _show(self, text: str) -> None:
        """How far a step is."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)
        elif time.monotonic() - self._last_line >= LINE_EVERY_S:
            self._last_line = time.monotonic()
            print(f"{len(self.done)}/{len(self.known)} {text}", file=self.stream, flush=True)

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.total = len(self.known)
            self._bar.n = len(self.done)
            self._bar.refresh()
