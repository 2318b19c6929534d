"""The rooms of the house and the one direction between them."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "senard.errors": set(),
    "senard.model": {"senard", "senard.errors", "senard.model"},
    "senard.algorithms": {"senard", "senard.errors", "senard.model", "senard.algorithms"},
    "senard.io": {"senard", "senard.errors", "senard.model", "senard.io"},
    "senard.steps": {"senard", "senard.errors", "senard.model", "senard.algorithms", "senard.io", "senard.steps"},
    "senard.simulation": {
        "senard",
        "senard.errors",
        "senard.model",
        "senard.algorithms",
        "senard.io",
        "senard.simulation",
    },
}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def room(name: str) -> str:
    return ".".join(name.split(".")[:2]) if name.startswith("senard.") else name.split(".")[0]


class TestRooms:
    """Imports follow the arrows: workflows -> steps -> io | algorithms -> model -> errors."""

    @pytest.mark.parametrize("path", modules("senard"), ids=dotted)
    def test_import_only_what_lies_below(self, path: Path) -> None:
        own = room(dotted(path))
        allowed = MAY_IMPORT.get(own, set())
        wrong = {name for name in imported(path) if room(name).startswith("senard") and room(name) not in allowed}
        assert not wrong, f"{dotted(path)} may not import {sorted(wrong)}"

    @pytest.mark.parametrize("path", modules("senard"), ids=dotted)
    def test_know_nothing_of_luigi(self, path: Path) -> None:
        assert not {name for name in imported(path) if room(name) in {"luigi", "workflows"}}

    @pytest.mark.parametrize("path", modules("workflows"), ids=dotted)
    def test_leave_arrays_to_the_library(self, path: Path) -> None:
        assert not {name for name in imported(path) if room(name) in {"numpy", "rasterio", "scipy", "lxml"}}

    def test_have_no_room_for_leftovers(self) -> None:
        names = {path.stem for path in modules("senard") + modules("workflows")}
        assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}

    @pytest.mark.parametrize("path", modules("senard") + modules("workflows"), ids=dotted)
    def test_hold_one_subject_each(self, path: Path) -> None:
        assert len(path.read_text().splitlines()) <= 400
