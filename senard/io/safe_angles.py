"""Sun and view angles of a granule's XML, merged to one grid each (product-spec §5)."""

import numpy as np
from lxml import etree

from senard.model.arrays import Float64Array
from senard.model.product import AngleGrid
from senard.model.sentinel2 import BANDS, MOSAIC_BANDS

GRID_NODES = 23
"""Nodes of a full MGRS tile along each side, 5000 m apart: the last lies 200 m beyond the tile."""

NODE_STEP_M = 5000.0
"""Distance of the nodes, m."""

_DELIVERED = frozenset(BANDS[name].band_id for names in MOSAIC_BANDS.values() for name in names)


def read_sun_angles(root: etree._Element) -> AngleGrid:
    """Sun angles at the nodes; the mean over the tile where the XML has no grid; NaN where it has neither."""
    grids = [_grid(element) for element in root.iterfind(".//{*}Sun_Angles_Grid")]
    vectors = [grid for grid in grids if grid is not None]
    if vectors:
        return _angle_grid(*_filled(*_mean(vectors)))
    return _constant(_mean_angles(root, ".//{*}Mean_Sun_Angle"))


def read_view_angles(root: etree._Element) -> AngleGrid:
    """View angles at the nodes: detectors merged per band, bands merged, empty nodes filled from the nearest."""
    elements = list(root.iterfind(".//{*}Viewing_Incidence_Angles_Grids"))
    delivered = sorted((element for element in elements if _band_id(element) in _DELIVERED), key=_band_id)
    bands = [_mean(grids) for grids in _by_band(delivered) or _by_band(elements)]
    bands = [band for band in bands if np.isfinite(band[0]).any()]
    if bands and len({zenith.shape for zenith, _ in bands}) == 1:
        return _angle_grid(*_filled(*_mean(bands)))
    means = _mean_angles(root, ".//{*}Mean_Viewing_Incidence_Angle")
    return _constant(means)


def _by_band(elements: list[etree._Element]) -> list[list[tuple[Float64Array, Float64Array]]]:
    """The grids of every band that has some which can be read."""
    by_band: dict[int, list[tuple[Float64Array, Float64Array]]] = {}
    for element in elements:
        grid = _grid(element)
        if grid is not None:
            by_band.setdefault(_band_id(element), []).append(grid)
    return list(by_band.values())


def _band_id(element: etree._Element) -> int:
    text = element.get("bandId", "")
    return int(text) if text.isdigit() else -1


def _grid(element: etree._Element) -> tuple[Float64Array, Float64Array] | None:
    """Zenith and azimuth of one grid, degrees; None where it cannot be read."""
    zenith, azimuth = (_values(element, kind) for kind in ("Zenith", "Azimuth"))
    if zenith is None or azimuth is None or zenith.shape != azimuth.shape:
        return None
    known = np.isfinite(zenith) & np.isfinite(azimuth)
    return np.where(known, zenith, np.nan), np.where(known, azimuth, np.nan)


def _values(element: etree._Element, kind: str) -> Float64Array | None:
    """Values at the nodes; None for a grid that says nothing: a product without ground has 1 x 2 zeros at step 0."""
    rows = [(row.text or "").split() for row in element.iterfind(f"{{*}}{kind}/{{*}}Values_List/{{*}}VALUES")]
    try:
        steps = {float(element.findtext(f"{{*}}{kind}/{{*}}{step}") or "nan") for step in ("COL_STEP", "ROW_STEP")}
        values = np.array(rows, dtype=np.float64)
    except ValueError:
        return None
    usable = steps == {NODE_STEP_M} and values.ndim == 2 and min(values.shape) >= 2 and np.isfinite(values).any()
    return values if usable else None


def _mean(grids: list[tuple[Float64Array, Float64Array]]) -> tuple[Float64Array, Float64Array]:
    """Mean over grids where they are known: zenith as it is, azimuth by the mean of its sine and cosine."""
    shapes = {zenith.shape for zenith, _ in grids}
    if len(shapes) > 1:  # detectors that disagree about the nodes say nothing together
        grids = [grid for grid in grids if grid[0].shape == max(shapes)]
    zenith = np.stack([grid[0] for grid in grids])
    azimuth = np.deg2rad(np.stack([grid[1] for grid in grids]))
    known = np.isfinite(zenith)
    count = np.maximum(known.sum(axis=0), 1)
    anywhere = known.any(axis=0)

    def mean(values: Float64Array) -> Float64Array:
        return np.where(anywhere, np.where(known, values, 0.0).sum(axis=0) / count, np.nan)

    bearing = np.rad2deg(np.arctan2(mean(np.sin(azimuth)), mean(np.cos(azimuth)))) % 360
    return mean(zenith), bearing


def _filled(zenith: Float64Array, azimuth: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Empty nodes take the value of the nearest known one."""
    empty = ~np.isfinite(zenith)
    if not empty.any():
        return zenith, azimuth
    from scipy.ndimage import distance_transform_edt  # 0.2 s: at the edges of a swath alone

    nearest = tuple(distance_transform_edt(empty, return_distances=False, return_indices=True))
    return zenith[nearest], azimuth[nearest]


def _mean_angles(root: etree._Element, path: str) -> tuple[float, float]:
    """Mean zenith and azimuth that these elements state, of delivered bands where bands are told apart; NaN: none."""
    pairs = []
    for element in root.iterfind(path):
        texts = [element.findtext(f"{{*}}{name}") for name in ("ZENITH_ANGLE", "AZIMUTH_ANGLE")]
        try:
            pairs.append((_band_id(element), float(texts[0] or "nan"), float(texts[1] or "nan")))
        except ValueError:
            continue
    known = [pair for pair in pairs if np.isfinite(pair[1]) and np.isfinite(pair[2])]
    known = [pair for pair in known if pair[0] in _DELIVERED] or known
    if not known:
        return float("nan"), float("nan")
    zenith, azimuth = _mean([(np.full((1, 1), pair[1]), np.full((1, 1), pair[2])) for pair in known])
    return float(zenith[0, 0]), float(azimuth[0, 0])


def _constant(angles: tuple[float, float]) -> AngleGrid:
    shape = (GRID_NODES, GRID_NODES)
    return _angle_grid(np.full(shape, angles[0]), np.full(shape, angles[1]))


def _angle_grid(zenith: Float64Array, azimuth: Float64Array) -> AngleGrid:
    return AngleGrid(zenith=zenith.astype(np.float32), azimuth=azimuth.astype(np.float32))
