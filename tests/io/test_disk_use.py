"""How much of the disk files and folders take."""

from pathlib import Path

from senard.io.disk_use import disk_use, disk_use_of_all


class TestDiskUse:
    """What a place takes on the disk"""

    def test_is_all_files_below_it_and_nothing_that_links_lead_to(self, tmp_path: Path) -> None:
        (tmp_path / "safe" / "deep").mkdir(parents=True)
        (tmp_path / "safe" / "a").write_bytes(bytes(100))
        (tmp_path / "safe" / "deep" / "b").write_bytes(bytes(20))
        (tmp_path / "archive.zip").write_bytes(bytes(5000))
        (tmp_path / "safe" / "link.zip").symlink_to(tmp_path / "archive.zip")
        (tmp_path / "safe" / "round").symlink_to(tmp_path)
        assert disk_use(tmp_path / "safe") == 120
        assert disk_use(tmp_path / "safe" / "a") == 100
        assert disk_use(tmp_path / "safe" / "link.zip") == 0
        assert disk_use(tmp_path / "absent") == 0

    def test_counts_a_place_inside_another_once(self, tmp_path: Path) -> None:
        (tmp_path / "work" / "archive").mkdir(parents=True)
        (tmp_path / "work" / "archive" / "a").write_bytes(bytes(100))
        (tmp_path / "other").write_bytes(bytes(7))
        places = [tmp_path / "work", tmp_path / "work" / "archive", tmp_path / "other", tmp_path / "work"]
        assert disk_use_of_all(places) == 107
