"""Two granules of one overflight, in two MGRS tiles, show no step in the mosaic."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely

from senard.io.geotiff import Raster, read_scratch
from senard.io.levels_folder import read_levels, write_levels
from senard.io.scenes_file import write_verdict
from senard.model.grid import Grid, Tile
from senard.model.request import Level, MosaicRequest
from senard.steps import supply_band as module
from senard.steps.composite_tile import composite_tile
from senard.steps.level_scenes import level_scenes
from tests.steps import small_products
from tests.steps.judged_scenes import Judged, Plan, around, write_judged
from tests.steps.small_products import SmallArchive, SmallProduct

TILE = Tile(index=0, crs="EPSG:3857", left=2_700_000, bottom=8_385_000, right=2_724_000, top=8_415_000)
"""12 x 15 km on the ground near Helsinki."""

SIZE = 600
"""Side of a granule, px of 20 m: 12 km."""

OVERLAP_M = 6000


def asked(level: Level = Level.DATATAKE) -> MosaicRequest:
    return MosaicRequest(
        name="test",
        aoi=shapely.box(-179, -80, 179, 80),
        first_day=date(2024, 6, 1),
        last_day=date(2024, 6, 30),
        clip=False,
        level=level,
    )


def granule(north_m: float, brightness: int, crs: str = "EPSG:32635", east_m: float = 0.0, **changes: object) -> Plan:
    left, top = around(TILE, crs, SIZE, north_m=north_m, east_m=east_m)
    plan = Plan(crs=crs, left=left, top=top, size=SIZE, brightness=brightness, seed=int(north_m + east_m) % 97)
    return replace(plan, **changes)  # type: ignore[arg-type]


def north(brightness: int = 1060, **changes: object) -> Plan:
    return granule((SIZE * 20 - OVERLAP_M) / 2, brightness, **changes)  # type: ignore[arg-type]


def south(brightness: int = 1000, **changes: object) -> Plan:
    return granule(-(SIZE * 20 - OVERLAP_M) / 2, brightness, **changes)  # type: ignore[arg-type]


def levelled(
    folder: Path, plans: Sequence[Plan], tiles: Sequence[Tile] = (TILE,), request: MosaicRequest | None = None
) -> Path:
    """The folder of corrections for scenes made to these plans."""
    judged = [write_judged(folder / f"m{number}", plan) for number, plan in enumerate(plans)]
    return levels_of(folder, judged, tiles, request)


def levels_of(
    folder: Path, judged: Sequence[Judged], tiles: Sequence[Tile] = (TILE,), request: MosaicRequest | None = None
) -> Path:
    scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
    out = folder / f"levels-{len(tiles)}-{tiles[0].left}-{tiles[0].top}"
    return level_scenes(request or asked(), scenes, masks, tiles, out)


def cells(tile: Tile = TILE) -> Grid:
    """Cells of a tile whose sides are multiples of 600 m."""
    return tile.grid(600)


def blue(folder: Path, source: int, tile: Tile = TILE) -> Raster:
    """Corrections of one scene in B02 on the cells of a tile; 0 where there are none."""
    layers = read_levels(folder, source, cells(tile))
    return np.zeros(cells(tile).shape, np.float32) if layers is None else layers[0]


class TestLevelScenes:
    """The granules of one overflight"""

    def test_agree_where_they_overlap(self, tmp_path: Path) -> None:
        out = levelled(tmp_path, [north(1060), south(1000)])
        upper, lower = 1060 + blue(out, 1), 1000 + blue(out, 2)
        middle = cells().height // 2
        overlap = np.abs(upper - lower)[middle - 4 : middle + 4, 8:32]
        assert overlap.max() < 1.1
        assert 1020 < upper[middle, 20] < 1040

    def test_keep_their_pixels_where_they_are_alone(self, tmp_path: Path) -> None:
        out = levelled(tmp_path, [north(1060), south(1000)])
        assert not blue(out, 1)[:10].any()
        assert not blue(out, 2)[-10:].any()

    def test_agree_over_the_border_of_two_utm_zones(self, tmp_path: Path) -> None:
        out = levelled(tmp_path, [north(1060), south(1000, crs="EPSG:32634")])
        middle = cells().height // 2
        difference = 60 + blue(out, 1) - blue(out, 2)
        assert np.abs(difference[middle - 3 : middle + 3, 12:28]).max() < 1.1

    def test_are_corrected_alike_whatever_the_area_and_its_tiles(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / name, plan) for name, plan in (("n", north(1060, noise=80)), ("s", south()))]
        corner = replace(TILE, index=1, left=2_706_000, bottom=8_397_000, right=2_715_000, top=8_403_000)
        whole = levels_of(tmp_path, judged)
        halves = levels_of(tmp_path, judged, [replace(TILE, bottom=8_400_000), replace(TILE, index=1, top=8_400_000)])
        part = levels_of(tmp_path, judged, [corner])
        for source in (1, 2):
            assert blue(whole, source, corner).any()
            layers = [read_levels(folder, source, cells(corner)) for folder in (whole, halves, part)]
            assert np.array_equal(layers[0], layers[1])
            assert np.array_equal(layers[0], layers[2])

    def test_need_no_correction_when_they_say_the_same(self, tmp_path: Path) -> None:
        out = levelled(tmp_path, [north(1000), south(1000)])
        assert [path.name for path in out.iterdir()] == ["levels.json"]

    def test_stay_as_they_are_when_it_cannot_be_aerosol(self, tmp_path: Path) -> None:
        assert not blue(levelled(tmp_path, [north(1400), south(1000)]), 1).any()

    def test_are_compared_on_clear_ground_alone(self, tmp_path: Path) -> None:
        cloudy = np.full((SIZE, SIZE), 9, dtype=np.uint8)
        assert not blue(levelled(tmp_path, [north(1060, scl=cloudy), south(1000)]), 1).any()

    def test_have_nothing_to_do_with_other_overflights(self, tmp_path: Path) -> None:
        assert not blue(levelled(tmp_path, [north(1060), south(1000, day=5)]), 1).any()

    def test_do_without_the_unusable(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "n", north(1060)), write_judged(tmp_path / "s", south(1000))]
        verdict = tmp_path / "verdict"
        verdict.mkdir()
        write_verdict(verdict, judged[1].scene.product_id, "broken")
        scenes = [one.scene for one in judged]
        for number, missing in enumerate((None, verdict)):
            out = level_scenes(asked(), scenes, [judged[0].folder, missing], [TILE], tmp_path / str(number))
            assert not blue(out, 1).any()

    def test_are_left_alone_when_they_supply_nothing_or_nobody_asked(self, tmp_path: Path) -> None:
        judged = [write_judged(tmp_path / "n", north(1060)), write_judged(tmp_path / "s", south(1000))]
        scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
        unused = level_scenes(asked(), scenes, masks, [TILE], tmp_path / "unused", used=[7])
        unasked = level_scenes(asked(Level.NONE), scenes, masks, [TILE], tmp_path / "unasked")
        for out in (unused, unasked):
            assert [path.name for path in out.iterdir()] == ["levels.json"]

    def test_are_listed_with_their_corrections(self, tmp_path: Path) -> None:
        out = levelled(tmp_path, [north(1060), south(1000)])
        first, second = json.loads((out / "levels.json").read_text())["scenes"]
        assert (first["source"], second["source"]) == (1, 2)
        assert first["mean"]["B02"] < -15 < 15 < second["mean"]["B02"]
        assert first["largest"]["B11"] <= 60


GROUND = 1500


class TestComposite:
    """A tile that is filled from two granules of one overflight"""

    @pytest.fixture
    def archive(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallArchive:
        """Two products of one place; the second is brighter by 0.006 in blue."""
        archive = SmallArchive(tmp_path, size_m=4200)
        archive.add(SmallProduct(), lambda x, _y, _band: np.full(x.shape, GROUND))
        archive.add(SmallProduct(), lambda x, _y, band: np.full(x.shape, GROUND + 60 * (band == "B02")))
        monkeypatch.setattr(module, "read_product", archive.read)
        return archive

    def composed(self, archive: SmallArchive, tile: Tile, levels: Path | None, seed: int = 0) -> Raster:
        grid = tile.grid(20)
        x = (grid.left + 20 * np.arange(grid.width)) // 400
        sources = np.broadcast_to(np.where(x % 2, 1, 2), grid.shape)
        name = f"{seed}-{tile.left}-{levels is None}"
        out = archive.root / name / "0_10.tif"
        request, folder = small_products.request(tile.crs), archive.select(tile, sources)
        flags = out.with_suffix(".flags.tif")
        composite_tile(request, archive.scenes, archive.safes, folder, tile, 10, out, flags, levels=levels)
        return read_scratch(out)

    def levels(self, archive: SmallArchive, tile: Tile, values: Sequence[float], slope: float = 0.0) -> Path:
        """A folder in which source 2 is corrected by these values, or by ever more to the east."""
        folder = archive.root / f"levels-{slope}"
        folder.mkdir()
        left, top = tile.left // 600 * 600 - 6000.0, -(-tile.top // 600) * 600 + 6000.0
        grid = Grid(crs=tile.crs, left=left, top=top, gsd=600, width=30, height=30)
        east = np.broadcast_to(np.arange(30, dtype=np.float32) * np.float32(slope), grid.shape)
        layers = [np.full(grid.shape, value, np.float32) + east for value in values]
        write_levels(folder, 2, grid, [*layers, *[np.full(grid.shape, GROUND, np.float32)] * 4])
        return folder

    def test_shows_no_step(self, archive: SmallArchive) -> None:
        tile = small_products.tile(size_m=2400)
        before = self.composed(archive, tile, None)
        assert np.unique(before[2]).tolist() == [GROUND, GROUND + 60]
        after = self.composed(archive, tile, self.levels(archive, tile, [-60, 0, 0, 0]))
        assert np.unique(after[2]).tolist() == [GROUND]

    def test_keeps_every_bit_that_needs_no_correction(self, archive: SmallArchive) -> None:
        tile = small_products.tile(size_m=2400)
        before, after = (
            self.composed(archive, tile, levels) for levels in (None, self.levels(archive, tile, [-60, 0, 0, 0]))
        )
        for band in (0, 3):
            assert np.array_equal(before[band], after[band])
        assert np.array_equal(before[2] == GROUND, before[2] == after[2])

    def test_is_corrected_alike_whatever_the_tile(self, archive: SmallArchive) -> None:
        tile = small_products.tile(size_m=2400)
        part = replace(tile, left=tile.left + 860, top=tile.top - 340)
        levels = self.levels(archive, tile, [-90, -30, 20, 10], slope=3.7)
        whole = self.composed(archive, tile, levels)
        assert np.unique(whole[2]).size > 10
        assert np.array_equal(self.composed(archive, part, levels), whole[:, 34:, 86:])
