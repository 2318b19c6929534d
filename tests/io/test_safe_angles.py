"""Sun and view angles of a granule's XML."""

import numpy as np
import pytest

from senard.io.safe_granule import GranuleXml, parse_granule_xml
from tests.io.made_products import MadeProduct

NAN = float("nan")


def a_grid(zenith: list[list[float]], azimuth: list[list[float]], step: int = 5000) -> str:
    parts = []
    for kind, rows in (("Zenith", zenith), ("Azimuth", azimuth)):
        values = "".join(f"<VALUES>{' '.join('NaN' if v != v else str(v) for v in row)}</VALUES>" for row in rows)
        steps = f'<COL_STEP unit="m">{step}</COL_STEP><ROW_STEP unit="m">{step}</ROW_STEP>'
        parts.append(f"<{kind}>{steps}<Values_List>{values}</Values_List></{kind}>")
    return "".join(parts)


def a_view(band_id: int, detector: int, zenith: list[list[float]], azimuth: list[list[float]], step: int = 5000) -> str:
    grid = a_grid(zenith, azimuth, step)
    name = "Viewing_Incidence_Angles_Grids"
    return f'<{name} bandId="{band_id}" detectorId="{detector}">{grid}</{name}>'


def a_mean(band_id: int, zenith: float, azimuth: float) -> str:
    angles = f"<ZENITH_ANGLE>{zenith}</ZENITH_ANGLE><AZIMUTH_ANGLE>{azimuth}</AZIMUTH_ANGLE>"
    return f'<Mean_Viewing_Incidence_Angle bandId="{band_id}">{angles}</Mean_Viewing_Incidence_Angle>'


def granule(angles: str) -> GranuleXml:
    return parse_granule_xml(MadeProduct().granule_xml(angles).encode())


class TestSunAngles:
    """The sun's angles are those of the grid, else the mean over the tile."""

    def test_are_read_row_by_row_from_the_north(self) -> None:
        sun = granule(
            f"<Sun_Angles_Grid>{a_grid([[30, 31], [32, 33]], [[150, 151], [152, 153]])}</Sun_Angles_Grid>"
        ).sun
        np.testing.assert_array_equal(sun.zenith, [[30, 31], [32, 33]])
        np.testing.assert_allclose(sun.azimuth, [[150, 151], [152, 153]], rtol=1e-6)

    def test_are_the_mean_where_there_is_no_grid(self) -> None:
        sun = granule("").sun  # the hand-made granule states 30.5 and 150
        assert sun.zenith.shape == (23, 23)
        assert np.unique(sun.zenith) == pytest.approx([30.5])
        assert np.unique(sun.azimuth) == pytest.approx([150.0])


class TestViewAngles:
    """View angles are merged over detectors, then over the delivered bands, and known at every node."""

    def test_are_the_mean_where_two_detectors_overlap(self) -> None:
        view = granule(
            a_view(3, 5, [[4, 6], [4, NAN]], [[100, 100], [100, NAN]])
            + a_view(3, 6, [[NAN, 8], [NAN, 10]], [[NAN, 120], [NAN, 120]])
        ).view
        np.testing.assert_allclose(view.zenith, [[4, 7], [4, 10]])
        np.testing.assert_allclose(view.azimuth, [[100, 110], [100, 120]], rtol=1e-6)

    def test_turn_through_north_without_a_jump(self) -> None:
        view = granule(
            a_view(3, 5, [[5, 5], [5, 5]], [[350] * 2] * 2) + a_view(3, 6, [[5, 5], [5, 5]], [[20] * 2] * 2)
        ).view
        np.testing.assert_allclose(view.azimuth, np.full((2, 2), 5.0), atol=1e-4)

    def test_give_every_band_the_same_weight(self) -> None:
        grids = [a_view(3, detector, [[4, 4], [4, 4]], [[100] * 2] * 2) for detector in (1, 2, 3)]
        view = granule("".join(grids) + a_view(11, 1, [[8, 8], [8, 8]], [[100] * 2] * 2)).view
        np.testing.assert_allclose(view.zenith, np.full((2, 2), 6.0))

    def test_pass_over_bands_that_no_mosaic_delivers(self) -> None:
        view = granule(
            a_view(0, 1, [[50, 50], [50, 50]], [[10] * 2] * 2) + a_view(3, 1, [[4, 4], [4, 4]], [[100] * 2] * 2)
        ).view
        np.testing.assert_allclose(view.zenith, np.full((2, 2), 4.0))

    def test_are_filled_from_the_nearest_known_node(self) -> None:
        view = granule(a_view(3, 1, [[4, NAN, NAN], [NAN, NAN, 9]], [[100, NAN, NAN], [NAN, NAN, 200]])).view
        np.testing.assert_allclose(view.zenith[:, 0], [4, 4])
        np.testing.assert_allclose(view.zenith[:, 2], [9, 9])
        assert np.isfinite(view.azimuth).all()

    def test_are_the_bands_mean_where_no_grid_can_be_read(self) -> None:
        # a real product without ground: one column of zeros at a step of 0 m
        view = granule(
            a_view(0, 1, [[0], [0]], [[0], [0]], step=0) + a_mean(0, 90, 90) + a_mean(3, 6, 350) + a_mean(7, 8, 10)
        ).view
        assert np.unique(view.zenith) == pytest.approx([7.0])
        assert np.cos(np.deg2rad(view.azimuth)).min() == pytest.approx(1.0)

    def test_are_unknown_where_nothing_is_stated(self) -> None:
        assert np.isnan(granule(a_mean(3, NAN, NAN)).view.zenith).all()
