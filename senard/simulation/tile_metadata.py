"""MTD_TL.xml of a simulated product: grid, sun and view angles, class shares, names of the masks.

What L1C shares with L2A is public here; the rest of it is in senard.simulation.level_1c_metadata.
"""

from collections.abc import Mapping

import numpy as np
from lxml import etree

from senard.model.arrays import Float64Array
from senard.model.grid import Grid
from senard.model.sentinel2 import BANDS
from senard.simulation.acquisition import SimulatedAcquisition, stamp
from senard.simulation.elements import Element, element, root_element, typed
from senard.simulation.geometry import detector_of, lonlat, sun_angles, track_coordinates, view_angles
from senard.simulation.metadata import SIMULATED_COMMENT, identifier, image_content

_NAMESPACE = "https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd"

_NODES = 23
_NODE_STEP_M = 5000
# Angles stand at 23 x 23 nodes of 5000 m, the first at the upper left corner.

_BAND_ORDER = (0, 4, 5, 11, 1, 6, 9, 12, 2, 8, 3, 7, 10)
# Order in which the view angle grids of the bands come in real files: not the numeric one.

OLD_MASKS = ("DEFECT", "DETFOO", "NODATA", "SATURA", "TECQUA")
"""Vector masks of each band before baseline 04.00."""


def tile_metadata(acquisition: SimulatedAcquisition, shares: Mapping[str, float], mean_aerosol: float) -> Element:
    """The granule's XML.

    Args:
        acquisition: which product.
        shares: element name to percent, see `class_shares`.
        mean_aerosol: mean aerosol optical depth.
    """
    root = typed(root_element(_NAMESPACE, "Level-2A_Tile_ID"), f"{_NAMESPACE} {_NAMESPACE}")
    quality = element(
        f"{{{_NAMESPACE}}}Quality_Indicators_Info",
        image_content(acquisition, shares, mean_aerosol, of_tile=True),
        mask_names(acquisition),
        element("PVI_FILENAME", preview_path(acquisition)),
        metadataLevel="Standard",
    )
    geometry = tile_geometry(_NAMESPACE, acquisition)
    origin = element("L1C_TILE_ID", tile_id(acquisition, level="L1C"), metadataLevel="Brief")
    general = element(f"{{{_NAMESPACE}}}General_Info", origin, *tile_identity(acquisition))
    root.extend([etree.Comment(SIMULATED_COMMENT), general, geometry, quality])
    return root


def tile_geometry(namespace: str, acquisition: SimulatedAcquisition) -> Element:
    """Geometric_Info: grids of 10, 20 and 60 m, angles."""
    return element(f"{{{namespace}}}Geometric_Info", _geocoding(acquisition.grid), _angles(acquisition))


def tile_id(acquisition: SimulatedAcquisition, *, level: str = "") -> str:
    """Name of the granule; see `identifier`."""
    return identifier(acquisition, "TL", f"A{acquisition.absolute_orbit:06d}_T{acquisition.mgrs_tile}", level=level)


def preview_path(acquisition: SimulatedAcquisition) -> str:
    """Place of the preview in the SAFE."""
    return f"GRANULE/{acquisition.granule_id}/QI_DATA/{acquisition.image_stem}_PVI.jp2"


def mask_paths(acquisition: SimulatedAcquisition) -> list[tuple[str, str, str]]:
    """(type, band_id or "", place in the SAFE) of every mask, in the order of MTD_TL.xml."""
    folder = f"GRANULE/{acquisition.granule_id}/QI_DATA"
    kinds, suffix = (("DETFOO", "QUALIT"), "jp2") if acquisition.has_offset else (OLD_MASKS, "gml")
    masks = [
        (f"MSK_{kind}", str(band.band_id), f"{folder}/MSK_{kind}_{band.name}.{suffix}")
        for band in BANDS.values()
        for kind in kinds
    ]
    whole = "CLASSI" if acquisition.has_offset else "CLOUDS"
    masks.append((f"MSK_{whole}", "", f"{folder}/MSK_{whole}_B00.{suffix}"))
    if acquisition.level == "L2A":
        masks += [
            (f"MSK_{kind}", "", f"{folder}/MSK_{kind}_{gsd}m.jp2") for gsd in (20, 60) for kind in ("CLDPRB", "SNWPRB")
        ]
    return masks


def tile_identity(acquisition: SimulatedAcquisition) -> list[Element]:
    """What General_Info of both levels holds: names, sensing time, archiving."""
    return [
        element("TILE_ID", tile_id(acquisition), metadataLevel="Brief"),
        element(
            "DATASTRIP_ID",
            identifier(acquisition, "DS", f"S{stamp(acquisition.datastrip_time)}"),
            metadataLevel="Standard",
        ),
        element("DOWNLINK_PRIORITY", "NOMINAL", metadataLevel="Standard"),
        element("SENSING_TIME", f"{acquisition.sensing_time:%Y-%m-%dT%H:%M:%S.%f}Z", metadataLevel="Standard"),
        element(
            "Archiving_Info",
            element("ARCHIVING_CENTRE", acquisition.centre_code),
            element("ARCHIVING_TIME", f"{acquisition.processing_time:%Y-%m-%dT%H:%M:%S}.000000Z"),
            metadataLevel="Expertise",
        ),
    ]


def _geocoding(grid: Grid) -> Element:
    epsg = int(grid.crs.split(":")[1])
    hemisphere = "N" if epsg < 32700 else "S"
    made = element(
        "Tile_Geocoding",
        element("HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {epsg % 100}{hemisphere}"),
        element("HORIZONTAL_CS_CODE", grid.crs),
        metadataLevel="Brief",
    )
    grids = [grid.at(gsd) for gsd in (10, 20, 60)]
    for here in grids:
        made.append(
            element(
                "Size",
                element("NROWS", str(here.height)),
                element("NCOLS", str(here.width)),
                resolution=str(here.gsd),
            )
        )
    for here in grids:
        made.append(
            element(
                "Geoposition",
                element("ULX", str(int(here.left))),
                element("ULY", str(int(here.top))),
                element("XDIM", str(here.gsd)),
                element("YDIM", str(-here.gsd)),
                resolution=str(here.gsd),
            )
        )
    return made


def _angles(acquisition: SimulatedAcquisition) -> Element:
    grid = acquisition.grid
    step = _NODE_STEP_M * np.arange(_NODES)
    east, north = np.meshgrid(grid.left + step, grid.top - step)
    lon, lat = lonlat(grid.crs, east, north)
    zenith, azimuth = sun_angles(acquisition.sensing_time, lon, lat)
    across, _ = track_coordinates(acquisition, lon, lat)
    view_zenith, view_azimuth = view_angles(across)
    # Means are those of the product, which may be smaller than the grid of nodes.
    held = max(1, min(_NODES, 1 + grid.width * 10 // _NODE_STEP_M))
    made = element("Tile_Angles", metadataLevel="Standard")
    made.append(element("Sun_Angles_Grid", _table("Zenith", zenith), _table("Azimuth", azimuth)))
    made.append(element("Mean_Sun_Angle", *_mean(zenith[:held, :held], azimuth[:held, :held])))
    detectors = detector_of(across)
    numbers = [number for number in range(1, 13) if (detectors == number).any()] or [6]
    for band_id in _BAND_ORDER:
        for number in numbers:
            seen = detectors == number
            tables = [
                _table(name, np.where(seen, values, np.nan))
                for name, values in (("Zenith", view_zenith), ("Azimuth", view_azimuth))
            ]
            made.append(element("Viewing_Incidence_Angles_Grids", *tables, bandId=str(band_id), detectorId=str(number)))
    mean = _mean(view_zenith[:held, :held], view_azimuth[:held, :held])
    texts = [part.text or "" for part in mean]
    made.append(
        element(
            "Mean_Viewing_Incidence_Angle_List",
            *[
                element(
                    "Mean_Viewing_Incidence_Angle",
                    element("ZENITH_ANGLE", texts[0], unit="deg"),
                    element("AZIMUTH_ANGLE", texts[1], unit="deg"),
                    bandId=str(band_id),
                )
                for band_id in range(13)
            ],
        )
    )
    return made


def _table(name: str, values: Float64Array) -> Element:
    """23 rows of numbers; NaN outside the detector."""
    rows = [" ".join("NaN" if np.isnan(value) else f"{value:.6g}" for value in row) for row in values]
    return element(
        name,
        element("COL_STEP", str(_NODE_STEP_M), unit="m"),
        element("ROW_STEP", str(_NODE_STEP_M), unit="m"),
        element("Values_List", *[element("VALUES", row) for row in rows]),
    )


def _mean(zenith: Float64Array, azimuth: Float64Array) -> tuple[Element, Element]:
    """Mean of angles; azimuths as directions."""
    direction = np.exp(1j * np.radians(azimuth)).mean()
    mean_azimuth = float(np.degrees(np.angle(direction))) % 360
    return (
        element("ZENITH_ANGLE", f"{float(zenith.mean()):.13f}", unit="deg"),
        element("AZIMUTH_ANGLE", f"{mean_azimuth:.12f}", unit="deg"),
    )


def mask_names(acquisition: SimulatedAcquisition) -> Element:
    """Pixel_Level_QI: the places of all masks."""
    made = element("Pixel_Level_QI", geometry="FULL_RESOLUTION")
    for kind, band_id, path in mask_paths(acquisition):
        mask = element("MASK_FILENAME", path)
        if band_id:
            mask.set("bandId", band_id)
        mask.set("type", kind)
        made.append(mask)
    return made
