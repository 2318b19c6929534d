"""How Google's bucket is asked: by nobody, or in the name of the account of --credentials-google."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from senard.errors import RequestError, TransientError
from senard.io.connections import Connections
from senard.io.google_key import WAY_OUT, GoogleKey, google_key
from senard.io.http import FinalRefusal, Http, Reply
from senard.io.openers import Opener, TokenGiver, open_url
from senard.model.access import Access

LOGGER = logging.getLogger("senard")

BUCKET = "gcp-public-data-sentinel-2"
"""Name of the bucket."""

_PAYER = "x-goog-user-project"
"""Header that names the project that pays. It pays wherever it is named, so it is named only where it must be."""


class Bucket:
    """Lists and objects. The account's file is read when something is asked first; without one, nobody asks."""

    def __init__(self, access: Access) -> None:
        """Nothing is read or asked yet."""
        self._access = access
        self._address = access.addresses.google
        self._http = Http(access.pace, trusted_hosts=(self._address,))
        pace = replace(access.pace, linger_s=0.0)  # the bucket counts nobody's connections
        self._connections = Connections(f"google {self._address}", pace)
        self._payer: dict[str, str] = {}

    def pages(self, prefix: str, *, delimiter: str = "") -> Iterator[Mapping[str, Any]]:
        """Pages of a list, each asked for when the one before has been read.

        Args:
            prefix: what names begin with: "L2/tiles/32/T/QM/".
            delimiter: "/" for folders as one entry each.

        Raises:
            TransientError: the bucket does not answer, or with something else.
            RequestError: the account, or the lack of one, is refused.
        """
        params = {"prefix": prefix, "maxResults": "1000"} | ({"delimiter": delimiter} if delimiter else {})
        what = f"Google's list of {prefix}"
        seen: set[str] = set()
        while True:
            page = self._page(what, params)
            if not isinstance(page, dict):
                raise TransientError(f"{what}: expected an object, found {type(page).__name__}. Run again later.")
            yield page
            following = page.get("nextPageToken", "")
            if not following:
                return
            if following in seen:
                raise TransientError(f"{what} leads in a circle: a page token came twice. Run again later.")
            seen.add(following)
            params = {**params, "pageToken": following}

    def opener(self, name: str, what: str) -> Opener:
        """Asks for one object, over the connections of this host.

        Args:
            name: of the object.
            what: for messages.
        """
        url = f"{self._address}/{BUCKET}/{quote(name)}"
        opened = open_url(self._http, url, what, tokens=self._tokens, connections=self._connections)

        def paid(headers: Mapping[str, str]) -> AbstractContextManager[Reply]:
            return opened({**headers, **self._payer})

        return paid

    @cached_property
    def _key(self) -> GoogleKey | None:
        path = self._access.credentials_google
        return google_key(path) if path else None

    @cached_property
    def _tokens(self) -> TokenGiver | None:
        if self._key is None:
            return None
        from senard.io.google_tokens import GoogleTokens  # google-auth takes 0.2 s to import; most ask without a key

        return GoogleTokens(self._key, Http(self._access.pace))

    def _page(self, what: str, params: Mapping[str, str]) -> Any:
        """One page. A token that was refused is replaced once; a bucket that bills gets the project that pays."""
        url = f"{self._address}/storage/v1/b/{BUCKET}/o"
        renewed = False
        while True:
            token = self._tokens.token() if self._tokens else None
            try:
                return self._http.get_json(url, what=what, params=params, headers=self._payer, token=token)
            except FinalRefusal as refusal:
                if _bills(refusal) and not self._payer:
                    self._payer = self._paying()
                elif refusal.status == 401 and self._tokens and token is not None and not renewed:
                    self._tokens.reject(token)
                    renewed = True
                elif refusal.status in (401, 403):
                    raise self._refused(refusal) from refusal
                else:
                    raise

    def _paying(self) -> dict[str, str]:
        if self._key is None or not self._key.payer:
            raise RequestError(
                f"Google's bucket bills whoever asks: expected a project that pays, found none. Write its name as "
                f'"quota_project_id" into the file of --credentials-google '
                f"({self._access.credentials_google or 'not given'}), or take google out of --sources."
            )
        LOGGER.warning("Google's bucket bills whoever asks: the project %s pays.", self._key.payer)
        return {_PAYER: self._key.payer}

    def _refused(self, refusal: FinalRefusal) -> RequestError:
        said = f"{refusal.status} “{refusal.said}”"
        if self._key is None:
            return RequestError(
                f"Google's bucket wants an account: asked without one, it answers {said}. Give the JSON file of one: "
                f"--credentials-google FILE, or take google out of --sources."
            )
        return RequestError(
            f"Google's bucket refuses {self._key.name} of {self._key.found_in}: {said}. Give this account the right to "
            f"read objects (role Storage Object Viewer), or {WAY_OUT}"
        )


def _bills(refusal: FinalRefusal) -> bool:
    return refusal.status == 400 and "requester pays" in refusal.said.lower()
