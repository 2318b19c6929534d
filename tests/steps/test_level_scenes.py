"""Two granules of one overflight, in two MGRS tiles, show no step in the mosaic."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from scipy import ndimage

from senard.io.geotiff import Raster, ScratchReader, read_scratch, write_scratch
from senard.io.levels_folder import read_levels, write_levels
from senard.io.mask_folder import RASTER_60, read_judgement
from senard.io.scenes_file import write_verdict
from senard.model.grid import Grid, Tile
from senard.model.masks import MASK_BANDS_60
from senard.model.request import Level, MosaicRequest
from senard.steps import supply_band as module
from senard.steps.composite_tile import composite_tile
from senard.steps.deliver_levels import deliver_levels
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
        assert [path.name for path in out.glob("[!.]*")] == ["levels.json"]

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
            assert [path.name for path in out.glob("[!.]*")] == ["levels.json"]

    def test_are_listed_with_their_corrections(self, tmp_path: Path) -> None:
        out = levelled(tmp_path, [north(1060), south(1000)])
        first, second = json.loads((out / "levels.json").read_text())["scenes"]
        assert (first["source"], second["source"]) == (1, 2)
        assert first["mean"]["B02"] < -15 < 15 < second["mean"]["B02"]
        assert first["largest"]["B11"] <= 60


DATES = 5


def season(folder: Path, *, blue: int) -> list[Judged]:
    """Granules of one place on several days; on the first day everything is brighter in blue."""
    plans = [granule(0, 1000, day=7 * number, noise=60, seed=number) for number in range(DATES)]
    judged = [write_judged(folder / f"d{number}", plan) for number, plan in enumerate(plans)]
    raster = judged[0].folder / RASTER_60
    layers = dict(zip(MASK_BANDS_60, read_scratch(raster), strict=True))
    grid = read_judgement(judged[0].folder).grids[60]
    write_scratch(raster, grid, {**layers, "B02": (layers["B02"] + blue).astype(np.uint16)})
    return judged


def drawn(folder: Path, source: int, tile: Tile = TILE) -> Raster:
    """What draws a scene to its season, DN of blue."""
    layers = read_levels(folder, source, cells(tile))
    return np.zeros(cells(tile).shape, np.float32) if layers is None else layers[8]


class TestSeason:
    """Overflights of several days"""

    @pytest.mark.parametrize("level", [Level.SCENE, Level.SURFACE])
    def test_are_drawn_to_what_is_usual(self, tmp_path: Path, level: Level) -> None:
        out = levels_of(tmp_path, season(tmp_path, blue=40), request=asked(level))
        hazy, usual = drawn(out, 1)[18:-18, 12:-12], drawn(out, 2)[18:-18, 12:-12]
        assert -75 < hazy.mean() < -45
        assert np.abs(usual).max() < 20
        first, *_ = json.loads((out / "levels.json").read_text())["scenes"]
        assert first["season_mean"]["B02"] < -40
        assert first["season_largest"]["B02"] <= 100

    @pytest.mark.parametrize("level", [Level.NONE, Level.DATATAKE])
    def test_stay_as_they_are_where_nobody_asked(self, tmp_path: Path, level: Level) -> None:
        out = levels_of(tmp_path, season(tmp_path, blue=40), request=asked(level))
        assert [path.name for path in out.glob("[!.]*")] == ["levels.json"]

    def test_are_drawn_alike_whatever_the_area_and_its_tiles(self, tmp_path: Path) -> None:
        judged, request = season(tmp_path, blue=40), asked(Level.SURFACE)
        corner = replace(TILE, index=1, left=2_706_000, bottom=8_397_000, right=2_715_000, top=8_403_000)
        halves = [replace(TILE, bottom=8_400_000), replace(TILE, index=1, top=8_400_000)]
        folders = [levels_of(tmp_path, judged, tiles, request) for tiles in ([TILE], halves, [corner])]
        for source in (1, 2):
            whole, *others = [drawn(folder, source, corner) for folder in folders]
            assert whole.any()
            assert all(np.array_equal(whole, other) for other in others)

    def test_are_left_alone_when_they_supply_nothing(self, tmp_path: Path) -> None:
        judged = season(tmp_path, blue=40)
        scenes, masks = [one.scene for one in judged], [one.folder for one in judged]
        out = level_scenes(asked(Level.SURFACE), scenes, masks, [TILE], tmp_path / "out", used=[2])
        assert not (out / "1.tif").exists()


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

    @pytest.mark.parametrize("season_dn", [0.0, -83.0])
    def test_can_be_had_back_to_1_dn(self, archive: SmallArchive, season_dn: float) -> None:
        tile = small_products.tile(size_m=2400)
        levels = self.levels(archive, tile, [-90, -30, 20, 10], slope=1.7)
        raster = levels / "2.tif"
        with ScratchReader(raster) as reader:
            grid = reader.grid
        layers = list(read_scratch(raster))
        write_levels(levels, 2, grid, [*layers, np.full(grid.shape, season_dn, np.float32)])
        (archive.root / "product").mkdir()
        (name,) = deliver_levels(levels, archive.root / "product")
        before, after = self.composed(archive, tile, None), self.composed(archive, tile, levels)
        assert not np.array_equal(before[:3], after[:3])
        fine = tile.grid(10)
        x = (fine.left + 5 + 10 * np.arange(fine.width) - grid.left) / 600 - 0.5
        y = (grid.top - fine.top + 5 + 10 * np.arange(fine.height)) / 600 - 0.5
        from_second = np.broadcast_to((fine.left + 10 * np.arange(fine.width)) // 400 % 2 == 0, fine.shape)
        for number, band in enumerate(("B04", "B03", "B02", "B08")):
            offset, gain = (
                ndimage.map_coordinates(
                    read_scratch(archive.root / "product" / name, bands=f"{kind} {band}"),
                    np.meshgrid(y, x, indexing="ij"),
                    order=1,
                )
                for kind in ("offset", "gain")
            )
            had = np.where(from_second, (after[number] - offset) / (1 + gain), after[number])
            assert np.abs(had - before[number]).max() <= 1

    def test_keeps_no_files_of_an_earlier_choice(self, archive: SmallArchive) -> None:
        product = archive.root / "product"
        (product / "layers").mkdir(parents=True)
        (product / "layers/LEVEL_7.tif").touch()
        assert deliver_levels(None, product) == ()
        assert not (product / "layers/LEVEL_7.tif").exists()
