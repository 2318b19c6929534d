"""The Copernicus Data Space over HTTPS: whole zips, or single files by node."""

from dataclasses import replace
from pathlib import Path

from senard.errors import PendingError, SenardError, TransientError, UnusableSceneError
from senard.io.cdse_lookup import Lookup
from senard.io.cdse_nodes import NodeStore
from senard.io.connections import Connections
from senard.io.credentials import cdse_account, cdse_connections_key
from senard.io.http import Http
from senard.io.members import fetch_members, held_members
from senard.io.openers import open_url
from senard.io.sources import Told, untold
from senard.io.tokens import Tokens
from senard.io.transfer import GoneError
from senard.io.whole_products import fetch_whole, held_product
from senard.model.access import Access
from senard.model.product import Part
from senard.model.remote import RemoteProduct
from senard.model.scene import Sentinel2Scene

_CATALOGUES = ("cdse", "cdse-stac")
"""Catalogues whose ids, sizes and checksums are those of this service."""

_OFFLINE_AGAIN_S = 3600.0
"""What is on tape comes back when somebody orders it in the Data Workspace: not within minutes, s."""


class CdseSource:
    """The Copernicus Data Space over HTTPS."""

    def __init__(self, access: Access) -> None:
        """Look up the account; nothing is asked of the service yet.

        Raises:
            RequestError: no account is found, or more connections are asked for than the service allows.
        """
        self._access = access
        # Silence is noticed as soon as too few bytes would be.
        pace = access.pace
        self._pace = replace(pace, read_timeout_s=min(pace.read_timeout_s, pace.stall_window_s))
        addresses = access.addresses
        account = cdse_account(access)
        self._http = Http(self._pace, trusted_hosts=(addresses.data, addresses.search))
        self._tokens = Tokens(addresses.token, account, Http(pace, trusted_hosts=(addresses.token,)))
        self._connections = Connections(cdse_connections_key(access), pace)
        self._lookup = Lookup(self._http, addresses.search)

    def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:
        """As `Source.fetch`: a link to NAME.zip, or to the SAFE folder with the members that are here.

        Of a product that is wanted whole the zip is fetched: one request instead of a hundred, with the catalogue's
        checksum.
        """
        download_dir = self._access.download_dir
        path = held_product(scene.product_id, self._stated(scene), download_dir)
        if path is None and part is not Part.ALL:
            path = held_members(scene, part, download_dir)
        if path is None:
            path = self._brought(scene, part, told)
        name = path.name if path.suffix == ".zip" else f"{scene.product_id}.SAFE"
        (into / name).symlink_to(path.absolute())

    def _brought(self, scene: Sentinel2Scene, part: Part, told: Told) -> Path:
        remote = self._to_be_had(scene)
        try:
            if part is Part.ALL:
                return self._whole(scene, remote, told)
            store = NodeStore(
                self._access.addresses.data,
                remote.uuid,
                scene.product_id,
                part,
                http=self._http,
                tokens=self._tokens,
                connections=self._connections,
                pace=self._pace,
            )
            return fetch_members(scene, part, store, self._access.download_dir, told)
        except GoneError as error:
            raise self._gone(scene, remote, error) from error

    def _whole(self, scene: Sentinel2Scene, remote: RemoteProduct, told: Told) -> Path:
        url = f"{self._access.addresses.data}/Products({remote.uuid})/$value"
        opener = open_url(
            self._http, url, f"{scene.product_id}.zip", tokens=self._tokens, connections=self._connections
        )
        return fetch_whole(scene.product_id, remote, opener, self._access.download_dir, self._pace, told=told)

    def _stated(self, scene: Sentinel2Scene) -> RemoteProduct | None:
        """What this service's own catalogue said of the product."""
        return scene.remote if scene.remote is not None and scene.remote.catalogue in _CATALOGUES else None

    def _to_be_had(self, scene: Sentinel2Scene) -> RemoteProduct:
        """The catalogue's entry, asked anew where its id is not known or it was not online."""
        remote = self._stated(scene)
        if remote is not None and remote.uuid and remote.online:
            return remote
        if remote is not None and remote.uuid:
            found = self._lookup.by_uuid(remote.uuid)
        else:
            found = self._lookup.by_name(scene.product_id)
        if found is None:
            raise self._withdrawn(scene, remote.uuid if remote is not None else "")
        if not found.online:
            raise _offline(scene)
        return found

    def _gone(self, scene: Sentinel2Scene, remote: RemoteProduct, error: GoneError) -> SenardError:
        """What a 404 of the download service means."""
        found = self._lookup.by_uuid(remote.uuid)
        if found is None:
            return self._withdrawn(scene, remote.uuid)
        if not found.online:
            return _offline(scene)
        return TransientError(
            f"{scene.product_id}: the catalogue has it online, but the download service does not find it: {error} If "
            f"it stays so, name another source in --sources."
        )

    def _withdrawn(self, scene: Sentinel2Scene, uuid: str) -> UnusableSceneError:
        withdrawal = self._lookup.withdrawal(scene.product_id, uuid)
        successors = self._lookup.successors(scene)
        if withdrawal is None:
            text = f"{scene.product_id}: the catalogue of the Copernicus Data Space does not know it"
        else:
            when = f" on {withdrawal.when:%Y-%m-%d}" if withdrawal.when is not None else ""
            text = f"{scene.product_id} was withdrawn from the Copernicus Data Space{when} ({withdrawal.cause})"
        if successors:
            beside = f" ({len(successors) - 1} more)" if len(successors) > 1 else ""
            advice = f"Its successor is {successors[0]}{beside}: search anew with --refresh."
        else:
            advice = "There is no other product of this datatake and MGRS tile: it is left out."
        return UnusableSceneError(f"{text}. {advice}", product_id=scene.product_id)


def _offline(scene: Sentinel2Scene) -> PendingError:
    return PendingError(
        f"{scene.product_id} is offline: deferred data, which the Copernicus Data Space brings back only through its "
        f"Data Workspace (order it there), not for a download. Name another source in --sources, or ask again in an "
        f"hour, as senard does with --wait.",
        again_in_s=_OFFLINE_AGAIN_S,
    )
