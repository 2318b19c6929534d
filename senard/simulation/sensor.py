"""What MSI makes of ground and sky: strips of reflectance at 10 m and 20 m, with noise, swath edge and quantisation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numba
import numpy as np

from senard.model.arrays import BoolArray, Float32Array, Float64Array, UInt8Array, UInt16Array
from senard.model.grid import Window
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.geometry import HALF_SWATH_M, NODE_STEP_PX, Nodes, along_limits, nodes_of
from senard.simulation.ground import BAND_NAMES, SPECTRA, ground_at
from senard.simulation.noise import value_noise
from senard.simulation.sky import SNOW_ON_GROUND, band_table, sky_at, veil_at, weather_numbers, weather_of

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
    )
    _fill(acquisition, nodes, strip)
    for band, reflectance in acquisition.signature.items():
        _sign(strip, band, reflectance)
    return strip


def _fill(acquisition: SimulatedAcquisition, nodes: Nodes, strip: Strip) -> None:
    weather = weather_of(acquisition)
    grid = acquisition.grid
    day = acquisition.time.timetuple().tm_yday + acquisition.time.hour / 24
    if acquisition.centre[1] < 0:
        day = (day + 182.0) % 365.0  # seasons of the southern hemisphere
    _render(
        nodes.values,
        (float(weather.shift_m[0]), float(weather.shift_m[1])),
        (int(grid.left) // 10, int(grid.top) // 10 - strip.window.row_start, int(grid.crs[5:])),
        (acquisition.seed, weather.seed),
        day,
        acquisition.time.toordinal() // 10,
        along_limits(acquisition),
        weather_numbers(weather),
        SPECTRA,
        band_table(weather),
        _NOISE,
        _BAND_EDGE_M,
        (strip.fine, strip.coarse, strip.truth, strip.sky, strip.aerosol, strip.cover),
    )


def _sign(strip: Strip, band: str, reflectance: float) -> None:
    """Fill one band with one value, nodata excepted."""
    index = BAND_NAMES.index(band)
    strip.coarse[index][np.isfinite(strip.coarse[index])] = reflectance
    if band in FINE_BANDS:
        fine = strip.fine[FINE_BANDS.index(band)]
        fine[np.isfinite(fine)] = reflectance


@numba.njit(cache=True, inline="always")
def _bells(x: int, y: int, seed: int) -> tuple[float, float]:
    """Two independent numbers of deviation 1 that a pixel decides, each the sum of two uniform ones of 16 bits."""
    h = np.uint64(x) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(y) * np.uint64(0xD1B54A32D192ED03) + np.uint64(seed)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    low = (h & np.uint64(0xFFFF)) + ((h >> np.uint64(16)) & np.uint64(0xFFFF))
    high = ((h >> np.uint64(32)) & np.uint64(0xFFFF)) + (h >> np.uint64(48))
    return (float(low) / 65536.0 - 1.0) * 2.4494897, (float(high) / 65536.0 - 1.0) * 2.4494897


@numba.njit(cache=True)
def _node(nodes: Float64Array, row: float, col: float, out: Float64Array) -> None:
    """Geometry at a place of the strip, in pixels of 10 m from its corner, linear between nodes."""
    r = row / NODE_STEP_PX
    c = col / NODE_STEP_PX
    i = int(r)
    j = int(c)
    r -= i
    c -= j
    for k in range(nodes.shape[2]):
        top = nodes[i, j, k] * (1.0 - c) + nodes[i, j + 1, k] * c
        bottom = nodes[i + 1, j, k] * (1.0 - c) + nodes[i + 1, j + 1, k] * c
        out[k] = top * (1.0 - r) + bottom * r


@numba.njit(cache=True)
def _render(nodes, shift, origin, seeds, day, spell, along, numbers, spectra, table, noise, edges, outputs):  # type: ignore[no-untyped-def]
    """Fill the arrays of a strip, one 20 m cell with its four 10 m pixels at a time."""
    fine, coarse, truth, sky, aerosol, covers = outputs
    place = np.empty(8, dtype=np.float64)
    state = np.empty(5, dtype=np.float64)
    ground = np.empty(12, dtype=np.float32)
    seen = np.empty(12, dtype=np.float32)
    factor = np.empty(12, dtype=np.float32)
    addend = np.empty(12, dtype=np.float32)
    total = np.empty(12, dtype=np.float64)
    true = np.empty(12, dtype=np.float64)
    fine_of = np.array([-1, 0, 1, 2, -1, -1, -1, 3, -1, -1, -1, -1])
    true_of = (1, 2, 3, 7, 8, 10)
    for row in range(coarse.shape[1]):
        for col in range(coarse.shape[2]):
            _node(nodes, 2.0 * row + 1.0, 2.0 * col + 1.0, place)
            sky_at(place[0], place[1], place[2], place[3], (place[5], place[6]), numbers, seeds[1], state)
            inside = along[0] <= place[4] <= along[1]
            total[:] = 0.0
            true[:] = 0.0
            bits = veil_at(state, numbers, table, factor, addend)
            snow = 0.0
            for part in range(4):
                py = 2 * row + part // 2
                px = 2 * col + part % 2
                _node(nodes, py + 0.5, px + 0.5, place)
                x = place[0] + shift[0] * place[2]
                y = place[1] + shift[1] * place[2]
                light = (place[5], place[6], place[3])
                cover, snow_here = ground_at(x, y, seeds[0], day, spell, light, spectra, ground)
                snow += 0.25 * snow_here
                if part == 0:
                    covers[row, col] = cover
                for band in range(12):
                    true[band] += 0.25 * ground[band]
                    seen[band] = factor[band] * ground[band] + addend[band]
                for pair in range(6):
                    grain = _bells(origin[0] + px, origin[1] - py, seeds[1] + 131 * pair + 7919 * origin[2])
                    seen[2 * pair] += noise[2 * pair] * grain[0]
                    seen[2 * pair + 1] += noise[2 * pair + 1] * grain[1]
                for band in range(12):
                    total[band] += 0.25 * seen[band]
                    if fine_of[band] >= 0:
                        held = inside and abs(place[3] + edges[band]) < HALF_SWATH_M
                        fine[fine_of[band], py, px] = seen[band] if held else np.nan
            for band in range(12):
                held = inside and abs(place[3] + edges[band]) < HALF_SWATH_M
                coarse[band, row, col] = total[band] if held else np.nan
            held = inside and abs(place[3]) < HALF_SWATH_M
            for index in range(6):
                value = true[true_of[index]]
                truth[index, row, col] = max(1, min(int(value * 10000.0 + 0.5), 65535)) if held else 0
            if snow > 0.5:
                bits |= SNOW_ON_GROUND
            sky[row, col] = bits if held else 0
            tone = value_noise(place[0] / 2.0e4, place[1] / 2.0e4, seeds[1] + 140)
            aerosol[row, col] = max(0.08 + 0.06 * tone + 0.3 * state[2] + 0.4 * state[3], 0.01)


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
