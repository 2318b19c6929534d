"""One spectrum of many: quantiles, the geometric median, and the observation nearest to either.

Every pixel is worked out by itself, in float64 and in the order of the observations: its number depends on neither
block nor tile. An observation that takes no part is 0 in all its bands.
"""

import numpy as np
from numba import njit

from senard.model.arrays import Float64Array, Int16Array, UInt16Array

GEOMEDIAN_STEP_DN = 0.0001
"""Weiszfeld's steps end when one is shorter than this, DN: results are within 0.2 DN of the exact median on spectra
like those of Sentinel-2."""

GEOMEDIAN_STEPS = 10_000
"""Steps at most; where two observations compete, steps shrink slowly."""


def quantiles(stack: UInt16Array, share: float) -> Float64Array:
    """Quantile of every band by itself, linear between neighbours, as numpy's.

    Args:
        stack: (time, band, y, x) DN, 0 takes no part.
        share: 0.5 is the median.

    Returns:
        (band, y, x) DN with fractions; 0 where nothing takes part.
    """
    out = np.zeros(stack.shape[1:])
    _quantiles(stack, share, out)
    return out


def geomedians(stack: UInt16Array) -> Float64Array:
    """The spectrum with the least sum of distances to all observations, bands weighted alike.

    An observation that is that spectrum itself is found exactly; of two observations it is their mean. Elsewhere
    Weiszfeld's steps lead from the mean to it. Source: Vardi and Zhang, PNAS 97 (2000), 1423-1426.

    Args:
        stack: (time, band, y, x) DN, 0 takes no part.

    Returns:
        (band, y, x) DN with fractions; 0 where nothing takes part.
    """
    out = np.zeros(stack.shape[1:])
    _geomedians(stack, GEOMEDIAN_STEP_DN**2, GEOMEDIAN_STEPS, out)
    return out


def nearest(stack: UInt16Array, wanted: Float64Array) -> Int16Array:
    """The observation nearest to a spectrum, by the sum of squares over the bands; the earliest of equals.

    Args:
        stack: (time, band, y, x) DN, 0 takes no part.
        wanted: (band, y, x) DN.

    Returns:
        (y, x) place in the stack; -1 where nothing takes part.
    """
    out = np.full(stack.shape[2:], -1, dtype=np.int16)
    _nearest(stack, wanted, out)
    return out


def delivered_dn(spectra: Float64Array) -> UInt16Array:
    """DN with fractions as they are delivered: rounded, halves up, also halves that Weiszfeld's steps just missed."""
    return np.floor(spectra + (0.5 + 1e-6)).astype(np.uint16)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _quantiles(stack: UInt16Array, share: float, out: Float64Array) -> None:
    times, bands, rows, cols = stack.shape
    values = np.empty(times)
    for band in range(bands):
        for row in range(rows):
            for col in range(cols):
                number = 0
                for time in range(times):
                    value = float(stack[time, band, row, col])
                    if value == 0:
                        continue
                    at = number
                    while at > 0 and values[at - 1] > value:
                        values[at] = values[at - 1]
                        at -= 1
                    values[at] = value
                    number += 1
                if number > 0:
                    place = share * (number - 1)
                    low = int(place)
                    high = min(low + 1, number - 1)
                    out[band, row, col] = values[low] + (values[high] - values[low]) * (place - low)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _distance(first: Float64Array, second: Float64Array) -> float:
    total = 0.0
    for band in range(first.size):
        total += (first[band] - second[band]) ** 2
    return float(np.sqrt(total))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _observation_in_the_middle(spectra: Float64Array, number: int, pull: Float64Array) -> int:
    """Place of the observation that no other ones pull away: it is the geometric median; -1 if there is none."""
    for k in range(number):
        pull[:] = 0.0
        weight = 0.0
        for i in range(number):
            distance = _distance(spectra[i], spectra[k])
            if distance == 0:
                weight += 1.0
                continue
            for band in range(pull.size):
                pull[band] += (spectra[i, band] - spectra[k, band]) / distance
        total = 0.0
        for band in range(pull.size):
            total += pull[band] ** 2
        if total < weight**2 - 1e-9:  # of two observations each pulls the other by 1, but for rounding
            return k
    return -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _weiszfeld(
    spectra: Float64Array, number: int, least: float, most: int, here: Float64Array, there: Float64Array
) -> None:
    """Move `here` from the mean to the point with the least sum of distances."""
    here[:] = 0.0
    for i in range(number):
        for band in range(here.size):
            here[band] += spectra[i, band] / number
    for _ in range(most):
        there[:] = 0.0
        weights = 0.0
        for i in range(number):
            # no step ends on an observation that is not the median; 1e-6 DN keeps one that comes near from freezing
            weight = 1.0 / max(_distance(spectra[i], here), 1e-6)
            weights += weight
            for band in range(here.size):
                there[band] += weight * spectra[i, band]
        moved = 0.0
        for band in range(here.size):
            there[band] /= weights
            moved += (there[band] - here[band]) ** 2
            here[band] = there[band]
        if moved < least:
            break


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _geomedians(stack: UInt16Array, least: float, most: int, out: Float64Array) -> None:
    times, bands, rows, cols = stack.shape
    spectra = np.empty((times, bands))
    here, there = np.empty(bands), np.empty(bands)
    for row in range(rows):
        for col in range(cols):
            number = 0
            for time in range(times):
                if stack[time, 0, row, col] > 0:
                    for band in range(bands):
                        spectra[number, band] = stack[time, band, row, col]
                    number += 1
            if number == 0:
                continue
            middle = _observation_in_the_middle(spectra, number, there)
            if middle >= 0:
                here[:] = spectra[middle]
            else:
                _weiszfeld(spectra, number, least, most, here, there)
            out[:, row, col] = here


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _nearest(stack: UInt16Array, wanted: Float64Array, out: Int16Array) -> None:
    times, bands, rows, cols = stack.shape
    for row in range(rows):
        for col in range(cols):
            best = np.inf
            for time in range(times):
                if stack[time, 0, row, col] == 0:
                    continue
                total = 0.0
                for band in range(bands):
                    total += (float(stack[time, band, row, col]) - wanted[band, row, col]) ** 2
                if total < best:
                    best = total
                    out[row, col] = time
