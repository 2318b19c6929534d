"""The frame of a picture: which ground each of its pixels shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from senard.model.grid import Bounds, Tile, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFrame:
    """A north-up picture of a whole mosaic; unlike a grid's, its pixels may have any size."""

    crs: str
    """CRS of the mosaic: "EPSG:3857"."""

    left: float
    """x of the left edge, m."""

    top: float
    """y of the top edge, m."""

    pixel_m: float
    """Pixel side, m of the CRS: 97.65625."""

    width: int
    """Number of columns."""

    height: int
    """Number of rows."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def geotransform(self) -> tuple[float, float, float, float, float, float]:
        """GDAL's six numbers: left, pixel side, 0, top, 0, minus pixel side."""
        return self.left, self.pixel_m, 0.0, self.top, 0.0, -self.pixel_m

    @classmethod
    def around(cls, tiles: Sequence[Tile], *, longest: int, finest_m: float) -> "PictureFrame":
        """The frame that holds all tiles.

        Args:
            tiles: at least one tile, all of one CRS.
            longest: pixels of the longer side; fewer where pixels would become smaller than `finest_m`.
            finest_m: smallest pixel side worth drawing, m: the file's own.
        """
        left, right = min(tile.left for tile in tiles), max(tile.right for tile in tiles)
        bottom, top = min(tile.bottom for tile in tiles), max(tile.top for tile in tiles)
        pixel_m = max(finest_m, max(right - left, top - bottom) / longest)
        return cls(
            crs=tiles[0].crs,
            left=float(left),
            top=float(top),
            pixel_m=pixel_m,
            width=max(1, round((right - left) / pixel_m)),
            height=max(1, round((top - bottom) / pixel_m)),
        )

    def window(self, tile: Tile) -> Window:
        """Pixels whose centres lie in a tile: neighbouring tiles share none and leave none out."""
        return Window(
            row_start=self._edge(self.top - tile.top, self.height),
            row_stop=self._edge(self.top - tile.bottom, self.height),
            col_start=self._edge(tile.left - self.left, self.width),
            col_stop=self._edge(tile.right - self.left, self.width),
        )

    def bounds(self, window: Window) -> Bounds:
        """Ground that a window of the picture shows, m of the CRS."""
        return Bounds(
            left=self.left + window.col_start * self.pixel_m,
            bottom=self.top - window.row_stop * self.pixel_m,
            right=self.left + window.col_stop * self.pixel_m,
            top=self.top - window.row_start * self.pixel_m,
        )

    def _edge(self, distance_m: float, size: int) -> int:
        """First pixel whose centre lies at or beyond a distance from the picture's edge."""
        return min(size, max(0, math.ceil(distance_m / self.pixel_m - 0.5)))
