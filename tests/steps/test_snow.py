"""Snow is a last resort, ground, or left out, as asked for; where it always lies it stays."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely

from senard.io.geotiff import Raster, read_scratch
from senard.model.grid import Tile
from senard.model.request import Fill, MosaicRequest, Snow
from senard.model.sources import FLAG_PERMANENT_SNOW, FLAG_SNOW
from senard.steps.select_sources import select_sources
from tests.steps.judged_scenes import Judged, Plan, write_judged

SIZE = 150
TILE = Tile(index=0, crs="EPSG:32635", left=480_000, bottom=6_657_000, right=483_000, top=6_660_000)
"""The scenes' own pixels, 3 x 3 km."""

WINTER = slice(0, 50)
"""Columns with snow on two of five dates."""
GLACIER = slice(100, 150)
"""Columns with snow on all dates."""
SUNK = slice(52, 98)
"""Columns that snow never touches, its buffer included."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """Five dates; the middle of the period, which is wanted, has snow."""
    made = []
    for number, day in enumerate((0, 7, 14, 15, 28)):
        scl = np.full((SIZE, SIZE), 4, dtype=np.uint8)
        scl[:, GLACIER] = 11
        if day in {14, 15}:
            scl[:, WINTER] = 11
        plan = Plan(day=day, left=TILE.left, top=TILE.top, size=SIZE, scl=scl, seed=number)
        made.append(write_judged(tmp_path_factory.mktemp("snow"), plan))
    return made


def chosen(judged: Sequence[Judged], out: Path, **changes: object) -> Raster:
    """The source map."""
    values: dict[str, object] = {
        "name": "test",
        "aoi": shapely.box(-179, -80, 179, 80),
        "first_day": date(2024, 6, 1),
        "last_day": date(2024, 6, 29),
        "crs": TILE.crs,
        "clip": False,
    }
    request = MosaicRequest(**(values | changes))  # type: ignore[arg-type]
    scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
    return read_scratch(select_sources(request, scenes, masks, TILE, out) / "sources_20.tif")


class TestAvoid:
    """The default takes snow only where there is nothing else."""

    def test_takes_no_snow_where_a_date_saw_the_ground(self, judged: list[Judged], tmp_path: Path) -> None:
        source, _, level, flags, _ = chosen(judged, tmp_path / "out")
        assert np.isin(source[:, WINTER], (1, 2, 5)).all()
        assert (level[:, WINTER] <= 2).all()
        assert not flags[:, WINTER].any()

    @pytest.mark.parametrize("fill", list(Fill))
    def test_keeps_permanent_snow_as_ground(self, judged: list[Judged], tmp_path: Path, fill: Fill) -> None:
        _, _, level, flags, _ = chosen(judged, tmp_path / "out", fill=fill)
        assert (level[:, GLACIER] == 2).all()
        assert (flags[:, GLACIER] == FLAG_SNOW | FLAG_PERMANENT_SNOW).all()

    def test_fills_with_flagged_snow_where_nothing_else_was_seen(self, judged: list[Judged], tmp_path: Path) -> None:
        source, _, level, flags, _ = chosen(judged[2:4], tmp_path / "out")
        assert (source > 0).all()
        assert (level[:, WINTER] == 4).all()
        assert (flags[:, WINTER] == FLAG_SNOW).all(), "two dates do not tell permanent snow"

    def test_leaves_such_gaps_where_only_clear_ground_is_wanted(self, judged: list[Judged], tmp_path: Path) -> None:
        assert not chosen(judged[2:4], tmp_path / "out", fill=Fill.STRICT)[0][:, WINTER].any()


class TestAllow:
    """Snow may be ground like any other."""

    def test_counts_as_clear(self, judged: list[Judged], tmp_path: Path) -> None:
        _, clear, level, flags, _ = chosen(judged, tmp_path / "out", snow=Snow.ALLOW)
        assert (clear == 5).all()
        assert (level == 1).all()
        assert (flags[:, GLACIER] == FLAG_SNOW | FLAG_PERMANENT_SNOW).all()

    def test_fills_where_only_clear_ground_is_wanted(self, judged: list[Judged], tmp_path: Path) -> None:
        source, _, level, flags, _ = chosen(judged[2:4], tmp_path / "out", snow=Snow.ALLOW, fill=Fill.STRICT)
        assert (source > 0).all()
        assert (level[:, WINTER] == 1).all()
        assert (flags[:, WINTER] == FLAG_SNOW).all()


class TestMask:
    """Snow may be left out."""

    def test_leaves_permanent_snow_empty_and_touches_nothing_else(self, judged: list[Judged], tmp_path: Path) -> None:
        source, _, _, flags, _ = chosen(judged, tmp_path / "out", snow=Snow.MASK, fill=Fill.ALL)
        assert not source[:, GLACIER].any()
        assert (source[:, :98] > 0).all()
        assert not flags[:, :98].any()
        assert np.array_equal(source[:, SUNK], chosen(judged, tmp_path / "avoid")[0][:, SUNK])
