"""Reading one Sentinel-2 product, folder or zip, from its own XML."""

import re
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from senard.errors import UnusableSceneError
from senard.io.manifest import StatedFile, read_manifest
from senard.io.safe_granule import GranuleXml, parse_granule_xml
from senard.io.safe_images import (
    find_images,
    image_key,
    image_tile,
    is_whole_jp2,
    needed_keys,
    stored_place,
)
from senard.io.safe_members import SafeMembers, open_safe, product_name, reading_error
from senard.io.safe_xml import ProductXml, parse_product_xml
from senard.model.product import Part, Sentinel2Product
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import ProductType

__all__ = ["image_path", "parse_granule_xml", "parse_product_xml", "read_product", "read_whole_product"]

_PRODUCT_XML = re.compile(r"^MTD_MSIL(1C|2A)\.xml$", re.IGNORECASE)
_GRANULE_XML = re.compile(r"^GRANULE/[^/]+/MTD_TL\.xml$")


def read_product(root: Path) -> Sentinel2Product:
    """Read what a product says of itself; no pixel is read.

    Args:
        root: SAFE folder (it may hold one part only) or a zip, which is not unpacked.

    Returns:
        The product; `images` names the images that are there.

    Raises:
        UnusableSceneError: not a product of one MGRS tile, cut short, or names that contradict each other.
        TransientError: the disk does not answer.
    """
    members = open_safe(root)
    return _read(members)[0]


def read_whole_product(root: Path, part: Part = Part.ALL) -> Sentinel2Product:
    """As `read_product`, and every image of the part that its XML or manifest names is there and not cut short.

    Sizes are held against manifest.safe where it states them, and JPEG 2000 files must end with their end marker; a
    compressed zip member is only looked at when it is unpacked. Nothing is decoded.

    Raises:
        UnusableSceneError: names the file that is missing or cut short.
    """
    members = open_safe(root)
    product, xml = _read(members)
    needed = needed_keys(product.scene.product_type, part)
    stated = read_manifest(members)
    places = (*stated, *xml.image_files)  # the product XML names the bands, the manifest the probabilities too
    listed = {key: place for place in places if (key := image_key(place)) in needed}
    if product.scene.product_type is not ProductType.L1C and part in (Part.JUDGE, Part.ALL):
        listed.setdefault("SCL_20", "…_SCL_20m")  # without it no pixel can be judged
    for key, place in listed.items():
        if key not in product.images:
            raise UnusableSceneError(
                f"{root}: {place} is missing ({key}). The download was probably cut short: delete it and download it "
                f"again."
            )
    _check_images(members, [product.images[key] for key in sorted(needed & product.images.keys())], stated)
    return product


def image_path(product: Sentinel2Product, key: str) -> str:
    """Where GDAL opens one image.

    Args:
        product: from `read_product`.
        key: "B04_10", "SCL_20", …

    Returns:
        A path, or "/vsizip/…" for a zip.

    Raises:
        UnusableSceneError: the product has no such image.
    """
    place = product.images.get(key)
    if place is None:
        raise UnusableSceneError(
            f"{product.scene.product_id}: the image {key} is missing in {product.root}. The product is cut short, or "
            f"this kind of product has no such image: delete it and download it again, or leave it out."
        )
    if product.root.is_dir():
        return str(product.root / place)
    return f"/vsizip/{product.root.resolve()}/{open_safe(product.root).top}/{place}"


def _read(members: SafeMembers) -> tuple[Sentinel2Product, ProductXml]:
    xml_name = _only(members, _PRODUCT_XML, "MTD_MSIL2A.xml or MTD_MSIL1C.xml")
    xml = parse_product_xml(members.read(xml_name), f"{members.root}: {xml_name}")
    granule_name = _only(members, _GRANULE_XML, "GRANULE/…/MTD_TL.xml")
    granule = parse_granule_xml(members.read(granule_name), f"{members.root}: {granule_name}")
    images = find_images(members)
    _check_names(members, xml, granule, granule_name, images)
    product = Sentinel2Product(
        root=members.root,
        scene=_scene(members, xml, granule),
        images=images,
        grids=granule.grids,
        add_offset=xml.add_offset,
        quantification=xml.quantification,
        aot_quantification=xml.aot_quantification,
        sun=granule.sun,
        view=granule.view,
        class_shares=granule.class_shares,
        simulated=xml.simulated,
    )
    return product, xml


def _scene(members: SafeMembers, xml: ProductXml, granule: GranuleXml) -> Sentinel2Scene:
    return Sentinel2Scene(
        product_id=xml.product_id,
        product_type=xml.product_type,
        satellite=xml.satellite,
        mgrs_tile=xml.mgrs_tile,
        acquisition_time=granule.sensing_time,
        datatake_time=xml.datatake_time,
        processing_time=xml.processing_time,
        baseline=xml.baseline,
        relative_orbit=xml.relative_orbit,
        datatake_id=xml.datatake_id,
        datastrip_time=xml.datastrip_time,
        cloud_cover=xml.cloud_cover,
        footprint=xml.footprint,
        location=members.root.absolute(),
        size_bytes=members.root.stat().st_size if members.zipped else sum(members.sizes.values()),
    )


def _only(members: SafeMembers, pattern: re.Pattern[str], what: str) -> str:
    found = sorted(name for name in members.sizes if pattern.match(name))
    if "_OPER_PRD_" in members.top or len(found) > 1:
        raise UnusableSceneError(
            f"{members.root}: holds several granules or product XMLs. This is the format before December 2016: take "
            f"the reprocessed product (baseline 05.00) of the same date, or split it with ESA's tools."
        )
    if not found:
        raise UnusableSceneError(
            f"{members.root}: {what} is missing. The download was probably cut short, or this is no Sentinel-2 "
            f"product: delete it and download it again."
        )
    return found[0]


def _check_names(
    members: SafeMembers, xml: ProductXml, granule: GranuleXml, granule_name: str, images: dict[str, str]
) -> None:
    """Folder, product XML, granule XML and images must speak of the same product and MGRS tile."""
    tile = xml.mgrs_tile
    claims = [(members.root.name, members.product_id, xml.product_id)]
    if members.zipped:
        claims.append((members.root.name, product_name(members.root.name), xml.product_id))
    if f"_T{tile}_" not in f"{granule.tile_id}_":
        claims.append((granule_name, granule.tile_id, tile))
    claims += [(place, other, tile) for place in images.values() if (other := image_tile(place)) not in (None, tile)]
    for place, found, expected in claims:
        if found != expected:
            raise UnusableSceneError(
                f"{members.root}: {place} is of {found}, but the product's XML says {expected}. Files of two products "
                f"are mixed, or one was renamed: give it its own name back, or download it again."
            )


def _check_images(members: SafeMembers, places: list[str], stated: Mapping[str, StatedFile]) -> None:
    with _opened(members) as archive:
        for place in places:
            size = members.sizes[place]
            expected = stated[place].size if place in stated else 0
            if size < max(expected, 1):  # larger is no sign: some baselines state the size of another file
                raise UnusableSceneError(
                    f"{members.root}: {place} has {size} bytes, expected {expected or 'some'}: it is cut short. "
                    f"Delete the product and download it again."
                )
            if place.lower().endswith(".jp2") and not _is_whole(members, place, archive):
                raise UnusableSceneError(
                    f"{members.root}: {place} does not end with the end marker of JPEG 2000 (FF D9): it is cut short. "
                    f"Delete the product and download it again."
                )


def _opened(members: SafeMembers) -> AbstractContextManager[zipfile.ZipFile | None]:
    """The zip, opened once for all its images: its directory is read each time that it is opened."""
    if not members.zipped:
        return nullcontext()
    try:
        return zipfile.ZipFile(members.root)
    except Exception as error:  # zipfile raises a dozen kinds for a broken archive
        raise reading_error(members.root, "its directory", error) from error


def _is_whole(members: SafeMembers, place: str, archive: zipfile.ZipFile | None) -> bool:
    if archive is None:
        return is_whole_jp2(members.root / place)
    try:
        entry = archive.getinfo(f"{members.top}/{place}")
        if entry.compress_type != zipfile.ZIP_STORED:
            return True  # looked at when it is unpacked
        return is_whole_jp2(members.root, start=stored_place(members.root, entry), size=entry.file_size)
    except Exception as error:  # zipfile raises a dozen kinds for a broken archive
        raise reading_error(members.root, place, error) from error
