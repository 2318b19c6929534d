"""A land cover decides where spectra leave a doubt, and nothing else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from senard.algorithms.background import REFERENCES, Background, Reservoir, offer
from senard.algorithms.departure import HAZY, SHADED, depart
from senard.algorithms.landcover import Covers
from senard.algorithms.recurring_ground import SUSPECTED, recognise
from senard.algorithms.scoring import Observation, Scored
from senard.model.arrays import BoolArray
from senard.model.grid import Grid
from senard.model.land import Cover
from senard.model.masks import HAZE_ZERO
from senard.model.sources import FLAG_BUFFER, FLAG_SNOW

TREES = 10
GRID = Grid(crs="EPSG:32632", left=0.0, top=600.0, gsd=60, width=10, height=10)
BRIGHT_ROOF = (3000, 3200, 3500, 3100)
"""B02, B04, B8A, B11, DN."""
FRESH_SNOW = (8000, 7900, 7500, 900)


def covers(code: int) -> Covers:
    return Covers(codes=np.full(GRID.shape, code, dtype=np.uint8))


def snowy(spectrum: tuple[int, ...], *, scl: int = 11, flags: int = FLAG_SNOW) -> tuple[Scored, Observation]:
    """An observation that its product calls snow."""
    seen = Observation.nothing(GRID.shape)
    seen.source[:] = 1
    seen.mask[0] = scl
    seen.judge[:4] = np.array(spectrum, dtype=np.uint16)[:, None, None]
    level = np.full(GRID.shape, 4, dtype=np.uint8)
    zeros = np.zeros(GRID.shape, dtype=np.uint8)
    return Scored(level=level, cost=np.zeros(GRID.shape, np.float32), flags=zeros | np.uint8(flags), clear=zeros), seen


def judged(code: int, spectrum: tuple[int, ...] = BRIGHT_ROOF, *, zenith: float = 35.0, **changes: int) -> Scored:
    sun = np.array([[0, 0], [zenith, 160]], dtype=np.float32)
    scored, seen = snowy(spectrum, **changes)
    return covers(code).without_false_snow(scored, seen, sun, GRID, GRID)


class TestFalseSnow:
    """In summer, snow on roofs, sand and water must look like snow."""

    @pytest.mark.parametrize("code", [Cover.BUILT, Cover.BARE, Cover.WATER])
    def test_is_ground(self, code: int) -> None:
        found = judged(code)
        assert (found.level == 1).all()
        assert (found.clear == 1).all()
        assert not found.flags.any()

    @pytest.mark.parametrize(
        "why",
        [
            {"code": TREES},
            {"code": Cover.UNKNOWN},
            {"code": Cover.ICE},
            {"code": Cover.BUILT, "spectrum": FRESH_SNOW},
            {"code": Cover.BUILT, "zenith": 60.0},
        ],
        ids=["on other ground", "where nothing is known", "on ice", "with the spectrum of snow", "under a low sun"],
    )
    def test_is_believed(self, why: dict[str, Any]) -> None:
        found = judged(**why)
        assert (found.level == 4).all()
        assert (found.flags == FLAG_SNOW).all()

    def test_stays_a_last_resort_beside_a_cloud_or_saturated(self) -> None:
        near = judged(Cover.BUILT, flags=FLAG_SNOW | FLAG_BUFFER)
        assert (near.level == 4).all()
        assert (near.flags == FLAG_BUFFER).all()
        saturated = judged(Cover.BUILT, scl=1)
        assert (saturated.level == 4).all()
        assert not saturated.clear.any()

    def test_takes_the_cover_of_the_pixel_around(self) -> None:
        grid = replace(GRID, left=60.0, top=540.0, gsd=20, width=6, height=6)
        land = covers(TREES)
        land.codes[1, 2] = Cover.BUILT
        scored, seen = snowy(BRIGHT_ROOF)
        small = Scored(**{name: getattr(scored, name)[:6, :6] for name in ("level", "cost", "flags", "clear")})
        cut = Observation(
            source=seen.source[:6, :6],
            mask=seen.mask[:, :6, :6],
            judge=seen.judge[:, :6, :6],
        )
        found = land.without_false_snow(small, cut, np.array([[0, 0], [35, 160]], np.float32), grid, GRID)
        assert (found.level[:3, 3:] == 1).all()
        assert (found.level == 1).sum() == 9


class TestIceAndBright:
    """Codes say where snow is the ground and where ground is bright."""

    def test_by_their_meaning(self) -> None:
        codes = np.array([[0, 10, 50, 60, 70, 80, 100]], dtype=np.uint8)
        land = Covers(codes=codes)
        assert land.bright.tolist() == [[False, False, True, True, False, False, False]]
        assert land.ice.tolist() == [[False, False, False, False, True, False, False]]


class TestWater:
    """Water is where the land cover says so; where it says nothing, darkness tells."""

    def test_takes_the_place_of_darkness(self) -> None:
        land = Covers(codes=np.array([[80, 80, 10, 10, 0, 0]], dtype=np.uint8))
        dark = np.array([[True, False, True, False, True, False]])
        assert land.water(dark).tolist() == [[True, True, False, False, True, False]]

    @pytest.mark.parametrize(("water", "verdict"), [(True, 0), (False, SHADED)])
    def test_is_shaded_by_what_blue_says_alone(self, water: bool, verdict: int) -> None:
        """Ground whose NIR is usually 0.05, a dark forest or a pond, at half its brightness."""
        assert self.verdict_on((300, 150, 250, 150), water=water) == verdict

    @pytest.mark.parametrize(("water", "verdict"), [(True, 0), (False, HAZY)])
    def test_may_glint(self, water: bool, verdict: int) -> None:
        """Blue, red and SWIR risen alike."""
        assert self.verdict_on((600, 600, 800, 600), water=water) == verdict

    def verdict_on(self, spectrum: tuple[int, ...], *, water: bool) -> int:
        usual = np.array([300 - 150, 300, 300, 300, 500, 300, 300, 300], dtype=np.float32)
        values = np.broadcast_to(usual[:, None, None], (len(REFERENCES), *GRID.shape)).copy()
        background = Background(
            values=values,
            count=np.full(GRID.shape, 8, dtype=np.uint8),
            distance_days=np.zeros(GRID.shape, dtype=np.float32),
        )
        judge = np.zeros((7, *GRID.shape), dtype=np.uint16)
        judge[:4] = np.array(spectrum, dtype=np.uint16)[:, None, None]
        judge[5] = HAZE_ZERO
        known: BoolArray = np.full(GRID.shape, water)
        found = depart(judge, np.ones(GRID.shape, np.bool_), background, 0, GRID, known)
        return int(found.verdict[5, 5])


class TestBrightGround:
    """Where bright ground is to be expected, fewer flagged dates that look alike tell it."""

    @pytest.mark.parametrize(("bright", "dates"), [(True, 2), (False, 3)])
    def test_is_known_after_fewer_dates(self, bright: bool, dates: int) -> None:
        sand = (2000, 2600, 2900, 3100)
        assert self.found(sand, dates, bright=bright)
        assert not self.found(sand, dates - 1, bright=bright)

    @pytest.mark.parametrize("bright", [True, False])
    def test_is_known_no_sooner_if_it_is_as_white_as_a_cloud(self, bright: bool) -> None:
        white = (3000, 2900, 2900, 2600)
        assert self.found(white, 6, bright=bright)
        assert not self.found(white, 5, bright=bright)

    def found(self, spectrum: tuple[int, ...], dates: int, *, bright: bool) -> bool:
        suspected, kept = Reservoir.nothing((1, 1), SUSPECTED), Reservoir.nothing((1, 1))
        for day in range(dates):
            dn = np.array(spectrum, dtype=np.uint16)[:, None, None] + np.uint16(3 * day)
            cost = np.full((1, 1), float(day), dtype=np.float32)
            offer(suspected, 10 * day, cost, np.ones((1, 1), np.bool_), dn)
        return bool(recognise(suspected, kept, np.full((1, 1), bright))[0, 0])
