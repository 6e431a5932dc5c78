# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Complete small networks; every tensor that an operator writes is recorded."""

import math

import numpy as np

import linear
import values
from net import Net


CENTRED = {"uint8": (25, 253)}  # around the zero point 139


class Network(Net):
    """A net of layers of one kind; layers take and return tensor indices."""

    def __init__(self, name: str, kind: str):
        super().__init__(f"networks/{name}")
        self.name, self.kind = name, linear.KINDS[kind]
        self.type = self.kind.activation

    def shape(self, x):
        return self.tensors[x]["shape"]

    def start(self, name, shape):
        k = self.kind
        return self.input(name, self.type, shape, k.in_scale, k.zeros[0])

    def _weights(self, name, shape, axis, x, fan_in):
        """Weights, bias, and a scale for results that use most of their range."""
        k, key, many = self.kind, f"{self.key}/{name}", shape[axis] if self.kind.per_channel else 1
        bounds = CENTRED.get(k.weight) or linear.WEIGHTS[k.weight]
        scales = values.scales(key, many, k.w_scale, 1.5) if many > 1 else [k.w_scale]
        w = self.const(f"{name}/weights", k.weight, values.codes(key, shape, *bounds), scales,
                       k.zeros[1], axis)
        size = int(linear.rms(*values.RANGE[self.type]) * linear.rms(*bounds) * math.sqrt(fan_in))
        in_scale = np.float64(self.scale(x))
        b = self.const(f"{name}/bias", k.bias,
                       values.codes(key + "/bias", [shape[axis]], -size // 2, size // 2),
                       [float(np.float32(in_scale * np.float64(np.float32(s)))) for s in scales])
        lowest, highest = values.RANGE[self.type]
        return w, b, float(in_scale) * k.w_scale * size * 4 / (highest - lowest + 1)

    def _out(self, name, shape, scale, relu=False):
        zero = values.RANGE[self.type][0] if relu and self.type != "int16" else self.kind.zeros[2]
        return self.tensor(name, self.type, shape, scale / (2 if zero == 0 else 1), zero)

    def conv(self, name, x, filters, window, stride=1, relu=True, padding="SAME"):
        n, h, w, c = self.shape(x)
        k, b, scale = self._weights(name, [filters, window, window, c], 0, x, window * window * c)
        y = self._out(name, [n, *(linear.extent(e, window, stride, padding) for e in (h, w)),
                             filters], scale, relu)
        self.op("CONV_2D", [x, k, b], [y], "Conv2DOptions",
                {"padding": padding, "stride_h": stride, "stride_w": stride,
                 "fused_activation_function": "RELU" if relu else "NONE"},
                7 if self.kind.weight == "int4" else None)
        return y

    def depthwise(self, name, x, window, stride=1):
        n, h, w, c = self.shape(x)
        k, b, scale = self._weights(name, [1, window, window, c], 3, x, window * window)
        y = self._out(name, [n, -(-h // stride), -(-w // stride), c], scale, True)
        self.op("DEPTHWISE_CONV_2D", [x, k, b], [y], "DepthwiseConv2DOptions",
                {"padding": "SAME", "stride_h": stride, "stride_w": stride, "depth_multiplier": 1,
                 "fused_activation_function": "RELU"})
        return y

    def dense(self, name, x, units):
        depth = math.prod(self.shape(x)[1:])
        k, b, scale = self._weights(name, [units, depth], 0, x, depth)
        y = self._out(name, [self.shape(x)[0], units], scale)
        self.op("FULLY_CONNECTED", [x, k, b], [y], "FullyConnectedOptions", {},
                10 if self.kind.weight == "int4" else None)
        return y

    def like(self, name, x, shape):
        """A tensor with the scale and zero point of `x`."""
        q = self.tensors[x]["quantization"]
        return self.tensor(name, self.type, shape, self.scale(x), int(q["zero_point"][0]))

    def pool(self, name, op, x, window):
        n, h, w, c = self.shape(x)
        y = self.like(name, x, [n, h // window, w // window, c])
        self.op(op, [x], [y], "Pool2DOptions",
                {"padding": "VALID", "stride_h": window, "stride_w": window,
                 "filter_height": window, "filter_width": window})
        return y

    def add(self, name, a, b):
        y = self._out(name, self.shape(a), (self.scale(a) + self.scale(b)) * 0.8)
        wide = self.type == "int16"
        self.op("ADD", [a, b], [y], "AddOptions", {"pot_scale_int16": False} if wide else {},
                3 if wide else None)
        return y

    def mean(self, name, x):
        n, _, _, c = self.shape(x)
        y = self._out(name, [n, c], self.scale(x) * 0.7)
        self.op("MEAN", [x, self.const(name + "/axes", "int32", np.array([1, 2], np.int32))], [y],
                "ReducerOptions", {"keep_dims": False})
        return y

    def reshape(self, name, x, shape):
        y = self.like(name, x, shape)
        self.op("RESHAPE", [x, self.const(name + "/shape", "int32", np.array(shape, np.int32))],
                [y], "ReshapeOptions", {"new_shape": shape})
        return y

    def softmax(self, name, x):
        scale, zero = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0)}.get(
            self.type, (1 / 32768, 0))
        y = self.tensor(name, self.type, self.shape(x), scale, zero)
        beta = 4 / (self.scale(x) * values.RANGE[self.type][1])  # classes stay comparable
        self.op("SOFTMAX", [x], [y], "SoftmaxOptions", {"beta": beta})
        return y

    def floats(self, name, x):
        y = self.tensor(name, "float32", self.shape(x))
        self.op("DEQUANTIZE", [x], [y], "DequantizeOptions")
        return y


def residual(kind):
    """Convolutions with a skip connection, pooled, one dense layer, softmax."""
    n = Network(f"{kind}_residual", kind)
    x = n.start("image", [1, 9, 8, 3])
    stem = n.conv("stem", x, 8, 3, 2)
    deep = n.depthwise("deep", stem, 3) if kind != "int4" else n.conv("deep", stem, 8, 3)
    point = n.conv("point", deep, 8, 1, relu=False)
    total = n.add("total", stem, point)
    pooled = n.mean("pooled", total)
    n.outputs = [n.softmax("classes", n.dense("logits", pooled, 5))]
    return n.name, n


def pooled(kind):
    """Convolution, pool, reshape, two dense layers."""
    n = Network(f"{kind}_pooled", kind)
    x = n.start("image", [2, 6, 6, 2])
    y = n.pool("pool", "MAX_POOL_2D", n.conv("conv", x, 6, 3), 2)
    y = n.pool("pool2", "AVERAGE_POOL_2D", y, 3)
    y = n.dense("hidden", n.reshape("flat", y, [2, 6]), 9)
    n.outputs = [n.dense("logits", y, 4)]
    return n.name, n


def branches():
    """Two inputs; branches of unequal scale are concatenated; the later tensor is output first."""
    n = Network("uint8_branches", "uint8")
    a, b = n.start("first", [1, 5, 5, 3]), n.start("second", [1, 5, 5, 2])
    left, right = n.conv("left", a, 4, 3), n.conv("right", b, 3, 1, relu=False)
    both = n.tensor("both", "uint8", [1, 5, 5, 7], n.scale(right) * 1.1, 118)
    n.op("CONCATENATION", [left, right], [both], "ConcatenationOptions", {"axis": -1})
    squashed = n.tensor("squashed", "uint8", [1, 5, 5, 7], 1 / 256, 0)
    n.op("LOGISTIC", [both], [squashed])
    n.outputs = [n.dense("logits", squashed, 6), both]
    return n.name, n


def old_file():
    """Operators by their old number only; weights used twice, a buffer used by two tensors."""
    n = Network("uint8_old_file", "uint8")
    n.old = True
    x = n.start("row", [2, 8])
    y = n.dense("first", x, 8)
    w, b = n.operators[-1]["inputs"][1:]
    again = n.tensor("again", "uint8", [2, 8], n.scale(y), 97)
    n.op("FULLY_CONNECTED", [x, w, b], [again], "FullyConnectedOptions",
         {"fused_activation_function": "RELU"})
    twin = n._tensor("twin", "uint8", [8, 8], 0.02, 130, 0, n.tensors[w]["buffer"])
    last = n.tensor("last", "uint8", [2, 8], n.scale(y) * 9, 120)
    total = n.add("total", y, again)
    scale = float(np.float32(n.scale(total) * np.float64(np.float32(0.02))))
    c = n.const("last/bias", "int32", values.codes(n.key + "/c", [8], -9000, 9000), scale)
    n.op("FULLY_CONNECTED", [total, twin, c], [last], "FullyConnectedOptions")
    n.outputs = [last]
    return n.name, n


def float_edges():
    """Float input and output around an int8 network whose batch is open."""
    n = Network("int8_float_edges", "int8")
    image = n.input("image", "float32", [1, 6, 5, 3])
    n.tensors[image]["shape_signature"] = [-1, 6, 5, 3]
    x = n.tensor("codes", "int8", [1, 6, 5, 3], 0.031, 3)
    n.op("QUANTIZE", [image], [x], "QuantizeOptions")
    y = n.conv("conv", x, 5, 3, 1, True, "VALID")
    twice = n.like("twice", y, [1, 8, 6, 5])
    n.op("RESIZE_BILINEAR", [y, n.const("size", "int32", np.array([8, 6], np.int32))], [twice],
         "ResizeBilinearOptions", {"half_pixel_centers": True}, 3)
    n.outputs = [n.floats("floats", n.conv("last", twice, 2, 1, relu=False))]
    return n.name, n


def float_hybrid():
    """Float activations throughout; int8 weights in a convolution and a dense layer."""
    n = Net("networks/hybrid")
    x = n.input("image", "float32", [1, 6, 5, 3])
    w = n.const("conv/weights", "int8", values.codes(n.key + "/w", [4, 3, 3, 3], -127, 127),
                values.scales(n.key, 4, 0.01), 0, 0)
    b = n.const("conv/bias", "float32", values.reals(n.key + "/b", [4], -2, 2))
    y = n.tensor("conv", "float32", [1, 3, 3, 4])
    n.op("CONV_2D", [x, w, b], [y], "Conv2DOptions",
         {"padding": "SAME", "stride_h": 2, "stride_w": 2, "fused_activation_function": "RELU"}, 5)
    w = n.const("dense/weights", "int8", values.codes(n.key + "/v", [5, 36], -127, 127), 0.02)
    b = n.const("dense/bias", "float32", values.reals(n.key + "/c", [5], -2, 2))
    z = n.output("dense", "float32", [1, 5])
    n.op("FULLY_CONNECTED", [y, w, b], [z], "FullyConnectedOptions",
         {"asymmetric_quantize_inputs": True}, 9)
    return "hybrid", n


def cases():
    """All of them."""
    for kind in ("int8", "uint8", "int16", "int4"):
        yield residual(kind)
        yield pooled(kind)
    yield branches()
    yield old_file()
    yield float_edges()
    yield float_hybrid()


CASES = {"NETWORKS": cases}
