"""What a request says of the land: rasters that were given, known by their content."""

from collections.abc import Mapping
from pathlib import Path

from shapely.geometry.base import BaseGeometry

from senard.errors import RequestError
from senard.io.given_raster import covered_share, raster_digest
from senard.model.options import option

LAND_OPTIONS = ("dem", "landcover")
"""Options that give rasters of the land: their content belongs to the request, their place only to the run."""

_BEYOND = {
    "dem": "beyond it the ground counts as flat",
    "landcover": "beyond it nothing is known of it",
}


def land_digest(name: str, given: Mapping[str, Path]) -> str | None:
    """What names the content of a raster.

    Args:
        name: of the option.
        given: option name to raster.

    Returns:
        64 hex digits; None if it was not given.

    Raises:
        RequestError: if it is no raster that can be used.
    """
    return raster_digest(given[name], option(name).flag) if name in given else None


def land_warnings(given: Mapping[str, Path], area: BaseGeometry) -> list[str]:
    """What a person should know of rasters that do not cover an area.

    Args:
        given: option name to raster.
        area: polygons, lon/lat (EPSG:4326).

    Raises:
        RequestError: if one does not touch the area at all.
    """
    told = []
    for name, path in given.items():
        flag = option(name).flag
        share = covered_share(path, flag, area)
        if share == 0:
            west, south, east, north = area.bounds
            raise RequestError(
                f"{flag} {path}: does not touch the area, which reaches from {west:.3f} to {east:.3f} degrees of "
                f"longitude and from {south:.3f} to {north:.3f} of latitude. Give one that covers it, or leave it out."
            )
        if share < 1:
            told.append(f"{flag} {path.name} covers {100 * share:.0f} % of the area; {_BEYOND[name]}.")
    return told
