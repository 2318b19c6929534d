"""Which scenes a mosaic can do without."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from senard.algorithms.contenders import gathered, uncontended
from senard.algorithms.tiling import project_area
from senard.errors import IncompleteError
from senard.io.sources_file import CONTENDERS, PARTS, read_spared, write_source_counts, write_spared, write_weights
from senard.model.contenders import Contenders, Spared, Weights
from senard.model.request import MosaicRequest
from senard.model.sources import SourceCounts
from senard.steps.spare_scenes import SMALL_REGRET, expendable, spare_scenes
from tests.algorithms.contended import contended
from tests.steps.test_query_scenes import SCENE

AREA = shapely.box(24.0, 60.0, 24.4, 60.2)
WHOLE = shapely.box(23.0, 59.5, 25.0, 60.5)
CORNER = shapely.box(23.0, 59.5, 24.02, 60.01)
"""Reaches 0.02 x 0.01 of the area's 0.4 x 0.2 degrees: 0.25 %."""

REQUEST = MosaicRequest(name="helsinki", aoi=AREA, first_day=date(2024, 6, 1), last_day=date(2024, 6, 30))


Ground = tuple[float, Mapping[int, float]]
"""Share of the area, and what each scene costs there."""


def contending(*grounds: Ground, request: MosaicRequest = REQUEST) -> Contenders:
    """Pieces of the area for which scenes contend."""
    area_m2 = project_area(AREA, request.crs).area
    return gathered([contended(share * area_m2, costs) for share, costs in grounds])


def write_contenders(folder: Path, scenes: Contenders, parts: Contenders | None = None) -> None:
    """What WeighScenes tells of a tile; of parts nothing, as a rule."""
    write_weights(folder, Weights(scenes=scenes, parts=parts or uncontended({}), ground={}))


def spared(
    footprints: Sequence[BaseGeometry | None],
    *grounds: Ground,
    usable: Sequence[int] | None = None,
    request: MosaicRequest = REQUEST,
) -> list[int]:
    """Source numbers that are spared of scenes that contend for the area."""
    scenes = [replace(SCENE, footprint=footprint) for footprint in footprints]
    numbers = range(1, len(scenes) + 1) if usable is None else usable
    return expendable(request, scenes, numbers, contending(*grounds, request=request), limit=SMALL_REGRET)


class TestSparedScenes:
    """A scene is spared"""

    def test_if_another_shows_its_ground_nearly_as_well(self) -> None:
        assert spared([WHOLE, WHOLE], (0.9, {1: 0.0, 2: 1.0}), (0.1, {1: 0.1, 2: 0.0})) == [2]

    def test_below_a_price_per_pixel_of_its_ground(self) -> None:
        much = (0.9, {1: 0.0, 2: 1.0})
        assert spared([WHOLE, WHOLE], much, (0.1, {1: 10.1 * SMALL_REGRET, 2: 0.0})) == []
        assert spared([WHOLE, WHOLE], much, (0.1, {1: 9.9 * SMALL_REGRET, 2: 0.0})) == [2]

    def test_however_little_it_supplies_only_if_others_saw_that(self) -> None:
        much = (0.9, {1: 0.0, 2: 1.0})
        assert spared([WHOLE, WHOLE], much, (0.006, {2: 0.0}), (0.094, {1: 0.0})) == []
        assert spared([WHOLE, WHOLE], much, (0.004, {2: 0.0}), (0.096, {1: 0.0})) == [2]

    def test_but_not_the_one_that_stands_in_for_it(self) -> None:
        twins = (0.2, {1: 5.0, 2: 0.0, 3: 0.001})
        assert spared([WHOLE, WHOLE, WHOLE], (0.5, {1: 0.0}), twins, (0.3, {1: 5.0, 3: 0.0, 2: 0.002})) == [2]

    def test_too_if_it_supplies_nothing_anyway(self) -> None:
        grounds = (0.9, {1: 0.0, 3: 0.1}), (0.1, {2: 0.0, 1: 0.01, 3: 0.02})
        assert spared([WHOLE, WHOLE, WHOLE], *grounds) == [2, 3]
        assert spared([WHOLE, WHOLE, None], *grounds) == [2, 3]

    def test_for_that_alone(self) -> None:
        assert spared([WHOLE, WHOLE], (1.0, {1: 0.0, 2: 1.0})) == [2]

    def test_not_if_nobody_else_covers_its_ground(self) -> None:
        west = shapely.box(23.0, 59.5, 24.3, 60.5)
        assert spared([west, WHOLE], (0.75, {1: 0.0, 2: 1.0}), (0.001, {2: 0.0})) == []

    def test_if_only_a_rim_is_its_own(self) -> None:
        rim_less = shapely.box(23.0, 59.5, 24.39999, 60.5)
        assert spared([rim_less, WHOLE], (0.9, {1: 0.0, 2: 1.0}), (0.001, {2: 0.0})) == [2]

    def test_not_if_its_ground_is_shared_with_spared_scenes_alone(self) -> None:
        west = shapely.box(23.0, 59.5, 24.3, 60.5)
        east = (0.001, {2: 0.0}), (0.001, {3: 0.0})
        assert spared([west, WHOLE, WHOLE], (0.75, {1: 0.0, 2: 1.0}), *east) == [2]

    def test_not_if_those_who_cover_its_ground_supply_nothing_or_cannot_be_used(self) -> None:
        west = shapely.box(23.0, 59.5, 24.3, 60.5)
        grounds = (0.75, {1: 0.0, 2: 1.0}), (0.001, {2: 0.0})
        assert spared([west, WHOLE, WHOLE], *grounds) == [3]
        assert spared([west, WHOLE, WHOLE], *grounds, usable=[1, 2]) == []

    def test_not_if_its_footprint_is_unknown(self) -> None:
        assert spared([WHOLE, None], (0.9, {1: 0.0}), (0.001, {2: 0.0, 1: 0.1})) == []

    def test_not_for_reaching_but_a_corner_of_the_area(self) -> None:
        much = (0.9, {1: 0.0})
        assert spared([WHOLE, CORNER], much, (0.001, {2: 0.0})) == []
        assert spared([WHOLE, CORNER], much, (0.000004, {2: 0.0})) == [2]

    def test_not_if_it_is_the_last(self) -> None:
        assert spared([WHOLE, WHOLE], (0.001, {1: 0.0}), (0.0015, {2: 0.0})) == [1]

    def test_by_the_tiles_whole_rectangles_where_they_are_not_clipped(self) -> None:
        half = replace(REQUEST, aoi=shapely.Polygon([(24.0, 60.0), (24.4, 60.0), (24.0, 60.2)]))
        grounds = (0.4, {1: 0.0}), (0.004, {2: 0.0})
        assert spared([WHOLE, WHOLE], *grounds, request=half) == []
        assert spared([WHOLE, WHOLE], *grounds, request=replace(half, clip=False)) == [2]

    def test_over_all_tiles_and_below_half_a_percent_where_no_costs_are_known(self, tmp_path: Path) -> None:
        """`--method first` weighs no costs."""
        tiles, masks = [tmp_path / "0", tmp_path / "1"], [tmp_path / "mask"] * 2
        pixels = project_area(AREA, REQUEST.crs).area / 400
        for folder, small in zip(tiles, (0.001, 0.003), strict=True):
            folder.mkdir()
            counts = {1: round(0.4 * pixels), 2: round(small * pixels)}
            write_source_counts(folder, SourceCounts(pixels=counts, clear_pixels={}, levels={}, aoi_pixels=1))
        scenes = [replace(SCENE, footprint=WHOLE)] * 2
        masks[0].mkdir()
        assert spare_scenes(REQUEST, scenes, masks, tiles) == Spared(numbers=(2,), idle=())
        for folder in tiles:
            write_contenders(folder, contending((0.4, {1: 0.0}), (0.003, {2: 0.0})))
        assert spare_scenes(REQUEST, scenes, masks, tiles) == Spared(numbers=(), idle=(), parts=())

    @pytest.mark.parametrize(("changes", "bias"), [({}, 1.07), ({"dem": "a" * 64}, 1.0)])
    def test_as_prices_come_out_on_the_pixels_that_it_is_weighed_on(
        self, tmp_path: Path, changes: dict[str, Any], bias: float
    ) -> None:
        request, scenes = replace(REQUEST, **changes), [replace(SCENE, footprint=WHOLE)] * 2
        for name, price, spared in (("below", 0.99, (2,)), ("above", 1.01, ())):
            (tmp_path / name).mkdir()
            costs = {1: price * bias * SMALL_REGRET / 0.1, 2: 0.0}
            write_contenders(tmp_path / name, contending((0.9, {1: 0.0, 2: 1.0}), (0.1, costs)))
            assert spare_scenes(request, scenes, [tmp_path] * 2, [tmp_path / name]).numbers == spared

    @pytest.mark.parametrize("name", [CONTENDERS, PARTS])
    @pytest.mark.parametrize("kept", [0.0, 0.2, 0.95])
    def test_never_by_what_a_full_disk_left_of_the_weights(self, tmp_path: Path, name: str, kept: float) -> None:
        write_contenders(tmp_path, contending((0.5, {1: 0.0, 2: 1.0})))
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
        with pytest.raises(IncompleteError, match=r"\.npz: .* WeighScenes .* Delete .* same command again"):
            spare_scenes(REQUEST, [SCENE], [tmp_path], [tmp_path])

    @pytest.mark.parametrize("text", ["", '{"numbers": [1', "[]", '{"numbers": [1], "idle": []}'])
    def test_never_by_half_a_list_of_what_is_spared(self, tmp_path: Path, text: str) -> None:
        (path := tmp_path / "spared.json").write_text(text)
        with pytest.raises(IncompleteError, match=r"spared\.json: .* SpareScenes .* Delete it .* same command again"):
            read_spared(path)

    @pytest.mark.parametrize("parts", [None, (), (257, 512)])
    def test_as_it_was_written_down(self, tmp_path: Path, parts: tuple[int, ...] | None) -> None:
        spared = Spared(numbers=(2, 3), idle=(3,), parts=parts)
        write_spared(tmp_path / "spared.json", spared)
        assert read_spared(tmp_path / "spared.json") == spared

    def test_as_idle_if_it_supplies_nothing_of_any_tile(self, tmp_path: Path) -> None:
        for index, costs in enumerate(({1: 0.0, 2: 1.0, 3: 2.0}, {2: 0.0, 1: 0.001})):
            (tmp_path / str(index)).mkdir()
            write_contenders(tmp_path / str(index), contending((0.5, costs)))
        (mask := tmp_path / "mask").mkdir()
        scenes, tiles = [replace(SCENE, footprint=WHOLE)] * 4, [tmp_path / "0", tmp_path / "1"]
        found = spare_scenes(REQUEST, scenes, [mask, mask, mask, None], tiles)
        assert found == Spared(numbers=(2, 3), idle=(3,), parts=())
