"""The product's own XML: MTD_MSIL2A.xml, MTD_MSIL1C.xml and the pilot form L2Ap."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import shapely
from lxml import etree
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from senard.errors import UnusableSceneError
from senard.io.safe_members import MAX_XML_BYTES, product_name
from senard.model.sentinel2 import BANDS, ProductType

LOGGER = logging.getLogger("senard")

KNOWN_SATELLITES = frozenset({"S2A", "S2B", "S2C", "S2D"})
"""Later ones work too, with a warning: their spectral responses are not known here."""

NEWEST_KNOWN_BASELINE = 511
"""Later ones work too, with a warning. Source: protocols §9."""

LARGEST_OFFSET = 32767
"""DN; real products have 0 or -1000."""

TEST_BASELINES = frozenset({9999, 1})
"""N9999 and N0001 are test runs and processing by users: they rank below every real baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductXml:
    """What MTD_MSIL2A.xml or MTD_MSIL1C.xml says."""

    product_id: str
    """Name of the SAFE without suffix."""

    product_type: ProductType
    """Processing level."""

    satellite: str
    """Short name: "S2B"."""

    mgrs_tile: str
    """Without the T: "31UFS"."""

    datatake_time: datetime
    """Start of the datatake, whole seconds as in the product's name, UTC."""

    datatake_id: str
    """Without its baseline ending: "GS2B_20220125T105229_025531"."""

    datastrip_time: datetime
    """Start of the datastrip, UTC."""

    processing_time: datetime
    """GENERATION_TIME, UTC."""

    baseline: int
    """511 for 05.11; -1 for a test baseline."""

    relative_orbit: int
    """1-143."""

    cloud_cover: float | None
    """Percent; None where nothing is stated."""

    footprint: BaseGeometry | None
    """lon/lat, split at the antimeridian; None where nothing is stated."""

    image_files: tuple[str, ...]
    """Images that the XML names, places inside the SAFE without ending."""

    add_offset: Mapping[str, int]
    """Band to offset, DN; 0 where the XML names none."""

    quantification: int
    """DN per unit of reflectance."""

    aot_quantification: float
    """DN per unit of aerosol optical thickness."""

    simulated: bool
    """True if the XML says so."""


def parse_xml(data: bytes, what: str) -> etree._Element:
    """Parse XML that may come from anywhere: no entities, no network, no document type, bounded size.

    Args:
        data: the file's bytes.
        what: name of the file, for the message.

    Raises:
        UnusableSceneError: too large, not well-formed, or with a document type of its own.
    """
    if len(data) > MAX_XML_BYTES:
        raise UnusableSceneError(f"{what} has {len(data)} bytes, more than the {MAX_XML_BYTES} an XML may have.")
    if re.search(rb"<!(DOCTYPE|ENTITY)", data):  # not even handed to the parser: entities can grow without end
        raise UnusableSceneError(f"{what} defines a document type or entities; ESA's files do not. Do not trust it.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnusableSceneError(f"{what} is not well-formed XML ({error}). Download the product again.") from error


def find_text(root: etree._Element, *names: str) -> str | None:
    """Text of the first element of one of these names, stripped; None if none has text."""
    for name in names:
        for element in root.iterfind(f".//{{*}}{name}"):
            text = (element.text or "").strip()
            if text:
                return text
    return None


def required_text(root: etree._Element, what: str, *names: str) -> str:
    """As `find_text`, but must be there."""
    text = find_text(root, *names)
    if text is None:
        raise UnusableSceneError(
            f"{what}: expected an element {' or '.join(names)}, found none. The file is no product metadata of the "
            f"compact format (since December 2016), or it is cut short: download the product again."
        )
    return text


def utc_time(text: str, what: str) -> datetime:
    """A time as ESA writes it, with any number of decimals, to timezone-aware UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnusableSceneError(f"{what}: {text!r} is not a time. Download the product again.") from error


def parse_product_xml(data: bytes, what: str = "MTD_MSI.xml") -> ProductXml:
    """Read the product's own metadata.

    Args:
        data: bytes of MTD_MSIL2A.xml or MTD_MSIL1C.xml.
        what: name of the file, for messages.

    Returns:
        Everything that does not need the granule's XML. Offsets are those that the XML names, never guessed from
        the baseline: reprocessed products of 2015-2021 carry one, the first products of those years do not.

    Raises:
        UnusableSceneError: an element is missing or impossible; several granules (format before December 2016).
    """
    root = parse_xml(data, what)
    product_id = product_name(required_text(root, what, "PRODUCT_URI", "PRODUCT_URI_2A"))
    _refuse_many_granules(root, product_id, what)
    try:
        return _product(root, product_id, what, simulated=b"simulated" in data.lower())
    except (ValueError, KeyError, ArithmeticError, shapely.errors.ShapelyError) as error:
        raise UnusableSceneError(f"{what}: a value is impossible ({error}). Download the product again.") from error


def _product(root: etree._Element, product_id: str, what: str, *, simulated: bool) -> ProductXml:
    product_type = _product_type(root, what)
    datatake = required_attribute(root, what, "Datatake", "datatakeIdentifier")
    datastrip = required_attribute(root, what, "Granule", "datastripIdentifier")
    sensing_start = utc_time(required_text(root, what, "DATATAKE_SENSING_START"), what)
    return ProductXml(
        product_id=product_id,
        product_type=product_type,
        satellite=_satellite(root, what),
        mgrs_tile=_matched(r"_T(\d{2}[A-Z]{3})(?:_|$)", product_id, what),
        datatake_time=sensing_start.replace(microsecond=0),
        datatake_id=re.sub(r"_N\d\d\.\d\d$", "", datatake),
        datastrip_time=utc_time(_matched(r"_S(\d{8}T\d{6})(?:_|$)", datastrip, what), what),
        processing_time=utc_time(required_text(root, what, "GENERATION_TIME"), what),
        baseline=_baseline(required_text(root, what, "PROCESSING_BASELINE"), what),
        relative_orbit=int(required_text(root, what, "SENSING_ORBIT_NUMBER")),
        cloud_cover=_percent(find_text(root, "Cloud_Coverage_Assessment")),
        footprint=_footprint(root, what),
        image_files=_image_files(root),
        add_offset=_offsets(root),
        quantification=_quantification(root, what),
        aot_quantification=float(find_text(root, "AOT_QUANTIFICATION_VALUE", "L2A_AOT_QUANTIFICATION_VALUE") or 1000.0),
        simulated=simulated,
    )


def required_attribute(root: etree._Element, what: str, element: str, attribute: str) -> str:
    """An attribute of the first element of this name (or of its plural, as some baselines write it)."""
    for name in (element, f"{element}s"):
        for found in root.iterfind(f".//{{*}}{name}"):
            value = found.get(attribute)
            if value:
                return value
    raise UnusableSceneError(f"{what}: expected {element}/@{attribute}, found none. Download the product again.")


def _refuse_many_granules(root: etree._Element, product_id: str, what: str) -> None:
    """Refuse the format before December 2016, which packs many MGRS tiles into one product."""
    elements = [*root.iterfind(".//{*}Granule"), *root.iterfind(".//{*}Granules")]
    granules = {element.get("granuleIdentifier") for element in elements}
    if len(granules) > 1 or "_OPER_PRD_" in product_id:
        raise UnusableSceneError(
            f"{what} of {product_id}: holds {len(granules)} granules; expected one. This is the format before December "
            f"2016. Take the reprocessed product (baseline 05.00) of the same date, or split it with ESA's tools."
        )


def _product_type(root: etree._Element, what: str) -> ProductType:
    text = required_text(root, what, "PRODUCT_TYPE", "PROCESSING_LEVEL")
    text = {"Level-1C": "S2MSI1C", "Level-2A": "S2MSI2A", "Level-2Ap": "S2MSI2Ap"}.get(text, text)
    try:
        return ProductType(text)
    except ValueError:
        known = ", ".join(kind.value for kind in ProductType)
        raise UnusableSceneError(f"{what}: product type {text!r} is not one of {known}: leave it out.") from None


def _satellite(root: etree._Element, what: str) -> str:
    name = required_text(root, what, "SPACECRAFT_NAME")
    satellite = "S2" + _matched(r"^Sentinel-?2([A-Z])$", name, what)
    if satellite not in KNOWN_SATELLITES:
        LOGGER.warning(
            "%s: satellite %s is newer than this version of senard; its bands are taken as S2A's", what, name
        )
    return satellite


def _baseline(text: str, what: str) -> int:
    baseline = int(_matched(r"^(\d{1,2}\.\d{2})$", text, what).replace(".", ""))
    if baseline in TEST_BASELINES:
        return -1
    if baseline > NEWEST_KNOWN_BASELINE:
        LOGGER.warning(
            "%s: processing baseline %s is newer than this version of senard knows (05.11); offsets are read from the "
            "product, so it is used as it is",
            what,
            text,
        )
    return baseline


def _matched(pattern: str, text: str, what: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise UnusableSceneError(f"{what}: {text!r} is not of the form {pattern}. Is the product of another format?")
    return match.group(1)


def _percent(text: str | None) -> float | None:
    """A share from 0 to 100; None where nothing, or nothing possible, is stated."""
    value = float(text) if text is not None else -1.0
    return value if 0 <= value <= 100 else None


def _quantification(root: etree._Element, what: str) -> int:
    names = ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE")
    value = round(float(required_text(root, what, *names)))
    if value <= 0:
        raise ValueError(f"quantification {value}")
    return value


def _image_files(root: etree._Element) -> tuple[str, ...]:
    names = ("IMAGE_FILE", "IMAGE_FILE_2A", "IMAGE_ID", "IMAGE_ID_2A")
    found = [element.text for name in names for element in root.iterfind(f".//{{*}}{name}")]
    return tuple(dict.fromkeys(text.strip() for text in found if text and text.strip()))


def _offsets(root: etree._Element) -> dict[str, int]:
    """BOA_ADD_OFFSET (L2A) or RADIO_ADD_OFFSET (L1C) by band; a band that the XML does not name has 0."""
    stated: dict[int, int] = {}
    for name in ("RADIO_ADD_OFFSET", "BOA_ADD_OFFSET"):
        for element in root.iterfind(f".//{{*}}{name}"):
            offset = round(float((element.text or "").strip()))
            if abs(offset) > LARGEST_OFFSET:
                raise ValueError(f"{name} {offset}")
            stated[int(element.get("band_id") or "")] = offset
    return {band.name: stated.get(band.band_id, 0) for band in BANDS.values()}


def _footprint(root: etree._Element, what: str) -> BaseGeometry | None:
    """EXT_POS_LIST: latitude before longitude, closed rings."""
    polygons = []
    for element in root.iterfind(".//{*}EXT_POS_LIST"):
        numbers = [float(text) for text in (element.text or "").split()]
        if len(numbers) % 2:
            raise UnusableSceneError(f"{what}: EXT_POS_LIST has {len(numbers)} numbers, expected pairs of lat lon.")
        ring = list(zip(numbers[1::2], numbers[0::2], strict=True))
        if not all(abs(lon) <= 360 and abs(lat) <= 90 for lon, lat in ring):  # neither is true of NaN
            raise ValueError(f"EXT_POS_LIST leads to no place on Earth: {ring[:3]}")
        if len(ring) >= 4:
            polygons.append(split_at_antimeridian(ring))
    if not polygons:
        return None
    footprint = polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)
    return None if footprint.is_empty else footprint


def split_at_antimeridian(ring: list[tuple[float, float]]) -> BaseGeometry:
    """A polygon of lon/lat pairs whose ring may cross 180 degrees, cut there into honest polygons."""
    unrolled = [ring[0]]
    for lon, lat in ring[1:]:
        previous = unrolled[-1][0]
        unrolled.append((lon + 360 * round((previous - lon) / 360), lat))
    if unrolled[0] != unrolled[-1]:
        unrolled.append(unrolled[0])
    whole = shapely.make_valid(shapely.Polygon(unrolled))
    west, _, east, _ = whole.bounds
    if west >= -180 and east <= 180:
        return _areas(whole)
    turns = (-360, 0, 360)
    parts = [translate(whole.intersection(shapely.box(-180 - turn, -90, 180 - turn, 90)), xoff=turn) for turn in turns]
    return _areas(shapely.union_all(parts))


def _areas(geometry: BaseGeometry) -> BaseGeometry:
    """Only the parts with an area, as Polygon or MultiPolygon."""
    parts = [
        part for part in shapely.get_parts(shapely.get_parts(geometry)) if part.geom_type == "Polygon" and part.area > 0
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
