"""manifest.safe: sizes and checksums of a product's files."""

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from senard.io.safe_members import SafeMembers
from senard.io.safe_xml import parse_xml

LOGGER = logging.getLogger("senard")

_ALGORITHMS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA3256": "sha3_256", "SHA512": "sha512"}
"""Name in the manifest, letters and digits only, to hashlib's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFile:
    """One file as the manifest states it."""

    size: int
    """Bytes; 0 where nothing is stated. Baselines 02.07 and 99.99 state wrong sizes: the checksum decides."""

    algorithm: str | None
    """hashlib's name of the checksum: "sha3_256"; None where none is stated or it is unknown."""

    checksum: str
    """Lower-case hex; empty where none is stated."""

    def digest(self) -> "hashlib._Hash | None":
        """An empty digest to feed the file to; None where there is no checksum."""
        if self.algorithm is None:
            return None
        return hashlib.new(self.algorithm, usedforsecurity=False)


def read_manifest(members: SafeMembers) -> Mapping[str, StatedFile]:
    """Place inside the SAFE to what the manifest states; empty where the product has no manifest.

    Raises:
        UnusableSceneError: the manifest is not well-formed.
    """
    if "manifest.safe" not in members.sizes:
        return {}
    return parse_manifest(members.read("manifest.safe"), f"{members.root}: manifest.safe")


def parse_manifest(data: bytes, what: str = "manifest.safe") -> Mapping[str, StatedFile]:
    """As `read_manifest`, from the file's bytes."""
    stated: dict[str, StatedFile] = {}
    for stream in parse_xml(data, what).iterfind(".//{*}byteStream"):
        location = stream.find("{*}fileLocation")
        place = _place(location.get("href", "") if location is not None else "")
        checksum = stream.find("{*}checksum")
        size = stream.get("size", "")
        if place:
            stated[place] = StatedFile(
                size=int(size) if size.isdigit() else 0,
                algorithm=_algorithm(checksum.get("checksumName", "") if checksum is not None else ""),
                checksum=((checksum.text or "") if checksum is not None else "").strip().lower(),
            )
    return stated


def _algorithm(name: str) -> str | None:
    found = _ALGORITHMS.get(re.sub(r"[^A-Z0-9]", "", name.upper()))
    if name and found is None:
        LOGGER.warning("manifest.safe: checksum %s is unknown and not verified", name)
    return found


def _place(href: str) -> str:
    """Place inside the SAFE; some baselines (02.08) state the path on ESA's own disk."""
    if href.startswith("/") or ":" in href:
        found = re.search(r"/((?:GRANULE|DATASTRIP|HTML|rep_info|AUX_DATA)/.*|[^/]+)$", href)
        href = found.group(1) if found else ""
    parts = [part for part in PurePosixPath(href).parts if part != "."]
    return "" if ".." in parts else "/".join(parts)
