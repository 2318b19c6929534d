"""Nearest resampling of small rasters: onto the mosaic's grid, and between the grids of one product.

Coordinates are exact at nodes 16 pixels apart and bilinear between them: over 320 m a map projection bends by
millimetres. Nodes are anchored at the CRS origin, so a pixel gets the same coordinates whichever block it is in.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit
from pyproj import Transformer

from senard.model.arrays import Float64Array, Int16Array
from senard.model.grid import Grid, Window

Pixels: TypeAlias = npt.NDArray[Any]
"""Pixels of any type, which resampling keeps."""

NODE_STEP_PX = 16
"""Distance of the nodes, px of the mosaic's grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelCoordinates:
    """Where the pixel centres of a grid lie in another CRS."""

    x: Float64Array
    """(y, x) float64, in the other CRS; inf where it does not reach."""

    y: Float64Array
    """(y, x) float64, in the other CRS; inf where it does not reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Exact coordinates of some places of a grid in another CRS; between them coordinates are bilinear."""

    x: Float64Array
    """(node row, node column) float64, in the other CRS; inf where it does not reach."""

    y: Float64Array
    """(node row, node column) float64, in the other CRS; inf where it does not reach."""

    row_offset: int
    """Rows from the first row of nodes to the first of the grid, px."""

    col_offset: int
    """Columns from the first column of nodes to the first of the grid, px."""

    turn: float
    """360 where x is a longitude, which may pass 180; else 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelNumbers:
    """Which pixel of a product holds the centre of each pixel of the mosaic."""

    row: Int16Array
    """(y, x) number of the product's row; -1 outside the product."""

    col: Int16Array
    """(y, x) number of the product's column; without meaning outside the product."""

    window: Window
    """The smallest window of the product that holds all of them."""


def nodes_of(grid: Grid, crs: str) -> Nodes:
    """Transform every 16th corner of a grid's pixels.

    Args:
        grid: the mosaic's pixels; left and top are multiples of its gsd.
        crs: as of `coordinates`.
    """
    node_m = NODE_STEP_PX * grid.gsd
    bounds = grid.bounds
    first_col, last_col = int(bounds.left // node_m), int(-(-bounds.right // node_m))
    first_row, last_row = int(-bounds.top // node_m), int(-(bounds.bottom // node_m))
    xs = np.arange(first_col, last_col + 1, dtype=np.float64) * node_m
    ys = np.arange(first_row, last_row + 1, dtype=np.float64) * -node_m
    there_x, there_y = _transformer(grid.crs, crs).transform(*np.meshgrid(xs, ys))
    return Nodes(
        x=there_x,
        y=there_y,
        row_offset=round(-bounds.top / grid.gsd) - first_row * NODE_STEP_PX,
        col_offset=round(bounds.left / grid.gsd) - first_col * NODE_STEP_PX,
        turn=360.0 if crs == "EPSG:4326" else 0.0,
    )


def coordinates(grid: Grid, crs: str) -> PixelCoordinates:
    """Transform the pixel centres of a grid.

    Args:
        grid: the mosaic's pixels; left and top are multiples of its gsd.
        crs: the other CRS: "EPSG:32631", or "EPSG:4326" for longitude (x) and latitude (y).

    Returns:
        the coordinates, within 0.01 m of the exact transform; longitudes may pass 180 beside the antimeridian.
    """
    nodes = nodes_of(grid, crs)
    return PixelCoordinates(
        x=_between_nodes(nodes.x, grid.height, grid.width, nodes.row_offset, nodes.col_offset, nodes.turn),
        y=_between_nodes(nodes.y, grid.height, grid.width, nodes.row_offset, nodes.col_offset, 0.0),
    )


def pixel_numbers(nodes: Nodes, shape: tuple[int, int], grid: Grid) -> PixelNumbers | None:
    """Find the product's pixel that holds the centre of each pixel of the mosaic.

    Args:
        nodes: of the mosaic's pixels, in the CRS of `grid`.
        shape: (y, x) of the mosaic's pixels.
        grid: the product's grid, at most 32767 pixels wide and high.

    Returns:
        their numbers; None if no pixel centre lies in the grid.
    """
    row, col = np.full(shape, -1, dtype=np.int16), np.empty(shape, dtype=np.int16)
    row_start, row_stop, col_start, col_stop = _number(
        nodes.x, nodes.y, nodes.row_offset, nodes.col_offset, *_numbers(grid), row, col
    )
    if row_start >= row_stop:
        return None
    window = Window(row_start=row_start, row_stop=row_stop, col_start=col_start, col_stop=col_stop)
    return PixelNumbers(row=row, col=col, window=window)


def needed_window(where: PixelCoordinates, grid: Grid) -> Window | None:
    """The smallest window of a product's grid that holds every pixel asked for.

    Args:
        where: pixel centres in the CRS of `grid`.
        grid: the product's grid.

    Returns:
        the window, inside the grid; None if no pixel centre lies in the grid.
    """
    row_start, row_stop, col_start, col_stop = _reach(where.x, where.y, *_numbers(grid))
    if row_start >= row_stop:
        return None
    return Window(row_start=row_start, row_stop=row_stop, col_start=col_start, col_stop=col_stop)


def take_nearest(pixels: Pixels, grid: Grid, where: PixelCoordinates) -> Pixels:
    """Give every pixel of the mosaic the value of the product's pixel that holds its centre.

    Args:
        pixels: (band, y, x) of a window of the product.
        grid: the grid of that window.
        where: pixel centres in the CRS of `grid`.

    Returns:
        (band, y, x) on the mosaic's grid, type of `pixels`; 0 where the window does not reach.
    """
    out = np.zeros((pixels.shape[0], *where.x.shape), dtype=pixels.dtype)
    _gather(np.ascontiguousarray(pixels), where.x, where.y, grid.left, grid.top, float(grid.gsd), out)
    return out


def resized(pixels: Pixels, shape: tuple[int, ...]) -> Pixels:
    """The same ground in another number of pixels, nearest: 60 m to 20 m repeats every pixel 3 x 3 times.

    Args:
        pixels: (y, x), any type.
        shape: (rows, columns) wanted.

    Returns:
        (y, x) of that shape, type of `pixels`.
    """
    if pixels.shape == tuple(shape):
        return pixels
    rows, cols = (
        (np.arange(wanted) * 2 + 1) * have // (2 * wanted) for wanted, have in zip(shape, pixels.shape, strict=True)
    )
    return pixels.take(cols, axis=1).take(rows, axis=0)  # a third of the time of choosing both at once


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    """One PROJ pipeline per pair of CRSs: making it costs 10 ms and more."""
    return Transformer.from_crs(source, target, always_xy=True)


def _numbers(grid: Grid) -> tuple[float, float, float, int, int]:
    """left, top, gsd, height, width."""
    return grid.left, grid.top, float(grid.gsd), grid.height, grid.width


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def between(nodes: Float64Array, row: int, col: int, turn: float) -> float:
    """Bilinear between four nodes, at the centre of a pixel counted from the first of them.

    Args:
        nodes: (node row, node column).
        row: pixels below the first node.
        col: pixels right of the first node.
        turn: if it is not 0 (but 360), the other three nodes are brought within half a turn of the first.
    """
    node_row, row_rest = divmod(row, NODE_STEP_PX)
    node_col, col_rest = divmod(col, NODE_STEP_PX)
    down, right = (row_rest + 0.5) / NODE_STEP_PX, (col_rest + 0.5) / NODE_STEP_PX
    first = nodes[node_row, node_col]
    east = nodes[node_row, node_col + 1] - first
    south = nodes[node_row + 1, node_col] - first
    diagonal = nodes[node_row + 1, node_col + 1] - first
    if turn > 0.0:
        east -= turn * np.rint(east / turn)
        south -= turn * np.rint(south / turn)
        diagonal -= turn * np.rint(diagonal / turn)
    upper = east * right
    lower = south + (diagonal - south) * right
    value: float = first + (upper + (lower - upper) * down)
    return value


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _between_nodes(
    nodes: Float64Array, height: int, width: int, row_offset: int, col_offset: int, turn: float
) -> Float64Array:
    """`between` at every pixel."""
    out = np.empty((height, width), dtype=np.float64)
    for row in range(height):
        for col in range(width):
            out[row, col] = between(nodes, row + row_offset, col + col_offset, turn)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _number(
    x: Float64Array,
    y: Float64Array,
    row_offset: int,
    col_offset: int,
    left: float,
    top: float,
    gsd: float,
    height: int,
    width: int,
    out_row: Int16Array,
    out_col: Int16Array,
) -> tuple[int, int, int, int]:
    """Fill the numbers of all pixels inside a product; first and last row and column, 0, 0, 0, 0 for none."""
    row_start, row_stop, col_start, col_stop = height, 0, width, 0
    for i in range(out_row.shape[0]):
        for j in range(out_row.shape[1]):
            row = (top - between(y, i + row_offset, j + col_offset, 0.0)) / gsd
            col = (between(x, i + row_offset, j + col_offset, 0.0) - left) / gsd
            if row >= 0.0 and row < height and col >= 0.0 and col < width:
                out_row[i, j], out_col[i, j] = int(row), int(col)
                row_start, row_stop = min(row_start, int(row)), max(row_stop, int(row) + 1)
                col_start, col_stop = min(col_start, int(col)), max(col_stop, int(col) + 1)
    if row_stop == 0:
        return 0, 0, 0, 0
    return row_start, row_stop, col_start, col_stop


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _reach(
    x: Float64Array, y: Float64Array, left: float, top: float, gsd: float, height: int, width: int
) -> tuple[int, int, int, int]:
    """First and last row and column asked for: row_start, row_stop, col_start, col_stop; 0, 0, 0, 0 for none."""
    row_start, row_stop, col_start, col_stop = height, 0, width, 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            row, col = (top - y[i, j]) / gsd, (x[i, j] - left) / gsd
            if row >= 0.0 and row < height and col >= 0.0 and col < width:
                row_start, row_stop = min(row_start, int(row)), max(row_stop, int(row) + 1)
                col_start, col_stop = min(col_start, int(col)), max(col_stop, int(col) + 1)
    if row_stop == 0:
        return 0, 0, 0, 0
    return row_start, row_stop, col_start, col_stop


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _gather(pixels: Pixels, x: Float64Array, y: Float64Array, left: float, top: float, gsd: float, out: Pixels) -> None:
    """Copy the nearest pixel of every band."""
    bands, height, width = pixels.shape
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            row, col = (top - y[i, j]) / gsd, (x[i, j] - left) / gsd
            if row >= 0.0 and row < height and col >= 0.0 and col < width:
                for band in range(bands):
                    out[band, i, j] = pixels[band, int(row), int(col)]
