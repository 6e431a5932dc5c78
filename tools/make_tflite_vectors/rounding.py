# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Numbers at which it shows whether scales were combined in float32 or in double."""

import math

import numpy as np

import values


def fixed_point(factor: float) -> tuple[int, int]:
    """31-bit mantissa and exponent: factor = mantissa / 2^31 * 2^exponent."""
    fraction, exponent = math.frexp(factor)
    mantissa = math.floor(fraction * 2**31 + 0.5)
    return (mantissa // 2, exponent + 1) if mantissa == 2**31 else (mantissa, exponent)


def rescaled(sums: np.ndarray, factor: float) -> np.ndarray:
    """Rounded to the high half of the product, then shifted with a second rounding; factor < 1."""
    mantissa, exponent = fixed_point(factor)
    high = (sums * mantissa + 2**30) >> 31
    mask = (1 << -exponent) - 1
    return (high >> -exponent) + ((high & mask) > (mask >> 1) + (high < 0))


def contested(in_scale: float, w_scale: float, out_scale: float, reach: int, which: int) -> int:
    """One of the sums whose result within +-reach depends on the product; odd ones are negative."""
    a, b, out = np.float32(in_scale), np.float32(w_scale), float(np.float32(out_scale))
    exact, single = float(a) * float(b) / out, float(a * b) / out
    halves = np.arange(reach - 1, 0, -1) + 0.5
    for half in halves[which // 2 * 2:]:  # the farther from zero, the farther both are apart
        middle = int(half / exact)
        width = int(abs(half / exact - half / single)) + 2
        sums = np.arange(middle - width, middle + width + 1)
        sums = -sums if which % 2 else sums
        if (differ := sums[rescaled(sums, exact) != rescaled(sums, single)]).size:
            return int(differ[differ.size // 2])
    return int(halves[0] / exact)  # the product happens to be (almost) exact


def quotient(a, b, out):
    """a / out both ways; b plays no part."""
    return float(a) / float(out), float(a / out)


def product_first(a, b, out):
    """a * b / out in double, and with a product in float32."""
    return float(a) * float(b) / float(out), float(a * b) / float(out)


def division_too(a, b, out):
    """a * b / out with a product in float32: the division in double, or in float32 as well."""
    return float(a * b) / float(out), float((a * b) / out)


def scales_in_contest(key: str, number: int, result: int, ways, middle: float = 0.05, b=None):
    """Scales a, b, out at which a number becomes `result` one way and its neighbour the other."""
    half = abs(result) + 0.5
    half -= 0.5 * 2.0 ** fixed_point(half / abs(number))[1]  # the first rounding moves the border
    for attempt in range(2000):
        a, other = map(np.float32, values.scales(f"{key}/{attempt}", 2, middle))
        other = other if b is None else np.float32(b)
        ratio = float(a) * (1 if ways is quotient else float(other))
        out = np.float32(ratio * abs(number) / half)
        first, second = (rescaled(np.int64(number), f) for f in ways(a, other, out))
        if first != second:
            return float(a), float(other), float(out)
    raise ValueError(f"{key}: no such scales")
