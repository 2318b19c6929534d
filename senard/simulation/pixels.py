"""From strips of reflectance to the images of a product."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from senard.model.arrays import Float32Array, UInt8Array, UInt16Array
from senard.model.sentinel2 import Scl
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.classification import Classification, classify
from senard.simulation.geometry import detector_of, lonlat, track_coordinates
from senard.simulation.ground import BAND_NAMES
from senard.simulation.images import Scratch, delivered_bands, preview_grid
from senard.simulation.sensor import FINE_BANDS, Strip, digital_numbers, shrink

_WATER_VAPOUR_DN = 1_600
# 1.6 cm of water vapour everywhere: nothing in the simulation depends on it.

WHITE = 0.2915
"""Reflectance that L2A's picture shows as 255."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the metadata say of the pixels, counted while they are written."""

    classes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(12, dtype=np.int64))
    """(12,) pixels of 20 m in each class."""

    aerosol_sum: float = 0.0
    """Sum of the aerosol optical depth over valid pixels of 20 m."""

    preview_rows: int = 0
    """Rows of the preview written so far."""

    valid: int = 0
    """Pixels of 60 m with data in all bands, counted for L1C; so are the next two."""

    cloudy: int = 0
    """Pixels of 60 m under opaque cloud or cirrus."""

    snowy: int = 0
    """Pixels of 60 m under snow."""

    clouds: list[UInt8Array] = field(default_factory=list)
    """Of each strip (3, y, x) uint8 at 60 m, opaque cloud, cirrus and snow: what becomes polygons before 04.00."""


def write_strip(acquisition: SimulatedAcquisition, strip: Strip, scratch: Scratch, tally: Tally) -> None:
    """Write one strip into all images of an L2A product.

    Args:
        acquisition: which product.
        strip: what the sensor saw.
        scratch: the open images.
        tally: counts, changed in place.
    """
    judged = classify(strip.coarse, strip.hints)
    if acquisition.cover is not None:
        judged.scl[judged.scl != Scl.NO_DATA] = acquisition.cover
    tally.classes += np.bincount(judged.scl.ravel(), minlength=12)
    tally.aerosol_sum += float(strip.aerosol[judged.scl != Scl.NO_DATA].sum(dtype=np.float64))
    reflectance = {10: strip.fine, 20: strip.coarse, 60: shrink(strip.coarse, 3)}
    names = {10: FINE_BANDS, 20: BAND_NAMES, 60: BAND_NAMES}
    for gsd, wanted in delivered_bands(with_offset=acquisition.has_offset).items():
        row = strip.window.row_start * 10 // gsd
        dn = dict(zip(names[gsd], digital_numbers(reflectance[gsd], add_offset=acquisition.add_offset), strict=True))
        for name in wanted:
            scratch.write(f"{name}_{gsd}", dn[name], first_row=row)
        scratch.write(f"TCI_{gsd}", true_colour(reflectance[gsd], names[gsd]), first_row=row)
        aerosol, vapour = _atmosphere(strip, gsd)
        scratch.write(f"AOT_{gsd}", aerosol, first_row=row)
        scratch.write(f"WVP_{gsd}", vapour, first_row=row)
    _write_classes(judged, scratch, strip.window.row_start // 2)
    write_preview(acquisition, strip, scratch, tally)
    scl = judged.scl[1::3, 1::3]
    classes = np.stack([(scl == 9) | (scl == 8), scl == 10, scl == 11]).astype(np.uint8)
    keep_masks(acquisition, strip, classes, scratch, tally)


def _atmosphere(strip: Strip, gsd: int) -> tuple[UInt16Array, UInt16Array]:
    """AOT and WVP of a strip, uint16, DN."""
    values = strip.aerosol
    if gsd == 60:
        values = shrink(values[np.newaxis], 3)[0]
    dn = np.rint(values * 1000).astype(np.uint16)
    dn[np.isnan((shrink(strip.coarse[:1], 3) if gsd == 60 else strip.coarse[:1])[0])] = 0
    if gsd == 10:
        dn = dn.repeat(2, axis=0).repeat(2, axis=1)
    return dn, np.where(dn > 0, np.uint16(_WATER_VAPOUR_DN), np.uint16(0))


def _write_classes(judged: Classification, scratch: Scratch, row: int) -> None:
    layers = {"SCL": judged.scl, "CLDPRB": judged.cloud_probability, "SNWPRB": judged.snow_probability}
    for name, values in layers.items():
        scratch.write(f"{name}_20", values, first_row=row)
        scratch.write(f"{name}_60", values[1::3, 1::3], first_row=row // 3)  # nearest pixel


def write_preview(
    acquisition: SimulatedAcquisition, strip: Strip, scratch: Scratch, tally: Tally, *, white: float = WHITE
) -> None:
    """Write the rows of the preview that lie in a strip.

    Args:
        acquisition: which product.
        strip: what it shows.
        scratch: the open images.
        tally: counts the rows, changed in place.
        white: reflectance that is shown as 255.
    """
    side = preview_grid(acquisition.grid).width
    centres = np.arange(side) * 16 + 8  # pixels of 20 m
    first = strip.window.row_start // 2
    here = centres[(centres >= first) & (centres < first + strip.coarse.shape[1])] - first
    columns = np.minimum(centres, strip.coarse.shape[2] - 1)
    if side == 1 and first == 0:
        here = np.array([min(8, strip.coarse.shape[1] - 1)])
    if here.size:
        picture = true_colour(strip.coarse[:, here][:, :, columns], BAND_NAMES, white=white)
        scratch.write("PVI", picture, first_row=tally.preview_rows)
        tally.preview_rows += here.size


def keep_masks(
    acquisition: SimulatedAcquisition, strip: Strip, classes: UInt8Array, scratch: Scratch, tally: Tally
) -> None:
    """Write the masks of a strip as rasters, or remember its clouds for the polygons of older baselines."""
    if acquisition.has_offset:
        write_masks(acquisition, strip, classes, scratch)
    else:
        tally.clouds.append(classes)


def write_masks(acquisition: SimulatedAcquisition, strip: Strip, classes: UInt8Array, scratch: Scratch) -> None:
    """Detector footprints, quality and classes as rasters; all bands of one gsd share them.

    Args:
        acquisition: which product.
        strip: which rows; NaN in its bands is nodata.
        classes: (3, y, x) uint8 at 60 m: opaque cloud, cirrus, snow.
        scratch: the open images.
    """
    for gsd in (10, 20, 60):
        row = strip.window.row_start * 10 // gsd
        number = detectors(acquisition, strip, gsd)
        scratch.write(f"DETFOO_{gsd}", number, first_row=row)
        quality = np.zeros((8, *number.shape), dtype=np.uint8)
        quality[5] = number == 0
        scratch.write(f"QUALIT_{gsd}", quality, first_row=row)
    scratch.write("CLASSI", classes, first_row=strip.window.row_start // 6)


def detectors(acquisition: SimulatedAcquisition, strip: Strip, gsd: int) -> UInt8Array:
    """Number of the detector that saw each pixel of a strip, 0 outside the footprint.

    Args:
        acquisition: which product.
        strip: which rows.
        gsd: 10, 20 or 60.

    Returns:
        (y, x) uint8.
    """
    grid = acquisition.grid.crop(strip.window).at(gsd)
    # The boundaries are nearly straight: exact at every pixel of the strip's first and last row, linear between.
    east = grid.left + gsd * (np.arange(grid.width, dtype=np.float64) + 0.5)
    tops = [np.full_like(east, grid.top - 0.5 * gsd), np.full_like(east, grid.top - (grid.height - 0.5) * gsd)]
    across = [track_coordinates(acquisition, *lonlat(grid.crs, east, north))[0] for north in tops]
    weight = np.linspace(0, 1, grid.height)[:, np.newaxis]
    number = detector_of(across[0] * (1 - weight) + across[1] * weight).astype(np.uint8)
    fine = strip.fine[0]
    held = np.isfinite({10: fine, 20: fine[::2, ::2], 60: fine[3::6, 3::6]}[gsd])
    number[~held] = 0
    return np.where(held & (number == 0), np.uint8(1), number).astype(np.uint8)


def true_colour(reflectance: Float32Array, names: tuple[str, ...], *, white: float = WHITE) -> UInt8Array:
    """The picture that products carry: reflectance 0 to white becomes 1 to 255, nodata 0.

    Args:
        reflectance: (band, y, x) float32; NaN is nodata.
        names: its bands.
        white: reflectance that is shown as 255.

    Returns:
        (3, y, x) uint8: red, green, blue.
    """
    wanted = reflectance[[names.index(name) for name in ("B04", "B03", "B02")]]
    nodata = np.isnan(wanted)
    scaled = np.clip(np.where(nodata, 0, wanted) * np.float32(255 / white), 1, 255).astype(np.uint8)
    scaled[nodata] = 0
    return scaled
