"""36 dates of one place in Slovenia: how the scene classification agrees with s2cloudless, date by date."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from senard.algorithms.masking import cloud_or_shadow_core, terrascope_masked
from senard.model.arrays import BoolArray, UInt8Array
from senard.model.sentinel2 import Scl

FOLDER = "s2-stack/eo-learn-36-dates-SI"

_CLOUD = (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.THIN_CIRRUS)


def measure_agreement(data: Path) -> dict[str, Any]:
    """Rows by date, and the whole; pixels of 10 m are taken in twos, so that buffers in pixels keep their metres."""
    scl = np.load(data / FOLDER / "SCL.npy")[:, ::2, ::2, 0].astype(np.uint8)
    model = np.load(data / FOLDER / "CLM.npy")[:, ::2, ::2, 0].astype(bool)
    days = [str(time)[:10] for time in json.loads((data / FOLDER / "timestamps.json").read_text())]
    flagged = {
        "SCL 8 9 10": np.isin(scl, _CLOUD),
        "senard, core of cloud": np.stack([_core(layer) for layer in scl]),
        "Terrascope mask": np.stack([terrascope_masked(layer) for layer in scl]),
    }
    dates = [
        {"day": day, "s2cloudless": float(model[index].mean()),
         **{name: _against(layers[index], model[index]) for name, layers in flagged.items()}}
        for index, day in enumerate(days)
    ]  # fmt: skip
    return {"dates": dates, "all": {name: _against(layers, model) for name, layers in flagged.items()}}


def _core(scl: UInt8Array) -> BoolArray:
    """Cores of cloud without those of shadow."""
    core: BoolArray = cloud_or_shadow_core(scl) & (scl != Scl.CLOUD_SHADOW)
    return core


def _against(flagged: BoolArray, cloudy: BoolArray) -> dict[str, float]:
    """Share flagged, share alike, share of the model's cloud that is found, share of its clear that is flagged."""
    return {
        "share": float(flagged.mean()),
        "alike": float(np.mean(flagged == cloudy)),
        "found": float(flagged[cloudy].mean()) if cloudy.any() else float("nan"),
        "false": float(flagged[~cloudy].mean()) if (~cloudy).any() else float("nan"),
    }
