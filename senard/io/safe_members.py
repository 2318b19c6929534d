"""The files of one SAFE, whether it is a folder or still a zip."""

import errno
import os
import re
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from senard.errors import SenardError, TransientError, UnusableSceneError

MAX_MEMBERS = 20_000
"""A product of one tile has about 130 files, a multi-granule one 3 000: more is no product."""

MAX_TOTAL_BYTES = 20 * 1000**3
"""A whole product of one tile unpacks to 1.2 GB: 20 GB is a bomb."""

MAX_RATIO = 200
"""XML packs 20 to 1, JPEG 2000 hardly at all: a member that packs better than 200 to 1 is a bomb …"""

MAX_RATIO_FREE_BYTES = 16 * 1000**2
"""… unless it is small anyway: an empty mask may pack as well as it likes."""

MAX_XML_BYTES = 32 * 1000**2
"""The largest real MTD_TL.xml has 0.6 MB."""


def product_name(name: str) -> str:
    """Name of a product without the endings that archives add: "NAME.SAFE.zip" to "NAME"."""
    return re.sub(r"(\.safe)?(\.zip)?$", "", name, count=1, flags=re.IGNORECASE)


def is_zip(root: Path) -> bool:
    """Whether the path names a zip file; a folder may be called .zip too."""
    return root.suffix.lower() == ".zip" and not root.is_dir()


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeMembers:
    """What lies in one SAFE, by its place in it."""

    root: Path
    """The zip, or the SAFE folder."""

    top: str
    """Name of the SAFE's own folder: "S2B_….SAFE"."""

    sizes: Mapping[str, int]
    """Place of each file inside the SAFE (its own folder excluded) to its size, bytes, unpacked."""

    @property
    def product_id(self) -> str:
        """Name of the SAFE's own folder without suffix."""
        return product_name(self.top)

    @property
    def zipped(self) -> bool:
        """True if the SAFE is still a zip."""
        return is_zip(self.root)

    def read(self, member: str) -> bytes:
        """The bytes of one small file (XML).

        Raises:
            UnusableSceneError: the file is not there, is too large for an XML, or cannot be unpacked.
        """
        size = self.sizes.get(member)
        if size is None:
            raise UnusableSceneError(
                f"{self.root}: {member} is missing. The product is cut short or of another format: download it again."
            )
        if size > MAX_XML_BYTES:
            raise UnusableSceneError(
                f"{self.root}: {member} claims {size} bytes, more than the {MAX_XML_BYTES} an XML may have. "
                f"Do not trust this file; download the product again."
            )
        try:
            if not self.zipped:
                return (self.root / member).read_bytes()
            with zipfile.ZipFile(self.root) as archive:
                return archive.read(f"{self.top}/{member}")
        except Exception as error:  # zipfile raises a dozen kinds for a broken archive (zlib, struct, …)
            raise reading_error(self.root, member, error) from error


def reading_error(root: Path, member: str, error: Exception) -> SenardError:
    """What it means that a member cannot be read: the disk's fault (try again), or the file's (leave the scene out)."""
    if isinstance(error, SenardError):
        return error
    # A zip whose directory points to a place that it does not have fails as EINVAL or without a number.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return TransientError(f"{root}: {member} cannot be read ({error}). Check the disk, run again.")
    return UnusableSceneError(
        f"{root}: {member} is damaged and cannot be read ({error}). Delete the product and download it again."
    )


def open_safe(root: Path) -> SafeMembers:
    """List a SAFE without unpacking it.

    Args:
        root: SAFE folder (or a link to one), or a zip that holds one.

    Returns:
        Its files and their sizes.

    Raises:
        UnusableSceneError: not a product, a broken zip, or a zip that is not safe to unpack.
        TransientError: the disk does not answer.
    """
    if root.is_dir():
        return _open_folder(root)
    if not root.exists():
        raise UnusableSceneError(f"{root} is not there: expected a SAFE folder or a zip. Was it moved or deleted?")
    with _open_zip(root) as archive:
        entries = archive.infolist()
    return _members_of_zip(root, entries)


def _open_folder(root: Path) -> SafeMembers:
    sizes: dict[str, int] = {}
    for folder, folders, files in os.walk(root, followlinks=False):
        folders.sort()
        for name in sorted(files):
            path = Path(folder, name)
            try:
                sizes[path.relative_to(root).as_posix()] = path.stat().st_size
            except OSError:
                continue  # a link to nothing is a missing file
        if len(sizes) > MAX_MEMBERS:
            raise UnusableSceneError(f"{root} holds more than {MAX_MEMBERS} files: this is not one product.")
    return SafeMembers(root=root, top=root.name, sizes=sizes)


def _open_zip(root: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(root)
    except zipfile.BadZipFile as error:
        raise UnusableSceneError(
            f"{root} is not a whole zip ({error}). The download was probably cut short: delete it and download "
            f"it again."
        ) from error
    except OSError as error:
        raise TransientError(
            f"{root} cannot be read ({error}). Check the disk and the permissions, run again."
        ) from error
    except Exception as error:  # a mangled central directory raises whatever it hits
        raise UnusableSceneError(f"{root} is not a readable zip ({error}). Download it again.") from error


def _members_of_zip(root: Path, entries: list[zipfile.ZipInfo]) -> SafeMembers:
    if len(entries) > MAX_MEMBERS:
        raise UnusableSceneError(f"{root} holds {len(entries)} members, more than {MAX_MEMBERS}: not one product.")
    tops = sorted({_checked_parts(root, entry)[0] for entry in entries})
    if len(tops) != 1:
        raise UnusableSceneError(
            f"{root}: expected one folder NAME.SAFE at the top of the zip, found {len(tops)}: {', '.join(tops[:3])}. "
            f"Pack each product into a zip of its own."
        )
    sizes: dict[str, int] = {}
    for entry in entries:
        if entry.is_dir():
            continue
        member = "/".join(_checked_parts(root, entry)[1:])
        if not member or member in sizes:
            raise UnusableSceneError(f"{root}: {entry.filename} is there twice or has no name. Download it again.")
        sizes[member] = entry.file_size
    total = sum(sizes.values())
    if total > MAX_TOTAL_BYTES:
        raise UnusableSceneError(
            f"{root} would unpack to {total / 1e9:.1f} GB; a product has about 1 GB, the limit is "
            f"{MAX_TOTAL_BYTES / 1e9:.0f} GB. Do not trust this file."
        )
    return SafeMembers(root=root, top=tops[0], sizes=sizes)


def _checked_parts(root: Path, entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """Folders and name of a zip's member, refused where unpacking it could harm."""
    name = entry.filename
    parts = PurePosixPath(name).parts
    kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == 3 else 0
    trouble = ""
    if "\\" in name or "\\" in entry.orig_filename or "\0" in entry.orig_filename:
        trouble = "its name has a backslash or a zero byte"
    elif not parts or name.startswith("/") or ":" in parts[0]:
        trouble = "its name is absolute or empty"
    elif ".." in parts or "//" in name or "/./" in name or name.startswith("./"):
        trouble = "its name leads elsewhere"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        trouble = "it is a link or a device"
    elif entry.flag_bits & 0x1:
        trouble = "it is encrypted"
    elif entry.file_size > max(MAX_RATIO_FREE_BYTES, MAX_RATIO * entry.compress_size):
        trouble = f"it unpacks {entry.compress_size} bytes to {entry.file_size}: a zip bomb"
    if trouble:
        raise UnusableSceneError(f"{root}: member {name!r} is refused: {trouble}. Do not trust this file.")
    return parts
