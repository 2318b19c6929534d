"""Roofs, beaches and salt lakes that every scene calls cloud are delivered; clouds that pass over them are not."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from scipy import ndimage

from senard.io.geotiff import Raster, read_scratch
from senard.model.arrays import BoolArray, UInt8Array
from senard.model.grid import Tile
from senard.model.request import Buffer, Fill, MosaicRequest
from senard.steps.select_sources import select_sources
from tests.steps.judged_scenes import Judged, Plan, write_judged

SIZE = 300
TILE = Tile(
    index=0, crs="EPSG:32635", left=480_000, bottom=6_660_000 - SIZE * 20, right=480_000 + SIZE * 20, top=6_660_000
)
"""The scenes' own pixels, 6 x 6 km."""

DAYS = (0, 4, 8, 12, 15, 18, 22, 26, 29)
MEADOW, BEACH, ROOF, SALT, ASPHALT = range(5)
SPECTRA = np.array(
    [
        [500, 450, 3200, 1800],
        [1900, 2900, 3400, 4100],
        [3300, 3900, 4300, 4100],
        [3900, 4700, 5100, 4100],
        [830, 980, 1060, 1000],
    ]
)
"""Ground to DN of B02, B04, B8A and B11."""
CLOUD = np.array([5200, 5000, 4900, 3500])
"""The mean cloud: no two dates' are of one thickness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A season over planted ground."""

    judged: list[Judged]
    ground: UInt8Array
    """(y, x) at 20 m."""
    clouds: BoolArray
    """(time, y, x), True where a cloud hides the ground."""

    def chosen(self, out: Path, **changes: object) -> Raster:
        """The source map."""
        values: dict[str, object] = {
            "name": "test",
            "aoi": shapely.box(-179, -80, 179, 80),
            "first_day": date(2024, 6, 1),
            "last_day": date(2024, 6, 30),
            "crs": TILE.crs,
            "clip": False,
        }
        request = MosaicRequest(**(values | changes))  # type: ignore[arg-type]
        scenes, masks = [one.scene for one in self.judged], [one.folder for one in self.judged]
        return read_scratch(select_sources(request, scenes, masks, TILE, out) / "sources_20.tif")


def planted_ground() -> UInt8Array:
    """Meadow with a beach, a salt lake, halls of 180 m, single roofs of 20 m, and a yard of asphalt."""
    ground = np.full((SIZE, SIZE), MEADOW, dtype=np.uint8)
    ground[:, 240:258] = BEACH
    rows, cols = np.mgrid[:SIZE, :SIZE]
    ground[(rows - 210) ** 2 + (cols - 70) ** 2 < 45**2] = SALT
    for corner in range(30, 130, 25):
        ground[corner : corner + 9, 30:39] = ROOF
        ground[corner : corner + 60 : 7, 100:180:7] = ROOF
    ground[150:162, 150:162] = ASPHALT
    return ground


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Nine dates; on each, clouds of 1 km and more drift elsewhere and hide a quarter of all."""
    folder = tmp_path_factory.mktemp("planted")
    ground = planted_ground()
    judged, clouds = [], []
    for number, day in enumerate(DAYS):
        random = np.random.default_rng(number)
        field = ndimage.gaussian_filter(random.standard_normal((SIZE, SIZE)), 20, mode="wrap")
        cloud = field > np.quantile(field, 0.75)
        scl = np.where(ground == MEADOW, 4, np.where(ground == ASPHALT, 3, 9)).astype(np.uint8)
        scl[(ground == BEACH) & (random.random(ground.shape) < 0.5)] = 8
        scl[cloud] = 9
        light = random.normal(1, 0.03, (100, 100))
        seen = SPECTRA[ground].transpose(2, 0, 1).astype(np.float64)
        thickness = random.uniform(0.6, 1.5) * random.normal(1, 0.15, (SIZE, SIZE))
        seen = np.where(cloud, CLOUD[:, None, None] * thickness, seen)
        spectra = seen.reshape(4, 100, 3, 100, 3).mean(axis=(2, 4)) * light
        plan = Plan(
            day=day,
            left=TILE.left,
            top=TILE.top,
            size=SIZE,
            scl=scl,
            spectra=np.rint(spectra).astype(np.uint16),
            seed=number,
        )
        judged.append(write_judged(folder, plan))
        clouds.append(cloud)
    return Planted(judged=judged, ground=ground, clouds=np.stack(clouds))


def hidden(planted: Planted, source: Raster) -> BoolArray:
    """Where the chosen date shows a cloud."""
    index = np.maximum(source.astype(np.intp), 1)[None] - 1
    shown: BoolArray = np.take_along_axis(planted.clouds, index, axis=0)[0] & (source > 0)
    return shown


class TestGroundThatIsAlwaysFlagged:
    """What repeats is ground, whatever the classification calls it."""

    @pytest.mark.parametrize("kind", [BEACH, ROOF, SALT, ASPHALT])
    @pytest.mark.parametrize("buffer", [Buffer.THIN, Buffer.TERRASCOPE, Buffer.PURE])
    def test_is_delivered_and_the_clouds_over_it_are_not(
        self, planted: Planted, tmp_path: Path, kind: int, buffer: Buffer
    ) -> None:
        source, _, level, _, _ = planted.chosen(tmp_path / "out", buffer=buffer)
        here = planted.ground == kind
        assert (source[here] == 0).mean() < 0.01
        assert (level[here] > 2).mean() < 0.01
        assert hidden(planted, source)[here].mean() < 0.01

    def test_is_taken_from_dates_as_good_as_those_of_its_surroundings(self, planted: Planted, tmp_path: Path) -> None:
        source = planted.chosen(tmp_path / "out")[0]
        bright = np.isin(planted.ground, (BEACH, ROOF, SALT))
        beside = ndimage.binary_dilation(bright, iterations=5) & (planted.ground == MEADOW)
        off = np.abs(np.array(DAYS)[np.maximum(source.astype(np.intp), 1) - 1] - 15)
        assert off[bright].mean() <= off[beside].mean() + 1

    def test_leaves_no_trace_in_the_ground_around_it(self, planted: Planted, tmp_path: Path) -> None:
        source, clear, level, _, _ = planted.chosen(tmp_path / "out")
        meadow = planted.ground == MEADOW
        assert (source[meadow] > 0).all()
        assert (level[meadow] > 2).mean() < 0.01
        assert not hidden(planted, source)[meadow].any()
        assert np.median(clear[planted.ground == SALT]) >= 5

    def test_stays_cloud_where_only_one_date_saw_it(self, planted: Planted, tmp_path: Path) -> None:
        single = Planted(judged=planted.judged[:1], ground=planted.ground, clouds=planted.clouds[:1])
        assert not single.chosen(tmp_path / "out", fill=Fill.FLAG)[0][planted.ground == SALT].any()
