"""The configuration file, after senprep's, and the list of products: values as they would be typed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senard.errors import RequestError
from senard.model.options import OPTIONS, Kind, Option, nearest

PATCH_KEYS: tuple[str, ...] = (
    "bands_S1",
    "bands_S2",
    "callback_find_products",
    "callback_snapper",
    "overlap",
    "s1_producttype",
    "size",
)
"""Keys of senprep that say how patches are cut: accepted and kept."""

PAIRS: dict[str, tuple[str, str]] = {
    "dates": ("start", "end"),
    "cloudcover": ("cloud_cover_min", "cloud_cover_max"),
    "cloud_cover": ("cloud_cover_min", "cloud_cover_max"),
}
"""Keys whose value is a list of two."""

_OPTION_OF_KEY = {
    key: option for option in OPTIONS for key in (option.name, *option.aliases) if option.name != "config"
}

CONFIG_KEYS: frozenset[str] = frozenset({*_OPTION_OF_KEY, *PAIRS, *PATCH_KEYS})
"""Every key that a configuration file may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFile:
    """What a configuration file says."""

    values: dict[str, str]
    """Option name to value as it would be typed: {"start": "20200501"}; paths are absolute."""

    patches: tuple[tuple[str, str], ...]
    """Keys that belong to patches and their values as JSON, ordered by key."""


def read_request_file(path: Path) -> RequestFile:
    """Read a `--config` file.

    Args:
        path: JSON object; keys are the options' names or senprep's. Relative paths in it count from its folder.

    Returns:
        Its values; a key whose value is null counts as absent.

    Raises:
        RequestError: if it is no JSON object, a key is unknown or says what another key says, or a value is of a wrong
            kind.
    """
    document = _read_object(path)
    values: dict[str, str] = {}
    for key, value in document.items():
        if value is None or key in PATCH_KEYS:
            continue
        for name, text in _typed(key, value, path).items():
            if name in values:
                raise RequestError(f"{path}: {key!r} says again what another key says ({name}). Remove one of them.")
            values[name] = text
    patches = ((key, json.dumps(document[key], separators=(",", ":"))) for key in sorted(document) if key in PATCH_KEYS)
    return RequestFile(values=values, patches=tuple(patches))


def read_product_names(path: Path) -> tuple[str, ...]:
    """Read a `--products` file.

    Args:
        path: text, one product name per line, with or without .SAFE or .zip; `#` begins a remark.

    Returns:
        product_ids, each once, sorted.

    Raises:
        RequestError: if the file is missing, no text, or names nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(
            f"--products {path}: cannot be read: {error}. Give a text file with one name per line."
        ) from error
    names = {_product_id(line.split("#")[0].strip()) for line in lines} - {""}
    if not names:
        raise RequestError(f"--products {path}: names no product. Write one product name per line.")
    return tuple(sorted(names))


def _product_id(name: str) -> str:
    """ "a/b/S2A_X.SAFE.zip" to "S2A_X"."""
    return name.rstrip("/").rpartition("/")[2].removesuffix(".zip").removesuffix(".SAFE")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RequestError(f"--config {path}: cannot be read: {error.strerror}. Check the name.") from error
    except ValueError as error:
        raise RequestError(f"--config {path}: is not JSON: {error}. Check commas and quotes there.") from error
    if not isinstance(document, dict):
        raise RequestError(f"--config {path}: expected an object with keys, found a {type(document).__name__}.")
    return document


def _typed(key: str, value: Any, path: Path) -> dict[str, str]:
    """One entry as option names and typed values."""
    if key in PAIRS:
        if not isinstance(value, list) or len(value) != 2:
            raise RequestError(f"{path}: {key!r} is a list of two, [first, last], found {json.dumps(value)}.")
        return {name: _word(key, item, path) for name, item in zip(PAIRS[key], value, strict=True)}
    option = _OPTION_OF_KEY.get(key)
    if option is None:
        raise RequestError(f"{path}: unknown key {key!r}. {nearest(key, CONFIG_KEYS)}")
    if option.kind in {Kind.FILE, Kind.FOLDER}:
        return {option.name: _place(option, key, value, path)}
    if option.kind is Kind.LIST and isinstance(value, list):
        return {option.name: ",".join(_word(key, item, path) for item in value)}
    if option.kind is Kind.SWITCH and isinstance(value, bool):
        return {option.name: json.dumps(value)}
    return {option.name: _word(key, value, path)}


def _word(key: str, value: Any, path: Path) -> str:
    """A text or number as typed."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RequestError(f"{path}: {key!r} is a text or a number, found {json.dumps(value)}.")
    return value if isinstance(value, str) else json.dumps(value)


def _place(option: Option, key: str, value: Any, path: Path) -> str:
    """A path, absolute; the area may also be an object or text."""
    if option.name == "aoi" and isinstance(value, dict):
        return json.dumps(value)
    text = _word(key, value, path)
    inline = option.name == "aoi" and any(mark in text for mark in "{(")
    return text if inline else str(path.absolute().parent / Path(text).expanduser())
