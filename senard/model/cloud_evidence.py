"""The evidence from which clouds of one scene are known, and which of it a processing level has."""

from collections.abc import Collection
from enum import Enum

from senard.errors import RequestError
from senard.model.product import Part
from senard.model.sentinel2 import ProductType


class CloudEvidence(Enum):
    """One thing that tells clouds of a scene from that scene alone."""

    SCL = "scl"
    """Cloud, cirrus and cloud shadow of L2A's scene classification."""

    PROBABILITY = "probability"
    """MSK_CLDPRB, a graded cost, and MSK_SNWPRB, snow; of L2A."""

    CLASSI = "classi"
    """MSK_CLASSI: opaque cloud, cirrus and snow of L1C at 60 m; before baseline 04.00 polygons, MSK_CLOUDS."""

    S2CLOUDLESS = "s2cloudless"
    """The cloud detector of that name, run on ten bands of L1C."""


OFFERED: dict[ProductType, tuple[CloudEvidence, ...]] = {
    ProductType.L1C: (CloudEvidence.CLASSI, CloudEvidence.S2CLOUDLESS),
    ProductType.L2A: (CloudEvidence.SCL, CloudEvidence.PROBABILITY, CloudEvidence.CLASSI),
    ProductType.L2AP: (CloudEvidence.SCL, CloudEvidence.PROBABILITY, CloudEvidence.CLASSI),
}
"""What can be had of a product of each level."""

DEFAULT: dict[ProductType, tuple[CloudEvidence, ...]] = {
    ProductType.L1C: (CloudEvidence.CLASSI,),
    ProductType.L2A: (CloudEvidence.SCL, CloudEvidence.PROBABILITY),
    ProductType.L2AP: (CloudEvidence.SCL, CloudEvidence.PROBABILITY),
}
"""What holds where nobody says anything."""

_WHY_NOT = {
    CloudEvidence.SCL: "L1C has no scene classification",
    CloudEvidence.PROBABILITY: "L1C has no probabilities",
    CloudEvidence.S2CLOUDLESS: "s2cloudless looks at top-of-atmosphere reflectance, B10 too, which only L1C has",
}


def in_order(evidence: Collection[CloudEvidence]) -> tuple[CloudEvidence, ...]:
    """Each once, in the order of the enumeration: the same choice always reads the same."""
    return tuple(one for one in CloudEvidence if one in evidence)


def require_evidence(evidence: Collection[CloudEvidence], product_type: ProductType) -> None:
    """Refuse what products of this level cannot offer.

    Args:
        evidence: what was named.
        product_type: processing level of the products.

    Raises:
        RequestError: nothing was named, something that the level has not, or nothing that says where clouds are.
    """
    offered, typed = OFFERED[product_type], ",".join(one.value for one in in_order(evidence))
    expected = f"expected one or more of {', '.join(one.value for one in offered)} for {product_type.value}"
    for one in in_order(evidence):
        if one not in offered:
            raise RequestError(f"--cloud-masks {typed}: {_WHY_NOT[one]}; {expected}.")
    if not evidence:
        raise RequestError(f"--cloud-masks names nothing: {expected}. Leave it out for the default.")
    if set(evidence) == {CloudEvidence.PROBABILITY}:
        raise RequestError(
            f"--cloud-masks {typed}: a probability grades how good a pixel is and says of none that it is cloud. Name "
            f"scl or classi beside it."
        )


def evidence_key(evidence: Collection[CloudEvidence], product_type: ProductType) -> str:
    """Name of a choice of evidence in paths: "scl-classi"; empty for the default of the level."""
    if set(evidence) == set(DEFAULT[product_type]):
        return ""
    return "-".join(one.value for one in in_order(evidence))


def evidence_of(key: str, product_type: ProductType) -> tuple[CloudEvidence, ...]:
    """The choice that `evidence_key` named, for products of a level."""
    return tuple(CloudEvidence(word) for word in key.split("-")) if key else DEFAULT[product_type]


def judged_part(evidence: Collection[CloudEvidence]) -> Part:
    """Which members of a product are read to judge it by some evidence."""
    return Part.DETECT if CloudEvidence.S2CLOUDLESS in evidence else Part.JUDGE
