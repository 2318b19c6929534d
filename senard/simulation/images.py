"""JPEG 2000 files as in real products, made from strips by way of scratch files, so that memory stays bounded."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.windows import Window as RasterWindow

from senard.model.grid import Grid
from senard.model.sentinel2 import BANDS

LEVEL_1C_BANDS = tuple(BANDS)
"""Bands of L1C, each at its own gsd: all thirteen, B10 too."""

PREVIEW_GSD = 320
"""Pixel side of the preview, m."""

IMAGE_TILE_PX = {10: 1024, 20: 640, 60: 192, PREVIEW_GSD: 343}
"""Internal tile of images, pixels by gsd; the preview is one tile."""

MASK_TILE_PX = {10: 1024, 20: 2048, 60: 256}
"""Internal tile of the raster masks DETFOO, QUALIT and CLASSI, pixels by gsd."""

_RESOLUTIONS = 5
# Real images hold five resolutions: full, 1/2, 1/4, 1/8, 1/16.


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageKind:
    """How one image of a product is stored."""

    gsd: int
    """Pixel side, m: 10, 20, 60; 320 for the preview."""

    bands: int = 1
    """Number of bands: 1, for pictures 3, for QUALIT 8."""

    dtype: str = "uint16"
    """"uint16" or "uint8"."""

    tile_px: int = 1024
    """Side of the internal tiles, pixels."""


class Scratch:
    """Plain GeoTIFFs that grow strip by strip and become JPEG 2000 files in the end."""

    def __init__(self, folder: Path, kinds: Mapping[str, ImageKind], grid: Grid) -> None:
        """Open one file for each image.

        Args:
            folder: an empty folder for the scratch files.
            kinds: image key to how it is stored.
            grid: the product's 10 m grid.
        """
        self._folder = folder
        self._kinds = kinds
        self._stack = contextlib.ExitStack()
        self._files = {key: self._stack.enter_context(self._create(key, kind, grid)) for key, kind in kinds.items()}

    def _create(self, key: str, kind: ImageKind, grid: Grid) -> Any:
        here = preview_grid(grid) if kind.gsd == PREVIEW_GSD else grid.at(kind.gsd)
        return rasterio.open(
            self._folder / f"{key}.tif",
            "w",
            driver="GTiff",
            width=here.width,
            height=here.height,
            count=kind.bands,
            dtype=kind.dtype,
            crs=here.crs,
            transform=Affine.from_gdal(*here.geotransform),
            interleave="band",
        )

    def __contains__(self, key: str) -> bool:
        """Whether the product has this image."""
        return key in self._kinds

    def write(self, key: str, values: npt.NDArray[Any], *, first_row: int) -> None:
        """Write rows of one image.

        Args:
            key: which image.
            values: (y, x) or (band, y, x) of the image's type.
            first_row: row of the image where they begin.
        """
        bands = values if values.ndim == 3 else values[np.newaxis]
        window = RasterWindow(0, first_row, bands.shape[2], bands.shape[1])
        self._files[key].write(bands, window=window)

    def encode(self, key: str, out: Path) -> None:
        """Turn one finished image into JPEG 2000: lossless 5/3, RPCL, code blocks of 64 pixels.

        Args:
            key: which image.
            out: file to make.
        """
        kind = self._kinds[key]
        self._files[key].close()
        out.parent.mkdir(parents=True, exist_ok=True)
        source = self._folder / f"{key}.tif"
        options = {"NBITS": "15"} if kind.dtype == "uint16" else {}
        if kind.gsd != PREVIEW_GSD:
            side = min(self._files[key].width, kind.tile_px)
            options["RESOLUTIONS"] = str(min(_RESOLUTIONS, side.bit_length() - 1))
        with rasterio.Env(GDAL_PAM_ENABLED=False):  # no .aux.xml beside the file
            rasterio.shutil.copy(
                source,
                out,
                driver="JP2OpenJPEG",
                QUALITY="100",
                REVERSIBLE="YES",
                YCBCR420="NO",
                PROGRESSION="RPCL",
                CODEBLOCK_WIDTH="64",
                CODEBLOCK_HEIGHT="64",
                BLOCKXSIZE=str(kind.tile_px),
                BLOCKYSIZE=str(kind.tile_px),
                **options,
            )
        source.unlink()

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def preview_grid(grid: Grid) -> Grid:
    """The preview's pixels of 320 m: 343 for a whole tile; at least one."""
    side = max(1, grid.width // 32)
    return Grid(crs=grid.crs, left=grid.left, top=grid.top, gsd=PREVIEW_GSD, width=side, height=side)


def image_kinds(*, with_offset: bool) -> dict[str, ImageKind]:
    """Every image of an L2A product, by key: "B04_10", "SCL_20", "TCI_60", "CLDPRB_20", "DETFOO_B04", "CLASSI", "PVI".

    Args:
        with_offset: True for baselines from 04.00 on: B01 at 20 m and masks as rasters.
    """
    kinds: dict[str, ImageKind] = {}
    for gsd, names in delivered_bands(with_offset=with_offset).items():
        tile_px = IMAGE_TILE_PX[gsd]
        for name in (*names, "AOT", "WVP"):
            kinds[f"{name}_{gsd}"] = ImageKind(gsd=gsd, tile_px=tile_px)
        kinds[f"TCI_{gsd}"] = ImageKind(gsd=gsd, bands=3, dtype="uint8", tile_px=tile_px)
        if gsd != 10:
            for name in ("SCL", "CLDPRB", "SNWPRB"):
                kinds[f"{name}_{gsd}"] = ImageKind(gsd=gsd, dtype="uint8", tile_px=tile_px)
    return kinds | _preview_and_masks(with_offset=with_offset)


def image_kinds_1c(*, with_offset: bool) -> dict[str, ImageKind]:
    """Every image of an L1C product, by key: "B04_10", "B10_60", "TCI_10", "DETFOO_10", "CLASSI", "PVI".

    Args:
        with_offset: True for baselines from 04.00 on: masks as rasters.
    """
    kinds = {
        f"{name}_{BANDS[name].gsd}": ImageKind(gsd=BANDS[name].gsd, tile_px=IMAGE_TILE_PX[BANDS[name].gsd])
        for name in LEVEL_1C_BANDS
    }
    kinds["TCI_10"] = ImageKind(gsd=10, bands=3, dtype="uint8", tile_px=IMAGE_TILE_PX[10])
    return kinds | _preview_and_masks(with_offset=with_offset)


def _preview_and_masks(*, with_offset: bool) -> dict[str, ImageKind]:
    """What both levels hold."""
    kinds = {"PVI": ImageKind(gsd=PREVIEW_GSD, bands=3, dtype="uint8", tile_px=IMAGE_TILE_PX[PREVIEW_GSD])}
    if with_offset:
        kinds["CLASSI"] = ImageKind(gsd=60, bands=3, dtype="uint8", tile_px=MASK_TILE_PX[60])
        for gsd in (10, 20, 60):
            kinds[f"DETFOO_{gsd}"] = ImageKind(gsd=gsd, dtype="uint8", tile_px=MASK_TILE_PX[gsd])
            kinds[f"QUALIT_{gsd}"] = ImageKind(gsd=gsd, bands=8, dtype="uint8", tile_px=MASK_TILE_PX[gsd])
    return kinds


def delivered_bands(*, with_offset: bool) -> dict[int, tuple[str, ...]]:
    """Reflectance bands that L2A holds, by gsd in m.

    Args:
        with_offset: True for baselines from 04.00 on.
    """
    middle = ("B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12")
    coarse = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B11", "B12")
    return {10: ("B02", "B03", "B04", "B08"), 20: ("B01", *middle) if with_offset else middle, 60: coarse}
