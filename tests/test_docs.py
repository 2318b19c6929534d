"""The documentation: what it links to is there, what it tells people to type exists."""

import re
import shlex
from pathlib import Path

import pytest

from senard.model.options import OPTIONS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:^ {4,}|`)((?:[A-Z_]+=\S+ )*(?:luigi|luigid|senard|make) [^`\n]+)", re.MULTILINE)
LUIGI_OPTIONS = {
    *("--module", "--local-scheduler", "--workers", "--scheduler-host", "--scheduler-port", "--lock-pid-dir", "--help"),
    *("--address", "--port", "--state-path"),
}
SENARD_OPTIONS = {"--njobs", "--scheduler", "--help", "--version", "--dates", "--size", "--plan", "--no-truth"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands() -> list[tuple[str, str]]:
    """Every command line in code of the documentation, with the page that shows it."""
    return [(name(page), found[1]) for page in PAGES for found in COMMAND.finditer(page.read_text(encoding="utf-8"))]


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as Git hosts make them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


class TestLinks:
    """A link leads somewhere."""

    @pytest.mark.parametrize("page", PAGES, ids=name)
    def test_on_every_page(self, page: Path) -> None:
        targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
        broken = []
        for target in targets:
            file, _, anchor = target.partition("#")
            place = (page.parent / file).resolve() if file else page
            if not place.exists() or (anchor and anchor not in anchors(place)):
                broken.append(target)
        assert broken == []

    def test_from_the_front_page_to_every_other(self) -> None:
        reached, waiting = set(), [ROOT / "README.md"]
        while waiting:
            page = waiting.pop()
            reached.add(page)
            links = [target.partition("#")[0] for target in LINK.findall(page.read_text(encoding="utf-8"))]
            found = {(page.parent / link).resolve() for link in links if link.endswith(".md") and "://" not in link}
            waiting += [place for place in found if place not in reached and place.exists()]
        assert [name(page) for page in PAGES if page not in reached] == []


class TestCommands:
    """What people are told to type exists."""

    def test_and_there_is_something_to_type(self) -> None:
        programs = {command.split()[0] for _, command in commands()}
        assert programs >= {"luigi", "senard", "make", "luigid"}

    @pytest.mark.parametrize(("page", "command"), commands())
    def test_with_every_option(self, page: str, command: str) -> None:
        words = [word for word in shlex.split(command, comments=True) if "=" not in word or word.startswith("--")]
        known = {option.flag for option in OPTIONS} | {f"--no-{option.flag[2:]}" for option in OPTIONS}
        known |= LUIGI_OPTIONS if words[0] in {"luigi", "luigid"} else SENARD_OPTIONS
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= known, page

    @pytest.mark.parametrize(
        ("page", "target"),
        [(page, found) for page, text in commands() for found in re.findall(r"^make ([a-z]+)", text)],
    )
    def test_with_every_make_target(self, page: str, target: str) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert target in re.findall(r"^([a-z]+):", makefile, re.MULTILINE), page

    @pytest.mark.parametrize(
        "task", sorted({found for _, text in commands() for found in re.findall(r"\b\w+AOI\b", text)})
    )
    def test_with_every_task(self, task: str) -> None:
        workflows = pytest.importorskip("workflows")
        assert hasattr(workflows, task)


class TestTroubleshooting:
    """A message that is explained is a message that is said."""

    SOURCE = "".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
        for folder in ("senard", "workflows")
        for path in sorted((ROOT / folder).rglob("*.py"))
    )
    HEADINGS = re.findall(r"^### (.+)$", (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)

    @pytest.mark.parametrize("message", [part for head in HEADINGS for part in re.findall(r"`([^`]+)`", head)])
    def test_word_for_word(self, message: str) -> None:
        if message.rstrip(":") in {"changed", "missing", "unlisted", "senard verify"}:
            return
        assert message in self.SOURCE
