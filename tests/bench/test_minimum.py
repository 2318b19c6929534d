"""What a mosaic needed is told from its QA layers: of overlapping products of one overflight, the one that was read."""

import numpy as np

from bench.minimum import _Image, _nearest
from senard.model.grid import Grid


def image(crs: str, left: float) -> _Image:
    """Products of 18 km, side by side."""
    grid = Grid(crs=crs, left=left, top=5_000_000.0, gsd=10, width=1830, height=1830)
    return _Image(grid=grid, block_shape=(1024, 1024), seen=np.zeros((2, 2), dtype=np.bool_))


class TestNearest:
    """Granules of one overflight overlap: each pixel is read from one."""

    def test_is_the_one_whose_centre_is_nearer(self) -> None:
        images = [image("EPSG:32631", 700_000.0), image("EPSG:32631", 710_000.0)]
        east, north = np.array([[711_000.0, 717_000.0]]), np.full((1, 2), 4_990_000.0)
        longitude = np.full((1, 2), 5.5)
        assert _nearest(images, [(east, north)] * 2, longitude).tolist() == [[0, 1]]

    def test_is_the_one_of_the_own_zone_however_far_its_centre(self) -> None:
        images = [image("EPSG:32631", 700_000.0), image("EPSG:32632", 260_000.0)]
        north = np.full((1, 2), 4_990_000.0)
        places = [(np.full((1, 2), 717_500.0), north), (np.full((1, 2), 269_000.0), north)]
        assert _nearest(images, places, np.array([[5.99, 6.01]])).tolist() == [[0, 1]]

    def test_is_one_that_holds_the_pixel(self) -> None:
        images = [image("EPSG:32631", 700_000.0), image("EPSG:32632", 260_000.0)]
        north = np.full((1, 1), 4_990_000.0)
        places = [(np.full((1, 1), 719_000.0), north), (np.full((1, 1), 269_000.0), north)]
        assert _nearest(images, places, np.array([[5.99]])).tolist() == [[1]]
