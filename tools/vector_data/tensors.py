# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors by the name of their type, and numbers that depend on nothing but a label."""
import zlib

import numpy as np

# Name -> (code in an ONNX file, numpy type one element is held in here, bits).
TYPES = {
    "float32": (1, np.float32, 32),
    "float16": (10, np.float16, 16),
    "uint8": (2, np.uint8, 8),
    "int8": (3, np.int8, 8),
    "uint16": (4, np.uint16, 16),
    "int16": (5, np.int16, 16),
    "int32": (6, np.int32, 32),
    "int64": (7, np.int64, 64),
    "uint4": (21, np.uint8, 4),
    "int4": (22, np.int8, 4),
    "uint2": (25, np.uint8, 2),
    "int2": (26, np.int8, 2),
}
BY_CODE = {code: name for name, (code, _, _) in TYPES.items()}


class Tensor:
    """An array and the name of its element type; 4- and 2-bit elements take a byte each."""

    def __init__(self, dtype, array):
        self.dtype = dtype
        self.array = np.ascontiguousarray(np.asarray(array).astype(TYPES[dtype][1]))
        if np.ndim(array) == 0:
            self.array = self.array.reshape(())

    @property
    def code(self):
        return TYPES[self.dtype][0]

    @property
    def bits(self):
        return TYPES[self.dtype][2]

    @property
    def shape(self):
        return list(self.array.shape)

    def packed(self):
        """The bytes of TensorProto.raw_data."""
        if self.bits >= 8:
            return self.array.astype(self.array.dtype.newbyteorder("<")).tobytes()
        per_byte, mask = 8 // self.bits, (1 << self.bits) - 1
        codes = self.array.reshape(-1).astype(np.uint8) & mask
        codes = np.concatenate([codes, np.zeros(-len(codes) % per_byte, np.uint8)])
        codes = codes.reshape(-1, per_byte).astype(np.uint32)
        return sum(codes[:, i] << (i * self.bits) for i in range(per_byte)).astype(np.uint8).tobytes()


def limits(dtype):
    """Lowest and highest code."""
    bits = TYPES[dtype][2]
    return (0, 2**bits - 1) if dtype[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _noise(label, count):
    """64-bit words from a counter through a mixer (Steele et al., SplitMix64)."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state += np.uint64(zlib.crc32(label.encode())) << np.uint64(17)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return state ^ (state >> np.uint64(31))


def random_codes(label, dtype, shape, lowest=None, highest=None):
    """Integers over the whole type or the given range."""
    low, high = limits(dtype)
    low = low if lowest is None else lowest
    high = high if highest is None else highest
    noise = _noise(label, int(np.prod(shape, dtype=np.int64)))
    values = (noise >> np.uint64(20)) % np.uint64(high - low + 1)
    return Tensor(dtype, (values.astype(np.int64) + low).reshape(shape))


def random_reals(label, shape, reach=2.0, grid=None):
    """float32 in [-reach, reach]; multiples of `grid` where sums shall be exact in any order."""
    noise = _noise(label, int(np.prod(shape, dtype=np.int64))) >> np.uint64(40)
    values = noise.astype(np.float64) / 2**23 - 1.0
    values = values * reach if grid is None else np.rint(values * (reach / grid)) * grid
    return Tensor("float32", (values + 0.0).reshape(shape))
