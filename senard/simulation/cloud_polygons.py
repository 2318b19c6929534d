"""MSK_CLOUDS of baselines before 04.00: the classes of cloud as polygons along the pixels of 60 m."""

from collections.abc import Sequence

import numpy as np
from affine import Affine
from rasterio.features import shapes

from senard.model.arrays import UInt8Array
from senard.model.grid import Grid


def cloud_rings(strips: Sequence[UInt8Array], grid: Grid) -> dict[str, list[float]]:
    """Outlines of opaque cloud and cirrus.

    Real polygons have no holes: what a cloud surrounds counts as cloud. So it is here.

    Args:
        strips: (2 or more, y, x) uint8 at 60 m, opaque cloud and cirrus, north to south.
        grid: the product's 60 m grid.

    Returns:
        Id of the feature, "OPAQUE.0" or "CIRRUS.0", to x y x y … in the product's CRS, m, the first point again at the
        end.
    """
    classes = np.concatenate(strips, axis=1)
    transform = Affine.from_gdal(*grid.geotransform)
    rings: dict[str, list[float]] = {}
    for kind, layer in zip(("OPAQUE", "CIRRUS"), classes, strict=False):
        found = shapes(layer, mask=layer > 0, connectivity=4, transform=transform)
        for number, (shape, _) in enumerate(found):
            outer = shape["coordinates"][0]
            rings[f"{kind}.{number}"] = [float(value) for point in outer for value in point]
    return rings
