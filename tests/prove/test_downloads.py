"""Thirty products from a service that fails in every way there is: everything arrives, or is named with its reason.

Every `Kind` of failure of the emulator is played in each of the runs, none is left out. What else can go wrong and is
no failure of a request is played where whole products are fetched: an entry with a wrong checksum, with none, without a
length; an archive that is broken at its source; a product that is withdrawn or taken offline after it was listed.

Not played, since no download over HTTPS can meet it or go on after it: a second factor (a person must type the next
code); redirects from the catalogue (the download host is asked itself); addresses and options beyond the limits (never
asked); odd entries and duplicates (they are what is listed, not how it is fetched); clocks of object stores, links of
STAC, missing quicklooks (not asked for).
"""

import dataclasses
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.io import MemoryFile

from tests.emulators.cdse import Emulator, Kind
from tests.emulators.faults import BODILY, FINAL, RANGED
from tests.io.made_products import L2A_IMAGES, MadeProduct
from tests.workflows.commands import BIN

pytestmark = pytest.mark.prove

PRODUCTS = 30
BANDS = ("B02", "B03", "B04", "B08")
BAND_BYTES, SMALL_BYTES = 2_000_000, 3000
CONNECTIONS = 4
KILLS = 10
MOST_RUNS = 8
LINGER_S, CAUTION_S = 1.0, 0.5
"""How long the service counts what was broken off, and how much longer the command does.

Both count from when they learn of it. The service learns it later, when it next writes: here up to 0.2 s after a kill.
"""

SHARE = 0.2

SERVICE = (
    Kind.FIREWALL, Kind.ERROR_500, Kind.ERROR_502, Kind.ERROR_503, Kind.ERROR_503_EMPTY, Kind.ERROR_504, Kind.HTML_200,
    Kind.JSON_200, Kind.EMPTY_200, Kind.SILENT, Kind.HANG_UP, Kind.CUT, Kind.CUT_UNSTATED, Kind.RESET, Kind.STALL,
    Kind.UNSTATED,
)  # fmt: skip
"""So may any service fail: the search, the lists of files and the tokens too."""

ONCE = (*FINAL, Kind.TOKEN_NOT_FOUND)
"""What is not asked again, so that a product ends with it: each has one turn, or no product would be left.

A token of the wrong kind is among them. Its kind comes from the grant, and another grant of the same kind gives no
other: so the product is given up at once with that message, and the next run goes on.
"""

PASSING = (
    *sorted(RANGED, key=str), *sorted(BODILY, key=str), Kind.TO_STORAGE, Kind.REDIRECT_LOOP, Kind.TOKEN_EXPIRED,
    Kind.TOO_MANY, *(kind for kind in SERVICE if kind not in BODILY),
)  # fmt: skip
"""What a client survives on a file. Those about Range wait for a request that has one, and go first then."""

SESSION = (Kind.SESSION_ENDED, Kind.SESSION_CAP)
"""What may become of a session: played on grants, once each, when the first product has begun to come."""

EVERY = {*PASSING, *ONCE, *SESSION}
"""What each of the proofs must have met by its end: all there is. What nobody may ask again ends a run early."""

GIVEN_UP = ("wrong checksum", "broken at its source", "withdrawn", "offline")
"""Products that never arrive whole, by what is the matter with them."""


def small_classes() -> bytes:
    """A scene classification at 60 m: bare ground everywhere."""
    with MemoryFile() as memory:
        with memory.open(
            driver="JP2OpenJPEG", dtype="uint8", count=1, height=183, width=183, crs="EPSG:32631",
            transform=Affine(60, 0, 300_000, 0, -60, 4_900_020), QUALITY="100", REVERSIBLE="YES",
        ) as file:  # fmt: skip
            file.write(np.full((1, 183, 183), 5, np.uint8))
        return bytes(memory.read())


def make_products(folder: Path) -> list[str]:
    """Thirty zips of 8 MB, stored as the service stores them."""
    chance = random.Random(7)
    classes = small_classes()
    names = []
    for number in range(PRODUCTS):
        start_time = datetime(2024, 6, 1, 10, 46, 19, tzinfo=UTC) + timedelta(days=number)
        name = (
            f"S2B_MSIL2A_{start_time:%Y%m%dT%H%M%S}_N0510_R051_T31TCJ_{start_time + timedelta(hours=3):%Y%m%dT%H%M%S}"
        )
        made = MadeProduct(
            product_id=name,
            sensing_time=f"{start_time + timedelta(minutes=10):%Y-%m-%dT%H:%M:%S}.000000Z",
            datastrip_time=f"{start_time + timedelta(minutes=2):%Y%m%dT%H%M%S}",
            footprint="44 0.4 44.3 0.4 44.3 0.7 44 0.7 44 0.4",
        )
        images = {
            f"{made.image(image)}.jp2": b"\xff\x4f\xff\x51" + chance.randbytes(SMALL_BYTES) + b"\xff\xd9"
            for image in L2A_IMAGES
        }
        images |= {
            f"{made.image(f'R10m/{band}_10m')}.jp2": b"\xff\x4f\xff\x51" + chance.randbytes(BAND_BYTES) + b"\xff\xd9"
            for band in BANDS
        }
        images[f"{made.image('R60m/SCL_60m')}.jp2"] = classes
        dataclasses.replace(made, images=images).write_zip(folder, compression=zipfile.ZIP_STORED)
        names.append(name)
    return names


@dataclass
class Service:
    """What fails, and the command that copes."""

    emulator: Emulator
    archive: Path
    folder: Path
    names: list[str]
    odd: dict[str, str] = field(default_factory=dict)
    """What is the matter with a product, to its name: {"withdrawn": "S2B_…"}."""

    changed: bool = False
    """Whether what changes on the way has changed."""

    seen: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Files under their final names that were found right, with time and size."""

    @property
    def downloads(self) -> Path:
        return self.folder / "downloads"

    def start(self, number: int, *more: str) -> subprocess.Popen[str]:
        """`senard download` of everything; what it says goes into a file, for it may be killed."""
        addresses = self.emulator.addresses
        words = [
            "--bbox=0.52,44.14,0.62,44.21", "--start", "2024-06-01", "--end", "2024-06-30", "--name", "thirty",
            "--search-url", addresses.search, "--data-url", addresses.data, "--token-url", addresses.token,
            "--credentials", self.emulator.credentials, "--download-dir", self.downloads, "--outdir", "out",
            "--connections", str(CONNECTIONS), "--njobs", str(CONNECTIONS), "--linger", str(LINGER_S + CAUTION_S),
            "--connect-timeout", "3", "--read-timeout", "1", "--min-speed", "20000", "--min-speed-window", "1",
            "--backoff", "0.05", "--retries", "8", "--allow-missing", *more,
        ]  # fmt: skip
        state = {"SENARD_STATE_DIR": str(self.folder / "state"), "HOME": str(self.folder)}
        with (self.folder / f"said-{number:02d}.txt").open("w") as said:
            return subprocess.Popen(
                [str(word) for word in [BIN / "senard", "download", *words]],
                cwd=self.folder,
                env={**os.environ, **state},
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def change(self, begun: str) -> None:
        """Once such a request has come, withdraw a product, take one offline, end the session, refuse another."""
        if self.changed or not any(begun in one.names for one in tuple(self.emulator.log)):
            return
        self.changed = True
        if self.odd:
            self.emulator.products.withdraw(self.odd["withdrawn"])
            self.emulator.products.set_offline(self.odd["offline"])
        self.emulator.faults.next(Kind.SESSION_ENDED, on="refresh_token")
        self.emulator.faults.next(Kind.SESSION_CAP, on="password")

    def said(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("said-*.txt")))

    def sent(self) -> int:
        """Bytes that left the service, those of redirected downloads included."""
        return self.emulator.bytes_sent() + self.emulator.bytes_sent("storage")

    def played(self, *names: str) -> set[Kind]:
        """Failures that were played so far; on some requests only, if they are named."""
        log = tuple(self.emulator.log)
        return {Kind(one.fault) for one in log if one.fault and (not names or one.names & {*names})}

    def zip_of(self, name: str) -> Path:
        return self.archive / f"{name}.zip"

    def whole(self) -> set[str]:
        """Products whose zips have arrived."""
        return {path.stem for path in self.downloads.glob("*.zip")}

    def untold(self, whole: set[str]) -> list[str]:
        """Products that have not arrived, and of which nobody said why."""
        return [name for name in self.names if name not in whole and name not in self.reasons()]

    def waiting(self, number: int) -> int:
        """How many products a run said wait for what somebody must do first."""
        said = (self.folder / f"said-{number:02d}.txt").read_text()
        return sum(map(int, re.findall(r"^senard: (\d+) products wait for that\.$", said, re.MULTILINE)))

    def reasons(self) -> str:
        """What was said of single products: lines of progress name them too, and do not count."""
        return "\n".join(line for line in self.said().splitlines() if line.startswith("senard: "))

    def wrong_finals(self) -> list[str]:
        """Files under their final names that are not, byte for byte, what the service has."""
        wrong = []
        for path in self.downloads.rglob("*"):
            if not path.is_file() or path.name.startswith(".") or path.suffix in (".part", ".fetched", ".lock"):
                continue
            if path.name in ("partial.json", "senard-progress.jsonl"):
                continue
            state = path.stat()
            if self.seen.get(path) != (state.st_mtime_ns, state.st_size):
                if self._is_right(path):
                    self.seen[path] = (state.st_mtime_ns, state.st_size)
                else:
                    wrong.append(path.relative_to(self.downloads).as_posix())
        return wrong

    def _is_right(self, path: Path) -> bool:
        if path.parent == self.downloads:
            return path.stem not in {self.odd.get(what) for what in GIVEN_UP} and digest(path) == digest(
                self.zip_of(path.stem)
            )
        place = path.relative_to(self.downloads / ".members").as_posix()
        with zipfile.ZipFile(self.zip_of(place.split("/")[0].removesuffix(".SAFE"))) as archive:
            return path.read_bytes() == archive.read(place)

    def listed(self) -> set[str]:
        """Products that the Progress File lists."""
        try:
            text = (self.downloads / "senard-progress.jsonl").read_text()
        except FileNotFoundError:
            return set()
        return {Path(json.loads(line)["file"]).stem for line in text.splitlines(keepends=True) if line.endswith("\n")}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """What the service has."""
    folder = tmp_path_factory.mktemp("thirty") / "archive"
    return folder, make_products(folder)


@pytest.fixture
def service(archive: tuple[Path, list[str]], tmp_path: Path) -> Iterator[Service]:
    """An account of four connections, and tokens of five seconds; what fails is up to the test."""
    with Emulator(archive[0]) as emulator:
        faults = emulator.faults
        faults.token_life_s = 5.0
        faults.connection_limit = CONNECTIONS
        faults.linger_s = LINGER_S
        faults.send_buffer_bytes = 64 * 1024
        faults.bytes_s = 6_000_000
        faults.empty_last_page = True
        faults.in_turn(SHARE, SERVICE, seed=2, on=("catalogue", "token", "lists"))
        yield Service(emulator=emulator, archive=archive[0], folder=tmp_path, names=archive[1])


class TestThirtyProducts:
    """Thirty products, a fifth of the requests a failure, each kind in its turn"""

    @pytest.mark.parametrize("kills", [0, KILLS])
    def test_arrive_whole_and_verified_or_are_named(self, service: Service, kills: int) -> None:
        """The cloud over the area is asked for, so that single files come first and whole products then.

        Of the requests for products, of which there are few, up to every second fails; of those for files fewer.
        """
        assert {*Kind} == EVERY
        make_odd(service)
        faults, emulator = service.emulator.faults, service.emulator
        faults.in_turn(0.12, tuple(reversed(PASSING)), seed=3, on="files")
        if not kills:
            faults.in_turn(0.5, turns(), seed=4, on="zips", once=ONCE)
        else:
            faults.in_turn(0.3, PASSING, seed=4, on="zips")
        first, code, runs = run_to_the_end(service, "zips", kills, "--fetch", "whole", "--cloud-cover-of", "aoi")
        whole = service.whole()
        sizes = sum(service.zip_of(name).stat().st_size for name in service.names)
        tell(service, f"{kills} kills, {runs} runs, exit {code}: {len(whole)} of {PRODUCTS} whole", sizes)
        assert code == 0
        assert first.code == 2  # somebody must act, and is told so; the next run went on
        assert "DAT-ZIP-609" in service.reasons()
        assert "The token is of the wrong kind" in service.reasons()
        assert len(first.untold) <= first.waiting
        assert service.played() == EVERY
        assert not service.untold(whole)
        assert service.listed() == whole
        assert emulator.most_counted <= CONNECTIONS
        assert emulator.downloads.slots.refused == 0
        assert emulator.downloads.slots.most_lingering > 0
        assert share(service) >= SHARE
        assert service.sent() <= 1.15 * sizes

    def test_arrive_member_by_member_or_are_named(self, service: Service) -> None:
        service.emulator.faults.in_turn(SHARE, turns(), seed=3, on="files", once=ONCE)
        _, code, runs = run_to_the_end(service, "files", 0, "--fetch", "members")
        sizes, whole = 0, set()
        for name in service.names:
            folder = service.downloads / ".members" / f"{name}.SAFE"
            there = {path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"}
            sizes += sum(path.stat().st_size for path in there)
            if {band for band in BANDS if any(path.name.endswith(f"_{band}_10m.jp2") for path in there)} == {*BANDS}:
                whole.add(name)
        tell(service, f"members, {runs} runs, exit {code}: {len(whole)} of {PRODUCTS} with their bands", sizes)
        assert code == 0
        assert service.played() == EVERY
        assert not service.untold(whole)
        assert service.emulator.most_counted <= CONNECTIONS
        assert service.emulator.downloads.slots.refused == 0
        assert service.emulator.downloads.slots.most_lingering > 0
        assert share(service) >= SHARE
        assert service.sent() <= 1.15 * sizes


@dataclass(frozen=True, kw_only=True)
class FirstEnd:
    """How matters stood when a run first came to its own end."""

    code: int
    untold: list[str]
    waiting: int
    """How many products it said wait until somebody has acted: those it does not name one by one."""


def make_odd(service: Service) -> None:
    """Six products about which something is wrong from the beginning, or will be."""
    products = service.emulator.products
    service.odd = dict(zip((*GIVEN_UP, "no checksum", "no length"), service.names[::5], strict=True))
    products.misstate_checksum(service.odd["wrong checksum"])
    products.break_zip(service.odd["broken at its source"])
    products.forget_checksum(service.odd["no checksum"])
    products.forget_length(service.odd["no length"])


def turns() -> tuple[Kind, ...]:
    """What a client survives, and between it what it does not."""
    passing, once = list(PASSING), list(ONCE)
    return tuple(kind for kind in (*passing[:4], *once[:3], *passing[4:14], *once[3:], *passing[14:]))


def run_to_the_end(service: Service, begun: str, kills: int, *words: str) -> tuple[FirstEnd, int, int]:
    """Start the command until it ends well, killing it some times on the way.

    Whenever it is killed, and whenever it ends, nothing may lie under a final name that is not what the service has.

    Returns:
        How matters stood when it first ended by itself, exit code, number of runs.
    """
    chance = random.Random(11)
    first: FirstEnd | None = None
    for number in range(1, MOST_RUNS + kills + 1):
        sent, asked = service.sent(), len(service.emulator.log)
        if number == kills + 1 and kills:  # what ends a run has its turn when nobody kills it before it says so
            service.emulator.faults.in_turn(1.0, ONCE, on=begun, once=ONCE)
        process = service.start(number, *words)
        bytes_, requests = chance.randint(1_000_000, 30_000_000), chance.randint(20, 60)
        deadline = time.monotonic() + 300
        while process.poll() is None:
            time.sleep(0.02)
            service.change(begun)
            enough = service.sent() > sent + bytes_ or len(service.emulator.log) > asked + requests
            if (number <= kills and enough) or time.monotonic() > deadline:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert service.wrong_finals() == []
        assert time.monotonic() < deadline
        if number <= kills:
            assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
            assert service.listed() <= service.whole()
            continue
        if first is None:
            untold = service.untold(service.whole())
            first = FirstEnd(code=process.returncode, untold=untold, waiting=service.waiting(number))
        if process.returncode == 0:
            break
    assert first is not None
    return first, process.returncode, number


def share(service: Service) -> float:
    """Share of the requests that failed."""
    log = tuple(service.emulator.log)
    return sum(bool(one.fault) for one in log) / len(log)


def tell(service: Service, head: str, sizes: int) -> None:
    """Print the figures of a run."""
    emulator = service.emulator
    log = tuple(emulator.log)
    of = {
        name: f"{sum(bool(one.fault) for one in log if name in one.names)} of "
        f"{sum(name in one.names for one in log)} {name} in {len(service.played(name))} ways"
        for name in ("zips", "files", "lists", "catalogue", "token")
    }
    print(
        f"\n{head}; {service.sent() / sizes:.3f} of their bytes sent; most open {emulator.most_open}, with lingering "
        f"{emulator.most_counted}, most lingering {emulator.downloads.slots.most_lingering}; {share(service):.2f} of "
        f"{len(log)} requests failed in {len(service.played())} ways: {', '.join(of.values())}; never "
        f"{sorted(kind.value for kind in {*Kind} - service.played())}"
    )


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
