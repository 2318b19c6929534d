"""Statistics over the dates, band by band or over whole spectra: what they deliver was never observed."""

from collections.abc import Callable

import numpy as np

from bench.quality.mosaic import Mosaic, compose
from bench.quality.peers import kernels
from bench.quality.peers.classes import QUARTERLY_BAD, s2mosaic_clear, without
from bench.quality.season import Season
from senard.model.arrays import BoolArray, Int16Array, UInt16Array

ROWS = 64
"""Rows that are worked on at once: 42 MB for 36 dates."""

GEOMEDIAN_SWEEPS = 40
"""Weiszfeld's steps at most."""

Statistic = Callable[[UInt16Array, BoolArray, UInt16Array], None]


def scl_median(season: Season) -> Mosaic:
    """Median of every band over the observations that the classification calls clear (2, 4, 5, 6, 7).

    Source: the textbook composite; the classes are those in which Sen2Cor saw the ground.
    """
    return _statistic(season, "SCL median", season.scl_clear, lambda s, v, out: kernels.quantile(s, v, 0.5, out))


def first_quartile(season: Season) -> Mosaic:
    """25th percentile of every band over the valid observations.

    Source: Copernicus Data Space documentation, "Sentinel-2 Level 3 Quarterly Mosaics", algorithm: classes 1, 3, 7, 8,
    9, 10 are invalid, then the first quartile of each band. The period here is the season, not three months.
    """
    valid = without(season, QUARTERLY_BAD)
    return _statistic(season, "25th percentile", valid, lambda s, v, out: kernels.quantile(s, v, 0.25, out))


def geomedian(season: Season) -> Mosaic:
    """Geometric median of the spectra that the classification calls clear (2, 4, 5, 6, 7).

    Source: Open Data Cube, odc-algo, `xr_geomedian`: the spectrum of least summed distance. Its cloud mask
    (classes 3, 8, 9, 10 grown by 5 pixels) is not used, so that only the statistic differs from the median.
    """
    sweeps = GEOMEDIAN_SWEEPS
    return _statistic(season, "geomedian", season.scl_clear, lambda s, v, out: kernels.geomedian(s, v, sweeps, out))


def medoid(season: Season) -> Mosaic:
    """The observation nearest to the median of every band.

    Source: DPIRD-DMA/S2Mosaic, aggregation.py, `_medoid_axis0_u16`: squared Euclidean distance over the bands, medians
    of an even number of dates exact, the first of equals; its classes without cloud model are bad {1, 2, 3, 7, 8, 9,
    10}, nodata grown by four pixels of 10 m. This is not the medoid of all pairs of Flood (2013).
    """
    valid = s2mosaic_clear(season)
    source = np.empty(season.shape, dtype=np.int16)
    for start in range(0, season.shape[0], ROWS):
        rows = slice(start, start + ROWS)
        kernels.medoid(season.seen_rows(start, start + ROWS), np.ascontiguousarray(valid[:, rows]), source[rows])
    return Mosaic(name="medoid", source=source, dn=compose(season, source))


def _statistic(season: Season, name: str, valid: BoolArray, statistic: Statistic) -> Mosaic:
    """Run a statistic in slabs of rows, and find the observation nearest to what it gives."""
    bands = season.views[0].seen.shape[0]
    dn = np.empty((bands, *season.shape), dtype=np.uint16)
    source: Int16Array = np.empty(season.shape, dtype=np.int16)
    for start in range(0, season.shape[0], ROWS):
        rows = slice(start, start + ROWS)
        seen, clear = season.seen_rows(start, start + ROWS), np.ascontiguousarray(valid[:, rows])
        slab = np.empty((bands, *clear.shape[1:]), dtype=np.uint16)
        statistic(seen, clear, slab)
        dn[:, rows] = slab
        kernels.nearest(seen, clear, slab, source[rows])
    return Mosaic(name=name, source=source, dn=dn, synthetic=True)
