"""Parts of scenes: what one internal tile of 10 m bands holds."""

from dataclasses import replace

import numpy as np

from senard.algorithms.part_kernels import hold_back
from senard.algorithms.scene_parts import (
    PART_PX,
    RESERVE,
    STEP_PX,
    first_alike,
    part_number,
    place_of,
    ranks_of_squares,
    share_that_supplies,
    source_of,
)
from tests.steps.test_query_scenes import SCENE

WHOLE = (5490, 5490)
SIDE = PART_PX // STEP_PX
"""Squares along a part."""


class TestNumbers:
    """A part's number"""

    def test_tells_its_scene_and_its_internal_tile(self) -> None:
        part = part_number(300, np.array([0, 511, 512, 5489]), np.array([0, 512, 511, 5489]))
        assert source_of(part).tolist() == [300] * 4
        assert place_of(part).tolist() == [0, 1, 16, 10 * 16 + 10]
        assert len(set(part.tolist())) == 4

    def test_stands_for_the_same_ground_in_all_scenes_of_an_mgrs_tile(self) -> None:
        scenes = [replace(SCENE, mgrs_tile=name) for name in ("35VLG", "34VFM", "35VLG", "34VFM")]
        assert first_alike(scenes) == (0, 1, 2, 1, 2)


class TestShare:
    """Of the parts of some scenes"""

    def test_counts_what_supplies_where_any_of_their_mgrs_tile_does(self) -> None:
        parts = [1 * 256 + 3, 3 * 256 + 3, 1 * 256 + 4, 2 * 256 + 9]
        alike = (0, 1, 2, 1, 1)
        assert share_that_supplies(parts, [1, 2, 3, 4], alike) == 4 / (2 * 3 + 1)
        assert share_that_supplies([], [], alike) == 1


class TestRanks:
    """Of a scene that is spared in parts"""

    def test_only_the_others_may_supply(self) -> None:
        ranks = ranks_of_squares({17}, range(256), WHOLE)
        own = ranks[SIDE : 2 * SIDE, SIDE : 2 * SIDE]
        assert (own[1:-1, 1:-1] == 1).all()
        assert np.count_nonzero(ranks) == SIDE**2

    def test_what_lies_along_a_border_comes_last(self) -> None:
        """Resampling reaches over it, so that another internal tile would be decoded."""
        own = ranks_of_squares({17}, range(256), WHOLE)[SIDE : 2 * SIDE, SIDE : 2 * SIDE]
        rim = np.ones_like(own, dtype=np.bool_)
        rim[1:-1, 1:-1] = False
        assert (own[rim] == 1 + RESERVE).all()

    def test_but_not_along_one_that_no_internal_tile_lies_beyond(self) -> None:
        ranks = ranks_of_squares({0, 1, 16, 17}, range(256), WHOLE)
        assert (ranks[: 2 * SIDE - 1, : 2 * SIDE - 1] == 1).all()
        last = ranks_of_squares({170}, range(256), WHOLE)[10 * SIDE :, 10 * SIDE :]
        assert (last[1:, 1:] == 1).all()
        assert (last[0] == 1 + RESERVE).all()

    def test_all_may_where_no_scene_is_known_to_be_worth_more(self) -> None:
        ranks = ranks_of_squares({0}, {0, 1}, WHOLE)
        assert (ranks[:SIDE, SIDE : 2 * SIDE] == 0).all()
        assert (ranks[SIDE:] == 1 + RESERVE).all()


class TestHolding:
    """Pixels of spared parts"""

    def test_are_left_out_or_come_later(self) -> None:
        row, col = (np.arange(4, dtype=np.int16)[:, np.newaxis] * np.ones(4, np.int16) for _ in range(2))
        ranks = np.array([[1]], dtype=np.uint8)
        allowed, sources = np.ones((4, 4), dtype=np.uint8), np.full((4, 4), 2, dtype=np.uint16)
        allowed[0], sources[:, 0] = 0, 3
        for rank in (1, 1 + RESERVE, 0):
            ranks[:] = rank
            asked = allowed.copy()
            hold_back(asked, sources, 2, row, col, ranks)
            assert (asked[0] == 0).all()
            assert (asked[1:, 0] == 1).all(), "another scene is seen there"
            assert (asked[1:, 1:] == rank).all()
