"""MTD_MSIL2A.xml of a simulated product: the same elements in the same places as in a real one of its baseline.

What MTD_MSIL1C.xml shares with it is public here; the rest is in senard.simulation.level_1c_metadata.

A simulated product says so in `General_Info/Product_Info/PREVIEW_GEO_INFO`, where real products say "Not applicable":
SIMULATED. The word is also in a comment at the head of the product's XML and of MTD_TL.xml, in SIMULATED_COMMENT.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from lxml import etree

from senard.model.sentinel2 import BANDS
from senard.simulation.acquisition import SimulatedAcquisition, stamp
from senard.simulation.elements import Element, element, root_element, typed
from senard.simulation.images import LEVEL_1C_BANDS, delivered_bands

SIMULATED = "simulated by senard"
"""Text of PREVIEW_GEO_INFO in a simulated product."""

SIMULATED_COMMENT = " simulated by senard: not an observation of the Earth "
"""Comment at the head of the XML files."""

_NAMESPACE = "https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd"

REPORTS = ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "RADIOMETRIC_QUALITY", "SENSOR_QUALITY")
"""Check lists of a datastrip, and of a granule before baseline 04.00."""

_DOI = {"L1C": "https://doi.org/10.5270/S2_-742ikth", "L2A": "https://doi.org/10.5270/S2_-znk9xsj"}

_SCL_TEXTS = (
    "SC_NODATA",
    "SC_SATURATED_DEFECTIVE",
    "SC_DARK_FEATURE_SHADOW",
    "SC_CLOUD_SHADOW",
    "SC_VEGETATION",
    "SC_NOT_VEGETATED",
    "SC_WATER",
    "SC_UNCLASSIFIED",
    "SC_CLOUD_MEDIUM_PROBA",
    "SC_CLOUD_HIGH_PROBA",
    "SC_THIN_CIRRUS",
    "SC_SNOW_ICE",
)

# Solar irradiance outside the atmosphere by band, W/m²/µm, to the accuracy of the simulation.
_IRRADIANCE = (1885, 1960, 1824, 1513, 1425, 1288, 1163, 1036, 955, 813, 367, 246, 86)


def product_metadata(
    acquisition: SimulatedAcquisition, shares: Mapping[str, float], mean_aerosol: float, footprint: str
) -> Element:
    """The product's XML.

    Args:
        acquisition: which product.
        shares: element name to percent, see `class_shares`.
        mean_aerosol: mean aerosol optical depth.
        footprint: "lat lon lat lon …", closed ring.
    """
    general = element(f"{{{_NAMESPACE}}}General_Info", product_info(acquisition), _image_characteristics(acquisition))
    root = typed(root_element(_NAMESPACE, "Level-2A_User_Product"), f"{_NAMESPACE} {_NAMESPACE}")
    root.extend(
        [
            etree.Comment(SIMULATED_COMMENT),
            general,
            geometric_info(_NAMESPACE, footprint),
            _auxiliary_info(acquisition),
            _quality_info(acquisition, shares, mean_aerosol),
        ]
    )
    return root


def product_xml(acquisition: SimulatedAcquisition) -> str:
    """Name of the product's XML: "MTD_MSIL2A.xml"."""
    return f"MTD_MSI{acquisition.level}.xml"


def image_paths(acquisition: SimulatedAcquisition) -> dict[str, str]:
    """Image key to its place in the SAFE, in the order in which the product's XML lists the IMG_DATA files."""
    stem = f"GRANULE/{acquisition.granule_id}/IMG_DATA"
    if acquisition.level == "L1C":
        native = {f"{name}_{BANDS[name].gsd}": name for name in LEVEL_1C_BANDS} | {"TCI_10": "TCI"}
        return {key: f"{stem}/{acquisition.image_stem}_{name}.jp2" for key, name in native.items()}
    paths = {}
    for gsd, names in delivered_bands(with_offset=acquisition.has_offset).items():
        scl = ("SCL",) if gsd != 10 else ()
        for name in (*names, "TCI", "AOT", "WVP", *scl):
            paths[f"{name}_{gsd}"] = f"{stem}/R{gsd}m/{acquisition.image_stem}_{name}_{gsd}m.jp2"
    return paths


def product_info(acquisition: SimulatedAcquisition) -> Element:
    """Product_Info: what the product is called, of which datatake it is, and its images."""
    start = f"{acquisition.time:%Y-%m-%dT%H:%M:%S}.024Z"
    granule = element(
        "Granule",
        *[element("IMAGE_FILE", path.removesuffix(".jp2")) for path in image_paths(acquisition).values()],
        datastripIdentifier=identifier(acquisition, "DS", f"S{stamp(acquisition.datastrip_time)}"),
        granuleIdentifier=identifier(acquisition, "TL", f"A{acquisition.absolute_orbit:06d}_T{acquisition.mgrs_tile}"),
        imageFormat="JPEG2000",
    )
    doi = [element("PRODUCT_DOI", _DOI[acquisition.level])] if acquisition.has_offset else []
    datatake = f"G{acquisition.satellite}_{stamp(acquisition.time)}_{acquisition.absolute_orbit:06d}"
    return element(
        "Product_Info",
        element("PRODUCT_START_TIME", start),
        element("PRODUCT_STOP_TIME", start),
        element("PRODUCT_URI", f"{acquisition.product_id}.SAFE"),
        element("PROCESSING_LEVEL", acquisition.level_text),
        element("PRODUCT_TYPE", acquisition.product_type.value),
        element("PROCESSING_BASELINE", acquisition.baseline_text),
        *doi,
        element("GENERATION_TIME", f"{acquisition.processing_time:%Y-%m-%dT%H:%M:%S}.000000Z"),
        element("PREVIEW_IMAGE_URL", "Not applicable"),
        element("PREVIEW_GEO_INFO", SIMULATED),
        element(
            "Datatake",
            element("SPACECRAFT_NAME", acquisition.spacecraft),
            element("DATATAKE_TYPE", "INS-NOBS"),
            element("DATATAKE_SENSING_START", start),
            element("SENSING_ORBIT_NUMBER", str(acquisition.relative_orbit)),
            element("SENSING_ORBIT_DIRECTION", "DESCENDING"),
            datatakeIdentifier=f"{datatake}_N{acquisition.baseline_text}",
        ),
        element("Query_Options", element("PRODUCT_FORMAT", "SAFE_COMPACT"), completeSingleTile="true"),
        element("Product_Organisation", element("Granule_List", granule)),
    )


def identifier(acquisition: SimulatedAcquisition, kind: str, tail: str, *, level: str = "") -> str:
    """A name of the ground segment: "S2A_OPER_MSI_L2A_DS_2APS_20221206T135452_S20221206T105430_N05.09".

    Args:
        acquisition: which product.
        kind: "DS" datastrip or "TL" tile.
        tail: what stands between the creation time and the baseline.
        level: "L2A" or "L1C"; empty: the acquisition's own.
    """
    return (
        f"{acquisition.satellite}_OPER_MSI_{level or acquisition.level}_{kind}_{acquisition.centre_code}"
        f"_{stamp(acquisition.processing_time)}_{tail}_N{acquisition.baseline_text}"
    )


def _image_characteristics(acquisition: SimulatedAcquisition) -> Element:
    made = element("Product_Image_Characteristics", *special_values())
    made.append(scales())
    if acquisition.has_offset:
        offsets = [element("BOA_ADD_OFFSET", str(acquisition.add_offset), band_id=str(k)) for k in range(13)]
        made.append(element("BOA_ADD_OFFSET_VALUES_LIST", *offsets))
    made.append(reflectance_conversion(acquisition))
    made.append(element("Spectral_Information_List", *[spectral_information(name) for name in BANDS]))
    for k in range(13):
        made.append(element("PHYSICAL_GAINS", "4.0", bandId=str(k)))
    if acquisition.baseline >= 500 or acquisition.baseline == 301:
        made.append(element("REFERENCE_BAND", "3"))
    made.append(
        element(
            "Scene_Classification_List",
            *[
                element(
                    "Scene_Classification_ID",
                    element("SCENE_CLASSIFICATION_TEXT", text),
                    element("SCENE_CLASSIFICATION_INDEX", str(number)),
                )
                for number, text in enumerate(_SCL_TEXTS)
            ],
        )
    )
    return made


def scales() -> Element:
    """QUANTIFICATION_VALUES_LIST: DN per unit of reflectance, of aerosol and of water vapour in L2A."""
    return element(
        "QUANTIFICATION_VALUES_LIST",
        element("BOA_QUANTIFICATION_VALUE", "10000", unit="none"),
        element("AOT_QUANTIFICATION_VALUE", "1000.0", unit="none"),
        element("WVP_QUANTIFICATION_VALUE", "1000.0", unit="cm"),
    )


def special_values() -> list[Element]:
    """What 0 and 65535 mean, and which bands are shown as red, green and blue."""
    special = [
        element("Special_Values", element("SPECIAL_VALUE_TEXT", text), element("SPECIAL_VALUE_INDEX", index))
        for text, index in (("NODATA", "0"), ("SATURATED", "65535"))
    ]
    colours = (("RED_CHANNEL", "3"), ("GREEN_CHANNEL", "2"), ("BLUE_CHANNEL", "1"))
    return [*special, element("Image_Display_Order", *[element(name, number) for name, number in colours])]


def reflectance_conversion(acquisition: SimulatedAcquisition) -> Element:
    """Reflectance_Conversion: distance to the sun and the sun's light by band."""
    # U: (1 AU / distance to the sun)², the Earth being nearest on 3 January.
    day = acquisition.time.timetuple().tm_yday
    u = 1 / (1 - 0.01672 * math.cos(0.9856 * (day - 4) * math.pi / 180)) ** 2
    values = [
        element("SOLAR_IRRADIANCE", str(value), bandId=str(k), unit="W/m²/µm") for k, value in enumerate(_IRRADIANCE)
    ]
    return element("Reflectance_Conversion", element("U", f"{u:.14f}"), element("Solar_Irradiance_List", *values))


def spectral_information(name: str) -> Element:
    """Spectral_Information: a bell of the band's width for its response."""
    band = BANDS[name]
    low = band.wavelength_nm - band.bandwidth_nm // 2 - 5
    high = band.wavelength_nm + band.bandwidth_nm // 2 + 5
    offset = (np.arange(low, high + 1) - band.wavelength_nm) / max(band.bandwidth_nm / 2, 1)
    response = " ".join(f"{value:.4f}" for value in np.exp(-(offset**8)))
    return element(
        "Spectral_Information",
        element("RESOLUTION", str(band.gsd)),
        element(
            "Wavelength",
            element("MIN", str(low), unit="nm"),
            element("MAX", str(high), unit="nm"),
            element("CENTRAL", f"{band.wavelength_nm}.0", unit="nm"),
        ),
        element("Spectral_Response", element("STEP", "1", unit="nm"), element("VALUES", response)),
        bandId=str(band.band_id),
        physicalBand=name.replace("B0", "B"),
    )


def geometric_info(namespace: str, footprint: str) -> Element:
    """Geometric_Info: the footprint, "lat lon lat lon …"."""
    return element(
        f"{{{namespace}}}Geometric_Info",
        element(
            "Product_Footprint",
            element("Product_Footprint", element("Global_Footprint", element("EXT_POS_LIST", footprint))),
            element("RASTER_CS_TYPE", "POINT"),
            element("PIXEL_ORIGIN", "1"),
        ),
        element(
            "Coordinate_Reference_System",
            element("GEO_TABLES", "EPSG", version="1"),
            element("HORIZONTAL_CS_TYPE", "GEOGRAPHIC"),
        ),
    )


def _auxiliary_info(acquisition: SimulatedAcquisition) -> Element:
    gipp = f"{acquisition.satellite}_OPER_GIP_L2ACFG_SIM__20150601T000000_V20150622T000000_21000101T000000_B00"
    refined = [element("GRI_FILENAME", "None")] if acquisition.baseline >= 301 and acquisition.baseline != 400 else []
    return element(
        f"{{{_NAMESPACE}}}Auxiliary_Data_Info",
        element("GIPP_List", element("GIPP_FILENAME", gipp, type_="GIP_L2ACFG", version="0001")),
        element("PRODUCTION_DEM_TYPE", "CopernicusDEM90"),
        element("IERS_BULLETIN_FILENAME", "None"),
        element("GRI_List", *refined),
        element("ECMWF_DATA_REF", "None"),
        element("LUT_List", element("LUT_FILENAME", "None")),
        element("SNOW_CLIMATOLOGY_MAP", "GlobalSnowMap.tiff"),
        element("ESACCI_WaterBodies_Map", "ESACCI-LC-L4-WB-Map-150m-P13Y-2000-v4.0.tif"),
        element("ESACCI_LandCover_Map", "ESACCI-LC-L4-LCCS-Map-300m-P1Y-2015-v2.0.7.tif"),
        element("ESACCI_SnowCondition_Map_Dir", "ESACCI-LC-L4-Snow-Cond-500m-MONTHLY-2000-2012-v2.4"),
    )


def _quality_info(acquisition: SimulatedAcquisition, shares: Mapping[str, float], mean_aerosol: float) -> Element:
    kinds = list(REPORTS)
    if acquisition.has_offset:
        kinds.insert(3, "L2A_QUALITY")
    return element(
        f"{{{_NAMESPACE}}}Quality_Indicators_Info",
        element("Cloud_Coverage_Assessment", f"{shares['CLOUDY_PIXEL_PERCENTAGE']:.6f}"),
        *quality_checks(kinds),
        image_content(acquisition, shares, mean_aerosol, of_tile=False),
    )


def quality_checks(kinds: Sequence[str]) -> list[Element]:
    """Technical quality and the inspections, all passed."""
    return [
        element(
            "Technical_Quality_Assessment",
            element("DEGRADED_ANC_DATA_PERCENTAGE", "0.0"),
            element("DEGRADED_MSI_DATA_PERCENTAGE", "0"),
        ),
        element(
            "Quality_Control_Checks",
            element("Quality_Inspections", *[element("quality_check", "PASSED", checkType=kind) for kind in kinds]),
            element("Failed_Inspections"),
        ),
    ]


def image_content(
    acquisition: SimulatedAcquisition, shares: Mapping[str, float], mean_aerosol: float, *, of_tile: bool
) -> Element:
    """Image_Content_QI: the class shares, percent, as product and tile XML both hold them.

    Args:
        acquisition: which product.
        shares: element name to percent.
        mean_aerosol: mean aerosol optical depth.
        of_tile: True for MTD_TL.xml, which says more.
    """
    new = acquisition.has_offset
    names = ["CLOUDY_PIXEL_PERCENTAGE"] if of_tile else []
    names += ["CLOUDY_PIXEL_OVER_LAND_PERCENTAGE"] if new else []
    names += ["DEGRADED_MSI_DATA_PERCENTAGE"] if of_tile else []
    names += ["NODATA_PIXEL_PERCENTAGE", "SATURATED_DEFECTIVE_PIXEL_PERCENTAGE", "DARK_FEATURES_PERCENTAGE"]
    names += ["CLOUD_SHADOW_PERCENTAGE", "VEGETATION_PERCENTAGE", "NOT_VEGETATED_PERCENTAGE", "WATER_PERCENTAGE"]
    names += ["UNCLASSIFIED_PERCENTAGE", "MEDIUM_PROBA_CLOUDS_PERCENTAGE", "HIGH_PROBA_CLOUDS_PERCENTAGE"]
    names += ["THIN_CIRRUS_PERCENTAGE", "SNOW_ICE_PERCENTAGE"]
    made = element("Image_Content_QI", *[element(name, f"{shares.get(name, 0.0):.6f}") for name in names])
    for name in ("RADIATIVE_TRANSFER_ACCURACY", "WATER_VAPOUR_RETRIEVAL_ACCURACY", "AOT_RETRIEVAL_ACCURACY"):
        made.append(element(name, "0.0"))
    if new:
        made.append(element("AOT_RETRIEVAL_METHOD", "SEN2COR_DDV"))
        made.append(element("GRANULE_MEAN_AOT", f"{mean_aerosol:.6f}"))
        made.append(element("GRANULE_MEAN_WV", "1.600000"))
        made.append(element("OZONE_SOURCE", "AUX_ECMWFT"))
        made.append(element("OZONE_VALUE", "330.000000"))
    return made
