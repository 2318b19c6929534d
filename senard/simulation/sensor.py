"""What MSI makes of ground and sky: strips of reflectance at 10 m and 20 m, with noise, swath edge and quantisation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from senard.model.arrays import BoolArray, Float32Array, Float64Array, UInt8Array, UInt16Array
from senard.model.grid import Window
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.geometry import Nodes, along_limits, nodes_of
from senard.simulation.ground import BAND_NAMES, LIGHT, SPECTRA
from senard.simulation.kernel import LATTICE_M, fill_lattice, render
from senard.simulation.relief import land_numbers
from senard.simulation.weather import band_table, weather_numbers, weather_of

FINE_BANDS = ("B02", "B03", "B04", "B08")
"""Bands of 10 m."""

TRUTH_BANDS = ("B02", "B03", "B04", "B08", "B8A", "B11")
"""Bands of which the true reflectance of the ground is kept."""

HIGHEST_DN = 28_000
"""Images hold 15 bits; reflectance above 2.7 is cut."""

_NOISE = np.array(
    [0.012, 0.002, 0.002, 0.002, 0.004, 0.004, 0.004, 0.002, 0.004, 0.012, 0.004, 0.004], dtype=np.float32
)
# Deviation of the noise of one 10 m pixel: 0.002 remain in the native pixels of 10, 20 and 60 m alike.

_BAND_EDGE_M = np.array([60, -90, -60, -30, 0, 15, 30, -75, 45, 70, 90, 110], dtype=np.float64)
# Bands look at slightly different ground: the swath's edge is not the same in all of them, m.

_STRIP_FLOATS = 30_000_000
# 10 m pixels times bands in one strip: 120 MB of float32.


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Some rows of a product as the sensor saw them."""

    window: Window
    """Its place in the 10 m grid."""

    fine: Float32Array
    """(4, y, x) float32, reflectance at 10 m, FINE_BANDS; NaN is nodata."""

    coarse: Float32Array
    """(12, y/2, x/2) float32, reflectance at 20 m, BAND_NAMES; NaN is nodata."""

    truth: UInt16Array
    """(6, y/2, x/2) uint16, true reflectance of the ground at 20 m times 10 000, TRUTH_BANDS; 0 is nodata."""

    sky: UInt8Array
    """(y/2, x/2) uint8, bits of senard.simulation.sky."""

    aerosol: Float32Array
    """(y/2, x/2) float32, aerosol optical depth as the product states it."""

    cover: UInt8Array
    """(y/2, x/2) uint8, number of the land cover at the upper left 10 m pixel."""

    hints: Float32Array
    """(3, y/2, x/2) float32: cirrus' reflectance as band 10 knows it, and two fields of doubt of deviation 1.3."""


def strips(acquisition: SimulatedAcquisition) -> Iterator[Strip]:
    """See a product from north to south, in strips whose memory does not depend on its size.

    Args:
        acquisition: what to see.

    Yields:
        Strips of a multiple of 96 rows of 10 m (the last one may be shorter, a multiple of 6).
    """
    size = acquisition.size_px
    rows = max(96, _STRIP_FLOATS // (12 * size) // 96 * 96)
    for first in range(0, size, rows):
        window = Window(row_start=first, row_stop=min(first + rows, size), col_start=0, col_stop=size)
        yield _see(acquisition, window)


def _see(acquisition: SimulatedAcquisition, window: Window) -> Strip:
    nodes = nodes_of(acquisition, acquisition.grid.crop(window))
    shape = (window.height // 2, window.width // 2)
    strip = Strip(
        window=window,
        fine=np.empty((4, window.height, window.width), dtype=np.float32),
        coarse=np.empty((12, *shape), dtype=np.float32),
        truth=np.empty((6, *shape), dtype=np.uint16),
        sky=np.empty(shape, dtype=np.uint8),
        aerosol=np.empty(shape, dtype=np.float32),
        cover=np.empty(shape, dtype=np.uint8),
        hints=np.empty((3, *shape), dtype=np.float32),
    )
    _fill(acquisition, nodes, strip)
    for band, reflectance in acquisition.signature.items():
        _sign(strip, band, reflectance)
    return strip


def _fill(acquisition: SimulatedAcquisition, nodes: Nodes, strip: Strip) -> None:
    arrays = (strip.fine, strip.coarse, strip.truth, strip.sky, strip.aerosol, strip.cover, strip.hints)
    render(nodes.values, *scene_of(acquisition, nodes, row=strip.window.row_start), arrays)


def scene_of(acquisition: SimulatedAcquisition, nodes: Nodes, *, row: int = 0) -> tuple[Any, ...]:
    """What the compiled loops need to know of a product besides its geometry and their outputs, in their order.

    Args:
        acquisition: which product.
        nodes: geometry of what is rendered.
        row: first row of the strip, px of 10 m.
    """
    weather = weather_of(acquisition)
    grid = acquisition.grid
    day = acquisition.time.timetuple().tm_yday + acquisition.time.hour / 24
    if acquisition.centre[1] < 0:
        day = (day + 182.0) % 365.0  # seasons of the southern hemisphere
    spell = acquisition.time.toordinal() // 10
    seeds = (acquisition.seed, weather.seed)
    tables = (SPECTRA, LIGHT, land_numbers(acquisition))
    return (
        _lattice(nodes, seeds, day, spell, tables),
        (float(weather.shift_m[0]), float(weather.shift_m[1])),
        (int(grid.left) // 10, int(grid.top) // 10 - row, int(grid.crs[5:])),
        seeds,
        (day, spell),
        along_limits(acquisition),
        weather_numbers(acquisition),
        tables,
        band_table(weather),
        _NOISE,
        _BAND_EDGE_M,
    )


def _lattice(
    nodes: Nodes,
    seeds: tuple[int, int],
    day: float,
    spell: int,
    tables: tuple[Float32Array, Float32Array, Float64Array],
) -> tuple[Float32Array, Float64Array]:
    """Mean ground around the points of a lattice that all products share, and the place of its first point."""
    values = nodes.values
    places = values[..., :2].reshape(-1, 2)
    corner = np.floor(places.min(axis=0) / LATTICE_M) * LATTICE_M
    cols, rows = (np.ceil((places.max(axis=0) - corner) / LATTICE_M) + 1).astype(int)
    middle = values[values.shape[0] // 2, values.shape[1] // 2]
    light = tuple(float(middle[index]) for index in (5, 6, 8, 9, 10, 2, 7))
    env = np.empty((rows, cols, 12), dtype=np.float32)
    fill_lattice(corner, seeds, day, spell, light, tables, env)
    return env, corner


def _sign(strip: Strip, band: str, reflectance: float) -> None:
    """Fill one band with one value, nodata excepted."""
    index = BAND_NAMES.index(band)
    strip.coarse[index][np.isfinite(strip.coarse[index])] = reflectance
    if band in FINE_BANDS:
        fine = strip.fine[FINE_BANDS.index(band)]
        fine[np.isfinite(fine)] = reflectance


def digital_numbers(reflectance: Float32Array, *, add_offset: int) -> UInt16Array:
    """Quantise reflectance: DN = 10 000 · reflectance − add_offset.

    Rounding comes before the offset, so that products of all baselines hold the same reflectance.

    Args:
        reflectance: any shape, float32; NaN is nodata.
        add_offset: BOA_ADD_OFFSET, DN.

    Returns:
        Same shape, uint16; 0 is nodata, valid pixels are at least 1.
    """
    nodata: BoolArray = np.isnan(reflectance)
    scaled = np.rint(np.where(nodata, np.float32(0), reflectance) * np.float32(10_000)) - add_offset
    dn = np.clip(scaled, 1, HIGHEST_DN).astype(np.uint16)
    dn[nodata] = 0
    return dn


def shrink(values: Float32Array, factor: int) -> Float32Array:
    """Mean of blocks of factor x factor pixels; a block with nodata (NaN) is nodata.

    Args:
        values: (band, y, x) float32, sides multiples of the factor.
        factor: pixels along one side of a block.
    """
    bands, rows, cols = values.shape
    blocks = values.reshape(bands, rows // factor, factor, cols // factor, factor)
    return blocks.mean(axis=(2, 4), dtype=np.float32)
