"""Which scenes a mosaic was chosen from, which of them win, and which were refused once they were decoded."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from senard.algorithms.scene_parts import first_alike, share_that_supplies
from senard.io.results import read_result
from senard.io.sources_file import read_source_counts, read_spared
from senard.model.grid import Tile
from senard.model.request import Method
from senard.model.scene import Sentinel2Scene
from workflows.paths import ChoicePaths, WorkPaths, without_key
from workflows.targets import FileTarget


def read_refusals(target: FileTarget) -> dict[int, str]:
    """Source numbers that were refused, ascending, and why; none where there is no file, or a stamp outdates it.

    Raises:
        IncompleteError: the file is damaged.
    """
    return read_result(target.path, _refusals, delete=target.path) if target.exists() else {}


def _refusals(entries: Mapping[str, str]) -> dict[int, str]:
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
    """What the settled source maps do without.

    Raises:
        IncompleteError: nothing is settled, or the file is damaged.
    """
    path = choice.settled_without
    return read_result(path, _settled, delete=path, maker="SettleScenes")


def _settled(values: Mapping[str, Sequence[int]]) -> Settled:
    return Settled(**{name: tuple(numbers) for name, numbers in values.items()})


def share_of_parts(
    paths: WorkPaths, mosaic: str, without: Sequence[int], used: Sequence[int], scenes: Sequence[Sentinel2Scene]
) -> float:
    """Share of the used scenes' internal tiles that supply pixels; 1 where none is spared.

    Args:
        paths: of the work folder.
        mosaic: product_id.
        without: source numbers of scenes that cannot be used.
        used: source numbers of scenes that supply pixels.
        scenes: every kept scene.
    """
    path = paths.spared(mosaic, without_key(without))
    parts = read_spared(path).parts if path.is_file() else None
    return 1.0 if parts is None else share_that_supplies(parts, used, first_alike(scenes))


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
