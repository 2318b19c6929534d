"""What manifest.safe says of the acquisition as a whole: period, orbit, platform, processing, frame."""

from lxml import etree

from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.elements import Element

SAFE = "http://www.esa.int/safe/sentinel/1.1"
"""Namespace of the descriptions."""

GML = "http://www.opengis.net/gml"
"""Namespace of the footprint."""


def acquisition_metadata(acquisition: SimulatedAcquisition, footprint: str) -> list[Element]:
    """The five metadataObjects that describe the acquisition.

    Args:
        acquisition: which product.
        footprint: "lat lon lat lon …", closed ring.
    """
    start = f"{acquisition.time:%Y-%m-%dT%H:%M:%S}.024Z"
    period = _safe("acquisitionPeriod", _safe("startTime", text=start))
    orbit = _safe(
        "orbitReference",
        _safe("orbitNumber", text=f"{acquisition.absolute_orbit:06d}", groundTrackDirection="descending", type="start"),
        _safe("relativeOrbitNumber", text=f"{acquisition.relative_orbit:03d}", type="start"),
    )
    instrument = _safe("instrument", _safe("familyName", text="Multi-Spectral Instrument", abbreviation="MSI"))
    platform = _safe(
        "platform",
        _safe("nssdcIdentifier", text="simulated"),
        _safe("familyName", text="SENTINEL"),
        _safe("number", text=acquisition.satellite[1:]),
        instrument,
    )
    processing = _safe(
        "processing",
        name=f"Generation of Level-{acquisition.level[1:]} User Product",
        start=f"{acquisition.processing_time:%Y-%m-%dT%H:%M:%S}.000000Z",
    )
    coordinates = etree.Element(f"{{{GML}}}coordinates")
    coordinates.text = footprint
    frame = _safe("frameSet", _safe("footPrint", coordinates, srsName="http://www.opengis.net/gml/srs/epsg.xml#4326"))
    return [
        _wrapped("acquisitionPeriod", "Acquisition Period", period),
        _wrapped("measurementOrbitReference", "Orbit Reference", orbit),
        _wrapped("platform", "Platform Description", platform),
        _wrapped("processing", "Processing", processing, category="PDI", classification="PROVENANCE"),
        _wrapped("measurementFrameSet", "Frame Set", frame),
    ]


def _safe(tag: str, *children: Element, text: str | None = None, **attributes: str) -> Element:
    made = etree.Element(f"{{{SAFE}}}{tag}", attributes)
    made.text = text
    made.extend(children)
    return made


def _wrapped(
    name: str, title: str, content: Element, *, category: str = "DMD", classification: str = "DESCRIPTION"
) -> Element:
    made = etree.Element("metadataObject", {"ID": name, "category": category, "classification": classification})
    wrap = etree.SubElement(
        made, "metadataWrap", {"mimeType": "text/xml", "textInfo": title, "vocabularyName": "Sentinel-SAFE"}
    )
    etree.SubElement(wrap, "xmlData").append(content)
    return made
