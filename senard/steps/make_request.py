"""From what was typed to a request: every value checked, every message with a way out."""

import re
import stat
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from math import isfinite
from pathlib import Path

import pyproj

from senard.algorithms.tiling import metric_crs
from senard.errors import RequestError
from senard.io.aoi import Area, bbox_area, mgrs_area, read_area, reference_area, slug
from senard.io.aoi_files import DECIMAL_COMMA
from senard.io.request_file import RequestFile, read_product_names, read_request_file
from senard.model.call import Call
from senard.model.mgrs import mgrs_name
from senard.model.options import AREA_OPTIONS, OPTIONS, option
from senard.model.request import Buffer, Fill, Level, MosaicRequest
from senard.model.sentinel2 import ProductType

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
"""Names of months in dates, whatever the locale."""

SHORT_PERIOD_DAYS = 89
"""Shorter periods are warned of, days: the shortest three months (February to April)."""

SMALL_AREA_M2 = 100e6
"""Smaller areas are warned of, m²."""

FIRST_IMAGE = date(2015, 6, 27)
"""Day of the first Sentinel-2 image."""

FEW_DATES = "few dates leave gaps where every one of them was cloudy"

Layers = tuple[Mapping[str, str | None], ...]
"""Values as typed, the strongest first: command line, configuration file, luigi.cfg."""


def make_request(
    given: Mapping[str, str | None], *, configured: Mapping[str, str] | None = None, today: date | None = None
) -> Call:
    """Make a request of what was typed.

    Args:
        given: option name to value as typed on the command line; None or absent: not given.
        configured: the same from luigi.cfg.
        today: UTC day, for the warning of periods in the future; None asks the clock.

    Returns:
        The request, the settings of this run, and warnings. The command line beats the configuration file that it
        names, which beats luigi.cfg, which beats the defaults.

    Raises:
        RequestError: if a value is missing, impossible or contradicts another one; the message says what to write.
    """
    for name in (*given, *(configured or {})):
        option(name)
    lower = configured or {}
    config = given.get("config") or lower.get("config")
    file = read_request_file(_file("config", config)) if config else RequestFile(values={}, patches=())
    layers: Layers = (given, file.values, lower)
    values = {entry.name: _value(entry.name, layers) for entry in OPTIONS}
    area = _area(layers, values)
    request = _request(values, area)
    credentials = values["credentials"]
    outdir = _place(_required("outdir", values))
    workdir = values["workdir"]
    call = Call(
        request=request,
        archive=_archive(values["archive"]),
        outdir=outdir,
        workdir=_place(workdir) if workdir else outdir / ".senard",
        resolutions=_resolutions(_required("resolutions", values)),
        rebuild=_switch("rebuild", values),
        refresh=_switch("refresh", values),
        allow_missing=_switch("allow_missing", values),
        credentials=_file("credentials", credentials) if credentials else None,
        patches=file.patches,
        warnings=(),
    )
    return _with_warnings(call, area, values["name"], today or datetime.now(UTC).date())


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


def _value(name: str, layers: Layers) -> str | None:
    """The strongest value of an option; an empty text counts as not given."""
    return next((layer[name] for layer in layers if layer.get(name)), option(name).default)


def _required(name: str, values: Mapping[str, str | None]) -> str:
    value = values[name]
    if value is None:
        flag = option(name).flag
        raise RequestError(f"{flag} is missing. {option(name).help} Write it as {flag} {option(name).metavar}.")
    return value


def _area(layers: Layers, values: Mapping[str, str | None]) -> Area:
    """The area that the strongest layer gives; the MGRS tiles where none gives one."""
    ways = next((found for layer in layers if (found := [name for name in AREA_OPTIONS if layer.get(name)])), [])
    if len(ways) > 1:
        flags = " and ".join(option(name).flag for name in ways)
        raise RequestError(f"The area is given more than once: {flags}. Give one of them.")
    if ways:
        text = values[ways[0]] or ""
        return reference_area(_file("reference", text)) if ways == ["reference"] else _READ_AREA[ways[0]](text)
    if values["mgrs_tiles"]:
        return mgrs_area(_mgrs_tiles(values["mgrs_tiles"]))
    raise RequestError(
        "No area is given. Give one of --aoi FILE, --bbox=WEST,SOUTH,EAST,NORTH, --reference RASTER, --mgrs-tiles."
    )


_READ_AREA = {"aoi": read_area, "bbox": bbox_area}


def _request(values: Mapping[str, str | None], area: Area) -> MosaicRequest:
    name, products, target = values["name"], values["products"], values["target_date"]
    return MosaicRequest(
        name=_name(name) if name else area.name,
        aoi=area.geometry,
        first_day=parse_day(_required("start", values), "--start"),
        last_day=parse_day(_required("end", values), "--end"),
        crs=_crs(_required("crs", values)),
        product_type=_product_type(values),
        cloud_cover_min=_number("cloud_cover_min", values),
        cloud_cover_max=_number("cloud_cover_max", values),
        mgrs_tiles=_mgrs_tiles(values["mgrs_tiles"]),
        products=read_product_names(_file("products", products)) if products else (),
        target_date=parse_day(target, "--target-date") if target else None,
        fill=Fill(_choice("fill", values)),
        buffer=Buffer(_choice("buffer", values)),
        clip=_switch("clip", values),
        level=Level(_choice("level", values)),
    )


def _with_warnings(call: Call, area: Area, name: str | None, today: date) -> Call:
    """The call with what a person should know before the run."""
    request = call.request
    days = (request.last_day - request.first_day).days + 1
    area_m2 = abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(request.aoi)[0])
    target = request.target_date
    warned = {
        area.note: bool(area.note),
        f"The name {name!r} is written {request.name!r}.": bool(name) and name != request.name,
        f"The period of {days} days is shorter than three months: {FEW_DATES}.": days < SHORT_PERIOD_DAYS,
        f"The area of {_readable(area_m2)} is smaller than 100 km². Is it the one that you mean?": area_m2
        < SMALL_AREA_M2,
        f"The period starts on {request.first_day}, in the future.": request.first_day > today,
        f"The period ends before the first Sentinel-2 image of {FIRST_IMAGE}.": request.last_day < FIRST_IMAGE,
        f"The target date {target} lies outside the period.": target is not None
        and not request.first_day <= target <= request.last_day,
        f"{call.credentials} can be read by others: chmod 600 {call.credentials}": _open_to_others(call.credentials),
    }
    return replace(call, warnings=tuple(text for text, holds in warned.items() if holds))


def _readable(area_m2: float) -> str:
    """With one decimal in km², or in m² where that would read as nothing."""
    return f"{area_m2 / 1e6:.1f} km²" if area_m2 >= 1e6 else f"{area_m2:.0f} m²"


def _open_to_others(path: Path | None) -> bool:
    return path is not None and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _file(name: str, text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise RequestError(f"{option(name).flag} {text}: there is no such file. Check the name.")
    return path


def _place(text: str) -> Path:
    """A folder, absolute; links stay as typed unless a `..` has to be followed: /data/cfg/../out is /data/out."""
    path = Path(text).expanduser().absolute()
    return path.resolve() if ".." in path.parts else path


def _archive(text: str | None) -> Path:
    if text is None:
        raise RequestError(
            "--archive is missing: no catalogue can be searched yet, and simulated products are never used unasked. "
            "Give the folder with your Sentinel-2 products: --archive FOLDER (`senard simulate` makes a sample)."
        )
    path = _place(text)
    if not path.is_dir():
        raise RequestError(f"--archive {text}: there is no such folder. Give the folder with your Sentinel-2 products.")
    return path


def _name(text: str) -> str:
    name = slug(text)
    if not re.search(r"[A-Za-z0-9]", text):
        raise RequestError(f"--name {text}: expected a-z, 0-9 and hyphens, at most 48.")
    return name


def _crs(text: str) -> str:
    """The CRS as `EPSG:<code>`."""
    code = metric_crs(f"EPSG:{text}" if text.isdigit() else text).to_epsg()
    if code is None:
        raise RequestError(f"--crs {text}: has no EPSG code. Choose one that has, e.g. EPSG:3857 or EPSG:32633.")
    return f"EPSG:{code}"


def _choice(name: str, values: Mapping[str, str | None]) -> str:
    """The choice as it is spelt in the table."""
    text, choices = _required(name, values), option(name).choices
    for choice in choices:
        if text.lower() == choice.lower():
            return choice
    raise RequestError(f"{option(name).flag} {text}: expected one of {', '.join(choices)}.")


def _product_type(values: Mapping[str, str | None]) -> ProductType:
    """The processing level; L1C is refused here, not after its products were fetched."""
    wanted = ProductType(_choice("product_type", values))
    if wanted is ProductType.L1C:
        raise RequestError(
            f"--product-type {wanted.value}: L1C products have no scene classification to tell clouds by, and this "
            f"version needs it. Use L2A products of the same dates: --product-type {ProductType.L2A.value}."
        )
    return wanted


def _number(name: str, values: Mapping[str, str | None]) -> float:
    text = _required(name, values)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise RequestError(f"{option(name).flag} {text}: expected a number, {option(name).unit}. {DECIMAL_COMMA}")
    return number


def _switch(name: str, values: Mapping[str, str | None]) -> bool:
    text = _required(name, values).lower()
    if text not in {"true", "false"}:
        raise RequestError(f"{option(name).flag} {text}: expected true or false.")
    return text == "true"


def _mgrs_tiles(text: str | None) -> tuple[str, ...]:
    names = (part for part in re.split(r"[,\s]+", text or "") if part)
    return tuple(sorted({mgrs_name(name) for name in names}))


def _resolutions(text: str) -> tuple[int, ...]:
    parts = [part for part in re.split(r"[,\s]+", text) if part]
    if not parts or not set(parts) <= {"10", "20"}:
        raise RequestError(f"--resolutions {text}: expected 10, 20 or 10,20 (m).")
    return tuple(sorted({int(part) for part in parts}))
