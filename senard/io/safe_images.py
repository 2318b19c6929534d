"""Which image is which: file names inside a SAFE, what judging and compositing need, and whether a file is whole."""

import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from senard.io.safe_members import SafeMembers
from senard.model.product import Part
from senard.model.sentinel2 import BANDS, DETECT_BANDS, JUDGE_BANDS, JUDGE_BANDS_1C, MOSAIC_BANDS, ProductType

_ENDINGS = (".jp2", ".tif")
"""ESA delivers JPEG 2000; some providers the same names as GeoTIFF. GML masks (before 04.00) are no images."""

_LEVEL_2A = re.compile(
    r"^(?:L2A_)?T(?P<tile>\d{2}[A-Z]{3})_\d{8}T\d{6}_(?P<what>B\d[\dA]|SCL|AOT|WVP|TCI)_(?P<gsd>[126]0)m$"
)
_LEVEL_1C = re.compile(r"^T(?P<tile>\d{2}[A-Z]{3})_\d{8}T\d{6}_(?P<what>B\d[\dA]|TCI)$")
_PROBABILITY = re.compile(r"^MSK_(?P<what>CLDPRB|SNWPRB)_(?P<gsd>[26]0)m$")
_PILOT_PROBABILITY = re.compile(r"^(?:L2A_)?T\d{2}[A-Z]{3}_\d{8}T\d{6}_(?P<what>CLD|SNW)_(?P<gsd>[26]0)m$")
_DETECTOR = re.compile(r"^MSK_(?P<what>DETFOO|QUALIT)_(?P<band>B\d[\dA])$")

_METADATA = re.compile(
    r"^(manifest\.safe|INSPIRE\.xml|MTD_MSIL(1C|2A)\.xml|GRANULE/[^/]+/MTD_TL\.xml)$",
    re.IGNORECASE,
)
"""XML of every part. DATASTRIP/…/MTD_DS.xml is not among them: nothing here reads it, and it has 6 to 25 MB."""

_LARGE_MASK = re.compile(r"^MSK_(CLDPRB|SNWPRB)_20m$")
"""A sixth of what judging would fetch otherwise; judging reads the same at 60 m."""

CLOUD_POLYGONS = "MSK_CLOUDS_B00.gml"
"""File of QI_DATA that held what MSK_CLASSI holds since baseline 04.00."""

_ALL_OF_1C = frozenset(f"{name}_{band.gsd}" for name, band in BANDS.items())
"""L1C is fetched whole for what L2A has not: telling clouds takes B01, B09 and B10 too."""


def image_key(member: str) -> str | None:
    """Key of an image by its file name, ending or not: "…/T31TCJ_…_B04_10m.jp2" to "B04_10"; None for other files."""
    name = PurePosixPath(member).name
    stem = name[:-4] if name.lower().endswith(_ENDINGS) else name
    if "." in stem:
        return None
    if match := (_LEVEL_2A.match(stem) or _PROBABILITY.match(stem)):
        return f"{match['what']}_{match['gsd']}"
    if match := _PILOT_PROBABILITY.match(stem):
        return f"{match['what']}PRB_{match['gsd']}"
    if match := _LEVEL_1C.match(stem):
        return f"{match['what']}_{BANDS[match['what']].gsd if match['what'] in BANDS else 10}"
    if match := _DETECTOR.match(stem):
        return f"{match['what']}_{match['band']}"
    if stem == "MSK_CLASSI_B00":
        return "CLASSI"
    return "PVI" if stem.endswith("_PVI") else None


def image_tile(member: str) -> str | None:
    """MGRS tile in the name of a band's file; None where the name has none."""
    stem = PurePosixPath(member).name.split(".")[0]
    match = _LEVEL_2A.match(stem) or _LEVEL_1C.match(stem)
    return match["tile"] if match else None


def find_images(members: SafeMembers) -> dict[str, str]:
    """Image key to place inside the SAFE, of every image that is there."""
    images: dict[str, str] = {}
    for member in sorted(members.sizes):
        if member.startswith("GRANULE/") and member.lower().endswith(_ENDINGS):
            key = image_key(member)
            if key is not None:
                images.setdefault(key, member)
    return images


def needed_keys(product_type: ProductType, part: Part) -> frozenset[str]:
    """Keys of the images that a part must hold, if the product's XML names them."""
    level_1c = product_type is ProductType.L1C
    judge = {f"{band}_60" for band in JUDGE_BANDS} | {"SCL_20", "B03_60", "AOT_60", "CLDPRB_60", "SNWPRB_60"}
    if level_1c:
        judge = {f"{band}_{BANDS[band].gsd}" for band in JUDGE_BANDS_1C}
    detect = {f"{band}_{BANDS[band].gsd}" for band in DETECT_BANDS} if level_1c else set()
    bands = {f"{band}_{gsd}" for gsd, names in MOSAIC_BANDS.items() for band in names}
    classes = set() if level_1c else {"SCL_60"}
    keys = {
        Part.PREVIEW: {"PVI"},
        Part.CLASSES: classes,
        Part.JUDGE: judge,  # B03 tells snow
        Part.DETECT: judge | detect,
        Part.BANDS: bands,
        Part.ALL: judge | bands | (_ALL_OF_1C if level_1c else classes),
    }
    return frozenset(keys[part])


def belongs_to(member: str, product_type: ProductType, part: Part) -> bool:
    """Whether a part holds this file: the XML in every part; with what judging reads all masks that are small."""
    if part is Part.ALL or _METADATA.match(member):
        return True
    judges = part in (Part.JUDGE, Part.DETECT)
    if judges and PurePosixPath(member).name == CLOUD_POLYGONS:
        return True
    key = image_key(member) if member.lower().endswith(_ENDINGS) else None
    if key is None:
        return False
    if judges and "/QI_DATA/" in member:
        return _LARGE_MASK.match(PurePosixPath(member).stem) is None
    return key in needed_keys(product_type, part)


def is_whole_jp2(path: Path, *, start: int = 0, size: int | None = None) -> bool:
    """Whether a JPEG 2000 file's code stream ends with its end marker FF D9: cheap, nothing is decoded.

    Args:
        path: the file, or a zip that stores it without compression.
        start: where it begins in `path`, bytes.
        size: its length, bytes; None: to the end.
    """
    with path.open("rb") as file:
        end = _code_stream_end(file, start, path.stat().st_size - start if size is None else size)
        if end is None or end < start + 4:
            return False
        file.seek(end - 2)
        return file.read(2) == b"\xff\xd9"


def stored_place(archive: Path, entry: zipfile.ZipInfo) -> int:
    """Where the bytes of a member that is stored without compression begin in the zip.

    zipfile itself reads a member from its start to reach its end: 1 GB for a product.
    """
    with archive.open("rb") as file:
        file.seek(entry.header_offset)
        head = file.read(30)
    if head[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("no local header where the directory says")
    return entry.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")


def _code_stream_end(file: IO[bytes], start: int, size: int) -> int | None:
    """Where the code stream ends, bytes from the file's start; None where there is none or it is cut short."""
    file.seek(start)
    if file.read(4) == b"\xff\x4f\xff\x51":  # a bare code stream
        return start + size
    place, stop = start, start + size
    while place + 8 <= stop:
        file.seek(place)
        head = file.read(16)
        length, kind, skip = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:
            length, skip = int.from_bytes(head[8:16], "big"), 16
        if length == 0:
            length = stop - place
        if length < skip:
            return None
        if kind == b"jp2c":
            return place + length if place + length <= stop else None
        place += length
    return None
