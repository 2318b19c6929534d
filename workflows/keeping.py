"""What each query of a work folder wants to stay, written down for other mosaics in the same folder."""

from dataclasses import dataclass

from senard.io.atomic import partial_file
from senard.model.keep import Keep
from workflows.paths import QueryPaths

_DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What must stay for one query."""

    keep: Keep
    """As its last command said."""

    done: bool = False
    """Whether its mosaic is whole, and what it needs no more was given free."""

    def needs_products(self) -> bool:
        """Whether products must stay for it."""
        return self.keep is Keep.ALL or not self.done

    def needs_masks(self) -> bool:
        """Whether judged scenes must stay for it."""
        return self.keep is not Keep.NONE or not self.done


NOTHING = Kept(keep=Keep.NONE, done=True)
"""What commands leave that make no mosaic."""


def write_keep(query: QueryPaths, kept: Kept) -> None:
    """Write down what must stay; a file that says the same already is left alone."""
    text = f"{kept.keep.value}{f' {_DONE}' if kept.done else ''}\n"
    if query.keep.is_file() and query.keep.read_text(encoding="utf-8") == text:
        return
    with partial_file(query.keep) as partial:
        partial.write_text(text, encoding="utf-8")


def read_keep(query: QueryPaths) -> Kept:
    """What must stay; everything, where nothing was said, as in work folders of older versions."""
    try:
        word, *rest = query.keep.read_text(encoding="utf-8").split()
        return Kept(keep=Keep(word), done=rest == [_DONE])
    except (OSError, ValueError):
        return Kept(keep=Keep.ALL)
