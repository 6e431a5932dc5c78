# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantize-dequantize pairs as quantizing tools write them."""
import numpy as np

from net import Net
from tensors import Tensor, limits, random_codes, random_reals


class QdqNet(Net):
    """A Net with a word for each pattern. `kind` is the activations' type."""

    def __init__(self, name, about, kind="int8", opset=13, optimized=True):
        super().__init__(name, about, opset, optimized)
        self.kind, self.scales = kind, {}
        self.zero = {"uint8": 121, "int8": -5, "uint16": 33000, "int16": 0}[kind]
        self.count = 0

    def _parameters(self, scale, zero, kind):
        self.count += 1
        return [self.scalar(f"scale_{self.count}", "float32", scale),
                self.scalar(f"zero_point_{self.count}", kind, zero)]

    def step(self, reach):
        """The scale that maps [-reach, reach] onto the type; 4 digits."""
        low, high = limits(self.kind)
        return float(f"{2 * reach / (high - low):.4g}")

    def real_input(self, name, shape, reach=2.0, declared=None):
        """A float graph input."""
        return self.input(name, random_reals(f"{self.name} {name}", shape, reach), declared)

    def coded_input(self, name, shape, reach=2.0):
        """A graph input of codes, dequantized."""
        self.input(name, random_codes(f"{self.name} {name}", self.kind, shape))
        return self.dq(name, self._parameters(self.step(reach), self.zero, self.kind))

    def dq(self, codes, parameters, **attributes):
        """DequantizeLinear of codes."""
        real = self.node("DequantizeLinear", [codes, *parameters], codes + "_real", **attributes)
        scale = self.constants.get(parameters[0])
        self.scales[real] = float(scale[0].array) if scale and scale[0].array.ndim == 0 else None
        return real

    def q(self, real, reach, zero=None, result=None):
        """QuantizeLinear; returns the codes and the parameters used."""
        parameters = self._parameters(self.step(reach), self.zero if zero is None else zero, self.kind)
        return self.node("QuantizeLinear", [real, *parameters], result or real + "_codes"), parameters

    def qdq(self, real, reach, zero=None):
        """Both, after an operator."""
        return self.dq(*self.q(real, reach, zero))

    def weights(self, shape, axis=None, kind="int8", reach=0.4, from_float=False, block=None, zeros=False):
        """Dequantized constant codes, one scale for all, per index of `axis`, or per block along it."""
        self.count += 1
        label = f"w_{self.count}"
        low, high = limits(kind)
        around = []
        if axis is not None:
            around = [shape[axis]] if not block else [
                -(-e // block) if i == axis else e for i, e in enumerate(shape)]
        spread = np.abs(random_reals(f"{self.name} {label} scale", around, 0.6).array) + 0.4
        scale = Tensor("float32", spread * (2 * reach / (high - low)))
        zero = random_codes(f"{self.name} {label} zero", kind, around) if zeros else \
            Tensor(kind, np.full(around, 0 if low else (high + 1) // 2))
        self.const(label + "_scale", scale)
        parameters = [label + "_scale"]
        if low == 0 or zeros or from_float:
            parameters.append(self.const(label + "_zero_point", zero))
        attributes = {} if axis is None else {"axis": axis}
        if block:
            attributes["block_size"] = block
        if from_float:
            self.const(label, random_reals(f"{self.name} {label}", shape, reach))
            codes = self.node("QuantizeLinear", [label, *parameters], label + "_codes", **attributes)
        else:
            codes = self.const(label, random_codes(f"{self.name} {label}", kind, shape, low + 1 if low else None))
        real = self.node("DequantizeLinear", [codes, *parameters], label + "_real", **attributes)
        self.scales[real] = scale.array
        return real

    def bias(self, x, w, channels, reach=0.5):
        """Dequantized int32 codes, scale = that of x times that of w, in float32."""
        self.count += 1
        label = f"b_{self.count}"
        scale = np.float32(self.scales[x]) * np.asarray(self.scales[w], np.float32)
        codes = np.rint(random_reals(f"{self.name} {label}", (channels,), reach).array / scale)
        self.const(label, Tensor("int32", codes))
        self.const(label + "_scale", Tensor("float32", scale))
        return self.node("DequantizeLinear", [label, label + "_scale"], label + "_real",
                         **({"axis": 0} if np.ndim(scale) else {}))

    def done(self, real, reach, coded=False, zero=None):
        """Quantizes the last result and marks the output: codes, or dequantized again."""
        if coded:
            codes, _ = self.q(real, reach, zero, "y")
            return self.output(codes)
        codes, parameters = self.q(real, reach, zero)
        return self.output(self.node("DequantizeLinear", [codes, *parameters], "y"))
