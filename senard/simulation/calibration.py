"""How a simulated sky errs: what its scene classification misses and invents, and how haze fades beside clouds.

The figures to compare with, all of real products, are in docs/explanation/simulated-sky.md.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from senard.model.arrays import BoolArray, Float64Array
from senard.model.sentinel2 import SCL_CLEAR, Scl
from senard.simulation.ground import BRIGHT_ROOF, CLEAR_WATER, SALT, SAND, TURBID_WATER
from senard.simulation.sky import CLOUD, HAZE, SHADOW, SMOKE, SNOW_ON_GROUND
from senard.simulation.stack import VIEW_BANDS, SimulatedView
from senard.simulation.weather import weather_of

CONTAMINATED = CLOUD | SHADOW | HAZE | SMOKE
"""Bits of the truth that make a pixel bad."""

RINGS_M = (0, 150, 300, 600, 1200, 2400)
"""Borders of the rings around what SCL takes for cloud or shadow, m."""

THIN_DN = 900
"""Cloud that brightens blue by less than this is thin, DN."""

_BLUE, _RED, _NIR = (VIEW_BANDS.index(name) for name in ("B02", "B04", "B8A"))
_CLOUDY = (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.THIN_CIRRUS)
_SURE = (Scl.VEGETATION, Scl.NOT_VEGETATED, Scl.WATER)


@dataclass(slots=True)
class Share:
    """A share that is counted in parts."""

    part: int = 0
    """Pixels that are."""

    whole: int = 0
    """Pixels that could be."""

    def add(self, part: BoolArray, whole: BoolArray) -> None:
        """Count those of `whole` that are in `part`."""
        self.part += int(np.count_nonzero(part & whole))
        self.whole += int(np.count_nonzero(whole))

    @property
    def percent(self) -> float:
        """0-100; NaN where nothing was counted."""
        return 100.0 * self.part / self.whole if self.whole else float("nan")


@dataclass(slots=True)
class Ring:
    """SCL-clear pixels at some distance from what SCL takes for cloud or shadow."""

    hazy: Share = field(default_factory=Share)
    """Haze anomaly (B02 − B04/2, seen less true) above 0.014."""

    very_hazy: Share = field(default_factory=Share)
    """Above 0.03."""

    dark: Share = field(default_factory=Share)
    """Red and NIR below 0.86 of the truth."""


@dataclass(slots=True)
class SkyTally:
    """Counts over any number of views."""

    cloud_missed: Share = field(default_factory=Share)
    """True cloud that SCL does not call 8, 9 or 10."""

    thin_missed: Share = field(default_factory=Share)
    """The same for thin cloud."""

    shadow_missed: Share = field(default_factory=Share)
    """True shade outside clouds that SCL calls neither shadow nor cloud."""

    land_flagged: Share = field(default_factory=Share)
    """Clean land without snow, roofs and sand that SCL calls shadow or cloud."""

    bright_flagged: Share = field(default_factory=Share)
    """Clean roofs, sand and salt that SCL calls shadow or cloud."""

    clean: Share = field(default_factory=Share)
    """SCL-clear pixels (2, 4, 5, 6, 7) that are truly clean."""

    rings: tuple[Ring, ...] = field(default_factory=lambda: tuple(Ring() for _ in RINGS_M[1:]))
    """Between RINGS_M, of dates without a field of haze and with 25 to 80 % of cloud in SCL."""

    def add(self, view: SimulatedView) -> None:
        """Count one view."""
        seen = view.scl != Scl.NO_DATA
        cloud = (view.sky & CLOUD > 0) & seen
        cloudy = np.isin(view.scl, _CLOUDY)
        flagged = cloudy | (view.scl == Scl.CLOUD_SHADOW)
        brightened = view.seen[_BLUE].astype(np.int32) - view.ground[_BLUE]
        self.cloud_missed.add(~cloudy, cloud)
        self.thin_missed.add(~cloudy, cloud & (brightened < THIN_DN))
        self.shadow_missed.add(~flagged, (view.sky & SHADOW > 0) & ~cloud & seen)
        clean = (view.sky & CONTAMINATED == 0) & seen
        bright = np.isin(view.cover, (BRIGHT_ROOF, SAND, SALT))
        water = np.isin(view.cover, (CLEAR_WATER, TURBID_WATER))
        self.bright_flagged.add(flagged, clean & bright)
        self.land_flagged.add(flagged, clean & ~bright & ~water & (view.sky & SNOW_ON_GROUND == 0))
        self.clean.add(clean, np.isin(view.scl, [int(value) for value in SCL_CLEAR]))
        if weather_of(view.acquisition).haze > 8 and 0.25 < cloudy.mean() < 0.8:
            self._add_rings(view, flagged)

    def _add_rings(self, view: SimulatedView, flagged: BoolArray) -> None:
        gsd = 10.0 * view.acquisition.size_px / view.scl.shape[0]
        distance = ndimage.distance_transform_edt(~flagged) * gsd
        anomaly = _haze(view.seen) - _haze(view.ground)
        dark = (view.seen[_RED] < 0.86 * view.ground[_RED]) & (view.seen[_NIR] < 0.86 * view.ground[_NIR])
        clear = np.isin(view.scl, _SURE)
        for ring, low, high in zip(self.rings, RINGS_M, RINGS_M[1:], strict=False):
            here = clear & (distance > low) & (distance <= high)
            ring.hazy.add(anomaly > 0.014, here)
            ring.very_hazy.add(anomaly > 0.03, here)
            ring.dark.add(dark, here)

    def table(self) -> str:
        """The figures as lines of Markdown."""
        lines = ["| what | % |", "|---|---|"]
        for name, share in (
            ("cloud missed", self.cloud_missed),
            ("thin cloud missed", self.thin_missed),
            ("shadow missed", self.shadow_missed),
            ("clean land flagged", self.land_flagged),
            ("clean roofs, sand and salt flagged", self.bright_flagged),
            ("SCL-clear and truly clean", self.clean),
        ):
            lines.append(f"| {name} | {share.percent:.1f} |")
        lines += ["", "| beside SCL cloud | ΔHOT > 0.014, % | ΔHOT > 0.03, % | dark, % |", "|---|---|---|---|"]
        for ring, low, high in zip(self.rings, RINGS_M, RINGS_M[1:], strict=False):
            shares = f"{ring.hazy.percent:.1f} | {ring.very_hazy.percent:.1f} | {ring.dark.percent:.1f}"
            lines.append(f"| {low}-{high} m | {shares} |")
        return "\n".join(lines)


def _haze(bands: np.ndarray) -> Float64Array:
    """B02 − B04/2, reflectance."""
    return np.asarray((bands[_BLUE].astype(np.float64) - 0.5 * bands[_RED]) / 10_000)
