"""Ground that scenes, or parts of scenes, contend for."""

from collections.abc import Mapping

import numpy as np

from senard.model.contenders import PLACES, REGRET_CAP, Contenders


def contended(m2: float, costs: Mapping[int, float]) -> Contenders:
    """One piece of ground, and what each contender costs there."""
    ranked = sorted(costs, key=costs.__getitem__)
    supplier, regret = np.zeros((1, PLACES), dtype=np.uint32), np.full((1, PLACES), REGRET_CAP)
    supplier[0, : len(ranked)] = ranked
    regret[0, : len(ranked)] = [costs[one] - costs[ranked[0]] for one in ranked]
    return Contenders(supplier=supplier, regret=regret * m2, area=np.array([m2]))
