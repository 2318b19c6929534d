"""Accounts: where user names and passwords are found. They are looked for only when a source is used."""

import contextlib
import json
import netrc
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from senard.errors import RequestError
from senard.io.secret import Secret
from senard.io.state import OWNER_ONLY
from senard.model.access import Access

_USER = ("username", "user", "user_name", "login", "account", "email")
_PASSWORD = ("password", "pwd", "passwd", "pass", "pw")
_TOTP = ("totp", "otp", "code")
_TOKEN = ("token", "bearer_token", "edl_token", "access_token")
_ACCESS_KEY = ("access_key", "aws_access_key_id", "access_key_id", "access_id", "accesskey", "key")
_SECRET_KEY = ("secret_key", "aws_secret_access_key", "secret_access_key", "secret", "secretkey")
"""Spellings of the keys in JSON files, in lower case, hyphens as underscores; senprep's are among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of a service. Its repr and its pickle hold no secret: a copy from a pickle has an empty password."""

    username: str
    """Mostly a mail address: "you@example.org"; empty where a token stands alone."""

    password: Secret = field(repr=False)
    """Shown nowhere."""

    totp: Secret = field(default=Secret(""), repr=False)
    """One-time code of six digits, for an account with two-factor login; else empty. Shown nowhere."""

    token: Secret = field(default=Secret(""), repr=False)
    """Made by the user on the service's page, it stands for user name and password; else empty. Shown nowhere."""

    found_in: str = ""
    """Where it was found, for messages: "/home/ada/.netrc"."""

    def __post_init__(self) -> None:
        for name in ("password", "totp", "token"):
            object.__setattr__(self, name, Secret(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Keys:
    """A key pair of an object store; repr and pickle hold no secret."""

    access_key: str
    """Names the pair; no secret."""

    secret_key: Secret = field(repr=False)
    """Signs requests; shown nowhere."""

    found_in: str = ""
    """Where it was found, for messages."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "secret_key", Secret(self.secret_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """How the account of one service is looked for."""

    name: str
    """For messages: "Copernicus Data Space"."""

    variables: tuple[str, str, str]
    """Environment variables of the user, the password and the one-time code; the last may be empty."""

    sections: tuple[str, ...]
    """Names under which JSON files keep it, in lower case."""

    option: str
    """Option that names a JSON file."""

    hosts: tuple[str, ...]
    """Machines in ~/.netrc."""

    keys: tuple[tuple[str, ...], tuple[str, ...]] = (_USER, _PASSWORD)
    """Spellings of the two keys in JSON files."""

    token_variable: str = ""
    """Environment variable of a token that stands for user and password; empty: the service knows none."""

    lone_in_option: bool = True
    """Whether the file of the option may hold it at its top, not under the service's name."""

    lone_in_default: bool = False
    """Whether the default file may: one service's password must not go to another one."""

    @property
    def example(self) -> str:
        """What to write into a JSON file."""
        user, password = (spellings[0] for spellings in self.keys)
        written = f'{{"{self.sections[0]}": {{"{user}": "…", "{password}": "…"}}}}'
        return f'{written} or {{"{self.sections[0]}": {{"token": "…"}}}}' if self.token_variable else written

    @property
    def expected(self) -> str:
        """What has to be there, in words."""
        words = " and ".join(spellings[0] for spellings in self.keys)
        return f"{words}, or token" if self.token_variable else words


_EARTHDATA = _Service(
    name="Earthdata Login",
    variables=("SENARD_EARTHDATA_USERNAME", "SENARD_EARTHDATA_PASSWORD", ""),
    sections=("earthdata", "urs", "nasa", "asf"),
    option="--credentials-earthdata",
    hosts=("urs.earthdata.nasa.gov",),
    token_variable="SENARD_EARTHDATA_TOKEN",
)


def cdse_account(access: Access) -> Account:
    """The account of the Copernicus Data Space.

    It is looked for in --credentials FILE, the environment, ~/.config/senard/credentials.json and ~/.netrc, in this
    order.

    Raises:
        RequestError: none is found; the message names every place that was looked at. Or a file is malformed, or open
            to others.
    """
    service = _Service(
        name="Copernicus Data Space",
        variables=("SENARD_CDSE_USERNAME", "SENARD_CDSE_PASSWORD", "SENARD_CDSE_TOTP"),
        sections=("cdse", "copernicus", "dataspace", "copernicus_data_space", "copernicusdataspace"),
        option="--credentials",
        hosts=_hosts(access.addresses.token),
        lone_in_default=True,
    )
    return _account(service, access.credentials)


def s3_keys(access: Access) -> S3Keys:
    """The key pair of the object store; looked for, and raises, as cdse_account."""
    service = _Service(
        name="object store of the Copernicus Data Space",
        variables=("SENARD_S3_ACCESS_KEY", "SENARD_S3_SECRET_KEY", ""),
        sections=("s3", "cdse_s3", "eodata"),
        option="--credentials",
        hosts=_hosts(access.addresses.s3),
        keys=(_ACCESS_KEY, _SECRET_KEY),
        lone_in_default=True,
    )
    found = _account(service, access.credentials)
    return S3Keys(access_key=found.username, secret_key=found.password, found_in=found.found_in)


def cdse_connections_key(access: Access) -> str:
    """Whose connections to the Copernicus Data Space are counted together: its limit is per account, whatever the door.

    The object store's keys do not say whose they are: the account that is set beside them counts, else the pair itself.
    """
    with contextlib.suppress(RequestError):
        return f"cdse {cdse_account(access).username}"
    return f"cdse-s3 {s3_keys(access).access_key}"


def dhus_account(access: Access) -> Account:
    """The account of the DHuS hub; looked for, and raises, as cdse_account."""
    service = _Service(
        name=f"DHuS hub {access.addresses.dhus}".strip(),
        variables=("SENARD_DHUS_USERNAME", "SENARD_DHUS_PASSWORD", ""),
        sections=("dhus", "hub", "scihub"),
        option="--credentials",
        hosts=_hosts(access.addresses.dhus),
        lone_in_option=False,
    )
    return _account(service, access.credentials)


def earthdata_account(access: Access) -> Account:
    """The account of NASA's Earthdata Login; looked for, and raises, as cdse_account. A token may stand alone."""
    return _account(_EARTHDATA, access.credentials_earthdata)


def check_earthdata_file(path: Path) -> None:
    """Read a file of --credentials-earthdata before anything is fetched, whoever will use it.

    Raises:
        RequestError: it holds no account of Earthdata Login.
    """
    if _from_json(_EARTHDATA, path, lone=True) is None:
        raise RequestError(
            f"{path}: {_EARTHDATA.name}: expected {_EARTHDATA.expected}, found none of them. Write "
            f"{_EARTHDATA.example}, or leave --credentials-earthdata out."
        )


def default_file() -> Path:
    """Where credentials lie if nothing is said: credentials.json in $XDG_CONFIG_HOME/senard or ~/.config/senard."""
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path("~/.config").expanduser()) / "senard" / "credentials.json"


def _account(service: _Service, named: Path | None) -> Account:
    found = (
        (_from_json(service, named, lone=service.lone_in_option) if named else None)
        or _from_environment(service)
        or _from_default_file(service)
        or _from_netrc(service)
    )
    if found is None:
        raise RequestError(_none_found(service, named))
    return found if found.totp else replace(found, totp=_variable(service.variables[2]))


def _variable(name: str) -> Secret:
    return Secret(os.environ.get(name, "") if name else "")


def _from_environment(service: _Service) -> Account | None:
    user, password = map(_variable, service.variables[:2])
    token = _variable(service.token_variable)
    if token:
        return Account(username=user.reveal(), password=password, token=token, found_in="the environment")
    if not user and not password:
        return None
    if not user or not password:
        missing = service.variables[0 if not user else 1]
        raise RequestError(
            f"{service.name}: only one of {service.variables[0]} and {service.variables[1]} is set in the environment. "
            f"Set {missing} too, or unset the other."
        )
    return Account(username=user.reveal(), password=password, found_in="the environment")


def _from_default_file(service: _Service) -> Account | None:
    path = default_file()
    if not path.is_file():
        return None
    _refuse_open_file(path)
    return _from_json(service, path, lone=service.lone_in_default)


def _refuse_open_file(path: Path) -> None:
    if path.stat().st_mode & OWNER_ONLY:
        raise RequestError(f"{path} holds passwords and can be read by others. Type: chmod 600 {path}")


def _from_json(service: _Service, path: Path, *, lone: bool) -> Account | None:
    content = read_account_file(path, f"Write {service.example}.")
    sections = [value for key, value in content.items() if key in service.sections and isinstance(value, Mapping)]
    for place in sections or ([content] if lone else []):
        user, password = (_value(place, spellings) for spellings in service.keys)
        token = _value(place, _TOKEN) if service.token_variable else Secret()
        if (user and password) or token:
            totp = _value(place, _TOTP)
            return Account(username=user.reveal(), password=password, totp=totp, token=token, found_in=str(path))
        if user or password:
            raise RequestError(
                f"{path}: {service.name}: expected {service.expected}, found only one of them. Write {service.example}."
            )
        if "client_id" in place and service.keys[0] is _USER:
            raise RequestError(
                f"{path} holds client_id and client_secret, an OAuth client of Sentinel Hub, whose tokens are refused "
                f"for downloads. Write the user name and the password of the account instead: {service.example}."
            )
    return None


def read_account_file(path: Path, advice: str) -> Mapping[str, object]:
    """The JSON object in a file: keys in one spelling, texts as secrets.

    Args:
        path: the file.
        advice: last sentence of the message: "Write …."

    Raises:
        RequestError: it cannot be read, or is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_masked)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        problem = f"is no JSON (line {line})" if line else "is no JSON in UTF-8"
    else:
        if isinstance(found, dict):
            return found
        problem = "holds no JSON object"
        del found
    # Raised out here, the error has no context: that of json holds the text of the file.
    raise RequestError(f"{path} {problem}. {advice}")


def _masked(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    return {
        key.strip().lower().replace("-", "_").replace(" ", "_"): Secret(value) if isinstance(value, str) else value
        for key, value in pairs
    }


def _value(place: Mapping[str, object], spellings: Sequence[str]) -> Secret:
    """What stands under one of the spellings, a number as its digits; empty if nothing does."""
    value = next((place[key] for key in spellings if place.get(key)), "")
    if isinstance(value, Secret):
        return value
    return Secret(f"{value}" if isinstance(value, int) else "")


def _from_netrc(service: _Service) -> Account | None:
    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    if not service.hosts or not path.is_file():
        return None
    try:
        found = _netrc_entry(path, service.hosts)
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError):
        problem = "cannot be read as a list of passwords"
    else:
        if found is not None:
            _refuse_open_file(path)
        return found
    raise RequestError(f"{path} {problem}. Expected lines like: machine {service.hosts[0]} login NAME password WORD")


def _netrc_entry(path: Path, hosts: Sequence[str]) -> Account | None:
    known = netrc.netrc(str(path)).hosts
    login, password = next(((known[host][0], known[host][2]) for host in hosts if host in known), ("", ""))
    return Account(username=login, password=Secret(password), found_in=str(path)) if login and password else None


def _hosts(address: str) -> tuple[str, ...]:
    host = urlsplit(address).hostname
    return (host,) if host else ()


def _none_found(service: _Service, named: Path | None) -> str:
    user, password, totp = service.variables
    places = (
        f"{service.option} {named} (it has no {service.expected} for this service)"
        if named
        else f"{service.option} FILE (not given)",
        f"the environment ({', '.join(filter(None, (user, password, service.token_variable)))})",
        str(default_file()),
        f"~/.netrc (machine {service.hosts[0]})" if service.hosts else "~/.netrc",
    )
    also = f" ({totp} too, where the account has two-factor login)" if totp else ""
    return (
        f"{service.name}: no account was found; looked at {', '.join(places)}. Write {service.example} into "
        f"{default_file()} and type chmod 600 {default_file()}; or set the variables{also}."
    )
