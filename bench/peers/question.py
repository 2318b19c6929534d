"""What every peer is asked: the same files, window and bands. It needs the standard library alone."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CLOUDY = (0, 1, 3, 8, 9, 10)
"""Classes of the scene classification that no peer takes: nodata, defective, shadow, cloud, cirrus."""

ENOUGH = 0.01
"""Share of the window that may be missing when one that fills gap after gap stops: S2Mosaic's default."""

FINE = ("B04", "B03", "B02", "B08")
COARSE = ("B05", "B06", "B07", "B8A", "B11", "B12")
BANDS = (*FINE, *COARSE)
"""Bands of 10 and 20 m that all deliver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedProduct:
    """One product."""

    product_id: str
    """Name of the SAFE without suffix."""

    time: str
    """ISO 8601, UTC."""

    orbit: int
    """Relative orbit."""

    cloud_shadow: float
    """Percent of the product, as its XML states it, of cloud of high probability and of shadow: S2Mosaic's measure."""

    images: dict[str, str]
    """Band or "SCL" to what GDAL opens, at its own pixel size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The task of one run."""

    products: tuple[AskedProduct, ...]
    """By time."""

    crs: str
    """Of the products: "EPSG:32631"."""

    left: float
    """Of the window, m."""

    top: float
    """Of the window, m."""

    product_px: int
    """Side of the products, pixels of 10 m."""

    offset_px: int
    """Row and column of the window in the products, pixels of 10 m."""

    size_px: int
    """Its side, pixels of 10 m."""

    outline: tuple[tuple[float, float], ...]
    """The window in lon/lat, degrees, a closed ring."""

    out: str
    """Folder that takes the result, and scratch files."""

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    def clearest_first(self) -> list[AskedProduct]:
        """Products by the share of cloud and shadow that they state."""
        return sorted(self.products, key=lambda product: product.cloud_shadow)


def read_question(path: Path) -> Question:
    """What `Question.write` wrote."""
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    fields["products"] = tuple(AskedProduct(**product) for product in fields["products"])
    fields["outline"] = tuple((lon, lat) for lon, lat in fields["outline"])
    return Question(**fields)
