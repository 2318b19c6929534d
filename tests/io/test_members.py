"""Members: single files of a product, gathered in a folder that says that it is partial."""

import dataclasses
import errno
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from senard.errors import StorageError, TransientError, UnusableSceneError
from senard.io.archive import find_products
from senard.io.members import MARKER_NAME, fetch_members, held_members
from senard.io.progress_file import FILE_NAME as PROGRESS_FILE
from senard.io.progress_file import ProgressFile
from senard.io.safe_images import belongs_to
from senard.io.sources import Told
from senard.io.transfer import GoneError
from senard.io.unzip import unzip_product
from senard.io.whole_products import held_product
from senard.model.product import Part
from senard.model.sentinel2 import ProductType
from tests.io.made_products import WHOLE_JP2, MadeProduct
from tests.io.made_scenes import made_scene

MADE = dataclasses.replace(
    MadeProduct(),
    images={f"{MadeProduct().image(name)}.jp2": WHOLE_JP2 for name in ("R60m/SCL_60m", "R60m/B03_60m", "R10m/AOT_10m")}
    | {
        f"{MadeProduct().granule}/QI_DATA/MSK_SNWPRB_60m.jp2": WHOLE_JP2,
        f"{MadeProduct().granule}/QI_DATA/T31TCJ_20240615T104619_PVI.jp2": WHOLE_JP2,
        "INSPIRE.xml": b"<inspire/>",
    },
)
SCENE = made_scene()


class Store:
    """Has the files of a hand-made product, and does with them what a test wants."""

    source = "google"

    def __init__(self, members: Mapping[str, bytes]) -> None:
        self.members = dict(members)
        self.brought: list[str] = []
        self.sizes: dict[str, int] = {}
        self.listings = 0
        self.change: Callable[[str, bytes, int], bytes] = lambda _place, data, _time: data

    def places(self) -> Mapping[str, int]:
        self.listings += 1
        return {place: len(data) for place, data in self.members.items()}

    def bring(self, place: str, target: Path, size_bytes: int, told: Told) -> None:
        self.brought.append(place)
        self.sizes[place] = size_bytes
        if place not in self.members:
            raise GoneError(f"{place} is not there")
        data = self.change(place, self.members[place], self.brought.count(place))
        target.write_bytes(data)
        told(len(data), len(data))


@pytest.fixture
def store() -> Store:
    return Store(MADE.members())


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARKER_NAME
    }


def belonging(part: Part) -> dict[str, bytes]:
    members = MADE.members()
    return {place: members[place] for place in sorted(members) if belongs_to(place, ProductType.L2A, part)}


class TestFetchMembers:
    """A part is the files that belong to it, each verified, in one folder per product."""

    @pytest.mark.parametrize("part", [part for part in Part if part is not Part.ALL])
    def test_brings_what_belongs_to_the_part_and_asks_for_no_list(
        self, tmp_path: Path, store: Store, part: Part
    ) -> None:
        folder = fetch_members(SCENE, part, store, tmp_path)
        assert folder == tmp_path / ".members" / f"{SCENE.product_id}.SAFE"
        assert files(folder) == belonging(part)
        assert len(store.brought) == len(set(store.brought))
        assert store.listings == 0
        assert json.loads((folder / MARKER_NAME).read_text())["parts"] == [part.value]

    def test_tells_the_store_which_size_manifest_safe_states(self, tmp_path: Path, store: Store) -> None:
        fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        sizes = {place: len(data) for place, data in belonging(Part.JUDGE).items()}
        assert store.sizes == {**sizes, "manifest.safe": 0}

    @pytest.mark.parametrize("part", [part for part in Part if part is not Part.ALL])
    def test_brings_what_unpacking_a_whole_zip_gives(self, tmp_path: Path, store: Store, part: Part) -> None:
        from_zip = unzip_product(MADE.write_zip(tmp_path / "archive"), part, tmp_path / "whole")
        partial = fetch_members(SCENE, part, store, tmp_path)
        link = tmp_path / "fetched" / partial.name
        link.parent.mkdir()
        link.symlink_to(partial)
        assert files(unzip_product(link, part, tmp_path / "partial").resolve()) == files(from_zip)

    def test_parts_gather_in_one_folder_and_no_file_comes_twice(self, tmp_path: Path, store: Store) -> None:
        for part in (Part.CLASSES, Part.JUDGE, Part.BANDS):
            folder = fetch_members(SCENE, part, store, tmp_path)
        assert files(folder) == {**belonging(Part.CLASSES), **belonging(Part.JUDGE), **belonging(Part.BANDS)}
        assert len(store.brought) == len(set(store.brought))

    def test_a_part_that_is_here_asks_nothing(self, tmp_path: Path, store: Store) -> None:
        fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert held_members(SCENE, Part.JUDGE, tmp_path) is not None
        assert held_members(SCENE, Part.BANDS, tmp_path) is None
        idle = Store({})
        fetch_members(SCENE, Part.JUDGE, idle, tmp_path)
        assert idle.brought == []

    def test_a_file_that_was_deleted_is_brought_again(self, tmp_path: Path, store: Store) -> None:
        folder = fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        place = f"{MADE.image('R20m/SCL_20m')}.jp2"
        (folder / place).unlink()
        store.brought.clear()
        fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert store.brought == [place]

    def test_a_killed_one_goes_on_with_what_is_missing(self, tmp_path: Path, store: Store) -> None:
        def killed(_place: str, data: bytes, _time: int) -> bytes:
            if len(store.brought) == 6:
                raise KeyboardInterrupt
            return data

        store.change = killed
        with pytest.raises(KeyboardInterrupt):
            fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        partial = tmp_path / ".members" / f"{SCENE.product_id}.SAFE"
        assert json.loads((partial / MARKER_NAME).read_text())["parts"] == []
        store.change = lambda _place, data, _time: data
        assert files(fetch_members(SCENE, Part.JUDGE, store, tmp_path)) == belonging(Part.JUDGE)
        assert [place for place in store.brought if store.brought.count(place) > 1] == [store.brought[5]] * 2

    def test_a_local_archive_over_the_folder_passes_it_over(self, tmp_path: Path, store: Store) -> None:
        fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert find_products(tmp_path) == ()

    def test_tells_how_far_it_is(self, tmp_path: Path, store: Store) -> None:
        told: list[tuple[int, int]] = []
        fetch_members(SCENE, Part.JUDGE, store, tmp_path, lambda done, total: told.append((done, total)))
        total = sum(map(len, belonging(Part.JUDGE).values()))
        # Of manifest.safe alone nobody states a size.
        assert told[-1][0] == told[-1][1] == total - len(MADE.members()["manifest.safe"])
        assert [done for done, _ in told] == sorted(done for done, _ in told)

    def test_a_full_disk_is_noticed_before(self, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("senard.io.disk.shutil.disk_usage", lambda _: type("Usage", (), {"free": 0}))
        with pytest.raises(StorageError, match="disk is full"):
            fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert store.brought == ["manifest.safe"]


class TestVerification:
    """A file takes its name only if it is what the manifest says."""

    def test_a_damaged_file_is_fetched_once_more(self, tmp_path: Path, store: Store) -> None:
        store.change = lambda place, data, time: data[:-1] + b"?" if time == 1 and "SCL_20m" in place else data
        assert files(fetch_members(SCENE, Part.JUDGE, store, tmp_path)) == belonging(Part.JUDGE)

    def test_one_that_is_damaged_at_its_source_makes_the_product_unusable(self, tmp_path: Path, store: Store) -> None:
        store.change = lambda place, data, _: data[:-1] + b"?" if "SCL_20m" in place else data
        with pytest.raises(
            UnusableSceneError, match=r"SCL_20m\.jp2 arrived twice.*sha3_256 is .*manifest\.safe states .*--sources"
        ):
            fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert not [place for place in files(tmp_path / ".members") if "SCL_20m" in place]

    def test_one_that_is_damaged_each_time_in_another_way_may_be_tried_later(
        self, tmp_path: Path, store: Store
    ) -> None:
        store.change = lambda place, data, time: data + bytes([time]) if place.endswith("MTD_TL.xml") else data
        store.members["manifest.safe"] = store.members["manifest.safe"].replace(b'size="', b'size="9')
        with pytest.raises(TransientError, match="fetched anew"):
            fetch_members(SCENE, Part.JUDGE, store, tmp_path)

    def test_a_tail_is_cut_off(self, tmp_path: Path, store: Store) -> None:
        store.change = lambda place, data, _: data if place == "manifest.safe" else data + b"tail"
        assert files(fetch_members(SCENE, Part.JUDGE, store, tmp_path)) == belonging(Part.JUDGE)
        assert len(store.brought) == len(set(store.brought))

    def test_the_checksum_counts_where_the_size_is_wrong(self, tmp_path: Path, store: Store) -> None:
        store.members["manifest.safe"] = re.sub(rb'size="\d+"', b'size="7"', store.members["manifest.safe"])
        folder = fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert files(folder) == {**belonging(Part.JUDGE), "manifest.safe": store.members["manifest.safe"]}

    @pytest.mark.parametrize("damage", [lambda data: data[:-2], lambda data: data[:-2] + b"xx", lambda _: b""])
    @pytest.mark.parametrize("name", ["SCL_20m.jp2", "MTD_TL.xml"])
    def test_without_checksums_size_and_form_count(
        self, tmp_path: Path, store: Store, name: str, damage: Callable[[bytes], bytes]
    ) -> None:
        manifest = re.sub(rb"<checksum.*?</checksum>", b"", store.members["manifest.safe"])
        store.members["manifest.safe"] = manifest
        store.change = lambda place, data, time: damage(data) if time == 1 and place.endswith(name) else data
        folder = fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert files(folder) == {**belonging(Part.JUDGE), "manifest.safe": manifest}
        assert sum(store.brought.count(place) - 1 for place in set(store.brought)) == 1

    def test_a_manifest_that_is_cut_short_is_fetched_once_more(self, tmp_path: Path, store: Store) -> None:
        store.change = lambda place, data, time: data[:500] if time == 1 and place == "manifest.safe" else data
        assert files(fetch_members(SCENE, Part.JUDGE, store, tmp_path)) == belonging(Part.JUDGE)

    def test_places_that_lead_elsewhere_are_never_written(self, tmp_path: Path, store: Store) -> None:
        store.members["manifest.safe"] = b"<XFDU><x/></XFDU>"
        store.members["GRANULE/../../../MTD_TL.xml"] = b"<evil/>"
        with pytest.raises(UnusableSceneError, match="names no file"):
            fetch_members(SCENE, Part.JUDGE, store, tmp_path)


class TestWhatTheManifestPassesOver:
    """Files that the manifest does not name are looked for in the product itself."""

    def test_probabilities_that_are_not_in_the_manifest(self, tmp_path: Path, store: Store) -> None:
        kept = {place: data for place, data in MADE.members().items() if "PRB" not in place}
        store.members["manifest.safe"] = MADE.manifest(kept).encode()
        folder = fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert {place for place in files(folder) if "PRB" in place} == {
            f"{MADE.granule}/QI_DATA/MSK_CLDPRB_60m.jp2",
            f"{MADE.granule}/QI_DATA/MSK_SNWPRB_60m.jp2",
        }
        assert store.listings == 1

    def test_a_page_that_is_named_and_not_there_is_done_without(self, tmp_path: Path, store: Store) -> None:
        del store.members["INSPIRE.xml"]
        folder = fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        assert "INSPIRE.xml" not in files(folder)
        assert held_members(SCENE, Part.JUDGE, tmp_path) == folder

    @pytest.mark.parametrize("name", ["R20m/SCL_20m", "R60m/B04_60m"])
    def test_an_image_that_is_named_and_not_there_is_an_error(self, tmp_path: Path, store: Store, name: str) -> None:
        del store.members[f"{MADE.image(name)}.jp2"]
        with pytest.raises(GoneError, match=name.split("/")[1]):
            fetch_members(SCENE, Part.JUDGE, store, tmp_path)


def killed_after(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """End the process where a partial product gives way to a whole one: before the link, in between, or after it."""
    plain_link, plain_rename = Path.symlink_to, Path.rename

    def link(path: Path, target: Path) -> None:
        plain_link(path, target)
        if place == "symlink_to":
            raise KeyboardInterrupt

    def rename(path: Path, target: Path) -> Path:
        if place == "rename" and path.name.endswith(".link"):
            raise KeyboardInterrupt
        return plain_rename(path, target)

    def remove(path: Path, **_: object) -> None:
        if place == "rmtree" and path.exists():
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "symlink_to", link)
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr("senard.io.members.shutil.rmtree", remove)


class TestAll:
    """Everything together is a whole product, with ESA's empty folders and without a marker."""

    def test_is_whole_beside_the_zips(self, tmp_path: Path, store: Store) -> None:
        fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        whole = fetch_members(SCENE, Part.ALL, store, tmp_path)
        assert whole == tmp_path / f"{SCENE.product_id}.SAFE"
        assert files(whole) == dict(sorted(MADE.members().items()))
        assert not (whole / MARKER_NAME).exists()
        assert len(store.brought) == len(set(store.brought))
        assert find_products(tmp_path) == (whole,)

    def test_takes_away_what_a_killed_one_left(self, tmp_path: Path, store: Store) -> None:
        half = tmp_path / f".{SCENE.product_id}.0123abcd.partial.SAFE" / "GRANULE"
        half.mkdir(parents=True)
        whole = fetch_members(SCENE, Part.ALL, store, tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == [".members", whole.name, PROGRESS_FILE]

    @pytest.mark.parametrize("place", ["symlink_to", "rename", "rmtree"])
    def test_ends_at_the_next_start_what_a_killed_one_had_begun(
        self, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        judged = fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        killed_after(monkeypatch, place)
        with pytest.raises(KeyboardInterrupt):
            fetch_members(SCENE, Part.ALL, store, tmp_path)
        monkeypatch.undo()
        assert any(path.name.endswith((".old", ".link")) for path in judged.parent.iterdir())
        whole = held_product(SCENE.product_id, None, tmp_path)
        assert whole == tmp_path / f"{SCENE.product_id}.SAFE"
        assert [path.name for path in judged.parent.iterdir()] == [judged.name]
        assert files(judged).items() >= belonging(Part.JUDGE).items()

    def test_that_is_here_is_found_in_a_folder_that_cannot_be_written(
        self, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = fetch_members(SCENE, Part.ALL, store, tmp_path)
        (tmp_path / ".members" / f".{whole.name}.old").mkdir()

        def closed(*_: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("senard.io.file_locks.os.open", closed)
        assert held_product(SCENE.product_id, None, tmp_path) == whole

    def test_is_listed_in_the_progress_file(self, tmp_path: Path, store: Store) -> None:
        whole = fetch_members(SCENE, Part.ALL, store, tmp_path)
        entry = ProgressFile(tmp_path).entries()[whole.name]
        assert (entry.source, entry.checksums) == ("google", ())
        assert entry.size_bytes == sum(len(data) for data in MADE.members().values())

    def test_has_the_empty_folders_of_a_product(self, tmp_path: Path, store: Store) -> None:
        whole = fetch_members(SCENE, Part.ALL, store, tmp_path)
        empty = {
            path.relative_to(whole).as_posix() for path in whole.rglob("*") if path.is_dir() and not any(path.iterdir())
        }
        assert empty == {"AUX_DATA", "rep_info", f"{MADE.granule}/AUX_DATA"}

    def test_serves_every_part_from_then_on(self, tmp_path: Path, store: Store) -> None:
        judged = fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        whole = fetch_members(SCENE, Part.ALL, store, tmp_path)
        assert fetch_members(SCENE, Part.BANDS, Store({}), tmp_path) == whole
        assert judged.resolve() == whole.resolve()  # links of earlier parts still lead somewhere

    def test_starts_anew_where_the_whole_one_was_deleted(self, tmp_path: Path, store: Store) -> None:
        fetch_members(SCENE, Part.JUDGE, store, tmp_path)
        whole = fetch_members(SCENE, Part.ALL, store, tmp_path)
        for path in sorted(whole.rglob("*"), reverse=True):
            _ = path.rmdir() if path.is_dir() else path.unlink()
        whole.rmdir()
        assert files(fetch_members(SCENE, Part.JUDGE, store, tmp_path)) == belonging(Part.JUDGE)
