"""What a user may give of the land: heights, and classes of land cover."""

from enum import IntEnum

LAND_GSD = 60
"""Side of the pixels that heights and classes are used on, m: those of detection."""


class Cover(IntEnum):
    """Classes of ESA WorldCover that the choice of pixels makes use of, by their codes (WorldCover 10 m v200)."""

    UNKNOWN = 0
    """Nodata."""

    BUILT = 50
    """Built-up: roofs and streets."""

    BARE = 60
    """Bare or sparse vegetation: sand, salt, rock."""

    ICE = 70
    """Permanent snow and ice."""

    WATER = 80
    """Permanent water bodies."""


WORLDCOVER = frozenset({0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100})
"""All codes of ESA WorldCover: nodata, trees, shrubs, grass, crops, built-up, bare, snow and ice, water, wetland,
mangroves, moss and lichen."""
