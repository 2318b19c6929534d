"""Figures of a run from the notes of its tasks."""

from pathlib import Path

from workflows.notes import add_note, read_figures


class TestNotes:
    """The notes of a run"""

    def test_add_up_to_its_figures(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.jsonl"
        add_note(path, "MaskScene", 2.0)
        add_note(path, "CompositeTile", 1.0)
        figures = read_figures(path)
        assert figures.started is not None
        assert figures.finished is not None
        assert 2.0 <= (figures.finished - figures.started).total_seconds() < 60
        assert figures.workers == 2  # both ran in the last second
        assert len(figures.hosts) == 1
        assert figures.peak_memory_bytes is not None
        assert figures.peak_memory_bytes > 10**6

    def test_count_the_bytes_that_were_read(self, tmp_path: Path) -> None:
        (tmp_path / "product.zip").write_bytes(bytes(5_000_000))
        add_note(tmp_path / "before.jsonl", "Unzip", 1.0)
        (tmp_path / "product.zip").read_bytes()
        add_note(tmp_path / "after.jsonl", "Unzip", 1.0)
        before, after = (read_figures(tmp_path / f"{name}.jsonl").bytes_read for name in ("before", "after"))
        assert before is not None
        assert after is not None
        assert 5_000_000 <= after - before < 6_000_000

    def test_survive_a_line_that_a_killed_worker_cut_short(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.jsonl"
        add_note(path, "MaskScene", 2.0)
        with path.open("a") as file:
            file.write('{"task": "Unz')
        assert read_figures(path).workers == 1

    def test_say_nothing_where_there_are_none(self, tmp_path: Path) -> None:
        add_note(tmp_path / "absent" / "notes.jsonl", "MaskScene", 2.0)
        assert read_figures(tmp_path / "absent" / "notes.jsonl").started is None
