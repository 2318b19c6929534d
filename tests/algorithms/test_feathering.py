"""Borders between two dates made soft."""

import numpy as np
import pytest

from senard.algorithms.feathering import feathered, reach_px, seconds
from senard.algorithms.labelling import Candidates, Choice
from senard.model.sources import FLAG_SNOW, SHARE_UNITS

SHAPE = (12, 20)
BORDER = 10
"""First column of the second date."""


def beside() -> tuple[Choice, Candidates]:
    """Two dates that both saw everything clear and nearly alike; each supplies its half."""
    candidates = Candidates.nothing(SHAPE, kept=3)
    for place, (label, source, dn) in enumerate(((4, 7, 1000), (2, 9, 1150))):
        candidates.label[..., place], candidates.source[..., place], candidates.level[..., place] = label, source, 1
        candidates.dn[..., place, :] = dn
    left = np.arange(SHAPE[1]) < BORDER
    label = np.broadcast_to(np.where(left, 4, 2), SHAPE).astype(np.int16)
    source = np.broadcast_to(np.where(left, 7, 9), SHAPE).astype(np.uint16)
    nothing = np.zeros(SHAPE, np.uint16)
    return Choice(source=source, level=nothing + 1, flags=nothing, cost=nothing, label=label), candidates


def columns(values: np.ndarray) -> list[int]:
    """What all rows hold alike."""
    assert (values == values[0]).all()
    return values[0].tolist()


class TestSeconds:
    """The second scene of a pixel near a border"""

    def test_is_the_one_beyond_it_with_a_share_that_falls_from_a_half_to_nothing(self) -> None:
        found = seconds(*beside(), gsd=20, feather_m=60)
        assert columns(found.source) == [*[0] * 7, 9, 9, 9, 7, 7, 7, *[0] * 7]
        assert columns(found.share) == [*[0] * 7, 83, 250, 417, 417, 250, 83, *[0] * 7]

    def test_reaches_as_far_as_was_asked_for(self) -> None:
        assert columns(seconds(*beside(), gsd=20, feather_m=20).share)[8:12] == [0, 250, 250, 0]
        assert not seconds(*beside(), gsd=20, feather_m=10).share.any()

    @pytest.mark.parametrize("place", [0, 1])
    def test_must_like_the_first_have_seen_the_pixel_at_level_1_without_snow(self, place: int) -> None:
        choice, candidates = beside()
        candidates.level[5, 9, place] = 2
        candidates.flags[6, 9, place] = FLAG_SNOW
        found = seconds(choice, candidates, gsd=20, feather_m=60)
        assert found.source[4:8, 9].tolist() == [9, 0, 0, 9]
        assert found.share[4:8, 9].tolist() == [417, 0, 0, 417]

    def test_must_be_among_the_candidates_of_the_pixel(self) -> None:
        choice, candidates = beside()
        candidates.label[5, 9, 1] = -1
        assert seconds(choice, candidates, gsd=20, feather_m=60).source[4:7, 9].tolist() == [9, 0, 9]

    def test_may_differ_by_less_than_two_hundredths_in_every_judge_band(self) -> None:
        choice, candidates = beside()
        candidates.dn[5, 9, 1, 3], candidates.dn[6, 9, 1, 3] = 1199, 1200
        assert seconds(choice, candidates, gsd=20, feather_m=60).source[4:8, 9].tolist() == [9, 9, 0, 9]

    def test_does_not_depend_on_pixels_farther_away(self) -> None:
        random = np.random.default_rng(1)
        choice, candidates = beside()
        choice.label.setflags(write=True)
        label = np.where(random.random(SHAPE) < 0.2, 6 - choice.label, choice.label).astype(np.int16)
        whole = seconds(
            Choice(source=choice.source, level=choice.level, flags=choice.flags, cost=choice.cost, label=label),
            candidates, 20, 60.0,
        )  # fmt: skip
        reach = reach_px(60.0, 20)
        assert reach == 3
        cut = (slice(1, 11), slice(4, 17))
        parts = {
            name: np.ascontiguousarray(getattr(choice, name)[cut]) for name in ("source", "level", "flags", "cost")
        }
        inner = Candidates(**{name: getattr(candidates, name)[cut] for name in Candidates.__slots__})
        part = seconds(Choice(label=np.ascontiguousarray(label[cut]), **parts), inner, 20, 60.0)
        core = (slice(reach, -reach), slice(reach, -reach))
        np.testing.assert_array_equal(part.share[core], whole.share[cut][core])
        np.testing.assert_array_equal(part.source[core], whole.source[cut][core])


class TestFeathered:
    """A mixed pixel"""

    def test_lies_between_its_dates_nearer_to_the_first(self) -> None:
        first, second = np.full((2, 4, 6), 1000, np.uint16), np.full((2, 4, 6), 1100, np.uint16)
        share = np.array([[0, 250, 417], [0, 0, 500]], np.uint16)
        found, mixed = feathered(first, second, share)
        assert SHARE_UNITS == 1000
        assert found[0, ::2, ::2].tolist() == [[1000, 1025, 1042], [1000, 1000, 1050]]
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_array_equal(mixed, share > 0)

    def test_is_not_mixed_where_one_band_of_one_fine_pixel_differs_or_is_missing(self) -> None:
        first, second = np.full((2, 2, 8), 1000, np.uint16), np.full((2, 2, 8), 1100, np.uint16)
        second[1, 1, 1], second[0, 0, 3], second[1, 0, 4] = 1200, 800, 0
        found, mixed = feathered(first, second, np.full((1, 4), 400, np.uint16))
        assert mixed.tolist() == [[False, False, False, True]]
        assert found[0, 0].tolist() == [*[1000] * 6, 1040, 1040]
