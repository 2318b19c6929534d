"""Every method of `--method`, typed as a user types it, against plain numpy that reads the same products."""

import csv
import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio

from senard import ALGORITHM_VERSION
from senard.algorithms.tiling import cut_tiles
from senard.io.mask_folder import read_own_scenes
from senard.io.scenes_file import read_query_result
from senard.model.request import MosaicRequest
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.steps.judge_overflights import judged_observations, period_of
from senard.steps.select_sources import pixels_to_fill
from tests.conftest import made_once
from tests.workflows.commands import Site
from tests.workflows.test_mosaic import spoil, times

Numbers = npt.NDArray[np.float64]

UTM = "EPSG:32635"
"""The products' own: pixels are copied, so that nothing but the method can change them."""

BLENDED, MENDED = 8, 256


@dataclass(frozen=True)
class Made:
    """One mosaic of one tile, and what it was made of."""

    site: Site
    archive: Path
    work: Path

    @cached_property
    def query(self) -> Path:
        """The folder of its query."""
        word = f'"method":"{self.site.folder.name}"'
        (own,) = [path for path in (self.work / "queries").iterdir() if word in (path / "request.json").read_text()]
        return own

    @cached_property
    def request(self) -> MosaicRequest:
        return MosaicRequest.from_canonical((self.query / "request.json").read_text())

    @cached_property
    def masks(self) -> list[Path]:
        return [self.work / "masks" / ALGORITHM_VERSION / scene.product_id for scene in self.kept]

    @cached_property
    def kept(self) -> tuple[Sentinel2Scene, ...]:
        return read_query_result(self.query / "scenes.json").kept

    @cached_property
    def scenes(self) -> list[Sentinel2Scene]:
        return read_own_scenes(self.kept, self.masks)

    def delivered(self, name: str) -> Numbers:
        with rasterio.open(self.site.product() / name) as file:
            pixels: Numbers = file.read()
        return pixels

    def spectra(self, gsd: int) -> Numbers:
        """(scene, band, y, x) DN of every product on the mosaic's pixels, NaN where it has none."""
        grid = cut_tiles(self.request.aoi, self.request.crs)[0].grid(gsd)
        found = np.full((len(self.scenes), len(MOSAIC_BANDS[gsd]), *grid.shape), np.nan)
        for scene, stack in zip(self.scenes, found, strict=True):
            path = self.archive / f"{scene.product_id}.zip"
            for band, layer in zip(MOSAIC_BANDS[gsd], stack, strict=True):
                with zipfile.ZipFile(path) as file:
                    (member,) = [name for name in file.namelist() if name.endswith(f"_{band}_{gsd}m.jp2")]
                with rasterio.open(f"/vsizip/{path}/{member}") as image:
                    row, col = round((image.transform.f - grid.top) / gsd), round((grid.left - image.transform.c) / gsd)
                    dn = placed(image.read(1).astype(float), row, col, grid.shape)
                offset = -1000 if scene.baseline >= 400 else 0
                layer[:] = np.where(dn > 0, np.maximum(dn + offset, 1), np.nan)
        return found

    @property
    def spared(self) -> list[int]:
        """Numbers of scenes that the choice did without."""
        (settled,) = (self.work / "products" / self.site.product().name / "choices").glob("*/without.json")
        found: list[int] = json.loads(settled.read_text())["spared"]
        return found

    def taking_part(self, without: int = 0) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]:
        """(scene, y, x) who is of the best quality of a pixel, level by level, and of which level."""
        grid = cut_tiles(self.request.aoi, self.request.crs)[0].grid(20)
        masks = [None if number == without else mask for number, mask in enumerate(self.masks, 1)]
        period = period_of(self.request, self.scenes, masks, ())
        spared = self.spared
        level = np.zeros((len(self.scenes), *grid.shape), np.uint8)
        for _, seen, scored in judged_observations(period, grid):
            for number in set(np.unique(seen.source).tolist()) - {0, *spared}:
                usable = (seen.source == number) & (scored.clear > 0) & (scored.level <= 4)
                level[number - 1][usable] = scored.level[usable]
        level[:, ~pixels_to_fill(self.request, grid)] = 0
        takes = np.zeros(level.shape, bool)
        for good in ((1, 2), (3,), (4,)):
            takes |= np.isin(level, good) & ~takes.any(axis=0)
        return takes, level


def placed(image: Numbers, row: int, col: int, shape: tuple[int, int]) -> Numbers:
    """The pixels from one place on, 0 beyond the image."""
    wide = np.pad(image, max(*shape, *image.shape))
    start = max(*shape, *image.shape)
    return wide[start + row : start + row + shape[0], start + col : start + col + shape[1]]


def rounded(values: Numbers) -> Numbers:
    """Halves up; NaN is 0."""
    return np.where(np.isnan(values), 0, np.floor(values + 0.5))


def geometric_median(stack: Numbers) -> Numbers:
    """Weiszfeld's steps until they are very small, and the observations themselves: the best of these."""
    spectra = stack.reshape(*stack.shape[:2], -1)
    here = np.nanmean(spectra, axis=0)
    going = np.flatnonzero(~np.isnan(here[0]))
    for _ in range(6000):
        seen, before = spectra[:, :, going], here[:, going]
        weight = 1 / np.maximum(np.sqrt(np.sum((seen - before) ** 2, axis=1)), 1e-9)
        weight[np.isnan(seen[:, 0])] = 0
        here[:, going] = np.nansum(seen * weight[:, None], axis=0) / weight.sum(axis=0)
        going = going[np.abs(here[:, going] - before).max(axis=0) > 1e-6]
        if not going.size:
            break
    tried = np.concatenate([here[None], spectra])  # where an observation is the median, steps only creep towards it
    total = np.nansum(np.sqrt(np.sum((tried[:, None] - spectra[None]) ** 2, axis=2)), axis=1)
    total[1:][np.isnan(spectra[:, 0])] = np.inf
    total[1:] += 1e-6  # of two observations every point between is as good: their mean is meant
    best: Numbers = np.take_along_axis(tried, total.argmin(axis=0)[None, None], axis=0)[0]
    return best.reshape(stack.shape[1:])


def nearest(stack: Numbers, wanted: Numbers) -> npt.NDArray[np.int64]:
    """Number of the scene nearest to a spectrum; 0 where there is none."""
    distance = np.where(np.isnan(stack[:, 0]), np.inf, np.nansum((stack - wanted) ** 2, axis=1))
    found: npt.NDArray[np.int64] = np.where(np.isfinite(distance).any(axis=0), distance.argmin(axis=0) + 1, 0)
    return found


THIN = (..., slice(None, None, 5), slice(None, None, 3))
"""Every so many pixels: plain numpy is slow."""

METHODS = ("median", "geomedian", "medoid", "first", "percentile25")
STATISTICS = {
    "median": lambda stack: np.nanmedian(stack, axis=0),
    "percentile25": lambda stack: np.nanpercentile(stack, 25, axis=0),
    "geomedian": geometric_median,
}


def make(site: Site, method: str, **changes: str | Path | None) -> None:
    done = site.senard(method=method, crs=UTM, **changes)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def every_method(tiny_archive: Path, session_folder: Path) -> Path:
    """Folder with a folder for each method, where its mosaic was made; one work folder serves all."""
    folder = session_folder / "methods"

    def make_all() -> None:
        for method in METHODS:
            make(site_of(folder, method, tiny_archive), method, workdir=folder / "work")

    return made_once(folder, make_all)


def site_of(folder: Path, method: str, archive: Path) -> Site:
    return Site(archive=archive, area=archive / "area.geojson", folder=folder / method)


@pytest.fixture
def here(every_method: Path, tiny_archive: Path, request: pytest.FixtureRequest) -> Made:
    """The mosaic of one method. Nobody may write into it."""
    return Made(site_of(every_method, request.param, tiny_archive), tiny_archive, every_method / "work")


def stacks(made: Made, without: int = 0) -> tuple[dict[int, Numbers], npt.NDArray[np.bool_]]:
    """gsd to (scene, band, y, x) DN of those who take part, else NaN; and who does at 20 m."""
    takes, _ = made.taking_part(without)
    fine = takes.repeat(2, axis=1).repeat(2, axis=2)
    return {gsd: np.where(part[:, None], made.spectra(gsd), np.nan) for gsd, part in ((10, fine), (20, takes))}, takes


def dates_of(made: Made, source: npt.NDArray[np.int64]) -> Numbers:
    """Year and day of year by number of the scene."""
    times = [scene.acquisition_time.timetuple() for scene in made.scenes]
    table = np.array([(0, 0), *((time.tm_year, time.tm_yday) for time in times)])
    dates: Numbers = table[source].transpose(2, 0, 1)
    return dates


@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning", "ignore:Mean of empty slice:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
class TestStatistics:
    """A statistic of all observations of a pixel's best quality"""

    @pytest.mark.parametrize("here", sorted(STATISTICS), indirect=True)
    def test_is_that_of_plain_numpy_and_names_the_nearest_observation(self, here: Made) -> None:
        method = here.site.folder.name
        observed, takes = stacks(here)
        source, _, level, flags = here.delivered("layers/0_QA_20.tif").astype(int)
        whole = (flags & MENDED) == 0
        assert whole.mean() > 0.95
        assert (takes.sum(axis=0) > 1).mean() > 0.2
        bands = {gsd: here.delivered(f"0_{gsd}.tif").astype(int) for gsd in (10, 20)}
        exact = 1 if method == "geomedian" else 0
        for gsd, part in ((10, whole.repeat(2, axis=0).repeat(2, axis=1)), (20, whole)):
            expected = rounded(STATISTICS[method](observed[gsd][THIN]))
            found = bands[gsd][: len(expected)][THIN]
            assert np.abs(found - expected)[:, part[THIN]].max() <= exact
        named = nearest(observed[20], bands[20][:6])
        assert np.array_equal(source[whole], named[whole])
        assert np.array_equal(bands[20][6:], dates_of(here, source))
        assert np.array_equal((flags & BLENDED) > 0, takes.sum(axis=0) > 1)
        assert np.array_equal(level > 0, takes.any(axis=0))
        with rasterio.open(here.site.product() / "0_10.tif") as file:
            tags = file.tags()
        assert tags["SENARD_METHOD"] == method
        assert "nearest" in tags["SENARD_DATES"]
        assert int(tags["SENARD_SCENES"]) == takes.any(axis=(1, 2)).sum()
        assert "nearest to the spectrum" in (here.site.product() / "report.html").read_text()

    def test_is_made_without_a_product_that_turns_out_broken_and_made_once(
        self, tiny_archive: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(tiny_archive, tmp_path / "archive", ignore=shutil.ignore_patterns("truth"))
        site = site_of(tmp_path, "median", tmp_path / "archive")
        broken = spoil(site.archive, "_B11_20m.jp2")
        make(site, "median", resolutions="10")
        made = Made(site, tiny_archive, site.out / ".senard")
        number = [scene.product_id for scene in made.scenes].index(broken.stem) + 1
        observed, _ = stacks(made, without=number)
        whole = (made.delivered("layers/0_QA_20.tif")[3].astype(int) & MENDED) == 0
        fine = whole.repeat(2, axis=0).repeat(2, axis=1)
        expected = rounded(np.nanmedian(observed[10], axis=0))
        assert np.array_equal(made.delivered("0_10.tif")[:, fine], expected[:, fine])
        rows = list(csv.DictReader((site.product() / "scenes.csv").read_text().splitlines()))
        assert [row["used"] for row in rows if row["product_id"] == broken.stem] == ["false"]
        assert "damaged" in rows[number - 1]["reason"]
        before = times(site.out)
        make(site, "median", resolutions="10")
        assert times(site.out) == before
        make(site, "median", resolutions="20")
        expected = rounded(np.nanmedian(observed[20], axis=0))
        assert np.array_equal(made.delivered("0_20.tif")[:6, whole], expected[:, whole])


@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
class TestChoices:
    """A choice of one observation"""

    @pytest.mark.parametrize("here", ["medoid"], indirect=True)
    def test_takes_the_one_nearest_to_the_median(self, here: Made) -> None:
        observed, takes = stacks(here)
        self.holds(here, nearest(observed[20], np.nanmedian(observed[20], axis=0)), observed)
        assert takes.any(axis=(1, 2)).sum() > 1

    @pytest.mark.parametrize("here", ["first"], indirect=True)
    def test_takes_the_clearest_overflight_that_is_usable(self, here: Made) -> None:
        observed, takes = stacks(here)
        (counted,) = (here.work / "products").glob("*/clear.json")
        counts: Mapping[str, int] = json.loads(counted.read_text())
        order = sorted(range(len(takes)), key=lambda scene: -counts.get(str(scene + 1), 0))
        assert order != sorted(order)
        expected = np.zeros(takes.shape[1:], int)
        for scene in reversed(order):
            expected[takes[scene]] = scene + 1
        self.holds(here, expected, observed)

    def holds(self, made: Made, expected: npt.NDArray[np.int64], observed: Mapping[int, Numbers]) -> None:
        """Sources, dates and all bands are those of the expected scenes."""
        source, _, level, flags = made.delivered("layers/0_QA_20.tif").astype(int)
        whole = (flags & MENDED) == 0
        assert np.array_equal(source[whole], expected[whole])
        assert len(np.unique(source)) > 2
        assert not (flags & BLENDED).any()
        _, levels = made.taking_part()
        one = np.take_along_axis(levels, np.maximum(source - 1, 0)[None], axis=0)[0]
        assert np.array_equal(level, np.where(source > 0, one, 0))
        for gsd, part, chosen in (
            (20, whole, source),
            (10, whole.repeat(2, axis=0).repeat(2, axis=1), source.repeat(2, axis=0).repeat(2, axis=1)),
        ):
            spectrum = np.take_along_axis(observed[gsd], np.maximum(chosen - 1, 0)[None, None], axis=0)[0]
            bands = made.delivered(f"0_{gsd}.tif").astype(int)
            assert np.array_equal(
                bands[: len(spectrum), part], rounded(np.where(chosen > 0, spectrum, np.nan))[:, part]
            )
            if gsd == 20:
                assert np.array_equal(bands[6:], dates_of(made, source))
