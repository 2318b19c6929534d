"""Simulated products of three processing baselines, composed by the same step."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.warp

from senard.io.safe import read_product
from senard.model.grid import Tile
from senard.simulation.acquisition import SimulatedAcquisition
from senard.simulation.archive import write_product
from senard.steps.composite_tile import composite_tile
from tests.steps.small_products import SmallArchive, request, tile

TIME = datetime(2024, 6, 15, 9, 50, 31, tzinfo=UTC)
BASELINES = (214, 400, 511)


def acquisition(baseline: int) -> SimulatedAcquisition:
    """One overflight, processed anew with each baseline."""
    return SimulatedAcquisition(
        mgrs_tile="35VLG",
        time=TIME,
        satellite="S2A",
        baseline=baseline,
        relative_orbit=122,
        processed=TIME + timedelta(days=baseline),
        size_px=366,
        offset_px=(3420, 2700),
        seed=7,
        cloud_fraction=0.3,
    )


def inside(crs: str, product: Path) -> Tile:
    """A tile of 1.2 km in the middle of a product."""
    bounds = read_product(product).grids[10].bounds
    x, y = (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2
    (lon,), (lat,) = rasterio.warp.transform("EPSG:32635", "EPSG:4326", [x], [y])
    return tile(lon, lat, crs=crs, size_m=1200)


@pytest.fixture(scope="module")
def safes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One SAFE folder per baseline."""
    folder = tmp_path_factory.mktemp("baselines")
    return [write_product(acquisition(baseline), folder, zipped=False) for baseline in BASELINES]


class TestBaselines:
    """The same ground"""

    @pytest.mark.parametrize("gsd", [10, 20])
    @pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32635"])
    def test_comes_out_equal_to_one_dn_from_products_of_all_baselines(
        self, tmp_path: Path, safes: list[Path], crs: str, gsd: int
    ) -> None:
        where, found = inside(crs, safes[0]), []
        sources = SmallArchive(tmp_path).select(where, np.ones(where.grid(20).shape))
        for safe in safes:
            folder = tmp_path / "safe" / safe.stem / "bands"
            folder.mkdir(parents=True)
            (folder / safe.name).symlink_to(safe)
            out, flags = tmp_path / f"{safe.stem}.tif", tmp_path / f"{safe.stem}.flags.tif"
            scenes = [read_product(safe).scene]
            composite_tile(request(crs), scenes, {1: folder}, sources, where, gsd, out, flags)
            with rasterio.open(out) as dataset:
                found.append(dataset.read().astype(int))
                assert "simulated" in dataset.tags()["SENARD_SIMULATED"]
        assert {read_product(safe).add_offset["B04"] for safe in safes} == {0, -1000}
        assert all((pixels > 0).all() for pixels in found)
        assert found[0][:4].std() > 100
        for pixels in found[1:]:
            assert np.abs(pixels - found[0]).max() <= 1
