"""Google accounts as files: keys of service accounts, and the login that gcloud leaves for applications."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from senard.errors import RequestError
from senard.io.credentials import read_account_file
from senard.io.secret import Secret

TOKEN_URL = "https://oauth2.googleapis.com/token"
"""Where Google gives out tokens, unless the file names another address."""

WAY_OUT = "leave --credentials-google out: the public bucket asks for no account."
"""What always helps."""

NEW_KEY = "Make a JSON key of a service account in Google's console, or type gcloud auth application-default login"
"""Where files come from."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class GoogleKind(Enum):
    """What a file is, as its `type` says."""

    SERVICE = "service_account"
    """The key of a service account: questions for tokens are signed with it."""

    USER = "authorized_user"
    """A person's login, as `gcloud auth application-default login` writes it."""


_NEEDED: Mapping[GoogleKind, tuple[str, ...]] = {
    GoogleKind.SERVICE: ("client_email", "private_key"),
    GoogleKind.USER: ("client_id", "client_secret", "refresh_token"),
}

_OTHERS = (
    "external_account",
    "external_account_authorized_user",
    "gdch_service_account",
    "impersonated_service_account",
)
"""Types that Google has besides; they send questions, or start programs, where the file says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleKey:
    """A Google account. Its repr and its pickle hold no secret."""

    kind: GoogleKind
    """What it is: GoogleKind.SERVICE."""

    name: str
    """Whose it is, for messages: "reader@project.iam.gserviceaccount.com"."""

    secret: Secret = field(repr=False)
    """The private key, PEM; or a person's refresh token. Shown nowhere."""

    key_id: str = ""
    """Id of the private key; empty for a person."""

    client_id: str = ""
    """Program through which a person logged in; empty for a service account."""

    client_secret: Secret = field(default=Secret(""), repr=False)
    """That program's; shown nowhere."""

    token_url: str = TOKEN_URL
    """Where tokens are given out."""

    payer: str = ""
    """Project that pays where a bucket bills whoever asks: `quota_project_id` of the file; empty: none."""

    found_in: str = ""
    """Its file, for messages."""


def google_key(path: Path) -> GoogleKey:
    """The account in a file.

    Raises:
        RequestError: it is no JSON, another kind of account, or lacks something.
    """
    content = read_account_file(path, f"{NEW_KEY}, or {WAY_OUT}")
    kind = next((kind for kind in GoogleKind if _plain(content, "type") == kind.value), None)
    if kind is None:
        raise RequestError(
            f"{path}: expected a Google account (type service_account or authorized_user), found {_other(content)}. "
            f"{NEW_KEY}, or {WAY_OUT}"
        )
    missing = [name for name in _NEEDED[kind] if not _plain(content, name)]
    if missing:
        raise RequestError(
            f"{path}: Google account of type {kind.value}: expected {', '.join(_NEEDED[kind])}, found no "
            f"{' and no '.join(missing)}. {NEW_KEY}, or {WAY_OUT}"
        )
    secret = "private_key" if kind is GoogleKind.SERVICE else "refresh_token"
    return GoogleKey(
        kind=kind,
        name=_plain(content, "client_email") or _plain(content, "account") or _plain(content, "client_id"),
        # Copied by hand, the ends of lines are often written twice over.
        secret=Secret(_plain(content, secret).replace("\\n", "\n")),
        key_id=_plain(content, "private_key_id"),
        client_id=_plain(content, "client_id"),
        client_secret=Secret(_plain(content, "client_secret")),
        token_url=_token_url(path, _plain(content, "token_uri") or TOKEN_URL),
        payer=_plain(content, "quota_project_id"),
        found_in=str(path),
    )


def _plain(content: Mapping[str, object], name: str) -> str:
    """The text under a name; empty if there is none."""
    value = content.get(name)
    return value.reveal() if isinstance(value, Secret) else ""


def _token_url(path: Path, address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc:
        return address
    if parts.scheme == "http" and parts.hostname in _LOOPBACK and "@" not in parts.netloc:
        return address
    raise RequestError(
        f"{path}: token_uri: expected an address that begins with https://, found another one. Google's own is "
        f"{TOKEN_URL}; correct it, or {WAY_OUT}"
    )


def _other(content: Mapping[str, object]) -> str:
    """What the file is instead, without a word of it that may be secret."""
    kind = _plain(content, "type")
    if kind in _OTHERS:
        return f"type {kind}, which senard does not use"
    client = next((name for name in ("installed", "web") if isinstance(content.get(name), dict)), "")
    if client:
        return f'an OAuth client ("{client}"), which is a program and no account'
    if any(name in content for name in ("username", "user", "password", "pwd")):
        return "a user name or a password, which Google does not take"
    return "another type" if kind else "no type"
