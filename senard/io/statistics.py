"""Statistics of bands as the tags of files state them, and those of several files together; no pixel is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from senard.errors import IncompleteError

_MINIMUM, _MAXIMUM, _MEAN, _DEVIATION, _VALID = (
    f"STATISTICS_{name}" for name in ("MINIMUM", "MAXIMUM", "MEAN", "STDDEV", "VALID_PERCENT")
)
"""GDAL's names. Whoever asks GDAL for statistics gets these where all are there; where they are not, GDAL counts, and
writes what it found into a VRT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandStatistics:
    """What one band of one file holds."""

    pixels: float
    """Valid pixels. GDAL states the share of them to four digits, so this is no whole number."""

    minimum: float
    """Smallest valid number, DN."""

    maximum: float
    """Largest valid number, DN."""

    mean: float
    """Mean of the valid numbers, DN."""

    deviation: float
    """Their standard deviation, DN."""


NOTHING = BandStatistics(pixels=0, minimum=0, maximum=0, mean=0, deviation=0)
"""A band without a valid pixel reads 0, our nodata, all over."""


def read_statistics(path: Path) -> tuple[BandStatistics, ...]:
    """Statistics of every band of a file that `write_cog` made, from its tags alone: a viewer's .aux.xml counts not.

    Raises:
        IncompleteError: the file cannot be opened.
    """
    try:
        with rasterio.Env(GDAL_PAM_ENABLED=False), rasterio.open(path) as dataset:
            size = dataset.width * dataset.height
            return tuple(_from_tags(dataset.tags(number), size) for number in dataset.indexes)
    except RasterioError as error:
        raise IncompleteError(
            f"{path} cannot be opened ({error}). Delete it and run the same command again: it is made anew."
        ) from error


def combine_statistics(parts: Sequence[BandStatistics]) -> BandStatistics:
    """Statistics of a band over several files; each weighs as many pixels as it holds.

    Minimum and maximum are exact. Mean and deviation are off by less than a two-thousandth of what the files differ by,
    since counts have four digits.
    """
    seen = [part for part in parts if part.pixels > 0]
    if not seen:
        return NOTHING
    pixels = fsum(part.pixels for part in seen)
    mean = fsum(part.pixels * part.mean for part in seen) / pixels
    squares = fsum(part.pixels * (part.deviation**2 + (part.mean - mean) ** 2) for part in seen)
    return BandStatistics(
        pixels=pixels,
        minimum=min(part.minimum for part in seen),
        maximum=max(part.maximum for part in seen),
        mean=mean,
        deviation=sqrt(squares / pixels),
    )


def statistics_tags(band: BandStatistics, size: int) -> dict[str, str]:
    """Tags that state the statistics of a band of `size` pixels, in GDAL's own number of digits."""
    return {
        _MAXIMUM: f"{band.maximum:.14g}",
        _MEAN: f"{band.mean:.14g}",
        _MINIMUM: f"{band.minimum:.14g}",
        _DEVIATION: f"{band.deviation:.14g}",
        _VALID: f"{min(100.0, 100 * band.pixels / size):.4g}",
    }


def _from_tags(tags: Mapping[str, str], size: int) -> BandStatistics:
    """What the tags of a band of `size` pixels state; GDAL gives a band without a valid pixel no mean."""
    if _MEAN not in tags:
        return NOTHING
    return BandStatistics(
        pixels=float(tags[_VALID]) / 100 * size,
        minimum=float(tags[_MINIMUM]),
        maximum=float(tags[_MAXIMUM]),
        mean=float(tags[_MEAN]),
        deviation=float(tags[_DEVIATION]),
    )
