"""Decode what one scene must supply to one band of a tile, and resample it into the tile."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from senard.algorithms.nadir import NADIR
from senard.algorithms.radiometry import Harmonisation
from senard.algorithms.slopes import SLOPE
from senard.algorithms.warp import (
    Correspondence,
    Missing,
    Wins,
    locate,
    mend,
    missing_pixels,
    needed_squares,
    squares_around,
    warp,
    wins_of,
)
from senard.errors import UnusableSceneError
from senard.io.jp2 import TiledImage
from senard.io.safe import image_path, read_product
from senard.io.scenes_file import read_verdict
from senard.io.shared_tiles import Others, SharedTiles
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.grid import Grid
from senard.model.product import Sentinel2Product
from senard.model.scene import Sentinel2Scene
from senard.steps.changes import Change, Nadir, SceneChanges, Slopes
from senard.steps.sharing import Sharing
from senard.steps.source_classes import MARKS, OBLIQUE, SLOPING, mark_oblique, mark_sloping

SOURCE_GSD = 20
"""Pixel side of the source map, m."""

MEND_RADII = (8, 64, 512)
"""How far a pixel without data looks for a valid one, px; only the squares within reach are decoded."""

MEND_LIMIT = 10_000
"""More pixels than this, and more than half of what a scene supplies, without data: the band contradicts the mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Pixels of one scene that are treated alike."""

    wins: Wins
    to_nadir: bool
    """Whether they are brought to the view from straight above."""
    to_level: bool = False
    """Whether they are brought to the light of level ground."""
    second: bool = False
    """Whether the scene is the second of these pixels, which they may be mixed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """One scene that wins pixels of the tile, or is the second of some."""

    number: int
    """Its number."""
    shares: tuple[Share, ...]
    """Its pixels by how they are treated."""
    product: Sentinel2Product
    where: Correspondence
    changes: SceneChanges
    needed: dict[tuple[int, int], BoolArray] = field(default_factory=dict)
    """Shape of a square to the needed ones: the bands of one pixel size share it."""
    shared: dict[tuple[int, int, int, int], Others] = field(default_factory=dict)
    """Shapes of an internal tile and of a square to what other tiles of the mosaic need."""

    @property
    def pixels(self) -> int:
        """Number of 20 m pixels that it supplies."""
        return sum(share.wins.pixels for share in self.shares if not share.second)


@dataclass(slots=True, kw_only=True)
class Canvas:
    """What is being filled."""

    grid: Grid
    bits: UInt8Array
    """(y, x) uint8 at 20 m, CLIPPED and MENDED, all bands together."""
    pixels: UInt16Array
    """(y, x) uint16, delivered DN of the band in work."""
    seconds: UInt16Array | None = None
    """(y, x) uint16 at 20 m, second source of each pixel, 0 is none; None where nothing is mixed."""
    second: UInt16Array = field(default_factory=lambda: np.zeros((0, 0), dtype=np.uint16))
    """(y, x) uint16, delivered DN of the band in work as the second of each pixel shows it."""
    sharing: Sharing | None = None
    """What the tile has in common with others; None decodes everything anew."""
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
    """(square row, square column), which squares are decoded."""
    harmonisation: Harmonisation


def open_suppliers(
    sources: UInt16Array,
    scenes: Sequence[Sentinel2Scene],
    safes: Mapping[int, Path],
    canvas: Canvas,
    levels: Path | None,
    nadir: Nadir | None = None,
    slopes: Slopes | None = None,
) -> list[Supplier]:
    """Open the products of all sources that supply pixels of a tile.

    Args:
        sources: (y, x) uint16, source map of the tile at 20 m; 0 is none.
        scenes: all scenes that the query kept, in order.
        safes: source number to folder safe/<product_id>/<part>.
        canvas: what will be filled, and which pixels have a second; its bits get NADIR where pixels are brought to the
            view from straight above, SLOPE where they are brought to the light of level ground.
        levels: folder of the corrections that `level_scenes` found; None adds nothing.
        nadir: None leaves every view as it is.
        slopes: None leaves every slope as it is.

    Raises:
        UnusableSceneError: one cannot be read; carries its product_id, and starts with it.
    """
    shares: dict[int, list[Share]] = {}
    for second, numbers in ((False, sources), (True, canvas.seconds)):
        if numbers is not None:
            marked = _marked(numbers, canvas.grid.at(SOURCE_GSD), nadir, slopes)
            if not second:
                canvas.bits[_has(marked, OBLIQUE, nadir)] |= NADIR
                canvas.bits[_has(marked, SLOPING, slopes)] |= SLOPE
            for wins in wins_of(marked):
                to_nadir = nadir is not None and not wins.number & OBLIQUE
                to_level = slopes is not None and not wins.number & SLOPING
                share = Share(wins=wins, to_nadir=to_nadir, to_level=to_level, second=second)
                shares.setdefault(wins.number & ~MARKS, []).append(share)
    return [
        _open_supplier(number, shares[number], scenes, safes, canvas.grid, levels, nadir, slopes)
        for number in sorted(shares)
    ]


def _marked(numbers: UInt16Array, grid: Grid, nadir: Nadir | None, slopes: Slopes | None) -> UInt16Array:
    """Source numbers with the marks of what stays as it is."""
    marked = numbers if nadir is None else mark_oblique(numbers, grid, nadir.masks)
    return marked if slopes is None else marked | mark_sloping(numbers, grid, slopes.masks, slopes.folder)


def _has(marked: UInt16Array, mark: int, asked: Nadir | Slopes | None) -> BoolArray:
    """Pixels that are treated, of those that a mark excepts some from."""
    treated: BoolArray = (marked > 0) & ((marked & mark) == 0)
    return treated if asked is not None else np.zeros_like(treated)


def _open_supplier(
    number: int,
    shares: Sequence[Share],
    scenes: Sequence[Sentinel2Scene],
    safes: Mapping[int, Path],
    grid: Grid,
    levels: Path | None,
    nadir: Nadir | None,
    slopes: Slopes | None,
) -> Supplier:
    """Open the product of one source, and read what its numbers are corrected by."""
    with _blamed(scenes[number - 1].product_id):
        product = read_supplier(safes[number])
        changes = SceneChanges.read(number, grid, levels, nadir, slopes)
    return Supplier(
        number=number,
        shares=tuple(shares),
        product=product,
        where=locate(grid, product.grids[grid.gsd]),
        changes=changes,
    )


@contextmanager
def _blamed(product_id: str) -> Iterator[None]:
    """Whatever is unusable meanwhile is this product's fault."""
    try:
        yield
    except UnusableSceneError as error:
        reason = str(error).removeprefix(f"{product_id}: ")
        raise UnusableSceneError(f"{product_id}: {reason}", product_id=product_id) from error


def read_supplier(folder: Path) -> Sentinel2Product:
    """The one SAFE of a folder.

    Raises:
        UnusableSceneError: there is none, or it cannot be read.
    """
    reason = read_verdict(folder)
    found = sorted(path for path in folder.iterdir() if path.suffix.upper() == ".SAFE")
    if reason is None and len(found) != 1:
        reason = f"expected one folder NAME.SAFE in {folder}, found {len(found)}. Delete {folder} and run again."
    if reason is not None:
        raise UnusableSceneError(reason)
    return read_product(found[0])


def compose(band: str, canvas: Canvas, suppliers: Sequence[Supplier], threads: int) -> UInt16Array:
    """Fill one band of the tile.

    Args:
        band: its name.
        canvas: its bits and figures are added to; what the seconds show is left in it.
        suppliers: who supplies which pixels.
        threads: internal tiles decoded at the same time.

    Returns:
        (y, x) uint16, delivered DN; 0 where nobody supplies the pixel.

    Raises:
        UnusableSceneError: a supplier cannot be read; carries its product_id, and starts with it.
    """
    canvas.pixels = np.zeros(canvas.grid.shape, dtype=np.uint16)
    if canvas.seconds is not None:
        canvas.second = np.zeros(canvas.grid.shape, dtype=np.uint16)
    for supplier in suppliers:
        with _blamed(supplier.product.scene.product_id):
            _supply(band, canvas, supplier, threads)
    return canvas.pixels


def _supply(band: str, canvas: Canvas, supplier: Supplier, threads: int) -> None:
    """Decode what one scene must supply to one band, and resample it into the tile."""
    loaded = _load(band, canvas, supplier, threads)
    left: list[tuple[Share, Change, int]] = []
    for share in supplier.shares:
        change = supplier.changes.of_band(band, to_nadir=share.to_nadir, to_level=share.to_level)
        if share.second:  # what it lacks, or clips, is not mixed with or is seen by the first
            nowhere = np.zeros_like(canvas.bits)
            warp(loaded.dn, supplier.where, share.wins, loaded.harmonisation, canvas.second, nowhere, *change)
            continue
        counts = warp(loaded.dn, supplier.where, share.wins, loaded.harmonisation, canvas.pixels, canvas.bits, *change)
        canvas.figures["clipped_low"] += counts.clipped_low
        canvas.figures["clipped_high"] += counts.clipped_high
        left.append((share, change, counts.missing))
    missing = sum(count for _, _, count in left)
    if missing > max(MEND_LIMIT, supplier.pixels * canvas.factor**2 // 2):
        raise _contradiction(band, missing)
    for share, change, count in left:
        if count:
            holes = missing_pixels(supplier.where, share.wins, canvas.pixels, count)
            beyond = _mend(loaded, canvas, holes, change)
            if beyond:
                raise _contradiction(band, beyond)
    canvas.figures["mended"] += missing
    canvas.figures["jp2_tiles_decoded"] += loaded.image.decoded


def _load(band: str, canvas: Canvas, supplier: Supplier, threads: int) -> _Loaded:
    """Decode the squares that a scene's winning pixels touch."""
    product, where = supplier.product, supplier.where
    image = TiledImage(image_path(product, f"{band}_{canvas.grid.gsd}"), threads=threads)
    if image.shape != where.shape or image.dtype != np.uint16:
        raise UnusableSceneError(
            f"{band}: expected {where.shape} pixels of uint16 by the granule's XML, found {image.shape} of "
            f"{image.dtype}. The product is damaged: fetch it again and run with --rebuild."
        )
    square = image.square_shape
    if square not in supplier.needed:
        asked = [needed_squares(where, share.wins, canvas.factor, square) for share in supplier.shares]
        supplier.needed[square] = np.logical_or.reduce(asked)
    decoded = supplier.needed[square].copy()
    dn = np.zeros(image.shape, dtype=np.uint16)  # pages are taken from the system only where tiles are decoded
    if canvas.sharing is None:
        image.read_squares(decoded, dn)
    else:
        SharedTiles(canvas.sharing.folder, image).read(decoded, _others(canvas.sharing, supplier, image), dn)
    harmonisation = Harmonisation(add_offset=product.add_offset.get(band, 0), quantification=product.quantification)
    return _Loaded(image=image, dn=dn, decoded=decoded, harmonisation=harmonisation)


def _others(sharing: Sharing, supplier: Supplier, image: TiledImage) -> Others:
    """What other tiles of the mosaic need of an image; bands of one pixel size share it."""
    shapes = *image.block_shape, *image.square_shape
    if shapes not in supplier.shared:
        source = next(grid for grid in supplier.product.grids.values() if grid.shape == image.shape)
        supplier.shared[shapes] = sharing.needed_by_others(supplier.number, source, supplier.where, image)
    return supplier.shared[shapes]


def _mend(loaded: _Loaded, canvas: Canvas, missing: Missing, change: Change) -> int:
    """Give pixels that met DN 0 the nearest valid pixel of the scene; returns how many have none in reach."""
    for radius in MEND_RADII:
        near = squares_around(missing, radius, loaded.image.shape, loaded.image.square_shape)
        loaded.image.read_squares(near & ~loaded.decoded, loaded.dn)
        loaded.decoded[near] = True
        missing = mend(loaded.dn, missing, radius, loaded.harmonisation, canvas.pixels, canvas.bits, *change)
        if missing.rows.size == 0:
            break
    return missing.rows.size


def _contradiction(band: str, pixels: int) -> UnusableSceneError:
    """The band holds no data where the scene was judged valid."""
    return UnusableSceneError(
        f"{band} has no data in {pixels} of the pixels that its mask calls valid, too many to mend from those around. "
        f"The image is damaged: fetch the product again and run with --rebuild."
    )
