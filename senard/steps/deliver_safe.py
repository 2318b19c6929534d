"""From a fetched product to a SAFE folder where a person wants it."""

from pathlib import Path

from senard.errors import UnusableSceneError
from senard.io.atomic import partial_directory
from senard.io.scenes_file import pass_verdict_on, write_verdict
from senard.io.unzip import unzip_product
from senard.model.product import Part
from senard.steps.unzip import only_product


def deliver_safe(download: Path, folder: Path, note: Path) -> Path:
    """Unpack a whole product, every file verified, and note that it was done, or why it cannot be.

    Args:
        download: downloads/<product_id>/all/, holding NAME.zip or NAME.SAFE, or a verdict.
        folder: where NAME.SAFE appears.
        note: folder that says so: empty, or with `unusable.json`.

    Returns:
        `note`.

    Raises:
        RequestError: the disk is full, or would be.
        TransientError: the disk does not answer.
    """
    product_id = download.parent.name
    safe = folder / f"{product_id}.SAFE"
    with partial_directory(note) as partial:
        if pass_verdict_on(download, partial):
            return note
        try:
            product = only_product(download)
            if not safe.exists() or safe.resolve() != product.resolve():  # it may have come as a folder, to here
                unzip_product(product, Part.ALL, folder)
        except UnusableSceneError as error:
            write_verdict(partial, product_id, str(error))
    return note
