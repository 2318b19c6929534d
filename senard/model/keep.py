"""What stays on the disk once a mosaic needs it no more."""

from enum import Enum


class Keep(Enum):
    """How much of what a mosaic was made from stays."""

    ALL = "all"
    """Everything: the next mosaic over the same scenes finds it."""

    MASKS = "masks"
    """What scenes were judged to be, and what was chosen; products and what was unpacked of them goes."""

    NONE = "none"
    """The mosaic alone, with the frozen answer of the query and the reasons of scenes that could not be used."""
