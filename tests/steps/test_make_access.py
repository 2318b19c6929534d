"""From what was typed to how products are found and fetched."""

import json
from pathlib import Path

import pytest

from senard.errors import RequestError
from senard.model.access import Access, Addresses, CatalogueName, Fetch, Pace, SourceName
from senard.model.options import OPTIONS
from senard.steps.make_access import access_warnings, make_access
from senard.steps.typed_values import check_value

DEFAULTS = {entry.name: entry.default for entry in OPTIONS}


def access(folder: Path, **typed: str | Path) -> Access:
    """What these values make, all others by default."""
    return make_access({**DEFAULTS, **{name: str(value) for name, value in typed.items()}}, folder / "work")


class TestAccess:
    """How products are found and fetched"""

    def test_is_the_copernicus_data_space_where_nothing_was_typed(self, tmp_path: Path) -> None:
        assert access(tmp_path) == Access(
            catalogue=CatalogueName.CDSE, sources=(SourceName.CDSE,), download_dir=tmp_path / "work/archive"
        )

    def test_is_the_archive_alone_where_one_is_given(self, tmp_path: Path) -> None:
        made = access(tmp_path, archive=tmp_path)
        assert (made.catalogue, made.sources, made.archive) == (CatalogueName.LOCAL, (SourceName.LOCAL,), tmp_path)

    def test_takes_first_from_the_archive_what_a_catalogue_knows(self, tmp_path: Path) -> None:
        made = access(tmp_path, archive=tmp_path, catalogue="cdse-stac")
        assert made.catalogue is CatalogueName.CDSE_STAC
        assert made.sources == (SourceName.LOCAL, SourceName.CDSE)

    def test_tries_sources_in_the_order_typed_each_once(self, tmp_path: Path) -> None:
        made = access(tmp_path, sources="google, CDSE-S3,google,cdse")
        assert made.sources == (SourceName.GOOGLE, SourceName.CDSE_S3, SourceName.CDSE)

    def test_takes_everything_else(self, tmp_path: Path) -> None:
        (tmp_path / "account.json").touch(mode=0o600)
        made = access(
            tmp_path,
            fetch="whole",
            download_dir=tmp_path / "d",
            credentials=tmp_path / "account.json",
            credentials_google=tmp_path / "account.json",
            collection="SENTINEL-2-OLD",
            wait="1.5",
            check_catalogue="true",
            connections="4",
            connect_timeout="5",
            read_timeout="30",
            min_speed="2000",
            min_speed_window="10",
            bandwidth="5000000",
            linger="60",
            retries="3",
            backoff="0.5",
        )
        assert made.fetch is Fetch.WHOLE
        assert made.download_dir == tmp_path / "d"
        assert (made.credentials, made.credentials_google, made.credentials_earthdata) == (
            tmp_path / "account.json",
            tmp_path / "account.json",
            None,
        )
        assert (made.collection, made.wait_h, made.check_catalogue) == ("SENTINEL-2-OLD", 1.5, True)
        assert made.pace == Pace(
            connections=4,
            connect_timeout_s=5,
            read_timeout_s=30,
            stall_bytes=20_000,
            stall_window_s=10,
            bandwidth_bytes_s=5_000_000,
            linger_s=60,
            retries=3,
            backoff_s=0.5,
        )


class TestAddresses:
    """Addresses of services"""

    def test_follow_from_the_base_where_they_are_not_typed_themselves(self, tmp_path: Path) -> None:
        made = access(tmp_path, base_url="https://mirror.example.org/", data_url="https://other.example.org/odata/v1/")
        assert made.addresses.search == "https://mirror.example.org/odata/v1"
        assert made.addresses.data == "https://other.example.org/odata/v1"
        assert made.addresses.token == Addresses().token

    def test_are_all_settable(self, tmp_path: Path) -> None:
        names = [entry.name for entry in OPTIONS if entry.name.endswith("_url") and entry.name != "base_url"]
        made = access(tmp_path, **{name: f"https://{name.replace('_', '-')}.example.org" for name in names})
        for name in names:
            assert getattr(made.addresses, name.removesuffix("_url")) == f"https://{name.replace('_', '-')}.example.org"

    def test_never_hold_an_account(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="--data-url: an address holds no user and password") as refused:
            access(tmp_path, data_url="https://me:hunter2@host.example.org/odata/v1")
        assert "hunter2" not in str(refused.value)

    def test_without_encryption_are_warned_of_but_on_this_machine(self, tmp_path: Path) -> None:
        open_air = access(tmp_path, data_url="http://host.example.org/odata/v1")
        assert "http://host.example.org/odata/v1 is not encrypted" in access_warnings(open_air)[0]
        hub = access(tmp_path, sources="dhus", dhus_url="http://hub.example.org/dhus")
        assert "http://hub.example.org/dhus is not encrypted" in access_warnings(hub)[0]
        loopback = access(tmp_path, data_url="http://127.0.0.1:8080/odata/v1")
        assert access_warnings(loopback) == []


class TestAccountFiles:
    """Files of accounts are looked at before anything is fetched"""

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('{"username": "hunter2"', r"is no JSON \(line 1\)"),
            ("{}", "Earthdata Login: expected username and password, or token, found none of them"),
            ('{"user": "hunter2"}', "expected username and password, or token, found only one of them"),
        ],
    )
    def test_are_refused_where_they_hold_no_earthdata_account(self, content: str, message: str, tmp_path: Path) -> None:
        (tmp_path / "nasa.json").write_text(content)
        with pytest.raises(RequestError, match=message) as refused:
            access(tmp_path, credentials_earthdata=tmp_path / "nasa.json")
        assert "hunter2" not in str(refused.value)

    def test_are_told_of_where_nothing_needs_them(self, tmp_path: Path) -> None:
        path = tmp_path / "nasa.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"earthdata": {"user": "ada", "pwd": "hunter2"}}))
        for typed in ({}, {"archive": tmp_path}):
            told = access_warnings(access(tmp_path, credentials_earthdata=path, **typed))
            assert told == [f"The account in {path} was read and is not used: Sentinel-2 needs none."]

    def test_of_google_are_refused_where_its_bucket_is_asked(self, tmp_path: Path) -> None:
        (tmp_path / "google.json").write_text('{"username": "hunter2"}')
        assert access(tmp_path, credentials_google=tmp_path / "google.json").credentials_google is not None
        with pytest.raises(RequestError, match=r"expected a Google account .* found a user name or a password"):
            access(tmp_path, credentials_google=tmp_path / "google.json", sources="cdse,google")

    def test_of_google_are_not_sent_in_the_open_unsaid(self, tmp_path: Path) -> None:
        path = tmp_path / "google.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"type": "service_account", "client_email": "a@b", "private_key": "hunter2"}))
        url = "http://mirror.example.org"
        told = access_warnings(access(tmp_path, credentials_google=path, sources="cdse,google", google_url=url))
        assert [line.split(":", 2)[:2] for line in told] == [["http", "//mirror.example.org is not encrypted"]]
        assert access_warnings(access(tmp_path, sources="cdse,google", google_url=url)) == []


class TestRefusal:
    """What cannot be is refused before anything is asked."""

    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ({"catalogue": "local"}, "--catalogue local needs the folder with your products: --archive FOLDER"),
            ({"sources": "cdse,local"}, "--sources local needs the folder"),
            ({"archive": "/nowhere/s2"}, "--archive /nowhere/s2: there is no such folder"),
            ({"catalogue": "scihub"}, "--catalogue scihub: expected one of local, cdse, cdse-stac"),
            ({"sources": "cdse,aws"}, "--sources aws: expected one of local, cdse, cdse-s3, google, dhus"),
            ({"sources": "dhus"}, "no hub is known. Give its address: --dhus-url"),
            ({"fetch": "some"}, "--fetch some: expected one of members, whole"),
            ({"connections": "5"}, "--connections 5: expected at least 0 and at most 4"),
            ({"connections": "1.5"}, "--connections 1.5: expected a whole number"),
            ({"connections": "0"}, "--connections 0 turns every remote source off, and cdse is all that is asked"),
            ({"sources": "earth-search", "fetch": "whole"}, "only such as have bands and classes alone. Add another"),
            ({"wait": "-1"}, "--wait -1: expected at least 0, hours"),
            ({"read_timeout": "0"}, "--read-timeout 0: expected at least 0.01"),
            ({"retries": "many"}, "--retries many: expected a number"),
            ({"data_url": "host.example.org"}, "--data-url host.example.org: expected an address such as https://"),
            ({"data_url": "ftp://host/odata"}, "--data-url ftp://host/odata: expected an address"),
            ({"data_url": "https://host/a?token=abc"}, r"--data-url https://host/a: expected .* without \? and #"),
            ({"data_url": "https://host:port/"}, "--data-url https://host:port/: expected an address"),
            ({"credentials": "nowhere.json"}, "--credentials nowhere.json: there is no such file"),
            ({"credentials": '{"password": "hunter2"}'}, "--credentials: expected the name of a file"),
        ],
    )
    def test_says_what_to_do(self, typed: dict[str, str], message: str, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=message) as refused:
            access(tmp_path, **typed)
        assert "hunter2" not in str(refused.value)

    def test_of_a_check_that_has_nothing_to_compare(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="Add --catalogue cdse, or leave --check-catalogue out"):
            access(tmp_path, archive=tmp_path, check_catalogue="true")


class TestCheckValue:
    """One value alone, as it is stored"""

    @pytest.mark.parametrize(
        ("name", "typed", "kept"),
        [
            ("connections", "3", "3"),
            ("catalogue", "CDSE-STAC", "cdse-stac"),
            ("sources", "CDSE, google", "cdse,google"),
            ("product_type", "s2msc2a", "S2MSI2A"),
            ("clip", "False", "false"),
            ("search_url", "https://host.example.org/odata/v1/", "https://host.example.org/odata/v1"),
            ("name", "helsinki", "helsinki"),
        ],
    )
    def test_is_kept_as_the_table_spells_it(self, name: str, typed: str, kept: str) -> None:
        assert check_value(name, typed) == kept

    def test_is_an_absolute_path_where_it_is_a_place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert check_value("outdir", "out") == str(tmp_path / "out")

    @pytest.mark.parametrize(
        ("name", "typed"),
        [("connections", "9"), ("start", "soon"), ("sources", "aws"), ("credentials", "hunter2"), ("clip", "perhaps")],
    )
    def test_is_refused_where_it_could_never_hold(self, name: str, typed: str) -> None:
        with pytest.raises(RequestError, match=f"--{name}"):
            check_value(name, typed)
