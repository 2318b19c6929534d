"""What this process has used until now."""

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from senard.io.jp2 import decoded_jp2_tiles


def available_cores() -> int:
    """Cores that this process may use; all of the machine's where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One look at the process that does tasks: two of them tell what lay between."""

    cpu_seconds: float
    """CPU time, all threads, s."""

    peak_memory_bytes: int
    """Largest resident memory, bytes."""

    bytes_read: int | None
    """Bytes that it asked of files and sockets, whether or not the system's cache had them; None where the system does
    not tell."""

    jp2_tiles: int
    """Internal tiles of JPEG 2000 images that it decoded."""

    @classmethod
    def now(cls) -> "Gauge":
        """A look at this process."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return cls(
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_memory_bytes=usage.ru_maxrss * 1024,
            bytes_read=_bytes_read(),
            jp2_tiles=decoded_jp2_tiles(),
        )


def _bytes_read() -> int | None:
    try:
        fields = Path("/proc/self/io").read_text(encoding="ascii").split()
        return int(fields[fields.index("rchar:") + 1])
    except (OSError, ValueError):
        return None
