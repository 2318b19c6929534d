"""Cloud and shadow labelled by hand on one scene of level L1C: what the evidence that needs no classification finds.

The scene has no place, time, angles, pixel size or classification. Haze evidence takes all pixels for clear, at 20 m a
pixel; the way of the shadows is the one of 24 directions whose zone is darkest in the near infrared.
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from senard.algorithms.haze import HAZE_CAP, HazeRasters, scene_haze
from senard.algorithms.shadow_zone import Drift, shadow_zone
from senard.model.arrays import BoolArray, Float32Array, UInt16Array
from senard.model.masks import ZONE_LIKELY

FILE = "s2-labelled/ukis-csmask-north-half/sentinel2_rows000-255.npz"
SHADOW, WATER, CLOUD = 0, 1, 4
"""Labels."""
HAZY = 0.010
"""Haze from which an observation is rejected."""
NODES = 23


def measure_labelled(data: Path) -> dict[str, Any]:
    """Figures against the labels; the labels are used for nothing else."""
    bands, label = read_labelled(data)
    nowhere = np.zeros(label.shape, np.bool_)
    rasters = HazeRasters(
        b02=bands["B02"], b04=bands["B04"], b8a=bands["B8A"], clear=~nowhere, cloud=nowhere, water=nowhere
    )
    haze = scene_haze(rasters, gsd=20.0)
    cloud = label == CLOUD
    rows = {f"cloud, haze > {limit:.3f}": _against(haze > limit, cloud) for limit in (HAZY, 0.9 * HAZE_CAP)}
    zone = _zone(haze > 0.9 * HAZE_CAP, bands)
    coarse = label[1::3, 1::3][: zone.shape[0], : zone.shape[1]]
    rows["shadow, likely zone"] = _against(zone[coarse != CLOUD], (coarse == SHADOW)[coarse != CLOUD])
    return {"auc of haze for cloud": _auc(haze[cloud], haze[~cloud]), "rows": rows}


def read_labelled(data: Path) -> tuple[dict[str, UInt16Array], np.ndarray[Any, Any]]:
    """Bands as DN, and labels."""
    with np.load(data / FILE) as file:
        image, label = file["img"], file["msk"][..., 0]
    places = {"B02": 0, "B04": 2, "B8A": 3, "B11": 4}
    return {name: np.rint(image[..., place] * 10_000).astype(np.uint16) for name, place in places.items()}, label


def _zone(cloud: BoolArray, bands: dict[str, UInt16Array]) -> BoolArray:
    """Zone of likely shadow at 60 m in the direction that is darkest there."""
    far = cloud[1::3, 1::3]
    b8a, b11 = (bands[name][1::3, 1::3] for name in ("B8A", "B11"))
    best, darkest = np.zeros_like(far), np.float64(0)
    for degrees in range(0, 360, 15):
        ones = np.ones((NODES, NODES), np.float32)
        drift = Drift.of(45 * ones, degrees * ones, 0 * ones, 0 * ones)
        zone = shadow_zone(far, ~far, np.zeros_like(far), b8a, b11, drift) == ZONE_LIKELY
        if (zone & ~far).sum() < 100 or (~zone & ~far).sum() < 100:
            continue
        contrast = b8a[~zone & ~far].mean() - b8a[zone & ~far].mean()
        if contrast > darkest:
            best, darkest = zone, contrast
    return best


def _against(found: BoolArray, truth: BoolArray) -> dict[str, float]:
    """Share of the truth found, share of the found that is true, Cohen's kappa."""
    alike = float(np.mean(found == truth))
    chance = float(found.mean() * truth.mean() + (1 - found.mean()) * (1 - truth.mean()))
    return {
        "found": float(found[truth].mean()),
        "true": float(truth[found].mean()) if found.any() else float("nan"),
        "kappa": (alike - chance) / (1 - chance),
    }


def _auc(high: Float32Array, low: Float32Array) -> float:
    ranks = stats.rankdata(np.concatenate([high, low]))
    return float((ranks[: high.size].sum() - high.size * (high.size + 1) / 2) / (high.size * low.size))
