"""Granules of one datatake brought onto the mosaic's pixels and merged, nearest, without any plane of coordinates.

Of overlapping granules the one in the pixel's own UTM zone comes first, then the one whose centre is nearer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from senard.algorithms.nearest import Nodes, PixelNumbers, between, nodes_of, pixel_numbers
from senard.algorithms.scoring import Observation
from senard.model.arrays import Float64Array, Int16Array, Int64Array, UInt8Array, UInt16Array
from senard.model.grid import Grid, Window
from senard.model.masks import CLASS_VALID

OTHER_ZONE = 1e13
"""Added to the squared distance (m2) of a granule outside the pixel's own UTM zone: no distance outweighs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GranulePixels:
    """What the mask folder of one granule holds around a part of the mosaic."""

    source: int
    """Number of its scene."""

    grid: Grid
    """All pixels of its MASK_BANDS_20, or of these reduced."""

    mask: UInt8Array
    """(4, y, x) MASK_BANDS_20, of the window that `Ground.window` names."""

    judge: UInt16Array
    """(7, y, x) MASK_BANDS_60 of the same ground, see `coarser`."""

    ratio: int = 3
    """Side of a pixel of `judge` in pixels of `mask`."""

    @property
    def centre(self) -> tuple[float, float]:
        """Easting and northing of the granule's middle, m."""
        bounds = self.grid.bounds
        return (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2


def utm_zone_of(crs: str) -> int:
    """Number of the UTM zone of a product's CRS, 1-60: "EPSG:32631" is 31."""
    return int(crs.rsplit(":", 1)[1]) % 100


def coarser(window: Window, ratio: int) -> Window:
    """The window of pixels `ratio` times as large that holds a window."""
    return Window(
        row_start=window.row_start // ratio,
        row_stop=(window.row_stop - 1) // ratio + 1,
        col_start=window.col_start // ratio,
        col_stop=(window.col_stop - 1) // ratio + 1,
    )


class Ground:
    """A part of the mosaic, and where products lie on it: worked out once for all granules of one MGRS tile."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._nodes: dict[str, Nodes] = {}
        self._numbers: dict[Grid, PixelNumbers | None] = {}

    def window(self, product: Grid) -> Window | None:
        """The smallest window of a product that holds every pixel asked for; None if it holds none."""
        numbers = self.numbers(product)
        return None if numbers is None else numbers.window

    def numbers(self, product: Grid) -> PixelNumbers | None:
        """Which pixel of a product each pixel asked for lies in; None if it holds none."""
        if product not in self._numbers:
            self._numbers[product] = pixel_numbers(self._in(product.crs), self.grid.shape, product)
        return self._numbers[product]

    def merged(self, granules: Sequence[GranulePixels]) -> Observation | None:
        """What a datatake saw.

        Args:
            granules: in ascending order of their sources, the first of two equals stays; each with a window.

        Returns:
            of every pixel the granule preferred among those that are valid there; None if none is anywhere.
        """
        seen, count = Observation.nothing(self.grid.shape), 0
        if not granules:
            return None
        longitude = self._in("EPSG:4326")
        sources = np.array([granule.source for granule in granules], dtype=np.int64)
        zones = np.array([utm_zone_of(granule.grid.crs) for granule in granules], dtype=np.int64)
        centres = np.array([granule.centre for granule in granules])
        nodes = np.stack([(node.x, node.y) for node in (self._in(granule.grid.crs) for granule in granules)])
        for number, granule in enumerate(granules):
            numbers = self._numbers[granule.grid]
            if numbers is not None:
                count += _take(
                    numbers.row,
                    numbers.col,
                    granule.mask,
                    granule.judge,
                    numbers.window.row_start,
                    numbers.window.col_start,
                    granule.ratio,
                    number,
                    sources,
                    zones,
                    centres,
                    nodes,
                    longitude.x,
                    longitude.row_offset,
                    longitude.col_offset,
                    seen.source,
                    seen.mask,
                    seen.judge,
                )
        return seen if count else None

    def _in(self, crs: str) -> Nodes:
        if crs not in self._nodes:
            self._nodes[crs] = nodes_of(self.grid, crs)
        return self._nodes[crs]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def preference(x: float, y: float, longitude: float, zone: int, centre: Float64Array) -> float:
    """How well a granule suits a pixel, lower is better: its squared distance, m2, OTHER_ZONE added outside its zone.

    Args:
        x: easting in the granule's zone, m.
        y: northing, m.
        longitude: degrees; may pass 180.
        zone: the granule's UTM zone, 1-60.
        centre: (2,) easting and northing of the granule's centre, m.
    """
    squared = (x - centre[0]) * (x - centre[0]) + (y - centre[1]) * (y - centre[1])
    own = np.floor((longitude + 180) / 6) % 60 == zone - 1
    value: float = squared if own else squared + OTHER_ZONE
    return value


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _is_preferred(
    one: int,
    other: int,
    row: int,
    col: int,
    zones: Int64Array,
    centres: Float64Array,
    nodes: Float64Array,
    longitudes: Float64Array,
) -> bool:
    """Whether a pixel would rather be of one granule than of the other; row and column count from the first node."""
    longitude = between(longitudes, row, col, 360.0)
    x, y = between(nodes[one, 0], row, col, 0.0), between(nodes[one, 1], row, col, 0.0)
    mine = preference(x, y, longitude, zones[one], centres[one])
    x, y = between(nodes[other, 0], row, col, 0.0), between(nodes[other, 1], row, col, 0.0)
    return mine < preference(x, y, longitude, zones[other], centres[other])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _take(
    rows: Int16Array,
    cols: Int16Array,
    mask: UInt8Array,
    judge: UInt16Array,
    row_start: int,
    col_start: int,
    ratio: int,
    number: int,
    sources: Int64Array,
    zones: Int64Array,
    centres: Float64Array,
    nodes: Float64Array,
    longitudes: Float64Array,
    row_offset: int,
    col_offset: int,
    into_source: UInt16Array,
    into_mask: UInt8Array,
    into_judge: UInt16Array,
) -> int:
    """Copy the pixels of one granule where they are valid and preferred; returns how many."""
    count = 0
    down = (np.arange(mask.shape[1]) + row_start) // ratio - row_start // ratio
    across = (np.arange(mask.shape[2]) + col_start) // ratio - col_start // ratio
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            if rows[i, j] < 0:
                continue
            row, col = np.int64(rows[i, j]) - row_start, np.int64(cols[i, j]) - col_start
            if mask[0, row, col] & CLASS_VALID == 0:
                continue
            held = np.int64(into_source[i, j])
            if held > 0:
                other = 0
                while sources[other] != held:
                    other += 1
                place = (i + row_offset, j + col_offset)
                if not _is_preferred(number, other, *place, zones, centres, nodes, longitudes):
                    continue
            count += 1
            into_source[i, j] = sources[number]
            for band in range(into_mask.shape[0]):
                into_mask[band, i, j] = mask[band, row, col]
            row, col = down[row], across[col]
            for band in range(into_judge.shape[0]):
                into_judge[band, i, j] = judge[band, row, col]
    return count
