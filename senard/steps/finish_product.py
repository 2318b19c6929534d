"""The last step of a mosaic: tables, pictures and report, then the checksums that mark the folder as whole."""

from pathlib import Path

from senard.io.figures import (
    count_clear,
    read_composite_figures,
    read_scene_rows,
    read_simulated,
    read_tile_figures,
)
from senard.io.product_folder import RUN, SCENES, TILES, expected_files, write_sums
from senard.io.tables import write_run, write_scenes, write_tiles
from senard.model.labels import LAYER_PROFILES
from senard.model.mosaic import MosaicFigures, MosaicParts
from senard.model.run import RunFigures
from senard.steps.deliver_levels import deliver_factors, deliver_levels, deliver_slopes
from senard.steps.draw_pictures import draw_pictures
from senard.steps.write_report import write_report

RESOLUTIONS = (10, 20)
"""Pixel sides of mosaic files, m: all that lie in the folder are listed, whichever call has made them."""


def finish_product(folder: Path, parts: MosaicParts, run: RunFigures) -> Path:
    """Describe the rasters of a product folder, and mark it as whole.

    Writes scenes.csv, tiles.geojson, quicklook.png, quicklook.pgw, acquisition_date.png, report.html, run.json,
    layers/LEVEL_<source>.tif, layers/NBAR_<source>.tif and layers/TOPO_<source>.tif beside what lies there, SHA256SUMS
    last. All but run.json depend on request, scenes and the folder's rasters alone.

    Args:
        folder: the product folder with mosaic files, VRTs, styles and QA layers.
        parts: request, query, tiles and where their figures lie.
        run: what run.json says of this run.

    Returns:
        The written SHA256SUMS.
    """
    figures = _figures(parts)
    write_scenes(folder / SCENES, figures.scenes)
    write_tiles(folder / TILES, figures, folder)
    draw_pictures(figures, parts.sources, folder)
    write_report(figures, parts.sources, folder)
    write_run(folder / RUN, figures, parts.result, run)
    changes = (
        *deliver_levels(parts.levels, folder),
        *deliver_factors(parts.factors, folder),
        *deliver_slopes(parts.slopes, folder),
    )
    return write_sums(folder, (*expected_files(parts.tiles, RESOLUTIONS, LAYER_PROFILES), *changes))


def _figures(parts: MosaicParts) -> MosaicFigures:
    """Everything that the files of this step say, read once."""
    tiles = tuple(read_tile_figures(tile, source) for tile, source in zip(parts.tiles, parts.sources, strict=True))
    scenes = read_scene_rows(parts, tiles)
    clear: dict[int, int] = {}
    for source in parts.sources:
        for number, pixels in count_clear(source).items():
            clear[number] = clear.get(number, 0) + pixels
    return MosaicFigures(
        product_id=parts.product_id,
        request=parts.request,
        scenes=scenes,
        tiles=tiles,
        composites=read_composite_figures(parts),
        clear_counts=dict(sorted(clear.items())),
        simulated=read_simulated(parts, scenes),
    )
