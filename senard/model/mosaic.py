"""A finished mosaic: what it was made of, and the figures that its tables and report state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from senard.model.grid import Tile
from senard.model.labels import copernicus_notice
from senard.model.request import MosaicRequest
from senard.model.scene import QueryResult, Sentinel2Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class MosaicParts:
    """What the tasks left for the last step: the request, the frozen query and where the figures lie."""

    request: MosaicRequest
    """What was asked."""

    result: QueryResult
    """The frozen answer of the query."""

    tiles: tuple[Tile, ...]
    """Every tile of the mosaic, ordered by index."""

    sources: tuple[Path, ...]
    """One folder per tile, in the order of `tiles`: sources_20.tif and sources.json of the selection that won."""

    masks: tuple[Path, ...]
    """One folder per kept scene, in the order of `result.kept`: scene.json, or unusable.json with its verdict."""

    composites: tuple[Path, ...] = ()
    """Figures of the composites, <i>_<gsd>.json of both resolutions; a file that does not exist is passed over."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    """product_id to the reason why a kept scene was left out after the query; says more than its mask folder does."""

    levels: Path | None = None
    """Folder of what levelled the scenes; None where nothing did."""

    factors: Path | None = None
    """Folder of what brought the scenes to the view from straight above; None where nothing did."""

    slopes: Path | None = None
    """Folder of what brought slopes to the light of level ground; None where nothing did."""

    @property
    def product_id(self) -> str:
        """Name of the product folder."""
        return self.request.product_id([scene.product_id for scene in self.result.kept])


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFigures:
    """What the selection counted on one tile, in pixels of 20 m."""

    tile: Tile
    """The tile."""

    area_pixels: int
    """Pixels that belong to the area."""

    pixels: Mapping[int, int]
    """Source number to the pixels that it supplies: {3: 120_000}."""

    levels: Mapping[int, int]
    """Quality level to pixels; 0 is nodata: {1: 110_000, 4: 10_000}."""

    taking_part: Mapping[int, int] = field(default_factory=dict)
    """Source number to the pixels that are made of it among others; empty where each is made of one."""

    @property
    def valid_pixels(self) -> int:
        """Pixels that some scene supplies."""
        return sum(self.pixels.values())

    @property
    def valid_share(self) -> float:
        """Share of the area that is not a gap, 0-1."""
        return min(1.0, self.valid_pixels / self.area_pixels) if self.area_pixels else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRow:
    """One row of scenes.csv: a kept scene, and what became of it."""

    source: int
    """Number in the QA band `source`, 1-based."""

    scene: Sentinel2Scene
    """The scene."""

    clear_share: float | None
    """Share of the scene's valid pixels that are clear, 0-1; None where it could not be judged."""

    pixels: int
    """Pixels of 20 m that it supplies."""

    share: float
    """Those pixels as a share of the area, 0-1."""

    reason: str
    """Why it supplies nothing, for a person; empty for a used scene."""

    taking_part: int = 0
    """Pixels of 20 m that are made of it among others."""

    @property
    def used(self) -> bool:
        """Whether it supplies at least one pixel, or takes part in one."""
        return self.pixels > 0 or self.taking_part > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeFigures:
    """What composing counted on one tile at one resolution."""

    index: int
    """Index of the tile."""

    gsd: int
    """Pixel side, m: 10 or 20."""

    counts: Mapping[str, int]
    """Name to count: {"clipped_low": 12, "mended": 0, "jp2_tiles_decoded": 44}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MosaicFigures:
    """Everything that tables and report say of a mosaic; nothing in it depends on when or where it was made."""

    product_id: str
    """Name of the product folder."""

    request: MosaicRequest
    """What was asked."""

    scenes: tuple[SceneRow, ...]
    """Kept scenes by source number."""

    tiles: tuple[TileFigures, ...]
    """Tiles by index."""

    composites: tuple[CompositeFigures, ...]
    """Composites by tile and resolution."""

    clear_counts: Mapping[int, int]
    """Number of clear observations to valid pixels of 20 m: {0: 10, 1: 500, 2: 9000}."""

    simulated: bool
    """True if a used scene says that it was simulated."""

    @property
    def area_pixels(self) -> int:
        """Pixels of 20 m that belong to the area."""
        return sum(tile.area_pixels for tile in self.tiles)

    @property
    def valid_pixels(self) -> int:
        """Pixels of 20 m that some scene supplies."""
        return sum(tile.valid_pixels for tile in self.tiles)

    @property
    def valid_share(self) -> float:
        """Share of the area that is not a gap, 0-1."""
        return min(1.0, self.valid_pixels / self.area_pixels) if self.area_pixels else 0.0

    @property
    def used(self) -> tuple[SceneRow, ...]:
        """Scenes that supply pixels."""
        return tuple(row for row in self.scenes if row.used)

    @property
    def created(self) -> datetime | None:
        """Newest processing time of the products used: the only time that the product's files may state."""
        return max((row.scene.processing_time for row in self.used), default=None)

    @property
    def pixels_per_day(self) -> dict[date, int]:
        """Acquisition date to the pixels of 20 m that it supplies, in order of time."""
        days: dict[date, int] = {}
        for row in self.used:
            days[row.scene.acquisition_date] = days.get(row.scene.acquisition_date, 0) + row.pixels
        return dict(sorted(days.items()))

    @property
    def attribution(self) -> str:
        """The notice that Copernicus' terms ask for; of simulated products the truth instead."""
        if self.simulated:
            return "Made of simulated products, not of Copernicus Sentinel data"
        return copernicus_notice(day.year for day in self.pixels_per_day)
