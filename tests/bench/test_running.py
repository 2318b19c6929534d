"""A run takes the product's own steps, and its command line says which."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bench.quality import views
from bench.quality.__main__ import regime_named
from bench.quality.ablations import ABLATIONS, Variant, as_in
from bench.quality.calibration import calibrate
from bench.quality.metrics import measure
from bench.quality.pictures import write_sheet
from bench.quality.product import request_of, run_product
from bench.quality.season import REPORTED_SEEDS, TUNING_SEEDS, cloud_cover, target_acquisition
from bench.quality.table import hardness_lines, table
from senard.algorithms import labelling
from senard.model.request import Buffer, Fill
from senard.simulation.acquisition import Regime, SimulatedAcquisition
from senard.simulation.plans import quality_plan
from senard.simulation.sky import SHADOW
from senard.simulation.stack import SimulatedView
from tests.bench.hand_made import Seen, chosen, season_of, view_of

SHAPE = (60, 60)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENARD_BENCH_CACHE", str(tmp_path))


class TestSeeds:
    """Nothing is reported on what was tuned on."""

    def test_are_apart(self) -> None:
        assert not set(TUNING_SEEDS) & set(REPORTED_SEEDS)
        assert TUNING_SEEDS[0] == 31
        assert REPORTED_SEEDS == (61, 62, 63, 64, 65, 66)


class TestJudgedPart:
    """Clouds beyond the square throw shadows into its sunny edges: no figure counts there, for no method."""

    def test_is_the_square_without_its_eastern_and_southern_edge(self) -> None:
        sky = np.zeros((300, 400), dtype=np.uint8)
        sky[60:] = SHADOW
        sky[:, 160:] = SHADOW
        season = season_of([Seen(sky=sky)], shape=(300, 400))
        mosaic = chosen(season, np.zeros((300, 400)))
        judged = season.judged()
        assert judged.shape == (60, 160)
        assert measure(season, mosaic).contaminated == 92
        assert measure(judged, mosaic.judged()).contaminated == 0


class TestProduct:
    """senard is run by the code that makes mosaics, pixel on pixel."""

    def test_takes_the_clear_view_under_a_cloud(self) -> None:
        scl = np.full(SHAPE, 4)
        scl[20:40, 20:40] = 9
        season = season_of([Seen(scl=scl, dn=1000), Seen(dn=1000, scl=np.flipud(scl) * 0 + 4, day=20)], shape=SHAPE)
        made = run_product(season)
        assert (made.source[20:40, 20:40] == 1).all()
        assert made.level is not None
        assert (made.level > 0).all()
        assert made.cost is not None
        assert (made.cost >= 20 * made.level).all()

    def test_leaves_no_files(self, tmp_path: Path) -> None:
        run_product(season_of([Seen()], shape=SHAPE))
        assert not list((tmp_path / "quality/scratch").iterdir())

    def test_asks_for_the_views_own_grid(self) -> None:
        request = request_of(season_of([Seen(), Seen(day=30)], shape=SHAPE))
        assert request.crs == "EPSG:32633"
        assert (request.first_day, request.last_day) == (date(2024, 6, 15), date(2024, 7, 15))


class TestVariants:
    """Options and constants can be compared in one table."""

    def test_are_read_from_the_command_line(self) -> None:
        read = Variant.parse("wide:buffer=pure,fill=strict,labelling.KEPT=3")
        assert read.name == "wide"
        assert read.options == {"buffer": "pure", "fill": "strict"}
        assert read.constants == {"labelling.KEPT": "3"}

    def test_change_the_request(self) -> None:
        request = request_of(season_of([Seen()]), {"buffer": "pure", "fill": "all", "target_date": "2024-07-01"})
        assert (request.buffer, request.fill, request.target_date) == (Buffer.PURE, Fill.ALL, date(2024, 7, 1))

    def test_name_only_what_there_is(self) -> None:
        with pytest.raises(SystemExit, match="no bufer"):
            request_of(season_of([Seen()]), {"bufer": "pure"})
        with pytest.raises(SystemExit, match=r"labelling\.KEEPT"):
            run_product(season_of([Seen()], shape=SHAPE), Variant.parse("x:labelling.KEEPT=3"))

    def test_change_constants_and_defaults_for_a_while(self) -> None:
        assert labelling.Candidates.nothing((2, 2)).cost.shape == (2, 2, labelling.KEPT)
        with as_in(Variant.parse("x:labelling.KEPT=3")):
            assert labelling.Candidates.nothing((2, 2)).cost.shape == (2, 2, 3)
        assert labelling.Candidates.nothing((2, 2)).cost.shape != (2, 2, 3)

    def test_refuse_what_would_change_nothing(self) -> None:
        with pytest.raises(SystemExit, match="made of it"), as_in(Variant.parse("x:scoring.AEROSOL_FULL=1")):
            pass

    def test_of_the_ablations_can_be_run(self) -> None:
        season = season_of([Seen(), Seen(day=9)], shape=SHAPE)
        assert {run_product(season, variant).name for variant in ABLATIONS} == {one.name for one in ABLATIONS}


class TestSeason:
    """A season is a plan's views and the clear view of its middle day."""

    def test_target_is_the_middle_day_under_a_clear_sky(self) -> None:
        plan = quality_plan(Regime.TEMPERATE, 61)
        target = target_acquisition(plan)
        days = [one.time.toordinal() for one in plan]
        assert target.time.toordinal() == (days[0] + days[-1]) // 2
        assert target.cloudless
        assert target.grid == plan[0].grid

    def test_cloud_cover_is_that_of_the_product(self) -> None:
        assert cloud_cover(np.array([[8, 9, 10, 3, 4, 0]], dtype=np.uint8)) == 60

    @pytest.mark.parametrize("text", ["very cloudy", "very-cloudy", "VERY_CLOUDY"])
    def test_regimes_may_be_typed_in_any_spelling(self, text: str) -> None:
        assert regime_named(text) is Regime.VERY_CLOUDY


class TestCache:
    """A view is seen once."""

    def test_comes_back_as_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = view_of(Seen(dn=1234, scl=5, sky=4), (6, 6))
        asked: list[SimulatedAcquisition] = []

        def see(acquisition: SimulatedAcquisition) -> SimulatedView:
            asked.append(acquisition)
            return made

        monkeypatch.setattr(views, "view", see)
        for _ in range(2):
            back = views.cached_view(made.acquisition)
        assert len(asked) == 1
        assert (back.seen == made.seen).all()
        assert (back.judge["AOT"] == made.judge["AOT"]).all()
        assert back.sun_zenith == made.sun_zenith
        views.cached_view(replace(made.acquisition, seed=2))
        assert len(asked) == 2


class TestOutput:
    """Tables and pictures hold all methods."""

    def test_table_always_has_the_oracle_line(self) -> None:
        season = season_of([Seen(sky=[1, 0])], shape=(1, 2))
        text = table("title", [[measure(season, chosen(season, [[0, 0]]))]], [calibrate(season)])
        assert "contaminated, % of delivered" in text
        line = next(line for line in text.splitlines() if "oracle" in line)
        assert line.endswith("50.00")

    @pytest.mark.parametrize(("share", "verdict"), [(1, "TOO EASY"), (20, "hard enough")])
    def test_tells_whether_a_sky_is_hard(self, share: int, verdict: str) -> None:
        season = season_of([Seen(sky=np.arange(100) < share)], shape=(1, 100))
        made = replace(measure(season, chosen(season, np.zeros((1, 100)))), name="medoid")
        (line,) = hardness_lines(Regime.TEMPERATE, [[made]])
        assert verdict in line

    def test_sheet_is_a_picture(self, tmp_path: Path) -> None:
        season = season_of([Seen(sky=1)], shape=SHAPE)
        out = write_sheet(season, [chosen(season, np.zeros(SHAPE))], tmp_path / "sheet.png")
        assert out.read_bytes().startswith(b"\x89PNG")
