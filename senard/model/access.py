"""How products are found and fetched: catalogues, sources, addresses, time-outs. Nothing here changes a pixel."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class CatalogueName(Enum):
    """Who is asked which products there are."""

    LOCAL = "local"
    """The folder of `--archive`."""

    CDSE = "cdse"
    """Copernicus Data Space Ecosystem, OData."""

    CDSE_STAC = "cdse-stac"
    """Copernicus Data Space Ecosystem, STAC."""


class SourceName(Enum):
    """Who brings products."""

    LOCAL = "local"
    """The folder of `--archive`."""

    CDSE = "cdse"
    """Copernicus Data Space Ecosystem over HTTPS."""

    CDSE_S3 = "cdse-s3"
    """Its object store."""

    GOOGLE = "google"
    """Google's public bucket."""

    DHUS = "dhus"
    """A DHuS hub."""

    EARTH_SEARCH = "earth-search"
    """Cloud-optimised GeoTIFFs on AWS."""

    PLANETARY_COMPUTER = "planetary-computer"
    """Cloud-optimised GeoTIFFs of Microsoft."""


DERIVED_SOURCES = frozenset({SourceName.EARTH_SEARCH, SourceName.PLANETARY_COMPUTER})
"""Their pixels are made from ESA's and differ a little: a mosaic that may hold them is another product."""


class Fetch(Enum):
    """How much of a product is fetched."""

    MEMBERS = "members"
    """What judging needs first, later the bands of scenes that win somewhere."""

    WHOLE = "whole"
    """The whole product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Base addresses of the services, without a slash at the end; each may be another one (a mirror, a stand-in)."""

    token: str = "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
    """Where tokens are given out."""

    search: str = "https://catalogue.dataspace.copernicus.eu/odata/v1"
    """OData catalogue."""

    data: str = "https://download.dataspace.copernicus.eu/odata/v1"
    """Downloads, whole and by node."""

    stac: str = "https://stac.dataspace.copernicus.eu/v1"
    """STAC catalogue."""

    s3: str = "https://eodata.dataspace.copernicus.eu"
    """Object store, path style."""

    google: str = "https://storage.googleapis.com"
    """Google's public bucket: objects below /gcp-public-data-sentinel-2, lists below /storage/v1."""

    dhus: str = ""
    """DHuS hub, for example https://hub.example.org/dhus; empty: none."""

    earth_search: str = "https://earth-search.aws.element84.com/v1"
    """STAC catalogue of Earth Search."""

    planetary_computer: str = "https://planetarycomputer.microsoft.com/api"
    """Planetary Computer: STAC below /stac/v1, signatures below /sas/v1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How hard a service is asked, and how long it may be silent."""

    connections: int = 2
    """Downloads at once per account, whatever the number of tasks and processes, 0-4; 0 turns remote sources off."""

    connect_timeout_s: float = 20.0
    """A connection must stand within, s."""

    read_timeout_s: float = 60.0
    """Silence longer than this ends a request, s."""

    stall_bytes: int = 60_000
    """A download must bring at least so many bytes …"""

    stall_window_s: float = 60.0
    """… within so many seconds."""

    bandwidth_bytes_s: int = 0
    """Bytes per second of all downloads of one process together; 0: as fast as it goes."""

    linger_s: float = 120.0
    """A connection that was broken off counts as open for so long: the service still counts it, s."""

    retries: int = 6
    """Attempts of one request before the next source, or Luigi, takes over."""

    backoff_s: float = 2.0
    """First pause between attempts, s; it doubles, with jitter, up to five minutes; Retry-After beats it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything about finding and fetching products. No secret is in it: `credentials` are paths."""

    catalogue: CatalogueName
    """Who is asked."""

    sources: tuple[SourceName, ...]
    """Who brings products, tried in this order for each of them."""

    download_dir: Path
    """Where fetched products lie, with the Progress File: absolute."""

    archive: Path | None = None
    """Folder of products that are here already, absolute."""

    fetch: Fetch = Fetch.MEMBERS
    """How much of a product is fetched."""

    credentials: Path | None = None
    """JSON file with the account of the Copernicus Data Space, absolute."""

    credentials_google: Path | None = None
    """JSON file with a Google account, absolute; None: the bucket is asked by nobody, which is enough."""

    credentials_earthdata: Path | None = None
    """JSON file with an Earthdata account, absolute; checked, and not used: no Sentinel-2 source needs one."""

    collection: str = "SENTINEL-2"
    """Collection of the OData catalogue."""

    wait_h: float = 0.0
    """How long to wait for products that are announced but not there yet, hours."""

    check_catalogue: bool = False
    """Ask the second catalogue too, and tell what only one of them knows."""

    addresses: Addresses = field(default_factory=Addresses)
    """Where the services are."""

    pace: Pace = field(default_factory=Pace)
    """How hard they are asked."""

    @property
    def identity(self) -> str:
        """Who is asked, as part of a query's key: another catalogue may know other products."""
        if self.catalogue is CatalogueName.LOCAL:
            return str(self.archive)
        address = self.addresses.search if self.catalogue is CatalogueName.CDSE else self.addresses.stac
        return f"{self.catalogue.value} {address} {self.collection}"
