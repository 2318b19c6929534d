"""One simulated product: what it shows, and what it is called."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from pyproj import Transformer

from senard.errors import RequestError
from senard.model.grid import Grid
from senard.model.mgrs import TILE_M, mgrs_square
from senard.model.sentinel2 import ProductType

FULL_SIZE_PX = TILE_M // 10
"""Pixels of 10 m along one side of a whole MGRS tile: 10980."""

FIRST_OFFSET_BASELINE = 400
"""Baselines from 04.00 on store reflectance with an offset of −1000 DN and raster masks."""

LAST_PILOT_BASELINE = 206
"""L2Ap, the pilot form of L2A, ended with baseline 02.06."""

_SPACECRAFT = {"S2A": "Sentinel-2A", "S2B": "Sentinel-2B", "S2C": "Sentinel-2C", "S2D": "Sentinel-2D"}

_ORBITS = {
    "S2A": (datetime(2022, 12, 6, tzinfo=UTC), 38944, 51),
    "S2B": (datetime(2020, 2, 5, tzinfo=UTC), 15235, 51),
    "S2C": (datetime(2025, 1, 1, tzinfo=UTC), 1700, 51),
    "S2D": (datetime(2028, 1, 1, tzinfo=UTC), 1700, 51),
}
"""Day, absolute orbit and relative orbit of one acquisition of each satellite; C and D are invented."""


class Regime(Enum):
    """How cloudy the place is, and what is special about its ground and season."""

    DRY = "dry"
    """15 % of the sky under cloud on average."""

    TEMPERATE = "temperate"
    """45 %."""

    CLOUDY = "cloudy"
    """70 %."""

    VERY_CLOUDY = "very cloudy"
    """85 %."""

    SNOW = "snow"
    """Winter and spring: snow that comes and goes, and permanent snow."""

    FIRE = "fire"
    """A dry summer with plumes of smoke, some of which stand for weeks."""

    COAST = "coast"
    """Sea with glint, turbid water and beaches."""

    CITY_DESERT = "city and desert"
    """Bright roofs, sand and salt flats."""

    IRRIGATED = "irrigated"
    """Fields that are cut several times a year."""

    MOUNTAINS = "mountains"
    """Steep relief, its shade and its snow."""


class Half(Enum):
    """Which part of its datatake a product holds."""

    WHOLE = "whole"
    """All of it."""

    FIRST = "first"
    """The northern part, down to 1 km south of the cut."""

    SECOND = "second"
    """The southern part, from 1 km north of the cut: another datastrip of the same datatake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedAcquisition:
    """One product of one MGRS tile. What is not given is drawn from seed, satellite and time."""

    mgrs_tile: str
    """Square that the product is cut by: "31TCJ"."""

    time: datetime
    """Start of the datatake, timezone-aware UTC; shared by all products of one overflight."""

    satellite: str = "S2A"
    """"S2A", "S2B", "S2C" or "S2D"."""

    baseline: int = 511
    """Processing baseline as a number: 214, 301, 400, 511; from 400 on with offset."""

    product_type: ProductType = ProductType.L2A
    """L1C shows the same ground and sky from above the atmosphere; L2Ap is L2A that calls itself so."""

    relative_orbit: int = 51
    """1-143."""

    processed: datetime | None = None
    """When it was processed (last time in the name), timezone-aware UTC; None means three hours after `time`, for L1C
    two: L2A is made from it."""

    size_px: int = FULL_SIZE_PX
    """Side in pixels of 10 m, a multiple of 6; 10980 is the whole tile."""

    offset_px: tuple[int, int] = (0, 0)
    """(rows, columns) of 10 m between the tile's upper left corner and the product's, multiples of 6."""

    seed: int = 1
    """Which ground and which weather; products that shall fit each other share it."""

    regime: Regime = Regime.TEMPERATE
    """How cloudy the place is."""

    cloud_fraction: float | None = None
    """Share of the sky under cloud, 0-1; None draws it from the regime."""

    hazy: bool | None = None
    """Whether a field of haze lies over the place; None draws it from the regime and the share of cloud."""

    cloudless: bool = False
    """True leaves out everything in the sky: cloud, shadow, haze, smoke, aerosol error."""

    plumes: int | None = None
    """Number of smoke plumes in each cell of 60 km; None draws 0 or (once in eight datatakes) 1."""

    swath_centre: tuple[float, float] | None = None
    """(lon, lat) degrees of a point under the satellite: give the same to all products of a datatake. None means the
    product's own centre, moved so that `orbit_edge` becomes true."""

    orbit_edge: float = 0.0
    """Share of the product that lies west of the swath, 0-1; used where `swath_centre` is None."""

    half: Half = Half.WHOLE
    """Which part of the datatake: it is cut across the track at the latitude of the swath's centre."""

    signature: Mapping[str, float] = field(default_factory=dict)
    """Band to a reflectance that fills the whole band, without noise: {"B04": 0.1234}."""

    cover: int | None = None
    """A class that fills the whole scene classification; None derives it from the image."""

    def __post_init__(self) -> None:
        if self.satellite not in _SPACECRAFT:
            raise RequestError(f"{self.satellite}: expected one of {', '.join(_SPACECRAFT)}")
        if self.time.tzinfo is None or (self.processed is not None and self.processed.tzinfo is None):
            raise RequestError(f"{self.mgrs_tile}: times need a time zone, UTC")
        if not 1 <= self.relative_orbit <= 143:
            raise RequestError(f"{self.mgrs_tile}: relative orbit {self.relative_orbit} is not within 1-143")
        if self.product_type is ProductType.L2AP and self.baseline > LAST_PILOT_BASELINE:
            raise RequestError(f"{self.mgrs_tile}: L2Ap ends with baseline 02.06, found {self.baseline_text}")
        row, col = self.offset_px
        if any(number % 6 for number in (self.size_px, row, col)) or self.size_px <= 0 or min(row, col) < 0:
            raise RequestError(
                f"{self.mgrs_tile}: size {self.size_px} and offset {self.offset_px} must be multiples of 6 pixels of "
                "10 m, so that pixels of 60 m fit"
            )
        if max(row, col) + self.size_px > FULL_SIZE_PX:
            raise RequestError(f"{self.mgrs_tile}: offset and size reach beyond the tile's {FULL_SIZE_PX} pixels")
        mgrs_square(self.mgrs_tile)

    @property
    def grid(self) -> Grid:
        """Pixels of 10 m."""
        square = mgrs_square(self.mgrs_tile)
        row, col = self.offset_px
        return Grid(
            crs=square.crs,
            left=float(square.left + 10 * col),
            top=float(square.top - 10 * row),
            gsd=10,
            width=self.size_px,
            height=self.size_px,
        )

    @property
    def centre(self) -> tuple[float, float]:
        """(lon, lat) of the product's centre, degrees."""
        bounds = self.grid.bounds
        transformer = Transformer.from_crs(self.grid.crs, 4326, always_xy=True)
        lon, lat = transformer.transform((bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2)
        return float(lon), float(lat)

    @property
    def has_offset(self) -> bool:
        """Whether the baseline stores reflectance with an offset and masks as rasters."""
        return self.baseline >= FIRST_OFFSET_BASELINE

    @property
    def level(self) -> str:
        """Processing level as in names: "L1C" or "L2A", also for L2Ap."""
        return "L1C" if self.product_type is ProductType.L1C else "L2A"

    @property
    def level_text(self) -> str:
        """ "Level-1C", "Level-2A" or "Level-2Ap", as the product's XML has it."""
        return f"Level-{self.product_type.value.removeprefix('S2MSI')}"

    @property
    def add_offset(self) -> int:
        """BOA_ADD_OFFSET, in L1C RADIO_ADD_OFFSET, DN."""
        return -1000 if self.has_offset else 0

    @property
    def spacecraft(self) -> str:
        """ "Sentinel-2A"."""
        return _SPACECRAFT[self.satellite]

    @property
    def processing_time(self) -> datetime:
        """When it was processed, UTC."""
        hours = 2 if self.level == "L1C" else 3
        return self.processed if self.processed is not None else self.time + timedelta(hours=hours)

    @property
    def sensing_time(self) -> datetime:
        """When the tile was seen: the datatake runs south from 70° N at 6.6 km/s of ground, one degree in 16.8 s."""
        return self.time + timedelta(seconds=round(16.8 * max(0.0, 70.0 - self.centre[1]), 3), milliseconds=24)

    @property
    def datastrip_time(self) -> datetime:
        """Start of the datastrip; the second half of a datatake begins later."""
        return self.time + timedelta(seconds=245 if self.half is Half.SECOND else 3)

    @property
    def absolute_orbit(self) -> int:
        """Number of the orbit since launch, consistent with the relative orbit: 14.3 orbits a day, 143 in a cycle."""
        day, absolute, relative = _ORBITS[self.satellite]
        about = absolute + round((self.time - day) / timedelta(days=1) * 14.3)
        phase = (absolute - relative + self.relative_orbit) % 143
        return max(about + (phase - about + 71) % 143 - 71, phase)

    @property
    def centre_code(self) -> str:
        """Name of the processing centre in file names; older baselines have another: "2APS"."""
        return f"2{self.satellite[2]}PS" if self.has_offset else "VGS2"

    @property
    def baseline_text(self) -> str:
        """ "05.11"."""
        return f"{self.baseline // 100:02d}.{self.baseline % 100:02d}"

    @property
    def product_id(self) -> str:
        """Name of the SAFE without suffix."""
        return (
            f"{self.satellite}_MSI{self.level}_{stamp(self.time)}_N{self.baseline:04d}_R{self.relative_orbit:03d}"
            f"_T{self.mgrs_tile}_{stamp(self.processing_time)}"
        )

    @property
    def granule_id(self) -> str:
        """Name of the folder in GRANULE."""
        return f"{self.level}_T{self.mgrs_tile}_A{self.absolute_orbit:06d}_{stamp(self.datastrip_time)}"

    @property
    def datastrip_id(self) -> str:
        """Name of the folder in DATASTRIP."""
        return f"DS_{self.centre_code}_{stamp(self.processing_time)}_S{stamp(self.datastrip_time)}"

    @property
    def image_stem(self) -> str:
        """Start of the images' file names: "T31TCJ_20240615T104619"."""
        return f"T{self.mgrs_tile}_{stamp(self.time)}"

    @property
    def datatake_seed(self) -> int:
        """Number that all products of one overflight share and that no baseline or tile changes."""
        return zlib.crc32(f"{self.seed} {self.satellite} {stamp(self.time)}".encode())


def stamp(time: datetime) -> str:
    """A time as in product names: "20240615T104619"."""
    return f"{time.astimezone(UTC):%Y%m%dT%H%M%S}"
