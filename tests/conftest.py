"""Fixtures that every room uses."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.archive import simulate_archive, write_product
from senard.simulation.plans import level_1c_of, tiny_plan

ACCOUNT_WORDS = ("_USERNAME", "_PASSWORD", "_TOTP", "_ACCESS_KEY", "_SECRET_KEY")
"""Ends of the environment variables that name accounts."""


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tokens, settings and accounts of whoever runs the tests stay out of them, and tests out of those: also where a
    fixture of the whole session comes first."""
    folder = tmp_path_factory.getbasetemp() / "nobody"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.endswith(ACCOUNT_WORDS)]:
            patch.delenv(name)
        patch.setenv("SENARD_STATE_DIR", str(folder / "state"))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "settings"))
        patch.setenv("NETRC", str(folder / "netrc"))
        yield folder


@pytest.fixture(autouse=True)
def own_state(own_home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees tokens or connections of another one."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    monkeypatch.setenv("SENARD_STATE_DIR", str(own_home / "states" / name))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real Sentinel data and reference results beside the checkout; the test is skipped aloud where they are absent."""
    folder = Path(__file__).parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"{folder} is absent: real data not tested")
    return folder


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that lives as long as the test session and that parallel workers share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "shared-products"
    folder.mkdir(exist_ok=True)
    return folder


def made_once(folder: Path, make: Callable[[], object]) -> Path:
    """The folder, after one of the parallel workers has filled it: the first one works, the others wait."""
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.parent / f"{folder.name}.done"
        if not done.exists():
            make()
            done.touch()
    return folder


@pytest.fixture(scope="session")
def tiny_archive(session_folder: Path) -> Path:
    """Archive of four zips of one MGRS tile (35VLG, 366 px of 10 m), four dates, baselines 02.14 to 05.11, with truth
    and area.geojson. Nobody may write into it."""
    folder = session_folder / "tiny"
    return made_once(folder, lambda: simulate_archive(tiny_plan(), folder, workers=1))


@pytest.fixture(scope="session")
def both_levels(session_folder: Path, tiny_archive: Path) -> Path:
    """The tiny archive's four L2A zips and the L1C of the same acquisitions, with area.geojson. Nobody may write into
    it."""
    folder = session_folder / "both-levels"

    def make() -> None:
        plan = [level_1c_of(acquisition) for acquisition in tiny_plan().acquisitions]
        simulate_archive(plan, folder, truth=False, workers=1)
        for path in (*tiny_archive.glob("*.zip"), tiny_archive / "area.geojson"):
            os.link(path, folder / path.name)

    return made_once(folder, make)


@pytest.fixture(scope="session")
def tiny_product(tiny_archive: Path) -> Path:
    """The zip of baseline 05.11 of the tiny archive."""
    return next(tiny_archive.glob("*_N0511_*.zip"))


@pytest.fixture(scope="session")
def tiny_safe(session_folder: Path) -> Path:
    """The same product as an unpacked SAFE folder. Nobody may write into it."""
    acquisition = tiny_plan().acquisitions[-1]
    folder = made_once(
        session_folder / "unpacked", lambda: write_product(acquisition, session_folder / "unpacked", zipped=False)
    )
    return folder / f"{acquisition.product_id}.SAFE"


@pytest.fixture
def simulate(tmp_path: Path) -> Callable[[SimulatedAcquisition], Path]:
    """Makes one product as a SAFE folder in the test's own folder."""
    return lambda acquisition: write_product(acquisition, tmp_path, zipped=False)
