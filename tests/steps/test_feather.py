"""A tile whose borders between dates are soft."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

from senard.algorithms.feathering import FEATHERED
from senard.errors import RequestError
from senard.io.geotiff import read_scratch, write_scratch
from senard.model.request import Method
from senard.model.sources import SECOND_BANDS, SOURCE_BANDS
from senard.steps import supply_band as module
from senard.steps.composite_tile import composite_tile
from tests.steps.small_products import SmallArchive, SmallProduct, request, tile

WHERE = tile(size_m=1200)
BORDER = 30
"""First column of the second scene, px of 20 m."""


def compose(root: Path, archive: SmallArchive, feather_m: float) -> np.ndarray:
    """The file of 10 m; columns 27 to 32 have a second scene."""
    shape = WHERE.grid(20).shape
    column = np.broadcast_to(np.arange(shape[1]), shape)
    source = np.where(column < BORDER, 1, 2)
    share = np.select([column == 27 + n for n in range(6)], [83, 250, 417, 417, 250, 83], 0)
    layers = (source, source * 0 + 3, source * 0 + 1, source * 0, source * 0, np.where(share, 3 - source, 0), share)
    folder = root / "sources"
    folder.mkdir(exist_ok=True)
    arrays = dict(zip((*SOURCE_BANDS, *SECOND_BANDS), layers, strict=True))
    write_scratch(folder / "sources_20.tif", WHERE.grid(20), {n: a.astype(np.uint16) for n, a in arrays.items()})
    out = root / f"{feather_m:g}.tif"
    asked = replace(request(), feather_m=feather_m)
    composite_tile(asked, archive.scenes, archive.safes, folder, WHERE, 10, out, root / "0_10.flags.tif")
    with rasterio.open(out) as dataset:
        assert ("SENARD_FEATHER" in dataset.tags()) == (feather_m > 0)
        return dataset.read()


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallArchive:
    """Two flat scenes; north of its middle the second is much brighter in the near infrared."""
    archive = SmallArchive(tmp_path)
    monkeypatch.setattr(module, "read_product", archive.read)
    middle = (WHERE.bottom + WHERE.top) / 2
    archive.add(SmallProduct(day=datetime(2024, 5, 1, 10, 40, tzinfo=UTC)), lambda x, _y, _band: np.full(x.shape, 2000))
    archive.add(
        SmallProduct(day=datetime(2024, 5, 6, 10, 40, tzinfo=UTC)),
        lambda _x, y, band: np.where((y > middle) & (band == "B08"), 2600, 2100),
    )
    return archive


class TestFeather:
    """A border between two dates"""

    def test_is_a_ramp_where_they_differ_little_in_all_bands_and_stays_where_not(
        self, tmp_path: Path, archive: SmallArchive
    ) -> None:
        found = compose(tmp_path, archive, 60.0)
        assert found[0, -1, 52:68:2].tolist() == [2000, 2008, 2025, 2042, 2058, 2075, 2092, 2100]
        assert found[0, 0, 52:68:2].tolist() == [*[2000] * 4, *[2100] * 4]
        flags = read_scratch(tmp_path / "0_10.flags.tif", bands="flags") & FEATHERED
        assert np.flatnonzero(flags[-1]).tolist() == [27, 28, 29, 30, 31, 32]
        assert not flags[0].any()

    def test_is_hard_if_nothing_was_asked_for(self, tmp_path: Path, archive: SmallArchive) -> None:
        found = compose(tmp_path, archive, 0.0)
        assert set(found[0, -1, :60].tolist()) == {2000}
        assert set(found[0, -1, 60:].tolist()) == {2100}

    def test_costs_no_part_of_an_image_twice(
        self, tmp_path: Path, archive: SmallArchive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decoded = Counter[str]()
        read_squares = module.TiledImage.read_squares

        def counting(image, wanted, out):
            for row, col in np.argwhere(wanted).tolist():
                decoded[f"{image.path} {row} {col}"] += 1
            return read_squares(image, wanted, out)

        monkeypatch.setattr(module.TiledImage, "read_squares", counting)
        compose(tmp_path, archive, 60.0)
        assert decoded
        assert set(decoded.values()) == {1}

    def test_is_refused_for_methods_that_choose_no_neighbours(self) -> None:
        with pytest.raises(RequestError, match=r"--feather 40 with --method median"):
            replace(request(), feather_m=40.0, method=Method.MEDIAN)
