"""Fill one tile of the mosaic from the scenes that its source map chose."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from senard.io.atomic import beside, partial_file
from senard.io.blend_folder import BLEND_FLAGS, BLEND_SPECTRA, read_blend_figures
from senard.io.geotiff import BLOCK, ScratchReader, ScratchWriter, read_scratch, write_cog, write_scratch
from senard.io.sources_file import SOURCES_RASTER, read_source_counts
from senard.model.arrays import UInt8Array, UInt16Array
from senard.model.grid import Tile
from senard.model.labels import DOY, MOSAIC_PROFILES, YEAR, ProductLabels
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.steps.changes import Nadir, Slopes
from senard.steps.feather_tile import feather_tile
from senard.steps.sharing import Sharing
from senard.steps.supply_band import SOURCE_GSD, Canvas, Supplier, compose, open_suppliers

COMPOSING_SHARE = 0.5
"""Share of the time that composing takes, decoding included; the rest is the delivered file: 48 and 63 of 111 CPU-s."""


def composite_tile(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    safes: Mapping[int, Path],
    sources: Path,
    tile: Tile,
    gsd: int,
    out: Path,
    flags: Path,
    *,
    levels: Path | None = None,
    nadir: Nadir | None = None,
    slopes: Slopes | None = None,
    sharing: Sharing | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Fill one tile at one resolution, band after band, scene after scene.

    Every internal JPEG 2000 tile is decoded at most once per band, and only if it holds a pixel that the resampling of
    a winning pixel touches. Memory: one band of the tile and of a product, two of the tile where borders are mixed,
    whatever the number of scenes.

    Args:
        request: what was asked.
        scenes: all scenes that the query kept, in order.
        safes: source number to folder safe/<product_id>/<part>, for every source that the map names.
        sources: folder of the tile's selection, holds sources_20.tif.
        tile: the tile.
        gsd: pixel side of the file, m: 10 or 20.
        out: the mosaic file, a Cloud Optimized GeoTIFF.
        flags: by-product for the QA layer, uint8 at 20 m, bits CLIPPED, MENDED, NADIR, SLOPE and FEATHERED;
            <i>_<gsd>.json beside it holds the figures. Both are written before `out`.
        levels: folder of the corrections that `level_scenes` found; None adds nothing.
        nadir: how pixels are brought to the view from straight above; None leaves every view as it is.
        slopes: how pixels are brought to the light of level ground; None leaves every slope as it is.
        sharing: what other tiles of the mosaic need too, and where decoded tiles lie; None decodes all anew.
        threads: internal tiles decoded at the same time.
        progress: called with the share done, 0-1, after every band and at the end.

    Returns:
        out.

    Raises:
        UnusableSceneError: a winning product cannot be read; carries its product_id, and starts with it.
    """
    grid = tile.grid(gsd)
    tell = progress or (lambda _: None)
    source_map: UInt16Array = read_scratch(sources / SOURCES_RASTER, bands="source")
    bits = np.zeros(source_map.shape, dtype=np.uint8)
    mixing = _mixing(request, sources)
    canvas = Canvas(grid=grid, bits=bits, pixels=np.zeros((0, 0), dtype=np.uint16), seconds=mixing, sharing=sharing)
    suppliers = open_suppliers(source_map, scenes, safes, canvas, levels, nadir, slopes)
    used = [scenes[supplier.number - 1] for supplier in suppliers]
    simulated = any(supplier.product.simulated for supplier in suppliers)
    tags = ProductLabels.of(request, scenes).tags(tile, f"{gsd} m", used, simulated=simulated)
    flags.parent.mkdir(parents=True, exist_ok=True)
    scratch = beside(flags)
    try:
        with ScratchWriter(scratch, grid, MOSAIC_PROFILES[gsd].names, np.uint16, nodata=0) as writer:
            if mixing is None:
                _write_bands(writer, None, canvas, suppliers, threads, tell)
            else:
                _write_mixed_bands(writer, flags, sources / SOURCES_RASTER, canvas, suppliers, threads, tell)
            if gsd == SOURCE_GSD:
                _write_dates(writer, source_map, scenes)
        _write_by_products(flags, tile, gsd, bits, canvas.figures, tags)
        write_cog(scratch, out, MOSAIC_PROFILES[gsd], tags)
        tell(1.0)
    finally:
        scratch.unlink(missing_ok=True)
    return out


def composite_blend(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    sources: Path,
    blend: Path,
    tile: Tile,
    gsd: int,
    out: Path,
    flags: Path,
) -> Path:
    """Deliver the spectra that `blend_tile` made of one tile at one resolution.

    Args:
        request: what was asked.
        scenes: all scenes that the query kept, in order.
        sources: folder whose sources.json names the scenes that the spectra are made of.
        blend: folder of the spectra.
        tile: the tile.
        gsd: pixel side of the file, m: 10 or 20.
        out: the mosaic file, a Cloud Optimized GeoTIFF.
        flags: by-product for the QA layer, as of `composite_tile`.

    Returns:
        out.
    """
    figures = read_blend_figures(blend)
    used = [scenes[number - 1] for number in read_source_counts(sources).suppliers]
    tags = ProductLabels.of(request, scenes).tags(tile, f"{gsd} m", used, simulated=figures.simulated)
    flags.parent.mkdir(parents=True, exist_ok=True)
    scratch = beside(flags)
    try:
        with ScratchReader(blend / BLEND_SPECTRA):  # says what to do if it is none
            shutil.copyfile(blend / BLEND_SPECTRA, scratch)  # labels are written into the copy
        _write_by_products(flags, tile, gsd, read_scratch(blend / BLEND_FLAGS, bands="flags"), figures.counts, tags)
        write_cog(scratch, out, MOSAIC_PROFILES[gsd], tags)
    finally:
        scratch.unlink(missing_ok=True)
    return out


def _mixing(request: MosaicRequest, sources: Path) -> UInt16Array | None:
    """The second source of every pixel, 0 is none; None where nothing is mixed."""
    if not request.feather_m:
        return None
    second: UInt16Array = read_scratch(sources / SOURCES_RASTER, bands="second")
    return second


def _write_mixed_bands(
    writer: ScratchWriter,
    near: Path,
    sources: Path,
    canvas: Canvas,
    suppliers: Sequence[Supplier],
    threads: int,
    tell: Callable[[float], None],
) -> None:
    """Compose every band of the pixels and of their seconds in files beside `near`, then mix them into the result."""
    unmixed, seconds = beside(near), beside(near)
    bands = MOSAIC_BANDS[canvas.grid.gsd]
    try:
        with (
            ScratchWriter(unmixed, canvas.grid, bands, np.uint16, nodata=0) as first,
            ScratchWriter(seconds, canvas.grid, bands, np.uint16, nodata=0) as second,
        ):
            _write_bands(first, second, canvas, suppliers, threads, tell)
        feather_tile(unmixed, seconds, sources, writer, canvas.bits)
    finally:
        unmixed.unlink(missing_ok=True)
        seconds.unlink(missing_ok=True)


def _write_bands(
    writer: ScratchWriter,
    second: ScratchWriter | None,
    canvas: Canvas,
    suppliers: Sequence[Supplier],
    threads: int,
    tell: Callable[[float], None],
) -> None:
    """Compose and write every band, and what the seconds of the pixels show in it."""
    bands = MOSAIC_BANDS[canvas.grid.gsd]
    for number, band in enumerate(bands, 1):
        _write_band(writer, band, compose(band, canvas, suppliers, threads))
        if second is not None:
            _write_band(second, band, canvas.second)
        tell(COMPOSING_SHARE * number / len(bands))


def _write_band(writer: ScratchWriter, band: str, pixels: UInt16Array) -> None:
    """Write one band, one internal tile at a time."""
    for window in writer.grid.blocks(BLOCK):
        writer.write(window, {band: pixels[window.slices]})


def _write_dates(writer: ScratchWriter, source_map: UInt16Array, scenes: Sequence[Sentinel2Scene]) -> None:
    """Write year and day of year of the scene that supplies each pixel, UTC."""
    times = [scene.acquisition_time.timetuple() for scene in scenes]
    years = np.array([0, *(time.tm_year for time in times)], dtype=np.uint16)
    days = np.array([0, *(time.tm_yday for time in times)], dtype=np.uint16)
    for window in writer.grid.blocks(BLOCK):
        block = source_map[window.slices]
        writer.write(window, {YEAR.name: years[block], DOY.name: days[block]})


def _write_by_products(
    flags: Path, tile: Tile, gsd: int, bits: UInt8Array, figures: Mapping[str, int], tags: Mapping[str, str]
) -> None:
    """Write what the QA layer and the report need: bits per 20 m pixel, and figures."""
    with partial_file(flags) as partial:
        write_scratch(partial, tile.grid(SOURCE_GSD), {"flags": bits})
    names = ("clipped_low", "clipped_high", "mended", "jp2_tiles_decoded")
    document = {**{name: figures.get(name, 0) for name in names}, "tags": dict(tags)}
    with partial_file(flags.with_name(f"{tile.index}_{gsd}.json")) as partial:
        partial.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
