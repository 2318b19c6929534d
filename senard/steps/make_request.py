"""From what was typed to a request: every value checked, every message with a way out."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from senard.algorithms.cloud_detector import require_s2cloudless
from senard.algorithms.tiling import metric_crs
from senard.errors import RequestError, UnusableSceneError
from senard.io.aoi import Area, bbox_area, mgrs_area, read_area, reference_area, slug
from senard.io.product_names import parse_product_name
from senard.io.request_file import RequestFile, read_product_names, read_request_file
from senard.model.access import DERIVED_SOURCES
from senard.model.area import polygonal
from senard.model.call import Call
from senard.model.cloud_evidence import DEFAULT, CloudEvidence, in_order, require_evidence
from senard.model.keep import Keep
from senard.model.mgrs import mgrs_name
from senard.model.options import AREA_OPTIONS, OPTIONS, option
from senard.model.request import Brdf, Buffer, CloudCoverOf, Fill, Level, Method, MosaicRequest, Snow, Topography
from senard.model.sentinel2 import ProductType
from senard.steps.given_land import LAND_OPTIONS, land_digest, land_warnings
from senard.steps.make_access import access_warnings, make_access
from senard.steps.typed_values import Values, choice, file, number, place, required, switch, words
from senard.steps.typed_values import parse_day as parse_day

SATELLITES = ("S2A", "S2B", "S2C", "S2D")
"""Satellites of the mission."""

ORBITS = 143
"""Relative orbits of Sentinel-2, numbered from 1."""

SHORT_PERIOD_DAYS = 89
"""Shorter periods are warned of, days: the shortest three months (February to April)."""

SMALL_AREA_M2 = 100e6
"""Smaller areas are warned of, m²."""

FIRST_IMAGE = date(2015, 6, 27)
"""Day of the first Sentinel-2 image."""

FEW_DATES = "few dates leave gaps where every one of them was cloudy"

SLOPES_CORRECTED = (
    "--topography with L2A: ESA's processor corrects slopes itself where it is given a terrain model, and no product "
    "says whether it did. Only what slopes still show is corrected; where they show nothing, nothing is."
)

Layers = tuple[Values, ...]
"""Values as typed, the strongest first: command line, configuration file, luigi.cfg, stored settings, the task's own
defaults."""


def make_request(
    given: Values,
    *,
    configured: Mapping[str, str] | None = None,
    stored: Mapping[str, str] | None = None,
    unasked: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Call:
    """Make a request of what was typed.

    Args:
        given: option name to value as typed on the command line; None or absent: not given.
        configured: the same from luigi.cfg.
        stored: the same from the user's settings.
        unasked: defaults of the task that differ from those of the table.
        today: UTC day, for the warning of periods in the future; None asks the clock.

    Returns:
        The request, the settings of this run, and warnings. The command line beats the configuration file that it
        names, which beats luigi.cfg, which beats the settings, which beat the defaults.

    Raises:
        RequestError: if a value is missing, impossible or contradicts another one; the message says what to write.
    """
    lower = (configured or {}, stored or {}, unasked or {})
    for name in (name for layer in (given, *lower) for name in layer):
        option(name)
    config = given.get("config") or lower[0].get("config")
    read = read_request_file(file("config", config)) if config else RequestFile(values={}, patches=())
    layers: Layers = (given, read.values, *lower)
    values = _with_listed({entry.name: _value(entry.name, layers) for entry in OPTIONS}, layers)
    area = _area(layers, values)
    outdir = place(required("outdir", values))
    workdir = place(values["workdir"]) if values["workdir"] else outdir / ".senard"
    access = make_access(values, workdir)
    land = {name: file(name, text) for name in LAND_OPTIONS if (text := values[name])}
    derived = tuple(source.value for source in access.sources if source in DERIVED_SOURCES)
    call = Call(
        request=replace(_request(values, area, land), derived_sources=derived),
        access=access,
        outdir=outdir,
        workdir=workdir / "derived" if derived else workdir,  # scenes judged on derived pixels stay among themselves
        resolutions=_resolutions(required("resolutions", values)),
        layers=_layers(values["layers"]),
        keep=Keep(choice("keep", values)),
        rebuild=switch("rebuild", values),
        refresh=switch("refresh", values),
        allow_missing=switch("allow_missing", values),
        unzip_dir=_unzip_dir(layers, values, access.download_dir),
        quick=switch("quick", values),
        detach=switch("detach", values),
        dem=land.get("dem"),
        landcover=land.get("landcover"),
        patches=read.patches,
        warnings=(),
    )
    return _with_warnings(call, area, values["name"], today or datetime.now(UTC).date())


def require_for_mosaic(request: MosaicRequest) -> None:
    """Refuse what can be listed and fetched but not composed, before anything is asked.

    Raises:
        RequestError: for evidence of clouds that is not installed, for L1C from straight above, and for several
            processings of one acquisition.
    """
    if request.brdf is Brdf.NBAR and request.product_type is ProductType.L1C:
        raise RequestError(
            "--brdf nbar with --product-type S2MSI1C: its factors are those of surface reflectance, and the air of L1C "
            "changes with the view too. Leave out --brdf, or take L2A."
        )
    if CloudEvidence.S2CLOUDLESS in request.cloud_evidence:
        require_s2cloudless()
    if not request.latest_baseline:
        raise RequestError(
            "--no-latest-baseline: a mosaic takes each acquisition once, from its latest processing. Leave it out; "
            "lists and downloads take it."
        )


def with_mosaic_warnings(call: Call) -> Call:
    """The call with what matters to a mosaic only: who lists or fetches products may mean a single day."""
    days = (call.request.last_day - call.request.first_day).days + 1
    told = [f"The period of {days} days is shorter than three months: {FEW_DATES}."] * (days < SHORT_PERIOD_DAYS)
    if call.request.topography is not Topography.NONE and call.request.product_type is not ProductType.L1C:
        told.append(SLOPES_CORRECTED)
    return replace(call, warnings=(*told, *call.warnings))


def _value(name: str, layers: Layers) -> str | None:
    """The strongest value of an option; an empty text counts as not given."""
    return next((layer[name] for layer in layers if layer.get(name)), option(name).default)


def _unzip_dir(layers: Layers, values: Values, download_dir: Path) -> Path | None:
    """Where products are unpacked, if at all: a folder alone says that they are."""
    typed = values["unzip_dir"]
    wanted = switch("unzip", values) if any(layer.get("unzip") for layer in layers) else typed is not None
    if not wanted:
        return None
    return place(typed) if typed else download_dir


def _with_listed(values: Values, layers: Layers) -> Values:
    """The values, and what the names in `--products` say of period and area where nobody else says it.

    A tile may be seen after midnight of the day on which its overflight began: the period ends a day later.
    """
    if not values["products"]:
        return values
    named, wrong = [], []
    for name in read_product_names(file("products", values["products"])):
        try:
            product = parse_product_name(name)
            mgrs_name(product.mgrs_tile)
            named.append(product)
        except (UnusableSceneError, RequestError) as error:  # with an area, the query says what is wrong with it
            wrong.append(f"{name}: {str(error).removeprefix(f'{name}: ')}")
    area_given = any(layer.get(name) for layer in layers for name in (*AREA_OPTIONS, "mgrs_tiles"))
    if not named and area_given:
        return values
    if not named:
        raise RequestError(
            f"--products {values['products']}: no area is given, and none of its {len(wrong)} names tells one. The "
            f"first: {wrong[0]} Correct the names, or give the area too."
        )
    days = [product.datatake_time.date() for product in named]
    listed = {"start": str(min(days)), "end": str(max(days) + timedelta(days=1))}
    if not area_given:
        listed["mgrs_tiles"] = ",".join(sorted({product.mgrs_tile for product in named}))
    return {**values, **{name: text for name, text in listed.items() if not values[name]}}


def _area(layers: Layers, values: Values) -> Area:
    """The area that the strongest layer gives; the MGRS tiles where none gives one."""
    ways = next((found for layer in layers if (found := [name for name in AREA_OPTIONS if layer.get(name)])), [])
    if len(ways) > 1:
        flags = " and ".join(option(name).flag for name in ways)
        raise RequestError(f"The area is given more than once: {flags}. Give one of them.")
    if ways:
        text = values[ways[0]] or ""
        return reference_area(file("reference", text)) if ways == ["reference"] else _READ_AREA[ways[0]](text)
    if values["mgrs_tiles"]:
        return mgrs_area(_mgrs_tiles(values["mgrs_tiles"]))
    raise RequestError(
        "No area is given. Give one of --aoi FILE, --bbox=WEST,SOUTH,EAST,NORTH, --reference RASTER, --mgrs-tiles, or "
        "a list of --products."
    )


_READ_AREA = {"aoi": read_area, "bbox": bbox_area}


def _request(values: Values, area: Area, land: Mapping[str, Path]) -> MosaicRequest:
    name, products, target = values["name"], values["products"], values["target_date"]
    return MosaicRequest(
        name=_name(name) if name else area.name,
        aoi=area.geometry,
        first_day=parse_day(required("start", values), "--start"),
        last_day=parse_day(required("end", values), "--end"),
        crs=_crs(required("crs", values)),
        product_type=ProductType(choice("product_type", values)),
        cloud_cover_min=number("cloud_cover_min", values),
        cloud_cover_max=number("cloud_cover_max", values),
        cloud_cover_of=CloudCoverOf(choice("cloud_cover_of", values)),
        mgrs_tiles=_mgrs_tiles(values["mgrs_tiles"]),
        products=read_product_names(file("products", products)) if products else (),
        relative_orbits=_relative_orbits(values["relative_orbits"]),
        satellites=_satellites(values["satellites"]),
        latest_baseline=switch("latest_baseline", values),
        target_date=parse_day(target, "--target-date") if target else None,
        fill=Fill(choice("fill", values)),
        buffer=Buffer(choice("buffer", values)),
        cloud_masks=_cloud_masks(values["cloud_masks"], ProductType(choice("product_type", values))),
        snow=Snow(choice("snow", values)),
        clip=switch("clip", values),
        level=Level(choice("level", values)),
        method=Method(choice("method", values)),
        brdf=Brdf(choice("brdf", values)),
        topography=Topography(choice("topography", values)),
        dem=land_digest("dem", land),
        landcover=land_digest("landcover", land),
        feather_m=number("feather", values),
        date_weight=number("date_weight", values),
    )


def _with_warnings(call: Call, area: Area, name: str | None, today: date) -> Call:
    """The call with what a person should know before the run."""
    request = call.request
    area_m2 = _area_m2(request.aoi)
    target = request.target_date
    warned = {
        area.note: bool(area.note),
        f"The name {name!r} is written {request.name!r}.": bool(name) and name != request.name,
        f"The area of {_readable(area_m2)} is smaller than 100 km². Is it the one that you mean?": area_m2
        < SMALL_AREA_M2,
        f"The period starts on {request.first_day}, in the future.": request.first_day > today,
        f"The period ends before the first Sentinel-2 image of {FIRST_IMAGE}.": request.last_day < FIRST_IMAGE,
        f"The target date {target} lies outside the period.": target is not None
        and not request.first_day <= target <= request.last_day,
    }
    told = [text for text, holds in warned.items() if holds]
    told += land_warnings({name: path for name in LAND_OPTIONS if (path := getattr(call, name))}, request.aoi)
    return replace(call, warnings=(*told, *access_warnings(call.access)))


def _area_m2(aoi: BaseGeometry) -> float:
    """On the ellipsoid, m². Quarter by quarter of the globe: the ring around all of it would hold nothing."""
    quarters = (aoi.intersection(shapely.box(west, -90, west + 90, 90)) for west in range(-180, 180, 90))
    geod = pyproj.Geod(ellps="WGS84")
    return sum(abs(geod.geometry_area_perimeter(polygonal(quarter))[0]) for quarter in quarters)


def _readable(area_m2: float) -> str:
    """With one decimal in km², or in m² where that would read as nothing."""
    return f"{area_m2 / 1e6:.1f} km²" if area_m2 >= 1e6 else f"{area_m2:.0f} m²"


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


def _relative_orbits(text: str | None) -> tuple[int, ...]:
    """Relative orbits, ascending: "51" or "R051" is 51."""
    found = []
    for word in words(text):
        match = re.fullmatch(r"R?0*(\d{1,3})", word, re.IGNORECASE)
        if match is None or not 1 <= int(match[1]) <= ORBITS:
            raise RequestError(f"--relative-orbits {word}: expected numbers from 1 to {ORBITS}, e.g. 51,108.")
        found.append(int(match[1]))
    return tuple(sorted(set(found)))


def _satellites(text: str | None) -> tuple[str, ...]:
    """Satellites by their short names, sorted: "S2A", "2A", "A" and "Sentinel-2A" are S2A."""
    found = []
    for word in words(text):
        name = re.sub(r"^(SENTINEL-?2|S2|2)?", "S2", word.upper(), count=1)
        if name not in SATELLITES:
            raise RequestError(f"--satellites {word}: expected some of {', '.join(SATELLITES)}.")
        found.append(name)
    return tuple(sorted(set(found)))


def _cloud_masks(text: str | None, product_type: ProductType) -> tuple[CloudEvidence, ...]:
    """Evidence of clouds; empty for the default, however it is spelt."""
    if text is None:
        return ()
    named = [CloudEvidence(choice("cloud_masks", {"cloud_masks": word})) for word in words(text)]
    require_evidence(named, product_type)
    return () if set(named) == set(DEFAULT[product_type]) else in_order(named)


def _mgrs_tiles(text: str | None) -> tuple[str, ...]:
    return tuple(sorted({mgrs_name(name) for name in words(text)}))


def _resolutions(text: str) -> tuple[int, ...]:
    parts = words(text)
    if not parts or not set(parts) <= {"10", "20"}:
        raise RequestError(f"--resolutions {text}: expected 10, 20 or 10,20 (m).")
    return tuple(sorted({int(part) for part in parts}))


def _layers(text: str | None) -> tuple[str, ...]:
    return tuple(sorted({choice("layers", {"layers": word}) for word in words(text)}))
