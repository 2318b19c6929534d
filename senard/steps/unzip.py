"""From what a source brought to a verified SAFE folder."""

from pathlib import Path

from senard.errors import UnusableSceneError
from senard.io.atomic import listed_directory, partial_directory
from senard.io.jp2 import require_band
from senard.io.safe import image_path, read_product
from senard.io.safe_images import needed_keys
from senard.io.safe_members import product_name
from senard.io.scenes_file import pass_verdict_on, write_verdict
from senard.io.unzip import unzip_product
from senard.model.product import Part


def unzip(download: Path, part: Part, out: Path) -> Path:
    """Unpack and verify a part of a product; a product that is damaged gets a verdict instead.

    Bands that the mosaic delivers must be images of the size and place that the granule's XML states.

    Args:
        download: downloads/<product_id>/<part>/, holding NAME.zip or NAME.SAFE, or a verdict, which is passed on.
        part: which members.
        out: safe/<product_id>/<part>/.

    Returns:
        `out`, with NAME.SAFE in it (a link, if the product was never zipped); or with unusable.json alone.

    Raises:
        RequestError: the disk is full, or would be.
        TransientError: the disk does not answer.
    """
    try:
        with listed_directory(out) as partial:
            if not pass_verdict_on(download, partial):
                _require_bands(unzip_product(only_product(download), part, partial), part)
    except UnusableSceneError as error:
        with partial_directory(out) as partial:
            write_verdict(partial, download.parent.name, str(error))
    return out


def _require_bands(safe: Path, part: Part) -> None:
    """Look at the header of every delivered band before anything is chosen from the product: some ms each."""
    if part in (Part.JUDGE, Part.DETECT):  # these images are read whole when the scene is judged
        return
    product = read_product(safe)
    for key in sorted(needed_keys(product.scene.product_type, Part.BANDS) & product.images.keys()):
        path = image_path(product, key)
        try:
            require_band(path, product.grids[int(key.rsplit("_", 1)[1])])
        except UnusableSceneError as error:  # the folder has a passing name until all is well
            reason = str(error).replace(path, product.images[key])
            raise UnusableSceneError(f"{product.scene.product_id}: {reason}") from error


def only_product(download: Path) -> Path:
    """The product that the folder of a download holds or links to: messages are to name the user's own file.

    Raises:
        UnusableSceneError: there is none, or more, or another one.
    """
    found = sorted(path for path in download.iterdir() if not path.name.startswith("."))
    if len(found) != 1:
        raise UnusableSceneError(
            f"{download}: expected one NAME.zip or NAME.SAFE, found {len(found)}. Delete this folder and run again: "
            f"the product is then fetched anew."
        )
    if product_name(found[0].name) != download.parent.name:
        raise UnusableSceneError(
            f"{download}: expected {download.parent.name}, found {found[0].name}. Delete this folder and run again."
        )
    return found[0].readlink() if found[0].is_symlink() else found[0]
