"""Values as they were typed, each checked and turned into what it means; every message says what to write."""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from math import isfinite
from pathlib import Path
from urllib.parse import urlsplit

from senard.errors import RequestError
from senard.io.aoi_files import DECIMAL_COMMA
from senard.model.option import Kind
from senard.model.options import option

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
"""Names of months in dates, whatever the locale."""

Values = Mapping[str, str | None]
"""Option name to what holds, as typed; None: nothing."""


def required(name: str, values: Values) -> str:
    """The text of an option that must be there."""
    value = values[name]
    if value is None:
        flag = option(name).flag
        raise RequestError(f"{flag} is missing. {option(name).help} Write it as {flag} {option(name).metavar}.")
    return value


def parse_day(text: str, flag: str) -> date:
    """A day as people write it: 2024-05-01, 20240501 or 01-MAY-2024, any case, whatever the locale.

    Raises:
        RequestError: if it is none of these or there is no such day.
    """
    match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})|(\d{4})(\d{2})(\d{2})|(\d{2})-([A-Za-z]{3})-(\d{4})", text.strip())
    month_name = match[8].upper() if match and match[8] else None
    if not match or (month_name and month_name not in MONTHS):
        raise RequestError(f"{flag} {text}: expected a day as 2024-05-01 or 01-MAY-2024.")
    if month_name:
        year, month, day = int(match[9]), MONTHS.index(month_name) + 1, int(match[7])
    else:
        year, month, day = (int(part) for part in match.groups() if part)
    try:
        return date(year, month, day)
    except ValueError as error:
        last = f": this month has {monthrange(year, month)[1]} days" if 1 <= month <= 12 and year else ""
        raise RequestError(
            f"{flag} {text}: there is no such day{last}. Expected year-month-day, e.g. 2024-05-01."
        ) from error


def file(name: str, text: str) -> Path:
    """A file that is there, absolute."""
    path = Path(text).expanduser().absolute()
    if path.is_dir():
        raise RequestError(f"{option(name).flag} {text}: expected a file, found a folder. Name the file in it.")
    if not path.is_file():
        raise RequestError(f"{option(name).flag} {text}: there is no such file. Check the name.")
    return path


def place(text: str) -> Path:
    """A folder, absolute; links stay as typed unless a `..` has to be followed: /data/cfg/../out is /data/out.

    Raises:
        RequestError: if the name is not UTF-8: it is written into JSON, VRT and messages.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(
            f"{text!a}: expected the name of a folder in UTF-8, found other bytes. Rename it, or give another."
        ) from error
    path = Path(text).expanduser().absolute()
    return path.resolve() if ".." in path.parts else path


def choice(name: str, values: Values) -> str:
    """The choice as it is spelt in the table; another word for it counts too."""
    text, entry = required(name, values), option(name)
    words = {**{word.lower(): meant for word, meant in entry.also}, **{word.lower(): word for word in entry.choices}}
    if text.lower() not in words:
        raise RequestError(f"{entry.flag} {text}: expected one of {', '.join(entry.choices)}.")
    return words[text.lower()]


def number(name: str, values: Values) -> float:
    """A finite number within the option's limits."""
    text, entry = required(name, values), option(name)
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not isfinite(found):
        raise RequestError(f"{entry.flag} {text}: expected a number, {entry.unit}. {DECIMAL_COMMA}")
    if not entry.least <= found <= entry.most:
        limits = f"at least {entry.least:g}" + (f" and at most {entry.most:g}" if isfinite(entry.most) else "")
        raise RequestError(f"{entry.flag} {text}: expected {limits}, {entry.unit}.")
    if entry.whole and not found.is_integer():
        raise RequestError(f"{entry.flag} {text}: expected a whole number, {entry.unit}.")
    return found


def switch(name: str, values: Values) -> bool:
    """True or false."""
    text = required(name, values).lower()
    if text not in {"true", "false"}:
        raise RequestError(f"{option(name).flag} {text}: expected true or false.")
    return text == "true"


def words(text: str | None) -> list[str]:
    """Parts of a list: separated by commas or blanks."""
    return [part for part in re.split(r"[,\s]+", text or "") if part]


def url(name: str, text: str) -> str:
    """An address of a service, without a slash at its end. An account in it is refused: addresses get into logs.

    Raises:
        RequestError: if it is none, or holds more than scheme, host and path; the message never repeats a password.
    """
    flag, expected = option(name).flag, "expected an address such as https://host.example.org/odata/v1"
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise RequestError(f"{flag} {_shown(text)}: {expected}; {error}.") from error
    if "@" in parts.netloc:
        raise RequestError(
            f"{flag}: an address holds no user and password: it is shown and logged. Put the account into a file of "
            f"your own (--credentials FILE), and give the address without it."
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise RequestError(f"{flag} {_shown(text)}: {expected}.")
    if parts.query or parts.fragment:
        raise RequestError(f"{flag} {parts.scheme}://{parts.netloc}{parts.path}: {expected}, without ? and #.")
    return text.strip().rstrip("/")


def _shown(text: str) -> str:
    """What may be repeated of something that is no address."""
    return "" if "@" in text else text


def check_value(name: str, text: str) -> str:
    """One value alone, as far as it can be judged without the others.

    Args:
        name: the option.
        text: as typed.

    Returns:
        The text as it is to be kept: paths absolute.

    Raises:
        RequestError: if it is impossible.
    """
    kind, values = option(name).kind, {name: text}
    if kind is Kind.NUMBER:
        number(name, values)
    elif kind is Kind.CHOICE:
        return choice(name, values)
    elif kind is Kind.SWITCH:
        return str(switch(name, values)).lower()
    elif kind is Kind.DAY:
        parse_day(text, option(name).flag)
    elif kind is Kind.URL:
        return url(name, text)
    elif kind is Kind.FILE and name != "aoi":
        return str(file(name, text))
    elif kind is Kind.FOLDER:
        return str(place(text))
    elif kind is Kind.LIST and option(name).choices:
        return ",".join(choice(name, {name: word}) for word in words(text))
    return text
