"""Whole products built around real pixels: six Sentinel-2 L2A tiles of Slovenia that were kept at 120 m.

Real are: B02 B03 B04 B08, the scene classification, cloud and snow probability, the detector footprint, MTD_TL.xml, and
what the product is called. Brought to the product's own grids are the bands (bilinear, 120 m to 10 m and 60 m) and the
classes (nearest). Stand-ins are: B8A = B08 and B11 = B08 / 2 at 60 m (no SWIR was kept; snow is judged with them),
MTD_MSIL2A.xml and manifest.safe, written by the simulator without its word.

Traps of the kept files that are mended here, as the provider of the originals would have them:
the offset was already applied (the XML of baseline 05.09 says -1000: 1000 is added to every DN again); lossy
compression left classes beyond 11 and probabilities beyond 100.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from lxml import etree
from rasterio.enums import Resampling
from rasterio.warp import reproject

from senard.model.grid import Grid
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.elements import document
from senard.simulation.footprint import footprint_of, positions_of
from senard.simulation.images import IMAGE_TILE_PX, ImageKind, Scratch
from senard.simulation.manifest import manifest
from senard.simulation.metadata import image_paths, product_metadata
from senard.simulation.safe_writer import zip_safe

KEPT = "s2-safe/mapchete-eo-33TWM-33TWL"
IMAGES = {
    "B02_10": "B02", "B03_10": "B03", "B04_10": "B04", "B08_10": "B08",
    "B02_60": "B02", "B03_60": "B03", "B04_60": "B04", "B8A_60": "B08", "B11_60": "B08",
}  # fmt: skip
MASKS = {"CLDPRB_20": "MSK_CLDPRB_20m", "SNWPRB_20": "MSK_SNWPRB_20m", "DETFOO_10": "MSK_DETFOO_B02"}


def build_real_products(data: Path, folder: Path, *, workers: int = 2) -> list[Path]:
    """Build the six products.

    Args:
        data: ../shared/data.
        folder: archive to fill; products that are there already are kept.
        workers: processes.

    Returns:
        Six zips, about 0.3 GB each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = sorted(path for path in (data / KEPT).iterdir() if path.is_dir())
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(build_real_product, kept, [folder] * len(kept)))


def build_real_product(kept: Path, folder: Path) -> Path:
    """Build one product from the folder of one kept scene."""
    properties = json.loads(next(kept.glob("*.json")).read_text())["properties"]
    acquisition = acquisition_of(properties["s2:product_uri"])
    final = folder / f"{acquisition.product_id}.zip"
    if final.exists():
        return final
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as name:
        safe = Path(name) / f"{acquisition.product_id}.SAFE"
        granule = next((kept / "GRANULE").iterdir()).name
        write_images(acquisition, kept, safe, granule)
        write_metadata(acquisition, kept, safe, granule, properties)
        shutil.move(zip_safe(safe), final)
    return final


def acquisition_of(product_uri: str) -> SimulatedAcquisition:
    """What a name says, in the words of the simulator, whose XML writer serves here."""
    satellite, _, start, baseline, orbit, tile, processed = product_uri.removesuffix(".SAFE").split("_")
    return SimulatedAcquisition(
        mgrs_tile=tile[1:],
        time=datetime.strptime(start, "%Y%m%dT%H%M%S").replace(tzinfo=UTC),
        satellite=satellite,
        baseline=int(baseline[1:]),
        relative_orbit=int(orbit[1:]),
        processed=datetime.strptime(processed, "%Y%m%dT%H%M%S").replace(tzinfo=UTC),
    )


def write_images(acquisition: SimulatedAcquisition, kept: Path, safe: Path, granule: str) -> None:
    kinds = {key: ImageKind(gsd=int(key[-2:]), tile_px=IMAGE_TILE_PX[int(key[-2:])]) for key in IMAGES}
    kinds |= {key: ImageKind(gsd=20, dtype="uint8", tile_px=640) for key in ("SCL_20", "CLDPRB_20", "SNWPRB_20")}
    kinds["DETFOO_10"] = ImageKind(gsd=10, dtype="uint8")
    quality = next((kept / "GRANULE").iterdir()) / "QI_DATA"
    with (
        tempfile.TemporaryDirectory(dir=safe.parent) as scratch_name,
        Scratch(Path(scratch_name), kinds, acquisition.grid) as scratch,
    ):
        for key, band in IMAGES.items():
            dn = on_grid(kept / f"{band}.tif", acquisition.grid.at(kinds[key].gsd), Resampling.bilinear)
            dn = dn // 2 if key == "B11_60" else dn
            scratch.write(key, np.where(dn > 0, dn + 1000, 0).astype(np.uint16), first_row=0)
            scratch.encode(key, safe / place(acquisition, granule, key))
        scl = on_grid(kept / "SCL.tif", acquisition.grid.at(20), Resampling.nearest)
        scratch.write("SCL_20", np.where(scl > 11, 7, scl).astype(np.uint8), first_row=0)
        scratch.encode("SCL_20", safe / place(acquisition, granule, "SCL_20"))
        for key, name in MASKS.items():
            values = on_grid(quality / f"{name}.jp2", acquisition.grid.at(kinds[key].gsd), Resampling.nearest)
            scratch.write(key, np.minimum(values, 100).astype(np.uint8), first_row=0)
            scratch.encode(key, safe / f"GRANULE/{granule}/QI_DATA/{name}.jp2")
    for band in ("B03", "B04", "B08"):
        folder = safe / f"GRANULE/{granule}/QI_DATA"
        shutil.copyfile(folder / "MSK_DETFOO_B02.jp2", folder / f"MSK_DETFOO_{band}.jp2")


def on_grid(path: Path, grid: Grid, resampling: Resampling) -> npt.NDArray[Any]:
    """A kept raster of 120 m on one of the product's own grids."""
    with rasterio.Env(GDAL_PAM_ENABLED=True), rasterio.open(path) as source:
        out = np.zeros(grid.shape, source.dtypes[0])
        reproject(
            source.read(1), out, src_transform=source.transform, src_crs=source.crs, src_nodata=0,
            dst_transform=Affine.from_gdal(*grid.geotransform), dst_crs=grid.crs, dst_nodata=0, resampling=resampling,
        )  # fmt: skip
    return out


def place(acquisition: SimulatedAcquisition, granule: str, key: str) -> str:
    return image_paths(acquisition)[key].replace(acquisition.granule_id, granule)


def write_metadata(
    acquisition: SimulatedAcquisition, kept: Path, safe: Path, granule: str, properties: Mapping[str, Any]
) -> None:
    shutil.copyfile(kept / "granule_metadata.xml", safe / f"GRANULE/{granule}/MTD_TL.xml")
    shares = {"CLOUDY_PIXEL_PERCENTAGE": float(properties["eo:cloud_cover"])}
    root = product_metadata(acquisition, shares, 0.1, positions_of(footprint_of(acquisition)))
    etree.strip_tags(root, etree.Comment)
    text = (
        document(root).decode().replace(acquisition.granule_id, granule).replace("simulated by senard", "real pixels")
    )
    real = etree.fromstring(text.encode())
    for image in real.iter("{*}IMAGE_FILE"):
        if not (safe / f"{image.text}.jp2").exists():
            image.getparent().remove(image)
    for element in real.iter("{*}Granule"):
        element.set("datastripIdentifier", properties["s2:datastrip_id"])
    (safe / "MTD_MSIL2A.xml").write_bytes(etree.tostring(real, xml_declaration=True, encoding="UTF-8"))
    paths = sorted(path.relative_to(safe).as_posix() for path in safe.rglob("*") if path.is_file())
    (safe / "manifest.safe").write_bytes(document(manifest(acquisition, safe, paths)))
