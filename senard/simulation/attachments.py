"""The small files of a SAFE: datastrip metadata, quality reports, vector masks, the HTML page."""

from lxml import etree

from senard.model.grid import Bounds
from senard.model.sentinel2 import BANDS
from senard.simulation.acquisition import SimulatedAcquisition, stamp
from senard.simulation.elements import Element, element, root_element, typed
from senard.simulation.metadata import SIMULATED_COMMENT, identifier, scales

_EOP = "http://www.opengis.net/eop/2.0"
_GML = "http://www.opengis.net/gml/3.2"

OLD_MASK_TYPES = {
    "DEFECT": "QT_DEFECTIVE_PIXELS",
    "DETFOO": "DETECTOR_FOOTPRINT",
    "NODATA": "QT_NODATA_PIXELS",
    "SATURA": "QT_SATURATED_PIXELS_L1B",
    "TECQUA": "ANC_LOST",
}
"""Kind of vector mask to the `maskType` of its features."""


def datastrip_metadata(acquisition: SimulatedAcquisition) -> Element:
    """MTD_DS.xml: what the datastrip is, without the ephemeris and attitude tables that fill real ones."""
    level = f"Level-{acquisition.level[1:]}"
    namespace = f"https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_{level}_Datastrip_Metadata.xsd"
    names = f"{{{namespace}}}"
    general = element(
        f"{names}General_Info",
        element(
            "Datatake_Info",
            element("SPACECRAFT_NAME", acquisition.spacecraft),
            element("DATATAKE_TYPE", "INS-NOBS"),
            element("DATATAKE_SENSING_START", f"{acquisition.time:%Y-%m-%dT%H:%M:%S}.024Z"),
            element("SENSING_ORBIT_NUMBER", str(acquisition.relative_orbit)),
            element("SENSING_ORBIT_DIRECTION", "DESCENDING"),
            datatakeIdentifier=(
                f"G{acquisition.satellite}_{stamp(acquisition.time)}_{acquisition.absolute_orbit:06d}"
                f"_N{acquisition.baseline_text}"
            ),
            metadataLevel="Standard",
        ),
        element(
            "Datastrip_Time_Info",
            element("DATASTRIP_SENSING_START", f"{acquisition.datastrip_time:%Y-%m-%dT%H:%M:%S}.000Z"),
            element("DATASTRIP_SENSING_STOP", f"{acquisition.sensing_time:%Y-%m-%dT%H:%M:%S}.000Z"),
            metadataLevel="Standard",
        ),
        element("Processing_Info", element("PROCESSING_BASELINE", acquisition.baseline_text), metadataLevel="Standard"),
    )
    image = element(
        f"{names}Image_Data_Info",
        element(
            "Granules_Information",
            element("Detector_List", metadataLevel="Standard"),
            metadataLevel="Standard",
        ),
        element(
            "Radiometric_Info",
            element("QUANTIFICATION_VALUE", "10000", unit="none") if acquisition.level == "L1C" else scales(),
            metadataLevel="Standard",
        ),
    )
    root = typed(root_element(namespace, f"{level}_DataStrip_ID"), f"{namespace} {namespace}")
    root.extend([etree.Comment(SIMULATED_COMMENT), general, image])
    root.append(element(f"{names}Quality_Indicators_Info", metadataLevel="Standard"))
    return root


def quality_report(acquisition: SimulatedAcquisition, kind: str, *, of_tile: bool) -> Element:
    """A quality report ("GENERAL_QUALITY", …): one check, passed.

    Args:
        acquisition: which product.
        kind: name of the check list.
        of_tile: True for the granule's report, False for the datastrip's.
    """
    item = (
        identifier(acquisition, "TL", f"A{acquisition.absolute_orbit:06d}_T{acquisition.mgrs_tile}")
        if of_tile
        else identifier(acquisition, "DS", f"S{stamp(acquisition.datastrip_time)}")
    )
    when = f"{acquisition.processing_time:%Y-%m-%dT%H:%M:%S}"
    header = element(
        "Fixed_Header",
        element("File_Name", f"{item.rsplit('_N', 1)[0]}_{kind}_report.xml"),
        element("File_Description", "Report of a simulated product"),
        element("Notes"),
        element("Mission", acquisition.satellite),
        element("File_Class", "OPER"),
        element("File_Type", "REP_OLQCPA"),
        element(
            "Validity_Period",
            element("Validity_Start", f"UTC={when}"),
            element("Validity_Stop", "UTC=2100-01-01T00:00:00"),
        ),
        element("File_Version", "1"),
        element(
            "Source",
            element("System", "senard"),
            element("Creator", "senard"),
            element("Creator_Version", "1"),
            element("Creation_Date", f"UTC={when}"),
        ),
    )
    inspection = element(
        "inspection",
        creation=f"{when}.000Z",
        duration="0",
        execution=f"{when}.000Z",
        id_="simulated",
        item=item,
        itemURL="",
        name="simulated",
        priority="5",
        processingStatus="done",
        status="PASSED",
    )
    check = element("check", inspection, element("message", "simulated by senard", contentType="text/plain"))
    listed = element(
        "checkList",
        element("parentID", f"{acquisition.satellite}_OPER_GIP_OLQCPA_SIM__20150601T000000_V20150622T000000"),
        element("name", kind),
        element("version", "1.0"),
        element("item", className="simulated", name=item, url=""),
        check,
    )
    report = element("report", listed, date=f"{when}.000Z", gippVersion="1.0", globalStatus="PASSED")
    return element(
        "Earth_Explorer_File",
        element("Earth_Explorer_Header", header),
        element("Data_Block", report, type_="xml"),
    )


def vector_mask(acquisition: SimulatedAcquisition, kind: str, band: str, rings: dict[str, list[float]]) -> Element:
    """A GML mask of baselines before 04.00.

    Args:
        acquisition: which product.
        kind: "DETFOO", "CLOUDS", …
        band: "B04"; "B00" for the clouds.
        rings: id of a feature to x y x y … of its outer ring, m; ids of clouds begin with their type, "OPAQUE.0".
    """
    number = BANDS[band].band_id if band in BANDS else 0
    name = (
        f"{acquisition.satellite}_OPER_MSK_{kind}_{acquisition.centre_code}_{stamp(acquisition.processing_time)}"
        f"_A{acquisition.absolute_orbit:06d}_T{acquisition.mgrs_tile}_{band}_MSIL1C"
    )
    root = etree.Element(f"{{{_EOP}}}Mask", nsmap={"eop": _EOP, "gml": _GML})
    root.set(f"{{{_GML}}}id", name)
    etree.SubElement(root, f"{{{_GML}}}name").text = f"{kind} mask of band {number}, simulated: {name}"
    if rings:
        root.append(_envelope(acquisition.grid.bounds, acquisition.grid.crs))
    members = etree.SubElement(root, f"{{{_EOP}}}maskMembers")
    for feature, ring in rings.items():
        members.append(_feature(feature, OLD_MASK_TYPES.get(kind) or feature.split(".")[0], ring))
    return root


def _envelope(bounds: Bounds, crs: str) -> Element:
    made = etree.Element(f"{{{_GML}}}boundedBy")
    envelope = etree.SubElement(made, f"{{{_GML}}}Envelope", srsName=f"urn:ogc:def:crs:EPSG:8.7:{crs[5:]}")
    etree.SubElement(envelope, f"{{{_GML}}}lowerCorner").text = f"{bounds.left:.0f} {bounds.bottom:.0f}"
    etree.SubElement(envelope, f"{{{_GML}}}upperCorner").text = f"{bounds.right:.0f} {bounds.top:.0f}"
    return made


def _feature(name: str, kind: str, ring: list[float]) -> Element:
    feature = etree.Element(f"{{{_EOP}}}MaskFeature")
    feature.set(f"{{{_GML}}}id", name)
    kind_of = etree.SubElement(feature, f"{{{_EOP}}}maskType", codeSpace="urn:gs2:S2PDGS:maskType")
    kind_of.text = kind
    extent = etree.SubElement(feature, f"{{{_EOP}}}extentOf")
    polygon = etree.SubElement(extent, f"{{{_GML}}}Polygon")
    polygon.set(f"{{{_GML}}}id", f"{name}_Polygon")
    outer = etree.SubElement(etree.SubElement(polygon, f"{{{_GML}}}exterior"), f"{{{_GML}}}LinearRing")
    positions = etree.SubElement(outer, f"{{{_GML}}}posList", srsDimension="2")
    positions.text = " ".join(f"{value:.0f}" for value in ring)
    return feature


def html_page(acquisition: SimulatedAcquisition) -> str:
    """HTML/UserProduct_index.html: says what this is."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>'
        f"{acquisition.product_id}</title></head><body><p>This product was simulated by senard.</p></body></html>\n"
    )


def html_style() -> str:
    """HTML/UserProduct_index.xsl: an empty style sheet."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>\n'
    )
