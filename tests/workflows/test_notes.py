"""Figures of a run from the notes of its tasks."""

import json
import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from senard.model.run import RunFigures
from workflows.closing import closing_line, closing_line_of_product, closing_line_so_far
from workflows.gauge import Gauge
from workflows.notes import add_found, add_note, read_figures

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def note(at_s: float, task: str = "", **values: object) -> str:
    """A line that some worker wrote, so many seconds after noon."""
    usual = {"seconds": 0.0, "process": "alpha 1", "cpu_seconds": 0.0, "peak_memory_bytes": 10}
    return json.dumps({"task": task, "finished": (NOON + timedelta(seconds=at_s)).isoformat(), **usual, **values})


def figures(folder: Path, *lines: str) -> RunFigures:
    (folder / "notes.jsonl").write_text("\n".join(lines) + "\n")
    return read_figures([folder / "notes.jsonl"], now=NOON + timedelta(hours=2))


def read_a_product(folder: Path) -> None:
    """A task, and its note."""
    begun = Gauge.now()
    (folder / "product.zip").read_bytes()
    add_note(folder / "notes.jsonl", "Unzip", 1.0, begun=begun)


class TestNotes:
    """The notes of a run"""

    def test_add_up_to_its_figures(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.jsonl"
        add_note(path, "MaskScene", 2.0)
        add_note(path, "CompositeTile", 1.0)
        figures = read_figures([path])
        assert figures.started is not None
        assert figures.finished is not None
        assert 2.0 <= (figures.finished - figures.started).total_seconds() < 60
        assert figures.workers == 2  # both ran in the last second
        assert len(figures.hosts) == 1
        assert figures.peak_memory_bytes is not None
        assert figures.peak_memory_bytes > 10**6

    def test_count_the_bytes_that_were_read(self, tmp_path: Path) -> None:
        """Once, though the system counts what a process has read again for the one that began it."""
        (tmp_path / "product.zip").write_bytes(bytes(5_000_000))
        for _ in range(2):
            process = multiprocessing.get_context("spawn").Process(target=read_a_product, args=(tmp_path,))
            process.start()
            process.join()
        read_a_product(tmp_path)
        read = read_figures([tmp_path / "notes.jsonl"]).bytes_read
        assert read is not None
        assert 15_000_000 <= read < 16_000_000

    def test_survive_a_line_that_a_killed_worker_cut_short(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.jsonl"
        add_note(path, "MaskScene", 2.0)
        with path.open("a") as file:
            file.write('{"task": "Unz')
        assert read_figures([path]).workers == 1

    def test_say_nothing_where_there_are_none(self, tmp_path: Path) -> None:
        add_note(tmp_path / "absent" / "notes.jsonl", "MaskScene", 2.0)
        assert read_figures([tmp_path / "absent" / "notes.jsonl"]).started is None

    def test_tell_what_each_kind_of_task_took(self, tmp_path: Path) -> None:
        took = {"seconds": 3.0, "task_cpu_seconds": 2.5, "task_bytes_read": 100, "task_jp2_tiles": 7}
        run = figures(
            tmp_path,
            note(4, "MaskScene", **{**took, "cpu_seconds": 2.5, "peak_memory_bytes": 40}),
            note(8, "MaskScene", **{**took, "cpu_seconds": 5.0, "peak_memory_bytes": 50}),
            note(9, "BuildVRT", seconds=1.0, cpu_seconds=5.5, task_cpu_seconds=0.5, task_bytes_read=1),
        )
        masks, index = run.kinds
        assert (masks.kind, masks.tasks, masks.seconds, masks.cpu_seconds) == ("MaskScene", 2, 6.0, 5.0)
        assert (masks.bytes_read, masks.jp2_tiles, masks.peak_memory_bytes) == (200, 14, 50)
        assert (index.kind, index.tasks, index.cpu_seconds, index.jp2_tiles) == ("BuildVRT", 1, 0.5, 0)
        assert (run.jp2_tiles, run.cpu_seconds) == (14, 5.5)

    def test_tell_the_most_that_lay_on_the_disk(self, tmp_path: Path) -> None:
        """What a later command finds holds, whatever the sum was."""
        run = figures(
            tmp_path,
            note(0, disk_found_bytes=1000),
            note(1, "Unzip", disk_bytes=500),
            note(2, disk_bytes=-400),
            note(3, "CompositeTile", disk_bytes=200),
            note(4, disk_found_bytes=100),
            note(5, "CompositeTile", disk_bytes=900),
        )
        assert (run.disk_at_start_bytes, run.peak_disk_bytes) == (1000, 1500)

    def test_leave_out_the_time_in_which_no_command_ran(self, tmp_path: Path) -> None:
        lines = [
            note(0, disk_found_bytes=0),
            note(60, "MaskScene", seconds=60.0),
            note(3660, disk_found_bytes=0),
            note(3700, "MaskScene", seconds=30.0),
        ]
        assert figures(tmp_path, *lines).seconds == 7200 - 3600
        assert figures(tmp_path, lines[0], lines[1], lines[3]).seconds == 7200

    def test_of_an_older_version_count_too(self, tmp_path: Path) -> None:
        run = figures(tmp_path, note(4, "MaskScene", seconds=3.0))
        assert (run.kinds[0].tasks, run.kinds[0].bytes_read, run.peak_disk_bytes) == (1, None, None)

    def test_measure_a_task_from_where_it_began(self, tmp_path: Path) -> None:
        begun = Gauge.now()
        (tmp_path / "product.zip").write_bytes(bytes(5_000_000))
        (tmp_path / "product.zip").read_bytes()
        add_found(tmp_path / "notes.jsonl", 10)
        add_note(tmp_path / "notes.jsonl", "Unzip", 1.0, begun=begun, disk_bytes=20)
        run = read_figures([tmp_path / "notes.jsonl"])
        assert run.kinds[0].bytes_read is not None
        assert 5_000_000 <= run.kinds[0].bytes_read < 6_000_000
        assert run.kinds[0].cpu_seconds < 60 < 1e6 < run.kinds[0].peak_memory_bytes
        assert run.peak_disk_bytes == 30


class TestClosingLine:
    """The last line about a run"""

    def test_tells_what_it_took_and_where_more_is_said(self) -> None:
        run = RunFigures(
            seconds=751.4,
            cpu_seconds=1390.0,
            bytes_read=3_210_000_000,
            jp2_tiles=1918,
            peak_memory_bytes=1_060_000_000,
            peak_disk_bytes=812_000_000,
        )
        assert closing_line(run, Path("out/run.json")) == (
            "12:31, 23:10 CPU, 3.2 GB read, 1918 JPEG 2000 tiles decoded, 1.1 GB of memory at most in one process, "
            "812 MB of disk at most. By kind of task: out/run.json"
        )

    def test_is_told_of_a_run_that_ends_early_and_written_beside_its_notes(self, tmp_path: Path) -> None:
        notes, out = tmp_path / "notes.jsonl", tmp_path / "run.json"
        assert closing_line_so_far([notes], out) == []
        add_note(notes, "MaskScene", 2.0)
        (line,) = closing_line_so_far([notes], out)
        assert line.endswith(f"By kind of task: {out}")
        assert [entry["kind"] for entry in json.loads(out.read_text())["run"]["kinds"]] == ["MaskScene"]
        assert closing_line_of_product(out) == [line]

    def test_is_not_told_where_a_file_of_another_version_lies(self, tmp_path: Path) -> None:
        (tmp_path / "run.json").write_text('{"run": {"seconds": 1, "unheard_of": 2}}')
        assert closing_line_of_product(tmp_path / "run.json") == []
