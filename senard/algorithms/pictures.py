"""Numbers to colours: stretching, a ramp whose steps look equally large, counts for histograms."""

import numpy as np

from senard.model.arrays import BoolArray, Float64Array, UInt8Array, UInt16Array

GAMMA = 1 / 1.4
"""Exponent of the quicklook's stretch; below 1 it brightens the dark. Source: product-spec §9."""

_OKLAB_TO_LMS = np.array(
    [[1.0, 0.3963377774, 0.2158037573], [1.0, -0.1055613458, -0.0638541728], [1.0, -0.0894841775, -1.2914855480]]
)
_LMS_TO_LINEAR_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
"""Source of both matrices: B. Ottosson, A perceptual color space for image processing, 2020."""

_RAMP_ANCHORS = np.array(
    [
        # lightness, chroma, hue in degrees: violet, blue, teal, green, yellow; within sRGB all the way
        [0.30, 0.145, 302.0],
        [0.44, 0.110, 262.0],
        [0.58, 0.092, 205.0],
        [0.72, 0.135, 155.0],
        [0.92, 0.165, 108.0],
    ]
)


def stretch_colours(dn: UInt16Array, *, high_dn: float, gamma: float = GAMMA) -> UInt8Array:
    """Turn three bands into a picture with transparent nodata.

    Args:
        dn: (3, y, x) uint16, DN of the bands shown as red, green and blue; 0 is nodata.
        high_dn: DN that becomes full brightness: 2500 for reflectance 0.25.
        gamma: exponent after scaling to 0-1.

    Returns:
        (y, x, 4) uint8, red, green, blue, alpha; alpha is 0 where every band is nodata, else 255.
    """
    table = (255 * np.clip(np.arange(65536) / high_dn, 0, 1) ** gamma + 0.5).astype(np.uint8)
    rgba = np.empty((*dn.shape[1:], 4), dtype=np.uint8)
    rgba[..., :3] = table[np.moveaxis(dn, 0, -1)]
    rgba[..., 3] = np.where(dn.any(axis=0), 255, 0)
    rgba[rgba[..., 3] == 0] = 0
    return rgba


def perceptual_ramp(size: int = 256) -> UInt8Array:
    """A ramp from dark violet to light yellow whose equal steps look equally large, in colour and in grey.

    The path between the anchors is drawn in OKLab and walked at constant lightness gain, so that dates keep their order
    also for readers who do not tell red from green, and on a grey print.

    Args:
        size: number of colours.

    Returns:
        (size, 3) uint8, sRGB.
    """
    lightness = np.linspace(_RAMP_ANCHORS[0, 0], _RAMP_ANCHORS[-1, 0], size)
    chroma = np.interp(lightness, _RAMP_ANCHORS[:, 0], _RAMP_ANCHORS[:, 1])
    hue = np.radians(np.interp(lightness, _RAMP_ANCHORS[:, 0], _RAMP_ANCHORS[:, 2]))
    return _srgb(np.column_stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)]))


def pick_colours(share: Float64Array, ramp: UInt8Array) -> UInt8Array:
    """Colours of shares along a ramp.

    Args:
        share: any shape, float64, 0 is the ramp's first colour, 1 its last; outside values take the ends.
        ramp: (n, 3) uint8, sRGB.

    Returns:
        (…, 3) uint8, sRGB.
    """
    return ramp[np.rint(np.clip(share, 0, 1) * (len(ramp) - 1)).astype(np.intp)]


def paint_classes(classes: UInt16Array, colours: UInt8Array, *, shown: BoolArray) -> UInt8Array:
    """A picture of class numbers.

    Args:
        classes: (y, x) uint16, below the number of colours where shown.
        colours: (n, 3) uint8, sRGB of each class.
        shown: (y, x) bool, True where the picture is opaque.

    Returns:
        (y, x, 4) uint8, red, green, blue, alpha.
    """
    rgba = np.zeros((*classes.shape, 4), dtype=np.uint8)
    rgba[shown, :3] = colours[classes[shown]]
    rgba[shown, 3] = 255
    return rgba


def _srgb(oklab: Float64Array) -> UInt8Array:
    """(n, 3) OKLab to (n, 3) uint8 sRGB, clipped to the gamut."""
    linear = (oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_LINEAR_RGB.T
    clipped = np.clip(linear, 0, 1)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded).astype(np.uint8)
