"""Single files of a product, gathered into one SAFE folder that says that it is partial."""

import json
import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from senard.errors import StorageError, TransientError, UnusableSceneError
from senard.io.atomic import partial_directory, partial_file
from senard.io.disk import flush, keeping, require_room
from senard.io.file_locks import alone
from senard.io.manifest import StatedFile, parse_manifest
from senard.io.member_check import MemberFault, member_fault
from senard.io.progress_file import ProgressEntry, ProgressFile
from senard.io.safe_images import belongs_to, image_key, needed_keys
from senard.io.safe_members import MAX_MEMBERS
from senard.io.sources import Told, untold
from senard.io.transfer import GoneError
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene

__all__ = ["FOLDER_NAME", "MARKER_NAME", "MemberStore", "clear_leftovers", "fetch_members", "held_members"]

LOGGER = logging.getLogger("senard")

FOLDER_NAME = ".members"
"""Hidden folder below the download folder: a local archive over that folder passes it over."""

MARKER_NAME = "partial.json"
"""The file that tells a partial product from a whole one."""

_FETCHED = ".fetched"
"""Ending of a file that is here and not yet verified; transfer adds its own while the file is on its way."""

_MANIFEST = "manifest.safe"

_EMPTY_FOLDERS = ("AUX_DATA", "HTML", "rep_info")
"""Of a SAFE; they may hold nothing, and object stores know no empty folders."""

_GRANULE_FOLDERS = ("AUX_DATA", "IMG_DATA", "QI_DATA")
"""The same of a granule."""


class MemberStore(Protocol):
    """Has the single files of one product."""

    source: str
    """Who it is, for the Progress File: "google"."""

    def places(self) -> Mapping[str, int]:
        """Place of each file inside the SAFE (its own folder excluded) to its size, bytes (0: unknown).

        Asked only where manifest.safe does not name what is wanted: it may cost many requests. A store may leave out
        what the part for which it was made does not need.
        """
        ...

    def bring(self, place: str, target: Path, size_bytes: int, told: Told) -> None:
        """Put one file under a name that is not final; what lies there afterwards is held against manifest.safe.

        Args:
            place: inside the SAFE.
            target: where it goes.
            size_bytes: what manifest.safe or the store's list says, 0: nothing. It tells a body that broke off where
                the answer states no length; manifests of some baselines are wrong about it, so no more than that.
            told: takes how far it is, bytes.

        Raises:
            UnusableSceneError: it is not there (GoneError, if the service says so).
            TransientError, RequestError, StorageError: as `Source.fetch`.
        """
        ...


def fetch_members(
    scene: Sentinel2Scene, part: Part, store: MemberStore, download_dir: Path, told: Told = untold
) -> Path:
    """Bring what a part needs, verify each file, and gather all parts of a product in one folder.

    A file takes its name only after it was verified, so whatever a killed process left under its name is good. One
    process works on a product at a time; another one waits and finds it done.

    Args:
        scene: which product.
        part: which members.
        store: has them.
        download_dir: where they go; made if need be.
        told: takes how far it is, bytes.

    Returns:
        download_dir/.members/NAME.SAFE with the marker partial.json; for Part.ALL download_dir/NAME.SAFE, whole, with
        the empty folders that ESA's products have, without a marker, listed in the Progress File. The whole one
        wherever it is there.

    Raises:
        UnusableSceneError: a file is not there, or damaged at its source.
        TransientError, PendingError, RequestError, StorageError: as `Source.fetch`.
    """
    safe = f"{scene.product_id}.SAFE"
    gathered = download_dir / FOLDER_NAME / safe
    with keeping(safe, download_dir):
        gathered.parent.mkdir(parents=True, exist_ok=True)
    with alone(gathered.with_name(f"{safe}.lock"), safe):
        held = held_members(scene, part, download_dir)
        if held is not None:
            return held
        with keeping(safe, download_dir):
            if gathered.is_symlink():  # to a whole product that was deleted since
                gathered.unlink()
            gathered.mkdir(exist_ok=True)
        gathering = _Gathering(scene, part, store, gathered, told)
        gathering.run()
        if part is not Part.ALL:
            return gathered
        whole = _make_whole(gathered, gathering.marker, download_dir / safe)
        size_bytes = sum(gathering.marker.members.values())
        verified = datetime.now(UTC)
        ProgressFile(download_dir).add(
            ProgressEntry(file=safe, size_bytes=size_bytes, checksums=(), source=store.source, verified=verified)
        )
        return whole


def held_members(scene: Sentinel2Scene, part: Part, download_dir: Path) -> Path | None:
    """The folder that holds this part already: the whole product, or the partial one; None if it must be fetched."""
    whole = download_dir / f"{scene.product_id}.SAFE"
    if whole.is_dir():
        return whole
    folder = download_dir / FOLDER_NAME / f"{scene.product_id}.SAFE"
    marker = _Marker.read(folder)
    if part is Part.ALL or part not in marker.parts:
        return None
    return folder if all(_has(folder / place, size) for place, size in marker.members.items()) else None


def clear_leftovers(product_id: str, download_dir: Path) -> None:
    """End what a process that was killed had begun with a partial product that had become whole: see `_make_whole`.

    Nothing is written where nothing is left over, so the folder may be read-only.
    """
    gathered = download_dir / FOLDER_NAME / f"{product_id}.SAFE"
    old, link = _beside(gathered)
    if not old.exists() and not link.is_symlink():
        return
    lock = gathered.with_name(f"{gathered.name}.lock")
    with suppress(StorageError), keeping(gathered.name, gathered.parent), alone(lock, gathered.name):
        if link.is_symlink() and not gathered.exists():
            link.rename(gathered)  # whoever holds the partial one finds the whole one in its place
        link.unlink(missing_ok=True)
        shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marker:
    """What partial.json says."""

    parts: frozenset[Part]
    """Parts that are here as a whole."""

    members: Mapping[str, int]
    """Place of every verified file of these parts to its size, bytes."""

    @classmethod
    def read(cls, folder: Path) -> "_Marker":
        """What the folder's marker says; nothing where there is none, or none that can be read."""
        try:
            values = json.loads((folder / MARKER_NAME).read_text(encoding="utf-8"))
            members = {str(place): int(size) for place, size in values["members"].items()}
            return cls(parts=frozenset(Part(value) for value in values["parts"]), members=members)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(parts=frozenset(), members={})

    def write(self, folder: Path) -> None:
        """Put it into a folder, whole or not at all."""
        values = {"parts": sorted(part.value for part in self.parts), "members": dict(sorted(self.members.items()))}
        with keeping(folder.name, folder), partial_file(folder / MARKER_NAME) as partial:
            partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


class _Gathering:
    """Brings one part of one product."""

    def __init__(self, scene: Sentinel2Scene, part: Part, store: MemberStore, folder: Path, told: Told) -> None:
        self._scene, self._part, self._store, self._folder, self._told = scene, part, store, folder, told
        self.marker = _Marker.read(folder)
        self._stated: Mapping[str, StatedFile] = {}
        self._listed: Mapping[str, int] | None = None
        self._done = 0
        self._total: int | None = None  # unknown until the manifest is here

    def run(self) -> None:
        """Bring and verify what is missing, then say in the marker that the part is here."""
        if not (self._folder / MARKER_NAME).is_file():
            self.marker.write(self._folder)  # before the first file: this folder is never taken for a whole product
        self._read_manifest()
        wanted = self._wanted()
        missing = [place for place in wanted if not (self._folder / place).is_file()]
        to_come = sum(self._size(place) for place in missing)
        require_room(f"{self._scene.product_id}.SAFE", self._folder, to_come)
        self._total = sum(self._size(place) for place in wanted)
        self._done = self._total - to_come
        self._tell(0)
        gone = {place for place in missing if not self._bring_if_there(place)}
        here = {place: (self._folder / place).stat().st_size for place in wanted if place not in gone}
        # What the marker listed and is gone (deleted by hand) is listed no more: the part it belongs to is asked again.
        kept = {place: size for place, size in self.marker.members.items() if _has(self._folder / place, size)}
        parts = self.marker.parts if len(kept) == len(self.marker.members) else frozenset()
        self.marker = _Marker(parts=parts | {self._part}, members={**kept, **here})
        self.marker.write(self._folder)

    def _read_manifest(self) -> None:
        """manifest.safe has no checksum itself: one that cannot be read is fetched once more."""
        path = self._folder / _MANIFEST
        if not path.is_file():
            self._bring(_MANIFEST)
        self._stated = parse_manifest(path.read_bytes(), f"{self._scene.product_id}: {_MANIFEST}")

    def _wanted(self) -> list[str]:
        """Places of the part's files, in the order in which they are brought: metadata first."""
        wanted = {place for place in self._stated if self._belongs(place)} | {_MANIFEST}
        keys = {image_key(place) for place in wanted}
        lacks_image = not needed_keys(self._scene.product_type, self._part) <= keys
        lacks_xml = sum(PurePosixPath(place).name.startswith("MTD_") for place in wanted) < 2
        # Manifests of some baselines pass over the probabilities, and whole products may hold more than they name.
        if lacks_image or lacks_xml or self._part is Part.ALL:
            self._listed = self._store.places()
            wanted |= {place for place in self._listed if self._belongs(place)}
        if len(wanted) > MAX_MEMBERS:
            raise UnusableSceneError(f"{self._scene.product_id}: {len(wanted)} files: this is not one product.")
        return sorted(wanted, key=lambda place: (image_key(place) is not None, place))

    def _belongs(self, place: str) -> bool:
        parts = PurePosixPath(place).parts
        sound = bool(parts) and ".." not in parts and not place.startswith("/") and place != MARKER_NAME
        return sound and belongs_to(place, self._scene.product_type, self._part)

    def _size(self, place: str) -> int:
        stated = self._stated.get(place)
        return (self._listed or {}).get(place) or (stated.size if stated is not None else 0)

    def _bring_if_there(self, place: str) -> bool:
        """False for a file without which a product is still one, and which is not there."""
        try:
            self._bring(place)
        except GoneError:
            needed = image_key(place) in needed_keys(self._scene.product_type, self._part)
            needed |= self._part is Part.ALL and "/IMG_DATA/" in place
            if needed or PurePosixPath(place).name.startswith("MTD_"):
                raise
            LOGGER.warning("%s: %s is named by manifest.safe and not there", self._scene.product_id, place)
            return False
        return True

    def _bring(self, place: str) -> None:
        """Fetch and verify one file; one that fails is fetched once more."""
        what = f"{self._scene.product_id}: {place}"
        first = self._try(place)
        if first is None:
            return
        LOGGER.warning("%s: %s; fetched again", what, first.reason)
        second = self._try(place)
        if second is None:
            return
        if second.digest == first.digest:
            raise UnusableSceneError(
                f"{what} arrived twice in the same way and is damaged at its source: {first.reason}. Name another "
                f"source in --sources, or leave the product out.",
                product_id=self._scene.product_id,
            )
        raise TransientError(f"{what}: {first.reason}; fetched anew, {second.reason}. Run again later.")

    def _try(self, place: str) -> MemberFault | None:
        """Fetch one file; what is wrong with it."""
        final = self._folder / place
        fetched = final.with_name(final.name + _FETCHED)
        what = f"{self._scene.product_id}: {place}"
        with keeping(what, self._folder):
            final.parent.mkdir(parents=True, exist_ok=True)
        size = self._size(place)
        self._store.bring(place, fetched, size, lambda done, _: self._tell(min(done, size)))
        with keeping(what, self._folder):
            fault = member_fault(fetched, place, self._stated.get(place))
            if fault is not None:
                fetched.unlink()
                return fault
            flush(fetched)
            fetched.replace(final)
        if self._total is not None:
            self._done += self._size(place)
        self._tell(0)
        return None

    def _tell(self, more: int) -> None:
        if self._total is not None:
            self._told(self._done + more, self._total)


def _has(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _make_whole(gathered: Path, marker: _Marker, final: Path) -> Path:
    """Give a product that has everything its final name; the partial one becomes a link to it.

    Whoever reads the partial one meanwhile keeps what is open; between its going and the link's coming lies one rename.
    """
    with keeping(final.name, final.parent):
        for leftover in final.parent.glob(f".{final.stem}.*.partial{final.suffix}"):  # of a process that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        with partial_directory(final) as partial:
            for place in marker.members:
                (partial / place).parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(gathered / place, partial / place)
            for folder in _folders(marker.members):
                (partial / folder).mkdir(parents=True, exist_ok=True)
        old, link = _beside(gathered)
        shutil.rmtree(old, ignore_errors=True)
        link.unlink(missing_ok=True)
        link.symlink_to(Path("..") / final.name)
        gathered.rename(old)
        link.rename(gathered)
        shutil.rmtree(old, ignore_errors=True)
    return final


def _beside(gathered: Path) -> tuple[Path, Path]:
    """Names that the partial product, and the link that takes its place, have for a moment."""
    return gathered.with_name(f".{gathered.name}.old"), gathered.with_name(f".{gathered.name}.link")


def _link_or_copy(source: Path, target: Path) -> None:
    """A second name for the same bytes; a copy on disks that know no such names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        flush(target)


def _folders(places: Iterable[str]) -> set[str]:
    """Folders that ESA's products have, empty or not."""
    granules = {"/".join(place.split("/")[:2]) for place in places if place.startswith("GRANULE/")}
    datastrips = {"/".join(place.split("/")[:2]) for place in places if place.startswith("DATASTRIP/")}
    inner = {f"{granule}/{name}" for granule in granules for name in _GRANULE_FOLDERS}
    return {*_EMPTY_FOLDERS, *inner, *(f"{datastrip}/QI_DATA" for datastrip in datastrips)}
