"""A map sheet: map, title, outline, scale bar, legend."""

import numpy as np
import pytest
import shapely

from senard.algorithms.pictures import perceptual_ramp
from senard.io.map_sheet import HEADER, MARGIN, DateLegend, LegendDay, draw_sheet, percent, round_length
from senard.model.arrays import UInt8Array
from senard.model.picture import PictureFrame

FRAME = PictureFrame(crs="EPSG:3857", left=0.0, top=30_000.0, pixel_m=100.0, width=400, height=300)
AREA = shapely.MultiPolygon([shapely.box(5_000, 5_000, 35_000, 25_000)])


def sheet(days: tuple[LegendDay, ...]) -> UInt8Array:
    painted = np.zeros((300, 400, 4), dtype=np.uint8)
    painted[50:250, 50:350] = (20, 120, 200, 255)
    legend = DateLegend(first_label="2024-05-01", last_label="2024-07-31", days=days, gap_share=0.031)
    titles = ("Acquisition dates", "lens", "Contains modified Copernicus Sentinel data 2024")
    return draw_sheet(painted, FRAME, AREA, titles=titles, ramp=perceptual_ramp(), legend=legend, scale=0.7)


class TestDrawSheet:
    """The date map explains itself."""

    def test_with_the_map_unchanged_inside_its_outline(self) -> None:
        drawn = sheet((LegendDay(label="2024-06-01", position=0.3, share=0.9),))
        inner = drawn[HEADER + 60 : HEADER + 240, MARGIN + 60 : MARGIN + 340]
        assert (inner == (20, 120, 200)).all()

    def test_with_a_dark_outline_on_a_light_edge(self) -> None:
        line = sheet(())[HEADER + 150, MARGIN + 42 : MARGIN + 58].mean(axis=1)
        assert line.min() < 60
        assert line[line.argmin() + 2 :].max() > 180

    def test_with_every_date_on_the_ramp_however_many_there_are(self) -> None:
        days = tuple(LegendDay(label=f"day {n}", position=n / 60, share=1 / 61) for n in range(61))
        assert not np.array_equal(sheet(days), sheet(days[:60]))

    def test_the_same_on_every_call(self) -> None:
        assert np.array_equal(sheet(()), sheet(()))


class TestRoundLength:
    """A scale bar has a length that a person can multiply."""

    @pytest.mark.parametrize(("longest", "length"), [(13_333, 10_000), (999, 500), (2_000, 2_000), (4_999, 2_000)])
    def test_not_longer_than_there_is_room(self, longest: float, length: float) -> None:
        assert round_length(longest) == length


class TestPercent:
    """A share reads as what it is."""

    @pytest.mark.parametrize(
        ("share", "text"),
        [(0, "0 %"), (0.0004, "< 0.1 %"), (0.031, "3.1 %"), (0.34, "34 %"), (0.9962, "99.6 %"), (1, "100 %")],
    )
    def test_in_few_digits(self, share: float, text: str) -> None:
        assert percent(share) == text

    def test_never_nothing_or_everything_where_something_is_missing(self) -> None:
        assert (percent(1e-9), percent(1 - 1e-9)) == ("< 0.1 %", "> 99.9 %")
