"""Google's bucket, asked in the name of an account."""

import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from senard.errors import RequestError, SenardError, TransientError
from senard.io.google import GoogleSource
from senard.io.google_key import GoogleKind, google_key
from senard.io.google_tokens import SCOPE, GoogleTokens
from senard.io.http import Http
from senard.model.access import Addresses
from senard.model.product import Part
from tests.emulators import google
from tests.emulators.cdse import QUICK, Emulator, Kind
from tests.emulators.google_login import CLIENT_SECRET, REFRESH, SERVICE, GoogleLogin, private_pem
from tests.io.loopback import Answer, Asked, Loopback, json_answer
from tests.io.made_products import MadeProduct
from tests.io.remote_sources import emulated, fetched, files_of, offered

PRODUCT = MadeProduct()
PEM = private_pem()
SECRETS = ("hidden", CLIENT_SECRET, REFRESH, "emulated-TOKEN", *PEM.splitlines()[1:-1])


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with emulated(tmp_path, monkeypatch, PRODUCT) as running:
        yield running


@pytest.fixture
def login(emulator: Emulator) -> GoogleLogin:
    made = google.mount(emulator).login
    made.required = True
    return made


def source(emulator: Emulator, file: Path | None, folder: Path, **changes: Any) -> GoogleSource:
    """The bucket, asked with this file."""
    return GoogleSource(emulator.access(folder / "downloads", credentials_google=file, **changes))


def judged(emulator: Emulator, file: Path | None, folder: Path) -> Path:
    """A part of the product, fetched with this file."""
    return fetched(source(emulator, file, folder), offered(emulator), Part.JUDGE, folder / "into")


def tokens(file: Path) -> GoogleTokens:
    return GoogleTokens(google_key(file), Http(QUICK))


def seen(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def shown(error: BaseException) -> str:
    """All that a crash report would write about an error, contexts included."""
    texts, pending = [], [error]
    while pending:
        one = pending.pop()
        told = traceback.TracebackException.from_exception(one, capture_locals=True)
        texts += [*told.format(), str(one), repr(one), repr(one.args), repr(vars(one))]
        pending += [link for link in (one.__cause__, one.__context__) if link is not None]
    return "\n".join(texts)


class TestAccount:
    """Where --credentials-google names a file, the bucket is asked in the name of its account."""

    def test_opens_a_bucket_that_is_closed_to_others(
        self, emulator: Emulator, login: GoogleLogin, tmp_path: Path
    ) -> None:
        original = PRODUCT.write_folder(tmp_path / "original")
        asked = source(emulator, login.key_file(tmp_path), tmp_path)
        assert files_of(fetched(asked, offered(emulator), Part.ALL, tmp_path / "into")) == files_of(original)
        assert {one.headers["authorization"] for one in emulator.asked("google")} == {
            f"Bearer {next(iter(login.granted))}"
        }
        assert not [one for one in emulator.asked("google") if "x-goog-user-project" in one.headers]

    def test_may_be_a_persons(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        assert judged(emulator, login.user_file(tmp_path), tmp_path).is_dir()
        assert emulator.asked("google-token")[0].form["scope"] == SCOPE

    def test_asks_for_no_more_than_reading(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        judged(emulator, login.key_file(tmp_path), tmp_path)
        assert login.questions[0]["scope"] == "https://www.googleapis.com/auth/devstorage.read_only"
        assert login.questions[0]["iss"] == SERVICE

    def test_is_not_read_before_the_bucket_is_asked(
        self, emulator: Emulator, login: GoogleLogin, tmp_path: Path
    ) -> None:
        asked = source(emulator, tmp_path / "absent.json", tmp_path)
        assert emulator.asked("google-token") == []
        login.required = False
        (tmp_path / "into").mkdir()
        with pytest.raises(RequestError, match=r"absent\.json cannot be read: No such file"):
            asked.fetch(offered(emulator), Part.JUDGE, tmp_path / "into")

    @pytest.mark.usefixtures("login")
    def test_is_told_of_where_the_bucket_wants_one(self, emulator: Emulator, tmp_path: Path) -> None:
        with pytest.raises(
            RequestError, match=r"wants an account: .* 401 “Anonymous caller .*Give .*--credentials-google FILE"
        ):
            judged(emulator, None, tmp_path)

    def test_without_the_right_to_read_is_named(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        login.may_read = False
        with pytest.raises(RequestError, match=rf"refuses {SERVICE} of .*google\.json: 403 .*Storage Object Viewer"):
            judged(emulator, login.key_file(tmp_path), tmp_path)


class TestPayer:
    """A project pays only where the bucket bills whoever asks, and only one that the file names for it."""

    def test_is_named_from_the_first_refusal_on(
        self, emulator: Emulator, login: GoogleLogin, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        login.bills = True
        judged(emulator, login.key_file(tmp_path, quota_project_id="purse"), tmp_path)
        first, *others = emulator.asked("google")
        assert (first.status, first.headers.get("x-goog-user-project")) == (400, None)
        assert {one.headers["x-goog-user-project"] for one in others} == {"purse"}
        assert "the project purse pays" in caplog.text

    def test_is_not_the_project_that_the_key_is_of(
        self, emulator: Emulator, login: GoogleLogin, tmp_path: Path
    ) -> None:
        login.bills = True
        with pytest.raises(
            RequestError, match=r'bills whoever asks: .*found none. Write its name as "quota_project_id"'
        ):
            judged(emulator, login.key_file(tmp_path), tmp_path)

    def test_is_not_named_where_nobody_bills(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        judged(emulator, login.key_file(tmp_path, quota_project_id="purse"), tmp_path)
        assert not [one for one in emulator.asked("google") if "x-goog-user-project" in one.headers]


class TestToken:
    """One token serves all sources of a host, and is renewed before it ends."""

    def test_is_shared(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        file = login.key_file(tmp_path)
        assert len({tokens(file).token(), tokens(file).token()}) == 1
        assert len(emulator.asked("google-token")) == 1

    def test_is_renewed_before_it_ends(
        self, login: GoogleLogin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = login.key_file(tmp_path)
        first = tokens(file).token()
        monkeypatch.setattr("senard.io.tokens.folder_time", lambda folder: folder.stat().st_mtime + 3500.0)
        assert tokens(file).token() == first
        monkeypatch.setattr("senard.io.tokens.folder_time", lambda folder: folder.stat().st_mtime + 3560.0)
        assert tokens(file).token() != first

    def test_that_the_bucket_refuses_is_replaced(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        file = login.key_file(tmp_path)
        tokens(file).token()
        login.forget()
        assert judged(emulator, file, tmp_path).is_dir()
        assert len(login.granted) == 2

    def test_that_ends_amid_a_product_is_replaced(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        asked = source(emulator, login.key_file(tmp_path), tmp_path)
        fetched(asked, offered(emulator), Part.CLASSES, tmp_path / "into")
        login.forget()
        assert fetched(asked, offered(emulator), Part.JUDGE, tmp_path / "again").is_dir()
        assert len(login.granted) == 2

    def test_of_an_old_key_does_not_serve_a_new_one(self, login: GoogleLogin, tmp_path: Path) -> None:
        tokens(login.key_file(tmp_path)).token()
        with pytest.raises(RequestError, match="Invalid JWT Signature"):
            tokens(login.key_file(tmp_path, private_key=private_pem(1))).token()

    def test_is_asked_for_again_after_an_outage(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        emulator.faults.next(Kind.CUT, 1, on="google-token")
        assert tokens(login.key_file(tmp_path)).token().startswith("ya29.")
        assert len(emulator.asked("google-token")) == 2

    def test_never_goes_along_to_another_host(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        with Loopback(lambda _: json_answer(b'{"items": []}')) as stranger:
            away = Answer(status=302, headers={"Location": f"{stranger.address}/x"})
            with Loopback(lambda _: away) as bucket:
                asked = source(emulator, login.key_file(tmp_path), tmp_path, addresses=Addresses(google=bucket.address))
                with pytest.raises(SenardError):
                    asked.fetch(offered(emulator), Part.JUDGE, tmp_path)
                assert bucket.asked[0].headers["authorization"].startswith("Bearer ya29.")
        assert stranger.asked
        assert not [one for one in stranger.asked if "authorization" in one.headers]
        assert not seen(f"{stranger.asked}")

    def test_is_not_asked_of_where_the_address_has_moved(self, login: GoogleLogin, tmp_path: Path) -> None:
        with Loopback(lambda _: json_answer(b"{}")) as stranger:
            away = Answer(status=307, headers={"Location": stranger.address})
            with (
                Loopback(lambda _: away) as moved,
                pytest.raises(RequestError, match=r"question for a Google token: .* has moved to"),
            ):
                tokens(login.key_file(tmp_path, token_uri=moved.address)).token()
            assert stranger.asked == []


class TestRefusal:
    """A file, or an account, that does not work is told with what was expected and what to do."""

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"private_key": private_pem(1)},
                r"refuses reader@.* “Invalid JWT Signature.”. The key was deleted, or is",
            ),
            ({"client_email": "x@y.example"}, r"refuses x@y.* “Invalid grant: account not found”. The key was deleted"),
            ({"private_key": "hidden"}, r"private_key: expected an RSA key in PEM .*, found something else. Make"),
            ({"private_key": PEM[:400]}, "private_key: expected an RSA key in PEM"),
        ],
    )
    def test_of_a_wrong_key(self, login: GoogleLogin, tmp_path: Path, changes: dict[str, str], message: str) -> None:
        with pytest.raises(RequestError, match=message):
            tokens(login.key_file(tmp_path, **changes)).token()

    @pytest.mark.parametrize("clock_s", [-7200.0, 7200.0])
    def test_of_a_clock_that_is_wrong(self, login: GoogleLogin, tmp_path: Path, clock_s: float) -> None:
        login.clock_s = clock_s
        with pytest.raises(RequestError, match=r"reasonable timeframe.*this computer's clock is 2.* UTC. Set it"):
            tokens(login.key_file(tmp_path)).token()

    def test_of_a_login_that_has_ended(self, login: GoogleLogin, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=r"expired or revoked.”. The login has ended. Type gcloud auth"):
            tokens(login.user_file(tmp_path, refresh_token="1//old-old-old")).token()

    def test_of_a_login_through_a_program_that_is_gone(self, login: GoogleLogin, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=r"invalid_client .* or leave --credentials-google out"):
            tokens(login.user_file(tmp_path, client_id="gone")).token()

    @pytest.mark.parametrize("answer", [b"{}", b'{"access_token": 5, "expires_in": 5}'])
    def test_of_an_answer_without_a_token(self, login: GoogleLogin, tmp_path: Path, answer: bytes) -> None:
        with (
            Loopback(lambda _: json_answer(answer)) as server,
            pytest.raises(TransientError, match=r"answered without one. Check token_uri in .*google\.json"),
        ):
            tokens(login.key_file(tmp_path, token_uri=server.address)).token()

    def test_of_a_copy_from_a_pickle(self, login: GoogleLogin, tmp_path: Path) -> None:
        copy = pickle.loads(pickle.dumps(tokens(login.key_file(tmp_path))))
        with pytest.raises(RequestError, match="from a pickle, holds no key"):
            copy.token()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('{"type": "service_account", "private_key": "hidden', r"is no JSON \(line 1\)\. Make a JSON key"),
            ('["hidden"]', r"holds no JSON object\. Make a JSON key"),
            ({}, "found no type. Make a JSON key"),
            ({"type": "hidden"}, "found another type"),
            ({"type": "external_account", "x": "hidden"}, "found type external_account, which senard does not use"),
            ({"installed": {"client_secret": "hidden"}}, r'found an OAuth client \("installed"\), which is a program'),
            ({"username": "a", "password": "hidden"}, "found a user name or a password, which Google does not take"),
            ({"type": "service_account", "private_key": "hidden"}, "expected client_email, .* found no client_email"),
            ({"type": "authorized_user", "client_id": "a"}, "found no client_secret and no refresh_token"),
        ],
    )
    def test_of_a_file_of_another_kind(self, tmp_path: Path, content: object, message: str) -> None:
        path = tmp_path / "account.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        content = None  # this frame's own copy
        with pytest.raises(RequestError, match=message) as caught:
            google_key(path)
        assert str(path) in str(caught.value)
        assert "leave --credentials-google out" in str(caught.value)
        assert not seen(shown(caught.value))

    @pytest.mark.parametrize(
        "address", ["http://token.example.org/x", "ftp://127.0.0.1/", "https://a:b@host.example.org/", "token"]
    )
    def test_of_an_address_for_tokens_that_anybody_could_read(
        self, login: GoogleLogin, tmp_path: Path, address: str
    ) -> None:
        with pytest.raises(RequestError, match="token_uri: expected an address that begins with https://"):
            google_key(login.key_file(tmp_path, token_uri=address))


class TestKey:
    """A file says whose it is, and where its tokens are."""

    def test_of_a_service_account(self, login: GoogleLogin, emulator: Emulator, tmp_path: Path) -> None:
        key = google_key(login.key_file(tmp_path))
        assert (key.kind, key.name, key.key_id) == (GoogleKind.SERVICE, SERVICE, "key-1")
        assert key.token_url == f"{emulator.origin('google-token')}/token"

    def test_without_an_address_asks_google(self, login: GoogleLogin, tmp_path: Path) -> None:
        key = google_key(login.user_file(tmp_path, token_uri=None, account="ada@example.org"))
        assert (key.name, key.token_url) == ("ada@example.org", "https://oauth2.googleapis.com/token")

    def test_is_read_with_ends_of_lines_written_twice_over(self, login: GoogleLogin, tmp_path: Path) -> None:
        assert tokens(login.key_file(tmp_path, private_key=PEM.replace("\n", "\\n"))).token()


class TestSecrets:
    """Neither key nor token is seen: not in logs, reprs, pickles, nor in tracebacks that show local variables."""

    @pytest.mark.parametrize("file", ["key_file", "user_file"])
    def test_where_all_goes_well(
        self, emulator: Emulator, login: GoogleLogin, tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str
    ) -> None:
        caplog.set_level(logging.DEBUG)
        path = getattr(login, file)(tmp_path)
        judged(emulator, path, tmp_path)
        giver, key = tokens(path), google_key(path)
        giver.token()
        assert not seen(f"{giver!r} {vars(giver)} {key!r}")
        assert not seen(pickle.dumps((giver, key)).decode("latin-1"))
        assert not seen(caplog.text)

    @pytest.mark.parametrize("file", ["key_file", "user_file"])
    @pytest.mark.parametrize(
        "answer",
        [
            lambda asked: json_answer(b'{"error": "x", "error_description": "%s"}' % asked.body, 400),
            lambda _: json_answer(b'{"error": "invalid_grant", "error_description": "Bad Request"}', 400),
            lambda _: json_answer(b"{}", 503),
            lambda _: Answer(pieces=(b'{"access_token": "ya29.emulated-TOKEN", "expi',)),
            lambda _: json_answer(b'{"token": "ya29.emulated-TOKEN"}'),
            lambda _: json_answer(b'{"access_token": {"a": "ya29.emulated-TOKEN"}}'),
            lambda _: json_answer(b'{"access_token": "ya29.emulated-TOKEN", "expires_in": "soon"}'),
            lambda _: json_answer(b'["ya29.emulated-TOKEN"]'),
            lambda _: Answer(status=302, headers={"Location": "http://127.0.0.1:9/x"}),
        ],
        ids=["echo", "refused", "503", "torn", "none", "no text", "no number", "list", "moved"],
    )
    def test_where_no_token_comes(
        self, login: GoogleLogin, tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str, answer: Any
    ) -> None:
        caplog.set_level(logging.DEBUG)

        def told(asked: Asked) -> Answer:
            return answer(asked)  # type: ignore[no-any-return]

        with Loopback(told) as server, pytest.raises(SenardError) as caught:
            tokens(getattr(login, file)(tmp_path, token_uri=server.address)).token()
        assert not seen(shown(caught.value))
        assert not seen(caplog.text)

    @pytest.mark.parametrize("pem", [PEM[:400], PEM.replace("PRIVATE", "PUBLIC"), PEM.replace("M", "N", 3)])
    def test_where_the_key_is_broken(self, login: GoogleLogin, tmp_path: Path, pem: str) -> None:
        path = login.key_file(tmp_path, private_key=pem)
        del pem
        with pytest.raises(RequestError) as caught:
            tokens(path).token()
        told = shown(caught.value)
        assert not [line for line in PEM.splitlines()[2:-2] if line in told]

    def test_where_the_bucket_refuses(self, emulator: Emulator, login: GoogleLogin, tmp_path: Path) -> None:
        login.may_read = False
        with pytest.raises(RequestError) as caught:
            judged(emulator, login.key_file(tmp_path), tmp_path)
        assert not seen(shown(caught.value))
