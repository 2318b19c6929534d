"""What `--keep` takes away, and what it never takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from senard.io.leases import give_back_leases, take_lease
from senard.io.scenes_file import write_query_result, write_verdict
from senard.model.access import Access, CatalogueName, SourceName
from senard.model.keep import Keep
from senard.model.product import Part
from senard.model.scene import QueriedScene, QueryResult
from tests.io.made_scenes import made_scene
from tests.io.test_leases import other_command
from workflows import tidying as module
from workflows.keeping import NOTHING, Kept, read_keep, write_keep
from workflows.paths import QueryPaths, WorkPaths
from workflows.tidying import Tidying

ONE = "S2A_MSIL2A_20240608T095031_N0511_R122_T35VLG_20240608T125031"
TWO = "S2B_MSIL2A_20240618T095029_N0511_R122_T35VLG_20240618T125029"


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """This process works nowhere before and after."""
    yield
    give_back_leases()


@dataclass(frozen=True)
class Desk:
    """A work folder as a mosaic of two products leaves it."""

    work: WorkPaths
    downloads: Path

    def query(self, key: str, *kept: str) -> QueryPaths:
        """A query whose answer is these products."""
        query = self.work.query(key)
        scenes = (made_scene(name) for name in kept)
        entries = tuple(QueriedScene(product_id=one.product_id, kept=True, reason="", scene=one) for one in scenes)
        write_query_result(query.scenes, QueryResult(scenes=entries))
        return query

    def tidying(self, query: QueryPaths, keep: Keep = Keep.MASKS, archive: Path | None = None) -> Tidying:
        """What takes away for that query, after its command has begun."""
        for root in (self.work.root, self.downloads):
            take_lease(root, query.scenes)
        write_keep(query, Kept(keep=keep))
        access = Access(
            catalogue=CatalogueName.CDSE, sources=(SourceName.CDSE,), download_dir=self.downloads, archive=archive
        )
        return Tidying(work=self.work, queries=(query,), access=access, keep=keep)

    def unpacked(self, name: str, part: str = "bands") -> Path:
        return self.work.safes(name) / part / f"{name}.SAFE" / "B02.jp2"

    def fetched(self, name: str) -> Path:
        return self.downloads / f"{name}.zip"

    def mask(self, name: str) -> Path:
        return self.work.masks(name) / "scene_20.tif"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(WorkPaths(root=tmp_path / "work"), tmp_path / "downloads")
    for name in (ONE, TWO):
        mark = made.downloads / ".for-mosaics" / name
        for place in (made.unpacked(name), made.unpacked(name, "judge"), made.fetched(name), made.mask(name), mark):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(bytes(100))
        mark.write_text(str(made.work.root))
        link = made.work.downloads(name) / "all" / f"{name}.zip"
        link.parent.mkdir(parents=True)
        link.symlink_to(made.fetched(name))
    choice = made.work.product("mosaic") / "choices" / "all"
    for place in (choice / "settled.json", choice / "without.json", made.work.product("mosaic") / "clear.json"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("{}")
    return made


class TestFreeProducts:
    """A product that no tile needs any more"""

    def test_goes_with_all_that_was_unpacked_of_it_and_no_other_does(self, desk: Desk) -> None:
        freed = desk.tidying(desk.query("mine", ONE, TWO)).free_products([ONE])
        assert freed == 300
        assert not desk.work.safes(ONE).exists()
        assert not desk.work.downloads(ONE).exists()
        assert not desk.fetched(ONE).exists()
        assert desk.mask(ONE).exists()
        assert desk.unpacked(TWO).exists()
        assert desk.fetched(TWO).exists()

    def test_stays_where_it_was_not_fetched_for_mosaics(self, desk: Desk) -> None:
        (desk.downloads / ".for-mosaics" / ONE).unlink()
        assert desk.tidying(desk.query("mine", ONE)).free_products([ONE]) == 200
        assert desk.fetched(ONE).exists()

    def test_stays_where_it_was_fetched_for_mosaics_of_another_work_folder(self, desk: Desk) -> None:
        (desk.downloads / ".for-mosaics" / ONE).write_text("/other/work")
        desk.tidying(desk.query("mine", ONE)).free_products([ONE])
        assert desk.fetched(ONE).exists()

    @pytest.mark.parametrize("above", [False, True])
    def test_stays_where_it_is_the_users(self, desk: Desk, above: bool) -> None:
        archive = desk.downloads.parent if above else desk.downloads
        desk.tidying(desk.query("mine", ONE), archive=archive).free_products([ONE])
        assert desk.fetched(ONE).exists()
        assert not desk.unpacked(ONE).exists()

    def test_leaves_the_archive_that_links_lead_to(self, desk: Desk, tmp_path: Path) -> None:
        theirs = tmp_path / "archive" / f"{ONE}.SAFE"
        theirs.mkdir(parents=True)
        (theirs / "B02.jp2").write_bytes(bytes(100))
        link = desk.work.safes(ONE) / "detect" / f"{ONE}.SAFE"
        link.parent.mkdir(parents=True)
        link.symlink_to(theirs)
        desk.tidying(desk.query("mine", ONE)).free_products([ONE])
        assert not link.parent.exists()
        assert (theirs / "B02.jp2").exists()

    def test_leaves_its_verdict(self, desk: Desk) -> None:
        folder = desk.work.safes(ONE) / "detect"
        folder.mkdir()
        write_verdict(folder, ONE, "damaged")
        desk.tidying(desk.query("mine", ONE)).free_products([ONE])
        assert [path.name for path in desk.work.safes(ONE).rglob("*")] == ["detect", "unusable.json"]

    def test_leaves_what_came_of_it_where_its_source_is_at_odds_with_the_catalogue(self, desk: Desk) -> None:
        """Later runs do not fetch it again, and take it if the catalogue is mended."""
        part = desk.downloads / f"{ONE}.zip.part"
        part.touch()
        folder = desk.work.download(ONE, Part.JUDGE)
        folder.mkdir()
        write_verdict(folder, ONE, "the catalogue states another checksum", of_source=True)
        desk.tidying(desk.query("mine", ONE)).free_products([ONE])
        assert part.exists()
        assert (folder / "unusable.json").exists()

    def test_is_whole_or_absent_where_a_kill_came_between_and_goes_next_time(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        query = desk.query("mine", ONE)

        def killed(place: Path) -> None:
            raise KeyboardInterrupt(str(place))

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(module, "remove", killed)
            desk.tidying(query).free_products([ONE])
        assert desk.unpacked(ONE, "judge").exists()
        assert not (desk.work.safes(ONE) / "bands").exists()
        desk.tidying(query).free_products([ONE])
        assert list(desk.work.root.rglob(f"*{ONE}*/*.partial*")) == []
        assert not desk.fetched(ONE).exists()

    def test_may_be_gone_already(self, desk: Desk) -> None:
        tidying = desk.tidying(desk.query("mine", ONE))
        tidying.free_products([ONE])
        assert tidying.free_products([ONE]) == 0


class TestFreeJudged:
    """A judged scene"""

    def test_needs_what_was_unpacked_for_judging_no_more(self, desk: Desk) -> None:
        assert desk.tidying(desk.query("mine", ONE)).free_judged(ONE, "judge") == 100
        assert not desk.unpacked(ONE, "judge").exists()
        assert desk.unpacked(ONE).exists()
        assert desk.fetched(ONE).exists()


class TestOthers:
    """What another mosaic needs stays:"""

    def test_that_of_a_command_at_work(self, desk: Desk) -> None:
        theirs = desk.query("theirs", TWO)
        write_keep(theirs, Kept(keep=Keep.NONE, done=True))
        with other_command(desk.work.root, theirs.scenes) as kill:
            tidying = desk.tidying(desk.query("mine", ONE, TWO))
            tidying.free_products([ONE, TWO])
            assert not desk.unpacked(ONE).exists()
            assert desk.unpacked(TWO).exists()
            kill()
            tidying.free_products([ONE, TWO])
            assert not desk.unpacked(TWO).exists()

    def test_everything_while_the_answer_of_a_query_is_awaited(self, desk: Desk) -> None:
        with other_command(desk.work.root, desk.work.query("theirs").scenes):
            assert desk.tidying(desk.query("mine", ONE)).free_products([ONE]) == 0

    def test_products_and_judged_scenes_while_a_command_works_on_a_list_that_is_not_found(self, desk: Desk) -> None:
        """Its query is not answered yet, or its host sees the work folder under another path."""
        elsewhere = Path("/seen/elsewhere/queries/mine/scenes.json")
        with other_command(desk.work.root, elsewhere) as kill:
            tidying = desk.tidying(desk.query("mine", ONE), Keep.NONE)
            tidying.end([ONE], "mosaic", "")
            assert desk.unpacked(ONE).exists()
            assert desk.mask(ONE).exists()
            kill()
            tidying.end([ONE], "mosaic", "")
            assert not desk.unpacked(ONE).exists()
            assert not desk.mask(ONE).exists()

    def test_everything_while_a_second_command_makes_more_of_the_same_mosaic(self, desk: Desk) -> None:
        query = desk.query("mine", ONE)
        tidying = desk.tidying(query, Keep.NONE)
        with other_command(desk.work.root, query.scenes):
            assert tidying.free_products([ONE]) == 0
            assert "another command works on the same mosaic" in tidying.end([ONE], "mosaic", "")
        assert desk.mask(ONE).exists()
        assert (desk.work.product("mosaic") / "clear.json").exists()
        assert read_keep(query) == Kept(keep=Keep.NONE)

    def test_what_was_fetched_while_a_command_of_another_work_folder_uses_the_same_downloads(self, desk: Desk) -> None:
        with other_command(desk.downloads, Path("/other/scenes.json")):
            desk.tidying(desk.query("mine", ONE)).free_products([ONE])
        assert desk.fetched(ONE).exists()
        assert not desk.unpacked(ONE).exists()

    @pytest.mark.parametrize(
        ("theirs", "products", "masks"),
        [
            (None, True, True),  # of an older version: nobody said what it needs
            (Kept(keep=Keep.ALL, done=True), True, True),
            (Kept(keep=Keep.NONE), True, True),  # it will be gone on with
            (Kept(keep=Keep.MASKS, done=True), False, True),
            (Kept(keep=Keep.NONE, done=True), False, False),
            (NOTHING, False, False),
        ],
    )
    def test_that_of_one_that_wants_to_keep_it_or_is_not_whole(
        self, desk: Desk, theirs: Kept | None, products: bool, masks: bool
    ) -> None:
        other = desk.query("theirs", TWO)
        if theirs is not None:
            write_keep(other, theirs)
        desk.tidying(desk.query("mine", ONE, TWO), Keep.NONE).end([ONE, TWO], "mosaic", "")
        assert not desk.mask(ONE).exists()
        assert (desk.unpacked(TWO).exists(), desk.mask(TWO).exists()) == (products, masks)

    def test_everything_where_nobody_can_know_who_is_at_work(self, desk: Desk) -> None:
        tidying = desk.tidying(desk.query("mine", ONE))
        give_back_leases()
        assert tidying.free_products([ONE]) == 0
        assert "its disk knows no locks" in tidying.end([ONE], "mosaic", "")
        assert desk.unpacked(ONE).exists()


class TestEnd:
    """Once the mosaic is whole"""

    def test_masks_keeps_what_was_judged_and_chosen(self, desk: Desk) -> None:
        query = desk.query("mine", ONE, TWO)
        desk.tidying(query).end([ONE, TWO], "mosaic", "")
        assert desk.mask(ONE).exists()
        assert (desk.work.product("mosaic") / "choices" / "all" / "settled.json").exists()
        assert not (desk.work.root / "safe" / ONE).exists()
        assert read_keep(query) == Kept(keep=Keep.MASKS, done=True)

    def test_none_keeps_the_answer_of_the_query_and_why_products_were_left_out(self, desk: Desk) -> None:
        query, land = desk.query("mine", ONE, TWO), desk.work.root / "land" / "0123"
        land.mkdir(parents=True)
        (land / "dem.tif").touch()
        assert desk.tidying(query, Keep.NONE).end([ONE, TWO], "mosaic", "", land) == ""
        left = {path.name for path in desk.work.root.rglob("*") if path.is_file() and ".leases" not in path.parts}
        assert left == {"scenes.json", "keep.txt", "without.json"}
        assert read_keep(query) == Kept(keep=Keep.NONE, done=True)
