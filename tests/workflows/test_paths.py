"""Names of files and folders."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from shapely.geometry import box

from senard import ALGORITHM_VERSION
from senard.model.product import Part
from senard.model.request import Fill, MosaicRequest
from workflows.paths import ProductPaths, WorkPaths, query_key, without_key

REQUEST = MosaicRequest(name="brussels", aoi=box(4, 50, 5, 51), first_day=date(2024, 5, 1), last_day=date(2024, 7, 31))


class TestQueryKey:
    """The folder of a query"""

    def test_is_the_same_for_the_same_request_and_archive(self) -> None:
        assert query_key(REQUEST, "/data/s2") == query_key(replace(REQUEST), "/data/s2")
        assert len(query_key(REQUEST, "/data/s2")) == 16

    @pytest.mark.parametrize("other", [replace(REQUEST, fill=Fill.ALL), replace(REQUEST, last_day=date(2024, 8, 1))])
    def test_is_another_one_for_another_request(self, other: MosaicRequest) -> None:
        assert query_key(other, "/data/s2") != query_key(REQUEST, "/data/s2")

    def test_is_another_one_for_another_archive(self) -> None:
        assert query_key(REQUEST, "/data/s2") != query_key(REQUEST, "/data/s3")


class TestWithoutKey:
    """The folder of source maps that leave scenes out"""

    def test_names_them_in_order(self) -> None:
        assert without_key([]) == "all"
        assert without_key([12, 3]) == "without-3-12"

    def test_stays_short_and_distinct_for_many(self) -> None:
        many, more = without_key(list(range(1, 60))), without_key(list(range(1, 61)))
        assert many != more
        assert len(many) < 40


class TestWorkPaths:
    """The work folder"""

    def test_keeps_parts_of_a_product_apart(self) -> None:
        paths = WorkPaths(root=Path("/w"))
        assert paths.download("S2B", Part.JUDGE) == Path("/w/downloads/S2B/judge")
        assert paths.safe("S2B", Part.BANDS) == Path("/w/safe/S2B/bands")

    def test_keeps_source_maps_apart_by_what_they_leave_out(self) -> None:
        paths = WorkPaths(root=Path("/w"))
        assert paths.sources("m", "all", 3) == Path("/w/products/m/sources/all/3")
        assert paths.sources("m", without_key([4]), 3) == Path("/w/products/m/sources/without-4/3")

    def test_keeps_land_apart_by_its_content_and_its_place(self) -> None:
        paths = WorkPaths(root=Path("/w"))
        assert paths.land(REQUEST) is None
        known = [
            replace(REQUEST, dem="ab"),
            replace(REQUEST, landcover="ab"),
            replace(REQUEST, dem="ab", crs="EPSG:32631"),
            replace(REQUEST, dem="ab", aoi=box(4, 50, 6, 51)),
        ]
        assert len({paths.land(request) for request in known}) == 4
        assert paths.land(known[0]) == paths.land(replace(known[0], fill=Fill.ALL))

    def test_keeps_masks_apart_by_the_evidence_of_clouds(self) -> None:
        paths = WorkPaths(root=Path("/w"))
        assert paths.masks("S2B") == Path(f"/w/masks/{ALGORITHM_VERSION}/S2B")
        assert paths.masks("S2B", "scl-classi") == Path(f"/w/masks/{ALGORITHM_VERSION}-scl-classi/S2B")

    def test_puts_the_figures_of_a_composite_beside_its_flags(self) -> None:
        choice = WorkPaths(root=Path("/w")).choice("m")
        assert choice.figures(0, 10).parent == choice.flags(0, 10).parent

    def test_keeps_choices_apart_by_what_they_refuse(self) -> None:
        paths = WorkPaths(root=Path("/w"))
        assert paths.choice("m").settled == Path("/w/products/m/choices/all/settled.json")
        assert paths.choice("m", [4]).flags(0, 10).is_relative_to("/w/products/m/choices/without-4")


class TestProductPaths:
    """The product folder"""

    def test_follows_the_specification(self) -> None:
        paths = ProductPaths(folder=Path("/out/helsinki_20240401_20240930_5f2a91cc"))
        assert paths.tile(0, 10).name == "0_10.tif"
        assert paths.vrt(20).name == "mosaic_20.vrt"
        assert paths.quality(1).relative_to(paths.folder) == Path("layers/1_QA_20.tif")
        assert paths.sums.name == "SHA256SUMS"
