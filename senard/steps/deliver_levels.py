"""What was added to each scene, and what it was multiplied by: reflectance as it was can be had back from it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from senard.algorithms.levelling import Levels, band_correction
from senard.algorithms.slopes import band_share
from senard.io.atomic import partial_file
from senard.io.geotiff import Raster, ScratchReader, write_scratch
from senard.io.slopes_folder import LIGHT_BANDS, read_shares
from senard.model.sentinel2 import DELIVERED_BANDS, MOSAIC_BANDS

LAYERS = "layers"


def deliver_levels(levels: Path | None, folder: Path) -> tuple[str, ...]:
    """Write layers/LEVEL_<source>.tif for every scene that was levelled, and remove those of earlier choices.

    A file has the bands `offset <band>`, DN, and `gain <band>`, for all delivered bands, float32, on cells of 600 m.
    With both bilinear between the centres of the cells, delivered = original + offset + gain * original.

    Args:
        levels: folder that `level_scenes` made; None for none.
        folder: the product folder.

    Returns:
        Names of the files, relative to the product folder, sorted.
    """
    return _deliver(levels, folder, "LEVEL", lambda reader: layers_of(Levels.of(reader.read())))


def deliver_factors(factors: Path | None, folder: Path) -> tuple[str, ...]:
    """Write layers/NBAR_<source>.tif for every scene that was brought to the view from straight above.

    A file has the ten delivered bands, float32, on cells of 600 m. With the factor bilinear between the centres of the
    cells, delivered = factor * levelled where the QA layer has flag 512. Files of earlier choices are removed.

    Args:
        factors: folder that `normalise_views` made; None for none.
        folder: the product folder.

    Returns:
        Names of the files, relative to the product folder, sorted.
    """
    return _deliver(factors, folder, "NBAR", lambda reader: dict(zip(reader.names, reader.read(), strict=True)))


def deliver_slopes(slopes: Path | None, folder: Path) -> tuple[str, ...]:
    """Write layers/TOPO_<source>.tif for every scene whose slopes were brought to the light of level ground.

    A file has the band `light`, direct light over that of level ground x 10000, uint16, on pixels of 60 m, and a tag
    `DIRECT_<band>`, the share d of direct light, for all delivered bands. With factor = 1 / (1 + d (light - 1)), within
    FACTORS, bilinear between the centres of the pixels, delivered = factor * levelled where the QA layer has flag 1024.
    Files of earlier choices are removed.

    Args:
        slopes: folder that `correct_slopes` made; None for none.
        folder: the product folder.

    Returns:
        Names of the files, relative to the product folder, sorted.
    """
    shares = {} if slopes is None else read_shares(slopes)
    tags = {
        str(source): {f"DIRECT_{band}": str(band_share(found, band)) for band in DELIVERED_BANDS}
        for source, found in shares.items()
    }
    light = LIGHT_BANDS[0]
    return _deliver(slopes, folder, "TOPO", lambda reader: {light: reader.read(bands=light)}, tags)


def _deliver(
    made: Path | None,
    folder: Path,
    kind: str,
    layers: Callable[[ScratchReader], dict[str, Raster]],
    tags: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Write layers/<kind>_<source>.tif of every raster that was made, and remove those of earlier choices."""
    names = []
    for raster in [] if made is None else sorted(made.glob("*.tif")):
        name = f"{LAYERS}/{kind}_{raster.stem}.tif"
        (folder / LAYERS).mkdir(parents=True, exist_ok=True)
        with ScratchReader(raster) as reader, partial_file(folder / name) as partial:
            write_scratch(partial, reader.grid, layers(reader), tags=tags.get(raster.stem))
        names.append(name)
    _remove_others(folder, f"{kind}_*.tif", names)
    return tuple(sorted(names))


def _remove_others(folder: Path, pattern: str, names: Sequence[str]) -> None:
    """Remove what an earlier choice of scenes left."""
    for path in (folder / LAYERS).glob(pattern):
        if f"{LAYERS}/{path.name}" not in names:
            path.unlink()


def layers_of(levels: Levels) -> dict[str, Raster]:
    """Offset and gain of all delivered bands."""
    layers: dict[str, Raster] = {}
    for band in (name for bands in MOSAIC_BANDS.values() for name in bands):
        layers[f"offset {band}"], layers[f"gain {band}"] = band_correction(levels, band)
    return layers
