"""VRT over the tiles of a mosaic, written as XML: the grid is known, so no tile is opened for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree
from rasterio.crs import CRS

from senard.errors import RequestError
from senard.io.atomic import partial_file
from senard.io.geotiff import BLOCK
from senard.io.statistics import BandStatistics, combine_statistics, statistics_tags
from senard.model.grid import Grid, Tile
from senard.model.labels import ClassLabel, RasterProfile

SMALLEST_OVERVIEW = 512
"""Overviews are offered until the longer side is below this, px."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFile:
    """One file of the mosaic as its VRT names it."""

    tile: Tile
    """Its tile: says where it lies."""

    name: str
    """Its name relative to the VRT's folder, with forward slashes: "0_10.tif"."""

    statistics: tuple[BandStatistics, ...] = ()
    """What its bands hold; empty where nobody has looked, then the index states no statistics."""


def write_vrt(out: Path, files: Sequence[IndexedFile], profile: RasterProfile) -> Path:
    """Write the index over all files of one kind, whole or not at all.

    Args:
        out: final name.
        files: at least one, all of one CRS; written in the order of their tiles' index.
        profile: pixel size, bands, nodata and overviews of the files.

    Returns:
        out.

    Raises:
        RequestError: there is no file to index.
    """
    if not files:
        raise RequestError(f"{out.name} would index no file: the area has no tile, so ask for a larger area.")
    ordered = sorted(files, key=lambda file: file.tile.index)
    union = _union([file.tile for file in ordered], profile.gsd)
    root = etree.Element("VRTDataset", rasterXSize=str(union.width), rasterYSize=str(union.height))
    _text(root, "SRS", CRS.from_string(union.crs).to_wkt(), dataAxisToSRSAxisMapping="1,2")
    _text(root, "GeoTransform", ", ".join(f"{number:.16e}" for number in union.geotransform))
    metadata = etree.SubElement(root, "Metadata")
    _text(metadata, "MDI", "Area", key="AREA_OR_POINT")
    for number in range(1, len(profile.bands) + 1):
        _add_band(root, number, profile, ordered, union)
    factors = _overview_factors(max(union.shape))
    if factors:
        _text(root, "OverviewList", " ".join(map(str, factors)), resampling=profile.overviews.value)
    with partial_file(out) as partial:
        partial.write_bytes(etree.tostring(root, pretty_print=True, encoding="UTF-8", xml_declaration=False))
    return out


def _add_band(
    root: etree._Element, number: int, profile: RasterProfile, files: Sequence[IndexedFile], union: Grid
) -> None:
    """Append one band with one source per file."""
    band = profile.bands[number - 1]
    element = etree.SubElement(root, "VRTRasterBand", dataType=profile.data_type, band=str(number))
    if all(file.statistics for file in files):
        _add_statistics(element, combine_statistics([file.statistics[number - 1] for file in files]), union)
    _text(element, "Description", band.name)
    if band.unit:
        _text(element, "UnitType", band.unit)
    _text(element, "Offset", f"{band.offset:g}")
    _text(element, "Scale", f"{band.scale:g}")
    _text(element, "NoDataValue", str(profile.nodata))
    _text(element, "ColorInterp", band.colour.value)
    if band.classes:
        _add_classes(element, band.classes)
    for file in files:
        grid = file.tile.grid(profile.gsd)
        width, height = str(grid.width), str(grid.height)
        source = etree.SubElement(element, "SimpleSource")
        _text(source, "SourceFilename", file.name, relativeToVRT="1")
        _text(source, "SourceBand", str(number))
        etree.SubElement(
            source,
            "SourceProperties",
            RasterXSize=width,
            RasterYSize=height,
            DataType=profile.data_type,
            BlockXSize=str(BLOCK),
            BlockYSize=str(BLOCK),
        )
        etree.SubElement(source, "SrcRect", xOff="0", yOff="0", xSize=width, ySize=height)
        left, top = round((grid.left - union.left) / profile.gsd), round((union.top - grid.top) / profile.gsd)
        etree.SubElement(source, "DstRect", xOff=str(left), yOff=str(top), xSize=width, ySize=height)


def _add_statistics(element: etree._Element, band: BandStatistics, union: Grid) -> None:
    """State what the band holds: without it, GDAL and QGIS write it into the VRT, which then fails its checksum."""
    metadata = etree.SubElement(element, "Metadata")
    for name, text in statistics_tags(band, union.width * union.height).items():
        _text(metadata, "MDI", text, key=name)


def _add_classes(element: etree._Element, classes: Sequence[ClassLabel]) -> None:
    """Name and colour of every class: a GeoTIFF has no place for the names but tags, a VRT has."""
    table = etree.SubElement(element, "ColorTable")
    names = etree.SubElement(element, "CategoryNames")
    for label in classes:
        red, green, blue = bytes.fromhex(label.colour.removeprefix("#"))
        etree.SubElement(table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4="255")
        _text(names, "Category", label.name)


def _union(tiles: Sequence[Tile], gsd: int) -> Grid:
    """The smallest grid that holds all tiles."""
    left, top = min(tile.left for tile in tiles), max(tile.top for tile in tiles)
    right, bottom = max(tile.right for tile in tiles), min(tile.bottom for tile in tiles)
    width, height = (right - left) // gsd, (top - bottom) // gsd
    return Grid(crs=tiles[0].crs, left=float(left), top=float(top), gsd=gsd, width=width, height=height)


def _overview_factors(longer_side: int) -> list[int]:
    """2, 4, 8 … until the longer side is below 512 pixels."""
    factors: list[int] = []
    while longer_side / 2 ** len(factors) >= SMALLEST_OVERVIEW:
        factors.append(2 ** (len(factors) + 1))
    return factors


def _text(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    """Append an element that holds text."""
    etree.SubElement(parent, name, attributes).text = text
