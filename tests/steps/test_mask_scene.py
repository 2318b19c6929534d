"""One product is judged from itself alone."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

import senard.steps.mask_scene
from senard.errors import RequestError
from senard.io.geotiff import ScratchReader, read_scratch
from senard.io.jp2 import read_image
from senard.io.safe import image_path, read_product
from senard.io.scenes_file import read_verdict, write_verdict
from senard.model.product import Sentinel2Product
from senard.model.sentinel2 import ProductType
from senard.simulation.acquisition import SimulatedAcquisition
from senard.steps.mask_scene import mask_scene

Simulate = Callable[[SimulatedAcquisition], Path]


def acquisition(**changes: object) -> SimulatedAcquisition:
    values: dict[str, object] = {
        "mgrs_tile": "35VLG",
        "time": datetime(2024, 6, 15, 9, 50, 31, tzinfo=UTC),
        "baseline": 511,
        "relative_orbit": 122,
        "size_px": 366,
        "offset_px": (3420, 2700),
        "seed": 7,
        "cloud_fraction": 0.4,
    }
    return SimulatedAcquisition(**(values | changes))  # type: ignore[arg-type]


def judge_folder(safe: Path, root: Path) -> Path:
    """safe/<product_id>/judge with a link to the product, as Unzip leaves it."""
    folder = root / "safe" / safe.stem / "judge"
    folder.mkdir(parents=True)
    (folder / safe.name).symlink_to(safe)
    return folder


@pytest.fixture(scope="module")
def masked(tiny_safe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("masked")
    return mask_scene(judge_folder(tiny_safe, root), root / "masks" / tiny_safe.stem)


class TestMaskScene:
    """A mask folder holds the judgement on the product's own grid."""

    def test_keeps_the_products_own_classification_and_grid(self, masked: Path, tiny_safe: Path) -> None:
        product = read_product(tiny_safe)
        with ScratchReader(masked / "scene_20.tif") as reader:
            assert reader.grid == product.grids[20]
            assert reader.names == ("class", "distance", "clear_share", "cloud_probability")
            classes = reader.read(bands="class")
            probability = reader.read(bands="cloud_probability")
        assert np.array_equal(classes & 15, read_image(image_path(product, "SCL_20")))
        assert np.array_equal(probability, read_image(image_path(product, "CLDPRB_20")))
        with ScratchReader(masked / "scene_60.tif") as reader:
            assert reader.grid == product.grids[60]
            assert reader.names == ("B02", "B04", "B8A", "B11", "AOT", "HAZE", "ZONE")

    def test_takes_the_offset_off_the_60_m_bands(self, masked: Path, tiny_safe: Path) -> None:
        dn = read_image(image_path(read_product(tiny_safe), "B11_60")).astype(int)
        assert np.array_equal(read_scratch(masked / "scene_60.tif", bands="B11"), np.maximum(dn - 1000, 1))

    def test_is_tiled_by_512_and_compressed_as_scratch(self, masked: Path) -> None:
        with rasterio.open(masked / "scene_20.tif") as file:
            assert file.dtypes == ("uint8",) * 4
            assert file.profile["compress"] == "zstd"

    def test_states_the_figures_of_the_product(self, masked: Path, tiny_safe: Path) -> None:
        figures = json.loads((masked / "scene.json").read_text())
        assert figures["product_id"] == tiny_safe.stem
        assert figures["simulated"] is True
        assert 37 < figures["sun_zenith"] < 40  # Helsinki, 11 July, two hours before noon UTC
        assert 160 < figures["sun_azimuth"] < 175
        assert figures["valid_share"] == 1.0
        assert 0 < figures["clear_share"] < 1

    def test_gives_the_same_bytes_again(self, masked: Path, tiny_safe: Path, tmp_path: Path) -> None:
        again = mask_scene(judge_folder(tiny_safe, tmp_path), tmp_path / "masks" / tiny_safe.stem)
        for name in ("scene_20.tif", "scene_60.tif", "scene.json"):
            assert (again / name).read_bytes() == (masked / name).read_bytes()

    def test_sees_the_same_ground_in_every_baseline(self, simulate: Simulate, tmp_path: Path) -> None:
        bands = []
        for baseline in (214, 400, 511):
            safe = simulate(acquisition(baseline=baseline, signature={"B04": 0.1234}, cloudless=True))
            folder = mask_scene(judge_folder(safe, tmp_path), tmp_path / "masks" / safe.stem)
            bands.append(read_scratch(folder / "scene_60.tif", bands="B04"))
        assert all((np.abs(band.astype(int) - 1234) <= 1).all() for band in bands)

    def test_trusts_nothing_beyond_the_edge_of_the_orbit(self, simulate: Simulate, tmp_path: Path) -> None:
        safe = simulate(acquisition(orbit_edge=0.3, cloudless=True))
        folder = mask_scene(judge_folder(safe, tmp_path), tmp_path / "masks" / safe.stem)
        valid = (read_scratch(folder / "scene_20.tif", bands="class") & 128) > 0
        scl = read_image(image_path(read_product(safe), "SCL_20"))
        assert 0.5 < valid.mean() < 0.75
        assert not valid[scl == 0].any()
        first = np.argmax(valid, axis=1)
        assert (first >= np.argmax(scl > 0, axis=1) + 2).all()


class TestUnusable:
    """A product that cannot be judged gets a verdict, and nothing else."""

    def test_passes_an_earlier_verdict_on(self, tmp_path: Path) -> None:
        safe = tmp_path / "safe" / "S2A_X" / "judge"
        safe.mkdir(parents=True)
        write_verdict(safe, "S2A_X", "cut short")
        folder = mask_scene(safe, tmp_path / "masks" / "S2A_X")
        assert [path.name for path in folder.iterdir()] == ["unusable.json"]
        assert json.loads((folder / "unusable.json").read_text()) == {"product_id": "S2A_X", "reason": "cut short"}

    @pytest.mark.parametrize("missing", ["*_SCL_20m.jp2", "*_B8A_60m.jp2"])
    def test_names_the_image_that_is_missing(self, tiny_safe: Path, tmp_path: Path, missing: str) -> None:
        safe = tmp_path / "safe" / tiny_safe.stem / "judge" / tiny_safe.name
        shutil.copytree(tiny_safe, safe)
        next(safe.rglob(missing)).unlink()
        folder = mask_scene(safe.parent, tmp_path / "masks" / tiny_safe.stem)
        assert [path.name for path in folder.iterdir()] == ["unusable.json"]
        assert missing[2:7].rstrip("_m") in (read_verdict(folder) or "")

    def test_names_the_image_that_is_cut_short(self, tiny_safe: Path, tmp_path: Path) -> None:
        safe = tmp_path / "safe" / tiny_safe.stem / "judge" / tiny_safe.name
        shutil.copytree(tiny_safe, safe)
        image = next(safe.rglob("*_SCL_20m.jp2"))
        image.write_bytes(image.read_bytes()[:200])
        folder = mask_scene(safe.parent, tmp_path / "masks" / tiny_safe.stem)
        assert "SCL_20m" in (read_verdict(folder) or "")

    def test_is_a_folder_without_any_product(self, tmp_path: Path) -> None:
        safe = tmp_path / "safe" / "S2A_X" / "judge"
        safe.mkdir(parents=True)
        folder = mask_scene(safe, tmp_path / "masks" / "S2A_X")
        assert "expected one folder NAME.SAFE" in (read_verdict(folder) or "")

    def test_is_not_what_l1c_is_called(self, tiny_safe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def as_l1c(root: Path) -> Sentinel2Product:
            product = read_product(root)
            return replace(product, scene=replace(product.scene, product_type=ProductType.L1C))

        monkeypatch.setattr(senard.steps.mask_scene, "read_product", as_l1c)
        with pytest.raises(RequestError, match=r"found L1C.*ask for L2A"):
            mask_scene(judge_folder(tiny_safe, tmp_path), tmp_path / "masks" / tiny_safe.stem)
        assert not (tmp_path / "masks" / tiny_safe.stem).exists()
