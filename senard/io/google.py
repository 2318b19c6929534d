"""Google's public bucket: unpacked SAFE folders, L1C and L2A."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senard.errors import TransientError, UnusableSceneError
from senard.io.google_bucket import Bucket
from senard.io.incoming import Content
from senard.io.members import fetch_members
from senard.io.sources import Told, untold
from senard.io.transfer import GoneError, RemoteFile, fetch_file
from senard.io.whole_products import held_product
from senard.model.access import Access, SourceName
from senard.model.product import Part
from senard.model.remote import Checksum, ChecksumKind
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import ProductType

_FOLDER_MARK = "_$folder$"
"""Objects of this ending stand for folders and hold nothing."""

_TILE = re.compile(r"^(\d{2})([A-Z])([A-Z]{2})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """One file of the bucket."""

    size_bytes: int
    """Bytes."""

    checksums: tuple[Checksum, ...]
    """MD5; empty for an object that was put together from others."""


class GoogleSource:
    """Google's public bucket.

    A product counts as here only under its very name: of the same acquisition in another baseline the catalogue's
    checksums, offset and clouds would not hold.
    """

    def __init__(self, access: Access) -> None:
        """Nothing is asked yet, nor is the file of --credentials-google read."""
        self._access = access
        self._bucket = Bucket(access)

    def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:
        """As `Source.fetch`: a folder with the members of the part, or the whole SAFE folder."""
        path = held_product(scene.product_id, scene.remote, self._access.download_dir)
        if path is None:
            store = _Store(self._access, self._bucket, scene)
            path = fetch_members(scene, part, store, self._access.download_dir, told)
        (into / path.name).symlink_to(path.absolute())


class _Store:
    """Files of one product in the bucket; listed once."""

    source = SourceName.GOOGLE.value

    def __init__(self, access: Access, bucket: Bucket, scene: Sentinel2Scene) -> None:
        self._access, self._bucket, self._scene = access, bucket, scene
        self._prefix = f"{_tile_prefix(scene)}{scene.product_id}.SAFE/"
        self._objects: Mapping[str, _Object] | None = None

    def places(self) -> Mapping[str, int]:
        """Every file of the product and its size; markers of folders are left out."""
        return {place: found.size_bytes for place, found in self._listed().items()}

    def bring(self, place: str, target: Path, size_bytes: int, told: Told) -> None:
        """One file, held against the size and MD5 that the bucket states."""
        found = self._listed().get(place)
        if found is None:
            raise GoneError(
                f"{self._scene.product_id}: {place} is not in Google's bucket. The copy there is not whole: take "
                f"another source.",
                product_id=self._scene.product_id,
            )
        what = f"{self._scene.product_id}: {place} from Google"
        file = RemoteFile(
            what=what,
            open=self._bucket.opener(self._prefix + place, what),
            size_bytes=found.size_bytes,
            checksums=found.checksums,
            least_bytes=size_bytes,
            content=Content.of(place),
        )
        fetch_file(file, target, self._access.pace, told=told)

    def _listed(self) -> Mapping[str, _Object]:
        if self._objects is None:
            pages = list(self._bucket.pages(self._prefix))
            items = [item for page in pages for item in page.get("items", [])]
            named = {str(item.get("name", "")): item for item in items if isinstance(item, dict)}
            self._objects = {
                name.removeprefix(self._prefix): _object(item)
                for name, item in named.items()
                if name.startswith(self._prefix) and not name.endswith((_FOLDER_MARK, "/"))
            }
        if not self._objects:
            raise self._not_here()
        return self._objects

    def _not_here(self) -> UnusableSceneError:
        """Says so, and which other baselines of the same acquisition lie there."""
        start = "_".join(self._scene.product_id.split("_")[:3])
        pages = self._bucket.pages(f"{_tile_prefix(self._scene)}{start}_", delimiter="/")
        others = [prefix.rstrip("/").rpartition("/")[2] for page in pages for prefix in page.get("prefixes", [])]
        beside = (
            f"; of the same acquisition it has {', '.join(sorted(others))}, which is not the same" if others else ""
        )
        return UnusableSceneError(
            f"{self._scene.product_id} is not in Google's bucket{beside}. Take another source.",
            product_id=self._scene.product_id,
        )


def _tile_prefix(scene: Sentinel2Scene) -> str:
    """Where the products of its MGRS tile lie: "L2/tiles/32/T/QM/"; L1C without "L2/"."""
    match = _TILE.match(scene.mgrs_tile)
    if match is None or "_MSIL" not in scene.product_id:
        raise UnusableSceneError(
            f"{scene.product_id} is not in Google's bucket: products of the format before December 2016 are not "
            f"looked for there. Take another source.",
            product_id=scene.product_id,
        )
    level = "" if scene.product_type is ProductType.L1C else "L2/"
    return f"{level}tiles/{match[1]}/{match[2]}/{match[3]}/"


def _object(item: Mapping[str, Any]) -> _Object:
    try:
        digest = base64.b64decode(item.get("md5Hash", ""), validate=True).hex()
        return _Object(
            size_bytes=int(item["size"]),
            checksums=(Checksum(kind=ChecksumKind.MD5, value=digest),) if digest else (),
        )
    except (KeyError, ValueError, binascii.Error) as error:
        raise TransientError(f"Google's list cannot be read ({error}): {item.get('name', '?')}. Run again.") from error
