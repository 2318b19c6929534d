"""Refused and spared scenes as they are written down."""

import os
from dataclasses import replace
from pathlib import Path

from senard.model.contenders import SPARED
from senard.model.scene import QueriedScene, QueryResult
from tests.steps.test_query_scenes import SCENE
from workflows.choosing import Settled, numbers_of, numbers_text, read_refusals, write_refusals, write_settled
from workflows.mosaic import reasons_of_spared
from workflows.paths import ChoicePaths
from workflows.targets import FileTarget, Stamp


class TestRefusals:
    """Scenes that could not be decoded"""

    def test_are_read_as_they_were_written_in_the_order_of_their_numbers(self, tmp_path: Path) -> None:
        write_refusals(tmp_path / "refused.json", {12: "B12 is empty", 3: "B02 ends at 56° N"})
        found = read_refusals(FileTarget(tmp_path / "refused.json"))
        assert list(found.items()) == [(3, "B02 ends at 56° N"), (12, "B12 is empty")]

    def test_are_none_where_nothing_was_refused(self, tmp_path: Path) -> None:
        assert read_refusals(FileTarget(tmp_path / "refused.json")) == {}

    def test_are_tried_again_by_a_rebuild(self, tmp_path: Path) -> None:
        write_refusals(tmp_path / "refused.json", {3: "B12 is empty"})
        os.utime(tmp_path / "refused.json", ns=(0, 0))
        stamp = Stamp(tmp_path / "rebuild.stamp")
        stamp.join()
        assert read_refusals(FileTarget(tmp_path / "refused.json", stamps=(stamp,))) == {}


class TestSpared:
    """scenes.csv"""

    def test_tells_who_was_spared_from_who_was_never_the_best(self, tmp_path: Path) -> None:
        scenes = [replace(SCENE, product_id=name) for name in ("A", "B", "C")]
        entries = tuple(QueriedScene(product_id=one.product_id, kept=True, reason="", scene=one) for one in scenes)
        choice = ChoicePaths(folder=tmp_path)
        write_settled(choice.settled_without, Settled(without=(), spared=(1, 3), idle=(3,)))
        assert reasons_of_spared(QueryResult(scenes=entries), choice) == {"A": SPARED}


class TestNumbers:
    """Source numbers in a task's parameter"""

    def test_are_ordered_whoever_found_them_first(self) -> None:
        assert numbers_text([12, 3]) == numbers_text({3: "", 12: ""}) == "3,12"
        assert numbers_of("3,12") == [3, 12]
        assert numbers_of(numbers_text([])) == []
