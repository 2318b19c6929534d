"""What the processing to Level-1C calls cloud: MSK_CLASSI as a raster, MSK_CLOUDS as polygons."""

from pathlib import PurePosixPath
from typing import Any

import numpy as np
from lxml import etree
from rasterio import Affine
from rasterio.features import rasterize

from senard.errors import UnusableSceneError
from senard.io.jp2 import read_picture
from senard.io.safe import image_path
from senard.io.safe_images import CLOUD_POLYGONS
from senard.io.safe_members import open_safe
from senard.io.safe_xml import find_text, parse_xml
from senard.model.arrays import BoolArray
from senard.model.grid import Grid
from senard.model.masks import CloudClasses
from senard.model.product import Sentinel2Product

Rings = list[list[tuple[float, float]]]
"""Outer ring and holes of one polygon, x y in the product's CRS, m."""


def read_cloud_classes(product: Sentinel2Product) -> CloudClasses:
    """Read opaque cloud, cirrus and snow of a product, of L1C or of an L2A that carries them.

    Args:
        product: from `read_product`.

    Returns:
        The mask at 60 m, on the product's own grid.

    Raises:
        UnusableSceneError: the product has neither raster nor polygons, or they do not fit its grid.
        TransientError: the disk does not answer.
    """
    if "CLASSI" in product.images:
        return _from_raster(product)
    members = open_safe(product.root)
    places = [place for place in sorted(members.sizes) if PurePosixPath(place).name == CLOUD_POLYGONS]
    if not places:
        raise UnusableSceneError(
            f"{product.scene.product_id}: expected MSK_CLASSI_B00.jp2, or before baseline 04.00 {CLOUD_POLYGONS}, in "
            f"QI_DATA, found neither. Fetch the product again, or choose other evidence: --cloud-masks."
        )
    return _from_polygons(members.read(places[0]), product.grids[60], f"{product.scene.product_id}: {places[0]}")


def _from_raster(product: Sentinel2Product) -> CloudClasses:
    """MSK_CLASSI_B00.jp2: three layers of 0 and 1."""
    layers = read_picture(image_path(product, "CLASSI")) > 0
    expected = product.grids[60].shape
    if layers.shape[1:] != expected:
        raise UnusableSceneError(
            f"{product.scene.product_id}: expected MSK_CLASSI with {expected[0]} x {expected[1]} pixels as the XML "
            f"says, found {layers.shape[1]} x {layers.shape[2]}. Fetch the product again, or leave it out."
        )
    return CloudClasses(opaque=layers[0], cirrus=layers[1], snow=layers[2])


def _from_polygons(data: bytes, grid: Grid, what: str) -> CloudClasses:
    """MSK_CLOUDS_B00.gml: features OPAQUE and CIRRUS, which follow the pixels of 60 m; an empty one is a clear sky."""
    root = parse_xml(data, what)
    envelope = next(root.iterfind(".//{*}Envelope"), None)
    crs = "" if envelope is None else str(envelope.get("srsName") or "")
    if crs and crs.rsplit(":", 1)[-1] != grid.crs.rsplit(":", 1)[-1]:
        raise UnusableSceneError(f"{what}: expected polygons in {grid.crs}, found {crs}. Fetch the product again.")
    found: dict[str, list[Rings]] = {"OPAQUE": [], "CIRRUS": []}
    for feature in root.iterfind(".//{*}MaskFeature"):
        kind = find_text(feature, "maskType") or ""
        if kind in found:
            found[kind] += [_rings(polygon, what) for polygon in feature.iterfind(".//{*}Polygon")]
    opaque, cirrus = (_burnt(found[kind], grid) for kind in ("OPAQUE", "CIRRUS"))
    return CloudClasses(opaque=opaque, cirrus=cirrus, snow=np.zeros(grid.shape, dtype=np.bool_))


def _rings(polygon: etree._Element, what: str) -> Rings:
    """Rings of one polygon, the outer one first."""
    rings: Rings = []
    for side in ("exterior", "interior"):
        for positions in polygon.iterfind(f"{{*}}{side}/{{*}}LinearRing/{{*}}posList"):
            step = int(positions.get("srsDimension") or 2)
            try:
                numbers = [float(text) for text in (positions.text or "").split()]
                ring = list(zip(numbers[::step], numbers[1::step], strict=True))
            except ValueError as error:
                raise UnusableSceneError(f"{what}: a ring is no list of x y ({error}). Fetch it again.") from error
            if len(ring) < 4 or not np.isfinite(numbers).all():
                raise UnusableSceneError(f"{what}: a ring has {len(ring)} points, expected 4 or more. Fetch it again.")
            rings.append(ring)
    return rings


def _burnt(polygons: list[Rings], grid: Grid) -> BoolArray:
    """True where the middle of a pixel lies in a polygon, (y, x)."""
    shapes: list[tuple[dict[str, Any], int]] = [
        ({"type": "Polygon", "coordinates": rings}, 1) for rings in polygons if rings
    ]
    if not shapes:
        return np.zeros(grid.shape, dtype=np.bool_)
    burnt = rasterize(shapes, out_shape=grid.shape, transform=Affine.from_gdal(*grid.geotransform), dtype="uint8")
    return np.asarray(burnt) > 0
