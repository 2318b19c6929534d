"""Pictures of mosaics: true colour, what is contaminated, and how sure senard was."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bench.quality.metrics import delivered_of, picked
from bench.quality.mosaic import Mosaic
from bench.quality.season import CONTAMINATED, Season
from senard.model.arrays import UInt8Array, UInt16Array
from senard.simulation.sky import CLOUD, SHADOW
from senard.simulation.stack import VIEW_BANDS

BRIGHTEST = 2_500
"""DN that is shown white."""

GAMMA = 1.6
"""Dark ground is lifted by this exponent."""

PANEL_PX = 457
"""Longer side of one picture in the sheet, px: every second pixel of 18.3 km."""

LEVEL_COLOURS = ((0, 0, 0), (38, 130, 60), (150, 200, 80), (250, 200, 60), (225, 110, 40), (150, 30, 40))
"""Colour of levels 0-5."""

MARKS = {"cloud": (255, 0, 200), "shadow": (0, 90, 255), "other": (255, 150, 0)}
"""Colour of contaminated pixels by cause; other is haze and smoke."""

_TITLE_PX = 16


def write_sheet(season: Season, mosaics: Sequence[Mosaic], out: Path) -> Path:
    """Draw all mosaics of a season on one sheet.

    Upper row: the target date under a clear sky, then the mosaics. Middle row: where senard's level lies, then the
    mosaics in grey with contaminated pixels marked. Lower row: date of every pixel.

    Args:
        season: the views.
        mosaics: senard's first.
        out: name of a PNG.
    """
    upper = [("target date, clear sky", true_colour(np.asarray(season.target.ground)))]
    upper += [(mosaic.name, true_colour(mosaic.dn)) for mosaic in mosaics]
    own = next((mosaic for mosaic in mosaics if mosaic.level is not None), None)
    blank = np.full((*season.shape, 3), 255, dtype=np.uint8)
    middle = [("level of senard: green 1 … red 5", blank if own is None else level_colours(own))]
    middle += [("cloud, shadow, haze marked", marked(season, mosaic)) for mosaic in mosaics]
    lower = [("day: early blue, late yellow", blank), *(("day", day_colours(season, mosaic)) for mosaic in mosaics)]
    rows = [upper, middle, lower]
    step = max(1, -(-max(season.shape) // PANEL_PX))
    height, width = (-(-side // step) for side in season.shape)
    sheet = Image.new("RGB", (len(upper) * (width + 4), len(rows) * (height + _TITLE_PX + 4)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, panels in enumerate(rows):
        for col, (title, pixels) in enumerate(panels):
            place = (col * (width + 4), row * (height + _TITLE_PX + 4))
            pen.text((place[0] + 2, place[1] + 2), title, fill="black")
            sheet.paste(Image.fromarray(pixels[::step, ::step]), (place[0], place[1] + _TITLE_PX))
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, optimize=True)
    return out


def true_colour(dn: UInt16Array) -> UInt8Array:
    """(y, x, 3) picture of (10, y, x) DN; nodata is black."""
    rgb = dn[[VIEW_BANDS.index(name) for name in ("B04", "B03", "B02")]].astype(np.float32)
    scaled = 255 * np.clip(rgb / BRIGHTEST, 0, 1) ** (1 / GAMMA)
    return np.moveaxis(scaled.astype(np.uint8), 0, -1)


def marked(season: Season, mosaic: Mosaic) -> UInt8Array:
    """(y, x, 3) the mosaic in grey, contaminated pixels in the colours of MARKS, gaps white."""
    grey = (true_colour(mosaic.dn).mean(axis=-1) * 0.6).astype(np.uint8)
    picture = np.repeat(grey[..., np.newaxis], 3, axis=-1)
    sky, delivered = picked(season.sky, mosaic.source), delivered_of(mosaic)
    picture[delivered & ((sky & CONTAMINATED) > 0)] = MARKS["other"]
    picture[delivered & ((sky & SHADOW) > 0)] = MARKS["shadow"]
    picture[delivered & ((sky & CLOUD) > 0)] = MARKS["cloud"]
    picture[~delivered] = 255
    return picture


def level_colours(mosaic: Mosaic) -> UInt8Array:
    """(y, x, 3) quality level of every pixel."""
    colours: UInt8Array = np.array(LEVEL_COLOURS, dtype=np.uint8)
    levels = np.zeros(mosaic.source.shape, dtype=np.uint8) if mosaic.level is None else mosaic.level
    shown: UInt8Array = colours[np.minimum(levels, 5)]
    return shown


def day_colours(season: Season, mosaic: Mosaic) -> UInt8Array:
    """(y, x, 3) day of every pixel from blue (first) to yellow (last); gaps white."""
    days = np.array([day.toordinal() for day in season.days], dtype=np.float32)
    share = (days - days.min()) / max(float(days.max() - days.min()), 1.0)
    late = share[np.maximum(mosaic.source, 0)]
    picture = np.stack([40 + 210 * late, 60 + 160 * late, 200 - 160 * late], axis=-1).astype(np.uint8)
    picture[~delivered_of(mosaic)] = 255
    return picture
