"""report.html: everything about a product that a person may ask, in one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path

import pyproj

import senard
from senard.io.atomic import partial_file
from senard.io.map_sheet import percent
from senard.io.report_page import bars, facts, keys, numbers, page, picture, row, table
from senard.io.tables import baseline_text, request_options, tile_dates
from senard.model.labels import LAYER_PROFILES
from senard.model.mosaic import MosaicFigures, SceneRow, TileFigures
from senard.model.request import Brdf, Method, Topography
from senard.model.sentinel2 import MOSAIC_BANDS, ProductType

LEVELS = {
    0: "no scene saw the ground well enough",
    1: "clear: passes every test",
    2: "clear, but where a shadow may fall or with too few dates to be sure",
    3: "called clear by the scene classification, doubtful beside other dates",
    4: "least bad: beside a cloud or a shadow, saturated, or snow",
    5: "cloudy: nothing better was seen",
}
"""What the quality levels mean; 0 is a gap."""

STATISTICS = {
    Method.MEDIAN: "median, band by band,",
    Method.GEOMEDIAN: "geometric median",
    Method.PERCENTILE25: "first quartile, band by band,",
}
"""What a method delivers, for a person."""

PIXEL_KM2 = 0.0004
"""One pixel of 20 m, km² of the CRS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPictures:
    """Pictures of the report, ready to be embedded, with the colours of their legends as #rrggbb."""

    quicklook: bytes
    """JPEG."""

    true_colour: bool
    """False where only 20 m files exist and the quicklook is in false colour."""

    date_map: bytes
    """PNG."""

    clear_map: bytes
    """PNG."""

    level_map: bytes
    """PNG."""

    day_colours: dict[date, str]
    """Colour of each acquisition date."""

    clear_colours: dict[int, str]
    """Colour of each number of clear observations."""

    level_colours: dict[int, str]
    """Colour of each quality level; 0 is a gap."""


def write_report_file(
    path: Path,
    figures: MosaicFigures,
    pictures: ReportPictures,
    resolutions: Sequence[int],
    layers: Sequence[str] = (),
) -> Path:
    """Write report.html, atomically.

    Args:
        path: the file.
        figures: what it says.
        pictures: what it shows.
        resolutions: pixel sides of the mosaic files in the folder, m.
        layers: names of LAYER_PROFILES in the folder.
    """
    with partial_file(path) as partial:
        partial.write_text(report_html(figures, pictures, resolutions, layers), encoding="utf-8", newline="\n")
    return path


def report_html(
    figures: MosaicFigures, pictures: ReportPictures, resolutions: Sequence[int], layers: Sequence[str] = ()
) -> str:
    """The text of report.html."""
    request = figures.request
    scenes = f"{len(figures.used)} of {len(figures.scenes)} scenes"
    return page(
        figures.product_id,
        f"Sentinel-2 mosaic of {request.first_day} to {request.last_day}, made of {scenes}",
        (
            ("overview", "Overview", _overview(figures, pictures)),
            ("request", "Request", _request(figures)),
            ("dates", "Acquisition dates", _dates(figures, pictures)),
            ("clear", "Clear observations", _clear(figures, pictures)),
            ("quality", "Quality levels", _quality(figures, pictures)),
            ("gaps", "Gaps", _gaps(figures)),
            ("scenes", "Scenes", _scenes(figures)),
            ("layers", "Files and layers", _layers(figures, resolutions, layers)),
            ("open", "How to open", _how_to_open(resolutions)),
            ("licence", "Licence and attribution", _licence(figures)),
        ),
        notices=_notices(figures),
        foot=f"Made by senard {escape(senard.__version__)}. Times, memory and machines of the run are in "
        '<a href="run.json">run.json</a>; checksums of all other files in <a href="SHA256SUMS">SHA256SUMS</a>.',
    )


def _notices(figures: MosaicFigures) -> list[str]:
    """What must not be overlooked."""
    notices = []
    if figures.simulated:
        notices.append("Made of simulated products: what it shows is no real ground.")
    if figures.request.product_type is ProductType.L1C:
        notices.append("Made of Level-1C products: reflectance is top-of-atmosphere, not corrected for the atmosphere.")
    if figures.request.method.blends:
        notices.append(
            f"Every pixel is the {STATISTICS[figures.request.method]} of all its usable observations, so most spectra "
            "were never seen as they are. Dates, sources, levels and shares of scenes are those of the observation "
            "nearest to the spectrum in the bands of 20 m."
        )
    if figures.request.brdf is Brdf.NBAR:
        notices.append(
            "Land without snow is shown as from straight above: reflectance is multiplied by the factors in "
            "layers/NBAR_<source>.tif where the QA layer has flag 512."
        )
    if figures.request.topography is Topography.C:
        notices.append(
            "Slopes are shown in the light of level ground: reflectance is multiplied by factors that follow from "
            "layers/TOPO_<source>.tif where the QA layer has flag 1024."
        )
    if figures.request.feather_m:
        notices.append(
            f"Within {figures.request.feather_m:g} m of borders between two dates spectra may be blended from both: "
            "where the QA layer has flag 8. Dates and sources are those with the larger share."
        )
    if figures.valid_pixels == 0:
        notices.append("No pixel of the area has data.")
    return notices


def _overview(figures: MosaicFigures, pictures: ReportPictures) -> str:
    """Large numbers and the quicklook."""
    days = list(figures.pixels_per_day)
    span = f"{days[0]} to {days[-1]}" if days else "none"
    bands = "true colour (B04 B03 B02), reflectance 0 to 0.25"
    if not pictures.true_colour:
        bands = "false colour (B8A B11 B05), reflectance 0 to 0.45: the 10 m files were not asked for"
    return numbers(
        (
            (percent(figures.valid_share), "of the area has data"),
            (str(len(days)), f"acquisition dates, {span}"),
            (str(len(figures.used)), f"scenes used of {len(figures.scenes)} kept by the query"),
            (str(len(figures.tiles)), "tile" if len(figures.tiles) == 1 else "tiles"),
        )
    ) + picture(
        pictures.quicklook,
        "jpeg",
        alt=f"The mosaic {figures.product_id} in {bands.partition(':')[0]}",
        caption=f"{escape(bands[0].upper() + bands[1:])}. Larger and georeferenced: "
        '<a href="quicklook.png">quicklook.png</a>.',
    )


def _request(figures: MosaicFigures) -> str:
    """Area, period, options and versions."""
    request = figures.request
    west, south, east, north = request.aoi.bounds
    area_m2, _ = pyproj.Geod(ellps="WGS84").geometry_area_perimeter(request.aoi)
    pairs = [
        ("area", f"{abs(area_m2) / 1e6:,.1f} km² on the ground"),
        ("bounds", f"west {west:.5f}, south {south:.5f}, east {east:.5f}, north {north:.5f} (EPSG:4326)"),
        ("period", f"{request.first_day} to {request.last_day}, both days included"),
        *((name.replace("_", " "), text) for name, text in request_options(request).items()),
        ("senard", senard.__version__),
        ("request SHA-256", request.sha256),
    ]
    if figures.created is not None:
        pairs.append(("newest product made", f"{figures.created:%Y-%m-%d %H:%M:%S} UTC"))
    return facts("What was asked, and by which version it was answered", pairs)


def _dates(figures: MosaicFigures, pictures: ReportPictures) -> str:
    """The date map and the histogram of acquisition dates."""
    area = max(1, figures.area_pixels)
    values = [
        (day.isoformat(), float(pixels), percent(pixels / area), pictures.day_colours[day])
        for day, pixels in figures.pixels_per_day.items()
    ]
    return picture(
        pictures.date_map,
        "png",
        alt=f"Map of the acquisition date of every pixel, {len(values)} dates; the table below states their shares",
        caption='The day on which each pixel was seen: <a href="acquisition_date.png">acquisition_date.png</a>. '
        "The bands year and DOY of the 20 m files hold the same for every pixel.",
    ) + bars("Share of the area that each acquisition date supplies", "date (UTC)", values)


def _clear(figures: MosaicFigures, pictures: ReportPictures) -> str:
    """Map and histogram of the number of clear observations."""
    area = max(1, figures.area_pixels)
    values = [
        (str(number), float(pixels), percent(pixels / area), pictures.clear_colours[number])
        for number, pixels in figures.clear_counts.items()
    ]
    drawn = picture(
        pictures.clear_map,
        "png",
        alt="Map of the number of clear observations of every pixel; the table beside it states their shares",
        caption="From few (dark) to many (light) clear observations in the period; gaps are grey. The band "
        "<code>clear</code> of the QA layer holds this number plus 1.",
    )
    return f'<div class="pair">{drawn}{bars("Clear observations per pixel with data", "observations", values)}</div>'


def _quality(figures: MosaicFigures, pictures: ReportPictures) -> str:
    """Map and table of the quality levels."""
    area = max(1, figures.area_pixels)
    levels = {0: figures.area_pixels - figures.valid_pixels, **level_pixels(figures)}
    rows = [
        row((keys([(colour, str(level) if level else "gap")]), escape(LEVELS[level]), _share(levels[level] / area)))
        for level, colour in pictures.level_colours.items()
        if level in levels
    ]
    drawn = picture(
        pictures.level_map,
        "png",
        alt="Map of the quality level of every pixel; the table beside it states their shares",
        caption="The band <code>level</code> of the QA layer.",
    )
    levels_table = table("Quality level of the pixels of the area", ("level", "meaning", "share"), rows, right=(2,))
    return f'<div class="pair">{drawn}{levels_table}</div>'


def level_pixels(figures: MosaicFigures) -> dict[int, int]:
    """Quality level to pixels of the whole mosaic; gaps excluded."""
    levels: dict[int, int] = {}
    for tile in figures.tiles:
        for level, pixels in tile.levels.items():
            if level:
                levels[level] = levels.get(level, 0) + pixels
    return dict(sorted(levels.items()))


def _gaps(figures: MosaicFigures) -> str:
    """Share without data, in all and per tile."""
    gap = figures.area_pixels - figures.valid_pixels
    text = f"{_share(1 - figures.valid_share)} of the area, {gap * PIXEL_KM2:,.2f} km² of the grid, has no data."
    if gap:
        text += " No kept scene saw the ground there well enough; a longer period gives more chances."
    rows = [_tile_row(tile, figures.scenes) for tile in figures.tiles]
    head = ("tile", "data", "gap", "scenes", "first date", "last date")
    return f"<p>{text}</p>" + table("Tiles of the mosaic", head, rows, right=(1, 2, 3))


def _tile_row(tile: TileFigures, scenes: Sequence[SceneRow]) -> str:
    """One tile of the table of gaps."""
    dates = tile_dates(tile, scenes)
    return row(
        (
            str(tile.tile.index),
            _share(tile.valid_share),
            _share(1 - tile.valid_share),
            str(sum(1 for pixels in tile.pixels.values() if pixels)),
            dates[0].isoformat() if dates else "none",
            dates[-1].isoformat() if dates else "none",
        ),
        right=(1, 2, 3),
    )


def _scenes(figures: MosaicFigures) -> str:
    """Every kept scene, used or not."""
    head = ("no.", "product", "date", "orbit", "baseline", "cloud", "clear", "supplies", "remark")
    rows = [_scene_row(scene) for scene in figures.scenes]
    note = (
        "<p>Every scene that the query kept. <em>cloud</em> is what the product states of itself, <em>clear</em> the "
        "share of its valid ground that was found clear, <em>supplies</em> its share of the area. The same as a table "
        'for programs: <a href="scenes.csv">scenes.csv</a>.</p>'
    )
    return note + table("Source scenes by number in the QA layer", head, rows, right=(0, 3, 5, 6, 7))


def _scene_row(row_of: SceneRow) -> str:
    """One scene of the table of scenes."""
    scene = row_of.scene
    return row(
        (
            str(row_of.source),
            f'<span class="id">{escape(scene.product_id).replace("_", "_<wbr>")}</span>',
            f"<time>{scene.acquisition_date.isoformat()}</time>",
            str(scene.relative_orbit),
            baseline_text(scene),
            "not stated" if scene.cloud_cover is None else f"{scene.cloud_cover:.1f} %",
            "not judged" if row_of.clear_share is None else _share(row_of.clear_share),
            _share(row_of.share),
            escape(row_of.reason),
        ),
        right=(0, 3, 5, 6, 7),
        name="" if row_of.used else "unused",
    )


def _layers(figures: MosaicFigures, resolutions: Sequence[int], layers: Sequence[str]) -> str:
    """What the files hold, and what composing counted."""
    rows = [
        row((f"<code>&lt;tile&gt;_{gsd}.tif</code>", escape(bands), f"<code>mosaic_{gsd}.vrt</code>"))
        for gsd, bands in ((gsd, _bands(gsd)) for gsd in resolutions)
    ]
    quality = "source, clear, level, flags"
    rows.append(row(("<code>layers/&lt;tile&gt;_QA_20.tif</code>", quality, "<code>layers/QA_20.vrt</code>")))
    for layer in layers:
        gsd, bands = LAYER_PROFILES[layer].gsd, ", ".join(LAYER_PROFILES[layer].names)
        name = f"layers/&lt;tile&gt;_{layer}_{gsd}.tif"
        rows.append(row((f"<code>{name}</code>", bands, f"<code>layers/{layer}_{gsd}.vrt</code>")))
    counted: dict[str, int] = {}
    for composite in figures.composites:
        for name in ("clipped_low", "mended"):
            counted[name] = counted.get(name, 0) + composite.counts.get(name, 0)
    text = (
        f"<p>{counted.get('clipped_low', 0):,} values at or below a reflectance of 0.00005 became DN 1, and "
        f"{counted.get('mended', 0):,} values without data inside a chosen scene were taken from its nearest pixel.</p>"
    )
    return table("Files of every tile", ("file", "bands in order", "index"), rows) + (text if counted else "")


def _bands(gsd: int) -> str:
    """Bands of a mosaic file in file order."""
    return " ".join(MOSAIC_BANDS[gsd]) + (" year DOY" if gsd == 20 else "")


def _how_to_open(resolutions: Sequence[int]) -> str:
    """QGIS, GDAL and Python."""
    name = f"mosaic_{min(resolutions, default=10)}.vrt"
    return (
        f"<p>Drag <code>{name}</code> into QGIS: its style is loaded with it. Stored numbers become reflectance by "
        "DN · 0.0001; 0 means no data.</p>"
        f"<pre>gdalinfo {name}\n"
        f"python -c \"import rioxarray; print(rioxarray.open_rasterio('{name}', mask_and_scale=True))\"\n"
        "sha256sum -c SHA256SUMS</pre>"
    )


def _licence(figures: MosaicFigures) -> str:
    """Terms of the data and how to name them."""
    notice = f"<p>{escape(figures.attribution)}."
    if figures.simulated:
        return f"{notice}</p>"
    return (
        f"{notice} Copernicus Sentinel data are free, full and open; whoever passes them on in changed form names them "
        "with this sentence.</p>"
    )


def _share(share: float) -> str:
    """A share in HTML: "&lt; 0.1 %" holds a sign that would begin a tag."""
    return escape(percent(share))
