"""All peers by name."""

from collections.abc import Callable, Mapping

from bench.quality.mosaic import Mosaic
from bench.quality.peers.first_clear import first_clear
from bench.quality.peers.force_bap import force_bap
from bench.quality.peers.openeo_bap import openeo_bap
from bench.quality.peers.statistics import first_quartile, geomedian, medoid, scl_median
from bench.quality.season import Season

PEERS: Mapping[str, Callable[[Season], Mosaic]] = {
    "median": scl_median,
    "percentile25": first_quartile,
    "medoid": medoid,
    "first": first_clear,
    "openeo": openeo_bap,
    "force": force_bap,
    "geomedian": geomedian,
}
"""Name on the command line to the method."""

USUAL_PEERS = tuple(name for name in PEERS if name != "geomedian")
"""Those that are run where none is named."""

BRACKET_PEERS = ("medoid", "first clear", "openEO BAP")
"""Columns that tell how hard a sky is."""
