"""Decode what one scene must supply to one band of a tile, and resample it into the tile."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from senard.algorithms.levelling import NO_CORRECTION, Cells, Correction, Levels, band_correction, cells_of
from senard.algorithms.radiometry import Harmonisation
from senard.algorithms.warp import (
    Correspondence,
    Missing,
    Wins,
    blocks_around,
    locate,
    mend,
    missing_pixels,
    needed_blocks,
    warp,
)
from senard.errors import UnusableSceneError
from senard.io.jp2 import TiledImage
from senard.io.levels_folder import read_levels
from senard.io.safe import image_path, read_product
from senard.io.scenes_file import read_verdict
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.product import Sentinel2Product
from senard.model.scene import Sentinel2Scene

SOURCE_GSD = 20
"""Pixel side of the source map, m."""

MEND_RADII = (8, 64, 512)
"""How far a pixel without data looks for a valid one, px; only the internal tiles within reach are decoded."""

MEND_LIMIT = 10_000
"""More pixels than this, and more than half of what a scene supplies, without data: the band contradicts the mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """One scene that wins pixels of the tile."""

    wins: Wins
    product: Sentinel2Product
    where: Correspondence
    levels: Levels | None
    """Corrections on the cells around the tile; None for a scene without."""
    needed: dict[tuple[int, int], BoolArray] = field(default_factory=dict)
    """Shape of an internal tile to the needed ones: the bands of one pixel size share it."""


@dataclass(slots=True, kw_only=True)
class Canvas:
    """What is being filled."""

    grid: Grid
    bits: UInt8Array
    """(y, x) uint8 at 20 m, CLIPPED and MENDED, all bands together."""
    pixels: UInt16Array
    """(y, x) uint16, delivered DN of the band in work."""
    figures: Counter[str] = field(default_factory=Counter)
    """What the report says, output pixels summed over bands."""

    @property
    def factor(self) -> int:
        """Pixels per side of a pixel of the source map."""
        return SOURCE_GSD // self.grid.gsd


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """One band of one product, decoded where needed."""

    image: TiledImage
    dn: UInt16Array
    decoded: BoolArray
    harmonisation: Harmonisation
    correction: Correction


def open_supplier(
    wins: Wins, scenes: Sequence[Sentinel2Scene], safes: Mapping[int, Path], grid: Grid, levels: Path | None
) -> Supplier:
    """Open the product of a source that supplies pixels of a tile.

    Args:
        wins: the pixels that it supplies.
        scenes: all scenes that the query kept, in order.
        safes: source number to folder safe/<product_id>/<part>.
        grid: pixels of the tile at the resolution in work.
        levels: folder of the corrections that `level_scenes` found; None adds nothing.

    Raises:
        UnusableSceneError: it cannot be read; carries its product_id, and starts with it.
    """
    with _blamed(scenes[wins.number - 1].product_id):
        product = _product(safes[wins.number])
    layers = None if levels is None else read_levels(levels, wins.number, _cells(grid).grid(grid.crs))
    found_levels = None if layers is None else Levels.of(layers)
    return Supplier(wins=wins, product=product, where=locate(grid, product.grids[grid.gsd]), levels=found_levels)


@contextmanager
def _blamed(product_id: str) -> Iterator[None]:
    """Whatever is unusable meanwhile is this product's fault."""
    try:
        yield
    except UnusableSceneError as error:
        reason = str(error).removeprefix(f"{product_id}: ")
        raise UnusableSceneError(f"{product_id}: {reason}", product_id=product_id) from error


def _product(folder: Path) -> Sentinel2Product:
    """The one SAFE of a folder."""
    reason = read_verdict(folder)
    found = sorted(path for path in folder.iterdir() if path.suffix.upper() == ".SAFE")
    if reason is None and len(found) != 1:
        reason = f"expected one folder NAME.SAFE in {folder}, found {len(found)}. Delete {folder} and run again."
    if reason is not None:
        raise UnusableSceneError(reason)
    return read_product(found[0])


def _cells(grid: Grid) -> Cells:
    """Cells of corrections that the pixels of a tile lie between."""
    bounds = grid.bounds
    return cells_of(bounds.left, bounds.bottom, bounds.right, bounds.top, pad=1)


def compose(band: str, canvas: Canvas, suppliers: Sequence[Supplier], threads: int) -> UInt16Array:
    """Fill one band of the tile.

    Args:
        band: its name.
        canvas: its bits and figures are added to.
        suppliers: who supplies which pixels.
        threads: internal tiles decoded at the same time.

    Returns:
        (y, x) uint16, delivered DN; 0 where nobody supplies the pixel.

    Raises:
        UnusableSceneError: a supplier cannot be read; carries its product_id, and starts with it.
    """
    canvas.pixels = np.zeros(canvas.grid.shape, dtype=np.uint16)
    for supplier in suppliers:
        with _blamed(supplier.product.scene.product_id):
            _supply(band, canvas, supplier, threads)
    return canvas.pixels


def _supply(band: str, canvas: Canvas, supplier: Supplier, threads: int) -> None:
    """Decode what one scene must supply to one band, and resample it into the tile."""
    loaded = _load(band, canvas, supplier, threads)
    counts = warp(
        loaded.dn,
        supplier.where,
        supplier.wins,
        loaded.harmonisation,
        canvas.pixels,
        canvas.bits,
        loaded.correction,
    )
    if counts.missing:
        if counts.missing > max(MEND_LIMIT, supplier.wins.pixels * canvas.factor**2 // 2):
            raise _contradiction(band, counts.missing)
        left = _mend(loaded, canvas, missing_pixels(supplier.where, supplier.wins, canvas.pixels, counts.missing))
        if left:
            raise _contradiction(band, left)
    canvas.figures["clipped_low"] += counts.clipped_low
    canvas.figures["clipped_high"] += counts.clipped_high
    canvas.figures["mended"] += counts.missing
    canvas.figures["jp2_tiles_decoded"] += loaded.image.decoded


def _load(band: str, canvas: Canvas, supplier: Supplier, threads: int) -> _Loaded:
    """Decode the internal tiles that a scene's winning pixels touch."""
    product, where = supplier.product, supplier.where
    image = TiledImage(image_path(product, f"{band}_{canvas.grid.gsd}"), threads=threads)
    if image.shape != where.shape or image.dtype != np.uint16:
        raise UnusableSceneError(
            f"{band}: expected {where.shape} pixels of uint16 by the granule's XML, found {image.shape} of "
            f"{image.dtype}. The product is damaged: fetch it again and run with --rebuild."
        )
    if image.block_shape not in supplier.needed:
        supplier.needed[image.block_shape] = needed_blocks(where, supplier.wins, canvas.factor, image.block_shape)
    decoded = supplier.needed[image.block_shape].copy()
    dn = np.zeros(image.shape, dtype=np.uint16)  # pages are taken from the system only where tiles are decoded
    image.read_blocks(decoded, dn)
    harmonisation = Harmonisation(add_offset=product.add_offset.get(band, 0), quantification=product.quantification)
    correction = _correction(band, canvas.grid, supplier)
    return _Loaded(image=image, dn=dn, decoded=decoded, harmonisation=harmonisation, correction=correction)


def _correction(band: str, grid: Grid, supplier: Supplier) -> Correction:
    """What levels one band of one scene in the tile."""
    if supplier.levels is None:
        return NO_CORRECTION
    offset, gain = band_correction(supplier.levels, band)
    return Correction(offset=offset, gain=gain, cells=_cells(grid), output=grid)


def _mend(loaded: _Loaded, canvas: Canvas, missing: Missing) -> int:
    """Give pixels that met DN 0 the nearest valid pixel of the scene; returns how many have none in reach."""
    for radius in MEND_RADII:
        near = blocks_around(missing, radius, loaded.image.shape, loaded.image.block_shape)
        loaded.image.read_blocks(near & ~loaded.decoded, loaded.dn)
        loaded.decoded[near] = True
        missing = mend(loaded.dn, missing, radius, loaded.harmonisation, canvas.pixels, canvas.bits, loaded.correction)
        if missing.rows.size == 0:
            break
    return missing.rows.size


def _contradiction(band: str, pixels: int) -> UnusableSceneError:
    """The band holds no data where the scene was judged valid."""
    return UnusableSceneError(
        f"{band} has no data in {pixels} of the pixels that its mask calls valid, too many to mend from those around. "
        f"The image is damaged: fetch the product again and run with --rebuild."
    )
