"""A map sheet: a map with its title, its outline, its scale bar and its legend on white paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry import MultiPolygon

from senard.model.arrays import UInt8Array
from senard.model.picture import PictureFrame

MARGIN = 40
"""White around everything, pixels."""

HEADER = 104
"""Height of title and subtitle, pixels."""

FOOTER = 74
"""Height of scale bar and attribution, pixels."""

LEGEND = 372
"""Width of the legend, pixels."""

INK = (33, 37, 41)
QUIET = (108, 117, 125)
GAP = (176, 176, 176)
"""Colour of ground that no scene supplies."""

_SMOOTH = 3
"""Lines are drawn three times as large and reduced: without it they are jagged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendDay:
    """One acquisition date of the legend."""

    label: str
    """What stands beside the ramp: "2024-05-12"."""

    position: float
    """Place along the ramp, 0 first day, 1 last day."""

    share: float
    """Share of the area that it supplies, 0-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateLegend:
    """What the legend of a date map says."""

    first_label: str
    """First day of the period: "2024-05-01"."""

    last_label: str
    """Last day of the period: "2024-07-31"."""

    days: tuple[LegendDay, ...]
    """Acquisition dates used, in order of time."""

    gap_share: float
    """Share of the area that nothing supplies, 0-1."""


def draw_sheet(
    painted: UInt8Array,
    frame: PictureFrame,
    area: MultiPolygon,
    *,
    titles: tuple[str, str, str],
    ramp: UInt8Array,
    legend: DateLegend,
    scale: float,
) -> UInt8Array:
    """Lay out a date map.

    Args:
        painted: (y, x, 4) uint8, the map of dates, gaps included.
        frame: the map's frame.
        area: outline in the frame's CRS.
        titles: title, subtitle, attribution.
        ramp: (n, 3) uint8, colours from the first to the last day.
        legend: what stands in the legend.
        scale: ground metres per metre of the CRS: cos(latitude) in EPSG:3857.

    Returns:
        (y, x, 3) uint8.
    """
    rows, cols = frame.shape
    sheet_height = max(rows, 620) + HEADER + FOOTER + MARGIN
    sheet_width = max(cols, 420) + LEGEND + 2 * MARGIN
    sheet = Image.new("RGB", (sheet_width, sheet_height), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 32), titles[0], fill=INK, font=_font(30))
    draw.text((MARGIN, 70), titles[1], fill=QUIET, font=_font(18))
    sheet.paste(_outlined(painted, frame, area), (MARGIN, HEADER))
    _draw_scale_bar(draw, (MARGIN, HEADER + rows + 20), frame, scale)
    draw.text((MARGIN, sheet_height - 32), titles[2], fill=QUIET, font=_font(14))
    left = sheet_width - MARGIN - LEGEND + 36
    _draw_legend(sheet, (left, HEADER, sheet_height - FOOTER - MARGIN - 70), ramp, legend)
    return np.asarray(sheet)


def _outlined(painted: UInt8Array, frame: PictureFrame, area: MultiPolygon) -> Image.Image:
    """The map on white with the area's outline, dark on a light edge so that it is seen on every colour."""
    paper = Image.new("RGBA", (frame.width, frame.height), "white")
    paper.alpha_composite(Image.fromarray(painted))
    for width, colour, strength in ((4.5, "white", 0.8), (1.8, INK, 1.0)):
        mask = Image.new("L", (frame.width * _SMOOTH, frame.height * _SMOOTH), 0)
        pen = ImageDraw.Draw(mask)
        for ring in _rings(area):
            line = _places(ring, frame)
            pen.line(line, fill=round(255 * strength), width=round(width * _SMOOTH), joint="curve")
        reduced = mask.resize((frame.width, frame.height), Image.Resampling.BOX)
        paper.paste(Image.new("RGBA", paper.size, colour), (0, 0), reduced)
    return paper.convert("RGB")


def _rings(area: MultiPolygon) -> list[Sequence[tuple[float, float]]]:
    """Outer and inner rings of every polygon."""
    polygons = area.geoms
    return [list(ring.coords) for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]


def _places(ring: Sequence[tuple[float, float]], frame: PictureFrame) -> list[tuple[float, float]]:
    """A ring in pixels of the enlarged picture; an outline on the picture's edge is moved inside to be seen."""
    across, down = frame.width * _SMOOTH, frame.height * _SMOOTH
    factor = _SMOOTH / frame.pixel_m
    return [
        (
            min(max((x - frame.left) * factor, _SMOOTH), across - _SMOOTH),
            min(max((frame.top - y) * factor, _SMOOTH), down - _SMOOTH),
        )
        for x, y in ring
    ]


def _draw_scale_bar(draw: ImageDraw.ImageDraw, place: tuple[int, int], frame: PictureFrame, scale: float) -> None:
    """A bar of 1, 2 or 5 times a power of ten metres on the ground, at most a third of the map wide."""
    length_m = round_length(frame.width * frame.pixel_m * scale / 3)
    pixels = round(length_m / scale / frame.pixel_m)
    x, y = place
    half = x + pixels // 2
    draw.rectangle((x, y, half, y + 7), fill=INK, outline=INK)
    draw.rectangle((half, y, x + pixels, y + 7), fill="white", outline=INK)
    text = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    draw.text((x + pixels + 12, y - 7), text, fill=INK, font=_font(18))


def round_length(longest_m: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not longer, m."""
    power = 10.0 ** np.floor(np.log10(longest_m))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest_m))


def _draw_legend(sheet: Image.Image, place: tuple[int, int, int], ramp: UInt8Array, legend: DateLegend) -> None:
    """The ramp from top to bottom, a tick at every date, a bar for what the date supplies; gaps and outline below."""
    left, top, bottom = place
    draw = ImageDraw.Draw(sheet)
    height = bottom - top - 60
    strip = np.repeat(ramp[np.linspace(0, len(ramp) - 1, height).astype(int)][:, None], 28, axis=1)
    draw.text((left, top), legend.first_label, fill=QUIET, font=_font(16))
    sheet.paste(Image.fromarray(strip), (left, top + 28))
    draw.text((left, top + 28 + height + 6), legend.last_label, fill=QUIET, font=_font(16))
    most = max((day.share for day in legend.days), default=1.0) or 1.0
    labelled = _labelled(legend.days, height)
    for day in legend.days:
        y = top + 28 + round(day.position * (height - 1))
        draw.line((left + 28, y, left + 38, y), fill=INK, width=1)
        if day not in labelled:
            continue
        label = f"{day.label}   {percent(day.share)}"
        draw.text((left + 46, y - 16), label, fill=INK, font=_font(17))
        length = max(2, round(day.share / most * 230))
        colour = tuple(int(value) for value in ramp[round(day.position * (len(ramp) - 1))])
        draw.rectangle((left + 46, y + 6, left + 46 + length, y + 11), fill=colour)
    _draw_keys(draw, (left, bottom + 14), legend, len(legend.days) - len(labelled))


def _draw_keys(draw: ImageDraw.ImageDraw, place: tuple[int, int], legend: DateLegend, unlabelled: int) -> None:
    """What grey and the line mean, and how many dates have no room for a label."""
    left, y = place
    draw.rectangle((left, y, left + 28, y + 16), fill=GAP)
    draw.text((left + 46, y - 3), f"no data   {percent(legend.gap_share)}", fill=INK, font=_font(17))
    draw.line((left, y + 36, left + 28, y + 36), fill=INK, width=2)
    draw.text((left + 46, y + 25), "outline of the area", fill=INK, font=_font(17))
    if unlabelled:
        draw.text((left + 46, y + 53), f"{unlabelled} more dates have a tick only", fill=QUIET, font=_font(15))


def _labelled(days: Sequence[LegendDay], height: int) -> list[LegendDay]:
    """The dates that get a label: the largest shares first, none nearer than 32 pixels to another."""
    chosen: list[LegendDay] = []
    for day in sorted(days, key=lambda day: (-day.share, day.position)):
        if all(abs(day.position - other.position) * height >= 32 for other in chosen):
            chosen.append(day)
    return chosen


def percent(share: float) -> str:
    """A share for a person: "34 %", "3.1 %", "< 0.1 %"; what is not nothing is never called 0."""
    if share <= 0:
        return "0 %"
    if share < 0.001:
        return "< 0.1 %"
    if share < 0.0995:
        return f"{100 * share:.1f} %"
    if 0.995 <= share < 1:
        return f"{100 * share:.1f} %" if share < 0.9995 else "> 99.9 %"
    return f"{100 * share:.0f} %"


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface: the same on every machine."""
    return ImageFont.load_default(size)
