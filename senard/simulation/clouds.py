"""Fields of the sky over Mercator metres: clouds, contrails, smoke. What they do to light is in `sky`."""

import numba
import numpy as np

from senard.model.arrays import Float64Array
from senard.simulation.noise import fractal_noise, hash01, smoothstep, value_noise

_PLUME_CELL_M = 60_000.0
"""Smoke plumes are drawn in cells of this side, Mercator m."""

_PLUME_M = 45_000.0
"""Length of a plume, Mercator m."""

_OCTAVES = 7
_FINE_SCALE = 0.893 / 0.24766
# Seven octaves of halving strength have a deviation of 0.24766; 0.893 of it and 0.45 of the broad field make 1.

SHEET_M = 22_000.0
"""Size of the largest features of sheets, Mercator m."""


@numba.njit(cache=False)
def cloud_field(x: float, y: float, size: float, layer: int, seeds: tuple[int, int], needed: float) -> float:
    """Where clouds stand, mean 0 and deviation about 1; a fifth of it stays with the place (relief makes clouds).

    Args:
        x: Mercator, m.
        y: Mercator, m.
        size: of the largest features, m.
        layer: 0 or 1.
        seeds: which ground and which sky.
        needed: the fine octaves are left out where they cannot lift the field above this.
    """
    field = 0.45 * fractal_noise(x / 90_000.0, y / 90_000.0, 2, seeds[1] + 101)
    turned = (0.8 * x - 0.6 * y) / 11_000.0
    field += 2.0 * (value_noise(turned, (0.6 * x + 0.8 * y) / 11_000.0, seeds[0] + 104) - 0.5)
    seed = seeds[1] + 102 + layer
    x /= size
    y /= size
    amplitude = _FINE_SCALE
    for octave in range(_OCTAVES):
        field += amplitude * (value_noise(x, y, seed + 7919 * octave) - 0.5)
        amplitude *= 0.5
        if octave > 0 and field + amplitude < needed:
            break
        x, y = 2.0 * (0.8 * x - 0.6 * y), 2.0 * (0.6 * x + 0.8 * y)
    return field


@numba.njit(inline="always")
def optical_depth(excess: float, density: float, edge: float) -> float:
    """Optical depth of cloud where the field exceeds its limit: soft at the edge, growing inside.

    Args:
        excess: field less limit.
        density: optical depth per unit of the field.
        edge: excess over which the edge is soft.
    """
    if excess <= 0.0:
        return 0.0
    return density * excess * smoothstep(0.0, edge, excess)


@numba.njit(cache=False)
def cirrus_at(x: float, y: float, threshold: float, contrails: int, seed: int) -> float:
    """Blue reflectance of cirrus and contrails over one place.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        threshold: cirrus stands where its field is above this; 9 means none.
        contrails: number of bundles of parallel trails.
        seed: which sky.
    """
    veil = 0.0
    if threshold < 8.0:
        field = fractal_noise(x / 30_000.0 + 0.4 * y / 30_000.0, y / 90_000.0, 5, seed + 129)
        veil = 0.06 * max(field - threshold, 0.0)
    for bundle in range(contrails):
        turn = 3.1416 * hash01(bundle, 1, seed + 160)
        apart = 14_000.0 + 30_000.0 * hash01(bundle, 2, seed + 160)
        aside = x * np.cos(turn) + y * np.sin(turn)
        along = y * np.cos(turn) - x * np.sin(turn)
        aside += 250.0 * fractal_noise(along / 8_000.0, float(bundle), 3, seed + 161)
        number = np.floor(aside / apart)
        lies = (number + 0.2 + 0.6 * hash01(int(number), bundle, seed + 162)) * apart
        width = 60.0 + 500.0 * hash01(int(number), bundle, seed + 163) ** 2
        if abs(aside - lies) > 3.0 * width:
            continue
        there = smoothstep(0.35, 0.6, value_noise(along / 25_000.0, number, seed + 164))
        grain = 0.6 + 0.8 * value_noise(along / 700.0, aside / 500.0, seed + 165)
        bright = 0.03 + 5.0 / (width + 20.0)
        veil += bright * there * grain * np.exp(-0.5 * ((aside - lies) / width) ** 2)
    return veil


@numba.njit(cache=False)
def _plume(x: float, y: float, wind: float, strength: float, seed: int) -> float:
    """Optical depth of one plume at a place relative to its source: widening downwind, torn by turbulence."""
    wx = np.cos(wind)
    wy = np.sin(wind)
    along = x * wx + y * wy
    if along <= 0.0 or along > _PLUME_M:
        return 0.0
    side = y * wx - x * wy
    if abs(side) > 0.3 * along + 4_000.0:
        return 0.0
    side += 900.0 * fractal_noise(along / 6_000.0, side / 9_000.0, 3, seed + 134)
    width = 250.0 + 0.09 * along
    return strength / (1.0 + along / 9_000.0) * (1.0 - along / _PLUME_M) * np.exp(-0.5 * (side / width) ** 2)


@numba.njit(cache=False)
def passing_smoke(x: float, y: float, plumes: int, seed: int) -> float:
    """Optical depth at 550 nm of plumes that stand on one date only.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        plumes: in each cell of 60 km.
        seed: which sky.
    """
    depth = 0.0
    wind = 6.283 * hash01(3, 7, seed + 131)
    cx = int(np.floor(x / _PLUME_CELL_M))
    cy = int(np.floor(y / _PLUME_CELL_M))
    for dx in range(-1, 2):
        for dy in range(-1, 2):
            for plume in range(plumes):
                sx = (cx + dx + hash01(cx + dx, cy + dy, seed + 132 + 10 * plume)) * _PLUME_CELL_M
                sy = (cy + dy + hash01(cx + dx, cy + dy, seed + 133 + 10 * plume)) * _PLUME_CELL_M
                depth += _plume(x - sx, y - sy, wind, 1.6, seed)
    return depth


@numba.njit(cache=False)
def lasting_smoke(x: float, y: float, fires: int, day: float, seeds: tuple[int, int]) -> float:
    """Optical depth at 550 nm of fires that burn for 15 to 75 days; wind and strength differ by date.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        fires: in each cell of 60 km, over the summer.
        day: day of the year.
        seeds: which ground and which sky.
    """
    depth = 0.0
    wind = 6.283 * hash01(3, 7, seeds[0] + 171) + 1.4 * (hash01(3, 7, seeds[1] + 171) - 0.5)
    cx = int(np.floor(x / _PLUME_CELL_M))
    cy = int(np.floor(y / _PLUME_CELL_M))
    for dx in range(-1, 2):
        for dy in range(-1, 2):
            for fire in range(fires):
                start = 120.0 + 110.0 * hash01(cx + dx, cy + dy, seeds[0] + 172 + 10 * fire)
                lasts = 15.0 + 60.0 * hash01(cx + dx, cy + dy, seeds[0] + 173 + 10 * fire)
                if day < start or day > start + lasts:
                    continue
                sx = (cx + dx + hash01(cx + dx, cy + dy, seeds[0] + 174 + 10 * fire)) * _PLUME_CELL_M
                sy = (cy + dy + hash01(cx + dx, cy + dy, seeds[0] + 175 + 10 * fire)) * _PLUME_CELL_M
                strength = 0.4 + 1.8 * hash01(cx + dx, cy + dy, seeds[1] + 176 + 10 * fire)
                depth += _plume(x - sx, y - sy, wind, strength, seeds[1] + 17 * fire)
    return depth


@numba.njit(cache=False)
def haze_at(x: float, y: float, numbers: Float64Array, seed: int) -> float:
    """Optical depth of haze at 550 nm: fields as wide as valleys and basins, patchy within.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        numbers: threshold of the field, and depth far above it.
        seed: which sky.
    """
    field = fractal_noise(x / 20_000.0, y / 20_000.0, 4, seed + 126)
    layer = 1.0 - np.exp(-1.2 * max(field - numbers[0], 0.0))
    return numbers[1] * layer * (0.8 + 0.4 * value_noise(x / 4e3, y / 4e3, seed + 127))
