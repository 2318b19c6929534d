"""The granule's own XML: MTD_TL.xml."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from lxml import etree

from senard.errors import UnusableSceneError
from senard.io.safe_angles import read_sun_angles, read_view_angles
from senard.io.safe_xml import parse_xml, required_text, utc_time
from senard.model.grid import Grid
from senard.model.product import AngleGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleXml:
    """What MTD_TL.xml says."""

    tile_id: str
    """TILE_ID: "S2B_OPER_MSI_L2A_TL_VGS2_20220125T151458_A025531_T31UFS_N04.00"."""

    sensing_time: datetime
    """SENSING_TIME of the granule, UTC: when this ground was seen."""

    grids: Mapping[int, Grid]
    """gsd in m to the product's own UTM grid."""

    sun: AngleGrid
    """Sun angles."""

    view: AngleGrid
    """View angles, bands and detectors merged."""

    class_shares: Mapping[str, float]
    """Every …_PERCENTAGE that the XML states, percent."""


@lru_cache(maxsize=8)  # 30 ms, and every tile at every resolution asks for its suppliers anew
def parse_granule_xml(data: bytes, what: str = "MTD_TL.xml") -> GranuleXml:
    """Read the granule's metadata.

    Args:
        data: bytes of MTD_TL.xml.
        what: name of the file, for messages.

    Returns:
        Grids (sizes are taken from here: a product may be smaller than 10980 pixels), angles, time, shares.

    Raises:
        UnusableSceneError: an element is missing or impossible.
    """
    root = parse_xml(data, what)
    try:
        return GranuleXml(
            tile_id=required_text(root, what, "TILE_ID", "TILE_ID_2A"),
            sensing_time=utc_time(required_text(root, what, "SENSING_TIME"), what),
            grids=_grids(root, what),
            sun=read_sun_angles(root),
            view=read_view_angles(root),
            class_shares=_shares(root),
        )
    except (ValueError, KeyError, ArithmeticError) as error:
        raise UnusableSceneError(f"{what}: a value is impossible ({error}). Download the product again.") from error


def _grids(root: etree._Element, what: str) -> dict[int, Grid]:
    crs = required_text(root, what, "HORIZONTAL_CS_CODE").upper()
    sizes = {int(element.get("resolution") or ""): element for element in root.iterfind(".//{*}Size")}
    corners = {int(element.get("resolution") or ""): element for element in root.iterfind(".//{*}Geoposition")}
    missing = {10, 20, 60} - (sizes.keys() & corners.keys())
    if missing or not crs.startswith("EPSG:"):
        raise UnusableSceneError(
            f"{what}: expected an EPSG code and Size and Geoposition for 10, 20 and 60 m; found {crs} and "
            f"{sorted(sizes.keys() & corners.keys())}. Download the product again."
        )
    return {gsd: _grid(crs, gsd, sizes[gsd], corners[gsd], what) for gsd in (10, 20, 60)}


def _grid(crs: str, gsd: int, size: etree._Element, corner: etree._Element, what: str) -> Grid:
    if (float(corner.findtext("{*}XDIM", str(gsd))), float(corner.findtext("{*}YDIM", str(-gsd)))) != (gsd, -gsd):
        raise UnusableSceneError(f"{what}: pixels of the {gsd} m grid are not {gsd} m north-up. Leave it out.")
    return Grid(
        crs=crs,
        left=float(required_text(corner, what, "ULX")),
        top=float(required_text(corner, what, "ULY")),
        gsd=gsd,
        width=int(required_text(size, what, "NCOLS")),
        height=int(required_text(size, what, "NROWS")),
    )


def _shares(root: etree._Element) -> dict[str, float]:
    shares: dict[str, float] = {}
    for element in root.iterfind(".//{*}Image_Content_QI/*"):
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name.endswith("_PERCENTAGE") and (element.text or "").strip():
            shares[name] = float(element.text or "")
    return shares
