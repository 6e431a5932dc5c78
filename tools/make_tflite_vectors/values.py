# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Numbers that depend on a name alone, so that every run of the tool writes the same files."""

import math

import numpy as np

from tensors import random_codes

RANGE = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int4": (-8, 7),
         "int32": (-2**31, 2**31 - 1), "int64": (-2**63, 2**63 - 1)}
STORAGE = {"int4": np.int8, "float32": np.float32, "bool": np.bool_}


def storage(dtype: str):
    """numpy type that holds one element."""
    return STORAGE.get(dtype) or np.dtype(dtype).type


def uniform(key: str, count: int) -> np.ndarray:
    """`count` integers in [0, 2^32)."""
    return random_codes(key, "int64", [count], 0, 2**32 - 1).array


def codes(key: str, shape, lowest: int, highest: int) -> np.ndarray:
    """Integers in [lowest, highest]; both ends occur when there is room for them."""
    count = math.prod(shape)
    out = lowest + (uniform(key, count) * (highest - lowest + 1) >> 32)
    if count >= 4:
        at = uniform(key + "/ends", 1)[0] % (count // 2)
        out[at], out[count - 1 - at] = lowest, highest
    return out.reshape(shape)


def reals(key: str, shape, lowest: float, highest: float, grid: float = 0) -> np.ndarray:
    """Floats in [lowest, highest]; multiples of `grid` make sums of products exact in any order."""
    u = uniform(key, math.prod(shape)) / 2.0**32
    out = lowest + u * (highest - lowest)
    if grid:
        out = np.round(out / grid) * grid
    return out.astype(np.float32).reshape(shape)


def scales(key: str, count: int, middle: float, spread: float = 3) -> list[float]:
    """`count` scales in [middle / spread, middle * spread], as float32."""
    u = uniform(key, count) / 2.0**32
    return [float(np.float32(middle * math.exp((2 * x - 1) * math.log(spread)))) for x in u]
