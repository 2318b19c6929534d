"""MTD_MSIL1C.xml and MTD_TL.xml of a simulated L1C product: as in a real one of its baseline, marked as simulated."""

from lxml import etree

from senard.model.sentinel2 import BANDS
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.elements import Element, element, root_element, typed
from senard.simulation.metadata import (
    REPORTS,
    SIMULATED_COMMENT,
    geometric_info,
    product_info,
    quality_checks,
    reflectance_conversion,
    special_values,
    spectral_information,
)
from senard.simulation.tile_metadata import mask_names, preview_path, tile_geometry, tile_identity

_PRODUCT = "https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd"
_TILE = "https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd"

_NO_REFERENCE_BAND = 400
# Products of baseline 04.00 do not name the band that others are aligned to.


def product_metadata_1c(acquisition: SimulatedAcquisition, cloud: float, snow: float, footprint: str) -> Element:
    """The product's XML.

    Args:
        acquisition: which product.
        cloud: share of the pixels with data under opaque cloud or cirrus, percent.
        snow: share under snow, percent.
        footprint: "lat lon lat lon …", closed ring.
    """
    general = element(f"{{{_PRODUCT}}}General_Info", product_info(acquisition), _image_characteristics(acquisition))
    root = typed(root_element(_PRODUCT, "Level-1C_User_Product"), _PRODUCT)
    root.extend(
        [
            etree.Comment(SIMULATED_COMMENT),
            general,
            geometric_info(_PRODUCT, footprint),
            _auxiliary_info(acquisition),
            _quality_info(acquisition, cloud, snow),
        ]
    )
    return root


def _image_characteristics(acquisition: SimulatedAcquisition) -> Element:
    made = element("Product_Image_Characteristics", *special_values())
    made.append(element("QUANTIFICATION_VALUE", "10000", unit="none"))
    if acquisition.has_offset:
        offsets = [element("RADIO_ADD_OFFSET", str(acquisition.add_offset), band_id=str(k)) for k in range(13)]
        made.append(element("Radiometric_Offset_List", *offsets))
    made.append(reflectance_conversion(acquisition))
    made.append(element("Spectral_Information_List", *[spectral_information(name) for name in BANDS]))
    for k in range(13):
        made.append(element("PHYSICAL_GAINS", "4.0", bandId=str(k)))
    if acquisition.baseline != _NO_REFERENCE_BAND:
        made.append(element("REFERENCE_BAND", "3" if acquisition.baseline > _NO_REFERENCE_BAND else "0"))
    return made


def _auxiliary_info(acquisition: SimulatedAcquisition) -> Element:
    gipp = f"{acquisition.satellite}_OPER_GIP_PROBAS_SIM__20150601T000000_V20150622T000000_21000101T000000_B00"
    refined = [element("GRI_FILENAME", "None")] if acquisition.baseline >= 301 and acquisition.baseline != 400 else []
    return element(
        f"{{{_PRODUCT}}}Auxiliary_Data_Info",
        element("GIPP_List", element("GIPP_FILENAME", gipp, type_="GIP_PROBAS", version="0001")),
        element("PRODUCTION_DEM_TYPE", "CopernicusDEM90"),
        element("IERS_BULLETIN_FILENAME", "None"),
        element("GRI_List", *refined),
        element("ECMWF_DATA_REF", "None"),
    )


def _quality_info(acquisition: SimulatedAcquisition, cloud: float, snow: float) -> Element:
    shares = [element("Cloud_Coverage_Assessment", f"{cloud:.6f}")]
    shares += [element("Snow_Coverage_Assessment", f"{snow:.6f}")] if acquisition.has_offset else []
    return element(f"{{{_PRODUCT}}}Quality_Indicators_Info", *shares, *quality_checks(REPORTS))


def tile_metadata_1c(acquisition: SimulatedAcquisition, cloud: float, snow: float) -> Element:
    """The granule's XML; arguments as of `product_metadata_1c`."""
    root = typed(root_element(_TILE, "Level-1C_Tile_ID"), f"{_TILE} {_TILE}")
    shares = {"CLOUDY_PIXEL_PERCENTAGE": f"{cloud:.6f}", "DEGRADED_MSI_DATA_PERCENTAGE": "0"}
    if acquisition.has_offset:
        shares["SNOW_PIXEL_PERCENTAGE"] = f"{snow:.6f}"
    quality = element(
        f"{{{_TILE}}}Quality_Indicators_Info",
        element("Image_Content_QI", *[element(name, text) for name, text in shares.items()]),
        mask_names(acquisition),
        element("PVI_FILENAME", preview_path(acquisition)),
        metadataLevel="Standard",
    )
    general = element(f"{{{_TILE}}}General_Info", *tile_identity(acquisition))
    root.extend([etree.Comment(SIMULATED_COMMENT), general, tile_geometry(_TILE, acquisition), quality])
    return root
