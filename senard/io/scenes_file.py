"""scenes.json, the frozen answer of a query, and the verdict on a scene that cannot be used."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import shapely.geometry

from senard.errors import RequestError
from senard.io.atomic import partial_file
from senard.io.results import read_result
from senard.model.remote import Checksum, ChecksumKind, RemoteProduct
from senard.model.scene import QueriedScene, QueryResult, Sentinel2Scene
from senard.model.sentinel2 import ProductType

VERDICT_NAME = "unusable.json"
"""The only file in a folder of a scene that cannot be used."""


def write_query_result(path: Path, result: QueryResult) -> None:
    """Write scenes.json, whole or not at all; equal results give equal bytes."""
    document = {"scenes": [_entry_to_json(entry) for entry in result.scenes]}
    with partial_file(path) as partial:
        partial.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_query_result(path: Path) -> QueryResult:
    """Read what `write_query_result` wrote, bit for bit.

    Raises:
        RequestError: the file is missing or was changed by hand.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return QueryResult(scenes=tuple(_entry_from_json(entry) for entry in document["scenes"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(
            f"{path} cannot be read ({error}). Delete it and run again: the query is then asked anew."
        ) from error


def write_scene(path: Path, scene: Sentinel2Scene) -> None:
    """Write one scene as JSON; equal scenes give equal bytes."""
    path.write_text(json.dumps(_scene_to_json(scene), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_scene(path: Path) -> Sentinel2Scene:
    """Read what `write_scene` wrote.

    Raises:
        IncompleteError: the file is gone or damaged.
    """
    return read_result(path, _scene_from_json, delete=path.parent, maker="MaskScene")


def write_verdict(folder: Path, product_id: str, reason: str, *, of_source: bool = False) -> None:
    """Say in a folder, instead of rasters, that its scene cannot be used and why.

    Args:
        folder: exists.
        product_id: which product.
        reason: for a person.
        of_source: True where a source would not give the product: it may think otherwise later. False where what the
            product holds is of no use, which no question changes.
    """
    values = {"product_id": product_id, "reason": reason, **({"of_source": True} if of_source else {})}
    with partial_file(folder / VERDICT_NAME) as partial:
        text = json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")


def pass_verdict_on(folder: Path, into: Path) -> bool:
    """Copy the verdict of a folder, if there is one, into that of the next step; whether there was one."""
    try:
        verdict = (folder / VERDICT_NAME).read_bytes()
    except FileNotFoundError:
        return False
    with partial_file(into / VERDICT_NAME) as partial:
        partial.write_bytes(verdict)
    return True


def read_verdict(folder: Path) -> str | None:
    """Why the scene of this folder cannot be used; None if it can.

    Raises:
        IncompleteError: the verdict is damaged.
    """
    path = folder / VERDICT_NAME
    if not path.exists():
        return None
    return read_result(path, lambda values: str(values["reason"]), delete=folder)


def is_of_source(folder: Path) -> bool:
    """Whether this folder holds the verdict of a source that would not give the product."""
    try:
        return bool(json.loads((folder / VERDICT_NAME).read_text(encoding="utf-8")).get("of_source"))
    except FileNotFoundError:
        return False


def _entry_to_json(entry: QueriedScene) -> dict[str, Any]:
    return {
        "product_id": entry.product_id,
        "kept": entry.kept,
        "reason": entry.reason,
        "scene": _scene_to_json(entry.scene) if entry.scene is not None else None,
    }


def _entry_from_json(values: Mapping[str, Any]) -> QueriedScene:
    return QueriedScene(
        product_id=values["product_id"],
        kept=values["kept"],
        reason=values["reason"],
        scene=_scene_from_json(values["scene"]) if values["scene"] is not None else None,
    )


def _scene_to_json(scene: Sentinel2Scene) -> dict[str, Any]:
    return {
        "product_id": scene.product_id,
        "product_type": scene.product_type.value,
        "satellite": scene.satellite,
        "mgrs_tile": scene.mgrs_tile,
        "acquisition_time": scene.acquisition_time.isoformat(),
        "datatake_time": scene.datatake_time.isoformat(),
        "processing_time": scene.processing_time.isoformat(),
        "baseline": scene.baseline,
        "relative_orbit": scene.relative_orbit,
        "datatake_id": scene.datatake_id,
        "datastrip_time": scene.datastrip_time.isoformat(),
        "cloud_cover": scene.cloud_cover,
        "footprint": shapely.geometry.mapping(scene.footprint) if scene.footprint is not None else None,
        "location": str(scene.location) if scene.location is not None else None,
        "size_bytes": scene.size_bytes,
        "remote": _remote_to_json(scene.remote) if scene.remote is not None else None,
    }


def _remote_to_json(remote: RemoteProduct) -> dict[str, Any]:
    return {
        "catalogue": remote.catalogue,
        "uuid": remote.uuid,
        "size_bytes": remote.size_bytes,
        "checksums": {checksum.kind.value: checksum.value for checksum in remote.checksums},
        "s3_path": remote.s3_path,
        "online": remote.online,
        "quicklook_url": remote.quicklook_url,
        "published": remote.published.isoformat() if remote.published is not None else None,
    }


def _remote_from_json(values: Mapping[str, Any]) -> RemoteProduct:
    return RemoteProduct(
        catalogue=values["catalogue"],
        uuid=values["uuid"],
        size_bytes=values["size_bytes"],
        checksums=tuple(Checksum(kind=ChecksumKind(kind), value=value) for kind, value in values["checksums"].items()),
        s3_path=values["s3_path"],
        online=values["online"],
        quicklook_url=values["quicklook_url"],
        published=datetime.fromisoformat(values["published"]) if values["published"] is not None else None,
    )


def _scene_from_json(values: Mapping[str, Any]) -> Sentinel2Scene:
    return Sentinel2Scene(
        product_id=values["product_id"],
        product_type=ProductType(values["product_type"]),
        satellite=values["satellite"],
        mgrs_tile=values["mgrs_tile"],
        acquisition_time=datetime.fromisoformat(values["acquisition_time"]),
        datatake_time=datetime.fromisoformat(values["datatake_time"]),
        processing_time=datetime.fromisoformat(values["processing_time"]),
        baseline=values["baseline"],
        relative_orbit=values["relative_orbit"],
        datatake_id=values["datatake_id"],
        datastrip_time=datetime.fromisoformat(values["datastrip_time"]),
        cloud_cover=values["cloud_cover"],
        footprint=shapely.geometry.shape(values["footprint"]) if values["footprint"] is not None else None,
        location=Path(values["location"]) if values["location"] is not None else None,
        size_bytes=values["size_bytes"],
        remote=_remote_from_json(values["remote"]) if values["remote"] is not None else None,
    )
