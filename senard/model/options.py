"""Every parameter of the main job, once: the commands, the reference page and the reader of values are made from it."""

import difflib
from collections.abc import Iterable

from senard.errors import RequestError
from senard.model.cloud_evidence import CloudEvidence
from senard.model.option import Kind as Kind
from senard.model.option import Option as Option
from senard.model.output_options import OUTPUT_OPTIONS
from senard.model.request import DATE_WEIGHT, Brdf, Buffer, CloudCoverOf, Fill, Level, Method, Snow, Topography
from senard.model.sentinel2 import ProductType
from senard.model.service_options import DOWNLOAD_OPTIONS, FETCH_OPTIONS, PLAN_OPTIONS, SERVICE_OPTIONS

PRODUCT_TYPE_ALIASES = {"S2MSC2A": ProductType.L2A.value, "S2MSC2Ap": ProductType.L2AP.value}
"""Older words for product types."""

REQUEST_OPTIONS: tuple[Option, ...] = (
    Option(
        name="aoi",
        kind=Kind.FILE,
        metavar="FILE|WKT",
        aliases=("geojson",),
        identity=True,
        help="The area: a GeoJSON, Shapefile, KML, KMZ, GeoPackage or WKT file in any CRS, or WKT in lon/lat as text.",
    ),
    Option(
        name="bbox",
        kind=Kind.LIST,
        unit="degrees, lon/lat (EPSG:4326)",
        metavar="WEST,SOUTH,EAST,NORTH",
        identity=True,
        help="The area as a rectangle of longitudes and latitudes; in a shell write --bbox=-9.5,38.6,-9.0,38.9.",
    ),
    Option(
        name="reference",
        kind=Kind.FILE,
        metavar="RASTER",
        identity=True,
        help="The area as the rectangle that this raster covers.",
    ),
    Option(
        name="mgrs_tiles",
        kind=Kind.LIST,
        metavar="31UFS,31UET",
        identity=True,
        help="Use only products of these MGRS tiles. Without --aoi, --bbox or --reference the tiles are the area too.",
    ),
    Option(
        name="start",
        kind=Kind.DAY,
        unit="UTC day, 2024-05-01 or 01-MAY-2024",
        metavar="DAY",
        identity=True,
        help="First day of the period.",
    ),
    Option(
        name="end",
        kind=Kind.DAY,
        unit="UTC day, 2024-07-31 or 31-JUL-2024",
        metavar="DAY",
        identity=True,
        help="Last day of the period, included.",
    ),
    Option(
        name="name",
        kind=Kind.TEXT,
        metavar="NAME",
        identity=True,
        help="Start of the product's name: a-z, 0-9 and hyphens, at most 48; the area's file name if absent.",
    ),
    Option(
        name="config",
        kind=Kind.FILE,
        metavar="FILE",
        identity=False,
        help="JSON file with parameters by these names, or by senprep's (geojson, dates, cloudcover …). "
        "The command line beats it, and it beats luigi.cfg and your settings.",
    ),
    Option(
        name="products",
        kind=Kind.FILE,
        metavar="FILE",
        identity=True,
        help="Text file with one product name per line, with or without .SAFE or .zip: use only these. "
        "Where no area or period is given, those of the names hold.",
    ),
    Option(
        name="product_type",
        kind=Kind.CHOICE,
        default=ProductType.L2A.value,
        choices=tuple(member.value for member in ProductType),
        also=tuple(PRODUCT_TYPE_ALIASES.items()),
        metavar="TYPE",
        aliases=("s2_producttype",),
        identity=True,
        help="Processing level to use: S2MSI2A is surface reflectance, S2MSI2Ap its pilot form of 2017-18. "
        "S2MSI1C is top-of-atmosphere reflectance. Levels never mix. S2MSC2A and S2MSC2Ap mean the same as S2MSI2A and "
        "S2MSI2Ap.",
    ),
    Option(
        name="cloud_cover_min",
        kind=Kind.NUMBER,
        default="0",
        unit="percent",
        metavar="PERCENT",
        identity=True,
        help="Leave out scenes with less cloud cover than this.",
    ),
    Option(
        name="cloud_cover_max",
        kind=Kind.NUMBER,
        default="95",
        unit="percent",
        metavar="PERCENT",
        identity=True,
        help="Leave out scenes with this cloud cover or more; a scene that states none stays.",
    ),
    Option(
        name="cloud_cover_of",
        kind=Kind.CHOICE,
        default=CloudCoverOf.GRANULE.value,
        choices=tuple(member.value for member in CloudCoverOf),
        metavar="GROUND",
        identity=True,
        help="Which ground the limits of the cloud cover are about: the whole granule, as the catalogue states it, or "
        "the part inside the area, counted in the product's own small scene classification.",
    ),
    Option(
        name="relative_orbits",
        kind=Kind.LIST,
        metavar="51,108",
        identity=True,
        help="Use only products of these relative orbits, 1 to 143.",
    ),
    Option(
        name="satellites",
        kind=Kind.LIST,
        metavar="S2A,S2C",
        identity=True,
        help="Use only products of these satellites.",
    ),
    Option(
        name="latest_baseline",
        kind=Kind.SWITCH,
        default="true",
        identity=True,
        help="Of several processings of one acquisition use only the latest; false keeps all, for lists and downloads. "
        "A mosaic refuses false.",
    ),
    Option(
        name="target_date",
        kind=Kind.DAY,
        unit="UTC day",
        metavar="DAY",
        identity=True,
        help="Day that the mosaic should look like; the middle of the period if absent.",
    ),
    Option(
        name="date_weight",
        kind=Kind.NUMBER,
        default=str(DATE_WEIGHT),
        unit="cost; 1 is an anomaly that just rejects",
        least=0.0,
        most=5.0,
        metavar="WEIGHT",
        identity=True,
        help="What a date at either end of the period costs, half way there a quarter of it. At 0 the clearest "
        "observation counts, whenever it was made; from 2 on the nearest date with little more than a trace of haze.",
    ),
    Option(
        name="fill",
        kind=Kind.CHOICE,
        default=Fill.FLAG.value,
        choices=tuple(member.value for member in Fill),
        metavar="HOW",
        identity=True,
        help="Pixels never seen well: strict leaves them empty, flag takes the least bad clear one and says so in "
        "the QA layer, all takes even a cloudy one.",
    ),
    Option(
        name="buffer",
        kind=Kind.CHOICE,
        default=Buffer.THIN.value,
        choices=tuple(member.value for member in Buffer),
        metavar="HOW",
        identity=True,
        help="Ground left out around dense cloud and shadow: thin is 20 m, terrascope its two-stage rule, pure 300 m.",
    ),
    Option(
        name="cloud_masks",
        kind=Kind.LIST,
        choices=tuple(member.value for member in CloudEvidence),
        metavar="scl,classi",
        identity=True,
        help="From what clouds of each scene are known: scl and probability, the default for L2A; classi, the default "
        "for L1C (MSK_CLASSI, or MSK_CLOUDS before baseline 04.00; in L2A too, where it is there); s2cloudless, for "
        "L1C, which wants pip install 'senard[s2cloudless]'. Several count together.",
    ),
    Option(
        name="snow",
        kind=Kind.CHOICE,
        default=Snow.AVOID.value,
        choices=tuple(member.value for member in Snow),
        metavar="HOW",
        identity=True,
        help="Snow: avoid takes it only where no date saw the ground without, and where it always lies; allow takes it "
        "like any other ground; mask leaves it empty.",
    ),
    Option(
        name="level",
        kind=Kind.CHOICE,
        default=Level.DATATAKE.value,
        choices=tuple(member.value for member in Level),
        metavar="HOW",
        identity=True,
        help="Differences of brightness to remove: datatake makes products of one overflight agree where they overlap, "
        "so that no step shows where MGRS tiles meet; scene and surface do so too, and draw the visible bands of every "
        "overflight to what its ground usually looks like, by at most 0.01: scene by one number per band, surface by "
        "one that changes smoothly over kilometres. none leaves every pixel as its product has it.",
    ),
    Option(
        name="method",
        kind=Kind.CHOICE,
        default=Method.BEST.value,
        choices=tuple(member.value for member in Method),
        metavar="HOW",
        identity=True,
        help="What is made of the usable observations of a pixel: best takes the one that costs least, first that of "
        "the overflight that saw most of the area clear, medoid the one nearest to the median; median, geomedian and "
        "percentile25 deliver statistics, whose dates are those of the nearest observation. All but best and first "
        "fetch and read every product with usable ground.",
    ),
    Option(
        name="brdf",
        kind=Kind.CHOICE,
        default=Brdf.NONE.value,
        choices=tuple(member.value for member in Brdf),
        metavar="HOW",
        identity=True,
        help="Differences that the satellite's direction makes, between orbits above all: none leaves them, nbar "
        "brings land without snow to the view from straight above, by a factor that depends on band and angles.",
    ),
    Option(
        name="feather",
        kind=Kind.NUMBER,
        default="0",
        unit="m",
        least=0.0,
        most=60.0,
        metavar="METRES",
        identity=True,
        help="Make borders between two dates soft: within this distance of one, on either side, spectra are mixed "
        "where both dates saw the pixel at level 1 and differ by less than 0.02. 0 leaves every pixel to one date. "
        "Only with --method best.",
    ),
    Option(
        name="dem",
        kind=Kind.FILE,
        metavar="RASTER",
        identity=True,
        help="A terrain model, heights in metres, any raster in any CRS: what lies in the shade of relief or is turned "
        "away from the sun counts as shaded, and shadows of clouds are looked for where relief puts them. What counts "
        "for the product's name is the file's content.",
    ),
    Option(
        name="topography",
        kind=Kind.CHOICE,
        default=Topography.NONE.value,
        choices=tuple(member.value for member in Topography),
        metavar="HOW",
        identity=True,
        help="Differences that the slope of the ground makes: none leaves them, c brings slopes to the light of level "
        "ground (C-correction), as far as the products show that they are not corrected. Needs --dem.",
    ),
    Option(
        name="landcover",
        kind=Kind.FILE,
        metavar="RASTER",
        identity=True,
        help="A land cover with the codes of ESA WorldCover, in any CRS: bright towns and bare ground are sooner known "
        "for what they are, doubtful summer snow there and on water is none, its ice is ground, and water is where it "
        "says. What counts for the product's name is the file's content.",
    ),
    Option(
        name="clip",
        kind=Kind.SWITCH,
        default="true",
        identity=True,
        help="Leave pixels empty that the area does not touch; false fills the tiles' whole rectangles.",
    ),
    Option(
        name="crs",
        kind=Kind.TEXT,
        default="EPSG:3857",
        metavar="EPSG:CODE",
        identity=True,
        help="Grid of the mosaic: any projected CRS in metres, e.g. EPSG:32633 or EPSG:3035.",
    ),
)
"""What is asked for."""

GROUPS: tuple[tuple[str, tuple[Option, ...]], ...] = (
    ("Request", REQUEST_OPTIONS),
    ("Output", OUTPUT_OPTIONS),
    ("Finding and fetching", FETCH_OPTIONS),
    ("Services", SERVICE_OPTIONS),
    ("Download only", DOWNLOAD_OPTIONS),
    ("Plan only", PLAN_OPTIONS),
)
"""Every parameter under its heading."""

OPTIONS: tuple[Option, ...] = tuple(entry for _, group in GROUPS for entry in group)
"""Every parameter, in the order of `--help`."""

BY_NAME: dict[str, Option] = {option.name: option for option in OPTIONS}
"""The same by name."""

AREA_OPTIONS: tuple[str, ...] = ("aoi", "bbox", "reference")
"""Ways to give the area, of which one holds; `mgrs_tiles` is the area where none is given."""


def options_of(task: str) -> tuple[Option, ...]:
    """What a task takes: "MosaicAOI"."""
    return tuple(entry for entry in OPTIONS if not entry.tasks or task in entry.tasks)


def option(name: str) -> Option:
    """The option of this name.

    Raises:
        RequestError: if there is none; the message names the nearest one.
    """
    if name in BY_NAME:
        return BY_NAME[name]
    raise RequestError(f"There is no parameter {name!r}. {nearest(name, BY_NAME)}")


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that helps somebody who mistyped: the nearest known words, or all of them."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(words)}."


def reference_table() -> str:
    """All options as Markdown tables under their headings, for docs/reference/parameters.md."""
    head = "| parameter | typed as | unit or choices | default | changes pixels | what it does |\n"
    tables = (head + "|---|---|---|---|---|---|\n" + "".join(map(_row, group)) for _, group in GROUPS)
    return "\n".join(f"## {title}\n\n{table}" for (title, _), table in zip(GROUPS, tables, strict=True))


def _row(entry: Option) -> str:
    """One line of the table; a vertical bar would end the cell."""
    cells = (
        f"`{entry.flag}{' ' + entry.metavar if entry.metavar else ''}`",
        entry.kind.value,
        ", ".join(f"`{choice}`" for choice in entry.choices) or entry.unit or "–",
        f"`{entry.default}`" if entry.default is not None else "–",
        "yes" if entry.identity else "no",
        entry.help,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
