"""senard: an area and a period in, the best cloud-free Sentinel-2 mosaic out."""

__version__ = "0.1.0"

ALGORITHM_VERSION = "1"
"""Part of every request's identity: raised whenever delivered pixel values change."""
