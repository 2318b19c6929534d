"""The squares that Sentinel-2 products are cut by, by arithmetic alone."""

import re
from pathlib import Path

import pytest

from senard.errors import RequestError
from senard.model.mgrs import TILE_M, mgrs_name, mgrs_square


class TestMgrsSquare:
    """The square of an MGRS tile follows from its name."""

    @pytest.mark.parametrize(
        ("mgrs_tile", "crs", "left", "top"),
        [
            ("31TDH", "EPSG:32631", 399960, 4800000),
            ("31TCJ", "EPSG:32631", 300000, 4900020),
            ("32TNM", "EPSG:32632", 499980, 4700040),
            ("31UFS", "EPSG:32631", 600000, 5700000),
            ("01WCP", "EPSG:32601", 300000, 7400040),
            ("33XWJ", "EPSG:32633", 499980, 8900040),
            ("01LAC", "EPSG:32701", 99960, 8300020),
            ("22HBD", "EPSG:32722", 199980, 5900020),
        ],
    )
    def test_lies_where_real_products_lie(self, mgrs_tile: str, crs: str, left: int, top: int) -> None:
        square = mgrs_square(mgrs_tile)
        assert (square.crs, square.left, square.top) == (crs, left, top)

    def test_is_109_800_m_wide(self) -> None:
        square = mgrs_square("31TDH")
        assert (square.right - square.left, square.top - square.bottom) == (TILE_M, TILE_M)

    @pytest.mark.parametrize("typed", ["31UFS", "T31UFS", "t31ufs", " 31ufs "])
    def test_is_found_however_the_name_is_typed(self, typed: str) -> None:
        assert mgrs_name(typed) == "31UFS"

    def test_has_two_digits_of_zone(self) -> None:
        assert mgrs_name("1LAC") == "01LAC"

    @pytest.mark.parametrize("typed", ["", "31", "31UIS", "61UFS", "31UJS", "31UFW", "31AFS", "31UFSX", "Helsinki"])
    def test_is_refused_for_a_name_outside_the_grid(self, typed: str) -> None:
        with pytest.raises(RequestError, match="is no MGRS tile"):
            mgrs_square(typed)

    @pytest.mark.real_data
    def test_equals_every_real_granule(self, shared: Path) -> None:
        granules = sorted((shared / "data").rglob("MTD_TL.xml"))
        assert len(granules) >= 11
        for granule in granules:
            text = granule.read_text()
            name, crs, left, top = (
                found[1]
                for pattern in (r"_T(\d\d[A-Z]{3})_N", r"<HORIZONTAL_CS_CODE>([^<]+)", r"<ULX>(\d+)", r"<ULY>(\d+)")
                if (found := re.search(pattern, text))
            )
            square = mgrs_square(name)
            assert (square.crs, square.left, square.top) == (crs, int(left), int(top)), name

    @pytest.mark.real_data
    def test_equals_the_official_grid(self, shared: Path) -> None:
        parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow reads the official grid; it is not required")
        table = parquet.read_table(shared / "data/aoi/mgrs-tile-grid-land/sentinel-2-grid_LAND.parquet")
        columns = (table[name].to_pylist() for name in ("tile", "epsg", "utm_bounds"))
        for name, epsg, bounds in zip(*columns, strict=True):
            square = mgrs_square(name)
            edges = tuple(float(number) for number in bounds.strip("()").split(","))
            assert square.crs == f"EPSG:{epsg}", name
            assert (square.left, square.bottom, square.right, square.top) == edges, name
