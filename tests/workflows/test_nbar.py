"""`--brdf nbar`, typed as a user types it, and the way back as the reference page tells it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from scipy.ndimage import map_coordinates

from tests.workflows.commands import Site, contents

NADIR, CLIPPED = 512, 2


def bands(folder: Path, name: str) -> tuple[npt.NDArray[np.float64], rasterio.Affine, tuple[str, ...]]:
    with rasterio.open(folder / name) as file:
        return file.read().astype(np.float64), file.transform, file.descriptions


def bilinear(raster: Path, band: str, transform: rasterio.Affine, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """A band of 600 m cells at the centres of finer pixels."""
    with rasterio.open(raster) as file:
        values = file.read(file.descriptions.index(band) + 1).astype(np.float64)
        cell, left, top = file.transform.a, file.transform.c, file.transform.f
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    x, y = transform.c + (cols + 0.5) * transform.a, transform.f - (rows + 0.5) * transform.a
    return map_coordinates(values, [(top - y) / cell - 0.5, (x - left) / cell - 0.5], order=1)


class TestNbar:
    """A mosaic seen from straight above"""

    def test_differs_from_the_one_without_by_factors_that_lie_in_it(self, site: Site, undisturbed_site: Site) -> None:
        done = site.senard(brdf="nbar")
        assert done.returncode == 0, done.stderr
        made, plain = site.product(), undisturbed_site.product()
        assert made.name != plain.name
        listed = (made / "SHA256SUMS").read_text()
        changed = np.zeros(2)
        for tile in (0, 1):
            quality, before = bands(made, f"layers/{tile}_QA_20.tif")[0], bands(plain, f"layers/{tile}_QA_20.tif")[0]
            flags = quality[3].astype(int)
            np.testing.assert_array_equal(quality[:3], before[:3])
            np.testing.assert_array_equal(flags & ~(NADIR | CLIPPED), before[3].astype(int) & ~CLIPPED)
            for gsd in (10, 20):
                found, transform, names = bands(made, f"{tile}_{gsd}.tif")
                expected, _, _ = bands(plain, f"{tile}_{gsd}.tif")
                source, flag = (np.kron(layer, np.ones((20 // gsd, 20 // gsd), int)) for layer in (quality[0], flags))
                for number in set(np.unique(source).astype(int).tolist()) - {0}:
                    factors = made / f"layers/NBAR_{number}.tif"
                    assert f"layers/{factors.name}" in listed
                    here = (source == number) & (flag & CLIPPED == 0)
                    for band, after, original in zip(names, found, expected, strict=True):
                        factor = 1.0
                        if band not in ("year", "DOY"):
                            factor = np.where(flag & NADIR, bilinear(factors, band, transform, after.shape), 1.0)
                        assert np.abs(np.rint(after / factor) - original)[here].max(initial=0) <= 1
                        changed += [(after != original)[here].sum(), here.sum()]
        assert changed[0] > 0.3 * changed[1]
        with rasterio.open(made / "0_20.tif") as after, rasterio.open(plain / "0_20.tif") as original:
            assert after.tags()["SENARD_BRDF"].startswith("nbar: c-factor")
            assert "SENARD_BRDF" not in original.tags()
        assert ("nbar" in (made / "report.html").read_text(), "brdf" in (plain / "report.html").read_text()) == (
            True,
            False,
        )
        assert not any("NBAR" in name for name in contents(plain))
