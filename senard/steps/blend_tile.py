"""Read all observations that take part in one tile, and make of them what a method asks for.

Overflight by overflight and band by band the observations go, resampled and levelled as they would be delivered, to a
stack of rasters in the work folder; block by block the stack becomes one spectrum per pixel. So every internal tile of
JPEG 2000 is decoded once per band, and memory holds one band of the tile and of a product, however many there are.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from senard.algorithms.blending import delivered_dn, geomedians, nearest, quantiles
from senard.algorithms.participants import flags_of, level_of
from senard.io.atomic import listed_directory
from senard.io.blend_folder import BLEND_FLAGS, BLEND_SPECTRA, BlendFigures, write_blend_figures
from senard.io.geotiff import BLOCK, Raster, ScratchReader, ScratchWriter, read_scratch, write_scratch
from senard.io.sources_file import (
    SOURCES_RASTER,
    participant_files,
    read_source_counts,
    write_source_counts,
)
from senard.model.arrays import Float64Array, Int16Array, UInt16Array
from senard.model.grid import Tile, Window
from senard.model.labels import MOSAIC_PROFILES
from senard.model.request import Method, MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.model.sources import CLEAR_LEVELS, FLAG_BLENDED, SOURCE_BANDS
from senard.steps.changes import Nadir, Slopes
from senard.steps.select_sources import count
from senard.steps.supply_band import SOURCE_GSD, Canvas, compose, open_suppliers

MANY = 40
"""With more overflights than this in a tile, blocks of half the side are blended at once: 512 px take 126 MB for 40."""

READING_SHARE = 0.8
"""Share of the time that reading takes, for the display."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blend:
    """What one tile is made of."""

    request: MosaicRequest
    scenes: Sequence[Sentinel2Scene]
    sources: Path
    """Folder of the participants."""
    tile: Tile
    gsd: int
    participants: tuple[Path, ...]
    """Their rasters, by overflight."""
    stack: Path
    """Folder of what they show: one raster per overflight, under the same names."""
    levels: Path | None
    nadir: Nadir | None
    slopes: Slopes | None

    @property
    def bands(self) -> tuple[str, ...]:
        """Delivered bands of this resolution."""
        return tuple(MOSAIC_BANDS[self.gsd])


def blend_tile(
    request: MosaicRequest,
    scenes: Sequence[Sentinel2Scene],
    safes: Mapping[int, Path],
    sources: Path,
    tile: Tile,
    gsd: int,
    out: Path,
    *,
    levels: Path | None = None,
    nadir: Nadir | None = None,
    slopes: Slopes | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Make one spectrum of all participants of every pixel, at one resolution; or find the one nearest to the median.

    A pixel of 10 m has the participants of the 20 m pixel around it. A pixel's spectrum depends on its participants
    alone. Disk: the folder holds the stack while it is made, at most 2 bytes per overflight, band and pixel.

    Args:
        request: a method that reads all participants.
        scenes: all scenes that the query kept, in order.
        safes: source number to folder safe/<product_id>/<part>, for every scene that takes part.
        sources: folder of the tile's participants.
        tile: the tile.
        gsd: pixel side, m: 10 or 20.
        out: folder. Of a statistic it gets spectra.tif, the bands of the mosaic's file, and the by-products flags.tif
            and figures.json; at 20 m also sources_20.tif and sources.json, which name the participant nearest to the
            spectrum in the bands of 20 m, its level and its flags. Of a medoid these two alone.
        levels: folder of the corrections that `level_scenes` found; None adds nothing.
        nadir: how observations are brought to the view from straight above; None leaves every view as it is.
        slopes: how they are brought to the light of level ground; None leaves every slope as it is.
        slopes: how pixels are brought to the light of level ground; None leaves every slope as it is.
        threads: internal tiles decoded at the same time.
        progress: called with the share done, 0-1.

    Returns:
        out.

    Raises:
        UnusableSceneError: a product cannot be read; carries its product_id, and starts with it.
    """
    tell = progress or (lambda _: None)
    with listed_directory(out) as folder:
        stack = folder / "stack"
        stack.mkdir()
        blend = _Blend(
            request=request,
            scenes=scenes,
            sources=sources,
            tile=tile,
            gsd=gsd,
            participants=tuple(participant_files(sources)),
            stack=stack,
            levels=levels,
            nadir=nadir,
            slopes=slopes,
        )
        canvas = Canvas(
            grid=tile.grid(gsd), bits=np.zeros(tile.grid(SOURCE_GSD).shape, dtype=np.uint8), pixels=_nothing()
        )
        simulated = False
        for number, path in enumerate(blend.participants, 1):
            simulated |= _read(blend, path, canvas, safes, threads)
            tell(READING_SHARE * number / len(blend.participants))
        canvas.pixels = _nothing()
        _reduce(blend, folder)
        if request.method.blends:
            write_scratch(folder / BLEND_FLAGS, tile.grid(SOURCE_GSD), {"flags": canvas.bits})
            write_blend_figures(folder, BlendFigures(simulated=simulated, counts=canvas.figures))
        shutil.rmtree(stack)
    tell(1.0)
    return out


def _nothing() -> UInt16Array:
    return np.zeros((0, 0), dtype=np.uint16)


def _read(blend: _Blend, path: Path, canvas: Canvas, safes: Mapping[int, Path], threads: int) -> bool:
    """Bring all bands of one overflight into the stack; tells whether one of its scenes was simulated."""
    source_map: UInt16Array = read_scratch(path, bands="source", part_of=blend.sources)
    suppliers = open_suppliers(source_map, blend.scenes, safes, canvas, blend.levels, blend.nadir, blend.slopes)
    with ScratchWriter(blend.stack / path.name, canvas.grid, blend.bands, np.uint16, nodata=0) as writer:
        for band in blend.bands:
            pixels = compose(band, canvas, suppliers, threads)
            for window in canvas.grid.blocks(BLOCK):
                if pixels[window.slices].any():
                    writer.write(window, {band: pixels[window.slices]})
    return any(supplier.product.simulated for supplier in suppliers)


def _reduce(blend: _Blend, folder: Path) -> None:
    """Turn the stack into what is asked for, block by block."""
    grid, names_sources = blend.tile.grid(blend.gsd), blend.gsd == SOURCE_GSD
    side = BLOCK if len(blend.participants) <= MANY else BLOCK // 2
    named = _Named(blend)
    with ExitStack() as opened:
        readers = [opened.enter_context(ScratchReader(blend.stack / path.name)) for path in blend.participants]
        spectra = sources = None
        if blend.request.method.blends:
            names = MOSAIC_PROFILES[blend.gsd].names
            spectra = opened.enter_context(ScratchWriter(folder / BLEND_SPECTRA, grid, names, np.uint16, nodata=0))
        if names_sources:
            sources = opened.enter_context(
                ScratchWriter(folder / SOURCES_RASTER, grid, SOURCE_BANDS, np.uint16, nodata=0)
            )
        for window in grid.blocks(side):
            stack = np.stack([reader.read(window) for reader in readers]) if readers else _empty(blend, window)
            wanted = _statistic(stack, blend.request.method)
            delivered = delivered_dn(wanted)
            bands = dict(zip(blend.bands, delivered, strict=True))
            if sources is not None:
                exact = delivered.astype(np.float64) if blend.request.method.blends else wanted
                layers = named.layers(window, nearest(stack, exact), (stack[:, 0] > 0).sum(axis=0))
                sources.write(window, layers)
                bands |= named.dates(layers["source"])
            if spectra is not None:
                spectra.write(window, bands)
    if names_sources:
        named.write_counts(folder)


def _empty(blend: _Blend, window: Window) -> UInt16Array:
    return np.zeros((0, len(blend.bands), window.height, window.width), dtype=np.uint16)


def _statistic(stack: UInt16Array, method: Method) -> Float64Array:
    """The spectrum that a method delivers, or, for a medoid, compares with."""
    if method is Method.GEOMEDIAN:
        return geomedians(stack)
    return quantiles(stack, 0.25 if method is Method.PERCENTILE25 else 0.5)


class _Named:
    """The observation that stands for each pixel: its layers, its dates, and what is counted of it."""

    def __init__(self, blend: _Blend) -> None:
        self._blend = blend
        self._pixels, self._clear_pixels, self._levels = (Counter[int]() for _ in range(3))
        times = [scene.acquisition_time.timetuple() for scene in blend.scenes]
        self._dates = {
            "year": np.array([0, *(time.tm_year for time in times)], dtype=np.uint16),
            "DOY": np.array([0, *(time.tm_yday for time in times)], dtype=np.uint16),
        }

    def dates(self, source: UInt16Array) -> dict[str, Raster]:
        """Year and day of year of the scenes, UTC."""
        return {name: numbers[source] for name, numbers in self._dates.items()}

    def layers(self, window: Window, place: Int16Array, number: Raster) -> dict[str, Raster]:
        """The source map of a window.

        Args:
            window: its pixels.
            place: (y, x) which participant stands for the pixel; -1 is none.
            number: (y, x) how many take part.
        """
        source, judgement = np.zeros(place.shape, dtype=np.uint16), np.zeros(place.shape, dtype=np.uint16)
        for index, path in enumerate(self._blend.participants):
            here = place == index
            if here.any():
                found = read_scratch(path, window, part_of=self._blend.sources)
                source[here], judgement[here] = found[0][here], found[1][here]
        level, flags = level_of(judgement), flags_of(judgement)
        if self._blend.request.method.blends:
            flags = np.where(number > 1, flags | np.uint16(FLAG_BLENDED), flags)
        clear = read_scratch(self._blend.sources / SOURCES_RASTER, window, "clear")
        self._pixels += count(source[source > 0])
        self._clear_pixels += count(source[np.isin(level, CLEAR_LEVELS)])
        self._levels += count(level[level > 0])
        return dict(zip(SOURCE_BANDS, (source, clear, level, flags, np.zeros_like(level)), strict=True))

    def write_counts(self, folder: Path) -> None:
        """Write sources.json; which pixels have a source at all is as before."""
        before = read_source_counts(self._blend.sources)
        empty = Counter({level: pixels for level, pixels in before.levels.items() if level == 0})
        counts = replace(before, pixels=self._pixels, clear_pixels=self._clear_pixels, levels=empty + self._levels)
        write_source_counts(folder, counts if self._blend.request.method.blends else replace(counts, taking_part={}))
