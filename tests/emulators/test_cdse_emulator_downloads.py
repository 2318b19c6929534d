"""The emulator's download service serves, refuses and fails as the real one does."""

import hashlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.emulators.cdse import Emulator, Kind, RangeMode
from tests.emulators.faults import InTurn

NAME = "S2A_MSIL2A_20240711T095031_N0511_R122_T35VLG_20240711T125031"
GRANULE = "GRANULE/L2A_T35VLG_A047309_20240711T095034"


@pytest.fixture
def emulator(tiny_archive: Path) -> Iterator[Emulator]:
    with Emulator(tiny_archive) as emulator:
        yield emulator


@pytest.fixture
def content(tiny_product: Path) -> bytes:
    return tiny_product.read_bytes()


def token_of(emulator: Emulator) -> str:
    username, password = emulator.account
    form = {"client_id": "cdse-public", "grant_type": "password", "username": username, "password": password}
    return str(requests.post(emulator.addresses.token, data=form, timeout=20).json()["access_token"])


def url_of(emulator: Emulator, place: str = "", name: str = NAME) -> str:
    steps = "".join(f"/Nodes({part})" for part in place.split("/")) if place else ""
    return f"{emulator.addresses.data}/Products({emulator.products[name].id}){steps}/$value"


def get(emulator: Emulator, url: str = "", *, token: str = "", **headers: str) -> requests.Response:
    lines = {"Authorization": f"Bearer {token or token_of(emulator)}", **headers}
    return requests.get(url or url_of(emulator), headers=lines, timeout=20, allow_redirects=False)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestWholeProducts:
    """A product is the zip that the catalogue states."""

    def test_has_the_stated_bytes(self, emulator: Emulator, content: bytes) -> None:
        answer = get(emulator)
        assert answer.content == content
        assert int(answer.headers["Content-Length"]) == emulator.products[NAME].content_length
        assert hashlib.md5(answer.content).hexdigest() == emulator.products[NAME].checksums[0].value
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")

    def test_tells_its_head(self, emulator: Emulator, content: bytes) -> None:
        answer = requests.head(url_of(emulator), headers={"Authorization": f"Bearer {token_of(emulator)}"}, timeout=20)
        assert (answer.status_code, int(answer.headers["Content-Length"])) == (200, len(content))

    def test_takes_the_token_from_the_query_too(self, emulator: Emulator, content: bytes) -> None:
        assert requests.get(f"{url_of(emulator)}?token={token_of(emulator)}", timeout=20).content == content

    def test_lies_on_another_origin_than_the_catalogue(self, emulator: Emulator) -> None:
        url = url_of(emulator).replace(emulator.origin("download"), emulator.origin("catalogue"))
        answer = get(emulator, url)
        assert (answer.status_code, answer.headers["Location"]) == (301, url_of(emulator))
        followed = requests.get(url, headers={"Authorization": f"Bearer {token_of(emulator)}"}, timeout=20)
        assert code(followed) == (401, "DAT-ZIP-604")  # requests drops the token on the way

    @pytest.mark.parametrize(
        ("header", "start", "stop"), [("bytes=1000-", 1000, None), ("bytes=0-9", 0, 10), ("bytes=-5", -5, None)]
    )
    def test_can_be_had_in_parts(
        self, emulator: Emulator, content: bytes, header: str, start: int, stop: int | None
    ) -> None:
        answer = get(emulator, Range=header)
        assert (answer.status_code, answer.content) == (206, content[start:stop])
        first = start % len(content)
        last = (len(content) if stop is None else stop) - 1
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"

    def test_has_nothing_beyond_its_end(self, emulator: Emulator, content: bytes) -> None:
        answer = get(emulator, Range=f"bytes={len(content)}-")
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(content)}")

    def test_may_ignore_refuse_or_misunderstand_a_range(self, emulator: Emulator, content: bytes) -> None:
        emulator.faults.range_mode = RangeMode.IGNORED
        assert get(emulator, Range="bytes=100-").content == content
        emulator.faults.range_mode = RangeMode.REFUSED
        assert get(emulator, Range="bytes=100-").status_code == 400
        emulator.faults.range_mode = RangeMode.WRONG
        answer = get(emulator, Range="bytes=100-")
        assert (answer.status_code, answer.headers["Content-Range"]) == (
            206,
            f"bytes 50-{len(content) - 1}/{len(content)}",
        )
        assert answer.content == content[50:]

    def test_may_lie_on_a_foreign_host(self, emulator: Emulator, content: bytes) -> None:
        emulator.faults.next(Kind.TO_STORAGE)
        answer = get(emulator)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(emulator.origin("storage"))
        assert requests.get(answer.headers["Location"], timeout=20).content == content
        assert "authorization" not in emulator.asked("storage")[0].headers
        emulator.faults.next(Kind.TO_STORAGE)
        elsewhere = get(emulator, url_of(emulator, f"{NAME}.SAFE/manifest.safe")).headers["Location"]
        assert b"dataObjectSection" in requests.get(elsewhere, timeout=20).content
        assert requests.get(elsewhere.replace("sig=", "sig=0"), timeout=20).status_code == 403


class TestNodes:
    """Single files of a product are listed for everybody and served with a token."""

    def test_are_listed_as_documented(self, emulator: Emulator) -> None:
        entry = emulator.products[NAME]
        root = f"{emulator.addresses.data}/Products({entry.id})"
        top = requests.get(f"{root}/Nodes", timeout=20).json()["result"]
        uri = f"{root}/Nodes({NAME}.SAFE)/Nodes"
        stated = {"Id": f"{NAME}.SAFE", "Name": f"{NAME}.SAFE", "ContentLength": 0, "ChildrenNumber": 8}
        assert top == [{**stated, "Nodes": {"uri": uri}}]
        below = {one["Name"]: one for one in requests.get(uri, timeout=20).json()["result"]}
        assert {"AUX_DATA", "DATASTRIP", "GRANULE", "HTML", "manifest.safe", "rep_info"} <= below.keys()
        manifest = below["manifest.safe"]
        assert manifest["ContentLength"] > 50_000
        assert requests.get(manifest["Nodes"]["uri"], timeout=20).json() == {"result": []}

    def test_hold_the_bytes_of_the_zip(self, emulator: Emulator, tiny_product: Path) -> None:
        place = f"{NAME}.SAFE/{GRANULE}/IMG_DATA/R10m/T35VLG_20240711T095031_B04_10m.jp2"
        with zipfile.ZipFile(tiny_product) as archive:
            expected = archive.read(place)
        assert get(emulator, url_of(emulator, place)).content == expected
        assert get(emulator, url_of(emulator, place), Range="bytes=10-19").content == expected[10:20]
        assert emulator.asked("download")[-1].node == place.partition("/")[2]
        assert requests.get(url_of(emulator, place), timeout=20).status_code == 401

    @pytest.mark.parametrize("step", ["Nodes()", "Nodes(.)", f"Nodes('{NAME}.SAFE')"])
    def test_are_refused_where_the_path_is_malformed(self, emulator: Emulator, step: str) -> None:
        answer = get(emulator, url_of(emulator).replace("/$value", f"/{step}/Nodes(manifest.safe)/$value"))
        assert answer.json() == {"code": "DAT-ZIP-104", "message": "Malformed OData request path"}
        assert answer.status_code == 400


class TestRefusals:
    """Who may not download is told why."""

    def test_without_a_token(self, emulator: Emulator) -> None:
        answer = requests.get(url_of(emulator), timeout=20)
        assert (answer.status_code, answer.json()) == (401, {"code": "DAT-ZIP-604", "message": "Token not found"})

    def test_with_an_expired_token(self, emulator: Emulator) -> None:
        emulator.faults.token_life_s = 0.1
        token = token_of(emulator)
        time.sleep(0.11)
        assert code(get(emulator, token=token)) == (401, "DAT-ZIP-109")

    def test_but_a_download_that_has_begun_is_not_cut(self, emulator: Emulator, content: bytes) -> None:
        token = token_of(emulator)
        emulator.faults.bytes_s = len(content) * 5
        lines = {"Authorization": f"Bearer {token}"}
        with requests.get(url_of(emulator), headers=lines, timeout=20, stream=True) as begun:
            emulator.tokens.expire()
            assert begun.content == content
        assert get(emulator, token=token).status_code == 401

    def test_with_a_token_of_another_service(self, emulator: Emulator) -> None:
        assert code(get(emulator, token=emulator.tokens.foreign_token())) == (401, "DAT-ZIP-609")

    def test_without_the_licence(self, emulator: Emulator) -> None:
        emulator.accounts[0].licence = False
        assert code(get(emulator)) == (403, "DAT-ZIP-608")

    def test_for_a_quoted_id(self, emulator: Emulator) -> None:
        url = url_of(emulator).replace("Products(", "Products('").replace(")/$value", "')/$value")
        assert code(get(emulator, url)) == (422, "DAT-ZIP-111")

    def test_for_a_withdrawn_product_and_one_on_tape(self, emulator: Emulator) -> None:
        emulator.products.set_offline(NAME)
        assert get(emulator).status_code == 404
        emulator.products.set_online(NAME)
        assert get(emulator).status_code == 200
        emulator.products.withdraw(NAME)
        assert get(emulator).status_code == 404

    def test_by_the_firewall(self, emulator: Emulator) -> None:
        token = token_of(emulator)
        emulator.faults.firewall_per_minute = 2
        assert [get(emulator, token=token).status_code for _ in range(3)] == [200, 200, 429]
        assert get(emulator, token=token).json() == {"error": "WAF", "message": "Rate limit exceeded", "status": 429}

    @pytest.mark.parametrize(
        ("kind", "status", "retry_after"),
        [(Kind.ERROR_500, 500, None), (Kind.ERROR_503, 503, "1"), (Kind.ERROR_503_EMPTY, 503, None)],
    )
    def test_by_an_outage(self, emulator: Emulator, kind: Kind, status: int, retry_after: str | None) -> None:
        emulator.faults.next(kind)
        answer = get(emulator)
        assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
        assert get(emulator).status_code == 200


class TestConnections:
    """The connections of an account are counted, aborted ones for a while longer."""

    @staticmethod
    def begin(emulator: Emulator, token: str) -> http.client.HTTPConnection:
        """A download of which only the head was read."""
        parts = urlsplit(url_of(emulator))
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {token}"})
        connection.begun = connection.getresponse()  # type: ignore[attr-defined]
        return connection

    def test_more_than_allowed_are_refused(self, emulator: Emulator) -> None:
        emulator.faults.connection_limit = 2
        emulator.faults.bytes_s = 1000
        token = token_of(emulator)
        open_ones = [self.begin(emulator, token) for _ in range(2)]
        answer = get(emulator, token=token)
        assert code(answer) == (429, "DAT-ZIP-100")
        assert "Max session number" in answer.json()["message"]
        assert emulator.most_open == 3  # the refused one was wanted
        for one in open_ones:
            one.close()

    def test_an_aborted_one_counts_on(self, emulator: Emulator) -> None:
        emulator.faults.connection_limit = 1
        emulator.faults.linger_s = 1000.0
        emulator.faults.bytes_s = 1000
        token = token_of(emulator)
        aborted = self.begin(emulator, token)
        aborted.begun.close()  # type: ignore[attr-defined]
        aborted.close()
        emulator.faults.bytes_s = 0
        assert code(get(emulator, token=token)) == (429, "DAT-ZIP-100")
        assert emulator.most_open == 1
        emulator.downloads.slots.forget_lingering()
        assert get(emulator, token=token).status_code == 200

    def test_one_after_the_other_is_one_at_a_time(self, emulator: Emulator) -> None:
        emulator.faults.connection_limit = 1
        token = token_of(emulator)
        assert [get(emulator, token=token).status_code for _ in range(20)] == [200] * 20
        assert emulator.most_open == 1


class TestBodies:
    """A body can end, stop, grow or change on its way."""

    def test_ends_early_with_a_clean_close(self, emulator: Emulator, content: bytes) -> None:
        emulator.faults.next(Kind.CUT, after=1000)
        assert self.received(emulator) == (content[:1000], "closed")

    def test_ends_early_and_looks_whole(self, emulator: Emulator, content: bytes) -> None:
        emulator.faults.next(Kind.CUT_UNSTATED, after=0.25)
        answer = get(emulator)
        assert "Content-Length" not in answer.headers
        assert answer.content == content[: len(content) // 4]

    def test_is_reset(self, emulator: Emulator) -> None:
        emulator.faults.next(Kind.RESET, after=0.99)
        assert self.received(emulator)[1] == "reset"

    def test_stops_without_a_close(self, emulator: Emulator, content: bytes) -> None:
        emulator.faults.next(Kind.STALL, after=5000)
        assert self.received(emulator, patience_s=0.7) == (content[:5000], "silent")

    def test_never_begins(self, emulator: Emulator) -> None:
        emulator.faults.next(Kind.SILENT)
        assert self.received(emulator, patience_s=0.3) == (b"", "silent")
        emulator.faults.next(Kind.HANG_UP)
        assert self.received(emulator) == (b"", "closed")

    def test_has_bytes_too_many(self, emulator: Emulator, content: bytes) -> None:
        emulator.faults.next(Kind.EXTRA_BYTES)
        assert get(emulator).content == content + b"\0" * 1000

    def test_has_one_wrong_byte(self, emulator: Emulator, content: bytes) -> None:
        emulator.faults.next(Kind.SPOILT)
        got = get(emulator).content
        assert [place for place in range(len(content)) if got[place] != content[place]] == [len(content) // 2]

    def test_is_a_broken_zip_of_the_right_checksum(self, emulator: Emulator, tmp_path: Path) -> None:
        emulator.products.break_zip(NAME)
        path = tmp_path / "broken.zip"
        path.write_bytes(get(emulator).content)
        assert hashlib.md5(path.read_bytes()).hexdigest() == emulator.products[NAME].checksums[0].value
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is not None

    def test_is_an_error_page_with_200(self, emulator: Emulator) -> None:
        emulator.faults.next(Kind.HTML_200)
        emulator.faults.next(Kind.EMPTY_200)
        assert get(emulator).content.startswith(b"<!DOCTYPE html>")
        answer = get(emulator)
        assert (answer.status_code, answer.content) == (200, b"")

    def test_trickles(self, emulator: Emulator) -> None:
        emulator.faults.slow_bytes_s = 40_000
        emulator.faults.next(Kind.SLOW)
        url = url_of(emulator, f"{NAME}.SAFE/MTD_MSIL2A.xml")  # 30 kB
        lines = {"Authorization": f"Bearer {token_of(emulator)}"}
        with requests.get(url, headers=lines, timeout=20, stream=True) as answer:
            assert len(answer.raw.read1(1 << 20)) < 20_000
            assert len(answer.raw.read()) > 10_000

    @staticmethod
    def received(emulator: Emulator, patience_s: float = 5.0) -> tuple[bytes, str]:
        """The body of a download as it came over the wire, and how it ended."""
        parts = urlsplit(url_of(emulator))
        head = f"GET {parts.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token_of(emulator)}\r\n\r\n"
        data, how = b"", "closed"
        with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as connection:
            connection.settimeout(patience_s)
            connection.sendall(head.encode())
            try:
                while got := connection.recv(1 << 20):
                    data += got
            except TimeoutError:
                how = "silent"
            except ConnectionResetError:
                how = "reset"
        return data.partition(b"\r\n\r\n")[2], how


class TestSwitches:
    """Faults hit the requests they are meant for, the same ones in every run."""

    def test_a_rule_waits_for_its_product(self, emulator: Emulator) -> None:
        emulator.faults.always(Kind.NOT_FOUND, products=[NAME])
        other = next(name for name in emulator.products.names if name != NAME)
        assert get(emulator, url_of(emulator, name=other)).status_code == 200
        assert [get(emulator).status_code for _ in range(2)] == [404, 404]
        emulator.faults.clear()
        assert get(emulator).status_code == 200

    def test_a_share_fails_each_kind_in_its_turn(self) -> None:
        kinds = [Kind.CUT, Kind.RANGE_REFUSED, Kind.ERROR_500]

        def run(seed: int) -> list[Kind | None]:
            turn = InTurn(0.2, kinds, seed, frozenset({"download"}))
            return [turn.pick(frozenset({"download"}), ranged=number > 50, head=False) for number in range(100)]

        played = [kind for kind in run(1) if kind is not None]
        assert len(played) == 20
        assert Kind.RANGE_REFUSED not in played[:10]  # it waits for a request with a Range
        assert played[-6:].count(Kind.RANGE_REFUSED) == 2
        assert run(1) == run(1)
        assert run(1) != run(2)

    def test_every_request_is_logged(self, emulator: Emulator, content: bytes) -> None:
        get(emulator, **{"User-Agent": "a client"})
        emulator.settle()
        logged = emulator.asked("download")[0]
        assert (logged.method, logged.status, logged.bytes_sent, logged.product) == ("GET", 200, len(content), NAME)
        assert logged.headers["user-agent"] == "a client"
        assert logged.open_downloads == 1
        assert logged.ended is not None
        assert logged.ended > logged.started
        assert emulator.asked("token")[0].form["grant_type"] == "password"


class TestAlone:
    """`python -m tests.emulators` serves other processes."""

    def test_tells_its_addresses_and_takes_orders(self, tiny_archive: Path) -> None:
        faults = json.dumps({"numbers": {"connection_limit": 2}, "next": [{"kind": "503", "on": "catalogue"}]})
        command = [sys.executable, "-m", "tests.emulators", str(tiny_archive), "--faults", faults]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told: dict[str, Any] = json.loads(process.stdout.readline())
            answers = [requests.get(f"{told['addresses']['search']}/Products", timeout=20) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [503, 200]
            state = requests.get(f"{told['control']}/state", timeout=20).json()
            assert state["requests"] == 2
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert not Path(told["credentials"]).exists()
