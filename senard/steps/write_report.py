"""The report of a product: maps of clear observations and of quality levels, tables, and the pictures drawn before."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from senard.algorithms.pictures import paint_classes, perceptual_ramp, pick_colours
from senard.io.figures import CLEAR_BAND, LEVEL_BAND
from senard.io.map_sheet import GAP
from senard.io.pictures import jpeg_bytes, png_bytes, read_picture, read_reduced
from senard.io.product_folder import DATE_MAP, QUICKLOOK, REPORT, layer_index_files, mosaic_file
from senard.io.report import ReportPictures, write_report_file
from senard.io.sources_file import SOURCES_RASTER
from senard.model.arrays import UInt8Array
from senard.model.labels import LAYER_PROFILES
from senard.model.mosaic import MosaicFigures
from senard.model.picture import PictureFrame
from senard.steps.draw_pictures import FINEST_MAP_M, day_position, shown_bands, wanted_pixels

QUICKLOOK_PIXELS = 1200
"""Longer side of the quicklook inside the report, pixels: a page that can still be mailed."""

MAP_PIXELS = 640
"""Longer side of the small maps, pixels."""

LEVEL_COLOURS = np.array(
    [GAP, (44, 123, 96), (138, 190, 105), (232, 210, 96), (226, 139, 63), (168, 50, 62)], dtype=np.uint8
)
"""Colours of a gap and of the quality levels 1 to 5: green over yellow to red, no two of the same lightness."""


def write_report(figures: MosaicFigures, sources: Sequence[Path], folder: Path) -> Path:
    """Write report.html.

    Args:
        figures: request, scenes and tiles of the mosaic.
        sources: folders of the source maps, one per tile, in the order of the tiles.
        folder: the product folder with its pictures.

    Returns:
        The report.
    """
    tiles = [tile.tile for tile in figures.tiles]
    clear_map, level_map = _maps(figures, sources)
    clear_colours = _clear_colours(figures)
    days = list(figures.pixels_per_day)
    ramp = perceptual_ramp()
    pictures = ReportPictures(
        quicklook=jpeg_bytes(read_picture(folder / QUICKLOOK), longest=QUICKLOOK_PIXELS),
        true_colour=shown_bands(folder, tiles)[0] == 10,
        date_map=(folder / DATE_MAP).read_bytes(),
        clear_map=png_bytes(clear_map),
        level_map=png_bytes(level_map),
        day_colours={
            day: _hex(pick_colours(np.array(day_position(figures, day), dtype=np.float64), ramp)) for day in days
        },
        clear_colours={number: _hex(clear_colours[number]) for number in figures.clear_counts},
        level_colours={level: _hex(colour) for level, colour in enumerate(LEVEL_COLOURS)},
    )
    made = [gsd for gsd in (10, 20) if all((folder / mosaic_file(tile.index, gsd)).is_file() for tile in tiles)]
    layers = [
        layer for layer, held in LAYER_PROFILES.items() if (folder / layer_index_files(layer, held.gsd)[0]).is_file()
    ]
    return write_report_file(folder / REPORT, figures, pictures, made, layers)


def _maps(figures: MosaicFigures, sources: Sequence[Path]) -> tuple[UInt8Array, UInt8Array]:
    """The maps of clear observations and of quality levels, gaps grey."""
    tiles = [tile.tile for tile in figures.tiles]
    frame = PictureFrame.around(tiles, longest=MAP_PIXELS, finest_m=FINEST_MAP_M)
    files = [path / SOURCES_RASTER for path in sources]
    source, clear, level = read_reduced(files, tiles, frame, (1, CLEAR_BAND, LEVEL_BAND), average=False)
    shown = wanted_pixels(figures, frame) | (source > 0)
    levels = paint_classes(np.minimum(level, len(LEVEL_COLOURS) - 1), LEVEL_COLOURS, shown=shown)
    counts = paint_classes(clear, _clear_colours(figures), shown=shown)
    for painted in (levels, counts):
        painted[shown & (source == 0), :3] = GAP
    return counts, levels


def _clear_colours(figures: MosaicFigures) -> UInt8Array:
    """(65536, 3) uint8: colour of each number of clear observations; the ramp ends at the largest that occurs."""
    most = max(figures.clear_counts, default=1)
    return pick_colours(np.arange(65536) / max(1, most), perceptual_ramp())


def _hex(colour: UInt8Array) -> str:
    """A colour as #rrggbb."""
    red, green, blue = (int(value) for value in colour)
    return f"#{red:02x}{green:02x}{blue:02x}"
