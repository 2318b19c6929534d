"""The ground: one continuous field of land cover, parcels, relief and season, from which every scene is cut.

The same place and day give the same reflectance in every tile, zone and satellite. Places are Mercator metres.
"""

import numba
import numpy as np

from senard.model.arrays import Float32Array, Float64Array
from senard.simulation.noise import fractal_noise, hash01, smoothstep, value_noise
from senard.simulation.relief import elevation, snow_share, terrain_shade
from senard.simulation.weather import SKY_LIGHT

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
    "salt",
    "irrigated crop",
    "burnt",
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
    SALT,
    IRRIGATED_CROP,
    BURNT,
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
        [3400, 3900, 4400, 4750, 4900, 5000, 5050, 5100, 5150, 5000, 4100, 3200],  # salt
        [190, 250, 620, 290, 900, 3000, 3900, 4150, 4350, 4400, 1850, 800],  # irrigated crop
        [330, 380, 430, 490, 530, 620, 690, 760, 840, 900, 1500, 1450],  # burnt
    ],
    dtype=np.float32,
) / np.float32(10_000)

SPECTRA: Float32Array = _SPECTRA
"""(cover, band) reflectance."""

# Isotropic, volume and surface scattering by band (Roy et al. 2016; red edge Roy et al. 2017), B01 as B02, B09 as B8A.
_ROY = np.array(
    [
        [0.0774, 0.0372, 0.0079],
        [0.0774, 0.0372, 0.0079],
        [0.1306, 0.0580, 0.0178],
        [0.1690, 0.0574, 0.0227],
        [0.2085, 0.0845, 0.0256],
        [0.2316, 0.1003, 0.0273],
        [0.2599, 0.1197, 0.0294],
        [0.3093, 0.1535, 0.0330],
        [0.3093, 0.1535, 0.0330],
        [0.3093, 0.1535, 0.0330],
        [0.3430, 0.1154, 0.0453],
        [0.2658, 0.0639, 0.0387],
    ]
)

_REFERENCE = (-0.04586, -1.10682)
# Kernels of volume and surface for nadir view and the sun at 45 degrees: there ground is as SPECTRA say.

LIGHT: Float32Array = np.stack([_ROY[:, 1] / _ROY[:, 0], _ROY[:, 2] / _ROY[:, 0], SKY_LIGHT]).astype(np.float32)
"""(3, band): volume and surface scattering relative to the isotropic part, and light that reaches the shade, share."""

_PARCEL_M = 420.0
"""Typical side of a field, Mercator metres."""

_REGION_M = 7_000.0
"""Side of a region whose fields lie the same way, Mercator metres."""

_MEADOW_DAYS = 45.0
"""Days that cut grass needs to look green again."""


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
    if cover == IRRIGATED_CROP:
        # Cut to the ground every four to six weeks.
        grown = ((day + 60.0 * luck) / (27.0 + 15.0 * cut)) % 1.0
        return 0.12 + 0.88 * smoothstep(0.05, 0.75, grown)
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
    return STUBBLE if cover in (GRASS, WETLAND, IRRIGATED_CROP) else SOIL


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
def cover_at(
    x: float, y: float, height: float, seed: int, day: float, land: Float64Array
) -> tuple[int, float, float, float]:
    """Land cover of a place, and of its field: luck, cut and brightness (all 0-1).

    Args:
        x: Mercator, m.
        y: Mercator, m.
        height: elevation there, m.
        seed: which ground.
        day: day of the year: fires leave burnt ground.
        land: land_numbers.
    """
    if height < 0.0:
        turbid = fractal_noise(x / 15_000.0, y / 15_000.0, 3, seed + 41)
        return (TURBID_WATER if turbid > 0.5 or height > -2.0 else CLEAR_WATER), 0.5, 0.5, 0.5
    moist = fractal_noise(x / 9_000.0, y / 9_000.0, 4, seed + 42) - 1.2 * land[4] - land[5]
    if height < land[9] and moist < 0.6:
        return SAND, 0.5, 0.5, 0.5
    if height > 0.64 * land[6] + 60.0 * moist:
        return ROCK, 0.5, 0.5, 0.5
    if fractal_noise(x / 7_000.0, y / 7_000.0, 3, seed + 43) > land[3]:
        paint = hash01(int(np.floor(x / 240.0)), int(np.floor(y / 240.0)), seed + 33)
        return _built_cover(x, y, seed), 0.5, 0.5, paint
    if land[4] > 0.0:
        if fractal_noise(x / 6_000.0, y / 6_000.0, 4, seed + 46) > 1.3:
            return SALT, 0.5, 0.5, 0.5
        if fractal_noise(x / 8_000.0, y / 8_000.0, 4, seed + 47) > -0.3:
            return SAND, 0.5, 0.5, 0.5
    if land[8] > 0.0 and fractal_noise(x / 5_000.0, y / 5_000.0, 5, seed + 71) > 1.3:
        since = 130.0 + 100.0 * hash01(int(np.floor(x / 15_000.0)), int(np.floor(y / 15_000.0)), seed + 72)
        if day > since:
            return BURNT, 0.5, 0.5, 0.5
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
    return _crop(hash01(pu, pv, seed + 27), hash01(pu, pv, seed + 28), land[5]), luck, cut, tint


@numba.njit(inline="always")
def _crop(kind: float, water: float, irrigated: float) -> int:
    """What grows on a field."""
    if kind < 0.02:
        return SAND
    if water < irrigated:
        return IRRIGATED_CROP
    if kind < 0.10:
        return SOIL
    if kind < 0.38:
        return WINTER_CROP
    return SUMMER_CROP if kind < 0.68 else GRASS


@numba.njit(inline="always")
def _scattering(cover: int) -> float:
    """How strongly a cover's brightness depends on sun and view, relative to the mean of Roy et al."""
    if cover in (CLEAR_WATER, TURBID_WATER, SNOW, SALT):
        return 0.0
    if cover in (BROADLEAF, CONIFER):
        return 1.15
    return 0.75 if cover in (BUILT, BRIGHT_ROOF, DARK_ROOF, SAND) else 1.0


@numba.njit(cache=False)
def _water(x: float, y: float, seed: int, light: tuple[float, ...], wind: float) -> tuple[float, float]:
    """Share of the water that is clear today, and the glint of its waves, reflectance.

    Source of the slopes: Cox and Munk (1954), deviation² = 0.003 + 0.00512 · wind; Fresnel 0.021.
    """
    clear = min(max(0.5 + 0.4 * fractal_noise(x / 6_000.0, y / 6_000.0, 4, seed + 180), 0.0), 1.0)
    rough = wind * (0.6 + 0.8 * value_noise(x / 3_000.0, y / 3_000.0, seed + 181))
    variance = 0.003 + 0.00512 * rough
    glint = 0.021 * np.exp(-light[4] / variance) / (3.1416 * variance) * (1.0 + light[4]) ** 2 / (4.0 * light[6])
    return clear, glint * (0.9 + 0.2 * value_noise(x / 60.0, y / 60.0, seed + 182))


@numba.njit(cache=False)
def _texture(x: float, y: float, cover: int, tint: float, seeds: tuple[int, int]) -> float:
    """Brightness of a place relative to its cover: fields differ by ±12 %, crowns and clods within them by 8 %."""
    texture = 1.0 + 0.04 * fractal_noise(x / 90.0, y / 90.0, 2, seeds[0] + 61)
    if cover in (CLEAR_WATER, TURBID_WATER):
        return texture
    # Bright roofs are white, grey or red: 0.2 to 0.9 of the brightest; some mirror the sun and saturate.
    shade = 0.2 + 0.7 * tint if cover == BRIGHT_ROOF else 0.88 + 0.24 * tint
    if cover == BRIGHT_ROOF and hash01(int(np.floor(x / 60.0)), int(np.floor(y / 60.0)), seeds[1] + 183) < 0.01:
        shade = 3.0
    return shade * (1.0 + 0.08 * fractal_noise(x / 45.0, y / 45.0, 2, seeds[0] + 62))


@numba.njit(cache=False)
def ground_at(
    x: float,
    y: float,
    seeds: tuple[int, int],
    day: float,
    spell: int,
    light: tuple[float, ...],
    tables: tuple[Float32Array, Float32Array, Float64Array],
    out: Float32Array,
) -> tuple[int, float]:
    """Reflectance of one place on one day, without anything in the sky.

    Args:
        x: Mercator, m.
        y: Mercator, m.
        seeds: which ground, and which sky: it also decides what changes from day to day.
        day: day of the year, may have a fraction.
        spell: number of the ten days that the day lies in.
        light: (sun_x, sun_y, volume, surface, glint, stretch, cos_sun) as in geometry.QUANTITIES.
        tables: SPECTRA, LIGHT, land_numbers.
        out: (12,) float32, reflectance, written.

    Returns:
        Number of the cover and the share of snow.
    """
    spectra, scatter, land = tables
    seed = seeds[0]
    height = elevation(x, y, seed, land)
    cover, luck, cut, tint = cover_at(x, y, height, seed, day, land)
    green = _greenness(cover, day, luck, cut)
    bare = _bare_after(cover, day, cut)
    snow = snow_share(x, y, height, day, spell, seed, land)
    if cover in (BROADLEAF, CONIFER):
        snow *= 0.45  # snow lies under the trees
    texture = _texture(x, y, cover, tint, seeds)
    glint = 0.0
    if cover in (CLEAR_WATER, TURBID_WATER):
        clear, glint = _water(x, y, seeds[1], light, land[7])
        if cover == TURBID_WATER:
            bare = CLEAR_WATER
            green = 1.0 - 0.8 * clear
    shade = 0.0
    lit = 1.0
    if height > 120.0:
        step = 60.0
        slope_x = (elevation(x + step, y, seed, land) - height) / step * light[5]
        slope_y = (elevation(x, y + step, seed, land) - height) / step * light[5]
        lit = min(max(1.0 - 0.8 * (slope_x * light[0] + slope_y * light[1]), 0.25), 1.7)
        if land[0] > 1.5:
            shade = terrain_shade(x, y, height, (light[0], light[1]), light[5], seed, land)
    strength = _scattering(cover) * (1.0 - snow)
    for band in range(12):
        value = spectra[bare, band] + green * (spectra[cover, band] - spectra[bare, band])
        bright = 1.0 + scatter[0, band] * light[2] + scatter[1, band] * light[3]
        bright /= 1.0 + scatter[0, band] * _REFERENCE[0] + scatter[1, band] * _REFERENCE[1]
        value *= texture * (1.0 + strength * (bright - 1.0))
        value += snow * (spectra[SNOW, band] - value)
        out[band] = value * lit * (1.0 - shade * (1.0 - scatter[2, band])) + glint
    return cover, snow
