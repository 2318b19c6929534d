"""senard: an area and a period in, the best cloud-free Sentinel-2 mosaic out."""

__version__ = "0.1.0"

ALGORITHM_VERSION = "9"
"""Part of every request's identity and of the place of masks: raised whenever delivered pixel values change."""
