"""A plan as JSON, and as text for a person."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from senard.io.atomic import partial_file
from senard.model.plan import Outlook, Plan, SceneOutlook
from senard.model.product import Part
from senard.model.request import Buffer, Method

MANY_VIEWS = 10
"""Observations are listed one by one up to here."""

_BAR = 40
"""Width of the longest bar, characters."""


def write_plan(path: Path, plan: Plan) -> Path:
    """Write plan.json, atomically."""
    with partial_file(path) as partial:
        partial.write_text(json.dumps(_plain(plan), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_gaps(path: Path) -> float:
    """Share of the area that the plan in a file leaves empty, 0-1."""
    return float(json.loads(path.read_text(encoding="utf-8"))["gaps"])


def plan_text(plan: Plan) -> str:
    """The plan as lines of text of at most about 110 characters."""
    return "\n".join([*_head(plan), "", *_views(plan), "", *_outlooks(plan), "", *_scenes(plan), "", *_bytes(plan), ""])


def _head(plan: Plan) -> Iterator[str]:
    request, kept = plan.request, len(plan.scenes)
    yield f"Plan of {request.name}, {request.first_day} to {request.last_day}"
    yield f"{kept} products are kept of {kept + plan.left_out} that the catalogue knows."
    if plan.quick:
        yield "Quick: from the catalogue's cloud percentages, as if clouds lay anywhere; gaps may be off by 20 points."
    else:
        # measured on seven archives: 1.1 points at most; with wide buffers on three: 1.7
        within = "within 5 points" if plan.request.buffer is Buffer.THIN else "within about 10 points"
        gaps = "" if plan.gaps_at_least else f"; gaps {within}"
        yield f"From each product's scene classification at 60 m, on pixels of {plan.pixel_m} m{gaps}."
    if plan.gaps_at_least:
        yield "--fill strict also leaves out what other dates show to be hazy or shaded: expect more gaps than stated."
    if plan.request.method.reads_all:
        method = plan.request.method.value
        yield f"--method {method} reads the bands of every product with usable ground: none is spared."
    elif plan.request.method is Method.FIRST:
        yield "Likely winners are those of --method best; --method first may take others."
    elif not plan.quick:
        yield "Likely winners tell how many there will be, mostly within a factor of 2; other dates may win instead."
    doubted = [scene for scene in plan.scenes if scene.doubt]
    if doubted:
        yield f"{len(doubted)} products without a classification to be had are not counted on: see plan.json."
    offline = sum(not scene.online for scene in plan.scenes)
    if offline:
        yield f"{offline} products are offline: they come from another source, or after a wait of hours."


def _views(plan: Plan) -> Iterator[str]:
    least = "at least " if plan.gaps_at_least else ""
    yield f"Gaps: {least}{_percent(plan.gaps)} of the area would stay empty (--fill {plan.request.fill.value})."
    yield f"A pixel is seen clear, away from clouds, {plan.clear:.1f} times on average:"
    shares = [plan.observations.get(number, 0.0) for number in range(MANY_VIEWS)]
    rest = sum(share for number, share in plan.observations.items() if number >= MANY_VIEWS)
    names = [*(f"{number} times" for number in range(MANY_VIEWS)), f"{MANY_VIEWS} or more"]
    most = max(*shares, rest, 1e-9)
    last = max(number for number, share in enumerate([*shares, rest]) if share > 0 or number == 0)
    for name, share in list(zip(names, [*shares, rest], strict=True))[: last + 1]:
        yield f"  {name:>10}  {_percent(share):>8}  {'#' * round(_BAR * share / most)}".rstrip()


def _outlooks(plan: Plan) -> Iterator[str]:
    yield "Each month alone   products   clear views   gaps"
    for month in plan.months:
        yield f"  {month.name:<16} {month.scenes:>8} {month.clear:>13.1f}   {_percent(month.gaps)}"
    yield ""
    yield "Tile of the mosaic products   clear views   gaps      share of the area"
    for tile in plan.tiles:
        line = (
            f"  {tile.name:<16} {tile.scenes:>8} {tile.clear:>13.1f}   {_percent(tile.gaps):<9} {_percent(tile.share)}"
        )
        yield line


def _scenes(plan: Plan) -> Iterator[str]:
    yield "Products: what the area sees of them, and what the mosaic would take"
    yield "  day         tile   cloud    reaches   clear    supplies    judging      bands"
    for scene in plan.scenes:
        cloud = "?" if scene.cloud_cover is None else f"{scene.cloud_cover:.0f} %"
        bands = _megabytes(scene.sizes.bands) if scene.wins else "-"
        supplied = _percent(scene.supplied) if scene.supplied else "-"
        yield (
            f"  {scene.day}  {scene.mgrs_tile}  {cloud:>6}  {_percent(scene.reached):>8} {_percent(scene.clear):>8}  "
            f"{supplied:>8}  {_megabytes(scene.sizes.judge):>9}  {bands:>9}  {', '.join(_notes(scene))}"
        ).rstrip()


def _notes(scene: SceneOutlook) -> Iterator[str]:
    if scene.here:
        yield "here"
    elif scene.held:
        yield "partly here"
    if not scene.online:
        yield "offline"
    if scene.doubt:
        yield "no classification"


def _bytes(plan: Plan) -> Iterator[str]:
    missing = [scene for scene in plan.scenes if not scene.here]
    unjudged = [scene for scene in missing if scene.missing_bytes(Part.JUDGE)]
    winners = [scene for scene in missing if scene.wins and scene.missing_bytes(Part.BANDS)]
    if not missing:
        yield "To fetch: nothing, every product is here."
        return
    members = plan.judge_bytes + plan.band_bytes
    yield f"To fetch ({len(plan.scenes) - len(missing)} products are here):"
    yield f"  members only    {_gigabytes(plan.judge_bytes)} to judge {len(unjudged)} products"
    who = "products with usable ground" if plan.request.method.reads_all else "likely winners"
    yield f"                + {_gigabytes(plan.band_bytes)} for the bands of {len(winners)} {who}"
    yield f"                = {_gigabytes(members)}"
    yield f"  whole products  {_gigabytes(plan.whole_bytes)}"


def _percent(share: float) -> str:
    """With as many decimals as a small share needs."""
    percent = 100 * share
    if 0 < percent < 0.01:
        return "<0.01 %"
    return f"{percent:.2f} %" if percent < 1 and percent else f"{percent:.1f} %"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:6.2f} GB" if size >= 1e8 else f"{size / 1e6:6.2f} MB"


def _plain(plan: Plan) -> dict[str, Any]:
    """The plan in JSON's own types; bytes and shares as they are."""
    return {
        "request": json.loads(plan.request.canonical()),
        "quick": plan.quick,
        "pixel_m": plan.pixel_m,
        "gaps": round(plan.gaps, 6),
        "gaps_at_least": plan.gaps_at_least,
        "mean_clear_observations": round(plan.clear, 4),
        "clear_observations": {str(number): round(share, 6) for number, share in plan.observations.items()},
        "months": _plain_outlooks(plan.months),
        "tiles": _plain_outlooks(plan.tiles),
        "bytes": {
            "judge": plan.judge_bytes,
            "bands_of_winners": plan.band_bytes,
            "members_only": plan.judge_bytes + plan.band_bytes,
            "whole_products": plan.whole_bytes,
        },
        "left_out": plan.left_out,
        "scenes": [_plain_scene(scene) for scene in plan.scenes],
    }


def _plain_outlooks(outlooks: Sequence[Outlook]) -> list[dict[str, Any]]:
    return [
        {
            "name": outlook.name,
            "products": outlook.scenes,
            "share": round(outlook.share, 6),
            "mean_clear_observations": round(outlook.clear, 4),
            "gaps": round(outlook.gaps, 6),
        }
        for outlook in outlooks
    ]


def _plain_scene(scene: SceneOutlook) -> dict[str, Any]:
    sizes = scene.sizes
    return {
        "source": scene.source,
        "product_id": scene.product_id,
        "day": scene.day.isoformat(),
        "mgrs_tile": scene.mgrs_tile,
        "cloud_cover": scene.cloud_cover,
        "reached": round(scene.reached, 6),
        "clear": round(scene.clear, 6),
        "supplied": round(scene.supplied, 6),
        "wins": scene.wins,
        "bytes": {"classes": sizes.classes, "judge": sizes.judge, "bands": sizes.bands, "whole": sizes.whole},
        "here": scene.here,
        "parts_here": sorted(part.value for part in scene.held),
        "online": scene.online,
        "doubt": scene.doubt,
    }
