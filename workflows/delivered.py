"""What lies in a product folder already, and why scenes that were kept supply nothing."""

import csv
from collections.abc import Mapping
from pathlib import Path

import luigi

from senard.errors import IncompleteError
from senard.io.product_folder import read_sums
from senard.model.contenders import SPARED
from senard.model.labels import LAYER_PROFILES
from senard.model.scene import QueryResult
from workflows.choosing import read_settled
from workflows.paths import ChoicePaths, ProductPaths
from workflows.targets import FileTarget, Stamp
from workflows.task import remove


def reasons_of_spared(result: QueryResult, choice: ChoicePaths) -> dict[str, str]:
    """product_id to reason of every scene that the choice could do without though it would supply something."""
    settled = read_settled(choice)
    return {result.kept[number - 1].product_id: SPARED for number in settled.spared if number not in settled.idle}


def remove_outdated_index(index: Path, task: luigi.Task) -> None:
    """Remove an index before one of its files is made anew: it states statistics of all of them."""
    if not task.complete():
        remove(index)


def require_suppliers(folder: ProductPaths, stamps: tuple[Stamp, ...], unusable: Mapping[str, str]) -> None:
    """Keep a mosaic that is delivered from being mixed with one that has to do without its scenes.

    Args:
        folder: of the product.
        stamps: what outdates it.
        unusable: product_id to reason of scenes that cannot be used now.

    Raises:
        IncompleteError: one of them supplies pixels of what lies there.
    """
    if not unusable or not FileTarget(folder.scenes, stamps=stamps).exists():
        return
    try:
        with folder.scenes.open(encoding="utf-8", newline="") as table:
            suppliers = {row["product_id"] for row in csv.DictReader(table) if row["used"] == "true"}
    except (ValueError, KeyError, csv.Error):  # damaged: any of them may be one
        suppliers = set(unusable)
    for product_id in sorted(suppliers & unusable.keys()):
        raise IncompleteError(
            f"{product_id} supplies pixels of the mosaic in {folder.folder}, and cannot be used now: "
            f"{unusable[product_id]} The mosaic stays as it is. Bring back the product and run the same command with "
            f"--rebuild; as things are, --rebuild makes the mosaic without it."
        )


def delivered(folder: ProductPaths) -> list[int]:
    """Resolutions that earlier calls delivered into the folder, m."""
    try:
        names = read_sums(folder.folder)
    except (FileNotFoundError, IncompleteError):
        return []
    return [gsd for gsd in (10, 20) if folder.vrt(gsd).name in names]


def delivered_layers(folder: ProductPaths) -> list[str]:
    """Layers that earlier calls delivered into the folder at their request."""
    try:
        names = read_sums(folder.folder)
    except (FileNotFoundError, IncompleteError):
        return []
    return [layer for layer in LAYER_PROFILES if folder.layer_vrt(layer).relative_to(folder.folder).as_posix() in names]
