"""The product folder: which files a call asks for, their checksums, and whether they are whole.

SHA256SUMS is written last and marks the folder as complete. It is the text that `sha256sum -c` reads; run.json, which
differs from run to run, is not in it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from senard.errors import IncompleteError
from senard.io.atomic import partial_file
from senard.model.grid import Tile
from senard.model.labels import LAYER_PROFILES

SUMS = "SHA256SUMS"
RUN = "run.json"
SCENES = "scenes.csv"
TILES = "tiles.geojson"
REPORT = "report.html"
QUICKLOOK = "quicklook.png"
QUICKLOOK_WORLD = "quicklook.pgw"
DATE_MAP = "acquisition_date.png"

_UNLISTED = frozenset({SUMS, RUN})
_SIDE_FILE = ".aux.xml"
"""GDAL and QGIS write statistics beside a raster when somebody looks at it; they belong to the viewer."""

_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^\\]+)")


class ProblemKind(Enum):
    """What is wrong with one file of a product."""

    MISSING = "missing"
    """SHA256SUMS lists it, the folder does not hold it."""

    CHANGED = "changed"
    """Its bytes are not those that SHA256SUMS was written for."""

    UNLISTED = "unlisted"
    """The folder holds it, SHA256SUMS does not list it."""

    UNREADABLE = "unreadable"
    """It cannot be read, or it is a line of SHA256SUMS that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One file of a product that is not as SHA256SUMS says."""

    kind: ProblemKind
    """What is wrong."""

    name: str
    """Name inside the folder: "layers/0_QA_20.tif"."""

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.name}"


def mosaic_file(index: int, gsd: int) -> str:
    """Name of one tile's mosaic file: "0_10.tif"."""
    return f"{index}_{gsd}.tif"


def layer_file(index: int, layer: str, gsd: int) -> str:
    """Name of one tile's layer: "layers/0_QA_20.tif"."""
    return f"layers/{index}_{layer}_{gsd}.tif"


def index_files(gsd: int) -> tuple[str, str]:
    """Names of the VRT over all tiles and of its QGIS style: "mosaic_10.vrt", "mosaic_10.qml"."""
    return f"mosaic_{gsd}.vrt", f"mosaic_{gsd}.qml"


def layer_index_files(layer: str, gsd: int) -> tuple[str, str]:
    """Names of the VRT over a layer of all tiles and of its QGIS style: "layers/QA_20.vrt", "layers/QA_20.qml"."""
    return f"layers/{layer}_{gsd}.vrt", f"layers/{layer}_{gsd}.qml"


def expected_files(tiles: Sequence[Tile], resolutions: Iterable[int], layers: Iterable[str] = ()) -> tuple[str, ...]:
    """Every file that a call asks for, run.json and SHA256SUMS excepted.

    Args:
        tiles: all tiles of the mosaic.
        resolutions: pixel sides asked for, m: (10, 20).
        layers: names of LAYER_PROFILES asked for: ("SCL",).

    Returns:
        Names relative to the product folder, sorted.
    """
    names = {SCENES, TILES, REPORT, QUICKLOOK, QUICKLOOK_WORLD, DATE_MAP}
    for layer, gsd in (("QA", 20), *((layer, LAYER_PROFILES[layer].gsd) for layer in layers)):
        names.update(layer_index_files(layer, gsd))
        names.update(layer_file(tile.index, layer, gsd) for tile in tiles)
    for gsd in resolutions:
        names.update(index_files(gsd))
        names.update(mosaic_file(tile.index, gsd) for tile in tiles)
    return tuple(sorted(names))


def write_sums(folder: Path, names: Iterable[str]) -> Path:
    """List a product's own files with their SHA-256, atomically; what else lies in the folder is its user's.

    Args:
        folder: the product folder.
        names: files that may lie in it, as `expected_files` gives them; those that are absent are passed over.

    Returns:
        The written SHA256SUMS.
    """
    present = sorted({name for name in names if (folder / name).is_file()})
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in present]
    with partial_file(folder / SUMS) as partial:
        partial.write_text("".join(lines), encoding="utf-8", newline="\n")
    return folder / SUMS


def is_whole(folder: Path, expected: Iterable[str]) -> bool:
    """Whether SHA256SUMS lists every expected file and each of them lies in the folder; reads no pixel.

    Args:
        folder: the product folder; it need not exist.
        expected: names as `expected_files` gives them.
    """
    try:
        listed = read_sums(folder)
    except (OSError, IncompleteError):
        return False
    return all(name in listed and (folder / name).is_file() for name in expected)


def read_sums(folder: Path) -> dict[str, str]:
    """Name to SHA-256 as SHA256SUMS states them.

    Raises:
        FileNotFoundError: if the folder holds no SHA256SUMS.
        IncompleteError: if a line is not one of SHA256SUMS, or leads out of the folder.
    """
    sums: dict[str, str] = {}
    for number, line in enumerate((folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or not _stays_inside(match[2]):
            raise IncompleteError(
                f"{folder / SUMS}, line {number}: expected a SHA-256, two blanks and a name inside the folder, found "
                f"{line[:80]!r}. Make the product again with the same command, or fetch SHA256SUMS again."
            )
        sums[match[2]] = match[1]
    return sums


def verify_folder(folder: Path) -> tuple[Problem, ...]:
    """Compare every file of a product with SHA256SUMS.

    Args:
        folder: the product folder.

    Returns:
        What is missing, changed, unreadable or unlisted, by name; empty for a whole product. Without SHA256SUMS the one
        problem is that it is missing.

    Raises:
        IncompleteError: if SHA256SUMS itself cannot be understood.
    """
    try:
        listed = read_sums(folder)
    except FileNotFoundError:
        return (Problem(kind=ProblemKind.MISSING, name=SUMS),)
    problems = [Problem(kind=ProblemKind.UNLISTED, name=name) for name in _names(folder) if name not in listed]
    for name, sha256 in listed.items():
        kind = _compare(folder / name, sha256)
        if kind is not None:
            problems.append(Problem(kind=kind, name=name))
    return tuple(sorted(problems, key=lambda problem: problem.name))


def _compare(path: Path, sha256: str) -> ProblemKind | None:
    """What is wrong with one listed file; None where its bytes are right."""
    try:
        return None if _sha256(path) == sha256 else ProblemKind.CHANGED
    except FileNotFoundError:
        return ProblemKind.MISSING
    except OSError:
        return ProblemKind.UNREADABLE


def _names(folder: Path) -> Iterator[str]:
    """Names of the files in the folder, whoever put them there; what a writer has not finished begins with a dot."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        foreign = inside.as_posix() in _UNLISTED or inside.name.endswith(_SIDE_FILE)
        if not hidden and not foreign and path.is_file():
            yield inside.as_posix()


def _stays_inside(name: str) -> bool:
    """Whether a name neither is absolute nor climbs out of the folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _sha256(path: Path) -> str:
    """Hex digest of one file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
