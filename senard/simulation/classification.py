"""A scene classification with Sen2Cor's kind of errors, derived by rules from the simulated image alone.

Because rules decide and not dice, errors hang together as real ones do: thin cloud is missed over whole banks, half of
the shade goes unseen where the ground is bright, white roofs and sand are taken for cloud.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from senard.model.arrays import BoolArray, Float32Array, UInt8Array
from senard.model.sentinel2 import Scl
from senard.simulation.ground import BAND_NAMES

SATURATED = 1.0
"""Reflectance above which a pixel counts as saturated: roofs and greenhouses that mirror the sun."""

_CLOUD_DOUBT = 0.4
_SHADOW_DOUBT = 0.11
# Deviation of the logarithm by which likelihood of cloud and thresholds of shade vary over 2 to 3 km.


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What L2A says about its pixels at 20 m."""

    scl: UInt8Array
    """(y, x) uint8, classes of `Scl`."""

    cloud_probability: UInt8Array
    """(y, x) uint8, percent."""

    snow_probability: UInt8Array
    """(y, x) uint8, percent."""


def classify(reflectance: Float32Array, hints: Float32Array | None = None) -> Classification:
    """Judge a simulated image pixel by pixel.

    Args:
        reflectance: (12, y, x) float32, BAND_NAMES; NaN is nodata.
        hints: (3, y, x) float32: reflectance of cirrus as band 10 shows it, and two fields of doubt (deviation 1.3)
            by which whole banks of cloud and whole shadows are taken or missed; None leaves all of it out.
    """
    if hints is None:
        hints = np.zeros((3, *reflectance.shape[1:]), dtype=np.float32)
    nodata: BoolArray = np.asarray(np.isnan(reflectance).any(axis=0))
    band = dict(zip(BAND_NAMES, np.where(nodata, np.float32(0.1), reflectance), strict=True))
    ndvi = _ratio(band["B8A"], band["B04"])
    ndsi = _ratio(band["B03"], band["B11"])
    snow = np.clip((ndsi - 0.2) / 0.4, 0, 1) * np.clip((band["B03"] - 0.12) / 0.15, 0, 1)
    snow *= band["B11"] < 0.22
    cloud = np.clip(_cloud_likelihood(band, ndvi) * np.exp(np.float32(_CLOUD_DOUBT) * hints[1]), 0, 1) * (1 - snow)
    scl = _land(band, ndvi, np.exp(np.float32(_SHADOW_DOUBT) * hints[2]))
    blue = band["B02"] - 0.5 * band["B04"]
    scl[(blue > 0.062) & (ndvi < 0.70) & (cloud > 0.10)] = Scl.THIN_CIRRUS
    scl[hints[0] > 0.045 * np.exp(np.float32(0.5) * hints[1])] = Scl.THIN_CIRRUS
    scl[cloud > 0.46] = Scl.CLOUD_MEDIUM
    scl[cloud > 0.65] = Scl.CLOUD_HIGH
    scl[snow > 0.5] = Scl.SNOW
    scl[(band["B02"] > SATURATED) | (band["B04"] > SATURATED)] = Scl.SATURATED_OR_DEFECTIVE
    scl[nodata] = Scl.NO_DATA
    return Classification(
        scl=scl,
        cloud_probability=_percent(cloud, nodata),
        snow_probability=_percent(snow, nodata),
    )


def _ratio(high: Float32Array, low: Float32Array) -> Float32Array:
    """Normalised difference, -1 to 1."""
    return (high - low) / np.maximum(high + low, np.float32(1e-3))


def _cloud_likelihood(band: dict[str, Float32Array], ndvi: Float32Array) -> Float32Array:
    """0-1: bright in the blue and red, and not green."""
    bright = np.clip((0.5 * (band["B02"] + band["B04"]) - 0.108) / 0.16, 0, 1)
    white = np.clip((0.62 - ndvi) / 0.25, 0, 1)
    blue = np.clip((band["B02"] / np.maximum(band["B04"], np.float32(0.01)) - 0.58) / 0.20, 0, 1)
    return bright * white * blue


def _land(band: dict[str, Float32Array], ndvi: Float32Array, doubt: Float32Array) -> UInt8Array:
    """Classes of what is not cloud; shade is looked for below thresholds times `doubt`."""
    scl = np.full(ndvi.shape, Scl.UNCLASSIFIED, dtype=np.uint8)
    scl[ndvi < 0.385] = Scl.NOT_VEGETATED
    scl[ndvi > 0.405] = Scl.VEGETATION
    water = (_ratio(band["B03"], band["B8A"]) > 0.05) & (band["B8A"] < 0.16) & (band["B11"] < 0.09)
    dark = (band["B8A"] < 0.160 * doubt) & (band["B11"] < 0.126 * doubt)
    scl[dark] = Scl.DARK_AREA
    # Shade is blue (its light comes from the sky): dark in the NIR and SWIR, not so dark in the blue.
    scl[dark & (band["B02"] > 0.55 * band["B04"]) & (band["B8A"] > 0.02)] = Scl.CLOUD_SHADOW
    scl[water] = Scl.WATER
    return scl


def _percent(share: Float32Array, nodata: BoolArray) -> UInt8Array:
    percent = np.rint(share * 100).astype(np.uint8)
    percent[nodata] = 0
    return percent


def class_shares(counts: npt.NDArray[np.int64]) -> dict[str, float]:
    """Shares of the classes as MTD_TL.xml states them.

    Args:
        counts: (12,) pixels of each class.

    Returns:
        Element name to percent; classes are shares of the pixels with data, nodata of all pixels.
    """
    valid = max(int(counts[1:].sum()), 1)
    names = {
        "SATURATED_DEFECTIVE": 1,
        "DARK_FEATURES": 2,
        "CLOUD_SHADOW": 3,
        "VEGETATION": 4,
        "NOT_VEGETATED": 5,
        "WATER": 6,
        "UNCLASSIFIED": 7,
        "MEDIUM_PROBA_CLOUDS": 8,
        "HIGH_PROBA_CLOUDS": 9,
        "THIN_CIRRUS": 10,
        "SNOW_ICE": 11,
    }
    shares = {f"{name}_PERCENTAGE": 100.0 * int(counts[number]) / valid for name, number in names.items()}
    shares["NODATA_PIXEL_PERCENTAGE"] = 100.0 * int(counts[0]) / max(int(counts.sum()), 1)
    shares["SATURATED_DEFECTIVE_PIXEL_PERCENTAGE"] = shares.pop("SATURATED_DEFECTIVE_PERCENTAGE")
    shares["CLOUDY_PIXEL_PERCENTAGE"] = sum(
        shares[f"{name}_PERCENTAGE"] for name in ("MEDIUM_PROBA_CLOUDS", "HIGH_PROBA_CLOUDS", "THIN_CIRRUS")
    )
    land = max(valid - int(counts[6]), 1)
    shares["CLOUDY_PIXEL_OVER_LAND_PERCENTAGE"] = 100.0 * int(counts[8:11].sum()) / land
    return shares
