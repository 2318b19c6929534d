"""From a product's grid to the mosaic's grid, in one resampling, only where the product wins.

The transform is exact at nodes 32 pixels apart and bilinear between them: within 0.001 px of the exact one at 10 m and
20 m, at a hundredth of its cost. Nodes are anchored at (0, 0) of the mosaic's CRS, so that a pixel gets the same number
whatever the tile or the window it is computed in; for the same reason no kernel uses fast-math, whose rounding depends
on where a loop starts.
"""

from dataclasses import dataclass

import numpy as np
from pyproj import CRS, Transformer

from senard.algorithms import warp_cells, warp_kernels
from senard.algorithms.levelling import NO_CORRECTION, Correction
from senard.algorithms.radiometry import Harmonisation, harmonised_dn
from senard.algorithms.slopes import NO_SLOPES, SlopeFactors
from senard.model.arrays import BoolArray, Float64Array, Int64Array, UInt8Array, UInt16Array
from senard.model.grid import Grid, Window

NODE_STEP = 32
"""Distance of the nodes, output pixels."""

FAR = -1e9
"""Image row and column of a node that the transform does not reach, px."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondence:
    """Where the pixels of an output grid lie in a product's image."""

    rows: Float64Array
    """(node row, node column) float64, image row at the nodes, px; the centre of the first pixel is 0.0."""

    cols: Float64Array
    """(node row, node column) float64, image column at the nodes, px."""

    origin: tuple[float, float]
    """Row and column of node (0, 0), counted from the centre of output pixel (0, 0), px; at most -0.5."""

    aligned: bool
    """True if both grids are one grid cut differently: pixels are then copied, not resampled."""

    shape: tuple[int, int]
    """(rows, columns) of the product's image, px."""

    @property
    def kernel_arguments(self) -> tuple[Float64Array, Float64Array, float, float, float, bool]:
        """The fields as the kernels take them."""
        return self.rows, self.cols, self.origin[0], self.origin[1], float(NODE_STEP), self.aligned


@dataclass(frozen=True, slots=True, kw_only=True)
class Wins:
    """The pixels that one source supplies."""

    number: int
    """The source: 1-based position among the kept scenes."""

    sources: UInt16Array
    """(y, x) uint16, source map of the tile at 20 m; 0 is none."""

    window: Window
    """Smallest window of the map that holds all pixels of the source."""

    pixels: int
    """Number of 20 m pixels that the source supplies."""

    @property
    def kernel_arguments(self) -> tuple[UInt16Array, int, int, int, int, int]:
        """The fields as the kernels take them."""
        window = self.window
        return self.sources, self.number, window.row_start, window.row_stop, window.col_start, window.col_stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Warped:
    """What happened while an image was warped, output pixels."""

    clipped_low: int
    """Pixels whose reflectance is 0.00005 or lower, delivered as DN 1."""

    clipped_high: int
    """Pixels above DN 65535, delivered as that."""

    missing: int
    """Pixels that met DN 0 in the image; they are still 0 in the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Output pixels whose source holds DN 0 there; four arrays of one length."""

    rows: Int64Array
    """(n,) int64, output row."""

    cols: Int64Array
    """(n,) int64, output column."""

    image_rows: Float64Array
    """(n,) float64, row in the image, px, moved into the image where it lies outside."""

    image_cols: Float64Array
    """(n,) float64, column in the image, px, moved into the image where it lies outside."""


def locate(output: Grid, source: Grid) -> Correspondence:
    """Find where the pixels of an output grid lie in a product's image.

    Args:
        output: grid of the mosaic's tile, anchored at (0, 0) of its CRS.
        source: grid of the product's image.

    Returns:
        Nodes that cover the output grid. A node that the transform cannot reach lies far outside the image.
    """
    left, top = output.left / output.gsd, -output.top / output.gsd
    first_row, first_col = int(np.floor(top / NODE_STEP)), int(np.floor(left / NODE_STEP))
    node_rows = np.arange(first_row, np.ceil((top + output.height) / NODE_STEP) + 1)
    node_cols = np.arange(first_col, np.ceil((left + output.width) / NODE_STEP) + 1)
    east, north = np.meshgrid(node_cols * NODE_STEP * output.gsd, -node_rows * NODE_STEP * output.gsd)
    same_crs = CRS.from_user_input(output.crs) == CRS.from_user_input(source.crs)
    if not same_crs:
        east, north = Transformer.from_crs(output.crs, source.crs, always_xy=True).transform(east, north)
    reached = np.isfinite(east) & np.isfinite(north)
    return Correspondence(
        rows=np.where(reached, (source.top - north) / source.gsd - 0.5, FAR),
        cols=np.where(reached, (east - source.left) / source.gsd - 0.5, FAR),
        origin=(first_row * NODE_STEP - top - 0.5, first_col * NODE_STEP - left - 0.5),
        aligned=same_crs and _one_grid(output, source),
        shape=source.shape,
    )


def wins_of(sources: UInt16Array) -> tuple[Wins, ...]:
    """List the sources that supply a pixel of a tile.

    Args:
        sources: (y, x) uint16, source map of the tile at 20 m; 0 is none.

    Returns:
        One entry per source, ordered by number.
    """
    table = warp_kernels.extents(sources, int(sources.max(initial=0)) + 1)
    return tuple(
        Wins(
            number=number,
            sources=sources,
            window=Window(row_start=row[0], row_stop=row[1], col_start=row[2], col_stop=row[3]),
            pixels=row[4],
        )
        for number, row in enumerate(table.tolist())
        if number > 0 and row[4] > 0
    )


def needed_squares(where: Correspondence, wins: Wins, factor: int, square: tuple[int, int]) -> BoolArray:
    """Find the squares of an image that hold a pixel which the resampling of a winning output pixel touches.

    Args:
        where: from `locate`.
        wins: the pixels that the image's scene supplies.
        factor: output pixels per side of a pixel of the source map: 2 at 10 m, 1 at 20 m.
        square: (rows, columns) of a square, px.

    Returns:
        (square row, square column) bool, True means needed.
    """
    needed = _no_squares(where.shape, square)
    warp_cells.mark_squares(needed, *wins.kernel_arguments, factor, *where.kernel_arguments, *where.shape, *square)
    return needed


def warp(
    image: UInt16Array,
    where: Correspondence,
    wins: Wins,
    harmonisation: Harmonisation,
    out: UInt16Array,
    flags: UInt8Array,
    correction: Correction = NO_CORRECTION,
    slopes: SlopeFactors = NO_SLOPES,
) -> Warped:
    """Resample an image into the output pixels that its scene supplies; all other pixels stay as they are.

    Cubic convolution (a = -0.5) over 4 x 4 pixels that all hold data; where some are DN 0 or beyond the image, bilinear
    over the valid ones of the nearest 2 x 2; where the pixel under the output's centre is DN 0, nothing (see `mend`).
    Aligned grids are copied. DN below 1 after the offset count as 1: products before baseline 04.00 hold nothing lower,
    and the same ground must come out the same from all of them.

    Args:
        image: (y, x) uint16, DN of the product, 0 is nodata; only needed blocks must be filled.
        where: from `locate` for the image's grid.
        wins: the pixels that the image's scene supplies.
        harmonisation: offset and quantification of the band in this product.
        out: (y, x) uint16, delivered DN, written in place; its sides are a whole multiple of the source map's.
        flags: (y, x) uint8 on the source map's grid, bit CLIPPED is added in place.
        correction: added before rounding, delivered DN.
        slopes: multiplied by after that, before rounding.
    """
    clipped_low, clipped_high, missing = warp_cells.warp(
        image,
        *wins.kernel_arguments,
        *where.kernel_arguments,
        float(harmonisation.add_offset),
        harmonisation.scale,
        correction.offset,
        correction.gain,
        *correction.place,
        slopes.values,
        *slopes.place,
        out,
        flags,
    )
    return Warped(clipped_low=clipped_low, clipped_high=clipped_high, missing=missing)


def missing_pixels(where: Correspondence, wins: Wins, out: UInt16Array, count: int) -> Missing:
    """List the output pixels of a source that `warp` left at 0; `count` is their number (`Warped.missing`)."""
    rows, cols, image_rows, image_cols = warp_kernels.list_missing(
        *wins.kernel_arguments, *where.kernel_arguments[:-1], out, count
    )
    return Missing(
        rows=rows,
        cols=cols,
        image_rows=np.clip(image_rows, 0, where.shape[0] - 1),
        image_cols=np.clip(image_cols, 0, where.shape[1] - 1),
    )


def squares_around(missing: Missing, radius: int, shape: tuple[int, int], square: tuple[int, int]) -> BoolArray:
    """Find the squares of an image within some pixels of missing pixels.

    Args:
        missing: from `missing_pixels`.
        radius: rows and columns to each side, px.
        shape: (rows, columns) of the image, px.
        square: (rows, columns) of a square, px.

    Returns:
        (square row, square column) bool, True means needed.
    """
    near = _no_squares(shape, square)
    warp_kernels.mark_around(near, missing.image_rows, missing.image_cols, radius, *shape, *square)
    return near


def mend(
    image: UInt16Array,
    missing: Missing,
    radius: int,
    harmonisation: Harmonisation,
    out: UInt16Array,
    flags: UInt8Array,
    correction: Correction = NO_CORRECTION,
    slopes: SlopeFactors = NO_SLOPES,
) -> Missing:
    """Give missing pixels the nearest valid pixel of the same image.

    Args:
        image: (y, x) uint16, DN of the product, 0 is nodata; filled within `radius` of the missing pixels.
        missing: from `missing_pixels`.
        radius: how far to look, px.
        harmonisation: offset and quantification of the band in this product.
        out: (y, x) uint16, delivered DN, written in place.
        flags: (y, x) uint8 on the source map's grid, bit MENDED is added in place.
        correction: added before rounding, delivered DN.
        slopes: multiplied by after that, before rounding.

    Returns:
        Pixels that have no valid pixel within the radius.
    """
    nearest = warp_kernels.nearest_valid(image, missing.image_rows, missing.image_cols, radius)
    found = nearest > 0
    rows, cols = missing.rows[found], missing.cols[found]
    dn = harmonised_dn(nearest[found], harmonisation)
    if correction.offset.size or slopes.values.size:
        added = (correction.offset, correction.gain, *correction.place)
        dn = warp_kernels.corrected(dn, *added, slopes.values, *slopes.place, rows, cols)
    out[rows, cols] = dn
    factor = out.shape[0] // flags.shape[0]
    flags[rows // factor, cols // factor] |= warp_kernels.MENDED
    return Missing(
        rows=missing.rows[~found],
        cols=missing.cols[~found],
        image_rows=missing.image_rows[~found],
        image_cols=missing.image_cols[~found],
    )


def _no_squares(shape: tuple[int, int], square: tuple[int, int]) -> BoolArray:
    """(square row, square column), all False."""
    return np.zeros((-(-shape[0] // square[0]), -(-shape[1] // square[1])), dtype=np.bool_)


def _one_grid(output: Grid, source: Grid) -> bool:
    """Whether the pixels of two grids of one CRS coincide."""
    same_size = output.gsd == source.gsd
    return same_size and (output.left - source.left) % source.gsd == 0 and (output.top - source.top) % source.gsd == 0
