"""`--topography c`, typed as a user types it, and the way back as the reference page tells it."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from scipy.ndimage import map_coordinates

from senard.model.sentinel2 import JUDGE_BANDS
from tests.workflows.commands import Site
from workflows.cli import main

LEVEL_LIGHT, CLIPPED = 1024, 2


def write_hills(path: Path) -> Path:
    """Hills of 20 m that shade nothing, 60 km around the area; the ground there is level in truth."""
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(23.92, 60.0)
    rows, cols = np.mgrid[:1000, :1000]
    heights = (30 + 20 * np.sin(rows * 0.3) * np.cos(cols * 0.25)).astype(np.float32)
    place = {"crs": "EPSG:3857", "transform": Affine(60, 0, x - 30_000, 0, -60, y + 30_000)}
    with rasterio.open(path, "w", width=1000, height=1000, count=1, dtype="float32", **place) as raster:
        raster.write(heights, 1)
    return path


class TestTopography:
    """A mosaic whose slopes are in the light of level ground"""

    def test_differs_from_the_one_without_by_factors_that_follow_from_its_layers(
        self, site: Site, undisturbed_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
        monkeypatch.setenv("SENARD_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.setattr(
            "senard.steps.correct_slopes.direct_shares", lambda _: dict.fromkeys(JUDGE_BANDS, 0.5) | {"B02": 0.25}
        )
        dem = write_hills(tmp_path / "dem.tif")
        assert main(["mosaic", *site.asked(topography="c", dem=dem, resolutions="20")]) == 0
        made, plain = site.product(), undisturbed_site.product()
        with rasterio.open(made / "layers/0_QA_20.tif") as file:
            source, *_, flags = file.read()
        with rasterio.open(made / "0_20.tif") as file:
            after, transform, names, tags = file.read(), file.transform, file.descriptions, file.tags()
        with rasterio.open(plain / "0_20.tif") as file:
            before = file.read()
        rows, cols = np.mgrid[: source.shape[0], : source.shape[1]] + 0.5
        for number in set(np.unique(source).tolist()) - {0}:
            assert f"layers/TOPO_{number}.tif" in (made / "SHA256SUMS").read_text()
            with rasterio.open(made / f"layers/TOPO_{number}.tif") as file:
                light, shares = file.read(1) / 10_000, file.tags()
                y = (file.transform.f - (transform.f - rows * 20)) / 60 - 0.5
                x = (transform.c + cols * 20 - file.transform.c) / 60 - 0.5
            here = (source == number) & (flags & CLIPPED == 0)
            for band, numbers, original in zip(names[:6], after, before, strict=False):
                factor = map_coordinates(1 / (1 + float(shares[f"DIRECT_{band}"]) * (light - 1)), [y, x], order=1)
                back = np.rint(numbers / np.where(flags & LEVEL_LIGHT, factor, 1))
                assert np.abs(back - original)[here].max() <= 1
        assert 0.2 < ((flags & LEVEL_LIGHT) > 0)[source > 0].mean() < 1
        assert (after[0] != before[0])[source > 0].mean() > 0.2
        assert tags["SENARD_TOPOGRAPHY"].startswith("c: C-correction of slopes")
        assert "Slopes are shown in the light of level ground" in (made / "report.html").read_text()
