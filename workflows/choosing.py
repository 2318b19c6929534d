"""Which scenes a mosaic was chosen from, which of them win, and which were refused once they were decoded."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from senard.io.sources_file import read_source_counts
from senard.model.grid import Tile
from senard.model.request import Method
from workflows.paths import ChoicePaths, WorkPaths, without_key
from workflows.targets import FileTarget


def read_refusals(target: FileTarget) -> dict[int, str]:
    """Source numbers that were refused, ascending, and why; none where there is no file, or a stamp outdates it."""
    if not target.exists():
        return {}
    entries: dict[str, str] = json.loads(target.path.read_text(encoding="utf-8"))
    return {int(number): entries[number] for number in sorted(entries, key=int)}


def write_refusals(path: Path, refusals: Mapping[int, str]) -> None:
    """Write what `read_refusals` reads."""
    with FileTarget(path).temporary_path() as partial:
        partial.write_text(json.dumps(refusals, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def numbers_text(numbers: Iterable[int]) -> str:
    """Source numbers as the text of a task's parameter: "3,12"."""
    return ",".join(str(number) for number in sorted(numbers))


def numbers_of(text: str) -> list[int]:
    """Source numbers in the text of a task's parameter."""
    return [int(number) for number in text.split(",") if number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the source maps of a mosaic do without."""

    without: tuple[int, ...]
    """Source numbers of scenes that cannot be used, ascending."""

    spared: tuple[int, ...]
    """Source numbers of scenes that are not worth reading, ascending."""

    idle: tuple[int, ...] = ()
    """Those of them that would supply nothing anyway, ascending."""


def write_settled(path: Path, settled: Settled) -> None:
    """Write what `read_settled` reads."""
    with FileTarget(path).temporary_path() as partial:
        partial.write_text(json.dumps(asdict(settled)) + "\n", encoding="utf-8")


def read_settled(choice: ChoicePaths) -> Settled:
    """What the settled source maps do without."""
    values: dict[str, list[int]] = json.loads(choice.settled_without.read_text(encoding="utf-8"))
    return Settled(**{name: tuple(numbers) for name, numbers in values.items()})


def settled_sources(paths: WorkPaths, mosaic: str, choice: ChoicePaths, tiles: Sequence[Tile]) -> list[Path]:
    """Folders of the source maps that SettleScenes decided for, in the order of `tiles`."""
    settled = read_settled(choice)
    key = without_key(settled.without, settled.spared)
    return [paths.sources(mosaic, key, tile.index) for tile in tiles]


def delivered_sources(
    paths: WorkPaths, mosaic: str, choice: ChoicePaths, tiles: Sequence[Tile], method: Method
) -> list[Path]:
    """Folders of the source maps that the mosaic states, in the order of `tiles`: from `settled_sources`, or, where a
    method reads several scenes of a pixel, those that name the nearest of them."""
    if method.reads_all:
        return [choice.blend(tile.index, 20) for tile in tiles]
    return settled_sources(paths, mosaic, choice, tiles)


def winning_sources(folders: Sequence[Path]) -> list[int]:
    """Source numbers whose bands these source maps ask for, ascending."""
    return sorted({number for folder in folders for number in read_source_counts(folder).suppliers})
