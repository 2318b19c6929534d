"""The figures on real acquisitions as tables for a terminal and for the documentation (Markdown)."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def print_part(name: str, figures: Any) -> None:
    """Print one part."""
    print(f"\n## {name}\n")
    printer: Callable[[Any], None] = _PRINTERS[name]
    printer(figures)
    sys.stdout.flush()


def _two_dates(figures: dict[str, list[dict[str, Any]]]) -> None:
    tiles = list(figures)
    head = ["method, " + " \\| ".join(tiles), "coverage %", "hazy %", "RMSE B02", "RMSE B08", "AUC",
            "hazy % at 10, 25, 40 %", "RMSE B02, B08 at 25 %"]  # fmt: skip
    rows = []
    for pair in zip(*figures.values(), strict=True):
        rows.append(
            [
                pair[0]["name"],
                _both(f"{100 * row['coverage']:.1f}" for row in pair),
                _both(f"{100 * row['hazy']:.1f}" for row in pair),
                _both(f"{row['rmse']['B02']:.4f}" for row in pair),
                _both(f"{row['rmse']['B08']:.3f}" for row in pair),
                _both(f"{row['auc']:.3f}" if "auc" in row else "" for row in pair),
                _both(
                    ", ".join(f"{100 * at['hazy']:.1f}" for at in row["at"].values()) if "at" in row else ""
                    for row in pair
                ),
                _both(
                    f"{row['at']['0.25']['B02']:.4f}, {row['at']['0.25']['B08']:.3f}" if "at" in row else ""
                    for row in pair
                ),
            ]
        )
    _table(head, rows)


def _left_out(figures: list[dict[str, Any]]) -> None:
    bands = list(figures[0]["rmse"])
    head = ["left out", "tile", "method", "coverage %", *(f"RMSE {band}" for band in bands),
            *(f"bias {band}" for band in bands)]  # fmt: skip
    rows = [
        [row["day"], row["tile"], row["name"], f"{100 * row['coverage']:.1f}",
         *(f"{row['rmse'][band]:.4f}" for band in bands), *(f"{row['bias'][band]:+.4f}" for band in bands)]
        for row in figures
    ]  # fmt: skip
    _table(head, rows)


def _mol(figures: dict[str, Any]) -> None:
    print("Dates clear over the whole place:", ", ".join(figures["clean dates"]))
    rows = [
        [name, f"{100 * row['delivered']:.1f}", f"{100 * row['hazy']:.2f}",
         *(f"{value:.4f}" for value in row["rmse"].values())]
        for name, row in figures["rows"].items()
    ]  # fmt: skip
    _table(["method", "delivered %", "hazy %", "RMSE B02", "B03", "B04", "B08"], rows)
    key = "peer dekads, share more than 0.014 above their own median HOT"
    print(f"\n{key}, %:", ", ".join(f"{100 * value:.0f}" for value in figures[key]))


def _labelled(figures: dict[str, Any]) -> None:
    print(f"AUC of haze for cloud: {figures['auc of haze for cloud']:.3f}")
    rows = [
        [name, f"{100 * row['found']:.1f}", f"{100 * row['true']:.1f}", f"{row['kappa']:.2f}"]
        for name, row in figures["rows"].items()
    ]
    _table(["rule", "found %", "true %", "kappa"], rows)


def _agreement(figures: dict[str, Any]) -> None:
    names = list(figures["all"])
    rows = [["all", "", *(_cell(figures["all"][name]) for name in names)]]
    rows += [
        [date["day"], f"{100 * date['s2cloudless']:.0f}", *(_cell(date[name]) for name in names)]
        for date in sorted(figures["dates"], key=lambda date: str(date["day"]))
    ]
    _table(["date", "s2cloudless %", *(f"{name}: share, alike, found, false %" for name in names)], rows)


def _composites(figures: dict[str, float]) -> None:
    _table(["composite", "equal pixels %"], [[name, f"{100 * share:.4f}"] for name, share in figures.items()])


def _cell(row: dict[str, float]) -> str:
    return ", ".join("-" if row[key] != row[key] else f"{100 * row[key]:.0f}" for key in _AGREEMENT)


_AGREEMENT = ("share", "alike", "found", "false")


def _both(cells: Any) -> str:
    """The tiles' figures side by side."""
    made = list(cells)
    return " \\| ".join(made) if any(made) else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("\n| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


_PRINTERS: Mapping[str, Callable[[Any], None]] = {
    "two-dates": _two_dates,
    "left-out": _left_out,
    "mol": _mol,
    "labelled": _labelled,
    "agreement": _agreement,
    "composites": _composites,
}
