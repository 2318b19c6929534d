"""Random fields that depend on the place alone: the same ground point gives the same value from every raster.

A field is a function of Mercator metres and a seed. Nothing is drawn in sequence, so a scene may be evaluated in any
strips, on any grid and in any order, and neighbouring grids fit.
"""

import numba
import numpy as np


@numba.njit(inline="always")
def hash01(x: int, y: int, seed: int) -> float:
    """A number in [0, 1) that three integers decide (finaliser of splitmix64).

    Args:
        x: first integer, such as a column of the lattice.
        y: second integer, such as a row.
        seed: which of the independent fields.
    """
    h = np.uint64(x) * np.uint64(0x9E3779B97F4A7C15)
    h ^= np.uint64(y) * np.uint64(0xC2B2AE3D27D4EB4F)
    h ^= np.uint64(seed) * np.uint64(0x165667B19E3779F9)
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return float(h >> np.uint64(11)) * 1.1102230246251565e-16


@numba.njit(inline="always")
def value_noise(x: float, y: float, seed: int) -> float:
    """Smooth noise in [0, 1) of feature size 1: values at lattice points, blended with 3t² − 2t³."""
    fx = np.floor(x)
    fy = np.floor(y)
    tx = x - fx
    ty = y - fy
    tx = tx * tx * (3.0 - 2.0 * tx)
    ty = ty * ty * (3.0 - 2.0 * ty)
    ix = int(fx)
    iy = int(fy)
    top = hash01(ix, iy, seed) * (1.0 - tx) + hash01(ix + 1, iy, seed) * tx
    bottom = hash01(ix, iy + 1, seed) * (1.0 - tx) + hash01(ix + 1, iy + 1, seed) * tx
    return top * (1.0 - ty) + bottom * ty


@numba.njit(cache=False)
def fractal_noise(x: float, y: float, octaves: int, seed: int) -> float:
    """Sum of octaves of value noise, each half as large and half as strong, scaled to mean 0 and deviation about 1.

    Args:
        x: place, in units of the largest feature.
        y: place, in units of the largest feature.
        octaves: number of octaves, at least 1.
        seed: which of the independent fields.
    """
    total = 0.0
    variance = 0.0
    amplitude = 1.0
    for octave in range(octaves):
        # Octaves are turned against each other (cosine 0.8, sine 0.6): the lattice does not show.
        total += amplitude * (value_noise(x, y, seed + 7919 * octave) - 0.5)
        variance += amplitude * amplitude
        amplitude *= 0.5
        x, y = 2.0 * (0.8 * x - 0.6 * y), 2.0 * (0.6 * x + 0.8 * y)
    # One octave of blended uniform values has a mean variance of (1/12)·(0.743)² = 0.046 over the cell.
    return total / np.sqrt(0.046 * variance)


@numba.njit(inline="always")
def smoothstep(low: float, high: float, value: float) -> float:
    """0 below `low`, 1 above `high`, smooth between."""
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)
