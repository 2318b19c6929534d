"""Fixtures that every room uses."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real Sentinel data and reference results beside the checkout; the test is skipped aloud where they are absent."""
    folder = Path(__file__).parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"{folder} is absent: real data not tested")
    return folder
