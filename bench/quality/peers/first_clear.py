"""The clearest scene first, then the next where it is not clear."""

import numpy as np

from bench.quality.mosaic import NO_SOURCE, Mosaic, compose
from bench.quality.peers.classes import s2mosaic_clear
from bench.quality.season import Season


def first_clear(season: Season) -> Mosaic:
    """Fill from the scene with the most valid pixels, then from the next, wherever a scene is clear.

    Source: DPIRD-DMA/S2Mosaic, aggregation.py, `tile_first`, and masking.py without cloud model: bad classes {1, 2, 3,
    7, 8, 9, 10}, nodata grown by four pixels of 10 m. Two things are in its favour here: scenes are ordered by their
    clear pixels in the area itself (there by the tile's metadata), and orbits do not take turns.
    """
    valid = s2mosaic_clear(season)
    order = np.argsort(-valid.sum(axis=(1, 2)), kind="stable")
    source = np.full(season.shape, NO_SOURCE, dtype=np.int16)
    for index in order:
        source[(source == NO_SOURCE) & valid[index]] = index
    return Mosaic(name="first clear", source=source, dn=compose(season, source))
