"""Tokens: one for all, renewed early, and no password sent in vain."""

import multiprocessing
import os
import pickle
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import pytest

from senard.errors import RequestError, TransientError
from senard.io.credentials import Account
from senard.io.http import FinalRefusal, Http
from senard.io.secret import Secret
from senard.io.tokens import Tokens
from senard.model.access import Pace
from tests.emulators.cdse import Emulator
from tests.emulators.kinds import Kind
from tests.io.loopback import Loopback, json_answer

QUICK = Pace(connect_timeout_s=5, read_timeout_s=5, retries=3, backoff_s=0.01)

Make = Callable[..., Tokens]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SENARD_STATE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def make(emulator: Emulator) -> Make:
    """Makes what one process would use."""

    def made(*, password: str = "", totp: str = "", pace: Pace = QUICK) -> Tokens:
        username, right = emulator.account
        account = Account(
            username=username, password=Secret(password or right), totp=Secret(totp), found_in="accounts.json"
        )
        return Tokens(emulator.addresses.token, account, Http(pace))

    return made


def grants(emulator: Emulator) -> tuple[int, int]:
    """Password grants and refresh grants that were asked for."""
    return emulator.tokens.password_grants, emulator.tokens.refresh_grants


def together(act: Callable[[], str], workers: int) -> list[str]:
    results: list[str] = []

    def work() -> None:
        try:
            results.append(act())
        except RequestError as error:
            results.append(type(error).__name__)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def aged(state: Path, kind: str, by_s: float) -> None:
    """Make a file of that kind older."""
    (path,) = state.glob(f"{kind}-*.json")
    written = path.stat().st_mtime
    os.utime(path, (written - by_s, written - by_s))


def tell_token(tokens: Tokens, told: "SimpleQueue[str]") -> None:
    told.put(Secret(tokens.token()).reveal())


class TestOneToken:
    """All threads and processes of a host use one token of one session."""

    def test_serves_all_threads(self, emulator: Emulator, make: Make) -> None:
        tokens = make()
        assert len({Secret(token).reveal() for token in together(tokens.token, 8)}) == 1
        assert grants(emulator) == (1, 0)

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_serves_all_processes(self, emulator: Emulator, make: Make) -> None:
        context = multiprocessing.get_context("fork")
        told: SimpleQueue[str] = context.SimpleQueue()
        children = [context.Process(target=tell_token, args=(make(), told)) for _ in range(4)]
        for child in children:
            child.start()
        assert len({told.get() for _ in children}) == 1
        for child in children:
            child.join()
        assert grants(emulator) == (1, 0)

    def test_is_taken_by_the_download_service(self, emulator: Emulator, make: Make) -> None:
        account = emulator.tokens.account_of(Secret(make().token()).reveal())
        assert account is not None
        assert account.username == emulator.account[0]

    def test_lies_in_a_file_for_its_owner_only(self, state: Path, make: Make) -> None:
        make().token()
        assert {stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()} == {0o600}
        assert not any("user@" in path.name for path in state.iterdir())

    def test_is_another_one_for_another_account(self, emulator: Emulator, make: Make) -> None:
        emulator.tokens.accounts["b@example.org"] = replace(emulator.accounts[0], username="b@example.org")
        other = Account(username="b@example.org", password=Secret(emulator.account[1]))
        tokens = Tokens(emulator.addresses.token, other, Http(QUICK))
        assert Secret(tokens.token()) != make().token()

    def test_is_fetched_anew_where_its_file_is_torn(self, state: Path, emulator: Emulator, make: Make) -> None:
        make().token()
        (path,) = state.glob("token-*.json")
        path.write_text(path.read_text()[:40])
        make().token()
        assert grants(emulator) == (2, 0)


class TestRenewal:
    """A token is renewed before it expires, in the same session as long as that lasts."""

    @pytest.mark.parametrize(("age_s", "renewed"), [(530, 0), (550, 1)])
    def test_comes_a_minute_before_the_end(
        self, state: Path, emulator: Emulator, make: Make, age_s: float, renewed: int
    ) -> None:
        make().token()
        aged(state, "token", age_s)
        make().token()
        assert grants(emulator) == (1, renewed)

    @pytest.mark.parametrize(("age_s", "renewed"), [(3.5, 0), (4.2, 1)])
    def test_comes_at_a_fifth_of_a_short_life(
        self, state: Path, emulator: Emulator, make: Make, age_s: float, renewed: int
    ) -> None:
        emulator.faults.token_life_s = 5
        make().token()
        aged(state, "token", age_s)
        make().token()
        assert grants(emulator) == (1, renewed)

    def test_happens_in_a_process_that_goes_on(self, emulator: Emulator, make: Make) -> None:
        emulator.faults.token_life_s = 1
        tokens = make()
        first = tokens.token()
        time.sleep(0.85)
        assert tokens.token() != first
        assert grants(emulator) == (1, 1)

    def test_takes_one_password_grant_after_the_session_has_ended(
        self, state: Path, emulator: Emulator, make: Make
    ) -> None:
        make().token()
        emulator.tokens.end_sessions()
        aged(state, "token", 590)
        assert len(set(together(make().token, 8))) == 1
        assert grants(emulator) == (2, 1)

    def test_asks_for_no_refresh_of_a_session_known_to_have_ended(
        self, state: Path, emulator: Emulator, make: Make
    ) -> None:
        make().token()
        aged(state, "token", 4000)
        make().token()
        assert grants(emulator) == (2, 0)

    def test_outlasts_an_outage(self, state: Path, emulator: Emulator, make: Make) -> None:
        make().token()
        aged(state, "token", 590)
        emulator.faults.next(Kind.ERROR_500, on={"token"})
        make().token()
        assert grants(emulator) == (1, 1)

    def test_does_not_depend_on_clocks(self, state: Path, emulator: Emulator, make: Make) -> None:
        make().token()
        aged(state, "token", -7200)
        tokens = make()
        tokens.reject(tokens.token())
        tokens.token()
        assert grants(emulator) == (1, 1)


class TestRejection:
    """A token that was refused is replaced once, for everybody."""

    def test_brings_another_token(self, emulator: Emulator, make: Make) -> None:
        tokens = make()
        first = tokens.token()
        emulator.tokens.expire()
        tokens.reject(first)
        second = tokens.token()
        assert second != first
        assert emulator.tokens.account_of(Secret(second).reveal()) is not None

    def test_by_many_workers_brings_one(self, emulator: Emulator, make: Make) -> None:
        workers = [make() for _ in range(6)]
        first = workers[0].token()

        def work() -> str:
            tokens = workers.pop()
            tokens.reject(first)
            return tokens.token()

        assert len(set(together(work, 6)) - {first}) == 1
        assert grants(emulator) == (1, 1)

    def test_of_an_old_one_keeps_the_new_one(self, emulator: Emulator, make: Make) -> None:
        tokens = make()
        first = tokens.token()
        tokens.reject(first)
        second = tokens.token()
        tokens.reject(first)
        assert tokens.token() == second
        assert grants(emulator) == (1, 1)

    def test_keeps_the_age_of_the_session(self, state: Path, emulator: Emulator, make: Make) -> None:
        tokens = make()
        first = tokens.token()
        aged(state, "token", 2000)
        tokens.reject(first)
        aged(state, "token", 2000)
        make().token()
        assert grants(emulator) == (2, 0)


class TestWrongPassword:
    """A wrong password is sent once, whoever works with it, and explained."""

    def test_is_explained(self, make: Make) -> None:
        with pytest.raises(RequestError) as caught:
            make(password="wrong").token()
        message = str(caught.value)
        assert "user@example.org (password from accounts.json)" in message
        assert "Invalid user credentials" in message
        assert "SENARD_CDSE_TOTP" in message
        assert "100 sessions" in message
        assert "wrong (sign in at https://dataspace.copernicus.eu to see)" in message

    def test_is_sent_once_by_all_workers(self, emulator: Emulator, make: Make) -> None:
        wrong = [make(password="wrong") for _ in range(8)]
        for _ in range(3):
            assert together(lambda: wrong[0].token(), 8) == ["AccountError"] * 8
        assert grants(emulator) == (1, 0)

    def test_is_sent_again_after_ten_minutes(self, state: Path, emulator: Emulator, make: Make) -> None:
        for age_s, asked in ((0, 1), (590, 1), (20, 2)):
            if age_s:
                aged(state, "verdict", age_s)
            with pytest.raises(RequestError):
                make(password="wrong").token()
            assert emulator.tokens.password_grants == asked

    def test_does_not_hold_up_the_right_one(self, make: Make) -> None:
        with pytest.raises(RequestError):
            make(password="wrong").token()
        assert make().token()

    def test_is_not_kept_as_such(self, state: Path, make: Make) -> None:
        with pytest.raises(RequestError):
            make(password="wrong-password").token()
        make().token()
        kept = "".join(path.read_text() for path in state.iterdir())
        assert "wrong-password" not in kept
        assert "right-password" not in kept

    def test_that_is_missing_after_a_pickle_is_not_sent(self, emulator: Emulator, make: Make) -> None:
        copy = pickle.loads(pickle.dumps(make()))
        with pytest.raises(RequestError, match="from a pickle, holds no password"):
            copy.token()
        assert grants(emulator) == (0, 0)

    @pytest.mark.parametrize(
        ("said", "advice"),
        [("Account is not fully set up", "Sign in at https"), ("Account disabled", "The account is locked")],
    )
    def test_is_told_from_an_account_in_trouble(self, said: str, advice: str) -> None:
        body = b'{"error":"invalid_grant","error_description":"%s"}' % said.encode()
        with Loopback(lambda _: json_answer(body, 400)) as server:
            account = Account(username="ada", password=Secret("p"))
            with pytest.raises(RequestError, match=f"{said}.*{advice}"):
                Tokens(server.address, account, Http(QUICK)).token()

    def test_is_told_from_an_unknown_client(self) -> None:
        with Loopback(lambda _: json_answer(b'{"error":"invalid_client"}', 401)) as server:
            tokens = Tokens(server.address, Account(username="ada", password=Secret("p")), Http(QUICK))
            with pytest.raises(FinalRefusal, match=r"does not know the client cdse-public.*--token-url"):
                tokens.token()


class TestTooManySessions:
    """Too many sessions look like a wrong password; one that was accepted before is given time."""

    @pytest.fixture
    def full(self, state: Path, emulator: Emulator, make: Make) -> None:
        """The account's sessions are used up after the password was accepted."""
        make().token()
        emulator.faults.session_cap = 0
        aged(state, "token", 4000)

    @pytest.mark.usefixtures("full")
    def test_pass(self, emulator: Emulator, make: Make) -> None:
        with pytest.raises(TransientError, match=r"though this password was accepted before.*100 sessions"):
            make().token()
        emulator.faults.session_cap = 100
        time.sleep(0.31)
        assert make().token()

    @pytest.mark.usefixtures("full")
    def test_are_asked_again_only_after_a_pause(self, emulator: Emulator, make: Make) -> None:
        slow = replace(QUICK, backoff_s=2)
        for _ in range(5):
            with pytest.raises(TransientError, match=r"not sent again for \d\d s"):
                make(pace=slow).token()
        assert emulator.tokens.password_grants == 2

    @pytest.mark.usefixtures("full")
    def test_end_as_a_wrong_password_after_three_refusals(self, state: Path, emulator: Emulator, make: Make) -> None:
        for _ in range(2):
            with pytest.raises(TransientError):
                make().token()
            aged(state, "verdict", 500)
        with pytest.raises(RequestError, match="Either user name or password is wrong"):
            make().token()
        assert emulator.tokens.password_grants == 4


class TestTwoFactorLogin:
    """A one-time code opens one session."""

    @pytest.fixture(autouse=True)
    def second_factor(self, emulator: Emulator) -> None:
        emulator.accounts[0].totp = "123456"

    def test_opens_with_the_code(self, emulator: Emulator, make: Make) -> None:
        assert make(totp="123456").token()
        assert grants(emulator) == (1, 0)

    def test_asks_for_the_code(self, make: Make) -> None:
        with pytest.raises(RequestError, match="set SENARD_CDSE_TOTP to the code of this minute"):
            make().token()

    def test_tells_a_wrong_code_and_tries_another_at_once(self, make: Make) -> None:
        with pytest.raises(RequestError, match="good for 30 s and for one use"):
            make(totp="000000").token()
        assert make(totp="123456").token()

    def test_ends_with_the_session_and_says_so(self, state: Path, emulator: Emulator, make: Make) -> None:
        make(totp="123456").token()
        aged(state, "token", 4000)
        with pytest.raises(RequestError, match=r"the session that the one-time code opened has ended.*every hour"):
            make(totp="123456").token()
        assert grants(emulator) == (1, 0)


class TestAnswers:
    """What is no token is told."""

    def test_without_a_token_are_told(self) -> None:
        with Loopback(lambda _: json_answer(b'{"hello": 1}')) as server:
            tokens = Tokens(server.address, Account(username="ada", password=Secret("p")), Http(QUICK))
            with pytest.raises(TransientError, match=r"was answered without one. Check --token-url"):
                tokens.token()

    def test_without_lives_are_used_once(self) -> None:
        with Loopback(lambda _: json_answer(b'{"access_token": "abc"}')) as server:
            tokens = Tokens(server.address, Account(username="ada", password=Secret("p")), Http(QUICK))
            assert [Secret(tokens.token()).reveal() for _ in range(2)] == ["abc", "abc"]
            assert len(server.asked) == 2
