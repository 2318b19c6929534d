"""manifest.safe of a simulated product: every file with its size and checksum, and the map of the package."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from senard.model.sentinel2 import BANDS
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.elements import Element, element
from senard.simulation.footprint import footprint_of, positions_of
from senard.simulation.manifest_metadata import GML, SAFE, acquisition_metadata
from senard.simulation.metadata import product_xml

_XFDU = "urn:ccsds:schema:xfdu:1"

FIRST_SHA3_BASELINE = 301
"""Before baseline 03.01 the manifest holds MD5, from it on SHA3-256."""

_MASK_OBJECTS = {
    "DEFECT": "DefectivePixelsMask",
    "DETFOO": "DetectorFootprintMask",
    "NODATA": "NoDataPixelsMask",
    "SATURA": "SaturatedPixelsMask",
    "TECQUA": "TechQualityMask",
    "QUALIT": "QualitPixelsMask",
}

_NUMBERS = {
    name: f"{gsd}m_{number}"
    for gsd, names in {
        10: ("B02", "B03", "B04", "B08"),
        20: ("B05", "B06", "B07", "B8A", "B11", "B12"),
        60: ("B01", "B09", "B10"),
    }.items()
    for number, name in enumerate(names, start=1)
}
# How the manifest of L1C calls its bands: "10m_3" is B04.


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of the package."""

    object_id: str
    """Name in the manifest: "IMG_DATA_Band_B04_10m_Tile1_Data"."""

    unit_type: str
    """"Metadata Unit" or "Measurement Data Unit"."""

    path: str
    """Place in the SAFE."""


def members_of(acquisition: SimulatedAcquisition, paths: list[str]) -> list[Member]:
    """Name the files of a product.

    Args:
        acquisition: which product.
        paths: places in the SAFE, manifest.safe itself left out.
    """
    return [
        Member(
            object_id=_object_id(path, acquisition),
            unit_type="Metadata Unit"
            if path.endswith((product_xml(acquisition), "INSPIRE.xml", "MTD_DS.xml", "MTD_TL.xml"))
            else "Measurement Data Unit",
            path=path,
        )
        for path in paths
    ]


def _object_id(path: str, acquisition: SimulatedAcquisition) -> str:
    name = Path(path).name
    level = f"Level-{acquisition.level[1:]}"
    fixed = {
        product_xml(acquisition): f"S2_{level}_Product_Metadata",
        "INSPIRE.xml": "INSPIRE_Metadata",
        "UserProduct_index.html": "HTML_Presentation",
        "UserProduct_index.xsl": "HTML_Presentation_Stylesheet",
        "MTD_DS.xml": f"S2_{level}_Datastrip1_Metadata",
        "MTD_TL.xml": f"S2_{level}_Tile1_Metadata",
        "AUX_CAMSFO": "CAMS_Tile1_Data",
        "AUX_ECMWFT": "ECMWF_Tile1_Data",
        "MSK_CLDPRB_20m.jp2": "CloudPrbMask_Tile1_Data",
        "MSK_CLDPRB_60m.jp2": "CloudPrbMask_1_Tile1_Data",
        "MSK_SNWPRB_20m.jp2": "SnowPrbMask_Tile1_Data",
        "MSK_SNWPRB_60m.jp2": "SnowPrbMask_1_Tile1_Data",
        "MSK_CLASSI_B00.jp2": "ClassiPixelsMask_Band_00m_0_Tile1_Data",
        "MSK_CLOUDS_B00.gml": "CloudsMask_Band_00m_0_Tile1_Data",
        f"{acquisition.image_stem}_PVI.jp2": "Preview_0_Tile1_Data",
    }
    if name in fixed:
        return fixed[name]
    if "/IMG_DATA/" in path and acquisition.level == "L1C":
        band = Path(name).stem.split("_")[2]
        return f"IMG_DATA_Band_{_NUMBERS.get(band, band)}_Tile1_Data"
    if "/IMG_DATA/" in path:
        _, _, band, gsd = Path(name).stem.split("_")
        return f"IMG_DATA_Band_{band}_{gsd}_Tile1_Data"
    if name.startswith("MSK_"):
        _, kind, band = Path(name).stem.split("_")
        return f"{_MASK_OBJECTS[kind]}_Band_{BANDS[band].gsd}m_{BANDS[band].band_id}_Tile1_Data"
    place = "Tile1" if path.startswith("GRANULE/") else "Datastrip1"
    kind = name.removesuffix(".xml")
    title = kind if kind == "L2A_QUALITY" else kind.split("_")[0].title()
    return f"{title}_OLQC_Report_{place}_InformationData"


def manifest(acquisition: SimulatedAcquisition, safe: Path, paths: list[str]) -> Element:
    """Describe the finished files of a product.

    Args:
        acquisition: which product.
        safe: SAFE folder on disk.
        paths: places of the files in it.
    """
    members = members_of(acquisition, paths)
    root = etree.Element(
        f"{{{_XFDU}}}XFDU",
        {"version": f"esa/safe/sentinel/1.1/sentinel-2/msi/archive_{acquisition.level.lower()}_user_product"},
        nsmap={"gml": GML, "safe": SAFE, "xfdu": _XFDU},
    )
    root.append(element("informationPackageMap", _package(acquisition, members)))
    described = acquisition_metadata(acquisition, positions_of(footprint_of(acquisition)))
    described += [_metadata(member) for member in members if _is_metadata(member)]
    root.append(element("metadataSection", *described))
    root.append(element("dataObjectSection", *[_data_object(acquisition, safe, member) for member in members]))
    return root


def _is_metadata(member: Member) -> bool:
    return member.unit_type == "Metadata Unit"


def _unit(name: str, *children: Element, text: str = "", unit_type: str = "") -> Element:
    made = etree.Element(f"{{{_XFDU}}}contentUnit", {"ID": name})
    if text:
        made.set("textInfo", text)
    if unit_type:
        made.set("unitType", unit_type)
    made.extend(children)
    return made


def _leaf(member: Member) -> Element:
    pointer = etree.Element("dataObjectPointer", {"dataObjectID": member.object_id})
    name = member.object_id.removesuffix("_Data").removesuffix("Data")
    text = "" if _is_metadata(member) else Path(member.path).parent.name
    return _unit(f"{name}_Unit", pointer, text=text, unit_type=member.unit_type)


def _package(acquisition: SimulatedAcquisition, members: list[Member]) -> Element:
    """The tree of the package: product, datastrip and tile, each with its files."""

    def under(prefix: str) -> list[Element]:
        return [_leaf(member) for member in members if member.path.startswith(prefix)]

    granule = f"GRANULE/{acquisition.granule_id}"
    datastrip = f"DATASTRIP/{acquisition.datastrip_id}"
    tile = _unit(
        "Tile1",
        _unit("AUX_DATA_GranuleTile1", *under(f"{granule}/AUX_DATA/"), text="Auxiliary Container"),
        _unit("IMG_Data_Tile1", *under(f"{granule}/IMG_DATA/"), text="Image Data Container"),
        *under(f"{granule}/MTD_TL.xml"),
        _unit("QI_DATA_Tile1", *under(f"{granule}/QI_DATA/"), text="Quality Control Container"),
        text="Tile Container",
    )
    strip = _unit(
        "Datastrip1",
        *under(f"{datastrip}/MTD_DS.xml"),
        _unit("QI_DATA_Datastrip1", *under(f"{datastrip}/QI_DATA/"), text="Quality Control Container"),
        text="Datastrip Container",
    )
    made = etree.Element(
        f"{{{_XFDU}}}contentUnit",
        {
            "dmdID": "acquisitionPeriod platform",
            "pdiID": "processing",
            "textInfo": f"SENTINEL-2 MSI Level-{acquisition.level[1:]} User Product",
            "unitType": f"Product_Level-{acquisition.level[1:]}",
        },
    )
    made.extend(
        [
            *under(product_xml(acquisition)),
            *under("INSPIRE.xml"),
            _unit("HTML", *under("HTML/"), text="HTML container"),
            _unit("Datastrips", strip, text="Datastrips Container"),
            _unit("Tiles", tile, text="Tiles Container"),
        ]
    )
    return made


def _metadata(member: Member) -> Element:
    made = element("metadataObject", element("dataObjectPointer", dataObjectID=member.object_id))
    made.set("ID", f"{member.object_id}_Information")
    made.set("category", "DMD")
    made.set("classification", "DESCRIPTION")
    return made


def _data_object(acquisition: SimulatedAcquisition, safe: Path, member: Member) -> Element:
    content = (safe / member.path).read_bytes()
    new = acquisition.baseline >= FIRST_SHA3_BASELINE
    digest = hashlib.sha3_256(content) if new else hashlib.md5(content, usedforsecurity=False)
    location = element("fileLocation", href=f"./{member.path}", locatorType="URL")
    checksum = element("checksum", digest.hexdigest(), checksumName="SHA3-256" if new else "MD5")
    stream = element("byteStream", location, checksum, size=str(len(content)))
    stream.set("mimeType", "text/xml" if _is_metadata(member) else "application/octet-stream")
    return element("dataObject", stream, ID=member.object_id)
