"""For whom products were fetched."""

from pathlib import Path

import pytest

from senard.io.fetched import fetched_places, is_for_mosaics, marked_for_mosaics, unmark

NAME = "S2B_MSIL2A_20240615T104619_N0510_R051_T31TCJ_20240615T133822"
WORK = Path("/work")


class TestFetchedPlaces:
    """Of a product"""

    def test_are_wherever_a_source_may_have_put_it(self, tmp_path: Path) -> None:
        derived = tmp_path / ".derived" / "earth-search" / "sentinel-2-l2a" / f"{NAME}.SAFE"
        derived.mkdir(parents=True)
        places = {place.relative_to(tmp_path).as_posix() for place in fetched_places(NAME, tmp_path)}
        whole = {f"{NAME}.zip", f"{NAME}.zip.part", f"{NAME}.SAFE", f".members/{NAME}.SAFE"}
        assert places == whole | {f".derived/earth-search/sentinel-2-l2a/{NAME}.SAFE"}


class TestMark:
    """That a product is wanted by mosaics alone"""

    def test_is_said_before_its_first_byte_and_stays_once_it_is_here(self, tmp_path: Path) -> None:
        with marked_for_mosaics(NAME, tmp_path, WORK):
            assert is_for_mosaics(NAME, tmp_path, WORK)
            (tmp_path / f"{NAME}.zip.part").touch()
        assert is_for_mosaics(NAME, tmp_path, WORK)
        assert not is_for_mosaics(NAME, tmp_path, Path("/other"))
        unmark([NAME], tmp_path)
        assert not is_for_mosaics(NAME, tmp_path, WORK)

    def test_is_never_said_of_what_was_here_before(self, tmp_path: Path) -> None:
        (tmp_path / f"{NAME}.zip").touch()
        with marked_for_mosaics(NAME, tmp_path, WORK):
            pass
        assert not is_for_mosaics(NAME, tmp_path, WORK)

    def test_is_taken_back_where_nothing_came(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectionError), marked_for_mosaics(NAME, tmp_path, WORK):
            raise ConnectionError
        assert not is_for_mosaics(NAME, tmp_path, WORK)
