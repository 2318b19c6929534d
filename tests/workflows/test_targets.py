"""Results on disk, and the stamp that divides old ones from new ones."""

import os
from pathlib import Path

import pytest

from senard.io.atomic import listed_directory
from senard.io.scenes_file import pass_verdict_on, write_verdict
from workflows.targets import DirectoryTarget, FetchedTarget, FileTarget, FollowingTarget, Stamp

DAY_NS = 86_400 * 10**9


def make_older(path: Path, than: Path) -> None:
    time_ns = than.stat().st_mtime_ns - DAY_NS
    os.utime(path, ns=(time_ns, time_ns))


class TestFileTarget:
    """A file counts as a result"""

    def test_once_it_has_its_final_name(self, tmp_path: Path) -> None:
        target = FileTarget(tmp_path / "deep" / "0_10.tif")
        with target.temporary_path() as partial:
            partial.write_text("pixels")
            assert not target.exists()
            assert partial.suffix == ".tif"
        assert target.exists()

    def test_never_after_a_failure_in_the_middle(self, tmp_path: Path) -> None:
        target = FileTarget(tmp_path / "0_10.tif")
        with pytest.raises(ZeroDivisionError), target.temporary_path() as partial:
            partial.write_text("half")
            raise ZeroDivisionError
        assert not target.exists()
        assert list(tmp_path.iterdir()) == []

    def test_but_not_a_folder_of_its_name(self, tmp_path: Path) -> None:
        assert not FileTarget(tmp_path).exists()


class TestDirectoryTarget:
    """A folder counts as a result"""

    def test_until_a_file_of_its_list_is_lost(self, tmp_path: Path) -> None:
        target = DirectoryTarget(tmp_path / "masks")
        assert not target.exists()
        with listed_directory(target.path) as partial:
            (partial / "scene_20.tif").write_text("pixels")
        assert target.exists()
        (target.path / "scene_20.tif").unlink()
        assert not target.exists()

    def test_also_where_an_older_version_made_it_without_a_list(self, tmp_path: Path) -> None:
        assert DirectoryTarget(tmp_path).exists()


class TestStamp:
    """After a stamp was set, a result"""

    def test_that_is_older_counts_as_absent(self, tmp_path: Path) -> None:
        stamp, result = Stamp(tmp_path / "rebuild.stamp"), tmp_path / "0_10.tif"
        result.touch()
        target = FileTarget(result, stamps=(stamp,))
        assert target.exists()
        stamp.join()
        make_older(result, stamp.path)
        assert not target.exists()

    def test_that_is_newer_counts(self, tmp_path: Path) -> None:
        stamp, result = Stamp(tmp_path / "rebuild.stamp"), tmp_path / "masks"
        stamp.join()
        result.mkdir()
        make_older(stamp.path, result)
        assert DirectoryTarget(result, stamps=(stamp,)).exists()

    def test_of_any_age_counts_again_when_the_stamp_is_gone(self, tmp_path: Path) -> None:
        stamp, result = Stamp(tmp_path / "rebuild.stamp"), tmp_path / "0_10.tif"
        result.touch()
        stamp.join()
        make_older(result, stamp.path)
        stamp.remove()
        stamp.remove()
        assert FileTarget(result, stamps=(stamp,)).exists()

    def test_is_older_for_the_worker_that_joins_later_too(self, tmp_path: Path) -> None:
        first, second = Stamp(tmp_path / "q" / "rebuild.stamp"), Stamp(tmp_path / "q" / "rebuild.stamp")
        first.join()
        before = first.path.read_text(), first.path.stat().st_mtime_ns
        second.join()
        assert (second.path.read_text(), second.path.stat().st_mtime_ns) == before


class TestFetchedTarget:
    """A download"""

    def test_counts_while_its_link_leads_somewhere(self, tmp_path: Path) -> None:
        product, folder = tmp_path / "archive.zip", tmp_path / "judge"
        folder.mkdir()
        assert not FetchedTarget(folder).exists()
        (folder / "archive.zip").symlink_to(product)
        assert not FetchedTarget(folder).exists()
        product.touch()
        assert FetchedTarget(folder).exists()

    @pytest.mark.parametrize(("name", "counts"), [("unusable.json", False), ("S2B.zip", True)])
    def test_is_asked_anew_by_a_stamp_where_it_is_a_verdict(self, tmp_path: Path, name: str, counts: bool) -> None:
        folder, stamp = tmp_path / "judge", Stamp(tmp_path / "rebuild.stamp")
        folder.mkdir()
        (folder / name).touch()
        stamp.join()
        make_older(folder, stamp.path)
        assert FetchedTarget(folder, stamps=(stamp,)).exists() is counts
        stamp.remove()
        assert FetchedTarget(folder, stamps=(stamp,)).exists()


class TestFollowingTarget:
    """A verdict of a source that was passed on"""

    @pytest.fixture
    def verdict(self, tmp_path: Path) -> FollowingTarget:
        """As a step passes it on."""
        for name in ("judge", "masks"):
            (tmp_path / name).mkdir()
        write_verdict(tmp_path / "judge", "S2B_X", "withdrawn", of_source=True)
        assert pass_verdict_on(tmp_path / "judge", tmp_path / "masks")
        return FollowingTarget(tmp_path / "masks", lambda: DirectoryTarget(tmp_path / "judge"))

    def test_counts_while_it_holds_where_it_came_from(self, verdict: FollowingTarget) -> None:
        assert verdict.exists()

    def test_counts_no_more_once_the_product_has_come(self, verdict: FollowingTarget, tmp_path: Path) -> None:
        (tmp_path / "judge" / "unusable.json").rename(tmp_path / "judge" / "S2B_X.zip")
        assert not verdict.exists()

    def test_counts_no_more_once_the_source_was_asked_again(self, verdict: FollowingTarget, tmp_path: Path) -> None:
        make_older(tmp_path / "masks", tmp_path / "judge")
        assert not verdict.exists()

    def test_counts_no_more_where_the_first_one_does_not(self, verdict: FollowingTarget, tmp_path: Path) -> None:
        (tmp_path / "judge" / "unusable.json").unlink()
        (tmp_path / "judge").rmdir()
        assert not verdict.exists()

    def test_is_not_one_about_what_the_product_holds(self, verdict: FollowingTarget, tmp_path: Path) -> None:
        (tmp_path / "judge" / "unusable.json").rename(tmp_path / "judge" / "S2B_X.zip")
        write_verdict(tmp_path / "masks", "S2B_X", "SCL_20m.jp2 is damaged")
        make_older(tmp_path / "masks", tmp_path / "judge")
        assert verdict.exists()
