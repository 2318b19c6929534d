"""One file from the network, whatever the service does: every row of its table of answers, every failure seen."""

import dataclasses
import errno
import hashlib
import multiprocessing
import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from senard.errors import PendingError, RequestError, StorageError, TransientError, UnusableSceneError
from senard.io.bandwidth import Bandwidth
from senard.io.http import Http
from senard.io.incoming import Content, StatedRange
from senard.io.openers import open_url
from senard.io.part_file import hold_part
from senard.io.refusals import FinalRefusal
from senard.io.transfer import GoneError, RemoteFile, fetch_file
from senard.model.remote import Checksum, ChecksumKind
from senard.model.scene import Sentinel2Scene
from tests.emulators.cdse import Kind, RangeMode
from tests.io.loopback import Answer, Asked, Loopback, json_answer
from tests.io.served import PACE, Served, large_product, served

WHOLE = b"PK\x03\x04" + bytes(range(256)) * 400
MD5 = (Checksum(kind=ChecksumKind.MD5, value=hashlib.md5(WHOLE).hexdigest()),)


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with served(tmp_path, monkeypatch) as one:
        yield one


def asked_ranges(product: Served) -> list[str]:
    product.emulator.settle()
    return [one.headers.get("range", "") for one in product.emulator.asked("download", "$value")]


def one_of(*answers: Answer) -> Callable[[Asked], Answer]:
    waiting = list(answers)
    return lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def data(body: bytes = WHOLE, *, status: int = 200, length: int | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Content-Type", "application/octet-stream")
    return Answer(status=status, headers=named, pieces=(body,), length=length)


def ranged(start: int, *, first: int | None = None, total: int | str = len(WHOLE)) -> Answer:
    first = start if first is None else first
    return data(WHOLE[start:], status=206, Content_Range=f"bytes {first}-{len(WHOLE) - 1}/{total}")


def fetched(target: Path, server: Loopback, **changes: object) -> bytes:
    file = RemoteFile(
        what="the file", open=open_url(Http(PACE), server.address, "the file"), size_bytes=len(WHOLE), checksums=MD5
    )
    fetch_file(dataclasses.replace(file, **changes), target, PACE)  # type: ignore[arg-type]
    return target.read_bytes()


class TestSurvivedFailures:
    """The zip arrives whole, whatever fails on the way once, and nothing else is left."""

    @pytest.mark.parametrize(
        "kind",
        [
            Kind.TOKEN_EXPIRED,
            Kind.TOO_MANY,
            Kind.FIREWALL,
            Kind.ERROR_500,
            Kind.ERROR_502,
            Kind.ERROR_503_EMPTY,
            Kind.ERROR_504,
            Kind.HTML_200,
            Kind.JSON_200,
            Kind.EMPTY_200,
            Kind.SILENT,
            Kind.HANG_UP,
            Kind.CUT,
            Kind.CUT_UNSTATED,
            Kind.RESET,
            Kind.STALL,
            Kind.EXTRA_BYTES,
            Kind.SPOILT,
            Kind.UNSTATED,
            Kind.TO_STORAGE,
            Kind.REDIRECT_LOOP,
        ],
    )
    def test_of_a_request(self, product: Served, kind: Kind) -> None:
        product.emulator.faults.next(kind)
        assert product.fetch().read_bytes() == product.zip.read_bytes()
        product.emulator.settle()
        # Damage begins with the member it is in, here most of the file; a reset loses what was under way.
        most = 2.0 if kind in (Kind.SPOILT, Kind.RESET) else 1.02
        assert product.emulator.bytes_sent() <= most * product.zip.stat().st_size
        assert sorted(path.name for path in product.access.download_dir.iterdir()) == [
            product.zip.name,
            "senard-progress.jsonl",
        ]

    @pytest.mark.parametrize(
        "kind", [Kind.RANGE_IGNORED, Kind.RANGE_REFUSED, Kind.RANGE_WRONG, Kind.RANGE_UNSATISFIABLE]
    )
    def test_of_a_range(self, product: Served, kind: Kind) -> None:
        product.emulator.faults.next(Kind.CUT)
        product.emulator.faults.next(kind)
        assert product.fetch().read_bytes() == product.zip.read_bytes()

    def test_a_trickle_is_broken_off_and_resumed(self, product: Served) -> None:
        product.emulator.faults.slow_bytes_s = 800
        product.emulator.faults.next(Kind.SLOW)
        assert product.fetch().read_bytes() == product.zip.read_bytes()
        (first, second) = asked_ranges(product)
        assert first == ""
        assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) < 1024

    def test_a_trickle_behind_the_file_is_not_read_to_its_end(self, tmp_path: Path) -> None:
        trickle = Answer(
            headers={"Content-Type": "application/octet-stream"},
            pieces=(WHOLE, *[b"x"] * 400),
            before_piece=lambda number: time.sleep(0.02) if number else None,
        )
        with Loopback(one_of(trickle)) as server:
            assert fetched(tmp_path / "a.bin", server) == WHOLE
            assert server.hung_up.wait(5)

    def test_a_body_of_no_stated_length_is_resumed_where_a_manifest_says_how_long_it_is(self, tmp_path: Path) -> None:
        with Loopback(one_of(data(WHOLE[:5000], length=-1), ranged(5000))) as server:
            assert fetched(tmp_path / "a.bin", server, size_bytes=0, least_bytes=len(WHOLE)) == WHOLE
        assert [one.headers.get("range") for one in server.asked] == [None, "bytes=5000-"]

    @pytest.mark.parametrize("wrong_by", [-1000, 1000])
    def test_a_manifest_that_is_wrong_about_the_length(self, tmp_path: Path, wrong_by: int) -> None:
        end = json_answer(b"", status=416, Content_Range=f"bytes */{len(WHOLE)}")
        with Loopback(one_of(data(length=-1), end)) as server:
            assert fetched(tmp_path / "a.bin", server, size_bytes=0, least_bytes=len(WHOLE) + wrong_by) == WHOLE
        with Loopback(one_of(data())) as server:
            assert fetched(tmp_path / "b.bin", server, size_bytes=0, least_bytes=len(WHOLE) + wrong_by) == WHOLE
            assert len(server.asked) == 1

    def test_retry_after_is_waited_for(self, product: Served) -> None:
        product.emulator.faults.next(Kind.ERROR_503, retry_after_s=1)
        product.fetch()
        first, second = product.emulator.asked("download", "$value")
        assert second.started - first.started >= 1

    @pytest.mark.parametrize("mode", [RangeMode.IGNORED, RangeMode.REFUSED, RangeMode.WRONG])
    def test_a_service_without_ranges(self, product: Served, mode: RangeMode) -> None:
        product.emulator.faults.range_mode = mode
        product.emulator.faults.next(Kind.CUT, count=2)
        assert product.fetch().read_bytes() == product.zip.read_bytes()

    @pytest.mark.parametrize("forget", ["forget_checksum", "forget_length"])
    @pytest.mark.parametrize("kind", [Kind.CUT, Kind.CUT_UNSTATED, Kind.SPOILT, Kind.EXTRA_BYTES, Kind.EMPTY_200])
    def test_of_a_product_about_which_the_catalogue_says_little(self, product: Served, forget: str, kind: Kind) -> None:
        getattr(product.emulator.products, forget)(product.scene.product_id)
        product.emulator.faults.next(kind)
        path = product.fetch(scene=product.again())
        assert path.read_bytes()[: product.zip.stat().st_size] == product.zip.read_bytes()


class TestRefusals:
    """What a person must do something about, or what is not there, is asked once and told in words."""

    @pytest.mark.parametrize(
        ("kind", "error", "message"),
        [
            (Kind.TOKEN_NOT_FOUND, FinalRefusal, "DAT-ZIP-604.*without a token.*--data-url"),
            (Kind.TOKEN_AUDIENCE, FinalRefusal, "DAT-ZIP-609.*wrong kind.*cdse-public"),
            (Kind.LICENCE, FinalRefusal, "DAT-ZIP-608.*licence.*dataspace.copernicus.eu"),
            (Kind.MALFORMED_PATH, FinalRefusal, "DAT-ZIP-104.*malformed.*report"),
            (Kind.MALFORMED_UUID, FinalRefusal, "DAT-ZIP-111.*malformed.*report"),
            (Kind.NOT_FOUND, GoneError, "404.*not there"),
        ],
    )
    def test_are_final(self, product: Served, kind: Kind, error: type[Exception], message: str) -> None:
        product.emulator.faults.always(kind)
        file = RemoteFile(what=product.scene.product_id, open=product.opener(), size_bytes=product.remote.size_bytes)
        with pytest.raises(error, match=f"(?s){product.scene.product_id}.*{message}"):
            fetch_file(file, product.folder / "file.zip", PACE)
        assert len(product.emulator.asked("download")) == 1
        assert not (product.folder / "file.zip.part").exists()

    def test_tokens_that_are_all_refused_end_it(self, product: Served) -> None:
        product.emulator.faults.always(Kind.TOKEN_EXPIRED)
        with pytest.raises(RequestError, match="DAT-ZIP-109"):
            product.fetch()
        assert len(product.emulator.asked("download")) == 3

    def test_outages_end_it_after_the_attempts_and_keep_what_is_here(self, product: Served) -> None:
        product.emulator.faults.next(Kind.CUT)
        product.emulator.faults.always(Kind.ERROR_504)
        with pytest.raises(TransientError, match=r"(?s)6 attempts in a row failed.*504.*bytes are kept in .*zip\.part"):
            product.fetch()
        assert product.part.stat().st_size > 100_000
        assert len(product.emulator.asked("download")) == 6

    def test_a_service_that_wants_to_be_left_alone_for_long_is_not_waited_for(self, product: Served) -> None:
        product.emulator.faults.next(Kind.FIREWALL, retry_after_s=3600)
        with pytest.raises(PendingError, match="left alone for 60 min") as caught:
            product.fetch()
        assert caught.value.again_in_s == 3600

    def test_an_archive_on_tape_is_pending(self, tmp_path: Path) -> None:
        with (
            Loopback(one_of(json_answer(b"{}", status=202))) as server,
            pytest.raises(PendingError, match="brought from the archive"),
        ):
            fetched(tmp_path / "file", server)

    def test_no_slot_lingers_after_a_refusal(self, product: Served) -> None:
        patient = dataclasses.replace(PACE, connections=1, linger_s=20.0)
        product.emulator.faults.next(Kind.ERROR_500)
        product.emulator.faults.next(Kind.HTML_200)
        assert product.fetch(pace=patient).exists()


class TestResuming:
    """What an earlier process left is believed as far as the reply fits to it."""

    def test_goes_on_where_the_file_ends(self, product: Served) -> None:
        product.access.download_dir.mkdir()
        product.part.write_bytes(product.zip.read_bytes()[:100_000])
        assert product.fetch().read_bytes() == product.zip.read_bytes()
        assert asked_ranges(product) == ["bytes=100000-"]

    def test_asks_nothing_for_what_is_here_as_a_whole(self, product: Served) -> None:
        product.access.download_dir.mkdir()
        product.part.write_bytes(product.zip.read_bytes())
        assert product.fetch().read_bytes() == product.zip.read_bytes()
        assert asked_ranges(product) == []

    def test_cuts_off_what_a_longer_file_has_too_much(self, product: Served) -> None:
        product.access.download_dir.mkdir()
        product.part.write_bytes(product.zip.read_bytes() + b"<html>")
        assert product.fetch().read_bytes() == product.zip.read_bytes()
        assert asked_ranges(product) == []

    def test_never_believes_a_longer_file_that_nothing_verifies(self, tmp_path: Path) -> None:
        (tmp_path / "file.part").write_bytes(b"x" * (len(WHOLE) + 1))
        with Loopback(one_of(data())) as server:
            assert fetched(tmp_path / "file", server, checksums=()) == WHOLE

    def test_fetches_again_only_what_follows_the_damage(self, product: Served) -> None:
        product.access.download_dir.mkdir()
        whole = product.zip.read_bytes()
        product.part.write_bytes(whole[:-5000] + bytes(5000))
        assert product.fetch().read_bytes() == whole
        (asked,) = asked_ranges(product)
        assert len(whole) - 25_000 < int(asked.removeprefix("bytes=").removesuffix("-")) < len(whole) - 5000

    @pytest.mark.parametrize(
        "answer",
        [
            ranged(1000, first=999),
            ranged(1000, total=len(WHOLE) + 1),
            ranged(900),
            data(WHOLE[1000:], status=206),
            data(WHOLE[1000:], status=206, Content_Range="nonsense"),
            data(WHOLE[1000:-1], status=206, Content_Range=f"bytes 1000-{len(WHOLE) - 1}/{len(WHOLE)}"),
        ],
        ids=["start", "total", "earlier", "none", "nonsense", "length"],
    )
    def test_appends_nothing_whose_range_does_not_fit(self, tmp_path: Path, answer: Answer) -> None:
        (tmp_path / "file.part").write_bytes(WHOLE[:1000])
        with Loopback(one_of(answer, ranged(1000))) as server:
            assert fetched(tmp_path / "file", server) == WHOLE
            assert [one.headers.get("range") for one in server.asked] == ["bytes=1000-", "bytes=1000-"]

    def test_asks_without_range_where_ranges_never_fit(self, tmp_path: Path) -> None:
        (tmp_path / "file.part").write_bytes(WHOLE[:1000])
        with Loopback(one_of(ranged(500), ranged(500), data())) as server:
            assert fetched(tmp_path / "file", server) == WHOLE
            assert [one.headers.get("range") for one in server.asked] == ["bytes=1000-", "bytes=1000-", None]

    def test_starts_over_where_the_range_is_ignored(self, tmp_path: Path) -> None:
        (tmp_path / "file.part").write_bytes(b"other bytes of an older file")
        with Loopback(one_of(data())) as server:
            assert fetched(tmp_path / "file", server) == WHOLE

    @pytest.mark.parametrize("status", [400, 403, 404, 412, 422])
    def test_asks_without_a_range_that_is_refused_twice(self, tmp_path: Path, status: int) -> None:
        (tmp_path / "file.part").write_bytes(WHOLE[:1000])
        refusal = json_answer(b"{}", status=status)
        with Loopback(one_of(refusal, refusal, data())) as server:
            assert fetched(tmp_path / "file", server) == WHOLE
            assert [one.headers.get("range") for one in server.asked] == ["bytes=1000-", "bytes=1000-", None]

    def test_keeps_what_is_here_where_a_range_is_refused_once(self, tmp_path: Path) -> None:
        (tmp_path / "file.part").write_bytes(WHOLE[:1000])
        with Loopback(one_of(json_answer(b"{}", status=400), ranged(1000))) as server:
            assert fetched(tmp_path / "file", server) == WHOLE
            assert [one.headers.get("range") for one in server.asked] == ["bytes=1000-", "bytes=1000-"]

    def test_gives_up_what_lies_beyond_the_end_of_the_service_s_file(self, tmp_path: Path) -> None:
        (tmp_path / "file.part").write_bytes(b"x" * 1000)
        end = Answer(status=416, headers={"Content-Range": "bytes */500"})
        with Loopback(one_of(end, data())) as server:
            assert fetched(tmp_path / "file", server) == WHOLE
            assert [one.headers.get("range") for one in server.asked] == ["bytes=1000-", None]

    def test_verifies_what_ends_where_the_service_s_file_ends(self, tmp_path: Path) -> None:
        (tmp_path / "file.part").write_bytes(WHOLE)
        end = Answer(status=416, headers={"Content-Range": f"bytes */{len(WHOLE)}"})
        with Loopback(one_of(end)) as server:
            assert fetched(tmp_path / "file", server, size_bytes=0) == WHOLE

    def test_keeps_what_is_here_when_a_page_answers_the_range(self, tmp_path: Path) -> None:
        (tmp_path / "file.part").write_bytes(WHOLE[:1000])
        page = Answer(headers={"Content-Type": "text/html"}, pieces=(b"<html>soon</html>",))
        with Loopback(one_of(page, ranged(1000))) as server:
            assert fetched(tmp_path / "file", server) == WHOLE
            assert [one.headers.get("range") for one in server.asked] == ["bytes=1000-", "bytes=1000-"]

    def test_an_attempt_that_brings_something_does_not_count(self, tmp_path: Path) -> None:
        step = len(WHOLE) // 20

        def answer(asked: Asked) -> Answer:
            start = int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
            piece = WHOLE[start : start + step]
            return data(
                piece,
                status=206 if start else 200,
                length=len(WHOLE) - start,
                Content_Range=f"bytes {start}-{len(WHOLE) - 1}/{len(WHOLE)}",
            )

        with Loopback(answer) as server:
            assert fetched(tmp_path / "file", server) == WHOLE
            assert len(server.asked) == 21


class TestVerification:
    """Only bytes that add up take the final name."""

    def test_a_catalogue_that_is_wrong_is_told_from_bytes_that_are(self, product: Served) -> None:
        """Its directory comes again as it was, every file in the zip is whole: nothing more is fetched, ever."""
        scene, expected, found = self.misstated(product)
        reason = rf"BLAKE3 is {found}, expected {expected}; it came twice so, and every file in it is whole.*--sources"
        with pytest.raises(TransientError, match=f"(?s){reason}"):
            product.fetch(scene=scene)
        with zipfile.ZipFile(product.zip) as archive:
            directory = f"bytes={archive.start_dir}-"
        assert asked_ranges(product) == ["", directory]
        assert [path.name for path in product.access.download_dir.iterdir()] == [product.part.name]
        with pytest.raises(TransientError, match=f"(?s){reason}"):
            product.fetch(scene=scene)
        assert asked_ranges(product) == ["", directory, directory]

    def test_what_a_wrong_catalogue_kept_back_is_taken_once_it_is_right(self, product: Served) -> None:
        right = product.scene
        scene, _, _ = self.misstated(product)
        with pytest.raises(TransientError, match="the catalogue is wrong"):
            product.fetch(scene=scene)
        asked = asked_ranges(product)
        assert product.fetch(scene=right).read_bytes() == product.zip.read_bytes()
        assert asked_ranges(product) == asked

    def test_what_was_kept_back_is_given_up_where_the_product_was_replaced(self, product: Served) -> None:
        """Same name, same length, other bytes: the directory tells."""
        made = large_product(product.scene.product_id)
        old = dataclasses.replace(made, images={name: image[::-1] for name, image in made.images.items()})
        kept = old.write_zip(product.access.download_dir, compression=zipfile.ZIP_STORED).rename(product.part)
        assert kept.stat().st_size == product.zip.stat().st_size
        assert product.fetch().read_bytes() == product.zip.read_bytes()

    @staticmethod
    def misstated(product: Served) -> tuple[Sentinel2Scene, str, str]:
        """The product with a wrong checksum in the catalogue; what is stated, and what it has."""
        product.emulator.products.misstate_checksum(product.scene.product_id)
        scene = product.again()
        assert scene.remote is not None
        expected, found = (
            next(sum_.value for sum_ in remote.checksums if sum_.kind is ChecksumKind.BLAKE3)
            for remote in (scene.remote, product.remote)
        )
        return scene, expected, found

    def test_a_file_that_nobody_can_look_into_is_fetched_twice(self, tmp_path: Path) -> None:
        wrong = WHOLE[:-1] + b"x"
        with Loopback(one_of(data(wrong))) as server, pytest.raises(TransientError, match=r"it came twice so\. Both"):
            fetched(tmp_path / "file", server)
        assert len(server.asked) == 2
        assert list(tmp_path.iterdir()) == []

    def test_copies_of_which_no_two_are_alike_are_all_deleted(self, tmp_path: Path) -> None:
        copies = [data(WHOLE[:-1] + byte) for byte in (b"x", b"y")]
        with Loopback(one_of(*copies)) as server, pytest.raises(TransientError, match="two copies differ and both"):
            fetched(tmp_path / "file", server)
        assert list(tmp_path.iterdir()) == []

    def test_a_broken_zip_with_the_right_checksum_is_final(self, product: Served) -> None:
        product.emulator.products.break_zip(product.scene.product_id)
        with pytest.raises(UnusableSceneError, match=r"(?s)as the source has it.*B02_10m\.jp2 is damaged.*--sources"):
            product.fetch(scene=product.again())
        assert list(product.access.download_dir.iterdir()) == []
        assert asked_ranges(product) == [""]

    def test_a_broken_zip_without_checksum_that_comes_twice_is_final(self, product: Served) -> None:
        product.emulator.products.break_zip(product.scene.product_id)
        product.emulator.products.forget_checksum(product.scene.product_id)
        with pytest.raises(UnusableSceneError, match="as the source has it"):
            product.fetch(scene=product.again())

    def test_md5_serves_where_there_is_no_blake3(self, tmp_path: Path) -> None:
        with Loopback(one_of(data(WHOLE[:-1] + b"x"), data())) as server:
            assert fetched(tmp_path / "file", server) == WHOLE
            assert len(server.asked) == 2

    @pytest.mark.parametrize(
        ("name", "body", "refused"),
        [
            ("a.jp2", b"<!DOCTYPE html><html>", True),
            ("a.jp2", b'{"detail": "x"}', True),
            ("a.jp2", b"<?xml version='1.0'?><Error/>", True),
            ("a.jp2", b"\xff\x4f\xff\x51", False),
            ("manifest.safe", b"<html>", True),
            ("manifest.safe", b"<?xml version='1.0'?>", False),
            ("index.html", b"<html>", False),
        ],
    )
    def test_a_page_is_told_from_the_file_that_was_wanted(self, name: str, body: bytes, refused: bool) -> None:
        assert Content.of(name).refuses(body, announced=False) is refused


class TestStorage:
    """What this machine cannot keep is said in words, and what is here is kept."""

    def test_a_full_disk_is_noticed_before_the_first_byte(
        self, product: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = type("Usage", (), {"free": 1_000_000})
        monkeypatch.setattr("senard.io.disk.shutil.disk_usage", lambda _: usage)
        with pytest.raises(StorageError, match=r"disk is full: 64 MB are needed in .*, 1 MB are free.*--download-dir"):
            product.fetch()
        assert asked_ranges(product) == []

    @pytest.mark.parametrize(
        ("number", "message"),
        [
            (errno.ENOSPC, r"disk is full.*kept.*--download-dir"),
            (errno.EDQUOT, r"quota of this user.*--download-dir"),
            (errno.EROFS, r"cannot be written \(Read-only file system\).*--download-dir"),
        ],
    )
    def test_a_disk_that_fills_up_on_the_way(
        self, product: Served, monkeypatch: pytest.MonkeyPatch, number: int, message: str
    ) -> None:
        real = os.pwrite

        def failing(descriptor: int, chunk: bytes, offset: int) -> int:
            if offset >= 100_000:
                raise OSError(number, os.strerror(number))
            return real(descriptor, bytes(chunk)[: 100_000 - offset], offset)

        monkeypatch.setattr("senard.io.part_file.os.pwrite", failing)
        with pytest.raises(StorageError, match=f"(?s){product.zip.name}.*{message}"):
            product.fetch()
        monkeypatch.undo()
        assert product.part.stat().st_size == 100_000

    def test_a_folder_without_permission(self, product: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.open

        def refusing(path: Path, *rest: int) -> int:
            if str(path).startswith(str(product.access.download_dir)):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, *rest)

        monkeypatch.setattr("senard.io.file_locks.os.open", refusing)  # root may write everywhere: no chmod shows it
        with pytest.raises(StorageError, match=r"downloads cannot be written \(Permission denied\).*chmod"):
            product.fetch()
        monkeypatch.undo()

    def test_a_folder_that_is_a_file(self, product: Served) -> None:
        product.access.download_dir.write_text("a file")
        with pytest.raises(StorageError, match=r"cannot hold it.*another --download-dir"):
            product.fetch()


def _fetch_in_child(product: Served) -> None:
    product.fetch()


class TestOneWriter:
    """Two processes never write one file together."""

    def test_the_second_waits_and_finds_it_done(self, product: Served) -> None:
        product.emulator.faults.bytes_s = 1_000_000
        fork = multiprocessing.get_context("fork")
        children = [fork.Process(target=_fetch_in_child, args=(product,)) for _ in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join(20)
        assert [child.exitcode for child in children] == [0, 0, 0]
        assert asked_ranges(product) == [""]

    def test_one_that_was_killed_lets_go_and_is_resumed(self, product: Served) -> None:
        product.emulator.faults.bytes_s = 200_000
        child = multiprocessing.get_context("fork").Process(target=_fetch_in_child, args=(product,))
        child.start()
        give_up = time.monotonic() + 10
        while not (product.part.exists() and product.part.stat().st_size > 50_000) and time.monotonic() < give_up:
            time.sleep(0.01)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        left = product.part.stat().st_size
        product.emulator.faults.bytes_s = 0
        assert product.fetch().read_bytes() == product.zip.read_bytes()
        assert asked_ranges(product) == ["", f"bytes={left}-"]

    def test_a_file_that_was_renamed_meanwhile_is_not_written_to(self, tmp_path: Path) -> None:
        target = tmp_path / "file"
        with hold_part(target, "file") as first:
            assert first is not None
            first.append(b"whole")
            first.finish()
        with hold_part(target, "file") as second:
            assert second is None
        assert target.read_bytes() == b"whole"


class TestPace:
    """A process takes no more than its share, and notices what is too slow."""

    def test_bandwidth_is_shared_by_all_downloads(self) -> None:
        bandwidth = Bandwidth(1_000_000)
        began = time.monotonic()
        for _ in range(5):
            bandwidth.took(20_000)
        assert time.monotonic() - began >= 0.099

    def test_no_limit_costs_nothing(self) -> None:
        assert Bandwidth(0).chunk_bytes == 256 * 1024

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("bytes 100-199/200", (100, 199, 200)),
            ("bytes 100-199/*", (100, 199, None)),
            ("bytes */200", (None, None, 200)),
            ("200", (None, None, None)),
            ("", (None, None, None)),
        ],
    )
    def test_content_range_is_read(self, text: str, found: tuple[int | None, ...]) -> None:
        stated = StatedRange.parse(text)
        assert (stated.first, stated.last, stated.total) == found

    def test_progress_is_told_to_the_end(self, product: Served) -> None:
        told: list[tuple[int, int]] = []
        file = RemoteFile(what="x", open=product.opener(), size_bytes=product.remote.size_bytes)
        fetch_file(file, product.folder / "x.zip", PACE, told=lambda done, total: told.append((done, total)))
        assert told[-1] == (product.remote.size_bytes, product.remote.size_bytes)
