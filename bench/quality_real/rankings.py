"""Ways to say which of two observations of a pixel is the better one, and how good it is: lower is better."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy import ndimage

from bench.quality_real.kept import KeptScene
from senard.model.arrays import Float32Array

NDVI_STEP = 0.05
"""Width of a bin, as published."""

Ranking = Callable[[KeptScene], Float32Array]


def by_distance(scene: KeptScene) -> Float32Array:
    """Farthest from cloud and shadow first: the heart of every best-available-pixel score."""
    return -scene.distance_m


def by_hot(scene: KeptScene) -> Float32Array:
    """Least blue first; circular where haze itself is judged by HOT."""
    return scene.hot


def by_hot_of_ndvi(scene: KeptScene) -> Float32Array:
    """HOT minus the 10th percentile of the scene's clear pixels in its NDVI bin, Gaussian of 1 px."""
    clear, hot = scene.clear, scene.hot
    red, infrared = scene.reflectance("B04"), scene.reflectance("B08")
    bins = np.floor((infrared - red) / np.maximum(infrared + red, 1e-4) / NDVI_STEP).astype(np.int64)
    excess = np.zeros_like(hot)
    for number in np.unique(bins[clear]):
        inside = clear & (bins == number)
        excess[inside] = hot[inside] - np.percentile(hot[inside], 10)
    known: Float32Array = ndimage.gaussian_filter(clear.astype(np.float32), 1)
    mean: Float32Array = ndimage.gaussian_filter(np.where(clear, excess, np.float32(0)), 1)
    return np.asarray(mean / np.maximum(known, 1e-6), np.float32)


RANKINGS: Mapping[str, Ranking] = {
    "cloud distance": by_distance,
    "raw HOT (circular)": by_hot,
    "HOT of NDVI bin": by_hot_of_ndvi,
}
