"""The scene class of every pixel of one tile."""

from collections import Counter
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rio_cogeo.cogeo import cog_validate

from senard.io.geotiff import write_scratch
from senard.io.mask_folder import read_judgement
from senard.io.sources_file import write_source_counts
from senard.model.labels import SCL_CLASSES, SCL_PROFILE
from senard.model.sources import SourceCounts
from senard.steps.build_vrt import build_vrt
from senard.steps.write_classes import write_classes
from tests.steps.judged_scenes import Judged, Plan, around, cloudy, write_judged
from tests.steps.small_products import request, tile

WHERE = tile(size_m=1200)
ZONES = ("EPSG:32635", "EPSG:32634")


def judged(folder: Path) -> list[tuple[Judged, np.ndarray]]:
    """Two scenes of two UTM zones around the tile, and their classifications."""
    found = []
    for number, crs in enumerate(ZONES):
        scl = cloudy(number, 120, 0.4)
        left, top = around(WHERE, crs, 120)
        found.append((write_judged(folder, Plan(crs=crs, left=left, top=top, size=120, scl=scl, day=number)), scl))
    return found


def written(root: Path, source: np.ndarray) -> tuple[Path, list[tuple[Judged, np.ndarray]]]:
    scenes = judged(root / "masks")
    folder = root / "sources"
    folder.mkdir()
    write_scratch(folder / "sources_20.tif", WHERE.grid(20), {"source": source.astype(np.uint16)})
    pixels = Counter({number: int((source == number).sum()) for number in (1, 2)})
    counts = SourceCounts(pixels=pixels, clear_pixels=pixels, levels=Counter(), aoi_pixels=source.size)
    write_source_counts(folder, counts)
    masks = {number: one.folder for number, (one, _) in enumerate(scenes, 1)}
    out = root / "layers" / "0_SCL_20.tif"
    write_classes(request(), [one.scene for one, _ in scenes], masks, folder, WHERE, out)
    return out, scenes


class TestWriteClasses:
    """The layer of scene classes"""

    def test_holds_the_class_that_the_source_of_each_pixel_has_there(self, tmp_path: Path) -> None:
        source = np.zeros(WHERE.grid(20).shape, int)
        source[:, :40], source[:, 40:55] = 1, 2
        path, scenes = written(tmp_path, source)
        with rasterio.open(path) as dataset:
            found, dtypes, nodata = dataset.read(1), dataset.dtypes, dataset.nodata
        assert (dtypes, nodata) == (("uint8",), 0)
        grid = WHERE.grid(20)
        rows, cols = np.mgrid[: grid.height, : grid.width]
        expected = np.zeros_like(found)
        for number, (one, scl) in enumerate(scenes, 1):
            own = read_judgement(one.folder).grids[20]
            to_own = Transformer.from_crs(grid.crs, own.crs, always_xy=True)
            x, y = to_own.transform(grid.left + 20 * (cols + 0.5), grid.top - 20 * (rows + 0.5))
            here = scl[np.floor((own.top - y) / 20).astype(int), np.floor((x - own.left) / 20).astype(int)]
            expected = np.where(source == number, here, expected)
        np.testing.assert_array_equal(found, expected)
        assert set(np.unique(found)) >= {0, 3, 4, 9}

    def test_is_a_cloud_optimized_geotiff_that_names_and_paints_its_classes(self, tmp_path: Path) -> None:
        path, _ = written(tmp_path, np.ones(WHERE.grid(20).shape, int))
        assert cog_validate(path, strict=True) == (True, [], [])
        with rasterio.open(path) as dataset:
            tags, band, colours = dataset.tags(), dataset.tags(1), dataset.colormap(1)
            assert dataset.descriptions == ("SCL",)
        assert (band["CLASS_4"], band["CLASS_11"]) == ("vegetation", "snow")
        assert colours[4] == (0, 0xA0, 0, 255)
        assert tags["TIFFTAG_IMAGEDESCRIPTION"].endswith(" tile 0, SCL, 20 m")
        assert tags["SENARD_SCENES"] == "1"
        assert "simulated" in tags["SENARD_SIMULATED"]
        assert sorted(file.name for file in path.parent.iterdir()) == ["0_SCL_20.tif"]

    def test_has_an_index_with_all_names_and_a_style_with_all_but_no_data(self, tmp_path: Path) -> None:
        path, _ = written(tmp_path, np.ones(WHERE.grid(20).shape, int))
        index = build_vrt([path], [WHERE], 20, path.parent / "SCL_20.vrt", profile=SCL_PROFILE)
        with rasterio.open(path) as file, rasterio.open(index) as dataset:
            np.testing.assert_array_equal(dataset.read(), file.read())
            for name in ("dtypes", "nodatavals", "descriptions", "colorinterp"):
                assert getattr(dataset, name) == getattr(file, name)
            assert dataset.colormap(1)[9] == file.colormap(1)[9]
        text, style = index.read_text(), index.with_suffix(".qml").read_text()
        names = [f"<Category>{label.name}</Category>" for label in SCL_CLASSES]
        assert len(names) == 12
        assert [text.index(name) for name in names] == sorted(text.index(name) for name in names)
        assert style.count("<paletteEntry ") == 11
        assert 'value="8" color="#c0c0c0" alpha="255" label="8 cloud, medium probability"' in style
