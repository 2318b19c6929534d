"""The sky of one overflight: clouds and their shadows, halo, cirrus, haze, smoke and aerosol error.

Everything is a field over Mercator metres that the datatake's seed decides, so all tiles and zones of one overflight
see the same sky. What light loses and gains is simple: a layer of reflectance R hides the ground by (1 − R)², haze of
optical depth τ adds ω·0.1·τ and takes 0.15·τ, shade leaves the diffuse share of light.
"""

from dataclasses import dataclass

import numba
import numpy as np

from senard.model.arrays import Float32Array, Float64Array
from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.simulation.noise import fractal_noise, hash01, smoothstep, value_noise

SKY = "sky-1"
"""Name of this simulated sky: figures of different skies are not comparable."""

CLOUD, SHADOW, HAZE, SMOKE, SNOW_ON_GROUND = 1, 2, 4, 8, 16
"""Bits of the truth raster `sky.tif`."""

CLOUD_REFLECTANCE = 0.03
"""Cloud counts as contamination above this reflectance."""

DIRECT_LIGHT_LOSS = 0.20
"""Shade counts as contamination when more than this share of direct sunlight is lost."""

HAZE_DEPTH = 0.15
"""Haze and smoke count as contamination above this optical depth at 550 nm."""

# By band, in the order of ground.BAND_NAMES: light that reaches the shade, share; SWIR drop of cloud, factor;
# wavelength over 550 nm; reflectance of thin cirrus relative to B02.
_BANDS = np.array(
    [
        #  B01   B02   B03   B04   B05   B06   B07   B08   B8A   B09   B11   B12
        [0.31, 0.28, 0.20, 0.14, 0.12, 0.11, 0.10, 0.09, 0.09, 0.08, 0.03, 0.02],
        [1.00, 1.00, 0.99, 0.99, 0.99, 0.98, 0.98, 0.98, 0.97, 0.60, 0.72, 0.55],
        [0.81, 0.89, 1.02, 1.21, 1.28, 1.35, 1.42, 1.53, 1.57, 1.72, 2.93, 3.98],
        [1.00, 1.00, 0.99, 0.98, 0.98, 0.97, 0.97, 0.96, 0.96, 0.80, 0.70, 0.55],
    ],
    dtype=np.float32,
)

_SMOKE_EXPONENT = 1.9
# Ångström exponent of smoke: small particles.

_MEAN_FRACTION = {
    Regime.DRY: 0.15,
    Regime.TEMPERATE: 0.45,
    Regime.CLOUDY: 0.70,
    Regime.VERY_CLOUDY: 0.85,
    Regime.SNOW: 0.45,
    Regime.FIRE: 0.20,
    Regime.COAST: 0.40,
    Regime.CITY_DESERT: 0.20,
    Regime.IRRIGATED: 0.25,
    Regime.MOUNTAINS: 0.45,
}

_PLUME_CELL_M = 60_000.0
"""Smoke plumes are drawn in cells of this side, Mercator m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the sky of one datatake is like."""

    seed: int
    """Number that decides every field of this sky."""

    threshold: float
    """Clouds stand where the cloud field (mean 0, deviation 1) is above this."""

    base_m: float
    """Height of the lower clouds above ground, m: 500-2000."""

    high_m: float
    """Height of the upper clouds, m: 2500-4000."""

    density: float
    """Optical depth per unit of the cloud field above its threshold."""

    halo_m: float
    """Length by which the halo fades, m: 350-750."""

    cirrus: float
    """Threshold of the cirrus field; 9 means none."""

    haze: float
    """Threshold of the haze field; 9 means none."""

    haze_exponent: float
    """Ångström exponent of haze: 1.2-1.7."""

    plumes: int
    """Smoke plumes in each cell of 60 km."""

    aerosol_bias: float
    """Optical depth that the atmospheric correction missed everywhere."""

    aerosol_gradient: tuple[float, float]
    """Change of it over 100 km to the east and to the north."""

    gain: float
    """Error of the radiometric gain, a factor near 1."""

    shift_m: tuple[float, float]
    """Misregistration to the east and north, m; deviation 5 m."""


def weather_of(acquisition: SimulatedAcquisition) -> Weather:
    """Draw the weather of a datatake: the same for all of its products, whatever tile or baseline.

    Args:
        acquisition: its seed, satellite and time decide; `regime`, `cloud_fraction`, `plumes`, `cloudless` are obeyed.
    """
    rng = np.random.default_rng(acquisition.datatake_seed)
    mean = _MEAN_FRACTION[acquisition.regime]
    drawn = float(rng.beta(1.6 * mean, 1.6 * (1 - mean)))
    fraction = min(drawn if acquisition.cloud_fraction is None else acquisition.cloud_fraction, 0.995)
    normal = rng.normal(size=5)
    share = rng.random(size=9)
    plumes = int(share[5] < 0.125) if acquisition.plumes is None else acquisition.plumes
    if acquisition.cloudless:
        normal = normal * 0
    return Weather(
        seed=int(rng.integers(1, 2**31)),
        threshold=_threshold(0.0 if acquisition.cloudless else fraction),
        base_m=500 + 1500 * float(share[0]),
        high_m=2500 + 1500 * float(share[1]),
        density=3 + 8 * float(share[2]),
        halo_m=350 + 400 * float(share[3]),
        cirrus=1.1 if share[4] < 0.25 and not acquisition.cloudless else 9.0,
        haze=(0.9 + 0.8 * float(share[7])) if share[6] < 0.35 and not acquisition.cloudless else 9.0,
        haze_exponent=1.2 + 0.5 * float(share[8]),
        plumes=0 if acquisition.cloudless else plumes,
        aerosol_bias=0.03 * float(normal[0]),
        aerosol_gradient=(0.02 * float(normal[1]), 0.02 * float(normal[2])),
        gain=1.0 + 0.004 * float(normal[2]),
        shift_m=(5.0 * float(normal[3]), 5.0 * float(normal[4])),
    )


_FIELD_QUANTILES = np.array([-2.6, -1.95, -1.33, -0.86, -0.42, 0.0, 0.42, 0.86, 1.33, 1.95, 2.6])
_FIELD_SHARES = np.array([0.995, 0.97, 0.9, 0.8, 0.66, 0.5, 0.34, 0.2, 0.1, 0.03, 0.005])


def _threshold(fraction: float) -> float:
    """Threshold of the cloud field that so large a share exceeds."""
    if fraction <= 0:
        return 9.0
    return float(np.interp(-fraction, -_FIELD_SHARES, _FIELD_QUANTILES))


def weather_numbers(weather: Weather) -> Float64Array:
    """The weather as numbers for the kernel, in the order that `sky_at` reads."""
    return np.array(
        [
            weather.threshold,
            weather.base_m,
            weather.high_m,
            weather.density,
            weather.halo_m,
            weather.cirrus,
            weather.haze,
            weather.gain,
            weather.plumes,
            weather.aerosol_bias,
            weather.aerosol_gradient[0],
            weather.aerosol_gradient[1],
        ],
        dtype=np.float64,
    )


def band_table(weather: Weather) -> Float32Array:
    """What the sky's parts do band by band, for the kernel.

    Returns:
        (5, 12) float32: diffuse share of light, cloud's reflectance, optical depth of haze and of smoke relative to
        550 nm, cirrus' reflectance relative to the blue.
    """
    haze = _BANDS[2] ** np.float32(-weather.haze_exponent)
    smoke = _BANDS[2] ** np.float32(-_SMOKE_EXPONENT)
    return np.stack([_BANDS[0], _BANDS[1], haze, smoke, _BANDS[3]]).astype(np.float32)


@numba.njit(cache=False)
def cloud_field(x: float, y: float, layer: int, seed: int) -> float:
    """Where clouds stand, mean 0 and deviation about 1; layer 0 is cumulus (features of 6 km), 1 is sheets (22 km).

    Args:
        x: ground-like metres, m.
        y: ground-like metres, m.
        layer: 0 or 1.
        seed: which sky.
    """
    size = 6_000.0 if layer == 0 else 22_000.0
    broad = fractal_noise(x / 90_000.0, y / 90_000.0, 2, seed + 101)
    fine = fractal_noise(x / size, y / size, 7, seed + 102 + layer)
    return 0.45 * broad + 0.893 * fine


@numba.njit(inline="always")
def optical_depth(field: float, threshold: float, density: float) -> float:
    """Optical depth of cloud: soft at the edge, growing inside."""
    excess = max(field - threshold, 0.0)
    return density * excess * smoothstep(0.0, 0.35, excess)


@numba.njit(cache=False)
def _smoke(x: float, y: float, plumes: int, seed: int) -> float:
    """Optical depth of smoke at 550 nm: plumes from points, widening downwind, torn by turbulence."""
    depth = 0.0
    wind = 6.283 * hash01(3, 7, seed + 131)
    wx = np.cos(wind)
    wy = np.sin(wind)
    cx = int(np.floor(x / _PLUME_CELL_M))
    cy = int(np.floor(y / _PLUME_CELL_M))
    for dx in range(-1, 2):
        for dy in range(-1, 2):
            for plume in range(plumes):
                sx = (cx + dx + hash01(cx + dx, cy + dy, seed + 132 + 10 * plume)) * _PLUME_CELL_M
                sy = (cy + dy + hash01(cx + dx, cy + dy, seed + 133 + 10 * plume)) * _PLUME_CELL_M
                along = (x - sx) * wx + (y - sy) * wy
                if along <= 0.0 or along > 45_000.0:
                    continue
                side = -(x - sx) * wy + (y - sy) * wx
                side += 900.0 * fractal_noise(along / 6_000.0, side / 9_000.0, 3, seed + 134)
                width = 250.0 + 0.09 * along
                strength = 1.6 / (1.0 + along / 9_000.0) * (1.0 - along / 45_000.0)
                depth += strength * np.exp(-0.5 * (side / width) ** 2)
    return depth


@numba.njit(cache=False)
def sky_at(
    x: float,
    y: float,
    stretch: float,
    across: float,
    sun: tuple[float, float],
    numbers: Float64Array,
    seed: int,
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
        seed: which sky.
        out: (5,) float64, written: optical depth of cloud as seen, share of direct light lost, haze (with halo and
            aerosol error), smoke, cirrus reflectance.
    """
    threshold = numbers[0]
    cloud = 0.0
    lost = 1.0
    halo = 0.0
    if threshold < 8.0:
        for layer in range(2):
            limit = threshold + (0.35 if layer == 0 else 0.75)
            height = numbers[1 + layer] * (0.85 + 0.3 * value_noise(x / 70_000.0, y / 70_000.0, seed + 120 + layer))
            # The satellite sees the cloud before ground that lies farther out, by height / 786 km of the way.
            seen_x = x - across * height / 786_000.0 * stretch
            field = cloud_field(seen_x, y, layer, seed)
            cloud += optical_depth(field, limit, numbers[3])
            # Beyond the edge the field falls by one in about 2.2 km (layer 0) or 6 km (layer 1).
            slope = 2_200.0 if layer == 0 else 6_000.0
            patch = 0.35 + 1.3 * value_noise(x / 5_000.0, y / 5_000.0, seed + 125)
            gap = max(limit - field, 0.0) * slope / stretch
            halo = max(halo, 0.46 * patch * np.exp(-gap / numbers[4]))
            shade = cloud_field(x + height * sun[0] * stretch, y + height * sun[1] * stretch, layer, seed)
            lost *= np.exp(-0.7 * optical_depth(shade, limit, numbers[3]))
    out[0] = cloud
    out[1] = 1.0 - lost
    haze_depth = 0.0
    if numbers[6] < 8.0:
        haze_field = fractal_noise(x / 35_000.0, y / 35_000.0, 4, seed + 126)
        haze_depth = 0.35 * max(haze_field - numbers[6], 0.0) * (0.7 + 0.6 * value_noise(x / 4e3, y / 4e3, seed + 127))
    # A plane would grow without bound away from its origin: a wave of 120 km has the same slopes.
    wave_x = value_noise(x / 1.2e5, y / 1.2e5, seed + 128) - 0.5
    wave_y = value_noise(x / 1.2e5, y / 1.2e5, seed + 129) - 0.5
    out[2] = halo + haze_depth + numbers[9] + 2.4 * (numbers[10] * wave_x + numbers[11] * wave_y)
    out[3] = _smoke(x, y, int(numbers[8]), seed) if numbers[8] > 0.0 else 0.0
    out[4] = cirrus_at(x, y, numbers[5], seed) if numbers[5] < 8.0 else 0.0


@numba.njit(cache=False)
def cirrus_at(x: float, y: float, threshold: float, seed: int) -> float:
    """Blue reflectance of cirrus over one place.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        threshold: it stands where its field is above this.
        seed: which sky.
    """
    veil = fractal_noise(x / 30_000.0 + 0.4 * y / 30_000.0, y / 90_000.0, 5, seed + 129)
    return 0.06 * max(veil - threshold, 0.0)


@numba.njit(cache=False)
def veil_at(
    state: Float64Array, numbers: Float64Array, table: Float32Array, factor: Float32Array, addend: Float32Array
) -> int:
    """What this sky makes of any ground spectrum: seen = factor · ground + addend.

    Args:
        state: (5,) float64, as `sky_at` wrote.
        numbers: weather_numbers.
        table: band_table.
        factor: (12,) float32, written.
        addend: (12,) float32, reflectance, written.

    Returns:
        Bits of the truth: CLOUD, SHADOW, HAZE, SMOKE.
    """
    cloud = 0.85 * state[0] / (state[0] + 7.7)
    clear = (1.0 - cloud) * (1.0 - cloud)
    for band in range(12):
        haze = state[2] * table[2, band]
        gain = (1.0 - state[1] * (1.0 - table[0, band])) * (1.0 - 0.15 * haze)
        light = 0.097 * haze
        if state[3] > 0.0:
            smoke = state[3] * table[3, band]
            through = np.exp(-0.35 * smoke)
            gain *= through
            light = light * through + 0.14 * (1.0 - np.exp(-1.1 * smoke))
        thin = state[4] * table[4, band]
        gain *= 1.0 - thin
        light = light * (1.0 - thin) + thin
        factor[band] = gain * clear * numbers[7]
        addend[band] = (light * clear + cloud * table[1, band]) * numbers[7]
    bits = 0
    if cloud + state[4] > CLOUD_REFLECTANCE:
        bits |= CLOUD
    if state[1] > DIRECT_LIGHT_LOSS:
        bits |= SHADOW
    if state[2] > HAZE_DEPTH:
        bits |= HAZE
    if state[3] > HAZE_DEPTH:
        bits |= SMOKE
    return bits
