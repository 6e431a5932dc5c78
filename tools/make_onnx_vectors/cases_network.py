# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks of a few layers in the forms that exporters and quantizing tools write."""
import numpy as np

from net import Net
from qdq import QdqNet
from tensors import Tensor, random_codes, random_reals

IMAGE = (1, 3, 12, 10)


def qdq_image(name, kind, opset, axis=0, from_float=False):
    """Conv, depthwise, pointwise, pool, dense, softmax; every tensor quantized."""
    net = QdqNet(name, "convolutions, pool, dense, softmax as Q and DQ pairs", kind, opset, optimized=True)
    lowest = {"uint8": 0, "int8": -128, "int16": 0}[kind]
    x = net.qdq(net.real_input("image", IMAGE), 2.0)

    def layer(x, w_shape, label, reach, **attributes):
        w = net.weights(w_shape, axis, from_float=from_float)
        y = net.node("Conv", [x, w, net.bias(x, w, w_shape[0])], label, **attributes)
        return net.qdq(net.node("Relu", [y], label + "_relu"), reach, lowest)

    x = layer(x, (8, 3, 3, 3), "stem", 1.7, pads=[1, 1, 1, 1], strides=[2, 2])
    x = layer(x, (8, 1, 3, 3), "depthwise", 1.1, pads=[1, 1, 1, 1], group=8)
    x = layer(x, (12, 8, 1, 1), "pointwise", 0.9)
    x = net.qdq(net.node("GlobalAveragePool", [x], "pool"), 0.5, lowest)
    x = net.node("Flatten", [x], "flat")
    net.scales[x] = net.scales["pool_codes_real"]
    w = net.weights((10, 12), axis)
    x = net.qdq(net.node("Gemm", [x, w, net.bias(x, w, 10)], "logits", transB=1), 1.5)
    # Since set 13 the default axis is the last; before, 1: the same for two dimensions.
    return net.done(net.node("Softmax", [x], "softmax"), 0.5, zero=lowest)


def qoperator_image(name, x_type, w_type):
    """The same idea with QLinearConv, MaxPool on codes and QLinearMatMul."""
    net = Net(name, "convolutions, pool and product as integer operators", 13)
    net.input("image", random_reals(name, IMAGE))
    zero = {"uint8": 0, "int8": -128}[x_type]

    def number(label, scale, zero, kind=x_type):
        return [net.const(label + "_scale", Tensor("float32", scale)),
                net.const(label + "_zero_point", Tensor(kind, zero))]

    def weights(label, shape, axis):
        scale = np.abs(random_reals(f"{name} {label}_scale", (shape[axis],), 0.002).array) + 0.002
        net.const(label, random_codes(f"{name} {label}", w_type, shape))
        return [label, *number(label, scale, np.zeros(shape[axis]), w_type)]

    last = number("image", 0.0157, 0 if x_type == "int8" else 127)
    x = net.node("QuantizeLinear", ["image", *last], "image_codes")
    layers = (("stem", (8, 3, 3, 3), 0.011, {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
              ("depthwise", (8, 1, 3, 3), 0.0067, {"pads": [1, 1, 1, 1], "group": 8}),
              ("pointwise", (12, 8, 1, 1), 0.0059, {}))
    for label, shape, scale, attributes in layers:
        bias = net.const(label + "_bias", random_codes(f"{name} {label}_bias", "int32", shape[:1], -3000, 3000))
        here = number(label, scale, zero)
        x = net.node("QLinearConv", [x, *last, *weights(label + "_w", shape, 0), *here, bias], label, **attributes)
        last = here
    x = net.node("MaxPool", [x], "pool", kernel_shape=[2, 2], strides=[2, 2])
    x = net.node("Reshape", [x, net.const("flat", Tensor("int64", [1, -1]))], "row")
    logits = number("logits", 0.031, zero + 121)
    x = net.node("QLinearMatMul", [x, *last, *weights("dense_w", (72, 10), 1), *logits], "logits")
    return net.output(net.node("DequantizeLinear", [x, *logits], "y"))


def dynamic_dense(name, per_column):
    """What dynamic quantization makes of a dense layer, twice."""
    net = Net(name, "inputs quantized while running; int8 weights; the result scaled back in float", 13)
    x = net.input("x", random_reals(name, (3, 16)))
    for label, shape in (("first", (16, 12)), ("second", (12, 5))):
        count = (shape[1],) if per_column else ()
        net.const(label + "_w", random_codes(f"{name} {label}", "int8", shape))
        scales = np.abs(random_reals(f"{name} {label}s", count, 0.002).array) + 0.003
        net.const(label + "_w_scale", Tensor("float32", scales))
        net.const(label + "_w_zero_point", Tensor("int8", np.zeros(count)))
        net.const(label + "_b", random_reals(f"{name} {label}b", shape[1:], 0.5))
        codes, scale, zero = net.nodes_of("DynamicQuantizeLinear", [x],
                                          [f"{label}_codes", f"{label}_scale", f"{label}_zero_point"])
        total = net.node("MatMulInteger", [codes, label + "_w", zero, label + "_w_zero_point"], label + "_sum")
        real = net.node("Cast", [total], label + "_cast", to=1)
        factor = net.node("Mul", [scale, label + "_w_scale"], label + "_factor")
        x = net.node("Add", [net.node("Mul", [real, factor], label + "_real"), label + "_b"], label)
        if label == "first":
            x = net.node("Relu", [x], "relu")
    return net.output(x)


def dynamic_conv(name):
    """The same for a convolution."""
    net = Net(name, "ConvInteger with input quantized while running", 13)
    net.input("x", random_reals(name, (1, 3, 6, 5)))
    codes, scale, zero = net.nodes_of("DynamicQuantizeLinear", ["x"], ["codes", "scale", "zero_point"])
    net.const("w", random_codes(name + " w", "uint8", (4, 3, 3, 3)))
    net.scalar("w_zero_point", "uint8", 130)
    total = net.node("ConvInteger", [codes, "w", zero, "w_zero_point"], "sum", pads=[1, 1, 1, 1])
    factor = net.node("Mul", [scale, net.scalar("w_scale", "float32", 0.0041)], "factor")
    real = net.node("Mul", [net.node("Cast", [total], "cast", to=1), factor], "real")
    return net.output(net.node("Add", [real, net.const("b", random_reals(name + " b", (1, 4, 1, 1)))], "y"))


def float_image(name, opset):
    """No quantization at all."""
    net = Net(name, "convolution, pool, dense, softmax in float", opset)
    x = net.input("image", random_reals(name, IMAGE))
    net.const("w", random_reals(name + " w", (6, 3, 3, 3), 0.4))
    net.const("b", random_reals(name + " b", (6,), 0.4))
    x = net.node("Conv", [x, "w", "b"], "conv", strides=[2, 2], auto_pad="SAME_UPPER")
    x = net.node("MaxPool", [net.node("Relu", [x], "relu")], "pool", kernel_shape=[2, 2], strides=[2, 2])
    x = net.node("Reshape", [x, net.const("shape", Tensor("int64", [0, -1]), "node")], "row")
    net.const("v", random_reals(name + " v", (5, 36), 0.4))
    x = net.node("Gemm", [x, "v", net.const("c", random_reals(name + " c", (5,)))], "logits", transB=1)
    return net.output(net.node("Softmax", [x], "y", axis=1))


def weights_4_bit(name, opset):
    """Two float layers whose weights are 4-bit codes in blocks."""
    net = QdqNet(name, "float activations, int4 weights in blocks of 16", opset=opset)
    net.optimized = False
    x = net.real_input("x", (2, 32))
    x = net.node("MatMul", [x, net.weights((32, 16), 0, "int4", block=16)], "first")
    x = net.node("Sigmoid", [x], "sigmoid")
    return net.output(net.node("MatMul", [x, net.weights((16, 5), 0, "uint4", block=16, zeros=True)], "y"))


def cases():
    yield qdq_image("qdq_uint8_opset10", "uint8", 10, None)
    yield qdq_image("qdq_uint8_opset13", "uint8", 13)
    yield qdq_image("qdq_int8_opset13", "int8", 13)
    yield qdq_image("qdq_int8_per_tensor_opset13", "int8", 13, None)
    yield qdq_image("qdq_int8_float_weights_opset13", "int8", 13, from_float=True)
    yield qdq_image("qdq_int8_opset19", "int8", 19)
    yield qdq_image("qdq_int8_opset21", "int8", 21)
    yield qdq_image("qdq_int8_opset25", "int8", 25)
    yield qdq_image("qdq_int16_opset21", "int16", 21)
    yield qoperator_image("qoperator_uint8", "uint8", "int8")
    yield qoperator_image("qoperator_int8", "int8", "int8")
    yield dynamic_dense("dynamic_dense", False)
    yield dynamic_dense("dynamic_dense_per_column", True)
    yield dynamic_conv("dynamic_conv")
    yield float_image("float_opset11", 11)
    yield float_image("float_opset22", 22)
    yield weights_4_bit("weights_int4_opset21", 21)
    yield weights_4_bit("weights_int4_opset25", 25)
