"""Which pixels Pillow's resizing puts together and how much each counts, in its own integers.

Source: `precompute_coeffs` and `normalize_coeffs_8bpc` of Resample.c, `ImagingScaleAffine` of Geometry.c, Pillow 13.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PRECISION_BITS = 32 - 8 - 2
_NEAREST = 0

Positions = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """What the pixels along one side of a resized image are made of.

    Attributes:
        indices: int32 [taps, target]; a pixel's taps are these pixels of the source.
        weights: int32 [taps, target]; how much each counts, in units of 2 ** -PRECISION_BITS.
    """

    indices: Integers
    weights: Integers


@dataclass(frozen=True, slots=True)
class _Filter:
    weigh: Callable[[Positions], Positions]
    support: float


def is_known(resample: int) -> bool:
    """Whether `taps` knows Pillow's filter of this number."""
    return resample == _NEAREST or resample in _FILTERS


def taps(source: int, target: int, resample: int) -> Taps:
    """The taps that make `target` pixels of `source` ones.

    Args:
        source, target: A side of the image before and after, pixels.
        resample: Pillow's number of the filter.

    Raises:
        KeyError: no filter has this number.
    """
    if resample == _NEAREST:
        return _nearest(source, target)
    kind = _FILTERS[resample]
    scale = source / target
    stretch = max(scale, 1.0)
    reach = kind.support * stretch
    centres = (np.arange(target) + 0.5) * scale
    first = np.maximum((centres - reach + 0.5).astype(np.int32), 0)
    end = np.minimum((centres + reach + 0.5).astype(np.int32), source)
    at = first + np.arange((end - first).max(), dtype=np.int32)[:, None]
    exact = np.where(at < end, kind.weigh((at - centres + 0.5) * (1.0 / stretch)), 0.0)
    total = sum(exact)  # one row after the other, as Pillow adds them
    fixed = np.divide(exact, total, out=exact, where=total != 0.0) * (1 << PRECISION_BITS)
    return Taps(np.minimum(at, source - 1), (fixed + np.copysign(0.5, fixed)).astype(np.int32))


def _nearest(source: int, target: int) -> Taps:
    scale = source / target
    steps = np.full(target, scale)
    steps[0] = scale * 0.5
    indices = np.cumsum(steps).astype(np.int32)[None]
    return Taps(indices, np.full_like(indices, 1 << PRECISION_BITS))


def _box(x: Positions) -> Positions:
    return np.where((x > -0.5) & (x <= 0.5), 1.0, 0.0)


def _bilinear(x: Positions) -> Positions:
    return np.maximum(1.0 - np.abs(x), 0.0)


def _hamming(x: Positions) -> Positions:
    x = np.abs(x)
    window = float(np.float32(0.54)) + float(np.float32(0.46)) * _cos(x * math.pi)
    return np.where(x < 1.0, _sinc(x) * window, 0.0)


def _bicubic(x: Positions) -> Positions:
    x = np.abs(x)
    a = -0.5
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.select([x < 1.0, x < 2.0], [near, far], 0.0)


def _lanczos(x: Positions) -> Positions:
    return np.where((x >= -3.0) & (x < 3.0), _sinc(x) * _sinc(x / 3), 0.0)


def _mks2013(x: Positions) -> Positions:
    x = np.abs(x)
    near = 17.0 / 16.0 - 7.0 / 4.0 * (x * x)
    middle = (1.0 - x) * (7.0 / 4.0 - x)
    far = -1.0 / 8.0 * ((x - 5.0 / 2.0) * (x - 5.0 / 2.0))
    return np.select([x < 0.5, x < 1.5, x < 2.5], [near, middle, far], 0.0)


def _mks2021(x: Positions) -> Positions:
    x = np.abs(x)
    rings = [
        577.0 / 576.0 - 239.0 / 144.0 * (x * x),
        35.0 / 36.0 * (x - 1.0) * (x - 239.0 / 140.0),
        1.0 / 6.0 * (x - 2.0) * (65.0 / 24.0 - x),
        1.0 / 36.0 * (x - 3.0) * (x - 15.0 / 4.0),
        -1.0 / 288.0 * ((x - 9.0 / 2.0) * (x - 9.0 / 2.0)),
    ]
    return np.select([x < 0.5, x < 1.5, x < 2.5, x < 3.5, x < 4.5], rings, 0.0)


def _sinc(x: Positions) -> Positions:
    x = x * math.pi
    return np.divide(_sin(x), x, out=np.ones_like(x), where=x != 0.0)


# The C library's, as Pillow takes them: on some processors numpy has its own, which round otherwise.
_sin = np.vectorize(math.sin, otypes=[np.float64])
_cos = np.vectorize(math.cos, otypes=[np.float64])

_FILTERS: Mapping[int, _Filter] = {
    1: _Filter(_lanczos, 3.0),
    2: _Filter(_bilinear, 1.0),
    3: _Filter(_bicubic, 2.0),
    4: _Filter(_box, 0.5),
    5: _Filter(_hamming, 1.0),
    6: _Filter(_mks2013, 2.5),
    7: _Filter(_mks2021, 4.5),
}
"""Pillow's numbers; the last two came with Pillow 13."""
