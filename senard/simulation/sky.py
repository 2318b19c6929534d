"""The sky of one overflight: clouds and their shadows, halo, cirrus, haze, smoke and aerosol error.

Everything is a field over Mercator metres that the datatake's seed decides, so all tiles and zones of one overflight
see the same sky. What light loses and gains is simple: a layer of reflectance R hides the ground by (1 − R)², haze of
optical depth τ adds ω·0.1·τ and takes 0.15·τ, shade leaves the diffuse share of light.
"""

import numba
import numpy as np

from senard.model.arrays import Float32Array, Float64Array
from senard.simulation.clouds import (
    SHEET_M,
    cirrus_at,
    cloud_field,
    haze_at,
    lasting_smoke,
    optical_depth,
    passing_smoke,
)
from senard.simulation.noise import fractal_noise, value_noise

SKY = "sky-3"
"""Name of this simulated sky: figures of different skies are not comparable."""

CLOUD, SHADOW, HAZE, SMOKE, SNOW_ON_GROUND = 1, 2, 4, 8, 16
"""Bits of the truth raster `sky.tif`."""

CLOUD_REFLECTANCE = 0.03
"""Cloud counts as contamination above this reflectance."""

DIRECT_LIGHT_LOSS = 0.20
"""Shade counts as contamination when more than this share of direct sunlight is lost."""

HAZE_DEPTH = 0.15
"""Haze and smoke count as contamination above this optical depth at 550 nm."""

BAND_PARALLAX = 0.0243
"""Distance between what B02 and B09 show of a cloud, per height: 2.59 s of flight at 7.4 km/s, over 786 km."""

_TRACK = (-0.225, -0.974)
# Direction of flight on the descending track: sine and cosine of geometry.TRACK_TILT_DEG.


@numba.njit(cache=False)
def _clouds(
    x: float,
    y: float,
    stretch: float,
    across: float,
    sun: tuple[float, float],
    numbers: Float64Array,
    seeds: tuple[int, int],
    out: Float64Array,
) -> float:
    """Both layers of cloud: writes optical depths and lost light, returns the halo's optical depth."""
    halo = 0.0
    lost = 1.0
    # Odd detectors look ahead, even ones back: bands pass over a cloud in the opposite order.
    ahead = 1.0 if int(np.floor((across + 145_000.0) / 24_166.7)) % 2 == 0 else -1.0
    for layer in range(2):
        limit = numbers[layer]
        if limit > 8.0:
            continue
        size = numbers[6] if layer == 0 else SHEET_M
        edge = 0.18 if layer == 0 else 0.35
        height = numbers[2 + layer] * (0.85 + 0.3 * value_noise(x / 70_000.0, y / 70_000.0, seeds[1] + 120 + layer))
        density = numbers[4 + layer] * (0.12 + 3.0 * value_noise(x / 9_000.0, y / 9_000.0, seeds[1] + 122 + layer) ** 2)
        # The satellite sees the cloud before ground that lies farther out, by height / 786 km of the way.
        seen_x = x - across * height / 786_000.0 * stretch
        field = cloud_field(seen_x, y, size, layer, seeds, limit - 0.6)
        first = optical_depth(field - limit, density, edge)
        last = first
        if field > limit - 0.25:
            way = ahead * BAND_PARALLAX * height * stretch
            field_last = cloud_field(seen_x + way * _TRACK[0], y + way * _TRACK[1], size, layer, seeds, limit)
            last = optical_depth(field_last - limit, density, edge)
        out[0] += first
        out[5] += last
        # Beyond the edge the field falls by one in about a third of the clouds' size.
        gap = max(limit - field, 0.0) * (0.37 * size if layer == 0 else 6_000.0) / stretch
        if gap < 8.0 * numbers[7]:
            patch = 0.35 + 1.3 * value_noise(x / 5_000.0, y / 5_000.0, seeds[1] + 125)
            halo = max(halo, HALO_DEPTH * patch * np.exp(-gap / numbers[7]))
        shade_x = x + height * sun[0] * stretch
        shade = cloud_field(shade_x, y + height * sun[1] * stretch, size, layer, seeds, limit)
        lost *= np.exp(-0.7 * optical_depth(shade - limit, density, edge))
    out[1] = 1.0 - lost
    return halo


HALO_DEPTH = 0.17
"""Optical depth of the halo at the edge of a cloud, on average."""


@numba.njit(cache=False)
def sky_at(
    x: float,
    y: float,
    stretch: float,
    across: float,
    sun: tuple[float, float],
    numbers: Float64Array,
    seeds: tuple[int, int],
    out: Float64Array,
) -> None:
    """State of the sky over one place.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        stretch: Mercator metres per metre of ground.
        across: distance from the satellite's track, m: moves clouds by parallax.
        sun: way towards the sun per metre of height, m to the east and north.
        numbers: weather_numbers.
        seeds: which ground and which sky.
        out: (7,) float64, written: optical depth of cloud as B02 sees it, share of direct light lost, haze (with halo
            and aerosol error), smoke, cirrus reflectance as B02 sees it; cloud and cirrus as B09 sees them.
    """
    seed = seeds[1]
    out[:] = 0.0
    halo = _clouds(x, y, stretch, across, sun, numbers, seeds, out)
    haze = haze_at(x, y, numbers[10:12], seed) if numbers[10] < 8.0 else 0.0
    # A plane would grow without bound away from its origin: a wave of 120 km has the same slopes.
    wave_x = value_noise(x / 1.2e5, y / 1.2e5, seed + 128) - 0.5
    wave_y = value_noise(x / 1.2e5, y / 1.2e5, seed + 129) - 0.5
    out[2] = halo + haze + numbers[17] + 2.4 * (numbers[18] * wave_x + numbers[19] * wave_y)
    if numbers[13] > 0.0:
        out[3] = passing_smoke(x, y, int(numbers[13]), seed)
    if numbers[14] > 0.0:
        out[3] += lasting_smoke(x, y, int(numbers[14]), numbers[16], seeds)
    if numbers[15] < 8.0:
        out[3] += 0.3 * max(fractal_noise(x / 40_000.0, y / 40_000.0, 4, seed + 136) - numbers[15], 0.0)
    trails = int(numbers[9])
    if numbers[8] < 8.0 or trails > 0:
        out[4] = cirrus_at(x, y, numbers[8], trails, seed)
        out[6] = out[4]
        if trails > 0:
            way = BAND_PARALLAX * 9_000.0 * stretch
            out[6] = cirrus_at(x + way * _TRACK[0], y + way * _TRACK[1], numbers[8], trails, seed)
            # Trails fly at 10 km and throw thin shadows.
            shade = cirrus_at(x + 1e4 * sun[0] * stretch, y + 1e4 * sun[1] * stretch, 9.0, trails, seed)
            out[1] = 1.0 - (1.0 - out[1]) * np.exp(-2.5 * shade)


@numba.njit(cache=False)
def veil_at(
    state: Float64Array, numbers: Float64Array, table: Float32Array, factor: Float32Array, addend: Float32Array
) -> int:
    """What this sky makes of any ground spectrum: seen = factor · ground + addend.

    Args:
        state: (7,) float64, as `sky_at` wrote.
        numbers: weather_numbers.
        table: band_table.
        factor: (12,) float32, written.
        addend: (12,) float32, reflectance, written.

    Returns:
        Bits of the truth: CLOUD, SHADOW, HAZE, SMOKE.
    """
    for band in range(12):
        depth = state[0] + table[5, band] * (state[5] - state[0])
        cloud = 0.85 * depth / (depth + 7.7)
        clear = (1.0 - cloud) * (1.0 - cloud)
        haze = state[2] * table[2, band]
        gain = (1.0 - state[1] * (1.0 - table[0, band])) * (1.0 - 0.15 * haze)
        light = numbers[20] * haze
        if state[3] > 0.0:
            smoke = state[3] * table[3, band]
            through = np.exp(-0.35 * smoke)
            gain *= through
            light = light * through + numbers[21] * (1.0 - np.exp(-1.1 * smoke))
        thin = (state[4] + table[5, band] * (state[6] - state[4])) * table[4, band]
        gain *= 1.0 - thin
        light = light * (1.0 - thin) + thin
        factor[band] = gain * clear * numbers[12]
        addend[band] = (light * clear + cloud * table[1, band]) * numbers[12]
    depth = 0.7 * state[0] + 0.3 * state[5]
    cloud = 0.85 * depth / (depth + 7.7) + 0.7 * state[4] + 0.3 * state[6]
    bits = 0
    if cloud > CLOUD_REFLECTANCE:
        bits |= CLOUD
    if state[1] > DIRECT_LIGHT_LOSS:
        bits |= SHADOW
    if state[2] > HAZE_DEPTH:
        bits |= HAZE
    if state[3] > HAZE_DEPTH:
        bits |= SMOKE
    return bits
