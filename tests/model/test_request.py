"""What a user asks for, and its identity."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import shapely

from senard.errors import RequestError
from senard.model.cloud_evidence import CloudEvidence
from senard.model.request import Brdf, Method, MosaicRequest, Snow, Topography


def request(**changes: Any) -> MosaicRequest:
    values: dict[str, Any] = {
        "name": "helsinki",
        "aoi": shapely.box(24, 60, 25, 61),
        "first_day": date(2024, 5, 1),
        "last_day": date(2024, 7, 31),
    }
    return MosaicRequest(**{**values, **changes})


class TestMosaicRequest:
    """A request has one canonical form, and refuses the impossible."""

    def test_survives_its_canonical_form(self) -> None:
        whole = request(target_date=date(2024, 6, 1), mgrs_tiles=("35VLG",), products=("S2A_X",), clip=False, dem="ab")
        assert MosaicRequest.from_canonical(whole.canonical()) == whole
        changed = replace(whole, method=Method.BEST, snow=Snow.MASK, brdf=Brdf.NBAR, feather_m=40.0, date_weight=1.0)
        assert MosaicRequest.from_canonical(changed.canonical()) == changed
        sloping = replace(whole, topography=Topography.C)
        assert MosaicRequest.from_canonical(sloping.canonical()) == sloping
        assert sloping.product_id(["A"]) != whole.product_id(["A"])

    def test_names_younger_options_only_where_they_are_not_the_default(self) -> None:
        younger = {"method", "snow", "brdf", "feather", "cloud_masks", "date_weight", "topography"}
        assert not younger & json.loads(request().canonical()).keys()

    def test_keeps_the_evidence_of_clouds_where_it_is_not_the_default(self) -> None:
        other = request(cloud_masks=(CloudEvidence.CLASSI, CloudEvidence.SCL))
        assert json.loads(other.canonical())["cloud_masks"] == ["scl", "classi"]
        read = MosaicRequest.from_canonical(other.canonical())
        assert (read.evidence_key, read.sha256) == ("scl-classi", other.sha256)
        spelt = request(cloud_masks=(CloudEvidence.PROBABILITY, CloudEvidence.SCL))
        assert spelt.canonical() == request().canonical()

    def test_is_the_same_whatever_the_order_of_its_lists(self) -> None:
        one, two = request(mgrs_tiles=("35VLG", "34VFM")), request(mgrs_tiles=("34VFM", "35VLG"))
        assert one.sha256 == two.sha256

    def test_is_the_same_for_a_whole_number_and_a_float(self) -> None:
        assert request(cloud_cover_max=80).sha256 == request(cloud_cover_max=80.0).sha256

    def test_is_written_without_blanks_and_with_sorted_keys(self) -> None:
        text = request().canonical()
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))

    def test_names_the_product_after_request_and_scenes(self) -> None:
        product_id = request().product_id(["B", "A"])
        assert product_id.startswith("helsinki_20240501_20240731_")
        assert product_id == request().product_id(["A", "B"])
        assert product_id != request().product_id(["A"])
        assert product_id != request(clip=False).product_id(["A", "B"])

    def test_knows_the_land_by_its_content(self) -> None:
        assert request(dem="ab").product_id(["A"]) != request(dem="cd").product_id(["A"])
        assert request(landcover="ab").product_id(["A"]) != request(dem="ab").product_id(["A"])
        assert "dem" not in request().canonical()

    def test_aims_at_the_middle_of_the_period(self) -> None:
        assert date.fromordinal(int(request().middle_day_ordinal)) == date(2024, 6, 15)
        assert request(target_date=date(2024, 7, 1)).middle_day_ordinal == date(2024, 7, 1).toordinal()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"name": "Helsinki"}, "name 'Helsinki'"),
            ({"name": "-a"}, "name '-a'"),
            ({"name": "a" * 49}, "at most 48"),
            ({"name": "a\n"}, "expected a-z"),
            ({"aoi": shapely.Point(24, 60)}, "is a Point"),
            ({"aoi": shapely.MultiPolygon()}, "without polygons"),
            ({"first_day": date(2024, 8, 1)}, "starts on 2024-08-01, after its end on 2024-07-31"),
            ({"topography": Topography.C}, "--topography c without --dem: slopes are not known"),
            ({"cloud_cover_max": 101.0}, "from 0 to 101 percent"),
            ({"cloud_cover_min": 95.0}, "from 95 to 95 percent keeps nothing"),
            ({"cloud_cover_min": -1.0}, "0 <= minimum"),
            ({"cloud_cover_max": float("nan")}, "0 <= minimum"),
        ],
    )
    def test_refuses_the_impossible(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(RequestError, match=message):
            request(**changes)
