"""Tokens of a Google account, shared by all processes of a host: google-auth signs the question, `Http` asks it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import UnsupportedAlgorithm
from google.auth.exceptions import GoogleAuthError
from google.auth.transport import Request, Response
from google.oauth2 import credentials as user
from google.oauth2 import service_account

from senard.errors import RequestError, SenardError, TransientError
from senard.io.credentials import Account
from senard.io.google_key import NEW_KEY, WAY_OUT, GoogleKey, GoogleKind
from senard.io.http import FinalRefusal, Http
from senard.io.secret import MASK, Secret
from senard.io.tokens import Pair, Tokens

SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
"""All that a token may be used for: reading objects."""

_WHAT = "A question for a Google token"


class GoogleTokens(Tokens):
    """Gives tokens of one Google account, shared and renewed as those of the Copernicus Data Space are."""

    def __init__(self, key: GoogleKey, http: Http) -> None:
        """Nothing is asked before the first token is wanted.

        Args:
            key: whose.
            http: asks.
        """
        super().__init__(key.token_url, Account(username=key.name, password=key.secret, found_in=key.found_in), http)
        # Another key of the same account does not live on tokens of the old one.
        self._key = hashlib.sha256("\n".join((key.token_url, key.name, SCOPE, key.secret)).encode()).hexdigest()[:16]
        self._google = key

    def _renewed(self, old: Pair | None) -> Pair:  # noqa: ARG002 - Google gives no refresh tokens with tokens
        if not self._google.secret:
            raise RequestError(
                f"{self._google.name}: this copy of the account, from a pickle, holds no key. Make the source anew in "
                "this process."
            )
        try:
            return _granted(self._google, self._http)
        except FinalRefusal as refusal:
            failure: SenardError = _explained(refusal, self._google)
        except SenardError as error:
            failure = error.with_traceback(None)
        except GoogleAuthError:
            failure = TransientError(
                f"{_WHAT} ({self._google.token_url}) was answered without one. Check token_uri in "
                f"{self._google.found_in}, or try again later."
            )
        # Raised out here, the error has no context and no frames of google-auth, which hold the signed question.
        raise failure


class _Answer(Response):
    """What Google said, as google-auth reads it."""

    def __init__(self, answer: object) -> None:
        self._data = json.dumps(answer).encode()

    @property
    def status(self) -> int:
        return 200

    @property
    def headers(self) -> Mapping[str, str]:
        return {}

    @property
    def data(self) -> bytes:
        return self._data


class _Transport(Request):
    """Lets google-auth ask by `Http`, with its time-outs, retries, proxies and silence; refusals are raised."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def __call__(
        self,
        url: str,
        method: str = "GET",  # noqa: ARG002 - it only ever posts forms
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - they tell of the library
        timeout: int | None = None,  # noqa: ARG002 - the pace says it
        **_: Any,
    ) -> _Answer:
        answer = self._http.post_form(url, dict(parse_qsl((body or b"").decode())), what=_WHAT)
        if not _is_grant(answer):
            raise GoogleAuthError("no token")
        return _Answer(answer)


def _is_grant(answer: object) -> bool:
    """Whether it is what google-auth can read without stumbling."""
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        return False
    return str(answer.get("expires_in", "0")).isdigit()


def _granted(key: GoogleKey, http: Http) -> Pair:
    """A token from Google; its frames hold secrets."""
    account = _credentials(key)
    account.refresh(_Transport(http))
    life_s = (account.expiry - datetime.now(UTC).replace(tzinfo=None)).total_seconds() if account.expiry else 0.0
    return Pair(access=Secret(account.token), refresh=Secret(""), life_s=max(0.0, life_s), refresh_life_s=0.0)


def _credentials(key: GoogleKey) -> Any:
    if key.kind is GoogleKind.USER:
        return user.Credentials(
            None,
            refresh_token=key.secret.reveal(),
            token_uri=key.token_url,
            client_id=key.client_id,
            client_secret=key.client_secret.reveal(),
            scopes=[SCOPE],
        )
    try:
        return service_account.Credentials.from_service_account_info(
            {
                "client_email": key.name,
                "private_key": key.secret,
                "private_key_id": key.key_id,
                "token_uri": key.token_url,
            },
            scopes=[SCOPE],
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass
    # Raised out here, the error has no context: frames of the libraries hold the key.
    raise RequestError(
        f"{key.found_in}: private_key: expected an RSA key in PEM (-----BEGIN PRIVATE KEY-----), found something else. "
        f"{NEW_KEY}, or {WAY_OUT}"
    )


def _explained(refusal: FinalRefusal, key: GoogleKey) -> SenardError:
    """What a refusal of the token service means, and what to do now; one by anybody in between stays as it is."""
    if refusal.status not in (400, 401, 403) or not refusal.code:
        return refusal.with_traceback(None)
    said = refusal.said.lower()
    # A service that repeats the question would repeat what was in it, and was encoded as a form.
    repeated = "client_secret" in said or "assertion" in said or "refresh_token" in said
    words = f"{refusal.code or refusal.status} “{MASK if repeated else refusal.said}”"
    if "timeframe" in said or "iat" in said.split():
        clock = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        advice = (
            f"Its questions are signed with the time, and this computer's clock is {clock}. Set it (timedatectl "
            "set-ntp true), and run the same command again."
        )
    elif "signature" in said or "account not found" in said:
        advice = f"The key was deleted, or is another account's. {NEW_KEY}, or {WAY_OUT}"
    elif key.kind is GoogleKind.USER and refusal.code == "invalid_grant":
        advice = f"The login has ended. Type gcloud auth application-default login, or {WAY_OUT}"
    else:
        advice = f"{NEW_KEY}, or {WAY_OUT}"
    return RequestError(f"Google refuses {key.name} of {key.found_in}: {words}. {advice}")
