"""How well pixels are chosen on real acquisitions: peers' published figures first, then senard's."""

from pathlib import Path
from typing import Any

import pytest

from bench.quality_real.composites import measure_composites
from bench.quality_real.kept import CLEAREST, CLOUDY, MIXED, TILES, KeptScene, read_kept
from bench.quality_real.two_dates import by_senard, judged, ranked, simple

pytestmark = [pytest.mark.real_data]


class Dates:
    """The two cloudy dates of a tile and the clear one between them."""

    def __init__(self, data: Path, tile: str) -> None:
        self.cloudy: list[KeptScene] = [read_kept(data, tile, day) for day in (MIXED, CLOUDY)]
        self.truth = read_kept(data, tile, CLEAREST)

    def rows(self, mosaics: Any) -> dict[str, dict[str, Any]]:
        return {mosaic.name: judged(mosaic, self.truth) for mosaic in mosaics}


@pytest.fixture(scope="module", params=TILES)
def dates(request: pytest.FixtureRequest, shared: Path) -> Dates:
    return Dates(shared / "data", request.param)


def percent(row: dict[str, Any]) -> list[float]:
    """Hazy at 10, 25 and 40 % coverage."""
    return [100 * at["hazy"] for at in row["at"].values()]


class TestEoLearnComposites:
    """The composites kept beside their inputs follow from these to the digit."""

    def test_are_equal_in_every_pixel(self, shared: Path) -> None:
        assert measure_composites(shared / "data") == {"NDVI": 1.0, "BLUE": 1.0}


@pytest.mark.prove
class TestTwoCloudyDates:
    """Of two cloudy dates senard knows which pixels are free of haze, as the clear date between them shows."""

    def test_are_judged_as_published(self, dates: Dates) -> None:
        rows = dates.rows([*simple(dates.cloudy), *ranked(dates.cloudy)])
        first = dates.truth.mgrs_tile == "33TWM"
        median = rows["mean or median, SCL"]
        assert 100 * median["coverage"] == pytest.approx(59.3 if first else 53.7, abs=0.05)
        assert 100 * median["hazy"] == pytest.approx(37.1 if first else 39.8, abs=0.1)
        near = rows["first, 300 m from cloud"]
        assert near["rmse"]["B02"] == pytest.approx(0.0219 if first else 0.0264, abs=0.0001)
        best = rows["HOT of NDVI bin"]
        assert best["auc"] == pytest.approx(0.931 if first else 0.943, abs=0.001)
        assert percent(best) == pytest.approx([0.5, 1.9, 9.2] if first else [0.5, 2.0, 15.0], abs=0.06)

    def test_are_ranked_by_the_haze_of_each_scene_better_than_published(self, dates: Dates) -> None:
        rows = dates.rows(ranked(dates.cloudy))
        ours, best = rows["senard, haze alone"], rows["HOT of NDVI bin"]
        assert ours["auc"] > best["auc"]
        assert percent(ours)[1] < percent(best)[1]
        assert percent(ours)[2] < percent(best)[2]

    def test_are_ranked_by_level_and_cost(self, dates: Dates) -> None:
        row = judged(by_senard(dates.cloudy), dates.truth)
        first = dates.truth.mgrs_tile == "33TWM"
        assert row["auc"] >= 0.93
        assert percent(row)[1] <= 2.5
        assert percent(row)[2] <= (10 if first else 15)
        assert row["at"]["0.25"]["B02"] < (0.0219 if first else 0.0264)
