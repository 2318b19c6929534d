"""Judge one product on its own grid: what is cloud, shadow, snow, valid ground, and how clear its surroundings are."""

from pathlib import Path

import numpy as np

from senard.algorithms.evidence import scene_evidence
from senard.algorithms.masking import JudgeRasters, SceneMask, harmonised, judge, legal_classes, looks_like_snow
from senard.algorithms.nearest import resized
from senard.algorithms.shadow_zone import Drift
from senard.errors import RequestError, UnusableSceneError
from senard.io.atomic import partial_directory
from senard.io.jp2 import read_image
from senard.io.mask_folder import write_mask_folder
from senard.io.safe import image_path, read_product
from senard.io.scenes_file import pass_verdict_on, write_verdict
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array
from senard.model.masks import AOT_UNITS, CLASS_VALID, MASK_BANDS_20, SCL_BITS, SceneJudgement
from senard.model.product import Sentinel2Product
from senard.model.sentinel2 import JUDGE_BANDS, MOSAIC_BANDS, NODATA_DN, SCL_CLEAR, ProductType


def mask_scene(safe: Path, out: Path) -> Path:
    """Judge one product; what comes out depends on the product alone, never on a request.

    Args:
        safe: folder safe/<product_id>/<part> that holds NAME.SAFE, or unusable.json.
        out: folder masks/<product_id>: gets scene_20.tif, scene_60.tif and scene.json; or unusable.json alone where
            the product cannot be used.

    Returns:
        out.

    Raises:
        RequestError: for a product of level L1C.
    """
    with partial_directory(out) as folder:
        if not pass_verdict_on(safe, folder):
            try:
                _judge_into(_product(safe), folder)
            except UnusableSceneError as error:
                for leftover in folder.iterdir():
                    leftover.unlink()
                write_verdict(folder, safe.parent.name, str(error))
    return out


def _product(safe: Path) -> Sentinel2Product:
    """The one SAFE of a folder."""
    found = sorted(path for path in safe.iterdir() if path.suffix.upper() == ".SAFE")
    if len(found) != 1:
        raise UnusableSceneError(
            f"{safe.parent.name}: expected one folder NAME.SAFE in {safe}, found {len(found)}. "
            f"Delete {safe} and run the same command again."
        )
    product = read_product(found[0])
    if product.scene.product_type is ProductType.L1C:
        raise RequestError(
            f"{product.scene.product_id}: expected a product of level L2A, found L1C, which has no scene "
            f"classification. Masks for L1C are not made yet: ask for L2A products (S2MSI2A) of the same dates."
        )
    return product


def _judge_into(product: Sentinel2Product, folder: Path) -> None:
    """Read what judging needs, judge, and write the mask folder."""
    judge_bands = {name: _band_60(product, name) for name in JUDGE_BANDS}
    rasters = _judge_rasters(product, judge_bands)
    mask = judge(rasters)
    layers = (mask.classes, mask.distance, mask.clear_share, mask.cloud_probability)
    write_mask_folder(
        folder,
        _judgement(product, mask),
        product.grids,
        dict(zip(MASK_BANDS_20, layers, strict=True)),
        {**judge_bands, "AOT": _aerosol(product), **scene_evidence(mask.classes, judge_bands, _drift(product))},
        product.scene,
    )


def _drift(product: Sentinel2Product) -> Drift:
    """Way of the product's shadows."""
    return Drift.of(product.sun.zenith, product.sun.azimuth, product.view.zenith, product.view.azimuth)


def _judge_rasters(product: Sentinel2Product, bands: dict[str, UInt16Array]) -> JudgeRasters:
    """What the product says of every pixel of its 20 m grid."""
    shape = product.grids[20].shape
    has_data = np.logical_and.reduce([pixels != NODATA_DN for pixels in bands.values()])
    snow = np.zeros(has_data.shape, dtype=np.bool_)
    if "B03_60" in product.images:
        snow = looks_like_snow(_band_60(product, "B03"), bands["B8A"], bands["B11"])
    return JudgeRasters(
        scl=legal_classes(_image(product, "SCL_20").astype(np.uint8)),
        observed=resized(has_data, shape) & _inside_footprints(product),
        snow_spectrum=resized(snow, shape),
        snow_probability=_probability(product, "SNWPRB"),
        cloud_probability=_probability(product, "CLDPRB"),
    )


def _inside_footprints(product: Sentinel2Product) -> BoolArray:
    """True where a detector saw every delivered band; products before baseline 04.00 hold polygons, not read here.

    Their rims are covered by SCL 0 and by the nodata of the 60 m bands.
    """
    shape = product.grids[20].shape
    inside = np.ones(shape, dtype=np.bool_)
    for gsd, names in MOSAIC_BANDS.items():
        for name in names:
            key = f"DETFOO_{name}"
            if product.images.get(key, "").endswith(".jp2"):
                # A 10 m footprint read at half resolution costs a quarter and is as exact as the 20 m mask needs.
                detectors = read_image(image_path(product, key), overview=20 // gsd)
                inside &= resized(detectors > 0, shape)
    return inside


def _probability(product: Sentinel2Product, name: str) -> UInt8Array | None:
    """A probability raster on the 20 m grid, percent; None where the product has none."""
    for gsd in (20, 60):
        if f"{name}_{gsd}" in product.images:
            return resized(_image(product, f"{name}_{gsd}").astype(np.uint8), product.grids[20].shape)
    return None


def _band_60(product: Sentinel2Product, name: str) -> UInt16Array:
    """A band at 60 m, harmonised DN."""
    return harmonised(
        _image(product, f"{name}_60").astype(np.uint16),
        add_offset=product.add_offset.get(name, 0),
        quantification=product.quantification,
    )


def _aerosol(product: Sentinel2Product) -> UInt16Array:
    """Aerosol optical thickness x 1000 at 60 m; 0 where the product has none, which costs nothing."""
    if "AOT_60" not in product.images:
        return np.zeros(product.grids[60].shape, dtype=np.uint16)
    return np.rint(_image(product, "AOT_60") * (AOT_UNITS / product.aot_quantification)).astype(np.uint16)


def _image(product: Sentinel2Product, key: str) -> UInt8Array | UInt16Array:
    """A whole image of the product, checked against the grid that its XML states."""
    if key not in product.images:
        raise UnusableSceneError(
            f"{product.scene.product_id}: expected the image {key}, found none. The product is not whole, or older "
            f"than the format that senard reads: fetch it again, or leave it out."
        )
    pixels = read_image(image_path(product, key))
    expected = product.grids[int(key.rsplit("_", 1)[1])].shape
    if pixels.shape != expected:
        raise UnusableSceneError(
            f"{product.scene.product_id}: expected {key} with {expected[0]} x {expected[1]} pixels as the XML says, "
            f"found {pixels.shape[0]} x {pixels.shape[1]}. Fetch the product again, or leave it out."
        )
    return pixels


def _judgement(product: Sentinel2Product, mask: SceneMask) -> SceneJudgement:
    """The figures of scene.json."""
    valid = (mask.classes & CLASS_VALID) > 0
    clear = valid & np.isin(mask.classes & SCL_BITS, sorted(int(value) for value in SCL_CLEAR))
    grid, coarse = product.grids[20], product.grids[60]
    count = int(valid.sum())
    return SceneJudgement(
        product_id=product.scene.product_id,
        crs=grid.crs,
        left=grid.left,
        top=grid.top,
        width=grid.width,
        height=grid.height,
        width_60=coarse.width,
        height_60=coarse.height,
        sun_zenith=float(np.nanmean(product.sun.zenith)),
        sun_azimuth=_mean_azimuth(product),
        clear_share=round(int(clear.sum()) / count, 6) if count else 0.0,
        valid_share=round(count / valid.size, 6),
        simulated=product.simulated,
    )


def _mean_azimuth(product: Sentinel2Product) -> float:
    """Mean sun azimuth through sine and cosine, degrees 0-360."""
    azimuth = np.deg2rad(product.sun.azimuth.astype(np.float64))
    return float(np.rad2deg(np.arctan2(np.nanmean(np.sin(azimuth)), np.nanmean(np.cos(azimuth)))) % 360)
