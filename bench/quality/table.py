"""Figures of all methods as text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

import numpy as np

from bench.quality.calibration import BRACKETS, Calibration
from bench.quality.metrics import Figures
from bench.quality.peers.catalogue import BRACKET_PEERS
from senard.simulation.acquisition import Regime

Cell = Callable[[Figures], float | None]

ROWS: tuple[tuple[str, str, Cell], ...] = (
    ("contaminated, % of delivered", ".2f", lambda f: f.contaminated),
    ("  cloud", ".2f", lambda f: f.causes["cloud"]),
    ("  shadow", ".2f", lambda f: f.causes["shadow"]),
    ("  haze", ".2f", lambda f: f.causes["haze"]),
    ("  smoke", ".2f", lambda f: f.causes["smoke"]),
    ("  though a clean view exists", ".2f", lambda f: f.avoidable),
    ("  smoke though a clean view exists", ".2f", lambda f: f.smoky_avoidable),
    ("snow, %", ".2f", lambda f: f.snow),
    ("  though a snow-free view exists", ".3f", lambda f: f.snow_avoidable),
    ("  not flagged", ".3f", lambda f: f.snow_unflagged),
    ("delivered, % of SCL-clear anywhere", ".3f", lambda f: f.complete),
    ("delivered, % of the square", ".2f", lambda f: f.complete_all),
    ("at level 1, %", ".2f", lambda f: f.level_1),
    ("contaminated at level 1, %", ".2f", lambda f: f.contaminated_1),
    ("contaminated that is at level 1, %", ".1f", lambda f: f.unflagged),
    ("AUC of cost", ".3f", lambda f: f.auc),
    ("own date: RMSE B02, 1e-4", ".0f", lambda f: f.rmse["B02"]),
    ("  RMSE B04", ".0f", lambda f: f.rmse["B04"]),
    ("  RMSE B8A", ".0f", lambda f: f.rmse["B8A"]),
    ("  RMSE B11", ".0f", lambda f: f.rmse["B11"]),
    ("  bias B02", "+.1f", lambda f: f.bias["B02"]),
    ("  bias B04", "+.1f", lambda f: f.bias["B04"]),
    ("  bias B8A", "+.1f", lambda f: f.bias["B8A"]),
    ("  bias B11", "+.1f", lambda f: f.bias["B11"]),
    ("target date: RMSE B02", ".0f", lambda f: f.rmse_target["B02"]),
    ("  RMSE of ten bands", ".0f", lambda f: f.rmse_target_mean),
    ("seam index SVI", ".1f", lambda f: f.seams.svi),
    ("  of clear ground alone", ".1f", lambda f: f.seams.svi_ground),
    ("changes of source, % of pairs", ".2f", lambda f: f.seams.changes),
    ("  step in B04, 1e-4", ".0f", lambda f: f.seams.steps["B04"]),
    ("  step in B08, 1e-4", ".0f", lambda f: f.seams.steps["B08"]),
    ("dates: interquartile range, d", ".0f", lambda f: f.date_spread),
    ("  within 3 km, d", ".0f", lambda f: f.date_spread_near),
    ("views used", ".1f", lambda f: f.views_used),
    ("spectra of one acquisition, %", ".2f", lambda f: f.faithful),
    ("seconds", ".1f", lambda f: f.seconds),
)
"""Label, format and figure of every row."""

_LABEL = 36
_WIDTH = 16

_CALIBRATION = {
    "clean": "observations truly clean",
    "scl_clear": "observations that SCL calls clear",
    "cloud_omission": "cloud that SCL calls clear",
    "thin_omission": "thin cloud that SCL calls clear",
    "shadow_omission": "shadow that SCL does not flag",
    "shadow_dark": "shadow in class 2",
    "haze_omission": "haze and smoke that SCL calls clear",
    "commission": "clean land that SCL flags",
    "commission_bright": "clean roofs and sand that SCL flags",
    "clean_if_clear": "clean if SCL says 2, 4, 5, 6, 7",
    "clean_if_sure": "clean if SCL says 4, 5, 6",
}


def table(title: str, columns: Sequence[Sequence[Figures]], calibrations: Sequence[Calibration]) -> str:
    """One table: methods side by side, each the mean over its seeds.

    Args:
        title: its first line.
        columns: for each method its figures, one per seed.
        calibrations: one per seed.
    """
    oracle = _mean([one.oracle for one in calibrations])
    lines = [title, "", _line("", [f"{column[0].name}{'*' * column[0].synthetic}" for column in columns])]
    for number, (label, style, cell) in enumerate(ROWS):
        lines.append(_line(label, [_cell(column, style, cell) for column in columns]))
        if number == 0:
            lines.append(_line("  oracle: no clean view exists", [f"{oracle:.2f}"] * len(columns)))
    if any(column[0].synthetic for column in columns):
        lines.append(
            "* a statistic has no date: what is said of its sky, its own date and its changes of source holds for"
        )
        lines.append("  the observation nearest to it.")
    return "\n".join([*lines, "", *calibration_lines(calibrations)])


def calibration_lines(calibrations: Sequence[Calibration]) -> list[str]:
    """How hard the sky is, and whether it is as hard as a real one."""
    views, left_out = (_mean([float(getattr(one, name)) for one in calibrations]) for name in ("views", "left_out"))
    lines = [f"Calibration: {views:.1f} views, {left_out:.1f} left out for 95 % of cloud and more."]
    for entry in fields(Calibration):
        if entry.name not in _CALIBRATION:
            continue
        value = _mean([float(getattr(one, entry.name)) for one in calibrations])
        text = f"  {_CALIBRATION[entry.name]:<40}{value:>8.1f} %"
        if entry.name in BRACKETS:
            low, high = BRACKETS[entry.name]
            text += f"   expected {low:g}-{high:g}{'' if low <= value <= high else '   OUTSIDE'}"
        lines.append(text)
    return lines


PUBLISHED: Mapping[Regime, Mapping[str, float]] = {
    Regime.DRY: {"medoid": 6.97, "first clear": 0.11, "openEO BAP": 9.92},
    Regime.TEMPERATE: {"medoid": 26.7, "first clear": 25.2, "openEO BAP": 7.46},
    Regime.CLOUDY: {"medoid": 37.3, "first clear": 24.1, "openEO BAP": 10.9},
    Regime.VERY_CLOUDY: {"medoid": 64.3, "first clear": 56.4, "openEO BAP": 43.3},
}
"""What an earlier simulator had, with which these columns are known: contaminated, % of the delivered."""

HARD_ENOUGH = 0.7
"""A sky counts as hard if each of them does at least so many times as badly."""


def hardness_lines(regime: Regime, columns: Sequence[Sequence[Figures]]) -> list[str]:
    """Whether a sky is as hard for the known methods as the one that the aims were set on."""
    means = {column[0].name: _mean([one.contaminated for one in column]) for column in columns}
    known = {name: value for name, value in PUBLISHED.get(regime, {}).items() if name in means}
    if not known:
        return []
    parts = [f"{name} {means[name]:.1f} % against {value:g} %" for name, value in known.items()]
    hard = all(means[name] >= HARD_ENOUGH * value for name, value in known.items())
    verdict = "hard enough" if hard else "TOO EASY, only ratios count"
    return [f"Sky: {', '.join(parts)}: {verdict}."]


def ratio_lines(columns: Sequence[Sequence[Figures]]) -> list[str]:
    """Each senard column against the best of the peers that gauge a sky."""
    means = {column[0].name: _mean([one.contaminated for one in column]) for column in columns}
    peers = {name: means[name] for name in BRACKET_PEERS if name in means}
    if not peers:
        return []
    best = min(peers, key=lambda name: peers[name])
    if peers[best] == 0:
        return [f"Nothing of {best} is contaminated: no ratio."]
    own = [column[0].name for column in columns if column[0].level_1 is not None]
    return [f"{name}: {means[name] / peers[best]:.2f} of the contamination of {best}." for name in own]


def _cell(column: Sequence[Figures], style: str, cell: Cell) -> str:
    values = [value for value in (cell(one) for one in column) if value is not None]
    if not values:
        return "–"
    return format(_mean(values), style)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _line(label: str, cells: Sequence[str]) -> str:
    return f"{label:<{_LABEL}}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)
