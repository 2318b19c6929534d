"""What the mosaic as a whole decides, once the sources of all its tiles are chosen."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from senard.errors import NoDataError
from senard.io.atomic import partial_file
from senard.io.sources_file import read_source_counts
from senard.model.request import Fill, MosaicRequest
from senard.model.scene import Sentinel2Scene


def settle_scenes(request: MosaicRequest, scenes: Sequence[Sentinel2Scene], sources: Sequence[Path], out: Path) -> Path:
    """Sum up what every scene supplies to the mosaic.

    Args:
        request: what was asked.
        scenes: every kept scene, in the order that numbers them from 1.
        sources: folder of each tile's source map.
        out: settled.json: {"aoi_pixels", "pixels", "scenes": [{"source", "product_id", "pixels", "clear_pixels"}]},
            the used scenes by source number.

    Returns:
        out.

    Raises:
        NoDataError: if no pixel of the mosaic has a source.
        IncompleteError: if a folder holds no source map.
    """
    pixels, clear_pixels, aoi_pixels = Counter[int](), Counter[int](), 0
    for folder in sources:
        counts = read_source_counts(folder)
        pixels.update(counts.pixels)
        clear_pixels.update(counts.clear_pixels)
        aoi_pixels += counts.aoi_pixels
    if not pixels.total():
        raise NoDataError(_nothing(request, len(scenes), len(sources), aoi_pixels))
    used = [
        {
            "source": source,
            "product_id": scenes[source - 1].product_id,
            "pixels": pixels[source],
            "clear_pixels": clear_pixels[source],
        }
        for source in sorted(pixels)
        if pixels[source]
    ]
    document = {"aoi_pixels": aoi_pixels, "pixels": pixels.total(), "scenes": used}
    with partial_file(out) as partial:
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return out


def _nothing(request: MosaicRequest, scenes: int, tiles: int, aoi_pixels: int) -> str:
    """Why there is no mosaic, and what to do."""
    looser = {Fill.STRICT: "--fill flag or all", Fill.FLAG: "--fill all"}.get(request.fill)
    advice = "Ask for a longer period" + (f", or take doubtful pixels with {looser}." if looser else ".")
    return (
        f"{request.name}: expected clear ground somewhere, found none in {aoi_pixels} pixels of 20 m on {tiles} tiles, "
        f"though {scenes} scenes from {request.first_day} to {request.last_day} were kept: where they overlap the area "
        f"they show clouds, shadow, snow or no data. {advice}"
    )
