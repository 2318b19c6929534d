"""Several observations of every pixel, made one."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from senard.algorithms.participants import Participant
from senard.io.geotiff import read_scratch, write_scratch
from senard.io.sources_file import participant_file, read_source_counts, write_source_counts
from senard.model.grid import Grid
from senard.model.request import Method, MosaicRequest
from senard.model.sentinel2 import MOSAIC_BANDS
from senard.model.sources import SourceCounts
from senard.steps import blend_tile as blending
from senard.steps import supply_band as supplying
from senard.steps.blend_tile import blend_tile
from senard.steps.composite_tile import composite_blend
from tests.steps.small_products import SmallArchive, SmallProduct, request, tile

WHERE = tile(size_m=1200)
BANDS = {10: MOSAIC_BANDS[10], 20: MOSAIC_BANDS[20]}


def ground(number: int):
    """Steep ground that every date and band sees a little differently, whole DN at every pixel."""

    def seen(x: np.ndarray, _y: np.ndarray, band: str) -> np.ndarray:
        random = np.random.default_rng(number * 100 + MOSAIC_BANDS[10 if band in BANDS[10] else 20].index(band))
        return 1500 + random.integers(-400, 400, x.shape) + 700 * np.sin(x / 90 + number)

    return seen


class Blending:
    """Products of several dates, who takes part where, and what is made of them."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, dates: int = 4) -> None:
        self.root = root
        self.archive = SmallArchive(root, size_m=2400)
        for number in range(dates):
            day = datetime(2024, 5, 1 + 5 * number, 10, 40, 21, tzinfo=UTC)
            product = SmallProduct(day=day, offset=-1000 if number % 2 else 0)
            self.archive.add(product, ground(number), bands=(*BANDS[10], *BANDS[20]))
        monkeypatch.setattr(supplying, "read_product", self.archive.read)
        random = np.random.default_rng(4)
        shape = WHERE.grid(20).shape
        self.takes = random.random((dates, *shape)) < 0.6
        self.takes[:, :5] = False
        self._participants()

    def _participants(self) -> None:
        self.sources = self.root / "sources"
        for number, takes in enumerate(self.takes, 1):
            path = participant_file(self.sources, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = Participant(
                source=np.where(takes, number, 0).astype(np.uint16),
                judgement=np.where(takes, 2 + 256 * number, 0).astype(np.uint16),
            )
            write_scratch(path, WHERE.grid(20), {"source": part.source, "judgement": part.judgement})
        clear = self.takes.sum(axis=0).astype(np.uint16)
        layers = dict.fromkeys(("source", "clear", "level", "flags", "cost"), clear)
        write_scratch(self.sources / "sources_20.tif", WHERE.grid(20), layers)
        taking = {number: int(takes.sum()) for number, takes in enumerate(self.takes, 1)}
        some = int((clear > 0).sum())
        counts = SourceCounts(
            pixels={1: some}, clear_pixels={}, levels={0: clear.size - some}, aoi_pixels=clear.size, taking_part=taking
        )
        write_source_counts(self.sources, counts)

    def asked(self, method: Method) -> MosaicRequest:
        return replace(request(WHERE.crs), method=method)

    def run(self, method: Method, gsd: int, name: str = "out") -> Path:
        archive = self.archive
        return blend_tile(
            self.asked(method), archive.scenes, archive.safes, self.sources, WHERE, gsd, self.root / name / f"0_{gsd}"
        )

    def observed(self, gsd: int) -> np.ndarray:
        """(date, band, y, x) by plain numpy: cubic convolution of every product, NaN where it takes no part."""
        takes = self.takes.repeat(20 // gsd, axis=1).repeat(20 // gsd, axis=2)
        found = np.full((len(takes), len(BANDS[gsd]), *WHERE.grid(gsd).shape), np.nan)
        for number, folder in self.archive.safes.items():
            (safe,) = folder.glob("*.SAFE")
            product = self.archive.read(safe)
            for place, band in enumerate(BANDS[gsd]):
                with rasterio.open(safe / product.images[f"{band}_{gsd}"]) as image:
                    dn = np.maximum(image.read(1).astype(float) + product.add_offset[band], 1)
                found[number - 1, place] = cubic(dn, product.grids[gsd], WHERE.grid(gsd))
        return np.where(takes[:, None], np.floor(found + 0.5), np.nan)


def cubic(image: np.ndarray, source: Grid, output: Grid) -> np.ndarray:
    """Keys' cubic convolution (a = -0.5) at the centres of the output's pixels."""
    rows, cols = np.mgrid[0 : output.height, 0 : output.width] + 0.5
    x, y = output.left + cols * output.gsd, output.top - rows * output.gsd
    east, north = Transformer.from_crs(output.crs, source.crs, always_xy=True).transform(x, y)
    row, col = (source.top - north) / source.gsd - 0.5, (east - source.left) / source.gsd - 0.5
    total = np.zeros(output.shape)
    for i in range(-1, 3):
        for j in range(-1, 3):
            at_row, at_col = np.floor(row).astype(int) + i, np.floor(col).astype(int) + j
            total += keys(row - at_row) * keys(col - at_col) * image[at_row, at_col]
    return np.clip(total, 1, 65535)


def keys(distance: np.ndarray) -> np.ndarray:
    d = np.abs(distance)
    near, far = 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0))


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blending:
    return Blending(tmp_path, monkeypatch)


@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
class TestBlendTile:
    """A statistic of resampled observations"""

    @pytest.mark.parametrize("gsd", [10, 20])
    def test_is_within_1_dn_of_plain_numpy(self, made: Blending, gsd: int) -> None:
        found = read_scratch(made.run(Method.MEDIAN, gsd) / "spectra.tif")[: len(BANDS[gsd])].astype(float)
        expected = np.nan_to_num(np.floor(np.nanmedian(made.observed(gsd), axis=0) + 0.5))
        assert np.abs(found - expected).max() <= 1
        assert (found == expected).mean() > 0.95
        assert ((found > 0).all(axis=0) == (expected > 0).all(axis=0)).all()

    def test_names_the_nearest_observation_with_its_level_and_flags(self, made: Blending) -> None:
        out = made.run(Method.PERCENTILE25, 20)
        source, clear, level, flags, _ = read_scratch(out / "sources_20.tif").astype(int)
        counts = read_source_counts(out)
        assert np.array_equal(source > 0, made.takes.any(axis=0))
        assert np.array_equal(clear, made.takes.sum(axis=0))
        assert np.array_equal(level, source > 0)
        assert np.array_equal(flags, source + 8 * (made.takes.sum(axis=0) > 1))
        assert counts.pixels == {n: int((source == n).sum()) for n in range(1, 5)}
        assert counts.suppliers == (1, 2, 3, 4)
        assert counts.levels == {0: int((source == 0).sum()), 1: int((source > 0).sum())}
        year, day = read_scratch(out / "spectra.tif")[6:].astype(int)
        assert np.array_equal(day, np.where(source > 0, 122 + 5 * (source - 1), 0))
        assert np.array_equal(year, np.where(source > 0, 2024, 0))

    def test_of_a_medoid_is_only_the_choice(self, made: Blending) -> None:
        out = made.run(Method.MEDOID, 20)
        assert sorted(path.name for path in out.glob("[!.]*")) == ["sources.json", "sources_20.tif"]
        assert not (read_scratch(out / "sources_20.tif", bands="flags") & 8).any()
        assert not read_source_counts(out).taking_part

    def test_is_the_same_in_blocks_of_any_size(self, made: Blending, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = made.run(Method.GEOMEDIAN, 20)
        monkeypatch.setattr(blending, "BLOCK", 16)
        parts = made.run(Method.GEOMEDIAN, 20, name="parts")
        for name in ("spectra.tif", "sources_20.tif"):
            assert np.array_equal(read_scratch(whole / name), read_scratch(parts / name))
        assert read_source_counts(whole) == read_source_counts(parts)

    def test_is_delivered_with_all_that_take_part_in_its_tags(self, made: Blending, tmp_path: Path) -> None:
        blend = made.run(Method.MEDIAN, 20)
        out, flags = tmp_path / "0_20.tif", tmp_path / "work" / "0_20.flags.tif"
        composite_blend(made.asked(Method.MEDIAN), made.archive.scenes, blend, blend, WHERE, 20, out, flags)
        with rasterio.open(out) as file:
            assert file.tags()["SENARD_SCENES"] == "4"
            assert file.tags()["SENARD_METHOD"] == "median"
            assert file.descriptions[6:] == ("year", "DOY")
            assert np.array_equal(file.read(), read_scratch(blend / "spectra.tif"))
        assert not list(tmp_path.glob("work/.*"))
