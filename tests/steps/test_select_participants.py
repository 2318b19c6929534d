"""Every pixel gets all observations of the best quality that it has."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from senard.algorithms.participants import flags_of, level_of
from senard.io.geotiff import read_scratch
from senard.io.sources_file import participant_files, read_source_counts
from senard.model.request import Fill, Method, MosaicRequest
from senard.steps.rank_scenes import rank_scenes
from senard.steps.select_participants import select_participants
from tests.steps.judged_scenes import Judged, Plan, around, write_judged
from tests.steps.test_select_sources import TILE, asked, covering, stack


def found(
    out: Path, judged: Sequence[Judged], request: MosaicRequest | None = None, *, block_px: int = 1024
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """The source map, and source and judgement by overflight."""
    scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
    folder = select_participants(request or every(), scenes, masks, TILE, out, block_px=block_px)
    parts = {int(path.stem): read_scratch(path) for path in participant_files(folder)}
    return read_scratch(folder / "sources_20.tif"), parts


def every(**changes: object) -> MosaicRequest:
    return asked(method=Method.MEDIAN, **changes)


def half_cloudy(day: int, class_: int = 9) -> Plan:
    """Cloud over the western half, to the middle of a pixel of 60 m."""
    scl = np.full((300, 300), 4, dtype=np.uint8)
    scl[:, :151] = class_
    return covering(day, scl=scl)


class TestParticipants:
    """Who takes part"""

    def test_is_every_date_that_saw_the_ground_clear(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", plan) for plan in (covering(3), half_cloudy(10), covering(20))]
        layers, parts = found(tmp_path / "out", judged)
        assert (layers[1] == sum((part[0] > 0).astype(int) for part in parts.values())).all()
        assert (parts[0][0] == 1).all()
        assert (parts[2][0] == 3).all()
        assert 0.3 < (parts[1][0] == 2).mean() < 0.7
        assert set(np.unique(level_of(parts[1][1])).tolist()) == {0, 1, 2}

    def test_is_the_next_best_quality_where_no_date_saw_it_clear(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", half_cloudy(day, class_)) for day, class_ in ((3, 9), (20, 1))]
        _, flag = found(tmp_path / "flag", judged)
        layers, filled = found(tmp_path / "all", judged, every(fill=Fill.ALL))
        assert (layers[0] > 0).all()
        assert np.array_equal(level_of(filled[1][1][:, 0]), np.full(160, 4)), "saturated ground is better than cloud"
        assert not filled[0][0][:, 0].any()
        assert not flag[0][0][:, 0].any()
        buffer = (flags_of(flag[0][1]) & 128) > 0
        assert (level_of(flag[0][1])[buffer] == 4).all()

    def test_counts_overlapping_granules_of_one_overflight_once(self, tmp_path: Path) -> None:
        plans = []
        for number, east in enumerate((-1000.0, 1000.0)):
            left, top = around(TILE, "EPSG:32635", 300, east_m=east)
            plans.append(Plan(day=14, left=left, top=top, minutes=number))
        layers, parts = found(tmp_path / "out", [write_judged(tmp_path / "m", plan) for plan in plans])
        assert list(parts) == [0]
        assert (layers[1] == 1).all()
        assert (parts[0][0][:, :70] == 1).all()
        assert (parts[0][0][:, 90:] == 2).all()

    def test_is_counted(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 9)
        layers, parts = found(tmp_path / "out", judged)
        counts = read_source_counts(tmp_path / "out")
        for number in range(1, 5):
            taking = sum(int((part[0] == number).sum()) for part in parts.values())
            assert counts.taking_part.get(number, 0) == taking
            assert counts.pixels.get(number, 0) == (layers[0] == number).sum()
        assert counts.suppliers == (1, 2, 3, 4)

    @pytest.mark.parametrize("block_px", [47])
    def test_is_the_same_in_blocks_of_any_size(self, tmp_path: Path, block_px: int) -> None:
        judged = stack(tmp_path / "m", 3)
        layers, parts = found(tmp_path / "a", judged)
        others, pieces = found(tmp_path / "b", judged, block_px=block_px)
        assert np.array_equal(layers, others)
        assert parts.keys() == pieces.keys()
        assert all(np.array_equal(parts[label], pieces[label]) for label in parts)


class TestFirst:
    """`first`"""

    def test_takes_the_overflight_that_saw_most_of_the_area_clear(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", plan) for plan in (half_cloudy(3), covering(20))]
        scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
        request = replace(every(), method=Method.FIRST)
        ranks = rank_scenes(request, scenes, masks, [TILE], tmp_path / "clear.json")
        out = select_participants(request, scenes, masks, TILE, tmp_path / "out", ranks=ranks)
        assert (read_scratch(out / "sources_20.tif", bands="source") == 2).all()
        assert not participant_files(out)
        spared = select_participants(request, scenes, masks, TILE, tmp_path / "b", ranks=ranks, spared=[2])
        source = read_scratch(spared / "sources_20.tif", bands="source")
        assert set(np.unique(source).tolist()) == {0, 1}
