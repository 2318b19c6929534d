"""Sources that have refused whoever asks, as far as the scheduling process of this command knows.

Workers are forked from that process, so each begins with what was known by then: a licence that is refused is asked for
once per command, not once per product.
"""

from collections.abc import Mapping

from senard.model.access import SourceName

_REFUSING: dict[SourceName, str] = {}


def refusing_sources() -> Mapping[SourceName, str]:
    """Who refuses whoever asks, and in which words."""
    return dict(_REFUSING)


def remember_refusing(source: str, message: str) -> None:
    """Take note of a source that refuses whoever asks.

    Args:
        source: name of the source: "cdse".
        message: what it said of the first product that was asked for.
    """
    _REFUSING.setdefault(SourceName(source), message)


def ask_all_again() -> None:
    """A new command is a new chance."""
    _REFUSING.clear()
