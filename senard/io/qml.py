"""QGIS styles, which QGIS loads with a raster of the same base name. Numbers are physical: QGIS applies the scale."""

from collections.abc import Sequence
from pathlib import Path

from lxml import etree

from senard.io.atomic import partial_file
from senard.model.labels import QUALITY_PROFILE, RasterProfile

STRETCHES: dict[int, tuple[tuple[str, str, str], float]] = {
    10: (("B04", "B03", "B02"), 0.25),
    20: (("B8A", "B11", "B05"), 0.45),
}
"""gsd in m to the bands shown as red, green, blue and the reflectance shown brightest."""

LEVEL_COLOURS: tuple[tuple[int, str, str], ...] = (
    (1, "#1a9850", "1 clear by every test"),
    (2, "#a6d96a", "2 clear, few dates or near a shadow"),
    (3, "#fee08b", "3 clear class, stands out among the dates"),
    (4, "#f46d43", "4 in a cloud buffer, or saturated"),
    (5, "#a50026", "5 the best of cloudy dates"),
)
"""Quality level, colour, legend."""

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"


def write_style(out: Path, profile: RasterProfile) -> Path:
    """Write the style of a mosaic, of the QA layer or of a layer of classes, whole or not at all.

    Args:
        out: final name, the raster's with the suffix .qml.
        profile: what the raster holds.

    Returns:
        out.
    """
    root = etree.Element("qgis", version="3.22", styleCategories="Symbology")
    pipe = etree.SubElement(root, "pipe")
    if profile is QUALITY_PROFILE:
        _add_palette(pipe, profile.names.index("level") + 1, LEVEL_COLOURS)
    elif profile.bands[0].classes:
        shown_classes = [label for label in profile.bands[0].classes if label.value != profile.nodata]
        _add_palette(pipe, 1, [(label.value, label.colour, f"{label.value} {label.name}") for label in shown_classes])
    else:
        shown, brightest = STRETCHES[profile.gsd]
        _add_colours(pipe, [profile.names.index(name) + 1 for name in shown], brightest)
    etree.SubElement(pipe, "brightnesscontrast", brightness="0", contrast="0", gamma="1")
    etree.SubElement(pipe, "huesaturation", saturation="0", grayscaleMode="0", colorizeOn="0")
    etree.SubElement(pipe, "rasterresampler", maxOversampling="2")
    etree.SubElement(root, "blendMode").text = "0"
    with partial_file(out) as partial:
        partial.write_bytes(etree.tostring(root, pretty_print=True, encoding="UTF-8", doctype=_DOCTYPE))
    return out


def _add_colours(pipe: etree._Element, bands: Sequence[int], brightest: float) -> None:
    """Three bands as red, green and blue, each stretched from 0."""
    red, green, blue = map(str, bands)
    renderer = etree.SubElement(
        pipe,
        "rasterrenderer",
        type="multibandcolor",
        opacity="1",
        alphaBand="-1",
        redBand=red,
        greenBand=green,
        blueBand=blue,
        nodataColor="",
    )
    for colour in ("red", "green", "blue"):
        contrast = etree.SubElement(renderer, f"{colour}ContrastEnhancement")
        etree.SubElement(contrast, "minValue").text = "0"
        etree.SubElement(contrast, "maxValue").text = f"{brightest:g}"
        etree.SubElement(contrast, "algorithm").text = "StretchToMinimumMaximum"


def _add_palette(pipe: etree._Element, band: int, entries: Sequence[tuple[int, str, str]]) -> None:
    """One colour and one legend for each number of a band."""
    renderer = etree.SubElement(
        pipe, "rasterrenderer", type="paletted", opacity="1", alphaBand="-1", band=str(band), nodataColor=""
    )
    palette = etree.SubElement(renderer, "colorPalette")
    for value, colour, legend in entries:
        etree.SubElement(palette, "paletteEntry", value=str(value), color=colour, alpha="255", label=legend)
