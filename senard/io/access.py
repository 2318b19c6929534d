"""Who is asked and who brings products, built from what the user configured; nothing is connected before it is used.

Modules of sources are imported when their source is first used: boto3, sentinelsat and pystac-client take longer to
import than a local mosaic takes to be planned.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from senard.errors import AccountError, RequestError
from senard.io.chain import Chain
from senard.io.sources import Catalogue, Source
from senard.model.access import Access, CatalogueName, SourceName


def open_catalogue(access: Access) -> Catalogue:
    """The catalogue that the user chose.

    Raises:
        RequestError: a local catalogue without a folder.
    """
    return _CATALOGUES[access.catalogue](access)


def open_source(access: Access, *, refusing: Mapping[SourceName, str] | None = None) -> Source:
    """The sources that the user chose, as one: tried in the user's order for each product.

    Without connections (`Pace.connections` 0) remote sources are passed over.

    Args:
        access: what the user chose.
        refusing: as `Chain` takes it.

    Raises:
        RequestError: no source is left, or one lacks the address or folder without which it cannot be asked at all.
    """
    names = [name for name in access.sources if name is SourceName.LOCAL or access.pace.connections > 0]
    if access.sources and not names:
        raise AccountError(
            "--connections 0 turns every remote source off, and no local one is left: expected 1 to 4 connections, or "
            "--archive with a folder of products."
        )
    if SourceName.LOCAL in names:
        _archive_folder(access)
    if SourceName.DHUS in names and not access.addresses.dhus:
        raise RequestError(
            "--sources names dhus, but no hub is known: expected its address with --dhus-url "
            "(https://hub.example.org/dhus), or dhus taken out of --sources."
        )
    return Chain([(name, partial(_SOURCES[name], access)) for name in names], refusing=refusing)


def _archive_folder(access: Access) -> Path:
    if access.archive is None:
        raise RequestError(
            "a local archive is asked, but no folder is given: expected --archive FOLDER with zips or SAFE folders."
        )
    return access.archive


def _local_catalogue(access: Access) -> Catalogue:
    from senard.io.archive import LocalArchive

    return LocalArchive(_archive_folder(access))


def _odata(access: Access) -> Catalogue:
    from senard.io.odata import ODataCatalogue

    return ODataCatalogue(access)


def _stac(access: Access) -> Catalogue:
    from senard.io.stac import StacCatalogue

    return StacCatalogue(access)


def _local(access: Access) -> Source:
    from senard.io.archive import LocalArchive

    return LocalArchive(_archive_folder(access))


def _cdse(access: Access) -> Source:
    from senard.io.cdse import CdseSource

    return CdseSource(access)


def _cdse_s3(access: Access) -> Source:
    from senard.io.cdse_s3 import CdseS3Source

    return CdseS3Source(access)


def _google(access: Access) -> Source:
    from senard.io.google import GoogleSource

    return GoogleSource(access)


def _dhus(access: Access) -> Source:
    from senard.io.dhus import DhusSource

    return DhusSource(access)


def _earth_search(access: Access) -> Source:
    from senard.io.cogs import CogSource

    return CogSource(access, SourceName.EARTH_SEARCH)


def _planetary_computer(access: Access) -> Source:
    from senard.io.cogs import CogSource

    return CogSource(access, SourceName.PLANETARY_COMPUTER)


_CATALOGUES: Mapping[CatalogueName, Callable[[Access], Catalogue]] = {
    CatalogueName.LOCAL: _local_catalogue,
    CatalogueName.CDSE: _odata,
    CatalogueName.CDSE_STAC: _stac,
}

_SOURCES: Mapping[SourceName, Callable[[Access], Source]] = {
    SourceName.LOCAL: _local,
    SourceName.CDSE: _cdse,
    SourceName.CDSE_S3: _cdse_s3,
    SourceName.GOOGLE: _google,
    SourceName.DHUS: _dhus,
    SourceName.EARTH_SEARCH: _earth_search,
    SourceName.PLANETARY_COMPUTER: _planetary_computer,
}
