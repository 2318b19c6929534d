"""Granules of one overflight made to agree at low frequency, so that no step shows where the mosaic changes granule.

Sen2Cor corrects every granule with an aerosol of its own. Where two granules of one overflight saw the same ground at
the same moment, what differs is that correction alone, and it is smooth. On a lattice of cells, anchored to the origin
of the mosaic's CRS, granule g gets

    c_g = T - rho_g,   T = sum(e_h rho_h) / sum(e_h)

with the low-passed reflectance rho and e the distance to the edge of a granule's ground. In an overlap all granules
then agree; where a neighbour ends its weight is 0, so that c fades to nothing where one granule alone sees the ground.
No pixel is mixed from two scenes.

An error in aerosol adds light to dark ground and takes light from bright ground. A correction is therefore brought to
a pixel as offset + gain * reflectance: the gain follows from the near infrared, where aerosol adds next to nothing, and
falls with wavelength as the extinction of aerosol does; the offset makes the judge bands exact.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from senard.algorithms.smoothing import distance_to, gaussian_kernel, smooth
from senard.model.arrays import BoolArray, Float32Array, Float64Array, UInt8Array, UInt16Array
from senard.model.grid import Grid, Window
from senard.model.masks import CLASS_CORE, CLASS_SNOW, CLASS_VALID, SCL_BITS
from senard.model.sentinel2 import BANDS, JUDGE_BANDS, SATURATED_DN, SCL_CLEAR

CELL_M = 600
"""Side of a cell, m of the mosaic's CRS: aerosol changes over kilometres."""
SAMPLE_M = 60
"""Distance of the pixels that are compared, m: those of the judge raster."""
SIGMA_CELLS = 3.0
"""Width of the low-pass, cells: 1.8 km of the CRS; in EPSG:3857 1.3 km on the ground at 46 degrees, 0.9 km at 60."""
REACH_CELLS = 9
"""Reach of the low-pass, cells: 3 sigma."""
FADE_CELLS = 16
"""Distance from its edge at which a granule's weight is full, cells: 9.6 km, the width of most overlaps."""
HALO_CELLS = FADE_CELLS + REACH_CELLS + 3
"""Cells around an area whose ground bears on a correction inside."""
FULL_SHARE = 0.05
"""Weighted share of common clear pixels from which on a difference is trusted; below it fades."""
ROUNDING_DN = 1.0
"""Differences up to this are rounding, DN; they are taken off all others too, so that nothing jumps here."""
PLAUSIBLE_DN = 200.0
"""Up to this, in all bands, a difference is aerosol and removed, DN: 0.02 reflectance."""
IMPLAUSIBLE_DN = 300.0
"""From this on, in any band, it is not, and left alone, DN; between the two the correction fades."""
ANGSTROM = 1.3
"""Exponent with which the extinction of aerosol falls with wavelength; 1.3 is that of continental aerosol."""
OFFSET_POWER = -2.0
"""Between the judge bands the offset is linear in this power of the wavelength: the light that aerosol and air add."""
GAIN_BAND = "B8A"
"""Judge band that the gain follows from."""
DARK_DN = 1000.0
"""Ground darker than this in the near infrared, water above all, tells little of the gain, DN."""
LARGEST_GAIN = 0.05
"""In the near infrared; more would be an error of 1 in optical thickness."""

SEASON_LAST_NM = 670.0
"""Bands of longer waves stay as they are: what changes there is the season itself, nm."""

NEAR_CLOUD = 1
"""Pixels this near to a cloud or shadow are not compared, units of 20 m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A rectangle of the lattice; cell (0, 0) has its upper left corner at the origin of the CRS."""

    window: Window
    """Rows count down from y = 0, columns right from x = 0; both may be negative."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.window.height, self.window.width

    def grid(self, crs: str, gsd: int = CELL_M) -> Grid:
        """Its pixels of a size that divides a cell, m."""
        each = CELL_M // gsd
        return Grid(
            crs=crs,
            left=float(self.window.col_start * CELL_M),
            top=float(-self.window.row_start * CELL_M),
            gsd=gsd,
            width=self.window.width * each,
            height=self.window.height * each,
        )

    def within(self, other: "Cells") -> tuple[slice, slice]:
        """Where these cells lie in an array of others that hold them all."""
        rows, cols = self.window.row_start - other.window.row_start, self.window.col_start - other.window.col_start
        return slice(rows, rows + self.window.height), slice(cols, cols + self.window.width)

    def common(self, other: "Cells") -> "Cells | None":
        """The cells of both, None if there are none."""
        mine, theirs = self.window, other.window
        top, bottom = max(mine.row_start, theirs.row_start), min(mine.row_stop, theirs.row_stop)
        left, right = max(mine.col_start, theirs.col_start), min(mine.col_stop, theirs.col_stop)
        if top >= bottom or left >= right:
            return None
        return Cells(window=Window(row_start=top, row_stop=bottom, col_start=left, col_stop=right))

    def padded(self, by: int) -> "Cells":
        """These cells and others around."""
        own = self.window
        return Cells(
            window=Window(
                row_start=own.row_start - by,
                row_stop=own.row_stop + by,
                col_start=own.col_start - by,
                col_stop=own.col_stop + by,
            )
        )

    def blocks(self, size: int) -> Iterator["Cells"]:
        """Rectangles of at most size x size cells."""
        for window in self.grid("").blocks(size):
            row, col = self.window.row_start, self.window.col_start
            yield Cells(
                window=Window(
                    row_start=row + window.row_start,
                    row_stop=row + window.row_stop,
                    col_start=col + window.col_start,
                    col_stop=col + window.col_stop,
                )
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Sums over the pixels that two granules saw clear, per cell; filled block by block."""

    cells: Cells
    """Where."""

    count: Float32Array
    """(y, x) float32, number of such pixels, 0-100."""

    difference: Float32Array
    """(band, y, x) float32, sum of first minus second granule, DN, JUDGE_BANDS; whole numbers, so exact."""

    ground: Float32Array
    """(band, y, x) float32, sum of both granules, DN, JUDGE_BANDS."""

    @classmethod
    def nothing(cls, cells: Cells) -> "Comparison":
        """Before anything is compared."""
        shape = (len(JUDGE_BANDS), *cells.shape)
        nothing = np.zeros(shape, np.float32)
        return cls(cells=cells, count=np.zeros(cells.shape, np.float32), difference=nothing, ground=nothing.copy())


@dataclass(frozen=True, slots=True, kw_only=True)
class Smooth:
    """What two granules have in common at low frequency; (band, y, x) float32, DN of JUDGE_BANDS."""

    difference: Float32Array
    """First minus second granule, as far as it will be removed: 0 where too little is known, where it is rounding,
    and where it is more than aerosol does."""

    ground: Float32Array
    """Mean of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Corrections of one scene by cell; (band, y, x) float32, DN of JUDGE_BANDS."""

    values: Float32Array
    """What is added to ground of mean reflectance."""

    ground: Float32Array
    """Mean reflectance of the ground."""

    season: Float32Array | None = None
    """(y, x) float32, DN of B02: what draws the overflight to its season; None for nothing."""

    @classmethod
    def of(cls, layers: Float32Array) -> "Levels":
        """From the layers of a file: values, ground and, where there are more, season."""
        judged = len(JUDGE_BANDS)
        season = layers[2 * judged] if len(layers) > 2 * judged else None
        return cls(values=layers[:judged], ground=layers[judged : 2 * judged], season=season)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is added to the DN of one band of one scene in one tile, between the centres of cells bilinear."""

    offset: Float32Array
    """(y, x) float32, DN by cell; 0 beyond."""

    gain: Float32Array
    """(y, x) float32, share of the pixel's own DN, by cell; 0 beyond."""

    cells: Cells
    """Where."""

    output: Grid
    """The pixels that it is added to."""

    @property
    def place(self) -> tuple[float, float, float, float, float]:
        """First cell row and column, cells per pixel, row and column of pixel (0, 0) from the origin.

        Places are counted from the origin of the CRS, so that a pixel gets the same bits in every tile.
        """
        window, grid = self.cells.window, self.output
        row, col = round(-grid.top / grid.gsd), round(grid.left / grid.gsd)
        return float(window.row_start), float(window.col_start), grid.gsd / CELL_M, float(row), float(col)


NO_CORRECTION = Correction(
    offset=np.zeros((0, 0), np.float32),
    gain=np.zeros((0, 0), np.float32),
    cells=Cells(window=Window(row_start=0, row_stop=0, col_start=0, col_stop=0)),
    output=Grid(crs="", left=0.0, top=0.0, gsd=CELL_M, width=0, height=0),
)
"""Leaves every pixel as it is."""


def cells_of(left: float, bottom: float, right: float, top: float, *, pad: int = 0) -> Cells:
    """The cells that a rectangle touches, and `pad` more on every side; coordinates of the mosaic's CRS, m."""
    return Cells(
        window=Window(
            row_start=int(np.floor(-top / CELL_M)) - pad,
            row_stop=int(np.ceil(-bottom / CELL_M)) + pad,
            col_start=int(np.floor(left / CELL_M)) - pad,
            col_stop=int(np.ceil(right / CELL_M)) + pad,
        )
    )


def comparable(mask: UInt8Array, judge: UInt16Array) -> BoolArray:
    """Pixels of one granule that can be compared: clear ground, away from clouds, not saturated.

    Args:
        mask: (2 or more, y, x) MASK_BANDS_20: `class` and `distance`.
        judge: (4 or more, y, x) JUDGE_BANDS, DN.
    """
    bits = mask[0]
    clear = _IS_CLEAR[bits & SCL_BITS] & ((bits & CLASS_VALID) != 0) & ((bits & (CLASS_CORE | CLASS_SNOW)) == 0)
    bands = judge[: len(JUDGE_BANDS)]
    result: BoolArray = clear & (mask[1] > NEAR_CLOUD) & np.all((bands > 0) & (bands < SATURATED_DN), axis=0)
    return result


def compare(into: Comparison, block: Cells, first: UInt16Array, second: UInt16Array, common: BoolArray) -> None:
    """Add one block's pixels to a comparison.

    Args:
        into: filled in place.
        block: cells of the block, within those of the comparison.
        first: (4 or more, y, x) JUDGE_BANDS of one granule on the block's pixels of SAMPLE_M.
        second: the same of the other.
        common: (y, x) pixels comparable in both.
    """
    where = block.within(into.cells)
    into.count[where] += per_cell(common.astype(np.float32))
    for band in range(len(JUDGE_BANDS)):
        one, other = first[band].astype(np.float32), second[band].astype(np.float32)
        into.difference[(band, *where)] += per_cell((one - other) * common)
        into.ground[(band, *where)] += per_cell((one + other) * common)


def low_pass(comparison: Comparison) -> Smooth:
    """Smooth what was compared, and keep of the difference what shall be removed."""
    kernel = gaussian_kernel(SIGMA_CELLS, radius=REACH_CELLS)
    count = smooth(_surrounded(comparison.count), kernel)
    known = np.maximum(count, np.float32(1e-6))
    mean = np.stack([smooth(_surrounded(band), kernel) / known for band in comparison.difference])
    ground = np.stack([smooth(_surrounded(band), kernel) / known for band in comparison.ground]) / np.float32(2)
    trust = np.minimum(count / np.float32((CELL_M // SAMPLE_M) ** 2 * FULL_SHARE), 1)
    doubt = (np.abs(mean).max(axis=0) - PLAUSIBLE_DN) / (IMPLAUSIBLE_DN - PLAUSIBLE_DN)
    trust *= 1 - np.clip(doubt, 0, 1)
    removed = np.sign(mean) * np.maximum(np.abs(mean) - ROUNDING_DN, 0) * trust
    return Smooth(difference=_inner(removed), ground=_inner(ground))


def weight(covered: BoolArray) -> Float32Array:
    """Weight of a granule in each cell: distance to the edge of its ground.

    Args:
        covered: (y, x) cells in which the granule saw any ground.

    Returns:
        (y, x) float32, cells, 0 beyond the cells next to its ground, FADE_CELLS deep inside.
    """
    # A pixel lies between four centres of cells: cells next to the ground count as ground, that all four have a value.
    reached = distance_to(covered) <= 1
    return np.minimum(distance_to(~reached), FADE_CELLS).astype(np.float32)


def corrections(
    frames: Sequence[Cells], weights: Sequence[Float32Array], pairs: Mapping[tuple[int, int], Smooth]
) -> list[Levels]:
    """What is added to each granule of one overflight.

    Args:
        frames: cells of each granule.
        weights: (y, x) `weight` of each granule on its cells.
        pairs: (i, j) with i < j to `low_pass` of granules i and j, on the cells common to both.

    Returns:
        One for each granule, on its cells.
    """
    totals: list[Float32Array] = [own.copy() for own in weights]
    others: list[Float32Array] = [np.zeros_like(own) for own in weights]
    shapes = [(len(JUDGE_BANDS), *frame.shape) for frame in frames]
    sums = [Levels(values=np.zeros(shape, np.float32), ground=np.zeros(shape, np.float32)) for shape in shapes]
    for (i, j), pair in pairs.items():
        common = frames[i].common(frames[j])
        if common is None:
            continue
        for own, other, sign in ((i, j, np.float32(-1)), (j, i, np.float32(1))):
            here = common.within(frames[own])
            share = weights[other][common.within(frames[other])]
            totals[own][here] += share
            others[own][here] += share
            sums[own].values[(slice(None), *here)] += sign * pair.difference * share
            sums[own].ground[(slice(None), *here)] += pair.ground * share
    for part, total, other_total in zip(sums, totals, others, strict=True):
        np.divide(part.values, np.maximum(total, np.float32(1)), out=part.values)
        np.divide(part.ground, np.maximum(other_total, np.float32(1)), out=part.ground)
    return sums


def band_correction(levels: Levels, band: str) -> tuple[Float32Array, Float32Array]:
    """Offset and gain of any band from the corrections of the judge bands.

    On ground of mean reflectance the judge bands get exactly their corrections; the offset of other bands lies between
    those of their neighbours among the judge bands, and is constant beyond them.

    Args:
        levels: corrections of one scene.
        band: ESA's name.

    Returns:
        offset, DN, and gain, share of a pixel's own DN: (y, x) float32 each; 0 where the corrections are 0.
    """
    infrared = JUDGE_BANDS.index(GAIN_BAND)
    bright = levels.ground[infrared]
    gain = levels.values[infrared] * bright / (bright * bright + np.float32(DARK_DN**2))
    gain = np.clip(gain, -LARGEST_GAIN, LARGEST_GAIN)
    nodes = [float(BANDS[name].wavelength_nm) for name in JUDGE_BANDS]
    offsets = [
        levels.values[number] - gain * np.float32(extinction(wavelength)) * levels.ground[number]
        for number, wavelength in enumerate(nodes)
    ]
    wavelength = float(np.clip(BANDS[band].wavelength_nm, nodes[0], nodes[-1]))
    lower = min(int(np.searchsorted(nodes, wavelength, side="right")) - 1, len(nodes) - 2)
    start, stop, here = (value**OFFSET_POWER for value in (nodes[lower], nodes[lower + 1], wavelength))
    share = np.float32((here - start) / (stop - start))
    offset: Float32Array = offsets[lower] * (1 - share) + offsets[lower + 1] * share
    if levels.season is not None and BANDS[band].wavelength_nm < SEASON_LAST_NM:
        offset = offset + levels.season * np.float32(
            extinction(BANDS[band].wavelength_nm) / extinction(BANDS["B02"].wavelength_nm)
        )
    return offset, gain * np.float32(extinction(BANDS[band].wavelength_nm))


def extinction(wavelength_nm: float) -> float:
    """Extinction by aerosol relative to the band that the gain follows from."""
    ratio: float = BANDS[GAIN_BAND].wavelength_nm / wavelength_nm
    return float(ratio**ANGSTROM)


def _clear_table() -> BoolArray:
    table = np.zeros(SCL_BITS + 1, dtype=np.bool_)
    table[sorted(SCL_CLEAR)] = True
    return table


_IS_CLEAR = _clear_table()


def per_cell(pixels: Float32Array) -> Float32Array:
    """Sums over the pixels of each cell: (y, x) in cells."""
    each = CELL_M // SAMPLE_M
    rows, cols = pixels.shape
    sums: Float32Array = pixels.reshape(rows // each, each, cols // each, each).sum(axis=(1, 3))
    return sums


def _surrounded(values: Float32Array) -> Float32Array:
    """With as many empty cells around as the low-pass reaches."""
    return np.pad(values, REACH_CELLS)


def _inner(values: Float32Array | Float64Array) -> Float32Array:
    """Without the cells that `_surrounded` added."""
    return values[:, REACH_CELLS:-REACH_CELLS, REACH_CELLS:-REACH_CELLS].astype(np.float32)
