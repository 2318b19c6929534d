"""The object store of the Copernicus Data Space: unpacked SAFE folders, file by file, over S3."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from senard.errors import PendingError, TransientError, UnusableSceneError
from senard.io.connections import Connections
from senard.io.credentials import cdse_connections_key, s3_keys
from senard.io.http import Http, Reply
from senard.io.incoming import Content
from senard.io.members import fetch_members
from senard.io.s3 import AbsentError, ObjectStore
from senard.io.sources import Told, untold
from senard.io.transfer import RemoteFile, fetch_file
from senard.io.whole_products import held_product
from senard.model.access import Access, SourceName
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene

_OFFLINE_AGAIN_S = 3600.0
"""Nothing that senard can do brings a deferred product online: asking more often than hourly is of no use, s."""


class CdseS3Source:
    """The object store of the Copernicus Data Space."""

    def __init__(self, access: Access) -> None:
        """Find the keys.

        Raises:
            RequestError: there are none.
        """
        keys = s3_keys(access)
        self._access = access
        self._store = ObjectStore(access.addresses.s3, keys, access.pace)
        self._connections = Connections(cdse_connections_key(access), access.pace)

    def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:
        """As `Source.fetch`: a folder with the members of the part, or the whole SAFE folder."""
        path = held_product(scene.product_id, scene.remote, self._access.download_dir)
        if path is None:
            path = self._gathered(scene, part, told)
        (into / path.name).symlink_to(path.absolute())

    def _gathered(self, scene: Sentinel2Scene, part: Part, told: Told) -> Path:
        bucket, prefix = self._place(scene)
        files = _Files(self._access, self._store, self._connections, scene, bucket, prefix)
        try:
            return fetch_members(scene, part, files, self._access.download_dir, told)
        except AbsentError as error:
            if scene.remote is None or scene.remote.online:
                raise
            raise PendingError(
                f"{scene.product_id} is offline (deferred) and not in the object store. It comes back if somebody "
                f"orders it in the Data Workspace; senard asks again in an hour.",
                again_in_s=_OFFLINE_AGAIN_S,
            ) from error

    def _place(self, scene: Sentinel2Scene) -> tuple[str, str]:
        """Bucket and prefix of a product, as the catalogue states them: products lie in folders that no rule names."""
        path = scene.remote.s3_path if scene.remote is not None else ""
        path = path or self._asked_for(scene)
        bucket, _, prefix = path.removeprefix("s3:/").strip("/").partition("/")
        if not prefix.endswith(f"{scene.product_id}.SAFE"):
            raise UnusableSceneError(
                f"{scene.product_id}: the catalogue says that it lies in {path}: expected a folder "
                f"{scene.product_id}.SAFE. Take another source.",
                product_id=scene.product_id,
            )
        return bucket, f"{prefix}/"

    def _asked_for(self, scene: Sentinel2Scene) -> str:
        """S3Path of a product that another catalogue told of."""
        name = f"{scene.product_id}.SAFE"
        what = f"{scene.product_id}: its place in the object store"
        found = Http(self._access.pace).get_json(
            f"{self._access.addresses.search}/Products", what=what, params={"$filter": f"Name eq '{name}'"}
        )
        if not isinstance(found, dict) or not isinstance(found.get("value"), list):
            raise TransientError(f"{what}: the catalogue's answer has no list of products. Run again later.")
        for entry in found["value"]:
            if entry.get("Name") == name and entry.get("S3Path"):
                return str(entry["S3Path"])
        raise UnusableSceneError(
            f"{scene.product_id} is unknown to the catalogue {self._access.addresses.search}, which alone knows its "
            f"place in the object store. Take another source.",
            product_id=scene.product_id,
        )


class _Files:
    """Files of one product in the object store; listed once, and only if need be."""

    source = SourceName.CDSE_S3.value

    def __init__(
        self,
        access: Access,
        store: ObjectStore,
        connections: Connections,
        scene: Sentinel2Scene,
        bucket: str,
        prefix: str,
    ) -> None:
        self._access, self._store, self._connections, self._scene = access, store, connections, scene
        self._bucket, self._prefix = bucket, prefix
        self._sizes: Mapping[str, int] | None = None

    def places(self) -> Mapping[str, int]:
        """Every file of the product and its size."""
        if self._sizes is None:
            what = f"{self._scene.product_id}: its list in the object store"
            self._sizes = self._store.list(self._bucket, self._prefix, what=what)
        return self._sizes

    def bring(self, place: str, target: Path, size_bytes: int, told: Told) -> None:
        """One file; the store's ETag is no checksum, so manifest.safe has the last word."""
        what = f"{self._scene.product_id}: {place} from the object store"
        file = RemoteFile(
            what=what,
            open=lambda headers: self._opened(place, headers, what),
            size_bytes=self._sizes.get(place, 0) if self._sizes is not None else 0,
            least_bytes=size_bytes,
            content=Content.of(place),
        )
        fetch_file(file, target, self._access.pace, told=told)

    def _opened(self, place: str, headers: Mapping[str, str], what: str) -> AbstractContextManager[Reply]:
        return self._store.opened(self._bucket, self._prefix + place, headers, self._connections, what=what)
