"""Odd archives, odd areas and a full disk: real commands, and what they say and leave."""

import contextlib
import csv
import hashlib
import json
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import rasterio.warp
import shapely

from tests.signed_archive import (
    BANDS,
    FIRST_DAY,
    LAST_DAY,
    PERIOD,
    STEP_DN,
    SUPPLIERS,
    band_dn,
    finished_folder,
    signed_archive,
    signed_call,
    signed_products,
)
from tests.workflows.commands import BIN, TIMEOUT_S, Site, contents, holds, leftovers, start

IRRELEVANT = ("older", "late", "broken", "far")
"""Products that the query leaves out."""


@pytest.fixture(scope="session")
def archive(session_folder: Path) -> Path:
    """The archive of signed products. Nobody may write into it."""
    return signed_archive(session_folder)


@pytest.fixture(scope="session")
def finished(session_folder: Path) -> dict[str, str]:
    """Name and SHA-256 of every file of the product that an undisturbed run makes of that archive."""
    return contents(finished_folder(session_folder))


def unpack(archive: Path, name: str, into: Path) -> Path:
    """One product of the archive as a SAFE folder."""
    product_id = signed_products()[name].product_id
    with zipfile.ZipFile(archive / f"{product_id}.zip") as file:
        file.extractall(into)
    return into / f"{product_id}.SAFE"


def copy(archive: Path, name: str, into: Path) -> Path:
    """One product of the archive as a zip."""
    into.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(archive / f"{signed_products()[name].product_id}.zip", into))


def image(safe: Path, ending: str) -> Path:
    """The one image of a SAFE folder whose name ends so."""
    (found,) = safe.glob(f"GRANULE/*/IMG_DATA/*/*{ending}.jp2")
    return found


def replace_image(place: Path, data: bytes) -> None:
    """Put another file in an image's place, with the size and checksum that the manifest then states."""
    manifest = place.parents[4] / "manifest.safe"
    old = place.read_bytes()
    text = manifest.read_text()
    start = text.rindex("<byteStream", 0, text.index(place.name))
    stop = text.index("</byteStream>", start)
    stated = text[start:stop]
    for was, now in ((str(len(old)), str(len(data))), (sha3(old), sha3(data))):
        assert was in stated
        stated = stated.replace(was, now)
    manifest.write_text(text[:start] + stated + text[stop:])
    place.write_bytes(data)


def sha3(data: bytes) -> str:
    """Checksum as manifest.safe states it."""
    return hashlib.sha3_256(data).hexdigest()


def shown(product: Path, resolutions: tuple[int, ...] = (10, 20)) -> Mapping[str, int]:
    """Who supplies how many pixels of 20 m, read from the values of the mosaic; its files must agree."""
    names = {signed.number: name for name, signed in signed_products().items()}
    counts: dict[int, dict[str, int]] = {}
    for gsd in resolutions:
        band = {10: "B04", 20: "B05"}[gsd]
        with rasterio.open(product / f"mosaic_{gsd}.vrt") as dataset:
            pixels = dataset.read(1).astype(int)
        numbers, found = np.unique(pixels[pixels > 0], return_counts=True)
        factor = (20 // gsd) ** 2
        counts[gsd] = {
            names[(dn - band_dn(0, band)) // STEP_DN]: count // factor
            for dn, count in zip(numbers.tolist(), found.tolist(), strict=True)
        }
    assert counts[resolutions[0]] == counts[resolutions[-1]]
    return counts[resolutions[0]]


class TestSameBytes:
    """The same request on the same scenes"""

    def test_gives_the_same_bytes_however_the_products_lie_in_the_archive(
        self, archive: Path, finished: dict[str, str], tmp_path: Path
    ) -> None:
        """One process instead of two, SAFE folders among the zips, other folders, nothing that the query leaves out."""
        for number, name in enumerate(reversed([name for name in signed_products() if name not in IRRELEVANT])):
            put = copy if name in ("new year", "south") else unpack
            put(archive, name, tmp_path / "archive" / f"{number}" / name)
        shutil.copy(archive / "area.geojson", tmp_path / "archive")
        site = signed_call(tmp_path / "archive", tmp_path / "here")
        done = site.senard("--njobs", "1", **PERIOD)
        assert done.returncode == 0, done.stderr
        assert contents(site.product()) == finished


class TestBrokenWinner:
    """A product that is damaged where it would be best"""

    def test_is_replaced_by_others_in_all_tiles_and_bands(self, archive: Path, tmp_path: Path) -> None:
        own = tmp_path / "archive"
        for name in ("south", "new year", "shadow"):
            copy(archive, name, own)
        shutil.copy(archive / "area.geojson", own)
        damaged = copy(archive, "last", own)  # bytes changed in a band, found when the zip's checksum is compared
        with zipfile.ZipFile(damaged) as file:
            member = next(info for info in file.infolist() if info.filename.endswith("_B08_10m.jp2"))
        with damaged.open("r+b") as raw:
            raw.seek(member.header_offset + 200 + member.compress_size // 2)
            raw.write(bytes(30))
        cut = image(unpack(archive, "edge", own), "_B05_20m")
        cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
        garbage = image(unpack(archive, "north", own), "_B04_10m")
        garbage.write_bytes(b"<html>".ljust(garbage.stat().st_size - 2) + b"\xff\xd9")
        site = signed_call(own, tmp_path / "here")
        done = site.senard("--njobs", "2", **PERIOD)
        assert done.returncode == 0, done.stderr
        assert shown(site.product()).keys() == {"south", "new year"}
        assert min(shown(site.product()).values()) > 5000
        products = signed_products()
        with (site.product() / "scenes.csv").open(newline="") as table:
            rows = {row["product_id"]: row for row in csv.DictReader(table)}
        row = rows[products["last"].product_id]
        assert (row["used"], row["pixels"]) == ("false", "0")
        assert "_B08_10m.jp2 is damaged" in row["reason"]
        left_out = json.loads((site.product() / "run.json").read_text())["query"]["left_out"]
        reasons = {entry["product_id"]: entry["reason"] for entry in left_out}
        assert f"{cut.name} has" in reasons[products["edge"].product_id]
        assert garbage.name in reasons[products["north"].product_id]

    def test_is_replaced_though_its_checksums_are_those_of_its_manifest(self, archive: Path, tmp_path: Path) -> None:
        """Another band's image is found before anything is chosen, an image without data when the tile is composed."""
        own = tmp_path / "archive"
        for name in ("south", "new year", "broken"):
            copy(archive, name, own)
        shutil.copy(archive / "area.geojson", own)
        other = image(unpack(archive, "edge", own), "_B05_20m")
        replace_image(other, image(other.parents[4], "_B05_60m").read_bytes())
        empty = image(unpack(archive, "last", own), "_B12_20m")
        with rasterio.open(empty) as dataset:
            profile = {**dataset.profile, "QUALITY": 100, "REVERSIBLE": "YES"}
        with rasterio.open(tmp_path / "empty.jp2", "w", **profile) as dataset:
            dataset.write(np.zeros((1, *dataset.shape), dtype=np.uint16))
        replace_image(empty, (tmp_path / "empty.jp2").read_bytes())
        site = signed_call(own, tmp_path / "here")
        first = site.senard(**PERIOD, resolutions="10")  # at 10 m nothing is wrong with "last"
        assert first.returncode == 0, first.stderr
        assert shown(site.product(), resolutions=(10,)).keys() == {"south", "new year", "last"}
        products = signed_products()
        added = site.luigi("--workers", "2", **PERIOD)
        assert added.returncode == 4
        assert f"{products['last'].product_id} supplies pixels of the mosaic" in added.stderr
        assert shown(site.product(), resolutions=(10,)).keys() == {"south", "new year", "last"}
        done = site.luigi("--workers", "2", **PERIOD, rebuild="")
        assert done.returncode == 0, done.stderr
        assert shown(site.product()).keys() == {"south", "new year"}
        with (site.product() / "scenes.csv").open(newline="") as table:
            reasons = {row["product_id"]: row["reason"] for row in csv.DictReader(table)}
        assert f"{other.name}: expected 183 x 183 pixels of uint16" in reasons[products["edge"].product_id]
        assert "B12 has no data in" in reasons[products["last"].product_id]
        for name in ("edge", "last", "broken"):
            assert done.stderr.count(f"senard: left out: {products[name].product_id}: ") == 1
            assert "Once it is mended, run with --refresh." in done.stderr
        assert f"left out: {products['broken'].product_id}" in first.stderr

    def test_is_missed_in_what_the_whole_archive_gives(self, session_folder: Path) -> None:
        assert shown(finished_folder(session_folder)).keys() == set(SUPPLIERS)


class TestOddArea:
    """An area"""

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"aoi": None, "bbox": "155,9,-7,3,156,1,-7,1"}, "found 8 parts. Decimals need a point: 29.30, not 29,30"),
            ({"aoi": None, "bbox": "156.1,-7.3,155.9,-7.1"}, "west 156.1 lies east of 155.9. Swap them"),
            ({"aoi": "POLYGON((155.9 -7.2,156.1 -7.1,156.1 -7.2,155.9 -7.1,155.9 -7.2))"}, "does not cross itself"),
        ],
    )
    def test_that_cannot_be_meant_ends_with_2_and_says_what_to_do(
        self, archive: Path, tmp_path: Path, changes: dict[str, str | None], message: str
    ) -> None:
        site = signed_call(archive, tmp_path / "here")
        done = site.senard(**{**PERIOD, **changes})
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
        assert not site.out.exists()

    def test_may_be_smaller_than_a_pixel_far_from_every_scene_and_in_another_crs(
        self, archive: Path, tmp_path: Path
    ) -> None:
        """Two spots 108 km apart, one of them never seen: 30 m and 70 m wide, given in zone 57, made in zone 56."""
        seen, unseen = shapely.box(155.99, -7.175, 155.99027, -7.17473), shapely.box(155.9901, -6.2, 155.9907, -6.1994)
        area = geopandas.GeoSeries([seen, unseen], crs=4326).to_crs(32757)
        area.to_file(tmp_path / "spots.gpkg")
        listed = tmp_path / "products.txt"
        listed.write_text(f"{signed_products()['new year'].product_id}.SAFE\n")
        site = Site(archive=archive, area=tmp_path / "spots.gpkg", folder=tmp_path / "here")
        done = site.senard(start=FIRST_DAY, end=LAST_DAY, products=listed, crs="EPSG:32756")
        assert done.returncode == 0, done.stderr
        assert "smaller than 100 km²" in done.stderr
        dn = {band: band_dn(signed_products()["new year"].number, band) for band in BANDS}
        with rasterio.open(site.product() / "0_10.tif") as north, rasterio.open(site.product() / "1_10.tif") as south:
            assert north.crs.to_epsg() == 32756
            assert all(value % 20 == 0 for value in (*north.bounds, *south.bounds))
            assert north.bounds.bottom == south.bounds.top == 9_300_000  # the one cut line more than 10 km from both
            assert not north.read().any()
            red, rows, cols = south.read(1), *np.nonzero(south.read(1))
            (west, east), (low, high) = rasterio.warp.transform(4326, 32756, [155.99, 155.99027], [-7.175, -7.17473])
            x, y = south.xy(rows, cols)
        assert set(red[rows, cols]) == {dn["B04"]}
        assert 4 <= rows.size <= 36  # 30 m touch up to three pixels of 20 m on each axis
        assert min(x) > west - 25
        assert max(x) < east + 25
        assert min(y) > low - 25
        assert max(y) < high + 25


class TestNothingToShow:
    """A run that ends with 3"""

    def test_has_an_empty_archive(self, archive: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        site = Site(archive=tmp_path / "empty", area=archive / "area.geojson", folder=tmp_path / "here")
        done = site.senard(**PERIOD)
        assert done.returncode == 3, done.stderr
        assert "no Sentinel-2 product at all that might (asked for S2MSI2A). Check area, period" in done.stderr
        assert [path.name for path in site.out.iterdir()] == [".senard"]

    def test_has_no_scene_that_saw_the_ground(self, archive: Path, tmp_path: Path) -> None:
        copy(archive, "shadow", tmp_path / "archive")
        site = Site(archive=tmp_path / "archive", area=archive / "area.geojson", folder=tmp_path / "here")
        done = site.senard(**PERIOD)
        assert done.returncode == 3, done.stderr
        assert "Traceback" not in done.stderr
        assert "--fill all" in done.stderr
        assert [path.name for path in site.out.iterdir()] == [".senard"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 90 MB of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=90M", "senard-test", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("mount is absent: no disk was filled")
    if done.returncode:
        pytest.skip(f"no disk was filled, mounting one is not permitted: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """A file that leaves at most this many bytes free, whoever else writes."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while shutil.disk_usage(disk).free > leave:
            file.write(bytes(min(1 << 20, shutil.disk_usage(disk).free - leave)))
    return ballast


class TestFullDisk:
    """A disk without room"""

    def test_from_the_start_ends_with_2_before_anything_is_made(self, archive: Path, small_disk: Path) -> None:
        fill(small_disk, leave=100_000)
        site = signed_call(archive, small_disk / "here")
        done = site.senard(**PERIOD)
        assert done.returncode == 2, done.stderr
        assert "the disk is full" in done.stderr
        assert list(site.out.rglob("*.json")) == []

    def test_that_fills_up_in_the_middle_leaves_nothing_half_made_and_the_same_command_goes_on(
        self, archive: Path, finished: dict[str, str], small_disk: Path
    ) -> None:
        site = signed_call(archive, small_disk / "here")
        process = start([BIN / "senard", "mosaic", *site.asked(**PERIOD), "--njobs", "2"], site.folder)
        while process.poll() is None and not holds(site.out, "sources.json"):
            time.sleep(0.01)
        ballast = fill(small_disk, leave=0)
        _, told = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode in (2, 4), told
        assert "the disk is full" in told
        assert "--outdir or --workdir" in told
        assert "Traceback" not in told  # Luigi's log, which lies on the same disk, is silent
        for tile in site.out.glob("*/*.tif"):
            with rasterio.open(tile) as dataset:
                assert dataset.read().any()
        assert not list(site.out.glob("*/SHA256SUMS"))
        ballast.unlink()
        done = site.senard("--njobs", "2", **PERIOD)
        assert done.returncode == 0, done.stderr
        assert contents(site.product()) == finished
        assert leftovers(site.product()) == []
