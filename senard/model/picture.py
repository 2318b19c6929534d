"""The frame of a picture: which ground each of its pixels shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from senard.model.grid import Bounds, Tile, Window

WORLD_M = 2 * 20_037_508.342789244
"""Once round the Earth in EPSG:3857, m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFrame:
    """A north-up picture of a whole mosaic; unlike a grid's, its pixels may have any size.

    A mosaic over the antimeridian is shown in one piece: what lies east of it continues beyond x = 20 037 508 m.
    """

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
        left, right = float(min(tile.left for tile in tiles)), float(max(tile.right for tile in tiles))
        if tiles[0].crs == "EPSG:3857" and right - left > WORLD_M / 2:
            left = float(min(tile.left for tile in tiles if tile.left > 0))
            right = max(tile.right for tile in tiles if tile.left < 0) + WORLD_M
        bottom, top = min(tile.bottom for tile in tiles), max(tile.top for tile in tiles)
        pixel_m = max(finest_m, max(right - left, top - bottom) / longest)
        return cls(
            crs=tiles[0].crs,
            left=left,
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
            col_start=self._edge(self.shown_x(tile.left) - self.left, self.width),
            col_stop=self._edge(self.shown_x(tile.left) + tile.right - tile.left - self.left, self.width),
        )

    def shown_x(self, x: float) -> float:
        """Where an x of the CRS lies in the picture, m: one turn further where it lies west of the picture."""
        return x + WORLD_M if self.crs == "EPSG:3857" and x < self.left - WORLD_M / 4 else x

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
