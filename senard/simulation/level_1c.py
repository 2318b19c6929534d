"""The images of an L1C product: what L2A shows, seen from above the atmosphere, with B10 and the masks of L1C."""

from dataclasses import replace

import numba
import numpy as np

from senard.model.arrays import BoolArray, Float32Array, Float64Array, UInt8Array
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.atmosphere import light_of, seen_from_above, spread_nodes
from senard.simulation.clouds import cirrus_at
from senard.simulation.ground import BAND_NAMES
from senard.simulation.images import LEVEL_1C_BANDS, Scratch
from senard.simulation.noise import hash01
from senard.simulation.pixels import Tally, keep_masks, true_colour, write_preview
from senard.simulation.sensor import FINE_BANDS, Strip, digital_numbers, shrink
from senard.simulation.weather import weather_of

WHITE = 0.3558
"""Reflectance that L1C's picture shows as 255."""

_DARK_B10 = 0.0012
_NOISE_B10 = 0.0006
# What B10 shows where there is no cirrus, and the deviation of its noise: a few DN, as over the sea in real products.

_CIRRUS_SEEN = 0.9
# Share of the cirrus' blue reflectance that B10 shows: some water vapour lies above it.


def write_strip_1c(acquisition: SimulatedAcquisition, strip: Strip, scratch: Scratch, tally: Tally) -> None:
    """Write one strip into all images of an L1C product.

    Args:
        acquisition: which product.
        strip: what the sensor would have seen without air.
        scratch: the open images.
        tally: counts, changed in place.
    """
    top = lift(acquisition, strip)
    coarse = shrink(top.coarse, 3)
    cirrus = cirrus_band(acquisition, strip, nodata=np.isnan(coarse[BAND_NAMES.index("B11")]))
    held = {10: (FINE_BANDS, top.fine), 20: (BAND_NAMES, top.coarse), 60: (BAND_NAMES, coarse)}
    for gsd, (names, reflectance) in held.items():
        row = strip.window.row_start * 10 // gsd
        for name in LEVEL_1C_BANDS:
            if f"{name}_{gsd}" not in scratch:
                continue
            shown = cirrus if name == "B10" else reflectance[names.index(name)]
            scratch.write(f"{name}_{gsd}", digital_numbers(shown, add_offset=acquisition.add_offset), first_row=row)
    scratch.write("TCI_10", true_colour(top.fine, FINE_BANDS, white=WHITE), first_row=strip.window.row_start)
    write_preview(acquisition, top, scratch, tally, white=WHITE)
    classes = cloud_classes(dict(zip(BAND_NAMES, coarse, strict=True)), cirrus)
    tally.valid += int(np.isfinite(coarse).all(axis=0).sum())
    tally.cloudy += int((classes[0] | classes[1]).sum())
    tally.snowy += int(classes[2].sum())
    keep_masks(acquisition, strip, classes, scratch, tally)


def lift(acquisition: SimulatedAcquisition, strip: Strip) -> Strip:
    """The strip with top-of-atmosphere reflectance in the place of that of the surface."""
    aerosol = strip.aerosol.repeat(2, axis=0).repeat(2, axis=1)
    return replace(
        strip,
        fine=seen_from_above(strip.fine, FINE_BANDS, light_of(acquisition, strip, 10), aerosol),
        coarse=seen_from_above(strip.coarse, BAND_NAMES, light_of(acquisition, strip, 20), strip.aerosol),
    )


def cirrus_band(acquisition: SimulatedAcquisition, strip: Strip, *, nodata: BoolArray) -> Float32Array:
    """B10 at 60 m: cirrus and nothing else, because water vapour below hides ground and lower clouds.

    Args:
        acquisition: which product.
        strip: which rows.
        nodata: (y, x) bool, True outside the swath.

    Returns:
        (y, x) float32, reflectance; NaN is nodata.
    """
    weather = weather_of(acquisition)
    spread = spread_nodes(acquisition, strip, 60)
    grid = acquisition.grid.crop(strip.window)
    seen = np.empty(nodata.shape, dtype=np.float32)
    corner = (int(grid.left) // 60, int(grid.top) // 60)
    _fill_cirrus(spread["x"], spread["y"], (weather.cirrus, weather.contrails), weather.seed, corner, seen)
    seen[nodata] = np.nan
    return seen


@numba.njit(cache=False)
def _fill_cirrus(
    x: Float64Array, y: Float64Array, cirrus: tuple[float, int], seed: int, corner: tuple[int, int], out: Float32Array
) -> None:
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            value = 0.0
            for part in range(4):  # four uniform numbers make a bell of deviation 1/√3
                value += hash01(corner[0] + col, corner[1] - row, seed + 301 + part) - 0.5
            veil = cirrus_at(x[row, col], y[row, col], cirrus[0], cirrus[1], seed)
            out[row, col] = _DARK_B10 + _NOISE_B10 * 1.732 * value + _CIRRUS_SEEN * veil


def cloud_classes(band: dict[str, Float32Array], cirrus: Float32Array) -> UInt8Array:
    """MSK_CLASSI of L1C: rules on few bands, so it misses thin cloud and takes bright ground for cloud, as ESA's does.

    Args:
        band: name to (y, x) float32, top-of-atmosphere reflectance at 60 m; NaN is nodata.
        cirrus: (y, x) float32, B10.

    Returns:
        (3, y, x) uint8: opaque cloud, cirrus, snow; 1 where it is there.
    """
    with np.errstate(invalid="ignore"):
        ndsi = (band["B03"] - band["B11"]) / (band["B03"] + band["B11"])
        snow = (ndsi > 0.4) & (band["B03"] > 0.25) & (band["B11"] < 0.2)
        opaque = (band["B01"] > 0.2) & (band["B02"] > 0.9 * band["B04"]) & (band["B11"] > 0.1) & ~snow
        veiled = (cirrus > 0.02) & ~opaque & ~snow
    return np.stack([opaque, veiled, snow]).astype(np.uint8)
