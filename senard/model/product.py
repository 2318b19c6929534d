"""What a SAFE says of itself: the product's own XML, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from senard.model.arrays import Float32Array
from senard.model.grid import Grid
from senard.model.scene import Sentinel2Scene


class Part(Enum):
    """Which members of a product are wanted."""

    PREVIEW = "preview"
    """XML and the small picture (PVI): what a preview shows."""

    CLASSES = "classes"
    """XML and the scene classification at 60 m: the least that tells clouds from ground."""

    JUDGE = "judge"
    """XML, masks, SCL, probabilities, AOT and the 60 m bands, of L1C five bands: what judging reads."""

    DETECT = "detect"
    """JUDGE, and the ten bands of L1C that s2cloudless looks at."""

    BANDS = "bands"
    """XML and the 10 m and 20 m bands that the mosaic delivers."""

    ALL = "all"
    """Everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AngleGrid:
    """Zenith and azimuth at nodes 5000 m apart; node (0, 0) is the upper left corner of the MGRS tile."""

    zenith: Float32Array
    """(23, 23) float32, degrees; NaN where nothing is known."""

    azimuth: Float32Array
    """(23, 23) float32, degrees clockwise from north; NaN where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinel2Product:
    """One readable SAFE, folder or zip: where its images lie and how their DN become physical values."""

    root: Path
    """The zip, or the SAFE folder."""

    scene: Sentinel2Scene
    """Identity, time, orbit, cloud cover, footprint."""

    images: Mapping[str, str]
    """Image key to the file's place inside the SAFE (the SAFE's own folder excluded), gsd in the key:
    "B04_10": "GRANULE/L2A_T31TCJ_…/IMG_DATA/R10m/T31TCJ_…_B04_10m.jp2"; further keys "SCL_20", "AOT_60",
    "CLDPRB_20", "SNWPRB_20" (also _60), "DETFOO_B04", "CLASSI", "PVI". L1C bands carry their native gsd."""

    grids: Mapping[int, Grid]
    """gsd in m to the product's own UTM grid: 10, 20, 60."""

    add_offset: Mapping[str, int]
    """Band to BOA_ADD_OFFSET or RADIO_ADD_OFFSET, DN: {"B04": -1000}; 0 where the XML names none."""

    quantification: int
    """DN per unit of reflectance: 10000."""

    aot_quantification: float
    """DN per unit of aerosol optical thickness: 1000."""

    sun: AngleGrid
    """Sun angles."""

    view: AngleGrid
    """View angles, all delivered bands and detectors merged; empty nodes filled from the nearest."""

    class_shares: Mapping[str, float]
    """Shares that the granule's XML states, percent: {"CLOUDY_PIXEL_PERCENTAGE": 41.9}."""

    simulated: bool
    """True if the product's own XML says that it was simulated."""
