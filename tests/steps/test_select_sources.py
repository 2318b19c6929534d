"""Every pixel of a tile gets the scene that suits it best."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from senard.io.geotiff import Raster, read_scratch
from senard.io.scenes_file import write_verdict
from senard.model.grid import Tile
from senard.model.request import Buffer, Fill, MosaicRequest
from senard.model.sources import CLEAR_LEVELS
from senard.steps.select_sources import select_sources
from tests.steps.judged_scenes import Judged, Plan, around, cloudy, write_judged

TILE = Tile(index=0, crs="EPSG:3857", left=2_700_000, bottom=8_398_000, right=2_703_200, top=8_401_200)
"""160 x 160 pixels of 20 m near Helsinki, over the border of two row sections at y = 8 400 000."""

WORLD = shapely.box(-179, -80, 179, 80)


def asked(**changes: object) -> MosaicRequest:
    values: dict[str, object] = {
        "name": "test",
        "aoi": WORLD,
        "first_day": date(2024, 6, 1),
        "last_day": date(2024, 6, 30),
        "clip": False,
    }
    return MosaicRequest(**(values | changes))  # type: ignore[arg-type]


def chosen(
    out: Path,
    judged: Sequence[Judged],
    request: MosaicRequest | None = None,
    tile: Tile = TILE,
    block_px: int = 1024,
    **named: Sequence[int],
) -> Raster:
    scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
    folder = select_sources(request or asked(), scenes, masks, tile, out, block_px=block_px, **named)
    return read_scratch(folder / "sources_20.tif")


def covering(day: int, **changes: object) -> Plan:
    """A scene of one day that covers the tile with room."""
    left, top = around(TILE, "EPSG:32635", 300)
    return replace(Plan(day=day, left=left, top=top), **changes)  # type: ignore[arg-type]


def stack(folder: Path, seed: int, count: int = 4) -> list[Judged]:
    """Cloudy dates over the tile in two UTM zones, each with its own brightness."""
    judged = []
    for number in range(count):
        crs = "EPSG:32635" if number % 3 else "EPSG:32634"
        left, top = around(TILE, crs, 300, east_m=200.0 * number, north_m=-150.0 * number)
        scl = cloudy(seed * 100 + number, 300, 0.15 + 0.1 * (number % 3))
        plan = Plan(
            day=5 * number, crs=crs, left=left, top=top, scl=scl, brightness=900 + 60 * number, noise=150, seed=number
        )
        judged.append(write_judged(folder, plan))
    return judged


class TestSelectSources:
    """The best scene wins, pixel by pixel."""

    def test_takes_the_date_nearest_to_the_middle_of_the_period_where_all_is_clear(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", covering(day)) for day in (0, 13, 29)]
        source, clear, level, flags, cost = chosen(tmp_path / "out", judged)
        assert (source == 2).all()
        assert (clear == 3).all()
        assert (level == 1).all()
        assert not flags.any()
        # nothing but 2 * 0.4 for a haze index as usual: far from clouds, all clear, and a date is no reason to doubt
        assert set(np.unique(cost).tolist()) == {800}

    def test_follows_the_target_day(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", covering(day)) for day in (0, 13, 29)]
        request = asked(target_date=date(2024, 6, 29))
        assert (chosen(tmp_path / "out", judged, request)[0] == 3).all()

    def test_never_takes_a_cloud_where_another_date_saw_the_ground(self, tmp_path: Path) -> None:
        scl = np.full((300, 300), 4, dtype=np.uint8)
        scl[148:152, 148:152] = 9
        poor = covering(0, sun_zenith=85.0, aerosol=900)
        judged = [write_judged(tmp_path / "m", covering(14, scl=scl)), write_judged(tmp_path / "m", poor)]
        source, clear, level, _, _ = chosen(tmp_path / "out", judged)
        assert {1, 2} == set(np.unique(source).tolist())
        assert (level == 2).all(), "two dates are too few to test an observation by the others"
        assert (source[clear == 1] == 2).all()

    def test_flags_ground_inside_the_buffer_and_leaves_cloud_empty(self, tmp_path: Path) -> None:
        scl = np.full((300, 300), 4, dtype=np.uint8)
        scl[100:200, 120:180] = 9
        judged = [write_judged(tmp_path / "m", covering(14, scl=scl))]
        source, clear, level, flags, _ = chosen(tmp_path / "out", judged)
        assert set(np.unique(level).tolist()) == {0, 2, 4}
        assert (flags[level == 4] == 128).all()
        assert (clear == (level == 2)).all()
        assert ((source == 0) == (level == 0)).all()

    def test_fills_by_the_level_that_was_asked_for(self, tmp_path: Path) -> None:
        scl = np.full((300, 300), 4, dtype=np.uint8)
        scl[100:200, 120:150] = 9
        scl[100:200, 150:180] = 1
        judged = [write_judged(tmp_path / "m", covering(14, scl=scl))]
        strict, flag, every = (
            chosen(tmp_path / fill.value, judged, asked(fill=fill))[2] for fill in (Fill.STRICT, Fill.FLAG, Fill.ALL)
        )
        assert set(np.unique(strict).tolist()) == {0, 2}
        assert set(np.unique(every).tolist()) == {2, 4, 5}
        assert np.array_equal(flag[flag > 0], every[flag > 0])
        # saturated ground is level 4, but not clear for its own product
        assert (every == 4).sum() > 4 * (flag == 4).sum() > 0

    def test_widens_the_hard_buffer_when_asked(self, tmp_path: Path) -> None:
        scl = np.full((300, 300), 4, dtype=np.uint8)
        scl[140:160, 140:160] = 9
        judged = [write_judged(tmp_path / "m", covering(14, scl=scl))]
        widths = [
            int((chosen(tmp_path / buffer.value, judged, asked(buffer=buffer))[2] == 4).sum())
            for buffer in (Buffer.THIN, Buffer.PURE, Buffer.TERRASCOPE)
        ]
        assert widths[0] * 5 < widths[1] < widths[2]

    def test_gives_the_same_map_whatever_the_order_of_the_scenes(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 5)
        forward = chosen(tmp_path / "a", judged)
        backward = chosen(tmp_path / "b", judged[::-1])
        assert np.array_equal(forward[1:], backward[1:])
        assert np.array_equal(np.where(forward[0] > 0, 5 - forward[0].astype(int), 0), backward[0])

    def test_does_not_change_when_an_overcast_scene_is_added(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 6)
        white = covering(14, scl=np.full((300, 300), 9, dtype=np.uint8), brightness=5000, seed=77)
        overcast = write_judged(tmp_path / "m", white)
        assert np.array_equal(chosen(tmp_path / "a", judged), chosen(tmp_path / "b", [*judged, overcast]))

    def test_leaves_out_scenes_with_a_verdict_or_without_a_mask(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "m", covering(day)) for day in (0, 14, 15, 29)]
        write_verdict(judged[1].folder, judged[1].scene.product_id, "cut short")
        out = select_sources(
            asked(),
            [one.scene for one in judged],
            [judged[0].folder, judged[1].folder, None, judged[3].folder],
            TILE,
            tmp_path / "out",
        )
        assert set(json.loads((out / "sources.json").read_text())["pixels"]) <= {"1", "4"}

    def test_is_empty_where_no_scene_reaches(self, tmp_path: Path) -> None:
        far = Tile(index=0, crs="EPSG:3857", left=0, bottom=0, right=2000, top=2000)
        layers = chosen(tmp_path / "out", [write_judged(tmp_path / "m", covering(1))], tile=far)
        assert not layers.any()


class TestDatatakes:
    """Granules of one overflight are one observation."""

    def test_count_once_and_take_the_granule_of_the_own_utm_zone(self, tmp_path: Path) -> None:
        plans = []
        for crs, minutes in (("EPSG:32634", 0), ("EPSG:32635", 1)):
            left, top = around(TILE, crs, 300, north_m=400)
            plans.append(Plan(day=14, crs=crs, left=left, top=top, minutes=minutes))
        judged = [write_judged(tmp_path / "m", plan) for plan in plans]
        source, clear, *_ = chosen(tmp_path / "out", judged)
        longitude = Transformer.from_crs("EPSG:3857", "EPSG:4326", always_xy=True).transform(2_700_010, 8_400_000)[0]
        assert 24 < longitude < 30  # zone 35
        assert (clear == 1).all()
        assert (source == 2).all()

    def test_take_the_granule_whose_centre_is_nearer_within_a_zone(self, tmp_path: Path) -> None:
        plans = []
        for number, east in enumerate((-1000.0, 1000.0)):
            left, top = around(TILE, "EPSG:32635", 300, east_m=east)
            plans.append(Plan(day=14, left=left, top=top, minutes=number))
        source = chosen(tmp_path / "out", [write_judged(tmp_path / "m", plan) for plan in plans])[0]
        assert (source[:, :70] == 1).all()
        assert (source[:, 90:] == 2).all()


def two_parts(folder: Path) -> list[Judged]:
    """Two dates of a product whose second column of internal tiles begins in the middle of the tile; 1 costs less."""
    left, top = around(TILE, "EPSG:32635", 768, east_m=-2560.0)
    plans = [Plan(day=day, left=left, top=top, size=768, seed=day) for day in (14, 0)]
    return [write_judged(folder, plan) for plan in plans]


class TestParts:
    """Of scenes that are spared in parts"""

    def test_each_supplies_where_its_parts_do(self, tmp_path: Path) -> None:
        judged = two_parts(tmp_path / "m")
        assert (chosen(tmp_path / "all", judged)[0] == 1).all()
        source = chosen(tmp_path / "out", judged, parts=[1 * 256, 1 * 256 + 16, 2 * 256 + 1, 2 * 256 + 17])[0]
        assert (source[:, :40] == 1).all()
        assert (source[:, -40:] == 2).all()
        assert (source > 0).all(), "also along the border that nobody should supply from"
        assert (np.diff(source.astype(int), axis=1) != 0).sum(axis=1).max() == 1

    def test_one_that_supplies_both_sides_of_a_border_also_supplies_the_border(self, tmp_path: Path) -> None:
        judged = two_parts(tmp_path / "m")
        everywhere = [2 * 256 + place for place in (0, 1, 16, 17)]
        source = chosen(tmp_path / "out", judged, parts=[1 * 256, 1 * 256 + 16, *everywhere])[0]
        west, east = (np.flatnonzero((source == number).all(axis=0)) for number in (1, 2))
        assert west.size + east.size > 150
        assert west.max() < 90 < east.max()
        (border,) = np.flatnonzero(np.diff(source[80].astype(int)))
        whole = chosen(tmp_path / "whole", judged, parts=[1 * 256, 1 * 256 + 16, 2 * 256 + 1, 2 * 256 + 17])[0]
        (edge,) = np.flatnonzero(np.diff(whole[80].astype(int)))
        assert 4 <= edge - border <= 20, "the dearer date takes a strip, so that the other need not be read beyond it"

    def test_no_other_supplies_what_these_do_not_show(self, tmp_path: Path) -> None:
        left, top = around(TILE, "EPSG:32635", 300)
        scl = np.full((300, 300), 4, dtype=np.uint8)
        scl[100:160, 100:160] = 9
        judged = [
            write_judged(tmp_path / "m", Plan(day=14, left=left, top=top, scl=scl)),
            write_judged(tmp_path / "m", Plan(day=0, left=left, top=top)),
        ]
        assert (chosen(tmp_path / "all", judged)[0] > 0).all()
        source = chosen(tmp_path / "out", judged, parts=[1 * 256])[0]
        assert set(np.unique(source)) == {0, 1}

    def test_is_bit_identical_in_blocks_of_any_size(self, tmp_path: Path) -> None:
        judged, parts = stack(tmp_path / "m", 3), [1 * 256, 3 * 256]
        whole = chosen(tmp_path / "a", judged, spared=[4], parts=parts)
        assert set(np.unique(whole[0])) >= {1, 3}
        assert np.array_equal(whole, chosen(tmp_path / "b", judged, block_px=83, spared=[4], parts=parts))


class TestSpared:
    """A scene that supplies nothing"""

    def test_counts_as_clear_where_it_is_on_pixels_of_60_m(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 6)
        before, after = (chosen(tmp_path / str(n), judged, spared=[1, 2, 4][:n]) for n in (0, 3))
        assert set(np.unique(after[0])) == {0, 3}
        assert after[1].max() == before[1].max() == 4
        assert after[1].mean() == pytest.approx(before[1].mean(), rel=0.02)
        assert (after[1] == before[1]).mean() > 0.8
        assert (np.abs(after[1].astype(int) - before[1]) <= 1).mean() > 0.97


class TestInvariance:
    """The source of a pixel depends on its place and the scenes alone."""

    @settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(seed=st.integers(0, 10_000), block_px=st.sampled_from([64, 83, 100]))
    def test_is_bit_identical_in_blocks_of_any_size(
        self, tmp_path_factory: pytest.TempPathFactory, seed: int, block_px: int
    ) -> None:
        folder = tmp_path_factory.mktemp("blocks")
        judged = stack(folder / "m", seed)
        whole = chosen(folder / "a", judged)
        assert len(np.unique(whole[0])) > 2
        assert np.array_equal(whole, chosen(folder / "b", judged, block_px=block_px))

    @settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(seed=st.integers(0, 10_000), right=st.integers(1, 100), down=st.integers(1, 100))
    def test_is_bit_identical_in_tiles_of_any_place(
        self, tmp_path_factory: pytest.TempPathFactory, seed: int, right: int, down: int
    ) -> None:
        folder = tmp_path_factory.mktemp("tiles")
        judged = stack(folder / "m", seed)
        shifted = replace(
            TILE,
            left=TILE.left + 20 * right,
            right=TILE.right + 20 * right,
            top=TILE.top - 20 * down,
            bottom=TILE.bottom - 20 * down,
        )
        here = chosen(folder / "a", judged)
        there = chosen(folder / "b", judged, tile=shifted)
        assert np.array_equal(here[:, down:, right:], there[:, : 160 - down, : 160 - right])

    def test_holds_for_the_second_scene_beyond_a_border_too(self, tmp_path: Path) -> None:
        judged, soft = stack(tmp_path / "m", 8), asked(feather_m=60.0)
        whole = chosen(tmp_path / "a", judged, soft)
        assert np.array_equal(whole[:5], chosen(tmp_path / "hard", judged))
        second, share = whole[5:]
        assert 50 < (second > 0).sum() < second.size / 3
        assert ((second > 0) == (share > 0)).all()
        assert (second[second > 0] != whole[0][second > 0]).all()
        assert np.array_equal(whole, chosen(tmp_path / "b", judged, soft, block_px=97))
        edges = {"left": TILE.left + 1540, "top": TILE.top - 1220}
        part = chosen(tmp_path / "c", judged, soft, tile=replace(TILE, **edges))
        assert np.array_equal(part, whole[:, 61:, 77:])
        counts = json.loads((tmp_path / "a" / "sources.json").read_text())
        for number in range(1, 5):
            asked_of = (whole[0] == number).sum() + (second == number).sum()
            assert counts["taking_part"].get(str(number), 0) == asked_of

    def test_holds_where_blocks_between_others_are_not_to_be_filled(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 8, count=3)
        to_lonlat = Transformer.from_crs(TILE.crs, "EPSG:4326", always_xy=True).transform
        strips = [
            shapely.box(left, TILE.bottom + 500, left + 580, TILE.top - 500) for left in (TILE.left, TILE.right - 600)
        ]
        request = asked(aoi=shapely.transform(shapely.union_all(strips), to_lonlat, interleaved=False), clip=True)
        whole = chosen(tmp_path / "a", judged, request)
        assert np.array_equal(whole, chosen(tmp_path / "b", judged, request, block_px=16))
        assert whole[0][:, :25].any()
        assert whole[0][:, -25:].any()
        assert not whole[0][:, 40:120].any()

    def test_holds_in_a_last_block_that_is_narrower_and_alone_to_be_filled(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 8, count=3)
        to_lonlat = Transformer.from_crs(TILE.crs, "EPSG:4326", always_xy=True).transform
        strip = shapely.box(TILE.right - 600, TILE.bottom + 500, TILE.right - 20, TILE.top - 500)
        request = asked(aoi=shapely.transform(strip, to_lonlat, interleaved=False), clip=True)
        whole = chosen(tmp_path / "a", judged, request)
        assert np.array_equal(whole, chosen(tmp_path / "b", judged, request, block_px=64))
        assert whole[0].any()
        assert not whole[0][:, :120].any()

    def test_holds_inside_the_area_whatever_its_outline(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 8)
        middle = Transformer.from_crs("EPSG:3857", "EPSG:4326", always_xy=True).transform(2_701_600, 8_399_600)
        area = shapely.Point(middle).buffer(0.006)
        whole = chosen(tmp_path / "a", judged)
        clipped = chosen(tmp_path / "b", judged, asked(aoi=area, clip=True))
        inside = clipped[0] > 0
        assert 1000 < inside.sum() < 20_000
        assert np.array_equal(clipped[:, inside], whole[:, inside])
        assert not clipped[:, ~inside].any()


class TestCounts:
    """sources.json counts the map."""

    def test_equals_the_map(self, tmp_path: Path) -> None:
        judged = stack(tmp_path / "m", 9)
        source, _, level, _, _ = chosen(tmp_path / "out", judged)
        counts = json.loads((tmp_path / "out" / "sources.json").read_text())
        assert counts["aoi_pixels"] == source.size
        assert counts["valid_share"] == pytest.approx((source > 0).mean(), abs=1e-6)
        for number in range(1, 5):
            assert counts["pixels"].get(str(number), 0) == (source == number).sum()
            clear = (source == number) & np.isin(level, CLEAR_LEVELS)
            assert counts["clear_pixels"].get(str(number), 0) == clear.sum()
        for number in range(6):
            assert counts["levels"].get(str(number), 0) == (level == number).sum()

    def test_tells_how_far_it_is(self, tmp_path: Path) -> None:
        told: list[float] = []
        judged = [write_judged(tmp_path / "m", covering(1))]
        scenes, masks = [judged[0].scene], [judged[0].folder]
        select_sources(asked(), scenes, masks, TILE, tmp_path / "out", block_px=100, progress=told.append)
        assert told == [0.25, 0.5, 0.75, 1]
