"""One product behind the emulated download service, and what fetches it."""

import dataclasses
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from senard.io.cdse import CdseSource
from senard.io.odata import ODataCatalogue
from senard.io.openers import Opener, open_url
from senard.model.access import Access
from senard.model.product import Part
from senard.model.remote import RemoteProduct
from senard.model.scene import Sentinel2Scene
from tests.emulators.cdse import QUICK, Emulator
from tests.io.made_products import MadeProduct

PACE = dataclasses.replace(QUICK, read_timeout_s=0.8, stall_window_s=0.8, backoff_s=0.005, linger_s=0.05)
"""Silence is noticed after 0.8 s, pauses are of milliseconds."""


def large_product(product_id: str = MadeProduct().product_id) -> MadeProduct:
    """A product of 300 KB, most of it in one band: large enough to be cut in the middle."""
    made = MadeProduct(product_id=product_id)
    band = b"\xff\x4f\xff\x51" + random.Random(product_id).randbytes(280_000) + b"\xff\xd9"
    return dataclasses.replace(made, images={f"{made.image('R10m/B02_10m')}.jp2": band})


@dataclass(frozen=True, kw_only=True)
class Served:
    """A product that the emulator serves."""

    emulator: Emulator
    access: Access
    scene: Sentinel2Scene
    zip: Path
    folder: Path

    @property
    def remote(self) -> RemoteProduct:
        assert self.scene.remote is not None
        return self.scene.remote

    @property
    def part(self) -> Path:
        """The zip on its way."""
        return self.access.download_dir / f"{self.scene.product_id}.zip.part"

    def source(self, **changes: object) -> CdseSource:
        """The source, with other values of fields of Access."""
        return CdseSource(dataclasses.replace(self.access, **changes))  # type: ignore[arg-type]

    def again(self) -> Sentinel2Scene:
        """The scene as the catalogue tells of it now."""
        (scene,) = ODataCatalogue(self.access).listed([self.scene.product_id])
        assert isinstance(scene, Sentinel2Scene)
        return scene

    def fetch(self, part: Part = Part.ALL, *, scene: Sentinel2Scene | None = None, **changes: object) -> Path:
        """What lies behind the link that the source puts into an empty folder."""
        into = self.folder / f"into-{len(list(self.folder.iterdir()))}"
        into.mkdir()
        self.source(**changes).fetch(scene or self.scene, part, into)
        (link,) = into.iterdir()
        return link.resolve()

    def opener(self) -> Opener:
        """Asks for the zip, with the source's own account."""
        source = self.source()
        url = f"{self.access.addresses.data}/Products({self.remote.uuid})/$value"
        return open_url(source._http, url, "the zip", tokens=source._tokens, connections=source._connections)


@contextmanager
def served(folder: Path, monkeypatch: pytest.MonkeyPatch, made: MadeProduct | None = None) -> Iterator[Served]:
    """Serve one product, and keep tokens and slots in a folder of the test's own."""
    monkeypatch.setenv("SENARD_STATE_DIR", str(folder / "state"))
    archive = folder / "archive"
    path = (made or large_product()).write_zip(archive, compression=0)
    with Emulator(archive) as emulator:
        access = emulator.access(folder / "downloads", pace=PACE)
        name = path.name.removesuffix(".zip")
        (scene,) = ODataCatalogue(access).listed([name])
        assert isinstance(scene, Sentinel2Scene)
        yield Served(emulator=emulator, access=access, scene=scene, zip=path, folder=folder)
