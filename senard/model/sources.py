"""What the choice of sources leaves behind: the source map's bands, its flags, and the counts beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SOURCE_BANDS: tuple[str, ...] = ("source", "clear", "level", "flags", "cost")
"""Bands of sources_20.tif, uint16, in file order."""

SECOND_BANDS: tuple[str, ...] = ("second", "share")
"""Further bands of sources_20.tif where borders are feathered: the scene that a pixel is mixed with, and its share."""

SHARE_UNITS = 1000
"""DN per unit of the band `share`."""

FLAG_BLENDED = 8
"""Bit of the band `flags`: the delivered spectrum is made of more than one observation."""
FLAG_SNOW = 16
"""Bit of the band `flags`: snow."""
FLAG_PERMANENT_SNOW = 32
"""Bit of the band `flags`: snow on nearly every date."""
FLAG_HAZE = 64
"""Bit of the band `flags`: residual haze or smoke."""
FLAG_BUFFER = 128
"""Bit of the band `flags`: inside the hard buffer of a cloud or shadow."""

CLEAR_LEVELS = (1, 2)
"""Levels that count as a clear observation."""
COST_UNITS = 1000
"""DN per unit of cost in the band `cost`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCounts:
    """Counts of one tile's source map, sources.json; pixels of 20 m."""

    pixels: Mapping[int, int]
    """Source number to the pixels that it supplies, or is named for: {3: 120_000}."""

    clear_pixels: Mapping[int, int]
    """Source number to those of them that have level 1 or 2."""

    levels: Mapping[int, int]
    """Level to pixels of the area; 0 is nodata."""

    aoi_pixels: int
    """Pixels to fill: those that the area touches, or all of the tile's when it is not clipped."""

    taking_part: Mapping[int, int] = field(default_factory=dict)
    """Source number to the pixels that it takes part in, where a method reads several observations of a pixel."""

    @property
    def suppliers(self) -> tuple[int, ...]:
        """Source numbers whose bands the tile is made of, ascending."""
        return tuple(sorted(number for number, count in (self.taking_part or self.pixels).items() if number and count))

    @property
    def valid_share(self) -> float:
        """Share of aoi_pixels that some scene supplies, 0-1."""
        return sum(self.pixels.values()) / self.aoi_pixels if self.aoi_pixels else 0.0
