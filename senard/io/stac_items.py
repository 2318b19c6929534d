"""Items of the STAC catalogue of the Copernicus Data Space, read once, around their traps (protocols §3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from senard.errors import TransientError, UnusableSceneError
from senard.io.odata_products import footprint_of, make_scene, moment, number, sound_checksum
from senard.io.product_names import parse_product_name
from senard.io.safe_members import product_name
from senard.model.remote import ChecksumKind, RemoteProduct
from senard.model.scene import QueriedScene, Sentinel2Scene

CATALOGUE = "cdse-stac"
"""How scenes name this catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StacAsset:
    """One file that an item links to. What single files must add up to is told by the product's own manifest."""

    key: str
    """Name in the item: "B04_10m", "product_metadata"."""

    url: str
    """Where it is had over HTTPS with a token; empty where only the object store has it."""

    s3_path: str
    """Where it lies in the object store: "/eodata/Sentinel-2/…"; else empty."""

    size_bytes: int
    """0: unknown."""

    checksum: str
    """Lower-case hex, 32 digits of an MD5 or 64 of a SHA3-256; empty where none is stated."""


def read_item(item: Any, search_address: str) -> Sentinel2Scene | QueriedScene:
    """One item as a scene; scale and offset are not taken from it: they are wrong for old baselines, AOT and WVP.

    Args:
        item: parsed JSON.
        search_address: OData catalogue, which has the pictures.

    Raises:
        TransientError: not an item: something else answered in the catalogue's place.
    """
    try:
        return _scene(item, search_address)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TransientError(
            f"the STAC catalogue: an item is not as documented ({type(error).__name__}: {error}). If it stays so, ask "
            f"the other catalogue (--catalogue cdse)."
        ) from error


def read_assets(item: Any) -> tuple[StacAsset, ...]:
    """The files that an item links to, by name.

    Raises:
        TransientError: not an item.
    """
    try:
        return tuple(_asset(key, item["assets"][key]) for key in sorted(item["assets"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TransientError(
            f"the STAC catalogue: an item's assets are not as documented ({type(error).__name__}: {error})."
        ) from error


def digest_of(multihash: object) -> str:
    """Hex digits of a `file:checksum`; empty where it is none.

    Their number tells what they are, not the label before them: "d50110" is followed by an MD5, "1620" by a SHA3-256;
    XML files are labelled as if by an MD5 ("d50120"), and theirs is a SHA3-256 too.
    """
    match = re.fullmatch(r"(?:d50110|d50120|1620)([0-9a-f]{32}|[0-9a-f]{64})", str(multihash or "").strip().lower())
    return match[1] if match else ""


def _scene(item: Mapping[str, Any], search_address: str) -> Sentinel2Scene | QueriedScene:
    try:
        name = parse_product_name(str(item["id"]))
    except UnusableSceneError as error:
        return QueriedScene(product_id=product_name(str(item["id"])), kept=False, reason=str(error), scene=None)
    stated = item["properties"]
    return make_scene(
        name,
        product_type=str(stated.get("product:type") or ""),
        version=str(stated.get("processing:version") or ""),
        datatake_id=str(stated.get("eopf:datatake_id") or ""),
        absolute_orbit=number(stated.get("sat:absolute_orbit")),
        datastrip_id=str(stated.get("eopf:datastrip_id") or ""),
        processed=str(stated.get("processing:datetime") or ""),
        cloud_cover=number(stated.get("eo:cloud_cover")),
        footprint=footprint_of(item["geometry"]),
        remote=_remote(item, search_address),
    )


def _remote(item: Mapping[str, Any], search_address: str) -> RemoteProduct:
    assets = {asset.key: asset for asset in read_assets(item)}
    product, picture = assets.get("Product"), assets.get("thumbnail")
    folders = (re.match(r"(.*?\.SAFE)/", asset.s3_path) for asset in assets.values())
    picture_id = _matched(r"Assets\(([^)]+)\)", picture.url if picture else "")
    return RemoteProduct(
        catalogue=CATALOGUE,
        uuid=_matched(r"Products\(([^)]+)\)", product.url if product else ""),
        size_bytes=product.size_bytes if product else 0,
        checksums=sound_checksum(ChecksumKind.MD5, product.checksum) if product else (),
        s3_path=next((folder[1] for folder in folders if folder), ""),
        quicklook_url=f"{search_address}/Assets({picture_id})/$value" if picture_id else "",
        published=moment(item["properties"].get("published")),
    )


def _asset(key: str, asset: Mapping[str, Any]) -> StacAsset:
    """A link without the empty node that the catalogue puts into some, and the two places whichever is the main one."""
    alternates = [other for other in (asset.get("alternate") or {}).values() if isinstance(other, Mapping)]
    links = [str(asset.get("href") or ""), *(str(other.get("href") or "") for other in alternates)]
    size = number(asset.get("file:size"))
    return StacAsset(
        key=key,
        url=next((link.replace("/Nodes()", "") for link in links if link.startswith("http")), ""),
        s3_path=next((link.removeprefix("s3:/") for link in links if link.startswith("s3://")), ""),
        size_bytes=int(size) if size is not None and size > 0 else 0,
        checksum=digest_of(asset.get("file:checksum")),
    )


def _matched(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""
