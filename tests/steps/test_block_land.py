"""A terrain model and a land cover change the choice where they say something, and nothing elsewhere."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer

from senard.algorithms.contenders import supplied_m2
from senard.errors import IncompleteError
from senard.io.geotiff import Raster, read_scratch
from senard.io.land_folder import Layer, read_land
from senard.io.sources_file import read_weights
from senard.model.grid import Grid, Tile
from senard.model.request import Method, MosaicRequest
from senard.model.sources import FLAG_PERMANENT_SNOW
from senard.steps import spare_scenes
from senard.steps import weigh_scenes as weighing
from senard.steps.block_land import BlockLand
from senard.steps.select_participants import select_participants
from senard.steps.select_sources import select_sources
from senard.steps.take_land import take_land
from tests.steps.judged_scenes import Judged, Plan, write_judged

SIZE = 150
TILE = Tile(index=0, crs="EPSG:32635", left=480_000, bottom=6_657_000, right=483_000, top=6_660_000)
"""The scenes' own pixels, 3 x 3 km."""
RIDGE = 6_658_500
"""Northing of a ridge 900 m high and 240 m wide that runs through the tile from west to east."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """Five dates over the tile; the one in the middle of the period has the lowest sun."""
    folder = tmp_path_factory.mktemp("masks")
    suns = {0: 40.0, 2: 40.0, 14: 60.0, 26: 40.0, 28: 40.0}
    plan = Plan(left=TILE.left, top=TILE.top, size=SIZE)
    return [write_judged(folder, replace(plan, day=day, sun_zenith=sun, seed=day)) for day, sun in suns.items()]


@pytest.fixture(scope="module")
def dem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 m pixels, 30 km around the tile."""
    top, left, side = TILE.top + 30_000, TILE.left - 30_000, 63_000 // 20
    y = top - (np.arange(side) + 0.5) * 20
    heights = np.where(np.abs(y - RIDGE) < 120, 1000, 100)[:, None] + np.zeros(side)
    path = tmp_path_factory.mktemp("dem") / "dem.tif"
    return _write(path, heights.astype(np.float32), float(left), float(top))


def _write(path: Path, pixels: np.ndarray, left: float, top: float) -> Path:
    profile = {"width": pixels.shape[1], "height": pixels.shape[0], "count": 1, "dtype": pixels.dtype}
    with rasterio.open(path, "w", crs=TILE.crs, transform=Affine(20, 0, left, 0, -20, top), **profile) as raster:
        raster.write(pixels, 1)
    return path


def asked(**changes: object) -> MosaicRequest:
    values: dict[str, object] = {
        "name": "test",
        "aoi": shapely.box(-179, -80, 179, 80),
        "first_day": date(2024, 6, 1),
        "last_day": date(2024, 6, 29),
        "crs": TILE.crs,
        "clip": False,
    }
    return MosaicRequest(**(values | changes))  # type: ignore[arg-type]


def chosen(
    judged: Sequence[Judged], request: MosaicRequest, land: Path | None, out: Path, block_px: int = 1024
) -> Raster:
    """source, clear, level, flags, cost."""
    scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
    made = select_sources(request, scenes, masks, TILE, out, land=land, block_px=block_px)
    return read_scratch(made / "sources_20.tif")


class TestTerrain:
    """Nobody takes the shade of a ridge where another date saw it in the sun."""

    def test_is_not_chosen(self, judged: list[Judged], dem: Path, tmp_path: Path) -> None:
        """The sun of the middle date stands in the south-south-east, 30 degrees high: 900 m shade 1465 m northwards."""
        request = asked(dem="a" * 64)
        land = take_land(request, dem, None, [TILE], tmp_path / "land")
        plain = chosen(judged, asked(), None, tmp_path / "plain")
        source, clear, level, *_ = chosen(judged, request, land, tmp_path / "dem")
        assert (plain[0] == 3).all(), "without a terrain model the middle date is the best"
        ridge = (TILE.top - RIDGE) // 20
        lit, dark = slice(ridge - 70, ridge - 48), slice(ridge - 36, ridge - 12)
        assert (source[lit] != 3).all()
        assert (clear[lit] == 4).all()
        assert (level[lit] == 1).all()
        assert (clear[dark] == 0).all(), "the higher suns leave 710 m in shade, too"
        assert (level[dark] == 3).all()
        assert np.array_equal(source[ridge + 20 :], plain[0, ridge + 20 :])
        assert (clear[ridge + 20 :] == 5).all()

    @pytest.mark.parametrize("small_m2", [1e9, 0.0])
    def test_counts_where_scenes_are_weighed(
        self, judged: list[Judged], dem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_m2: float
    ) -> None:
        monkeypatch.setattr(spare_scenes, "SMALL_M2", small_m2)
        corner = Transformer.from_crs(TILE.crs, "EPSG:4326", always_xy=True).transform(TILE.left + 1500, RIDGE + 300)
        request = asked(dem="a" * 64, aoi=shapely.Point(corner).buffer(0.005), clip=True)
        land = take_land(request, dem, None, [TILE], tmp_path / "land")
        scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
        best = []
        for name, given in (("plain", None), ("dem", land)):
            wanted = replace(request, dem="" if given is None else request.dem)
            weighing.weigh_scenes(wanted, scenes, masks, TILE, tmp_path / name, land=given)
            weights = read_weights(tmp_path / name)
            assert weights is not None
            supplied = supplied_m2(weights.scenes)
            best.append(supplied.get(3, 0.0) / sum(supplied.values()))
        assert best[0] == 1.0
        assert best[1] < 0.5, "on most of this ground other dates have more sun"

    def test_is_taken_at_level_3_where_no_date_saw_the_sun(
        self, judged: list[Judged], dem: Path, tmp_path: Path
    ) -> None:
        request = asked(dem="a" * 64)
        land = take_land(request, dem, None, [TILE], tmp_path / "land")
        source, clear, level, *_ = chosen(judged[2:3], request, land, tmp_path / "out")
        ridge = (TILE.top - RIDGE) // 20
        assert (source == 1).all()
        assert (level[ridge - 60 : ridge - 10] == 3).all()
        assert not clear[ridge - 60 : ridge - 10].any()
        assert (level[ridge + 20 :] == 2).all(), "one date alone cannot be tested"

    def test_is_the_same_in_blocks_of_any_size(self, judged: list[Judged], dem: Path, tmp_path: Path) -> None:
        request = asked(dem="a" * 64)
        land = take_land(request, dem, None, [TILE], tmp_path / "land")
        whole = chosen(judged, request, land, tmp_path / "whole")
        assert np.array_equal(whole, chosen(judged, request, land, tmp_path / "blocks", block_px=100))

    def test_changes_no_pixel_where_the_model_says_nothing(self, judged: list[Judged], tmp_path: Path) -> None:
        far = _write(tmp_path / "far.tif", np.full((10, 10), 100, np.float32), TILE.left + 200_000.0, 6_800_000.0)
        land = take_land(asked(dem="a" * 64), far, None, [TILE], tmp_path / "land")
        with_it = chosen(judged, asked(dem="a" * 64), land, tmp_path / "a")
        assert np.array_equal(with_it, chosen(judged, asked(), None, tmp_path / "b"))

    def test_takes_no_part_in_other_methods_either(self, judged: list[Judged], dem: Path, tmp_path: Path) -> None:
        request = asked(dem="a" * 64, method=Method.MEDIAN)
        land = take_land(request, dem, None, [TILE], tmp_path / "land")
        scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
        out = select_participants(request, scenes, masks, TILE, tmp_path / "out", land=land)
        taking = read_scratch(out / "participants/2.tif", bands="source")
        ridge = (TILE.top - RIDGE) // 20
        assert not taking[ridge - 70 : ridge - 48].any()
        assert taking[ridge + 20 :].all()

    def test_moves_zones_of_shadow_where_relief_is_high(self, dem: Path, tmp_path: Path) -> None:
        request = asked(dem="a" * 64)
        land = take_land(request, dem, None, [TILE], tmp_path / "land")
        coarse = TILE.grid(20).at(60)
        sun = np.array([[0, 0], [45, 160], [30, 160]], dtype=np.float32)
        block = BlockLand.read(request, land, sun, coarse)
        assert block.above is not None
        assert block.above.max() == pytest.approx(880, abs=30), "the ridge over the plain"
        assert block.around is not None
        assert (block.around.width - coarse.width) / 2 * 60 == pytest.approx(block.above.max(), abs=120)


class TestLandFolder:
    """What was taken over has the same values whatever is read of it."""

    def test_gives_every_part_its_pixels(self, dem: Path, tmp_path: Path) -> None:
        land = take_land(asked(dem="a" * 64), dem, None, [TILE], tmp_path / "land")
        whole = Grid(crs=TILE.crs, left=470_040.0, top=6_668_040.0, gsd=60, width=300, height=300)
        part = replace(whole, left=whole.left + 60 * 100, top=whole.top - 60 * 90, width=150, height=140)
        heights = read_land(land, Layer.HEIGHTS, whole)
        assert np.array_equal(read_land(land, Layer.HEIGHTS, part), heights[90:230, 100:250])
        assert heights.max() == pytest.approx(1000)

    def test_says_what_is_missing(self, dem: Path, tmp_path: Path) -> None:
        request = asked(dem="a" * 64)
        land = take_land(request, dem, None, [TILE], tmp_path / "land")
        for cell in land.glob("heights_*"):
            cell.unlink()
        coarse, sun = TILE.grid(20).at(60), np.zeros((1, 2), np.float32)
        with pytest.raises(IncompleteError, match=r"expected heights_-\d+_\d+\.tif, found none"):
            BlockLand.read(request, land, sun, coarse)
        with pytest.raises(IncompleteError, match="expected the land of this mosaic, found nothing"):
            BlockLand.read(request, None, sun, coarse)


class TestLandcover:
    """Its ice is ground, and summer snow on its towns must look like snow."""

    def test_decides_about_snow(self, tmp_path: Path) -> None:
        scl = np.full((SIZE, SIZE), 4, dtype=np.uint8)
        scl[:, :50] = 11
        plan = Plan(left=TILE.left, top=TILE.top, size=SIZE, brightness=3000)
        snowy = [write_judged(tmp_path / "m", replace(plan, day=day, scl=scl, seed=day)) for day in (10, 20)]
        codes = np.full((SIZE, SIZE), 10, dtype=np.uint8)
        codes[:50, :50], codes[50:100, :50] = 50, 70
        cover = _write(tmp_path / "cover.tif", codes, float(TILE.left), float(TILE.top))
        request = asked(landcover="b" * 64)
        land = take_land(request, None, cover, [TILE], tmp_path / "land")
        _, clear, level, flags, _ = chosen(snowy, request, land, tmp_path / "out")
        assert (level[:48, :48] == 2).all(), "roofs: ground, though two dates cannot be tested"
        assert (clear[:48, :48] == 2).all()
        assert not flags[:48, :48].any()
        assert (flags[53:97, :48] & FLAG_PERMANENT_SNOW).all(), "ice"
        assert (level[53:97, :48] == 2).all()
        assert (level[103:, :48] == 4).all(), "snow on a forest is believed"
