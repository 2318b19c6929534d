"""What a run expects of the rest of itself grows truer as it goes on."""

import csv
import json
import sys
from pathlib import Path

from tests.workflows.commands import Site, finish, start

WITNESSED = """
import json, sys
from pathlib import Path
from workflows import closing

told, planned_tasks = Path(sys.argv.pop(1)), closing.planned_tasks

def witnessed(work):
    with told.open("a") as file:
        file.write(json.dumps([len(work.to_judge), list(work.suppliers), work.settled]) + chr(10))
    return planned_tasks(work)

closing.planned_tasks = witnessed
from workflows.cli import main
sys.exit(main())
"""
"""`senard`, telling a file each time what is still to come: scenes to judge, scenes that supply a place, settled."""


class TestWorkToCome:
    """What is still to come"""

    def test_is_told_anew_when_scenes_are_weighed_and_when_they_are_settled(
        self, two_tiles: Path, tmp_path: Path
    ) -> None:
        site = Site(archive=two_tiles, area=two_tiles / "area.geojson", folder=tmp_path)
        told = tmp_path / "told.jsonl"
        done = finish(start([sys.executable, "-c", WITNESSED, told, "mosaic", *site.asked(resolutions="20")], tmp_path))
        assert done.returncode == 0, done.stderr
        works = [json.loads(line) for line in told.read_text().splitlines()]
        assert works[0] == [4, [], False]
        assert all(to_judge == 0 for to_judge, _, _ in works[1:])
        settled = [settled for _, _, settled in works[1:]]
        assert settled == sorted(settled)
        assert set(settled) == {False, True}
        rows = csv.DictReader((site.product() / "scenes.csv").read_text().splitlines())
        winners = [row for row in rows if int(row["pixels"])]
        for _, suppliers, _ in works[1:]:
            assert 0 < max(suppliers) <= len(winners) + 1e-9  # a mean over pieces of the tile
