"""The ground: one continuous field of land cover, parcels, relief and season, from which every scene is cut.

The same place and day give the same reflectance in every tile, zone and satellite. Places are Mercator metres.
"""

import numba
import numpy as np

from senard.model.arrays import Float32Array
from senard.simulation.noise import fractal_noise, hash01, smoothstep, value_noise

BAND_NAMES = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
"""Bands of L2A, in the order of all arrays of the simulation."""

COVERS = (
    "clear water",
    "turbid water",
    "sand",
    "bare soil",
    "stubble",
    "grass",
    "winter crop",
    "summer crop",
    "broadleaf forest",
    "conifer forest",
    "wetland",
    "built-up",
    "bright roof",
    "rock",
    "dark roof",
    "snow",
)
"""Land covers; the position is the cover's number."""

(
    CLEAR_WATER,
    TURBID_WATER,
    SAND,
    SOIL,
    STUBBLE,
    GRASS,
    WINTER_CROP,
    SUMMER_CROP,
    BROADLEAF,
    CONIFER,
    WETLAND,
    BUILT,
    BRIGHT_ROOF,
    ROCK,
    DARK_ROOF,
    SNOW,
) = range(len(COVERS))

# Typical reflectance, e-4, of each cover at full growth; drawn after the shapes that spectral libraries show.
_SPECTRA = np.array(
    [
        #  B01   B02   B03   B04   B05   B06   B07   B08   B8A   B09   B11   B12
        [220, 260, 240, 150, 120, 90, 90, 80, 70, 60, 40, 30],  # clear water
        [500, 640, 920, 880, 760, 420, 400, 330, 270, 240, 90, 60],  # turbid water
        [1500, 1800, 2300, 2750, 2900, 3000, 3100, 3150, 3250, 3300, 3900, 3500],  # sand
        [600, 740, 1020, 1340, 1500, 1650, 1800, 1900, 2050, 2150, 2800, 2350],  # bare soil
        [560, 720, 1080, 1480, 1750, 2050, 2250, 2400, 2550, 2650, 3250, 2500],  # stubble
        [240, 330, 680, 470, 1050, 2500, 3000, 3200, 3400, 3450, 2250, 1150],  # grass
        [200, 260, 560, 300, 850, 2900, 3700, 3950, 4150, 4200, 1750, 780],  # winter crop
        [230, 300, 640, 380, 980, 2750, 3450, 3700, 3900, 3950, 2000, 950],  # summer crop
        [170, 210, 440, 240, 690, 2350, 3050, 3300, 3450, 3500, 1550, 680],  # broadleaf forest
        [140, 170, 300, 190, 430, 1350, 1700, 1850, 1950, 2000, 950, 420],  # conifer forest
        [260, 330, 560, 500, 850, 1500, 1750, 1850, 1950, 1950, 1400, 800],  # wetland
        [850, 980, 1120, 1230, 1350, 1550, 1680, 1750, 1850, 1900, 2050, 1800],  # built-up
        [3000, 3600, 4000, 4200, 4300, 4400, 4500, 4600, 4600, 4600, 4300, 3800],  # bright roof
        [900, 1050, 1300, 1480, 1550, 1650, 1720, 1780, 1850, 1900, 2150, 1950],  # rock
        [560, 640, 740, 860, 930, 1020, 1090, 1120, 1180, 1210, 1400, 1300],  # dark roof
        [8600, 8800, 8700, 8500, 8400, 8200, 8000, 7800, 7500, 7000, 900, 700],  # snow
    ],
    dtype=np.float32,
) / np.float32(10_000)

SPECTRA: Float32Array = _SPECTRA
"""(cover, band) reflectance."""

_PARCEL_M = 420.0
"""Typical side of a field, Mercator metres."""

_REGION_M = 7_000.0
"""Side of a region whose fields lie the same way, Mercator metres."""

_MEADOW_DAYS = 45.0
"""Days that cut grass needs to look green again."""


@numba.njit(cache=False)
def elevation(x: float, y: float, seed: int) -> float:
    """Height of the ground, m above some sea level; negative means under water."""
    broad = fractal_noise(x / 26_000.0, y / 26_000.0, 5, seed + 11)
    hills = max(0.0, value_noise(x / 60_000.0, y / 60_000.0, seed + 12) - 0.45)
    height = 45.0 + 55.0 * broad
    if hills > 0.0:
        height += 1000.0 * hills * hills * (1.2 + fractal_noise(x / 5_000.0, y / 5_000.0, 4, seed + 13))
    return height


@numba.njit(inline="always")
def _greenness(cover: int, day: float, luck: float, cut: float) -> float:
    """Share of green growth, 0-1, of one field on a day of the year (northern hemisphere).

    Args:
        cover: number of the cover.
        day: day of the year.
        luck: 0-1, how early this field is (three weeks between the first and the last).
        cut: 0-1, when it is harvested or mown.
    """
    shift = 21.0 * (luck - 0.5)
    if cover == WINTER_CROP:
        rise = smoothstep(70.0, 135.0, day + shift)
        return rise * (1.0 - smoothstep(175.0, 200.0, day + shift)) + 0.25 * smoothstep(285.0, 320.0, day)
    if cover == SUMMER_CROP:
        return smoothstep(140.0, 190.0, day + shift) * (1.0 - smoothstep(245.0, 275.0, day + shift))
    if cover == GRASS:
        season = 0.35 + 0.65 * smoothstep(85.0, 140.0, day + shift) * (1.0 - smoothstep(270.0, 320.0, day))
        since = day - (150.0 + 70.0 * cut)
        return season * (1.0 - 0.6 * (1.0 - since / _MEADOW_DAYS)) if 0.0 <= since < _MEADOW_DAYS else season
    if cover == BROADLEAF:
        return 0.25 + 0.75 * smoothstep(105.0, 145.0, day + 0.5 * shift) * (1.0 - smoothstep(270.0, 310.0, day))
    if cover == WETLAND:
        return 0.4 + 0.6 * smoothstep(110.0, 165.0, day) * (1.0 - smoothstep(255.0, 300.0, day))
    return 1.0


@numba.njit(inline="always")
def _bare_after(cover: int, day: float, cut: float) -> int:
    """What shows where nothing green grows: stubble between harvest and ploughing, else soil."""
    if cover == WINTER_CROP:
        harvest = 198.0 + 20.0 * cut
        return STUBBLE if harvest - 18.0 <= day < harvest + 30.0 else SOIL
    if cover == SUMMER_CROP:
        return STUBBLE if day >= 262.0 + 20.0 * cut else SOIL
    return STUBBLE if cover in (GRASS, WETLAND) else SOIL


@numba.njit(cache=False)
def parcel(x: float, y: float, seed: int) -> tuple[int, int, float]:
    """The field that a place belongs to: two numbers, and the distance to its border, Mercator m.

    Fields are the cells around jittered lattice points, measured with the larger of the two coordinates: four-sided and
    of mixed sizes. The lattice lies differently in every region of about 7 km.
    """
    wave = 1500.0 * (value_noise(x / 2_500.0, y / 2_500.0, seed + 20) - 0.5)
    rx = int(np.floor((x + wave) / _REGION_M))
    ry = int(np.floor((y - wave) / _REGION_M))
    turn = 3.1416 * hash01(rx, ry, seed + 21)
    size = _PARCEL_M * (0.6 + 0.9 * hash01(rx, ry, seed + 19))
    dx = x - rx * _REGION_M
    dy = y - ry * _REGION_M
    u = (dx * np.cos(turn) - dy * np.sin(turn)) / size
    v = (dx * np.sin(turn) + dy * np.cos(turn)) / size
    iu = int(np.floor(u))
    iv = int(np.floor(v))
    own = 1000 * (rx * 31 + ry * 17)  # fields of different regions are different fields
    nearest = 1e9
    second = 1e9
    best_u = iu
    best_v = iv
    for du in range(-1, 2):
        for dv in range(-1, 2):
            cu = iu + du
            cv = iv + dv
            jitter = hash01(cu + own, cv, seed + 22)
            pu = cu + 0.15 + 0.7 * jitter
            pv = cv + 0.15 + 0.7 * ((jitter * 4096.0) % 1.0)
            distance = max(abs(u - pu), 1.5 * abs(v - pv))
            if distance < nearest:
                second = nearest
                nearest = distance
                best_u = cu
                best_v = cv
            elif distance < second:
                second = distance
    return best_u + own, best_v, (second - nearest) * size * 0.5


@numba.njit(cache=False)
def _built_cover(x: float, y: float, seed: int) -> int:
    """What stands on a plot of 45 m in a town: houses, halls with bright roofs, gardens, asphalt."""
    draw = hash01(int(np.floor(x / 60.0)), int(np.floor(y / 45.0)), seed + 31)
    hall = hash01(int(np.floor(x / 240.0)), int(np.floor(y / 240.0)), seed + 32)
    if hall < 0.08:
        return BRIGHT_ROOF
    if draw < 0.04:
        return BRIGHT_ROOF
    if draw < 0.22:
        return DARK_ROOF
    return BUILT if draw < 0.68 else GRASS


@numba.njit(cache=False)
def cover_at(x: float, y: float, height: float, seed: int) -> tuple[int, float, float, float]:
    """Land cover of a place, and of its field: luck, cut and brightness (all 0-1).

    Args:
        x: Mercator, m.
        y: Mercator, m.
        height: elevation there, m.
        seed: which ground.
    """
    if height < 0.0:
        turbid = fractal_noise(x / 15_000.0, y / 15_000.0, 3, seed + 41)
        return (TURBID_WATER if turbid > 0.5 or height > -2.0 else CLEAR_WATER), 0.5, 0.5, 0.5
    moist = fractal_noise(x / 9_000.0, y / 9_000.0, 4, seed + 42)
    if height < 1.5 and moist < 0.6:
        return SAND, 0.5, 0.5, 0.5
    if height > 300.0 + 60.0 * moist:
        return ROCK, 0.5, 0.5, 0.5
    if fractal_noise(x / 7_000.0, y / 7_000.0, 3, seed + 43) > 1.45:
        paint = hash01(int(np.floor(x / 240.0)), int(np.floor(y / 240.0)), seed + 33)
        return _built_cover(x, y, seed), 0.5, 0.5, paint
    if height < 9.0 and moist > 0.5:
        return WETLAND, 0.5, 0.5, 0.5
    if moist > 0.1:
        return (CONIFER if fractal_noise(x / 3_000.0, y / 3_000.0, 3, seed + 44) > 0.0 else BROADLEAF), 0.5, 0.5, 0.5
    pu, pv, border = parcel(x, y, seed)
    luck = hash01(pu, pv, seed + 24)
    cut = hash01(pu, pv, seed + 25)
    tint = hash01(pu, pv, seed + 26)
    if border < 12.0:
        return (BUILT if luck < 0.25 else GRASS), luck, 0.9, tint
    kind = hash01(pu, pv, seed + 27)
    if kind < 0.02:
        return SAND, luck, cut, tint
    if kind < 0.10:
        return SOIL, luck, cut, tint
    if kind < 0.38:
        return WINTER_CROP, luck, cut, tint
    return (SUMMER_CROP if kind < 0.68 else GRASS), luck, cut, tint


@numba.njit(cache=False)
def snow_share(x: float, y: float, height: float, day: float, year_seed: int, seed: int) -> float:
    """Share of the ground under snow, 0-1: permanent on high rock, ephemeral in winter in patches that come and go.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        height: elevation there, m.
        day: day of the year.
        year_seed: number that differs between spells of weather (10 days).
        seed: which ground.
    """
    permanent = 0.0
    if height > 360.0:
        permanent = smoothstep(430.0, 480.0, height + 25.0 * fractal_noise(x / 12e3, y / 12e3, 5, seed + 51))
    distance = min(abs(day - 20.0), abs(day - 385.0))
    if distance > 75.0 or height < 0.0:
        return permanent
    spell = 2.2 * hash01(year_seed, 5, seed + 52) - 1.6 - distance / 40.0
    local = fractal_noise(x / 30_000.0, y / 30_000.0, 6, seed + 53 + year_seed % 1009)
    return max(permanent, smoothstep(0.0, 0.6, spell + 0.5 * local + height / 300.0))


@numba.njit(cache=False)
def ground_at(
    x: float,
    y: float,
    seed: int,
    day: float,
    spell: int,
    light: tuple[float, float, float],
    spectra: Float32Array,
    out: Float32Array,
) -> tuple[int, float]:
    """Reflectance of one place on one day, without anything in the sky.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        seed: which ground.
        day: day of the year, may have a fraction.
        spell: number of the ten days that the day lies in.
        light: (sun_x, sun_y, across): way towards the sun per metre of height, and distance from the track, m.
        spectra: SPECTRA.
        out: (12,) float32, reflectance, written.

    Returns:
        Number of the cover and the share of snow.
    """
    height = elevation(x, y, seed)
    cover, luck, cut, tint = cover_at(x, y, height, seed)
    green = _greenness(cover, day, luck, cut)
    bare = _bare_after(cover, day, cut)
    snow = snow_share(x, y, height, day, spell, seed)
    if cover in (BROADLEAF, CONIFER):
        snow *= 0.45  # snow lies under the trees
    texture = 1.0 + 0.04 * fractal_noise(x / 90.0, y / 90.0, 2, seed + 61)
    if cover not in (CLEAR_WATER, TURBID_WATER):
        # Fields differ by ±12 %, crowns and clods within them by 8 %.
        # Bright roofs are white, grey or red: 0.2 to 0.9 of the brightest.
        shade = 0.2 + 0.7 * tint if cover == BRIGHT_ROOF else 0.88 + 0.24 * tint
        texture = shade * (1.0 + 0.08 * fractal_noise(x / 45.0, y / 45.0, 2, seed + 62))
        if height > 120.0:
            step = 60.0
            slope_x = (elevation(x + step, y, seed) - height) / step
            slope_y = (elevation(x, y + step, seed) - height) / step
            texture *= min(max(1.0 - 0.8 * (slope_x * light[0] + slope_y * light[1]), 0.35), 1.6)
    # Seen with the sun behind (west of the morning's descending track) ground is brighter: ±2.5 % at the swath's edges.
    shine = 1.0 - 0.025 * light[2] / 145_000.0
    for band in range(12):
        value = spectra[bare, band] + green * (spectra[cover, band] - spectra[bare, band])
        value *= texture * shine
        out[band] = value + snow * (spectra[SNOW, band] - value)
    return cover, snow
