"""A product on disk: the SAFE folder with all its files, and its zip."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from shapely.geometry import Polygon

from senard.model.sentinel2 import BANDS
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.attachments import datastrip_metadata, html_page, html_style, quality_report, vector_mask
from senard.simulation.classification import class_shares
from senard.simulation.cloud_polygons import cloud_rings
from senard.simulation.elements import Element, document
from senard.simulation.footprint import detector_rings, footprint_of, positions_of
from senard.simulation.images import Scratch, image_kinds, image_kinds_1c
from senard.simulation.inspire import inspire_record
from senard.simulation.level_1c import write_strip_1c
from senard.simulation.level_1c_metadata import product_metadata_1c, tile_metadata_1c
from senard.simulation.manifest import manifest
from senard.simulation.metadata import REPORTS, image_paths, product_metadata, product_xml
from senard.simulation.pixels import Tally, write_strip
from senard.simulation.sensor import Strip, strips
from senard.simulation.tile_metadata import OLD_MASKS, mask_paths, preview_path, tile_metadata

_ZIP_TIME = (2020, 1, 1, 0, 0, 0)
# Files in a zip carry a fixed time: the same product gives the same bytes.

_COPY_BYTES = 1 << 20


class Images(Protocol):
    """Finished images of one product, by key."""

    def encode(self, key: str, out: Path) -> None:
        """Write one as JPEG 2000; called once for each key."""


def write_safe(acquisition: SimulatedAcquisition, folder: Path, *, witness: Callable[[Strip], None]) -> Path:
    """Make one product as a SAFE folder.

    Args:
        acquisition: which product.
        folder: where NAME.SAFE is made; what is there under this name is replaced.
        witness: called with every strip, north to south: keeps the truth.

    Returns:
        folder/NAME.SAFE.
    """
    tally = Tally()
    level_1c = acquisition.level == "L1C"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".scratch-") as name:
        kinds = (image_kinds_1c if level_1c else image_kinds)(with_offset=acquisition.has_offset)
        with Scratch(Path(name), kinds, acquisition.grid) as scratch:
            for strip in strips(acquisition):
                (write_strip_1c if level_1c else write_strip)(acquisition, strip, scratch, tally)
                witness(strip)
            return assemble_safe(acquisition, folder, scratch, tally)


def assemble_safe(acquisition: SimulatedAcquisition, folder: Path, images: Images, tally: Tally) -> Path:
    """Put a SAFE folder together from finished images.

    Args:
        acquisition: which product.
        folder: where NAME.SAFE is made; what is there under this name is replaced.
        images: all that a product of this level and baseline holds.
        tally: what its metadata say of the pixels.

    Returns:
        folder/NAME.SAFE.
    """
    safe = folder / f"{acquisition.product_id}.SAFE"
    shutil.rmtree(safe, ignore_errors=True)
    granule = safe / "GRANULE" / acquisition.granule_id
    for place in ("AUX_DATA", "HTML", "rep_info"):
        (safe / place).mkdir(parents=True)
    for place in ("AUX_DATA", "IMG_DATA", "QI_DATA"):
        (granule / place).mkdir(parents=True)
    _encode(acquisition, images, safe)
    _write_texts(acquisition, safe, tally)
    return safe


def _encode(acquisition: SimulatedAcquisition, images: Images, safe: Path) -> None:
    for key, path in image_paths(acquisition).items():
        images.encode(key, safe / path)
    images.encode("PVI", safe / preview_path(acquisition))
    made: dict[str, Path] = {}
    for kind, band_id, path in mask_paths(acquisition):
        if not path.endswith(".jp2"):
            continue
        name = kind.removeprefix("MSK_")
        key = f"{name}_{path[-7:-5]}" if name in ("CLDPRB", "SNWPRB") else name
        if band_id:
            key = f"{name}_{list(BANDS.values())[int(band_id)].gsd}"
        if key in made:
            shutil.copyfile(made[key], safe / path)  # bands of one gsd share their masks
        else:
            images.encode(key, safe / path)
            made[key] = safe / path


def _write_texts(acquisition: SimulatedAcquisition, safe: Path, tally: Tally) -> None:
    footprint = footprint_of(acquisition)
    granule = f"GRANULE/{acquisition.granule_id}"
    datastrip = f"DATASTRIP/{acquisition.datastrip_id}"
    product_root, tile_root = _own_metadata(acquisition, tally, positions_of(footprint))
    texts: dict[str, Element] = {
        product_xml(acquisition): product_root,
        "INSPIRE.xml": inspire_record(acquisition, footprint, positions_of(footprint)),
        f"{datastrip}/MTD_DS.xml": datastrip_metadata(acquisition),
        f"{granule}/MTD_TL.xml": tile_root,
    }
    for kind in REPORTS:
        texts[f"{datastrip}/QI_DATA/{kind}.xml"] = quality_report(acquisition, kind, of_tile=False)
    for kind in _tile_reports(acquisition):
        texts[f"{granule}/QI_DATA/{kind}.xml"] = quality_report(acquisition, kind, of_tile=True)
    if not acquisition.has_offset:
        texts |= _vector_masks(acquisition, granule, footprint, tally)
    plain = {"HTML/UserProduct_index.html": html_page(acquisition), "HTML/UserProduct_index.xsl": html_style()}
    for name in ("AUX_CAMSFO", "AUX_ECMWFT") if acquisition.has_offset else ("AUX_ECMWFT",):
        plain[f"{granule}/AUX_DATA/{name}"] = "simulated by senard: no forecast\n"
    for path, root in texts.items():
        (safe / path).parent.mkdir(parents=True, exist_ok=True)
        (safe / path).write_bytes(document(root))
    for path, text in plain.items():
        (safe / path).write_text(text, encoding="utf-8")
    paths = sorted(path.relative_to(safe).as_posix() for path in safe.rglob("*") if path.is_file())
    (safe / "manifest.safe").write_bytes(document(manifest(acquisition, safe, paths)))


def _own_metadata(acquisition: SimulatedAcquisition, tally: Tally, positions: str) -> tuple[Element, Element]:
    """XML of the product and of the granule."""
    if acquisition.level == "L1C":
        cloud, snow = (100.0 * pixels / max(tally.valid, 1) for pixels in (tally.cloudy, tally.snowy))
        product = product_metadata_1c(acquisition, cloud, snow, positions)
        return product, tile_metadata_1c(acquisition, cloud, snow)
    shares = class_shares(tally.classes)
    mean_aerosol = tally.aerosol_sum / max(int(tally.classes[1:].sum()), 1)
    product = product_metadata(acquisition, shares, mean_aerosol, positions)
    return product, tile_metadata(acquisition, shares, mean_aerosol)


def _tile_reports(acquisition: SimulatedAcquisition) -> tuple[str, ...]:
    if not acquisition.has_offset:
        return REPORTS
    own = () if acquisition.level == "L1C" else ("L2A_QUALITY",)
    return ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", *own, "SENSOR_QUALITY")


def _vector_masks(
    acquisition: SimulatedAcquisition, granule: str, footprint: Polygon, tally: Tally
) -> dict[str, Element]:
    """GML masks of baselines before 04.00: detector footprints and clouds are drawn, the others are empty."""
    masks = {
        f"{granule}/QI_DATA/MSK_{kind}_{band}.gml": vector_mask(
            acquisition, kind, band, detector_rings(acquisition, band, footprint) if kind == "DETFOO" else {}
        )
        for band in BANDS
        for kind in OLD_MASKS
    }
    clouds = cloud_rings(tally.clouds, acquisition.grid.at(60))
    masks[f"{granule}/QI_DATA/MSK_CLOUDS_B00.gml"] = vector_mask(acquisition, "CLOUDS", "B00", clouds)
    return masks


def zip_safe(safe: Path) -> Path:
    """Pack a SAFE folder as the archives do: stored, names in order, times fixed.

    Args:
        safe: NAME.SAFE.

    Returns:
        NAME.zip beside it; the folder is removed.
    """
    out = safe.with_suffix(".zip")
    with zipfile.ZipFile(out, "w", compression=zipfile.ZIP_STORED, allowZip64=True) as archive:
        for path in [safe, *sorted(safe.rglob("*"))]:
            name = path.relative_to(safe.parent).as_posix()
            info = zipfile.ZipInfo(name + ("/" if path.is_dir() else ""), date_time=_ZIP_TIME)
            info.create_system = 3
            info.external_attr = (0o40755 if path.is_dir() else 0o100644) << 16
            if path.is_dir():
                archive.writestr(info, b"")
                continue
            with path.open("rb") as source, archive.open(info, "w", force_zip64=False) as target:
                shutil.copyfileobj(source, target, _COPY_BYTES)
    shutil.rmtree(safe)
    return out
