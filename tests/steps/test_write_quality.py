"""The QA layer of one tile."""

import json
from pathlib import Path

import numpy as np
import rasterio
from rio_cogeo.cogeo import cog_validate

from senard.io.geotiff import write_scratch
from senard.steps.write_quality import write_quality
from tests.steps.small_products import SmallArchive, SmallProduct, request, scene, tile

WHERE = tile(size_m=800)
SHAPE = (40, 40)


def written(root: Path, sources: np.ndarray, bits: dict[int, np.ndarray], tags: dict[str, str] | None = None) -> Path:
    archive = SmallArchive(root)
    folder = archive.select(WHERE, sources)
    flags = [root / f"0_{gsd}.flags.tif" for gsd in bits]
    for gsd, path in zip(bits, flags, strict=True):
        write_scratch(path, WHERE.grid(20), {"flags": bits[gsd].astype(np.uint8)})
        (root / f"0_{gsd}.json").write_text(json.dumps({"tags": tags or {}}))
    scenes = [scene(SmallProduct(), number) for number in (1, 2)]
    return write_quality(request(), scenes, folder, flags, WHERE, root / "layers" / "0_QA_20.tif")


class TestWriteQuality:
    """The QA layer"""

    def test_says_source_clear_observations_level_and_flags(self, tmp_path: Path) -> None:
        sources = np.zeros(SHAPE, int)
        sources[:, :10], sources[:, 10:20] = 1, 2
        bits10, bits20 = np.zeros(SHAPE, int), np.zeros(SHAPE, int)
        bits10[0], bits20[1], bits10[2] = 1, 2, 3
        bits20[2] = 1
        bits10[3], bits20[4] = 4, 8
        with rasterio.open(written(tmp_path, sources, {10: bits10, 20: bits20})) as dataset:
            source, clear, level, flags = dataset.read()
            assert dataset.descriptions == ("source", "clear", "level", "flags")
            assert dataset.nodatavals == (0,) * 4
            assert dataset.dtypes == ("uint16",) * 4
        np.testing.assert_array_equal(source, sources)
        np.testing.assert_array_equal(clear, np.where(sources, 4, 0))
        np.testing.assert_array_equal(level, np.where(sources, 1, 0))
        assert flags[0, 0] == 32768 + 64 + 2
        assert flags[1, 0] == 32768 + 64 + 256
        assert flags[2, 15] == 32768 + 2 + 256
        assert flags[3, 5] == 32768 + 64 + 512
        assert flags[4, 5] == 32768 + 64 + 8
        assert flags[5, 5] == 32768 + 64
        assert not flags[:, 20:].any()

    def test_is_a_cloud_optimized_geotiff(self, tmp_path: Path) -> None:
        path = written(tmp_path, np.ones(SHAPE, int), {10: np.zeros(SHAPE)})
        assert cog_validate(path, strict=True) == (True, [], [])
        with rasterio.open(path) as dataset:
            tags = dataset.tags()
        assert tags["TIFFTAG_IMAGEDESCRIPTION"].endswith(" tile 0, QA, 20 m")
        assert tags["SENARD_SCENES"] == "1"
        assert not list(path.parent.glob(".*"))

    def test_says_when_the_products_were_simulated(self, tmp_path: Path) -> None:
        path = written(tmp_path, np.ones(SHAPE, int), {10: np.zeros(SHAPE)}, {"SENARD_SIMULATED": "yes"})
        with rasterio.open(path) as dataset:
            assert "simulated" in dataset.tags()["SENARD_SIMULATED"]
