"""`python -m bench`: what it runs, and what it tells."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.__main__ import PARTS, arguments, growth, ratios
from bench.archive import BenchArchive
from bench.job import _by_kind
from bench.plans import FIRST_DAY, LAST_DAY, SIZES, plan
from bench.table import table
from senard.simulation.acquisition import FULL_SIZE_PX

RUN = {"seconds": 300.0, "cpu_seconds": 400.0, "peak_process_bytes": 2**30, "peak_sum_bytes": 2**31}
JOB = {"run": RUN, "tasks": [{"kind": "MaskScene", "tasks": 8, "seconds": 90.0, "cpu_seconds": 80.0}]}
KINDS = {"decode": {"pieces": 1, "seconds": 100.0, "cpu_seconds": 200.0}}

RECORD: dict[str, Any] = {
    "size": "full",
    "machine": {
        "processor": "a processor",
        "cores": 2,
        "memory_bytes": 2**34,
        "load": 0.1,
        "versions": {"gdal": "3.10"},
        "commit": "abc",
    },
    "archive": {
        "products": ["a.zip"] * 16,
        "bytes": 11_000_000_000,
        "side_px": 10980,
        "bits_per_pixel": {"B02_10": 8.1},
        "area_km2": 11_850.0,
        "made": 0,
        "cpu_seconds": 0.0,
    },
    "processes": 2,
    "jobs": {"8": {**JOB, "scenes_used": 6, "jp2_tiles_decoded": 2000}},
    "growth": {},
}


class TestArguments:
    """All is measured unless a part is named."""

    def test_default_to_everything_at_full_size(self) -> None:
        asked = arguments([])
        assert (asked.size, asked.only, asked.dates) == ("full", PARTS, None)

    def test_name_parts_and_dates(self) -> None:
        asked = arguments(["small", "--only", "job,peers", "--dates", "8,4"])
        assert (asked.size, asked.only, asked.dates) == ("small", ("job", "peers"), (4, 8))

    def test_know_their_parts(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            arguments(["--only", "roof"])
        assert "job, floor, peers, found roof" in capsys.readouterr().err


class TestPlans:
    """Fewer dates are the first of more, and nothing else changes."""

    @pytest.mark.parametrize("size", SIZES)
    def test_have_all_products_of_their_dates(self, size: str) -> None:
        made = plan(size)
        assert len(made.acquisitions) == made.dates[-1] * made.products_per_date
        assert made.floor_dates in made.dates
        assert all(FIRST_DAY <= one.time.date() <= LAST_DAY for one in made.acquisitions)

    def test_full_is_whole_mgrs_tiles(self) -> None:
        made = plan("full")
        assert made.dates == (4, 8, 16)
        assert {one.size_px for one in made.acquisitions} == {FULL_SIZE_PX}

    def test_first_dates_are_spread_over_the_period(self) -> None:
        days = np.sort([one.time.toordinal() for one in plan("full").acquisitions[:4]])
        assert np.diff(days).min() >= 10
        assert days[-1] - days[0] >= 50

    def test_small_is_four_mgrs_tiles_of_two_zones(self) -> None:
        made = plan("small")
        assert {one.mgrs_tile for one in made.acquisitions} == {"31TGK", "31TGL", "32TKQ", "32TKR"}
        assert {one.grid.crs for one in made.acquisitions} == {"EPSG:32631", "EPSG:32632"}

    def test_archive_of_fewer_dates_links_the_first(self, tmp_path: Path) -> None:
        zips = tuple(tmp_path / f"{name}.zip" for name in "abcd")
        for path in zips:
            path.touch()
        whole = BenchArchive(folder=tmp_path, area=plan("tiny").area, products=zips, dates=2, made=0, cpu_seconds=0.0)
        first = whole.first(1, tmp_path / "first")
        assert [path.name for path in first.products] == ["a.zip", "b.zip"]
        assert sorted(path.name for path in first.folder.iterdir()) == ["a.zip", "b.zip"]


class TestFigures:
    """Ratios and growth follow from CPU-seconds."""

    def test_growth_is_percent_of_the_fewer(self) -> None:
        jobs = {number: {"run": {"cpu_seconds": cpu}} for number, cpu in (("16", 500.0), ("8", 400.0), ("4", 320.0))}
        assert growth(jobs) == pytest.approx({"4-8": 25.0, "8-16": 25.0})

    def test_ratio_is_job_over_floor(self) -> None:
        floor = {"runs": {"2": {"cpu_seconds": 200.0, "seconds": 100.0}}}
        assert ratios({"run": RUN}, floor) == {"2": {"cpu": 2.0, "wall": 3.0}}


class TestTasks:
    """Costs of single tasks are summed by their kind."""

    def test_leave_out_what_no_task_did(self) -> None:
        notes = [("MaskScene", 1.0), ("", 9.0), ("MaskScene", 2.0), ("BuildVRT", 0.5)]
        lines = [json.dumps({"task": task, "seconds": cpu, "cpu_seconds": cpu}) for task, cpu in notes]
        made = _by_kind("\n".join([*lines, '{"task": "Broken']))
        assert [(one.kind, one.tasks, one.cpu_seconds) for one in made] == [("MaskScene", 2, 3.0), ("BuildVRT", 1, 0.5)]


class TestTable:
    """What was not measured is not in it."""

    def test_tells_of_the_job_alone(self) -> None:
        text = table(RECORD)
        assert "load before 0.1" in text
        assert text.splitlines()[-2].split() == ["8", "dates", "300.0", "400.0", "6", "1024", "2048"]
        assert "floor" not in text

    def test_tells_of_floor_and_peers(self) -> None:
        record = copy.deepcopy(RECORD)
        run = {"kinds": KINDS, "seconds": 150.0, "cpu_seconds": 250.0, "bytes_written": 10**9}
        record["floor"] = {
            "dates": 8,
            "runs": {"2": run},
            "needed_tiles": 1900,
            "needed_tiles_per_mosaic_tile": 2000,
            "delivered_bytes": 10**9,
        }
        record["ratio"] = ratios(record["jobs"]["8"], record["floor"])
        record["peers"] = {
            "window_px": 5490,
            "dates": 16,
            "runs": [{"name": "senard", "run": RUN, "filled": 1.0}, {"name": "other", "run": RUN, "filled": 0.99}],
            "ratio": {"other": 4.0},
            "versions": {"dask": "1"},
        }
        lines = [line.split() for line in table(json.loads(json.dumps(record))).splitlines()]
        assert ["ratio:", "job", "/", "floor,", "2", "at", "once", "2.00", "1.60"] in lines
        assert ["other", "300.0", "400.0", "4.00", "1024", "2048", "99.00"] in lines
