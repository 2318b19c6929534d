"""The folder that holds the forecast of one product: classes_60.tif and forecast.json."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from senard.io.geotiff import write_scratch
from senard.io.results import read_result
from senard.model.arrays import UInt8Array
from senard.model.grid import Grid
from senard.model.plan import PartSizes, SceneForecast

RASTER = "classes_60.tif"
FIGURES = "forecast.json"

FORECAST_BANDS: tuple[str, ...] = ("class", "distance", "clear_share")
"""Bands of classes_60.tif, uint8, as those of a mask folder, on pixels of 60 m."""


def write_forecast(folder: Path, forecast: SceneForecast, bands: tuple[UInt8Array, UInt8Array, UInt8Array]) -> None:
    """Write the forecast of one product into an empty folder.

    Args:
        folder: exists; whoever calls sees to it that it appears whole.
        forecast: figures of the product.
        bands: FORECAST_BANDS in order, (y, x) uint8.
    """
    write_scratch(folder / RASTER, forecast.grid, dict(zip(FORECAST_BANDS, bands, strict=True)))
    text = json.dumps(dataclasses.asdict(forecast), indent=1, sort_keys=True)
    (folder / FIGURES).write_text(text + "\n", encoding="utf-8")


def read_forecast(folder: Path) -> SceneForecast:
    """Read forecast.json.

    Raises:
        IncompleteError: if the folder holds none that can be read.
    """
    return read_result(folder / FIGURES, _forecast, delete=folder, maker="ForecastScene")


def _forecast(values: Mapping[str, Any]) -> SceneForecast:
    return SceneForecast(
        product_id=values["product_id"],
        grid=Grid(**values["grid"]),
        sun_zenith=values["sun_zenith"],
        sizes=PartSizes(**values["sizes"]),
    )
