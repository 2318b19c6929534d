"""Pixel grids: where the pixels of a raster lie on the ground."""

from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rectangle of pixels, half-open: rows [row_start, row_stop), columns [col_start, col_stop)."""

    row_start: int
    row_stop: int
    col_start: int
    col_stop: int

    def __post_init__(self) -> None:
        if self.row_stop < self.row_start or self.col_stop < self.col_start:
            raise ValueError(f"a window cannot end before it starts: {self}")

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.row_stop - self.row_start

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.col_stop - self.col_start

    @property
    def slices(self) -> tuple[slice, slice]:
        """(rows, columns), to index an array with axes (y, x)."""
        return slice(self.row_start, self.row_stop), slice(self.col_start, self.col_stop)

    def holds(self, other: "Window") -> bool:
        """Whether all pixels of another window lie in this one."""
        rows = self.row_start <= other.row_start and other.row_stop <= self.row_stop
        return rows and self.col_start <= other.col_start and other.col_stop <= self.col_stop

    def within(self, other: "Window") -> "Window":
        """This window counted from the first pixel of another one."""
        return Window(
            row_start=self.row_start - other.row_start,
            row_stop=self.row_stop - other.row_start,
            col_start=self.col_start - other.col_start,
            col_stop=self.col_stop - other.col_start,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """left, bottom, right, top in the units of a named CRS (metres in every grid of senard)."""

    left: float
    bottom: float
    right: float
    top: float

    def intersects(self, other: "Bounds") -> bool:
        """Whether the two share more than an edge."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def padded(self, distance_m: float) -> "Bounds":
        """The bounds grown by the same distance on all sides, m."""
        return Bounds(
            left=self.left - distance_m,
            bottom=self.bottom - distance_m,
            right=self.right + distance_m,
            top=self.top + distance_m,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A north-up raster of square pixels: pixels are areas, coordinates name the upper left corner."""

    crs: str
    """Coordinate reference system as `EPSG:<code>`: "EPSG:3857"."""

    left: float
    """x of the left edge, m: 2700000.0."""

    top: float
    """y of the top edge, m: 8500000.0."""

    gsd: int
    """Pixel side, m: 10, 20 or 60."""

    width: int
    """Number of columns."""

    height: int
    """Number of rows."""

    def __post_init__(self) -> None:
        if self.gsd <= 0 or self.width < 0 or self.height < 0:
            raise ValueError(f"not a grid: {self.width} x {self.height} pixels of {self.gsd} m")

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def bounds(self) -> Bounds:
        """Outer edges in the grid's CRS, m."""
        return Bounds(
            left=self.left,
            bottom=self.top - self.height * self.gsd,
            right=self.left + self.width * self.gsd,
            top=self.top,
        )

    @property
    def geotransform(self) -> tuple[float, float, float, float, float, float]:
        """GDAL's six numbers: left, gsd, 0, top, 0, -gsd."""
        return self.left, float(self.gsd), 0.0, self.top, 0.0, -float(self.gsd)

    def at(self, gsd: int) -> "Grid":
        """The same ground in pixels of another size, which must divide the extent."""
        if (self.width * self.gsd) % gsd or (self.height * self.gsd) % gsd:
            raise ValueError(f"{self.bounds} cannot be cut into whole pixels of {gsd} m")
        return replace(self, gsd=gsd, width=self.width * self.gsd // gsd, height=self.height * self.gsd // gsd)

    def padded(self, pixels: int) -> "Grid":
        """The grid grown by whole pixels on all sides."""
        return replace(
            self,
            left=self.left - pixels * self.gsd,
            top=self.top + pixels * self.gsd,
            width=self.width + 2 * pixels,
            height=self.height + 2 * pixels,
        )

    def crop(self, window: Window) -> "Grid":
        """The grid of one window of this grid; the window may reach beyond the edges."""
        return replace(
            self,
            left=self.left + window.col_start * self.gsd,
            top=self.top - window.row_start * self.gsd,
            width=window.width,
            height=window.height,
        )

    def window_in(self, other: "Grid") -> Window:
        """The window of another grid, of pixels of the same size in the same places, that this grid is."""
        row, col = round((other.top - self.top) / self.gsd), round((self.left - other.left) / self.gsd)
        return Window(row_start=row, row_stop=row + self.height, col_start=col, col_stop=col + self.width)

    def blocks(self, size: int) -> Iterator[Window]:
        """Windows of at most size x size pixels that cover the grid once, in reading order."""
        for row in range(0, self.height, size):
            for col in range(0, self.width, size):
                yield Window(
                    row_start=row,
                    row_stop=min(row + size, self.height),
                    col_start=col,
                    col_stop=min(col + size, self.width),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One numbered rectangle of the mosaic."""

    index: int
    """Its number in the file names, reading order: 0, 1, 2 …"""

    crs: str
    """CRS of the mosaic: "EPSG:3857"."""

    left: int
    """x of the left edge, m, a multiple of 20."""

    bottom: int
    """y of the lower edge, m, a multiple of 20."""

    right: int
    """x of the right edge, m, a multiple of 20."""

    top: int
    """y of the upper edge, m, a multiple of 20."""

    def grid(self, gsd: int) -> Grid:
        """The tile's pixels of one size, m."""
        return Grid(
            crs=self.crs,
            left=float(self.left),
            top=float(self.top),
            gsd=gsd,
            width=(self.right - self.left) // gsd,
            height=(self.top - self.bottom) // gsd,
        )
