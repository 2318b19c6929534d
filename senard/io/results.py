"""What a step left in the work folder for a later one: what to say where it is gone or damaged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from senard.errors import IncompleteError

T = TypeVar("T")


def unreadable(path: Path, error: Exception, *, delete: Path, maker: str = "an earlier step") -> IncompleteError:
    """What to raise where a result cannot be read.

    Args:
        path: the file.
        error: what reading it raised.
        delete: the file or folder that is made as one: without it the same command makes it anew.
        maker: the step that wrote it.
    """
    found = f"a file that cannot be read ({error})" if path.is_file() else "none"
    what = "it" if delete == path else str(delete)
    return IncompleteError(
        f"{path}: expected what {maker} wrote, found {found}. Delete {what} and run the same command again."
    )


def read_result(path: Path, parse: Callable[[Any], T], *, delete: Path, maker: str = "an earlier step") -> T:
    """What a JSON file says.

    Args:
        path: the file.
        parse: makes a noun of its content; KeyError, TypeError and ValueError mean that the file is damaged.
        delete: as of `unreadable`.
        maker: as of `unreadable`.

    Raises:
        IncompleteError: the file is gone or damaged.
    """
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, error, delete=delete, maker=maker) from error
