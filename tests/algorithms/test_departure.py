"""How an observation departs from what its ground usually looks like."""

import numpy as np
import pytest

from senard.algorithms.background import Background, Reservoir, background, offer
from senard.algorithms.departure import HAZY, IN_ZONE, PIXEL_M, SHADED, UNTESTED, Departure, depart, detection_grid
from senard.model.arrays import UInt16Array
from senard.model.grid import Grid
from senard.model.masks import HAZE_ZERO, ZONE_LIKELY, ZONE_NONE

Spectrum = tuple[int, int, int, int]

SIZE = 41
GRID = Grid(crs="EPSG:32635", left=600_000.0, top=6_600_000.0, gsd=60, width=SIZE, height=SIZE)
FIELD = (400, 500, 3000, 2000)
WATER = (300, 200, 150, 80)
WATER_FROM_ABOVE = (900, 450, 220, 60)
SAND = (1800, 2600, 3000, 3500)
INSIDE = (SIZE // 2, SIZE // 2)


def image(dn: tuple[int, int, int, int], *, haze: int = HAZE_ZERO, zone: int = ZONE_NONE) -> UInt16Array:
    """One spectrum everywhere: MASK_BANDS_60."""
    values = np.array([*dn, 100, haze, zone], dtype=np.uint16)
    return np.repeat(np.repeat(values[:, None, None], SIZE, axis=1), SIZE, axis=2)


def shadow_on_a_lake(dn: Spectrum, *, lake: Spectrum = WATER, zone: int = ZONE_NONE) -> UInt16Array:
    """600 m of one spectrum amid another."""
    seen, shadow = image(lake), image(dn, zone=zone)
    middle = slice(INSIDE[0] - 5, INSIDE[0] + 5), slice(INSIDE[1] - 5, INSIDE[1] + 5)
    seen[:, *middle] = shadow[:, *middle]
    return seen


def usual(dn: tuple[int, int, int, int], dates: int = 5) -> Background:
    """Ground that looked like this on so many dates."""
    kept = Reservoir.nothing(GRID.shape)
    for day in range(dates):
        offer(kept, day, np.zeros(GRID.shape, dtype=np.float32), np.ones(GRID.shape, dtype=np.bool_), image(dn))
    return background(kept, 45, 90)


def departed(
    seen: UInt16Array, ground: tuple[int, int, int, int] = FIELD, *, dates: int = 5, days_apart: float = 0.0
) -> Departure:
    return depart(seen, np.ones(GRID.shape, dtype=np.bool_), usual(ground, dates), days_apart, GRID)


class TestHaze:
    """Whatever scatters raises blue beyond what red explains."""

    def test_is_found_where_the_haze_index_rises_by_more_than_80_dn(self) -> None:
        found = departed(image((700, 700, 3050, 2020)))
        assert found.haze[INSIDE] == pytest.approx(2.5, rel=0.01)  # 300 - 200/2 DN, in units of 80
        assert found.verdict[INSIDE] == HAZY

    def test_is_not_seen_in_a_smaller_rise(self) -> None:
        assert departed(image((470, 520, 3000, 2000))).verdict[INSIDE] == 0

    @pytest.mark.parametrize(
        ("event", "dn"),
        [
            ("harvest", (750, 1300, 2400, 3200)),
            ("green-up", (350, 400, 4200, 1900)),
            ("ploughing", (600, 900, 1500, 2300)),
            ("flood", (450, 450, 300, 150)),
        ],
    )
    def test_is_not_taken_from_what_grows_and_is_cut(self, event: str, dn: tuple[int, int, int, int]) -> None:
        assert departed(image(dn)).verdict[INSIDE] & HAZY == 0, event

    def test_never_counts_lower_than_usual(self) -> None:
        assert departed(image((250, 500, 3000, 2000))).verdict[INSIDE] == 0

    def test_must_rise_more_where_the_background_is_of_another_season(self) -> None:
        seen = image((600, 600, 3000, 2000))  # a rise of 150 DN
        assert departed(seen, days_apart=45).verdict[INSIDE] == HAZY
        assert departed(seen, days_apart=105).verdict[INSIDE] == 0

    @pytest.mark.parametrize(
        ("event", "rise", "expected"),
        [
            ("thin cloud", (470, 520, 560, 410), HAZY),
            ("glint", (275, 375, 450, 465), 0),
            ("mud", (480, 760, 300, 20), 0),
        ],
    )
    def test_over_water_from_above_the_air_is_told_by_other_shares(
        self, event: str, rise: tuple[int, int, int, int], expected: int
    ) -> None:
        seen = image(tuple(map(sum, zip(WATER_FROM_ABOVE, rise, strict=True))))  # type: ignore[arg-type]
        ground, known = np.ones(GRID.shape, dtype=np.bool_), usual(WATER_FROM_ABOVE)
        assert depart(seen, ground, known, 0.0, GRID, from_above=True).verdict[INSIDE] == expected, event

    def test_over_water_is_neither_glint_nor_mud(self) -> None:
        assert departed(image((700, 600, 550, 480)), WATER).verdict[INSIDE] == 0, "glint: all bands alike"
        assert departed(image((600, 620, 300, 90)), WATER).verdict[INSIDE] == 0, "mud: red more than blue"
        assert departed(image((600, 400, 300, 130)), WATER).verdict[INSIDE] == HAZY
        assert departed(image((700, 590, 530, 370)), WATER).verdict[INSIDE] == HAZY, "thin cloud: SWIR, but less of it"
        assert departed(image((560, 490, 420, 260)), WATER).verdict[INSIDE] == HAZY, "cloud in shade, no bluer than red"

    @pytest.mark.parametrize(("own", "expected"), [(0, 0.0), (100, 0.25), (300, 97.5 / 80)])
    def test_is_believed_where_red_rises_too_as_far_as_its_own_scene_says(self, own: int, expected: float) -> None:
        found = departed(image((800, 1105, 3000, 2000), haze=HAZE_ZERO + own))
        assert found.haze[INSIDE] == pytest.approx(expected, abs=0.01)

    def test_over_water_is_that_of_the_shore_as_far_as_this_reaches(self) -> None:
        grid = Grid(crs="EPSG:32635", left=600_000.0, top=6_600_000.0, gsd=60, width=140, height=8)
        water = np.zeros(grid.shape, dtype=np.bool_)
        water[:, 40:] = True
        kept, seen = Reservoir.nothing(grid.shape), np.zeros((7, *grid.shape), dtype=np.uint16)
        seen[:, water] = np.array([*WATER, 100, HAZE_ZERO, ZONE_NONE], dtype=np.uint16)[:, None]
        for haze in (0, 0, 0, 0, 0, 300):
            seen[:, ~water] = np.array([400 + haze, 500 + haze, *FIELD[2:], 100, HAZE_ZERO, 0], np.uint16)[:, None]
            offer(kept, 0, np.zeros(grid.shape, np.float32), np.full(grid.shape, haze == 0), seen)
        found = depart(seen, np.ones(grid.shape, dtype=np.bool_), background(kept, 45, 90), 0.0, grid, water)
        assert found.haze[4, [20, 45, 70]] == pytest.approx(150 / 80, rel=0.15)
        assert found.haze[4, 130] == 0

    def test_over_bright_sand_is_measured_against_bright_sand(self) -> None:
        assert departed(image(SAND), SAND).verdict[INSIDE] == 0
        assert departed(image((2200, 2850, 3100, 3500)), SAND).verdict[INSIDE] == HAZY


class TestShade:
    """Only shade darkens red, NIR and SWIR together."""

    def test_is_found_where_all_three_lose_a_quarter(self) -> None:
        found = departed(image((300, 340, 2000, 1300)))
        assert found.dark[INSIDE] == pytest.approx(1 - 340 / 500, abs=0.01)
        assert found.verdict[INSIDE] == SHADED

    def test_is_found_earlier_where_a_shadow_must_fall(self) -> None:
        dn = (350, 430, 2550, 1700)
        assert departed(image(dn)).verdict[INSIDE] == 0
        assert departed(image(dn, zone=ZONE_LIKELY)).verdict[INSIDE] == SHADED | IN_ZONE

    def test_is_not_taken_from_a_harvest_or_a_burnt_scar(self) -> None:
        assert departed(image((600, 900, 1500, 2800))).verdict[INSIDE] & SHADED == 0, "harvest raises red and SWIR"
        assert departed(image((300, 450, 900, 2100))).verdict[INSIDE] & SHADED == 0, "fire scars keep their SWIR"

    def test_is_told_by_blue_over_water_beside_the_water_around(self) -> None:
        dimmed, dark = (240, 200, 150, 80), (150, 90, 60, 20)
        assert departed(shadow_on_a_lake(dimmed, zone=ZONE_LIKELY), WATER).verdict[INSIDE] == SHADED
        assert departed(shadow_on_a_lake(dimmed), WATER).verdict[INSIDE] == 0, "mud that settled"
        assert departed(shadow_on_a_lake(dark), WATER).verdict[INSIDE] == SHADED

    @pytest.mark.parametrize("lake", [(210, 140, 105, 56), (420, 280, 210, 80)])
    def test_is_told_over_a_lake_that_has_changed_its_colour(self, lake: Spectrum) -> None:
        shadow = (lake[0] // 2, lake[1] // 2, lake[2] // 2, lake[3] // 4)
        found = departed(shadow_on_a_lake(shadow, lake=lake), WATER)
        assert found.verdict[INSIDE] & SHADED
        assert found.dark[INSIDE] == pytest.approx(0.5, abs=0.1)
        assert found.verdict[INSIDE[0], 8] & SHADED == 0, "the lake around it"

    def test_is_told_over_a_pond_by_the_pond_alone(self) -> None:
        water = np.zeros(GRID.shape, dtype=np.bool_)
        water[INSIDE[0] - 2 : INSIDE[0] + 3, INSIDE[1] - 2 : INSIDE[1] + 3] = True
        seen, ground = image((150, 90, 60, 20)), np.ones(GRID.shape, dtype=np.bool_)
        assert depart(seen, ground, usual(WATER), 0.0, GRID, water).verdict[INSIDE] == SHADED

    def test_must_show_over_water_to_count(self) -> None:
        assert departed(image(WATER, zone=ZONE_LIKELY), WATER).verdict[INSIDE] == 0
        assert departed(image(FIELD, zone=ZONE_LIKELY)).verdict[INSIDE] == IN_ZONE


class TestFewDates:
    """With fewer than three dates an observation is compared with its own scene."""

    def test_is_said(self) -> None:
        assert departed(image(FIELD), dates=2).verdict[INSIDE] == UNTESTED

    def test_leaves_haze_to_the_scene_itself(self) -> None:
        assert departed(image(FIELD, haze=HAZE_ZERO + 300), dates=2).verdict[INSIDE] == UNTESTED | HAZY

    def test_says_nothing_where_the_scene_knows_nothing(self) -> None:
        assert departed(image((900, 500, 3000, 2000), haze=0), dates=0).verdict[INSIDE] == UNTESTED


class TestDetectionGrid:
    """Pixels of 60 m lie at the same places whatever part of the mosaic is asked for."""

    @pytest.mark.parametrize("left", [600_000.0, 600_020.0, 600_040.0])
    def test_is_anchored_at_the_origin(self, left: float) -> None:
        grid = Grid(crs="EPSG:32635", left=left, top=6_600_020.0, gsd=20, width=100, height=77)
        coarse = detection_grid(grid)
        assert coarse.left % PIXEL_M == 0
        assert coarse.top % PIXEL_M == 0
        assert coarse.gsd == PIXEL_M

    def test_reaches_as_far_as_the_smoothing(self) -> None:
        grid = Grid(crs="EPSG:3857", left=2_700_000.0, top=8_400_000.0, gsd=20, width=100, height=100)
        coarse = detection_grid(grid).bounds
        # 3 x 150 m on the ground are 900 m of EPSG:3857 at 60 degrees
        assert grid.bounds.left - coarse.left >= 900
        assert coarse.top - grid.bounds.top >= 900
