"""From what clouds of a scene are known."""

import pytest

from senard.errors import RequestError
from senard.model.cloud_evidence import DEFAULT, CloudEvidence, evidence_key, judged_part, require_evidence
from senard.model.product import Part
from senard.model.sentinel2 import ProductType

SCL, PROBABILITY, CLASSI, S2CLOUDLESS = CloudEvidence


class TestEvidence:
    """A level of processing offers some evidence and not other."""

    @pytest.mark.parametrize(
        ("named", "product_type", "message"),
        [
            ([SCL], ProductType.L1C, "L1C has no scene classification; expected one or more of classi, s2cloudless"),
            ([CLASSI, PROBABILITY], ProductType.L1C, "--cloud-masks probability,classi: L1C has no probabilities"),
            ([SCL, S2CLOUDLESS], ProductType.L2A, "top-of-atmosphere reflectance, B10 too, which only L1C has"),
            ([], ProductType.L2A, "names nothing: expected one or more of scl, probability, classi for S2MSI2A"),
            ([PROBABILITY], ProductType.L2A, "says of none that it is cloud. Name scl or classi beside it"),
        ],
    )
    def test_is_refused_where_it_is_not(
        self, named: list[CloudEvidence], product_type: ProductType, message: str
    ) -> None:
        with pytest.raises(RequestError, match=message):
            require_evidence(named, product_type)

    @pytest.mark.parametrize("product_type", ProductType)
    def test_by_default_is_there_and_has_no_name(self, product_type: ProductType) -> None:
        require_evidence(DEFAULT[product_type], product_type)
        assert evidence_key(DEFAULT[product_type], product_type) == ""

    def test_has_one_name_in_whatever_order_it_is_typed(self) -> None:
        assert evidence_key([CLASSI, SCL], ProductType.L2A) == "scl-classi"
        assert evidence_key([PROBABILITY, SCL], ProductType.L2A) == ""
        assert evidence_key([S2CLOUDLESS, CLASSI], ProductType.L1C) == "classi-s2cloudless"

    def test_of_the_detector_wants_more_bands(self) -> None:
        assert judged_part([CLASSI]) is Part.JUDGE
        assert judged_part([CLASSI, S2CLOUDLESS]) is Part.DETECT
