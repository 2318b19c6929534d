"""Height of the ground, what it shades, where snow lies, and in what the ground of a regime is special."""

import numba
import numpy as np

from senard.model.arrays import Float64Array
from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.simulation.noise import fractal_noise, hash01, smoothstep, value_noise
from senard.simulation.weather import weather_of


def land_numbers(acquisition: SimulatedAcquisition) -> Float64Array:
    """What is special about the ground of a regime, for the kernel.

    Returns:
        Factor of the relief; more hills; sea level, m; threshold of towns; 1 where it is desert; share of irrigated
        fields; snow line, m; wind, m/s; 1 where it burns; height up to which beaches reach, m; how much snowier
        than usual the winter is.
    """
    usual = [1.0, 0.0, 0.0, 1.45, 0.0, 0.0, 470.0, weather_of(acquisition).wind, 0.0, 1.5, 0.0]
    for index, value in _SPECIAL.get(acquisition.regime, {}).items():
        usual[index] = value
    return np.array(usual, dtype=np.float64)


_SPECIAL: dict[Regime, dict[int, float]] = {
    Regime.SNOW: {0: 2.5, 1: 0.3, 6: 900.0, 10: 0.9},
    Regime.FIRE: {2: 25.0, 8: 1.0},
    Regime.COAST: {2: -38.0, 9: 5.0},
    Regime.CITY_DESERT: {2: 30.0, 3: 0.5, 4: 1.0},
    Regime.IRRIGATED: {2: 30.0, 5: 0.65},
    Regime.MOUNTAINS: {0: 2.2, 1: 0.5, 6: 1500.0},
}


@numba.njit(cache=False)
def elevation(x: float, y: float, seed: int, land: Float64Array) -> float:
    """Height of the ground, m above some sea level; negative means under water.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        seed: which ground.
        land: land_numbers.
    """
    broad = fractal_noise(x / 26_000.0, y / 26_000.0, 5, seed + 11)
    hills = max(0.0, value_noise(x / 60_000.0, y / 60_000.0, seed + 12) - 0.45 + land[1])
    height = 45.0 + 55.0 * broad + land[2]
    if hills > 0.0:
        rough = 1.2 + fractal_noise(x / 5_000.0, y / 5_000.0, 4, seed + 13)
        height += 1000.0 * land[0] * hills * hills * max(rough, -0.2)
    return height


@numba.njit(cache=False)
def terrain_shade(
    x: float, y: float, height: float, sun: tuple[float, float], stretch: float, seed: int, land: Float64Array
) -> float:
    """Share of direct sunlight that higher ground takes away: steps towards the sun, longer and longer, up to 5 km.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        height: elevation there, m.
        sun: way towards the sun per metre of height, m to the east and north.
        stretch: Mercator metres per metre of ground.
        seed: which ground.
        land: land_numbers.
    """
    slant = np.sqrt(sun[0] * sun[0] + sun[1] * sun[1])
    way = 40.0
    above = -1e9
    for _ in range(13):
        there = elevation(x + way * sun[0] / slant * stretch, y + way * sun[1] / slant * stretch, seed, land)
        above = max(above, (there - height - way / slant) / (0.02 * way + 4.0))
        way *= 1.45
    return smoothstep(-0.5, 0.5, above)


@numba.njit(cache=False)
def snow_share(x: float, y: float, height: float, day: float, year_seed: int, seed: int, land: Float64Array) -> float:
    """Share of the ground under snow, 0-1: permanent on high rock, ephemeral in winter in patches that come and go.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        height: elevation there, m.
        day: day of the year.
        year_seed: number that differs between spells of weather (10 days).
        seed: which ground.
        land: land_numbers.
    """
    permanent = 0.0
    # The snow of winter melts upwards until the middle of July.
    line = land[6] * (1.0 - 0.45 * smoothstep(0.0, 75.0, 195.0 - day)) if land[0] > 1.5 else land[6]
    if height > 0.6 * line:
        local = 0.055 * line * fractal_noise(x / 12e3, y / 12e3, 5, seed + 51)
        permanent = smoothstep(0.95 * line, 1.06 * line, height + local)
    distance = min(abs(day - 20.0), abs(day - 385.0))
    if distance > 75.0 + 40.0 * land[10] or height < 0.0:
        return permanent
    spell = 2.2 * hash01(year_seed, 5, seed + 52) - 1.6 + land[10] - distance / (40.0 + 30.0 * land[10])
    local = fractal_noise(x / 30_000.0, y / 30_000.0, 6, seed + 53 + year_seed % 1009)
    return max(permanent, smoothstep(0.0, 0.6, spell + 0.5 * local + height / 300.0))
