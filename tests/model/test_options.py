"""Every parameter of the main job, once."""

import dataclasses
from pathlib import Path

import pytest

from senard.errors import RequestError
from senard.model.options import (
    AREA_OPTIONS,
    BY_NAME,
    GROUPS,
    OPTIONS,
    Kind,
    Option,
    nearest,
    option,
    options_of,
    reference_table,
)
from senard.model.request import MosaicRequest

ROOT = Path(__file__).parents[2]


class TestOptions:
    """The table says everything that help, reference page and readers need."""

    def test_have_one_name_each(self) -> None:
        spellings = [name for entry in OPTIONS for name in (entry.name, *entry.aliases)]
        assert len(spellings) == len(set(spellings))

    @pytest.mark.parametrize("entry", OPTIONS, ids=lambda entry: entry.name)
    def test_say_what_they_do_in_sentences(self, entry: Option) -> None:
        assert entry.help.endswith(".")
        assert entry.kind is not Kind.NUMBER or entry.unit
        assert entry.kind is not Kind.CHOICE or entry.default in {None, *entry.choices}
        assert entry.kind is not Kind.SWITCH or entry.default in {"true", "false"}

    def test_show_unit_choices_and_default_in_help(self) -> None:
        assert option("cloud_cover_max").text.endswith("(unit: percent; default: 95)")
        assert "one of: strict, flag, all; default: flag" in option("fill").text
        assert option("clip").text.endswith("(default: true; off: --no-clip)")

    def test_are_written_with_hyphens_on_the_command_line(self) -> None:
        assert option("cloud_cover_max").flag == "--cloud-cover-max"

    def test_hold_the_defaults_of_a_request(self) -> None:
        for field in dataclasses.fields(MosaicRequest):
            if field.name in BY_NAME and field.default not in (dataclasses.MISSING, None, ()):
                default = getattr(field.default, "value", field.default)
                typed = {True: "true", False: "false"}.get(default) if isinstance(default, bool) else default
                expected = BY_NAME[field.name].default
                assert typed == (float(expected or "nan") if isinstance(typed, float) else expected), field.name

    def test_cover_every_field_of_a_request(self) -> None:
        renamed = {"first_day": "start", "last_day": "end", "algorithm": "name", "derived_sources": "sources"}
        renamed["feather_m"] = "feather"
        assert {renamed.get(f.name, f.name) for f in dataclasses.fields(MosaicRequest)} <= {
            entry.name for entry in OPTIONS if entry.identity
        }

    def test_name_the_nearest_one_to_somebody_who_mistyped(self) -> None:
        with pytest.raises(RequestError, match=r"no parameter 'cloud_cover_maks'\. Did you mean 'cloud_cover_max'\?"):
            option("cloud_cover_maks")

    def test_list_all_where_nothing_is_near(self) -> None:
        assert nearest("zzz", ["b", "a"]) == "Known are: a, b."

    def test_that_only_one_task_takes_are_no_others(self) -> None:
        only_download = {entry.name for entry in options_of("DownloadAOI")} - {e.name for e in options_of("MosaicAOI")}
        assert only_download == {"unzip", "unzip_dir", "detach"}

    def test_of_accounts_say_who_needs_them(self) -> None:
        assert "by nobody, which is enough for the public bucket" in BY_NAME["credentials_google"].help
        assert "no Sentinel-2 source needs it" in BY_NAME["credentials_earthdata"].help

    def test_know_the_ways_to_give_an_area(self) -> None:
        assert set(AREA_OPTIONS) <= set(BY_NAME)


class TestReferenceTable:
    """The reference page lists every parameter."""

    def test_is_what_the_reference_page_holds(self) -> None:
        page = (ROOT / "docs/reference/parameters.md").read_text(encoding="utf-8")
        assert reference_table() in page, "write it anew: make docs"

    def test_has_one_row_of_six_cells_per_option(self) -> None:
        rows = [line for line in reference_table().splitlines() if line.startswith("| `--")]
        assert all(line.replace("\\|", "").count("|") == 7 for line in rows)
        assert all(entry.flag in line for entry, line in zip(OPTIONS, rows, strict=True))

    def test_puts_every_group_under_its_heading(self) -> None:
        heads = [line.removeprefix("## ") for line in reference_table().splitlines() if line.startswith("## ")]
        assert heads == [title for title, _ in GROUPS]
