"""The peers' own virtual environment, in the cache: nothing of it is among senard's dependencies."""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bench.archive import cache_folder

_HERE = Path(__file__).parent

_TOGETHER = _HERE / "requirements.txt"

_ALONE = _HERE / "requirements-alone.txt"
# S2Mosaic asks for a cloud detector with 5 GB of libraries, which is not run here: clouds are those of the product's
# own classification.

_READY = "ready"


def peers_python() -> Path:
    """Python of the peers' environment, made if the cache does not hold it: half a gigabyte.

    Raises:
        subprocess.CalledProcessError: a package could not be installed.
    """
    digest = hashlib.sha256(_TOGETHER.read_bytes() + _ALONE.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache_folder() / f"peers-{digest}"
    python = folder / "bin/python"
    if not (folder / _READY).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(_TOGETHER)], check=True)
        subprocess.run([*install, "--no-deps", "-r", str(_ALONE)], check=True)
        (folder / _READY).touch()
    return python
