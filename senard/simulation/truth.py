"""The truth beside an archive: what no product says and every test wants to know."""

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any

import rasterio
from affine import Affine
from rasterio.windows import Window as RasterWindow

from senard.model.grid import Grid
from senard.simulation.sensor import TRUTH_BANDS, Strip
from senard.simulation.sky import SKY


class TruthWriter:
    """GeoTIFFs of the true ground and sky of one product, written strip by strip."""

    def __init__(self, folder: Path, grid: Grid) -> None:
        """Open the files.

        Args:
            folder: made if absent.
            grid: the product's 20 m grid.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._stack = contextlib.ExitStack()
        self._ground = self._open(folder / "ground.tif", grid, len(TRUTH_BANDS), "uint16")
        self._ground.descriptions = TRUTH_BANDS
        self._sky = self._open(folder / "sky.tif", grid, 1, "uint8")
        self._sky.update_tags(SKY=SKY)
        self._cover = self._open(folder / "cover.tif", grid, 1, "uint8")

    def _open(self, path: Path, grid: Grid, bands: int, dtype: str) -> Any:
        return self._stack.enter_context(
            rasterio.open(
                path,
                "w",
                driver="GTiff",
                width=grid.width,
                height=grid.height,
                count=bands,
                dtype=dtype,
                crs=grid.crs,
                transform=Affine.from_gdal(*grid.geotransform),
                compress="ZSTD",
                zstd_level=1,
                predictor=2,
                interleave="band",
            )
        )

    def write(self, strip: Strip) -> None:
        """Write one strip."""
        window = RasterWindow(0, strip.window.row_start // 2, strip.sky.shape[1], strip.sky.shape[0])
        self._ground.write(strip.truth, window=window)
        self._sky.write(strip.sky, 1, window=window)
        self._cover.write(strip.cover, 1, window=window)

    def __enter__(self) -> "TruthWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
