"""What one overflight shows, without files: arrays for whoever judges how pixels are chosen.

A view is the product at 20 m, with one sample of the ground in each cell: faster than the strips that products are
made from, and equal to them but for the mixture of grounds within a cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.classification import classify
from senard.simulation.geometry import nodes_of, sun_angles
from senard.simulation.ground import BAND_NAMES
from senard.simulation.kernel import render_cells
from senard.simulation.sensor import digital_numbers, scene_of, shrink

VIEW_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
"""Bands of a view, in the order of its arrays."""

JUDGED_BANDS = ("B02", "B03", "B04", "B8A", "B11")
"""Bands that a view also holds at 60 m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedView:
    """What one acquisition shows and what is true of it, on its own UTM grid."""

    acquisition: SimulatedAcquisition
    """What was seen."""

    scl: UInt8Array
    """(y, x) uint8, 20 m, classes of `Scl`."""

    cloud_probability: UInt8Array
    """(y, x) uint8, 20 m, percent."""

    snow_probability: UInt8Array
    """(y, x) uint8, 20 m, percent."""

    seen: UInt16Array
    """(10, y, x) uint16, 20 m, harmonised DN (10000 per unit of reflectance, no offset), VIEW_BANDS; 0 is nodata."""

    judge: Mapping[str, UInt16Array]
    """Band to (y/3, x/3) uint16, 60 m: JUDGED_BANDS as means, harmonised DN, and "AOT", optical depth x 1000; 0 is
    nodata."""

    ground: UInt16Array
    """(10, y, x) uint16, 20 m: what a clear sky would have shown on that date, like `seen`: the same geometry, BRDF and
    misregistration, no sky, no noise."""

    sky: UInt8Array
    """(y, x) uint8, 20 m, bits of senard.simulation.sky: CLOUD 1, SHADOW 2, HAZE 4, SMOKE 8, SNOW_ON_GROUND 16."""

    cover: UInt8Array
    """(y, x) uint8, 20 m, number of the land cover (ground.COVERS)."""

    sun_zenith: float
    """Of the centre, degrees: 38.2."""

    sun_azimuth: float
    """Of the centre, degrees clockwise from north: 158.4."""


def view(acquisition: SimulatedAcquisition) -> SimulatedView:
    """See one acquisition.

    Args:
        acquisition: what to see; the baseline changes nothing here, signature and forced class are not obeyed.
    """
    return _view(acquisition, acquisition.grid.at(20))


def _view(acquisition: SimulatedAcquisition, grid: Grid) -> SimulatedView:
    image = np.empty((12, *grid.shape), dtype=np.float32)
    clear = np.empty_like(image)
    sky = np.empty(grid.shape, dtype=np.uint8)
    aerosol = np.empty(grid.shape, dtype=np.float32)
    cover = np.empty(grid.shape, dtype=np.uint8)
    hints = np.empty((3, *grid.shape), dtype=np.float32)
    nodes = nodes_of(acquisition, acquisition.grid)
    outputs = (image, clear, sky, aerosol, cover, hints)
    render_cells(nodes.values, *scene_of(acquisition, nodes), outputs)
    judged = classify(image, hints)
    bands = [BAND_NAMES.index(name) for name in VIEW_BANDS]
    zenith, azimuth = sun_angles(acquisition.sensing_time, *(np.asarray(angle) for angle in acquisition.centre))
    aerosol[np.isnan(image[1])] = np.nan
    return SimulatedView(
        acquisition=acquisition,
        scl=judged.scl,
        cloud_probability=judged.cloud_probability,
        snow_probability=judged.snow_probability,
        seen=digital_numbers(image[bands], add_offset=0),
        judge={
            **{
                name: digital_numbers(shrink(image[[BAND_NAMES.index(name)]], 3)[0], add_offset=0)
                for name in JUDGED_BANDS
            },
            "AOT": digital_numbers(shrink(aerosol[np.newaxis], 3)[0] / 10, add_offset=0),
        },
        ground=digital_numbers(clear[bands], add_offset=0),
        sky=sky,
        cover=cover,
        sun_zenith=float(zenith),
        sun_azimuth=float(azimuth),
    )
