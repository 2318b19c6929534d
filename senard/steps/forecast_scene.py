"""Forecast one product: what its small scene classification says, and what its parts weigh."""

from pathlib import Path

import numpy as np

from senard.algorithms.forecast import judge_classes
from senard.errors import UnusableSceneError
from senard.io.atomic import listed_directory
from senard.io.forecast_folder import write_forecast
from senard.io.jp2 import read_image
from senard.io.manifest import read_manifest
from senard.io.safe import image_path, read_product
from senard.io.safe_images import belongs_to
from senard.io.safe_members import open_safe
from senard.io.scenes_file import pass_verdict_on, write_verdict
from senard.model.plan import PartSizes, SceneForecast
from senard.model.product import Part, Sentinel2Product
from senard.model.sentinel2 import ProductType
from senard.steps.unzip import only_product


def forecast_scene(download: Path, out: Path) -> Path:
    """Read a product's scene classification at 60 m, whatever else of it is here; nothing is unpacked.

    Args:
        download: downloads/<product_id>/<part>, holding NAME.zip or NAME.SAFE, or a verdict, which is passed on.
        out: forecasts/<product_id>: gets classes_60.tif and forecast.json; or unusable.json alone.

    Returns:
        out.
    """
    with listed_directory(out) as folder:
        if not pass_verdict_on(download, folder):
            try:
                _forecast_into(read_product(only_product(download)), folder)
            except UnusableSceneError as error:
                write_verdict(folder, download.parent.name, str(error))
    return out


def _forecast_into(product: Sentinel2Product, folder: Path) -> None:
    """Judge the classes and write the forecast's folder."""
    if product.scene.product_type is ProductType.L1C or "SCL_60" not in product.images:
        raise UnusableSceneError(
            f"{product.scene.product_id}: expected a scene classification at 60 m, found none: L1C and some early "
            f"products have none. The forecast goes by the catalogue's percentage."
        )
    scl = read_image(image_path(product, "SCL_60")).astype(np.uint8)
    grid = product.grids[60]
    if scl.shape != grid.shape:
        raise UnusableSceneError(
            f"{product.scene.product_id}: expected SCL at 60 m with {grid.height} x {grid.width} pixels as the XML "
            f"says, found {scl.shape[0]} x {scl.shape[1]}. Fetch the product again."
        )
    mask = judge_classes(scl)
    forecast = SceneForecast(
        product_id=product.scene.product_id,
        grid=grid,
        sun_zenith=float(np.nanmean(product.sun.zenith)),
        sizes=part_sizes(product),
    )
    write_forecast(folder, forecast, (mask.classes, mask.distance, mask.clear_share))


def part_sizes(product: Sentinel2Product) -> PartSizes:
    """What the parts of a product weigh by its manifest; by its files where it has none."""
    members = open_safe(product.root)
    sizes = {place: stated.size for place, stated in read_manifest(members).items()} or dict(members.sizes)
    kind = product.scene.product_type
    judge = {place for place in sizes if belongs_to(place, kind, Part.JUDGE)}
    return PartSizes(
        classes=sum(size for place, size in sizes.items() if belongs_to(place, kind, Part.CLASSES)),
        judge=sum(sizes[place] for place in judge),
        bands=sum(size for place, size in sizes.items() if place not in judge and belongs_to(place, kind, Part.BANDS)),
        whole=sum(sizes.values()),
    )
