"""Several sources, one after the other."""

import logging
from pathlib import Path

import pytest

from senard.errors import AccountError, PendingError, RequestError, StorageError, TransientError, UnusableSceneError
from senard.io.chain import Chain
from senard.io.refusals import FinalRefusal
from senard.io.sources import Source, Told, untold
from senard.model.access import SourceName
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene
from tests.io.made_scenes import PRODUCT_ID, made_scene

LOCAL, CDSE, S3, GOOGLE = SourceName.LOCAL, SourceName.CDSE, SourceName.CDSE_S3, SourceName.GOOGLE


class Stand:
    """A source that does one thing; it counts how often it was built and asked."""

    def __init__(self, error: Exception | None = None, *, built: Exception | None = None) -> None:
        self.error, self.trouble, self.built, self.asked = error, built, 0, 0

    def build(self) -> Source:
        self.built += 1
        if self.trouble is not None:
            raise self.trouble
        return self

    def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:  # noqa: ARG002 - one part is as good as another
        self.asked += 1
        assert not list(into.iterdir())
        (into / f"{scene.product_id}.SAFE").mkdir()
        if self.error is not None:
            raise self.error
        told(7, 7)


def fetch(folder: Path, *sources: tuple[SourceName, Stand]) -> Chain:
    chain = Chain([(name, stand.build) for name, stand in sources])
    chain.fetch(made_scene(), Part.JUDGE, folder)
    return chain


OFFLINE = PendingError("on tape", again_in_s=1800)
REFUSED = RequestError("the password is wrong")


class TestChain:
    """A product comes from the first source, in the user's order, that has it."""

    @pytest.mark.parametrize(
        "reason",
        [UnusableSceneError("not here"), TransientError("the service is down"), OFFLINE],
        ids=["not here", "down", "offline"],
    )
    def test_asks_the_next_source_where_one_is(self, tmp_path: Path, reason: Exception) -> None:
        first, second, third = Stand(reason), Stand(), Stand()
        fetch(tmp_path, (CDSE, first), (GOOGLE, second), (S3, third))
        assert (first.asked, second.asked, third.asked) == (1, 1, 0)
        assert [path.name for path in tmp_path.iterdir()] == [f"{PRODUCT_ID}.SAFE"]

    def test_builds_a_source_when_it_is_used_and_only_once(self, tmp_path: Path) -> None:
        first, second, unused = Stand(UnusableSceneError("no")), Stand(), Stand()
        chain = fetch(tmp_path, (CDSE, first), (GOOGLE, second), (S3, unused))
        (tmp_path / f"{PRODUCT_ID}.SAFE").rmdir()
        chain.fetch(made_scene(), Part.BANDS, tmp_path)
        assert (first.built, second.built, unused.built) == (1, 1, 0)

    def test_tells_which_fallback_brought_it_and_why(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, "senard"):
            fetch(tmp_path, (CDSE, Stand(OFFLINE)), (GOOGLE, Stand()))
        assert caplog.messages == [f"{PRODUCT_ID}: from google, as it did not come from cdse: on tape"]

    def test_stops_where_the_first_remote_source_wants_something_of_a_person(self, tmp_path: Path) -> None:
        fallback = Stand()
        with pytest.raises(RequestError, match="the password is wrong"):
            fetch(tmp_path, (LOCAL, Stand(UnusableSceneError("no"))), (CDSE, Stand(built=REFUSED)), (GOOGLE, fallback))
        assert fallback.asked == 0

    def test_passes_over_a_fallback_that_wants_something_of_a_person(self, tmp_path: Path) -> None:
        last = Stand()
        fetch(tmp_path, (CDSE, Stand(OFFLINE)), (S3, Stand(built=REFUSED)), (GOOGLE, last))
        assert last.asked == 1

    def test_stops_at_a_full_disk_whoever_was_asked(self, tmp_path: Path) -> None:
        last = Stand()
        with pytest.raises(StorageError, match="the disk is full"):
            fetch(tmp_path, (CDSE, Stand(OFFLINE)), (S3, Stand(StorageError("the disk is full"))), (GOOGLE, last))
        assert last.asked == 0

    def test_lets_a_mistake_of_its_own_through(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            fetch(tmp_path, (CDSE, Stand(ZeroDivisionError())), (GOOGLE, Stand()))

    def test_needs_a_source(self) -> None:
        with pytest.raises(RequestError, match="Name at least one with --sources"):
            Chain([])


class TestWhoRefusesWhoeverAsks:
    """The first remote source, where it refuses the account and not one product,"""

    @pytest.mark.parametrize(
        "stand",
        [
            Stand(built=RequestError("no user name is known")),
            Stand(AccountError("the password is wrong")),
            Stand(FinalRefusal("the licence is not accepted", status=403, code="DAT-ZIP-608")),
            Stand(FinalRefusal("the proxy wants a password", status=407)),
        ],
        ids=["no account", "wrong password", "licence", "proxy"],
    )
    def test_is_named_in_the_error(self, tmp_path: Path, stand: Stand) -> None:
        with pytest.raises(AccountError) as raised:
            fetch(tmp_path, (CDSE, stand), (GOOGLE, Stand()))
        assert raised.value.source == "cdse"
        assert str(raised.value) in (str(stand.error), str(stand.trouble))

    @pytest.mark.parametrize(
        "reason",
        [RequestError("no room for B04"), FinalRefusal("not this product", status=403), FinalRefusal("?", status=404)],
    )
    def test_is_not_where_it_refuses_one_product(self, tmp_path: Path, reason: RequestError) -> None:
        with pytest.raises(RequestError) as raised:
            fetch(tmp_path, (CDSE, Stand(reason)))
        assert raised.value is reason

    def test_is_not_asked_again_once_that_is_known(self, tmp_path: Path) -> None:
        here, remote, fallback = Stand(), Stand(), Stand()
        chain = Chain(
            [(CDSE, remote.build), (GOOGLE, fallback.build)], refusing={CDSE: "S2A_X: the licence is not accepted"}
        )
        with pytest.raises(AccountError, match=r"^S2A_X: the licence is not accepted$"):
            chain.fetch(made_scene(), Part.JUDGE, tmp_path)
        assert (remote.built, fallback.asked) == (0, 0)
        chain = Chain([(LOCAL, here.build), (CDSE, remote.build)], refusing={CDSE: "no licence"})
        chain.fetch(made_scene(), Part.JUDGE, tmp_path)
        assert here.asked == 1


def verdict(folder: Path, kind: type[Exception], *errors: Exception) -> str:
    """What is said when every source refuses."""
    names = (CDSE, S3, GOOGLE)[: len(errors)]
    with pytest.raises(kind) as raised:
        fetch(folder, *((name, Stand(error)) for name, error in zip(names, errors, strict=True)))
    assert type(raised.value) is kind
    return str(raised.value)


class TestWhatNobodyBrings:
    """Where every source refuses, the kindest reaction is raised, with the reason of each on a line."""

    def test_is_pending_if_it_will_be_there_with_the_shortest_pause(self, tmp_path: Path) -> None:
        later = PendingError("triggered", again_in_s=600)
        with pytest.raises(PendingError) as raised:
            fetch(tmp_path, (CDSE, Stand(OFFLINE)), (S3, Stand(TransientError("down"))), (GOOGLE, Stand(later)))
        assert raised.value.again_in_s == 600
        assert str(raised.value).splitlines()[1:] == [
            "  cdse: on tape",
            "  cdse-s3: down",
            "  google: triggered",
            "Ask again in 10 min, or let senard do so with --wait.",
        ]

    def test_is_transient_if_asking_again_may_help(self, tmp_path: Path) -> None:
        text = verdict(tmp_path, TransientError, UnusableSceneError("not here"), REFUSED, TransientError("503"))
        assert "  cdse: not here\n  cdse-s3: the password is wrong\n  google: 503\n" in text

    def test_is_a_matter_for_a_person_if_only_a_person_can_change_it(self, tmp_path: Path) -> None:
        text = verdict(tmp_path, RequestError, UnusableSceneError("not\nhere"), REFUSED)
        assert "  cdse: not here\n  cdse-s3: the password is wrong\nGive cdse-s3 what it wants" in text

    def test_leaves_the_scene_out_if_nobody_has_it(self, tmp_path: Path) -> None:
        text = verdict(
            tmp_path, UnusableSceneError, UnusableSceneError("gone"), UnusableSceneError("not in the bucket")
        )
        assert text == f"{PRODUCT_ID} is with none of 2 sources: cdse: gone; cdse-s3: not in the bucket"

    def test_is_told_in_the_source_s_own_words_if_there_is_one_source(self, tmp_path: Path) -> None:
        assert verdict(tmp_path, UnusableSceneError, UnusableSceneError("gone, says CDSE")) == "gone, says CDSE"

    def test_leaves_nothing_in_the_folder(self, tmp_path: Path) -> None:
        verdict(tmp_path, UnusableSceneError, UnusableSceneError("a"), UnusableSceneError("b"))
        assert list(tmp_path.iterdir()) == []
