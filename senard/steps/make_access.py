"""From what was typed to how products are found and fetched: every value checked, every message with a way out."""

import stat
from pathlib import Path
from urllib.parse import urlsplit

from senard.errors import RequestError
from senard.io.credentials import check_earthdata_file
from senard.io.google_key import google_key
from senard.model.access import DERIVED_SOURCES, Access, Addresses, CatalogueName, Fetch, Pace, SourceName
from senard.model.options import option
from senard.steps.typed_values import Values, choice, file, number, place, required, switch, url, words

ODATA = "/odata/v1"
"""Where search and data lie below --base-url."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that no network lies between."""


def make_access(values: Values, workdir: Path) -> Access:
    """How products are found and fetched.

    Args:
        values: every option with what holds for it, as typed.
        workdir: where intermediate results lie, absolute.

    Raises:
        RequestError: if a value is impossible or contradicts another one.
    """
    archive = _archive(values["archive"])
    catalogue = _catalogue(values, archive)
    addresses = _addresses(values)
    download_dir = values["download_dir"]
    access = Access(
        catalogue=catalogue,
        sources=_sources(values, archive, catalogue),
        download_dir=place(download_dir) if download_dir else workdir / "archive",
        archive=archive,
        fetch=Fetch(choice("fetch", values)),
        credentials=_optional_file("credentials", values),
        credentials_google=_optional_file("credentials_google", values),
        credentials_earthdata=_optional_file("credentials_earthdata", values),
        collection=required("collection", values),
        wait_h=number("wait", values),
        check_catalogue=switch("check_catalogue", values),
        addresses=addresses,
        pace=_pace(values),
    )
    _require_sense(access)
    _check_files(access)
    return access


def access_warnings(access: Access) -> list[str]:
    """What a person should know before services are asked."""
    files = (access.credentials, access.credentials_google, access.credentials_earthdata)
    told = [f"{path} can be read by others: chmod 600 {path}" for path in files if path and _open_to_others(path)]
    if access.credentials_earthdata:
        told.append(f"The account in {access.credentials_earthdata} was read and is not used: Sentinel-2 needs none.")
    if access.sources == (SourceName.LOCAL,) and access.catalogue is CatalogueName.LOCAL:
        return told
    hub = [access.addresses.dhus] if SourceName.DHUS in access.sources else []
    bucket = [access.addresses.google] if SourceName.GOOGLE in access.sources and access.credentials_google else []
    for address in (access.addresses.token, access.addresses.data, *hub, *bucket):
        parts = urlsplit(address)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            told.append(f"{address} is not encrypted: passwords and tokens can be read on the way. Use https.")
    return told


def _archive(text: str | None) -> Path | None:
    if text is None:
        return None
    path = place(text)
    if not path.is_dir():
        raise RequestError(f"--archive {text}: there is no such folder. Give the folder with your Sentinel-2 products.")
    return path


def _catalogue(values: Values, archive: Path | None) -> CatalogueName:
    if values["catalogue"] is None:
        return CatalogueName.CDSE if archive is None else CatalogueName.LOCAL
    return CatalogueName(choice("catalogue", values))


def _sources(values: Values, archive: Path | None, catalogue: CatalogueName) -> tuple[SourceName, ...]:
    """Who brings products; repeats count once."""
    typed = words(values["sources"])
    if typed:
        named = (SourceName(choice("sources", {"sources": word})) for word in typed)
        return tuple(dict.fromkeys(named))
    local = () if archive is None else (SourceName.LOCAL,)
    return local if catalogue is CatalogueName.LOCAL else (*local, SourceName.CDSE)


def _addresses(values: Values) -> Addresses:
    """Where services are: what was typed, below --base-url where that is given, else where they really are."""
    base = values["base_url"]
    root = {} if base is None else dict.fromkeys(("search", "data"), url("base_url", base) + ODATA)
    names = ("token", "search", "data", "stac", "s3", "google", "dhus", "earth_search", "planetary_computer")
    typed = {name: url(f"{name}_url", text) for name in names if (text := values[f"{name}_url"]) is not None}
    return Addresses(**{**root, **typed})


def _pace(values: Values) -> Pace:
    window_s = number("min_speed_window", values)
    return Pace(
        connections=int(number("connections", values)),
        connect_timeout_s=number("connect_timeout", values),
        read_timeout_s=number("read_timeout", values),
        stall_bytes=round(number("min_speed", values) * window_s),
        stall_window_s=window_s,
        bandwidth_bytes_s=int(number("bandwidth", values)),
        linger_s=number("linger", values),
        retries=int(number("retries", values)),
        backoff_s=number("backoff", values),
    )


def _require_sense(access: Access) -> None:
    """Refuse what contradicts itself before anything is asked."""
    local = access.catalogue is CatalogueName.LOCAL
    if access.archive is None and (local or SourceName.LOCAL in access.sources):
        asked = "--catalogue local" if local else "--sources local"
        raise RequestError(f"{asked} needs the folder with your products: --archive FOLDER.")
    if local and access.check_catalogue:
        raise RequestError(
            "--check-catalogue compares two catalogues of the Copernicus Data Space, and --archive is searched alone. "
            "Add --catalogue cdse, or leave --check-catalogue out."
        )
    if SourceName.DHUS in access.sources and not access.addresses.dhus:
        raise RequestError("--sources dhus: no hub is known. Give its address: --dhus-url https://hub.example.org/dhus")
    if access.fetch is Fetch.WHOLE and DERIVED_SOURCES.issuperset(access.sources):
        raise RequestError(
            f"--sources {','.join(name.value for name in access.sources)}: expected a source of whole products, found "
            f"only such as have bands and classes alone. Add another one, e.g. cdse or google, or --fetch members."
        )
    if access.pace.connections == 0 and SourceName.LOCAL not in access.sources:
        raise RequestError(
            f"--connections 0 turns every remote source off, and {', '.join(name.value for name in access.sources)} is "
            f"all that is asked. Give 1 to 4, or a folder with products: --archive FOLDER."
        )


def _check_files(access: Access) -> None:
    """Refuse malformed files of accounts before hours of fetching; nobody is asked with what they hold."""
    if access.credentials_earthdata:
        check_earthdata_file(access.credentials_earthdata)
    if access.credentials_google and SourceName.GOOGLE in access.sources:
        google_key(access.credentials_google)


def _optional_file(name: str, values: Values) -> Path | None:
    text = values[name]
    if text and text.lstrip().startswith("{"):
        raise RequestError(f"{option(name).flag}: expected the name of a file. Put the account into a file of yours.")
    return file(name, text) if text else None


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
