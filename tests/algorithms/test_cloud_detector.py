"""s2cloudless: an extra, and what is asked of it."""

import importlib.util
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from senard.algorithms.cloud_detector import detect_clouds, require_s2cloudless
from senard.errors import RequestError
from senard.model.arrays import UInt16Array
from senard.model.sentinel2 import DETECT_BANDS

CLEAR = dict(zip(DETECT_BANDS, (1400, 1100, 700, 1100, 3000, 3200, 900, 12, 1900, 1000), strict=True))
CLOUD = dict(zip(DETECT_BANDS, (5100, 4800, 4700, 5100, 6100, 6500, 3600, 600, 2800, 2400), strict=True))
"""Reflectances of a meadow and of a thick cloud, DN."""


def scene() -> dict[str, UInt16Array]:
    """41 x 41 pixels of 60 m: meadow, and a cloud over rows 10 to 19 and columns 10 to 19."""
    bands = {name: np.full((41, 41), dn, dtype=np.uint16) for name, dn in CLEAR.items()}
    for name, dn in CLOUD.items():
        bands[name][10:20, 10:20] = dn
    return bands


class Detector:
    """Has the interface of S2PixelCloudDetector 1.7: blue brighter than 0.25 is cloud."""

    def __init__(self, threshold: float, all_bands: bool, average_over: int | None, dilation_size: int | None) -> None:
        self.asked = (threshold, all_bands, average_over, dilation_size)

    def get_cloud_probability_maps(self, data: npt.NDArray[np.float32], **kwargs: Any) -> npt.NDArray[np.float32]:
        assert data.ndim == 4
        assert data.shape[-1] == 10
        assert kwargs == {"num_threads": 1}
        return (data[..., 1] > 0.25).astype(np.float32) * np.float32(0.98)

    def get_mask_from_prob(self, cloud_probs: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        assert cloud_probs.ndim == 3
        assert self.asked == (0.4, False, 2, 1)
        return (cloud_probs > self.asked[0]).astype(np.uint8)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of that name; the real one is an extra."""
    spec = importlib.util.spec_from_loader("s2cloudless", loader=None)
    monkeypatch.setitem(sys.modules, "s2cloudless", SimpleNamespace(S2PixelCloudDetector=Detector, __spec__=spec))


class TestWithoutThePackage:
    """Nobody needs the package who does not ask for it."""

    def test_says_how_to_install_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", {}.get)
        with pytest.raises(RequestError, match=r'pip install "senard\[s2cloudless\]"'):
            require_s2cloudless()

    def test_says_what_is_wrong_with_it_where_it_cannot_be_loaded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(name: str) -> None:
            raise OSError(f"libgomp.so.1, which {name} wants: cannot open shared object file")

        monkeypatch.setattr(importlib.util, "find_spec", {"s2cloudless": object()}.get)
        monkeypatch.setattr(importlib, "import_module", broken)
        with pytest.raises(RequestError, match=r"cannot be loaded \(libgomp"):
            detect_clouds(scene())


@pytest.mark.usefixtures("stand_in")
class TestDetectClouds:
    """The detector sees reflectance at 120 m; what it says comes back at 60 m."""

    def test_finds_the_cloud_where_it_is(self) -> None:
        found = detect_clouds(scene())
        assert found.cloudy.shape == (41, 41)
        assert found.cloudy[10:20, 10:20].all()
        assert found.cloudy.sum() == 100
        assert set(np.unique(found.probability)) == {0, 98}

    def test_says_nothing_of_pixels_without_data(self) -> None:
        bands = scene()
        bands["B08"][:, :15] = 0
        found = detect_clouds(bands)
        assert (found.probability[:, :15] == 255).all()
        assert not found.cloudy[:, :15].any()
        assert found.cloudy[10:20, 15:20].all()

    def test_takes_a_dark_b10_for_a_sky_without_cirrus(self) -> None:
        bands = scene()
        bands["B10"][:] = 0
        assert detect_clouds(bands).cloudy.sum() == 100


class TestThePackage:
    """The real s2cloudless, where it is installed,"""

    def test_tells_a_thick_cloud_from_a_meadow(self) -> None:
        if importlib.util.find_spec("s2cloudless") is None:
            pytest.skip("s2cloudless is not installed: the real detector not tested")
        found = detect_clouds(scene())
        assert found.cloudy[10:20, 10:20].all()
        assert found.probability[10:20, 10:20].min() > 90
        assert found.probability[:5].max() < 20
        assert not found.cloudy[:5].any()
