# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the operators with weights have in common: kinds of numbers, weights, bias, output scale."""

import dataclasses
import math

import numpy as np

import values
from net import Net
from rounding import contested


@dataclasses.dataclass(frozen=True)
class Kind:
    """Types of activations, weights and bias; zero points; one scale per output channel or one."""
    activation: str
    weight: str
    bias: str
    per_channel: bool = False
    zeros: tuple[int, int, int] = (0, 0, 0)  # input, weights, output
    in_scale: float = 0.0731
    w_scale: float = 0.0117


KINDS = {
    "int8": Kind("int8", "int8", "int32", True, (-5, 0, 9)),
    "int8_per_tensor": Kind("int8", "int8", "int32", False, (17, 0, -23)),
    "int8_weight_zero": Kind("int8", "int8", "int32", False, (-5, 31, 9)),
    "uint8": Kind("uint8", "uint8", "int32", False, (121, 139, 97)),
    "int16": Kind("int16", "int8", "int64", True, in_scale=0.000313),
    "int16_bias32": Kind("int16", "int8", "int32", True, in_scale=0.000277),
    "int16_per_tensor": Kind("int16", "int8", "int64", in_scale=0.000313),
    "int16_bias32_per_tensor": Kind("int16", "int8", "int32", in_scale=0.000277),
    "int4_per_tensor": Kind("int8", "int4", "int32", False, (11, 0, -9), w_scale=0.21),
    "int4": Kind("int8", "int4", "int32", True, (-5, 0, 9), w_scale=0.21),
    "hybrid": Kind("float32", "int8", "float32", True),
    "hybrid_per_tensor": Kind("float32", "int8", "float32"),
    "hybrid_int4": Kind("float32", "int4", "float32", True, w_scale=0.21),
    "hybrid_uint8": Kind("float32", "uint8", "float32"),
    "float32": Kind("float32", "float32", "float32"),
}
# Weights and output scale that make the multiplier about 0.4: there the roundings differ most.
SHIFT_1 = {"int8": ((-1, 1), 0.0021), "int8_per_tensor": ((-1, 1), 0.0021),
           "uint8": ((138, 140), 0.0021), "int4": ((-1, 1), 0.038), "int16": ((-1, 1), 0.0000092),
           "int16_bias32": ((-1, 1), 0.0000081)}
# Weights of zero and an output scale so large that sums have many digits.
CONTEST = {"int8": ((0, 0), 813.0), "int8_per_tensor": ((0, 0), 813.0),
           "uint8": ((139, 139), 813.0), "int16_bias32": ((0, 0), 0.017),
           "int16_bias32_per_tensor": ((0, 0), 0.017), "int4_per_tensor": ((0, 0), 14000.0)}
WEIGHTS = {"int8": (-127, 127), "uint8": (0, 255), "int4": (-7, 7)}
# Input scales are divided by this, so that a good part of the results lies between both bounds.
FINER = {"RELU6": 5, "RELU_N1_TO_1": 25}


def rms(lowest: int, highest: int) -> float:
    """Root mean square of centred uniform codes."""
    return (highest - lowest + 1) / math.sqrt(12)


class Linear:
    """Adds input, weights, bias and output of one operator to a net, with fitting scales."""

    def __init__(self, key: str, kind: str, activation: str = "NONE"):
        self.net, self.kind, self.quantized = Net(key), KINDS[kind], kind != "float32"
        scale = self.kind.in_scale / FINER.get(activation, 1)
        self.kind = dataclasses.replace(self.kind, in_scale=scale)
        self.integer = self.kind.activation != "float32"
        self.fan_in, self.w_scales, self.w_bounds = 1, [1.0], None
        self.contest = 0.0

    def contests(self, kind: str, out_scale) -> None:
        """Says which output scale is coming, before the bias is made."""
        if kind in CONTEST and out_scale == CONTEST[kind][1]:
            self.contest = out_scale

    def input(self, shape, data=None) -> int:
        """The activations: all codes, or for float numbers whose sums are exact."""
        k = self.kind
        if self.integer:
            return self.net.input("input", k.activation, shape, k.in_scale, k.zeros[0], data)
        if data is None:
            data = values.reals(self.net.key + "/input", shape, -4, 4,
                                0 if self.quantized else 1 / 16)
        return self.net.input("input", "float32", shape, data=data)

    def weights(self, shape, axis: int, fan_in: int, bounds=None) -> int:
        """Constant weights; `axis` counts output channels."""
        k, key = self.kind, self.net.key + "/weights"
        self.fan_in, self.channels = fan_in, shape[axis]
        if not self.quantized:
            return self.net.const("weights", "float32", values.reals(key, shape, -2, 2, 1 / 16))
        self.w_bounds = bounds or WEIGHTS[k.weight]
        self.w_scales = (values.scales(key, self.channels, k.w_scale) if k.per_channel
                         else [k.w_scale])
        return self.net.const("weights", k.weight, values.codes(key, shape, *self.w_bounds),
                              self.w_scales, k.zeros[1], axis)

    def bias(self) -> int:
        """One number per output channel, about as large as the sums they are added to.

        Where the output scale is that of a contest: sums that depend on how the product of the
        other two scales is taken.
        """
        k, key = self.kind, self.net.key + "/bias"
        if not self.integer:
            return self.net.const("bias", "float32",
                                  values.reals(key, [self.channels], -8, 8, 1 / 16))
        size = int(self._sum_size())
        in_scale = np.float64(np.float32(k.in_scale))
        scales = [float(np.float32(in_scale * np.float64(np.float32(w)))) for w in self.w_scales]
        data = values.codes(key, [self.channels], -size, size)
        if self.contest:
            many = self.w_scales * (self.channels // len(self.w_scales))
            lowest, highest = values.RANGE[k.activation]
            reach = min(highest - k.zeros[2], k.zeros[2] - lowest) - 4
            data = [contested(k.in_scale, s, self.contest, reach, i) for i, s in enumerate(many)]
        return self.net.const("bias", k.bias, data, scales, 0, 0)

    def _sum_size(self) -> float:
        return (rms(*values.RANGE[self.kind.activation]) * rms(*self.w_bounds)
                * math.sqrt(self.fan_in))

    def out_scale(self) -> float:
        """A scale at which the largest sums saturate."""
        middle = math.exp(sum(map(math.log, self.w_scales)) / len(self.w_scales))
        lowest, highest = values.RANGE[self.kind.activation]
        return self.kind.in_scale * middle * self._sum_size() * 4 / (highest - lowest + 1)

    def output(self, shape, zero=None, scale=None) -> int:
        """The result."""
        if not self.integer:
            return self.net.output("output", "float32", shape)
        return self.net.output("output", self.kind.activation, shape, scale or self.out_scale(),
                               self.kind.zeros[2] if zero is None else zero)


def extent(size: int, window: int, stride: int, padding: str, dilation: int = 1) -> int:
    """Output rows of a sliding window."""
    if padding == "SAME":
        return -(-size // stride)
    return (size - (window - 1) * dilation - 1) // stride + 1
