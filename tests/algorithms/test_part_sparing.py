"""Which parts of scenes a mosaic can do without."""

from collections.abc import Collection, Mapping

from senard.algorithms.contenders import gathered
from senard.algorithms.part_sparing import GAP_REGRET, supplying_parts
from tests.algorithms.contended import contended

LIMIT = 0.02
ALIKE = (0, 1, 1, 1, 4, 4)
"""Scenes 1, 2, 3 are of one MGRS tile, 4 and 5 of another."""

PART_M2 = 1000.0


def part(source: int, place: int) -> int:
    return 256 * source + place


def supplying(
    *grounds: tuple[float, Mapping[int, float]], spared: Collection[int] = (), ground: Mapping[int, float] | None = None
) -> tuple[int, ...]:
    """Parts that supply, where each piece of ground has a share of a part and costs by part."""
    parts = [contended(share * PART_M2, costs) for share, costs in grounds]
    tiles = {part(first, place): PART_M2 for first in (1, 4) for place in range(256)}
    return supplying_parts(gathered(parts), tiles if ground is None else ground, ALIKE, spared, limit=LIMIT)


class TestParts:
    """A part is spared"""

    def test_below_a_price_per_pixel_of_its_ground(self) -> None:
        one, two = part(1, 5), part(2, 5)
        for price, expected in ((0.9 * LIMIT, (one,)), (1.1 * LIMIT, (one, two))):
            assert supplying((0.9, {one: 0.0, two: 1.0}), (0.1, {two: 0.0, one: price / 0.1})) == expected

    def test_on_its_own_ground_alone(self) -> None:
        """What a scene is worth elsewhere does not count."""
        here, there = (0.95, {part(1, 5): 0.0, part(2, 5): 0.1}), (0.9, {part(2, 6): 0.0, part(1, 6): 3.0})
        little = (0.05, {part(2, 5): 0.0, part(1, 5): 0.1})
        assert supplying(here, there, little) == (part(1, 5), part(2, 6))

    def test_if_it_is_the_best_nowhere(self) -> None:
        assert supplying((1.0, {part(2, 0): 0.0, part(1, 0): 0.5})) == (part(2, 0),)

    def test_one_after_the_other_so_that_one_of_two_twins_stays(self) -> None:
        twins = (0.2, {part(2, 5): 0.0, part(3, 5): 0.001, part(1, 5): 3.0})
        found = supplying((0.5, {part(1, 5): 0.0}), twins, (0.3, {part(3, 5): 0.0, part(2, 5): 0.002, part(1, 5): 3.0}))
        assert found == (part(1, 5), part(3, 5))

    def test_seldom_if_nobody_else_shows_some_of_its_ground(self) -> None:
        for share, expected in ((1.1, (part(1, 5), part(2, 5))), (0.9, (part(1, 5),))):
            own = share * LIMIT / GAP_REGRET
            assert supplying((0.9, {part(1, 5): 0.0}), (own, {part(2, 5): 0.0})) == expected

    def test_with_its_scene(self) -> None:
        assert supplying((0.5, {part(1, 5): 0.0, part(2, 5): 3.0}), spared=[1]) == (part(2, 5),)

    def test_if_parts_of_another_mgrs_tile_show_its_ground(self) -> None:
        """MGRS tiles follow each other: who is left of the second is not known to be spared yet."""
        both = (0.5, {part(1, 10): 0.0, part(4, 0): 0.001}), (0.5, {part(4, 0): 0.0, part(1, 10): 0.001})
        assert supplying(*both) == (part(4, 0),)

    def test_and_is_nobodys_stand_in_then(self) -> None:
        """What is the best nowhere in the first MGRS tile does not make the second one's scenes cheaper."""
        grounds = (0.5, {part(1, 10): 0.0, part(2, 10): 0.1}), (0.1, {part(4, 0): 0.0, part(2, 10): 0.1})
        assert supplying(*grounds) == (part(1, 10), part(4, 0))
        assert supplying(*grounds, (0.01, {part(2, 10): 0.0, part(4, 0): 2.5})) == (part(1, 10), part(2, 10))

    def test_for_the_price_of_all_ground_that_is_to_be_filled_there(self) -> None:
        """Little of a part may be asked for: then little of it is much."""
        ground = {part(1, 5): PART_M2, part(1, 6): PART_M2 / 20}
        much = (0.9, {part(1, 5): 0.0, part(2, 5): 1.0}), (0.04, {part(1, 6): 0.0, part(2, 6): 1.0})
        little = (0.01, {part(2, 5): 0.0, part(1, 5): 1.0}), (0.01, {part(2, 6): 0.0, part(1, 6): 1.0})
        assert supplying(*much, *little, ground=ground) == (part(1, 5), part(1, 6), part(2, 6))

    def test_nowhere_where_nobody_contends(self) -> None:
        assert supplying() == ()
