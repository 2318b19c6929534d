"""What tells of source maps and of what they do without: sources.json beside a map, weights, and spared scenes."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from senard.io.results import read_result, unreadable
from senard.model.contenders import Contenders, Spared, Weights
from senard.model.sources import SourceCounts

SOURCES_RASTER = "sources_20.tif"
SOURCES_COUNTS = "sources.json"
CONTENDERS = "contenders.npz"
PARTS = "parts.npz"
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
    """Source number to pixels of 60 m that its scene saw clear, as `rank_scenes` counted them.

    Raises:
        IncompleteError: if the file cannot be read.
    """
    return read_result(path, _numbers, delete=path, maker="RankScenes")


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
        IncompleteError: if the folder holds none that can be read.
    """
    return read_result(folder / SOURCES_COUNTS, _counts, delete=folder, maker="SelectSources")


def _counts(values: Mapping[str, Any]) -> SourceCounts:
    return SourceCounts(
        pixels=_numbers(values["pixels"]),
        clear_pixels=_numbers(values["clear_pixels"]),
        levels=_numbers(values["levels"]),
        aoi_pixels=int(values["aoi_pixels"]),
        taking_part=_numbers(values.get("taking_part", {})),
    )


def write_weights(folder: Path, weights: Weights) -> None:
    """Write what `read_weights` reads, into the folder of one tile."""
    _write_arrays(folder / CONTENDERS, _arrays(weights.scenes))
    ground = {part: weights.ground[part] for part in sorted(weights.ground)}
    keys, m2 = np.array(list(ground), dtype=np.uint32), np.array(list(ground.values()), dtype=np.float64)
    _write_arrays(folder / PARTS, {**_arrays(weights.parts), "ground_part": keys, "ground_m2": m2})


def read_weights(folder: Path) -> Weights | None:
    """What the ground of one tile tells of its scenes; None if the folder holds a source map instead.

    Raises:
        IncompleteError: if a file cannot be read.
    """
    if not (folder / CONTENDERS).is_file():
        return None
    scenes, parts = _read_arrays(folder / CONTENDERS), _read_arrays(folder / PARTS)
    ground = dict(zip(parts["ground_part"].tolist(), parts["ground_m2"].tolist(), strict=True))
    return Weights(scenes=_contenders(scenes), parts=_contenders(parts), ground=ground)


def write_spared(path: Path, spared: Spared) -> None:
    """Write what `read_spared` reads."""
    path.write_text(json.dumps(asdict(spared)) + "\n", encoding="utf-8")


def read_spared(path: Path) -> Spared:
    """What a mosaic does without, as SpareScenes wrote it.

    Raises:
        IncompleteError: if the file cannot be read.
    """
    return read_result(path, _spared, delete=path, maker="SpareScenes")


def _spared(values: Mapping[str, Any]) -> Spared:
    parts = values["parts"]
    return Spared(
        numbers=tuple(values["numbers"]), idle=tuple(values["idle"]), parts=None if parts is None else tuple(parts)
    )


def _arrays(contenders: Contenders) -> dict[str, npt.NDArray[Any]]:
    return {"supplier": contenders.supplier, "regret": contenders.regret, "area": contenders.area}


def _contenders(arrays: Mapping[str, npt.NDArray[Any]]) -> Contenders:
    return Contenders(supplier=arrays["supplier"], regret=arrays["regret"], area=arrays["area"])


def _write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise unreadable(path, error, delete=path.parent, maker="WeighScenes") from error


def _texts(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(number): counts[number] for number in sorted(counts)}


def _numbers(counts: Mapping[str, int]) -> dict[int, int]:
    return {int(number): int(count) for number, count in counts.items()}
