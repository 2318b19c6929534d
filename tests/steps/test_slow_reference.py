"""What composing must equal: whole arrays, exact coordinates, plain numpy, no thought of speed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy import ndimage

from senard.model.grid import Grid, Tile
from senard.model.product import Sentinel2Product
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.steps import supply_band as module
from senard.steps.composite_tile import composite_tile
from tests.steps.small_products import SmallArchive, SmallProduct, request, tile

FIRST = datetime(2024, 5, 1, 10, 40, 21, tzinfo=UTC)
BAND_OF = {10: "B03", 20: "B11"}
"""One band of each file is compared: the others come by the same way."""


def noisy_ground(seed: int):
    """Fields of 60 m and noise, the same wherever it is looked at within a product."""

    def ground(x: np.ndarray, y: np.ndarray, band: str) -> np.ndarray:
        random = np.random.default_rng([seed, int(band[1:], 16)])
        row, col = (np.floor(place / 60).astype(int) % 512 for place in (y, x))
        fields = random.uniform(300, 3000, (512, 512))[row, col]
        return ndimage.gaussian_filter(fields, 1.5) + random.normal(0, 40, x.shape)

    return ground


def patches(shape: tuple[int, int], numbers: int, seed: int) -> np.ndarray:
    """A source map: compact patches of every source, and of none."""
    random = np.random.default_rng(seed)
    fields = [ndimage.gaussian_filter(random.normal(size=shape), 4) for _ in range(numbers + 1)]
    return np.argmax(fields, axis=0).astype(np.uint16)


def cubic_weights(t: np.ndarray) -> list[np.ndarray]:
    """Keys' kernel with a = -0.5 at the distances 1 + t, t, 1 - t, 2 - t."""

    def keys(d: np.ndarray) -> np.ndarray:
        near, far = 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
        return np.where(d <= 1, near, far)

    return [keys(1 + t), keys(t), keys(1 - t), keys(2 - t)]


def resampled(image: np.ndarray, grid: Grid, output: Grid) -> np.ndarray:
    """The image on the pixels of another grid: copied where both are one grid, else by cubic convolution."""
    rows, cols = np.mgrid[0 : output.height, 0 : output.width]
    x, y = output.left + (cols + 0.5) * output.gsd, output.top - (rows + 0.5) * output.gsd
    x, y = Transformer.from_crs(output.crs, grid.crs, always_xy=True).transform(x, y)
    down, right = (grid.top - y) / grid.gsd - 0.5, (x - grid.left) / grid.gsd - 0.5
    if grid.crs == output.crs:
        return image[np.rint(down).astype(int), np.rint(right).astype(int)]
    top, left = np.floor(down).astype(int), np.floor(right).astype(int)
    value = np.zeros(output.shape)
    for i, down_weight in enumerate(cubic_weights(down - top)):
        for j, right_weight in enumerate(cubic_weights(right - left)):
            value += down_weight * right_weight * image[top + i - 1, left + j - 1]
    return value


def reference(
    sources: np.ndarray, products: Sequence[Sentinel2Product], band: str, where: Tile, gsd: int
) -> np.ndarray:
    """One band of the tile: every product resampled as a whole, then the winner taken."""
    output, out = where.grid(gsd), np.zeros(where.grid(gsd).shape)
    winners = np.kron(sources, np.ones((20 // gsd, 20 // gsd), np.uint16))
    for number, product in enumerate(products, 1):
        with rasterio.open(product.root / product.images[f"{band}_{gsd}"]) as dataset:
            reflectance = dataset.read(1).astype(float) + product.add_offset[band]
        whole = resampled(np.maximum(reflectance, 1), product.grids[gsd], output)
        out[winners == number] = np.clip(np.rint(whole), 1, 65535)[winners == number]
    return out


@given(
    seed=st.integers(0, 2**31),
    crs=st.lists(st.sampled_from(["EPSG:32635", "EPSG:32634"]), min_size=1, max_size=3),
    onto=st.sampled_from(["EPSG:3857", "EPSG:32635", "EPSG:3035"]),
    gsd=st.sampled_from([10, 20]),
    threads=st.sampled_from([1, 3]),
)
@settings(max_examples=8, deadline=None)
def test_composing_equals_the_slow_way(
    tmp_path_factory: pytest.TempPathFactory, seed: int, crs: list[str], onto: str, gsd: int, threads: int
) -> None:
    folder = tmp_path_factory.mktemp("slow")
    band, where = BAND_OF[gsd], tile(crs=onto, size_m=1200)
    archive = SmallArchive(folder)
    products = [
        archive.add(
            SmallProduct(day=FIRST + timedelta(days=210 * place), crs=zone, offset=-1000 * (place % 2)),
            noisy_ground(seed + place),
            bands=MOSAIC_BANDS[gsd],
        )
        for place, zone in enumerate(crs)
    ]
    sources = patches(where.grid(20).shape, len(crs), seed)
    out, flags = folder / "0.tif", folder / "0.flags.tif"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "read_product", archive.read)
        chosen = archive.select(where, sources)
        scenes, safes = archive.scenes, archive.safes
        composite_tile(request(onto), scenes, safes, chosen, where, gsd, out, flags, threads=threads)
    with rasterio.open(out) as dataset:
        found = dict(zip(dataset.descriptions, dataset.read().astype(float), strict=True))
    expected = reference(sources, products, band, where, gsd)
    away = np.abs(found[band] - expected)
    same_grid = [number for number, zone in enumerate(crs, 1) if zone == onto]
    copied = np.isin(np.kron(sources, np.ones((20 // gsd, 20 // gsd))), same_grid)
    assert (away[copied] == 0).all()
    assert away.max() <= 1
    if gsd == 20:
        days = [scene.acquisition_time.timetuple() for scene in scenes]
        assert np.array_equal(found["year"], np.array([0, *(day.tm_year for day in days)])[sources])
        assert np.array_equal(found["DOY"], np.array([0, *(day.tm_yday for day in days)])[sources])
