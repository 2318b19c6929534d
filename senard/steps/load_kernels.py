"""What a mosaic computes with, loaded before processes are forked that need it."""

import gc
from functools import cache

import numpy as np

from senard.algorithms.smoothing import gaussian_kernel, smooth
from senard.steps import (  # noqa: F401, what they bring is meant
    blend_tile,
    composite_tile,
    finish_product,
    forecast_scene,
    level_scenes,
    mask_scene,
    normalise_views,
    rank_scenes,
    select_participants,
    select_sources,
    weigh_scenes,
    write_classes,
    write_quality,
)


@cache
def load_kernels() -> None:
    """Make numba ready in this process: those forked from it share that, where each would take 0.4 s for it.

    A second call does nothing.
    """
    smooth(np.zeros((1, 1), dtype=np.float32), gaussian_kernel(1.0, radius=1))  # numba loads itself at the first call
    gc.freeze()  # no child looks through what it was born with, and copies it by looking
