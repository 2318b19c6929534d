"""The weather of one datatake: which clouds, haze and smoke there are, drawn from its seed."""

from dataclasses import dataclass

import numpy as np

from senard.model.arrays import Float32Array, Float64Array
from senard.simulation.acquisition import Regime, SimulatedAcquisition

# By band, in the order of ground.BAND_NAMES: light that reaches the shade, share; SWIR drop of cloud, factor;
# wavelength over 550 nm; reflectance of thin cirrus relative to B02; how far the band looks away from B02, share of
# 2.59 s of flight.
_BANDS = np.array(
    [
        #  B01   B02   B03   B04   B05   B06   B07   B08   B8A   B09   B11   B12
        [0.31, 0.28, 0.20, 0.14, 0.12, 0.11, 0.10, 0.09, 0.09, 0.08, 0.03, 0.02],
        [1.00, 1.00, 0.99, 0.99, 0.99, 0.98, 0.98, 0.98, 0.97, 0.60, 0.72, 0.55],
        [0.81, 0.89, 1.02, 1.21, 1.28, 1.35, 1.42, 1.53, 1.57, 1.72, 2.93, 3.98],
        [1.00, 1.00, 0.99, 0.98, 0.98, 0.97, 0.97, 0.96, 0.96, 0.80, 0.70, 0.55],
        [0.89, 0.00, 0.20, 0.39, 0.49, 0.59, 0.69, 0.10, 0.79, 1.00, 0.57, 0.81],
    ],
    dtype=np.float32,
)

SKY_LIGHT: Float32Array = _BANDS[0]
"""(band,) share of the light that reaches the shade."""

_MEAN_FRACTION = {
    Regime.DRY: 0.15,
    Regime.TEMPERATE: 0.47,
    Regime.CLOUDY: 0.72,
    Regime.VERY_CLOUDY: 0.89,
    Regime.SNOW: 0.45,
    Regime.FIRE: 0.20,
    Regime.COAST: 0.40,
    Regime.CITY_DESERT: 0.20,
    Regime.IRRIGATED: 0.25,
    Regime.MOUNTAINS: 0.45,
}

_NONE = 9.0
"""Threshold that no field reaches."""

_FARTHEST_SHIFT_M = 6.0
"""Misregistration has a deviation of 5 m and never exceeds 0.3 pixels of 20 m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the sky of one datatake is like."""

    seed: int
    """Number that decides every field of this sky."""

    limits: tuple[float, float]
    """Lower clouds (cumulus) and upper ones (sheets) stand where their field is above these; 9 means none."""

    heights_m: tuple[float, float]
    """Height of the two layers above ground, m: 500-2000 and 2500-7000."""

    density: tuple[float, float]
    """Optical depth of the two layers per unit of the field above the limit."""

    size_m: float
    """Size of the lower clouds, Mercator m: 2000-9000."""

    halo_m: float
    """Length by which the halo fades, m: 350-750."""

    cirrus: float
    """Threshold of the cirrus field; 9 means none."""

    contrails: int
    """Bundles of contrails: 0-2."""

    haze: float
    """Threshold of the haze field; 9 means none."""

    haze_depth: float
    """Optical depth of haze where its layer is full: 0.20-0.45."""

    haze_exponent: float
    """Ångström exponent of haze: 1.2-1.7."""

    haze_albedo: float
    """Share of the light that haze scatters and does not absorb: 0.88-0.97."""

    plumes: int
    """Smoke plumes of this date in each cell of 60 km."""

    fires: int
    """Lasting fires in each cell of 60 km."""

    smoke_veil: float
    """Threshold of the field of old smoke; 9 means none."""

    smoke_exponent: float
    """Ångström exponent of smoke, which is finer than haze: 1.6-2.0."""

    smoke_albedo: float
    """Share of the light that smoke scatters and does not absorb: 0.85-0.95."""

    aerosol_bias: float
    """Optical depth that the atmospheric correction missed everywhere."""

    aerosol_gradient: tuple[float, float]
    """Change of it over 100 km to the east and to the north."""

    gain: float
    """Error of the radiometric gain, a factor near 1."""

    shift_m: tuple[float, float]
    """Misregistration to the east and north, m; deviation 5 m, at most 6 m."""

    wind: float
    """Wind over water, m/s: 2-11; it decides the glint."""


def weather_of(acquisition: SimulatedAcquisition) -> Weather:
    """Draw the weather of a datatake: the same for all of its products, whatever tile or baseline.

    Args:
        acquisition: its seed, satellite and time decide; `regime`, `cloud_fraction`, `hazy`, `plumes`,
            `cloudless` are obeyed.
    """
    rng = np.random.default_rng(acquisition.datatake_seed)
    drawn = float(rng.beta(*cloud_shape(acquisition.regime)))
    fraction = min(drawn if acquisition.cloud_fraction is None else acquisition.cloud_fraction, 0.995)
    normal = rng.normal(size=5)
    share = [float(number) for number in rng.random(size=24)]
    clear = acquisition.cloudless
    fire = acquisition.regime is Regime.FIRE and not clear
    plumes = int(share[5] < 0.125) if acquisition.plumes is None else acquisition.plumes
    if clear:
        normal = normal * 0
    drawn_hazy = share[6] < haze_share(acquisition.regime, fraction)
    hazy = (drawn_hazy if acquisition.hazy is None else acquisition.hazy) and not clear
    if hazy and fraction < _CLOUDLESS:
        fraction = 0.0  # the still air that gathers haze makes no cumulus
    shift = np.clip(5.0 * normal[3:5], -_FARTHEST_SHIFT_M, _FARTHEST_SHIFT_M)
    return Weather(
        seed=int(rng.integers(1, 2**31)),
        limits=_limits(0.0 if clear else fraction, share[9]),
        heights_m=(500 + 1500 * share[0], 2500 + 4500 * share[1] ** 2),
        density=(2 + 8 * share[2] ** 2, 0.8 + 6 * share[10] ** 2),
        size_m=2000 * 4.5 ** share[11],
        halo_m=350 + 400 * share[3],
        cirrus=0.7 + 1.0 * share[12] if share[4] < 0.25 and not clear else _NONE,
        contrails=0 if clear else int(share[13] < 0.25) + int(share[13] < 0.08),
        haze=-1.8 + 1.8 * share[7] if hazy else _NONE,
        haze_depth=0.20 + 0.25 * share[14],
        haze_exponent=1.2 + 0.5 * share[8],
        haze_albedo=0.88 + 0.09 * share[15],
        plumes=0 if clear else plumes,
        fires=10 if fire else 0,
        smoke_veil=-1.6 + 2.2 * share[16] if fire and share[17] < 0.5 else _NONE,
        smoke_exponent=1.6 + 0.4 * share[18],
        smoke_albedo=0.85 + 0.10 * share[19],
        aerosol_bias=0.03 * float(normal[0]),
        aerosol_gradient=(0.02 * float(normal[1]), 0.02 * float(normal[2])),
        gain=1.0 + 0.004 * float(normal[2]),
        shift_m=(float(shift[0]), float(shift[1])),
        wind=2.0 + 9.0 * share[20],
    )


def cloud_shape(regime: Regime) -> tuple[float, float]:
    """Both parameters of the beta distribution that a date's share of cloud is drawn from."""
    mean = _MEAN_FRACTION[regime]
    return 1.6 * mean, 1.6 * (1 - mean)


def haze_share(regime: Regime, fraction: float) -> float:
    """How often there is haze under so large a share of cloud: most often in the still air of cloudless days."""
    if _MEAN_FRACTION[regime] < 0.3:
        return 0.3
    if fraction < _CLOUDLESS:
        return 0.6
    return 0.4 if fraction < 0.35 else 0.25


_CLOUDLESS = 0.1
# Share of cloud below which a hazy day has none at all.

_FIELD_QUANTILES = np.array([-2.6, -1.95, -1.33, -0.86, -0.42, 0.0, 0.42, 0.86, 1.33, 1.95, 2.6])
_FIELD_SHARES = np.array([0.995, 0.97, 0.9, 0.8, 0.66, 0.5, 0.34, 0.2, 0.1, 0.03, 0.005])


def _limits(fraction: float, kind: float) -> tuple[float, float]:
    """Limits of the two layers' fields, so that together they hide about so large a share of the ground.

    Args:
        fraction: share of the ground under cloud, 0-1.
        kind: 0-1: which layers there are.
    """
    if fraction <= 0:
        return _NONE, _NONE
    threshold = float(np.interp(-fraction, -_FIELD_SHARES, _FIELD_QUANTILES))
    if kind < 0.25:
        return threshold - 0.12, _NONE
    if kind < 0.4:
        return _NONE, threshold - 0.12
    return threshold + 0.3, threshold + 0.6


def weather_numbers(acquisition: SimulatedAcquisition) -> Float64Array:
    """The weather of a datatake as numbers for the kernel, in the order that `sky_at` and `veil_at` read."""
    weather = weather_of(acquisition)
    return np.array(
        [
            *weather.limits,
            *weather.heights_m,
            *weather.density,
            weather.size_m,
            weather.halo_m,
            weather.cirrus,
            weather.contrails,
            weather.haze,
            weather.haze_depth,
            weather.gain,
            weather.plumes,
            weather.fires,
            weather.smoke_veil,
            acquisition.time.timetuple().tm_yday,
            weather.aerosol_bias,
            *weather.aerosol_gradient,
            0.097 * weather.haze_albedo / 0.93,
            0.14 * weather.smoke_albedo / 0.90,
        ],
        dtype=np.float64,
    )


def band_table(weather: Weather) -> Float32Array:
    """What the sky's parts do band by band, for the kernel.

    Returns:
        (6, 12) float32: diffuse share of light, cloud's reflectance, optical depth of haze and of smoke relative to
        550 nm, cirrus' reflectance relative to the blue, share of the parallax between bands.
    """
    haze = _BANDS[2] ** np.float32(-weather.haze_exponent)
    smoke = _BANDS[2] ** np.float32(-weather.smoke_exponent)
    return np.stack([_BANDS[0], _BANDS[1], haze, smoke, _BANDS[3], _BANDS[4]]).astype(np.float32)
