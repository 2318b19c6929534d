"""Accounts are found where people keep them."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from senard.errors import RequestError
from senard.io.credentials import (
    Account,
    cdse_account,
    check_earthdata_file,
    default_file,
    dhus_account,
    earthdata_account,
    s3_keys,
)
from senard.io.secret import Secret
from senard.model.access import Access, Addresses, CatalogueName, SourceName

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without anything in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "NETRC"):
        monkeypatch.delenv(variable, raising=False)
    for service in ("CDSE", "DHUS", "S3", "EARTHDATA"):
        for word in ("USERNAME", "PASSWORD", "TOTP", "ACCESS_KEY", "SECRET_KEY", "TOKEN"):
            monkeypatch.delenv(f"SENARD_{service}_{word}", raising=False)
    return tmp_path


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(
        catalogue=CatalogueName.CDSE,
        sources=(SourceName.CDSE,),
        download_dir=tmp_path,
        addresses=Addresses(dhus="https://hub.example.org/dhus"),
    )


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: object, path: Path = tmp_path / "accounts.json", mode: int = 0o600) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        path.chmod(mode)
        return path

    return written


def words(account: Account) -> tuple[str, str]:
    return account.username, account.password.reveal()


class TestPlaces:
    """The option beats the environment, which beats the default file, which beats ~/.netrc."""

    def test_are_looked_at_in_order(
        self, access: Access, write: Write, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host = "identity.dataspace.copernicus.eu"
        write(f"machine {host} login netrc password n\n", home / ".netrc")
        assert words(cdse_account(access)) == ("netrc", "n")
        write({"cdse": {"username": "default", "password": "d"}}, default_file())
        assert words(cdse_account(access)) == ("default", "d")
        monkeypatch.setenv("SENARD_CDSE_USERNAME", "environment")
        monkeypatch.setenv("SENARD_CDSE_PASSWORD", "e")
        assert words(cdse_account(access)) == ("environment", "e")
        option = write({"username": "option", "password": "o"})
        assert words(cdse_account(replace(access, credentials=option))) == ("option", "o")

    def test_are_named_where_nothing_is_found(self, access: Access, home: Path) -> None:
        with pytest.raises(RequestError) as caught:
            cdse_account(access)
        message = str(caught.value)
        for place in (
            "--credentials FILE (not given)",
            "SENARD_CDSE_USERNAME, SENARD_CDSE_PASSWORD",
            f"{home}/.config/senard/credentials.json",
            "~/.netrc (machine identity.dataspace.copernicus.eu)",
            '{"cdse": {"username": "…", "password": "…"}}',
            "chmod 600",
            "SENARD_CDSE_TOTP",
        ):
            assert place in message

    def test_are_told_with_the_account(self, access: Access, write: Write) -> None:
        path = write({"username": "a", "password": "b"})
        assert cdse_account(replace(access, credentials=path)).found_in == str(path)

    def test_are_those_of_another_token_address(self, access: Access, write: Write, home: Path) -> None:
        write("machine token.example.org login a password b\n", home / ".netrc")
        elsewhere = replace(access, addresses=replace(access.addresses, token="https://token.example.org:8443/x"))
        assert words(cdse_account(elsewhere)) == ("a", "b")

    def test_follow_the_configuration_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/xdg-of-ada")
        assert default_file() == Path("/etc/xdg-of-ada/senard/credentials.json")

    @pytest.mark.parametrize("variable", ["SENARD_CDSE_USERNAME", "SENARD_CDSE_PASSWORD"])
    def test_in_the_environment_come_in_pairs(
        self, access: Access, variable: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, "hidden")
        with pytest.raises(RequestError, match="only one of SENARD_CDSE_USERNAME and SENARD_CDSE_PASSWORD") as caught:
            cdse_account(access)
        assert "hidden" not in str(caught.value)

    @pytest.mark.parametrize("where", [".netrc", ".config/senard/credentials.json"])
    def test_open_to_others_are_refused(self, access: Access, write: Write, home: Path, where: str) -> None:
        machine = "machine identity.dataspace.copernicus.eu login a password b\n"
        write(machine if where == ".netrc" else {"username": "a", "password": "b"}, home / where, 0o644)
        with pytest.raises(RequestError, match=f"can be read by others. Type: chmod 600 {home / where}"):
            cdse_account(access)

    def test_open_to_others_do_not_matter_where_they_hold_nothing_of_use(
        self, access: Access, write: Write, home: Path
    ) -> None:
        write("machine other.example login a password b\n", home / ".netrc", 0o644)
        with pytest.raises(RequestError, match="no account was found"):
            cdse_account(access)

    def test_that_are_no_netrc_are_told(self, access: Access, write: Write, home: Path) -> None:
        write("machine x login a password\n hidden oops\n", home / ".netrc")
        with pytest.raises(RequestError, match=r"cannot be read as a list of passwords.*machine identity") as caught:
            cdse_account(access)
        assert "hidden" not in str(caught.value)


class TestFiles:
    """JSON files are read in all the spellings that people use, senprep's among them."""

    @pytest.mark.parametrize(
        "content",
        [
            {"username": "ada", "password": "p"},
            {"user": "ada", "pwd": "p"},
            {"login": "ada", "passwd": "p"},
            {"Username": "ada", "PASSWORD": "p"},
            {"user-name": "ada", "pass": "p"},
            {"cdse": {"username": "ada", "password": "p"}, "dhus": {"username": "x", "password": "y"}},
            {"Copernicus": {"user": "ada", "password": "p"}, "username": "x", "password": "y"},
            {"CDSE": {"username": "ada", "password": "p"}, "note": [1, {"a": None}]},
        ],
    )
    def test_in_any_spelling(self, access: Access, write: Write, content: object) -> None:
        assert words(cdse_account(replace(access, credentials=write(content)))) == ("ada", "p")

    def test_with_a_byte_order_mark_and_numbers(self, access: Access, write: Write) -> None:
        path = write('\ufeff{"username": "ada", "password": 12345, "totp": "654321"}')
        found = cdse_account(replace(access, credentials=path))
        assert (words(found), found.totp.reveal()) == (("ada", "12345"), "654321")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('{"username": "hidden", "password": hidden}', r"is no JSON \(line 1\)"),
            ('["hidden"]', "holds no JSON object"),
            ({"username": "hidden"}, "expected username and password, found only one of them"),
            ({"cdse": {"password": "hidden"}}, "expected username and password, found only one of them"),
            ({"client_id": "hidden", "client_secret": "hidden"}, "OAuth client of Sentinel Hub"),
        ],
    )
    def test_that_are_wrong_are_told_without_a_word_of_them(
        self, access: Access, write: Write, content: object, message: str
    ) -> None:
        path = write(content)
        with pytest.raises(RequestError, match=message) as caught:
            cdse_account(replace(access, credentials=path))
        assert str(path) in str(caught.value)
        assert "hidden" not in str(caught.value)
        assert caught.value.__context__ is None

    def test_that_are_gone_are_told(self, access: Access, home: Path) -> None:
        with pytest.raises(RequestError, match=r"absent\.json cannot be read: No such file"):
            cdse_account(replace(access, credentials=home / "absent.json"))

    def test_take_the_one_time_code_from_the_environment(
        self, access: Access, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SENARD_CDSE_TOTP", "123456")
        found = cdse_account(replace(access, credentials=write({"username": "a", "password": "b"})))
        assert found.totp.reveal() == "123456"


class TestServices:
    """Each service has an account of its own, and none gets another's."""

    def test_s3_keys_lie_beside_the_account(self, access: Access, write: Write) -> None:
        path = write({"cdse": {"username": "a", "password": "b"}, "s3": {"access_key": "AK", "secret_key": "SK"}})
        keys = s3_keys(replace(access, credentials=path))
        assert (keys.access_key, keys.secret_key.reveal()) == ("AK", "SK")

    @pytest.mark.parametrize(
        "content",
        [
            {"aws_access_key_id": "AK", "aws_secret_access_key": "SK"},
            {"access_id": "AK", "secret": "SK", "expiration_date": "2027-01-01"},
            {"username": "a", "password": "b", "access_key": "AK", "secret_key": "SK"},
        ],
    )
    def test_s3_keys_have_many_spellings(self, access: Access, write: Write, content: object) -> None:
        keys = s3_keys(replace(access, credentials=write(content)))
        assert (keys.access_key, keys.secret_key.reveal()) == ("AK", "SK")

    def test_s3_keys_come_from_the_environment(self, access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SENARD_S3_ACCESS_KEY", "AK")
        monkeypatch.setenv("SENARD_S3_SECRET_KEY", "SK")
        assert s3_keys(access).secret_key.reveal() == "SK"

    def test_a_hub_gets_its_own_account(self, access: Access, write: Write, home: Path) -> None:
        path = write({"cdse": {"username": "a", "password": "b"}, "dhus": {"username": "c", "password": "d"}})
        assert words(dhus_account(replace(access, credentials=path))) == ("c", "d")
        write("machine hub.example.org login e password f\n", home / ".netrc")
        assert words(dhus_account(access)) == ("e", "f")

    def test_a_named_file_under_other_keys_is_told_what_it_lacks(self, access: Access, write: Write) -> None:
        path = write({"name": "a", "passphrase": "b"})
        with pytest.raises(RequestError, match=r"--credentials .*\(it has no username and password for this service\)"):
            cdse_account(replace(access, credentials=path))

    def test_a_hub_never_gets_the_account_of_the_data_space(
        self, access: Access, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write({"username": "a", "password": "b"})
        write({"username": "a", "password": "b"}, default_file())
        monkeypatch.setenv("SENARD_CDSE_USERNAME", "a")
        monkeypatch.setenv("SENARD_CDSE_PASSWORD", "b")
        with pytest.raises(RequestError, match="no account was found"):
            dhus_account(replace(access, credentials=path))


class TestEarthdata:
    """The account of Earthdata Login is found as the others are; a token may stand for user name and password."""

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ({"username": "ada", "password": "p"}, ("ada", "p", "")),
            ({"user": "ada", "pwd": "p"}, ("ada", "p", "")),
            ({"token": "t"}, ("", "", "t")),
            ({"username": "ada", "token": "t"}, ("ada", "", "t")),
            ({"earthdata": {"user": "ada", "pwd": "p"}, "username": "x", "password": "y"}, ("ada", "p", "")),
            ({"Earthdata": {"Token": "t"}}, ("", "", "t")),
        ],
    )
    def test_in_any_spelling(
        self, access: Access, write: Write, content: object, expected: tuple[str, str, str]
    ) -> None:
        path = write(content)
        check_earthdata_file(path)
        found = earthdata_account(replace(access, credentials_earthdata=path))
        assert (*words(found), found.token.reveal()) == expected
        assert pickle.loads(pickle.dumps(found)).token == ""

    def test_is_looked_for_in_order(
        self, access: Access, write: Write, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("machine urs.earthdata.nasa.gov login netrc password n\n", home / ".netrc")
        assert words(earthdata_account(access)) == ("netrc", "n")
        write({"username": "a", "password": "b", "earthdata": {"user": "default", "pwd": "d"}}, default_file())
        assert words(earthdata_account(access)) == ("default", "d")
        monkeypatch.setenv("SENARD_EARTHDATA_USERNAME", "environment")
        monkeypatch.setenv("SENARD_EARTHDATA_PASSWORD", "e")
        assert words(earthdata_account(access)) == ("environment", "e")
        monkeypatch.setenv("SENARD_EARTHDATA_TOKEN", "token")
        assert earthdata_account(access).token.reveal() == "token"
        file = write({"username": "option", "password": "o"})
        assert words(earthdata_account(replace(access, credentials_earthdata=file))) == ("option", "o")

    def test_is_never_that_of_the_data_space(self, access: Access, write: Write) -> None:
        write({"username": "a", "password": "b"}, default_file())
        with pytest.raises(
            RequestError,
            match=r"Earthdata Login: no account was found; looked at --credentials-earthdata FILE \(not given\), the "
            r"environment \(.*SENARD_EARTHDATA_TOKEN\), .*netrc \(machine urs\.earthdata\.nasa\.gov\)\. "
            r'Write \{"earthdata": .* or \{"earthdata": \{"token"',
        ):
            earthdata_account(replace(access, credentials=write({"username": "a", "password": "b"})))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('{"token": "hidden', r'is no JSON \(line 1\)\. Write \{"earthdata"'),
            ({"cdse": {"username": "hidden", "password": "hidden"}}, "found none of them.*leave --credentials-earth"),
            ({"username": "hidden"}, "expected username and password, or token, found only one of them"),
        ],
    )
    def test_is_checked_without_a_word_of_it(self, write: Write, content: object, message: str) -> None:
        with pytest.raises(RequestError, match=message) as caught:
            check_earthdata_file(write(content))
        assert "hidden" not in str(caught.value)


class TestAccount:
    """An account shows its name only."""

    def test_hides_its_words(self) -> None:
        account = Account(username="ada", password=Secret("hidden"), totp=Secret("123456"))
        copy: Account = pickle.loads(pickle.dumps(account))
        assert repr(account) == "Account(username='ada', found_in='')"
        assert (copy.username, copy.password.reveal(), copy.totp.reveal()) == ("ada", "", "")
        assert words(replace(account, username="bob")) == ("bob", "hidden")
