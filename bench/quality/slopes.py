"""What the correction of slopes changes on simulated mountains: the step between sunny and shaded slopes, and errors.

The simulator lights slopes by a rule of thumb, so that steep ones shine more than a sun straight above them would make
them. Here they are lit anew: by the cosine of incidence on slopes of 20 m, and by an even sky.

Usage: python -m bench.quality.slopes [--seeds 62,63] [--days 06-20,10-15] [--clouds] [--own-light]
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from bench.quality.product import write_masks
from senard.algorithms import warp_kernels
from senard.algorithms.levelling import NO_CORRECTION, Cells, cells_of, comparable
from senard.algorithms.nearest import Pixels
from senard.algorithms.slopes import (
    LIGHT_UNITS,
    SlopeFactors,
    SlopeLight,
    SlopeSums,
    band_share,
    direct_shares,
    factors_of,
    is_water,
    keeps_light,
    slope_light,
    sun_direction,
)
from senard.algorithms.terrain import Terrain, reach_of
from senard.io.geotiff import read_scratch
from senard.io.given_raster import heights_on
from senard.io.mask_folder import RASTER_20, RASTER_60
from senard.model.arrays import BoolArray, Float64Array, UInt16Array
from senard.model.grid import Grid
from senard.model.land import LAND_GSD
from senard.model.product import AngleGrid
from senard.model.sentinel2 import JUDGE_BANDS
from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.simulation.plans import quality_plan
from senard.simulation.stack import JUDGED_BANDS, VIEW_BANDS, SimulatedView, view
from senard.simulation.terrain_model import true_light, true_shade, write_dem

SUNNY, SHADY = 1.05, 0.85
"""Light from which on a slope counts as sunny, and up to which as shady."""


DIRECT = {
    "B02": 0.70,
    "B03": 0.76,
    "B04": 0.82,
    "B05": 0.84,
    "B06": 0.86,
    "B07": 0.87,
    "B08": 0.88,
    "B8A": 0.89,
    "B11": 0.94,
    "B12": 0.96,
}
"""Share of direct light on level ground under a clear sky, as slopes are lit here."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One date of simulated mountains, and what is found of its slopes."""

    view: SimulatedView
    light: SlopeLight
    shares: dict[str, float]
    kept: BoolArray
    """(y, x) at 20 m, pixels that stay as they are."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each seed, date and band."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality.slopes", description=__doc__)
    parser.add_argument("--seeds", default="62,63", help="comma-separated")
    parser.add_argument("--days", default="06-20,10-15", help="month-day, comma-separated")
    parser.add_argument("--own-light", action="store_true", help="slopes stay lit as the simulator lights them")
    parser.add_argument("--clouds", action="store_true", help="shares are fitted under a sky that is half cloudy")
    asked = parser.parse_args(arguments)
    print("seed  day    sun  corrected  band  share  step %  after  RMSE  after  plain cosine")
    for seed in (int(text) for text in asked.seeds.split(",")):
        for day in asked.days.split(","):
            for line in lines(seed, day, clouds=asked.clouds, own_light=asked.own_light):
                print(line, flush=True)


def lines(seed: int, day: str, *, clouds: bool, own_light: bool) -> Iterator[str]:
    """Figures of one date by band; the step is relative to that of the same ground on level ground."""
    clear = acquisition(seed, day)
    shown = view if own_light else relit
    scene = scene_of(shown(clear))
    shares = scene_of(shown(replace(clear, cloudless=False, cloud_fraction=0.5))).shares if clouds else scene.shares
    grid = clear.grid.at(20)
    truth = scene.view.ground / true_light(clear, grid)
    open_land = ~scene.kept & ~true_shade(clear, grid) & (scene.view.seen > 0).all(axis=0)
    light = np.kron(scene.light.light / LIGHT_UNITS, np.ones((3, 3))).astype(np.float64)
    for number, band in enumerate(VIEW_BANDS):
        dn = scene.view.seen[number]
        share = band_share(shares, band)
        after, plain = corrected(dn, scene, share), corrected(dn, scene, 1.0)
        before = f"{step(dn, truth[number], light, open_land):7.1f}"
        yield (
            f"{seed:<5} {day}{scene.view.sun_zenith:5.0f}{100 * (~scene.kept).mean():10.0f}  {band}{share:8.2f}{before}"
            f"{step(after, truth[number], light, open_land):8.1f}{rmse(dn, truth[number], open_land):7.0f}"
            f"{rmse(after, truth[number], open_land):6.0f}{rmse(plain, truth[number], open_land):8.0f}"
        )


def acquisition(seed: int, day: str) -> SimulatedAcquisition:
    """The square of a season of mountains on one day under a clear sky."""
    first = quality_plan(Regime.MOUNTAINS, seed)[0]
    when = date.fromisoformat(f"{first.time.year}-{day}")
    return replace(first, time=datetime.combine(when, first.time.timetz()), cloudless=True)


def relit(acquisition: SimulatedAcquisition) -> SimulatedView:
    """What an acquisition shows, its slopes lit by a sun and a sky."""
    seen, grid = view(acquisition), acquisition.grid.at(20)
    level = np.ones(seen.seen.shape) / true_light(acquisition, grid)
    light = slope_light_of(seen, grid).light / LIGHT_UNITS
    change = level * (1 + np.array([DIRECT[band] for band in VIEW_BANDS])[:, None, None] * (light - 1))
    means = change.reshape(len(VIEW_BANDS), grid.height // 3, 3, grid.width // 3, 3).mean(axis=(2, 4))
    judge = {name: np.rint(seen.judge[name] * means[VIEW_BANDS.index(name)]) for name in JUDGED_BANDS}
    return replace(
        seen,
        seen=np.rint(seen.seen * change).astype(np.uint16),
        judge={**seen.judge, **{name: pixels.astype(np.uint16) for name, pixels in judge.items()}},
    )


def slope_light_of(seen: SimulatedView, grid: Grid) -> SlopeLight:
    """How the sun of a view lights slopes, on pixels of its square."""
    terrain, mean = terrain_of(seen, grid), (seen.sun_zenith, seen.sun_azimuth)
    zenith, azimuth = (np.full(grid.shape, angle, np.float32) for angle in mean)
    return slope_light(terrain, sun_direction(AngleGrid(zenith=zenith, azimuth=azimuth)).astype(np.float32), mean)


def terrain_of(seen: SimulatedView, grid: Grid) -> Terrain:
    """The relief of a view's square, as a mosaic takes it over."""
    pad = reach_of(grid)
    with tempfile.TemporaryDirectory() as name:
        heights = heights_on(write_dem([seen.acquisition], Path(name) / "dem.tif"), grid.padded(pad))
    return Terrain.of(heights, grid, pad)


def scene_of(seen: SimulatedView) -> Scene:
    """Light, shares and what is kept, by the code that makes mosaics."""
    coarse = seen.acquisition.grid.at(60)
    with tempfile.TemporaryDirectory() as name:
        masks = write_masks(seen, Path(name) / "masks")
        fine, judge = read_scratch(masks / RASTER_20, bands=("class", "distance")), read_scratch(masks / RASTER_60)
    light = slope_light_of(seen, coarse)
    mask, judge = fine[:, 1::3, 1::3], judge[: len(JUDGE_BANDS)]
    cells = cells_of(coarse.bounds.left, coarse.bounds.bottom, coarse.bounds.right, coarse.bounds.top)
    shown = SlopeSums.nothing(cells)
    told = comparable(mask, judge) & ~is_water(mask[0], light.steep) & light.lit
    shown.add(cells, *(on_cells(pixels, coarse, cells) for pixels in (judge, light.light, told)))
    lit, steep = (np.kron(pixels, np.ones((3, 3), dtype=np.bool_)) for pixels in (light.lit, light.steep))
    return Scene(view=seen, light=light, shares=direct_shares([shown]), kept=keeps_light(fine[0], steep) | ~lit)


def on_cells(pixels: Pixels, grid: Grid, cells: Cells) -> Pixels:
    """Pixels of 60 m on whole cells; 0 beyond the square."""
    wide = cells.grid(grid.crs, LAND_GSD)
    top, left = round((wide.top - grid.top) / LAND_GSD), round((grid.left - wide.left) / LAND_GSD)
    around = (top, wide.height - top - grid.height), (left, wide.width - left - grid.width)
    return np.pad(pixels, [*[(0, 0)] * (pixels.ndim - 2), *around])


def corrected(dn: UInt16Array, scene: Scene, share: float) -> UInt16Array:
    """DN as they are delivered, (y, x) at 20 m."""
    grid = scene.view.acquisition.grid
    light = np.pad(scene.light.light, 1, mode="edge")
    slopes = SlopeFactors(values=factors_of(light, share), grid=grid.at(60).padded(1), output=grid.at(20))
    rows, cols = (index.ravel() for index in np.indices(dn.shape))
    nothing = (NO_CORRECTION.offset, NO_CORRECTION.gain, *NO_CORRECTION.place)
    changed = warp_kernels.corrected(dn.ravel(), *nothing, slopes.values, *slopes.place, rows, cols)
    return np.where(scene.kept, dn, changed.reshape(dn.shape)).astype(np.uint16)


def step(dn: UInt16Array, truth: Float64Array, light: Float64Array, where: BoolArray) -> float:
    """How much brighter sunny slopes are than shady ones, beyond what grows there, percent."""
    sunny, shady = where & (light > SUNNY), where & (light < SHADY)
    ratio = (dn[sunny].mean() / truth[sunny].mean()) / (dn[shady].mean() / truth[shady].mean())
    return float(100 * (ratio - 1))


def rmse(dn: UInt16Array, truth: Float64Array, where: BoolArray) -> float:
    """Against the same ground lit as if it were level, 1e-4."""
    return float(np.sqrt(np.mean((dn[where] - truth[where]) ** 2)))


if __name__ == "__main__":
    main()
