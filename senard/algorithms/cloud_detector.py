"""s2cloudless, a cloud detector of its own licence (CC BY-SA 4.0) that senard neither holds nor changes: an extra.

It goes by pixels and was trained on 10 m; its authors run it on 160 m. Its published examples smooth over 4 pixels and
widen by 2 at 60 m, 22 and 11 at 10 m. Here a pixel has 120 m, which costs a quarter of 60 m, and the same 240 m and
120 m on the ground are 2 pixels and 1.

Source: Sentinel Hub, read-me and examples of s2cloudless 1.7 (threshold 0.4); "Cloud Masks at Your Service" (160 m).
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from senard.errors import RequestError
from senard.model.arrays import BoolArray, Float32Array, UInt8Array, UInt16Array
from senard.model.masks import NO_PROBABILITY
from senard.model.sentinel2 import DETECT_BANDS, NODATA_DN

PACKAGE = "s2cloudless"
THRESHOLD = 0.4
"""Smoothed probability above which a pixel is cloud, 0-1: the package's default."""
AVERAGE_OVER_PX = 2
"""Radius over which the probability is smoothed, px of 120 m."""
DILATION_PX = 1
"""Radius by which clouds are widened, px of 120 m."""
CIRRUS_BAND = "B10"
"""Dark wherever there is no cirrus."""
BLOCK = 2
"""A pixel of the detector is 2 x 2 pixels of 60 m."""

_INSTALL = 'pip install "senard[s2cloudless]" adds it (its licence is CC BY-SA 4.0), or leave it out of --cloud-masks.'


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedClouds:
    """What the detector says, (y, x) at 60 m."""

    probability: UInt8Array
    """Percent; 255 where a band other than B10 has no data."""

    cloudy: BoolArray
    """True is cloud, widened."""


def require_s2cloudless() -> None:
    """Say at once that the package is missing.

    Raises:
        RequestError: it is not installed.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise RequestError(f"--cloud-masks s2cloudless: the package s2cloudless is not installed. {_INSTALL}")


def detect_clouds(bands: Mapping[str, UInt16Array]) -> DetectedClouds:
    """Run s2cloudless on one scene.

    Args:
        bands: DETECT_BANDS, (y, x) uint16 at 60 m, harmonised DN of top-of-atmosphere reflectance; 0 is nodata.

    Returns:
        Probability and clouds on the same pixels; blocks of 2 x 2 are alike.

    Raises:
        RequestError: the package is not installed, or cannot be loaded.
    """
    planes = [bands[name] for name in DETECT_BANDS]
    shape = planes[0].shape
    # Without an offset (before baseline 04.00) noise turns the darkest pixels of B10 into 0: others say what is known.
    known = np.logical_and.reduce([bands[name] > NODATA_DN for name in DETECT_BANDS if name != CIRRUS_BAND])
    seen = _block_sum(known.astype(np.float32))
    stack = np.stack([_block_sum(np.where(known, plane, 0).astype(np.float32)) for plane in planes], axis=-1)
    stack /= np.maximum(seen, 1)[..., np.newaxis] * np.float32(10_000)
    detector = _detector()
    # One thread: how much runs at once is --njobs, and OpenMP does not survive the fork of Luigi's workers.
    probability = detector.get_cloud_probability_maps(stack[np.newaxis], num_threads=1)
    probability = np.where(seen > 0, probability, np.float32(0))
    cloudy = np.asarray(detector.get_mask_from_prob(probability)[0]) > 0
    percent = np.rint(np.clip(probability[0], 0, 1) * 100).astype(np.uint8)
    return DetectedClouds(
        probability=np.where(known, _repeated(percent, shape), np.uint8(NO_PROBABILITY)),
        cloudy=_repeated(cloudy, shape) & known,
    )


def _detector() -> Any:
    """The detector of the package; its model is loaded when it is first asked."""
    require_s2cloudless()
    try:
        package = importlib.import_module(PACKAGE)
    except (ImportError, OSError) as error:  # a library of LightGBM or OpenCV that the system lacks
        raise RequestError(f"--cloud-masks: s2cloudless cannot be loaded ({error}). {_INSTALL}") from error
    return package.S2PixelCloudDetector(
        threshold=THRESHOLD, average_over=AVERAGE_OVER_PX, dilation_size=DILATION_PX, all_bands=False
    )


def _block_sum(values: Float32Array) -> Float32Array:
    """Sums of BLOCK x BLOCK pixels, (y', x') float32; beyond the edge there is nothing."""
    padded = np.pad(values, [(0, -size % BLOCK) for size in values.shape])
    rows, cols = (size // BLOCK for size in padded.shape)
    return padded.reshape(rows, BLOCK, cols, BLOCK).sum(axis=(1, 3), dtype=np.float32)


def _repeated(values: Any, shape: tuple[int, ...]) -> Any:
    """Every value BLOCK x BLOCK times, cut to a shape."""
    return np.repeat(np.repeat(values, BLOCK, axis=0), BLOCK, axis=1)[: shape[0], : shape[1]]
