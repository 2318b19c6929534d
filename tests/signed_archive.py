"""An archive in which every product carries a value of its own in every band, so that a pixel tells where it is from.

The products lie around the crossing of the border of UTM zones 56 and 57 (156° E, where the satellite passes at
midnight UTC) and a cut line of the mosaic's grid (y = −800 000 m of EPSG:3857). What is expected is written down here,
not asked of senard.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from shapely.geometry import Polygon

from senard.simulation.acquisition import Half, SimulatedAcquisition
from senard.simulation.archive import ArchivePlan, simulate_archive
from tests.conftest import made_once
from tests.workflows.commands import Site

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")

STEP_DN = 200
"""Between the values of products whose numbers follow each other, in all bands but two. Those of one overflight,
"north" and "south", are two steps apart: more than a difference that is taken for aerosol and levelled out."""

STEPS_DN = {"B02": STEP_DN // 2, "B11": -STEP_DN}
"""The two: no product may look like haze or shade beside the others, or its pixels would not be the best where they
must be. Blue rises half as much as red, so that the haze index stays; in B11 products that are darker are brighter."""

BRIGHT_DN = {"B11": 8000}
"""B11 falls from so high that it is nearly the same in all products, DN."""

WEST, EAST = ("56MRT", (9156, 2844)), ("57MSN", (9156, 6792))
"""MGRS tile and corner of its products, (rows, columns) of 10 m: 3.66 km each, 1.5 km of them in common."""

AREA = Polygon(
    [(155.969, -7.265), (156.031, -7.265), (156.031, -7.07), (155.984, -7.07), (155.969, -7.11)],
    [[(156.004, -7.164), (156.012, -7.164), (156.012, -7.157), (156.004, -7.157)]],
)
"""Reaches beyond the cut line by more than 10 km on both sides; has a cut corner and a hole in the products' middle."""

FIRST_DAY, LAST_DAY, TARGET_DAY = "2023-12-01", "2024-01-31", "2024-01-20"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One product and what is expected of it."""

    acquisition: SimulatedAcquisition

    number: int
    """Tells the values of its bands."""

    day: date
    """UTC day on which it saw the ground."""

    @property
    def product_id(self) -> str:
        """Name of the SAFE without suffix."""
        return self.acquisition.product_id

    def dn(self, band: str) -> int:
        """The value of all its pixels in a mosaic: 10 000 times reflectance."""
        return band_dn(self.number, band)


def band_dn(number: int, band: str) -> int:
    """The value that one product alone has in one band: 500 to 2420, in B11 about 8000; no two alike."""
    return BRIGHT_DN.get(band, 500) + step_dn(band) * number + 10 * BANDS.index(band)


def step_dn(band: str) -> int:
    """Between the values of products whose numbers follow each other."""
    return STEPS_DN.get(band, STEP_DN)


def signed(
    number: int,
    place: tuple[str, tuple[int, int]],
    time: str,
    satellite: str,
    baseline: int,
    **changes: object,
) -> Signed:
    """One product; the ground is seen 21 minutes and 36 seconds after the start of the datatake."""
    acquisition = SimulatedAcquisition(
        mgrs_tile=place[0],
        offset_px=place[1],
        time=datetime.fromisoformat(time).replace(tzinfo=UTC),
        satellite=satellite,
        baseline=baseline,
        relative_orbit=73 + number,
        size_px=366,
        cloudless=True,
        cover=4,
        signature={band: band_dn(number, band) / 10_000 for band in BANDS},
    )
    seen = acquisition.time + timedelta(minutes=21, seconds=36)
    return Signed(acquisition=replace(acquisition, **changes), number=number, day=seen.date())  # type: ignore[arg-type]


def signed_products() -> Mapping[str, Signed]:
    """Every product of the archive by what it is there for."""
    again = datetime(2024, 1, 25, tzinfo=UTC)
    south_end = datetime(2023, 12, 24, tzinfo=UTC)
    return {
        # Supply pixels: each is the nearest to the target day somewhere.
        "north": signed(1, EAST, "2023-12-23T23:50:31", "S2A", 214, half=Half.FIRST),
        "south": signed(3, EAST, "2023-12-23T23:50:31", "S2A", 214, half=Half.SECOND, processed=south_end,
                        relative_orbit=74),
        "new year": signed(5, WEST, "2023-12-31T23:50:29", "S2B", 301),
        "edge": signed(2, EAST, "2024-01-02T23:50:41", "S2C", 400, orbit_edge=0.6),
        "last": signed(4, WEST, "2024-01-17T23:50:11", "S2A", 511, orbit_edge=0.6),
        # Must never be seen.
        "shadow": signed(6, EAST, "2024-01-17T23:40:31", "S2B", 511, cover=3),
        "older": signed(7, WEST, "2024-01-17T23:50:11", "S2A", 400, orbit_edge=0.6, relative_orbit=77,
                        processed=again - timedelta(days=7)),
        "late": signed(8, EAST, "2024-01-31T23:50:31", "S2A", 511),
        "broken": signed(9, WEST, "2024-01-06T23:50:31", "S2D", 511),
        "far": signed(0, ("56MRT", (0, 0)), "2024-01-06T23:50:31", "S2B", 511, relative_orbit=78),
    }  # fmt: skip


SUPPLIERS = ("north", "south", "new year", "edge", "last")
"""Who must supply pixels."""


def signed_archive(session_folder: Path) -> Path:
    """The archive with area.geojson, made once in a test session. Nobody may write into it."""
    folder = session_folder / "signed"
    return made_once(folder, lambda: make_signed_archive(folder))


def make_signed_archive(folder: Path) -> None:
    """Make the archive, with area.geojson."""
    products = signed_products()
    plan = ArchivePlan(
        acquisitions=tuple(product.acquisition for product in products.values()),
        truncated=(products["broken"].product_id,),
        area=AREA,
    )
    simulate_archive(plan, folder, truth=False, workers=1)


def signed_call(archive: Path, folder: Path) -> Site:
    """The call that the archive is made for, typed in a folder."""
    return Site(archive=archive, area=archive / "area.geojson", folder=folder)


PERIOD = {"start": FIRST_DAY, "end": LAST_DAY, "target_date": TARGET_DAY}
"""Parameters of that call beside archive and area."""


def finished_folder(session_folder: Path) -> Path:
    """The product of that call, made once in a test session by luigi with two workers, and moved; all else is deleted.

    Nobody may write into it.
    """
    archive, moved = signed_archive(session_folder), session_folder / "finished" / "moved"

    def make() -> None:
        site = signed_call(archive, session_folder / "finished" / "made")
        done = site.luigi("--workers", "2", **PERIOD)
        assert done.returncode == 0, done.stderr
        site.product().rename(moved)
        shutil.rmtree(site.folder)

    made_once(moved.parent, make)
    return moved
