"""S2Mosaic 1.1.0 on a window of local files, with its own readers, loops and statistics.

`python -m bench.peers.by_s2mosaic QUESTION.json first|median`

Replaced: its search (the Planetary Computer), by the files at hand; signing of addresses; its cloud detector, by the
product's own classification, read by its own reader; the side of a whole MGRS tile, 10980 in its code, by the window's;
the official grid of tiles, by the window's outline. Its median holds all dates of all bands in float64, 39 GB for this
window: it runs for two bands at a time.
"""

import importlib
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.peers.question import BANDS, CLOUDY, FINE, AskedProduct, Question, read_question
from bench.peers.result import write_bands
from bench.peers.stac_items import items_of

_TILE_PX = b"10980"

_MEDIAN_BANDS = 2
"""Bands whose median is computed together."""


class _Resized(importlib.machinery.SourceFileLoader):
    """A module of S2Mosaic, in which a tile has another side."""

    side_px = 0

    def get_code(self, fullname: str) -> types.CodeType:
        """Compile anew: what Python keeps is of the true side."""
        del fullname
        source = self.get_data(self.path).replace(_TILE_PX, str(self.side_px).encode())
        return self.source_to_code(source, self.path)


class _Finder:
    """Finds S2Mosaic's modules before Python does."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: object = None) -> Any:
        """Its spec, with the loader that resizes."""
        del target
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name.startswith("s2mosaic.") else None
        if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
            spec.loader = _Resized(name, spec.origin)
        return spec


def main(question: Question, method: str) -> None:
    """Make the mosaic of a question's window, and write it as one file.

    Args:
        question: which window.
        method: "first" or "median".
    """
    _Resized.side_px = question.size_px
    sys.meta_path.insert(0, _Finder)
    sys.modules["omnicloudmask"] = _no_detector()
    coordinator, core, reader, shapely = _modules(
        "s2mosaic.coordinator", "s2mosaic.mosaic_core", "s2mosaic.data_reader", "shapely"
    )
    items = items_of(_windows(question))
    coordinator.search_for_items = lambda **_: items
    coordinator.get_extent_from_grid_id = lambda _: shapely.Polygon(question.outline)
    core.get_masks = _masks
    reader.planetary_computer.sign = lambda href: href
    together = len(BANDS) if method == "first" else _MEDIAN_BANDS
    made = [_mosaic(coordinator, BANDS[first : first + together], method) for first in range(0, len(BANDS), together)]
    write_bands(question, 10, BANDS, np.concatenate(made).astype(np.uint16))


def _modules(*names: str) -> list[Any]:
    """They are there in the peers' environment alone."""
    return [importlib.import_module(name) for name in names]


def _mosaic(coordinator: Any, bands: Sequence[str], method: str) -> npt.NDArray[Any]:
    """Call it as its read-me does: `first` with its own threshold, `median` of all dates."""
    values: npt.NDArray[Any]
    values, _ = coordinator.mosaic(
        grid_id="31TCJ",
        start_year=2024,
        start_month=5,
        duration_months=3,
        required_bands=list(bands),
        mosaic_method=method,
        **({} if method == "first" else {"no_data_threshold": None}),
    )
    return values


def _masks(item: Any, **_: object) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """(clear, valid), each (y, x) at 10 m, from the classification: in the place of `get_masks`."""
    reader, masking = _modules("s2mosaic.data_reader", "s2mosaic.masking")
    classes, _ = reader.get_full_band(item.assets["SCL"].href, res=20)
    fine = [
        mask.repeat(2, axis=0).repeat(2, axis=1)
        for mask in (~np.isin(classes[0], CLOUDY), masking.get_valid_mask(classes))
    ]
    return fine[0], fine[1]


def _no_detector() -> types.ModuleType:
    module = types.ModuleType("omnicloudmask")
    module.predict_from_array = None  # type: ignore[attr-defined]
    return module


def _windows(question: Question) -> Question:
    """The same products cut to the window: S2Mosaic reads whole files. GDAL passes reads of a VRT on to the file."""
    folder = Path(question.out) / "windows"
    folder.mkdir()
    return replace(
        question,
        products=tuple(_cut(question, product, folder) for product in question.products),
        product_px=question.size_px,
        offset_px=0,
    )


def _cut(question: Question, product: AskedProduct, folder: Path) -> AskedProduct:
    images = {}
    for band, path in product.images.items():
        factor = 1 if band in FINE else 2
        offset, side = question.offset_px // factor, question.size_px // factor
        out = folder / f"{product.product_id}_{band}.vrt"
        out.write_text(_vrt(question, path, 10 * factor, offset, side, "Byte" if band == "SCL" else "UInt16"))
        images[band] = str(out)
    return replace(product, images=images)


def _vrt(question: Question, path: str, gsd: int, offset: int, side: int, dtype: str) -> str:
    """A window of one image, pixels of its own."""
    rectangle = f'xSize="{side}" ySize="{side}"'
    return f"""<VRTDataset rasterXSize="{side}" rasterYSize="{side}">
  <SRS>{question.crs}</SRS>
  <GeoTransform>{question.left}, {gsd}, 0, {question.top}, 0, {-gsd}</GeoTransform>
  <VRTRasterBand dataType="{dtype}" band="1">
    <SimpleSource>
      <SourceFilename relativeToVRT="0">{path}</SourceFilename>
      <SourceBand>1</SourceBand>
      <SrcRect xOff="{offset}" yOff="{offset}" {rectangle}/>
      <DstRect xOff="0" yOff="0" {rectangle}/>
    </SimpleSource>
  </VRTRasterBand>
</VRTDataset>
"""


if __name__ == "__main__":
    main(read_question(Path(sys.argv[1])), sys.argv[2])
