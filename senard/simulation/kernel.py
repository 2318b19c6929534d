"""The loop over pixels: ground, sky and noise in one compiled function."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

from senard.model.arrays import Float32Array, Float64Array
from senard.simulation import clouds, ground, noise, relief, sky
from senard.simulation.geometry import HALF_SWATH_M, NODE_STEP_PX
from senard.simulation.ground import ground_at
from senard.simulation.noise import fractal_noise, hash01, value_noise
from senard.simulation.sky import SNOW_ON_GROUND, sky_at, veil_at


@numba.njit(inline="always")
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


@numba.njit(cache=False)
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


@numba.njit(cache=False)
def _surroundings(env: Float32Array, corner: Float64Array, x: float, y: float, out: Float32Array) -> None:
    """Mean ground around a place, linear between the points of the lattice."""
    c = (x - corner[0]) / LATTICE_M
    r = (y - corner[1]) / LATTICE_M
    i = min(max(int(r), 0), env.shape[0] - 2)
    j = min(max(int(c), 0), env.shape[1] - 2)
    r = min(max(r - i, 0.0), 1.0)
    c = min(max(c - j, 0.0), 1.0)
    for band in range(12):
        low = env[i, j, band] * (1.0 - c) + env[i, j + 1, band] * c
        high = env[i + 1, j, band] * (1.0 - c) + env[i + 1, j + 1, band] * c
        out[band] = low * (1.0 - r) + high * r


LATTICE_M = 400.0
"""Step of the lattice on which the mean of the surroundings is known, Mercator m."""

ADJACENCY = 0.03
"""Share of the light over a place that comes from its surroundings and that no correction took away."""


@numba.njit(inline="always")
def _doubts(x: float, y: float, seed: int, high: float, row: int, col: int, hints: Float32Array) -> None:
    """What a classification knows or gets wrong besides the image: band 10, and two fields of doubt."""
    hints[0, row, col] = high
    bias = 2.2 * (hash01(0, 1, seed + 150) + hash01(0, 2, seed + 150) - 1.0)  # of the whole scene, deviation 0.9
    hints[1, row, col] = bias + fractal_noise(x / 3_000.0, y / 3_000.0, 4, seed + 150)
    bias = 2.2 * (hash01(0, 1, seed + 151) + hash01(0, 2, seed + 151) - 1.0)
    hints[2, row, col] = bias + fractal_noise(x / 2_500.0, y / 2_500.0, 3, seed + 151)


def _fingerprint() -> int:
    """Number of the sources that are compiled into the loop.

    numba keeps compiled code on disk and looks only at the file of the outermost function: after a change of the ground
    it would go on with the old one. Variables that a function takes from its surroundings are part of numba's key.
    """
    number = 0
    for module in (noise, relief, ground, clouds, sky):
        number = zlib.crc32(Path(str(module.__file__)).read_bytes(), number)
    return number


def _compiled_lattice(fingerprint: int) -> Callable[..., None]:
    @numba.njit(cache=True)
    def fill_lattice(corner, seeds, day, spell, light, tables, env):  # type: ignore[no-untyped-def]
        """Mean of four places around each point of the lattice."""
        if fingerprint < 0:
            return
        ground = np.empty(12, dtype=np.float32)
        for row in range(env.shape[0]):
            for col in range(env.shape[1]):
                env[row, col] = 0.0
                for part in range(4):
                    x = corner[0] + LATTICE_M * (col - 0.3 + 0.6 * (part % 2))
                    y = corner[1] + LATTICE_M * (row - 0.3 + 0.6 * (part // 2))
                    ground_at(x, y, seeds, day, spell, light, tables, ground)
                    for band in range(12):
                        env[row, col, band] += np.float32(0.25) * ground[band]

    return fill_lattice


def _compiled(fingerprint: int) -> Callable[..., None]:
    @numba.njit(cache=True)
    def render_strip(nodes, air, shift, origin, seeds, when, along, numbers, tables, table, grain, edges, outputs):  # type: ignore[no-untyped-def]
        """Fill the arrays of a strip, one 20 m cell with its four 10 m pixels at a time."""
        if fingerprint < 0:
            return
        env, corner = air
        day, spell = when
        fine, coarse, truth, sky, aerosol, covers, hints = outputs
        place = np.empty(11, dtype=np.float64)
        state = np.empty(7, dtype=np.float64)
        ground = np.empty(12, dtype=np.float32)
        around = np.empty(12, dtype=np.float32)
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
                sky_at(place[0], place[1], place[2], place[3], (place[5], place[6]), numbers, seeds, state)
                _surroundings(env, corner, place[0], place[1], around)
                inside = along[0] <= place[4] <= along[1]
                total[:] = 0.0
                true[:] = 0.0
                bits = veil_at(state, numbers, table, factor, addend)
                light = (place[5], place[6], place[8], place[9], place[10], place[2], place[7])
                snow = 0.0
                for part in range(4):
                    py = 2 * row + part // 2
                    px = 2 * col + part % 2
                    _node(nodes, py + 0.5, px + 0.5, place)
                    x = place[0] + shift[0] * place[2]
                    y = place[1] + shift[1] * place[2]
                    cover, snow_here = ground_at(x, y, seeds, day, spell, light, tables, ground)
                    snow += 0.25 * snow_here
                    if part == 0:
                        covers[row, col] = cover
                    for band in range(12):
                        true[band] += 0.25 * ground[band]
                        blurred = ground[band] + ADJACENCY * (around[band] - ground[band])
                        seen[band] = factor[band] * blurred + addend[band]
                    for pair in range(6):
                        bell = _bells(origin[0] + px, origin[1] - py, seeds[1] + 131 * pair + 7919 * origin[2])
                        seen[2 * pair] += grain[2 * pair] * bell[0]
                        seen[2 * pair + 1] += grain[2 * pair + 1] * bell[1]
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
                aerosol[row, col] = _stated_aerosol(place[0], place[1], seeds[1], state)
                _doubts(place[0], place[1], seeds[1], state[4], row, col, hints)

    return render_strip


@numba.njit(inline="always")
def _stated_aerosol(x: float, y: float, seed: int, state: Float64Array) -> float:
    """Aerosol optical depth as the product states it: a smooth guess that knows part of haze and smoke."""
    tone = value_noise(x / 2.0e4, y / 2.0e4, seed + 140)
    return max(0.08 + 0.06 * tone + 0.3 * state[2] + 0.4 * state[3], 0.01)


def _compiled_cells(fingerprint: int) -> Callable[..., None]:
    @numba.njit(cache=True)
    def render_cells(nodes, air, shift, origin, seeds, when, along, numbers, tables, table, grain, edges, outputs):  # type: ignore[no-untyped-def]
        """Fill the arrays of a view, one sample at the centre of each 20 m cell."""
        if fingerprint < 0:
            return
        env, corner = air
        day, spell = when
        image, clear, sky, aerosol, covers, hints = outputs
        place = np.empty(11, dtype=np.float64)
        state = np.empty(7, dtype=np.float64)
        ground = np.empty(12, dtype=np.float32)
        around = np.empty(12, dtype=np.float32)
        seen = np.empty(12, dtype=np.float32)
        factor = np.empty(12, dtype=np.float32)
        addend = np.empty(12, dtype=np.float32)
        for row in range(image.shape[1]):
            for col in range(image.shape[2]):
                _node(nodes, 2.0 * row + 1.0, 2.0 * col + 1.0, place)
                sky_at(place[0], place[1], place[2], place[3], (place[5], place[6]), numbers, seeds, state)
                _surroundings(env, corner, place[0], place[1], around)
                bits = veil_at(state, numbers, table, factor, addend)
                x = place[0] + shift[0] * place[2]
                y = place[1] + shift[1] * place[2]
                light = (place[5], place[6], place[8], place[9], place[10], place[2], place[7])
                cover, snow = ground_at(x, y, seeds, day, spell, light, tables, ground)
                covers[row, col] = cover
                for pair in range(6):
                    bell = _bells(origin[0] + 2 * col, origin[1] - 2 * row, seeds[1] + 131 * pair + 7919 * origin[2])
                    seen[2 * pair] = 0.5 * grain[2 * pair] * bell[0]
                    seen[2 * pair + 1] = 0.5 * grain[2 * pair + 1] * bell[1]
                inside = along[0] <= place[4] <= along[1]
                for band in range(12):
                    held = inside and abs(place[3] + edges[band]) < HALF_SWATH_M
                    seen[band] += factor[band] * (ground[band] + ADJACENCY * (around[band] - ground[band]))
                    image[band, row, col] = seen[band] + addend[band] if held else np.nan
                    clear[band, row, col] = ground[band] if held else np.nan
                if snow > 0.5:
                    bits |= SNOW_ON_GROUND
                sky[row, col] = bits if inside and abs(place[3]) < HALF_SWATH_M else 0
                aerosol[row, col] = _stated_aerosol(place[0], place[1], seeds[1], state)
                _doubts(place[0], place[1], seeds[1], state[4], row, col, hints)

    return render_cells


fill_lattice = _compiled_lattice(_fingerprint())
"""Mean ground on a lattice; see senard.simulation.sensor."""

render = _compiled(_fingerprint())
"""Fill the arrays of a strip; see senard.simulation.sensor."""

render_cells = _compiled_cells(_fingerprint())
"""Fill the arrays of a view; see senard.simulation.stack."""
