"""Whole products at a fifth of the cost: a square of ground and sky is simulated and repeated over the MGRS tile.

What a mosaic reads of a product is there at its true size and with its true number of bits: bands at 10 m are encoded
once for the square, whose internal tiles then stand many times; all others are encoded whole. Images that nobody reads
here (true colour, water vapour, bands at other than their own pixel size) are flat and the same in all products.
"""

import shutil
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio

from bench.codestream import Codestream, repeat_tiles, take_apart
from senard.model.arrays import Int64Array
from senard.model.grid import Grid, Window
from senard.model.sentinel2 import JUDGE_BANDS, MOSAIC_BANDS
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.images import IMAGE_TILE_PX, PREVIEW_GSD, ImageKind, Scratch, image_kinds, preview_grid
from senard.simulation.pixels import Tally, write_masks, write_strip
from senard.simulation.safe_writer import assemble_safe, zip_safe
from senard.simulation.sensor import HIGHEST_DN, Strip, strips

SQUARE_PX = 3072
"""Side of the square, pixels of 10 m: whole internal tiles at 10 m, whole pixels at 20, 60 and 320 m."""

GRAIN_DN = 25.0
"""Deviation of grain that is added to bands at 10 m, DN: simulated ones have 7.4 bits per pixel, real ones 8 to 9."""

_LIKE = "like"
# Key of a flat image at 10 m, which lends its headers to those made of repeated tiles.

_FINE = tuple(f"{name}_10" for name in MOSAIC_BANDS[10])

_READ = (
    *(f"{name}_20" for name in MOSAIC_BANDS[20]),
    *(f"{name}_60" for name in (*JUDGE_BANDS, "B03", "AOT")),
    *("SCL_20", "CLDPRB_20", "SNWPRB_20", "SCL_60", "CLDPRB_60", "SNWPRB_60", "CLASSI", "PVI"),
)
"""Images of each product's own besides bands at 10 m."""

_ROWS = 1152
# Rows of 10 m of which masks are written together.


def write_common(acquisition: SimulatedAcquisition, folder: Path) -> None:
    """Encode what all products of one track and tile share: detector footprints, quality masks, and flat images.

    Args:
        acquisition: any of them.
        folder: an empty folder; gets KEY.jp2 for each.
    """
    own = {*_FINE, *_READ}
    kinds = {key: kind for key, kind in image_kinds(with_offset=True).items() if key not in own}
    kinds[_LIKE] = ImageKind(gsd=10, tile_px=IMAGE_TILE_PX[10])
    masks = {key: kind for key, kind in kinds.items() if key.startswith(("DETFOO", "QUALIT"))}
    with tempfile.TemporaryDirectory(dir=folder, prefix=".scratch-") as name:
        with Scratch(
            Path(name), {**masks, "CLASSI": image_kinds(with_offset=True)["CLASSI"]}, acquisition.grid
        ) as scratch:
            _draw_masks(acquisition, scratch)
            for key in masks:
                scratch.encode(key, folder / f"{key}.jp2")
        for key, kind in kinds.items():
            if key not in masks:
                _encode({key: kind}, acquisition.grid, Path(name), _flat(kind, acquisition.grid), folder / f"{key}.jp2")


def _draw_masks(acquisition: SimulatedAcquisition, scratch: Scratch) -> None:
    """Detector footprints and quality masks where every pixel holds data."""
    size = acquisition.size_px
    for first in range(0, size, _ROWS):
        window = Window(row_start=first, row_stop=min(first + _ROWS, size), col_start=0, col_stop=size)
        blank = np.broadcast_to(np.float32(0), (12, window.height, window.width))
        none = np.zeros((window.height // 2, window.width // 2), dtype=np.uint8)
        strip = Strip(
            window=window,
            fine=blank[:4],
            coarse=blank[:, ::2, ::2],
            truth=none[np.newaxis].astype(np.uint16),
            sky=none,
            aerosol=blank[0, ::2, ::2],
            cover=none,
            hints=blank[:3, ::2, ::2],
        )
        write_masks(acquisition, strip, np.zeros((3, window.height // 6, window.width // 6), dtype=np.uint8), scratch)


def _flat(kind: ImageKind, grid: Grid) -> npt.NDArray[Any]:
    """(band, y, x) of one value."""
    here = grid.at(kind.gsd)
    return np.full((kind.bands, *here.shape), 100, dtype=kind.dtype)


def _encode(kinds: dict[str, ImageKind], grid: Grid, scratch: Path, values: npt.NDArray[Any], out: Path) -> None:
    """Encode one image of a grid of 10 m."""
    (key,) = kinds
    with Scratch(scratch, kinds, grid) as images:
        images.write(key, values, first_row=0)
        images.encode(key, out)


def write_repeated(acquisition: SimulatedAcquisition, common: Path, folder: Path) -> Path:
    """Make one zipped product of a whole MGRS tile.

    Args:
        acquisition: which product: a baseline with offset, larger than the square.
        common: as `write_common` filled it.
        folder: where it is made.

    Returns:
        folder/NAME.zip.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".scratch-") as name:
        scratch = Path(name)
        kinds = image_kinds(with_offset=True)
        square = replace(acquisition, size_px=SQUARE_PX)
        tally = Tally()
        (scratch / "square").mkdir()
        with Scratch(scratch / "square", kinds, square.grid) as images:
            for strip in strips(square):
                write_strip(square, strip, images, tally)
        repeated = _Repeated(grid=acquisition.grid, kinds=kinds, scratch=scratch, common=common)
        safe = assemble_safe(acquisition, folder, repeated, tally)
    return zip_safe(safe)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Repeated:
    """Images of one product, encoded when they are asked for."""

    grid: Grid
    kinds: dict[str, ImageKind]
    scratch: Path
    """Holds square/KEY.tif."""
    common: Path
    """Holds KEY.jp2 of what is shared."""

    def encode(self, key: str, out: Path) -> None:
        """Write one image as JPEG 2000."""
        out.parent.mkdir(parents=True, exist_ok=True)
        if key in _FINE:
            self._repeat_tiles(key, out)
        elif key in _READ:
            kind = self.kinds[key]
            side = (preview_grid(self.grid) if kind.gsd == PREVIEW_GSD else self.grid.at(kind.gsd)).width
            places = np.arange(side) % (SQUARE_PX * 10 // kind.gsd)
            _encode({key: kind}, self.grid, self.scratch, self._square(key, places), out)
        else:
            shutil.copyfile(self.common / f"{key}.jp2", out)

    def _square(self, key: str, places: Int64Array) -> npt.NDArray[Any]:
        """(band, y, x) of the square at these rows and columns."""
        path = self.scratch / f"square/{key}.tif"
        with rasterio.open(path) as dataset:
            values: npt.NDArray[Any] = dataset.read()
        path.unlink()
        return np.ascontiguousarray(values[:, places][:, :, places])

    def _repeat_tiles(self, key: str, out: Path) -> None:
        """Encode the square and the narrower tiles at its far edges, and let them stand in all places."""
        tile = IMAGE_TILE_PX[10]
        whole, rest = divmod(self.grid.width, tile)
        period = SQUARE_PX // tile
        last = whole % period * tile
        places = np.concatenate([np.arange(SQUARE_PX), np.arange(last, last + rest)])
        small = replace(self.grid, width=places.size, height=places.size)
        encoded = self.scratch / f"{key}.jp2"
        grained = _grained(self._square(key, places), seed=zlib.crc32(out.name.encode()))
        _encode({key: self.kinds[key]}, small, self.scratch, grained, encoded)
        numbers = tile_numbers(whole + 1, period)
        repeat_tiles(_read(encoded), _read(self.common / f"{_LIKE}.jp2"), numbers, out)
        encoded.unlink()


def _grained(dn: npt.NDArray[Any], *, seed: int) -> npt.NDArray[Any]:
    """Add grain to a band of 10 m, (band, y, x) uint16, DN, in which no pixel is nodata."""
    grain = np.random.default_rng(seed).normal(scale=GRAIN_DN, size=dn.shape)
    return np.clip(np.rint(dn + grain), 1, HIGHEST_DN).astype(np.uint16)


def tile_numbers(tiles: int, period: int) -> Sequence[int]:
    """Which tile of the small image stands at each place of the large one, row by row.

    Args:
        tiles: tiles along one side of the large image, the last one narrower.
        period: whole tiles along one side of the small one, which a narrower one follows.
    """
    line = [place % period for place in range(tiles - 1)] + [period]
    return [row * (period + 1) + col for row in line for col in line]


def _read(path: Path) -> Codestream:
    return take_apart(path.read_bytes())
