"""What steps left in the work folder, read by later ones."""

from pathlib import Path

import pytest

from senard.errors import IncompleteError
from senard.io.results import read_result


def counts(path: Path) -> dict[int, int]:
    return read_result(
        path, lambda values: {int(key): value["px"] for key, value in values.items()}, delete=path.parent, maker="Count"
    )


class TestReadResult:
    """A result of an earlier step"""

    def test_is_read_as_what_it_means(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text('{"3": {"px": 12}}')
        assert counts(tmp_path / "a.json") == {3: 12}

    @pytest.mark.parametrize(
        "found",
        [b"", b'{"3": {"px"', b"\xb4\x00", b"[3]", b"3", b"null", b'{"3": 12}', b'{"x": {"px": 12}}', b'{"3": {}}'],
    )
    def test_that_is_damaged_says_who_made_it_and_what_to_delete(self, tmp_path: Path, found: bytes) -> None:
        (tmp_path / "a.json").write_bytes(found)
        with pytest.raises(IncompleteError, match=rf"a\.json: expected what Count wrote, .* Delete {tmp_path} and run"):
            counts(tmp_path / "a.json")

    def test_that_is_lost_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(
            IncompleteError, match=rf"a\.json: .*, found none\. Delete {tmp_path} and run the same command"
        ):
            counts(tmp_path / "a.json")
