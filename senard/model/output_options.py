"""Parameters about what is made and where it lies. None changes a pixel."""

from senard.model.keep import Keep
from senard.model.labels import LAYER_PROFILES
from senard.model.option import Kind, Option

OUTPUT_OPTIONS: tuple[Option, ...] = (
    Option(
        name="resolutions",
        kind=Kind.LIST,
        default="10,20",
        unit="m",
        metavar="10,20",
        identity=False,
        help="Which files to make: 10 (red, green, blue, near infrared), 20 (six bands, year, day of year) or both.",
    ),
    Option(
        name="layers",
        kind=Kind.LIST,
        choices=tuple(LAYER_PROFILES),
        metavar="SCL",
        identity=False,
        help="Layers to make besides: SCL is the scene class of every pixel, as the product that supplies it says. "
        "A layer joins a mosaic that is there already.",
    ),
    Option(
        name="outdir",
        kind=Kind.FOLDER,
        default="out",
        metavar="FOLDER",
        identity=False,
        help="Where the product folder appears.",
    ),
    Option(
        name="workdir",
        kind=Kind.FOLDER,
        metavar="FOLDER",
        identity=False,
        help="Where intermediate results lie; OUTDIR/.senard if absent. May be shared by several mosaics.",
    ),
    Option(
        name="keep",
        kind=Kind.CHOICE,
        default=Keep.ALL.value,
        choices=tuple(member.value for member in Keep),
        metavar="WHAT",
        tasks=("MosaicAOI",),
        identity=False,
        help="What stays on the disk: all; masks, what scenes were judged to be, while products that were fetched or "
        "unpacked go as soon as no tile needs them; none, the mosaic alone. What lies in --archive, what was there "
        "before, and what another mosaic needs always stays.",
    ),
    Option(
        name="rebuild",
        kind=Kind.SWITCH,
        default="false",
        identity=False,
        help="Make every processing step anew; only verified downloads stay.",
    ),
)
"""What is made, and where."""
