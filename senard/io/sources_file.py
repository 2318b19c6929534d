"""sources.json beside a source map, and settled.json of the whole mosaic."""

import json
from collections.abc import Mapping
from pathlib import Path

from senard.errors import IncompleteError
from senard.model.sources import SourceCounts

SOURCES_RASTER = "sources_20.tif"
SOURCES_COUNTS = "sources.json"


def write_source_counts(folder: Path, counts: SourceCounts) -> None:
    """Write sources.json into the folder of one tile's source map."""
    document = {
        "pixels": _texts(counts.pixels),
        "clear_pixels": _texts(counts.clear_pixels),
        "levels": _texts(counts.levels),
        "aoi_pixels": counts.aoi_pixels,
        "valid_share": round(counts.valid_share, 6),
    }
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
    )


def _texts(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(number): counts[number] for number in sorted(counts)}


def _numbers(counts: Mapping[str, int]) -> dict[int, int]:
    return {int(number): int(count) for number, count in counts.items()}
