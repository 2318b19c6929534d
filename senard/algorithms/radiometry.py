"""From the DN of products to the DN that senard delivers: one scale for every processing baseline."""

from dataclasses import dataclass

import numpy as np

from senard.errors import RequestError
from senard.model.arrays import UInt16Array
from senard.model.sentinel2 import NODATA_DN

DELIVERED_QUANTIFICATION = 10_000
"""Delivered DN per unit of reflectance (scale 0.0001)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonisation:
    """How DN of one band of one product become delivered DN: scale · (DN + offset), clipped to 1-65535."""

    add_offset: int
    """BOA_ADD_OFFSET, DN: -1000 since baseline 04.00, 0 before."""

    quantification: int
    """QUANTIFICATION_VALUE, DN of the product per unit of reflectance: 10000."""

    def __post_init__(self) -> None:
        if self.quantification <= 0:
            raise RequestError(
                f"expected a positive QUANTIFICATION_VALUE, found {self.quantification}: "
                "the product's XML is damaged, fetch the product again"
            )

    @property
    def scale(self) -> float:
        """Delivered DN per DN of the product: 1.0 for the products of ESA."""
        return DELIVERED_QUANTIFICATION / self.quantification


def harmonised_dn(dn: UInt16Array, harmonisation: Harmonisation) -> UInt16Array:
    """Convert DN of a product to delivered DN without resampling.

    Args:
        dn: any shape uint16, DN of the product; 0 is nodata.
        harmonisation: offset and quantification of the band in this product.

    Returns:
        Same shape uint16, reflectance · 10000 clipped to 1-65535; 0 is nodata. Reflectances at or below 0.00005,
        which baselines since 04.00 can hold and older ones cannot, become 1.
    """
    scaled = np.rint((dn.astype(np.float32) + harmonisation.add_offset) * np.float32(harmonisation.scale))
    clipped = np.clip(scaled, 1, np.iinfo(np.uint16).max).astype(np.uint16)
    return np.where(dn == NODATA_DN, np.uint16(NODATA_DN), clipped)
