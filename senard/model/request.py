"""What a user asks for, and its identity."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

import shapely
from shapely.geometry.base import BaseGeometry

from senard import ALGORITHM_VERSION
from senard.errors import RequestError
from senard.model.cloud_evidence import DEFAULT, CloudEvidence, evidence_key, in_order, require_evidence
from senard.model.sentinel2 import ProductType

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
"""What the name of a product may be (product-spec §1)."""


DATE_WEIGHT = 0.35
"""Cost of a date at either end of the period; it grows with the square of the distance from the target day."""


class Fill(Enum):
    """Down to which quality level a pixel may be filled (science.md §2.5)."""

    STRICT = "strict"
    """Levels 1 and 2 only."""

    FLAG = "flag"
    """Levels 1 to 4, the level said in the QA layer."""

    ALL = "all"
    """Levels 1 to 5: even the best cloudy observation."""


class Buffer(Enum):
    """Hard buffer around dense cloud and shadow."""

    THIN = "thin"
    """One pixel of 20 m."""

    TERRASCOPE = "terrascope"
    """Terrascope's two-stage rule, 17 and 77 pixel kernels."""

    PURE = "pure"
    """300 m."""


class Snow(Enum):
    """What becomes of snow."""

    AVOID = "avoid"
    """A last resort, level 4; where it lies on nearly every date it is ground."""

    ALLOW = "allow"
    """Ground like any other."""

    MASK = "mask"
    """Never delivered."""


class CloudCoverOf(Enum):
    """Which ground the limits of cloud cover are about."""

    GRANULE = "granule"
    """The whole product, as the catalogue states it."""

    AOI = "aoi"
    """The part inside the area, counted in the product's own small scene classification."""


class Method(Enum):
    """What is made of the observations of a pixel."""

    BEST = "best"
    """The observation that costs least, with an eye on its neighbours."""

    MEDIAN = "median"
    """Median of every band by itself."""

    GEOMEDIAN = "geomedian"
    """The spectrum with the least sum of distances to all observations."""

    MEDOID = "medoid"
    """The observation nearest to the median."""

    FIRST = "first"
    """The observation of the overflight that saw most of the area clear."""

    PERCENTILE25 = "percentile25"
    """First quartile of every band by itself."""

    @property
    def blends(self) -> bool:
        """Whether delivered spectra are statistics, of no single acquisition."""
        return self in {Method.MEDIAN, Method.GEOMEDIAN, Method.PERCENTILE25}

    @property
    def reads_all(self) -> bool:
        """Whether the bands of every usable observation are read."""
        return self.blends or self is Method.MEDOID


class Level(Enum):
    """Between which scenes smooth differences of brightness are removed."""

    NONE = "none"
    """None: every pixel is what its product says."""

    DATATAKE = "datatake"
    """Products of one overflight, where they overlap: no step where two MGRS tiles meet."""

    SCENE = "scene"
    """DATATAKE, and every overflight drawn to the season in visible bands, by one number per band."""

    SURFACE = "surface"
    """DATATAKE, and every overflight drawn to the season in visible bands, by a smooth surface."""

    @property
    def draws_to_season(self) -> bool:
        """Whether overflights of different days are made to agree."""
        return self in {Level.SCENE, Level.SURFACE}


class Brdf(Enum):
    """What becomes of the difference that the satellite's direction makes."""

    NONE = "none"
    """It stays."""

    NBAR = "nbar"
    """Reflectance is brought to the view from straight above, the sun as it was."""


class Topography(Enum):
    """What becomes of the difference that the slope of the ground makes."""

    NONE = "none"
    """It stays."""

    C = "c"
    """Reflectance is brought to the light of level ground, by the C-correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MosaicRequest:
    """Area, period, grid and every option that changes pixels."""

    name: str
    """Start of the product's name, [a-z0-9][a-z0-9-]{0,47}: "helsinki"."""

    aoi: BaseGeometry
    """The area, Polygon or MultiPolygon, lon/lat (EPSG:4326), split at the antimeridian."""

    first_day: date
    """First day of the period, UTC."""

    last_day: date
    """Last day of the period, UTC, included."""

    crs: str = "EPSG:3857"
    """CRS of the mosaic, units metres."""

    product_type: ProductType = ProductType.L2A
    """Processing level to use; levels never mix."""

    cloud_cover_min: float = 0.0
    """Scenes below this cloud cover are left out, percent."""

    cloud_cover_max: float = 95.0
    """Scenes at or above this cloud cover are left out, percent."""

    mgrs_tiles: tuple[str, ...] = ()
    """Use only these MGRS tiles; empty means all: ("31UFS",)."""

    products: tuple[str, ...] = ()
    """Use only these product_ids; empty means all."""

    relative_orbits: tuple[int, ...] = ()
    """Use only these relative orbits, 1-143; empty means all: (51, 108)."""

    satellites: tuple[str, ...] = ()
    """Use only these satellites; empty means all: ("S2A", "S2C")."""

    latest_baseline: bool = True
    """True: of several processings of one acquisition only the latest is used. False keeps all, for lists and
    downloads; a mosaic refuses it."""

    cloud_cover_of: CloudCoverOf = CloudCoverOf.GRANULE
    """Whether the limits of cloud cover hold for the whole granule or for the part inside the area."""

    derived_sources: tuple[str, ...] = ()
    """Sources that may step in with pixels that are not quite ESA's, in the order of asking: ("earth-search",)."""

    target_date: date | None = None
    """Day that the mosaic should look like; None means the middle of the period."""

    fill: Fill = Fill.FLAG
    """Down to which quality level pixels are filled."""

    buffer: Buffer = Buffer.THIN
    """Hard buffer around cloud and shadow."""

    snow: Snow = Snow.AVOID
    """What becomes of snow."""

    cloud_masks: tuple[CloudEvidence, ...] = ()
    """Evidence from which clouds are known; empty means the default of the processing level."""

    clip: bool = True
    """True: pixels that the area does not touch are nodata; False: the tiles' rectangles are filled."""

    level: Level = Level.DATATAKE
    """Between which scenes smooth differences are removed."""

    method: Method = Method.BEST
    """What is made of the observations of a pixel."""

    brdf: Brdf = Brdf.NONE
    """What becomes of the difference that the satellite's direction makes."""

    topography: Topography = Topography.NONE
    """What becomes of the difference that the slope of the ground makes."""

    date_weight: float = DATE_WEIGHT
    """Cost of a date at either end of the period; 0 takes the clearest whenever it was, 2 nearly always the nearest."""

    feather_m: float = 0.0
    """Distance from a border between two dates within which they are mixed, m of the grid, 0-60; 0 mixes nothing."""

    dem: str | None = None
    """Digest of the terrain model that light is judged by, hex (`raster_digest`); None: none is used."""

    landcover: str | None = None
    """Digest of the land cover that the choice knows, like `dem`."""

    algorithm: str = field(default=ALGORITHM_VERSION)
    """Version of the algorithm: "2"."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise RequestError(
                f"name {self.name!r}: expected a-z, 0-9 and hyphens, at most 48, beginning with a-z or 0-9."
            )
        if self.aoi.geom_type not in {"Polygon", "MultiPolygon"} or self.aoi.is_empty:
            raise RequestError(
                f"The area is a {self.aoi.geom_type} without polygons: expected Polygon or MultiPolygon."
            )
        if self.first_day > self.last_day:
            raise RequestError(f"The period starts on {self.first_day}, after its end on {self.last_day}: swap them.")
        if not 0 <= self.cloud_cover_min < self.cloud_cover_max <= 100:
            raise RequestError(
                f"Cloud cover from {self.cloud_cover_min:g} to {self.cloud_cover_max:g} percent keeps nothing: "
                "expected 0 <= minimum < maximum <= 100."
            )
        if self.feather_m and self.method is not Method.BEST:
            raise RequestError(
                f"--feather {self.feather_m:g} with --method {self.method.value}: only borders between dates that were "
                "chosen beside each other can be made soft. Leave out --feather, or ask for --method best."
            )
        if self.topography is not Topography.NONE and not self.dem:
            raise RequestError(
                f"--topography {self.topography.value} without --dem: slopes are not known. Give a terrain model with "
                "--dem FILE, or leave out --topography."
            )
        require_evidence(self.cloud_evidence, self.product_type)

    @property
    def cloud_evidence(self) -> tuple[CloudEvidence, ...]:
        """The evidence from which clouds of each scene are known, in order."""
        return in_order(self.cloud_masks) or DEFAULT[self.product_type]

    @property
    def evidence_key(self) -> str:
        """What tells masks of another evidence from those of the default, for paths: "scl-classi"; else empty."""
        return evidence_key(self.cloud_evidence, self.product_type)

    @property
    def middle_day_ordinal(self) -> float:
        """The target as a proleptic Gregorian ordinal; the middle of the period where no day was asked for."""
        if self.target_date is not None:
            return float(self.target_date.toordinal())
        return (self.first_day.toordinal() + self.last_day.toordinal()) / 2

    @property
    def period_days(self) -> int:
        """Length of the period, days."""
        return self.last_day.toordinal() - self.first_day.toordinal() + 1

    @property
    def half_period_days(self) -> float:
        """Half the length of the period, days, at least 1."""
        return max(1.0, self.period_days / 2)

    def canonical(self) -> str:
        """The request as canonical JSON: sorted keys, no blanks, the area as WKB hex."""
        # named only where they are others: a mosaic of the defaults keeps its name
        method = {} if self.method is Method.BEST else {"method": self.method.value}
        snow = {} if self.snow is Snow.AVOID else {"snow": self.snow.value}
        weight = {} if self.date_weight == DATE_WEIGHT else {"date_weight": float(self.date_weight)}
        feather = {"feather": float(self.feather_m)} if self.feather_m else {}
        brdf = {} if self.brdf is Brdf.NONE else {"brdf": self.brdf.value}
        slopes = {} if self.topography is Topography.NONE else {"topography": self.topography.value}
        land = {name: digest for name, digest in (("dem", self.dem), ("landcover", self.landcover)) if digest}
        clouds = {"cloud_masks": [one.value for one in self.cloud_evidence]} if self.evidence_key else {}
        return json.dumps(
            {
                "algorithm": self.algorithm,
                "aoi": shapely.to_wkb(self.aoi, hex=True, byte_order=1),
                "buffer": self.buffer.value,
                "clip": self.clip,
                "cloud_cover_of": self.cloud_cover_of.value,
                "cloud_cover_max": float(self.cloud_cover_max),
                "cloud_cover_min": float(self.cloud_cover_min),
                "crs": self.crs,
                "derived_sources": list(self.derived_sources),
                "fill": self.fill.value,
                "first_day": self.first_day.isoformat(),
                "last_day": self.last_day.isoformat(),
                "latest_baseline": self.latest_baseline,
                "level": self.level.value,
                "mgrs_tiles": sorted(self.mgrs_tiles),
                "name": self.name,
                "product_type": self.product_type.value,
                "products": sorted(self.products),
                "relative_orbits": sorted(self.relative_orbits),
                "satellites": sorted(self.satellites),
                "target_date": self.target_date.isoformat() if self.target_date else None,
                **method,
                **snow,
                **brdf,
                **feather,
                **weight,
                **land,
                **slopes,
                **clouds,
            },
            sort_keys=True,
            separators=(",", ":"),
        )

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical request alone."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def product_id(self, kept_product_ids: Sequence[str]) -> str:
        """Name of the product folder made of this request and the scenes that the query kept.

        Args:
            kept_product_ids: product_ids that the query kept, any order.

        Returns:
            "<name>_<first day>_<last day>_<hash8>" (product-spec §1).
        """
        identity = self.canonical() + "".join(sorted(kept_product_ids))
        hash8 = hashlib.sha256(identity.encode()).hexdigest()[:8]
        return f"{self.name}_{self.first_day:%Y%m%d}_{self.last_day:%Y%m%d}_{hash8}"

    @classmethod
    def from_canonical(cls, text: str) -> "MosaicRequest":
        """The request that `canonical` wrote."""
        values = json.loads(text)
        return cls(
            name=values["name"],
            aoi=shapely.from_wkb(values["aoi"]),
            first_day=date.fromisoformat(values["first_day"]),
            last_day=date.fromisoformat(values["last_day"]),
            crs=values["crs"],
            product_type=ProductType(values["product_type"]),
            cloud_cover_min=values["cloud_cover_min"],
            cloud_cover_max=values["cloud_cover_max"],
            mgrs_tiles=tuple(values["mgrs_tiles"]),
            products=tuple(values["products"]),
            relative_orbits=tuple(values["relative_orbits"]),
            satellites=tuple(values["satellites"]),
            derived_sources=tuple(values["derived_sources"]),
            latest_baseline=values["latest_baseline"],
            cloud_cover_of=CloudCoverOf(values["cloud_cover_of"]),
            target_date=date.fromisoformat(values["target_date"]) if values["target_date"] else None,
            fill=Fill(values["fill"]),
            buffer=Buffer(values["buffer"]),
            clip=values["clip"],
            level=Level(values["level"]),
            method=Method(values.get("method", Method.BEST.value)),
            snow=Snow(values.get("snow", Snow.AVOID.value)),
            brdf=Brdf(values.get("brdf", Brdf.NONE.value)),
            topography=Topography(values.get("topography", Topography.NONE.value)),
            feather_m=values.get("feather", 0.0),
            date_weight=values.get("date_weight", DATE_WEIGHT),
            dem=values.get("dem"),
            landcover=values.get("landcover"),
            cloud_masks=tuple(CloudEvidence(word) for word in values.get("cloud_masks", ())),
            algorithm=values["algorithm"],
        )
