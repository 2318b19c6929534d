"""sources.json beside a source map, and settled.json of the whole mosaic."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from senard.errors import IncompleteError
from senard.model.contenders import Contenders
from senard.model.sources import SourceCounts

SOURCES_RASTER = "sources_20.tif"
SOURCES_COUNTS = "sources.json"
CONTENDERS = "contenders.npz"
PARTICIPANT_BANDS: tuple[str, ...] = ("source", "judgement")
"""Bands of participants/<overflight>.tif, uint16, as `Participant` holds them."""


def participant_file(folder: Path, overflight: int) -> Path:
    """Where one overflight takes part in the tile of a source map's folder."""
    return folder / "participants" / f"{overflight}.tif"


def participant_files(folder: Path) -> list[Path]:
    """Every overflight that takes part somewhere in the tile, by number."""
    return sorted((folder / "participants").glob("*.tif"), key=lambda path: int(path.stem))


def write_clear_counts(path: Path, clear: Mapping[int, int]) -> None:
    """Write what `read_clear_counts` reads."""
    path.write_text(json.dumps(_texts(clear), indent=1) + "\n", encoding="utf-8")


def read_clear_counts(path: Path) -> dict[int, int]:
    """Source number to pixels of 60 m that its scene saw clear, as `rank_scenes` counted them."""
    return _numbers(json.loads(path.read_text(encoding="utf-8")))


def write_source_counts(folder: Path, counts: SourceCounts) -> None:
    """Write sources.json into the folder of one tile's source map."""
    document: dict[str, object] = {
        "pixels": _texts(counts.pixels),
        "clear_pixels": _texts(counts.clear_pixels),
        "levels": _texts(counts.levels),
        "aoi_pixels": counts.aoi_pixels,
        "valid_share": round(counts.valid_share, 6),
    }
    if counts.taking_part:
        document["taking_part"] = _texts(counts.taking_part)
    (folder / SOURCES_COUNTS).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_source_counts(folder: Path) -> SourceCounts:
    """Read sources.json of one tile's source map.

    Raises:
        IncompleteError: if the folder holds none.
    """
    try:
        values = json.loads((folder / SOURCES_COUNTS).read_text(encoding="utf-8"))
    except OSError as error:
        raise IncompleteError(
            f"{folder}: expected {SOURCES_COUNTS} of SelectSources, found none. Delete the folder and run the same "
            f"command again."
        ) from error
    return SourceCounts(
        pixels=_numbers(values["pixels"]),
        clear_pixels=_numbers(values["clear_pixels"]),
        levels=_numbers(values["levels"]),
        aoi_pixels=int(values["aoi_pixels"]),
        taking_part=_numbers(values.get("taking_part", {})),
    )


def write_contenders(folder: Path, contenders: Contenders) -> None:
    """Write what `read_contenders` reads, into the folder of one tile."""
    np.savez_compressed(
        folder / CONTENDERS,
        source=contenders.source,
        regret=contenders.regret,
        area=contenders.area,
        allow_pickle=False,
    )


def read_contenders(folder: Path) -> Contenders | None:
    """Who contends for the pixels of one tile; None if the folder holds a source map instead.

    Raises:
        IncompleteError: if the file cannot be read.
    """
    path = folder / CONTENDERS
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Contenders(source=arrays["source"], regret=arrays["regret"], area=arrays["area"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise IncompleteError(
            f"{path}: expected what WeighScenes wrote, found a file that cannot be read ({error}). Delete {folder} and "
            f"run the same command again."
        ) from error


def _texts(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(number): counts[number] for number in sorted(counts)}


def _numbers(counts: Mapping[str, int]) -> dict[int, int]:
    return {int(number): int(count) for number, count in counts.items()}
