"""Sentinel-2 and its instrument MSI: bands, scene classes, product types."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, IntEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One spectral band of MSI. Source: product-spec (S2A), ESA Sentinel-2 spectral responses."""

    name: str
    """ESA's name: "B04"."""

    band_id: int
    """Number in the product's XML, 0-12 for B01…B08, B8A, B09…B12: 3."""

    gsd: int
    """Native pixel side, m: 10, 20 or 60."""

    wavelength_nm: int
    """Central wavelength of S2A, nm: 665."""

    bandwidth_nm: int
    """Width, nm: 38."""

    common_name: str
    """STAC's common name: "red"."""


_TABLE = (
    ("B01", 0, 60, 443, 20, "coastal"),
    ("B02", 1, 10, 490, 98, "blue"),
    ("B03", 2, 10, 560, 45, "green"),
    ("B04", 3, 10, 665, 38, "red"),
    ("B05", 4, 20, 705, 19, "rededge071"),
    ("B06", 5, 20, 740, 18, "rededge075"),
    ("B07", 6, 20, 783, 28, "rededge078"),
    ("B08", 7, 10, 842, 145, "nir"),
    ("B8A", 8, 20, 865, 33, "nir08"),
    ("B09", 9, 60, 945, 26, "nir09"),
    ("B10", 10, 60, 1375, 75, "cirrus"),
    ("B11", 11, 20, 1610, 143, "swir16"),
    ("B12", 12, 20, 2190, 242, "swir22"),
)

BANDS: dict[str, Band] = {
    name: Band(
        name=name, band_id=band_id, gsd=gsd, wavelength_nm=wavelength, bandwidth_nm=bandwidth, common_name=common
    )
    for name, band_id, gsd, wavelength, bandwidth, common in _TABLE
}

MOSAIC_BANDS: dict[int, tuple[str, ...]] = {
    10: ("B04", "B03", "B02", "B08"),
    20: ("B05", "B06", "B07", "B8A", "B11", "B12"),
}
"""Reflectance bands of the delivered files, in file order, by gsd in m; `_20` files end with year and DOY."""

DELIVERED_BANDS: tuple[str, ...] = tuple(name for names in MOSAIC_BANDS.values() for name in names)
"""All of them, in file order."""

JUDGE_BANDS: tuple[str, ...] = ("B02", "B04", "B8A", "B11")
"""Bands that judging reads at 60 m."""

JUDGE_BANDS_1C: tuple[str, ...] = ("B02", "B03", "B04", "B8A", "B11")
"""Bands of L1C that judging reads, reduced: green tells water and snow, which L1C has no classification for."""

DETECT_BANDS: tuple[str, ...] = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")
"""Bands that s2cloudless looks at, in its order. Source: its read-me."""

NODATA_DN = 0
"""DN of a pixel without data, in products and in what senard delivers."""

SATURATED_DN = 65535
"""DN of a saturated pixel in a product."""


class Scl(IntEnum):
    """Classes of the L2A scene classification. Source: ESA, Level-2A Algorithm Overview."""

    NO_DATA = 0
    SATURATED_OR_DEFECTIVE = 1
    DARK_AREA = 2
    CLOUD_SHADOW = 3
    VEGETATION = 4
    NOT_VEGETATED = 5
    WATER = 6
    UNCLASSIFIED = 7
    CLOUD_MEDIUM = 8
    CLOUD_HIGH = 9
    THIN_CIRRUS = 10
    SNOW = 11


SCL_CLEAR: frozenset[int] = frozenset({2, 4, 5, 6, 7})
"""Classes in which the ground was seen."""


LONGEST_DATATAKE = timedelta(minutes=35)
"""A tile is seen so long after the start of its datatake at most: names and catalogues state the start. Source:
protocols §2.3; an orbit takes 100 minutes, its sunlit land less than a third."""


class ProductType(Enum):
    """What the catalogues call the processing level of a product."""

    L1C = "S2MSI1C"
    """Top-of-atmosphere reflectance."""

    L2A = "S2MSI2A"
    """Bottom-of-atmosphere reflectance with scene classification."""

    L2AP = "S2MSI2Ap"
    """Pilot form of L2A, May 2017 to March 2018."""
