"""What the air adds and takes between ground and satellite: from surface reflectance to that of L1C.

One layer of air over a flat, even ground, after the usual equation of atmospheric correction:

    ρ_top = G · (ρ_path + T_sun · T_view · ρ / (1 − S · ρ))

- ρ_path, light that never saw the ground: scattered once by molecules and particles of optical depths τr and τa,
  ρ_path = (τr·Pr + ω·τa·Pa) / (τr + τa) · (1 − exp(−(τr + τa)·m)) / (4·(µs + µv)) · (1 + τr), m = 1/µs + 1/µv, the last
  factor for light scattered more than once.
- T, direct and diffuse light that gets through on one way: exp(−(0.5·τr + 0.15·τa) / µ).
- S, what the air throws back to the ground: 0.6·τr + 0.1·τa.
- G, gases: exp(−τg·m).

τa is the aerosol that the L2A product states, so that L1C and L2A of one acquisition fit each other; sun and view are
those of the pixel. Clouds are treated as ground: their own air above them is a little too thick, to the accuracy of the
simulation.
"""

from dataclasses import dataclass

import numpy as np

from senard.model.arrays import Float32Array, Float64Array
from senard.model.sentinel2 import BANDS
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.geometry import NODE_STEP_PX, ORBIT_HEIGHT_M, QUANTITIES, TRACK_TILT_DEG, nodes_of
from senard.simulation.sensor import Strip

_GASES = {
    "B01": 0.003,
    "B02": 0.007,
    "B03": 0.034,
    "B04": 0.020,
    "B05": 0.022,
    "B06": 0.012,
    "B07": 0.008,
    "B08": 0.035,
    "B8A": 0.004,
    "B09": 0.55,
    "B11": 0.012,
    "B12": 0.025,
}
# Optical depth of ozone (330 Dobson units), water vapour (1.6 cm), oxygen and carbon dioxide by band.

_ANGSTROM = 1.3
# Exponent by which aerosol thins towards longer waves, as the sky's haze has it on average.

_FORWARD = 0.65
_ALBEDO = 0.92
# Asymmetry and single scattering albedo of the aerosol, after Henyey and Greenstein.


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Ways of the light at each pixel, (y, x) float32."""

    sun: Float32Array
    """Cosine of the sun's zenith."""

    view: Float32Array
    """Cosine of the satellite's zenith."""

    turn: Float32Array
    """Cosine of the angle by which scattered sunlight turns on its way to the satellite: −1 is straight back."""


def light_of(acquisition: SimulatedAcquisition, strip: Strip, gsd: int) -> Light:
    """Sun and view over the pixels of one strip; the view is that of a single detector, without their zigzag.

    Args:
        acquisition: says when, and where the satellite flew.
        strip: which rows.
        gsd: 10, 20 or 60, m.
    """
    spread = spread_nodes(acquisition, strip, gsd)
    sun = spread["cos_sun"]
    side = -spread["across"] / ORBIT_HEIGHT_M
    view = 1.0 / np.hypot(1.0, side)
    tilt = np.radians(TRACK_TILT_DEG)
    together = spread["sun_x"] * side * np.cos(tilt) - spread["sun_y"] * side * np.sin(tilt)
    turn = -sun * view * (1.0 + together)
    return Light(sun=sun.astype(np.float32), view=view.astype(np.float32), turn=turn.astype(np.float32))


def spread_nodes(acquisition: SimulatedAcquisition, strip: Strip, gsd: int) -> dict[str, Float64Array]:
    """`geometry.QUANTITIES` at the middle of every pixel of a strip, linear between the nodes."""
    nodes = nodes_of(acquisition, acquisition.grid.crop(strip.window)).values
    step = gsd / 10
    row, down = np.divmod((np.arange(round(strip.window.height / step)) + 0.5) * step / NODE_STEP_PX, 1)
    col, right = np.divmod((np.arange(round(strip.window.width / step)) + 0.5) * step / NODE_STEP_PX, 1)
    top, left = row.astype(int), col.astype(int)
    spread: dict[str, Float64Array] = {}
    for index, name in enumerate(QUANTITIES):
        rows = nodes[top, :, index] * (1 - down)[:, np.newaxis] + nodes[top + 1, :, index] * down[:, np.newaxis]
        spread[name] = np.asarray(rows[:, left] * (1 - right) + rows[:, left + 1] * right)
    return spread


def rayleigh_depth(band: str) -> float:
    """Optical depth of the molecules at sea level. Source: Hansen and Travis (1974), equation 2.30."""
    inverse = (BANDS[band].wavelength_nm / 1000) ** -2
    return 0.008569 * inverse**2 * (1 + 0.0113 * inverse + 0.00013 * inverse**2)


def seen_from_above(ground: Float32Array, names: tuple[str, ...], light: Light, aerosol: Float32Array) -> Float32Array:
    """Top-of-atmosphere reflectance.

    Args:
        ground: (band, y, x) float32, surface reflectance; NaN is nodata and stays so.
        names: its bands; not B10, which sees no ground.
        light: ways of the light, (y, x).
        aerosol: (y, x) float32, aerosol optical depth at 550 nm.

    Returns:
        (band, y, x) float32.
    """
    seen = np.empty_like(ground)
    way = 1 / light.sun + 1 / light.view
    molecules_turn = np.float32(0.75) * (1 + light.turn**2)
    particles_turn = (1 - _FORWARD**2) / (1 + _FORWARD**2 - 2 * _FORWARD * light.turn) ** np.float32(1.5)
    for index, name in enumerate(names):
        molecules = np.float32(rayleigh_depth(name))
        particles = aerosol * np.float32((BANDS[name].wavelength_nm / 550) ** -_ANGSTROM)
        depth = molecules + particles
        turned = (molecules * molecules_turn + np.float32(_ALBEDO) * particles * particles_turn) / depth
        path = turned * (1 - np.exp(-depth * way)) / (4 * (light.sun + light.view)) * (1 + molecules)
        through = np.exp(-(np.float32(0.5) * molecules + np.float32(0.15) * particles) * way)
        back = np.float32(0.6) * molecules + np.float32(0.1) * particles
        gases = np.exp(np.float32(-_GASES[name]) * way)
        seen[index] = gases * (path + through * ground[index] / (1 - back * ground[index]))
    return seen
