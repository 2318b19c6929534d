"""What the products of an archive state of their clouds, read without the emulator: the simulated sky may change."""

import re
import statistics
import zipfile
from collections.abc import Mapping
from pathlib import Path

_STATED = re.compile(rb"<Cloud_Coverage_Assessment>([\d.]+)<")


def stated_covers(archive: Path) -> Mapping[str, float]:
    """Cloud cover of every zip by the name of its product, percent, the clearest first.

    Args:
        archive: folder of zips.
    """
    covers = {path.stem: _stated_cover(path) for path in archive.glob("*.zip")}
    return dict(sorted(covers.items(), key=lambda item: item[1]))


def middle_cover(archive: Path) -> float:
    """A cloud cover that half of the products stay below, percent: halfway between the two in the middle."""
    return statistics.median(stated_covers(archive).values())


def _stated_cover(path: Path) -> float:
    with zipfile.ZipFile(path) as product:
        stated = _STATED.search(product.read(f"{path.stem}.SAFE/MTD_MSIL2A.xml"))
    assert stated is not None, path
    return float(stated[1])
