"""The two pictures of a product: what it looks like, and when each pixel was seen."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyproj

from senard.algorithms.pictures import paint_classes, perceptual_ramp, pick_colours, stretch_colours
from senard.algorithms.tiling import project_area
from senard.io.map_sheet import GAP, DateLegend, LegendDay, draw_sheet
from senard.io.pictures import burn_area, read_reduced, shown_area, write_png, write_world_file
from senard.io.product_folder import DATE_MAP, QUICKLOOK, QUICKLOOK_WORLD, mosaic_file
from senard.io.sources_file import SOURCES_RASTER
from senard.model.arrays import BoolArray, UInt8Array
from senard.model.grid import Tile
from senard.model.mosaic import MosaicFigures
from senard.model.picture import PictureFrame

FINEST_MAP_M = 5.0
"""Smallest pixel of a map, m: a small area is enlarged, for its map to be larger than a stamp."""

QUICKLOOK_PIXELS = 2048
"""Longer side of the quicklook, pixels. Source: product-spec §9."""

MAP_PIXELS = 1400
"""Longer side of the map inside the date map, pixels: with legend and title it still fits a screen."""

TRUE_COLOUR = ((1, 2, 3), 2500.0)
"""Bands of the 10 m file shown as red, green, blue (B04 B03 B02), and the DN of full brightness."""

FALSE_COLOUR = ((4, 5, 1), 4500.0)
"""The same of the 20 m file (B8A B11 B05), where no 10 m file was made."""


def draw_pictures(figures: MosaicFigures, sources: Sequence[Path], folder: Path) -> Path:
    """Draw quicklook.png with its world file, and acquisition_date.png.

    Args:
        figures: request, scenes and tiles of the mosaic.
        sources: folders of the source maps, one per tile, in the order of the tiles.
        folder: the product folder with its mosaic files.

    Returns:
        The quicklook.
    """
    tiles = [tile.tile for tile in figures.tiles]
    write_png(folder / DATE_MAP, _date_map(figures, tiles, sources))
    gsd, bands, high_dn = shown_bands(folder, tiles)
    frame = PictureFrame.around(tiles, longest=QUICKLOOK_PIXELS, finest_m=gsd)
    files = [folder / mosaic_file(tile.index, gsd) for tile in tiles]
    dn = read_reduced(files, tiles, frame, bands, average=True)
    write_world_file(folder / QUICKLOOK_WORLD, frame)
    return write_png(folder / QUICKLOOK, stretch_colours(dn, high_dn=high_dn))


def shown_bands(folder: Path, tiles: Sequence[Tile]) -> tuple[int, tuple[int, ...], float]:
    """What the quicklook shows: gsd in m, band numbers, DN of full brightness; true colour where 10 m files lie."""
    if all((folder / mosaic_file(tile.index, 10)).is_file() for tile in tiles):
        return 10, *TRUE_COLOUR
    return 20, *FALSE_COLOUR


def _date_map(figures: MosaicFigures, tiles: Sequence[Tile], sources: Sequence[Path]) -> UInt8Array:
    """The sheet with the map of acquisition dates."""
    request = figures.request
    frame = PictureFrame.around(tiles, longest=MAP_PIXELS, finest_m=FINEST_MAP_M)
    source = read_reduced([path / SOURCES_RASTER for path in sources], tiles, frame, (1,), average=False)[0]
    area = shown_area(project_area(request.aoi, request.crs), frame)
    ramp = perceptual_ramp()
    shown = wanted_pixels(figures, frame) | (source > 0)
    painted = paint_classes(source, _source_colours(figures, ramp), shown=shown)
    count = len(figures.pixels_per_day)
    dates = "1 date" if count == 1 else f"{count} dates"
    return draw_sheet(
        painted,
        frame,
        area,
        titles=(
            "Acquisition dates",
            f"{request.name}, {request.first_day} to {request.last_day}, {dates}",
            figures.attribution,
        ),
        ramp=ramp,
        legend=_legend(figures),
        scale=ground_scale(frame),
    )


def wanted_pixels(figures: MosaicFigures, frame: PictureFrame) -> BoolArray:
    """(y, x) bool, True where a picture should have data: in the area, or in all tiles where they are not clipped."""
    request = figures.request
    wanted = burn_area(shown_area(project_area(request.aoi, request.crs), frame), frame)
    if not request.clip:
        for tile in figures.tiles:
            wanted[frame.window(tile.tile).slices] = True
    return wanted


def _source_colours(figures: MosaicFigures, ramp: UInt8Array) -> UInt8Array:
    """(1 + scenes, 3) uint8: the colour of each source number, grey for 0."""
    positions = [day_position(figures, row.scene.acquisition_date) for row in figures.scenes]
    colours = np.array([GAP] * (1 + len(positions)), dtype=np.uint8)
    colours[1:] = pick_colours(np.array(positions, dtype=np.float64), ramp)
    return colours


def day_position(figures: MosaicFigures, day: date) -> float:
    """Place of a day in the period: 0 first day, 1 last day."""
    first, last = figures.request.first_day, figures.request.last_day
    return (day - first).days / max(1, (last - first).days)


def _legend(figures: MosaicFigures) -> DateLegend:
    """The legend of the date map."""
    area = max(1, figures.area_pixels)
    return DateLegend(
        first_label=figures.request.first_day.isoformat(),
        last_label=figures.request.last_day.isoformat(),
        days=tuple(
            LegendDay(label=day.isoformat(), position=day_position(figures, day), share=min(1.0, pixels / area))
            for day, pixels in figures.pixels_per_day.items()
        ),
        gap_share=1.0 - figures.valid_share,
    )


def ground_scale(frame: PictureFrame) -> float:
    """Ground metres per metre of the CRS in the middle of a picture: cos(latitude) in EPSG:3857."""
    x = frame.left + frame.width * frame.pixel_m / 2
    y = frame.top - frame.height * frame.pixel_m / 2
    half = frame.width * frame.pixel_m / 20
    lon, lat = pyproj.Transformer.from_crs(frame.crs, "EPSG:4326", always_xy=True).transform(
        [x - half, x + half], [y] * 2
    )
    _, _, distance = pyproj.Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])
    return float(distance) / (2 * half)
