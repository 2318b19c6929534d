"""INSPIRE.xml of a simulated product: the ISO 19139 record that lies in every SAFE."""

from lxml import etree
from shapely.geometry.base import BaseGeometry

from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.elements import Element, typed
from senard.simulation.metadata import SIMULATED

_GMD = "http://www.isotc211.org/2005/gmd"
_GCO = "http://www.isotc211.org/2005/gco"
_GML = "http://www.opengis.net/gml"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_CODES = (
    "http://standards.iso.org/ittf/PubliclyAvailableStandards/ISO_19139_Schemas/resources/Codelist/ML_gmxCodelists.xml#"
)
_LANGUAGES = "http://www.loc.gov/standards/iso639-2/"


def inspire_record(acquisition: SimulatedAcquisition, footprint: BaseGeometry, positions: str) -> Element:
    """The record.

    Args:
        acquisition: which product.
        footprint: valid ground, lon/lat.
        positions: the same as text, "lat lon lat lon …".
    """
    root = typed(
        etree.Element(f"{{{_GMD}}}MD_Metadata", nsmap={"gmd": _GMD, "gco": _GCO, "gml": _GML, "xsi": _XSI}),
        f"{_GMD} http://schemas.opengis.net/iso/19139/20060504/gmd/gmd.xsd",
    )
    root.extend(
        [
            _text("fileIdentifier", acquisition.product_id),
            _language(),
            _gmd("characterSet", _character_set()),
            _gmd("hierarchyLevel", _code("MD_ScopeCode", "dataset")),
            _party("contact", "pointOfContact"),
            _gmd("dateStamp", _gco("Date", f"{acquisition.processing_time:%Y-%m-%d}")),
            _text("metadataStandardName", "ISO19115"),
            _text("metadataStandardVersion", "2003/Cor.1:2006"),
            _reference_system(),
            _gmd("identificationInfo", _identification(acquisition, footprint, positions)),
            _distribution(),
            _quality(),
        ]
    )
    return root


def _gmd(tag: str, *children: Element, text: str | None = None, **attributes: str) -> Element:
    made = etree.Element(f"{{{_GMD}}}{tag}", attributes)
    made.text = text
    made.extend(children)
    return made


def _gco(tag: str, text: str) -> Element:
    made = etree.Element(f"{{{_GCO}}}{tag}")
    made.text = text
    return made


def _text(tag: str, text: str) -> Element:
    return _gmd(tag, _gco("CharacterString", text))


def _code(kind: str, value: str) -> Element:
    return _gmd(kind, text=value, codeList=f"{_CODES}{kind}", codeListValue=value)


def _character_set() -> Element:
    code = _code("MD_CharacterSetCode", "MD_CharacterSetCode_utf8")
    code.set("codeSpace", "ISOTC211/19115")
    return code


def _language() -> Element:
    return _gmd("language", _gmd("LanguageCode", text="eng", codeList=_LANGUAGES, codeListValue="eng"))


def _party(tag: str, role: str) -> Element:
    address = _gmd("CI_Address", _text("electronicMailAddress", "nobody@example.org"))
    return _gmd(
        tag,
        _gmd(
            "CI_ResponsibleParty",
            _text("organisationName", SIMULATED),
            _gmd("contactInfo", _gmd("CI_Contact", _gmd("address", address))),
            _gmd("role", _code("CI_RoleCode", role)),
        ),
    )


def _reference_system() -> Element:
    identifier = _gmd(
        "RS_Identifier",
        _text("code", "http://www.opengis.net/def/crs/EPSG/0/4936"),
        _text("codeSpace", "INSPIRE RS registry"),
    )
    return _gmd("referenceSystemInfo", _gmd("MD_ReferenceSystem", _gmd("referenceSystemIdentifier", identifier)))


def _dated(title: str, day: str, kind: str, *more: Element) -> Element:
    """A citation: a title and a day that means creation, publication or revision."""
    date = _gmd("CI_Date", _gmd("date", _gco("Date", day)), _gmd("dateType", _code("CI_DateTypeCode", kind)))
    return _gmd("CI_Citation", _text("title", title), _gmd("date", date), *more)


def _keywords(title: str, day: str, *words: str) -> Element:
    keywords = [_text("keyword", word) for word in words]
    thesaurus = _gmd("thesaurusName", _dated(title, day, "revision"))
    return _gmd("descriptiveKeywords", _gmd("MD_Keywords", *keywords, thesaurus))


def _identification(acquisition: SimulatedAcquisition, footprint: BaseGeometry, positions: str) -> Element:
    identifier = _gmd("RS_Identifier", _text("code", acquisition.product_id), _text("codeSpace", _GMD))
    citation = _dated(
        f"{acquisition.product_id}.SAFE",
        f"{acquisition.processing_time:%Y-%m-%d}",
        "creation",
        _gmd("identifier", identifier),
    )
    scale = _gmd("MD_RepresentativeFraction", _gmd("denominator", _gco("Integer", "20")))
    return _gmd(
        "MD_DataIdentification",
        _gmd("citation", citation),
        _text("abstract", positions),
        _party("pointOfContact", "user"),
        _keywords("GEMET - INSPIRE themes, version 1.0", "2011-09-12", "Orthoimagery", "Land cover"),
        _keywords("GEMET", "2012-07-20", "Land", "Data infrastructure"),
        _keywords("INSPIRE feature concept dictionary", "2012-02-13", "Orthoimage"),
        _gmd("resourceConstraints", _gmd("MD_Constraints", _text("useLimitation", "no conditions apply"))),
        _gmd(
            "resourceConstraints",
            _gmd(
                "MD_LegalConstraints",
                _gmd("accessConstraints", _code("MD_RestrictionCode", "otherRestrictions")),
                _text("otherConstraints", "no limitations"),
            ),
        ),
        _gmd("spatialResolution", _gmd("MD_Resolution", _gmd("equivalentScale", scale))),
        _language(),
        _gmd("topicCategory", _gmd("MD_TopicCategoryCode", text="imageryBaseMapsEarthCover")),
        _gmd("extent", _gmd("EX_Extent", _box(footprint), _period(acquisition))),
    )


def _box(footprint: BaseGeometry) -> Element:
    west, south, east, north = footprint.bounds
    sides = {"westBoundLongitude": west, "eastBoundLongitude": east}
    sides |= {"southBoundLatitude": south, "northBoundLatitude": north}
    parts = [_gmd(name, _gco("Decimal", f"{value:.9f}")) for name, value in sides.items()]
    return _gmd("geographicElement", _gmd("EX_GeographicBoundingBox", *parts))


def _period(acquisition: SimulatedAcquisition) -> Element:
    period = etree.Element(f"{{{_GML}}}TimePeriod")
    period.set(f"{{{_GML}}}id", f"ID{acquisition.product_id}")
    period.set(f"{{{_XSI}}}type", "gml:TimePeriodType")
    for tag in ("beginPosition", "endPosition"):
        position = etree.SubElement(period, f"{{{_GML}}}{tag}")
        position.text = f"{acquisition.time:%Y-%m-%dT%H:%M:%S}"
    return _gmd("temporalElement", _gmd("EX_TemporalExtent", _gmd("extent", period)))


def _distribution() -> Element:
    resource = _gmd("CI_OnlineResource", _gmd("linkage", _gmd("URL", text="http://www.isotc211.org/2005/gmx")))
    return _gmd(
        "distributionInfo",
        _gmd(
            "MD_Distribution",
            _gmd("distributionFormat", _gmd("MD_Format", _text("name", "SAFE"), _text("version", "unknown"))),
            _gmd("transferOptions", _gmd("MD_DigitalTransferOptions", _gmd("onLine", resource))),
        ),
    )


def _quality() -> Element:
    regulation = _dated("Commission Regulation (EU) No 1089/2010", "2010-12-08", "publication")
    result = _gmd(
        "DQ_ConformanceResult",
        _gmd("specification", regulation),
        _text("explanation", "See the referenced specification"),
        _gmd("pass", _gco("Boolean", "false")),
    )
    result.set(f"{{{_XSI}}}type", "gmd:DQ_ConformanceResult_Type")
    consistency = _gmd("DQ_DomainConsistency", _gmd("result", result))
    consistency.set(f"{{{_XSI}}}type", "gmd:DQ_DomainConsistency_Type")
    return _gmd(
        "dataQualityInfo",
        _gmd(
            "DQ_DataQuality",
            _gmd("scope", _gmd("DQ_Scope", _gmd("level", _code("MD_ScopeCode", "dataset")))),
            _gmd("report", consistency),
            _gmd("lineage", _gmd("LI_Lineage", _text("statement", SIMULATED))),
        ),
    )
