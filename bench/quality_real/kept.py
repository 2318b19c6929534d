"""Real acquisitions kept at 120 m: two neighbouring tiles of Slovenia on three dates of August 2023."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio
from lxml import etree
from scipy import ndimage

from senard.algorithms.shadow_zone import Drift
from senard.io.safe_angles import read_sun_angles, read_view_angles
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.sentinel2 import SCL_CLEAR, Scl

FOLDER = "s2-safe/mapchete-eo-33TWM-33TWL"
TILES = ("33TWM", "33TWL")
CLEAREST, MIXED, CLOUDY = "20230815", "20230818", "20230810"
"""Almost clear; 42 % cloud; 69 % cloud."""
DATES = (CLOUDY, CLEAREST, MIXED)
BANDS = ("B02", "B03", "B04", "B08")
PIXEL_M = 120
"""Side of a kept pixel, m."""
INTERIOR_M = 600.0
"""Ground of the clear date counts as truth where it lies farther than this from cloud or shadow, m."""

_OBSCURED = (Scl.CLOUD_SHADOW, Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.THIN_CIRRUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptScene:
    """One kept product, (y, x) at 120 m."""

    product_id: str
    """Name of the original product."""

    mgrs_tile: str
    """"33TWM"."""

    time: datetime
    """Start of the datatake, UTC."""

    left: float
    """x of the left edge, EPSG:32633, m."""

    top: float
    """y of the top edge, m."""

    dn: Mapping[str, UInt16Array]
    """BANDS, 10000 per unit of reflectance, without offset; 0 is nodata."""

    scl: UInt8Array
    """Scene classification; 12 (left by lossy compression) is UNCLASSIFIED here."""

    cloud_probability: UInt8Array
    """Percent."""

    snow_probability: UInt8Array
    """Percent."""

    sun_zenith: float
    """Mean, degrees."""

    drift: Drift
    """Way of the shadows."""

    @property
    def valid(self) -> BoolArray:
        """True where the scene has data."""
        return np.asarray((self.dn["B02"] > 0) & (self.scl != Scl.NO_DATA), np.bool_)

    @property
    def clear(self) -> BoolArray:
        """True where the scene classification says clear: 2, 4, 5, 6, 7."""
        clear: BoolArray = self.valid & np.isin(self.scl, [int(value) for value in SCL_CLEAR])
        return clear

    @property
    def distance_m(self) -> Float32Array:
        """To the nearest pixel of cloud, cirrus or shadow, m."""
        away: Float32Array = ndimage.distance_transform_edt(~np.isin(self.scl, _OBSCURED)).astype(np.float32)
        return away * np.float32(PIXEL_M)

    @property
    def interior(self) -> BoolArray:
        """Where the scene may serve as truth."""
        return self.clear & (self.distance_m > INTERIOR_M)

    def reflectance(self, band: str) -> Float32Array:
        """A band, unitless."""
        return np.asarray(self.dn[band] / 10_000, np.float32)

    @property
    def hot(self) -> Float32Array:
        """B02 - B04 / 2, reflectance."""
        return np.asarray(self.reflectance("B02") - 0.5 * self.reflectance("B04"), np.float32)


def read_kept(data: Path, mgrs_tile: str, day: str) -> KeptScene:
    """Read one scene.

    Args:
        data: folder of the reference data.
        mgrs_tile: one of TILES.
        day: one of DATES.
    """
    folder = next((data / FOLDER).glob(f"S2?_{mgrs_tile}_{day}_0_L2A"))
    properties = json.loads(next(folder.glob("*.json")).read_text())["properties"]
    product_id = str(properties["s2:product_uri"]).removesuffix(".SAFE")
    quality = next(folder.glob("GRANULE/*/QI_DATA"))
    root = etree.parse(folder / "granule_metadata.xml").getroot()
    sun, view = read_sun_angles(root), read_view_angles(root)
    scl = _read(folder / "SCL.tif").astype(np.uint8)
    with rasterio.open(folder / "B02.tif") as file:
        left, top = file.transform.c, file.transform.f
    return KeptScene(
        product_id=product_id,
        mgrs_tile=mgrs_tile,
        time=datetime.strptime(product_id.split("_")[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC),
        left=left,
        top=top,
        dn={band: _read(folder / f"{band}.tif") for band in BANDS},
        scl=np.where(scl > Scl.SNOW, np.uint8(Scl.UNCLASSIFIED), scl),
        cloud_probability=np.minimum(_read(quality / "MSK_CLDPRB_20m.jp2"), 100).astype(np.uint8),
        snow_probability=np.minimum(_read(quality / "MSK_SNWPRB_20m.jp2"), 100).astype(np.uint8),
        sun_zenith=float(np.nanmean(sun.zenith)),
        drift=Drift.of(sun.zenith, sun.azimuth, view.zenith, view.azimuth),
    )


def _read(path: Path) -> UInt16Array:
    with rasterio.open(path) as file:
        pixels: UInt16Array = file.read(1)
    return pixels
