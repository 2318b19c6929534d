"""Parameters about where products come from: catalogues, sources, accounts, addresses, pace. None changes a pixel."""

from senard.model.access import CatalogueName, Fetch, SourceName
from senard.model.option import Kind, Option

CATALOGUES = tuple(member.value for member in CatalogueName)
SOURCES = tuple(member.value for member in SourceName)

FETCH_OPTIONS: tuple[Option, ...] = (
    Option(
        name="archive",
        kind=Kind.FOLDER,
        metavar="FOLDER",
        identity=False,
        help="Folder with Sentinel-2 products, zips or SAFE folders, any depth. With it, nobody else is asked, unless "
        "--catalogue or --sources say so.",
    ),
    Option(
        name="catalogue",
        kind=Kind.CHOICE,
        choices=CATALOGUES,
        metavar="NAME",
        identity=False,
        help="Who is asked which products there are: the folder of --archive, or the Copernicus Data Space by OData or "
        "by STAC. Without it: local if --archive is given, else cdse.",
    ),
    Option(
        name="sources",
        kind=Kind.LIST,
        choices=SOURCES,
        metavar="cdse,google",
        identity=True,
        help="Who brings products, tried in this order for each. Without it: local if --archive is given, then cdse if "
        "the catalogue is not local. Only earth-search and planetary-computer change pixels: a mosaic that may hold "
        "theirs has a name of its own.",
    ),
    Option(
        name="fetch",
        kind=Kind.CHOICE,
        default=Fetch.MEMBERS.value,
        choices=tuple(member.value for member in Fetch),
        metavar="HOW",
        identity=False,
        help="How much of a product is fetched: members brings what judging needs, and later the bands of scenes that "
        "win somewhere; whole brings the whole product, and is what DownloadAOI does unasked.",
    ),
    Option(
        name="download_dir",
        kind=Kind.FOLDER,
        metavar="FOLDER",
        identity=False,
        help="Where fetched products lie, with the Progress File; WORKDIR/archive if absent. Another run, or another "
        "mosaic, finds them there.",
    ),
    Option(
        name="credentials",
        kind=Kind.FILE,
        metavar="FILE",
        identity=False,
        help="JSON file with your account at the Copernicus Data Space, and at a DHuS hub; it is never copied or "
        "logged. Without it: environment, ~/.config/senard/credentials.json, ~/.netrc.",
    ),
    Option(
        name="credentials_google",
        kind=Kind.FILE,
        metavar="FILE",
        identity=False,
        help="JSON file with a Google account: a service account's key, or gcloud's login for applications. Google's "
        "bucket is then asked in its name, with tokens that may only read. Without it: by nobody, which is enough for "
        "the public bucket.",
    ),
    Option(
        name="credentials_earthdata",
        kind=Kind.FILE,
        metavar="FILE",
        identity=False,
        help="JSON file with an account of NASA's Earthdata Login: user name and password, or a token. It is read and "
        "checked; no Sentinel-2 source needs it.",
    ),
    Option(
        name="collection",
        kind=Kind.TEXT,
        default="SENTINEL-2",
        metavar="NAME",
        identity=False,
        help="Collection of the OData catalogue.",
    ),
    Option(
        name="wait",
        kind=Kind.NUMBER,
        default="0",
        unit="hours",
        least=0,
        metavar="HOURS",
        identity=False,
        help="How long to wait for products that will be there later: offline ones, and L2A products that are still "
        "being made. 0 does not wait.",
    ),
    Option(
        name="check_catalogue",
        kind=Kind.SWITCH,
        default="false",
        identity=False,
        help="Ask the second catalogue of the Copernicus Data Space too, and tell what only one of them knows.",
    ),
    Option(
        name="refresh",
        kind=Kind.SWITCH,
        default="false",
        identity=False,
        help="Ask the catalogue again what it holds, and the sources for products that they would not give; results "
        "that are still valid stay.",
    ),
    Option(
        name="allow_missing",
        kind=Kind.SWITCH,
        default="false",
        identity=False,
        help="Go on without a scene that could not be fetched, and say so in the report.",
    ),
)
"""How products are found and fetched."""

SERVICE_OPTIONS: tuple[Option, ...] = (
    Option(
        name="base_url",
        kind=Kind.URL,
        metavar="URL",
        identity=False,
        help="Root of a service that stands in for the Copernicus Data Space: search and data lie at /odata/v1 below "
        "it, where --search-url and --data-url do not say otherwise.",
    ),
    *(
        Option(name=f"{name}_url", kind=Kind.URL, metavar="URL", identity=False, help=text)
        for name, text in (
            ("search", "OData catalogue, up to /odata/v1."),
            ("data", "Downloads by OData, up to /odata/v1."),
            ("token", "Where tokens of the Copernicus Data Space are given out."),
            ("stac", "STAC catalogue of the Copernicus Data Space, up to /v1."),
            ("s3", "Object store of the Copernicus Data Space."),
            ("google", "Host of Google's public bucket."),
            ("dhus", "DHuS hub for the source dhus, which has no address of its own."),
            ("earth_search", "STAC catalogue of Earth Search, up to /v1."),
            ("planetary_computer", "Planetary Computer, up to /api."),
        )
    ),
    Option(
        name="connections",
        kind=Kind.NUMBER,
        default="2",
        unit="downloads at once per account, 0-4",
        least=0,
        most=4,
        whole=True,
        metavar="N",
        identity=False,
        help="Downloads at once, whatever the number of tasks, processes and hosts; 0 turns remote sources off.",
    ),
    Option(
        name="connect_timeout",
        kind=Kind.NUMBER,
        default="20",
        unit="s",
        least=0.01,
        metavar="SECONDS",
        identity=False,
        help="A connection must stand within this time.",
    ),
    Option(
        name="read_timeout",
        kind=Kind.NUMBER,
        default="60",
        unit="s",
        least=0.01,
        metavar="SECONDS",
        identity=False,
        help="Silence longer than this ends a request, which is then tried again.",
    ),
    Option(
        name="min_speed",
        kind=Kind.NUMBER,
        default="1000",
        unit="bytes/s",
        least=0,
        metavar="SPEED",
        identity=False,
        help="A download that is slower for --min-speed-window is broken off and resumed.",
    ),
    Option(
        name="min_speed_window",
        kind=Kind.NUMBER,
        default="60",
        unit="s",
        least=0.01,
        metavar="SECONDS",
        identity=False,
        help="Time over which --min-speed is taken.",
    ),
    Option(
        name="bandwidth",
        kind=Kind.NUMBER,
        default="0",
        unit="bytes/s",
        least=0,
        whole=True,
        metavar="SPEED",
        identity=False,
        help="Most that all downloads of one process take together; 0: as fast as it goes.",
    ),
    Option(
        name="linger",
        kind=Kind.NUMBER,
        default="120",
        unit="s",
        least=0,
        metavar="SECONDS",
        identity=False,
        help="A connection that was broken off counts as open for so long: the service counts it too.",
    ),
    Option(
        name="retries",
        kind=Kind.NUMBER,
        default="6",
        unit="attempts, 1-100",
        least=1,
        most=100,
        whole=True,
        metavar="N",
        identity=False,
        help="Attempts of one request before the next source is tried.",
    ),
    Option(
        name="backoff",
        kind=Kind.NUMBER,
        default="2",
        unit="s",
        least=0.001,
        metavar="SECONDS",
        identity=False,
        help="First pause between attempts; it doubles, with jitter, up to five minutes.",
    ),
)
"""Where services are, and how hard they are asked."""

DOWNLOAD_OPTIONS: tuple[Option, ...] = (
    Option(
        name="unzip",
        kind=Kind.SWITCH,
        default="false",
        tasks=("DownloadAOI",),
        identity=False,
        help="Unpack each product into --unzip-dir, every file verified.",
    ),
    Option(
        name="unzip_dir",
        kind=Kind.FOLDER,
        metavar="FOLDER",
        tasks=("DownloadAOI",),
        identity=False,
        help="Where SAFE folders appear; the folder of the downloads if absent.",
    ),
    Option(
        name="detach",
        kind=Kind.SWITCH,
        default="false",
        tasks=("DownloadAOI",),
        identity=False,
        help="Go on in the background: the command says process and log file, and ends.",
    ),
)
"""What only DownloadAOI takes."""

PLAN_OPTIONS: tuple[Option, ...] = (
    Option(
        name="quick",
        kind=Kind.SWITCH,
        default="false",
        tasks=("PlanAOI",),
        identity=False,
        help="Plan from the catalogue's cloud percentages alone: nothing is fetched, and the figures are much weaker.",
    ),
)
"""What only PlanAOI takes."""
