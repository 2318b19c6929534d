"""The squares that Sentinel-2 products are cut by, by arithmetic alone.

An MGRS tile is the 100 km square of the military grid, its upper left corner moved outwards to a multiple of 60 m, and
109.8 km wide. Source: ESA, Sentinel-2 Products Specification Document, tiling grid; equal to the official grid.
"""

import math
import re
from dataclasses import dataclass

from senard.errors import RequestError

SQUARE_M = 100_000
"""Side of a square of the military grid, m."""

TILE_M = 109_800
"""Side of an MGRS tile, m: 1830 pixels of 60 m."""

SNAP_M = 60
"""Corners of MGRS tiles are multiples of this, m, so that pixels of 10, 20 and 60 m share edges."""

CYCLE_M = 2_000_000
"""Row letters repeat after this northing, m."""

FALSE_NORTHING_M = 10_000_000
"""Northing of the equator in zones of the southern hemisphere, m."""

METRES_PER_DEGREE = 110_900.0
"""Mean length of a degree along a meridian, times UTM's scale, m: exact enough to tell cycles of 2000 km apart."""

BAND_LETTERS = "CDEFGHJKLMNPQRSTUVWX"
"""Latitude bands of 8 degrees from 80 S (C) to 84 N (X, 12 degrees)."""

ROW_LETTERS = "ABCDEFGHJKLMNPQRSTUV"
"""Rows of 100 km, 20 to a cycle; even zones begin with F."""

COLUMN_LETTERS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
"""Columns of 100 km from easting 100 km on, by zone modulo 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MgrsSquare:
    """Where an MGRS tile lies: the outer edges of its pixels."""

    mgrs_tile: str
    """Its name, never with the T: "31TDH"."""

    crs: str
    """Its UTM zone: "EPSG:32631"."""

    left: int
    """x of the left edge, m: 399960."""

    top: int
    """y of the upper edge, m: 4800000."""

    @property
    def right(self) -> int:
        """x of the right edge, m."""
        return self.left + TILE_M

    @property
    def bottom(self) -> int:
        """y of the lower edge, m."""
        return self.top - TILE_M


def mgrs_square(mgrs_tile: str) -> MgrsSquare:
    """The square of an MGRS tile.

    Args:
        mgrs_tile: its name, with or without the T, any case: "31TDH", "T31tdh".

    Returns:
        CRS and edges of the 109.8 km square.

    Raises:
        RequestError: if there is no such tile.
    """
    name = mgrs_name(mgrs_tile)
    zone, band, column, row = int(name[:-3]), name[-3], name[-2], name[-1]
    easting = (COLUMN_LETTERS[zone % 3].index(column) + 1) * SQUARE_M
    top = -(-(_northing(zone, band, row) + SQUARE_M) // SNAP_M) * SNAP_M  # multiples of 60 m count from the equator
    south = band < "N"
    return MgrsSquare(
        mgrs_tile=name,
        crs=f"EPSG:{32700 + zone if south else 32600 + zone}",
        left=easting // SNAP_M * SNAP_M,
        top=top + (FALSE_NORTHING_M if south else 0),
    )


def mgrs_name(text: str) -> str:
    """The name of an MGRS tile as senard writes it: two digits, band, column, row, no leading T.

    Raises:
        RequestError: if the text names no square of the grid.
    """
    match = re.fullmatch(r"T?(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])", text.strip().upper())
    if not match or not 1 <= int(match[1]) <= 60 or match[3] not in COLUMN_LETTERS[int(match[1]) % 3]:
        raise RequestError(
            f"{text!r} is no MGRS tile: write zone 01-60, latitude band, column and row, e.g. 31UFS. "
            "Several are separated by commas."
        )
    return f"{int(match[1]):02d}{match[2]}{match[3]}{match[4]}"


def _northing(zone: int, band: str, row: str) -> int:
    """Northing of a square's lower edge above the equator, m: the cycle whose square is nearest to its band."""
    index = (ROW_LETTERS.index(row) - (5 if zone % 2 == 0 else 0)) % len(ROW_LETTERS)
    position = BAND_LETTERS.index(band)
    middle_degrees = 78.0 if band == "X" else -76.0 + 8.0 * position
    middle_m = middle_degrees * METRES_PER_DEGREE
    cycle = math.floor((middle_m - index * SQUARE_M) / CYCLE_M + 0.5)
    return cycle * CYCLE_M + index * SQUARE_M
