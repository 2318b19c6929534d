"""Earth Search and the Planetary Computer as sources of bands: GeoTIFFs that others made of ESA's products.

What comes of them is a SAFE folder that says that it is derived. Against ESA's own product
- 60 m bands and the optical thickness are means of the 10 and 20 m images, classes at 60 m the one in the middle, for
  ESA's 60 m images are not there;
- no footprints of detectors and no quality masks are there, of probabilities only what the provider has;
- where the provider took ESA's offset out, it is put back, so that the product's own XML holds; reflectances below 0,
  down to -0.1, are lost: the provider clipped them, and where it clipped them to DN 0 they are no data.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from senard.errors import TransientError, UnusableSceneError
from senard.io.cog_folder import CogFolder
from senard.io.cog_items import CogAsset, CogItem, find_items
from senard.io.cog_pixels import require_decodable
from senard.io.cog_product import PRODUCT_XML, CogProduct, raw_folder
from senard.io.cog_signatures import Signatures
from senard.io.connections import Connections
from senard.io.disk import keeping
from senard.io.file_locks import alone
from senard.io.http import Http, Reply
from senard.io.incoming import Content
from senard.io.members import FOLDER_NAME, held_members
from senard.io.safe_xml import parse_xml
from senard.io.sources import Told, untold
from senard.io.transfer import RemoteFile, fetch_file
from senard.io.whole_products import held_product
from senard.model.access import Access, SourceName
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene

DERIVED_NAME = ".derived"
"""Hidden folder below the download folder: what was made of GeoTIFFs never mixes with ESA's own files."""

_PARTS = frozenset({Part.CLASSES, Part.JUDGE, Part.BANDS})
"""Parts that can be made of bands and classes."""


class CogSource:
    """One of the two providers."""

    def __init__(self, access: Access, name: SourceName) -> None:
        """Nothing is asked yet; neither wants an account.

        Args:
            access: addresses and pace.
            name: SourceName.EARTH_SEARCH or SourceName.PLANETARY_COMPUTER.
        """
        self._access, self._name = access, name
        self._http = Http(access.pace)
        self._reader = _Reader(access, name, self._http)

    def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:
        """As `Source.fetch`: a derived SAFE folder with the part."""
        here = self._access.download_dir
        path = held_product(scene.product_id, scene.remote, here) or held_members(scene, part, here)
        if path is None:
            path = self._derived(scene, part, told)
        (into / path.name).symlink_to(path.absolute())

    def _derived(self, scene: Sentinel2Scene, part: Part, told: Told) -> Path:
        if part not in _PARTS:
            raise UnusableSceneError(
                f"{scene.product_id} is not to be had whole from {self._name.value}, nor its small picture: it has "
                f"bands and classes alone. Take another source.",
                product_id=scene.product_id,
            )
        items = find_items(scene, self._name, self._access.addresses, self._http)
        reasons = []
        for item in items:
            try:
                return self._from_item(scene, item, part, told)
            except UnusableSceneError as error:
                reasons.append(str(error))
        raise UnusableSceneError(" ".join(reasons), product_id=scene.product_id)

    def _from_item(self, scene: Sentinel2Scene, item: CogItem, part: Part, told: Told) -> Path:
        root = (
            self._access.download_dir / DERIVED_NAME / self._name.value / item.collection / f"{scene.product_id}.SAFE"
        )
        with keeping(scene.product_id, self._access.download_dir):
            root.parent.mkdir(parents=True, exist_ok=True)
        with alone(root.with_suffix(".lock"), scene.product_id):
            try:
                product = CogProduct(scene, item, self._reader, CogFolder(root), self._xml_at_hand(scene))
                product.add(part, told)
            finally:
                with suppress(OSError):  # absent, or it holds what the next run goes on with
                    raw_folder(root).rmdir()
        return root

    def _xml_at_hand(self, scene: Sentinel2Scene) -> bytes | None:
        """ESA's XML, if another source brought a part of the product before."""
        path = self._access.download_dir / FOLDER_NAME / f"{scene.product_id}.SAFE" / PRODUCT_XML
        try:
            return path.read_bytes()
        except OSError:
            return None


class _Reader:
    """Brings files of items; signs addresses where the provider wants it."""

    def __init__(self, access: Access, name: SourceName, http: Http) -> None:
        pace = replace(access.pace, linger_s=0.0)  # these stores count nobody's connections
        self._pace, self._http, self._name = pace, http, name
        self._connections = Connections(name.value, pace)
        signed = name is SourceName.PLANETARY_COMPUTER
        self._signatures = Signatures(access.addresses.planetary_computer, http) if signed else None

    def bring(self, asset: CogAsset, target: Path, what: str, told: Told) -> None:
        """As `AssetReader.bring`."""
        file = RemoteFile(
            what=what,
            open=lambda headers: self._opened(asset, headers, what),
            size_bytes=asset.size_bytes,
            content=Content.of(target.name),
            verify=lambda path: _verify(path, asset, Content.of(target.name)),
        )
        fetch_file(file, target, self._pace, told=told)

    def _address(self, asset: CogAsset) -> str:
        return asset.url if self._signatures is None else self._signatures.signed(asset.url)

    @contextmanager
    def _opened(self, asset: CogAsset, headers: Mapping[str, str], what: str) -> Iterator[Reply]:
        address = self._address(asset)
        with self._connections.slot(), self._http.stream(address, what=what, headers=headers) as reply:
            if reply.status in (401, 403) and self._signatures is not None:
                self._signatures.forget()
                raise TransientError(f"{what}: the store refused the signature ({reply.code}); the next one is new.")
            if reply.status in (401, 403):
                raise UnusableSceneError(
                    f"{what}: the store of {self._name.value} does not give it to everybody ({reply.status} "
                    f"{reply.code}). Take another source."
                )
            yield reply


def _verify(path: Path, asset: CogAsset, content: Content) -> None:
    """Hold a file against the checksum that the item states; without one every pixel, or element, is read."""
    if asset.sha256:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != asset.sha256:
            raise UnusableSceneError(f"its SHA-256 is {found}, the item states {asset.sha256}")
    elif content is Content.XML:
        parse_xml(path.read_bytes(), path.name)
    else:
        require_decodable(path)
