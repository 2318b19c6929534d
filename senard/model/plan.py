"""A plan: what a mosaic would use, fetch and leave open, forecast before anything big is downloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from senard.model.grid import Grid
from senard.model.product import Part
from senard.model.request import Fill, MosaicRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSizes:
    """How large the parts of one product are, bytes."""

    classes: int
    """XML and the scene classification at 60 m: 1_400_000."""

    judge: int
    """What judging reads, XML included: 32_000_000."""

    bands: int
    """What judging does not read and the mosaic delivers: 718_000_000."""

    whole: int
    """The whole product: 1_156_000_000; 0 means unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneForecast:
    """Figures of one product's small classification, forecast.json of its folder."""

    product_id: str
    """Name of the SAFE without suffix."""

    grid: Grid
    """Pixels of 60 m of the forecast's raster, the product's own UTM."""

    sun_zenith: float
    """Mean over the product, degrees."""

    sizes: PartSizes
    """What its parts weigh by its manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneOutlook:
    """What a plan says of one kept product."""

    source: int
    """Its number in the mosaic, 1-based."""

    product_id: str
    """Name of the SAFE without suffix."""

    day: date
    """UTC day of the acquisition."""

    mgrs_tile: str
    """Square that the product is cut by: "31TCJ"."""

    cloud_cover: float | None
    """As the catalogue states it, percent; None where it states none."""

    reached: float
    """Share of the area that the product reaches, 0-1."""

    clear: float
    """Share of what it reaches that is clear, 0-1."""

    supplied: float
    """Share of the area that the mosaic would take from it, 0-1."""

    sizes: PartSizes
    """What its parts weigh."""

    held: frozenset[Part]
    """Parts that are here already, so that they are not fetched; Part.ALL: the whole product is."""

    online: bool
    """False: in a long-term archive, not to be had at once."""

    takes_part: bool
    """True: the method reads its bands for what it saw clear, whatever other products saw."""

    doubt: str
    """Why the forecast knows only the catalogue's percentage of it; empty where it looked at the classification."""

    @property
    def here(self) -> bool:
        """Whether the whole product is here."""
        return Part.ALL in self.held

    def missing_bytes(self, part: Part) -> int:
        """What would be fetched to have what only this part reads, JUDGE or BANDS: nothing if that is here."""
        if self.here or part in self.held:
            return 0
        return self.sizes.judge if part is Part.JUDGE else self.sizes.bands

    @property
    def wins(self) -> bool:
        """Whether the mosaic would take any pixel from it, so that its bands are fetched."""
        return self.supplied > 0 or self.takes_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a forecast says of a tile, or of one month alone."""

    name: str
    """Number of the tile, or month: "3", "2024-05"."""

    scenes: int
    """Products that reach it, or were taken in it."""

    share: float
    """Share of the area that it covers, 0-1; 1 for a month."""

    clear: float
    """Mean number of clear observations of a pixel: 4.2."""

    gaps: float
    """Share of its part of the area that would stay empty, 0-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a mosaic would use, fetch and leave open."""

    request: MosaicRequest
    """What is asked."""

    quick: bool
    """True: from the catalogue's percentages alone; False: from each scene's small classification."""

    pixel_m: int
    """Side of the forecast's pixels, m of the mosaic's CRS: 60."""

    gaps: float
    """Share of the area that would stay empty, 0-1; see `gaps_at_least`."""

    observations: Mapping[int, float]
    """Number of clear observations to the share of the area that has so many, 0-1: {0: 0.02, 1: 0.1, …}."""

    tiles: tuple[Outlook, ...]
    """The mosaic's tiles."""

    months: tuple[Outlook, ...]
    """Months of the period: what each would give alone."""

    scenes: tuple[SceneOutlook, ...]
    """Every kept product."""

    left_out: int
    """Products that the catalogue knows and the query left out."""

    @property
    def gaps_at_least(self) -> bool:
        """Whether there may be many more gaps: haze and shade are left out, of which no classification tells."""
        return self.request.fill is Fill.STRICT

    @property
    def clear(self) -> float:
        """Mean number of clear observations of a pixel."""
        return sum(number * share for number, share in self.observations.items())

    @property
    def whole_bytes(self) -> int:
        """What whole products would weigh that are not here."""
        return sum(scene.sizes.whole for scene in self.scenes if not scene.here)

    @property
    def judge_bytes(self) -> int:
        """What judging would fetch."""
        return sum(scene.missing_bytes(Part.JUDGE) for scene in self.scenes)

    @property
    def band_bytes(self) -> int:
        """What bands of likely winners would weigh that are not here."""
        return sum(scene.missing_bytes(Part.BANDS) for scene in self.scenes if scene.wins)
