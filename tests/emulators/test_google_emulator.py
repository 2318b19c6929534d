"""Google's public bucket as the emulator plays it."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

from tests.emulators.cdse import Emulator
from tests.emulators.google import BUCKET
from tests.emulators.google_login import GoogleLogin, private_pem
from tests.io.made_products import MadeProduct

TILE = "L2/tiles/31/T/CJ/"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    MadeProduct().write_zip(tmp_path)
    with Emulator(tmp_path, services=("google",)) as emulator:
        yield emulator


def listed(emulator: Emulator, **options: str) -> list[dict[str, Any]]:
    """Every page of a list."""
    url = f"{emulator.addresses.google}/storage/v1/b/{BUCKET}/o"
    pages = [requests.get(url, params=options, timeout=20).json()]
    while "nextPageToken" in pages[-1]:
        pages.append(requests.get(url, params={**options, "pageToken": pages[-1]["nextPageToken"]}, timeout=20).json())
    return pages


class TestList:
    """Lists go by prefix, delimiter and page."""

    def test_shows_the_products_of_a_square(self, emulator: Emulator) -> None:
        page = listed(emulator, prefix=TILE, delimiter="/")[0]
        name = f"{TILE}{MadeProduct().product_id}.SAFE"
        assert page["prefixes"] == [f"{name}/"]
        assert [item["name"] for item in page["items"]] == [f"{name}_$folder$"]
        assert page["items"][0]["size"] == "0"

    @pytest.mark.parametrize("page_size", [5, 1000])
    def test_shows_every_member_with_size_and_checksum(self, emulator: Emulator, page_size: int) -> None:
        emulator.mounted["google"].page_size = page_size
        prefix = f"{TILE}{MadeProduct().product_id}.SAFE/"
        items = [item for page in listed(emulator, prefix=prefix) for item in page.get("items", [])]
        files = {item["name"].removeprefix(prefix): item for item in items if not item["name"].endswith("_$folder$")}
        members = MadeProduct().members()
        assert set(files) == set(members)
        for place, data in members.items():
            assert int(files[place]["size"]) == len(data)
            assert base64.b64decode(files[place]["md5Hash"]) == hashlib.md5(data).digest()

    def test_leaves_out_empty_folders(self, emulator: Emulator, tmp_path: Path) -> None:
        with ZipFile(next(tmp_path.glob("*.zip")), "a") as archive:
            archive.mkdir(f"{MadeProduct().product_id}.SAFE/AUX_DATA")
        assert not [item for page in listed(emulator, prefix=TILE) for item in page["items"] if "AUX" in item["name"]]

    def test_is_empty_where_there_is_nothing(self, emulator: Emulator) -> None:
        assert listed(emulator, prefix="tiles/31/T/CJ/", delimiter="/") == [{"kind": "storage#objects"}]


class TestObject:
    """Objects come to everybody, whole and in part."""

    def test_comes_whole_and_in_part(self, emulator: Emulator) -> None:
        place = f"{TILE}{MadeProduct().product_id}.SAFE/MTD_MSIL2A.xml"
        url = f"{emulator.addresses.google}/{BUCKET}/{place}"
        whole = MadeProduct().members()["MTD_MSIL2A.xml"]
        assert requests.get(url, timeout=20).content == whole
        part = requests.get(url, headers={"Range": "bytes=10-"}, timeout=20)
        assert (part.status_code, part.content) == (206, whole[10:])

    def test_is_refused_where_there_is_none(self, emulator: Emulator) -> None:
        answer = requests.get(f"{emulator.addresses.google}/{BUCKET}/nowhere", timeout=20)
        assert answer.status_code == 404
        assert "<Code>NoSuchKey</Code>" in answer.text


class TestLogin:
    """A closed bucket opens to Google's own client, and to nobody without a token."""

    READ = "https://www.googleapis.com/auth/devstorage.read_only"

    @pytest.fixture
    def login(self, emulator: Emulator) -> GoogleLogin:
        login: GoogleLogin = emulator.mounted["google"].login
        login.required = True
        return login

    def session(self, file: Path, scope: str = READ) -> AuthorizedSession:
        credentials = service_account.Credentials.from_service_account_file(str(file), scopes=[scope])  # type: ignore[no-untyped-call]
        return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]

    def test_is_wanted_for_lists_and_objects(self, emulator: Emulator, login: GoogleLogin) -> None:
        assert login.granted == {}
        for path in (f"storage/v1/b/{BUCKET}/o", f"{BUCKET}/nowhere"):
            answer = requests.get(f"{emulator.addresses.google}/{path}", timeout=20)
            assert answer.status_code == 401
            assert "Anonymous caller does not have storage.objects.list access" in answer.text

    def test_is_made_by_googles_own_client(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        answer = self.session(login.key_file(tmp_path)).get(f"{emulator.addresses.google}/storage/v1/b/{BUCKET}/o")
        assert answer.status_code == 200
        assert len(answer.json()["items"]) > len(MadeProduct().members())

    def test_ends(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        login.life_s = 0.0
        answer = self.session(login.key_file(tmp_path)).get(f"{emulator.addresses.google}/storage/v1/b/{BUCKET}/o")
        assert answer.status_code == 401

    @pytest.mark.parametrize(
        ("changes", "scope", "message"),
        [
            ({"private_key": private_pem(1)}, READ, "Invalid JWT Signature"),
            ({"private_key_id": "key-2"}, READ, "Failed audience check"),
            ({"client_email": "x@y.example"}, READ, "account not found"),
            ({}, "https://www.googleapis.com/auth/drive", "Invalid OAuth scope"),
        ],
    )
    def test_is_refused(
        self, login: GoogleLogin, tmp_path: Path, changes: dict[str, str], scope: str, message: str
    ) -> None:
        session = self.session(login.key_file(tmp_path, **changes), scope)
        with pytest.raises(RefreshError, match=message):
            session.get("http://127.0.0.1:9/")
