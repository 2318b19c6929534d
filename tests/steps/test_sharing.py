"""What tiles of the mosaic have in common: each internal tile of a product is decoded once for all of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from senard.io.jp2 import TiledImage
from senard.model.arrays import UInt16Array
from senard.model.grid import Tile
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.steps import supply_band as module
from senard.steps.composite_tile import composite_tile
from senard.steps.sharing import Sharing
from tests.steps.small_products import SmallArchive, request, tile
from tests.steps.test_composite_tile import MAY, NEW_YEAR, waves

WEST = tile(size_m=900)
EAST = replace(WEST, index=1, left=WEST.right, right=WEST.right + 900)
BELOW = replace(WEST, index=2, top=WEST.bottom, bottom=WEST.bottom - 900)
TILES = (WEST, EAST, BELOW)


class Mosaic:
    """Tiles beside each other, composed one after the other."""

    def __init__(self, root: Path, maps: dict[int, UInt16Array]) -> None:
        self.root, self.archive = root, SmallArchive(root)
        self.archive.add(MAY, waves)
        self.archive.add(NEW_YEAR, waves)
        self.folders = {where.index: self.archive.select(where, maps[where.index]) for where in TILES}

    def compose(self, where: Tile, *, shares: bool) -> tuple[bytes, int]:
        """Bytes of the mosaic file, and how many internal tiles were decoded for it."""
        out = self.root / f"{shares}" / f"{where.index}_10.tif"
        others = [(other, self.folders[other.index]) for other in TILES if other is not where]
        sharing = Sharing(folder=self.root / "decoded", tile=where, others=others) if shares else None
        flags, (scenes, safes) = out.with_suffix(".flags.tif"), (self.archive.scenes, self.archive.safes)
        folder = self.folders[where.index]
        composite_tile(request(where.crs), scenes, safes, folder, where, 10, out, flags, sharing=sharing)
        figures = json.loads((flags.parent / f"{where.index}_10.json").read_text(encoding="utf-8"))
        return out.read_bytes(), figures["jp2_tiles_decoded"]


@pytest.fixture
def mosaic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mosaic:
    maps = {where.index: np.full(where.grid(20).shape, 1, np.uint16) for where in TILES}
    maps[EAST.index][20:] = 2
    maps[BELOW.index][:] = 2
    made = Mosaic(tmp_path, maps)
    monkeypatch.setattr(module, "read_product", made.archive.read)
    return made


class TestSharing:
    """Tiles of the mosaic share what they decode"""

    def test_and_each_internal_tile_is_decoded_once(self, mosaic: Mosaic, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[str, int, int]] = []
        read = module.TiledImage.read_squares

        def noting(image: module.TiledImage, needed: np.ndarray, out: np.ndarray, **place: tuple[int, int]) -> None:
            seen.extend((image.path, *map(int, block)) for block in np.argwhere(image.blocks_with(needed)))
            read(image, needed, out, **place)

        monkeypatch.setattr(module.TiledImage, "read_squares", noting)
        alone = {where.index: mosaic.compose(where, shares=False) for where in TILES}
        all_seen, count = sorted(set(seen)), len(seen)
        seen.clear()
        shared = {where.index: mosaic.compose(where, shares=True) for where in TILES}
        assert sorted(seen) == all_seen
        assert len(all_seen) < count
        assert sum(decoded for _, decoded in shared.values()) == len(all_seen)
        assert {index: found for index, (found, _) in shared.items()} == {n: found for n, (found, _) in alone.items()}
        assert len({band for band in MOSAIC_BANDS[10] if any(band in path for path, _, _ in all_seen)}) == 4

    def test_also_where_a_band_is_coded_otherwise_than_the_rest(self, mosaic: Mosaic) -> None:
        (path,) = mosaic.archive.safes[1].glob("*.SAFE/B03_10m.jp2")
        with rasterio.open(path) as dataset:
            pixels, profile = dataset.read(1), dataset.profile
        path.unlink()
        profile |= {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", "PROGRESSION": "PCRL"}
        with rasterio.open(path, "w", **profile) as dataset:
            dataset.write(pixels, 1)
        assert TiledImage(str(path)).square_shape != TiledImage(str(path.with_name("B04_10m.jp2"))).square_shape
        for where in TILES:
            assert mosaic.compose(where, shares=True)[0] == mosaic.compose(where, shares=False)[0]

    def test_and_nothing_stays_behind(self, mosaic: Mosaic) -> None:
        mosaic.compose(WEST, shares=True)
        assert list((mosaic.root / "decoded").iterdir())
        for where in (EAST, BELOW):
            mosaic.compose(where, shares=True)
        assert not list((mosaic.root / "decoded").iterdir())
