"""Where sources put what they fetch of a product."""

from pathlib import Path

from senard.io.cogs import DERIVED_NAME
from senard.io.members import FOLDER_NAME
from senard.io.part_file import ENDING


def fetched_places(product_id: str, download_dir: Path) -> list[Path]:
    """Files and folders of one product in a download folder, whoever brought them; some may not be there.

    Args:
        product_id: name without suffix.
        download_dir: the folder.
    """
    safe = f"{product_id}.SAFE"
    zipped = download_dir / f"{product_id}.zip"
    derived = sorted((download_dir / DERIVED_NAME).glob(f"*/*/{safe}"))
    return [
        zipped,
        zipped.with_name(zipped.name + ENDING),
        download_dir / safe,
        download_dir / FOLDER_NAME / safe,
        *derived,
    ]
