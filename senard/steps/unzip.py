"""From what a source brought to a verified SAFE folder."""

from pathlib import Path

from senard.errors import UnusableSceneError
from senard.io.atomic import partial_directory
from senard.io.safe_members import product_name
from senard.io.scenes_file import read_verdict, write_verdict
from senard.io.unzip import unzip_product
from senard.model.product import Part


def unzip(download: Path, part: Part, out: Path) -> Path:
    """Unpack and verify a part of a product; a product that is damaged gets a verdict instead.

    Args:
        download: downloads/<product_id>/<part>/, holding NAME.zip or NAME.SAFE, or a verdict, which is passed on.
        part: which members.
        out: safe/<product_id>/<part>/.

    Returns:
        `out`, with NAME.SAFE in it (a link, if the product was never zipped); or with unusable.json alone.

    Raises:
        RequestError: the disk is too small.
        TransientError: the disk does not answer.
    """
    product_id = download.parent.name
    with partial_directory(out) as partial:
        try:
            verdict = read_verdict(download)
            if verdict is not None:
                write_verdict(partial, product_id, verdict)
            else:
                unzip_product(_only_product(download), part, partial)
        except UnusableSceneError as error:
            write_verdict(partial, product_id, str(error))
    return out


def _only_product(download: Path) -> Path:
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
    return found[0]
