"""Judge one product on its own grid: what is cloud, shadow, snow, valid ground, and how clear its surroundings are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from senard.algorithms.evidence import scene_evidence
from senard.algorithms.masking import SceneMask, is_one_of, judge
from senard.algorithms.shadow_zone import Drift
from senard.errors import UnusableSceneError
from senard.io.atomic import listed_directory
from senard.io.mask_folder import write_mask_folder
from senard.io.safe import read_product
from senard.io.scenes_file import pass_verdict_on, write_verdict
from senard.model.cloud_evidence import DEFAULT, CloudEvidence, require_evidence
from senard.model.masks import CLASS_VALID, MASK_BANDS_20, SCL_BITS, SceneJudgement
from senard.model.product import Sentinel2Product
from senard.model.sentinel2 import SCL_CLEAR
from senard.steps.read_judged import read_judged


def mask_scene(safe: Path, out: Path, evidence: Sequence[CloudEvidence] = ()) -> Path:
    """Judge one product; what comes out depends on the product and the evidence alone, never on a request.

    Args:
        safe: folder safe/<product_id>/<part> that holds NAME.SAFE, or unusable.json.
        out: folder masks/…/<product_id>: gets scene_20.tif, scene_60.tif and scene.json; or unusable.json alone where
            the product cannot be used.
        evidence: from what clouds are known; empty is the default of the product's level.

    Returns:
        out.

    Raises:
        RequestError: evidence that products of this level do not offer, or that wants a package that is missing.
    """
    with listed_directory(out) as folder:
        if not pass_verdict_on(safe, folder):
            try:
                _judge_into(_product(safe), evidence, folder)
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
    return read_product(found[0])


def _judge_into(product: Sentinel2Product, evidence: Sequence[CloudEvidence], folder: Path) -> None:
    """Read what judging needs, judge, and write the mask folder."""
    chosen = evidence or DEFAULT[product.scene.product_type]
    require_evidence(chosen, product.scene.product_type)
    seen = read_judged(product, chosen)
    mask = judge(seen.rasters)
    layers = (mask.classes, mask.distance, mask.clear_share, mask.cloud_probability)
    write_mask_folder(
        folder,
        _judgement(product, mask),
        product.grids,
        dict(zip(MASK_BANDS_20, layers, strict=True)),
        {**seen.bands, "AOT": seen.aerosol, **scene_evidence(mask.classes, seen.bands, _drift(product))},
        product.scene,
    )


def _drift(product: Sentinel2Product) -> Drift:
    """Way of the product's shadows."""
    return Drift.of(product.sun.zenith, product.sun.azimuth, product.view.zenith, product.view.azimuth)


def _judgement(product: Sentinel2Product, mask: SceneMask) -> SceneJudgement:
    """The figures of scene.json."""
    valid = (mask.classes & CLASS_VALID) > 0
    clear = valid & is_one_of(mask.classes & np.uint8(SCL_BITS), SCL_CLEAR)
    grid, coarse = product.grids[20], product.grids[60]
    count = int(np.count_nonzero(valid))
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
        clear_share=round(int(np.count_nonzero(clear)) / count, 6) if count else 0.0,
        valid_share=round(count / valid.size, 6),
        simulated=product.simulated,
    )


def _mean_azimuth(product: Sentinel2Product) -> float:
    """Mean sun azimuth through sine and cosine, degrees 0-360."""
    azimuth = np.deg2rad(product.sun.azimuth.astype(np.float64))
    return float(np.rad2deg(np.arctan2(np.nanmean(np.sin(azimuth)), np.nanmean(np.cos(azimuth)))) % 360)
