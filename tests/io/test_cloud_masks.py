"""MSK_CLASSI and MSK_CLOUDS: what the processing to L1C calls cloud."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from senard.errors import UnusableSceneError
from senard.io.cloud_masks import read_cloud_classes
from senard.io.safe import image_path, read_product
from senard.model.grid import Grid
from senard.model.product import Sentinel2Product

SAFES = "data/s2-safe"


def product(archive: Path, baseline: str) -> Sentinel2Product:
    return read_product(next(archive.glob(f"*_MSIL1C_*_N{baseline}_*.zip")))


def with_polygons(both_levels: Path, folder: Path, change: tuple[str, str]) -> Sentinel2Product:
    """The product of baseline 03.01 with another MSK_CLOUDS."""
    zipped = next(both_levels.glob("*_MSIL1C_*_N0301_*.zip"))
    shutil.unpack_archive(zipped, folder)
    safe = folder / f"{zipped.stem}.SAFE"
    (path,) = safe.rglob("MSK_CLOUDS_B00.gml")
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    return read_product(safe)


class TestReadCloudClasses:
    """Opaque cloud, cirrus and snow, from whichever file the product has."""

    def test_reads_the_layers_of_the_raster(self, both_levels: Path) -> None:
        made = product(both_levels, "0511")
        with rasterio.open(image_path(made, "CLASSI")) as source:
            layers = source.read() > 0
        found = read_cloud_classes(made)
        for read, layer in zip((found.opaque, found.cirrus, found.snow), layers, strict=True):
            assert np.array_equal(read, layer)
        assert found.opaque.any()

    @pytest.mark.parametrize("baseline", ["0209", "0301"])
    def test_burns_the_polygons_of_older_products(self, both_levels: Path, baseline: str) -> None:
        made = product(both_levels, baseline)
        found = read_cloud_classes(made)
        assert found.opaque.shape == made.grids[60].shape
        share = 100 * float((found.opaque | found.cirrus).mean())
        # what clouds surround counts as cloud in polygons, never less than what the XML counts
        assert (made.scene.cloud_cover or 0) - 0.01 <= share < (made.scene.cloud_cover or 0) + 3
        assert not found.snow.any()

    def test_leaves_holes_open(self, both_levels: Path, tmp_path: Path) -> None:
        whole = read_cloud_classes(product(both_levels, "0301")).opaque
        hole = "<gml:interior><gml:LinearRing><gml:posList>327000 6662160 327000 6662280 327120 6662280 327120 6662160 "
        hole += "327000 6662160</gml:posList></gml:LinearRing></gml:interior>"
        text = 'gml:id="OPAQUE.1_Polygon">'
        holed = read_cloud_classes(with_polygons(both_levels, tmp_path, (text, text + hole))).opaque
        assert whole[-2:, :2].all()
        assert not holed[-2:, :2].any()
        assert whole.sum() - holed.sum() == 4

    def test_takes_an_empty_file_for_a_clear_sky(self, both_levels: Path, tmp_path: Path) -> None:
        made = product(both_levels, "0301")
        zipped = made.root
        shutil.unpack_archive(zipped, tmp_path)
        safe = tmp_path / f"{zipped.stem}.SAFE"
        (path,) = safe.rglob("MSK_CLOUDS_B00.gml")
        path.write_text('<eop:Mask xmlns:eop="http://www.opengis.net/eop/2.0"><eop:maskMembers/></eop:Mask>')
        assert not read_cloud_classes(read_product(safe)).opaque.any()
        path.unlink()
        with pytest.raises(UnusableSceneError, match=r"found neither.*--cloud-masks"):
            read_cloud_classes(read_product(safe))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (("EPSG:8.7:32635", "EPSG:8.7:32634"), "expected polygons in EPSG:32635"),
            (("6665820 ", "66658x0 "), "a ring is no list of x y"),
            (("<gml:posList", "<gml:posList>1 2 3 4</gml:posList><gml:posList"), "a ring has 2 points"),
        ],
    )
    def test_refuses_polygons_that_are_none(
        self, both_levels: Path, tmp_path: Path, change: tuple[str, str], message: str
    ) -> None:
        with pytest.raises(UnusableSceneError, match=message):
            read_cloud_classes(with_polygons(both_levels, tmp_path, change))


@pytest.mark.real_data
class TestRealMasks:
    """Masks of real products are read."""

    def test_of_baseline_05_10(self, shared: Path) -> None:
        (safe,) = (shared / SAFES).glob("ALCD-*/*.SAFE")
        found = read_cloud_classes(read_product(safe))
        assert found.opaque.sum() == 1_578_974
        assert found.cirrus.sum() == 563_003
        assert found.snow.sum() == 15_773
        assert not (found.opaque & found.cirrus).any()

    def test_of_baseline_02_04(self, shared: Path) -> None:
        (safe,) = (shared / SAFES).glob("s2reader-compact-safe*/*.SAFE")
        made = read_product(safe)
        found = read_cloud_classes(made)
        assert found.opaque[0, 0] is np.False_
        # the first polygon: its middle, and a pixel beside it
        grid = made.grids[60]
        row, col = int((grid.top - 4_671_700) // 60), int((502_900 - grid.left) // 60)
        assert found.opaque[row, col]
        assert not found.opaque[row, col + 40]

    def test_with_hundreds_of_polygons(self, shared: Path, both_levels: Path, tmp_path: Path) -> None:
        made = product(both_levels, "0301")
        shutil.unpack_archive(made.root, tmp_path)
        safe = tmp_path / f"{made.root.stem}.SAFE"
        (path,) = safe.rglob("MSK_CLOUDS_B00.gml")
        shutil.copyfile(shared / SAFES / "openeo-MSK_CLOUDS-gml/MSK_CLOUDS_B00.gml", path)
        grid = Grid(crs="EPSG:32657", left=399_960, top=6_200_040, gsd=60, width=1830, height=1830)
        found = read_cloud_classes(replace(read_product(safe), grids={60: grid}))
        assert float(found.opaque.mean()) == pytest.approx(0.4359, abs=1e-4)
        assert float(found.cirrus.mean()) == pytest.approx(0.6028, abs=1e-4)
