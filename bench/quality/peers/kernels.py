"""The inner loops of the statistics, compiled."""

import numpy as np
from numba import njit

from senard.model.arrays import BoolArray, Int16Array, UInt16Array


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def quantile(seen: UInt16Array, valid: BoolArray, share: float, out: UInt16Array) -> None:
    """Quantile of every band by itself, linear between neighbours and rounded; 0 where nothing is valid.

    Args:
        seen: (time, band, y, x) DN.
        valid: (time, y, x).
        share: 0.5 is the median.
        out: (band, y, x), filled.
    """
    times, bands, rows, cols = seen.shape
    values = np.empty(times, dtype=np.uint16)
    for band in range(bands):
        for row in range(rows):
            for col in range(cols):
                number = 0
                for time in range(times):
                    if valid[time, row, col]:
                        key = seen[time, band, row, col]
                        place = number - 1
                        while place >= 0 and values[place] > key:
                            values[place + 1] = values[place]
                            place -= 1
                        values[place + 1] = key
                        number += 1
                out[band, row, col] = 0
                if number > 0:
                    position = share * (number - 1)
                    low = int(np.floor(position))
                    high = min(low + 1, number - 1)
                    part = position - low
                    exact = values[low] * (1.0 - part) + values[high] * part
                    out[band, row, col] = np.uint16(np.floor(exact + 0.5))


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def nearest(seen: UInt16Array, valid: BoolArray, wanted: UInt16Array, source: Int16Array) -> None:
    """The valid view nearest to a spectrum, by the sum of squares over the bands; the earliest of equals.

    Args:
        seen: (time, band, y, x) DN.
        valid: (time, y, x).
        wanted: (band, y, x) DN.
        source: (y, x), filled; -1 where nothing is valid.
    """
    times, bands, rows, cols = seen.shape
    for row in range(rows):
        for col in range(cols):
            best = np.int64(-1)
            source[row, col] = -1
            for time in range(times):
                if not valid[time, row, col]:
                    continue
                total = np.int64(0)
                for band in range(bands):
                    step = np.int64(seen[time, band, row, col]) - np.int64(wanted[band, row, col])
                    total += step * step
                if best < 0 or total < best:
                    best = total
                    source[row, col] = time


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def medoid(seen: UInt16Array, valid: BoolArray, source: Int16Array) -> None:
    """The valid view nearest to the median of every band; medians of an even number keep their half.

    Args:
        seen: (time, band, y, x) DN.
        valid: (time, y, x).
        source: (y, x), filled; -1 where nothing is valid.
    """
    times, bands, rows, cols = seen.shape
    values = np.empty(times, dtype=np.int64)
    doubled = np.empty(bands, dtype=np.int64)
    for row in range(rows):
        for col in range(cols):
            source[row, col] = -1
            for band in range(bands):
                number = 0
                for time in range(times):
                    if valid[time, row, col]:
                        key = np.int64(seen[time, band, row, col])
                        place = number - 1
                        while place >= 0 and values[place] > key:
                            values[place + 1] = values[place]
                            place -= 1
                        values[place + 1] = key
                        number += 1
                if number > 0:
                    doubled[band] = values[(number - 1) // 2] + values[number // 2]
            best = np.int64(-1)
            for time in range(times):
                if not valid[time, row, col]:
                    continue
                total = np.int64(0)
                for band in range(bands):
                    step = 2 * np.int64(seen[time, band, row, col]) - doubled[band]
                    total += step * step
                if best < 0 or total < best:
                    best = total
                    source[row, col] = time


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def geomedian(seen: UInt16Array, valid: BoolArray, sweeps: int, out: UInt16Array) -> None:
    """The spectrum with the least sum of distances to all valid ones, by Weiszfeld's steps from their mean.

    Args:
        seen: (time, band, y, x) DN.
        valid: (time, y, x).
        sweeps: steps at most; they end when a step is shorter than half a DN.
        out: (band, y, x), filled; 0 where nothing is valid.
    """
    times, bands, rows, cols = seen.shape
    here, step = np.empty(bands), np.empty(bands)
    for row in range(rows):
        for col in range(cols):
            number = 0
            here[:] = 0.0
            for time in range(times):
                if valid[time, row, col]:
                    number += 1
                    for band in range(bands):
                        here[band] += seen[time, band, row, col]
            if number == 0:
                out[:, row, col] = 0
                continue
            here /= number
            for _ in range(sweeps):
                step[:] = 0.0
                weights = 0.0
                for time in range(times):
                    if not valid[time, row, col]:
                        continue
                    square = 0.0
                    for band in range(bands):
                        square += (seen[time, band, row, col] - here[band]) ** 2
                    weight = 1.0 / max(np.sqrt(square), 1e-3)
                    weights += weight
                    for band in range(bands):
                        step[band] += weight * seen[time, band, row, col]
                moved = 0.0
                for band in range(bands):
                    moved += (step[band] / weights - here[band]) ** 2
                    here[band] = step[band] / weights
                if moved < 0.25:
                    break
            for band in range(bands):
                out[band, row, col] = np.uint16(np.floor(here[band] + 0.5))
