"""How far a download is, how fast it goes and how long it will take."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_S = 20.0
"""Speed is taken over so many seconds: shorter jumps, longer lags behind a stall."""

EVERY_S = 1.0
"""Between two readings, s: a download tells after every chunk, some hundred times a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at the meter."""

    done: int
    """Bytes that are here."""

    total: int
    """Bytes in all; 0 means unknown."""

    bytes_s: float | None
    """Speed, bytes per second; None where nothing has been measured yet."""

    @property
    def percent(self) -> int:
        """How far it is, 0-100; 0 where the total is unknown."""
        return min(100, 100 * self.done // self.total) if self.total else 0

    @property
    def remaining_s(self) -> float | None:
        """Time that the rest will take, s; None where that cannot be said."""
        if not self.total or not self.bytes_s:
            return None
        return max(0, self.total - self.done) / self.bytes_s

    @property
    def text(self) -> str:
        """For a person: "412 of 1100 MB, 18.2 MB/s, 0:38 left"."""
        unit, name = (1e9, "GB") if max(self.done, self.total) >= 10e9 else (1e6, "MB")
        digits = 1 if max(self.done, self.total) < 100 * unit else 0
        amount = f"{self.done / unit:.{digits}f}" + (f" of {self.total / unit:.{digits}f}" if self.total else "")
        told = [f"{amount} {name}"]
        if self.bytes_s is not None:
            told.append(f"{self.bytes_s / 1e6:.1f} MB/s")
        if self.remaining_s is not None and self.done < self.total:
            told.append(f"{clock_text(self.remaining_s)} left")
        return ", ".join(told)


class Meter:
    """Takes what a download tells, and gives a reading now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin.

        Args:
            clock: seconds from any start.
        """
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque()
        self._read_at = -EVERY_S

    def read(self, done: int, total: int) -> Reading | None:
        """Take how far it is.

        Args:
            done: bytes that are here; what an earlier run has left counts, but not as speed.
            total: bytes in all; 0 means unknown.

        Returns:
            A reading at most every `EVERY_S`, and whenever all is here; else None.
        """
        now = self._clock()
        if now - self._read_at < EVERY_S and done != total:
            return None
        self._read_at = now
        if self._samples and done < self._samples[-1][1]:  # begun anew, perhaps from another source
            self._samples.clear()
        self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()
        first_at, first_done = self._samples[0]
        speed = (done - first_done) / (now - first_at) if now > first_at else None
        return Reading(done=done, total=total, bytes_s=speed)


class Totals:
    """What all fetches of one command brought."""

    def __init__(self) -> None:
        self._bytes: Counter[str] = Counter()
        self._spans: list[tuple[float, float]] = []

    def add(self, product_id: str, size: int, began: float, ended: float) -> None:
        """Count one fetch; one that brought nothing found all in its place.

        Args:
            product_id: of which product.
            size: what it brought, bytes.
            began: when it began, s from any start.
            ended: when it ended, s from the same start.
        """
        if size > 0:
            self._bytes[product_id] += size
            self._spans.append((began, ended))

    @property
    def products(self) -> frozenset[str]:
        """Products of which something was brought."""
        return frozenset(self._bytes)

    @property
    def size(self) -> int:
        """What was brought, bytes."""
        return self._bytes.total()

    @property
    def seconds(self) -> float:
        """Time in which something was being fetched, s: pauses do not count, and what went side by side counts once."""
        seconds, until = 0.0, float("-inf")
        for began, ended in sorted(self._spans):
            seconds += max(0.0, ended - max(began, until))
            until = max(until, ended)
        return seconds

    @property
    def text(self) -> str:
        """For a person: "2204.1 MB in 121.4 s, 18.2 MB/s"."""
        speed = f", {self.size / self.seconds / 1e6:.1f} MB/s" if self.seconds else ""
        return f"{self.size / 1e6:.1f} MB in {self.seconds:.1f} s{speed}"


def clock_text(seconds: float) -> str:
    """A span as a person reads it: "0:38", "1:02:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
