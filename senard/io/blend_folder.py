"""The folder of one tile's blended spectra: spectra.tif, flags.tif and figures.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from senard.io.results import read_result

BLEND_SPECTRA = "spectra.tif"
BLEND_FLAGS = "flags.tif"
BLEND_FIGURES = "figures.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlendFigures:
    """What reading the observations of a tile told."""

    simulated: bool
    """True if one of the products was simulated."""

    counts: Mapping[str, int]
    """What the report says, summed over observations, bands and pixels: {"clipped_low": 12}."""


def write_blend_figures(folder: Path, figures: BlendFigures) -> None:
    """Write figures.json."""
    document = {"simulated": figures.simulated, "counts": dict(figures.counts)}
    (folder / BLEND_FIGURES).write_text(json.dumps(document, sort_keys=True) + "\n", encoding="utf-8")


def read_blend_figures(folder: Path) -> BlendFigures:
    """Read figures.json.

    Raises:
        IncompleteError: if the folder holds none that can be read.
    """
    return read_result(
        folder / BLEND_FIGURES,
        lambda values: BlendFigures(simulated=bool(values["simulated"]), counts=values["counts"]),
        delete=folder,
        maker="BlendTile",
    )
