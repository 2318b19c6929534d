"""What other programs are asked, and those of them that need nothing but rasterio."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from affine import Affine

from bench.peers import by_rasterio
from bench.peers.by_s2mosaic import _windows
from bench.peers.question import BANDS, FINE, AskedProduct, Question, read_question

SIDE, OFFSET = 8, 4
LEFT, TOP = 300_040.0, 4_900_000.0


def image(path: Path, values: npt.NDArray[Any], gsd: int) -> str:
    """A product's image, of which the window begins after OFFSET pixels of 10 m."""
    corner = Affine(gsd, 0, LEFT - 10 * OFFSET, 0, -gsd, TOP + 10 * OFFSET)
    rows, cols = values.shape
    with rasterio.open(
        path, "w", "GTiff", cols, rows, 1, crs="EPSG:32631", transform=corner, dtype=values.dtype
    ) as dataset:
        dataset.write(values, 1)
    return str(path)


def product(folder: Path, name: str, *, dn: int, cloudy_cols: slice, cloud_shadow: float) -> AskedProduct:
    """One value in all bands, and cloud in some columns of 20 m of the window."""
    side = SIDE + 2 * OFFSET
    scl = np.full((side // 2, side // 2), 4, dtype=np.uint8)
    scl[:, OFFSET // 2 : -OFFSET // 2][:, cloudy_cols] = 9
    images = {"SCL": image(folder / f"{name}_SCL.tif", scl, 20)}
    for band in BANDS:
        gsd = 10 if band in FINE else 20
        values = np.full((side * 10 // gsd,) * 2, dn, dtype=np.uint16)
        images[band] = image(folder / f"{name}_{band}.tif", values, gsd)
    return AskedProduct(
        product_id=name, time="2024-06-13T10:50:31+00:00", orbit=51, cloud_shadow=cloud_shadow, images=images
    )


@pytest.fixture
def question(tmp_path: Path) -> Question:
    """Three dates: the second is the clearest, the first fills it up, the third comes too late."""
    (tmp_path / "out").mkdir()
    return Question(
        products=(
            product(tmp_path, "a", dn=1000, cloudy_cols=slice(0, 2), cloud_shadow=20.0),
            product(tmp_path, "b", dn=2000, cloudy_cols=slice(3, 4), cloud_shadow=10.0),
            product(tmp_path, "c", dn=3000, cloudy_cols=slice(0, 0), cloud_shadow=30.0),
        ),
        crs="EPSG:32631",
        left=LEFT,
        top=TOP,
        product_px=SIDE + 2 * OFFSET,
        offset_px=OFFSET,
        size_px=SIDE,
        outline=((0.5, 44.2), (0.6, 44.2), (0.6, 44.1), (0.5, 44.2)),
        out=str(tmp_path / "out"),
    )


class TestQuestion:
    """It reaches another environment as JSON."""

    def test_comes_back_as_it_was(self, question: Question, tmp_path: Path) -> None:
        question.write(tmp_path / "question.json")
        assert read_question(tmp_path / "question.json") == question


class TestLoop:
    """The plain loop takes the clearest scene, then the next where that was cloudy."""

    def test_fills_clouds_from_the_next_scene(self, question: Question) -> None:
        by_rasterio.main(question)
        for gsd, side in ((10, 8), (20, 4)):
            with rasterio.open(Path(question.out) / f"result_{gsd}.tif") as made:
                values = made.read()
                assert made.transform == Affine(gsd, 0, LEFT, 0, -gsd, TOP)
            border = side * 3 // 4
            assert (values[:, :, :border] == 2000).all()
            assert (values[:, :, border:] == 1000).all()


class TestWindows:
    """S2Mosaic, which reads whole files, sees the window as whole files."""

    def test_hold_the_window_alone(self, question: Question) -> None:
        cut = _windows(question)
        assert (cut.offset_px, cut.product_px) == (0, SIDE)
        with rasterio.open(cut.products[0].images["SCL"]) as classes:
            assert classes.transform == Affine(20, 0, LEFT, 0, -20, TOP)
            assert classes.read(1).tolist() == [[9, 9, 4, 4]] * 4
