"""Where sources put what they fetch of a product, and for whom it was fetched.

A file NAME in the hidden folder `.for-mosaics` of the download folder says which work folder's mosaics a product was
fetched for. What has none was there before, or was fetched for its own sake: it is never taken away.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from senard.io.atomic import partial_file
from senard.io.cogs import DERIVED_NAME
from senard.io.members import FOLDER_NAME
from senard.io.part_file import ENDING

MARKS_NAME = ".for-mosaics"
"""Hidden folder below the download folder."""


def fetched_places(product_id: str, download_dir: Path) -> list[Path]:
    """Files and folders of one product in a download folder, whoever brought them; some may not be there.

    Args:
        product_id: name without suffix.
        download_dir: the folder.
    """
    safe = f"{product_id}.SAFE"
    zipped = download_dir / f"{product_id}.zip"
    derived = sorted((download_dir / DERIVED_NAME).glob(f"*/*/{safe}"))
    begun = zipped.with_name(zipped.name + ENDING)
    return [zipped, begun, download_dir / safe, download_dir / FOLDER_NAME / safe, *derived]


@contextmanager
def marked_for_mosaics(product_id: str, download_dir: Path, workdir: Path) -> Iterator[None]:
    """Around a fetch: what comes is wanted by mosaics alone. Nothing is said of a product that is there before.

    It is said before the first byte comes, so that it holds for what a killed process leaves; and taken back where
    nothing came, because somebody may put the product there by hand later.

    Args:
        product_id: name without suffix.
        download_dir: where it will be fetched to; what cannot be written there is passed over.
        workdir: work folder of the mosaic.
    """
    if not _is_here(product_id, download_dir):
        with suppress(OSError), partial_file(download_dir / MARKS_NAME / product_id) as partial:
            partial.write_text(str(workdir), encoding="utf-8")
    try:
        yield
    finally:
        if not _is_here(product_id, download_dir):
            with suppress(OSError):
                unmark([product_id], download_dir)


def _is_here(product_id: str, download_dir: Path) -> bool:
    return any(place.exists() or place.is_symlink() for place in fetched_places(product_id, download_dir))


def is_for_mosaics(product_id: str, download_dir: Path, workdir: Path) -> bool:
    """Whether a product was fetched for the mosaics of this work folder alone."""
    try:
        return (download_dir / MARKS_NAME / product_id).read_text(encoding="utf-8") == str(workdir)
    except OSError:
        return False


def unmark(product_ids: Iterable[str], download_dir: Path) -> None:
    """Products that are wanted for their own sake from now on, or are gone."""
    for product_id in product_ids:
        (download_dir / MARKS_NAME / product_id).unlink(missing_ok=True)
