"""What a run took: figures that depend on when and where a mosaic was made."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFigures:
    """What all tasks of one kind took together."""

    kind: str
    """Class of the tasks: "MaskScene"."""

    tasks: int
    """How many were done."""

    seconds: float
    """Time that they took, each for itself, s; of tasks side by side it is more than passed."""

    cpu_seconds: float
    """CPU time that they took, s."""

    bytes_read: int | None
    """Bytes that they read, from disk cache, disk or network; None where the system does not tell."""

    jp2_tiles: int
    """Internal tiles of JPEG 2000 images that they decoded, wholly or in part."""

    peak_memory_bytes: int
    """Largest resident memory of a process that did one, until then, bytes: one process that does all tasks in turn
    remembers what earlier ones needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """What depends on when and where the mosaic was made: it goes into run.json and nowhere else."""

    started: datetime | None = None
    """When the run began, timezone-aware UTC."""

    finished: datetime | None = None
    """When it ended, timezone-aware UTC."""

    seconds: float | None = None
    """Wall-clock time of the run, s."""

    cpu_seconds: float | None = None
    """CPU time of the run, all its processes, s."""

    peak_memory_bytes: int | None = None
    """Largest resident memory of one process, bytes."""

    bytes_read: int | None = None
    """Bytes that all its processes read, from disk cache, disk or network; None where the system does not tell."""

    jp2_tiles: int | None = None
    """Internal tiles of JPEG 2000 images that were decoded, wholly or in part."""

    disk_at_start_bytes: int | None = None
    """What lay in work folder, download folder and product folder when the run began, bytes."""

    peak_disk_bytes: int | None = None
    """The most that lay there whenever a task was done, bytes."""

    workers: int | None = None
    """Processes that worked at once."""

    hosts: tuple[str, ...] = ()
    """Names of the machines that took part."""

    command: tuple[str, ...] = ()
    """The command as it was typed."""

    kinds: tuple[KindFigures, ...] = ()
    """The same by kind of task, in the order in which the first of each was done."""
