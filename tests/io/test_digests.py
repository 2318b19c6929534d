"""Checksums that follow a file while it is written."""

import hashlib
import threading
from pathlib import Path

import pytest
from blake3 import blake3

from senard.io.digests import FollowingDigest
from senard.model.remote import ChecksumKind

WHOLE = bytes(range(256)) * 4 * 5120
"""5 MiB."""

MIB = 1 << 20


def following(kind: ChecksumKind, *pieces: bytes) -> FollowingDigest:
    digest, start = FollowingDigest(kind), 0
    for piece in pieces:
        digest.feed(piece, start)
        start += len(piece)
    return digest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(WHOLE)
    return path


class TestFollowingDigest:
    """It is that of the whole file, however its bytes came."""

    @pytest.mark.parametrize("step", [1000, 65_536, 262_144, MIB, 3 * MIB])
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [(ChecksumKind.MD5, hashlib.md5(WHOLE).hexdigest()), (ChecksumKind.BLAKE3, blake3(WHOLE).hexdigest())],
    )
    def test_is_right_for_pieces_of_any_size(self, file: Path, kind: ChecksumKind, expected: str, step: int) -> None:
        pieces = [WHOLE[start : start + step] for start in range(0, len(WHOLE), step)]
        assert following(kind, *pieces).hexdigest(file) == expected

    @pytest.mark.parametrize("here", [0, 100, MIB, 2 * MIB + 7])
    def test_reads_from_the_file_what_it_has_not_seen(self, file: Path, here: int) -> None:
        digest = following(ChecksumKind.MD5, WHOLE[:here])
        digest.feed(WHOLE[here + 10 :], here + 10)
        assert digest.hexdigest(file) == hashlib.md5(WHOLE).hexdigest()

    @pytest.mark.parametrize("before", [10, MIB + 10, 4 * MIB])
    def test_forgets_what_was_cut(self, file: Path, before: int) -> None:
        digest = following(ChecksumKind.MD5, b"x" * before)
        digest.restart()
        digest.feed(WHOLE, 0)
        assert digest.hexdigest(file) == hashlib.md5(WHOLE).hexdigest()

    def test_needs_no_thread_for_a_small_file(self) -> None:
        before = threading.active_count()
        digest = following(ChecksumKind.MD5, WHOLE[:1000])
        assert threading.active_count() == before
        digest.close()

    def test_leaves_no_thread_behind(self) -> None:
        digest = following(ChecksumKind.MD5, WHOLE)
        assert "senard-digest" in {thread.name for thread in threading.enumerate()}
        digest.close()
        assert "senard-digest" not in {thread.name for thread in threading.enumerate()}

    def test_holds_back_who_writes_faster_than_it_computes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        go_on, began = threading.Event(), threading.Event()

        class Stuck:
            def update(self, _data: bytes, /) -> None:
                began.set()
                go_on.wait(10.0)

            def hexdigest(self) -> str:
                return ""

        monkeypatch.setattr("senard.io.digests.new_digest", lambda _: Stuck())
        digest = FollowingDigest(ChecksumKind.MD5)
        fed: list[int] = []

        def write() -> None:
            for start in range(0, 20 * MIB, MIB):
                digest.feed(WHOLE[:MIB], start)
                fed.append(start)

        writer = threading.Thread(target=write)
        writer.start()
        assert began.wait(10.0)
        writer.join(0.2)
        held = len(fed)
        go_on.set()
        writer.join(10.0)
        digest.close()
        assert held <= 4  # MiB: one in work, two that wait, one that is held
        assert len(fed) == 20
