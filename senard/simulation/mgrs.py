"""The squares that Sentinel-2 products are cut by: from "31TCJ" to the UTM zone and the upper left corner."""

import math
import re
from dataclasses import dataclass

from pyproj import Transformer

from senard.errors import RequestError

_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"

TILE_SIZE_M = 109_800
"""Side of a Sentinel-2 tile: 100 km and an overlap, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MgrsSquare:
    """Where ESA's tiling grid puts one square."""

    epsg: int
    """UTM zone, WGS 84: 32631 north, 32731 south of the equator."""

    left: int
    """x of the upper left corner, m, a multiple of 60: 300000."""

    top: int
    """y of the upper left corner, m, a multiple of 60: 4900020."""


def mgrs_square(mgrs_tile: str) -> MgrsSquare:
    """Find the square by its name.

    The 100 km square is enlarged to pixels of 60 m: the left edge falls to the next multiple of 60 m, the top edge
    rises to it (31TCJ: 4900000 → 4900020; 31TDH: 400000 → 399960).

    Args:
        mgrs_tile: "31TCJ", without the T before it.

    Raises:
        RequestError: if there is no such square.
    """
    match = re.fullmatch(r"(0[1-9]|[1-5]\d|60)([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])", mgrs_tile)
    if match is None:
        raise RequestError(f'"{mgrs_tile}" is no MGRS square: expected zone, band, column and row as in "31TCJ"')
    zone, band, column, row = int(match[1]), match[2], match[3], match[4]
    columns = _COLUMNS[(zone - 1) % 3]
    if column not in columns:
        raise RequestError(f"{mgrs_tile}: zone {zone} has the columns {columns}; correct the name")
    easting = (columns.index(column) + 1) * 100_000
    # Multiples of 60 m are counted from the equator, which lies at 10 000 km in the southern zones.
    equator = 0 if band >= "N" else 10_000_000
    northing = _northing(zone, band, row)
    return MgrsSquare(
        epsg=(32600 if band >= "N" else 32700) + zone,
        left=easting // 60 * 60,
        top=equator + math.ceil((northing + 100_000 - equator) / 60) * 60,
    )


def _northing(zone: int, band: str, row: str) -> int:
    """Lower edge of the 100 km square, m, with the false northing of the southern hemisphere."""
    letters = _ROWS if zone % 2 else _ROWS[5:] + _ROWS[:5]  # even zones start at F
    offset = letters.index(row) * 100_000
    latitude = -80 + 8 * _BANDS.index(band)
    epsg = 32600 if band >= "N" else 32700
    transformer = Transformer.from_crs(4326, epsg + zone, always_xy=True)
    _, lowest = transformer.transform(6 * zone - 183, latitude)
    # The letters repeat every 2000 km, a band is at most 1400 km high: the first repeat at the band's foot is meant.
    foot = math.floor(round(lowest) / 100_000) * 100_000
    return foot + (offset - foot) % 2_000_000
