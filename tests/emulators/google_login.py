"""Google's accounts as far as its bucket needs them: files of accounts, tokens for them, and who may read."""

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.emulators.answers import Answer, json_answer, xml_error
from tests.emulators.log import LoggedRequest

TOKEN_PATH = "/token"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whom questions for tokens are meant for, whatever address they are sent to."""

SERVICE = "reader@emulated.iam.gserviceaccount.com"
CLIENT, CLIENT_SECRET, REFRESH = "emulated.apps.googleusercontent.com", "client-SECRET-client", "1//refresh-REFRESH"

_SCOPES = frozenset({"https://www.googleapis.com/auth/devstorage.read_only"})
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_S = 3600
_SKEW_S = 300
_TIME = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp "
    "values in the JWT claim."
)


class GoogleLogin:
    """One service account and one person, and the tokens that they were given."""

    def __init__(self, origin: Callable[[], str]) -> None:
        self._origin = origin
        self._lock = threading.Lock()
        self.required = False
        """Whether the bucket refuses those who show no token."""
        self.may_read = True
        """Whether the accounts have the right to."""
        self.bills = False
        """Whether whoever asks the bucket has to name a project that pays."""
        self.life_s = 3600.0
        """How long a token is good, s."""
        self.clock_s = 0.0
        """By how much the service's clock is ahead, s."""
        self.known = True
        """Whether the service account is still there."""
        self.granted: dict[str, float] = {}
        """Tokens given out, and until when each is good (time.monotonic())."""
        self.questions: list[Mapping[str, Any]] = []
        """What was claimed in each signed question."""

    def key_file(self, folder: Path, **changes: object) -> Path:
        """A service account's key, as Google's console gives it; fields that change to None are left out."""
        content = {
            "type": "service_account",
            "project_id": "emulated",
            "private_key_id": "key-1",
            "private_key": private_pem(),
            "client_email": SERVICE,
            "client_id": "1234567890",
            "token_uri": self._origin() + TOKEN_PATH,
        }
        return _write(folder / "google.json", content | changes)

    def user_file(self, folder: Path, **changes: object) -> Path:
        """A person's login, as gcloud writes it, with the address of tokens besides."""
        content = {
            "type": "authorized_user",
            "client_id": CLIENT,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH,
            "token_uri": self._origin() + TOKEN_PATH,
        }
        return _write(folder / "google.json", content | changes)

    def answer(self, request: LoggedRequest, _origin: str) -> Answer:
        """What the token service says."""
        form = request.form
        if request.method != "POST" or request.path != TOKEN_PATH:
            return json_answer({"error": "not_found"}, status=404)
        if form.get("grant_type") == _JWT_GRANT:
            refused = self._signed(form.get("assertion", ""))
        elif form.get("grant_type") == "refresh_token":
            refused = _of_person(form)
        else:
            refused = "unsupported_grant_type", "Invalid grant_type"
        if refused is not None:
            return json_answer({"error": refused[0], "error_description": refused[1]}, status=400)
        with self._lock:
            token = f"ya29.emulated-TOKEN-{len(self.granted) + 1}"
            self.granted[token] = time.monotonic() + self.life_s
        return json_answer({"access_token": token, "expires_in": int(self.life_s), "token_type": "Bearer"})

    def forget(self) -> None:
        """Let no token that was given out be good any more."""
        self.granted = dict.fromkeys(self.granted, 0.0)

    def refusal(self, request: LoggedRequest) -> Answer | None:
        """Why the bucket does not answer this; None if it does."""
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if shown and self.granted.get(shown, 0.0) <= time.monotonic():
            return _refused(request, 401, "Invalid Credentials")
        if not shown and self.required:
            return _refused(request, 401, "Anonymous caller does not have storage.objects.list access to the bucket.")
        if shown and not self.may_read:
            return _refused(request, 403, f"{SERVICE} does not have storage.objects.list access to the bucket.")
        if self.bills and not request.headers.get("x-goog-user-project"):
            return _refused(request, 400, "Bucket is a requester pays bucket but no user project provided.")
        return None

    def _signed(self, assertion: str) -> tuple[str, str] | None:
        """Why a signed question is refused (RFC 7523); None if it is not."""
        try:
            head, claims, signature = assertion.split(".")
            told, claimed = json.loads(_decoded(head)), json.loads(_decoded(claims))
        except ValueError:
            return "invalid_request", "Bad Request"
        self.questions.append(claimed)
        if not self.known or claimed.get("iss") != SERVICE:
            return "invalid_grant", "Invalid grant: account not found"
        try:
            _key().public_key().verify(
                _decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return "invalid_grant", "Invalid JWT Signature."
        if (told.get("alg"), told.get("kid"), claimed.get("aud")) != ("RS256", "key-1", AUDIENCE):
            return "invalid_grant", "Invalid JWT: Failed audience check."
        now = time.time() + self.clock_s
        if not now - _LONGEST_S < claimed["iat"] < now + _SKEW_S or claimed["exp"] - claimed["iat"] > _LONGEST_S:
            return "invalid_grant", _TIME
        return None if set(claimed.get("scope", "").split()) == _SCOPES else ("invalid_scope", "Invalid OAuth scope")


def _of_person(form: Mapping[str, str]) -> tuple[str, str] | None:
    if (form.get("client_id"), form.get("client_secret")) != (CLIENT, CLIENT_SECRET):
        return "invalid_client", "The OAuth client was not found."
    if form.get("refresh_token") != REFRESH:
        return "invalid_grant", "Token has been expired or revoked."
    return None if set(form.get("scope", "").split()) == _SCOPES else ("invalid_scope", "Bad Request")


def _refused(request: LoggedRequest, status: int, message: str) -> Answer:
    """By the JSON interface, or by the XML one."""
    if request.path.startswith(("/storage/", "/download/")):
        return json_answer({"error": {"code": status, "message": message}}, status=status)
    codes = {400: "UserProjectMissing", 401: "AuthenticationRequired", 403: "AccessDenied"}
    return xml_error(codes[status], message, status=status)


def _write(path: Path, content: Mapping[str, object]) -> Path:
    path.touch(mode=0o600)
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))
    return path


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@lru_cache(maxsize=2)
def _key(number: int = 0) -> rsa.RSAPrivateKey:  # noqa: ARG001 - tells keys apart
    """Made once per process: it takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(number: int = 0) -> str:
    """The service account's private key, or another one."""
    key = _key(number) if number else _key()
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
