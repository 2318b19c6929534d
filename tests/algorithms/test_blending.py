"""One spectrum of many observations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from senard.algorithms.blending import delivered_dn, geomedians, nearest, quantiles
from senard.model.arrays import UInt16Array


def stack(seed: int, times: int = 9, bands: int = 6, side: int = 12) -> UInt16Array:
    """Observations of ground under thin and thick veils, some of which take no part."""
    random = np.random.default_rng(seed)
    ground = random.integers(100, 4000, (1, bands, side, side))
    veil = random.gamma(1.0, 150, (times, 1, side, side))
    found = np.clip(ground + veil + random.normal(0, 60, (times, bands, side, side)), 1, 65535).astype(np.uint16)
    found.transpose(0, 2, 3, 1)[random.random((times, side, side)) < 0.4] = 0
    return found


def pixel(*spectra: tuple[int, ...]) -> UInt16Array:
    """A stack of one pixel."""
    return np.array(spectra, dtype=np.uint16)[:, :, None, None]


class TestQuantiles:
    """A quantile of every band"""

    @pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
    @pytest.mark.parametrize("share", [0.25, 0.5])
    def test_is_numpys(self, share: float) -> None:
        seen = stack(3)
        expected = np.nanpercentile(np.where(seen > 0, seen.astype(float), np.nan), 100 * share, axis=0)
        np.testing.assert_array_equal(quantiles(seen, share), np.nan_to_num(expected))

    def test_rounds_halves_up(self) -> None:
        assert delivered_dn(quantiles(pixel((10, 20), (11, 24)), 0.5)).ravel().tolist() == [11, 22]

    def test_is_0_where_nothing_takes_part(self) -> None:
        assert quantiles(np.zeros((0, 4, 2, 2), np.uint16), 0.5).max() == 0
        assert geomedians(np.zeros((3, 4, 2, 2), np.uint16)).max() == 0


class TestGeomedian:
    """The geometric median"""

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 10_000), times=st.integers(3, 12))
    def test_has_the_least_sum_of_distances(self, seed: int, times: int) -> None:
        seen = stack(seed, times=times, side=1)
        spectra = seen[seen[:, 0, 0, 0] > 0][:, :, 0, 0].astype(float)
        if len(spectra) < 3:
            return

        def total(spectrum: np.ndarray) -> float:
            return float(np.sqrt(((spectra - spectrum) ** 2).sum(axis=1)).sum())

        tried = minimize(total, spectra.mean(axis=0), method="BFGS", options={"gtol": 1e-8}).x
        best = min([tried, *spectra], key=total)
        found = geomedians(seen)[:, 0, 0]
        assert total(found) <= total(best) + 0.001
        np.testing.assert_allclose(found, best, atol=0.5)

    def test_is_an_observation_that_lies_in_the_middle_exactly(self) -> None:
        seen = pixel((1000, 1000), (1010, 1010), (1030, 1035))
        assert geomedians(seen).ravel().tolist() == [1010, 1010]

    def test_ignores_a_veil_over_the_minority(self) -> None:
        seen = pixel((1000, 2000), (1004, 2002), (996, 1999), (5000, 6000), (8000, 8000))
        assert np.abs(geomedians(seen).ravel() - (1000, 2000)).max() < 10

    def test_of_two_is_their_mean(self) -> None:
        assert delivered_dn(geomedians(pixel((1000, 3000), (1100, 3501)))).ravel().tolist() == [1050, 3251]


class TestNearest:
    """The observation nearest to a spectrum"""

    def test_is_the_earliest_of_equals_and_none_where_nothing_takes_part(self) -> None:
        seen = pixel((0, 0), (90, 100), (110, 100), (101, 130))
        assert nearest(seen, np.full((2, 1, 1), 100.0)).item() == 1
        assert nearest(seen[:1], np.full((2, 1, 1), 100.0)).item() == -1

    def test_has_the_least_sum_of_squares(self) -> None:
        seen = stack(8)
        wanted = quantiles(seen, 0.5)
        distance = np.where(seen[:, 0] > 0, ((seen - wanted) ** 2).sum(axis=1), np.inf)
        expected = np.where(np.isfinite(distance).any(axis=0), distance.argmin(axis=0), -1)
        np.testing.assert_array_equal(nearest(seen, wanted), expected)


class TestBlocks:
    """A pixel's spectrum"""

    def test_is_the_same_in_any_block(self) -> None:
        seen = stack(5)
        for blend in (geomedians, lambda part: quantiles(part, 0.25)):
            np.testing.assert_array_equal(blend(seen)[:, 3:7, 2:9], blend(np.ascontiguousarray(seen[:, :, 3:7, 2:9])))
