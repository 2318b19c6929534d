"""The frame of a picture: which ground each of its pixels shows."""

from hypothesis import given
from hypothesis import strategies as st

from senard.model.grid import Tile
from senard.model.picture import WORLD_M, PictureFrame


def tile(index: int, left: int, right: int, crs: str = "EPSG:3857") -> Tile:
    return Tile(index=index, crs=crs, left=left, bottom=0, right=right, top=100_000)


class TestPictureFrame:
    """A picture shows every tile once."""

    def test_has_its_longer_side_as_asked(self) -> None:
        frame = PictureFrame.around([tile(0, 0, 100_000), tile(1, 100_000, 200_000)], longest=2048, finest_m=10)
        assert frame.shape == (1024, 2048)
        assert frame.geotransform == (0.0, 97.65625, 0.0, 100_000.0, 0.0, -97.65625)

    def test_never_draws_pixels_finer_than_the_file_has_them(self) -> None:
        frame = PictureFrame.around([tile(0, 0, 100_000)], longest=20_000, finest_m=10)
        assert (frame.shape, frame.pixel_m) == ((10_000, 10_000), 10)

    @given(cut=st.integers(500, 9_500), longest=st.integers(3, 999))
    def test_gives_each_pixel_to_one_of_two_neighbours(self, cut: int, longest: int) -> None:
        tiles = [tile(0, 0, 20 * cut), tile(1, 20 * cut, 200_000)]
        frame = PictureFrame.around(tiles, longest=longest, finest_m=10)
        west, east = frame.window(tiles[0]), frame.window(tiles[1])
        assert (west.col_start, east.col_stop) == (0, frame.width)
        assert west.col_stop == east.col_start

    def test_shows_a_mosaic_over_the_antimeridian_in_one_piece(self) -> None:
        tiles = [tile(0, 19_900_000, 20_037_500), tile(1, -20_037_500, -19_900_000)]
        frame = PictureFrame.around(tiles, longest=1000, finest_m=10)
        assert round(frame.width * frame.pixel_m) in range(275_000, 275_400)
        assert frame.window(tiles[0]).col_start == 0
        assert frame.window(tiles[1]).col_stop == 1000
        assert frame.shown_x(-20_000_000) == WORLD_M - 20_000_000
