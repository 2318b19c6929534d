"""A spectrum that comes again is ground; clouds and snow that went are not."""

import numpy as np

from senard.algorithms.background import Reservoir, offer
from senard.algorithms.recurring_ground import SUSPECTED, recognise

Spectrum = tuple[int, int, int, int]
ROOF: Spectrum = (3300, 3900, 4300, 4100)
MEADOW: Spectrum = (500, 450, 3200, 1800)
ASPHALT: Spectrum = (830, 980, 1060, 1000)
CLOUD: Spectrum = (2700, 2600, 2500, 1900)
WATER: Spectrum = (400, 300, 200, 100)
SNOW: Spectrum = (6500, 6400, 6000, 800)


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
        recurring, kept = found([MEADOW] * 4, [MEADOW] * 6)
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

    def test_is_not_deceived_by_snow_that_went(self) -> None:
        assert not found([SNOW] * 6, [MEADOW] * 8)[0]
