"""Which observations take part where a method reads several of them: all of the best quality that a pixel has.

Levels 1 and 2 are one quality: both passed their tests, as far as there were any. Below them every level is one of its
own, and within it what the scene classification calls clear comes before what it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from senard.algorithms.scoring import Scored
from senard.model.arrays import BoolArray, UInt8Array, UInt16Array

_RANK_BITS = 0x0F
_FLAGS_SHIFT = 8
_BEST = 4
"""Rank of level 2: better ones count as this."""
_NONE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """What one overflight may add to a part of the mosaic, (y, x) uint16 each; 0 where it takes no part."""

    source: UInt16Array
    """Number of the scene."""

    judgement: UInt16Array
    """2 x level, + 1 where the scene classification is not clear, + 256 x FLAG_ bits."""

    @classmethod
    def of(cls, source: UInt16Array, scored: Scored, allowed: BoolArray) -> "Participant":
        """An observation where it may be used at all; `allowed` as `labelling.usable` tells."""
        rank = 2 * scored.level.astype(np.uint16) + (scored.clear == 0)
        judgement = rank + (scored.flags.astype(np.uint16) << np.uint16(_FLAGS_SHIFT))
        return cls(source=np.where(allowed, source, 0), judgement=np.where(allowed, judgement, 0).astype(np.uint16))

    @property
    def quality(self) -> UInt8Array:
        """(y, x), lower is better; 255 where it takes no part."""
        rank = (self.judgement & _RANK_BITS).astype(np.uint8)
        return np.where(self.source > 0, np.maximum(rank, np.uint8(_BEST)), np.uint8(_NONE))


def level_of(judgement: UInt16Array) -> UInt16Array:
    """Quality level 1-5; 0 where nothing takes part."""
    return (judgement & np.uint16(_RANK_BITS)) >> np.uint16(1)


def flags_of(judgement: UInt16Array) -> UInt16Array:
    """FLAG_ bits."""
    return judgement >> np.uint16(_FLAGS_SHIFT)


def keep_best(participants: Sequence[Participant], shape: tuple[int, int]) -> None:
    """Take out of every participant the pixels where another one is of a better quality, in place.

    Args:
        participants: all of them.
        shape: (y, x) of each.
    """
    best = np.full(shape, _NONE, dtype=np.uint8)
    for participant in participants:
        np.minimum(best, participant.quality, out=best)
    for participant in participants:
        beaten = participant.quality > best
        participant.source[beaten] = 0
        participant.judgement[beaten] = 0


def first_of(participants: Sequence[Participant], shape: tuple[int, int]) -> Participant:
    """The first participant of every pixel.

    Args:
        participants: in the order in which they are asked.
        shape: (y, x) of each.

    Returns:
        all of its pixels put together.
    """
    source, judgement = np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=np.uint16)
    for participant in participants:
        taken = (source == 0) & (participant.source > 0)
        source[taken], judgement[taken] = participant.source[taken], participant.judgement[taken]
    return Participant(source=source, judgement=judgement)
