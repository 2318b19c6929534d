"""Bring one product, or a part of it, from a source."""

from pathlib import Path

from senard.errors import UnusableSceneError
from senard.io.atomic import partial_directory
from senard.io.scenes_file import write_verdict
from senard.io.sources import Source, Told, untold
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene


def download_product(scene: Sentinel2Scene, source: Source, part: Part, out: Path, *, told: Told = untold) -> Path:
    """Fetch a product into a folder of its own, whole or not at all.

    Args:
        scene: which product.
        source: who has it; a local archive gives a link.
        part: which members are wanted; a source may bring more.
        out: downloads/<product_id>/<part>/.
        told: takes how far it is, bytes.

    Returns:
        `out`, with NAME.zip or NAME.SAFE in it; or with unusable.json alone, if the product is not to be had.

    Raises:
        TransientError: the source failed; trying again may help.
        PendingError: the product will be there later.
        RequestError: a person must act.
    """
    with partial_directory(out) as partial:
        try:
            source.fetch(scene, part, partial, told=told)
        except UnusableSceneError as error:
            write_verdict(partial, scene.product_id, str(error), of_source=True)
    return out
