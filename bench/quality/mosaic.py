"""What a method makes of a season, whichever method it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bench.quality.season import Season, judged_part
from senard.model.arrays import Float32Array, Int16Array, UInt8Array, UInt16Array

NO_SOURCE = -1
"""`source` of a pixel that a method does not deliver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """One method's result on the season's grid."""

    name: str
    """Column of the table: "medoid"."""

    source: Int16Array
    """(y, x) index of the view that supplies the pixel; of a statistic, the view nearest to it; NO_SOURCE is nodata."""

    dn: UInt16Array
    """(10, y, x) delivered harmonised DN, VIEW_BANDS; 0 is nodata."""

    synthetic: bool = False
    """True for a statistic, whose spectra were never observed."""

    level: UInt8Array | None = None
    """(y, x) quality level 1-5, 0 nodata; None for methods that have none."""

    cost: Float32Array | None = None
    """(y, x) the method's own doubt, higher is worse, levels included; None for methods that have none."""

    flagged_snow: Int16Array | None = None
    """(y, x) 1 where the method itself says snow; None for methods that say nothing."""

    corrections: Mapping[int, Int16Array] = field(default_factory=dict)
    """View to (10, y, x) DN that levelling adds to it; without entry nothing is added."""

    seconds: float = 0.0
    """Wall-clock time from views to mosaic, s."""

    parts: Mapping[str, float] = field(default_factory=dict)
    """Wall-clock time of parts: {"judge": 3.2, "select": 9.7}, s."""

    def judged(self) -> "Mosaic":
        """The part of the square that figures are taken from."""
        return replace(
            self,
            source=judged_part(self.source),
            dn=judged_part(self.dn),
            level=None if self.level is None else judged_part(self.level),
            cost=None if self.cost is None else judged_part(self.cost),
            flagged_snow=None if self.flagged_snow is None else judged_part(self.flagged_snow),
            corrections={view: judged_part(added) for view, added in self.corrections.items()},
        )


def compose(season: Season, source: Int16Array, corrections: Mapping[int, Int16Array] | None = None) -> UInt16Array:
    """Take every pixel from its view.

    Args:
        season: the views.
        source: (y, x) index of a view, NO_SOURCE for none.
        corrections: view to what levelling adds, (10, y, x) DN.

    Returns:
        (10, y, x) uint16, 0 where there is no source.
    """
    out = np.zeros((season.views[0].seen.shape[0], *season.shape), dtype=np.uint16)
    for index, view in enumerate(season.views):
        where = source == index
        if where.any():
            values = view.seen[:, where]
            if corrections and index in corrections:
                shifted = values.astype(np.int32) + corrections[index][:, where]
                values = np.where(values > 0, np.clip(shifted, 1, 65534), 0).astype(np.uint16)
            out[:, where] = values
    return out
