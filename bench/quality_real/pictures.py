"""Pictures of the real places: what was seen, what each method makes of it, and where haze was found."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bench.quality_real.haze_alone import by_scene_haze
from bench.quality_real.kept import CLEAREST, CLOUDY, MIXED, read_kept
from bench.quality_real.mol import mosaics, peer_composites, read_cube
from bench.quality_real.two_dates import HAZY, Mosaic
from senard.model.arrays import Float32Array, UInt8Array

TITLE_PX = 16


def write_pictures(data: Path, out: Path, chosen: dict[str, Mosaic]) -> list[Path]:
    """Write all pictures into a folder.

    Args:
        data: folder of the reference data.
        out: folder, made if it is not there.
        chosen: MGRS tile to senard's mosaic of the two cloudy dates.
    """
    out.mkdir(parents=True, exist_ok=True)
    return [*(_two_dates(data, out, tile, mosaic) for tile, mosaic in chosen.items()), _mol(data, out)]


def _two_dates(data: Path, out: Path, tile: str, mosaic: Mosaic) -> Path:
    truth, mixed, cloudy = (read_kept(data, tile, day) for day in (CLEAREST, MIXED, CLOUDY))
    panels = [
        (f"{scene.time:%Y-%m-%d}", _colour([scene.reflectance(band) for band in ("B04", "B03", "B02")]))
        for scene in (mixed, cloudy, truth)
    ]
    seen = mosaic.delivered
    picture = _colour([np.where(seen, mosaic.reflectance[band], np.nan) for band in ("B04", "B03", "B02")])
    panels.append(("senard of the two cloudy dates", picture))
    assert mosaic.doubt is not None
    level = np.where(seen, mosaic.doubt // 1000, 0).astype(np.int64)
    colours = np.array([(0, 0, 0), (38, 130, 60), (150, 200, 80), (250, 200, 60), (225, 110, 40), (150, 30, 40)])
    panels.append(("level: green 1, 2, yellow 3, red 4, 5", colours[level].astype(np.uint8)))
    hazy = seen & truth.interior & (mosaic.hot - truth.hot > HAZY)
    marked = np.where(hazy[..., np.newaxis], np.array([255, 0, 200], np.uint8), picture // 2 + 60)
    panels.append(("hazy against the clear date", marked.astype(np.uint8)))
    haze = np.clip(by_scene_haze(mixed) / 0.03, 0, 1) * mixed.valid
    panels.append((f"haze evidence, {mixed.time:%Y-%m-%d}", _grey(haze)))
    return _sheet(panels, out / f"real-{tile}.png", step=2, across=4)


def _mol(data: Path, out: Path) -> Path:
    cube = read_cube(data)
    panels = [(name, _colour([dn[band] / 10_000 for band in (2, 1, 0)])) for name, dn in mosaics(cube).items()]
    dates = list(range(0, len(cube.days), 3))
    panels += [
        (f"{cube.days[index]:%m-%d}", _colour([cube.dn[band][index] / 10_000 for band in ("B04", "B03", "B02")]))
        for index in dates
    ]
    peer = peer_composites(data)
    panels += [(f"peer, dekad {number}", _colour([peer[number, band] / 10_000 for band in (2, 1, 0)]))
               for number in range(0, len(peer), 2)]  # fmt: skip
    grown = [(title, np.kron(pixels, np.ones((4, 4, 1), np.uint8))) for title, pixels in panels]
    return _sheet(grown, out / "real-mol.png", step=1, across=6)


def _colour(bands: Sequence[Float32Array]) -> UInt8Array:
    """True colour, reflectance 0 to 0.25, dark ground lifted; nothing is white."""
    stack = np.stack(bands, axis=-1)
    shown = np.rint(255 * np.clip(np.nan_to_num(stack) / 0.25, 0, 1) ** (1 / 1.6))
    return np.where(np.isfinite(stack), shown, 255).astype(np.uint8)


def _grey(share: Float32Array) -> UInt8Array:
    return np.repeat(np.rint(share[..., np.newaxis] * 255), 3, axis=-1).astype(np.uint8)


def _sheet(panels: Sequence[tuple[str, UInt8Array]], path: Path, *, step: int, across: int) -> Path:
    """Panels in rows with their titles."""
    small = [(title, pixels[::step, ::step]) for title, pixels in panels]
    height = max(pixels.shape[0] for _, pixels in small)
    width = max(pixels.shape[1] for _, pixels in small)
    rows = -(-len(small) // across)
    sheet = Image.new("RGB", (across * (width + 4), rows * (height + TITLE_PX + 4)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (title, pixels) in enumerate(small):
        left, top = number % across * (width + 4), number // across * (height + TITLE_PX + 4)
        pen.text((left + 2, top + 2), title, fill="black")
        sheet.paste(Image.fromarray(np.ascontiguousarray(pixels)), (left, top + TITLE_PX))
    sheet.save(path)
    return path
