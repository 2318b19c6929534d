"""Why a task failed, and the exit code that follows."""

import errno
import os

import pytest

from senard.errors import (
    AccountError,
    IncompleteError,
    NoDataError,
    PendingError,
    RequestError,
    TransientError,
    UnusableSceneError,
)
from workflows.failures import ExitCode, Failure, exit_code


class TestFailure:
    """A failure"""

    @pytest.mark.parametrize(
        "error",
        [
            TransientError("S2B_X: the server answered 503."),
            NoDataError("No scene: 3 were too cloudy.\nWiden the period."),
            OSError(errno.ENOSPC, "No space left on device", "/data/out/0_10.tif"),
            RequestError("--aoi: a sentence: with colons"),
        ],
    )
    def test_travels_as_text_through_the_scheduler(self, error: Exception) -> None:
        failure = Failure.of(error)
        back = Failure.from_text(failure.text)
        assert (back.kind, back.again) == (failure.kind, failure.again)
        assert back.message == " ".join(failure.message.split())
        assert back.message.startswith(" ".join(str(error).split()))

    def test_says_when_to_ask_again(self) -> None:
        text = Failure.of(PendingError("S2B_X: it is on tape.", again_in_s=600)).text
        assert text == "later=600 PendingError: S2B_X: it is on tape."
        assert (Failure.from_text(text).pause_s, Failure.from_text(text).again) == (600, True)
        assert Failure.of(TransientError("503")).pause_s is None

    def test_says_that_a_source_refuses_whoever_asks(self) -> None:
        text = Failure.of(AccountError("the licence is not accepted", source="cdse")).text
        assert text == "all=cdse RequestError: the licence is not accepted"
        back = Failure.from_text(text)
        assert (back.concerns_all, back.source, back.again) == (True, "cdse", False)
        assert back.exit_code is ExitCode.REQUEST
        assert not Failure.of(RequestError("--aoi")).concerns_all

    def test_keeps_the_traceback_only_of_what_nobody_foresaw(self) -> None:
        assert Failure.of(RequestError("--aoi"), detail="Traceback …").detail == ""
        surprise = Failure.from_text(Failure.of(ZeroDivisionError("division"), detail="Traceback …\n\nmore").text)
        assert surprise.detail == "Traceback …\n\nmore"

    @pytest.mark.parametrize("error", [TransientError("503"), OSError(errno.EIO, "Input/output error"), MemoryError()])
    def test_that_may_pass_is_tried_again(self, error: BaseException) -> None:
        assert Failure.of(error).again

    @pytest.mark.parametrize("error", [RequestError("--aoi"), NoDataError("none"), ZeroDivisionError()])
    def test_that_stays_is_not_tried_again(self, error: BaseException) -> None:
        assert not Failure.of(error).again

    def test_for_want_of_space_says_what_helps(self) -> None:
        assert "give another --outdir or --workdir" in Failure.of(OSError(errno.ENOSPC, "No space left")).message
        assert "--outdir" not in Failure.of(OSError(errno.EIO, "Input/output error")).message

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG])
    def test_of_the_system_that_only_a_person_can_help_is_one_of_the_request(self, number: int) -> None:
        failure = Failure.of(OSError(number, os.strerror(number), "/data/out/0_10.tif"))
        assert (failure.again, failure.exit_code) == (False, ExitCode.REQUEST)
        assert "/data/out/0_10.tif" in failure.message
        assert Failure.from_text(failure.text).exit_code is ExitCode.REQUEST

    def test_of_a_killed_process_is_tried_again(self) -> None:
        failure = Failure.from_text("Task CompositeTile_0 died unexpectedly with exit code -9")
        assert failure.again
        assert "exit code -9" in failure.message

    @pytest.mark.parametrize(
        ("reason", "again"),
        [
            (OSError("the server is away"), True),
            (ValueError("no JSON"), False),
            (PendingError("L2A", again_in_s=9), False),
        ],
    )
    def test_to_read_a_result_is_tried_again_only_if_the_disk_failed(self, reason: Exception, again: bool) -> None:
        error = IncompleteError("scene_20.tif")
        error.__cause__ = reason
        assert Failure.of(error).again == again

    def test_of_a_family_is_known_by_the_family(self) -> None:
        class NoSceneError(NoDataError):
            pass

        assert Failure.of(NoSceneError("none")).exit_code is ExitCode.NO_DATA


class TestExitCode:
    """The exit code of a product that is not whole"""

    @pytest.mark.parametrize(
        ("errors", "code"),
        [
            ([RequestError("r")], 2),
            ([NoDataError("n")], 3),
            ([TransientError("t")], 4),
            ([IncompleteError("i")], 4),
            ([UnusableSceneError("u")], 4),
            ([TransientError("t"), NoDataError("n")], 3),
            ([NoDataError("n"), RequestError("r"), TransientError("t")], 2),
            ([], 4),
        ],
    )
    def test_tells_what_to_do(self, errors: list[Exception], code: int) -> None:
        assert exit_code([Failure.of(error) for error in errors]) == code
