"""A spectrum that comes again is ground; clouds and snow that went are not."""

import numpy as np
import pytest

from senard.algorithms.background import Background, Reservoir, background, offer
from senard.algorithms.departure import HAZY, Departure
from senard.algorithms.recurring_ground import RELEASED, SUSPECTED, flagged, looks_usual, recognise, release
from senard.algorithms.scoring import Observation, Scored, score
from senard.model.grid import Grid
from senard.model.masks import CLASS_CORE, CLASS_SNOW, CLASS_VALID
from senard.model.request import Buffer
from senard.model.sentinel2 import Scl
from senard.model.sources import FLAG_SNOW

Spectrum = tuple[int, int, int, int]
ROOF: Spectrum = (3300, 3900, 4300, 4100)
MEADOW: Spectrum = (500, 450, 3200, 1800)
ASPHALT: Spectrum = (830, 980, 1060, 1000)
CLOUD: Spectrum = (2700, 2600, 2500, 1900)
WATER: Spectrum = (400, 300, 200, 100)
SNOW: Spectrum = (6500, 6400, 6000, 800)
SHADED_ROOF: Spectrum = (1120, 765, 610, 320)


def reservoir(spectra: list[Spectrum], first_day: int, kept: int) -> Reservoir:
    """One pixel that saw these, a day after another, each a little different."""
    filled = Reservoir.nothing((1, 1), kept)
    for number, spectrum in enumerate(spectra):
        dn = np.rint(np.array(spectrum) * (1 + 0.01 * (number % 3))).astype(np.uint16)[:, None, None]
        index = (dn[0] - 0.5 * dn[1]).astype(np.float32)
        offer(filled, first_day + number, index, np.ones((1, 1), dtype=np.bool_), dn)
    return filled


def found(flagged: list[Spectrum], clear: list[Spectrum]) -> tuple[bool, Reservoir]:
    """Whether the pixel is recognised, and what is kept of it."""
    kept = reservoir(clear, 100, 8)
    return bool(recognise(reservoir(flagged, 0, SUSPECTED), kept)[0, 0]), kept


class TestRecognise:
    """Ground is told from cloud by coming again."""

    def test_finds_a_roof_that_is_always_flagged(self) -> None:
        recurring, kept = found([ROOF] * 5 + [CLOUD, (6000, 5900, 5800, 4000)], [])
        assert recurring
        held = np.isfinite(kept.cost[0, 0])
        assert held.sum() == 5
        assert (np.abs(kept.dn[0, 0, held].astype(int) - ROOF) < 150).all()

    def test_keeps_the_clear_dates_of_a_roof_that_is_mostly_flagged(self) -> None:
        recurring, kept = found([ROOF] * 6, [ROOF] * 2)
        assert recurring
        assert {100, 101} <= set(kept.day[0, 0].tolist())
        assert np.isfinite(kept.cost[0, 0]).all()

    def test_needs_three_dates(self) -> None:
        assert not found([ROOF] * 2, [])[0]

    def test_leaves_ground_alone_that_is_mostly_clear(self) -> None:
        recurring, kept = found([MEADOW] * 3, [MEADOW] * 6)
        assert not recurring
        assert sorted(kept.day[0, 0, :6].tolist()) == list(range(100, 106))

    def test_is_not_deceived_by_clouds_that_are_alike(self) -> None:
        assert not found([CLOUD] * 4, [MEADOW] * 4)[0]

    def test_prefers_asphalt_that_is_called_shadow_to_clouds_over_it(self) -> None:
        recurring, kept = found([CLOUD] * 4 + [ASPHALT] * 10, [])
        assert recurring
        held = np.isfinite(kept.cost[0, 0])
        assert (kept.dn[0, 0, held, 0] < 1000).all()

    def test_is_not_deceived_by_thin_clouds_over_water_that_are_all_alike(self) -> None:
        veiled = (480, 420, 340, 220)
        assert not found([veiled] * 8, [WATER] * 3)[0]
        assert found([WATER] * 8, [])[0], "a lake that is always called shadow"

    def test_finds_a_roof_whose_only_clear_date_was_in_shade(self) -> None:
        assert found([ROOF] * 8, [SHADED_ROOF])[0]
        assert found([ROOF] * 8 + [SHADED_ROOF], [])[0], "shade that is called cloud"
        assert not found([ROOF] * 8, [WATER] * 2)[0], "two dates show water"
        assert not found([ROOF] * 3, [MEADOW])[0], "a meadow is no shade"

    def test_is_not_deceived_by_snow_that_went(self) -> None:
        assert not found([SNOW] * 6, [MEADOW] * 8)[0]

    def test_believes_many_dates_rather_than_a_few_clear_ones_that_differ(self) -> None:
        other = (4500, 4300, 4700, 4500)
        assert found([ROOF] * 8, [other] * 3)[0]
        assert not found([ROOF] * 5, [other] * 3)[0]


def learnt(spectrum: Spectrum) -> Background:
    """What a pixel of this spectrum usually looks like."""
    return background(reservoir([spectrum] * 6, 0, 8), 30, 60)


def looks(spectrum: Spectrum, ground: Spectrum) -> bool:
    judge = np.array(spectrum, dtype=np.uint16)[:, None, None]
    return bool(looks_usual(judge, learnt(ground).values)[0, 0])


class TestLooksUsual:
    """A flagged observation shows its ground"""

    def test_if_no_band_differs_by_much(self) -> None:
        assert looks((3400, 4000, 4400, 4200), ROOF)
        assert not looks((3400, 4000, 4400, 3000), ROOF)

    def test_if_it_is_brighter_and_redder_for_clouds_make_red_ground_bluer(self) -> None:
        edge = (1056, 1332, 2376, 2299)  # of a roof: another orbit puts more of it into the pixel
        assert looks((1399, 1741, 2432, 2336), edge)
        assert not looks((1500, 1732, 2600, 2400), edge), "haze"
        assert not looks((1800, 1990, 2800, 2300), edge), "a tenth of a cloud"
        assert not looks((4200, 4800, 5000, 4900), (3900, 3800, 3700, 3000)), "white ground"


GRID = Grid(crs="EPSG:32631", left=600_000.0, top=4_800_000.0, gsd=60, width=1, height=1)


def observed(scl: Scl, *, bits: int = 0, distance: int = 0) -> tuple[Observation, Scored]:
    """One pixel and its judgement by its own scene."""
    seen = Observation.nothing((1, 1))
    seen.source[:], seen.mask[:, 0, 0], seen.judge[:4] = 1, (CLASS_VALID | bits | scl, distance, 250, 60), 3000
    return seen, score(seen, np.zeros(2, dtype=np.float32), Buffer.THIN)


def found_usual(verdict: int = RELEASED) -> Departure:
    nothing = np.zeros((1, 1), dtype=np.float32)
    return Departure(
        haze=nothing,
        own_haze=nothing,
        dark=nothing,
        verdict=np.full((1, 1), verdict, dtype=np.uint8),
        zone=np.zeros((1, 1), dtype=np.uint8),
    )


class TestFlagged:
    """What looks like cloud or shadow may be ground"""

    @pytest.mark.parametrize(
        ("scl", "bits", "expected"),
        [
            (Scl.CLOUD_HIGH, 0, True),
            (Scl.CLOUD_MEDIUM, CLASS_CORE, True),
            (Scl.CLOUD_HIGH, CLASS_SNOW, True),
            (Scl.SNOW, CLASS_SNOW, False),
            (Scl.NOT_VEGETATED, CLASS_SNOW, False),
        ],
    )
    def test_but_what_is_called_snow_alone_is_left_to_it(self, scl: Scl, bits: int, expected: bool) -> None:
        assert flagged(*observed(scl, bits=bits)).all() == expected

    def test_if_it_lies_beside_a_cloud(self) -> None:
        assert flagged(*observed(Scl.NOT_VEGETATED, distance=2)).all()
        assert not flagged(*observed(Scl.NOT_VEGETATED, distance=3)).any()


class TestRelease:
    """Flagged ground that looks as usual"""

    @pytest.mark.parametrize(("verdict", "level"), [(RELEASED, 2), (RELEASED | HAZY, 3), (0, 5)])
    def test_counts_again(self, verdict: int, level: int) -> None:
        seen, scored = observed(Scl.CLOUD_HIGH)
        released = release(scored, seen, found_usual(verdict), GRID, GRID)
        assert released.level.item() == level
        assert released.clear.item() == (level < 5)

    def test_comes_as_snow_where_it_looks_like_snow(self) -> None:
        seen, scored = observed(Scl.CLOUD_HIGH, bits=CLASS_SNOW)
        released = release(scored, seen, found_usual(), GRID, GRID)
        assert released.level.item() == 4
        assert released.flags.item() & FLAG_SNOW
        assert released.clear.item() == 0
